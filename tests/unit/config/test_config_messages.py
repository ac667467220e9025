# ruff: noqa: E501
"""One change to a valid plant, and exactly what is said of it."""

from collections.abc import Callable

import pytest

from tests.unit.config.conftest import PLANT

TABLE: list[tuple[str, str, list[str]]] = [
    (
        "timezone: Asia/Baku",
        "timezone: Asia/Bakoo",
        ["plant/all.yaml:1:37: plant.timezone: no time zone named 'Asia/Bakoo'; did you mean 'Asia/Baku'?"],
    ),
    (
        "holidays: AZ",
        "holidays: QQ",
        [
            "plant/all.yaml:6:13: calendar.holidays: no public holidays are known for 'QQ'; write the country's ISO 3166 code, such as AZ"
        ],
    ),
    (
        'start: "08:00"',
        'start: "8"',
        ["plant/all.yaml:4:37: calendar.shifts.day.start: '8' is not a time of day; write HH:MM, such as 08:00"],
    ),
    (
        'start: "08:00", end: "17:00"',
        'start: "05:00", end: "17:00"',
        [
            "plant/all.yaml:27:19: lines.main.shifts[1]: shift 'night' (22:00 to 06:00) overlaps shift 'day' "
            "(05:00 to 17:00)"
        ],
    ),
    (
        "days: [mon, sun]",
        "days: [mon, funday]",
        [
            "plant/all.yaml:5:25: calendar.shifts.night.days[1]: 'funday' is not allowed; allowed are mon, tue, wed, thu, fri, sat, sun"
        ],
    ),
    (
        '[{start: "12:00", end: "13:00"}]',
        '[{start: "12:00", end: "18:00"}]',
        ["plant/all.yaml:4:68: calendar.shifts.day.breaks[0]: the break is not within the shift, 08:00 to 17:00"],
    ),
    (
        '[{start: "12:00", end: "13:00"}]',
        '[{start: "12:00", end: "13:00"}, {start: "12:30", end: "13:30"}]',
        ["plant/all.yaml:4:100: calendar.shifts.day.breaks[1]: the break begins before the one above it ends"],
    ),
    (
        "shifts: [day, night]",
        "shifts: [day, nigth]",
        ["plant/all.yaml:27:19: lines.main.shifts[1]: no shift named 'nigth'; did you mean 'night'?"],
    ),
    (
        "shifts: [day, night]",
        "shifts: [day, day]",
        ["plant/all.yaml:27:19: lines.main.shifts[1]: shift 'day' is there twice"],
    ),
    ("shifts: [day, night]", "shifts: []", ["plant/all.yaml:27:5: lines.main.shifts: is empty; give at least one"]),
    (
        "code: 1, kit: k1",
        "code: 1, kit: k2",
        ["plant/all.yaml:11:48: products.p1.kit: no kit named 'k2'; there are k1"],
    ),
    (
        "p2: {title: Two, family: pump",
        "p2: {title: Two, family: pmp",
        ["plant/all.yaml:12:28: products.p2.family: no family named 'pmp'; did you mean 'pump'?"],
    ),
    (
        "code: 2}",
        "code: 1}",
        ["plant/all.yaml:12:40: products.p2.code: 1 is the code of 'p1' too, which 'main' also builds"],
    ),
    (
        "line: main, year",
        "line: mian, year",
        ["plant/all.yaml:15:30: targets.year.line: no line named 'mian'; did you mean 'main'?"],
    ),
    (
        "{family: pump, line: main, year: 2026, units: 10}",
        "{family: other, line: main, year: 2026, units: 10}",
        ["plant/all.yaml:15:18: targets.year.family: line 'main' doesn't build family 'other'"],
    ),
    (
        "  year: {family",
        "  twin: {family: pump, line: main, year: 2026, units: 10}\n  year: {family",
        ["plant/all.yaml:16:3: targets.year: the same family, line and year as target 'twin'"],
    ),
    (
        "units: 10}",
        "units: 10, opening: {day: 2025-01-01, units: 1}}",
        ["plant/all.yaml:15:74: targets.year.opening.day: 2025-01-01 is not in 2026"],
    ),
    ("units: 10}", "units: 0}", ["plant/all.yaml:15:55: targets.year.units: 0 must be greater than 0"]),
    (
        "due: 2026-06-01",
        "due: 2025-06-01",
        ["plant/all.yaml:17:74: commitments.deal.due: 2025-06-01 is before the start, 2026-01-01"],
    ),
    (
        "due: 2026-06-01",
        "due: 2026-13-01",
        ["plant/all.yaml:17:74: commitments.deal.due: '2026-13-01' can't be understood as a day"],
    ),
    ("market: Turkey, ", "", ["plant/all.yaml:17:3: commitments.deal.market: is missing"]),
    (
        "kits: {k1: 3}",
        "kits: {k9: 3}",
        ["plant/all.yaml:21:36: deliveries.d1.kits.k9: no kit named 'k9'; there are k1"],
    ),
    (
        "host: 127.0.0.1",
        "host: 127.0.0.1, poll: 2s",
        [
            "plant/all.yaml:23:3: connections.plc: signals of one moment may arrive 2s apart, one round after the "
            "other, which engine: lateness: 1s does not wait for; look more often, or set lateness to 4s or more"
        ],
    ),
    (
        "host: 127.0.0.1",
        "host: 127.0.0.1, reorder: 1s",
        [
            "plant/all.yaml:23:51: connections.plc.reorder: readings are held back for 1s, and time does not wait for "
            "them: engine: lateness: is 1s; set lateness to 2s or more, or hold back for less"
        ],
    ),
    (
        "host: 127.0.0.1",
        "host: 127.0.0.1, reorder: 3h",
        [
            "plant/all.yaml:23:51: connections.plc.reorder: readings would be held back for 10800s, as long as a whole "
            "cycle: the shortest planned one of its stations takes 3000s; a window need only be as long as one reading "
            "may take longer than another"
        ],
    ),
    (
        "driver: modbus",
        "driver: modbuss",
        ["plant/all.yaml:23:17: connections.plc.driver: no driver named 'modbuss'; did you mean 'modbus'?"],
    ),
    (
        "host: 127.0.0.1",
        "hots: 127.0.0.1",
        [
            "plant/all.yaml:23:25: connections.plc.hots: unknown key 'hots'; did you mean 'host'?",
        ],
    ),
    (
        "connection: plc",
        "connection: plcs",
        ["plant/all.yaml:28:17: lines.main.connection: no connection named 'plcs'; did you mean 'plc'?"],
    ),
    (
        "    connection: plc\n",
        "",
        [
            "plant/all.yaml:34:11: lines.main.stations.first.signals.cycle_start: has no connection: name one here, or one for the whole line",
            "plant/all.yaml:35:11: lines.main.stations.first.signals.cycle_complete: has no connection: name one here, or one for the whole line",
            "plant/all.yaml:37:11: lines.main.stations.first.commands.andon: has no connection: name one here, or one for the whole line",
            "plant/all.yaml:43:11: lines.main.stations.second.signals.state: has no connection: name one here, or one for the whole line",
            "plant/all.yaml:48:11: lines.main.stations.third.signals.cycle_count: has no connection: name one here, or one for the whole line",
        ],
    ),
    (
        "families: [pump]",
        "families: [pumps]",
        ["plant/all.yaml:29:16: lines.main.families[0]: no family named 'pumps'; did you mean 'pump'?"],
    ),
    (
        "cycle_by: count",
        "cycle_by: counts",
        [
            "plant/all.yaml:47:19: lines.main.stations.third.cycle_by: 'counts' is not allowed; allowed are start_complete, state, count, part_present, cycle_time; did you mean 'count'?"
        ],
    ),
    (
        "cycle_by: count",
        "cycle_by: part_present",
        [
            "plant/all.yaml:48:9: lines.main.stations.third.signals: cycle_by: part_present can't do without part_present"
        ],
    ),
    (
        "          cycle_complete: {discrete: 2}\n",
        "",
        [
            "plant/all.yaml:34:9: lines.main.stations.first.signals: cycle_by: start_complete can't do without cycle_complete"
        ],
    ),
    (
        "cycle_start: {discrete: 1}",
        "cycle_sart: {discrete: 1}",
        [
            "plant/all.yaml:35:11: lines.main.stations.first.signals.cycle_sart: 'cycle_sart' is not allowed; allowed are state, running, fault, blocked, starved, cycle_start, cycle_complete, cycle_count, cycle_time, part_present, unit_id, product, good_count, reject_count, buffer_level, andon_call; did you mean 'cycle_start'?"
        ],
    ),
    (
        "cycle_start: {discrete: 1}",
        "cycle_start: {holding: 1}",
        [
            "plant/all.yaml:35:11: lines.main.stations.first.signals.cycle_start: the signal carries a whole number, but cycle_start is true or false"
        ],
    ),
    (
        "cycle_start: {discrete: 1}",
        "cycle_start: {discrete: 1, coil: 2}",
        [
            "plant/all.yaml:35:11: lines.main.stations.first.signals.cycle_start: give exactly one of holding, input, coil, discrete and reference, not coil and discrete"
        ],
    ),
    (
        "cycle_complete: {discrete: 2}",
        "cycle_complete: {discrete: 1, unit: 1}",
        [
            "plant/all.yaml:36:11: lines.main.stations.first.signals.cycle_complete: unit 1 discrete 1 is that of main/first/cycle_start already, at plant/all.yaml:35:11"
        ],
    ),
    (
        "state: {holding: 10}",
        "state: {holding: 10, typ: uint16}",
        ["plant/all.yaml:44:32: lines.main.stations.second.signals.state.typ: unknown key 'typ'; did you mean 'type'?"],
    ),
    (
        "state: {holding: 10}",
        "state: {holding: 10, connection: pcl}",
        [
            "plant/all.yaml:44:44: lines.main.stations.second.signals.state.connection: no connection named 'pcl'; did you mean 'plc'?"
        ],
    ),
    (
        "state: {holding: 10}",
        "state: {holding: 21}",
        [
            "plant/all.yaml:49:11: lines.main.stations.third.signals.cycle_count: unit 1 holding 21 bit 0 is that of main/second/state already, at plant/all.yaml:44:11"
        ],
    ),
    (
        "andon: {holding: 100}",
        "andon: {coil: 100}",
        [
            "plant/all.yaml:38:11: lines.main.stations.first.commands.andon: the signal carries true or false, but andon is a whole number"
        ],
    ),
    (
        "execute: working",
        "exekute: working",
        [
            "plant/all.yaml:42:39: lines.main.stations.second.states.exekute: 'exekute' is no PackML state; did you mean 'execute'?"
        ],
    ),
    (
        "execute: working",
        "execute: wroking",
        [
            "plant/all.yaml:42:39: lines.main.stations.second.states.execute: 'wroking' is not allowed; allowed are working, complete, blocked, starved, down, setup, idle; did you mean 'working'?"
        ],
    ),
    (
        "before: second",
        "before: third",
        ["plant/all.yaml:51:34: lines.main.buffers.b1.before: 'third' doesn't follow 'first': 'second' does"],
    ),
    (
        "before: second",
        "before: secnd",
        ["plant/all.yaml:51:34: lines.main.buffers.b1.before: no station named 'secnd'; did you mean 'second'?"],
    ),
    (
        "      b1: {after",
        "      b2: {after: first, before: second, capacity: 2}\n      b1: {after",
        ["plant/all.yaml:52:7: lines.main.buffers.b1: buffer 'b2' is between these stations already"],
    ),
    (
        "capacity: 1",
        "capacity: 0",
        ["plant/all.yaml:51:52: lines.main.buffers.b1.capacity: 0 must be greater than or equal to 1"],
    ),
    (
        "second: {p1: 1h, p2: 1h}",
        "second: {p1: 1h}",
        ["plant/all.yaml:56:11: lines.main.standards[0].times.second: no planned time at station 'second' for p2"],
    ),
    (
        "          second: {p1: 1h, p2: 1h}\n",
        "",
        ["plant/all.yaml:54:9: lines.main.standards[0].times: no planned time at station 'second' for p1, p2"],
    ),
    (
        "third: {p1: 50m}",
        "third: {p3: 50m}",
        ["plant/all.yaml:60:23: lines.main.standards[1].times.third.p3: no product named 'p3'; there are o1, p1, p2"],
    ),
    (
        "third: {p1: 50m}",
        "third: {o1: 50m}",
        [
            "plant/all.yaml:60:23: lines.main.standards[1].times.third.o1: 'main' doesn't build 'o1': its family is 'other'"
        ],
    ),
    (
        "third: {p1: 50m}",
        "third: {p1: 50}",
        [
            "plant/all.yaml:60:23: lines.main.standards[1].times.third.p1: 50 has no unit; write a duration such as 2h35m, 90s or 250ms"
        ],
    ),
    (
        "third: {p1: 50m}",
        "third: {p1: 0s}",
        ["plant/all.yaml:60:23: lines.main.standards[1].times.third.p1: a planned time must be longer than 0"],
    ),
    (
        "third: {p1: 50m}",
        "thrid: {p1: 50m}",
        ["plant/all.yaml:60:11: lines.main.standards[1].times.thrid: no station named 'thrid'; did you mean 'third'?"],
    ),
    (
        "start: 2026-07-01",
        "start: 2025-07-01",
        ["plant/all.yaml:58:16: lines.main.standards[1].start: 2025-07-01 is not after 2026-01-01: oldest first"],
    ),
    (
        'stations: ["main/*"]',
        'stations: ["man/*"]',
        ["plant/all.yaml:62:24: control.allow[0].stations[0]: 'man/*' fits no station; did you mean 'main/*'?"],
    ),
    (
        "commands: [andon]",
        "commands: [andn]",
        [
            "plant/all.yaml:62:45: control.allow[0].commands[0]: 'andn' is not allowed; allowed are andon, hold, next_product; did you mean 'andon'?"
        ],
    ),
    (
        "only: [main/first]",
        "only: [main/frist]",
        ["plant/all.yaml:64:32: rules.slow.only[0]: 'main/frist' fits no station; did you mean 'main/first'?"],
    ),
    (
        "each: station, only",
        "each: sation, only",
        [
            "plant/all.yaml:64:16: rules.slow.each: 'sation' is not allowed; allowed are station, line, target, commitment, kit, connection; did you mean 'station'?"
        ],
    ),
    (
        "actions: [flag]",
        "actions: [flog]",
        [
            "plant/all.yaml:64:96: rules.slow.actions[0]: 'flog' is not allowed; allowed are flag, note; did you mean 'flag'?"
        ],
    ),
    (
        "actions: [flag]",
        "actions: [{command: andon, value: 5 purple}]",
        [
            "plant/all.yaml:64:120: rules.slow.actions[0].value: '5 purple' is not allowed; allowed are off, green, yellow, red; or '5 purple' is not a duration; write a number and a unit (d, h, m, s, ms), such as 2h35m, 90s or 250ms"
        ],
    ),
    (
        "actions: [flag]",
        "actions: [{command: andon, value: red, statoin: x}]",
        ["plant/all.yaml:64:125: rules.slow.actions[0].statoin: unknown key 'statoin'; did you mean 'station'?"],
    ),
    (
        "actions: [flag]",
        "actions: [{command: andon, value: red, station: main/fourth}]",
        [
            "plant/all.yaml:64:134: rules.slow.actions[0].station: no station named 'main/fourth'; did you mean 'main/first'?"
        ],
    ),
    (
        "each: station, only: [main/first]",
        "each: kit, only: [k7]",
        ["plant/all.yaml:64:28: rules.slow.only[0]: 'k7' fits no kit"],
    ),
    (
        "message: slow, actions: [flag]",
        "message: slow, sevrity: info",
        ["plant/all.yaml:64:86: rules.slow.sevrity: unknown key 'sevrity'; did you mean 'severity'?"],
    ),
    (
        "{main/first: {work: 1.1}}",
        "{main/frist: {work: 1.1}}",
        [
            "plant/all.yaml:66:14: simulator.stations.main/frist: no station named 'main/frist'; did you mean 'main/first'?"
        ],
    ),
    (
        "{work: 1.1}",
        "{work: much}",
        ["plant/all.yaml:66:33: simulator.stations.main/first.work: 'much' is not a number"],
    ),
    (
        "{d1: 3d}",
        "{d2: 3d}",
        ["plant/all.yaml:67:25: simulator.late_deliveries.d2: no delivery named 'd2'; there are d1"],
    ),
    (
        "  p1: {title: One",
        "  P 1: {title: One",
        [
            "plant/all.yaml:11:3: products.P 1: the name 'P 1' is not a name: lower case letters, digits and _, a letter first"
        ],
    ),
    ("rules:\n", "rulez:\n", ["plant/all.yaml:63:1: rulez: unknown key 'rulez'; did you mean 'rules'?"]),
    (
        "  pump: {title: Pumps}",
        "  pump: {title: Pumps}\n  pump: {title: Twice}",
        ["plant/all.yaml:9:3: families: 'pump' is there twice, first at plant/all.yaml:8:3"],
    ),
    (
        "plant: {site: S, area: A, timezone: Asia/Baku}",
        "plant: yes",
        ["plant/all.yaml:1:8: plant: 'yes' is not a group of keys"],
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), TABLE, ids=[f"{n:02}-{row[1][:30]!r}" for n, row in enumerate(TABLE)]
)
def test_what_is_said(problems: Callable[..., list[str]], old: str, new: str, expected: list[str]) -> None:
    assert problems(old, new) == expected


def test_the_plant_without_a_change_is_right(problems: Callable[..., list[str]]) -> None:
    assert problems() == []


def test_no_product_can_be_none(problems: Callable[..., list[str]]) -> None:
    part = PLANT[PLANT.index("code: 1, kit") : PLANT.index("      second:")]
    commanded = part.replace("andon: {holding: 100}", "next_product: {holding: 100}")
    assert problems(part, commanded) == []
    (said,) = problems(part, commanded.replace("code: 1", "code: 0"))
    assert said.endswith("next_product: 0 means that no product is proposed, but it is the code of product 'p1'")
