"""How flags as a whole are kept from asking too much of people: floods and chatter, by ISA-18.2."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from linecontrol.config.types import NS, ConfigModel, Duration
from linecontrol.model.state import Severity


class FloodConfig(ConfigModel):
    """A flood: more flags of a line begin to want somebody than its people can take in. Each line has its own."""

    enter: Annotated[int, Field(ge=2, le=1000)] = 10
    """It begins when so many did within ``window``."""
    leave: Annotated[int, Field(ge=1, le=1000)] = 5
    """It is over when fewer than this did."""
    window: Annotated[Duration, Field(gt=0)] = 600 * NS
    """The time in which they are counted, wall time."""
    show: Severity = Severity.CRITICAL
    """The least severity that is still told during a flood; the first of each group is, too."""

    @model_validator(mode="after")
    def _ends_below_its_beginning(self) -> Self:
        if self.leave > self.enter:
            msg = (
                f"a flood that begins at {self.enter} must be over below {self.enter} or fewer, not below {self.leave}"
            )
            raise ValueError(msg)
        return self


class ChatterConfig(ConfigModel):
    """A flag that is raised and cleared again and again."""

    transitions: Annotated[int, Field(ge=3, le=20)] = 3
    """It chatters when it was raised and cleared so many times, both counted, within ``window``."""
    window: Annotated[Duration, Field(gt=0)] = 60 * NS
    """The time in which they are counted, wall time."""
    calm: Annotated[Duration, Field(gt=0)] = 600 * NS
    """How long it must not have chattered before it counts as calm again, wall time."""
    shelve: Duration = 0
    """For how long a flag that begins to chatter is shelved by itself, once; never if left out."""


class AlarmsConfig(ConfigModel):
    """What is done about too many flags at once, and about one that can't make up its mind."""

    flood: FloodConfig = FloodConfig()
    """Floods."""
    chatter: ChatterConfig = ChatterConfig()
    """Chatter."""
