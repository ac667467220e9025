import asyncio
from pathlib import Path

import pytest

from linecontrol.config.gateway import InfluxConfig
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.outbox import Outbox
from linecontrol.model.event import Anomaly, CycleCompleted
from linecontrol.model.record import Record
from linecontrol.model.state import StationState, Timing
from linecontrol.sinks.influx import InfluxSink
from tests.system.influx_rig import InfluxRig

pytestmark = pytest.mark.system

START = 1_767_225_600_000_000_000


def cycle(n: int) -> CycleCompleted:
    at = START + n * 60_000_000_000
    return CycleCompleted(
        at_ns=at, line="tractor", station=f"st{n % 16:02}", unit=f"U{n}", unit_inferred=False, product="x", shift="day",
        start_ns=at - 9_000, active_s=9_000.0 + n % 7, planned_s=9_000.0, lost_s={StationState.DOWN: 1.0},
        timing=Timing.MEASURED, good=True,
    )  # fmt: skip


async def test_killed_in_mid_stream_and_resent_there_is_neither_duplicate_nor_hole(
    influx_rig: InfluxRig, tmp_path: Path
) -> None:
    sink = InfluxSink(InfluxConfig(url=influx_rig.url, token_file=influx_rig.token_file), site="ganja", area="assembly")
    async with await Journal.open(tmp_path / "journal.db", commit_every_s=0.005) as journal:
        outbox = Outbox(journal, sink, "influx", batch=50, sleep=lambda _: asyncio.sleep(0.02))
        async with asyncio.TaskGroup() as group:
            delivering = group.create_task(outbox.run())
            ticket = journal.append(0, [], [])
            for n in range(2_000):
                ticket = journal.append(n, [], [cycle(n), cycle(n)])
                if n == 1_000:
                    await ticket
                    influx_rig.kill()
                    assert await asyncio.to_thread(influx_rig.health) == "fail"
            await ticket
            await asyncio.to_thread(influx_rig.start)
            assert await asyncio.to_thread(influx_rig.health) == "pass"
            await asyncio.wait_for(outbox.drained(), 60)
            delivering.cancel()
        await sink.deliver(await journal.records(0, 500, observations=False))
    await sink.close()
    found = influx_rig.query("mes", 'SELECT COUNT("units"), SUM("cycle_s"), MEAN("work_s") FROM "cycle"')[0]
    total = sum(2 * (9_000.0 + n % 7) for n in range(2_000))
    assert (found["count"], found["sum"]) == (4_000, total)
    assert abs(found["mean"] - (total / 4_000 - 1)) < 1e-6
    assert len(influx_rig.query("mes", 'SELECT COUNT("units") FROM "cycle" GROUP BY "station"')) == 16


@pytest.mark.parametrize("gzip", [False, True])
async def test_weird_texts_are_taken_and_come_back(influx_rig: InfluxRig, *, gzip: bool) -> None:
    texts = [
        "a b,c=d",
        'x"y',
        "back\\",
        "\\",
        "two\nlines",
        "a\\\\ b",
        "end\\\n",
        " ",
        "ə€\U0001f600",
        "a\r\nb",
        "\t",
        "#x",
    ]
    said = [
        Anomaly(at_ns=START + n, line=text, station=text, signal="s", kind="wrong_type", text=text)
        for n, text in enumerate(texts)
    ]
    config = InfluxConfig(url=influx_rig.url, token_file=influx_rig.token_file, gzip=gzip)
    sink = InfluxSink(config, site=f"weird {gzip}", area="a,b=c d")
    delivery = await sink.deliver([Record(seq=1, now_ns=0, observations=[], events=list(said))])
    await sink.close()
    assert (delivery.delivered, delivery.refused) == (len(texts), 0), delivery.trouble
    rows = influx_rig.query("mes", f'SELECT "text" FROM "anomaly" WHERE "site" = \'weird {gzip}\'')  # noqa: S608
    assert sorted(row["text"] for row in rows) == sorted(texts)
