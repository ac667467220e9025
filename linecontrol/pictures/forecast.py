"""Forecasts as fans: what may become of each target."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num

from linecontrol.pictures.style import CALM, FAINT, GOOD, INK, LOUD, figure, look, quiet, save
from linecontrol.target.outlook import GoalOutlook, Outlook


def draw(outlook: Outlook, when: Callable[[float], datetime], file: Path) -> None:
    """Draw the fan of each target against what it asks; ``when`` puts working time on the wall."""
    goals = list(outlook.goals.values())
    with look():
        drawn = figure(8, 3.6 * max(len(goals), 1))
        for place, goal in enumerate(goals):
            axes = drawn.add_subplot(len(goals), 1, place + 1)
            _fan(axes, goal, when)
        save(drawn, file)


def _fan(axes: Axes, goal: GoalOutlook, when: Callable[[float], datetime]) -> None:
    days = [date2num(when(mark.at)) for mark in goal.fan]  # type: ignore[no-untyped-call]
    axes.fill_between(days, [m.low for m in goal.fan], [m.high for m in goal.fan], color=CALM, alpha=0.4, lw=0)
    axes.plot(days, [mark.likely for mark in goal.fan], color=INK, lw=1.5)
    colour = GOOD if goal.probability >= 0.5 else LOUD
    axes.axhline(goal.units, color=colour, lw=1.2)
    axes.plot([days[0], days[-1]], [goal.done, goal.units], color=FAINT, lw=1, ls=(0, (4, 3)))
    axes.set_title(
        f"{goal.name}: {goal.low:.0f} to {goal.high:.0f} units, most likely {goal.likely:.0f}; "
        f"{goal.units} will be met with {goal.probability:.0%}"
    )
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(DateFormatter("%-d %b"))  # type: ignore[no-untyped-call]
    axes.set_ylabel("units (band: 80 %)")
    quiet(axes, grid="y")
