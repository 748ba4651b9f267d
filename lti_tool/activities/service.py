"""Setting an activity up, changing it, who may take part in it, and the plan of a course."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import bindparam, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, ActivityParticipant, ActivitySchool, ActivityTrainer
from lti_tool.activities.rules import Planned, Settings, in_order
from lti_tool.friends.models import CriticalFriend
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person, School
from lti_tool.privacy.rules import ActivityFacts, PlannedFacts
from lti_tool.protocols import service as protocols
from lti_tool.protocols.models import OwnProtocol
from lti_tool.protocols.recipe import Protocol
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed, run
from lti_tool.store.upsert import insert_into

_SEES_PROGRESS = (
    Membership.is_active.is_(True),
    Membership.is_leader.is_(False),
    Membership.is_administrator.is_(False),
    Person.is_leader.is_(False),
)
"""Conditions on a trainer's Membership and Person, as the rule SEE_PROGRESS says it."""
_VIEW = (
    Activity.id,
    Activity.course_id,
    Activity.title,
    Activity.purpose,
    Activity.status,
    Activity.protocol,
    Activity.kind,
    Activity.starts_on,
    Activity.ends_on,
    Activity.audience,
    Activity.reports_completion,
    Activity.pairs_from_id,
    exists()
    .where(
        ActivityTrainer.activity_id == Activity.id,
        Membership.id == ActivityTrainer.membership_id,
        Person.id == Membership.person_id,
        *_SEES_PROGRESS,
    )
    .label("has_trainer"),
    Activity.copied_from,
    Activity.cadence_weeks,
    select(OwnProtocol.version)
    .where(OwnProtocol.key == Activity.protocol, OwnProtocol.published_at.is_not(None))
    .scalar_subquery()
    .label("own_version"),
)
_BY_ID = select(*_VIEW).where(Activity.id == bindparam("activity"))
_OF_COURSE = select(
    *_VIEW,
    Activity.resource_link_id.is_not(None).label("is_placed"),
    exists()
    .where(ActivityTrainer.activity_id == Activity.id, ActivityTrainer.membership_id == bindparam("member"))
    .label("is_mine"),
    Activity.position,
    exists()
    .where(
        CriticalFriend.friend_id == bindparam("member"),
        or_(CriticalFriend.status == "asked", CriticalFriend.status == "active"),
        Pair.id == CriticalFriend.pair_id,
        Pair.activity_id == Activity.id,
        Pair.status != "ended",
    )
    .label("accompanies"),
).where(Activity.course_id == bindparam("course"))


@dataclass(frozen=True, slots=True)
class ActivityView:
    """What any member of the course may know of an activity."""

    id: str
    course_id: str
    title: str
    purpose: str
    status: str
    """new, open or archived."""
    protocol: str
    kind: str
    starts_on: date | None
    ends_on: date | None
    audience: str
    reports_completion: bool
    pairs_from_id: str | None
    has_trainer: bool
    copied_from: str | None
    cadence_weeks: int | None
    own_version: int | None = field(default=None, kw_only=True)
    """Of its protocol, where that is a course's own: the one that new cycles follow."""
    own_protocol: Protocol | None = field(default=None, kw_only=True)
    """That version; filled in by find() and with_protocol()."""

    @property
    def facts(self) -> ActivityFacts:
        """What the rules need of it."""
        return ActivityFacts(self.course_id, self.status, self.has_trainer, self.reports_completion)


@dataclass(frozen=True, slots=True)
class PlannedActivity(ActivityView):
    """An activity in the plan of its course."""

    is_placed: bool
    """Whether a link of the course leads to it; else it was prepared and waits to be placed."""
    is_mine: bool
    """Whether the member who looks is its trainer."""
    position: int
    accompanies: bool
    """Whether the member who looks is a critical friend of a pair there, or is asked to be."""

    @property
    def in_plan(self) -> PlannedFacts:
        """What the rules need of its place in the plan."""
        return PlannedFacts(self.course_id, self.is_mine)


_View = TypeVar("_View", bound=ActivityView)


def find(session: Session, activity_id: str) -> ActivityView | None:
    """The activity, or None."""
    row = run(session, _BY_ID, {"activity": activity_id}).one_or_none()
    return with_protocol(session, ActivityView(**row._mapping)) if row else None


