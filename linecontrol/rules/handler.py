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
            x = v0
            if x is not None:
                x += 0.0
                at = b0.at                          # b0: own.rings['cycle.active | cycles 5']
                if at < 0: b0.grow(x, 0)
                else:
                    o = c0[at]; c0[at] = x          # c0: its values
                    s0.add(x); s0.add(-o)           # s0: its sum
                    b0.at = at + 1 if at < 4 else b0.wrap()
        if changed > 1:                             # whether the station can be seen changed:
            sight()                                 # with it ages,
            return first(now)                       # and all watches that it or the event moves
        v1 = ((s0.total + s0.rest) / 5 if b0.at >= 0 else b0.mean(0, 5))
        if v1 is None or (v1 > 100.0) or not w0.quiet: look(w0, now)

A watch is quiet as long as its alarm is not raised and its condition was false; then nothing is done while that is so,
and what is false for one of its parts is not read further. Where time moves a condition, the watch plans anew if that
may be earlier than it is queued. Where other subjects are moved, their looks follow.
"""

from collections.abc import Sequence

from msgspec import Struct

from linecontrol.model import CycleCompleted, Event
from linecontrol.rules.emit import BOUND, Factory, Writer, factory, indented, may_divide_by_zero, on_calendar, present
from linecontrol.rules.names import Kind
from linecontrol.rules.typed import Apply, Const, Leaf, Load, Passed, Source, Typed, counting, leaves, quick

JUDGING = f"{BOUND}, watches, gate, look, plan"
"""What the factories of looks bind: facts, watches, and what a room does about these."""
HEARING = f"{JUDGING}, present, fold, notes, looks, sight, first"
"""What the factories of handlers bind besides."""


class Part(Struct, frozen=True):
    """What is done about one watch: look at its condition, and before at its ``gate``; ``plan`` when time moves it.

    ``inputs`` are those of ``when``. If ``quick``, a part of it, is false, all of it is.
    """

    when: Typed
    inputs: tuple[Leaf, ...]
    quick: Typed | None
    gate: bool
    plan: bool

    @classmethod
    def of(cls, when: Typed, *, gate: bool, plan: bool) -> "Part":
        """Of a condition as compiled."""
        when = counting(when)
        return cls(when, tuple(dict.fromkeys(leaves(when))), quick(when), gate, plan)


class Entry(Struct, frozen=True):
    """What enters a window at an event, and what the window keeps: sum, order, stamps, counts of what passed limits."""

    source: Source
    summed: bool
    ordered: bool
    stamped: bool
    passed: tuple[Passed, ...]


def look_of(parts: Sequence[Part]) -> Factory:
    """Makes ``looks(now)`` for several watches of one subject.

    ``look(watch, now)`` is asked for where a condition may have changed, ``plan(watch, now)`` where time may move it
    earlier than was known.
    """
    writer = Writer(ordered=True)
    body = _judging(writer, parts)
    return factory(writer.setup, "looks(now)", present(body), JUDGING)


def handler_of(event: type[Event], parts: Sequence[Part], entries: Sequence[Entry], notes: int, looks: int) -> Factory:
    """Makes ``on(event)`` for a kind of event at a station.

    It folds the event into the facts; lets its values enter windows; makes so many notes of ages; looks at the watches
    there, and has so many other looks taken.
    """
    writer = Writer(ordered=True)
    body = [*_entering(writer, event, entries), *(f"notes[{n}]()" for n in range(notes))]
    body += ["if changed > 1:", *indented(["sight()", "return first(now)"]), *_judging(writer, parts)]
    body += [f"looks[{n}](now)" for n in range(looks)]
    body = ["changed = fold(own, moment, event, worked)", "if not changed: return", *body]
    return factory(writer.setup, "on(event)", ["now = present.now", *present(body)], HEARING)


def _judging(writer: Writer, parts: Sequence[Part]) -> list[str]:
    body = [f"gate(w{place}, now)" for place, part in enumerate(parts) if part.gate]
    for part in parts:
        body += writer.read(leaves(part.quick) if part.quick is not None else part.inputs)
    for place, part in enumerate(parts):
        writer.setup.append(f"w{place} = watches[{place}]")
        body += _passing(writer, f"w{place}", part)
    return body


def _passing(writer: Writer, watch: str, part: Part) -> list[str]:
    """Code that has a watch looked at, unless it is quiet and its condition is known to be false."""
    if part.quick is None:
        return _deciding(writer, watch, part)
    maybe = [*writer.unknown(leaves(part.quick)), writer.native(part.quick), f"not {watch}.quiet"]
    aside = writer.aside()
    code = [f"if {' or '.join(maybe)}:", *indented([*aside.read(part.inputs), *_deciding(aside, watch, part)])]
    if part.plan:
        code.append(f"else: plan({watch}, now)" if part.gate else f"else: {watch}.wakes = NEVER")
    return code


def _deciding(writer: Writer, watch: str, part: Part) -> list[str]:
    code, maybe = [], [*writer.unknown(part.inputs), writer.native(part.when)]
    if may_divide_by_zero(part.when):
        code, maybe = [f"try: s = {' or '.join(maybe)}", "except BY_ZERO: s = True"], ["s"]
    code.append(f"if {' or '.join(maybe)} or not {watch}.quiet: look({watch}, now)")
    return [*code, "else:", *indented(_planning(writer, watch, part))] if part.plan else code


def _planning(writer: Writer, watch: str, part: Part) -> list[str]:
    """Code that plans anew if time may move what is known earlier than the watch is queued.

    Working time doesn't run faster than the clock: what is further off than the queue is so by both.
    """
    gap = None if part.gate else writer.crossing(part.when)
    if gap is None:
        return [f"plan({watch}, now)"]
    due, last = f"n >= {watch}.queued", ""
    if on_calendar(part.when):
        due, last = f"{due} <= moment.turns", " if n < moment.turns else moment.turns"
    return [
        f"n = {gap}",
        "n = now + round(n * 1e9) if 0 < n < FAR else 0",
        f"if {due}: {watch}.wakes = n{last}",
        f"else: plan({watch}, now)",
    ]


def _entering(writer: Writer, event: type[Event], entries: Sequence[Entry]) -> list[str]:
    """Code by which values enter windows. What items read of the station itself is read before."""
    if not entries:
        return []
    items = [leaf for entry in entries for leaf in leaves(entry.source.item)]
    cycle = [leaf for leaf in items if isinstance(leaf, Load) and leaf.side == "cycle"]
    code = writer.read(leaf for leaf in items if leaf not in cycle)
    entering = writer.read(cycle)
    for entry in entries:
        item = entry.source.item
        entering.append(f"x = {writer.worth(item) if isinstance(item, Apply | Const) else writer.names([item])[0]}")
        exact = "x = 1.0 if x else 0.0" if item.kind is Kind.BOOL else "x += 0.0"
        entering += ["if x is not None:", *indented([exact, *_push(writer, entry)])]
    if event is not CycleCompleted:
        return [*code, *entering]
    return [*code, "if event.timing is MEASURED:", *indented(entering)]


def _push(writer: Writer, entry: Entry) -> list[str]:
    source = entry.source
    window = writer.bind(f"own.{source.table}[{source.key!r}]")
    if source.table != "rings":
        return [f"{window}.push(x, worked)"]
    values = writer.bind(f"{window}.values")
    code, around = [f"o = {values}[at]; {values}[at] = x"], "0"
    if entry.summed:
        total = writer.bind(f"{window}.sum")
        if source.item.kind is Kind.BOOL:
            code.append(f"{total}.total = {total}.total + x - o")
        else:
            code.append(f"{total}.add(x); {total}.add(-o)")
            around = f"{window}.wrap()"
    for each in entry.passed:
        above = writer.bind(f"{window}.above[{each.key!r}]")
        code.append(f"v = x {each.sign} {each.limit!r}")
        code.append(f"if v is not (o {each.sign} {each.limit!r}): {above}[0] += 1 if v else -1")
    if entry.stamped:
        code.append(f"{writer.bind(f'{window}.stamps')}[at] = worked")
    if entry.ordered:
        order = writer.bind(f"{window}.order")
        code.append(f"del {order}[bisect_left({order}, o)]; insort({order}, x)")
    code.append(f"{window}.at = at + 1 if at < {source.size - 1} else {around}")
    grow = f"{window}.grow(x, {'worked' if entry.stamped else '0'})"
    return [f"at = {window}.at", f"if at < 0: {grow}", "else:", *indented(code)]
