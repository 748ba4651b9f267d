"""`meitheal sync`: what would happen by itself in time is asked for now, and connected Moodles are read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from lti_tool.completion import service as completion
from lti_tool.lti.http import Http
from lti_tool.people import registry, roster
from lti_tool.people.models import Course, Deployment
from lti_tool.privacy.sealing import Masters
from lti_tool.store.database import Database
from moodle_sync import advice, calendar, groups, sites, writing  # noqa: F401 (carriers enter themselves)
from moodle_sync import roster as moodle_roster
from moodle_sync import sync as moodle_sync
from moodle_sync.errors import MoodleError
from moodle_sync.roster import Changed, UsedCourse
from moodle_sync.sync import Outcome

Progress = Callable[[Iterator[Outcome], int, str], Iterable[Outcome]]
"""Passes on what it is given while it shows how far that is: of how many, at which platform."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for at one platform; a worker does it."""

    platform: str
    rosters: int
    completions: int


@dataclass(slots=True)
class Read:
    """What was read of one Moodle, and waits to be written there."""

    platform: str
    courses: int = 0
    unchanged: int = 0
    changed: Changed = field(default_factory=Changed)
    problems: list[str] = field(default_factory=list)
    """A line each, with what can be done."""
    waiting: int = 0
    would_write: list[str] = field(default_factory=list)
    """Lines of a dry run."""


def ask(
    database: Database, now: datetime, *, platform_id: str = "", course: str = "", dry_run: bool = False
) -> Iterator[Asked]:
    """Asks for a fresh roster of every course of each active platform, and for every completion that its gradebooks do
    not have yet, stopped ones too. One transaction for each platform.

    `platform_id`: only there. `course`: only the roster of this one (its id here or in the LMS), and no completions.
    `dry_run`: nothing is asked for, and the numbers are what would be.
    """
    with database.read() as session:
        platforms = [line for line in registry.list_platforms(session) if line.status == "active"]
    for line in platforms:
        if platform_id not in ("", line.id):
            continue
        with moodle_sync.transaction(database, dry_run) as session:
            is_meant = [or_(Course.id == course, Course.context_key == f"context:{course}")] if course else []
            courses = session.scalars(
                select(Course.id)
                .join(Deployment, Deployment.id == Course.deployment_id)
                .where(Deployment.platform_id == line.id, Deployment.status == "active", Course.memberships_url != "")
                .where(*is_meant)
            ).all()
            for course_id in courses:
                roster.request(session, course_id, now)
            completions = 0 if course else completion.retry_all(session, line.id, now)
        yield Asked(line.name, len(courses), completions)


def read_moodles(
    database: Database,
    masters: Masters,
    http: Http,
    clock: Callable[[], datetime],
    progress: Progress,
    *,
    platform_id: str = "",
    course: str = "",
    dry_run: bool = False,
) -> Iterator[Read]:
    """Reads the courses of each connected Moodle, and says what is to be written to it; a worker writes.

    `platform_id`, `course`: only these. `dry_run`: keeps nothing and asks for nothing; only Moodle is read.
    """
    with database.read() as session:
        connected = {site.platform_id for site in sites.sites(session)}
        names = {
            line.id: line.name
            for line in registry.list_platforms(session)
            if line.status == "active" and line.id in connected and platform_id in ("", line.id)
        }
    for id_, name in names.items():
        found = Read(name)
        with database.read() as session:
            courses = moodle_roster.courses(session, id_, course)
            try:
                client = sites.client_of(session, id_, masters, http)
            except MoodleError as error:
                found.problems.append(f"{name}: {advice.said(error)}")
                client = None
        if client is not None:
            outcomes = moodle_sync.read_all(database, client, courses, clock, dry_run=dry_run)
            for outcome in progress(outcomes, len(courses), name):
                _add(found, outcome)
        _write(database, id_, found, clock(), dry_run=dry_run)
        yield found


def _add(found: Read, outcome: Outcome) -> None:
    if outcome.problem is not None:
        where = found.platform if outcome.ends_all else f"{found.platform} / {_title(outcome.course)}"
        found.problems.append(f"{where}: {advice.said(outcome.problem)}")
        return
    found.courses += 1
    found.unchanged += not outcome.changed.is_new
    found.changed += outcome.changed


def _write(database: Database, platform_id: str, found: Read, now: datetime, *, dry_run: bool) -> None:
    if dry_run:
        with database.read() as session:
            found.would_write = writing.dry_run(session, platform_id, now)
        return
    with database.write() as session:
        found.waiting = writing.say(session, platform_id, now)


def _title(course: UsedCourse) -> str:
    return course.title or f"course {course.moodle_id}"
