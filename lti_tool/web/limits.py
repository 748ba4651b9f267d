"""Rate limits, by sign-in and else by address.

A whole school often shares one address, so what a signed-in person does is counted for that person; only requests
without a sign-in (launches among them) are counted by address, with room for a staff meeting that launches at once.
"""

from flask import Flask, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

PER_PERSON = "600 per minute"
"""A page that polls every two seconds and saves while its owner types stays below a tenth of this."""
PER_ADDRESS = "3000 per minute"


def register(app: Flask, enabled: bool) -> None:
    """Counts requests of the app, unless switched off."""
    if not enabled:
        return
    Limiter(_who, app=app, default_limits=[_limit], storage_uri="memory://").request_filter(_is_free)


def _who() -> str:
    actor = g.get("actor")
    return f"person:{actor.person_id}" if actor else f"address:{get_remote_address()}"


def _limit() -> str:
    return PER_PERSON if g.get("actor") else PER_ADDRESS


def _is_free() -> bool:
    return request.endpoint in ("static", "bootstrap.static", "healthz", "readyz")
