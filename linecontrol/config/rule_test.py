"""Rule tests as engineers write them: what is given, and which transitions are expected, and no others.

They live beside the rules in files named ``*.test.yaml``, which hold one list: ``tests``.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Strict, model_validator

from linecontrol.config.types import NS, ConfigModel, Duration, Name
from linecontrol.model.state import TRANSITIONS, AlarmState, Andon, StationState, Timing

_WRITTEN = ("command", "setpoint")
_EXPECTED = (*(each for each in TRANSITIONS if each != "renamed"), "noted")


class StartConfig(ConfigModel):
    """A cycle begins."""

    unit: str | None = None
    """The unit."""
    product: Name | None = None
    """Its product."""
    planned: Duration | None = None
    """Planned cycle time."""


class CompleteConfig(ConfigModel):
    """A cycle ends. Unit, product and planned time that are left out are those of its start."""

    unit: str | None = None
    """The unit."""
    product: Name | None = None
    """Its product."""
    active: Duration | None = None
    """Working time from start to end."""
    planned: Duration | None = None
    """Planned cycle time."""
    lost: Duration = 0
    """Part of ``active`` in which the station was down."""
    good: Annotated[bool | None, Strict()] = None
    """Whether the unit was found good."""
    timing: Timing = Timing.MEASURED
    """How the two ends became known."""

    @model_validator(mode="after")
    def _lost_is_a_part(self) -> Self:
        if self.active is not None and self.lost > self.active:
            msg = "lost is a part of active and can't be longer"
            raise ValueError(msg)
        return self


class GivenConfig(ConfigModel):
    """Something that happens at a time after the test's start, wall time; ``every`` and ``times`` repeat it."""

    at: Duration
    """When."""
    every: Annotated[Duration, Field(gt=0)] | None = None
    """After how long it happens again."""
    times: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How often it happens."""
    station: str | None = None
    """``line/station`` at which it happens."""
    state: StationState | None = None
    """The station enters this state, with the unit and the product that are there."""
    start: StartConfig | None = None
    """A cycle begins at the station."""
    complete: CompleteConfig | None = None
    """A cycle ends at the station."""
    andon: Annotated[bool | None, Strict()] = None
    """The andon cord of the station is pulled or released."""
    sample: dict[Name, float] | None = None
    """Telemetry of the station by tag."""
    connection: Name | None = None
    """Connection that goes up or down."""
    up: Annotated[bool | None, Strict()] = None
    """Whether it is up from now on."""
    warning: str = ""
    """What is unsafe about it."""
    line: Name | None = None
    """Line of which a verdict is told."""
    target: Name | None = None
    """Target of which something is told."""
    commitment: Name | None = None
    """Commitment of which something is told."""
    kit: Name | None = None
    """Kit of which something is told."""
    told: dict[Name, Any] | None = None
    """What is told of the line, target, commitment or kit: fields by the names of the rules' reference."""
    ack: str | None = None
    """Flag that a person acknowledges."""
    shelve: str | None = None
    """Flag that a person shelves, for ``for`` or until it clears; for the rule's ``shelve_max`` at the most."""
    unshelve: str | None = None
    """Flag that a person brings back."""
    out_of_service: str | None = None
    """Flag that a person takes out of service, for ``for`` or until it is put back."""
    in_service: str | None = None
    """Flag that a person puts back into service."""
    for_: Annotated[Annotated[Duration, Field(gt=0)] | None, Field(alias="for")] = None
    """How long a shelving or being out of service lasts."""
    restart: Annotated[bool, Strict()] = False
    """The gateway stops and starts again."""
    reload: str | None = None
    """File with other rules (a ``rules:`` file beside the test) that take the place of the rules."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        subjects = [
            name
            for name in ("station", "connection", "line", "target", "commitment", "kit", "ack", "shelve", "unshelve",
                         "out_of_service", "in_service", "reload")
            if getattr(self, name) is not None
        ]  # fmt: skip
        subjects += ["restart"] if self.restart else []
        if len(subjects) != 1:
            here = f"are {' and '.join(subjects)}" if subjects else "is none"
            msg = f"one thing happens at a time; here {here}"
            raise ValueError(msg)
        needs = {"station": ("state", "start", "complete", "andon", "sample"), "connection": ("up",)}
        needs |= dict.fromkeys(("line", "target", "commitment", "kit"), ("told",))
        wanted = needs.get(subjects[0], ())
        said = [name for name in ("state", "start", "complete", "andon", "sample", "up", "told")
                if getattr(self, name) is not None]  # fmt: skip
        if wanted and len([name for name in said if name in wanted]) != 1:
            msg = f"a {subjects[0]} needs one of {', '.join(wanted)}"
            raise ValueError(msg)
        stray = [name for name in said if name not in wanted]
        stray += ["for"] if self.for_ is not None and subjects[0] not in ("shelve", "out_of_service") else []
        stray += ["warning"] if self.warning and subjects[0] != "connection" else []
        if stray:
            msg = f"{stray[0]} doesn't go with {subjects[0]}"
            raise ValueError(msg)
        if (self.every is None) is not (self.times == 1):
            msg = "every: and times: go together: after how long it happens again, and how often in all"
            raise ValueError(msg)
        return self


class ExpectConfig(ConfigModel):
    """A transition at a time, something that is written then, or the complete set of raised flags."""

    at: Duration
    """When, counted from the test's start."""
    open: list[str] | None = None
    """All flags that are raised then, and no others."""
    raised: str | None = None
    """Flag that is raised."""
    cleared: str | None = None
    """Flag that clears."""
    acknowledged: str | None = None
    """Flag that is acknowledged."""
    realarmed: str | None = None
    """Flag that asks again."""
    blind: str | None = None
    """Flag whose inputs are unknown."""
    sighted: str | None = None
    """Flag whose inputs are known again."""
    shelved: str | None = None
    """Flag that is shelved."""
    unshelved: str | None = None
    """Flag whose shelving ends."""
    suppressed: str | None = None
    """Flag that is suppressed by design."""
    unsuppressed: str | None = None
    """Flag that is suppressed no longer."""
    out_of_service: str | None = None
    """Flag that is taken out of service."""
    in_service: str | None = None
    """Flag that is put back into service."""
    noted: str | None = None
    """``RULE/SUBJECT`` that is noted."""
    changed: str | None = None
    """Flag that is told with a new text."""
    command: Literal["andon", "hold"] | None = None
    """Command that is written; a hold when it begins, gets another length, or is released."""
    setpoint: Name | None = None
    """Setpoint that is written."""
    station: str | None = None
    """``line/station`` to which it is written."""
    value: Annotated[Andon | Duration | Annotated[float, Strict()] | None, Field(union_mode="left_to_right")] = None
    """What is written: a colour, the length of the lease (``0s`` when a hold is released), or a number."""
    text: str | None = None
    """What its message has to contain."""
    state: AlarmState | None = None
    """The state in which the flag is after its transition."""
    suppressed_by: str | None = None
    """What suppresses it: the rule's condition, ``first out: FLAG``, or the flag of a flood; empty for nothing."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        said = [name for name in ("open", *_WRITTEN, *_EXPECTED) if getattr(self, name) is not None]
        if len(said) != 1:
            here = f"are {' and '.join(said)}" if said else "is none"
            msg = f"one transition, command, setpoint, or open, is expected at a time; here {here}"
            raise ValueError(msg)
        goes = {"text": _EXPECTED, "state": TRANSITIONS, "suppressed_by": TRANSITIONS}
        goes |= dict.fromkeys(("station", "value"), _WRITTEN)
        for name, its in goes.items():
            if getattr(self, name) is not None and said[0] not in its:
                msg = f"{name} doesn't go with {said[0]}"
                raise ValueError(msg)
        if said[0] in _WRITTEN:
            self._check_written()
        return self

    def _check_written(self) -> None:
        kinds = {
            "andon": (Andon, "a colour such as yellow"),
            "hold": (int, "a duration such as 2min"),
        }
        what = self.command or self.setpoint
        kind, called = kinds[self.command] if self.command else (float, "a number")
        if self.station is None or not isinstance(self.value, kind):
            msg = f"{what} needs a station and a value, {called}"
            raise ValueError(msg)

    @property
    def transition(self) -> tuple[str, str] | None:
        """Its transition and flag; ``None`` for ``open``."""
        return next(((name, flag) for name in _EXPECTED if (flag := getattr(self, name)) is not None), None)

    @property
    def written(self) -> tuple[str, float] | None:
        """What is written where (``line/station/name``), and the number that is written; ``None`` for transitions."""
        match self.value:
            case None:
                return None
            case Andon():
                number: float = self.value.code
            case int():
                number = self.value / NS
            case _:
                number = self.value
        return f"{self.station}/{self.command or self.setpoint}", number

    @property
    def flags(self) -> list[str]:
        """All flags that it names."""
        return self.open or ([self.transition[1]] if self.transition else [])


class JournalCut(ConfigModel):
    """A cut from a journal, whose events are given at their own times."""

    file: str
    """The journal, beside the test."""
    start: Annotated[datetime | None, Field(alias="from")] = None
    """First moment (local time of the plant); from its beginning if left out."""
    end: Annotated[datetime | None, Field(alias="to")] = None
    """Moment before which it ends; to its end if left out."""


class RuleTestConfig(ConfigModel):
    """One test."""

    name: str
    """What it shows."""
    start: datetime | None = None
    """Local time of the plant at which it starts; if left out, where the journal's cut begins, else the first working
    moment of the first target's year."""
    rules: list[str] = []
    """What is under test: rules, or patterns of flags (``RULE/SUBJECT``). Transitions of others don't matter. All rules
    if left out."""
    given: list[GivenConfig] = []
    """What happens, in any order."""
    journal: JournalCut | None = None
    """Recorded events that happen besides."""
    until: Duration | None = None
    """When it ends; at the last thing given or expected if left out."""
    expect: list[ExpectConfig]
    """Every transition of the rules under test, in order of time."""


class RuleTestFile(ConfigModel):
    """A file of rule tests."""

    tests: Annotated[list[RuleTestConfig], Field(min_length=1)]
    """The tests."""
