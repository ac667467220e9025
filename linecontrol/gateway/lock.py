"""One gateway per state folder."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from linecontrol.errors import JournalBusy


class StateLock:
    """An exclusive lock on ``state_dir/lock``. The kernel gives it back when the process ends, however it ends."""

    def __init__(self, state_dir: Path) -> None:
        """Take the lock at once; the folder is made if it is missing.

        Raises:
            JournalBusy: another process holds it.
            OSError: the folder can't be written.
        """
        state_dir.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            msg = f"{state_dir} is in use by another gateway (process {holder})"
            raise JournalBusy(msg) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back. May be called more than once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
