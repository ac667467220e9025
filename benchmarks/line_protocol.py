"""Encoding of events as line protocol, against influxdb-client's Point. Prints one JSON line."""

import json
import time
from collections.abc import Callable

from influxdb_client.client.write.point import Point

from linecontrol.model.event import CycleCompleted
from linecontrol.model.record import Record
from linecontrol.model.state import StationState, Timing
from linecontrol.sinks.line_protocol import Encoder
from linecontrol.sinks.points import points

START_NS = 1_769_889_600 * 10**9
COUNT = 20_000


def cycle(n: int) -> CycleCompleted:
    """A cycle as the tractor line completes it."""
    at_ns = START_NS + n * 10**9
    return CycleCompleted(
        at_ns=at_ns, line="tractor", station=f"st{n % 16:02}", unit=f"BLR-{n:06}", unit_inferred=False,
        product="belarus_892", start_ns=at_ns - 9_000 * 10**9, active_s=9_000.25 + n % 7, planned_s=9_000.0,
        lost_s={StationState.DOWN: 12.5}, timing=Timing.MEASURED, good=True, shift="day",
    )  # fmt: skip


def with_client(events: list[CycleCompleted]) -> int:
    """The same lines by influxdb-client's ``Point``; bytes."""
    size = 0
    for event in events:
        for point in points(event):
            line = Point(point.measurement.name).tag("site", "Ganja").tag("area", "Assembly")  # type: ignore[no-untyped-call]
            for tag, value in zip(point.measurement.tags, point.tags, strict=True):
                line.tag(tag, value or "none")
            for field, number in zip(point.measurement.fields, point.values, strict=True):
                line.field(field, number)
            size += len(line.time(point.at_ns).to_line_protocol().encode())
    return size


def with_encoder(events: list[CycleCompleted]) -> int:
    """Our lines; bytes."""
    encoder = Encoder("Ganja", "Assembly")
    records = [Record(seq=n, now_ns=0, observations=[], events=[event]) for n, event in enumerate(events, 1)]
    return sum(len(line.text) for record in records for line in encoder.record(record))


def best_us(work: Callable[[list[CycleCompleted]], int], events: list[CycleCompleted]) -> float:
    """CPU microseconds per event, best of five."""
    times = []
    for _ in range(5):
        start = time.process_time()
        assert work(events) > 100 * len(events)
        times.append(time.process_time() - start)
    return min(times) / len(events) * 1e6


def main() -> None:
    """Measure and print."""
    events = [cycle(n) for n in range(COUNT)]
    ours, theirs = best_us(with_encoder, events), best_us(with_client, events)
    figures = {
        "events_per_s": round(1e6 / ours),
        "us_per_event": round(ours, 2),
        "client_us_per_event": round(theirs, 2),
    }
    print(json.dumps({"benchmark": "line_protocol", **figures, "times_faster": round(theirs / ours, 1)}))


if __name__ == "__main__":
    main()
