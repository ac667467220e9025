"""``linecontrol analyse`` end to end: small lines of which every figure is known, and errors that read well."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from linecontrol.bottleneck.analysis import Analysis, GainFigures, Scale, StationFigures, Window
from linecontrol.bottleneck.columns import SYNONYMS, find_columns
from linecontrol.bottleneck.complaint import Complaint
from linecontrol.cli import analyse

GANJA = Path(__file__).parents[2] / "config" / "ganja"
PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "judge-your-own-history.md").read_text()
TIMES = [[2, 5, 2], [3, 1, 4], [2, 6, 1], [4, 2, 3], [1, 3, 2]]


def run(*args: object) -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(analyse.command)
    result = CliRunner().invoke(app, [str(arg) for arg in args], env={"COLUMNS": "160"})
    return result.exit_code, result.stdout, result.stderr


def told(*args: object, code: int = 0) -> dict[str, Any]:
    found, output, errors = run(*args, "--json")
    assert found == code, errors
    answer: dict[str, Any] = json.loads(output)
    return answer


def rows(times: Sequence[Sequence[float]], places: Sequence[int]) -> list[tuple[int, str, float, float, float]]:
    """What a line with so many places behind its stations does with the times [unit][station]."""
    out: list[list[float]] = []
    found = []
    for unit, its in enumerate(times):
        out.append([])
        arrival = 0.0
        for station, time in enumerate(its):
            start = max(arrival, out[unit - 1][station] if unit else 0.0)
            leave = start + time
            if station + 1 < len(its) and (freed := unit - places[station] - 1) >= 0:
                leave = max(leave, out[freed][station + 1])
            found.append((unit, "abcdef"[station], start, start + time, leave))
            out[unit].append(leave)
            arrival = leave
    return found


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        file = tmp_path / "log.csv"
        file.write_text(text)
        return file

    return write


def table(rows: list[tuple[int, str, float, float, float]]) -> str:
    lines = [f"{unit},{station},{start},{complete},{leave}" for unit, station, start, complete, leave in rows]
    return "\n".join(["unit,station,start,complete,departure", *lines]) + "\n"


LONG = [[2 + (7 * unit + 3 * station) % 5 / 4 + (station == 1) for station in range(3)] for unit in range(80)]


@pytest.fixture
def log(write: Any) -> Path:
    file: Path = write(table(rows(LONG, [1, 0])))
    return file


# --- figures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [[0, 0], [1, 1], [0, 2]])
def test_a_share_is_what_a_little_less_time_at_a_station_gives(write: Any, places: list[int]) -> None:
    times = [
        [time + (3 * unit + station) ** 2 % 7 / 64 for station, time in enumerate(its)]
        for unit, its in enumerate(TIMES)
    ]
    answer = told(write(table(rows(times, places))), "--buffers", ",".join(map(str, places)))
    makespan = rows(times, places)[-1][-1]
    for station, name in enumerate("abc"):
        less = [[time * (1 - 2**-20 * (place == station)) for place, time in enumerate(its)] for its in times]
        gained = (makespan - rows(less, places)[-1][-1]) * 2**20 / makespan
        assert answer["shares"][name] == pytest.approx(gained, abs=1e-6)
    assert answer["waits"] == {}
    assert answer["window"]["end"] == makespan
    assert answer["buffers"] == dict(zip("ab", places, strict=True))
    assert answer["buffers_found"] is False


def test_pace_and_times_of_the_stations(write: Any) -> None:
    answer = told(write(table(rows(TIMES, [0, 0]))), "--buffers", "0")
    assert answer["takt"] == pytest.approx((22 - 9) / 4)
    assert answer["throughput"] == pytest.approx(4 / (22 - 9))
    by_name = {each["name"]: each for each in answer["stations"]}
    assert [by_name[name]["blocked"] for name in "abc"] == pytest.approx([5 / 22, 1 / 22, 0.0])
    assert by_name["c"]["starved"] == pytest.approx(1 - 12 / 22)
    assert [by_name[name]["cycles"] for name in "abc"] == [5, 5, 5]
    assert [by_name[name]["following"] for name in "abc"] == ["b", "c", None]


def test_the_slow_station_of_a_line_is_named(log: Path) -> None:
    answer = told(log, "--buffers", "1,0")
    assert answer["suspects"] == ["b"]
    assert max(answer["probability"], key=answer["probability"].get) == "b"
    assert sum(answer["probability"].values()) == pytest.approx(1.0)
    assert sum(answer["shares"].values()) + sum(answer["waits"].values()) == pytest.approx(1.0)
    assert "b" in answer["verdict"]
    assert answer["units"] == 80
    assert {each["method"] for each in answer["opinions"]} >= {"arrow"}


def test_buffers_are_found_from_the_log(log: Path) -> None:
    answer = told(log)
    assert answer["buffers"] == {"a": 1, "b": 0}
    assert answer["buffers_found"] is True


def test_some_buffers_told_and_the_rest_found(log: Path) -> None:
    answer = told(log, "--buffers", "a=1")
    assert answer["buffers"] == {"a": 1, "b": 0}
    assert answer["buffers_found"] is True


def test_waits_from_outside_are_charged_to_their_cause(write: Any) -> None:
    file = write(
        "unit,station,start,complete,waited_for\n1,a,0,2,\n1,b,2,3,\n2,a,2,4,\n2,b,7,8,crane\n3,a,4,6,\n3,b,8,9,\n"
    )
    answer = told(file, "--buffers", "5")
    assert answer["waits"] == pytest.approx({"crane": 3 / 9})
    assert sum(answer["shares"].values()) == pytest.approx(6 / 9)


def test_dates_are_told_in_hours(write: Any) -> None:
    lines = [
        f"{unit},{station},2026-03-02 {int(8 + start):02d}:00,2026-03-02 {int(8 + complete):02d}:00,2h"
        for unit, station, start, complete, _ in rows([[2, 3], [2, 3], [2, 3]], [0])
    ]
    answer = told(write("\n".join(["unit,station,start,complete,planned", *lines])), "--buffers", "0")
    assert answer["time_unit"] == "h"
    assert answer["takt"] == pytest.approx(3.0)
    assert answer["stations"][1]["planned"] == pytest.approx(2.0)
    assert answer["window"] == {
        "begin": 0.0,
        "end": 11.0,
        "first": "2026-03-02T08:00:00",
        "last": "2026-03-02T19:00:00",
    }


def test_the_same_seed_gives_the_same_bytes(log: Path) -> None:
    first, again = run(log, "--json", "--what-if", "b -10%"), run(log, "--json", "--what-if", "b -10%")
    assert first == again


# --- what-ifs and scale -------------------------------------------------------------------------------------


def test_what_if(log: Path) -> None:
    answer = told(log, "--buffers", "1,0", "--what-if", "b -10%", "--what-if", "B -10%; buffer a +1")
    single, both = answer["what_if"]
    assert (single["question"], both["question"]) == ("b -10%", "B -10%; buffer a +1")
    assert single["gain"] == pytest.approx(answer["gains"]["b"], rel=0.5)
    assert single["gain"]["likely"] == pytest.approx(answer["gains"]["b"]["likely"])
    assert both["gain"]["likely"] >= single["gain"]["likely"]


def test_a_mix_needs_products_that_there_are(write: Any, log: Path) -> None:
    assert "a mix needs the column 'product'" in run(log, "--what-if", "mix A=1")[2]
    text = table(rows(LONG, [1, 0])).splitlines()
    mixed = [text[0] + ",product", *(f"{line},{'AB'[int(line.split(',')[0]) % 2]}" for line in text[1:])]
    file = write("\n".join(mixed))
    assert told(file, "--what-if", "mix A=2,B=1")["what_if"][0]["question"] == "mix A=2,B=1"
    assert "no product 'C'; there are A, B" in flat(run(file, "--what-if", "mix C=1")[2])


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("d -10%", "no station 'd'; there are a, b, c"),
        ("b faster", "'b faster' is not understood; write 'paint -10%'"),
        ("b -100%", "b can't take -100 % of its time"),
        ("b -1 operator", "b has 1 workplaces: none would be left"),
        ("buffer c +1", "there is no buffer after c: it is the last station"),
        ("buffer b -1", "the buffer after b has 0 places: 1 can't be taken away"),
        ("b +1.5 operators", "1.5 is not a whole number"),
    ],
)
def test_questions_that_can_not_be_answered(log: Path, question: str, text: str) -> None:
    code, _, errors = run(log, "--buffers", "1,0", "--what-if", question)
    assert code == 2
    assert f"--what-if: {text}" in flat(errors)


def test_gains_on_the_scale_of_a_year(log: Path) -> None:
    answer = told(log, "--per-year", "1000")
    assert answer["scale"]["units"] == pytest.approx(1000 * answer["throughput"])
    assert told(log, "--per-year", "750 units")["scale"]["units"] == 750
    gain = told(log, "--per-year", "750 units")["gains"]["b"]
    assert gain["units"] == pytest.approx(750 * gain["likely"])
    assert gain["low"] <= gain["likely"] <= gain["high"]


# --- windows and working time -------------------------------------------------------------------------------


def test_windows(log: Path) -> None:
    assert told(log, "--window", 20)["stations"][2]["cycles"] == 20
    assert told(log, "--window", 500)["window"] == told(log)["window"]
    part = told(log, "--since", 50, "--until", 100)
    assert (part["window"]["begin"], part["window"]["end"]) == (50.0, 100.0)
    assert part["units"] < 80


SHIFTS = ("--shift", "mon-fri 08:00-17:00", "--break", "12:00-13:00", "--timezone", "Asia/Baku")
NIGHT = (
    "unit,station,start,complete\n1,a,2026-03-02 08:00,2026-03-02 11:00\n2,a,2026-03-02 11:00,2026-03-02 15:00\n"
    "3,a,2026-03-02 15:00,2026-03-03 09:00\n"
)


def test_shifts_and_breaks(write: Any) -> None:
    answer = told(write(NIGHT), *SHIFTS)
    assert answer["window"]["end"] == pytest.approx(9.0)
    assert answer["stations"][0]["effective"] == pytest.approx(3.0, rel=0.05)
    assert told(write(NIGHT), *SHIFTS[:-2]) == answer  # dates without a zone are as local as the shifts
    assert told(write(NIGHT))["window"]["end"] == pytest.approx(25.0)


def test_shifts_are_somewhere_if_dates_are(write: Any) -> None:
    zoned = write(NIGHT.replace(":00,", ":00+04:00,").replace(":00\n", ":00+04:00\n"))
    assert told(zoned, *SHIFTS)["window"]["end"] == pytest.approx(9.0)
    code, _, errors = run(zoned, *SHIFTS[:-2])
    assert code == 2
    assert "dates have a time zone, shifts are in local time: say where with --timezone" in errors


def test_what_was_never_measured_can_not_be_judged(write: Any) -> None:
    code, _, errors = run(write("unit,station,start,complete\n1,a,,2\n2,a,,3\n3,a,,5\n"))
    assert code == 2
    assert "nothing can be learnt" in errors


def test_working_time_from_a_config_folder(write: Any) -> None:
    answer = told(write(NIGHT), "--calendar", GANJA, "--line", "tractor")
    assert answer["window"]["end"] == pytest.approx(8 + 2 / 3)  # breaks of 10 minutes at 10:00 and 15:00


def test_silent_nights_that_count_as_working_time_are_told(write: Any) -> None:
    lines = [
        f"{day}{hour},a,2026-03-{day:02d} {hour:02d}:00,2026-03-{day:02d} {hour:02d}:50"
        for day in (2, 3, 4, 5, 6, 9, 10, 11)
        for hour in (8, 9, 10, 11, 13, 14, 15, 16)
    ]
    file = write("\n".join(["unit,station,start,complete", *lines]))
    notes = told(file)["notes"]
    assert any(
        "nothing ever begins or ends from 17:00 to 08:00 and on Saturdays and on Sundays, yet all of it" in note
        for note in notes
    )
    assert not any("nothing ever" in note for note in told(file, *SHIFTS)["notes"])


# --- people -------------------------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_doubts_last(write: Any) -> None:
    file = write(table(rows(LONG, [1, 0])) + "99,a,5,4,\n")
    code, output, _ = run(file, "--buffers", "1,0", "--what-if", "b -10%")
    lines = output.splitlines()
    assert code == 1
    assert "b" in lines[0].split()
    assert "241 rows, 1 left out." in output
    assert any(line.startswith("What if b -10%: +") for line in lines)
    assert lines[-1] == f"{file}:242: complete 4 is before start 5 (left out)"


def test_many_complaints_of_one_sort_are_cut_short(write: Any) -> None:
    file = write(table(rows(LONG, [1, 0])) + "99,a,5,4,\n" * 20)
    _, output, _ = run(file)
    assert output.splitlines()[-1] == "  … and 12 more of this sort; --json lists all"
    assert len(told(file, code=1)["complaints"]) == 20


def test_notes_alone_are_no_doubt(write: Any) -> None:
    text = table(rows(LONG, [1, 0])).replace("departure\n", "departure,colour\n")
    answer = told(write(text))
    assert [(each["line"], each["kind"], each["level"]) for each in answer["complaints"]] == [(1, "column", "note")]


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_picture_is_the_same_each_time(log: Path, tmp_path: Path, ending: str) -> None:
    first, again = tmp_path / f"first.{ending}", tmp_path / f"again.{ending}"
    for file in (first, again):
        assert run(log, "--buffers", "1,0", "--picture", file)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes().startswith(b"<?xml" if ending == "svg" else b"\x89PNG")


# --- usage --------------------------------------------------------------------------------------------------


def flat(text: str) -> str:
    """An error without the frame that it is shown in."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--buffers", "1,2,3"], "--buffers: 3 numbers for 2 gaps: a-b, b-c"),
        (["--buffers", "many"], "--buffers 'many': expected a number, a list such as 1,0,2, or paint=2"),
        (["--buffers", "d=1"], "--buffers: no station 'd'; there are a, b, c"),
        (["--buffers", "c=1"], "--buffers: nothing follows c, so there is no buffer after it"),
        (["--servers", "a"], "--servers 'a': expected STATION=NUMBER, 1 or more, such as paint=2"),
        (["--feeder", "x"], "--feeder 'x': expected stations joined by >, such as cab1>cab2>mount"),
        (["--stations", "a,b,a"], "--stations: 'a' is there twice"),
        (
            ["--shift", "someday 08:00-17:00", "--timezone", "UTC"],
            "expected days and times such as mon-fri 08:00-17:00",
        ),
        (
            ["--shift", "08:00-17:00", "--timezone", "Asia/Bakoo"],
            "no time zone 'Asia/Bakoo'; did you mean 'Asia/Baku'?",
        ),
        (["--break", "12:00-13:00"], "--break lies within a --shift; there is no --shift"),
        ([*SHIFTS, "--break", "18:00-19:00"], "--break '18:00-19:00' lies within no --shift"),
        (["--calendar", GANJA], "--calendar has several lines; say which: --line"),
        (["--calendar", GANJA, "--line", "tracto"], "no line 'tracto'; did you mean 'tractor'?"),
        (["--line", "tractor"], "there is no --calendar"),
        (["--per-year", "lots"], "expected working hours a year such as 1875"),
        (["--window", "5", "--since", "3"], "use one of them"),
        (["--since", "yesterday"], "--since: 'yesterday' is not a number"),
        (["--since", "900"], "--since and --until leave nothing of the table"),
        (["--picture", "a.jpg"], "the name must end in .svg or .png"),
    ],
)
def test_options_that_can_not_be_understood(log: Path, options: list[object], text: str) -> None:
    code, output, errors = run(log, *options)
    assert code == 2
    assert output == ""
    assert text in flat(errors)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the table is empty"),
        (b"PK\x03\x04 and more", "this is a workbook or an archive, not text: save the sheet as CSV"),
        (b"unit,station\n1,a\n", "line 1: no column 'start' and 'complete'; the columns are 'unit', 'station'"),
    ],
)
def test_files_that_can_not_be_judged(tmp_path: Path, content: bytes, text: str) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(content)
    code, output, errors = run(file)
    assert (code, output) == (2, "")
    assert errors.startswith(f"linecontrol: {file}: {text}")


