"""Five conditions about each of 20 stations, per event: ours, a function by hand, and other engines. Prints a table.

``pip install simpleeval zen-engine common-expression-language cel-expr-python cel-python rule-engine durable_rules``;
what isn't there is left out and named. Everything is compiled before, and the station's five conditions are picked by
its name. Others get the values as a ready mapping; CEL's two fast ones have to convert it once per event, which is told
apart. Ours and the function by hand read the station's facts, and also see whether an alarm isn't over. ``see`` is the
whole: the event is folded in first.
"""

import gc
import importlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from benchmarks.rules_line import day_of, plant, room_of
from linecontrol.model import CycleStarted, LedgerUpdated, StateChanged, StationState
from linecontrol.rules.handler import Part, look_of
from linecontrol.rules.typed import Chain
from linecontrol.rules.watch import Watch

CONDITIONS = [
    ("planned > 1.5 * takt", "planned > 1.5 * takt"),
    ("planned > 90 s and unit == 'U7'", "planned > 90.0 and unit == 'U7'"),
    ("state == 'down' and planned > takt", "state == 'down' and planned > takt"),
    ("planned < 20 s or planned > 2 * takt", "planned < 20.0 or planned > 2.0 * takt"),
    ("state != 'working' and unit == 'U8'", "state != 'working' and unit == 'U8'"),
]
STATIONS = [f"s{n:03}" for n in range(20)]
VALUES = {"planned": 60.0, "takt": 60.0, "unit": "U1", "state": "working"}
Check = Callable[[], object]


def cel_text(text: str) -> str:
    """A condition in CEL."""
    return text.replace(" and ", " && ").replace(" or ", " || ")


def with_simpleeval(text: str) -> Check:
    """Parsed once."""
    module = importlib.import_module("simpleeval")
    engine = module.SimpleEval(names=VALUES)
    tree = engine.parse(text)
    return lambda: engine.eval(text, previously_parsed=tree)


def with_zen(text: str) -> Check:
    """Compiled once."""
    expression = importlib.import_module("zen").compile_expression(text)
    return lambda: expression.evaluate(VALUES)


def with_cel_rust(text: str) -> Check:
    """Compiled once, one context for all."""
    cel = importlib.import_module("cel")
    program, context = cel.compile(cel_text(text)), cel.Context(VALUES)
    return lambda: program.execute(context)


def with_cel_cpp(text: str) -> Check:
    """Compiled once, one activation for all."""
    env = cpp_env()
    expression, activation = env.compile(cel_text(text)), env.Activation(VALUES)
    return lambda: expression.eval(activation)


def cpp_env() -> Any:
    """The environment of CEL in C++."""
    cel = importlib.import_module("cel_expr_python.cel")
    kinds = {"planned": cel.Type.DOUBLE, "takt": cel.Type.DOUBLE, "unit": cel.Type.STRING, "state": cel.Type.STRING}
    return cel.NewEnv(variables=kinds)


def convert_rust() -> Check:
    """What an event costs before its conditions."""
    cel = importlib.import_module("cel")
    return lambda: cel.Context(VALUES)


def convert_cpp() -> Check:
    """What an event costs before its conditions."""
    env = cpp_env()
    return lambda: env.Activation(VALUES)


def with_cel_python(text: str) -> Check:
    """Compiled once, values converted before."""
    cel = importlib.import_module("celpy")
    env = cel.Environment()
    program, values = env.program(env.compile(cel_text(text))), cel.json_to_cel(VALUES)
    return lambda: program.evaluate(values)


def with_rule_engine(text: str) -> Check:
    """Compiled once, with types."""
    module = importlib.import_module("rule_engine")
    rule = module.Rule(text)
    return lambda: rule.matches(VALUES)


CONVERTING = {"common-expression-language": convert_rust, "cel-expr-python": convert_cpp}
PEERS: dict[str, Callable[[str], Check]] = {
    "simpleeval": with_simpleeval,
    "zen-engine": with_zen,
    "common-expression-language": with_cel_rust,
    "cel-expr-python": with_cel_cpp,
    "cel-python": with_cel_python,
    "rule-engine": with_rule_engine,
}


def micros(run: Callable[[int], object], number: int) -> float:
    """CPU microseconds of one of so many events, the best of several runs."""
    best = 1e9
    for _ in range(7):
        gc.collect()
        gc.disable()
        start = time.process_time()
        run(number)
        best = min(best, time.process_time() - start)
        gc.enable()
    return best / number * 1e6


