"""Nights and days off that a table shows although nobody told of them."""

_DAY = 48
_NIGHT = 8
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FEW = 20


def silence(halves: set[int]) -> str | None:
    """What to say of times that count as working time and hardly are; ``None`` if nothing looks like it.

    ``halves`` are the half hours of the week, from Monday on, in which something began or ended anywhere in the line.
    """
    busy = {half % _DAY for half in halves}
    days = {half // _DAY for half in halves}
    if len(halves) < _FEW or len(days) < 3:
        return None
    night = _longest(busy)
    off = [name for day, name in enumerate(_DAYS) if day not in days] if len(days) >= 5 else []
    said = [f"from {_clock(night[0])} to {_clock(night[1])}"] if night[1] - night[0] >= _NIGHT else []
    said += [f"on {name}s" for name in off]
    if not said:
        return None
    return (
        f"nothing ever begins or ends {' and '.join(said)}, yet all of it counts as working time; "
        "say --shift (and --break), or --calendar, to leave it out"
    )


def _longest(busy: set[int]) -> tuple[int, int]:
    """The longest stretch of the day without anything, over midnight too."""
    marks = sorted(busy)
    gaps = [(b - a - 1, a + 1) for a, b in zip(marks, [*marks[1:], marks[0] + _DAY], strict=True)]
    length, start = max(gaps)
    return start, start + length


def _clock(half: int) -> str:
    return f"{half // 2 % 24:02d}:{half % 2 * 30:02d}"
