"""Every command of an operator in every state of an alarm, against a table."""

from itertools import product
from types import SimpleNamespace

import pytest

from linecontrol.model import AlarmState, FlagChanged, Operation
from linecontrol.model.observation import VERBS
from linecontrol.rules.alarm import Alarm, Gate

S = 10**9
MONDAY = 1_767_585_600 * S
FLAG = "r/plc"
REGIONS = ("raised", "unacked", "shelved", "suppressed", "out")

# verb: the region that it needs (or none), the region that it changes and to what, the transition that is told
TABLE: dict[str, tuple[str | None, str, bool, str]] = {
    "ack": ("unacked", "unacked", False, "acknowledged"),
    "shelve": (None, "shelved", True, "shelved"),
    "unshelve": ("shelved", "shelved", False, "unshelved"),
    "out_of_service": (None, "out", True, "out_of_service"),
    "in_service": ("out", "out", False, "in_service"),
}
# the first that holds decides
STATES = (
    ("out", AlarmState.OUT_OF_SERVICE),
    ("suppressed", AlarmState.SUPPRESSED),
    ("shelved", AlarmState.SHELVED),
)
BARE = {
    (False, False): AlarmState.NORMAL,
    (True, True): AlarmState.UNACKNOWLEDGED,
    (True, False): AlarmState.ACKNOWLEDGED,
    (False, True): AlarmState.RETURNED,
}


def regions_of(alarm: Alarm) -> dict[str, bool]:
    return {
        "raised": alarm.raised,
        "unacked": not alarm.acked,
        "shelved": alarm.shelf is not None,
        "suppressed": alarm.suppressed,
        "out": alarm.service is not None,
    }


def state_of(regions: dict[str, bool]) -> AlarmState:
    gated = next((state for region, state in STATES if regions[region]), None)
    return gated or BARE[regions["raised"], regions["unacked"]]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("start", list(product((False, True), repeat=len(REGIONS))))
def test_every_command_in_every_state(lab: SimpleNamespace, start: tuple[bool, ...], verb: str) -> None:
    room = lab.room_of(lab.plant({"r": {"each": "connection", "when": "not up", "ack": "required", "message": "m"}}))
    alarm = room.watched(FLAG).alarm
    regions = dict(zip(REGIONS, start, strict=True))
    gate = Gate("eva", "before", None)
    alarm.raised, alarm.acked, alarm.suppressed = regions["raised"], not regions["unacked"], regions["suppressed"]
    alarm.shelf, alarm.service = gate if regions["shelved"] else None, gate if regions["out"] else None
    said = room.operate(Operation(verb, FLAG, "ali", "because", MONDAY))
    needs, changes, value, transition = TABLE[verb]
    if needs is None or regions[needs]:
        regions[changes] = value
        (event,) = said
        assert isinstance(event, FlagChanged)
        assert (event.transition, event.by, event.reason, event.at_ns) == (transition, "ali", "because", MONDAY)
        assert (event.state, event.raised) == (state_of(regions), regions["raised"])
    else:
        assert not said
    assert regions_of(alarm) == regions
    assert alarm.state is state_of(regions)
    assert alarm.wants is (alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED))


def test_a_wish_about_no_flag_is_nothing(lab: SimpleNamespace) -> None:
    room = lab.room_of(lab.plant({}))
    assert not room.operate(Operation("ack", "r/plc", "ali", "", MONDAY))
    assert not room.operate(Operation("ack", "flood/line", "ali", "", MONDAY))
