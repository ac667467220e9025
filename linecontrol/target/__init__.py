"""The annual targets, the commitments to markets, the kits: where they stand and what they ask for."""

from linecontrol.target.room import TargetRoom

__all__ = ["TargetRoom"]
