"""State words: own codes, or the state numbers of OMAC PackML (ANSI/ISA-TR88.00.02)."""

from linecontrol.config import Meaning, StationConfig
from linecontrol.model import Value

PACKML_NUMBERS = {
    "clearing": 1,
    "stopped": 2,
    "starting": 3,
    "idle": 4,
    "suspended": 5,
    "execute": 6,
    "stopping": 7,
    "aborting": 8,
    "aborted": 9,
    "holding": 10,
    "held": 11,
    "unholding": 12,
    "suspending": 13,
    "unsuspending": 14,
    "resetting": 15,
    "completing": 16,
    "complete": 17,
}
"""StateCurrent by state name."""

PACKML_MEANINGS = {
    "clearing": Meaning.DOWN,
    "stopped": Meaning.IDLE,
    "starting": Meaning.SETUP,
    "idle": Meaning.IDLE,
    "suspended": Meaning.STARVED,
    "execute": Meaning.WORKING,
    "stopping": Meaning.IDLE,
    "aborting": Meaning.DOWN,
    "aborted": Meaning.DOWN,
    "holding": Meaning.DOWN,
    "held": Meaning.DOWN,
    "unholding": Meaning.DOWN,
    "suspending": Meaning.STARVED,
    "unsuspending": Meaning.STARVED,
    "resetting": Meaning.IDLE,
    "completing": Meaning.WORKING,
    "complete": Meaning.COMPLETE,
}
"""What the states usually mean: Held is the station's own trouble, Suspended comes from outside."""


class StateCodes:
    """Meaning of a station's ``state`` word."""

    def __init__(self, station: StationConfig) -> None:
        """Take the table from the station's ``states``."""
        table = station.states
        named = PACKML_MEANINGS if table == "packml" else table
        self._meanings: dict[int | str, Meaning] = {}
        for code, meaning in named.items():
            key = code.lower() if isinstance(code, str) else code
            self._meanings[key] = meaning
            if isinstance(key, str) and key in PACKML_NUMBERS:
                self._meanings.setdefault(PACKML_NUMBERS[key], meaning)
        self.tells_complete = Meaning.COMPLETE in self._meanings.values()
        self.tells_blocked = self.tells_complete or Meaning.BLOCKED in self._meanings.values()

    def meaning(self, value: Value) -> Meaning | None:
        """What a value of the state word means; ``None`` for a code that is in no table."""
        if isinstance(value, str):
            text = value.strip().lower()
            return self._meanings.get(text) or (self._meanings.get(int(text)) if text.isdecimal() else None)
        if isinstance(value, float) and not value.is_integer():
            return None
        return None if value is None else self._meanings.get(int(value))
