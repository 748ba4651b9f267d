"""The door as web pages: login and launch. Every other page begins where this one leads.

A login is tied to the browser by a cookie, by the platform's storage where the frame keeps no cookies, or goes on in
a new tab. What is checked is in `lti/`, who arrives in `people/arrival.py`, and what a person reads in `door_texts.py`.
"""

import hmac
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities import selections
from lti_tool.activities.links import find_or_create_link, read_history
from lti_tool.lms.families import family_of
from lti_tool.lti import logins, registration, tool_keys
from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.launch import Launch, hashed
from lti_tool.lti.logins import LoginRequest, Onward, StoredLogin
from lti_tool.lti.platform import KnownPlatform, origin_of
from lti_tool.people import arrival, roster
from lti_tool.people.sign_ins import open_sign_in
from lti_tool.web import sign_in
from lti_tool.web.context import tool
from lti_tool.web.door_pages import door_page, parameters, require_our_origin

blueprint = Blueprint("door", __name__, url_prefix="/lti")

PROBE_COOKIE = "__Host-cookies"
"""Shows whether this frame keeps cookies. It is constant, so that two frames that load at once cannot disagree."""
_PROBE_LIFETIME_S = 30 * 24 * 3600
_LOGIN_COOKIE = "__Host-login-"
_LOGINS_AT_ONCE = 8
"""Logins that one browser can have under way: a course page may show several activities in frames."""
_TRIES = 3
_SHOWN_ERROR = 300

_Result = TypeVar("_Result")


@blueprint.route("/login", methods=["GET", "POST"])
@door_page
def login() -> Response:
    """Third-party initiated login: finds out whether cookies work here before the platform's hint is consumed."""
    given = parameters(
        "iss",
        "client_id",
        "login_hint",
        "target_link_uri",
        "lti_message_hint",
        "lti_storage_target",
        "cookie_check",
        "new_tab",
    )
    wanted = logins.read_request(given, tool().settings.public_url)
    if request.cookies.get(PROBE_COOKIE) == "1":
        return _login_by_cookie(wanted)
    with tool().database.read() as session:
        platform = _platform_of(session, wanted)
    in_new_tab = {"new_tab": "1"} if given.get("new_tab") else {}
    if not given.get("cookie_check"):
        response = _redirect(_login_address(wanted, **in_new_tab, cookie_check="1"))
        sign_in.set_framed_cookie(response, PROBE_COOKIE, "1", _PROBE_LIFETIME_S)
        return response
    if in_new_tab:
        raise DoorError(Reason.NO_COOKIES)
    # Whoever frames these two pages learns nothing and can only begin a login, and the frame around them may be a
    # school's address that we do not know yet.
    g.frame_ancestors = "*"
    new_tab = _login_address(wanted, new_tab="1")
    if wanted.storage_target:
        return _login_by_storage(platform, wanted, new_tab)
    return make_response(render_template("door/new_tab.html", href=new_tab))


def _login_address(wanted: LoginRequest, **more: str) -> str:
    return f"{url_for('door.login')}?{urlencode(wanted.parameters() | more)}"


def _platform_of(session: Session, wanted: LoginRequest) -> KnownPlatform:
    return logins.choose(arrival.platforms_of(session, wanted.issuer, wanted.client_id))


def _login_by_cookie(wanted: LoginRequest) -> Response:
    with tool().database.write() as session:
        platform = _platform_of(session, wanted)
        opened = logins.open_login(session, platform, wanted, tool().clock(), in_storage=False)
    response = _redirect(logins.authorization_url(platform, wanted, opened, tool().settings.public_url))
    sign_in.forget_oldest(response, _LOGIN_COOKIE, _LOGINS_AT_ONCE - 1)
    lifetime = int(logins.LIFETIME.total_seconds())
    sign_in.set_framed_cookie(response, _LOGIN_COOKIE + opened.id, opened.browser_secret, lifetime)
    return response


def _login_by_storage(platform: KnownPlatform, wanted: LoginRequest, new_tab: str) -> Response:
    with tool().database.write() as session:
        opened = logins.open_login(session, platform, wanted, tool().clock(), in_storage=True)
    return make_response(
        render_template(
            "door/storage_put.html",
            origin=platform.origin,
            frame=wanted.storage_target,
            key=_storage_key(opened.id),
            secret=opened.browser_secret,
            onward=logins.authorization_url(platform, wanted, opened, tool().settings.public_url),
            new_tab=new_tab,
        )
    )


