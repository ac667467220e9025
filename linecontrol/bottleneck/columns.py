"""Which column of a table holds what: the names that exports use."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from msgspec import Struct

REQUIRED = ("unit", "station", "start", "complete")
STOPS = ("down", "setup")
WAITS = ("starved", "idle", "unobserved")

SYNONYMS: dict[str, tuple[str, ...]] = {
    "unit": (
        "unit id", "unit no", "unit number", "serial", "serial no", "serial number", "vin", "chassis", "job", "job id",
        "work order", "order no", "order number", "part", "part id", "case", "case id", "item", "vehicle",
    ),
    "station": (
        "station id", "station name", "workstation", "work station", "machine", "resource", "operation", "activity",
        "process", "step", "workplace",
    ),
    "start": (
        "started", "start time", "start date", "start timestamp", "start at", "started at", "begin", "begins", "began",
        "time start", "time in", "in",
    ),
    "complete": (
        "completed", "complete time", "completed at", "complete timestamp", "completion", "completion time", "end",
        "ended", "end time", "end date", "end timestamp", "finish", "finished", "finish time", "finished at", "done",
    ),
    "departure": (
        "depart", "departed", "departure time", "departed at", "leave", "leaves", "left", "left at", "exit",
        "exit time", "time out", "out",
    ),
    "product": ("model", "variant", "type", "product type", "product name", "family"),
    "planned": (
        "plan", "planned time", "planned duration", "planned cycle", "planned cycle time", "standard",
        "standard time", "target time",
    ),
    "down": ("downtime", "down time", "breakdown", "stopped", "fault"),
    "setup": ("set up", "setup time", "changeover"),
    "blocked": ("blocked time", "blocking"),
    "starved": ("starved time", "starving"),
    "idle": ("idle time",),
    "unobserved": ("unknown", "not observed"),
    "waited_for": ("waited for", "waiting for", "wait for", "wait cause", "wait reason", "cause", "reason"),
}  # fmt: skip
"""The columns by name, and which other names stand for them."""

_MEANS = {name.replace("_", " "): name for name in SYNONYMS} | {
    other: name for name, others in SYNONYMS.items() for other in others
}


class Columns(Struct, frozen=True):
    """Position of each column that was found, and what is to be said of the others."""

    at: dict[str, int]
    remarks: list[str]

    @property
    def missing(self) -> list[str]:
        """The columns without which nothing can be judged and that are not there."""
        return [name for name in REQUIRED if name not in self.at]


def find_columns(header: Sequence[str]) -> Columns:
    """Where each column is. A column's own name goes before other words for it, the first before the later ones."""
    keys = [_key(cell) for cell in header]
    at: dict[str, int] = {}
    remarks: list[str] = []
    for place, key in enumerate(keys):
        if key.replace(" ", "_") in SYNONYMS:
            at.setdefault(key.replace(" ", "_"), place)
    for place, key in enumerate(keys):
        name = _MEANS.get(key)
        if name is not None:
            at.setdefault(name, place)
        if name is not None and at[name] != place:
            remarks.append(f"column {header[place]!r} is left out: {header[at[name]]!r} is taken as {name!r}")
        elif name is None and key:
            remarks.append(f"column {header[place]!r} is not known and left out{_nearest(key)}")
    return Columns(at, remarks)


def _key(cell: str) -> str:
    """The name without case, brackets such as ``(h)``, and with single spaces between its words."""
    return re.sub(r"[\s_.\-/]+", " ", re.sub(r"[(\[].*?[)\]]", "", cell).lower()).strip()


def nearest(name: str, allowed: Sequence[str]) -> str:
    """``; did you mean 'x'?`` for the nearest allowed name, or nothing if none is near."""
    close = get_close_matches(name, allowed, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _nearest(key: str) -> str:
    close = get_close_matches(key, _MEANS, n=1, cutoff=0.7)
    return f"; did you mean {_MEANS[close[0]]!r}?" if close else ""
