"""The life of an alarm against a table, and laws that hold for any story."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.model import AlarmState
from linecontrol.rules.alarm import BLIND_AFTER_NS, Alarm, Life, acknowledge, due_ns, expire, feel

ACK = "ack"
TABLE = [
    # life, story of (moment, signal or ack or None for unknown, "t" for time alone), transitions
    (Life(), [(1, True), (4, True)], [("raised", 1), ("cleared", 4)]),
    (Life(10), [(1, True), (12, "t")], [("raised", 11)]),
    (Life(10), [(1, True), (5, False), (6, True), (20, "t")], [("raised", 16)]),
    (Life(10), [(1, True), (10, "t")], []),
    (Life(10), [(1, True), (5, None), (20, "t")], []),
    (Life(10), [(1, True), (5, None), (20, True), (20, "t")], [("raised", 20)]),
    (Life(10), [(1, True), (5, None), (6, True), (20, "t")], [("raised", 11)]),
    (Life(10), [(1, True), (5, None), (6, False), (20, "t")], []),
    (Life(0, 10), [(1, True), (2, True), (5, False), (6, True), (30, "t")], [("raised", 1), ("cleared", 16)]),
    (Life(ack=True), [(1, True), (2, True), (3, ACK), (4, ACK)],
     [("raised", 1), ("cleared", 2), ("acknowledged", 3)]),
    (Life(ack=True), [(1, True), (2, ACK), (3, True)], [("raised", 1), ("acknowledged", 2), ("cleared", 3)]),
    (Life(latch=True), [(1, True), (2, True), (9, "t"), (10, ACK)],
     [("raised", 1), ("acknowledged", 10), ("cleared", 10)]),
    (Life(latch=True), [(1, True), (2, ACK), (3, True)], [("raised", 1), ("acknowledged", 2), ("cleared", 3)]),
    (Life(), [(1, False), (2, None), (2 + BLIND_AFTER_NS, "t"), (3 + BLIND_AFTER_NS, False)],
     [("blind", 2 + BLIND_AFTER_NS), ("sighted", 3 + BLIND_AFTER_NS)]),
    (Life(), [(1, None), (2 + BLIND_AFTER_NS, "t")], []),
]  # fmt: skip


@pytest.mark.parametrize(("life", "story", "expected"), TABLE)
def test_life(life: Life, story: list[tuple[int, object]], expected: list[tuple[str, int]]) -> None:
    assert run(Alarm(), life, story) == expected


def run(alarm: Alarm, life: Life, story: list[tuple[int, object]]) -> list[tuple[str, int]]:
    steps = []
    for at, what in story:
        if what == ACK:
            steps += acknowledge(alarm, life, at)
        elif what == "t":
            steps += expire(alarm, life, at)
        else:
            steps += expire(alarm, life, at - 1)
            steps += feel(alarm, life, what, at)  # type: ignore[arg-type]
    return [(step.transition, step.at_ns) for step in steps]


@pytest.mark.parametrize(
    ("raised", "acked", "state"),
    [
        (False, True, AlarmState.NORMAL),
        (True, False, AlarmState.UNACKNOWLEDGED),
        (True, True, AlarmState.ACKNOWLEDGED),
        (False, False, AlarmState.RETURNED),
    ],
)
def test_state_in_the_words_of_the_standard(raised: bool, acked: bool, state: AlarmState) -> None:
    assert Alarm(raised=raised, acked=acked).state is state


STORIES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([True, False, None, ACK, "t"])), max_size=25).map(
    lambda story: sorted(story, key=lambda item: item[0])
)
LIVES = st.builds(Life, st.integers(0, 8), st.integers(0, 8), st.booleans(), st.booleans())


@given(LIVES, STORIES)
def test_raised_and_cleared_alternate_and_times_never_go_back(life: Life, story: list[tuple[int, object]]) -> None:
    alarm = Alarm()
    steps = run(alarm, life, story)
    process = [name for name, _ in steps if name in ("raised", "cleared")]
    assert process == ["raised", "cleared"] * (len(process) // 2) + ["raised"] * (len(process) % 2)
    assert [at for _, at in steps] == sorted(at for _, at in steps)
    due = due_ns(alarm, life)
    assert due is None or expire(alarm, life, due - 1) == []


@given(LIVES, STORIES)
def test_unknown_alone_never_raises_nor_clears(life: Life, story: list[tuple[int, object]]) -> None:
    alarm = Alarm()
    run(alarm, life, story)
    raised = alarm.raised
    at = max((moment for moment, _ in story), default=0)
    feel(alarm, life, None, at)
    expire(alarm, life, at + 10 * BLIND_AFTER_NS)
    assert alarm.raised is raised
