"""Somebody arrives: a proven launch brings its deployment, course, person and membership up to date.

The hot path of the tool: columns instead of entities, one statement to read everything, and a write only for what
changed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.lti.launch import Launch
from lti_tool.lti.logins import STORED_COLUMNS, StoredLogin
from lti_tool.lti.models import Login
from lti_tool.lti.platform import KnownPlatform
from lti_tool.lti.roles import is_administrator, lms_role
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.store.base import new_id
from lti_tool.store.database import run

_SEEN_AGAIN = timedelta(minutes=1)
"""`launched_at` is written anew when it is older than this."""

_PLATFORM_COLUMNS = (
    Platform.id,
    Platform.issuer,
    Platform.client_id,
    Platform.authorization_url,
    Platform.jwks_url,
    Platform.status,
    Platform.family,
)
_OF_ISSUER = select(*_PLATFORM_COLUMNS).where(Platform.issuer == bindparam("issuer")).limit(2)
_OF_CLIENT = _OF_ISSUER.where(Platform.client_id == bindparam("client_id"))
_EXPECTED_LOGIN = (
    select(*STORED_COLUMNS, *_PLATFORM_COLUMNS)
    .join(Platform, Platform.id == Login.platform_id)
    .where(Login.state_hash == bindparam("state_hash"))
)
_WHAT_IS_KNOWN = (
    select(
        Deployment.id.label("deployment_id"),
        Deployment.status.label("deployment_status"),
        Course.id.label("course_id"),
        Course.title,
        Course.label.label("course_label"),
        Course.memberships_url,
        Course.roster_read_at,
        Person.id.label("person_id"),
        Person.name,
        Person.given_name,
        Person.family_name,
        Person.locale,
        Person.launch_zone,
        Membership.id.label("membership_id"),
        Membership.lms_role,
        Membership.is_administrator,
        Membership.is_active,
        Membership.launched_at,
    )
    .outerjoin(Course, and_(Course.deployment_id == Deployment.id, Course.context_key == bindparam("context_key")))
    .outerjoin(Person, and_(Person.platform_id == Deployment.platform_id, Person.sub == bindparam("sub")))
    .outerjoin(Membership, and_(Membership.course_id == Course.id, Membership.person_id == Person.id))
    .where(Deployment.platform_id == bindparam("platform_id"), Deployment.deployment_id == bindparam("deployment"))
)


@dataclass(frozen=True, slots=True)
class ArrivedCourse:
    """The course of a launch, as far as a roster reading needs to know it."""

    id: str
    memberships_url: str
    roster_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a launch ends up."""

    membership_id: str
    course: ArrivedCourse


def platforms_of(session: Session, issuer: str, client_id: str) -> list[KnownPlatform]:
    """The registrations of an issuer; at most one if `client_id` is not empty."""
    statement, values = (_OF_CLIENT, {"client_id": client_id}) if client_id else (_OF_ISSUER, {})
    return [KnownPlatform(*row) for row in run(session, statement, {"issuer": issuer, **values})]


def expected_login(session: Session, state_hash: str) -> tuple[StoredLogin, KnownPlatform] | None:
    """The login that a launch answers, and its platform as it is now; one statement. None if there is no such login."""
    row = run(session, _EXPECTED_LOGIN, {"state_hash": state_hash}).one_or_none()
    if row is None:
        return None
    values: tuple[Any, ...] = tuple(row)
    return StoredLogin(*values[: len(STORED_COLUMNS)]), KnownPlatform(*values[len(STORED_COLUMNS) :])


