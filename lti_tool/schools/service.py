"""Use cases of schools: the way to their page, which schools there are, who works where, and the charter."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, delete, exists, func, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, ActivitySchool
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform, School
from lti_tool.schools.files import Listed
from lti_tool.schools.models import Charter, SchoolLink, SchoolVisit
from lti_tool.schools.rules import CHARTER_VERSION, RANKS, SaidBy, name_key, replaces
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed

LINK_LIFETIME = timedelta(days=7)
VISIT_LIFETIME = timedelta(hours=12)
_AT_ONCE = 500
"""Rows of a file that one statement looks for: SQLite takes 32,766 parameters, older ones 999."""


class AlreadySigned(Exception):
    """Somebody signed the charter of this school in the meantime."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who came by a one-time link. They look after this platform, and no other."""

    id: str
    platform_id: str


@dataclass(frozen=True, slots=True)
class SignedCharter:
    """A charter that counts."""

    version: int
    signed_by: str
    position: str
    minutes: int
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class SchoolView:
    """A school with its charter, if one is signed."""

    id: str | None
    """None: its platform as a whole, which becomes a school when its charter is signed."""
    name: str
    charter: SignedCharter | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The schools of a platform, to choose one."""

    schools: tuple[SchoolView, ...]
    """By name; the platform as a whole first, where it is offered."""
    may_type: bool
    """Whether people may name a school that is not there: only where the operator's file named none."""


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What is known of a platform without asking it; no people."""

    name: str
    family: str
    status: str
    created_at: datetime
    waiting_deployments: int
    last_launch_at: datetime | None
    people: int
    """Who have opened an activity."""
    people_with_name: int
    courses_with_roster: int
    roster_read_at: datetime | None
    offers_grades: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What an operator's file changed."""

    schools: int
    new_schools: int
    people: int
    changed: int
    kept_own_word: int
    not_seen_yet: int
    """People of the file who have neither launched nor stood in a roster: their school waits for them."""


# The way in.


def open_link(session: Session, platform_id: str, now: datetime) -> str:
    """A new one-time link to the page of a platform: its code, which is kept only as a hash."""
    code = secrets.token_urlsafe(32)
    session.add(
        SchoolLink(
            code_hash=_hash(code), platform_id=platform_id, created_at=now, expires_at=now + LINK_LIFETIME, used_at=None
        )
    )
    return code


def link_url(public_url: str, code: str) -> str:
    """What the person who looks after an LMS opens."""
    return f"{public_url}/school/open?code={code}"


def is_usable(session: Session, code: str, now: datetime) -> bool:
    """Whether a link still leads in. Asking does not use it up."""
    return session.scalar(select(SchoolLink.id).where(*_usable(code, now))) is not None


def use_link(session: Session, code: str, now: datetime) -> tuple[str, str] | None:
    """Opens a visit by a link that has not been used: (visit, secret); None if it is used, too old or unknown.

    Of two who use it at the same moment one gets in. The secret is only ever in the browser's cookie.
    """
    used = session.execute(update(SchoolLink).where(*_usable(code, now)).values(used_at=now))
    if rows_changed(used) != 1:
        return None
    platform_id = session.scalars(select(SchoolLink.platform_id).where(SchoolLink.code_hash == _hash(code))).one()
    visit, secret = new_id(), secrets.token_urlsafe(32)
    session.add(
        SchoolVisit(
            id=visit,
            secret_hash=_hash(secret),
            platform_id=platform_id,
            created_at=now,
            expires_at=now + VISIT_LIFETIME,
        )
    )
    return visit, secret


def load_visit(session: Session, visit_id: str, secret: str, now: datetime) -> Visit | None:
    """Who holds this visit's secret; None if nobody, or too late."""
    row = session.execute(
        select(SchoolVisit.secret_hash, SchoolVisit.expires_at, SchoolVisit.platform_id).where(
            SchoolVisit.id == visit_id
        )
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(secret)) or row.expires_at <= now:
        return None
    return Visit(visit_id, row.platform_id)


