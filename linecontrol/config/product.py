"""What is built, of what, how much and for whom: families, products, targets, commitments, kits."""

from typing import Annotated

from pydantic import Field

from linecontrol.config.types import ConfigModel, Count, Day, Name


class FamilyConfig(ConfigModel):
    """Products that count towards the same annual target."""

    title: str
    """As people call it."""


class ProductConfig(ConfigModel):
    """A model that lines build."""

    title: str
    """As people call it."""
    family: Name
    """Family whose target it counts towards."""
    code: int | str
    """Value of the stations' ``product`` signal that means this product."""
    kit: Name | None = None
    """Kit without which a unit can't be started; none if left out."""
    share: Annotated[float, Field(gt=0)] = 1.0
    """Weight of the product in the planned mix of its family."""


class OpeningConfig(ConfigModel):
    """What was done before the gateway began to count."""

    day: Day
    """First day on which the gateway counts."""
    units: Count
    """Units built in the year before that day."""


class TargetConfig(ConfigModel):
    """An annual target."""

    family: Name
    """Family that counts."""
    line: Name
    """Line that builds it."""
    year: Annotated[int, Field(ge=2000, le=2100)]
    """Calendar year."""
    units: Annotated[int, Field(gt=0)]
    """Units to build in the year."""
    opening: OpeningConfig | None = None
    """Units built before counting began; none if left out."""


class CommitmentConfig(ConfigModel):
    """So many units of a family, promised to a market by a day.

    Commitments of one family are served in order of their due days by what the family's line completes from
    ``start`` on.
    """

    family: Name
    """Family of which units are promised."""
    market: str
    """To whom."""
    units: Annotated[int, Field(gt=0)]
    """How many."""
    start: Day
    """First day whose output counts."""
    due: Day
    """Last day on which the last unit may be completed."""


class KitConfig(ConfigModel):
    """A set of parts from a partner factory: no kit, no build."""

    title: str
    """As people call it."""
    stock: Count = 0
    """Kits in the store at the beginning of ``day``."""
    day: Day
    """Day of the stock count; starts of cycles and deliveries from this day on change the stock."""


class DeliveryConfig(ConfigModel):
    """A planned arrival of kits, in the store at the beginning of the day."""

    day: Day
    """When they arrive."""
    kits: Annotated[dict[Name, Annotated[int, Field(gt=0)]], Field(min_length=1)]
    """How many of which kit."""
    partner: str = ""
    """Who sends them."""
