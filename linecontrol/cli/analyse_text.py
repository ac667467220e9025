"""An analysis for people: the verdict in a sentence, then what it rests on."""

from collections.abc import Iterator
from itertools import groupby

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from linecontrol.bottleneck.analysis import Analysis, GainFigures
from linecontrol.bottleneck.complaint import ERROR, NOTE, WARNING
from linecontrol.cli.summary import clock_text

_FEW = 8
_MANY = 0.05
_SAID = {
    "arrow": "arrow method (who is blocked and starved)",
    "active_period": "active periods (settled)",
    "active_period_live": "active periods (who is it now)",
}
_DONE = {ERROR: "left out", WARNING: "kept, not believed in full", NOTE: "to know"}


def show(analysis: Analysis, console: Console) -> None:
    """Print it."""
    console.print(f"[bold]{escape(analysis.verdict)}[/bold]", highlight=False)
    console.print(_evidence(analysis), highlight=False)
    if analysis.rows_left_out > _MANY * analysis.rows:
        part = analysis.rows_left_out / analysis.rows
        console.print(f"[bold red]{part:.0%} of the rows were left out: mend that first[/bold red]", highlight=False)
    console.print(_stations(analysis))
    for text in _rest(analysis):
        console.print(escape(text), highlight=False, soft_wrap=True)


def _rest(analysis: Analysis) -> Iterator[str]:
    yield (
        "places: for units, behind the station. gain: more units if 10 % came off the station's times (80 % interval), "
        f"{analysis.scale.text}."
    )
    for cause, share in sorted(analysis.waits.items(), key=lambda item: -item[1]):
        yield f"Waited for something from outside: {cause} {share:.1%}"
    for answer in analysis.what_if:
        yield f"What if {answer.question}: {_gain(answer.gain)} units, {answer.gain.likely:+.1%}"
    for opinion in analysis.opinions:
        reason = f": {opinion.reason}" if opinion.reason else ""
        method = _SAID.get(opinion.method, opinion.method)
        yield f"Second opinion, {method}: {', '.join(opinion.stations) or 'none'}{reason}"
    for note in analysis.notes:
        yield f"Note: {note}"
    yield from complaints(analysis)


def _evidence(analysis: Analysis) -> str:
    pace = "" if analysis.takt is None else f", one each {_time(analysis, analysis.takt)}"
    early = "; provisional: few units yet" if analysis.provisional else ""
    left_out = f", {analysis.rows_left_out} left out" if analysis.rows_left_out else ""
    return f"{analysis.units} units{pace}{early}. {analysis.rows} rows{left_out}."


def _stations(analysis: Analysis) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("station", min_width=8, overflow="fold")
    planned = any(each.planned is not None for each in analysis.stations)
    headings = ["probable", "share", "cycle", *(["plan"] if planned else []), "blocked", "starved", "places", "gain"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for each in analysis.stations:
        gain = analysis.gains[each.name]
        twins = f" ×{each.workplaces}" if each.workplaces > 1 else ""
        plan = [_time(analysis, each.planned)] if planned else []
        table.add_row(
            escape(each.name) + twins,
            f"{analysis.probability[each.name]:.0%}",
            f"{analysis.shares[each.name]:.1%}",
            _time(analysis, each.effective),
            *plan,
            f"{each.blocked:.0%}",
            f"{each.starved:.0%}",
            "" if each.name not in analysis.buffers else str(analysis.buffers[each.name]),
            _gain(gain),
            style="bold red" if each.name in analysis.suspects else None,
        )
    return table


def _gain(gain: GainFigures) -> str:
    return f"{_units(gain.units)} ({_units(gain.units_low)} … {_units(gain.units_high)})"


def _units(units: float) -> str:
    return f"{units:+.0f}" if abs(units) >= 9.95 else f"{units:+.1f}"


def _time(analysis: Analysis, time: float | None) -> str:
    if time is None:
        return "-"
    return f"{time:.4g}" if analysis.time_unit is None else _duration(time * 3600)


def _duration(seconds: float) -> str:
    return f"{seconds:.3g}s" if seconds < 60 else clock_text(seconds) if seconds >= 3600 else f"{seconds / 60:.1f}m"


def complaints(analysis: Analysis) -> Iterator[str]:
    """By line, the first few of each sort; ``--json`` has them all."""
    order = [ERROR, WARNING, NOTE]
    found = sorted(analysis.complaints, key=lambda each: (order.index(each.level), each.kind, each.line))
    for (level, _), group in groupby(found, key=lambda each: (each.level, each.kind)):
        its = list(group)
        for each in its[:_FEW]:
            yield f"{analysis.file}:{each.line}: {each.text} ({_DONE[level]})"
        if len(its) > _FEW:
            yield f"  … and {len(its) - _FEW} more of this sort; --json lists all"
