from pathlib import Path

from linecontrol.sinks.reference import markdown, unit
from linecontrol.sinks.schema import MEASUREMENTS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "influxdb.md"


def test_the_reference_has_the_schema_as_it_is() -> None:
    assert markdown() in REFERENCE.read_text(), "replace its measurements by linecontrol.sinks.reference.markdown()"


def test_durations_and_times_have_a_unit() -> None:
    for measurement in MEASUREMENTS:
        for field in measurement.fields:
            assert unit(measurement.name, field) or not field.endswith(("_s", "_ms", "_days")), field
