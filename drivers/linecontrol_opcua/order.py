"""Messages put in order by their numbers. Pure."""

_LAST = 0xFFFF_FFFF
_HALF = 1 << 31
_FIRST_SEEN_AT_MOST = 100
"""A subscription whose first message has a higher number does not count from 1."""
MOST_MISSING = 1_000
"""So many missing messages are not asked for one by one."""


def after(number: int) -> int:
    """The number that follows: 0 is never used."""
    return number % _LAST + 1


def _ahead(number: int, than: int) -> int:
    return (number - than + _HALF) % (1 << 32) - _HALF


class Order:
    """Hands messages out in the order of their numbers, each once, and tells which are missing."""

    def __init__(self) -> None:
        self.expected: int | None = None
        self.doubled = 0
        """Messages that came once more."""
        self.awaited = 0
        """Number of the missing message that is being fetched."""
        self._held: dict[int, bytes] = {}
        self._known: int | None = None

    def came(self, number: int, body: bytes) -> None:
        """A message has come."""
        if number not in self._held and (self._reach(number, after(number)) or number == self.awaited):
            self._held[number] = body
        else:
            self.doubled += 1

    def kept_alive(self, number: int) -> None:
        """The server will give its next message this number."""
        if number:
            self._reach(number, number)

    def _reach(self, number: int, known: int) -> bool:
        if self.expected is None or self._known is None:
            self.expected = 1 if 1 <= number <= _FIRST_SEEN_AT_MOST else number
            self._known = known
        if _ahead(number, self.expected) < 0:
            return False
        if _ahead(known, self._known) > 0:
            self._known = known
        return True

    def next(self) -> tuple[int, bytes | None] | None:
        """Number and body of the message whose turn it is, no body if it is missing; ``None`` if it is not known.

        If a great many are missing, they all have the number 0.
        """
        if self.expected is None or self.expected == self._known or self._known is None:
            return None
        number = self.expected
        body = self._held.pop(number, None)
        if body is None and _ahead(self._known, number) > MOST_MISSING:
            self.expected = min(self._held, key=lambda held: _ahead(held, number), default=self._known)
            return 0, None
        self.expected = after(number)
        self.awaited = number if body is None else 0
        return number, body

    def take(self, number: int) -> bytes | None:
        """The message with that number, if it has come; it will not be handed out again."""
        return self._held.pop(number, None)

    def back(self, number: int) -> None:
        """It is the turn of that message again."""
        self.expected = number
