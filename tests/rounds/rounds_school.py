"""A course with a pairing round, teachers in it, and calculated runs, as rows: for tests of every part of a round."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from factories import NAMES, MadeCourse, make_course
from home.placed import add_activity
from sqlalchemy import insert

from lti_tool.people.models import Membership, Person
from lti_tool.rounds.models import Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import Summary, attention_of
from lti_tool.store.base import new_id
from lti_tool.store.database import Database


@dataclass(frozen=True)
class MadeRound:
    """A course and its round; ids only."""

    course: MadeCourse
    activity_id: str
    teachers: tuple[str, ...]
    """Memberships of all teachers of the course, the first ones those of factories.NAMES."""


def make_round(database: Database, now: datetime, *, teachers: int = 6, **values: Any) -> MadeRound:
    """A course with a round and so many teachers; `values`: of the activity."""
    course = make_course(database, teachers=min(teachers, len(NAMES)), now=now)
    more = crowd(database, course, teachers - len(course.teachers), now)
    activity = add_activity(database, course, now, **{"title": "Partners 2026/27", "kind": "pairing"} | values)
    return MadeRound(course, activity, (*course.teachers, *more))


def crowd(database: Database, course: MadeCourse, count: int, now: datetime) -> tuple[str, ...]:
    """Memberships of so many more teachers, written at once."""
    if count <= 0:
        return ()
    people = [
        {
            "id": new_id(),
            "platform_id": course.platform_id,
            "sub": new_id(),
            "name": f"Teacher {number:04d}",
            "given_name": f"Teacher{number}",
            "created_at": now,
        }
        for number in range(count)
    ]
    members = [
        {
            "id": new_id(),
            "course_id": course.course_id,
            "person_id": person["id"],
            "lms_role": "learner",
            "welcomed_at": now,
            "created_at": now,
        }
        for person in people
    ]
    with database.write() as session:
        session.execute(insert(Person), people)
        session.execute(insert(Membership), members)
    return tuple(str(each["id"]) for each in members)


def make_run(
    database: Database,
    activity_id: str,
    now: datetime,
    groups: Sequence[Sequence[str]] = (),
    *,
    left: Sequence[tuple[str, str]] = (),
    status: str = "review",
    number: int = 1,
    again: Sequence[int] = (),
    little: Sequence[int] = (),
    days: int = 14,
    **values: Any,
) -> str:
    """Id of a run that came to `groups` (of memberships) and to `left` (membership, what would help).

    Its proposals are drafts where it is in review, else open until `days` from now; `again` and `little` are numbers
    of groups. There is no stored problem and no proof.
    """
    is_out = status in ("out", "over")
    run = RoundRun(
        id=new_id(),
        activity_id=activity_id,
        number=number,
        status=status,
        seed=7,
        done=1000,
        summary=Summary(
            people=sum(map(len, groups)) + len(left),
            pairs=sum(len(group) == 2 for group in groups),
            triads=sum(len(group) == 3 for group in groups),
            left=len(left),
            worst=12 if groups else None,
            total=240 * len(groups),
            again=len(again),
        ).to_json(),
        created_at=now,
        out_at=now if is_out else None,
        answer_by=now + timedelta(days=days) if is_out else None,
    )
    for name, value in values.items():
        setattr(run, name, value)
    proposals = [
        {
            "id": new_id(),
            "run_id": run.id,
            "status": "open" if is_out else "draft",
            "attention": attention_of(members=len(group), again=place in again, little=place in little, moved=False),
            "again": place in again,
            "moved": False,
        }
        for place, group in enumerate(groups)
    ]
    members = [
        {"proposal_id": proposal["id"], "membership_id": member, "answer": ""}
        for proposal, group in zip(proposals, groups, strict=True)
        for member in group
    ]
    with database.write() as session:
        session.add(run)
        session.flush()
        if proposals:
            session.execute(insert(Proposal), proposals)
            session.execute(insert(ProposalMember), members)
        if left:
            session.execute(
                insert(RoundLeft),
                [{"run_id": run.id, "membership_id": member, "helps": helps} for member, helps in left],
            )
        return run.id
