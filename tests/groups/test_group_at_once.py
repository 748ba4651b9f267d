"""What members of a group do at the same moment."""

from typing import Any

import pytest
from factories import MadeCourse, make_course
from pairing.test_pairing_service import at_once
from sqlalchemy import func, select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on, rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.pairing import service
from lti_tool.pairing.models import PairMember
from lti_tool.store.database import Database


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    made = make_course(database, teachers=6, protocol="triad", now=clock.now)
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == made.activity_id).values(kind="group"))
    return made


def members(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(PairMember).where(PairMember.is_current)).one()


def test_as_many_come_in_as_there_is_room_for_and_one_cycle_follows_on_another(
    database: Database, course: MadeCourse, clock: Any
) -> None:
    with database.write() as session:
        group = service.make_group(session, course.teachers[0], course.activity_id, clock.now)
    assert group is not None

    def join(number: int) -> bool:
        with database.write() as session:
            return service.join_group(
                session, group, course.teachers[number], activity_id=course.activity_id, most=3, now=clock.now
            )

    results = at_once(*(lambda n=number: join(n) for number in range(1, 6)))
    assert sorted(map(str, results)) == ["False"] * 3 + ["True"] * 2 and members(database) == 3
    with database.read() as session:
        there = [
            (row.membership_id, row.person_id)
            for row in service.current_pair(session, course.teachers[0], course.activity_id).members  # type: ignore[union-attr]
        ]

    def bring(membership_id: str) -> str | None:
        with database.write() as session:
            return service.bring(session, group, membership_id, clock.now)

    begun = at_once(*(lambda m=membership: bring(m) for membership, _person in there))
    assert [each for each in begun if isinstance(each, Exception)] == []
    (first,) = (str(each) for each in begun if each)
    with database.write() as session:
        session.execute(update(Cycle).values(status="finished", finished_at=clock.now))

    def wish(person_id: str) -> str | None:
        with database.write() as session:
            cycle = cycles.load(session, first, person_id, lock=True)
            assert cycle is not None
            return going_on.wish(session, cycle, rules.BRING, now=clock.now)

    wished = at_once(*(lambda p=person: wish(p) for _membership, person in there))
    assert [each for each in wished if isinstance(each, Exception)] == []
    (second,) = (str(each) for each in wished if each)

    def leave(membership_id: str) -> None:
        with database.write() as session:
            service.take_out(session, group, membership_id, clock.now)

    at_once(*(lambda m=membership: leave(m) for membership, _person in there))
    assert members(database) == 0
    with database.read() as session:
        rows = session.execute(select(Cycle.id, Cycle.number, Cycle.status).order_by(Cycle.number)).all()
        hosts = session.scalars(select(CycleMember.membership_id).where(CycleMember.role == "host")).all()
    assert [(row.id, row.status) for row in rows] == [(first, "finished"), (second, "stopped")]
    assert len(set(hosts)) == 2, "nobody is host twice before all have been"
