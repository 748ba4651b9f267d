"""Use cases of the weeks of schools: bell times, days and holidays, as a trainer says them for a course.

One week holds for everybody in the course, and a school in it can have one of its own. Where nobody has said any, an
ordinary week stands in, and the pages say that it does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.people.models import Course, Membership, Person, School
from lti_tool.schedule import week as weeks
from lti_tool.schedule.models import SchoolWeek as Row
from lti_tool.schedule.week import SchoolWeek
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed

EVERYBODY = ""
"""Key of the week for all whose school has none of its own."""
ZONE = "Europe/Dublin"


@dataclass(frozen=True, slots=True)
class Said:
    """A week that counts for somebody."""

    week: SchoolWeek
    revision: int = 0
    """0: nobody has said it."""
    said_at: datetime | None = None


class Overtaken(Exception):
    """Another trainer has said something else since the page was opened."""


def of_course(session: Session, course_id: str) -> dict[str, Said]:
    """School id, or EVERYBODY → what was said for it in a course; one statement."""
    return of_courses(session, [course_id])[course_id]


def of_courses(session: Session, course_ids: Collection[str]) -> dict[str, dict[str, Said]]:
    """Id of each of these courses → what was said in it, as of_course gives it; one statement."""
    found: dict[str, dict[str, Said]] = {course_id: {} for course_id in course_ids}
    columns = (Row.course_id, Row.school_key, Row.body, Row.revision, Row.said_at)
    for row in session.execute(select(*columns).where(Row.course_id.in_(found))):
        found[row.course_id][row.school_key] = Said(SchoolWeek.of(row.body), row.revision, row.said_at)
    return found


def of_school(said: Mapping[str, Said], school_id: str | None, zone: str = ZONE) -> Said:
    """The week that counts for the people of a school, by what of_course gave.

    `zone`: of the week that stands in where nobody has said one.
    """
    found = said.get(school_id or EVERYBODY) or said.get(EVERYBODY)
    return found or Said(weeks.post_primary(zone))


def schools(session: Session, course_id: str) -> list[tuple[str, str]]:
    """(Id, name) of the schools in which people of a course work, by name; one statement."""
    rows = session.execute(
        select(School.id, School.name)
        .join(Person, Person.school_id == School.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.course_id == course_id, Membership.is_active)
        .distinct()
        .order_by(School.name, School.id)
    )
    return [(row.id, row.name) for row in rows]


def say(
    session: Session, course_id: str, school_id: str | None, week: SchoolWeek, revision: int, now: datetime
) -> None:
    """Keeps a week for a school of a course, or for everybody in it (None).

    `revision`: of what the page showed (0: nothing was said). Raises Overtaken; the session writes.
    """
    # Of two who say it at once the second waits here.
    session.execute(select(Course.id).where(Course.id == course_id).with_for_update(key_share=True)).all()
    here = (Row.course_id == course_id, Row.school_key == (school_id or EVERYBODY))
    if revision:
        changed = session.execute(
            update(Row)
            .where(*here, Row.revision == revision)
            .values(body=week.to_json(), revision=revision + 1, said_at=now)
        )
        if not rows_changed(changed):
            raise Overtaken
        return
    if session.scalar(select(Row.id).where(*here)) is not None:
        raise Overtaken
    session.add(
        Row(
            id=new_id(),
            course_id=course_id,
            school_id=school_id,
            school_key=school_id or EVERYBODY,
            body=week.to_json(),
            said_at=now,
        )
    )
    session.flush()


def forget(session: Session, course_id: str, school_id: str) -> None:
    """Takes the week of a school away: what holds for everybody holds for its people again. The session writes."""
    session.execute(delete(Row).where(Row.course_id == course_id, Row.school_key == school_id))
