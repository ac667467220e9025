"""Sums in windows: what has left leaves nothing behind, and what is much larger than all else takes nothing with it."""

from math import fsum

from hypothesis import given
from hypothesis import strategies as st

from linecontrol.rules.window import Ring, Span

FIGURES = st.one_of(
    st.sampled_from([0.0, 0.1, 0.2, 0.3, 55.1, 60.0, 1e-9, 123_456.789]),
    st.integers(-(10**12), 10**12).map(lambda number: number / 1e6),
)


@given(st.lists(FIGURES, min_size=1, max_size=300), st.integers(1, 30))
def test_a_mean_is_that_of_the_values_alone(values: list[float], size: int) -> None:
    ring, span = Ring(size, summed=True), Span(size)
    for place, value in enumerate(values):
        ring.push(value, place)
        span.push(value, place)
        last = values[max(0, place + 1 - size) : place + 1]
        assert ring.mean(place, 1) == span.mean(place, 1) == fsum(last) / len(last)


@given(st.lists(st.sampled_from([1e308, -1e308, 1e300, 3.0]), max_size=40), st.integers(1, 12))
def test_nonsense_is_gone_once_it_has_left(nonsense: list[float], size: int) -> None:
    ring = Ring(size, summed=True)
    for value in [*nonsense, *[1.5] * (2 * size)]:
        ring.push(value, 0)
        assert abs(ring.mean(0, 1) or 0.0) < float("inf")
    assert ring.mean(0, 1) == 1.5
