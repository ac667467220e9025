"""Settings of the gateway itself and of what it feeds."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import Field, Strict, model_validator

from linecontrol.config.line import Command
from linecontrol.config.types import NS as _NS
from linecontrol.config.types import ConfigModel, Duration, Name


class PlantConfig(ConfigModel):
    """Where the gateway stands."""

    site: str
    """ISA-95 site."""
    area: str
    """ISA-95 area."""
    timezone: str
    """IANA time zone of shifts and days, such as Asia/Baku."""


class JournalConfig(ConfigModel):
    """The durable record of what came in and what was derived."""

    commit_every: Duration = 30_000_000
    """Group commit: how long records may wait for one another before they are made durable."""
    snapshot_every: Duration = 60 * _NS
    """How often the engine's memory is saved, so that a restart has little to replay."""
    keep: Duration = 90 * 86_400 * _NS
    """How long delivered records are kept for replay."""


class EngineConfig(ConfigModel):
    """How finely the engine looks at time."""

    resolution: Duration = 5 * _NS
    """Grid on which running cycles, delays and calendars are looked at."""
    lateness: Duration = 1 * _NS
    """How late a reading may arrive before what depends on time has moved on without it."""
    progress_every: Duration = 60 * _NS
    """How often a running cycle's progress is recorded."""
    heartbeat_every: Duration = 300 * _NS
    """How often each station's state is recorded although it did not change."""


class InfluxConfig(ConfigModel):
    """The InfluxDB server that is fed. InfluxDB 2, 3, or 1.8 and later."""

    url: str
    """Such as http://127.0.0.1:8086."""
    org: str = "-"
    """Organisation (InfluxDB 2); ignored by others."""
    events: str = "mes"
    """Bucket or database of cycles, states, flags and the target."""
    kpi: str = "mes_kpi"
    """Bucket or database of figures per shift and of the gateway's own health."""
    raw: str = "mes_raw"
    """Bucket or database of telemetry."""
    token_file: str | None = None
    """File that holds the token, relative to systemd's credentials folder or absolute; no token if left out."""
    gzip: Annotated[bool, Strict()] = False
    """Compress what is sent; worth it over a network, not on the same machine."""
    batch: Annotated[int, Field(ge=1, le=50_000)] = 5_000
    """Lines in one request at the most."""
    timeout: Duration = 10 * _NS
    """How long a request may take."""


class BoardConfig(ConfigModel):
    """The live board, on loopback only. Who holds the operator token may act on flags there."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 8_480
    """TCP port on 127.0.0.1; 0 takes a free one."""


class RangeConfig(ConfigModel):
    """Numbers that may be written."""

    min: Annotated[float, Field(allow_inf_nan=False)]
    """The smallest ..."""
    max: Annotated[float, Field(allow_inf_nan=False)]
    """... and the largest of them."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            msg = f"min is {self.min:g} and max {self.max:g}: nothing lies between"
            raise ValueError(msg)
        return self

    def __contains__(self, value: float) -> bool:
        """Whether a number may be written."""
        return self.min <= value <= self.max


class AllowConfig(ConfigModel):
    """Commands and setpoints that may be written."""

    stations: Annotated[list[str], Field(min_length=1)]
    """Patterns of ``line/station``."""
    commands: list[Command] = []
    """Commands that may be written to them."""
    setpoints: dict[Name, RangeConfig] = {}
    """Setpoints that may be written to them, each with its range."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.commands and not self.setpoints:
            msg = "allows nothing: list commands or setpoints"
            raise ValueError(msg)
        return self


def allowed_range(allow: Sequence[AllowConfig], station: str, setpoint: str) -> RangeConfig | None:
    """The range in which a setpoint of ``line/station`` may be written: of the first entry that lists it, if any."""
    return next(
        (
            each.setpoints[setpoint]
            for each in allow
            if setpoint in each.setpoints and any(fnmatchcase(station, pattern) for pattern in each.stations)
        ),
        None,
    )


class ControlConfig(ConfigModel):
    """What may be written to the line. Nothing, unless it is listed here."""

    allow: list[AllowConfig] = []
    """The allow-list."""
    expire_after: Duration = 10 * _NS
    """A command that was not written by then is never written."""
    spacing: Duration = 1 * _NS
    """Shortest time between two writes to one target."""
