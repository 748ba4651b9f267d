"""Which platforms may launch: invited, registered, approved, suspended, removed. Use cases of the operator."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, ProtocolVersion
from lti_tool.lti.launch import hashed
from lti_tool.lti.models import Invite
from lti_tool.lti.platform import origin_of
from lti_tool.lti.registration import Registered
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.protocols.models import OwnProtocol
from lti_tool.protocols.rules import OWN
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed

INVITE_LIFETIME = timedelta(days=7)
_RESERVATION = timedelta(minutes=3)
"""Longer than a registration can take; a process that dies in between gives the invite back after it."""
_MAX_URL = 1_000


class Problem(StrEnum):
    """Why a use case of the operator cannot be carried out."""

    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    """An issuer with several registrations, and no client id."""
    EXISTS = "exists"
    BAD_VALUE = "bad_value"


class RegistryError(Exception):
    """`subject` names the key or value that is meant, for the operator's eyes."""

    def __init__(self, problem: Problem, subject: str) -> None:
        super().__init__(f"{problem}: {subject}")
        self.problem = problem
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invite. The code is shown once and kept only as a hash."""

    id: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReservedInvite:
    """An invite that a registration under way holds."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PlatformLine:
    """A platform in a list."""

    id: str
    name: str
    family: str
    issuer: str
    client_id: str
    status: str
    waiting_deployments: int


@dataclass(frozen=True, slots=True)
class DeploymentLine:
    """A deployment of a platform, by the id that the platform gave it."""

    deployment_id: str
    status: str
    courses: int


@dataclass(frozen=True, slots=True)
class PlatformDetails:
    """Everything an operator may want to see of a platform; counts, no people."""

    id: str
    name: str
    family: str
    issuer: str
    client_id: str
    authorization_url: str
    token_url: str
    token_audience: str
    jwks_url: str
    status: str
    created_at: datetime
    people: int
    last_launch_at: datetime | None
    deployments: tuple[DeploymentLine, ...]


@dataclass(frozen=True, slots=True)
class NewPlatform:
    """A platform to be: what it said of itself, or what somebody typed."""

    name: str
    issuer: str
    client_id: str
    authorization_url: str
    token_url: str
    jwks_url: str
    deployment_id: str = ""
    family: str = ""
    token_audience: str = ""


def invite(session: Session, name: str, now: datetime, lifetime: timedelta = INVITE_LIFETIME) -> Invited:
    """A one-time invite for a platform that the operator calls `name`."""
    name = " ".join(name.split())
    if not name or len(name) > 200:
        raise RegistryError(Problem.BAD_VALUE, "name")
    invited = Invited(new_id(), secrets.token_urlsafe(32), now + lifetime)
    session.add(
        Invite(id=invited.id, code_hash=hashed(invited.code), name=name, created_at=now, expires_at=invited.expires_at)
    )
    return invited


def registration_url(public_url: str, code: str) -> str:
    """What an administrator pastes into the LMS."""
    return f"{public_url}/lti/register?invite={code}"


def look_at_invite(session: Session, code: str, now: datetime) -> Literal["open", "used", "unusable"]:
    """What an invite is good for, without using it: `unusable` if it is unknown or expired."""
    row = session.execute(
        select(Invite.used_at, Invite.expires_at).where(Invite.code_hash == hashed(code))
    ).one_or_none()
    if row is None or (row.used_at is None and row.expires_at <= now):
        return "unusable"
    return "used" if row.used_at else "open"


def reserve_invite(session: Session, code: str, now: datetime) -> ReservedInvite | None:
    """Holds an invite while its LMS registers, so that it serves once; None if it is unknown, used, held or expired."""
    reserved = session.execute(
        update(Invite)
        .where(
            Invite.code_hash == hashed(code),
            Invite.used_at.is_(None),
            Invite.expires_at > now,
            or_(Invite.reserved_until.is_(None), Invite.reserved_until <= now),
        )
        .values(reserved_until=now + _RESERVATION)
    )
    if rows_changed(reserved) != 1:
        return None
    row = session.execute(select(Invite.id, Invite.name).where(Invite.code_hash == hashed(code))).one()
    return ReservedInvite(row.id, row.name)


