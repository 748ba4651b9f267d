"""The cookie of a sign-in, and who it makes the person behind a request."""

import hashlib
import hmac
from typing import Any

from flask import Response, abort, current_app, g, request
from flask.sessions import SecureCookieSession, SessionInterface

from lti_tool.people import sign_ins
from lti_tool.web.context import tool

_PREFIX = "__Host-at-"
VISIT_PREFIX = "__Host-school-"
"""Of the cookie of a visit to a school's page, which lies outside of the LMS and of every sign-in."""

_KEPT = 15
"""Sign-ins that one browser holds at most: a cookie each, and a server takes 8 kB of them."""


def set_cookie(response: Response, handle: str, secret: str) -> None:
    """Gives the browser the secret of a sign-in; the oldest of many others is let go."""
    forget_oldest(response, _PREFIX, _KEPT - 1)
    set_framed_cookie(response, _PREFIX + handle, secret, int(sign_ins.LIFETIME.total_seconds()))


def set_framed_cookie(response: Response, name: str, value: str, max_age: int) -> None:
    """A cookie that also lives inside another site's frame (SameSite=None, Partitioned); `max_age` in seconds."""
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="None", partitioned=True
    )


def forget_oldest(response: Response, prefix: str, keep: int) -> None:
    """Takes back all but the last `keep` cookies of this prefix. Browsers send the oldest first (RFC 6265, 5.4)."""
    held = [name for name in request.cookies if name.startswith(prefix)]
    for name in held[: max(0, len(held) - keep)]:
        _delete(response, name)


def clear_cookie(response: Response, handle: str) -> None:
    """Takes the secret of a sign-in back out of the browser; with the attributes it was set with, or it would stay."""
    _delete(response, _PREFIX + handle)


def _delete(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="None", partitioned=True)


def handles() -> list[str]:
    """The handles for which the browser brought a cookie; whether they still open anything is not looked at."""
    return [name.removeprefix(_PREFIX) for name in request.cookies if name.startswith(_PREFIX)]


def has_cookie(handle: str) -> bool:
    """Whether the browser brought a cookie for this handle; whether it still opens anything is not looked at."""
    return _PREFIX + handle in request.cookies


def load_actor_of_path(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """URL value preprocessor: takes `handle` out of the path and loads who holds its secret.

    A page acts for the person who launched it or asks to launch again; never for another person who uses the same
    browser, since each sign-in has its own handle and its own cookie.
    """
    g.actor = None
    if values and any("\0" in str(value) for value in values.values()):
        # No id of ours holds one, and PostgreSQL takes it for an error.
        abort(404)
    handle = values.pop("handle", None) if values else None
    if handle is None:
        return
    g.handle = handle
    secret = request.cookies.get(_PREFIX + handle)
    if secret:
        with tool().database.read() as session:
            g.actor = sign_ins.load_actor(session, handle, secret, tool().clock())
    g.sign_in_over = g.actor is None


def require_actor() -> None:
    """Before-request check of every page under /at/<handle>/: no valid sign-in, no page."""
    if g.get("sign_in_over"):
        abort(401)


def fill_in_handle(endpoint: str, values: dict[str, Any]) -> None:
    """URL defaults: a page's links keep the handle of the person it was made for."""
    if "handle" not in values and g.get("handle") and current_app.url_map.is_endpoint_expecting(endpoint, "handle"):
        values["handle"] = g.handle


def csrf_token_of(key: bytes, secret: str) -> str:
    """The CSRF token of whoever holds `secret` in a cookie."""
    return hmac.new(key, b"csrf/" + secret.encode(), hashlib.sha256).hexdigest()


class SignInSessions(SessionInterface):
    """Gives Flask-WTF its CSRF token from the sign-in instead of from a session cookie of the browser.

    A session cookie would be one for all sign-ins of the browser, and two pages that load at the same moment would
    overwrite each other's token. Nothing is ever stored: the token is derived from the secret of the sign-in.
    """

    def open_session(self, app: Any, request: Any) -> SecureCookieSession:
        """A session that holds the CSRF token of the handle or visit in the path, and nothing else."""
        # Flask opens the session before it matches the path, so the handle is read off it here.
        parts = request.path.split("/", 3)
        prefix = {"at": _PREFIX, "school": VISIT_PREFIX}.get(parts[1]) if len(parts) > 2 else None
        secret = request.cookies.get(prefix + parts[2], "") if prefix else ""
        session = SecureCookieSession()
        if secret:
            key = app.extensions["meitheal"].settings.secret_key.get_secret_value()
            session["csrf_token"] = csrf_token_of(key, secret)
        return session

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        """Nothing is kept."""
