"""Reading a course's roster from the LMS: who is there, before they ever launch.

The roster adds and names people; it never takes a role away (Moodle's roster calls a non-editing teacher a Learner,
whom a launch knows as Instructor). People whom a completely read roster no longer names become inactive; nothing of
theirs is deleted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.lti.access_tokens import AccessTokens, Client, ServiceError
from lti_tool.lti.http import Http
from lti_tool.lti.names_roles import Member, read_roster
from lti_tool.lti.roles import is_administrator, lms_role
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.store.jobs import JobFailed, enqueue, enqueue_unless_waiting
from lti_tool.store.jobs_models import Job
from lti_tool.store.upsert import insert_into

JOB = "roster"
FRESH_FOR = timedelta(hours=1)
"""A launch asks for a new reading when the last one is older."""
_BATCH = 1_000
_Item = TypeVar("_Item")


class LaunchedCourse(Protocol):
    """What a launch has read of its course anyway."""

    @property
    def id(self) -> str: ...
    @property
    def memberships_url(self) -> str: ...
    @property
    def roster_read_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """What one reading changed: people named by it, and memberships that ended."""

    members: int
    deactivated: int


@dataclass(frozen=True, slots=True)
class RosterState:
    """Where the reading of a course's roster stands."""

    is_offered: bool
    """Whether the platform lets us read it."""
    read_at: datetime | None
    """End of the last complete reading."""
    is_waiting: bool
    """Whether a reading is asked for or under way."""
    problem: str
    """Code of what went wrong at the last attempt; empty if nothing did."""


def request_if_stale(session: Session, course: LaunchedCourse, now: datetime) -> bool:
    """After a launch: asks for a reading if the last one is older than an hour; returns whether it asked.

    Costs no statement when the roster is fresh or the platform offers none, else one.
    """
    if not course.memberships_url or (course.roster_read_at and now - course.roster_read_at < FRESH_FOR):
        return False
    enqueue_unless_waiting(session, JOB, course.id, {"course_id": course.id}, now, after_giving_up=FRESH_FOR)
    return True


def request(session: Session, course_id: str, now: datetime) -> None:
    """On demand: asks for a reading now, however fresh the last one is."""
    enqueue(session, JOB, course_id, {"course_id": course_id}, now)


def state_of(session: Session, course_id: str) -> RosterState:
    """Where the reading of a course's roster stands; one statement."""
    row = session.execute(
        select(Course.memberships_url, Course.roster_read_at, Job.id, Job.given_up_at, Job.last_error)
        .outerjoin(Job, and_(Job.kind == JOB, Job.key == Course.id))
        .where(Course.id == course_id)
    ).one()
    return RosterState(
        is_offered=bool(row.memberships_url),
        read_at=row.roster_read_at,
        is_waiting=row.id is not None and row.given_up_at is None,
        problem=row.last_error or "",
    )


def read(
    payload: Mapping[str, Any], *, database: Database, http: Http, tokens: AccessTokens, clock: Callable[[], datetime]
) -> None:
    """The job: reads the whole roster of `payload["course_id"]`, then applies it. Raises JobFailed.

    A course that is gone, offers no roster any more, or whose platform is suspended leaves nothing to do.
    """
    with database.read() as session:
        source = _source(session, str(payload["course_id"]))
    if source is None:
        return
    begun_at = clock()
    try:
        members = read_roster(tokens, http, source.client, source.memberships_url)
    except ServiceError as error:
        raise JobFailed(
            f"roster_{error.code}", retry_after=error.retry_after, final=error.code in ("refused", "unauthorized")
        ) from error
    apply(database, source.course_id, source.platform_id, members, begun_at=begun_at, now=clock())


