"""Whether every stage of the gateway makes progress: what the watchdog is fed on."""

from collections.abc import Callable

from msgspec import Struct


class Stage(Struct):
    """A stage that has done ``done()`` pieces of work while ``waiting()`` wait."""

    name: str
    done: Callable[[], int]
    waiting: Callable[[], int]
    last: int = 0
    waited: bool = False
    """Whether work waited when last asked."""


class Pulse:
    """Compares the stages with how they were when last asked."""

    def __init__(self, stages: list[Stage]) -> None:
        """A stage that must never rest reports 1 as waiting all the time."""
        self._stages = stages

    def stuck(self) -> list[str]:
        """Names of stages that had work at the last call and did none since; work that just came is not late."""
        names = []
        for stage in self._stages:
            done = stage.done()
            if stage.waited and done == stage.last:
                names.append(stage.name)
            stage.last, stage.waited = done, stage.waiting() > 0
        return names
