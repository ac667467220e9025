"""What rules under test write to stations, as if each machine did at once what it is told."""

from collections.abc import Sequence

from linecontrol.config import Command, Config
from linecontrol.control import ControlRoom
from linecontrol.model import AnyEvent, CommandClosed, CommandIssued, CommandOutcome, CommandResult, FlagChanged


class Writing:
    """Follows the flags under test. ``said`` is what was written (no renewals of holds), ``refused`` what was not."""

    def __init__(self, config: Config) -> None:
        """Nothing is raised and nothing was written."""
        self._room = ControlRoom(config)
        self._holds: dict[str, float] = {}
        self.said: list[CommandIssued] = []
        self.refused: list[CommandClosed] = []

    def see(self, flag: FlagChanged) -> None:
        """A flag has changed; what waited to be written before comes first."""
        self.until(flag.at_ns - 1)
        self._take(self._room.see(flag))

    def until(self, at_ns: int) -> None:
        """Let time pass: writes that wait for the one before, and leases that are renewed."""
        while (due := self._room.due_ns()) is not None and due <= at_ns:
            self._take(self._room.tick(due))

    def restart(self, config: Config) -> None:
        """The gateway stops and starts again."""
        memory = self._room.memory()
        self._room = ControlRoom(config)
        self._room.remember(memory)

    def follow(self, config: Config, raised: Sequence[FlagChanged], at_ns: int) -> None:
        """Other rules count, by which these flags are raised."""
        self._room.follow(config)
        self._take(self._room.settle(raised, at_ns))

    def _take(self, events: Sequence[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, CommandClosed) and event.result is CommandResult.REFUSED:
                self.refused.append(event)
            elif isinstance(event, CommandIssued):
                if not self._is_renewal(event):
                    self.said.append(event)
                done = CommandOutcome(event.command, CommandResult.VERIFIED.value, event.at_ns, "")
                self._take(self._room.outcome(done))

    def _is_renewal(self, event: CommandIssued) -> bool:
        if event.name != Command.HOLD:
            return False
        target = f"{event.line}/{event.station}"
        before, self._holds[target] = self._holds.get(target), float(event.value)
        return before == event.value != 0
