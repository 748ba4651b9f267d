"""When people can meet, for those who propose times and book them; nobody's page shows it as it is."""

import contextlib
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.people.models import Person
from lti_tool.privacy.keyring import Keyring
from lti_tool.schedule import school_weeks, timetables
from lti_tool.schedule.ics import CalendarError
from lti_tool.schedule.taken import taken
from lti_tool.schedule.timetable import Availability, Grid, Said, expand

__all__ = ["of", "taken"]


def of(
    session: Session,
    keyring: Keyring,
    person_ids: Collection[str],
    course_id: str,
    first: date,
    last: date,
    now: datetime,
    *,
    zone: str = school_weeks.ZONE,
) -> dict[str, Availability]:
    """Person id → when they teach and are free, for those of whom there is a timetable that can be read.

    `first`, `last`: days of their schools' zones, both included; `zone`: of who has no school week. A week by thumb
    counts by the bells of the course in which it was said, everything else by those of this one.
    Four statements, one of them to the keyring.
    """
    said = timetables.of_people(session, keyring, person_ids, now)
    courses = {person_id: _course(each) or course_id for person_id, each in said.items()}
    weeks = school_weeks.of_courses(session, {course_id, *courses.values()})
    rows = session.execute(select(Person.id, Person.school_id).where(Person.id.in_(said)))
    schools = {row.id: row.school_id for row in rows}
    found = {}
    for person_id, each in said.items():
        week = school_weeks.of_school(weeks[courses[person_id]], schools.get(person_id), zone).week
        # A calendar that nobody can read any more is as none.
        with contextlib.suppress(CalendarError):
            found[person_id] = expand(each, week, first, last)
    return found


def _course(said: Said) -> str:
    return said.course_id if isinstance(said, Grid) else ""
