"""For authors of drivers and for tests: a clock that is moved by hand, a scripted driver, a check of the contract."""

from linecontrol.testing.clock import ManualClock
from linecontrol.testing.conformance import Device, Nonconformity, check_driver
from linecontrol.testing.scripted import Life, Script, ScriptedDriver

__all__ = ["Device", "Life", "ManualClock", "Nonconformity", "Script", "ScriptedDriver", "check_driver"]
