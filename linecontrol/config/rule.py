"""Rules as engineers write them; their conditions are compiled in ``linecontrol.rules``."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from linecontrol.config.line import Command
from linecontrol.config.types import ConfigModel, Duration
from linecontrol.model.state import Andon, Severity


class Subject(StrEnum):
    """What a rule is about: it is watched once for each of them."""

    STATION = "station"
    LINE = "line"
    TARGET = "target"
    COMMITMENT = "commitment"
    KIT = "kit"
    CONNECTION = "connection"


class CommandAction(ConfigModel):
    """Write to a station while the flag is raised. Only what ``control: allow:`` lists is ever written."""

    command: Command
    """What to write."""
    value: Andon | Duration
    """Andon colour, or length of the hold's lease, which is renewed while the flag is raised."""
    on_clear: Andon | None = None
    """Andon colour when the flag clears; left as it is if left out. A hold is always released."""
    station: str | None = None
    """``line/station`` to write to; the rule's own station if left out."""


class RuleConfig(ConfigModel):
    """One rule: raises a flag for each of its subjects for which ``when`` holds."""

    each: Subject
    """What the rule is about."""
    only: list[str] = []
    """Patterns (``*`` stands for anything) of the subjects: ``line/station`` for stations, else the name. All if
    left out."""
    when: str
    """Condition that raises the flag."""
    clear_when: str | None = None
    """Condition that clears it (hysteresis); the contrary of ``when`` if left out."""
    hold_for: Annotated[Duration, Field(alias="for")] = 0
    """How long ``when`` must hold without a pause before the flag is raised, in wall time."""
    off_delay: Duration = 0
    """How long the flag must have been over before it clears, in wall time."""
    severity: Severity = Severity.WARNING
    """How urgently it wants a person."""
    ack: Literal["required", "auto"] = "auto"
    """Whether a person has to acknowledge it."""
    latch: bool = False
    """Stay raised until acknowledged, even if the cause is gone."""
    message: str
    """What a person reads; ``{name}`` stands for any name that a condition may use."""
    actions: Annotated[list[Literal["flag"] | CommandAction], Field(min_length=1)] = ["flag"]
    """What to do when it is raised: ``flag`` shows and records it, a command writes to a station."""