@blueprint.route("/launch", methods=["GET", "POST"])
@door_page
def launch() -> Response:
    """The platform's answer to a login: an id_token, or an error."""
    if request.method != "POST":
        raise DoorError(Reason.NOT_A_POST)
    given = parameters("id_token", "state", "error", "error_description")
    if given.get("error"):
        raise _platform_error(given)
    begun, platform = _expected(given)
    holds_secret = _is_secret(request.cookies.get(_LOGIN_COOKIE + begun.id, ""), begun)
    if begun.consumed_at is not None:
        return _lead_back(begun, holds_secret)
    _require_in_time(begun)
    if holds_secret:
        return _enter(begun, platform, given.get("id_token", ""))
    if not begun.storage_target:
        raise DoorError(Reason.OTHER_BROWSER)
    g.frame_ancestors = "*"
    return make_response(
        render_template(
            "door/storage_get.html",
            origin=platform.origin,
            frame=begun.storage_target,
            key=_storage_key(begun.id),
            id_token=given.get("id_token", ""),
            state=given["state"],
        )
    )


@blueprint.post("/launch/stored")
@door_page
def launch_stored() -> Response:
    """The same launch, with the browser's secret from the platform's storage. It goes on in a new tab."""
    # Whoever began a login knows its secret; only a page of ours can have it from this browser's storage.
    require_our_origin()
    given = parameters("id_token", "state", "secret")
    begun, platform = _expected(given)
    if begun.consumed_at is not None:
        raise DoorError(Reason.LOGIN_USED)
    _require_in_time(begun)
    if not begun.storage_target or not _is_secret(given.get("secret", ""), begun):
        raise DoorError(Reason.OTHER_BROWSER)
    proven = _prove(given.get("id_token", ""), platform, begun)

    def enter(session: Session) -> str | None:
        onward = _arrive(session, platform, proven)
        if not logins.consume(session, begun.id, None, tool().clock()):
            raise DoorError(Reason.LOGIN_USED)
        return logins.keep_onward(session, onward, tool().clock()) if onward else None

    code = _once_more_if_racing(enter)
    if code is None:
        raise DoorError(Reason.DEPLOYMENT_PENDING)
    g.frame_ancestors = family_of(platform.family).frame_origin(platform, proven)
    return make_response(render_template("door/continue.html", code=code))


@blueprint.route("/continue", methods=["GET", "POST"])
@door_page
def go_on() -> Response:
    """In the new tab: the one-time code becomes a session (POST), then we see whether its cookie was kept (GET)."""
    if request.method != "POST":
        handle = parameters("at").get("at", "")
        if not sign_in.has_cookie(handle):
            raise DoorError(Reason.NO_COOKIES)
        return _redirect(_home(handle))
    require_our_origin()
    given = parameters("code")
    with tool().database.write() as session:
        onward = logins.take_onward(session, given.get("code", ""), tool().clock())
        handle, secret = _open_sign_in(session, onward)
    response = _redirect(url_for("door.go_on", at=handle))
    sign_in.set_cookie(response, handle, secret)
    return response


@blueprint.get("/jwks.json")
def jwks() -> Response:
    """Our public keys."""
    return _public_json(tool().lti.keys.jwks())


@blueprint.get("/config.json")
def config() -> Response:
    """The tool's addresses, for an LMS where it is registered by hand."""
    return _public_json(registration.manual_configuration(tool().settings.public_url))


def _enter(begun: StoredLogin, platform: KnownPlatform, id_token: str) -> Response:
    proven = _prove(id_token, platform, begun)

    def enter(session: Session) -> tuple[str, str] | None:
        onward = _arrive(session, platform, proven)
        opened = _open_sign_in(session, onward) if onward else None
        # Last, and in the same transaction: of two launches at the same moment one finds the login consumed, and leaves
        # no trace.
        if not logins.consume(session, begun.id, opened[0] if opened else None, tool().clock()):
            raise _Overtaken
        return opened

    try:
        opened = _once_more_if_racing(enter)
    except _Overtaken:
        with tool().database.read() as session:
            found = arrival.expected_login(session, hashed(request.values["state"]))
        if found is None:
            raise DoorError(Reason.LOGIN_USED) from None
        return _lead_back(found[0], holds_secret=True)
    if opened is None:
        raise DoorError(Reason.DEPLOYMENT_PENDING)
    response = _redirect(_home(opened[0]))
    sign_in.set_cookie(response, *opened)
    return response


class _Overtaken(Exception):
    """Another request consumed the login first."""


