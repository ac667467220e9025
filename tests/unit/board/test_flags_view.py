"""What the board says of flags: their state in plain words, and what a person may want of each."""

from zoneinfo import ZoneInfo

import pytest

from linecontrol.board.flags_view import FlagsView
from linecontrol.board.page import FlagRow
from linecontrol.config import Config
from linecontrol.model.event import FlagChanged, RulesChanged
from linecontrol.model.observation import VERBS
from linecontrol.model.state import AlarmState, Severity

S = 10**9
NOON = 1_795_507_200 * S  # 2026-11-24T08:00Z, 12:00 in Baku
HOUR = 3600 * S
CONFIG = Config.model_validate(
    {
        "plant": {"site": "Ganja", "area": "Assembly", "timezone": "Asia/Baku"},
        "calendar": {"shifts": {"day": {"days": ["mon"], "start": "08:00", "end": "17:00"}}},
        "families": {},
        "products": {},
        "connections": {},
        "lines": {},
        "rules": {"asked": {"each": "line", "when": "true", "ack": "required", "message": "m"}},
    }
)


def flag(state: AlarmState, transition: str = "raised", name: str = "r/x", **more: object) -> FlagChanged:
    values = {
        "at_ns": NOON, "flag": name, "rule": name.partition("/")[0], "line": "", "station": "", "state": state,
        "transition": transition, "severity": Severity.WARNING, "raised_ns": NOON - HOUR, "raised": True,
        "text": f"text of {name}",
    }  # fmt: skip
    return FlagChanged(**{**values, **more})  # type: ignore[arg-type]


def shown(*events: FlagChanged) -> tuple[list[FlagRow], list[FlagRow]]:
    view = FlagsView(CONFIG, ZoneInfo("Asia/Baku"))
    for event in events:
        view.apply(event)
    return view.open(NOON), view.aside(NOON)


FIRST = flag(AlarmState.ACKNOWLEDGED, name="r/first")


@pytest.mark.parametrize(
    ("event", "word", "letter"),
    [
        (flag(AlarmState.UNACKNOWLEDGED), "Warning, not acknowledged", "B"),
        (flag(AlarmState.ACKNOWLEDGED), "Warning, standing", "C"),
        (flag(AlarmState.ACKNOWLEDGED, name="asked/x"), "Warning, acknowledged", "C"),
        (flag(AlarmState.RETURNED, raised=False), "Warning, over, not acknowledged", "D"),
        (flag(AlarmState.UNACKNOWLEDGED, "blind"), "Warning, not acknowledged, can't be checked now", "B"),
    ],
)
def test_open_flags_in_plain_words(event: FlagChanged, word: str, letter: str) -> None:
    ((row,), aside) = shown(event)
    assert (row.word, row.letter, row.since, aside) == (word, letter, "11:00", [])
    assert set(row.verbs) < set(VERBS)


@pytest.mark.parametrize(
    ("event", "word", "letter"),
    [
        (flag(AlarmState.SHELVED, until_ns=NOON + HOUR), "Warning, shelved until 13:00", "G"),
        (flag(AlarmState.SHELVED, raised=False), "Warning, shelved, not raised now", "G"),
        (flag(AlarmState.OUT_OF_SERVICE), "Warning, out of service", "I"),
        (flag(AlarmState.OUT_OF_SERVICE, until_ns=NOON + 48 * HOUR), "Warning, out of service until Thu 12:00", "I"),
        (flag(AlarmState.SUPPRESSED, suppressed_by="andon"), "Warning, suppressed by andon", "H"),
        (flag(AlarmState.SUPPRESSED, suppressed_by="flood/x"), "Warning, suppressed by a flood of flags", "H"),
        (
            flag(AlarmState.SUPPRESSED, suppressed_by="first out: r/first"),
            "Warning, suppressed by what came first: text of r/first",
            "H",
        ),
    ],
)
def test_flags_put_aside_in_plain_words(event: FlagChanged, word: str, letter: str) -> None:
    ((first,), (row,)) = shown(FIRST, event)
    assert first.flag == "r/first"
    assert (row.word, row.letter) == (word, letter)


def test_who_put_a_flag_aside_and_why_stays_to_be_read() -> None:
    shelved = flag(AlarmState.SHELVED, "shelved", by="ali", reason="known")
    cleared = flag(AlarmState.SHELVED, "cleared", raised=False)
    back = flag(AlarmState.ACKNOWLEDGED, "unshelved")
    assert [row.why for row in shown(shelved, cleared)[1]] == ["ali: known"]
    assert [row.why for row in shown(shelved, cleared, back)[0]] == [""]


def test_what_is_suppressed_and_over_is_not_listed() -> None:
    gone = flag(AlarmState.SUPPRESSED, "cleared", raised=False, suppressed_by="andon")
    assert shown(flag(AlarmState.SUPPRESSED, suppressed_by="andon"), gone) == ([], [])


# --- other rules ----------------------------------------------------------------------------------------------


def test_a_renamed_flag_is_shown_under_its_present_name_and_is_not_closed() -> None:
    view = FlagsView(CONFIG, ZoneInfo("Asia/Baku"))
    for event in (
        flag(AlarmState.ACKNOWLEDGED, name="r/x"),
        flag(AlarmState.NORMAL, "renamed", name="r/x"),
        flag(AlarmState.ACKNOWLEDGED, "renamed", name="q/x"),
    ):
        view.apply(event)
    assert [row.flag for row in view.open(NOON)] == ["q/x"]
    assert view.closed(NOON) == []


def test_what_closed_says_why_if_somebody_or_a_reload_did_it() -> None:
    view = FlagsView(CONFIG, ZoneInfo("Asia/Baku"))
    view.apply(flag(AlarmState.ACKNOWLEDGED))
    view.apply(flag(AlarmState.NORMAL, "cleared", raised=False, reason="the rule was removed"))
    assert [row.why for row in view.closed(NOON)] == ["the rule was removed"]


def test_a_reload_is_listed_and_its_words_are_used() -> None:
    view = FlagsView(CONFIG, ZoneInfo("Asia/Baku"))
    view.apply(flag(AlarmState.ACKNOWLEDGED, name="asked/x"))
    rules = {"asked": CONFIG.rules["asked"].model_copy(update={"ack": "auto"})}
    view.follow(CONFIG.model_copy(update={"rules": rules}))
    view.apply(
        RulesChanged(at_ns=NOON, by="eva", added=[], changed=["asked"], removed=[], renamed=[], settings=False, kept=1)
    )
    assert [row.text for row in view.closed(NOON)] == ["eva: rules: changed asked"]
    assert [row.word for row in view.open(NOON)] == ["Warning, standing"]