def with_protocol(session: Session, activity: _View) -> _View:
    """The activity with its protocol, where that is a course's own: needed wherever it is asked what cycles follow. A
    statement only for a version that this process has not read yet."""
    if activity.own_version is None:
        return activity
    return replace(activity, own_protocol=protocols.version(session, activity.protocol, activity.own_version))


class AlreadySetUp(Exception):
    """Another Instructor set this activity up first and is its trainer."""


def set_up(session: Session, activity: ActivityView, membership_id: str, settings: Settings, now: datetime) -> None:
    """Opens a `new` activity; whoever does so is its trainer from now on. Raises AlreadySetUp, at most one succeeds."""
    opened = session.execute(
        update(Activity)
        .where(Activity.id == activity.id, Activity.status == "new")
        .values(status="open", opened_at=now)
    )
    if rows_changed(opened) != 1:
        raise AlreadySetUp
    session.add(ActivityTrainer(activity_id=activity.id, membership_id=membership_id, created_at=now))
    _keep(session, activity.id, settings)


def prepare(
    session: Session, course_id: str, membership_id: str, settings: Settings, now: datetime, *, copied_from: str = ""
) -> str:
    """An `open` activity that waits for its link, with this member as its trainer; its id."""
    activity_id = new_id()
    session.execute(
        insert(Activity).values(
            id=activity_id,
            course_id=course_id,
            title=settings.title,
            status="open",
            copied_from=copied_from or None,
            created_at=now,
            opened_at=now,
        )
    )
    session.add(ActivityTrainer(activity_id=activity_id, membership_id=membership_id, created_at=now))
    _keep(session, activity_id, settings)
    return activity_id


def change(session: Session, activity: ActivityView, settings: Settings) -> None:
    """Replaces the settings of an activity; its name stays the LMS's, and what has begun keeps its protocol (R21).

    Who is in a pair here goes on, also when the activity is meant for others from now on.
    """
    _keep(session, activity.id, settings)
    if settings.audience != "everyone":
        paired = select(PairMember.activity_id, PairMember.membership_id).where(
            PairMember.activity_id == activity.id, PairMember.is_current
        )
        session.execute(
            insert_into(session, ActivityParticipant)
            .from_select(["activity_id", "membership_id"], paired)
            .on_conflict_do_nothing()
        )


def _keep(session: Session, activity_id: str, settings: Settings) -> None:
    session.execute(
        update(Activity)
        .where(Activity.id == activity_id)
        .values(
            kind=settings.kind,
            protocol=settings.protocol,
            purpose=settings.purpose,
            starts_on=settings.starts_on,
            ends_on=settings.ends_on,
            audience=settings.audience,
            reports_completion=settings.reports_completion,
            pairs_from_id=settings.pairs_from or None,
            cadence_weeks=settings.cadence_weeks,
        )
    )
    session.execute(delete(ActivitySchool).where(ActivitySchool.activity_id == activity_id))
    for school_id in settings.schools:
        session.add(ActivitySchool(activity_id=activity_id, school_id=school_id))


def duplicate(session: Session, activity: ActivityView, membership_id: str, title: str, now: datetime) -> str:
    """A prepared activity with the same settings, without the days, people and content; its id."""
    settings = Settings(
        kind=activity.kind,
        protocol=activity.protocol,
        title=title,
        purpose=activity.purpose,
        starts_on=None,
        ends_on=None,
        audience=activity.audience,
        schools=schools_of(session, activity.id),
        pairs_from=activity.pairs_from_id or "",
        reports_completion=activity.reports_completion,
        cadence_weeks=activity.cadence_weeks,
    )
    return prepare(session, activity.course_id, membership_id, settings, now, copied_from=activity.id)


def archive(session: Session, activity_id: str) -> None:
    """Closes an open activity for new beginnings; what has begun goes on."""
    _turn(session, activity_id, "open", "archived")


def reopen(session: Session, activity_id: str) -> None:
    """Opens an archived activity again."""
    _turn(session, activity_id, "archived", "open")


def _turn(session: Session, activity_id: str, before: str, after: str) -> None:
    session.execute(update(Activity).where(Activity.id == activity_id, Activity.status == before).values(status=after))


def discard(session: Session, activity_id: str) -> bool:
    """Deletes a prepared activity whose link was never opened; False if it has one by now."""
    gone = delete(Activity).where(Activity.id == activity_id, Activity.resource_link_id.is_(None))
    return rows_changed(session.execute(gone)) == 1