def end_visit(session: Session, visit_id: str) -> None:
    """Ends a visit: its cookie is worth nothing any more."""
    session.execute(delete(SchoolVisit).where(SchoolVisit.id == visit_id))


def remove_expired(session: Session, now: datetime) -> int:
    """Deletes visits and links that are over; returns how many."""
    visits = session.execute(delete(SchoolVisit).where(SchoolVisit.expires_at <= now))
    links = session.execute(delete(SchoolLink).where(SchoolLink.expires_at <= now))
    return rows_changed(visits) + rows_changed(links)


def _usable(code: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return SchoolLink.code_hash == _hash(code), SchoolLink.used_at.is_(None), SchoolLink.expires_at > now


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


# The connection.


def connection_state(session: Session, platform_id: str) -> ConnectionState | None:
    """How a platform is connected, in four statements; None if there is no such platform."""
    waiting = (
        select(func.count())
        .where(Deployment.platform_id == Platform.id, Deployment.status == "pending")
        .correlate(Platform)
        .scalar_subquery()
    )
    platform = session.execute(
        select(Platform.name, Platform.family, Platform.status, Platform.created_at, waiting.label("waiting")).where(
            Platform.id == platform_id
        )
    ).one_or_none()
    if platform is None:
        return None
    launched = session.execute(
        select(
            func.count(Person.id.distinct()),
            func.count(case((Person.name != "", Person.id)).distinct()),
            func.max(Membership.launched_at),
        )
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.platform_id == platform_id, Membership.launched_at.is_not(None))
    ).one()
    courses = session.execute(
        select(func.count(Course.id), func.max(Course.roster_read_at))
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(Deployment.platform_id == platform_id, Course.memberships_url != "")
    ).one()
    offers_grades = session.scalar(
        select(Activity.id)
        .join(Course, Course.id == Activity.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(Deployment.platform_id == platform_id, Activity.line_items_url != "")
        .limit(1)
    )
    return ConnectionState(
        name=platform.name,
        family=platform.family,
        status=platform.status,
        created_at=platform.created_at,
        waiting_deployments=platform.waiting,
        last_launch_at=launched[2],
        people=launched[0],
        people_with_name=launched[1],
        courses_with_roster=courses[0],
        roster_read_at=courses[1],
        offers_grades=offers_grades is not None,
    )


# Which schools there are.


def choices(session: Session, platform_id: str, *, with_whole: bool = False) -> Choices:
    """The schools of a platform, in two statements.

    `with_whole`: offers the platform as a whole too, as long as no school of it has a name that people did not type.
    """
    rows = session.execute(
        _SCHOOL.add_columns(School.named_by).where(School.platform_id == platform_id).order_by(School.name, School.id)
    ).all()
    schools = [_view(row) for row in rows]
    if with_whole and all(row.named_by == "person" for row in rows):
        schools.insert(0, SchoolView(None, _platform_name(session, platform_id)))
    return Choices(tuple(schools), may_type=all(row.named_by in ("person", "charter") for row in rows))


def find_school(session: Session, platform_id: str, school_id: str) -> SchoolView | None:
    """A school of this platform, by one statement; None if there is none with this id."""
    row = session.execute(_SCHOOL.where(School.id == school_id, School.platform_id == platform_id)).one_or_none()
    return _view(row) if row else None


def own_school(session: Session, platform_id: str, school_id: str | None) -> SchoolView | None:
    """The school of somebody whose own is `school_id`, in two statements at most.

    Who belongs to none belongs to the only one of the platform, or to the platform as a whole while it has none. Where
    it has several the answer is None: nobody is told of a school that may not be theirs.
    """
    if school_id:
        return find_school(session, platform_id, school_id)
    rows = session.execute(_SCHOOL.where(School.platform_id == platform_id, School.named_by != "person").limit(2)).all()
    if len(rows) > 1:
        return None
    return _view(rows[0]) if rows else SchoolView(None, _platform_name(session, platform_id))


def add_school(session: Session, platform_id: str, name: str, named_by: str, now: datetime) -> str:
    """Id of the school of this name; it is made where the platform has none."""
    return _add_schools(session, platform_id, [name], named_by, now)[name]


def _add_schools(
    session: Session, platform_id: str, names: Iterable[str], named_by: str, now: datetime
) -> dict[str, str]:
    """Name → id. A name that somebody typed becomes one for all once another source says it too."""
    _lock(session, platform_id)
    rows = session.execute(select(School.id, School.name, School.named_by).where(School.platform_id == platform_id))
    known = {name_key(row.name): row for row in rows}
    ids: dict[str, str] = {}
    made: dict[str, str] = {}
    for name in names:
        key = name_key(name)
        if row := known.get(key):
            if named_by == "file" or row.named_by == "person":
                session.execute(update(School).where(School.id == row.id).values(named_by=named_by))
            ids[name] = row.id
        else:
            if key not in made:
                made[key] = new_id()
                session.add(School(id=made[key], platform_id=platform_id, name=name, named_by=named_by, created_at=now))
            ids[name] = made[key]
    session.flush()
    return ids


def _lock(session: Session, platform_id: str) -> None:
    """Lets one at a time name schools of a platform, or sign for them; SQLite does so by itself."""
    session.execute(select(Platform.id).where(Platform.id == platform_id).with_for_update(key_share=True))


_LATEST = (
    select(Charter.id)
    .where(Charter.school_id == School.id, Charter.taken_back_at.is_(None))
    .order_by(Charter.signed_at.desc(), Charter.id)
    .limit(1)
    .correlate(School)
    .scalar_subquery()
)
_SCHOOL = select(
    School.id, School.name, Charter.version, Charter.signed_by, Charter.position, Charter.minutes, Charter.signed_at
).outerjoin(Charter, and_(Charter.school_id == School.id, Charter.id == _LATEST))


def _view(row: "Row[*tuple[Any, ...]]") -> SchoolView:
    signed = row.signed_at is not None
    charter = SignedCharter(row.version, row.signed_by, row.position, row.minutes, row.signed_at) if signed else None
    return SchoolView(row.id, row.name, charter)


def _platform_name(session: Session, platform_id: str) -> str:
    return session.scalars(select(Platform.name).where(Platform.id == platform_id)).one()


# Who works where.


def say_school(session: Session, person_id: str, school_id: str | None, said_by: SaidBy) -> bool:
    """Keeps in which school somebody works, unless somebody with a better word has said so; whether it is kept.

    None: nowhere that is known, and others may say so again. A name that a person typed, or a group of the LMS has,
    goes when nobody uses it.
    """
    known = session.execute(select(Person.school_id, Person.school_said_by).where(Person.id == person_id)).one()
    if not replaces(said_by, known.school_said_by):
        return False
    session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(school_id=school_id, school_said_by=said_by if school_id else "")
    )
    if known.school_id and known.school_id != school_id:
        _forget_unused(session, [known.school_id])
    return True