def apply(
    database: Database,
    course_id: str,
    platform_id: str,
    members: Sequence[Member],
    *,
    begun_at: datetime,
    now: datetime,
) -> Applied:
    """Brings people and memberships in line with a completely read roster, two statements for each 1,000 members.

    `begun_at`: when the reading began; whoever launched since then is not deactivated, for they came after the list.
    """
    for batch in _batches(members):
        # One short transaction for each batch: a teacher's click never waits for a whole roster.
        with database.write() as session:
            person_ids = _upsert_people(session, platform_id, batch, now)
            _upsert_memberships(session, course_id, [(person_ids[member.user_id], member) for member in batch], now)
    deactivated = _deactivate_missing(database, course_id, {member.user_id for member in members}, begun_at)
    with database.write() as session:
        session.execute(update(Course).where(Course.id == course_id).values(roster_read_at=now))
    return Applied(len(members), deactivated)


@dataclass(frozen=True, slots=True)
class _Source:
    course_id: str
    platform_id: str
    memberships_url: str
    client: Client


def _source(session: Session, course_id: str) -> _Source | None:
    row = session.execute(
        select(
            Course.memberships_url, Platform.id, Platform.client_id, Platform.token_url, Platform.token_audience,
        )
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(Course.id == course_id, Platform.status == "active", Deployment.status == "active")
    ).one_or_none()  # fmt: skip
    if row is None or not row.memberships_url:
        return None
    client = Client(row.id, row.client_id, row.token_url, row.token_audience)
    return _Source(course_id, row.id, row.memberships_url, client)


def _upsert_people(session: Session, platform_id: str, batch: Sequence[Member], now: datetime) -> dict[str, str]:
    """Ids of the people of a batch by user id. A name that the roster keeps back does not erase a known one."""
    statement = insert_into(session, Person)
    new = statement.excluded
    names = {
        column: case((new[column] != "", new[column]), else_=getattr(Person, column))
        for column in ("name", "given_name", "family_name")
    }
    rows = session.execute(
        statement.on_conflict_do_update(index_elements=["platform_id", "sub"], set_=names).returning(
            Person.sub, Person.id
        ),
        [
            {
                "id": new_id(),
                "platform_id": platform_id,
                "sub": member.user_id,
                "name": member.name[:200],
                "given_name": member.given_name[:100],
                "family_name": member.family_name[:100],
                "locale": "",
                "language": "",
                "created_at": now,
            }
            for member in batch
        ],
    )
    return {row.sub: row.id for row in rows}


def _upsert_memberships(session: Session, course_id: str, batch: Sequence[tuple[str, Member]], now: datetime) -> None:
    statement = insert_into(session, Membership)
    new = statement.excluded
    raised = case(
        (Membership.lms_role == "instructor", Membership.lms_role),
        (new.lms_role == "instructor", new.lms_role),
        (Membership.lms_role == "learner", Membership.lms_role),
        else_=new.lms_role,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["course_id", "person_id"],
            set_={
                "lms_role": raised,
                "is_administrator": or_(Membership.is_administrator, new.is_administrator),
                "is_active": True,
            },
        ).returning(Membership.id),
        [
            {
                "id": new_id(),
                "course_id": course_id,
                "person_id": person_id,
                "lms_role": lms_role(member.roles),
                "is_administrator": is_administrator(member.roles),
                "is_leader": False,
                "is_active": True,
                "created_at": now,
            }
            for person_id, member in batch
        ],
    )


def _deactivate_missing(database: Database, course_id: str, named: set[str], begun_at: datetime) -> int:
    came_before = or_(Membership.launched_at.is_(None), Membership.launched_at < begun_at)
    with database.read() as session:
        known = session.execute(
            select(Membership.id, Person.sub)
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.course_id == course_id, Membership.is_active, came_before)
        ).all()
    gone = [membership_id for membership_id, sub in known if sub not in named]
    for batch in _batches(gone):
        with database.write() as session:
            session.execute(
                update(Membership).where(Membership.id.in_(batch), came_before).values(is_active=False),
                execution_options={"synchronize_session": False},
            )
    return len(gone)


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
