"""Pure: readings become what happened on the line - states, cycles, units, buffers, gaps in observation.

``room`` composes: ``values`` (which signal means what) → ``marks`` (where cycles start and end, per signalling
method) → ``station`` (state, running cycle, what it lost) → ``flow`` (which unit it was).
"""

from linecontrol.line.room import LineRoom

__all__ = ["LineRoom"]
