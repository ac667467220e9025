import shutil
from collections.abc import Iterator

import pytest

from tests.system.influx_rig import InfluxRig


@pytest.fixture(scope="module")
def influx_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxRig]:
    """A real InfluxDB, empty at the start of each test file."""
    for program in ("influxd", "nginx"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    rig = InfluxRig(tmp_path_factory.mktemp("influx"))
    yield rig
    rig.stop()
