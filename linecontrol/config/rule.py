"""Rules as engineers write them; their conditions are compiled in ``linecontrol.rules``."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from linecontrol.config.line import Command
from linecontrol.config.params import Length, Param, Value, pattern_for
from linecontrol.config.types import NS, ConfigModel, Duration, Name
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
    params: dict[Name, Param] = {}
    """Values by name that conditions, delays, commands and the message use. Where they differ from subject to subject:
    patterns of subjects with the value of each; the first pattern that fits, from top to bottom, counts."""
    when: str
    """Condition that raises the flag."""
    clear_when: str | None = None
    """Condition that clears it (hysteresis); the contrary of ``when`` if left out."""
    hold_for: Annotated[Length, Field(alias="for")] = 0
    """How long ``when`` must hold without a pause before the flag is raised, in wall time; or a param's name."""
    off_delay: Length = 0
    """How long the flag must have been over before it clears, in wall time; or a param's name."""
    on_unknown: Literal["hold", "clear", "raise"] = "hold"
    """What an unknown condition does: ``hold`` leaves the flag as it is, ``clear`` counts as if nothing were wrong,
    ``raise`` as if something were."""
    suppress: str | None = None
    """While this condition holds, the flag is suppressed by design: followed and recorded, but it wants nobody and
    commands nothing."""
    severity: Severity = Severity.WARNING
    """How urgently it wants a person."""
    ack: Literal["required", "auto"] = "auto"
    """Whether a person has to acknowledge it."""
    latch: bool = False
    """Stay raised until acknowledged, even if the cause is gone."""
    realarm: Duration = 0
    """How long after being acknowledged it asks again while it is still raised, in wall time; never if left out."""
    shelve_max: Annotated[Duration, Field(gt=0)] = 8 * 3600 * NS
    """For how long a person may shelve it at the most, in wall time."""
    was: str | None = None
    """Former name of the rule: what is known of its flags goes on under the new one."""
    message: str
    """What a person reads; ``{name}`` stands for any name that a condition may use."""
    actions: Annotated[list[Literal["flag"] | CommandAction], Field(min_length=1)] = ["flag"]
    """What to do when it is raised: ``flag`` shows and records it, a command writes to a station."""

    def values(self, subject: str) -> dict[str, Value]:
        """The params' values for a subject; without those that have none for it."""
        chosen = {name: (param, pattern_for(param, subject)) for name, param in self.params.items()}
        return {name: param[pattern] for name, (param, pattern) in chosen.items() if pattern is not None}
