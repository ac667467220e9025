"""Which commitment a unit serves, and when each will be served at a given pace."""

from collections.abc import Mapping, Sequence
from math import ceil

from msgspec import Struct

from linecontrol.calendar import WorkCalendar

HORIZON_NS = 730 * 86_400 * 10**9
"""No forecast looks further ahead than this: what takes longer is forecast for then."""


class Promise(Struct, frozen=True):
    """``units`` by ``due_ns``, served by what is completed from ``start_ns`` on."""

    name: str
    units: int
    start_ns: int
    due_ns: int


def in_order(promises: Sequence[Promise]) -> list[Promise]:
    """The promises in the order in which they are served: the earliest due first, then by name."""
    return sorted(promises, key=lambda promise: (promise.due_ns, promise.name))


def serves(promises: Sequence[Promise], left: Mapping[str, int], at_ns: int) -> Promise | None:
    """The promise for which a unit completed at ``at_ns`` counts: the earliest due of the open ones that began."""
    for promise in in_order(promises):
        if promise.start_ns <= at_ns and left[promise.name] > 0:
            return promise
    return None


def finishes(
    promises: Sequence[Promise],
    left: Mapping[str, int],
    at_ns: int,
    takt_ns: float,
    calendar: WorkCalendar,
    *,
    begun_ns: float = 0.0,
) -> dict[str, int]:
    """When each open promise is served, if a unit is completed each ``takt_ns`` of working time from ``at_ns`` on.

    ``begun_ns`` of the first takt have passed already. Capped at the horizon.
    """
    horizon_ns = at_ns + HORIZON_NS
    queue = [promise for promise in in_order(promises) if left[promise.name] > 0]
    work_ns = {promise.name: left[promise.name] * takt_ns for promise in queue}
    found: dict[str, int] = {}
    now_ns, spare_ns = at_ns, min(max(begun_ns, 0.0), takt_ns)
    while queue:
        serving = next((promise for promise in queue if promise.start_ns <= now_ns), None)
        starts = [promise.start_ns for promise in queue if promise.start_ns > now_ns]
        if serving is None:
            now_ns = min(starts)
            continue
        work_ns[serving.name], spare_ns = max(work_ns[serving.name] - spare_ns, 0.0), 0.0
        budget_ns = calendar.working_ns(now_ns, horizon_ns)
        needs_ns = ceil(work_ns[serving.name])
        end_ns = max(now_ns, horizon_ns) if needs_ns > budget_ns else calendar.add(now_ns, needs_ns)
        sooner = [
            promise.start_ns for promise in queue if now_ns < promise.start_ns < end_ns and _before(promise, serving)
        ]
        if sooner:
            work_ns[serving.name] -= calendar.working_ns(now_ns, min(sooner))
            now_ns = min(sooner)
            continue
        found[serving.name] = end_ns
        queue.remove(serving)
        now_ns = end_ns
    return found


def _before(one: Promise, other: Promise) -> bool:
    return (one.due_ns, one.name) < (other.due_ns, other.name)
