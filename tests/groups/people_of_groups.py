"""Teachers in an activity with groups, each at their own browser, without JavaScript."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cycles.pair_at_work import Desk
from factories import MadeCourse, make_course, sign_in
from flask import Flask
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.store.database import Database


class Person(Desk):
    """One person's browser, in whatever cycle is open for them."""

    def go(self, path: str) -> str:
        """The page at a path below the sign-in."""
        return self._took(self.client.get(f"{self.at}/{path}"))

    def send(self, path: str, **data: str) -> str:
        """Sends a form to a path below the sign-in."""
        return self._took(
            self.client.post(f"{self.at}/{path}", data={"csrf_token": self.token(), **data}, headers=self._same_site())
        )


@dataclass
class Hall:
    """An activity of kind group, and its teachers in the order of `MadeCourse.teachers`."""

    database: Database
    course: MadeCourse
    people: list[Person]
    open_desk: Callable[[str], Person] = field(repr=False)

    def form_group(self, *numbers: int, title: str = "Questions that open a lesson") -> str:
        """A group of these teachers, founded by the first; returns its id."""
        founder, *others = (self.people[number] for number in numbers)
        founder.send("groups/new", kind="theme", title=title, about="On Fridays")
        (group_id,) = re.findall(r'name="group" value="(\w+)"', founder.go("group"))[:1]
        for person in others:
            person.send(f"groups/{group_id}/join")
        return group_id

    def begin(self, number: int) -> str:
        """A member brings something; returns the id of the cycle, which is then open at all desks."""
        person = self.people[number]
        person.send("group/bring")
        return self.at_desks()

    def at_desks(self) -> str:
        """Opens the newest cycle at all desks."""
        with self.database.read() as session:
            cycle_id = session.scalars(select(Cycle.id).order_by(Cycle.number.desc()).limit(1)).one()
        for person in self.people:
            person.cycle_id = cycle_id
        return cycle_id

    def roles(self, cycle_id: str) -> dict[int, str]:
        """Number of the teacher → role in a cycle."""
        with self.database.read() as session:
            rows = session.execute(
                select(CycleMember.membership_id, CycleMember.role).where(CycleMember.cycle_id == cycle_id)
            ).all()
        return {self.course.teachers.index(row.membership_id): row.role for row in rows}

    def row(self, cycle_id: str) -> Cycle:
        with self.database.read() as session:
            return session.execute(select(Cycle).where(Cycle.id == cycle_id)).scalar_one()


def open_hall(
    app: Flask, database: Database, clock: Callable[[], datetime], *, protocol: str = "consultancy", teachers: int = 5
) -> Hall:
    """A fresh course with an activity of kind group."""
    course = make_course(database, teachers=teachers, protocol=protocol, now=clock())
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == course.activity_id).values(kind="group"))

    def open_desk(membership_id: str) -> Person:
        client = app.test_client()
        return Person(client, sign_in(database, client, membership_id, course.activity_id, clock()), "")

    return Hall(database, course, [open_desk(each) for each in course.teachers], open_desk)
