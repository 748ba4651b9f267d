"""The list of colleagues is a query, who takes part is a rule: both say the same of everybody."""

import itertools
from datetime import datetime
from typing import Any

from factories import make_course
from sqlalchemy import insert

from lti_tool.activities import service as activities
from lti_tool.activities.models import ActivityFacilitator, ActivityTrainer
from lti_tool.people import service as people
from lti_tool.people.models import Membership, Person
from lti_tool.people.sign_ins import load_actor, open_sign_in
from lti_tool.privacy.rules import Action, may
from lti_tool.store.base import new_id
from lti_tool.store.database import Database


def test_the_query_and_the_rule_agree_on_every_kind_of_member(database: Database, clock: Any) -> None:
    course = make_course(database, teachers=1, now=clock.now)
    kinds = list(itertools.product(("learner", "instructor", "other"), *[(False, True)] * 6))
    ids = [new_id() for _ in kinds]
    with database.write() as session:
        for membership_id, (role, leads, administers, is_active, trains, facilitates, named) in zip(
            ids, kinds, strict=True
        ):
            person_id = new_id()
            session.execute(
                insert(Person).values(
                    id=person_id,
                    platform_id=course.platform_id,
                    sub=new_id(),
                    name=membership_id,
                    is_leader=named,
                    created_at=clock.now,
                )
            )
            session.execute(
                insert(Membership).values(
                    id=membership_id,
                    course_id=course.course_id,
                    person_id=person_id,
                    lms_role=role,
                    is_leader=leads,
                    is_administrator=administers,
                    is_active=is_active,
                    created_at=clock.now,
                )
            )
            if trains:
                session.add(
                    ActivityTrainer(activity_id=course.activity_id, membership_id=membership_id, created_at=clock.now)
                )
            if facilitates:
                session.add(
                    ActivityFacilitator(
                        activity_id=course.activity_id, membership_id=membership_id, created_at=clock.now
                    )
                )
    with database.read() as session:
        listed = people.list_colleagues(
            session, course_id=course.course_id, activity_id=course.activity_id, me=course.teachers[0], size=1000
        )
        found = {colleague.membership_id for colleague in listed.colleagues}
    allowed = {each for each in ids if _may_take_part(database, each, course.activity_id, clock.now)}
    assert found == allowed
    assert len(allowed) == 2, "a teacher, facilitator or not"


def _may_take_part(database: Database, membership_id: str, activity_id: str, now: datetime) -> bool:
    with database.write() as session:
        handle, secret = open_sign_in(
            session,
            membership_id=membership_id,
            activity_id=activity_id,
            locale="en",
            platform_origin="https://lms.example",
            return_url="",
            now=now,
        )
    with database.read() as session:
        actor = load_actor(session, handle, secret, now)
        activity = activities.find(session, activity_id)
        assert actor is not None and activity is not None
        return may(actor, Action.TAKE_PART, activity.facts)