def arrive(session: Session, platform_id: str, launch: Launch, now: datetime) -> Arrival | None:
    """Upserts what a launch says; None if its deployment has yet to be approved (a new one is kept as pending).

    The launch's word on roles is taken whole: it raises and lowers. Names that the LMS withholds stay as they were.
    Two first launches at the same moment may both insert: the caller tries once more on IntegrityError.
    """
    row = run(
        session,
        _WHAT_IS_KNOWN,
        {
            "platform_id": platform_id,
            "deployment": launch.deployment_id,
            "context_key": _context_key(launch),
            "sub": launch.sub,
        },
    ).one_or_none()
    if row is None or row.deployment_status != "active":
        if row is None:
            session.execute(
                insert(Deployment).values(
                    id=new_id(),
                    platform_id=platform_id,
                    deployment_id=launch.deployment_id,
                    status="pending",
                    created_at=now,
                )
            )
        return None
    course = _course(session, row, launch, now)
    person_id = _person(session, row, platform_id, launch, now)
    return Arrival(_membership(session, row, course.id, person_id, launch, now), course)


def _context_key(launch: Launch) -> str:
    return f"context:{launch.context_id}" if launch.context_id else f"link:{launch.resource_link_id}"


def _course(session: Session, row: "Row[*tuple[Any, ...]]", launch: Launch, now: datetime) -> ArrivedCourse:
    title = launch.context_title if launch.context_id else launch.resource_link_title
    said = {"title": title, "label": launch.context_label, "memberships_url": launch.memberships_url}
    if row.course_id is None:
        course_id = new_id()
        session.execute(
            insert(Course).values(
                id=course_id,
                deployment_id=row.deployment_id,
                context_key=_context_key(launch),
                created_at=now,
                **said,
            )
        )
        return ArrivedCourse(course_id, launch.memberships_url, None)
    known = {"title": row.title, "label": row.course_label, "memberships_url": row.memberships_url}
    # The roster's address may be withdrawn; a title is only ever replaced by another.
    # Where content is selected, Moodle names no roster at all.
    clears = frozenset() if launch.selection else frozenset({"memberships_url"})
    if news := _news(known, said, clears=clears):
        session.execute(update(Course).where(Course.id == row.course_id).values(news))
    return ArrivedCourse(row.course_id, launch.memberships_url, row.roster_read_at)


def _person(session: Session, row: "Row[*tuple[Any, ...]]", platform_id: str, launch: Launch, now: datetime) -> str:
    said = {
        "name": launch.name or f"{launch.given_name} {launch.family_name}".strip(),
        "given_name": launch.given_name,
        "family_name": launch.family_name,
        "locale": launch.locale,
        "launch_zone": launch.time_zone,
    }
    if row.person_id is None:
        person_id = new_id()
        session.execute(
            insert(Person).values(
                id=person_id, platform_id=platform_id, sub=launch.sub, language="", created_at=now, **said
            )
        )
        return person_id
    known = {
        "name": row.name,
        "given_name": row.given_name,
        "family_name": row.family_name,
        "locale": row.locale,
        "launch_zone": row.launch_zone,
    }
    if news := _news(known, said):
        session.execute(update(Person).where(Person.id == row.person_id).values(news))
    return str(row.person_id)


def _membership(
    session: Session, row: "Row[*tuple[Any, ...]]", course_id: str, person_id: str, launch: Launch, now: datetime
) -> str:
    said = {
        "lms_role": lms_role(launch.roles),
        "is_administrator": is_administrator(launch.roles),
        "is_active": True,
    }
    if row.membership_id is None:
        membership_id = new_id()
        session.execute(
            insert(Membership).values(
                id=membership_id,
                course_id=course_id,
                person_id=person_id,
                is_leader=False,
                launched_at=now,
                created_at=now,
                **said,
            )
        )
        return membership_id
    known = {
        "lms_role": row.lms_role,
        "is_administrator": row.is_administrator,
        "is_active": row.is_active,
    }
    if known != said or row.launched_at is None or now - row.launched_at > _SEEN_AGAIN:
        session.execute(update(Membership).where(Membership.id == row.membership_id).values(launched_at=now, **said))
    return str(row.membership_id)


def _news(known: dict[str, str], said: dict[str, str], clears: frozenset[str] = frozenset()) -> dict[str, str]:
    """What a launch says differently; an empty text says nothing, except for the keys that it clears."""
    return {key: value for key, value in said.items() if value != known[key] and (value or key in clears)}