def test_a_line_that_no_unit_left(write: Any) -> None:
    code, _, errors = run(write("unit,station,start,complete\n1,a,0,1\n1,b,1,\n"))
    assert code == 2
    assert "no unit was completed at the line's last station, b: nothing to judge" in errors


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    code, _, errors = run(tmp_path / "none.csv")
    assert code == 2
    assert errors == f"linecontrol: {tmp_path / 'none.csv'}: No such file or directory\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(table(rows(LONG, [1, 0])).replace(",b,", ",Gewölbe,").encode(encoding))
    assert list(told(file)["shares"]) == ["a", "Gewölbe", "c"]


def test_feeders_twins_limit_and_paced_lines_are_understood(write: Any) -> None:
    text = "unit,station,start,complete\n" + "".join(
        f"{u},{name},{begin + 4 * u},{end + 4 * u}\n"
        for u in range(12)
        for name, begin, end in [("cab", 0, 4), ("frame", 0, 3), ("mount", 4, 6)]
    )
    answer = told(write(text), "--feeder", "cab>mount", "--buffers", "0", "--limit", 9)
    assert {each["name"]: each["following"] for each in answer["stations"]} == {
        "frame": "mount",
        "cab": "mount",
        "mount": None,
    }
    assert answer["shares"]["cab"] > 0.9
    assert answer["limit"] == 9
    beat = "unit,station,start,complete\n" + "".join(
        f"{u},{name},{4 * (u + i)},{4 * (u + i) + time}\n"
        for u in range(12)
        for i, (name, time) in enumerate([("a", 4), ("b", 3)])
    )
    answer = told(write(beat), "--paced", "--buffers", "0")
    assert answer["paced"] is True
    assert answer["shares"]["a"] > 0.9


