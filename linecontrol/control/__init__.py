"""Control: what may be commanded, by which flags, one command at a time. ``FlagChanged`` in, commands out."""

from linecontrol.control.room import ControlRoom

__all__ = ["ControlRoom"]
