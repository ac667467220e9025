"""What truly happens on a small line, drawn by chance, and how it looks through signals, polls and lost links."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from msgspec import Struct

from linecontrol.calendar import WorkCalendar, line_calendars
from linecontrol.config import Config
from linecontrol.line import LineRoom
from linecontrol.model import AnyEvent, LinkChange, Quality, Reading, Value
from tests.unit.line.plant import HOUR, MINUTE, MONDAY_8, SECOND, config

CODES = {1: "working", 2: "complete", 4: "starved", 5: "down"}
SIGNALS = {
    "start_complete": ["cycle_start", "cycle_complete"],
    "state": ["state"],
    "count": ["cycle_count", "running"],
    "count_alone": ["cycle_count"],
    "part_present": ["part_present"],
    "cycle_time": ["cycle_time", "running"],
}
"""What tells a station's cycles, by method; ``count_alone`` is ``count`` without a bit that tells of work."""
TRANSFER = 3 * MINUTE


class TrueCycle(Struct, frozen=True):
    """One unit at one station: wall times, and the breakdown in it."""

    unit: int
    start_ns: int
    end_ns: int
    leave_ns: int
    down: tuple[int, int] | None


class Change(Struct, frozen=True):
    """A signal's value changes."""

    at_ns: int
    station: str
    role: str
    value: Value


class Plant(Struct, frozen=True):
    """A line, how its stations tell cycles, and what happened there."""

    config: Config
    calendar: WorkCalendar
    cycles: dict[str, list[TrueCycle]]
    changes: list[Change]

    @property
    def end_ns(self) -> int:
        """When all is over."""
        return self.changes[-1].at_ns


Delivery = tuple[int, list[Reading | LinkChange]]


def plant(
    chance: Random,
    methods: Sequence[str],
    *,
    counted: bool,
    units: int = 7,
    lateness: str = "2s",
    named: bool = False,
    reorder: str = "0s",
) -> Plant:
    """A line with a station per method, between them one or two places, working as fast as it can.

    Where it is ``named``, every station tells unit, product and whether the unit is good.
    """
    names = "abcdef"[: len(methods)]
    extra = ["cycle_count"] if counted else []
    if named:
        extra += ["unit_id", "product", "good_count", "reject_count"]
    stations: dict[str, dict[str, Any]] = {
        name: {
            "cycle_by": method.removesuffix("_alone"),
            "signals": list(dict.fromkeys([*SIGNALS[method], *extra, *(["product"] if name == "a" else [])])),
            "states": CODES,
        }
        for name, method in zip(names, methods, strict=True)
    }
    places = [chance.randint(1, 2) for _ in names[1:]]
    buffers = {
        f"{names[i]}{names[i + 1]}": {"after": names[i], "before": names[i + 1], "capacity": room}
        for i, room in enumerate(places)
    }
    parsed = config(stations, {"connections": {"plc": {"driver": "none", "reorder": reorder}}}, buffers=buffers)
    engine = type(parsed.engine).model_validate(
        {"resolution": "5m", "lateness": lateness, "progress_every": "1h", "heartbeat_every": "8h"}
    )
    parsed = parsed.model_copy(update={"engine": engine})
    calendar = line_calendars(parsed)["l"]
    cycles = _run(chance, calendar, names, places, units)
    return Plant(parsed, calendar, cycles, _changes(parsed, cycles))


