"""Answers questions: what the rooms remember becomes findings, part by part."""

from collections.abc import Container, Iterator, Sequence
from datetime import date

from linecontrol.assessment.bottleneck import verdict_on
from linecontrol.assessment.lag import lag_of
from linecontrol.assessment.outlook import Forecasts
from linecontrol.assessment.question import Question
from linecontrol.assessment.release import Releases
from linecontrol.bottleneck.extract import LineRecords
from linecontrol.calendar import line_calendars
from linecontrol.config import Config
from linecontrol.flowline import LineLog
from linecontrol.model import AnyEvent
from linecontrol.target.plan import Plans


class Assessment:
    """What is found out about one plant.

    It shares nothing with the engine, calendars neither, so it may work in another thread. The same question has the
    same answer: seeds follow from it.
    """

    def __init__(self, config: Config, holidays: Container[date] = frozenset()) -> None:
        """``holidays`` are the public holidays."""
        self._calendars = line_calendars(config, holidays)
        self._records = {name: LineRecords(config, name, self._calendars[name]) for name in config.lines}
        self._plans = Plans(config, self._calendars)
        self._forecasts = Forecasts(config, self._calendars, self._plans)
        self._releases = Releases(config, self._calendars, self._plans)
        self._titles = {
            name: {key: station.title for key, station in line.stations.items()} for name, line in config.lines.items()
        }

    def logs(self, question: Question) -> dict[str, LineLog]:
        """The records of all lines as they stood when it was asked."""
        return {name: its.log(question.records[name], question.at_ns) for name, its in self._records.items()}

    def answer(self, question: Question) -> Iterator[Sequence[AnyEvent]]:
        """The findings, dated with the question's moment, part by part: who listens may stop between two."""
        counts = self._forecasts.counts(question.target, question.at_ns)
        for line, log in self.logs(question).items():
            verdict = verdict_on(line, log, self._titles[line], self._calendars[line], question.at_ns)
            yield [] if verdict is None else [verdict]
            lag = lag_of(line, log, self._plans, self._calendars[line], question.at_ns)
            yield [] if lag is None else [lag]
            yield self._forecasts.of(line, log, counts, question.at_ns)
            release = self._releases.of(line, log, counts, question.at_ns)
            yield [] if release is None else [release]
