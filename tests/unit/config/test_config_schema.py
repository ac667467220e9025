import json
from pathlib import Path

from linecontrol.config.schema import json_schema, markdown

ROOT = Path(__file__).parents[3]


def test_the_committed_schema_is_current() -> None:
    assert (ROOT / "config" / "linecontrol.schema.json").read_text() == json_schema(), "run: linecontrol schema"


def test_the_reference_page_is_current() -> None:
    assert (ROOT / "docs" / "reference" / "config.md").read_text() == markdown(), "run: linecontrol schema --markdown"


def test_every_key_has_a_meaning() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| `")]
    assert rows
    assert not [row for row in rows if row.endswith("|  |") or "any value" in row]


def test_the_example_plant_points_to_the_schema() -> None:
    schema = (ROOT / "config" / "linecontrol.schema.json").resolve()
    for file in (ROOT / "config" / "ganja").rglob("*.yaml"):
        if file.name.endswith(".test.yaml"):
            continue
        first = file.read_text().partition("\n")[0]
        assert (file.parent / first.rpartition("=")[2]).resolve() == schema, file.name


def test_an_editor_accepts_one_file_of_a_folder() -> None:
    schema = json.loads(json_schema())
    assert "required" not in schema
    assert schema["additionalProperties"] is False