def release_invite(session: Session, invite_id: str) -> None:
    """Gives a held invite back, because the registration failed."""
    session.execute(update(Invite).where(Invite.id == invite_id, Invite.used_at.is_(None)).values(reserved_until=None))


def keep_registration(
    session: Session, registered: Registered, *, reserved: ReservedInvite | None, now: datetime
) -> PlatformLine:
    """Stores a platform that has just registered: active by an invite, which is used up now, else pending.

    Raises RegistryError: EXISTS.
    """
    configuration = registered.configuration
    new = NewPlatform(
        name=reserved.name if reserved else origin_of(configuration.issuer),
        issuer=configuration.issuer,
        client_id=registered.client_id,
        authorization_url=configuration.authorization_url,
        token_url=configuration.token_url,
        jwks_url=configuration.jwks_url,
        deployment_id=registered.deployment_id,
        family=configuration.family,
        token_audience=configuration.token_audience,
    )
    return keep(session, new, reserved=reserved, now=now)


def keep(session: Session, new: NewPlatform, *, reserved: ReservedInvite | None, now: datetime) -> PlatformLine:
    """Stores a platform that its administrator registered: active by an invite, which is used up now, else pending.

    Raises RegistryError: EXISTS.
    """
    platform = _add(session, new, "active" if reserved else "pending", now)
    if reserved:
        session.execute(update(Invite).where(Invite.id == reserved.id).values(used_at=now))
    return platform


def add(session: Session, new: NewPlatform, now: datetime) -> PlatformLine:
    """Stores a platform that the operator describes; active at once. Raises RegistryError: EXISTS, BAD_VALUE."""
    for key, value, limit in (
        ("name", new.name, 200),
        ("issuer", new.issuer, 500),
        ("client_id", new.client_id, 200),
    ):
        if not value or len(value) > limit or not value.isprintable():
            raise RegistryError(Problem.BAD_VALUE, key)
    for key, value in (
        ("authorization_url", new.authorization_url),
        ("token_url", new.token_url),
        ("jwks_url", new.jwks_url),
    ):
        if len(value) > _MAX_URL or not value.isprintable() or not origin_of(value):
            raise RegistryError(Problem.BAD_VALUE, key)
    if len(new.deployment_id) > 255 or len(new.family) > 40 or len(new.token_audience) > _MAX_URL:
        raise RegistryError(Problem.BAD_VALUE, "deployment_id, family or token_audience")
    return _add(session, new, "active", now)


def list_platforms(session: Session) -> list[PlatformLine]:
    """All platforms, by name."""
    waiting = (
        select(func.count(Deployment.id))
        .where(Deployment.platform_id == Platform.id, Deployment.status == "pending")
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Platform.id,
            Platform.name,
            Platform.family,
            Platform.issuer,
            Platform.client_id,
            Platform.status,
            waiting,
        ).order_by(Platform.name, Platform.id)
    )
    return [PlatformLine(*row) for row in rows]


def find(session: Session, *, platform_id: str = "", issuer: str = "", client_id: str = "") -> str:
    """Id of the platform that is meant. Raises RegistryError: NOT_FOUND, AMBIGUOUS."""
    wanted = select(Platform.id)
    if platform_id:
        wanted = wanted.where(Platform.id == platform_id)
    else:
        wanted = wanted.where(Platform.issuer == issuer)
        if client_id:
            wanted = wanted.where(Platform.client_id == client_id)
    found = session.scalars(wanted.limit(2)).all()
    if not found:
        raise RegistryError(Problem.NOT_FOUND, platform_id or " ".join(filter(None, (issuer, client_id))))
    if len(found) > 1:
        raise RegistryError(Problem.AMBIGUOUS, issuer)
    return found[0]


