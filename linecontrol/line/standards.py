"""Planned cycle times, effective-dated."""

from datetime import date

from linecontrol.calendar import WorkCalendar
from linecontrol.config import LineConfig


class Standards:
    """Planned cycle time per station and product of one line, on any day."""

    def __init__(self, line: LineConfig, calendar: WorkCalendar) -> None:
        """A standard that doesn't mention a station or product leaves the older one in force."""
        self._calendar = calendar
        self._steps: list[tuple[date, dict[tuple[str, str], int]]] = []
        times: dict[tuple[str, str], int] = {}
        for standard in sorted(line.standards, key=lambda standard: standard.start):
            times = dict(times)
            for station, products in standard.times.items():
                times.update({(station, product): ns for product, ns in products.items()})
            self._steps.append((standard.start, times))

    def planned_ns(self, station: str, product: str | None, at_ns: int) -> int | None:
        """Planned working time for a cycle that starts at ``at_ns``; ``None`` where none is planned."""
        if product is None:
            return None
        day = self._calendar.day_of(at_ns)
        valid = None
        for start, times in self._steps:
            if start > day:
                break
            valid = times.get((station, product))
        return valid
