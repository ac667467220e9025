"""The whole config: what the YAML files of a folder add up to."""

from pydantic import Field

from linecontrol.config.alarms import AlarmsConfig
from linecontrol.config.calendar import CalendarConfig
from linecontrol.config.gateway import (
    BoardConfig,
    ControlConfig,
    EngineConfig,
    InfluxConfig,
    JournalConfig,
    PlantConfig,
)
from linecontrol.config.line import ConnectionConfig, LineConfig
from linecontrol.config.product import (
    CommitmentConfig,
    DeliveryConfig,
    FamilyConfig,
    KitConfig,
    ProductConfig,
    TargetConfig,
)
from linecontrol.config.rule import RuleConfig
from linecontrol.config.simulator import SimulatorConfig
from linecontrol.config.types import ConfigModel, Name


class Config(ConfigModel):
    """A plant. Each key may be spread over several files of the folder."""

    plant: PlantConfig
    """Where the gateway stands."""
    calendar: CalendarConfig
    """When the plant works."""
    families: dict[Name, FamilyConfig]
    """Product families by name."""
    products: dict[Name, ProductConfig]
    """Products by name."""
    targets: dict[Name, TargetConfig] = {}
    """Annual targets by name."""
    commitments: dict[Name, CommitmentConfig] = {}
    """Commitments to markets by name."""
    kits: dict[Name, KitConfig] = {}
    """Kits by name."""
    deliveries: dict[Name, DeliveryConfig] = {}
    """Planned arrivals of kits by name."""
    connections: dict[Name, ConnectionConfig]
    """Connections to devices by name."""
    lines: dict[Name, LineConfig]
    """Lines by name."""
    rules: dict[Name, RuleConfig] = {}
    """Rules by name."""
    alarms: AlarmsConfig = AlarmsConfig()
    """What is done about too many flags at once."""
    control: ControlConfig = ControlConfig()
    """What may be written to the line."""
    engine: EngineConfig = EngineConfig()
    """How finely time is looked at."""
    journal: JournalConfig = JournalConfig()
    """The durable record."""
    influx: InfluxConfig | None = None
    """InfluxDB; not fed if left out."""
    board: BoardConfig = BoardConfig()
    """The live board."""
    simulator: SimulatorConfig = Field(default_factory=SimulatorConfig)
    """How the simulated plant behaves; the gateway ignores it."""
