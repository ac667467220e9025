from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol_modbus.plan import Block, Span, plan, split
from linecontrol_modbus.settings import Table

MOST = 8


@st.composite
def anywhere(draw: st.DrawFn) -> list[Span]:
    """Spans of two units and two tables, some one over another."""
    place = st.tuples(st.integers(1, 2), st.sampled_from([Table.HOLDING, Table.COIL]), st.integers(0, 200))
    drawn = draw(st.lists(st.tuples(place, st.integers(1, MOST)), max_size=30))
    return [Span(*place, 1 if place[1].of_bits else count, str(n)) for n, (place, count) in enumerate(drawn)]


@st.composite
def in_a_row(draw: st.DrawFn) -> list[Span]:
    """A few spans of one table that don't overlap."""
    spans: list[Span] = []
    end = 0
    for hole, count in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), min_size=1, max_size=6)):
        spans.append(Span(1, Table.INPUT, end + hole, count, str(len(spans))))
        end = spans[-1].end
    return draw(st.permutations(spans))


def inside(block: Block) -> bool:
    return all(block.address <= span.address and span.end <= block.address + block.count for span in block.spans)


@settings(derandomize=True, database=None, deadline=None)
@given(spans=anywhere(), gap=st.integers(0, 20))
def test_each_tag_is_read_once_and_whole_within_the_limits(spans: list[Span], gap: int) -> None:
    blocks = plan(spans, gap, max_registers=MOST, max_bits=3 * MOST)
    assert sorted(span for block in blocks for span in block.spans) == sorted(spans)
    for block in blocks:
        assert inside(block)
        assert {(span.unit, span.table) for span in block.spans} == {(block.unit, block.table)}
        assert block.count <= (3 * MOST if block.table.of_bits else MOST)
        covered = {place for span in block.spans for place in range(span.address, span.end)}
        holes = [after - before - 1 for before, after in pairwise(sorted(covered))]
        assert max(holes, default=0) <= (16 * gap if block.table.of_bits else gap)


def fewest(spans: Sequence[Span], gap: int) -> int:
    """Fewest sets into which spans can be parted, tried one by one."""

    def allowed(group: list[Span]) -> bool:
        run = sorted(group)
        holes = (after.address - before.end for before, after in pairwise(run))
        return run[-1].end - run[0].address <= MOST and all(hole <= gap for hole in holes)

    def count(left: Sequence[Span], groups: list[list[Span]]) -> int:
        if not left:
            return len(groups) if all(map(allowed, groups)) else len(spans)
        joined = [[*groups[:n], [*group, left[0]], *groups[n + 1 :]] for n, group in enumerate(groups)]
        return min(count(left[1:], option) for option in [*joined, [*groups, [left[0]]]])

    return count(spans, [])


@settings(derandomize=True, database=None, deadline=None)
@given(spans=in_a_row(), gap=st.integers(0, 6))
def test_there_is_no_plan_with_fewer_blocks(spans: list[Span], gap: int) -> None:
    assert len(plan(spans, gap, max_registers=MOST, max_bits=MOST)) == fewest(spans, gap)


@settings(derandomize=True, database=None, deadline=None)
@given(spans=anywhere())
def test_a_block_can_be_split_down_to_single_addresses(spans: list[Span]) -> None:
    waiting, single = plan(spans, 20, max_registers=MOST, max_bits=100), []
    while waiting:
        block = waiting.pop()
        if parts := split(block):
            assert parts[0].spans + parts[1].spans == block.spans
            assert all(map(inside, parts))
            waiting += parts
        else:
            single.append(block)
    assert all(len({span.address for span in block.spans}) == 1 for block in single)
    assert sorted(span for block in single for span in block.spans) == sorted(spans)


def test_a_block_is_split_at_its_widest_hole() -> None:
    spans = [Span(1, Table.HOLDING, address, 1, str(address)) for address in (0, 1, 3, 4, 5, 6, 7, 12)]
    [block] = plan(spans, 8, 125, 2000)
    assert [str(part) for part in split(block) or ()] == ["unit 1 holding 0..7", "unit 1 holding 12"]
