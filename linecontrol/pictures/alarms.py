"""How many flags were told in each hour, one strip for each line, against what people can take in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import matplotlib as mpl
from matplotlib import dates
from matplotlib.figure import Figure

from linecontrol.rules.alarm_report import GOOD_PER_HOUR, MOST_PER_HOUR, LineReport

_DAY_NS = 86_400e9
_COLOURS = {"info": "#94a3b8", "warning": "#d97706", "critical": "#c2410c"}


def draw(reports: Sequence[LineReport], titles: Mapping[str, str], timezone: str, path: Path) -> None:
    """Write the picture; the ending of ``path`` says in which format. The same reports give the same bytes."""
    zone = ZoneInfo(timezone)
    with mpl.rc_context({"svg.hashsalt": "linecontrol", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(10, 1.0 + 2.0 * max(1, len(reports))), layout="constrained")
        strips = figure.subplots(max(1, len(reports)), 1, sharex=True, squeeze=False)[:, 0]
        for axes, report in zip(strips, reports, strict=False):
            hours = report.hours
            left = [hour.start_ns / _DAY_NS for hour in hours]
            width = [(hour.end_ns - hour.start_ns) / _DAY_NS for hour in hours]
            below = [0] * len(hours)
            for severity, colour in reversed(_COLOURS.items()):
                counts = [getattr(hour, severity) for hour in hours]
                axes.bar(left, counts, width, below, align="edge", color=colour, label=severity)
                below = [low + count for low, count in zip(below, counts, strict=True)]
            for hour in hours:
                if hour.flood_s:
                    axes.axvspan(hour.start_ns / _DAY_NS, hour.end_ns / _DAY_NS, color="#c2410c", alpha=0.12, lw=0)
            axes.axhline(GOOD_PER_HOUR, color="#0f766e", linewidth=0.8)
            axes.axhline(MOST_PER_HOUR, color="#c2410c", linewidth=0.8, linestyle="--")
            axes.set_title(f"{titles.get(report.line, 'No line')}: flags told per hour", loc="left")
            axes.set_ylim(0, max([MOST_PER_HOUR + 1, *(low * 1.05 for low in below)]))
            axes.xaxis_date(tz=zone)
            locator = axes.xaxis.get_major_locator()
            formatter = dates.ConciseDateFormatter(locator, tz=zone)  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_formatter(formatter)
        if reports:
            strips[0].legend(loc="upper right", ncols=3, frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
