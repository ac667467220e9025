"""Targets with their year worked out, found by family and year."""

from collections.abc import Mapping

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, TargetConfig
from linecontrol.target.year import WorkingYear


class Plan:
    """One annual target and the pace that it planned."""

    def __init__(self, name: str, target: TargetConfig, calendar: WorkCalendar) -> None:
        """The takt planned spreads the units over the year, or what is left on the opening day over its rest."""
        self.name = name
        self.target = target
        self.calendar = calendar
        self.year = WorkingYear.of(target.year, calendar)
        self.from_ns = self.year.start_ns
        self.opening = 0
        if target.opening is not None:
            self.from_ns = max(calendar.day_start(target.opening.day), self.year.start_ns)
            self.opening = target.opening.units
        left = target.units - self.opening
        worked_ns = calendar.working_ns(self.from_ns, self.year.end_ns)
        self.takt_planned_ns = worked_ns / left if left > 0 and worked_ns > 0 else None


class Plans:
    """All annual targets of a config."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` holds each line's working time."""
        self._config = config
        self._all = [Plan(name, target, calendars[target.line]) for name, target in config.targets.items()]

    def all(self) -> list[Plan]:
        """The targets in the order of the config."""
        return self._all

    def of(self, family: str, year: int) -> Plan | None:
        """The target of a family in a year, if there is one."""
        for plan in self._all:
            if plan.target.family == family and plan.target.year == year:
                return plan
        return None

    def of_line(self, line: str, year: int) -> list[Plan]:
        """The targets of a line in a year."""
        return [plan for plan in self._all if (plan.target.line, plan.target.year) == (line, year)]

    def home(self, family: str) -> str | None:
        """The line that builds a family: its targets' line, else the first that lists it."""
        for plan in self._all:
            if plan.target.family == family:
                return plan.target.line
        return next((name for name, line in self._config.lines.items() if family in line.families), None)
