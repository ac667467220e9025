"""Who may act on flags over the board's port: who holds the operator token, asking from this board or from no page."""

import hmac
import logging
from collections import deque
from collections.abc import Callable

from aiohttp import web

TOKEN_HEADER = "X-Operator-Token"  # noqa: S105 - the name of a header
MOST_WRONG = 5
"""After so many wrong tokens within ``WRONG_WINDOW_S`` further wrong ones are told to wait."""
WRONG_WINDOW_S = 30.0

_log = logging.getLogger(__name__)


class Access:
    """Looks at requests. A right token is never kept waiting by somebody else's wrong ones: it can't be guessed."""

    def __init__(self, token: str, now_s: Callable[[], float]) -> None:
        """``now_s`` are seconds of real time from any start."""
        self._token, self._now_s = token.encode(), now_s
        self._wrong: deque[float] = deque(maxlen=MOST_WRONG)

    def refusal(self, request: web.Request) -> web.Response | None:
        """Why a request may not act; ``None`` if it may.

        A browser tells from which page a request comes, and sends our header from no other one unless we let it.
        """
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if (origin is not None and origin != f"http://{request.host}") or site not in ("same-origin", "none"):
            return refused(403, "another page may not act on this board")
        if hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token):
            return None
        return self._refuse_token()

    def _refuse_token(self) -> web.Response:
        now_s = self._now_s()
        while self._wrong and self._wrong[0] <= now_s - WRONG_WINDOW_S:
            self._wrong.popleft()
        if len(self._wrong) < MOST_WRONG:
            self._wrong.append(now_s)
            if len(self._wrong) == MOST_WRONG:
                _log.warning("%d wrong operator tokens within %g s", MOST_WRONG, WRONG_WINDOW_S)
            return refused(403, f"the header {TOKEN_HEADER} does not hold this gateway's operator token")
        wait_s = max(1, round(self._wrong[0] + WRONG_WINDOW_S - now_s))
        answer = refused(429, f"too many wrong operator tokens; wait {wait_s} s")
        answer.headers["Retry-After"] = str(wait_s)
        return answer


def refused(status: int, text: str) -> web.Response:
    """An answer that says why not."""
    return web.json_response({"error": text}, status=status)
