"""Which stations may hold a line back, and how probably."""

from linecontrol.bottleneck.room import BottleneckRoom

__all__ = ["BottleneckRoom"]
