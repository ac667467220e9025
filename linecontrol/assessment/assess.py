"""Answers questions: what the rooms remember becomes findings, part by part."""

from collections.abc import Callable, Container, Iterator, Sequence
from datetime import date

from linecontrol.assessment.question import Question
from linecontrol.bottleneck.extract import LineRecords
from linecontrol.calendar import line_calendars
from linecontrol.config import Config
from linecontrol.flowline import LineLog
from linecontrol.model import AnyEvent

Part = Callable[[Question, dict[str, LineLog]], Sequence[AnyEvent]]
"""Finds something out of a question and the lines' records in it."""


class Assessment:
    """What is found out about one plant.

    It shares nothing with the engine, calendars neither, so it may work in another thread. The same question has the
    same answer: seeds follow from it.
    """

    def __init__(self, config: Config, holidays: Container[date] = frozenset()) -> None:
        """``holidays`` are the public holidays."""
        self.calendars = line_calendars(config, holidays)
        self._records = {name: LineRecords(config, name, self.calendars[name]) for name in config.lines}
        self._parts: list[Part] = []

    def logs(self, question: Question) -> dict[str, LineLog]:
        """The records of all lines as they stood when it was asked."""
        return {name: its.log(question.records[name], question.at_ns) for name, its in self._records.items()}

    def answer(self, question: Question) -> Iterator[Sequence[AnyEvent]]:
        """The findings, dated with the question's moment, part by part: a listener may stop between two."""
        logs = self.logs(question)
        for part in self._parts:
            yield part(question, logs)
