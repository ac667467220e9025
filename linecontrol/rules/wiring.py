"""Which function hears which event: handlers at stations, looks elsewhere, made once for all watches."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from msgspec import Struct

from linecontrol.config import Config, Subject
from linecontrol.model import CycleCompleted, Event, Sampled
from linecontrol.rules.compile import Rule
from linecontrol.rules.emit import Factory, value_of
from linecontrol.rules.facts import Facts, Memory
from linecontrol.rules.fold import AT_STATIONS
from linecontrol.rules.handler import Entry, Part, handler_of, look_of
from linecontrol.rules.keep import Keeping, Kept
from linecontrol.rules.moment import Moment, Present
from linecontrol.rules.moves import Move, moves_of
from linecontrol.rules.names import SIDES
from linecontrol.rules.subjects import About, subjects
from linecontrol.rules.typed import CYCLES, DAYS, Chain, Typed
from linecontrol.rules.watch import Watch

Look = Callable[[int], None]
On = Callable[[Any], None]
Heard = tuple[Watch, bool]
"""A watch that is moved, and whether it has to tell anew when time moves it."""


class Judges(Struct, frozen=True):
    """What looks ask of the room, as in ``handler``."""

    gate: Callable[[Watch, int], None]
    look: Callable[[Watch, int], None]
    plan: Callable[[Watch, int], None]


class Wired(Struct, frozen=True):
    """Functions by what they hear: at stations by kind of event, line and station; elsewhere by kind and place.

    ``days`` lets the first forecast of a working day enter windows, by place.
    """

    at_stations: dict[type[Event], dict[str, dict[str, On]]]
    elsewhere: dict[type[Event], dict[str, list[Look]]]
    days: dict[str, Callable[[], None]]


class Wiring:
    """Binds watches to facts, and makes their functions."""

    def __init__(
        self, config: Config, watches: Sequence[Watch], facts: Memory, moments: Mapping[str, Moment], judges: Judges
    ) -> None:
        """``moments`` by line; that of subjects without one is under the empty name."""
        self._config, self._watches, self._moments, self._judges = config, watches, moments, judges
        self._memory = facts
        self._facts: dict[str, Facts | Moment] = {
            f"{kind.value} {name}": its for kind in Subject for name, its in getattr(facts, kind.value).items()
        }
        self._facts |= {f"moment line {line}": moment for line, moment in moments.items()}
        self._made: dict[Any, Any] = {}
        for watch in watches:
            watch.bind(self._seen_from(watch.about))

    def wired(self, keeping: Keeping, present: Present) -> Wired:
        """All functions."""
        heard, sighted = self._heard(), self._sighted()
        abouts = subjects(self._config, Subject.STATION, [])
        at_stations: dict[type[Event], dict[str, dict[str, On]]] = {
            event: {line: {} for line in self._config.lines} for event in AT_STATIONS
        }
        for about in abouts:
            place = about.place
            kept = keeping.places.get(place, Kept())
            sight = self._sight(about, kept), sighted.get(place, [])
            for event in AT_STATIONS:
                by_tag = {
                    tag: self._handler(event, tag, about, heard.get((event, place, tag), []), kept, sight, present)
                    for tag in (sorted(keeping.tags) if event is Sampled else ("",))
                }
                at_stations[event][about.line][about.station] = _sampling(by_tag) if event is Sampled else by_tag[""]
        elsewhere: dict[type[Event], dict[str, list[Look]]] = {}
        for (event, place, _), hearing in heard.items():
            if event not in AT_STATIONS:
                groups = _groups(hearing, place)
                elsewhere.setdefault(event, {})[place] = [self._look(group) for group in groups if group]
        days = {place: self._day(place, kept) for place, kept in keeping.places.items() if kept.entries(DAYS)}
        return Wired(at_stations, elsewhere, days)

    # --- who hears what -------------------------------------------------------------------------------------

    def _heard(self) -> dict[tuple[type[Event], str, str], list[Heard]]:
        """The watches that each kind of event moves at each place; of samples, those of each tag."""
        heard: dict[tuple[type[Event], str, str], dict[int, Heard]] = {}
        for watch in self._watches:
            for move in watch.rule.moved_by:
                plan = move in watch.rule.hastened_by
                for place in _places(watch.about, move.side, move.event):
                    its = heard.setdefault((move.event, place, move.tag), {})
                    its[watch.order] = watch, plan or its.get(watch.order, (watch, False))[1]
        return {key: [its[order] for order in sorted(its)] for key, its in heard.items()}

    def _sighted(self) -> dict[str, list[Watch]]:
        """The watches that the first sight of each station moves."""
        sighted: dict[str, dict[int, Watch]] = {}
        for watch in self._watches:
            for side in watch.rule.sights:
                sighted.setdefault(_place(watch.about, side), {})[watch.order] = watch
        return {place: [its[order] for order in sorted(its)] for place, its in sighted.items()}

    # --- functions ------------------------------------------------------------------------------------------

    def _seen_from(self, about: About) -> tuple[Any, ...]:
        """What the factories of values bind, for one subject."""
        memory = self._memory
        upstream = memory.station[about.upstream] if about.upstream else None
        downstream = memory.station[about.downstream] if about.downstream else None
        moment = self._moments[about.line]
        return self._facts[about.place], memory.line.get(about.line), upstream, downstream, moment, self._facts

    def _look(self, hearing: Sequence[Heard]) -> Look:
        """The look at watches of one subject."""
        key = tuple((watch.order, plan) for watch, plan in hearing)
        if key not in self._made:
            first = hearing[0][0]
            if isinstance(first.rule.when, Chain):
                self._made[key] = partial(self._judges.look, first)
            else:
                self._made[key] = self._written(look_of, self._parts(hearing))(*first.facts, *self._asked(hearing))
        look: Look = self._made[key]
        return look

    def _handler(
        self,
        event: type[Event],
        tag: str,
        about: About,
        hearing: list[Heard],
        kept: Kept,
        sight: tuple[Callable[[], None], list[Watch]],
        present: Present,
    ) -> On:
        """What hears a kind of event at a station; of samples, those of a tag."""
        own, *others = _groups(hearing, about.place)
        looks = [self._look(group) for group in others]
        facts = self._seen_from(about)
        notes = [
            _noting(facts, path, make)
            for path, (named, make) in kept.ages.items()
            if Move("", event, tag) in moves_of(named)
        ]
        stream = {CycleCompleted: CYCLES, Sampled: f"tag.{tag}"}.get(event)
        entries = tuple(kept.entries(stream)) if stream else ()
        make_on = self._written(handler_of, event, self._parts(own), entries, len(notes), len(looks))
        note, sighted = sight
        first = self._first(about.place, hearing, sighted)
        on: On = make_on(*facts, *self._asked(own), present, AT_STATIONS[event], notes, looks, note, first)
        return on

    def _first(self, place: str, hearing: list[Heard], sighted: list[Watch]) -> Look:
        """The look at all that an event moves by which a station comes into sight or goes out of it."""
        moved = {watch.order: (watch, True) for watch in [*(watch for watch, _ in hearing), *sighted]}
        groups = [[watch for watch, _ in group] for group in _groups([moved[order] for order in sorted(moved)], place)]
        judges = self._judges

        def first(now: int) -> None:
            for watches in groups:
                for watch in watches:
                    if watch.rule.suppress is not None:
                        judges.gate(watch, now)
                for watch in watches:
                    judges.look(watch, now)

        return first

    def _sight(self, about: About, kept: Kept) -> Callable[[], None]:
        """What is noted of ages when a station comes into sight or goes out of it."""
        facts = self._seen_from(about)
        notes = [_noting(facts, path, make) for path, (named, make) in kept.ages.items() if named.sight]

        def sight() -> None:
            for note in notes:
                note()

        return sight

    def _day(self, place: str, kept: Kept) -> Callable[[], None]:
        """What is done at a forecast: the first one on a working day is that day's."""
        watch = next(watch for watch in self._watches if watch.about.place == place)
        own: Any = watch.facts[0]
        moment = watch.moment if watch.about.line else next(iter(self._moments.values()))  # all share the time zone
        sources = [entry.source for entry in kept.entries(DAYS)]
        pushes = [(getattr(own, each.table)[each.key], value_of(each.item)(*watch.facts)) for each in sources]

        def day() -> None:
            today = moment.working_day()
            if today is None or today == own.told_on:
                return
            own.told_on = today
            for window, item in pushes:
                value = item()
                if value is not None:
                    window.push(float(value), moment.worked)

        return day

    # --- texts ----------------------------------------------------------------------------------------------

    def _asked(self, hearing: Sequence[Heard]) -> tuple[Any, ...]:
        judges = self._judges
        return [watch for watch, _ in hearing], judges.gate, judges.look, judges.plan

    def _parts(self, hearing: Sequence[Heard]) -> tuple[Part, ...]:
        return tuple(self._part(watch.rule, plan) for watch, plan in hearing)

    def _part(self, rule: Rule, plan: bool) -> Part:
        key = (id(rule), plan)
        if key not in self._made:
            self._made[key] = Part.of(cast("Typed", rule.when), gate=rule.suppress is not None, plan=plan)
        part: Part = self._made[key]
        return part

    def _written(self, write: Callable[..., Factory], *what: Any) -> Factory:
        """What ``write`` writes, once for all subjects of the same rules."""
        key = (write, *(tuple(map(_key, each)) if isinstance(each, tuple) else each for each in what))
        if key not in self._made:
            self._made[key] = write(*what)
        made: Factory = self._made[key]
        return made


