"""The formulas: state times and counts of a period in, ISO 22400-2 figures out."""

from collections.abc import Mapping

from linecontrol.kpi.counts import Counts
from linecontrol.kpi.period import Period
from linecontrol.model import ShiftKpi, StationState

_NS = 1_000_000_000


def figures(
    line: str, station: str, period: Period, end_ns: int, at_ns: int, times: Mapping[StationState, int], counts: Counts
) -> ShiftKpi:
    """The figures of a station (or ``ALL``) from the period's start to ``end_ns``, as known at ``at_ns``.

    ``times`` are working nanoseconds by state. Working time that a station spent off shift counts as idle.
    """
    pbt_ns = sum(times.values())
    apt_ns = times[StationState.WORKING]
    unobserved_ns = times[StationState.UNOBSERVED]
    availability = _ratio(apt_ns, pbt_ns - unobserved_ns)
    effectiveness = _effectiveness(counts, apt_ns / _NS)
    quality = _ratio(counts.good, counts.good + counts.rejected)
    return ShiftKpi(
        at_ns=at_ns,
        line=line,
        station=station,
        period=period.kind,
        start_ns=period.start_ns,
        end_ns=end_ns,
        shift=period.shift,
        pbt_s=pbt_ns / _NS,
        apt_s=apt_ns / _NS,
        adet_s=times[StationState.DOWN] / _NS,
        blocked_s=times[StationState.BLOCKED] / _NS,
        starved_s=times[StationState.STARVED] / _NS,
        setup_s=times[StationState.SETUP] / _NS,
        idle_s=(times[StationState.IDLE] + times[StationState.OFF_SHIFT]) / _NS,
        unobserved_s=unobserved_ns / _NS,
        produced=counts.produced,
        good=counts.good,
        cycles_measured=counts.measured,
        cycle_mean_s=_ratio(counts.measured_s, counts.measured),
        planned_mean_s=_ratio(counts.compared_planned_s, counts.compared),
        availability=availability,
        effectiveness=effectiveness,
        quality_ratio=quality,
        oee=_product(availability, effectiveness, quality),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _product(*factors: float | None) -> float | None:
    product = 1.0
    for factor in factors:
        if factor is None:
            return None
        product *= factor
    return product


def _effectiveness(counts: Counts, apt_s: float) -> float | None:
    if counts.timed == 0:
        return 0.0 if apt_s > 0 else None
    mean_planned_s = _ratio(counts.planned_s, counts.planned)
    return None if mean_planned_s is None else _ratio(mean_planned_s * counts.timed, apt_s)
