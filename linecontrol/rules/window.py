"""Figures over the last N cycles, moved on in constant time (``min`` and ``max``: one pass in C)."""

from msgspec import Struct, field


class Window(Struct):
    """The last values of one window expression at one station, and the figure that follows from them.

    Values are numbers, seconds, or 0 and 1 for false and true. ``figure`` is ``None`` while there are too few.
    """

    values: list[float] = field(default_factory=list)
    oldest: int = 0
    total: float = 0.0
    figure: float | None = None

    def push(self, value: float, function: str, size: int, least: int) -> None:
        """Take in the newest value, forget the one before the last ``size``."""
        values = self.values
        if len(values) < size:
            values.append(value)
            self.total += value
        else:
            self.total += value - values[self.oldest]
            values[self.oldest] = value
            self.oldest = (self.oldest + 1) % size
            if self.oldest == 0:
                self.total = sum(values)  # so that rounding errors don't add up
        self.figure = self._figure(function) if len(values) >= least else None

    def _figure(self, function: str) -> float:
        match function:
            case "min":
                return min(self.values)
            case "max":
                return max(self.values)
            case "count":
                return self.total
            case _:
                return self.total / len(self.values)
