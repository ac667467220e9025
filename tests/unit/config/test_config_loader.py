from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linecontrol import registry
from linecontrol.config.loader import load
from linecontrol.config.plan import load_checked
from linecontrol.config.source import Places, Source
from linecontrol.errors import ConfigError

GANJA = Path(__file__).parents[3] / "config" / "ganja"


def said(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return caught.value.problems


def test_the_example_plant_has_no_problem() -> None:
    plan = load_checked(GANJA, registry.drivers())
    assert set(plan.config.lines) == {"tractor", "municipal"}
    assert all(bound.tags for bound in plan.bound.values())


def test_commands_are_writable_tags_and_nothing_else_is() -> None:
    plan = load_checked(GANJA, registry.drivers())
    for bound in plan.bound.values():
        assert {tag.signal for tag in bound.tags if tag.writable} == {
            tag.signal for tag in bound.tags if tag.signal.split("/")[2].startswith("command_")
        }
    assert "tractor/cab/command_andon" in {tag.signal for tag in plan.bound["tractor_plc"].tags}


def test_each_value_of_the_example_is_found_where_it_is_written() -> None:
    loaded = load(GANJA)
    place = loaded.place.of(("lines", "tractor", "stations", "cab", "title"))
    line = Path(place.file).read_text().splitlines()[place.line - 1]
    assert line[place.column - 1 :] == "Cab"


def test_an_offset_counts_inside_quotes(folder: Path) -> None:
    (folder / "a.yaml").write_text('rules:\n  r: {when: "active > plan"}\n')
    places = Places(str(folder))
    Source(folder / "a.yaml", places).read()
    assert places(("rules", "r", "when"), len("active > ")) == "plant/a.yaml:2:23"


def test_no_file(folder: Path) -> None:
    assert said(folder) == ["plant:1:1: no *.yaml file in this folder"]


def test_all_that_is_missing_is_said(folder: Path) -> None:
    (folder / "a.yaml").write_text("plant: {site: S, area: A, timezone: Asia/Baku}\n")
    missing = ("calendar", "connections", "families", "lines", "products")
    assert said(folder) == [f"plant:1:1: {key}: is missing" for key in missing]


def test_rule_tests_are_not_config(folder: Path) -> None:
    (folder / "rules.test.yaml").write_text("nonsense: 1\n")
    assert said(folder) == ["plant:1:1: no *.yaml file in this folder"]


def test_the_same_name_in_two_files_names_both(folder: Path) -> None:
    (folder / "a.yaml").write_text("families: {pump: {title: A}}\n")
    (folder / "b.yaml").write_text("families:\n  pump: {title: B}\n")
    assert "plant/b.yaml:2:3: families.pump: is there already, at plant/a.yaml:1:12" in said(folder)


def test_a_key_spread_over_files_is_one(folder: Path) -> None:
    (folder / "a.yaml").write_text("families: {pump: {title: A}}\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "b.yaml").write_text("families: {fan: {titel: B}}\n")
    problems = said(folder)
    assert "plant/sub/b.yaml:1:18: families.fan.titel: unknown key 'titel'; did you mean 'title'?" in problems
    assert not any("pump" in problem for problem in problems)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"plant: [", "plant/a.yaml:1:9: no valid YAML: expected the node content, but found '<stream end>'"),
        (b"a: 1\n---\nb: 2\n", "plant/a.yaml:2:1: no valid YAML: a second document ('---'); a file holds one"),
        (
            b"plant: !!python/object:os.system {}\n",
            "plant/a.yaml:1:8: plant: the tag tag:yaml.org,2002:python/object:os.system is not understood; "
            "a text that begins with ! needs quotes",
        ),
        (b"ok: 1\nbad: \xff\n", "plant/a.yaml:2:1: the text is not UTF-8"),
        (b"- 1\n", "plant/a.yaml:1:1: a file holds keys and values at its top, such as plant:"),
        (
            b"plant: !secret x\n",
            "plant/a.yaml:1:8: plant: the tag !secret is not understood; a text that begins with ! needs quotes",
        ),
        (b"? [1]\n: 2\n", "plant/a.yaml:1:3: a key is a name or a whole number"),
    ],
)
def test_broken_files(folder: Path, content: bytes, expected: str) -> None:
    (folder / "a.yaml").write_bytes(content)
    assert expected in said(folder)


def test_a_huge_file_is_not_read(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"#" * 2_000_001)
    assert "plant/a.yaml:1:1: the file is larger than 2 MB" in said(folder)


def test_aliases_that_multiply_are_cut(folder: Path) -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20))
    (folder / "a.yaml").write_text(text)
    assert any("too much or too deep" in problem for problem in said(folder))


def test_an_alias_to_itself_is_cut(folder: Path) -> None:
    (folder / "a.yaml").write_text("plant: &p [*p]\n")
    assert any("too much or too deep" in problem for problem in said(folder))


def test_deep_nesting_is_cut(folder: Path) -> None:
    (folder / "a.yaml").write_text("plant: " + "[" * 5_000)
    assert said(folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    patch=st.binary(max_size=8)
    | st.sampled_from([b"{", b"[", b"&a", b"*a", b"!!", b"? ", b"\t", b"2026-02-30", b"<<"]),
)
def test_no_bytes_crash_it(folder: Path, data: st.DataObject, patch: bytes) -> None:
    content = (GANJA / "products.yaml").read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 20)))
    (folder / "a.yaml").write_bytes(content[:start] + patch + content[end:])
    assert all(problem.startswith("plant") for problem in said(folder))
