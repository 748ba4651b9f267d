"""Whether the connection with an LMS works, step by step, as it is at this moment: keys, token, roster, grade columns.

The steps answer with codes; whoever shows them has the words (the doctor for operators, the school's page for schools).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.lti.access_tokens import Client, ServiceError, read_service
from lti_tool.lti.grades import LINE_ITEM_SCOPE
from lti_tool.lti.http import AddressRefused, HttpError, Response
from lti_tool.lti.names_roles import SCOPE as ROSTER_SCOPE
from lti_tool.lti.service import LtiDoor
from lti_tool.people.models import Course, Deployment, Membership, Platform

Step = Literal["keys", "token", "roster", "line_items"]
STEPS: tuple[Step, ...] = ("keys", "token", "roster", "line_items")
_MAX_BYTES = 64_000_000
"""Moodle sends a whole course in one answer."""
_LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


@dataclass(frozen=True, slots=True)
class ConnectionTarget:
    """What can be tried of one platform, as its launches have told."""

    client: Client
    jwks_url: str
    family: str
    """Product family code, or empty."""
    memberships_url: str
    """Roster of the course that was launched last; empty where the platform offers none."""
    line_items_url: str
    """Grade columns of such a course; empty where the platform offers none."""
    last_launch_at: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step found. `bad`: something does not work; `note`: it could not be tried, or is not needed.

    Codes by step, beside `ok` (all steps):
      keys: address (may not be called), unreadable (nobody answers, or no key set), unusable (none that signs)
      token: unreachable, busy, refused, malformed; no_scope (note: the platform grants none of our services)
      roster, line_items: unreachable, busy, refused, unauthorized, malformed; and as notes: not_launched (nobody has
        opened an activity yet), not_offered (launches name no such service), untried (there is no token to ask with)
    """

    step: Step
    level: Literal["ok", "note", "bad"]
    code: str
    detail: str = ""
    """For the operator's eyes: what the platform said, as `HTTP 400 invalid_client`."""
    count: int = 0
    """Where the step is ok: keys that can be used, people or columns on the first page."""


def target_of(session: Session, platform_id: str) -> ConnectionTarget | None:
    """What to try of a platform, in four statements; None if there is no such platform."""
    platform = session.execute(
        select(
            Platform.client_id, Platform.token_url, Platform.token_audience, Platform.jwks_url, Platform.family
        ).where(Platform.id == platform_id)
    ).one_or_none()
    if platform is None:
        return None
    launched = (
        select(Membership.course_id, func.max(Membership.launched_at).label("at"))
        .join(Course, Course.id == Membership.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(Deployment.platform_id == platform_id, Membership.launched_at.is_not(None))
        .group_by(Membership.course_id)
        .subquery()
    )
    # Courses that were opened last are those that still exist in the LMS.
    memberships_url = session.scalar(
        select(Course.memberships_url)
        .join(launched, launched.c.course_id == Course.id)
        .where(Course.memberships_url != "")
        .order_by(launched.c.at.desc())
        .limit(1)
    )
    line_items_url = session.scalar(
        select(Activity.line_items_url)
        .join(launched, launched.c.course_id == Activity.course_id)
        .where(Activity.line_items_url != "")
        .order_by(launched.c.at.desc())
        .limit(1)
    )
    return ConnectionTarget(
        client=Client(platform_id, platform.client_id, platform.token_url, platform.token_audience),
        jwks_url=platform.jwks_url,
        family=platform.family,
        memberships_url=memberships_url or "",
        line_items_url=line_items_url or "",
        last_launch_at=session.scalar(select(func.max(launched.c.at))),
    )


def check_connection(lti: LtiDoor, target: ConnectionTarget) -> list[Finding]:
    """Tries every step, in the order of STEPS. Calls the platform (a minute in the worst case), so never in a
    transaction; changes nothing there."""
    keys, token = check_keys(lti, target.jwks_url), check_token(lti, _scope_to_try(target), target.client)
    has_token = token.level == "ok"
    return [
        keys,
        token,
        _check_service("roster", target, target.memberships_url, has_token, lambda: _roster(lti, target)),
        _check_service("line_items", target, target.line_items_url, has_token, lambda: _line_items(lti, target)),
    ]


def check_keys(lti: LtiDoor, jwks_url: str) -> Finding:
    """Whether an address holds keys with which launches can be checked."""
    try:
        count = lti.platform_keys.read(jwks_url)
    except AddressRefused as error:
        return Finding("keys", "bad", "address", str(error))
    except HttpError as error:
        return Finding("keys", "bad", "unreadable", str(error))
    if count == 0:
        return Finding("keys", "bad", "unusable")
    return Finding("keys", "ok", "ok", count=count)


def check_token(lti: LtiDoor, scope: str, client: Client) -> Finding:
    """Whether the platform knows us: a new token is asked for, whatever one is still in memory."""
    try:
        lti.tokens.renew(client, [scope])
    except ServiceError as error:
        if error.detail.endswith(" invalid_scope"):
            return Finding("token", "note", "no_scope", error.detail)
        return Finding("token", "bad", error.code, error.detail)
    return Finding("token", "ok", "ok")


def _scope_to_try(target: ConnectionTarget) -> str:
    return LINE_ITEM_SCOPE if target.line_items_url and not target.memberships_url else ROSTER_SCOPE


def _check_service(
    step: Step, target: ConnectionTarget, address: str, has_token: bool, count: Callable[[], int]
) -> Finding:
    if not address:
        return Finding(step, "note", "not_offered" if target.last_launch_at else "not_launched")
    if not has_token:
        return Finding(step, "note", "untried")
    try:
        return Finding(step, "ok", "ok", count=count())
    except ServiceError as error:
        return Finding(step, "bad", error.code, error.detail)


def _roster(lti: LtiDoor, target: ConnectionTarget) -> int:
    answer = _read(lti, target, ROSTER_SCOPE, target.memberships_url, _MEMBERS)
    return _length(answer, "members")


def _line_items(lti: LtiDoor, target: ConnectionTarget) -> int:
    return _length(_read(lti, target, LINE_ITEM_SCOPE, target.line_items_url, _LINE_ITEMS))


def _read(lti: LtiDoor, target: ConnectionTarget, scope: str, url: str, accept: str) -> Response:
    return read_service(lti.tokens, lti.http, target.client, scope, url, accept=accept, max_bytes=_MAX_BYTES)


def _length(answer: Response, key: str = "") -> int:
    """Length of the list that an answer is, or holds under `key`."""
    try:
        body = answer.json()
    except HttpError as error:
        raise ServiceError("malformed", detail=str(error)) from error
    entries = body.get(key) if key and isinstance(body, dict) else body
    if not isinstance(entries, list):
        raise ServiceError("malformed", detail="the answer holds no list")
    return len(entries)
