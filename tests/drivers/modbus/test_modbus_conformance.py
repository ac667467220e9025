"""The contract holds however requests are carried."""

import pytest

from linecontrol.testing import check_driver
from linecontrol_modbus import ModbusDriver
from linecontrol_modbus.server import ModbusPlcServer
from tests.drivers.modbus.plant import CLOCK, connection, tag


@pytest.mark.parametrize("given", [{"transport": "rtu_over_tcp"}, {"delay": "2ms"}], ids=["rtu_over_tcp", "delay"])
async def test_the_contract_is_kept(given: dict[str, object]) -> None:
    settings = connection(poll="20ms", timeout="500ms", **given)
    tags = [
        tag("l/s/running", coil=1),
        tag("l/s/count", holding=0, type="uint32", poll="50ms"),
        tag("l/s/torque", input=10, type="float32", order="CDAB", unit=2),
        tag("l/s/unit", input=20, type="string", length=4, unit=2),
        tag("l/s/command_hold", coil=9, unit=2, writable=True),
        tag("l/s/command_andon", holding=40, writable=True),
    ]
    missing = tag("l/s/missing", holding=4000)
    await check_driver(
        lambda: ModbusDriver("plc", settings, [*tags, missing], CLOCK),
        lambda: ModbusPlcServer("plc", settings, tags, CLOCK),
        bad=["l/s/missing"],
    )
