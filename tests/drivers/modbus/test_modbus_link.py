import asyncio

import pytest
from pymodbus.pdu import ModbusPDU

from linecontrol.driver import ConnectionLost
from linecontrol_modbus.link import Link


async def test_a_cancellation_that_comes_with_the_answer_is_heeded() -> None:
    link = Link("paint", "127.0.0.1", 502, 1.0)
    link._on_connect(True)
    arrived: asyncio.Future[ModbusPDU] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(link._ask(lambda: asyncio.wait_for(arrived, 60)))
        await asyncio.sleep(0)
        arrived.set_result(ModbusPDU())
        await asyncio.sleep(0)
        asking.cancel()
    assert asking.cancelled()
    with pytest.raises(ConnectionLost, match="abandoned"):
        link.check()
