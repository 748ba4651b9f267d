"""Rate limits, by sign-in and else by address.

A whole school often shares one address, so what a signed-in person does is counted for that person; only requests
without a sign-in (launches among them) are counted by address, with room for a staff meeting that launches at once.
"""

import math
import time

from flask import Flask, g, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

PER_PERSON = RateLimitItemPerMinute(600)
"""To one endpoint. A page that polls every two seconds and saves while its owner types stays below a tenth of this."""
PER_ADDRESS = RateLimitItemPerMinute(3000)
"""To one endpoint, of all who come from one address without a sign-in."""

_FREE = ("static", "bootstrap.static", "healthz", "readyz")


def register(app: Flask, enabled: bool) -> None:
    """Counts requests of the app, unless switched off; what is too much is answered with 429 and Retry-After.

    Counts are in the memory of this process: each worker counts for itself.
    """
    if not enabled:
        return
    counts = FixedWindowRateLimiter(MemoryStorage())

    def check() -> None:
        if request.endpoint in _FREE:
            return
        actor = g.get("actor")
        limit = PER_PERSON if actor else PER_ADDRESS
        key = (f"person {actor.person_id}" if actor else f"address {request.remote_addr}", request.endpoint or "")
        if not counts.hit(limit, *key):
            reset_at = counts.get_window_stats(limit, *key).reset_time
            raise TooManyRequests(retry_after=max(1, math.ceil(reset_at - time.time())))

    app.before_request(check)
