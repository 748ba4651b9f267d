"""The first half of a launch: a third-party login becomes one row, and one redirect to the platform.

Security Framework 1.0 section 5.1.1; OIDC Login with LTI Client Side postMessages for `lti_storage_target`.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.launch import hashed
from lti_tool.lti.models import Continuation, Login
from lti_tool.lti.platform import KnownPlatform, same_origin
from lti_tool.store.base import new_id
from lti_tool.store.database import Database, rows_changed, run

LIFETIME = timedelta(minutes=10)
"""From login to launch: a platform may ask for a password in between."""
CODE_LIFETIME = timedelta(minutes=5)
_REMEMBERED = timedelta(hours=1)
"""How long a finished login is kept, so that a reload can be led back."""
_MAX_HINT = 4_000
_FRAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_INSERT = insert(Login)
_CONSUME = (
    update(Login)
    .where(Login.id == bindparam("login"), Login.consumed_at.is_(None))
    .values(consumed_at=bindparam("now"), sign_in_id=bindparam("sign_in"))
)


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What a platform sends to begin a login."""

    issuer: str
    client_id: str
    """Empty if it named none."""
    login_hint: str
    target_link_uri: str
    message_hint: str | None
    storage_target: str
    """Frame of the platform's storage (`_parent`, or a frame's name); empty if it offers none."""

    def parameters(self) -> dict[str, str]:
        """The same request once more, as parameters: for the browser to come back with."""
        given = {
            "iss": self.issuer,
            "client_id": self.client_id,
            "login_hint": self.login_hint,
            "target_link_uri": self.target_link_uri,
            "lti_message_hint": self.message_hint,
            "lti_storage_target": self.storage_target,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class OpenedLogin:
    """A login under way: its secrets exist only here, in the browser and at the platform."""

    id: str
    state: str
    nonce: str
    browser_secret: str


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """A login as it was opened, without its secrets."""

    id: str
    nonce_hash: str
    browser_hash: str
    target_link_uri: str
    storage_target: str
    expires_at: datetime
    consumed_at: datetime | None
    sign_in_id: str | None


STORED_COLUMNS = (
    Login.id,
    Login.nonce_hash,
    Login.browser_hash,
    Login.target_link_uri,
    Login.storage_target,
    Login.expires_at,
    Login.consumed_at,
    Login.sign_in_id,
)
"""Columns of a StoredLogin, for a statement that reads the login together with its platform."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Everything a session needs of a proven launch, kept while its person changes to a new tab."""

    membership_id: str
    activity_id: str | None
    locale: str
    platform_origin: str
    return_url: str
    selection_id: str | None = None
    """The selection of content that this launch began, if it did."""


def read_request(given: Mapping[str, str], public_url: str) -> LoginRequest:
    """The login that a platform asks for. Raises DoorError: MALFORMED names the parameter, WRONG_TARGET."""
    for name in ("iss", "login_hint", "target_link_uri"):
        if not given.get(name):
            raise DoorError(Reason.MALFORMED, name)
    for name, limit in (
        ("iss", 500),
        ("client_id", 200),
        ("login_hint", _MAX_HINT),
        ("lti_message_hint", _MAX_HINT),
        ("target_link_uri", 1_000),
    ):
        value = given.get(name, "")
        if len(value) > limit or _UNPRINTABLE.search(value):
            raise DoorError(Reason.MALFORMED, name)
    if not same_origin(given["target_link_uri"], public_url):
        raise DoorError(Reason.WRONG_TARGET, "target_link_uri")
    storage_target = given.get("lti_storage_target", "")
    return LoginRequest(
        issuer=given["iss"],
        client_id=given.get("client_id", ""),
        login_hint=given["login_hint"],
        target_link_uri=given["target_link_uri"],
        message_hint=given.get("lti_message_hint"),
        storage_target=storage_target if _FRAME.fullmatch(storage_target) else "",
    )


def choose(found: list[KnownPlatform]) -> KnownPlatform:
    """The registration a login means, of those with its issuer and, if named, its client. Raises DoorError."""
    if not found:
        raise DoorError(Reason.UNKNOWN_PLATFORM)
    if len(found) > 1:
        raise DoorError(Reason.CLIENT_NEEDED)
    return require_active(found[0])


def require_active(platform: KnownPlatform) -> KnownPlatform:
    """The platform, if it may launch. Raises DoorError."""
    if platform.status == "active":
        return platform
    raise DoorError(Reason.PLATFORM_SUSPENDED if platform.status == "suspended" else Reason.PLATFORM_PENDING)


def open_login(
    session: Session, platform: KnownPlatform, request: LoginRequest, now: datetime, *, in_storage: bool
) -> OpenedLogin:
    """Writes the one row of this login. `in_storage`: the platform's storage holds the browser's secret, no cookie."""
    opened = OpenedLogin(new_id(), secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    run(
        session,
        _INSERT,
        {
            "id": opened.id,
            "state_hash": hashed(opened.state),
            "nonce_hash": hashed(opened.nonce),
            "browser_hash": hashed(opened.browser_secret),
            "platform_id": platform.id,
            "target_link_uri": request.target_link_uri,
            "storage_target": request.storage_target if in_storage else "",
            "created_at": now,
            "expires_at": now + LIFETIME,
        },
    )
    return opened


def authorization_url(platform: KnownPlatform, request: LoginRequest, opened: OpenedLogin, public_url: str) -> str:
    """Where the browser goes to be recognised by the platform (Security Framework 1.0 section 5.1.1.2)."""
    parameters = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": public_url + "/lti/launch",
        "login_hint": request.login_hint,
        "state": opened.state,
        "nonce": opened.nonce,
    }
    if request.message_hint is not None:
        parameters["lti_message_hint"] = request.message_hint
    joint = "&" if "?" in platform.authorization_url else "?"
    return platform.authorization_url + joint + urlencode(parameters)


def consume(session: Session, login_id: str, sign_in_id: str | None, now: datetime) -> bool:
    """Uses the login up. True for exactly one caller, whatever happens at the same moment; nobody else may go on."""
    return run(session, _CONSUME, {"login": login_id, "sign_in": sign_in_id, "now": now}).rowcount == 1


def keep_onward(session: Session, onward: Onward, now: datetime) -> str:
    """A one-time code with which this launch goes on in a new tab; good for CODE_LIFETIME."""
    code = secrets.token_urlsafe(32)
    session.execute(
        insert(Continuation).values(
            id=new_id(),
            code_hash=hashed(code),
            membership_id=onward.membership_id,
            activity_id=onward.activity_id,
            locale=onward.locale,
            platform_origin=onward.platform_origin,
            return_url=onward.return_url,
            selection_id=onward.selection_id,
            expires_at=now + CODE_LIFETIME,
        )
    )
    return code


def take_onward(session: Session, code: str, now: datetime) -> Onward:
    """What a one-time code stands for; the code is used up. Raises DoorError: CODE_INVALID."""
    row = session.execute(
        select(
            Continuation.id,
            Continuation.membership_id,
            Continuation.activity_id,
            Continuation.locale,
            Continuation.platform_origin,
            Continuation.return_url,
            Continuation.selection_id,
        ).where(Continuation.code_hash == hashed(code), Continuation.expires_at > now)
    ).one_or_none()
    if row is None or rows_changed(session.execute(delete(Continuation).where(Continuation.id == row.id))) != 1:
        raise DoorError(Reason.CODE_INVALID)
    return Onward(*row[1:])


def forget_old(database: Database, now: datetime) -> None:
    """Deletes logins and codes that are over: periodic work."""
    with database.write() as session:
        session.execute(delete(Login).where(Login.expires_at < now - _REMEMBERED))
        session.execute(delete(Continuation).where(Continuation.expires_at < now))
