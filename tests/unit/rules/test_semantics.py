"""What the reference page says of corners where a reader could take it two ways."""

from types import SimpleNamespace
from typing import Any

from linecontrol.model import AnyEvent, StateChanged, StationState

S = 10**9
MONDAY = 1_767_585_600 * S


def state(at_s: float, what: str) -> StateChanged:
    return StateChanged(
        at_ns=MONDAY + int(at_s * S), line="line", station="second", state=StationState(what),
        previous=StationState.IDLE, since_ns=MONDAY, previous_s=0.0, shift="day",
    )  # fmt: skip


def story(lab: SimpleNamespace, rule: dict[str, Any], events: list[AnyEvent], until_s: float) -> Any:
    room = lab.room_of(lab.plant({"r": {"each": "station", "only": ["line/second"], "message": "m", **rule}}))
    flags = lab.play(room, events, MONDAY + int(until_s * S))
    return [(flag.transition, (flag.at_ns - MONDAY) / S) for flag in flags]


def test_many_factors_are_read_in_no_time(lab: SimpleNamespace) -> None:
    rule = {"when": f"state_for{' * 1' * 57} >= 10 s"}
    assert story(lab, rule, [state(0, "down")], 60) == [("raised", 10.0)]


def test_limits_beyond_all_numbers_are_never_reached(lab: SimpleNamespace) -> None:
    huge = "999999999999 d" + " * 999999999999" * 40
    assert story(lab, {"when": f"state_for > {huge}"}, [state(0, "down")], 60) == []
    assert story(lab, {"when": f"state_for < {huge} - {huge}"}, [state(0, "down")], 60) == []
