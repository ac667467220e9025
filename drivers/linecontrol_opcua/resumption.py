"""A connection that broke is carried on over a new one: the same session, the same subscription, nothing lost."""

import asyncio
import logging

from asyncua.ua.uaerrors import UaError

from linecontrol.driver import ConnectionLost
from linecontrol_opcua.session import Session

RESUME_S = 4.0
"""How long a break may last; after it the connection counts as lost."""
ATTEMPT_S = 2.0
"""How long one attempt may take."""
PAUSE_S = 0.1
"""Time between two attempts."""

_log = logging.getLogger(__name__)


async def resume(session: Session, until: float, cause: OSError) -> bool:
    """Open the session on a new connection; whether the server still knew it. ``until`` is in the loop's time.

    Raises:
        ConnectionLost: there was no connection to be had in time, or the server does not carry the session on.
    """
    loop = asyncio.get_running_loop()
    who = f"{session.name} ({session.url})"
    _log.info("%s broke (%s): carrying it on", who, str(cause) or type(cause).__name__)
    trouble: Exception = cause
    while (left_s := until - loop.time()) > 0:
        try:
            async with asyncio.timeout(min(left_s, ATTEMPT_S)):
                return await session.reopen()
        except OSError as error:
            trouble = error
        except UaError as error:
            msg = f"{who} broke, and the server does not carry the session on: {error}"
            raise ConnectionLost(msg) from error
        await asyncio.sleep(min(PAUSE_S, max(0.0, until - loop.time())))
    words = str(trouble) or type(trouble).__name__
    msg = f"{who} broke, and could not be reached again within {RESUME_S:g} s: {words}"
    raise ConnectionLost(msg) from trouble