def _key(what: Part | Entry) -> Any:
    """By what texts may be the same: windows of the same name hold the same, of whichever subject."""
    if isinstance(what, Part):
        return id(what)
    return what.source.key, what.summed, what.ordered, what.stamped, tuple(passed.key for passed in what.passed)


def _place(about: About, side: str) -> str:
    """The place that a side of a subject is; a side may be a place itself."""
    if side in SIDES:
        return f"station {about.neighbour(side)}"
    return side or about.place


def _places(about: About, side: str, event: type[Event]) -> tuple[str, ...]:
    """Where an event that moves a subject is told: what isn't told of stations, of their lines."""
    place = _place(about, side)
    of_line = event not in AT_STATIONS and about.kind is Subject.STATION and side in ("", *SIDES)
    return (place, f"line {about.line}") if of_line else (place,)


def _groups(hearing: Sequence[Heard], place: str) -> list[list[Heard]]:
    """The watches that one function looks at: first the place's own, then those of each other; sequences alone."""
    groups: dict[str, list[Heard]] = {place: []}
    for watch, plan in hearing:
        chained = isinstance(watch.rule.when, Chain)
        groups.setdefault(watch.flag if chained else watch.about.place, []).append((watch, plan))
    return list(groups.values())


def _sampling(by_tag: Mapping[str, On]) -> On:
    def on(event: Sampled) -> None:
        hear = by_tag.get(event.name)
        if hear is not None:
            hear(event)

    return on


def _noting(facts: tuple[Any, ...], path: str, make: Factory) -> Callable[[], None]:
    own, moment, read = facts[0], facts[4], make(*facts)
    aged = own.ages[path]

    def note() -> None:
        aged.note(read(), moment.worked)

    return note
