"""Tells systemd how the service is (sd_notify protocol); does nothing where there is no systemd."""

import os
import socket
import time


class Notifier:
    """Sends state to the socket that systemd names in the environment."""

    def __init__(self, address: str | None = None) -> None:
        """``address`` is a socket path, ``@`` in front for an abstract one; $NOTIFY_SOCKET if left out."""
        address = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + address[1:] if address.startswith("@") else address

    @property
    def watchdog_s(self) -> float | None:
        """How often systemd wants to hear of us at the least, in seconds; ``None`` if it doesn't watch."""
        text = os.environ.get("WATCHDOG_USEC", "")
        ours = os.environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        return int(text) / 1e6 if self._address and ours and text.isdecimal() and int(text) > 0 else None

    def ready(self) -> None:
        """The service does its work."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The service takes up its config anew; ``ready`` tells when it has."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={' '.join(text.splitlines())}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            try:
                sender.sendto(state.encode(), self._address)
            except OSError:  # a full or vanished socket must not hurt the service; a starved watchdog will tell
                return
