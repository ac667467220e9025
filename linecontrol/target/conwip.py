"""How few units the line may hold at once and still lose hardly any output (CONWIP).

Each limit is tried on the same times (common random numbers). A lower limit delays some units and hastens none, so
that the search can halve the range.
"""

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from linecontrol.flowline import Layout, leaves
from linecontrol.flowline.given import Floats, Stages


class Limit(Struct, frozen=True):
    """``limit`` units in the line keep this part of the throughput without a limit; units per time with and without."""

    limit: int
    kept: float
    throughput: float
    unlimited: float


def smallest_limit(
    times: Floats, layout: Layout, *, keep: float = 0.98, release: Floats | None = None, stage: Stages | None = None
) -> Limit:
    """The smallest limit with which all the units take at the most 1/``keep`` as long as without one, on average.

    ``times`` [unit, station, replication] are drawn by the caller, ``release`` and ``stage`` as in
    `linecontrol.flowline.run`. A limit that ``layout`` has is ignored.

    Raises:
        ValueError: ``keep`` is not in (0, 1].
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep is a part of the throughput, more than 0 and at the most 1, not {keep}")
    low, high = 1, layout.capacity
    unlimited = kept = pace(times, layout, None, release=release, stage=stage)
    while low < high:
        middle = (low + high) // 2
        throughput = pace(times, layout, middle, release=release, stage=stage)
        if throughput >= keep * unlimited:
            high, kept = middle, throughput
        else:
            low = middle + 1
    return Limit(low, kept / unlimited, kept, unlimited)


def pace(
    times: Floats,
    layout: Layout,
    limit: int | None,
    *,
    release: Floats | None = None,
    stage: Stages | None = None,
) -> float:
    """Units per time until all have left, over all replications, with so many units in the line at the most."""
    units, _, replications = times.shape
    out = leaves(times, replace(layout, limit=limit), units, replications, release=release, stage=stage)
    return float(units / np.mean(out[-1]))