def flow(times: Sequence[Sequence[float]], limit: int | None = None, *, beat: float = 0.0) -> str:
    """A line with much room between its stations, with a limit of units, or with a beat in which all move on."""
    lines = ["unit,station,start,complete"]
    free = [0.0] * len(times[0])
    leaves: list[float] = []
    for unit, its in enumerate(times):
        arrival = leaves[unit - limit] if limit is not None and unit >= limit else 0.0
        for station, time in enumerate(its):
            start = beat * (unit + station) if beat else max(arrival, free[station])
            free[station] = arrival = start + time
            lines.append(f"{unit},{'abc'[station]},{start},{arrival}")
        leaves.append(arrival)
    return "\n".join(lines)


THREES = [[2 + (7 * unit + 3 * station) % 11 / 8 for station in range(3)] for unit in range(60)]


def test_a_limit_that_nobody_told_is_suspected(write: Any) -> None:
    file = write(flow(THREES, limit=2))
    said = "units come in when another one leaves: if no more than 2 may be in the line, say --limit"
    assert said in told(file)["notes"]
    assert said not in told(file, "--limit", 2)["notes"]
    assert told(file, "--limit", 2)["waits"] == {}
    assert not any("say --limit" in note for note in told(write(flow(THREES)))["notes"])


def test_a_pulse_line_that_nobody_told_is_suspected(write: Any) -> None:
    file = write(flow(THREES, beat=4.0))
    said = "all units seem to move on together: if the line is paced, say --paced"
    assert said in told(file)["notes"]
    assert said not in told(file, "--paced")["notes"]
    assert said not in told(write(table(rows(LONG, [1, 0]))))["notes"]


