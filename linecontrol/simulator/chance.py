"""Chance, drawn from one stream per station and purpose, so that no station disturbs the luck of another."""

from math import log, sqrt
from random import Random

from linecontrol.config import TroubleConfig
from linecontrol.duration import NS

_REPAIR_SHAPE = 2.0
_ANDON_S = (60.0, 360.0)


class Chance:
    """What happens by chance at one station. The same seed and station give the same draws in any process."""

    def __init__(self, seed: int, station: str, trouble: TroubleConfig) -> None:
        """``station`` is ``line/station``."""
        self._trouble = trouble
        self._streams = {
            purpose: Random(f"{seed}/{station}/{purpose}")  # noqa: S311 - a simulation, not a secret
            for purpose in ("work", "breakdown", "repair", "andon", "reject", "telemetry")
        }

    def work_ns(self, planned_ns: int) -> int:
        """Work content of a cycle: lognormal about the planned time."""
        mean = planned_ns * self._trouble.work
        if not self._trouble.spread:
            return round(mean)
        variance = log(1 + self._trouble.spread**2)
        return max(1, round(mean * self._streams["work"].lognormvariate(-variance / 2, sqrt(variance))))

    def until_breakdown_ns(self) -> int | None:
        """Working time until the next breakdown, exponential; ``None`` if there are none."""
        every = self._trouble.breakdown_every
        return None if every is None else round(self._streams["breakdown"].expovariate(1 / every))

    def repair_ns(self) -> int:
        """Working time of a repair: gamma, with a coefficient of variation of 0.71."""
        return round(self._streams["repair"].gammavariate(_REPAIR_SHAPE, self._trouble.repair / _REPAIR_SHAPE))

    def until_andon_ns(self) -> int | None:
        """Working time until the next andon call, exponential; ``None`` if there are none."""
        every = self._trouble.andon_every
        return None if every is None else round(self._streams["andon"].expovariate(1 / every))

    def andon_ns(self) -> int:
        """How long an andon call lasts: one to six minutes of working time."""
        return round(self._streams["andon"].uniform(*_ANDON_S) * NS)

    def is_reject(self) -> bool:
        """Whether a unit is found not good."""
        return self._streams["reject"].random() < self._trouble.reject

    def level(self) -> float:
        """About where a telemetry value of the station lies."""
        return self._streams["telemetry"].uniform(20, 200)

    def measured(self, level: float) -> float:
        """A measurement about ``level``, with a standard deviation of 3 %."""
        return round(self._streams["telemetry"].gauss(level, 0.03 * level), 2)
