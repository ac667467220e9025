"""Every exception that linecontrol raises on purpose.

::

    LinecontrolError
    ├── ConfigError            the config folder is wrong; carries every problem found, each with its place
    ├── LogUnusable            a table of what a line did can't be judged at all
    ├── DriverError
    │   ├── ConnectionLost     the link is gone or never came: the source tries again, with a new driver
    │   └── DeviceRefused      the device answered and said no: asking again the same way is of no use
    ├── JournalError
    │   ├── JournalBusy        another gateway holds the state folder (exit code 75)
    │   └── JournalUnusable    the journal can't be read or was written by a newer version
    ├── SinkError
    │   ├── SinkAway           the sink can't be reached now: keep and try again
    │   └── SinkRefused        the sink will not take this: do not send it again as it is
    ├── ReloadRefused          other rules can't count now: those that do go on; carries every reason
    └── SnapshotError          an engine snapshot doesn't fit this config or version

"Try again" is a type: only ``ConnectionLost`` and ``SinkAway`` are ever retried.
"""


class LinecontrolError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(LinecontrolError):
    """The config folder is wrong.

    ``problems`` holds one line per problem, ``file:line:column: path: what was found, what is allowed``.
    """

    def __init__(self, problems: list[str]) -> None:
        """Take the problems in the order in which they should be shown."""
        super().__init__("\n".join(problems))
        self.problems = problems


class ReloadRefused(LinecontrolError):
    """Other rules can't count now, and those that do go on.

    ``problems`` holds one line per reason, with its place where it has one.
    """

    def __init__(self, problems: list[str]) -> None:
        """Take the reasons in the order in which they should be shown."""
        super().__init__("\n".join(problems))
        self.problems = problems


class LogUnusable(LinecontrolError):
    """A table of what a line did can't be judged at all: it is none, or says too little."""


class DriverError(LinecontrolError):
    """Base of what a driver may raise."""


class ConnectionLost(DriverError):
    """The link is gone or could not be made; a new connection may do better."""


class DeviceRefused(DriverError):
    """The device answered and refused; the same request would be refused again."""


class JournalError(LinecontrolError):
    """The journal can't do its work."""


class JournalBusy(JournalError):
    """Another process holds the state folder."""


class JournalUnusable(JournalError):
    """The journal is damaged, or newer than this version can read."""


class SinkError(LinecontrolError):
    """Base of what a sink may raise."""


class SinkAway(SinkError):
    """The sink can't be reached or is overloaded; what was to be written is kept."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        """``retry_after_s`` is the sink's own wish, in seconds."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SinkRefused(SinkError):
    """The sink understood and refused what was written."""


class SnapshotError(LinecontrolError):
    """An engine snapshot doesn't fit this config or version."""
