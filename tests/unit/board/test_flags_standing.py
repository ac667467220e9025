"""A board that is told only what stands shows what one shows that was told of everything."""

from collections.abc import Callable
from random import Random
from zoneinfo import ZoneInfo

import pytest

from linecontrol.board.flags_view import FlagsView
from linecontrol.board.page import FlagRow
from linecontrol.model import Operation
from tests.unit.rules.naive.cases import Scale, case, crowd, room_of, short

ZONE = ZoneInfo("Asia/Baku")


def words(rows: list[FlagRow]) -> set[tuple[str, str, str, str, tuple[str, ...]]]:
    return {(row.flag, row.word, row.letter, row.text, tuple(row.verbs)) for row in rows}


@pytest.mark.parametrize("scale", [short, crowd])
def test_what_stands_is_shown_as_if_all_had_been_told(scale: Callable[[], Scale]) -> None:
    of_scale, shown = scale(), 0
    for seed in range(6):
        of = case(of_scale, Random(seed))
        room = room_of(of)
        config = of.scale.config.model_copy(update={"rules": of.rules})
        whole, late = FlagsView(config, ZONE), FlagsView(config, ZONE)
        said = list(room.tick(of.start))
        for place, item in enumerate(of.told):
            said += room.operate(item) if isinstance(item, Operation) else room.see(item)
            if place != len(of.told) // 2:
                continue
            for event in said:
                whole.apply(event)
            for event in room.standing():
                late.apply(event)
            now = room.now_ns
            for view in ("open", "aside"):
                wanted = words(getattr(whole, view)(now))
                assert words(getattr(late, view)(now)) == wanted
                shown += len(wanted)
            assert late.figures(now).startswith("0 told in the last hour")
    assert shown > 10