def plan(session: Session, course_id: str, membership_id: str) -> list[PlannedActivity]:
    """All activities of a course in the order of its plan; one statement. Those with status `new` have no place in it
    yet, and are for the caller to leave out."""
    rows = run(session, _OF_COURSE, {"course": course_id, "member": membership_id})
    found = {row.id: PlannedActivity(**row._mapping) for row in rows}
    order = in_order(Planned(each.id, each.position, each.starts_on, each.title) for each in found.values())
    return [found[each] for each in order]


def coming(planned: Iterable[PlannedActivity], here: str, today: date, most: int = 3) -> list[PlannedActivity]:
    """The first activities of a plan that a teacher can also open, beside the one they are in; none that is over."""
    return [
        each
        for each in planned
        if each.id != here and each.status == "open" and each.is_placed and (each.ends_on or today) >= today
    ][:most]


def arrange(session: Session, order: Iterable[str]) -> None:
    """Keeps the order of a plan: ids of activities, the first one first."""
    positions = {activity_id: position for position, activity_id in enumerate(order, start=1)}
    session.execute(
        update(Activity).where(Activity.id.in_(positions)).values(position=case(positions, value=Activity.id))
    )


def set_days(session: Session, days: Mapping[str, tuple[date | None, date | None]]) -> None:
    """Keeps the first and last days of activities, by their ids."""
    if days:
        session.execute(
            update(Activity),
            [{"id": each, "starts_on": first, "ends_on": last} for each, (first, last) in days.items()],
        )


def rounds(session: Session, course_id: str) -> list[tuple[str, str]]:
    """(id, title) of the pairing rounds of a course from which others can take their pairs, by title."""
    return [
        (row.id, row.title)
        for row in session.execute(
            select(Activity.id, Activity.title)
            .where(Activity.course_id == course_id, Activity.kind == "pairing", Activity.status == "open")
            .order_by(Activity.title, Activity.id)
        )
    ]


def round_of_copy(session: Session, activity: ActivityView) -> str:
    """For a copied activity, the copy in this course of the round from which its original takes its pairs; else ""."""
    if not activity.copied_from:
        return ""
    of_original = select(Activity.pairs_from_id).where(Activity.id == activity.copied_from).scalar_subquery()
    return (
        session.scalar(
            select(Activity.id)
            .where(Activity.course_id == activity.course_id, Activity.copied_from == of_original)
            .order_by(Activity.created_at)
            .limit(1)
        )
        or ""
    )


def schools_of(session: Session, activity_id: str) -> tuple[str, ...]:
    """Ids of the schools whose teachers may take part."""
    return tuple(session.scalars(select(ActivitySchool.school_id).where(ActivitySchool.activity_id == activity_id)))


def schools_here(session: Session, platform_id: str) -> list[tuple[str, str]]:
    """(id, name) of the schools of a platform, by name."""
    return [
        (row.id, row.name)
        for row in session.execute(
            select(School.id, School.name).where(School.platform_id == platform_id).order_by(School.name)
        )
    ]


def participants(session: Session, activity_id: str) -> int:
    """How many teachers were named one by one."""
    return (
        session.scalar(
            select(func.count()).select_from(ActivityParticipant).where(ActivityParticipant.activity_id == activity_id)
        )
        or 0
    )


def name_participant(session: Session, activity_id: str, membership_id: str) -> None:
    """Names a teacher as one who may take part; naming twice is naming once."""
    session.execute(
        insert_into(session, ActivityParticipant)
        .values(activity_id=activity_id, membership_id=membership_id)
        .on_conflict_do_nothing()
    )


def unname_participant(session: Session, activity_id: str, membership_id: str) -> None:
    """Takes a name back; who is in a pair here keeps their place."""
    paired = exists().where(
        PairMember.activity_id == activity_id,
        PairMember.membership_id == membership_id,
        PairMember.is_current,
    )
    session.execute(
        delete(ActivityParticipant).where(
            ActivityParticipant.activity_id == activity_id, ActivityParticipant.membership_id == membership_id, ~paired
        )
    )


def trainer_names(session: Session, activity_id: str) -> list[str]:
    """Names of the trainers who can see how an activity is going, for those who take part in it; empty names are left
    out, and so is whoever leads the school by now."""
    names = session.scalars(
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(ActivityTrainer, ActivityTrainer.membership_id == Membership.id)
        .where(ActivityTrainer.activity_id == activity_id, *_SEES_PROGRESS)
        .order_by(Person.name)
    )
    return [name for name in names if name]
