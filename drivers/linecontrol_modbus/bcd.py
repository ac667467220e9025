"""Numbers whose decimal digits are four bits each. Pure."""


def from_bcd(raw: int) -> int | None:
    """The number that ``raw`` spells; ``None`` if a digit is none."""
    digits = f"{raw:x}"
    return int(digits) if digits.isdecimal() else None


def to_bcd(number: int, digits: int) -> int:
    """``number`` spelled in so many digits.

    Raises:
        OverflowError: it has more, or is negative.
    """
    text = str(number)
    if number < 0 or len(text) > digits:
        msg = f"{number} doesn't fit {digits} digits"
        raise OverflowError(msg)
    return int(text, 16)
