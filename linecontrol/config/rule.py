"""Rules as engineers write them; their conditions are compiled in ``linecontrol.rules``."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Strict, Tag

from linecontrol.config.line import Command
from linecontrol.config.params import Length, NumberOrParam, Param, Value, pattern_for
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


class Plain(StrEnum):
    """Actions without keys."""

    FLAG = "flag"
    NOTE = "note"


class CommandAction(ConfigModel):
    """Write to a station while the flag is raised. Only what ``control: allow:`` lists is ever written."""

    other_words: ClassVar[dict[str, str]] = {
        **dict.fromkeys(Command, "write { command: WHICH, value: WHAT }"),
        **dict.fromkeys(Plain, "flag and note stand alone, without a colon"),
        "colour": "the colour is value:",
        "color": "the colour is value:",
        "lease": "the length of the lease is value:",
    }
    """What people write for a key, and which one they mean."""

    command: Command
    """What to write."""
    value: Annotated[Andon | Length, Field(union_mode="left_to_right")]
    """Andon colour, or length of the hold's lease, which is renewed while the flag is raised; or a param's name."""
    on_clear: Andon | None = None
    """Andon colour when the flag clears; left as it is if left out. A hold is always released."""
    station: str | None = None
    """``line/station`` to write to; the rule's own station if left out."""


class SetpointAction(ConfigModel):
    """Write a number to a station, once each time the flag is raised, within the range of ``control: allow:``."""

    setpoint: Name
    """What to write: a setpoint of the station."""
    value: NumberOrParam
    """The number, or a param's name."""
    on_clear: NumberOrParam | None = None
    """The number, or a param's name, when the flag clears; left as it is if left out."""
    station: str | None = None
    """``line/station`` to write to; the rule's own station if left out."""


def _kind_of_action(value: Any) -> str:
    if isinstance(value, Mapping):
        return "as a setpoint" if "setpoint" in value else "as a command"
    if isinstance(value, SetpointAction):
        return "as a setpoint"
    return "as a command" if isinstance(value, CommandAction) else "as a word"


Action = Annotated[
    Annotated[Plain, Tag("as a word")]
    | Annotated[CommandAction, Tag("as a command")]
    | Annotated[SetpointAction, Tag("as a setpoint")],
    Discriminator(_kind_of_action),
]
"""What a rule does when its flag is raised."""


class RuleConfig(ConfigModel):
    """One rule: raises a flag for each of its subjects for which ``when`` holds."""

    other_words: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("on", "if", "condition", "expr", "trigger"), "the condition is when:"),
        **dict.fromkeys(("priority", "prio", "level"), "how urgent it is is severity: info, warning or critical"),
        **dict.fromkeys(("id", "name"), "the rule's name stands before its keys"),
        **dict.fromkeys(("station", "stations", "subject", "subjects"), "say each: station, and which with only:"),
        **dict.fromkeys(("do", "then", "action"), "what it does is actions:"),
        **dict.fromkeys(("text", "msg", "description"), "what a person reads is message:"),
        **dict.fromkeys(("delay", "on_delay", "hold_for"), "how long when: must hold is for:"),
        **dict.fromkeys(("clear", "unless", "hysteresis"), "what clears it is clear_when:"),
        **dict.fromkeys(("vars", "parameters"), "values by subject are params:"),
    }
    """What people write for a key, and which one they mean."""

    each: Subject
    """What the rule is about."""
    only: Annotated[list[str], Field(min_length=1)] = []
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
    group: Name | None = None
    """First-out group: while a flag of it stands, others of it in the same line are suppressed by design."""
    severity: Severity = Severity.WARNING
    """How urgently it wants a person."""
    ack: Literal["required", "auto"] = "auto"
    """Whether a person has to acknowledge it."""
    latch: Annotated[bool, Strict()] = False
    """Stay raised until acknowledged, even if the cause is gone."""
    realarm: Duration = 0
    """How long after being acknowledged it asks again while it is still raised, in wall time; never if left out."""
    shelve_max: Annotated[Duration, Field(gt=0)] = 8 * 3600 * NS
    """For how long a person may shelve it at the most, in wall time."""
    was: Name | None = None
    """Former name of the rule: what is known of its flags goes on under the new one."""
    message: Annotated[str, Field(min_length=1)]
    """What a person reads; ``{name}`` stands for any name that a condition may use."""
    actions: Annotated[list[Action], Field(min_length=1)] = [Plain.FLAG]
    """What to do when it is raised: ``flag`` shows and records it, ``note`` enters its message into what happened
    (alone, it raises no flag), commands and setpoints write to a station and always come with their flag."""

    def values(self, subject: str) -> dict[str, Value]:
        """The params' values for a subject; without those that have none for it."""
        chosen = {name: (param, pattern_for(param, subject)) for name, param in self.params.items()}
        return {name: param[pattern] for name, (param, pattern) in chosen.items() if pattern is not None}

    @property
    def only_notes(self) -> bool:
        """Whether it raises no flag."""
        return all(action is Plain.NOTE for action in self.actions)

    @property
    def writes(self) -> list[CommandAction | SetpointAction]:
        """What it writes to stations."""
        return [action for action in self.actions if not isinstance(action, Plain)]
