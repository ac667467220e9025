"""What a station did when: its states in the order of time, measured in working time. Late news can be put in."""

from msgspec import Struct

from linecontrol.calendar import WorkCalendar
from linecontrol.model import StationState


class Piece(Struct, array_like=True):
    """From ``start_ns`` on the station was in ``state``, for ``worked_ns`` of working time (0 while it lasts)."""

    start_ns: int
    state: StationState
    worked_ns: int = 0


def enter(pieces: list[Piece], at_ns: int, state: StationState, calendar: WorkCalendar) -> int | None:
    """Put in that the station entered ``state`` at ``at_ns``; what is known of later moments stays.

    Returns the moment up to which that holds, ``None`` if nothing later is known.
    """
    index = len(pieces)
    while index and pieces[index - 1].start_ns > at_ns:
        index -= 1
    following = pieces[index].start_ns if index < len(pieces) else None
    if index and pieces[index - 1].start_ns == at_ns:
        pieces[index - 1].state = state
        return following
    if index:
        pieces[index - 1].worked_ns = calendar.working_ns(pieces[index - 1].start_ns, at_ns)
    worked_ns = 0 if following is None else calendar.working_ns(at_ns, following)
    pieces.insert(index, Piece(at_ns, state, worked_ns))
    return following


def state_at(pieces: list[Piece], at_ns: int) -> StationState:
    """The state at that moment; unobserved before the first piece."""
    for piece in reversed(pieces):
        if piece.start_ns <= at_ns:
            return piece.state
    return StationState.UNOBSERVED


def times(pieces: list[Piece], start_ns: int, end_ns: int, calendar: WorkCalendar) -> dict[StationState, int]:
    """Working nanoseconds in each state from ``start_ns`` to ``end_ns``; they add up to its working time exactly."""
    total = dict.fromkeys(StationState, 0)
    known_ns = min(pieces[0].start_ns, end_ns) if pieces else end_ns
    if known_ns > start_ns:
        total[StationState.UNOBSERVED] = calendar.working_ns(start_ns, known_ns)
    for index, piece in enumerate(pieces):
        if piece.start_ns >= end_ns:
            break
        until_ns = pieces[index + 1].start_ns if index + 1 < len(pieces) else end_ns
        if until_ns <= start_ns:
            continue
        if start_ns <= piece.start_ns and until_ns <= end_ns and index + 1 < len(pieces):
            total[piece.state] += piece.worked_ns
        else:
            total[piece.state] += calendar.working_ns(max(piece.start_ns, start_ns), min(until_ns, end_ns))
    return total


def forget(pieces: list[Piece], before_ns: int) -> None:
    """Drop what ended by ``before_ns``."""
    ended = 0
    while ended + 1 < len(pieces) and pieces[ended + 1].start_ns <= before_ns:
        ended += 1
    del pieces[:ended]
