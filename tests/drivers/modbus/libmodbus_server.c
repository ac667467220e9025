/* A Modbus device by libmodbus; it ends with its standard input.
 *
 * Without an argument by TCP, for one client after the other: prints its port. With the path of a serial port by RTU, as
 * unit 1: prints 0.
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

static int rtu(modbus_t *context, modbus_mapping_t *places)
{
    unsigned char query[MODBUS_RTU_MAX_ADU_LENGTH];

    if (context == NULL || modbus_set_slave(context, 1) != 0 || modbus_connect(context) != 0)
        return 1;
    printf("0\n");
    fflush(stdout);
    for (;;) {
        struct pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {modbus_get_socket(context), POLLIN, 0}};
        if (poll(watched, 2, -1) < 0 || watched[0].revents)
            return 0;
        int length = modbus_receive(context, query);
        if (length > 0)
            modbus_reply(context, query, length, places);
    }
}

int main(int count, char **arguments)
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
    if (count > 1)
        return rtu(modbus_new_rtu(arguments[1], 115200, 'N', 8, 1), places);
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
