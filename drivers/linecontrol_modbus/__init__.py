"""Modbus TCP driver of linecontrol, and a simulated PLC."""

import logging

from linecontrol_modbus.driver import ModbusDriver

__all__ = ["ModbusDriver"]

# pymodbus logs each failure with a dump of its last frames; all that matters of it is in the errors we raise.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