def test_many_rows_left_out_are_told_at_once(write: Any) -> None:
    output = run(write(table(rows(TIMES, [0, 0])) + "9,a,5,4,\n" * 5))[1]
    assert "25% of the rows were left out: mend that first" in output.splitlines()[:4]


# --- what the page says -------------------------------------------------------------------------------------


def test_the_table_on_the_page_is_read(write: Any) -> None:
    text = PAGE.split("```csv\n")[1].split("```")[0]
    answer = told(write(text))
    assert answer["complaints"] == []
    assert [each["name"] for each in answer["stations"]] == ["cab", "paint"]


def test_the_page_names_all_columns_and_only_words_that_are_understood() -> None:
    rows_ = [
        line.split("|")
        for line in PAGE.split("| column | holds |")[1].split("\n\n")[0].splitlines()
        if line.startswith("| `")
    ]
    named = [name.strip(" `") for row in rows_ for name in row[1].split(",")]
    assert sorted(named) == sorted(SYNONYMS)
    for row in rows_:
        for word in row[3].replace(";", ",").split(","):
            assert find_columns([word.strip()]).at, word


def test_the_page_names_all_options_keys_and_kinds() -> None:
    app = typer.Typer(add_completion=False)
    app.command()(analyse.command)
    options = [option for param in typer.main.get_command(app).params for option in param.opts]
    assert [option for option in options if option.startswith("--") and option not in PAGE] == []
    structs = (Analysis, Complaint, GainFigures, Scale, StationFigures, Window)
    keys = [key for each in structs for key in each.__struct_fields__]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []
    kinds = (Complaint.__doc__ or "").split("closed list of words:")[1].split("``")[1::2]
    assert [kind for kind in kinds if f"`{kind}`" not in PAGE] == []
