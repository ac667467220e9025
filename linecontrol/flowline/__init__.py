"""The arithmetic of a flow line: its layout, what was recorded of it, and what it does with given times.

Knows nothing of config, events or calendars. All times are *working* time in one unit (seconds in the gateway);
stations, products and units are numbers.
"""

from linecontrol.flowline.given import Stage
from linecontrol.flowline.layout import Layout
from linecontrol.flowline.log import LineLog, Passage
from linecontrol.flowline.recursion import Run, chunks, leaves, run
from linecontrol.flowline.walk import Shares, critical_shares, path_shares

__all__ = [
    "Layout",
    "LineLog",
    "Passage",
    "Run",
    "Shares",
    "Stage",
    "chunks",
    "critical_shares",
    "leaves",
    "path_shares",
    "run",
]
