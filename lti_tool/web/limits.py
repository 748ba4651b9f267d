"""Rate limits, by sign-in and else by address.

A whole school often shares one address, so what a signed-in person does is counted for that person; only requests
without a sign-in (launches among them) are counted by address, with room for a staff meeting that launches at once.
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import count
from typing import Any

from cachetools import TTLCache
from flask import Flask, g, request
from werkzeug.exceptions import TooManyRequests

from lti_tool.web.context import tool

PER_PERSON = 600
"""Requests a minute to one endpoint. A page that polls every two seconds and saves while its owner types stays below a
tenth of this."""
PER_ADDRESS = 3000
"""Requests a minute to one endpoint, of all who come from one address without a sign-in."""

FEWER = {
    "schools.test": 6,
    "school_visits.test": 6,
    "registration.register_by_hand": 10,
    "rounds.why_not": 6,
    "rounds.person": 30,
    "rounds.move": 10,
    "rounds.take_back": 10,
    "rounds.check_proof": 6,
    "visit.use_code": 60,
    "calendar_feed.read": 600,
    "schedule.make_calendar": 10,
    "schedule.say_reminder_address": 6,
    "schedule.confirm_reminder_address": 10,
    "ownership.take_html": 10,
    "ownership.take_json": 10,
}
"""Requests a minute to endpoints that call an LMS or calculate a whole round each time, or open all that somebody ever
wrote, or where somebody could guess a code or an address. Of one address of the network, calendars of many are read."""

_WINDOW_S = 60
_MOST_KEYS = 100_000
_FREE = ("static", "bootstrap.static", "healthz", "readyz")


def register(app: Flask, enabled: bool) -> None:
    """Counts requests of the app, unless switched off; what is too much is answered with 429 and Retry-After.

    A minute begins with the first request of a person or address. Counts are in the memory of this process: each worker
    counts for itself.
    """
    if not enabled:
        return
    counters: TTLCache[tuple[str, str], Iterator[int]] = TTLCache(
        _MOST_KEYS, _WINDOW_S, timer=lambda: tool().clock().timestamp()
    )
    lock = threading.Lock()

    def check(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        if request.endpoint in _FREE:
            return
        actor = g.get("actor")
        who, limit = (actor.person_id, PER_PERSON) if actor else (f"address {_network()}", PER_ADDRESS)
        limit = min(limit, FEWER.get(request.endpoint or "", limit))
        with lock:
            counted = next(counters.setdefault((who, request.endpoint or ""), count(1)))
        if counted > limit:
            raise TooManyRequests(retry_after=_WINDOW_S)

    # Of what is done before a request only these come before rooms refuse it: what is refused counts, too.
    app.url_value_preprocessor(check)


def _network() -> str:
    """Where a request comes from: an address, and of IPv6 the network, of which one machine has all addresses."""
    address = request.remote_addr or ""
    with suppress(ValueError):
        if isinstance(ip_address(address), IPv6Address):
            return str(ip_network((address, 64), strict=False))
    return address
