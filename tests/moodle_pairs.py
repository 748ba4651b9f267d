"""A course of a sandbox Moodle whose web services are connected, with pairs in running cycles and what they booked."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on
from lti_tool.cycles.models import Cycle, Meeting
from lti_tool.lti.http import Http
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Course, Deployment, Membership, Person
from lti_tool.privacy.sealing import Masters
from lti_tool.sandbox import School
from lti_tool.sandbox.people import CourseRole
from lti_tool.sandbox.school import Event
from lti_tool.schedule import lms_calendar
from lti_tool.store import jobs
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from moodle_sync import calendar, groups, sites, writing
from moodle_sync.client import SiteInfo
from moodle_sync.models import MoodleCourse, MoodleSite, MoodleWrite

COURSE = "2"
assert {"event": calendar.Events, "group": groups.Groups}.keys() == writing.CARRIERS.keys()


@dataclass
class Pairs:
    """The tool's side of it. `subs`: user ids in Moodle of the two of each pair."""

    database: Database
    masters: Masters
    clock: Any
    platform_id: str
    course_id: str
    activity_id: str
    waiting: list[str]
    """User ids of teachers who are in no pair."""
    people: dict[str, str] = field(default_factory=dict)
    """User id → person."""
    members: dict[str, str] = field(default_factory=dict)
    subs: dict[str, tuple[str, str]] = field(default_factory=dict)
    cycles: dict[str, str] = field(default_factory=dict)
    """Pair → its cycle."""

    def pair(self, *, wants: bool = True) -> str:
        """Two more teachers come together, and want their bookings in the calendar or not; the pair's id."""
        two, now = (self.waiting.pop(0), self.waiting.pop(0)), self.clock()
        pair_id = new_id()
        with self.database.write() as session:
            session.add(Pair(id=pair_id, activity_id=self.activity_id, status="active", created_at=now))
            session.flush()
            for sub in two:
                membership_id = self.members[sub]
                session.add(PairMember(pair_id=pair_id, activity_id=self.activity_id, membership_id=membership_id))
                lms_calendar.say(session, self.people[sub], wanted=wants)
            session.flush()
            roles = {self.members[two[0]]: "host", self.members[two[1]]: "coach"}
            self.cycles[pair_id] = going_on.start(
                session, pair_id=pair_id, activity_id=self.activity_id, roles=roles, now=now
            )
        self.subs[pair_id] = two
        return pair_id

    def book(self, pair_id: str, kind: str, starts_at: datetime, minutes: int = 40) -> str:
        """The pair books a meeting, or moves it; the meeting's id."""
        with self.database.write() as session:
            this = (Meeting.cycle_id == self.cycles[pair_id], Meeting.kind == kind)
            session.execute(update(Meeting).where(*this).values(starts_at=starts_at, minutes=minutes))
            if known := session.scalar(select(Meeting.id).where(*this)):
                return known
            meeting = Meeting(
                cycle_id=self.cycles[pair_id], kind=kind, starts_at=starts_at, minutes=minutes, place=b"",
                set_by=self.people[self.subs[pair_id][0]], confirmed_at=None,
            )  # fmt: skip
            session.add(meeting)
            session.flush()
            return meeting.id

    def change(self, table: type[Any], condition: Any, **values: Any) -> None:
        with self.database.write() as session:
            session.execute(update(table).where(condition).values(**values))

    def stop_cycle(self, pair_id: str) -> None:
        self.change(Cycle, Cycle.id == self.cycles[pair_id], status="stopped", closed_at=self.clock())

    def switch(self, **values: bool) -> None:
        self.change(MoodleSite, MoodleSite.platform_id == self.platform_id, **values)

    def write(self, key: str) -> MoodleWrite:
        with self.database.read() as session:
            return session.scalars(select(MoodleWrite).where(MoodleWrite.key == key)).one()

    def state(self, key: str) -> tuple[str, str]:
        row = self.write(key)
        return row.status, row.problem

    def look(self) -> None:
        writing.look_after(self.database, self.clock)

    def work(self, http: Http) -> None:
        """Lets a worker look at everything, and do what is due."""
        self.look()
        job = partial(writing.carry_out, database=self.database, masters=self.masters, http=http, clock=self.clock)
        jobs.run_due(self.database, {writing.JOB: job}, (), self.clock)


def furnish(
    database: Database, masters: Masters, clock: Any, school: School, platform_id: str, *, more_teachers: int = 0
) -> Pairs:
    """The rows that launches, a roster, an operator and a trainer make of the sandbox's first course."""
    now = clock()
    school.add_people(school.courses[COURSE], more_teachers, CourseRole.STUDENT)
    with database.write() as session:
        deployment = Deployment(platform_id=platform_id, deployment_id="1", created_at=now)
        session.add(deployment)
        session.flush()
        course = Course(deployment_id=deployment.id, context_key=f"context:{COURSE}", title="CPC", created_at=now)
        session.add(course)
        session.flush()
        activity = Activity(
            course_id=course.id, resource_link_id="1", title="Coaching", status="open", protocol="light", created_at=now
        )
        session.add(activity)
        session.flush()
        here = Pairs(database, masters, clock, platform_id, course.id, activity.id, [])
        for person, role in school.members_of(school.courses[COURSE]):
            known = Person(platform_id=platform_id, sub=person.id, name=person.name, created_at=now)
            session.add(known)
            session.flush()
            membership = Membership(
                course_id=course.id, person_id=known.id, lms_role="instructor" if role.is_staff else "learner",
                welcomed_at=now, created_at=now,
            )  # fmt: skip
            session.add(membership)
            session.flush()
            here.people[person.id], here.members[person.id] = known.id, membership.id
            if role is CourseRole.STUDENT:
                here.waiting.append(person.id)
        info = SiteInfo("4.4", 2, frozenset(school.web_services.functions), school.issuer)
        sites.connect(session, masters, platform_id, school.base_url, school.web_services.token, info, now)
        session.flush()
        sites.allow(session, platform_id, events=True, messages=True)
        session.add(MoodleCourse(course_id=course.id, moodle_id=int(COURSE), writes_groups=True))
    return here


def events_of(school: School, meeting_id: str) -> list[Event]:
    """The entries of a booking in the sandbox."""
    return [each for each in school.events.values() if each.description.endswith(meeting_id)]


def tomorrow(clock: Any, hours: float = 0) -> datetime:
    moment: datetime = clock() + timedelta(days=1, hours=hours)
    return moment