def by_peer(make: Callable[[str], Check]) -> Callable[[int], object]:
    """A station's five conditions, one after the other."""
    of_station = {station: tuple(make(text) for _, text in CONDITIONS) for station in STATIONS}
    for check in of_station["s000"]:
        check()

    def run(number: int) -> None:
        for _ in range(number // len(STATIONS)):
            for station in STATIONS:
                for check in of_station[station]:
                    check()

    return run


def durable(number: int) -> None:
    """durable_rules: a hundred rules of its own, one post per event; it finds the station itself."""
    lang, engine = importlib.import_module("durable.lang"), importlib.import_module("durable.engine")
    with lang.ruleset(f"line{number}"):
        m = lang.m
        for station in STATIONS:
            own = m.station == station
            for each in (
                own & (m.planned > 90.0),
                own & (m.planned > 90.0) & (m.unit == "U7"),
                own & (m.state == "down") & (m.planned > 60.0),
                own & (m.planned < 20.0),
                own & (m.state != "working") & (m.unit == "U8"),
            ):
                lang.when_all(each)(lambda c: None)
    events = [VALUES | {"station": station} for station in STATIONS]
    start = time.process_time()
    for _ in range(number // len(STATIONS)):
        for event in events:
            with suppress(engine.MessageNotHandledException):
                lang.post(f"line{number}", event)
    took = (time.process_time() - start) / number * 1e6
    print(f"{'durable_rules (constants only)':34} {took:9.3f} µs/event")


def by_hand(own: Any, line: Any, watches: list[Watch], tell: Callable[[Watch, int], None]) -> Callable[[int], None]:
    """What somebody would write for a station: reads once, tells what is unknown or true, or isn't over."""
    a, b, c, d, e = watches

    def look(now: int) -> None:
        planned, takt, unit, state = own.planned, line.takt, own.unit, own.state
        if planned is None or takt is None or unit is None or state is None:
            raise NotImplementedError  # by hand, nobody gets this right at once
        if planned > 1.5 * takt or not a.quiet:
            tell(a, now)
        if (planned > 90.0 and unit == "U7") or not b.quiet:
            tell(b, now)
        if (state == "down" and planned > takt) or not c.quiet:
            tell(c, now)
        if planned < 20.0 or planned > 2.0 * takt or not d.quiet:
            tell(d, now)
        if (state != "working" and unit == "U8") or not e.quiet:
            tell(e, now)

    return look


def main() -> None:
    """Print the table."""
    number = 100_000
    rules: dict[str, dict[str, Any]] = {
        f"r{n}": {"when": ours, "message": "m"} for n, (ours, _) in enumerate(CONDITIONS)
    }
    room = room_of(plant(rules))
    day = day_of(0)
    first = next(event for event in day if isinstance(event, LedgerUpdated))
    started = {event.station: event for event in reversed(day) if isinstance(event, CycleStarted)}
    states = {event.station: event for event in reversed(day) if isinstance(event, StateChanged)}
    now = first.at_ns
    room.see(replace(first, takt_required_s=60.0))
    for station in STATIONS:
        room.see(replace(states[station], at_ns=now, state=StationState.WORKING))
        room.see(replace(started[station], at_ns=now, unit="U1"))
    ours, hand = {}, {}
    for station in STATIONS:
        watches = [room.watched(f"{name}/line/{station}") for name in rules]
        parts = []
        for watch in watches:
            when = watch.rule.when
            assert not isinstance(when, Chain)
            parts.append(Part.of(when, gate=False, plan=False))
            assert watch.alarm.signal is False
        facts = watches[0].facts
        ours[station] = look_of(parts)(*facts, watches, None, None, None)
        hand[station] = by_hand(facts[0], facts[1], watches, lambda *_: None)

    def looks(of: dict[str, Any]) -> Callable[[int], object]:
        def run(number: int) -> None:
            for _ in range(number // len(STATIONS)):
                for station in STATIONS:
                    of[station](now)

        return run

    events = [replace(started[station], at_ns=now, unit="U1") for station in STATIONS]

    def seen(number: int) -> None:
        see = room.see
        for _ in range(number // len(STATIONS)):
            for event in events:
                see(event)

    mine, byhand = micros(looks(ours), number), micros(looks(hand), number)
    print(f"{'ours':34} {mine:9.3f} µs/event")
    print(f"{'by hand':34} {byhand:9.3f} µs/event: ours takes {mine / byhand:.2f} times as long")
    print(f"{'ours, see() as a whole':34} {micros(seen, number):9.3f} µs/event")
    for name, make in PEERS.items():
        try:
            run = by_peer(make)
        except ImportError:
            print(f"{name:34} not installed")
            continue
        took = micros(run, number // (500 if name == "cel-python" else 20))
        print(f"{name:34} {took:9.3f} µs/event: {took / mine:.0f} times as long")
        if convert := CONVERTING.get(name):
            once = convert()
            took += micros(lambda number, once=once: [once() for _ in range(number)], 5_000)  # type: ignore[misc]
            print(f"{'… with its values converted':34} {took:9.3f} µs/event: {took / mine:.0f} times as long")
    try:
        durable(20_000)
    except ImportError:
        print(f"{'durable_rules':34} not installed")


if __name__ == "__main__":
    main()
