"""Parts of a snapshot: what a room remembered, from bytes."""

from typing import Any

import msgspec

from linecontrol.errors import SnapshotError


def recalled(memory: bytes, kind: Any, what: str) -> Any:
    """What was encoded as ``memory``, as ``kind``; ``what`` is its name in the error.

    Raises:
        SnapshotError: it isn't of this kind.
    """
    try:
        return msgspec.msgpack.decode(memory, type=kind)
    except msgspec.MsgspecError as error:
        msg = f"{what} can't be read: {error}"
        raise SnapshotError(msg) from error
