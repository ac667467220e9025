"""What a line is given beside its stations' times: how far its units are, and what comes from outside."""

from enum import IntEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Stages = NDArray[np.int8]


class Stage(IntEnum):
    """How far a unit has come at a station at time 0."""

    AHEAD = 0
    STARTED = 1
    LEFT = 2


class Given(Struct, frozen=True):
    """All of it is optional; ``None`` is nothing.

    ``release`` [unit, 1 or replication] holds a unit back until then, ``waits`` [unit, station, 1 or replication]
    lengthen a cycle and ``start_waits`` (likewise) delay its start by something from outside. ``stage`` [unit,
    station] tells how far the first units have come at time 0.
    """

    release: Floats | None = None
    waits: Floats | None = None
    start_waits: Floats | None = None
    stage: Stages | None = None

    def stages(self, unit: int) -> Stages | None:
        """How far this unit is at each station; ``None`` if it is not in the line yet."""
        if self.stage is None or unit >= len(self.stage) or not self.stage[unit].any():
            return None
        its: Stages = self.stage[unit]
        return its