def say_schools(session: Session, wanted: Mapping[str, str | None], said_by: SaidBy) -> int:
    """As say_school, of many people (person → school) in a few statements for each school; of how many it is kept."""
    everybody = sorted(wanted)
    for start in range(0, len(everybody), _AT_ONCE):
        # In one order, so that nobody who holds one of them waits for another.
        these = select(Person.id).where(Person.id.in_(everybody[start : start + _AT_ONCE])).order_by(Person.id)
        session.execute(these.with_for_update()).all()
    weaker = [each for each in RANKS if replaces(said_by, each)]
    people: dict[str | None, list[str]] = {}
    for person_id in everybody:
        people.setdefault(wanted[person_id], []).append(person_id)
    kept, left = 0, set[str]()
    for school_id, person_ids in people.items():
        for start in range(0, len(person_ids), _AT_ONCE):
            who = (Person.id.in_(person_ids[start : start + _AT_ONCE]), Person.school_said_by.in_(weaker))
            left |= {each for each in session.scalars(select(Person.school_id).where(*who).distinct()) if each}
            said = {"school_id": school_id, "school_said_by": said_by if school_id else ""}
            kept += rows_changed(session.execute(update(Person).where(*who).values(said)))
    _forget_unused(session, sorted(left))
    return kept


def _forget_unused(session: Session, school_ids: Sequence[str]) -> None:
    for start in range(0, len(school_ids), _AT_ONCE):
        session.execute(
            delete(School).where(
                School.id.in_(school_ids[start : start + _AT_ONCE]),
                School.named_by.in_(("person", "group")),
                ~exists().where(Person.school_id == School.id),
                ~exists().where(Charter.school_id == School.id),
                ~exists().where(ActivitySchool.school_id == School.id),
            )
        )


