"""What is done about rules, as one function: for several rules of a subject, and for an event at a station.

Of ``mean(cycle.active, last 5 cycles) > 100 s`` and the end of a cycle at a station this makes (``make`` and what it
binds left out)::

    def on(event):
        now = present.now
        if now >= moment.turns: moment.turn()       # working time begins or ends, or a day
        worked = now + moment.offset if moment.working else moment.level
        changed = fold(own, moment, event, worked)  # facts: see fold.py
        if not changed: return
        if event.timing is MEASURED:
            v0 = event.active_s
            x = (v0) if v0 is not None else v0
            if x is not None:
                x += 0.0
                at = b0.at                          # b0: own.rings['cycle.active | cycles 5']
                if at < 0: b0.grow(x, 0)
                else:
                    o = c0[at]; c0[at] = x          # c0: its values
                    b0.total = b0.total + x - o
                    b0.at = at + 1 if at < 4 else b0.wrap()
        if changed > 1: sight()                     # whether the station can be seen changed, and with it ages
        v1 = (b0.total / 5 if b0.at >= 0 else b0.mean(0, 5))
        if a0.raised:                               # a0: the alarm of w0, the watch
            s = (not (v1 > 100.0)) if v1 is not None else k_negation(k_gt(v1, 100.0))
        else:
            s = (v1 > 100.0) if v1 is not None else k_gt(v1, 100.0)
        if s is not a0.signal:
            edge(w0, s, now)
        if changed > 1: first(now)                  # the watches that this moves

Where time moves a condition, ``w0.wakes = …`` follows, the moment at which it does next; where other subjects are
moved, their looks.
"""

from collections.abc import Sequence

from msgspec import Struct

from linecontrol.model import CycleCompleted, Event
from linecontrol.rules.emit import BOUND, Factory, Writer, factory, present
from linecontrol.rules.names import Kind
from linecontrol.rules.typed import Load, Passed, Source, Typed, counting, leaves

JUDGING = f"{BOUND}, watches, gate, edge, push"
"""What the factories of looks bind: facts, watches, and what a room does about these."""
HEARING = f"{JUDGING}, present, fold, notes, looks, sight, first"
"""What the factories of handlers bind besides."""


class Part(Struct, frozen=True):
    """What is done about one watch: look at its condition, and before at its ``gate``; ``plan`` when time moves it."""

    when: Typed
    over: Typed
    conditions: tuple[Typed, ...]
    gate: bool
    plan: bool


class Entry(Struct, frozen=True):
    """What enters a window at an event, and what the window keeps: sum, order, stamps, counts of what passed limits."""

    source: Source
    summed: bool
    ordered: bool
    stamped: bool
    passed: tuple[Passed, ...]


def look_of(parts: Sequence[Part]) -> Factory:
    """Makes ``look(now)`` for several watches of one subject.

    Each condition that changed is told to ``edge(watch, signal, now)``, and to ``push(watch, at)`` what time moves
    earlier than was known.
    """
    writer = Writer(ordered=True)
    body = _judging(writer, parts)
    return factory(writer.setup, "look(now)", present(body), JUDGING)


def handler_of(event: type[Event], parts: Sequence[Part], entries: Sequence[Entry], notes: int, looks: int) -> Factory:
    """Makes ``on(event)`` for a kind of event at a station.

    It folds the event into the facts; lets its values enter windows; makes so many notes of ages; looks at the watches
    there, and has so many other looks taken.
    """
    writer = Writer(ordered=True)
    body = [*_entering(writer, event, entries), *(f"notes[{n}]()" for n in range(notes))]
    body += ["if changed > 1: sight()", *_judging(writer, parts)]
    body += [f"looks[{n}](now)" for n in range(looks)]
    body = ["changed = fold(own, moment, event, worked)", "if not changed: return", *body, "if changed > 1: first(now)"]
    return factory(writer.setup, "on(event)", ["now = present.now", *present(body)], HEARING)


def _judging(writer: Writer, parts: Sequence[Part]) -> list[str]:
    trees = [(counting(part.when), counting(part.over)) for part in parts]
    body = [f"gate(w{place}, now)" for place, part in enumerate(parts) if part.gate]
    body += writer.read(leaf for pair in trees for tree in pair for leaf in leaves(tree))
    for place, (when, over) in enumerate(trees):
        writer.setup.append(f"w{place} = watches[{place}]; a{place} = w{place}.alarm")
        body += [
            f"if a{place}.raised:",
            f"    s = {writer.worth(over)}",
            "else:",
            f"    s = {writer.worth(when)}",
            f"if s is not a{place}.signal:",
            f"    edge(w{place}, s, now)",
        ]
    for place, part in enumerate(parts):
        if part.plan:
            body += [
                *writer.waking(part.conditions),
                f"w{place}.wakes = at",
                f"if at < w{place}.queued:",
                f"    push(w{place}, at)",
            ]
    return body


def _entering(writer: Writer, event: type[Event], entries: Sequence[Entry]) -> list[str]:
    """Code by which values enter windows. What items read of the station itself is read before."""
    if not entries:
        return []
    items = [leaf for entry in entries for leaf in leaves(entry.source.item)]
    cycle = [leaf for leaf in items if isinstance(leaf, Load) and leaf.side == "cycle"]
    code = writer.read(leaf for leaf in items if leaf not in cycle)
    entering = writer.read(cycle)
    for entry in entries:
        entering.append(f"x = {writer.worth(entry.source.item)}")
        exact = "x = 1.0 if x else 0.0" if entry.source.item.kind is Kind.BOOL else "x += 0.0"
        entering += ["if x is not None:", f"    {exact}", *(f"    {line}" for line in _push(writer, entry))]
    if event is not CycleCompleted:
        return [*code, *entering]
    return [*code, "if event.timing is MEASURED:", *(f"    {line}" for line in entering)]


def _push(writer: Writer, entry: Entry) -> list[str]:
    source = entry.source
    window = writer.bind(f"own.{source.table}[{source.key!r}]")
    if source.table != "rings":
        return [f"{window}.push(x, worked)"]
    values = writer.bind(f"{window}.values")
    code = [f"o = {values}[at]; {values}[at] = x"]
    if entry.summed:
        code.append(f"{window}.total = {window}.total + x - o")
    for each in entry.passed:
        above = writer.bind(f"{window}.above[{each.key!r}]")
        code.append(f"v = x {each.sign} {each.limit!r}")
        code.append(f"if v is not (o {each.sign} {each.limit!r}): {above}[0] += 1 if v else -1")
    if entry.stamped:
        code.append(f"{writer.bind(f'{window}.stamps')}[at] = worked")
    if entry.ordered:
        order = writer.bind(f"{window}.order")
        code.append(f"del {order}[bisect_left({order}, o)]; insort({order}, x)")
    code.append(f"{window}.at = at + 1 if at < {source.size - 1} else {window}.wrap()")
    grow = f"{window}.grow(x, {'worked' if entry.stamped else '0'})"
    return [f"at = {window}.at", f"if at < 0: {grow}", "else:", *(f"    {line}" for line in code)]
