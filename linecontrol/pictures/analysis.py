"""A line's verdict in one picture: who holds it back, what it waited for, how the path ran, what would help."""

from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from linecontrol.bottleneck.analysis import Analysis
from linecontrol.bottleneck.window import last_units
from linecontrol.flowline import LineLog
from linecontrol.flowline.path import Charge, critical_path, departures
from linecontrol.pictures.style import CALM, FAINT, GOOD, LOUD, WAIT, figure, look, quiet, save

_STRIP = 30
"""Units whose way through the line is drawn."""
_LANE = 0.36


def draw(analysis: Analysis, log: LineLog, file: Path) -> None:
    """Draw an analysis of a log into a file, ``.svg`` or ``.png``."""
    rows = len(log.stations)
    tall = max(2.2, 0.28 * (rows + len(analysis.waits)) + 0.9)
    with look():
        drawn = figure(11, 2 * tall + 1.0)
        grid = drawn.add_gridspec(2, 2, height_ratios=(tall, tall), width_ratios=(3, 2))
        shares = drawn.add_subplot(grid[0, 0])
        _shares(shares, analysis)
        _gains(drawn.add_subplot(grid[0, 1]), analysis)
        _strip(drawn.add_subplot(grid[1, :]), analysis, log)
        drawn.suptitle(analysis.verdict, x=0.01, ha="left", fontsize=12, fontweight="bold", wrap=True)
        save(drawn, file)


def _shares(axes: Axes, analysis: Analysis) -> None:
    waits = sorted(analysis.waits.items(), key=lambda item: -item[1])
    labels = [*analysis.shares, *(f"waiting: {cause}" for cause, _ in waits)]
    values = [*analysis.shares.values(), *(share for _, share in waits)]
    colours = [*(LOUD if name in analysis.suspects else CALM for name in analysis.shares), *(WAIT for _ in waits)]
    axes.barh(range(len(labels)), values, color=colours, height=0.62)
    widest = max([*values, 0.01])
    for place, name in enumerate(analysis.shares):
        probability = analysis.probability[name]
        said = f"{probability:.0%} probable" if probability >= 0.005 else ""
        axes.text(values[place] + widest * 0.015, place, said, va="center", color=LOUD if said else FAINT)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(0, widest * 1.28)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title("What the line's time went into\n(share of the critical path; red: may be the bottleneck)")
    quiet(axes)


def _gains(axes: Axes, analysis: Analysis) -> None:
    names = list(analysis.gains)
    asked = [answer.question for answer in analysis.what_if]
    gains = [*analysis.gains.values(), *(answer.gain for answer in analysis.what_if)]
    for place, gain in enumerate(gains):
        loud = place >= len(names) or names[place] in analysis.suspects
        colour = GOOD if loud else CALM
        axes.plot([gain.units_low, gain.units_high], [place, place], color=colour, linewidth=4, solid_capstyle="round")
        axes.plot([gain.units], [place], "o", color=colour, markeredgecolor="white", markersize=8)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_yticks(range(len(gains)), [*names, *asked])
    axes.set_ylim(len(gains) - 0.4, -0.6)
    axes.set_title("What 10 % off a station's times would give\n(more units, with 80 % interval)")
    axes.set_xlabel(_wrapped(analysis.scale.text), color=FAINT)
    quiet(axes)


def _wrapped(text: str) -> str:
    return text if len(text) < 60 else text.replace(" at the", "\nat the").replace(" like", "\nlike")


def _strip(axes: Axes, analysis: Analysis, log: LineLog) -> None:
    """The last units' stays at the stations, and the path that the last departure waited along."""
    part = last_units(log, _STRIP)
    unit = 3600.0 if analysis.time_unit == "h" else 1.0
    leaves = departures(part)
    for station, its in enumerate(part.passages):
        for passage, leave in zip(its, leaves[station], strict=True):
            start = max(passage.start, part.begin)
            complete = part.end if passage.complete is None else passage.complete
            gone = part.end if leave is None else leave
            _bar(axes, station, start / unit, complete / unit, CALM, 0.55 if passage.unit % 2 else 0.9)
            _bar(axes, station, max(complete, start) / unit, gone / unit, WAIT, 0.35)
    path = critical_path(part)
    for charge in path.charges:
        colour = WAIT if charge.outside else LOUD
        width = 1.2 + 3.2 * charge.weight
        line = [charge.station + _LANE + 0.07] * 2
        axes.plot([charge.start / unit, charge.end / unit], line, color=colour, linewidth=width, solid_capstyle="butt")
    _links(axes, path.charges, unit)
    axes.set_yticks(range(len(part.stations)), part.stations)
    axes.set_ylim(len(part.stations) - 0.3, -0.6)
    axes.set_xlim(part.begin / unit, part.end / unit)
    axes.set_xlabel("working time in hours" if analysis.time_unit == "h" else "time, in the table's unit", color=FAINT)
    axes.set_title(
        f"The last {min(_STRIP, len(part.units))} units, and what their pace hung on\n"
        "(blue: at work; yellow: done, waiting for a place; red line: the critical path)"
    )
    quiet(axes)


def _bar(axes: Axes, station: int, start: float, end: float, colour: str, alpha: float) -> None:
    if end > start:
        axes.barh(station, end - start, left=start, height=2 * _LANE, color=colour, alpha=alpha, linewidth=0)


def _links(axes: Axes, charges: list[Charge], unit: float) -> None:
    """Thin lines where the path goes from one station to another."""
    for later, earlier in pairwise(charges):
        if later.station != earlier.station and later.start == earlier.end:
            heights = [earlier.station + _LANE + 0.07, later.station + _LANE + 0.07]
            axes.plot([later.start / unit] * 2, heights, color=LOUD, linewidth=0.8)
