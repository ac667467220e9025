"""How far a sequence of conditions has come at one subject."""

from collections.abc import Sequence

from msgspec import Struct, field

from linecontrol.rules.typed import Chain


class Progress(Struct):
    """``step`` 0: waits for the first condition; k: for the k-th stage until ``until_w``, in working time.

    ``held`` tells which conditions were true when they were looked at last, ``complete`` whether the sequence came to
    its end and its last condition has held since. ``text`` is the sequence as written: how far another one has come
    means nothing to this one.
    """

    text: str
    step: int = 0
    until_w: int = 0
    held: list[bool] = field(default_factory=list)
    complete: bool = False


def advance(progress: Progress, chain: Chain, truths: Sequence[bool | None], worked: int) -> bool:
    """Whether the sequence is complete, given what each of ``chain.conditions`` is now. Unknown counts as not true.

    A stage is reached when its condition becomes true, at the end of its time at the latest, and not at the same look
    as the stage before it. The sequence stays complete while its last condition holds. If the first condition becomes
    true again while the first stage is waited for, its time starts anew; if it does so together with the last one, that
    is the beginning of the next sequence. None begins while what breaks it is true.
    """
    stages = chain.stages
    held = [truth is True for truth in truths]
    rises = [now and not before for now, before in zip(held, progress.held or [False] * len(held), strict=True)]
    progress.held = held
    progress.complete = progress.complete and held[len(stages)]
    broken = chain.unless is not None and held[-1]
    if broken or (progress.step and worked > progress.until_w):
        progress.step = 0
    if progress.step and rises[progress.step]:
        if progress.step == len(stages):
            progress.complete, progress.step = True, int(rises[0])
        else:
            progress.step += 1
    elif rises[0] and progress.step <= 1 and not broken:
        progress.step = 1
    else:
        return progress.complete
    if progress.step:
        progress.until_w = worked + stages[progress.step - 1].within_ns
    return progress.complete