def _run(
    chance: Random, calendar: WorkCalendar, names: str, places: list[int], units: int
) -> dict[str, list[TrueCycle]]:
    started: list[list[int]] = [[] for _ in names]
    left: list[list[int]] = [[] for _ in names]
    cycles: dict[str, list[TrueCycle]] = {name: [] for name in names}

    def wall(worked_ns: int) -> int:
        return calendar.add(MONDAY_8, worked_ns)

    for unit in range(units):
        arrives = 0
        for place, name in enumerate(names):
            free = left[place][-1] if unit else 0
            start = max(arrives, free) + TRANSFER + chance.randrange(1, 60) * SECOND
            work = chance.randint(70, 170) * MINUTE + chance.randrange(60) * SECOND
            down = None
            if chance.random() < 0.3:
                begins = start + work // 2
                down = (wall(begins), wall(begins + chance.randint(10, 60) * MINUTE))
                work += calendar.working_ns(*down)
            end = start + work
            leaves = end + TRANSFER
            if place < len(places) and unit >= places[place]:
                leaves = max(leaves, started[place + 1][unit - places[place]])
            started[place].append(start)
            left[place].append(leaves)
            cycles[name].append(TrueCycle(unit, wall(start), wall(end), wall(leaves), down))
            arrives = leaves
    return cycles


