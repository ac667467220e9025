"""Nobody starves, in virtual time: the poller itself, on a line whose answers take a given time."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from linecontrol.driver import ConnectionLost, Tag, Traffic
from linecontrol_modbus.layout import layout
from linecontrol_modbus.link import Link
from linecontrol_modbus.pdu import Refused, Silent
from linecontrol_modbus.plan import plan
from linecontrol_modbus.poller import Poller
from linecontrol_modbus.schedule import Schedule
from linecontrol_modbus.settings import ModbusConnection, ModbusTag
from linecontrol_modbus.show import Show
from linecontrol_modbus.turns import Rank, Turns

MS = 1_000_000
S = 1000 * MS
TIMEOUT_NS = S

calm = settings(derandomize=True, database=None, deadline=None, max_examples=40)


class Virtual:
    """A clock that is moved by what is waited for."""

    speed = 1.0
    was_set = False

    def __init__(self) -> None:
        self.ns = S

    def now_ns(self) -> int:
        return self.ns

    async def sleep(self, seconds: float) -> None:
        self.ns += max(round(seconds * 1e9), 1)


class Line:
    """One request after the other; each takes its time, those to dead units the timeout."""

    depth = 1
    where = "line"

    def __init__(self, clock: Virtual, cost_ns: int, dead: Collection[int], codes: Mapping[int, int]) -> None:
        self._clock, self._cost_ns, self._dead, self._codes = clock, cost_ns, dead, codes
        self.asked: list[tuple[int, int, int]] = []

    async def start(self, unit: int, pdu: bytes, rank: Rank) -> asyncio.Future[bytes]:
        address = int.from_bytes(pdu[1:3])
        self.asked.append((self._clock.ns, unit, address))
        answer = asyncio.get_running_loop().create_future()
        self._clock.ns += TIMEOUT_NS if unit in self._dead else self._cost_ns
        if unit in self._dead:
            answer.set_exception(Silent("no answer"))
        elif address in self._codes:
            answer.set_exception(Refused(self._codes[address]))
        else:
            answer.set_result(bytes(2 * int.from_bytes(pdu[3:5])))
        return answer

    def end(self, reason: str) -> None:
        pass


def run(
    places: Sequence[tuple[int, int, int]],
    *,
    cost_ns: int = 10 * MS,
    dead: Collection[int] = (),
    codes: Mapping[int, int] | None = None,
    for_ns: int = 600 * S,
) -> Line:
    """What is asked for so long of tags at ``places`` (unit, address, poll in ms)."""
    tags = [
        Tag(f"t{n}", ModbusTag.model_validate({"holding": address, "unit": unit, "poll": f"{poll}ms"}))
        for n, (unit, address, poll) in enumerate(places)
    ]
    points = layout(ModbusConnection(host="plc"), tags)
    schedule = Schedule(
        (poll, plan((p.span for p in points.values() if p.poll_ns == poll), 0, 125, 2000))
        for poll in sorted({p.poll_ns for p in points.values()})
    )
    clock = Virtual()
    line = Line(clock, cost_ns, dead, codes or {})
    traffic = Traffic()
    poller = Poller(cast("Link", line), schedule, Show(points, traffic, {}), clock, traffic)

    async def work() -> None:
        await poller.prove(TIMEOUT_NS)
        schedule.start(clock.ns)
        while clock.ns < for_ns:
            await poller.round()
            await clock.sleep((schedule.wake_ns(clock.ns) - clock.ns) / 1e9)

    asyncio.run(work())
    return line


def reads(line: Line) -> Counter[tuple[int, int]]:
    return Counter((unit, address) for _, unit, address in line.asked)


alive = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 9).map(lambda n: 10 * n), st.sampled_from([100, 500, 2000])),
    min_size=1, max_size=8, unique_by=lambda place: place[:2],
)  # fmt: skip


@given(places=alive, dead=st.sets(st.integers(5, 12), min_size=1, max_size=4), cost=st.integers(2, 60))
@calm
def test_dead_units_cost_their_neighbours_less_than_a_tenth(
    places: list[tuple[int, int, int]], dead: set[int], cost: int
) -> None:
    silent = [(unit, 0, 500) for unit in dead] + [(unit, 50, 500) for unit in dead]
    alone = reads(run(places, cost_ns=cost * MS))
    beside = reads(run(places + silent, cost_ns=cost * MS, dead=dead))
    for place, times in alone.items():
        assert beside[place] >= 0.9 * times - 2 - len(dead)
    for unit in dead:
        assert sum(beside[unit, address] for address in (0, 50)) >= 5, "it is asked again from time to time"


def test_what_is_dead_is_asked_ever_more_seldom() -> None:
    line = run([(1, 0, 500), (2, 0, 500), (2, 50, 500)], dead={2})
    asked = [at for at, unit, _ in line.asked if unit == 2]
    rests = [(after - before) // S for before, after in pairwise(asked)]
    assert rests[0] >= 10
    assert rests == sorted(rests)
    assert 60 <= rests[-1] <= 61


@given(places=alive, cost=st.integers(1, 400))
@calm
def test_every_tag_is_read_however_slow_the_line_is(places: list[tuple[int, int, int]], cost: int) -> None:
    line = run(places, cost_ns=cost * MS, for_ns=120 * S)
    round_ns = cost * MS * len(places)
    for unit, address, poll in places:
        times = [at for at, *place in line.asked if place == [unit, address]]
        longest = max(after - before for before, after in pairwise(times))
        assert longest <= 2 * (poll * MS + round_ns) + 2000 * MS * (round_ns > 100 * MS)


def test_fast_tags_go_between_the_blocks_of_slow_ones() -> None:
    slow = [(1, 10 * n, 10_000) for n in range(50)]
    line = run([*slow, (2, 0, 100)], cost_ns=40 * MS, for_ns=60 * S)
    times = [at for at, unit, _ in line.asked if unit == 2]
    assert max(after - before for before, after in pairwise(times[2:])) <= 180 * MS
    assert reads(line)[1, 490] >= 5


def test_the_blocks_of_a_unit_are_read_back_to_back() -> None:
    places = [(unit, 20 * n, 500) for n in range(4) for unit in (1, 2, 3)]
    line = run(places, for_ns=5 * S)
    units = [unit for _, unit, _ in line.asked[1:]]
    assert units[:12] == [1] * 4 + [2] * 4 + [3] * 4


@pytest.mark.parametrize(("code", "most"), [(1, 20), (2, 20), (3, 20), (4, 130), (6, 130)])
def test_what_is_refused_is_not_hammered(code: int, most: int) -> None:
    asked = reads(run([(1, 0, 100), (1, 100, 100)], codes={100: code}))
    assert 5 <= asked[1, 100] <= most
    assert asked[1, 0] >= 5900


def test_a_clock_that_is_set_back_delays_nothing() -> None:
    class SetBack(Virtual):
        @override
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if not self.was_set and self.ns > 10 * S:
                self.was_set, self.ns = True, self.ns - 8 * S

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(run.__globals__, "Virtual", SetBack)
        line = run([(1, 0, 500), (1, 200, 500), (2, 0, 500)], dead={2}, codes={200: 2}, for_ns=60 * S)
    asked = [at for at, unit, address in line.asked if (unit, address) == (1, 0)]
    assert len(asked) >= (60 + 8) * 2 - 10


@pytest.mark.parametrize("silent_s", [4, 1000])
def test_a_unit_that_was_silent_for_a_moment_is_soon_read_again(silent_s: int) -> None:
    dead: set[int] = set()

    class Stumbling(Line):
        @override
        async def start(self, unit: int, pdu: bytes, rank: Rank) -> asyncio.Future[bytes]:
            dead.clear()
            if 20 * S < self._clock.ns < (20 + silent_s) * S:
                dead.update([2, 3])
            return await super().start(unit, pdu, rank)

    places = [(unit, 0, 500) for unit in (1, 2, 3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(run.__globals__, "Line", Stumbling)
        line = run(places, dead=dead)
    assert reads(line)[1, 0] >= 0.9 * 600 * 2, "its neighbour loses less than a tenth all the same"
    if silent_s < 600:
        for unit in (2, 3):
            back = next(at for at, one, _ in line.asked if one == unit and at >= (20 + silent_s) * S)
            assert back <= (20 + silent_s + 12) * S


def test_when_nobody_answers_any_more_the_connection_is_given_up_soon() -> None:
    dead: set[int] = set()
    places = [(unit, 0, 500) for unit in range(1, 9)]
    line: list[Line] = []

    class Dying(Line):
        @override
        async def start(self, unit: int, pdu: bytes, rank: Rank) -> asyncio.Future[bytes]:
            line.append(self)
            if self._clock.ns > 20 * S:
                dead.update(range(1, 9))
            return await super().start(unit, pdu, rank)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(run.__globals__, "Line", Dying)
        with pytest.raises(ConnectionLost, match="no answer to 3 requests"):
            run(places, dead=dead)
    assert line[-1].asked[-1][0] + TIMEOUT_NS <= 20 * S + 4 * S


async def test_turns_go_by_rank_and_then_by_arrival() -> None:
    turns = Turns(1)
    taken: list[str] = []

    async def take(name: str, rank: Rank) -> None:
        await turns.take(rank)
        taken.append(name)
        await asyncio.sleep(0)
        turns.give_back()

    async with asyncio.TaskGroup() as group:
        for name, rank in [("a", Rank.CYCLE), ("b", Rank.CYCLE), ("c", Rank.NOW), ("d", Rank.WRITE), ("e", Rank.WRITE)]:
            group.create_task(take(name, rank))
    assert taken == ["a", "d", "e", "c", "b"]


async def test_the_line_is_left_alone_between_turns() -> None:
    turns = Turns(1, 0.01)
    loop = asyncio.get_running_loop()
    await turns.take(Rank.CYCLE)
    since = loop.time()
    turns.give_back()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(turns.take(Rank.CYCLE))
        await asyncio.sleep(0)
        first.cancel()
    await turns.take(Rank.CYCLE)
    assert loop.time() - since >= 0.01