def show(session: Session, platform_id: str) -> PlatformDetails:
    """One platform in full. Raises RegistryError: NOT_FOUND."""
    platform = _get(session, platform_id)
    people = session.scalar(select(func.count(Person.id)).where(Person.platform_id == platform_id)) or 0
    last_launch = session.scalar(
        select(Membership.launched_at)
        .join(Person, and_(Person.id == Membership.person_id, Person.platform_id == platform_id))
        .where(Membership.launched_at.is_not(None))
        .order_by(Membership.launched_at.desc())
        .limit(1)
    )
    deployments = session.execute(
        select(Deployment.deployment_id, Deployment.status, func.count(Course.id))
        .outerjoin(Course, Course.deployment_id == Deployment.id)
        .where(Deployment.platform_id == platform_id)
        .group_by(Deployment.id, Deployment.deployment_id, Deployment.status)
        .order_by(Deployment.deployment_id)
    )
    return PlatformDetails(
        id=platform.id,
        name=platform.name,
        family=platform.family,
        issuer=platform.issuer,
        client_id=platform.client_id,
        authorization_url=platform.authorization_url,
        token_url=platform.token_url,
        token_audience=platform.token_audience,
        jwks_url=platform.jwks_url,
        status=platform.status,
        created_at=platform.created_at,
        people=people,
        last_launch_at=last_launch,
        deployments=tuple(DeploymentLine(*row) for row in deployments),
    )


def approve(session: Session, platform_id: str, now: datetime, *, deployment_id: str = "") -> None:
    """Lets a platform launch (also one that was suspended), or one deployment of it, seen already or announced.

    Raises RegistryError: NOT_FOUND, BAD_VALUE.
    """
    _get(session, platform_id)
    if not deployment_id:
        session.execute(update(Platform).where(Platform.id == platform_id).values(status="active"))
        return
    if len(deployment_id) > 255 or not deployment_id.isprintable():
        raise RegistryError(Problem.BAD_VALUE, "deployment")
    approved = session.execute(
        update(Deployment)
        .where(Deployment.platform_id == platform_id, Deployment.deployment_id == deployment_id)
        .values(status="active")
    )
    if rows_changed(approved) == 0:
        session.add(Deployment(platform_id=platform_id, deployment_id=deployment_id, status="active", created_at=now))


def suspend(session: Session, platform_id: str) -> None:
    """Stops launches and running sessions of a platform; its data stays. Raises RegistryError: NOT_FOUND."""
    _get(session, platform_id)
    session.execute(update(Platform).where(Platform.id == platform_id).values(status="suspended"))


def remove(session: Session, platform_id: str) -> None:
    """Deletes a platform with everything that hangs from it, and what was given out of its courses' own protocols, as
    far as nobody else follows it. Raises RegistryError: NOT_FOUND."""
    _get(session, platform_id)
    session.execute(delete(Platform).where(Platform.id == platform_id))
    session.execute(
        delete(ProtocolVersion).where(
            ProtocolVersion.key.startswith(OWN, autoescape=True),
            ~exists().where(OwnProtocol.key == ProtocolVersion.key),
            ~exists().where(Activity.protocol == ProtocolVersion.key),
            ~exists().where(Cycle.protocol_version_id == ProtocolVersion.id),
        )
    )


def _add(session: Session, new: NewPlatform, status: str, now: datetime) -> PlatformLine:
    taken = select(Platform.id).where(Platform.issuer == new.issuer, Platform.client_id == new.client_id)
    if session.scalar(taken) is not None:
        raise RegistryError(Problem.EXISTS, f"{new.issuer} {new.client_id}")
    platform = Platform(
        name=new.name,
        family=new.family,
        issuer=new.issuer,
        client_id=new.client_id,
        authorization_url=new.authorization_url,
        token_url=new.token_url,
        jwks_url=new.jwks_url,
        token_audience=new.token_audience,
        status=status,
        created_at=now,
    )
    session.add(platform)
    session.flush()
    if new.deployment_id:
        session.add(
            Deployment(platform_id=platform.id, deployment_id=new.deployment_id, status="active", created_at=now)
        )
    return PlatformLine(platform.id, new.name, new.family, new.issuer, new.client_id, status, 0)


def _get(session: Session, platform_id: str) -> Platform:
    platform = session.get(Platform, platform_id)
    if platform is None:
        raise RegistryError(Problem.NOT_FOUND, platform_id)
    return platform
