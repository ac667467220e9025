"""When the flags of each rule were raised: one row for each rule."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import matplotlib as mpl
from matplotlib import dates
from matplotlib.figure import Figure

from linecontrol.trial.backtest import Episode

_DAY_NS = 86_400e9


def draw(episodes: Sequence[Episode], rules: Sequence[str], end_ns: int, timezone: str, path: Path) -> None:
    """Write the picture; the ending of ``path`` says in which format. The same episodes give the same bytes."""
    zone = ZoneInfo(timezone)
    with mpl.rc_context({"svg.hashsalt": "linecontrol", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(10, 1.2 + 0.3 * len(rules)), layout="constrained")
        axes = figure.subplots()
        for row, rule in enumerate(rules):
            spans = [
                (episode.raised_ns / _DAY_NS, max((episode.cleared_ns or end_ns) - episode.raised_ns, 1) / _DAY_NS)
                for episode in episodes
                if episode.rule == rule
            ]
            axes.broken_barh(spans, (row - 0.35, 0.7), color="#c2410c", alpha=0.6, linewidth=0.8, edgecolor="#c2410c")
            axes.text(1.005, row, str(len(spans)), transform=axes.get_yaxis_transform(), va="center")
        axes.set_yticks(range(len(rules)), rules)
        axes.set_ylim(len(rules) - 0.5, -0.5)
        axes.xaxis_date(tz=zone)
        formatter = dates.ConciseDateFormatter(axes.xaxis.get_major_locator(), tz=zone)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(formatter)
        axes.grid(axis="x", alpha=0.3)
        start = min((episode.raised_ns for episode in episodes), default=end_ns)
        first, last = (datetime.fromtimestamp(at // 10**9, tz=UTC).astimezone(zone) for at in (start, end_ns))
        axes.set_title(
            f"Flags raised, {first:%Y-%m-%d} to {last:%Y-%m-%d}; on the right how often; the darker, the more at once",
            loc="left",
        )
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
