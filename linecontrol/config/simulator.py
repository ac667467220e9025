"""How the simulated plant behaves."""

from typing import Annotated

from pydantic import Field, Strict

from linecontrol.config.types import NS as _NS
from linecontrol.config.types import ConfigModel, Duration, Name


class TroubleConfig(ConfigModel):
    """How a simulated station differs from the plan."""

    work: Annotated[float, Field(gt=0)] = 1.0
    """Mean work content as a multiple of the planned cycle time."""
    spread: Annotated[float, Field(ge=0, le=1)] = 0.06
    """Coefficient of variation of the work content."""
    breakdown_every: Duration | None = None
    """Mean working time between breakdowns; none if left out."""
    repair: Duration = 30 * 60 * _NS
    """Mean working time of a repair."""
    andon_every: Duration | None = None
    """Mean working time between andon calls; none if left out."""
    reject: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of units that are found not good here."""


class SimulatorConfig(ConfigModel):
    """The simulated plant."""

    seed: int = 1
    """The same seed gives the same plant, to the last bit."""
    full: Annotated[bool, Strict()] = False
    """Begin with a unit at every station, as a shift leaves a line; else with an empty line."""
    transfer: Duration = 120 * _NS
    """Working time to move a unit into a station."""
    stations: dict[str, TroubleConfig] = {}
    """Stations (``line/station``) that differ from the plan."""
    late_deliveries: dict[Name, Duration] = {}
    """Deliveries that arrive later than planned, and by how much."""
