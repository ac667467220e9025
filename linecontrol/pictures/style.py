"""One look for all pictures, and files that come out the same each time."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
CALM, LOUD, WAIT, GOOD = "#8fa3b8", "#c8102e", "#e0a526", "#2f8f6b"
"""Stations; those that matter; what came from outside; what is gained."""

_LOOK: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "linecontrol",
    "svg.fonttype": "path",
}


def look() -> Any:
    """A context in which all is drawn in our look."""
    return mpl.rc_context(_LOOK)


def figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, that no window shows."""
    drawn = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


def quiet(axes: Axes, *, grid: str = "x") -> None:
    """Take away what is no information."""
    axes.tick_params(length=0)
    axes.set_axisbelow(True)
    axes.grid(axis="x" if grid == "x" else "y", color=GRID, linewidth=0.8)
    axes.spines["left"].set_visible(False)


def save(drawn: Figure, file: Path) -> None:
    """Write it as the name's ending says; the same figure gives the same bytes."""
    if file.suffix.lower() == ".svg":
        drawn.savefig(file, format="svg", metadata={"Date": None})
    else:
        drawn.savefig(file, format="png", dpi=150, metadata={"Software": None})
