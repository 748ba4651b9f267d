"""Opening, loading and closing the session of one launch."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, exists, insert, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import ActivityFacilitator, ActivityTrainer
from lti_tool.people.actor import Actor
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform, SignIn
from lti_tool.people.service import is_in_audience
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed, run

LIFETIME = timedelta(hours=12)
"""A school day and its evening. After it one more launch from the course is asked for."""

_INSERT = insert(SignIn)
_WHO_HOLDS = (
    select(
        SignIn.secret_hash,
        SignIn.expires_at,
        Platform.status,
        Person.id.label("person_id"),
        Membership.id.label("membership_id"),
        Course.id.label("course_id"),
        Course.title,
        SignIn.activity_id,
        SignIn.selection_id,
        Person.name,
        Person.given_name,
        Membership.lms_role,
        Membership.is_administrator,
        or_(Membership.is_leader, Person.is_leader).label("is_leader"),
        Membership.is_active,
        exists()
        .where(ActivityTrainer.activity_id == SignIn.activity_id, ActivityTrainer.membership_id == Membership.id)
        .label("is_trainer"),
        exists()
        .where(
            ActivityFacilitator.activity_id == SignIn.activity_id, ActivityFacilitator.membership_id == Membership.id
        )
        .label("is_facilitator"),
        is_in_audience(SignIn.activity_id).label("is_in_audience"),
        Platform.id.label("platform_id"),
        Person.school_id,
        Person.time_zone,
        Person.launch_zone,
        Membership.welcomed_at,
        Person.language,
        SignIn.locale,
        SignIn.platform_origin,
        SignIn.return_url,
    )
    .join(Membership, Membership.id == SignIn.membership_id)
    .join(Person, Person.id == Membership.person_id)
    .join(Course, Course.id == Membership.course_id)
    .join(Deployment, Deployment.id == Course.deployment_id)
    .join(Platform, Platform.id == Deployment.platform_id)
    .where(SignIn.id == bindparam("handle"))
)


def open_sign_in(
    session: Session,
    *,
    membership_id: str,
    activity_id: str | None,
    locale: str,
    platform_origin: str,
    return_url: str,
    now: datetime,
    selection_id: str | None = None,
) -> tuple[str, str]:
    """A new session for a proven launch: (handle, secret). The secret is only ever in the browser's cookie."""
    handle, secret = new_id(), secrets.token_urlsafe(32)
    run(
        session,
        _INSERT,
        {
            "id": handle,
            "secret_hash": _hash(secret),
            "membership_id": membership_id,
            "activity_id": activity_id,
            "selection_id": selection_id,
            "locale": locale[:20],
            "platform_origin": platform_origin,
            "return_url": return_url[:1000],
            "created_at": now,
            "expires_at": now + LIFETIME,
        },
    )
    return handle, secret


def load_actor(session: Session, handle: str, secret: str, now: datetime) -> Actor | None:
    """Who holds this handle's secret, by one statement; None if nobody, too late, or the platform is suspended."""
    row = run(session, _WHO_HOLDS, {"handle": handle}).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(secret)):
        return None
    if row.expires_at <= now or row.status != "active":
        return None
    return Actor(
        handle=handle,
        person_id=row.person_id,
        membership_id=row.membership_id,
        course_id=row.course_id,
        course_title=row.title,
        activity_id=row.activity_id,
        name=row.name,
        given_name=row.given_name or row.name,
        lms_role=row.lms_role,
        is_administrator=row.is_administrator,
        is_leader=bool(row.is_leader),
        is_active=row.is_active,
        is_trainer=bool(row.is_trainer),
        is_welcomed=row.welcomed_at is not None,
        language=row.language,
        locale=row.locale,
        platform_origin=row.platform_origin,
        return_url=row.return_url,
        selection_id=row.selection_id,
        is_facilitator=bool(row.is_facilitator),
        is_in_audience=bool(row.is_in_audience),
        platform_id=row.platform_id,
        school_id=row.school_id,
        time_zone=row.time_zone or row.launch_zone,
    )


def close_sign_ins(session: Session, handles: Iterable[str], person_id: str) -> list[str]:
    """Ends those of these sessions that are this person's, and says which; their cookies are worth nothing any more."""
    of_person = select(Membership.id).where(Membership.person_id == person_id)
    return list(
        session.scalars(
            delete(SignIn).where(SignIn.id.in_(list(handles)), SignIn.membership_id.in_(of_person)).returning(SignIn.id)
        )
    )


def remove_expired(session: Session, now: datetime) -> int:
    """Deletes the sessions that are over; returns how many."""
    return rows_changed(session.execute(delete(SignIn).where(SignIn.expires_at <= now)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