def _changes(parsed: Config, cycles: dict[str, list[TrueCycle]]) -> list[Change]:
    changes: list[Change] = []
    for name, done in cycles.items():
        roles = parsed.lines["l"].stations[name].signals

        say = partial(_say, changes, name, frozenset(str(role) for role in roles))

        initial = {"cycle_start": False, "cycle_complete": False, "part_present": False, "running": False}
        say(MONDAY_8 + 1, **initial, state=4, cycle_count=0, cycle_time=0, product=0)
        say(MONDAY_8 + 1, unit_id="", good_count=0, reject_count=0)
        for number, cycle in enumerate(done, 1):
            busy = {"running": True, "state": 1}
            say(cycle.start_ns, unit_id=f"U{cycle.unit}")
            say(cycle.start_ns, product=cycle.unit % 2 + 1, cycle_complete=False, part_present=True, **busy)
            say(cycle.start_ns, cycle_start=True)
            if cycle.down:
                say(cycle.down[0], running=False, state=5)
                say(cycle.down[1], **busy)
            say(cycle.end_ns, cycle_time=1000 + number, cycle_start=False, cycle_complete=True, running=False, state=2)
            say(cycle.end_ns, cycle_count=number, good_count=number - number // 3, reject_count=number // 3)
            say(cycle.leave_ns, part_present=False, state=4)
    return sorted(changes, key=lambda change: change.at_ns)


def _say(changes: list[Change], name: str, roles: frozenset[str], at_ns: int, **values: Value) -> None:
    changes.extend(Change(at_ns, name, role, value) for role, value in values.items() if role in roles)


# --- how it is delivered --------------------------------------------------------------------------------------


def reading(change: Change, at_ns: int | None = None) -> Reading:
    at_ns = change.at_ns if at_ns is None else at_ns
    return Reading(f"l/{change.station}/{change.role}", change.value, Quality.GOOD, at_ns, at_ns)


def perfect(true: Plant) -> list[Delivery]:
    """All changes of an instant at once, at that instant."""
    moments: dict[int, list[Reading | LinkChange]] = {}
    for change in true.changes:
        moments.setdefault(change.at_ns, []).append(reading(change))
    return [(MONDAY_8, [LinkChange("plc", True, MONDAY_8)]), *moments.items()]


def skewed(true: Plant, chance: Random, most_ns: int = SECOND) -> list[Delivery]:
    """Each change on its own, somewhat later, so that changes of one instant come in any order."""
    late = [(change.at_ns + chance.randrange(most_ns), change) for change in true.changes]
    late.sort(key=lambda item: item[0])
    out: list[Delivery] = [(MONDAY_8, [LinkChange("plc", True, MONDAY_8)])]
    out += [(at_ns, [reading(change, at_ns)]) for at_ns, change in late]
    return out


def shuffled(true: Plant, chance: Random, most_ns: int = SECOND) -> list[Delivery]:
    """Each change with its true time, in a batch with others of up to ``most_ns``, in any order."""
    out: list[Delivery] = []
    for at_ns, readings in perfect(true):
        if out and at_ns - out[-1][0] < most_ns:
            out[-1][1].extend(readings)
        else:
            out.append((at_ns, list(readings)))
    for _, batch in out[1:]:
        chance.shuffle(batch)
    return [(at_ns + most_ns, batch) for at_ns, batch in out]


def delayed(true: Plant, chance: Random, most_ns: int) -> list[Delivery]:
    """Each change on its own and with its true time, but up to ``most_ns`` later, so that newer ones overtake it."""
    arrivals = [(change.at_ns + chance.randrange(most_ns), change) for change in true.changes]
    arrivals.sort(key=lambda item: item[0])
    out: list[Delivery] = [(MONDAY_8, [LinkChange("plc", True, MONDAY_8)])]
    return out + [(now_ns, [reading(change)]) for now_ns, change in arrivals]


def polled(true: Plant, chance: Random, every_ns: int, spread_ns: int, *, apart: bool) -> list[Delivery]:
    """Rounds of block reads that tell what changed; ``apart`` puts each signal into a block of its own."""
    blocks: dict[tuple[str, str], list[Change]] = {}
    for change in true.changes:
        blocks.setdefault((change.station, change.role if apart else ""), []).append(change)
    order = list(blocks)
    chance.shuffle(order)
    out: list[Delivery] = [(MONDAY_8, [LinkChange("plc", True, MONDAY_8)])]
    told: dict[tuple[str, str], Value] = {}
    seen = dict.fromkeys(order, 0)
    round_ns = MONDAY_8 + chance.randrange(1, every_ns)
    while round_ns < true.end_ns + 2 * every_ns:
        at_ns, batch = round_ns, list[Reading | LinkChange]()
        for block in order:
            at_ns += chance.randrange(1, spread_ns)
            changes, now = blocks[block], dict[str, Change]()
            while seen[block] < len(changes) and changes[seen[block]].at_ns <= at_ns:
                change = changes[seen[block]]
                now[change.role] = change
                seen[block] += 1
            for role, change in now.items():
                if told.get((block[0], role), "nothing") != change.value:
                    told[block[0], role] = change.value
                    batch.append(reading(change, at_ns))
        if batch:
            out.append((at_ns, batch))
        round_ns += every_ns
    return out


def outages(true: Plant, gaps: Iterable[tuple[int, int]], deliveries: list[Delivery]) -> list[Delivery]:
    """While the link is down nothing arrives; when it is up again, the present value of every signal does."""
    spans = list(gaps)
    out = [each for each in deliveries if not any(down <= each[0] < up for down, up in spans)]
    for down, up in spans:
        now: dict[tuple[str, str], Change] = {}
        for change in true.changes:
            if change.at_ns <= up:
                now[change.station, change.role] = change
        again = [reading(change, up) for change in now.values()]
        out.append((down, [LinkChange("plc", False, down, "test")]))
        out.append((up, [LinkChange("plc", True, up), *again]))
    return sorted(out, key=lambda item: item[0])


# --- what the room says of it ---------------------------------------------------------------------------------


def turns(room: LineRoom, true: Plant, deliveries: list[Delivery], skip: int = 0) -> Iterator[list[AnyEvent]]:
    """Show deliveries to a room as the engine does: the grid first, behind by the lateness, then the readings.

    The first ``skip`` of them were shown to it before.
    """
    engine = true.config.engine
    grid = deliveries[0][0] // engine.resolution * engine.resolution
    if not skip:
        room.begin(grid)
    for number, (now_ns, batch) in enumerate([*deliveries, (true.end_ns + 60 * HOUR, [])]):
        out: list[AnyEvent] = []
        while grid + engine.resolution <= now_ns - engine.lateness:  # what waits in a window is released by it, too
            grid += engine.resolution
            if number >= skip:
                out += room.tick(grid)
        if number >= skip:
            out += room.observe(batch, now_ns)
            yield out


def new_room(true: Plant) -> LineRoom:
    return LineRoom(true.config, {"l": true.calendar}, {})


def told(true: Plant, deliveries: list[Delivery]) -> list[AnyEvent]:
    """All events."""
    return [event for events in turns(new_room(true), true, deliveries) for event in events]
