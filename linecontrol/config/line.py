"""Lines, stations, buffers, signals and planned cycle times."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Strict

from linecontrol.config.types import ConfigModel, Day, Duration, Name


class Role(StrEnum):
    """What a signal of a station means."""

    STATE = "state"
    RUNNING = "running"
    FAULT = "fault"
    BLOCKED = "blocked"
    STARVED = "starved"
    CYCLE_START = "cycle_start"
    CYCLE_COMPLETE = "cycle_complete"
    CYCLE_COUNT = "cycle_count"
    CYCLE_TIME = "cycle_time"
    PART_PRESENT = "part_present"
    UNIT_ID = "unit_id"
    PRODUCT = "product"
    GOOD_COUNT = "good_count"
    REJECT_COUNT = "reject_count"
    BUFFER_LEVEL = "buffer_level"
    ANDON_CALL = "andon_call"


class CycleBy(StrEnum):
    """Which signals tell a station's cycles."""

    START_COMPLETE = "start_complete"
    """``cycle_start`` rises at the start, ``cycle_complete`` rises at the end."""
    STATE = "state"
    """The ``state`` word enters working at the start and leaves the cycle's states at the end."""
    COUNT = "count"
    """``cycle_count`` steps at the end; the next cycle starts then, or when the station works again if it tells."""
    PART_PRESENT = "part_present"
    """``part_present`` rises at the start and falls at the end."""
    CYCLE_TIME = "cycle_time"
    """``cycle_time`` (seconds of the last cycle) changes at the end, or ``cycle_count`` steps where there is one."""


class Meaning(StrEnum):
    """What a state code means: a station state, or that the cycle's work is complete (and the unit still there)."""

    WORKING = "working"
    COMPLETE = "complete"
    BLOCKED = "blocked"
    STARVED = "starved"
    DOWN = "down"
    SETUP = "setup"
    IDLE = "idle"


class Command(StrEnum):
    """What can be written to a station."""

    ANDON = "andon"
    """Colour code of the andon light: 0 off, 1 green, 2 yellow, 3 red."""
    HOLD = "hold"
    """Lease in seconds during which the station must not start another unit; 0 releases."""
    NEXT_PRODUCT = "next_product"
    """Code of the product that the station should start next, as the release proposes it."""


class SignalConfig(ConfigModel):
    """Where a signal lives. The other keys are the driver's own (see its reference page)."""

    model_config = ConfigDict(extra="allow")

    connection: Name | None = None
    """Connection that carries it; the line's ``connection`` if left out."""

    @property
    def address(self) -> dict[str, Any]:
        """The driver's own keys, unchecked."""
        return dict(self.model_extra or {})


class StationConfig(ConfigModel):
    """A station of a line."""

    title: str
    """As people call it."""
    cycle_by: CycleBy
    """Which signals tell its cycles."""
    signals: dict[Role, SignalConfig]
    """Its signals by role."""
    states: Literal["packml"] | Annotated[dict[int | str, Meaning], Field(min_length=1)] = "packml"
    """Meaning of the ``state`` word: ``packml`` for the state numbers of OMAC PackML with their usual meaning, or
    a table of own codes (numbers or texts; PackML state names stand for their numbers)."""
    telemetry: dict[Name, SignalConfig] = {}
    """Further measured values by name, recorded as they are."""
    commands: dict[Command, SignalConfig] = {}
    """What can be written to it. Nothing is, unless ``control: allow:`` lists it."""
    setpoints: dict[Name, SignalConfig] = {}
    """Numbers that can be written to it, such as a speed; only what ``control: allow:`` lists ever is."""
    takes_kit: Annotated[bool, Strict()] = False
    """A unit's kit leaves the store when its cycle starts here; at the line's first station if none says so."""


class BufferConfig(ConfigModel):
    """Places for units between two neighbouring stations."""

    after: Name
    """Station that fills it."""
    before: Name
    """Station that empties it: the one that follows ``after``."""
    capacity: Annotated[int, Field(ge=1, le=10_000)]
    """Places, not counting those in the stations."""


class StandardConfig(ConfigModel):
    """Planned cycle times that hold from a day on, until a later standard replaces them."""

    start: Day
    """First day on which they hold."""
    times: Annotated[dict[Name, dict[Name, Duration]], Field(min_length=1)]
    """Station, then product, then planned cycle time (working time)."""


class SpacingConfig(ConfigModel):
    """A rule of the sequence: at the most so many of these products among so many units that follow each other."""

    products: Annotated[list[Name], Field(min_length=1)]
    """The products, heavy ones for example."""
    most: Annotated[int, Field(ge=1)]
    """How many of them at the most ..."""
    within: Annotated[int, Field(ge=2, le=100)]
    """... among so many units."""


class ReleaseConfig(ConfigModel):
    """How the next units to start are proposed."""

    limit: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Most units that the line should hold (CONWIP); ``auto`` finds the smallest that keeps 98 % of the throughput."""
    spacing: list[SpacingConfig] = []
    """Rules of the sequence."""
    ahead: Annotated[int, Field(ge=1, le=50)] = 5
    """How many units are proposed."""


class LineConfig(ConfigModel):
    """A line: stations in the order of the flow."""

    title: str
    """As people call it."""
    shifts: Annotated[list[Name], Field(min_length=1)]
    """Shifts of the calendar that it works."""
    connection: Name | None = None
    """Connection of all signals that don't name one."""
    families: Annotated[list[Name], Field(min_length=1)]
    """Families that it builds."""
    stations: Annotated[dict[Name, StationConfig], Field(min_length=1)]
    """Stations by name, in the order in which a unit passes them."""
    buffers: dict[Name, BufferConfig] = {}
    """Buffers by name. Neighbours without one hand over directly (0 places)."""
    release: ReleaseConfig = ReleaseConfig()
    """How the next units to start are proposed."""
    standards: Annotated[list[StandardConfig], Field(min_length=1)]
    """Planned cycle times, oldest first."""

    @property
    def takes_kits(self) -> list[str]:
        """The stations at which a unit takes its kit, in the order of the flow."""
        return [name for name, station in self.stations.items() if station.takes_kit] or [next(iter(self.stations))]


class ConnectionConfig(ConfigModel):
    """A connection to a device. The other keys are the driver's own (see its reference page)."""

    model_config = ConfigDict(extra="allow")

    driver: str
    """Installed driver that speaks to it, such as opcua or modbus."""
    reorder: Duration = 0
    """How long its readings are held back, so that older ones that are still on their way come first."""

    @property
    def settings(self) -> dict[str, Any]:
        """The driver's own keys, unchecked."""
        return dict(self.model_extra or {})