def _once_more_if_racing(work: Callable[[Session], _Result]) -> _Result:
    """Carries `work` out in one transaction; again when another first launch inserted the same course or person."""
    for _attempt in range(_TRIES - 1):
        try:
            with tool().database.write() as session:
                return work(session)
        except IntegrityError:
            continue
    with tool().database.write() as session:
        return work(session)


def _arrive(session: Session, platform: KnownPlatform, proven: Launch) -> Onward | None:
    """Who and where this launch is; None if its deployment has yet to be approved."""
    now = tool().clock()
    arrived = arrival.arrive(session, platform.id, proven, now)
    if arrived is None:
        return None
    activity_id = selection_id = None
    if proven.selection:
        selection_id = selections.open_selection(session, arrived.membership_id, proven.selection, now)
    else:
        activity_id = find_or_create_link(
            session,
            course_id=arrived.course.id,
            resource_link_id=proven.resource_link_id,
            title=proven.resource_link_title,
            named=proven.custom.get(selections.CUSTOM_NAME, ""),
            history=read_history(proven.custom),
            grades=proven.grades,
            now=now,
        )
        roster.request_if_stale(session, arrived.course, now)
    return Onward(
        membership_id=arrived.membership_id,
        activity_id=activity_id,
        selection_id=selection_id,
        locale=proven.locale,
        platform_origin=family_of(platform.family).frame_origin(platform, proven),
        return_url=proven.return_url,
    )


def _open_sign_in(session: Session, onward: Onward) -> tuple[str, str]:
    return open_sign_in(
        session,
        membership_id=onward.membership_id,
        activity_id=onward.activity_id,
        selection_id=onward.selection_id,
        locale=onward.locale,
        platform_origin=onward.platform_origin,
        return_url=onward.return_url,
        now=tool().clock(),
    )


def _prove(id_token: str, platform: KnownPlatform, begun: StoredLogin) -> Launch:
    logins.require_active(platform)
    proven = tool().lti.prove(id_token, platform, begun, tool().clock())
    g.launch_locale = proven.locale
    if proven.selection:
        origins = family_of(platform.family).return_origins(platform, proven)
        if origin_of(proven.selection.return_url) not in origins:
            raise DoorError(Reason.BAD_CLAIM, "deep_link_return_url")
    return proven


def _expected(given: dict[str, str]) -> tuple[StoredLogin, KnownPlatform]:
    if not given.get("state"):
        raise DoorError(Reason.MALFORMED, "state")
    with tool().database.read() as session:
        found = arrival.expected_login(session, hashed(given["state"]))
    if found is None:
        raise DoorError(Reason.LOGIN_UNKNOWN)
    return found


def _require_in_time(begun: StoredLogin) -> None:
    if tool().clock() >= begun.expires_at:
        raise DoorError(Reason.LOGIN_EXPIRED)


def _lead_back(begun: StoredLogin, holds_secret: bool) -> Response:
    """Reload, back or double click: to the page that this launch opened, in the browser that opened it."""
    if holds_secret and begun.sign_in_id and sign_in.has_cookie(begun.sign_in_id):
        return _redirect(_home(begun.sign_in_id))
    raise DoorError(Reason.LOGIN_USED)


def _platform_error(given: dict[str, str]) -> DoorError:
    """What the platform says, shown only if it answers a login of this browser: others could write on our page."""
    shown = ""
    if given.get("state"):
        with tool().database.read() as session:
            found = arrival.expected_login(session, hashed(given["state"]))
        if found and _is_secret(request.cookies.get(_LOGIN_COOKIE + found[0].id, ""), found[0]):
            said = " ".join(f"{given['error']} {given.get('error_description', '')}".split())
            shown = "".join(character for character in said if character.isprintable())[:_SHOWN_ERROR]
    return DoorError(Reason.PLATFORM_ERROR, said=shown)


def _is_secret(secret: str, begun: StoredLogin) -> bool:
    return bool(secret) and hmac.compare_digest(hashed(secret), begun.browser_hash)


def _home(handle: str) -> str:
    return f"/at/{handle}/"


def _storage_key(login_id: str) -> str:
    return f"meitheal-login-{login_id}"


def _redirect(location: str) -> Response:
    response = redirect(location, 303)
    assert isinstance(response, Response)
    return response


def _public_json(body: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.headers["Cache-Control"] = f"public, max-age={int(tool_keys.JWKS_MAX_AGE.total_seconds())}"
    return response
