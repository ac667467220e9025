/* A Modbus TCP device by libmodbus, for one client after the other. Prints its port, and ends with its standard input.
 *
 * Holding and input register n hold 7 * n, every third coil and discrete input is on; 200 of each.
 */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#define PLACES 200

int main(void)
{
    unsigned char query[MODBUS_TCP_MAX_ADU_LENGTH];
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *places = modbus_mapping_new(PLACES, PLACES, PLACES, PLACES);
    int listener, client = -1;

    if (context == NULL || places == NULL)
        return 1;
    for (int n = 0; n < PLACES; n++) {
        places->tab_registers[n] = places->tab_input_registers[n] = 7 * n;
        places->tab_bits[n] = places->tab_input_bits[n] = n % 3 == 0;
    }
    listener = modbus_tcp_listen(context, 1);
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {client < 0 ? listener : client, POLLIN, 0}};
        if (poll(watched, 2, -1) < 0 || watched[0].revents)
            return 0;
        if (client < 0) {
            client = modbus_tcp_accept(context, &listener);
            continue;
        }
        int length = modbus_receive(context, query);
        if (length > 0)
            modbus_reply(context, query, length, places);
        else if (length < 0) {
            close(client);
            client = -1;
        }
    }
}
