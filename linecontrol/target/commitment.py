"""The commitments to markets, family by family."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.model import CommitmentUpdated
from linecontrol.target.forecast import Promise, finishes, in_order, serves
from linecontrol.target.pace import WINDOW_DAYS, Output, recent_takt, window_start
from linecontrol.target.plan import Plans
from linecontrol.target.year import WorkingYear

_NS = 1_000_000_000


class Served(Struct):
    """How many units of a commitment are done, and when the last of them was."""

    done: int = 0
    finished_ns: int | None = None


class FamilyCommitments:
    """The commitments of one family, served by its line's output in the order of their due days."""

    def __init__(self, family: str, line: str, config: Config, calendar: WorkCalendar, plans: Plans) -> None:
        """``calendar`` is the working time of ``line``; due is the end of the due day."""
        self._family = family
        self._config = config
        self.line = line
        self._calendar = calendar
        self._plans = plans
        self._years: dict[int, WorkingYear] = {}
        self._promises = in_order(
            [
                Promise(
                    name, each.units, calendar.day_start(each.start), calendar.day_start(each.due + timedelta(days=1))
                )
                for name, each in config.commitments.items()
                if each.family == family
            ]
        )

    def credit(self, served: dict[str, Served], at_ns: int) -> str | None:
        """Count a unit completed at ``at_ns``. Returns the commitment for which it counts, if any."""
        promise = serves(self._promises, self._left(served), at_ns)
        if promise is None:
            return None
        mine = served.setdefault(promise.name, Served())
        mine.done += 1
        if mine.done == promise.units:
            mine.finished_ns = at_ns
        return promise.name

    def say(
        self, served: Mapping[str, Served], output: Output, at_ns: int, *, closed: bool, just: str | None = None
    ) -> list[CommitmentUpdated]:
        """Where the open commitments stand, also ``just``, and with ``closed`` those served but not yet due."""
        left = self._left(served)
        takt_ns = self._takt_ns(output, at_ns)
        forecast: dict[str, int] = {}
        if takt_ns is not None:
            last_ns = output.last(self.line, self._family)
            begun_ns = self._calendar.working_ns(output.since_ns if last_ns is None else last_ns, at_ns)
            forecast = finishes(self._promises, left, at_ns, takt_ns, self._calendar, begun_ns=begun_ns)
        said: list[CommitmentUpdated] = []
        queued = 0
        for promise in self._promises:
            queued += left[promise.name]
            if left[promise.name] or promise.name == just or (closed and promise.due_ns > at_ns):
                mine = served.get(promise.name, Served())
                finish_ns = mine.finished_ns if left[promise.name] == 0 else forecast.get(promise.name)
                said.append(self._one(promise, mine.done, finish_ns, queued, at_ns))
        return said

    def _one(self, promise: Promise, done: int, finish_ns: int | None, queued: int, at_ns: int) -> CommitmentUpdated:
        calendar = self._calendar
        takt_s = max(calendar.working_ns(at_ns, promise.due_ns), 0) / queued / _NS if done < promise.units else None
        return CommitmentUpdated(
            at_ns=at_ns,
            commitment=promise.name,
            family=self._family,
            market=self._config.commitments[promise.name].market,
            units=promise.units,
            done=done,
            due_ns=promise.due_ns,
            forecast_ns=finish_ns,
            margin_days=None if finish_ns is None else self._days(finish_ns, promise.due_ns),
            takt_required_s=takt_s,
        )

    def _days(self, from_ns: int, to_ns: int) -> float | None:
        """Working days between two moments, in mean working days of the year of the second."""
        day_ns = self._year(to_ns - 1).day_ns
        return self._calendar.working_ns(from_ns, to_ns) / day_ns if day_ns else None

    def _takt_ns(self, output: Output, at_ns: int) -> float | None:
        start_ns = max(window_start(at_ns, self._calendar), output.since_ns)
        plan = self._plans.of(self._family, self._calendar.day_of(at_ns).year)
        return recent_takt(
            output.between(self.line, self._family, start_ns, at_ns + 1),
            self._calendar.working_ns(start_ns, at_ns),
            WINDOW_DAYS * self._year(at_ns).day_ns,
            None if plan is None else plan.takt_planned_ns,
        )

    def _year(self, at_ns: int) -> WorkingYear:
        year = self._calendar.day_of(at_ns).year
        if year not in self._years:
            self._years[year] = WorkingYear.of(year, self._calendar)
        return self._years[year]

    def _left(self, served: Mapping[str, Served]) -> dict[str, int]:
        return {
            each.name: each.units - (served[each.name].done if each.name in served else 0) for each in self._promises
        }
