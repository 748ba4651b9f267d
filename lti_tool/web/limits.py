"""Rate limits, by sign-in and else by address.

A whole school often shares one address, so what a signed-in person does is counted for that person; only requests
without a sign-in (launches among them) are counted by address, with room for a staff meeting that launches at once.
"""

import threading

from flask import Flask, g, request
from werkzeug.exceptions import TooManyRequests

from lti_tool.web.context import tool

PER_PERSON = 600
"""Requests a minute to one endpoint. A page that polls every two seconds and saves while its owner types stays below a
tenth of this."""
PER_ADDRESS = 3000
"""Requests a minute to one endpoint, of all who come from one address without a sign-in."""

_WINDOW_S = 60
_FREE = ("static", "bootstrap.static", "healthz", "readyz")


class Windows:
    """Counts in fixed windows of a minute that are the same for all keys, so that a new one forgets the last whole.

    In the memory of this process: each worker counts for itself. Safe between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = -1
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, key: tuple[str, str], now: float) -> int:
        """How often `key` came in this window, this time included; `now` in seconds."""
        window = int(now // _WINDOW_S)
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            self._counts[key] = count = self._counts.get(key, 0) + 1
        return count


def register(app: Flask, enabled: bool) -> None:
    """Counts requests of the app, unless switched off; what is too much is answered with 429 and Retry-After."""
    if not enabled:
        return
    windows = Windows()

    def check() -> None:
        if request.endpoint in _FREE:
            return
        actor, now = g.get("actor"), tool().clock().timestamp()
        who, limit = (actor.person_id, PER_PERSON) if actor else (f"address {request.remote_addr}", PER_ADDRESS)
        if windows.count((who, request.endpoint or ""), now) > limit:
            raise TooManyRequests(retry_after=_WINDOW_S - int(now % _WINDOW_S))

    app.before_request(check)
