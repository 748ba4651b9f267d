"""Giving and taking coaching roles: trainer and facilitator of an activity, leader of the school.

No history is kept: only who is what now. Whatever changes the trainers of an activity first locks it, so that it is
never left without one by two withdrawals at the same moment, and taken over by one person only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, ActivityFacilitator, ActivityTrainer
from lti_tool.people.actor import Actor
from lti_tool.people.models import Membership, Person
from lti_tool.people.role_rules import Holder, Refusal, Role, SaidBy, refuse_grant, refuse_withdrawal
from lti_tool.people.rules import Colleague, fold, search
from lti_tool.privacy.rules import Action, may
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed
from lti_tool.store.upsert import insert_into

_TABLES: dict[Role, type[ActivityTrainer] | type[ActivityFacilitator]] = {
    Role.TRAINER: ActivityTrainer,
    Role.FACILITATOR: ActivityFacilitator,
}


class Refused(Exception):
    """A role cannot be given or taken; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownMember(Exception):
    """There is no such member in the course now."""


class UnknownPerson(Exception):
    """The platform has not named anybody by this user id yet."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of the course and their roles in one activity, for its trainer."""

    name: str
    """As the LMS gave it; may be empty."""
    holder: Holder

    @property
    def membership_id(self) -> str:
        """Id of the membership."""
        return self.holder.membership_id


@dataclass(frozen=True, slots=True)
class RolesView:
    """Who has a role, and a part of the members of the course; all by name."""

    trainers: tuple[MemberView, ...]
    facilitators: tuple[MemberView, ...]
    leaders: tuple[MemberView, ...]
    found: tuple[MemberView, ...]
    total: int
    """How many members match in all."""
    page: int
    pages: int


def read(
    session: Session, *, course_id: str, activity_id: str, wanted: str = "", page: int = 1, size: int = 30
) -> RolesView:
    """The roles of an activity and the members whose name holds every word of `wanted`; one statement."""
    members = {each.membership_id: each for each in _members(session, course_id, activity_id)}
    by_name = sorted(members.values(), key=lambda each: (fold(each.name), each.membership_id))
    found = search((Colleague(each.membership_id, each.name, "") for each in by_name), wanted)
    pages = max(1, -(-len(found) // size))
    page = min(max(1, page), pages)
    return RolesView(
        trainers=tuple(each for each in by_name if each.holder.trains),
        facilitators=tuple(each for each in by_name if each.holder.facilitates),
        leaders=tuple(each for each in by_name if each.holder.leader_said_by),
        found=tuple(members[each.membership_id] for each in found[(page - 1) * size : page * size]),
        total=len(found),
        page=page,
        pages=pages,
    )


def find(session: Session, *, course_id: str, activity_id: str, membership_id: str) -> MemberView | None:
    """One member of the course who is there now, or None."""
    return next(iter(_members(session, course_id, activity_id, Membership.id == membership_id)), None)


def grant(
    session: Session, role: Role, *, course_id: str, activity_id: str, membership_id: str, by: str, now: datetime
) -> None:
    """The trainer `by` gives a member a role; giving it twice is giving it once. Raises Refused, UnknownMember."""
    _lock(session, activity_id)
    member = find(session, course_id=course_id, activity_id=activity_id, membership_id=membership_id)
    if member is None:
        raise UnknownMember
    if refusal := refuse_grant(role, member.holder, by):
        raise Refused(refusal)
    if role is Role.LEADER:
        session.execute(
            update(Membership)
            .where(Membership.id == membership_id, Membership.is_leader.is_(False))
            .values(is_leader=True, leader_said_by="trainer")
        )
    else:
        _insert(session, role, activity_id, membership_id, now)


def withdraw(session: Session, role: Role, *, course_id: str, activity_id: str, membership_id: str, by: str) -> None:
    """The trainer `by` takes a role from a member, or lays down their own. Raises Refused, UnknownMember."""
    _lock(session, activity_id)
    members = {each.membership_id: each.holder for each in _members(session, course_id, activity_id)}
    holder = members.get(membership_id)
    if holder is None:
        raise UnknownMember
    if refusal := refuse_withdrawal(role, holder, by, sum(each.trains for each in members.values())):
        raise Refused(refusal)
    if role is Role.LEADER:
        session.execute(
            update(Membership).where(Membership.id == membership_id).values(is_leader=False, leader_said_by="")
        )
    else:
        table = _TABLES[role]
        session.execute(delete(table).where(table.activity_id == activity_id, table.membership_id == membership_id))


def take_over(session: Session, actor: Actor, activity_id: str, now: datetime) -> bool:
    """Makes `actor` the trainer of an activity that has none left; False if they may not, or somebody else was first.

    Whether they may is asked here and not before, since only the lock makes the answer last.
    """
    _lock(session, activity_id)
    activity = activities.find(session, activity_id)
    if activity is None or not may(actor, Action.TAKE_OVER_ACTIVITY, activity.facts):
        return False
    _insert(session, Role.TRAINER, activity_id, actor.membership_id, now)
    return True


def leader_said_by(session: Session, membership_id: str) -> SaidBy:
    """Who says of a member that they lead the school; empty if nobody does. For the page of that member."""
    row = session.execute(
        select(Person.is_leader, Membership.is_leader, Membership.leader_said_by)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.id == membership_id)
    ).one()
    return _said_by(*row)


def set_leader(session: Session, platform_id: str, sub: str, leads: bool) -> None:
    """The operator says that a person leads the school, in all courses of the platform, or takes that word back.

    What the person or a trainer said of one course stays as it is. `sub`: the platform's user id. Raises UnknownPerson.
    """
    changed = session.execute(
        update(Person).where(Person.platform_id == platform_id, Person.sub == sub).values(is_leader=leads)
    )
    if rows_changed(changed) != 1:
        raise UnknownPerson


def _members(session: Session, course_id: str, activity_id: str, *conditions: Any) -> list[MemberView]:
    def has(role: Role) -> Any:
        table = _TABLES[role]
        return exists().where(table.activity_id == activity_id, table.membership_id == Membership.id)

    rows = session.execute(
        select(
            Membership.id,
            Person.name,
            Membership.lms_role,
            Membership.is_administrator,
            has(Role.TRAINER).label("is_trainer"),
            has(Role.FACILITATOR).label("is_facilitator"),
            Person.is_leader.label("by_operator"),
            Membership.is_leader,
            Membership.leader_said_by,
        )
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.course_id == course_id, Membership.is_active.is_(True), *conditions)
    )
    return [
        MemberView(
            row.name,
            Holder(
                row.id,
                row.lms_role,
                row.is_administrator,
                bool(row.is_trainer),
                bool(row.is_facilitator),
                _said_by(row.by_operator, row.is_leader, row.leader_said_by),
            ),
        )
        for row in rows
    ]


def _said_by(by_operator: bool, is_leader: bool, said_by: str) -> SaidBy:
    if by_operator:
        return "operator"
    if not is_leader:
        return ""
    return "trainer" if said_by == "trainer" else "person"


def _insert(session: Session, role: Role, activity_id: str, membership_id: str, now: datetime) -> None:
    session.execute(
        insert_into(session, _TABLES[role])
        .values(id=new_id(), activity_id=activity_id, membership_id=membership_id, created_at=now)
        .on_conflict_do_nothing(index_elements=["activity_id", "membership_id"])
    )


def _lock(session: Session, activity_id: str) -> None:
    session.execute(select(Activity.id).where(Activity.id == activity_id).with_for_update(key_share=True)).all()
