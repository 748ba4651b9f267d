"""Reading the courses of every connected Moodle, again and again and on demand. A course that is as it was costs one
call."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.lti.http import Http
from lti_tool.people.models import Course, Deployment, Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.store.database import Database
from lti_tool.store.jobs import JobFailed, enqueue, enqueue_unless_waiting
from moodle_sync import roster
from moodle_sync.client import MoodleClient
from moodle_sync.errors import AddressWrong, MissingFunction, MoodleError, NotReached, OutcomeUnknown, TokenRefused
from moodle_sync.models import MoodleCourse, MoodleSite
from moodle_sync.roster import Changed, UsedCourse
from moodle_sync.sites import client_of

JOB = "moodle_read"
FRESH_FOR = timedelta(hours=3)
"""A course is read again when the last reading is older."""
_RUN = timedelta(minutes=4)
"""A run asks for another one after this long, so that it ends well before its lease (store/jobs.py) does."""
_OF_THE_SITE = (NotReached, AddressWrong, TokenRefused, MissingFunction)
"""What would end the reading of each other course in the same way."""
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the reading of a course went; `problem` is None if it was read."""

    course: UsedCourse
    changed: Changed = field(default_factory=Changed)
    problem: MoodleError | None = None

    @property
    def ends_all(self) -> bool:
        """Whether the next course would fare the same."""
        return isinstance(self.problem, _OF_THE_SITE)


def look_after(session: Session, now: datetime) -> None:
    """Again and again: asks for the courses of each connected Moodle to be read that were not for a while."""
    platform_ids = session.scalars(
        select(MoodleSite.platform_id)
        .join(Platform, Platform.id == MoodleSite.platform_id)
        .join(Deployment, Deployment.platform_id == Platform.id)
        .join(Course, Course.deployment_id == Deployment.id)
        .outerjoin(MoodleCourse, MoodleCourse.course_id == Course.id)
        .where(
            Platform.status == "active",
            Deployment.status == "active",
            Course.context_key.startswith("context:"),
            or_(MoodleCourse.read_at.is_(None), MoodleCourse.read_at <= now - FRESH_FOR),
            exists().where(Activity.course_id == Course.id, Activity.status != "archived"),
        )
        .distinct()
    ).all()
    for platform_id in platform_ids:
        enqueue_unless_waiting(session, JOB, platform_id, {"platform_id": platform_id}, now, after_giving_up=FRESH_FOR)


def read_due(payload: Mapping[str, Any], *, database: Database, masters: Masters, http: Http, clock: Clock) -> None:
    """The job: reads those courses of `payload["platform_id"]` that were not read for a while. Raises JobFailed."""
    platform_id, begun = str(payload["platform_id"]), clock()
    with database.read() as session:
        try:
            client = client_of(session, platform_id, masters, http)
        except TokenRefused as error:
            raise JobFailed(f"moodle_{error.code}", final=True) from error
        is_active = session.scalar(select(Platform.status).where(Platform.id == platform_id)) == "active"
        found = roster.courses(session, platform_id) if client and is_active else []
    if client is None:
        return
    was_read = False
    for course in found:
        if course.read_at and course.read_at > begun - FRESH_FOR:
            continue
        if clock() - begun > _RUN:
            with database.write() as session:
                enqueue(session, JOB, platform_id, {"platform_id": platform_id}, clock())
            return
        problem = read(database, client, course, clock).problem
        if isinstance(problem, (*_OF_THE_SITE, OutcomeUnknown)):
            raise JobFailed(f"moodle_{problem.code}", final=not problem.is_passing) from problem
        was_read = True
    if was_read:
        with database.write() as session:
            _note_site(session, platform_id, "")


def read(
    database: Database, client: MoodleClient, course: UsedCourse, clock: Clock, *, dry_run: bool = False
) -> Outcome:
    """Reads one course and keeps what changed, or only says what would, in a `dry_run`. Calls it with no transaction
    open."""
    begun = clock()
    try:
        reading = roster.read(client, course.moodle_id)
        with transaction(database, dry_run) as session:
            roster.look_again(session, course, reading, begun)
            is_known = roster.is_known(session, course, reading)
            if is_known:
                row = roster.of_course(session, course.id, course.moodle_id)
                row.read_at, row.problem = clock(), ""
        made = frozenset() if is_known else roster.ours(client, course.moodle_id)
    except MoodleError as error:
        with transaction(database, dry_run) as session:
            if isinstance(error, _OF_THE_SITE):
                _note_site(session, course.platform_id, error.code)
            else:
                roster.note_problem(session, course, error.code, clock())
        return Outcome(course, problem=error)
    changed = Changed()
    if not is_known:
        with transaction(database, dry_run) as session:
            changed = roster.keep(session, course, reading, made, clock())
    return Outcome(course, changed)


def read_all(
    database: Database, client: MoodleClient, courses: list[UsedCourse], clock: Clock, *, dry_run: bool = False
) -> Iterator[Outcome]:
    """Reads these courses now, however fresh the last reading is; ends with what would be the same for all others."""
    for course in courses:
        outcome = read(database, client, course, clock, dry_run=dry_run)
        yield outcome
        if outcome.ends_all:
            return
    if courses:
        with transaction(database, dry_run) as session:
            _note_site(session, courses[0].platform_id, "")


@contextmanager
def transaction(database: Database, dry_run: bool) -> Iterator[Session]:
    """A transaction; in a dry run nothing of it is kept."""
    try:
        with database.write() as session:
            yield session
            if dry_run:
                raise _Undone
    except _Undone:
        pass


class _Undone(Exception):
    """Brings a transaction to its end without keeping it."""


def _note_site(session: Session, platform_id: str, code: str) -> None:
    session.execute(
        update(MoodleSite).where(MoodleSite.platform_id == platform_id, MoodleSite.problem != code).values(problem=code)
    )
