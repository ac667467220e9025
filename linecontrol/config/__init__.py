"""The YAML as types. Values only: reading files is in ``linecontrol.config.loader``."""

from linecontrol.config.alarms import AlarmsConfig, ChatterConfig, FloodConfig
from linecontrol.config.calendar import (
    BreakConfig,
    CalendarConfig,
    ShiftConfig,
    ShiftDayConfig,
    StopConfig,
    Weekday,
)
from linecontrol.config.gateway import (
    AllowConfig,
    BoardConfig,
    ControlConfig,
    EngineConfig,
    InfluxConfig,
    JournalConfig,
    PlantConfig,
)
from linecontrol.config.line import (
    BufferConfig,
    Command,
    ConnectionConfig,
    CycleBy,
    LineConfig,
    Meaning,
    Role,
    SignalConfig,
    StandardConfig,
    StationConfig,
)
from linecontrol.config.product import (
    CommitmentConfig,
    DeliveryConfig,
    FamilyConfig,
    KitConfig,
    OpeningConfig,
    ProductConfig,
    TargetConfig,
)
from linecontrol.config.root import Config
from linecontrol.config.rule import CommandAction, Plain, RuleConfig, SetpointAction, Subject
from linecontrol.config.simulator import SimulatorConfig, TroubleConfig

__all__ = [
    "AlarmsConfig",
    "AllowConfig",
    "BoardConfig",
    "BreakConfig",
    "BufferConfig",
    "CalendarConfig",
    "ChatterConfig",
    "Command",
    "CommandAction",
    "CommitmentConfig",
    "Config",
    "ConnectionConfig",
    "ControlConfig",
    "CycleBy",
    "DeliveryConfig",
    "EngineConfig",
    "FamilyConfig",
    "FloodConfig",
    "InfluxConfig",
    "JournalConfig",
    "KitConfig",
    "LineConfig",
    "Meaning",
    "OpeningConfig",
    "Plain",
    "PlantConfig",
    "ProductConfig",
    "Role",
    "RuleConfig",
    "SetpointAction",
    "ShiftConfig",
    "ShiftDayConfig",
    "SignalConfig",
    "SimulatorConfig",
    "StandardConfig",
    "StationConfig",
    "StopConfig",
    "Subject",
    "TargetConfig",
    "TroubleConfig",
    "Weekday",
]
