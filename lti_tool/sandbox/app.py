"""Puts the mini-LMS together."""

import secrets
import time
from collections.abc import Callable

from flask import Flask, Response

from lti_tool.sandbox import (
    deep_linking,
    errors,
    faults,
    launch,
    pages,
    registration,
    scripting,
    services_ags,
    services_nrps,
    tokens,
    webservice,
)
from lti_tool.sandbox.personalities import Personality
from lti_tool.sandbox.personalities.blackboard import Blackboard
from lti_tool.sandbox.personalities.brightspace import Brightspace
from lti_tool.sandbox.personalities.canvas import Canvas
from lti_tool.sandbox.personalities.moodle import Moodle
from lti_tool.sandbox.personalities.sakai import Sakai
from lti_tool.sandbox.school import School

PERSONALITIES: dict[str, type[Personality]] = {
    "moodle": Moodle,
    "canvas": Canvas,
    "blackboard": Blackboard,
    "brightspace": Brightspace,
    "sakai": Sakai,
}

# No script or style in the page itself; tools may come from anywhere, and may be posted to.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "frame-src http: https:",
        "img-src 'self' http: https:",
        "form-action http: https:",
        "frame-ancestors 'self'",
        "base-uri 'none'",
    )
)


def create_app(
    base_url: str,
    *,
    personality: str = "moodle",
    tool_origin: str | None = None,
    clock: Callable[[], float] = time.time,
    seed: int = 1,
) -> Flask:
    """A school's LMS at `base_url`, which must be reached so by browsers and tools; in memory.

    `personality` is one of `PERSONALITIES`: which LMS it behaves like. Its issuer is `base_url`, or the one name that
    the LMS has for all schools. Raises KeyError for an unknown personality.
    `tool_origin` is offered on the registration page; `clock` gives seconds since the epoch; `seed` chooses the names
    of people added later. The `School` with all its state is at `app.extensions["sandbox"]`. Serve it by one process
    with threads: a registration calls the tool, which calls back.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        # A name of its own: tool and LMS may share a host, and cookies know no ports.
        SESSION_COOKIE_NAME="sandbox_session",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=base_url.startswith("https:"),
        MAX_CONTENT_LENGTH=2_000_000,
    )
    school = School(base_url, PERSONALITIES[personality](), clock, seed, tool_origin)
    app.extensions["sandbox"] = school
    errors.add_handlers(app)
    faults.add_faults(app)
    for room in (registration, launch, deep_linking, tokens, services_nrps, services_ags, webservice):
        room.add_routes(app, school)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(scripting.blueprint)
    app.after_request(_protect)
    return app


def _protect(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
    return response
