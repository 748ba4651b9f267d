"""Counting teachers once a month for those who lead their schools, from process data alone."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, delete, distinct, exists, func, insert, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, CycleMember, StageMark
from lti_tool.people import service as people
from lti_tool.people.models import Membership, Person, Platform, School
from lti_tool.progress.totals.models import SchoolTotals
from lti_tool.progress.totals.rules import Counts, Totals, is_due, move, shown
from lti_tool.protocols.recipe import REFLECTION
from lti_tool.store.base import new_id

_Place = tuple[str, str | None]
"""Platform and school; without a school: the platform as a whole."""


@dataclass(frozen=True, slots=True)
class MonthlyTotals:
    """The totals of a school, and when they were last counted."""

    totals: Totals
    counted_on: date


def read(session: Session, platform_id: str, school_id: str | None) -> MonthlyTotals | None:
    """What may be shown of a school (None: of its platform as a whole), by one statement; None before it was counted.

    Nothing is counted here: who looks twice in a month sees the same.
    """
    row = session.scalars(
        select(SchoolTotals).where(
            SchoolTotals.platform_id == platform_id,
            SchoolTotals.school_id.is_(None) if school_id is None else SchoolTotals.school_id == school_id,
        )
    ).one_or_none()
    return MonthlyTotals(shown(_counts(row)), row.counted_on) if row else None


def count_month(session: Session, now: datetime) -> bool:
    """Counts all schools if a new month has begun; returns whether it did."""
    if not is_due(session.scalar(select(func.max(SchoolTotals.counted_on))), now.date()):
        return False
    kept = {(row.platform_id, row.school_id): _counts(row) for row in session.scalars(select(SchoolTotals))}
    schools: dict[str, list[str]] = defaultdict(list)
    places: list[_Place] = [(platform, None) for platform in session.scalars(select(Platform.id))]
    for school in session.execute(select(School.platform_id, School.id, School.named_by)):
        places.append((school.platform_id, school.id))
        if school.named_by != "person":
            schools[school.platform_id].append(school.id)
    counted: dict[_Place, Counts] = defaultdict(Counts)
    for (platform, school_id), counts in _count(session).items():
        # Like schools.own_school: who has said nothing belongs to the only school, or to the platform as a whole.
        if school_id is None and schools[platform]:
            if len(schools[platform]) > 1:
                continue
            school_id = schools[platform][0]
        counted[platform, school_id] += counts
    for platform, only in schools.items():
        # A platform as a whole that became a school, by its charter: its totals go on where they stood.
        if len(only) == 1 and (platform, None) in kept:
            kept.setdefault((platform, only[0]), kept[platform, None])
    session.execute(delete(SchoolTotals))
    if places:
        session.execute(
            insert(SchoolTotals),
            [_row(place, move(kept.get(place, Counts()), counted[place]), now.date()) for place in places],
        )
    return True


def _count(session: Session) -> dict[_Place, Counts]:
    """Who takes part in an open activity, has opened one, and what they have done, each person once.

    Whether they have a partner, pause, or said no is not read: nothing of that moves a total (R24).
    """
    activity = aliased(Activity)
    submitted = exists().where(
        CycleMember.person_id == Person.id,
        StageMark.cycle_id == CycleMember.cycle_id,
        StageMark.membership_id == CycleMember.membership_id,
        StageMark.stage == REFLECTION,
    )
    of_cycle = aliased(Activity)
    finished = exists().where(
        CycleMember.person_id == Person.id,
        StageMark.cycle_id == CycleMember.cycle_id,
        StageMark.membership_id == CycleMember.membership_id,
        StageMark.stage == REFLECTION,
        Cycle.id == CycleMember.cycle_id,
        Cycle.status == "finished",
        of_cycle.id == Cycle.activity_id,
        of_cycle.kind == "cycle",
    )
    rows = session.execute(
        select(
            Person.platform_id,
            Person.school_id,
            func.count(distinct(Person.id)),
            func.count(distinct(case((submitted, Person.id)))),
            func.count(distinct(case((finished, Person.id)))),
        )
        .select_from(Membership)
        .join(Person, Person.id == Membership.person_id)
        .join(activity, activity.course_id == Membership.course_id)
        .where(
            activity.status == "open",
            or_(Membership.launched_at.is_not(None), Membership.welcomed_at.is_not(None)),
            *people.takes_part(activity.id),
        )
        .group_by(Person.platform_id, Person.school_id)
    )
    return {(platform, school): Counts(*numbers) for platform, school, *numbers in rows}


def _counts(row: SchoolTotals) -> Counts:
    return Counts(row.taking_part, row.submitted, row.finished)


def _row(place: _Place, counts: Counts, today: date) -> dict[str, object]:
    return {
        "id": new_id(),
        "platform_id": place[0],
        "school_id": place[1],
        "taking_part": counts.taking_part,
        "submitted": counts.submitted,
        "finished": counts.finished,
        "counted_on": today,
    }