def import_listed(session: Session, platform_id: str, listed: Iterable[Listed], now: datetime) -> Imported:
    """Takes an operator's list of who works where. Taking it again changes nothing.

    People who are not known yet are kept by their user id alone, so that their school is there when they come.
    """
    wanted = {each.user_id: each.school for each in listed}
    before = set(session.scalars(select(School.id).where(School.platform_id == platform_id)))
    ids = _add_schools(session, platform_id, dict.fromkeys(wanted.values()), "file", now)
    known: dict[str, Any] = {}
    subs = list(wanted)
    for start in range(0, len(subs), _AT_ONCE):
        rows = session.execute(
            select(Person.id, Person.sub, Person.school_id, Person.school_said_by).where(
                Person.platform_id == platform_id, Person.sub.in_(subs[start : start + _AT_ONCE])
            )
        )
        known |= {row.sub: row for row in rows}
    changes, kept = [], 0
    for sub, row in known.items():
        if not replaces("file", row.school_said_by):
            kept += 1
        elif (row.school_id, row.school_said_by) != (ids[wanted[sub]], "file"):
            changes.append({"id": row.id, "school_id": ids[wanted[sub]], "school_said_by": "file"})
    if changes:
        session.execute(update(Person), changes)
    new = [sub for sub in subs if sub not in known]
    session.add_all(
        Person(platform_id=platform_id, sub=sub, school_id=ids[wanted[sub]], school_said_by="file", created_at=now)
        for sub in new
    )
    session.flush()
    seen = set(
        session.scalars(
            select(Person.sub)
            .join(Membership, Membership.person_id == Person.id)
            .where(Person.platform_id == platform_id)
            .distinct()
        )
    )
    return Imported(
        schools=len(set(ids.values())),
        new_schools=len(set(ids.values()) - before),
        people=len(wanted),
        changed=len(changes) + len(new),
        kept_own_word=kept,
        not_seen_yet=len(wanted.keys() - seen),
    )


# The charter.


def sign_charter(
    session: Session,
    platform_id: str,
    school_id: str | None,
    *,
    signed_by: str,
    position: str,
    minutes: int,
    now: datetime,
) -> str:
    """Keeps the charter of a school of this platform; returns the school's id.

    `school_id` None: of the platform as a whole, which becomes a school of the same name. Raises AlreadySigned.
    """
    _lock(session, platform_id)
    if school_id is None:
        school_id = add_school(session, platform_id, _platform_name(session, platform_id), "charter", now)
    school = find_school(session, platform_id, school_id)
    if school is None or school.charter:
        raise AlreadySigned
    session.add(
        Charter(
            school_id=school_id,
            version=CHARTER_VERSION,
            signed_by=signed_by,
            position=position,
            minutes=minutes,
            signed_at=now,
            taken_back_at=None,
        )
    )
    return school_id


def take_back_charter(session: Session, school_id: str, now: datetime) -> None:
    """From now on the charter of this school is not signed; what was signed is kept with both dates."""
    session.execute(
        update(Charter).where(Charter.school_id == school_id, Charter.taken_back_at.is_(None)).values(taken_back_at=now)
    )
