"""What people settle about themselves, and which colleagues a teacher has."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, ActivityParticipant, ActivitySchool, ActivityTrainer
from lti_tool.people.models import LmsGroup, LmsGroupMember, Membership, Person
from lti_tool.people.rules import Colleague, search

# Aliases, so that they are never taken for another person, or the activity, of the statement around them.
_Member, _Activity = aliased(Person), aliased(Activity)


@dataclass(frozen=True, slots=True)
class ColleaguePage:
    """Part of a list of colleagues."""

    colleagues: tuple[Colleague, ...]
    total: int
    """How many match in all."""
    page: int
    """Number of this part, from 1."""
    pages: int


def acknowledge_welcome(session: Session, membership_id: str, now: datetime) -> None:
    """Keeps when this person first said that they have read what coaching here is and is not (R26)."""
    session.execute(
        update(Membership)
        .where(Membership.id == membership_id, Membership.welcomed_at.is_(None))
        .values(welcomed_at=now)
    )


def choose_language(session: Session, person_id: str, language: str) -> None:
    """Keeps the person's own choice (a language code); an empty one follows the LMS again."""
    session.execute(update(Person).where(Person.id == person_id).values(language=language))


def zones_of(session: Session, person_id: str) -> tuple[str, str]:
    """(The person's own choice of a time zone, what their last launch named); each an IANA name, or empty."""
    row = session.execute(select(Person.time_zone, Person.launch_zone).where(Person.id == person_id)).one()
    return row.time_zone, row.launch_zone


def choose_time_zone(session: Session, person_id: str, zone: str) -> None:
    """Keeps the person's own choice (an IANA name); an empty one follows the LMS again, or the tool."""
    session.execute(update(Person).where(Person.id == person_id).values(time_zone=zone))


def declare_leader(session: Session, membership_id: str) -> None:
    """Marks a member as school leader by their own word: from now on they see no names with activity here."""
    session.execute(
        update(Membership).where(Membership.id == membership_id).values(is_leader=True, leader_said_by="person")
    )


def takes_part(activity_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Conditions on Membership: those who take part in coaching in this activity, as the rule TAKE_PART says it.

    `activity_id`: a text, or anything of SQL that is one.
    """
    return (*could_take_part(activity_id), is_in_audience(activity_id))


def could_take_part(activity_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Conditions on Membership: those whom the trainer may name as participants of this activity."""
    return (
        Membership.is_active.is_(True),
        Membership.lms_role == "learner",
        Membership.is_leader.is_(False),
        Membership.is_administrator.is_(False),
        ~exists().where(_Member.id == Membership.person_id, _Member.is_leader.is_(True)),
        ~exists().where(ActivityTrainer.activity_id == activity_id, ActivityTrainer.membership_id == Membership.id),
    )


def is_in_audience(activity_id: Any) -> ColumnElement[bool]:
    """Condition on Membership: those for whom the trainer meant this activity. Who is named takes part in any case."""
    return or_(
        exists().where(_Activity.id == activity_id, _Activity.audience == "everyone"),
        exists().where(
            ActivityParticipant.activity_id == activity_id, ActivityParticipant.membership_id == Membership.id
        ),
        exists().where(
            ActivitySchool.activity_id == activity_id,
            ActivitySchool.school_id == _Member.school_id,
            _Member.id == Membership.person_id,
        ),
    )


def find_colleague(
    session: Session, *, course_id: str, activity_id: str, membership_id: str, me: str
) -> Colleague | None:
    """A colleague who can be invited in this activity, or None; never oneself (`me`: a membership id)."""
    row = session.execute(
        select(Membership.id, Person.name, Person.given_name)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.id == membership_id,
            Membership.id != me,
            Membership.course_id == course_id,
            *takes_part(activity_id),
        )
    ).one_or_none()
    return Colleague(row.id, row.name, row.given_name or row.name) if row else None


def list_colleagues(
    session: Session, *, course_id: str, activity_id: str, me: str, wanted: str = "", page: int = 1, size: int = 30
) -> ColleaguePage:
    """The colleagues whom `me` (a membership id) can invite: the same list whoever is paired with whom.

    Names are compared here and not by the database, whose idea of "á" differs from one product to the next; a course
    of 3,000 is one statement of three columns.
    """
    rows = session.execute(
        select(Membership.id, Person.name, Person.given_name)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.course_id == course_id, Membership.id != me, *takes_part(activity_id))
    )
    found = search((Colleague(id_, name, given or name) for id_, name, given in rows), wanted)
    pages = max(1, -(-len(found) // size))
    page = min(max(1, page), pages)
    return ColleaguePage(tuple(found[(page - 1) * size : page * size]), len(found), page, pages)


def departments(session: Session, membership_ids: Collection[str]) -> dict[str, str]:
    """Membership -> names of the departments that they are in, where a trainer says that groups of the LMS are such."""
    rows = session.execute(
        select(LmsGroupMember.membership_id, LmsGroup.name)
        .join(LmsGroup, LmsGroup.id == LmsGroupMember.group_id)
        .where(LmsGroupMember.membership_id.in_(list(membership_ids)), LmsGroup.stands_for == "department")
        .order_by(LmsGroup.name)
    )
    found: dict[str, str] = {}
    for membership_id, name in rows:
        found[membership_id] = f"{found[membership_id]}, {name}" if membership_id in found else name
    return found


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """Part of a list of those whom a trainer may name as participants."""

    candidates: tuple[Colleague, ...]
    named: frozenset[str]
    """Memberships among them that are named already."""
    total: int
    page: int
    pages: int


def list_candidates(
    session: Session, course_id: str, activity_id: str, wanted: str = "", page: int = 1, size: int = 30
) -> CandidatePage:
    """The teachers of a course whom the trainer of an activity may name as its participants, by name."""
    is_named = exists().where(
        ActivityParticipant.activity_id == activity_id, ActivityParticipant.membership_id == Membership.id
    )
    rows = session.execute(
        select(Membership.id, Person.name, Person.given_name, is_named)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.course_id == course_id, *could_take_part(activity_id))
    ).all()
    named = frozenset(row[0] for row in rows if row[3])
    found = search((Colleague(id_, name, given or name) for id_, name, given, _named in rows), wanted)
    pages = max(1, -(-len(found) // size))
    page = min(max(1, page), pages)
    return CandidatePage(tuple(found[(page - 1) * size : page * size]), named, len(found), page, pages)


def is_candidate(session: Session, course_id: str, activity_id: str, membership_id: str) -> bool:
    """Whether the trainer of an activity may name this member as its participant."""
    found = select(Membership.id).where(
        Membership.id == membership_id, Membership.course_id == course_id, *could_take_part(activity_id)
    )
    return session.scalar(found) is not None
