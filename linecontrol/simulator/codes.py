"""State words as a PLC would send them: the reverse of what the gateway reads out of them."""

from linecontrol.config import Meaning, StationConfig
from linecontrol.line.codes import PACKML_NUMBERS

_PACKML = {
    Meaning.WORKING: "execute",
    Meaning.COMPLETE: "complete",
    Meaning.STARVED: "suspended",
    Meaning.DOWN: "held",
    Meaning.IDLE: "idle",
}
_NEXT_BEST = {
    Meaning.COMPLETE: (Meaning.COMPLETE, Meaning.BLOCKED, Meaning.IDLE, Meaning.STARVED),
    Meaning.STARVED: (Meaning.STARVED, Meaning.IDLE, Meaning.SETUP),
    Meaning.IDLE: (Meaning.IDLE, Meaning.STARVED, Meaning.SETUP),
    Meaning.DOWN: (Meaning.DOWN,),
    Meaning.WORKING: (Meaning.WORKING,),
}


def meanings(station: StationConfig) -> set[Meaning]:
    """What a station's state word can tell."""
    return set(_PACKML) if station.states == "packml" else set(station.states.values())


def state_text(code: int, station: StationConfig) -> str:
    """A state word as text, where a signal carries text: PackML's name of the state if it is one of the table's."""
    named = station.states == "packml" or any(isinstance(key, str) for key in station.states)
    names = {number: name.capitalize() for name, number in PACKML_NUMBERS.items()}
    return names.get(code, str(code)) if named else str(code)


def state_codes(station: StationConfig) -> dict[Meaning, int | str]:
    """The code that a station sends for each meaning; a meaning that its table has no code for is left out.

    Of several codes the first is sent. A station without a code for a completed cycle says blocked.
    """
    if station.states == "packml":
        codes: dict[Meaning, int | str] = {meaning: PACKML_NUMBERS[name] for meaning, name in _PACKML.items()}
    else:
        codes = {}
        for code, meaning in station.states.items():
            number = PACKML_NUMBERS.get(code.lower(), code) if isinstance(code, str) else code
            codes.setdefault(meaning, number)
    return {
        meaning: next(codes[choice] for choice in choices if choice in codes)
        for meaning, choices in _NEXT_BEST.items()
        if any(choice in codes for choice in choices)
    }
