"""``linecontrol rules``: how two sets of rules differ over recorded time, and why a rule says what it says."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from linecontrol.cli.backtest import From, JournalOption, To, as_dict, local, moments, over_journal
from linecontrol.cli.common import OK, PROBLEMS, state_folder, telling_errors, wide_console
from linecontrol.cli.recorded import journal_path
from linecontrol.config import Config
from linecontrol.config.rules_file import with_rules
from linecontrol.errors import LinecontrolError
from linecontrol.model import AlarmState
from linecontrol.plant.load import load_plant, rule_problems
from linecontrol.rules.missing import missing
from linecontrol.rules.watch import Watch
from linecontrol.trial.backtest import Difference, Episode, difference
from linecontrol.trial.explain import explain as explain_flag

app = typer.Typer(no_args_is_help=True, help="Compare sets of rules over recorded time, and explain what a rule says.")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Folder with the plant's config and the present rules.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The other rules: a file, or a config folder.")],
    from_: From = None,
    to: To = None,
    journal: JournalOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Which flags would appear, vanish or move if NEW took the place of the rules of OLD. Exit code 1 if any would."""
    with telling_errors():
        config = load_plant(old).config
        other = with_rules(config, new, rule_problems)
        span = moments(config, from_, to)
        path = journal_path(state_folder(journal))
        trials, (start_ns, end_ns) = over_journal([config, other], path, span, Console(stderr=True), quiet=as_json)
        renamed = {rule.was: name for name, rule in other.rules.items() if rule.was}
        found_ = difference(trials[0].episodes(start_ns), trials[1].episodes(start_ns), renamed)
    if as_json:
        print(json.dumps({
            "appear": [as_dict(each) for each in found_.appear], "vanish": [as_dict(each) for each in found_.vanish],
            "move": [[as_dict(each) for each in pair] for pair in found_.move], "same": found_.same,
        }))  # fmt: skip
    else:
        _show(config, found_, (start_ns, end_ns))
    raise typer.Exit(PROBLEMS if found_.appear or found_.vanish or found_.move else OK)


@app.command()
def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")],
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule.")],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Its subject, such as tractor/engine.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The moment, such as 2026-03-01T08:00.")],
    journal: JournalOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """The value of every part of a rule's conditions for a subject at a recorded moment."""
    with telling_errors():
        config = load_plant(folder).config
        _, at_ns = moments(config, None, at)
        path = journal_path(state_folder(journal))
        (trial,), (_, end_ns) = over_journal([config], path, (None, at_ns), Console(stderr=True), quiet=as_json)
        if at_ns is not None and end_ns < at_ns:
            msg = f"nothing is recorded of {at}: the journal ends at {local(end_ns, ZoneInfo(config.plant.timezone))}"
            raise LinecontrolError(msg)
        flag = f"{rule}/{subject}"
        try:
            watch = trial.room.watched(flag)
        except KeyError as error:
            raise LinecontrolError(missing(flag, config)) from error
        parts = explain_flag(trial.room, flag)
    if as_json:
        print(json.dumps([{"condition": part.condition, "depth": part.depth, "text": part.text, "value": part.value}
                          for part in parts]))  # fmt: skip
        return
    zone = ZoneInfo(config.plant.timezone)
    for line in state_of(watch, zone):
        print(line)
    table = Table("condition", "part", "value", box=box.SIMPLE)
    for part in parts:
        table.add_row(part.condition if not part.depth else "", "  " * part.depth + part.text, part.value)
    wide_console().print(table)


def state_of(watch: Watch, zone: ZoneInfo) -> Iterator[str]:
    """How a flag stands, in words."""
    alarm = watch.alarm
    nobody = alarm.state is AlarmState.ACKNOWLEDGED and not (watch.rule.life.ack or watch.rule.life.latch)
    state = "raised" if nobody else alarm.state.value.replace("_", " ")
    since = f", since {local(alarm.raised_ns, zone)}" if alarm.raised else ""
    yield f"{watch.flag}: {state}{since}"
    if alarm.raised:
        yield f"  {alarm.text}"
        if alarm.signal and alarm.since_ns is not None:
            waits = "to be acknowledged" if watch.rule.life.latch and not alarm.acked else "for its delay"
            yield f"  it has been over since {local(alarm.since_ns, zone)}; it waits {waits}"
    elif alarm.signal and alarm.since_ns is not None:
        yield f"  its condition has held since {local(alarm.since_ns, zone)}; it waits for its delay"
    if alarm.blind:
        yield "  blind: its condition is unknown"


def _show(config: Config, found: Difference, span: tuple[int, int]) -> None:
    zone = ZoneInfo(config.plant.timezone)
    print(f"from {local(span[0], zone)} to {local(span[1], zone)}")
    for word, episodes in (("appears", found.appear), ("vanishes", found.vanish)):
        for episode in episodes:
            print(f"{word:8} {episode.flag}, {_times(episode, zone)}: {episode.text}")
    for old, new in found.move:
        print(f"{'moves':8} {new.flag}, {_times(old, zone)} -> {_times(new, zone)}")
    counts = [Counter(each.rule for each in its)
              for its in (found.appear, found.vanish, [new for _, new in found.move])]  # fmt: skip
    for rule in sorted({rule for count in counts for rule in count}):
        appear, vanish, move = (count[rule] for count in counts)
        print(f"{rule}: {appear} appear, {vanish} vanish, {move} move")
    print(f"{len(found.appear)} appear, {len(found.vanish)} vanish, {len(found.move)} move, {found.same} stay the same")


def _times(episode: Episode, zone: ZoneInfo) -> str:
    raised = local(episode.raised_ns, zone)
    if episode.cleared_ns is None:
        return f"{raised}, still raised"
    cleared = local(episode.cleared_ns, zone)
    return f"{raised} to {cleared.removeprefix(raised[:11])}"
