"""Tables from anywhere: what is read is what was written, and what is wrong is told with its line."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.bottleneck.complaint import Complaint
from linecontrol.bottleneck.table import Line, Table, read_table
from linecontrol.calendar import WorkCalendar
from linecontrol.config import ShiftConfig
from linecontrol.errors import LogUnusable
from linecontrol.flowline import Passage

few = settings(max_examples=60, derandomize=True, deadline=None, database=None)
HEAD = "unit,station,start,complete,departure\n"
GOOD = """unit,station,start,complete,departure
1,a,0,2,2
1,b,2,7,7
2,a,2,5,7
2,b,7,8,8
3,a,7,9,9
3,b,9,10,10
"""


def read(text: str, line: Line | None = None) -> Table:
    return read_table(text.splitlines(keepends=True), line)


def told(table: Table) -> list[tuple[int, str, str]]:
    return [(each.line, each.kind, each.level) for each in table.complaints]


def times(passages: Sequence[Passage]) -> list[tuple[int, float, float | None, float | None]]:
    return [(each.unit, each.start, each.complete, each.departure) for each in passages]


def only(table: Table) -> Complaint:
    (complaint,) = table.complaints
    return complaint


# --- what is written is what is read ------------------------------------------------------------------------

DURATIONS = st.integers(1, 500)


@st.composite
def lines(draw: st.DrawFn) -> list[list[tuple[int, int, int]]]:
    """Starts, completions and departures [unit][station] of a line without places between stations."""
    stations = draw(st.integers(1, 4))
    work = draw(st.lists(st.lists(DURATIONS, min_size=stations, max_size=stations), min_size=1, max_size=8))
    rows: list[list[tuple[int, int, int]]] = []
    for unit, each in enumerate(work):
        rows.append([])
        arrival = 0
        for station, time in enumerate(each):
            start = max(arrival, rows[unit - 1][station][2] if unit else 0)
            complete = start + time
            freed = rows[unit - 1][station + 1][2] if unit and station + 1 < stations else 0
            arrival = max(complete, freed)
            rows[unit].append((start, complete, arrival))
    return rows


@few
@given(
    lines(),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["number", "local", "zoned"]),
    st.randoms(use_true_random=False),
)
def test_a_table_reads_back_as_it_was_written(
    rows: list[list[tuple[int, int, int]]],
    delimiter: str,
    how: str,
    random: Random,
) -> None:
    def cell(time: int) -> str:
        if how == "number":
            text = str(time / 8)
            return text.replace(".", ",") if delimiter != "," else text
        moment = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(milliseconds=125 * time)
        return moment.isoformat(sep=" ") if how == "zoned" else moment.replace(tzinfo=None).isoformat()

    written = [
        delimiter.join([f"U{unit}", f'"S {station}"', *map(cell, each)])
        for unit, passed in enumerate(rows)
        for station, each in enumerate(passed)
    ]
    random.shuffle(written)
    head = delimiter.join(["Unit", "STATION", "start", "complete", "departure"])
    stations = [f"S {station}" for station in range(len(rows[0]))]
    table = read("\ufeff" + "\n".join([head, *written]), Line(stations=stations, resolution=0.0))
    assert table.complaints == []
    assert table.log.stations == stations
    scale = 0.125
    first = table.log.begin
    for station, passages in enumerate(table.log.passages):
        got = {
            table.log.units[unit]: tuple(None if time is None else time - first for time in each)
            for unit, *each in times(passages)
        }
        assert got == {f"U{unit}": tuple(time * scale for time in passed[station]) for unit, passed in enumerate(rows)}
        assert [row.start for row in passages] == sorted(row.start for row in passages)


@few
@given(lines())
def test_what_a_line_can_do_is_never_complained_about(rows: list[list[tuple[int, int, int]]]) -> None:
    text = HEAD + "\n".join(
        f"{unit},s{station},{start},{complete},{departure}"
        for unit, passed in enumerate(rows)
        for station, (start, complete, departure) in enumerate(passed)
    )
    table = read(text)
    assert table.complaints == []
    assert table.log.stations == [f"s{station}" for station in range(len(rows[0]))]
    assert set(table.log.layout.servers) == {1}


# --- columns and cells --------------------------------------------------------------------------------------


def test_header_names_in_any_case_order_and_word() -> None:
    table = read("END TIME;Serial No.;Start (h);Work-Station;Exit\n2,5;7;1,5;saw;3\n")
    assert table.log.units == ["7"]
    assert table.log.stations == ["saw"]
    assert times(table.log.passages[0]) == [(0, 1.5, 2.5, 3.0)]
    assert table.complaints == []


def test_an_unknown_column_is_told_with_the_nearest_name() -> None:
    complaint = only(read("unit,station,start,complete,plannd,colour\n1,a,0,1,1,\n".replace(",colour", "")))
    assert complaint == Complaint(
        1, "column 'plannd' is not known and left out; did you mean 'planned'?", "column", "note"
    )


def test_two_columns_for_one_thing() -> None:
    table = read("job,unit,station,start,complete\nx,1,a,0,1\n")
    assert table.log.units == ["1"]
    assert only(table).text == "column 'job' is left out: 'unit' is taken as 'unit'"


def test_a_column_that_is_needed_is_missing() -> None:
    with pytest.raises(
        LogUnusable, match=r"line 1: no column 'station' and 'complete'; the columns are 'unit', 'start'"
    ):
        read("unit,start\n1,0\n")


def test_no_rows_or_no_times() -> None:
    with pytest.raises(LogUnusable, match="a line that names the columns, and no rows"):
        read(HEAD)
    with pytest.raises(
        LogUnusable, match=r"no time can be read .* such as '02.03.2026 08:00' in line 2; write times as"
    ):
        read(HEAD + "1,a,02.03.2026 08:00,02.03.2026 09:00,\n")


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_table(text: str) -> None:
    with pytest.raises(LogUnusable, match="the table is empty"):
        read(text)


def test_a_table_without_any_time() -> None:
    with pytest.raises(LogUnusable, match="no time can be read"):
        read(HEAD + "1,a,soon,later,\n")


def test_no_row_left() -> None:
    with pytest.raises(LogUnusable, match="none of 1 rows can be used; line 2: complete 1 is before start 3"):
        read(HEAD + "1,a,3,1,\n")


def test_excel_tells_its_separator_and_blank_lines_count_as_lines() -> None:
    table = read("sep=;\nunit;station;start;complete\n\n1;a;0;1\n2;a;x;3\n")
    assert told(table) == [(5, "unreadable", "error")]


def test_quoted_cells_and_a_quote_that_never_ends() -> None:
    table = read('unit,station,start,complete\n"1","a, b",0,1\n2,"a, b,1,2\n3,a,2,3\n')
    assert table.log.stations == ["a, b"]
    assert told(table) == [(3, "cells", "error")]
    assert "up to line 4 can't be read" in only(table).text


@pytest.mark.parametrize(
    ("row", "kind", "text"),
    [
        ("4,b", "cells", "only 2 cells"),
        (",b,20,21,", "empty", "unit is empty"),
        ("4,,20,21,", "empty", "station is empty"),
        ("4,b,,,", "empty", "start is empty"),
        ("4,b,20,21,22,23", "cells", "6 cells, but 5 columns; if numbers have decimal commas, separate cells by ;"),
        ("4,b,2o,21,", "unreadable", "start: '2o' is not a number"),
        ("4,b,nan,21,", "unreadable", "start: 'nan' is not a number"),
        ('4,b,"1,234",21,', "unreadable", "without separators of thousands"),
        ("4,b,2026-03-02 08:00,21,", "unreadable", "is a date, but most times of this table are numbers"),
        ("4,b,21,20,", "backwards", "complete 20 is before start 21"),
        ("4,b,20,21,20.5", "backwards", "departure 20.5 is before complete 21"),
        ("3,b,9,10,10", "duplicate", "says the same as line 7"),
    ],
)
def test_a_row_that_can_not_be_true_is_left_out(row: str, kind: str, text: str) -> None:
    table = read(GOOD + row + "\n")
    assert told(table) == [(8, kind, "error")]
    assert text in only(table).text
    assert [times(each) for each in table.log.passages] == [times(each) for each in read(GOOD).log.passages]
    assert table.rows == 7


def test_numbers_keep_their_unit_and_any_difference_counts() -> None:
    log = read(GOOD).log
    assert (log.begin, log.end) == (0.0, 10.0)
    assert 0 < log.resolution < 1e-6


# --- dates --------------------------------------------------------------------------------------------------

DATES = """unit,station,start,complete
1,a,2026-03-02 08:00,2026-03-02 10:00
2,a,2026-03-02T10:07,2026-03-02T12:00
"""


def test_dates_become_seconds_since_the_first() -> None:
    log = read(DATES).log
    assert times(log.passages[0]) == [(0, 0.0, 7200.0, None), (1, 7620.0, 14400.0, None)]


def test_whole_minutes_are_the_resolution_of_long_cycles_only() -> None:
    assert read(DATES).log.resolution == 60.0
    short = read(DATES.replace("10:00", "08:05").replace("12:00", "10:12")).log
    assert short.resolution < 1e-6
    assert read(DATES, Line(resolution=5.0)).log.resolution == 5.0


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("2026-03-02 12:30Z", "has a time zone, but most times of this table are dates without a time zone"),
        ("7.5", "is a number, but most times of this table are dates without a time zone"),
        ("02.03.2026 12:30", "is not a date and time; write it as 2026-03-02 08:15:00"),
        ("2026-03-02", "has no time of day"),
    ],
)
def test_times_written_in_another_way_than_most(cell: str, text: str) -> None:
    table = read(DATES + f"3,a,{cell},2026-03-02 13:00\n")
    assert told(table) == [(4, "unreadable", "error")]
    assert text in only(table).text


def test_zones_are_understood() -> None:
    head = "unit,station,start,complete\n"
    log = read(head + "1,a,2026-03-02T08:00:00+04:00,2026-03-02T04:30:00Z\n").log
    assert times(log.passages[0]) == [(0, 0.0, 1800.0, None)]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [("9000", 9000.0), ("2h30m", 9000.0), ("150min", 9000.0), ("2:30", 9000.0), ("0:01:30.5", 90.5)],
)
def test_planned_times_of_dates(cell: str, seconds: float) -> None:
    text = f"unit,station,start,complete,planned\n1,a,2026-03-02 08:00,2026-03-02 10:00,{cell}\n"
    assert read(text).log.planned == [{"": seconds}]


CALENDAR = WorkCalendar(
    ZoneInfo("Asia/Baku"),
    {
        "day": ShiftConfig.model_validate(
            {"days": ["mon", "tue"], "start": "08:00", "end": "17:00", "breaks": [{"start": "12:00", "end": "13:00"}]}
        )
    },
)
BAKU = Line(calendar=CALENDAR, zone=ZoneInfo("Asia/Baku"))


def test_nights_and_breaks_are_no_working_time() -> None:
    head = "unit,station,start,complete\n"
    log = read(head + "1,a,2026-03-02 11:30,2026-03-02 13:30\n2,a,2026-03-02 16:00,2026-03-03 09:00\n", BAKU).log
    assert times(log.passages[0]) == [(0, 0.0, 3600.0, None), (1, 12600.0, 19800.0, None)]


def test_a_year_that_no_calendar_reaches() -> None:
    head = "unit,station,start,complete\n1,a,2026-03-02 08:00,2026-03-02 09:00\n"
    table = read(head + "2,a,2026-03-02 10:00,9026-03-02 11:00\n", BAKU)
    assert told(table) == [(3, "unreadable", "error")]
    assert "years from 1970 to 2199 are believed" in only(table).text


def test_a_cycle_outside_of_working_time_is_told() -> None:
    head = "unit,station,start,complete\n"
    table = read(head + "1,a,2026-03-02 08:00,2026-03-02 09:00\n2,a,2026-03-02 19:00,2026-03-02 20:00\n", BAKU)
    assert told(table) == [(3, "off_shift", "warning")]


# --- products, plans, states --------------------------------------------------------------------------------


def test_products_and_planned_times() -> None:
    table = read(
        "unit,station,start,complete,product,planned\n"
        "1,a,0,2,X,1.5\n1,b,2,3,X,1\n2,a,2,5,Y,2.5\n2,b,5,6,,1\n3,a,5,7,X,2.5\n3,b,7,8,Y,\n"
    )
    assert table.log.products == ["X", "Y", "X"]
    assert table.log.planned == [{"X": 2.0, "Y": 2.5}, {"X": 1.0, "Y": 1.0}]
    assert told(table) == [(6, "planned", "note"), (7, "product", "warning")]
    assert table.complaints[0].text == "planned of X at a is 2.5 here and 1.5 in line 2: the mean counts"


def test_a_planned_time_of_nothing_and_one_that_is_none() -> None:
    table = read("unit,station,start,complete,planned\n1,a,0,2,0\n2,a,2,5,-1\n3,a,5,7,2h\n")
    assert told(table) == [(2, "planned", "warning"), (3, "unreadable", "warning"), (4, "unreadable", "warning")]
    assert len(table.log.passages[0]) == 3


def test_states_within_the_cycle_and_causes_of_waits() -> None:
    (rows,) = read(
        "unit,station,start,complete,down,setup,blocked,starved,idle,unobserved,waited_for\n"
        "1,a,0,9,1,0.5,,2,0,,\n2,a,12,20,,,1.5,,,0.25,kit\n"
    ).log.passages
    assert (rows[0].stops, rows[0].waits, rows[0].own) == ({"down": 1.0, "setup": 0.5}, {"starved": 2.0}, 7.0)
    assert rows[0].departure is None
    assert (rows[1].waits, rows[1].before, rows[1].departure) == ({"unobserved": 0.25}, {"kit": 3.0}, 21.5)


def test_the_wait_for_a_cause_begins_when_unit_and_place_are_there() -> None:
    table = read("unit,station,start,complete,waited_for\n1,a,0,2,\n1,b,2,4,\n2,a,2,7,\n2,b,9,10,crane\n3,a,7,8,kit\n")
    assert table.log.passages[1][1].before == {"crane": 2.0}
    assert table.log.passages[0][2].before == {}


def test_states_longer_than_the_cycle() -> None:
    table = read("unit,station,start,complete,down,starved\n1,a,0,2,1.5,1.5\n2,a,2,4,1,\n")
    assert told(table) == [(2, "states", "warning")]
    assert table.log.passages[0][0].stops == {}


# --- rows that contradict each other ------------------------------------------------------------------------


def test_two_units_at_a_station_once() -> None:
    table = read(GOOD + "4,a,8.5,10,\n")
    assert told(table) == [(8, "together", "error")]
    assert only(table).text == (
        "unit 4 starts at a while unit 3 of line 6 is there; if several units can be there at once, say --servers a=2"
    )


@pytest.mark.parametrize("row", ["2,a,2,500,500", "2,a,-500,5,7"], ids=["ends too late", "starts too early"])
def test_one_row_that_contradicts_many_is_the_wrong_one(row: str) -> None:
    text = GOOD + "".join(f"{unit},a,{5 + unit},{6 + unit},{6 + unit}\n" for unit in range(4, 9))
    table = read(text.replace("2,a,2,5,7", row).replace("2,b,7,8,8\n", ""))
    assert told(table) == [(4, "together", "error")]
    assert [unit for unit, *_ in times(table.log.passages[0])] == [0, 2, 3, 4, 5, 6, 7]


TWINS = "unit,station,start,complete\n" + "".join(f"{u},a,{u},{u + 2}\n{u},b,{u + 2},{u + 3}\n" for u in range(8))


def test_two_units_at_a_station_again_and_again_are_twins() -> None:
    table = read(TWINS)
    assert table.log.layout.servers == (2, 1)
    assert table.complaints == []
    assert any("a often has 2 units at once: taken as 2 equal workplaces" in note for note in table.notes)


def test_told_that_there_are_no_twins_each_overlap_is_an_error() -> None:
    table = read(TWINS, Line(servers={"a": 1}))
    assert {kind for _, kind, _ in told(table)} == {"together"}
    assert [row.unit for row in table.log.passages[0]] == [0, 2, 4, 6]


def test_a_departure_after_the_next_start() -> None:
    table = read(GOOD.replace("1,b,2,7,7", "1,b,2,7,7.5"))
    assert told(table) == [(3, "early", "warning")]
    assert (
        only(table).text
        == "unit 1 departs 0.5 after the next unit starts there in line 5: departure taken as that start"
    )
    assert table.log.passages[1][0].departure == 7.0


def test_a_departure_after_the_start_at_the_next_station() -> None:
    table = read(HEAD + "1,a,0,2,2.5\n1,b,2,7,7\n")
    assert told(table) == [(2, "early", "warning")]
    assert table.log.passages[0][0].departure == 2.0


def test_a_unit_at_two_stations_at_once() -> None:
    table = read(GOOD.replace("3,b,9,10,10", "3,b,8,10,10"))
    assert told(table) == [(7, "two_places", "error")]
    assert "unit 3 starts at b while it is at a in line 6; if a and b build" in only(table).text


def test_a_station_out_of_order_is_kept_and_told() -> None:
    table = read(GOOD + "4,b,10,11,11\n4,a,11,12,12\n")
    assert told(table) == [(8, "order", "warning")]
    assert only(table).text == "unit 4 was at b before a (line 9), against the line's order"
    assert [row.unit for row in table.log.passages[1]] == [0, 1, 2, 3]


def test_rework_is_kept_and_told() -> None:
    table = read(GOOD + "1,b,10,11,11\n")
    assert told(table) == [(8, "order", "note")]
    assert [row.unit for row in table.log.passages[1]] == [0, 1, 2, 0]


def test_a_station_skipped() -> None:
    text = HEAD + "".join(f"{u},{s},{10 * u + i},{10 * u + i + 1},\n" for u in range(4) for i, s in enumerate("abc"))
    without = text.replace("2,b,21,22,\n", "")
    table = read(without)
    assert read(text.replace("2,b,21,22,", "2,b,21,20,")).complaints[1:] == []
    assert told(table) == [(8, "skipped", "warning"), (9, "skipped", "warning")]
    assert "unit 2 has no row at b, where later units went on" in table.complaints[0].text
    assert "unit 2 has no row at b, from where it should come" in table.complaints[1].text


def test_units_in_the_line_at_the_beginning_and_end_of_the_log_skip_nothing() -> None:
    table = read(HEAD + "1,b,0,1,\n2,a,0,1,\n2,b,1,2,\n3,a,1,2,\n3,b,2,3,\n4,a,2,3,\n")
    assert table.complaints == []


def test_running_cycles_are_no_error() -> None:
    table = read(GOOD + "4,a,9,,\n")
    assert table.complaints == []
    assert table.log.passages[0][-1].complete is None


def test_a_unit_that_never_ended_nor_went_on_is_left_out_when_the_next_one_came() -> None:
    table = read(GOOD + "4,a,9,,\n5,a,10,11,\n")
    assert told(table)[0] == (8, "unfinished", "error")
    assert [unit for unit, *_ in times(table.log.passages[0])][:3] == [0, 1, 2]


# --- missing times ------------------------------------------------------------------------------------------

WHOLE = """unit,station,start,complete,departure
1,a,0,2,2
1,b,2,5,5
2,a,2,4,5
2,b,5,8,8
3,a,5,6,8
3,b,8,12,12
"""


@pytest.mark.parametrize("line", range(2, 8))
def test_a_missing_start_is_when_unit_and_workplace_were_there(line: int) -> None:
    rows = WHOLE.splitlines()
    unit, station, start, complete, departure = rows[line - 1].split(",")
    rows[line - 1] = ",".join([unit, station, "", complete, departure])
    table = read("\n".join(rows))
    assert told(table) == [(line, "empty", "warning")]
    span = int(complete) - int(start)
    assert only(table).text == f"start is empty: taken as {span} before complete, when unit and workplace were there"
    assert [times(each) for each in table.log.passages] == [times(each) for each in read(WHOLE).log.passages]


def test_a_missing_completion_is_when_the_next_station_got_what_it_waited_for_else_as_usual() -> None:
    idle = WHOLE + "4,a,8,,13\n4,b,13,,14\n5,a,13,,\n"  # b waits for unit 4 from 12 to 13
    table = read(idle)
    assert told(table) == [(8, "empty", "warning"), (9, "empty", "warning")]
    assert times(table.log.passages[0])[3:] == [(3, 8.0, 13.0, 13.0), (4, 13.0, None, None)]
    assert times(table.log.passages[1])[3:] == [(3, 13.0, 14.0, 14.0)]
    held = read(WHOLE.replace("3,a,5,6,8", "3,a,5,,8"))  # b has work until 8
    assert times(held.log.passages[0])[2] == (2, 5.0, 7.0, 8.0)
    assert only(held).text == "complete is empty: taken as 2 after start, as far as the others tell"
    assert held.log.passages[0][2].measured is None
    assert read("\n".join(row.rsplit(",", 1)[0] for row in idle.splitlines()).replace("3,b,8,12", "3,b,8,")).rows == 9


def test_a_completion_at_the_last_station_is_before_the_next_start_there() -> None:
    table = read(WHOLE.replace("2,b,5,8,8", "2,b,5,,"))
    assert told(table) == [(5, "empty", "warning")]
    assert times(table.log.passages[1])[1] == (1, 5.0, 8.0, None)


def test_only_completions_are_known() -> None:
    rows = [row.split(",") for row in WHOLE.splitlines()]
    table = read(
        "\n".join(",".join([unit, at, "" if at != "station" else start, *rest]) for unit, at, start, *rest in rows)
    )
    assert times(table.log.passages[1]) == times(read(WHOLE).log.passages[1])
    assert {(kind, level) for _, kind, level in told(table)} == {("empty", "warning")}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("99,b,500000,500003,500003", "start lies 499962 after nearly all the others: a slip"),
        ("99,b,40,41,1e99", "departure lies 1e+99 after nearly all the others: a slip"),
        ("99,b,-5000,41,41", "start lies 5001 before nearly all the others: a slip"),
    ],
)
def test_a_time_far_from_all_others_is_a_slip(row: str, text: str) -> None:
    good = HEAD + "".join(f"{unit},b,{unit},{unit + 1},{unit + 1}\n" for unit in range(40))
    table = read(f"{good}{row}\n")
    assert told(table) == [(42, "far", "error")]
    assert only(table).text == text
    assert table.log.end == 40.0


# --- the order of stations ----------------------------------------------------------------------------------


def test_the_order_is_that_of_most_units() -> None:
    rows = [(unit, s, 10 * unit + i) for unit in range(5) for i, s in enumerate("cab" if unit else "abc")]
    table = read("unit,station,start,complete\n" + "".join(f"{u},{s},{t},{t + 1}\n" for u, s, t in rows))
    assert table.log.stations == ["c", "a", "b"]
    assert "the order of the stations was found from the flow: c, a, b" in table.notes


def test_an_order_that_can_not_be_found() -> None:
    with pytest.raises(LogUnusable, match="1 units passed a before b, 1 the other way round; say the order"):
        read(HEAD + "1,a,0,1,\n1,b,1,2,\n2,b,2,3,\n2,a,3,4,\n")


def test_a_circle_is_no_order() -> None:
    rows = [(unit, s, 10 * unit + i) for unit, pair in enumerate(["ab", "bc", "ca"]) for i, s in enumerate(pair)]
    with pytest.raises(LogUnusable, match="the order of the stations can't be found"):
        read("unit,station,start,complete\n" + "".join(f"{u},{s},{t},{t + 1}\n" for u, s, t in rows))


def test_stations_that_no_unit_passes_both() -> None:
    rows = [(u, s, 10 * u + i) for u in range(6) for i, s in enumerate(["a", f"paint{u % 2}", "z"])]
    table = read("unit,station,start,complete\n" + "".join(f"{u},{s},{t},{t + 1}\n" for u, s, t in rows))
    alone = [each for each in table.complaints if each.kind == "alone"]
    assert len(alone) == 1
    assert "no unit passes both paint0 and paint1: if they do the same work, give them one name" in alone[0].text


def test_a_station_that_is_not_in_the_given_order() -> None:
    table = read(GOOD + "3,c,10,11,11\n", Line(stations=["a", "b"]))
    assert told(table) == [(8, "station", "error")]


def test_a_slip_in_the_name_of_a_station() -> None:
    rows = "".join(
        f"{unit},{name},{unit + i},{unit + i + 1},\n" for unit in range(30) for i, name in enumerate(["cab", "paint"])
    )
    table = read(HEAD + rows.replace("\n7,paint,", "\n7,pait,").replace("29,paint", "29,Paint"))
    assert table.log.stations == ["cab", "paint"]
    assert told(table) == [(17, "station", "error"), (61, "station", "error")]
    assert table.complaints[0].text == (
        "station 'pait' has 1 rows, others about 28; did you mean 'paint'?; if it is one, say --stations"
    )


def test_a_given_station_that_has_no_row() -> None:
    with pytest.raises(LogUnusable, match=r"no row for station 'bb'; did you mean 'b'\?; the table has a, b"):
        read(GOOD, Line(stations=["a", "b", "bb"]))


def test_feeders_join_the_line() -> None:
    rows = [("cab1", 0, 2), ("cab2", 2, 4), ("frame", 0, 3), ("mount", 4, 6), ("test", 6, 7)]
    text = "unit,station,start,complete\n" + "".join(
        f"{u},{name},{begin + 4 * u},{end + 4 * u}\n" for u in range(4) for name, begin, end in rows
    )
    table = read(text, Line(feeders=[["cab1", "cab2", "mount"]]))
    assert table.complaints == []
    assert table.log.stations == ["frame", "cab1", "cab2", "mount", "test"]
    assert table.log.layout.following == (3, 2, 3, 4, -1)
