"""What a trainer sees of an activity. The statements here read process data only: no table or column of content."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.cycles.models import Cycle, ProtocolVersion, StageMark
from lti_tool.cycles.protocols import Protocol, parse, shipped
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people import service as people
from lti_tool.people.models import Membership, Person
from lti_tool.progress.rules import Place, Teacher, count_steps

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """That somebody submitted the reflection of a cycle, and when first."""

    name: str
    cycle_number: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """One activity, for its trainer."""

    teachers: int
    pairs: int
    """Running pairs."""
    steps: tuple[tuple[str, int], ...]
    """Step → how many teachers; see rules.count_steps."""
    protocols: tuple[Protocol, ...]
    """In which the stages of `steps` are named: the activity's own first."""
    submissions: tuple[Submission, ...]
    """One page of them, by name: their order says nothing about anybody (R38)."""
    submission_count: int
    page: int
    pages: int


def read(session: Session, activity_id: str, course_id: str, protocol_key: str, *, page: int = 1) -> Progress:
    """How the activity is going; five statements whatever the number of people.

    `protocol_key`: of the protocol that new cycles of the activity follow. `page`: of the submissions, from 1.
    """
    protocols = _protocols(session, activity_id, protocol_key)
    reflections = {protocol.stages[-1].key for protocol in protocols}
    teachers = [
        Teacher(membership_id, launched_at is not None or welcomed_at is not None)
        for membership_id, launched_at, welcomed_at in session.execute(
            select(Membership.id, Membership.launched_at, Membership.welcomed_at).where(
                Membership.course_id == course_id, *people.takes_part(activity_id)
            )
        )
    ]
    places, pairs = _places(session, activity_id, reflections)
    stages = list(dict.fromkeys(stage.key for protocol in protocols for stage in protocol.stages))
    count = _count_submissions(session, activity_id, reflections)
    last = max(1, -(-count // PAGE_SIZE))
    page = min(max(1, page), last)
    return Progress(
        teachers=len(teachers),
        pairs=pairs,
        steps=tuple(count_steps(teachers, places, stages)),
        protocols=protocols,
        submissions=_submissions(session, activity_id, reflections, page) if count else (),
        submission_count=count,
        page=page,
        pages=last,
    )


def _protocols(session: Session, activity_id: str, protocol_key: str) -> tuple[Protocol, ...]:
    used = session.execute(
        select(ProtocolVersion.body)
        .where(ProtocolVersion.id.in_(select(Cycle.protocol_version_id).where(Cycle.activity_id == activity_id)))
        .order_by(ProtocolVersion.key, ProtocolVersion.version)
    )
    running = [parse(body) for (body,) in used]
    own = [shipped()[protocol_key]] if protocol_key in shipped() else []
    return (*own, *running)


def _places(session: Session, activity_id: str, reflections: set[str]) -> tuple[dict[str, Place], int]:
    """Where the members of running pairs are, and how many such pairs there are."""
    rows = session.execute(
        select(PairMember.membership_id, PairMember.pair_id, Cycle.stage, StageMark.at)
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(Cycle, Cycle.pair_id == Pair.id)
        .outerjoin(
            StageMark,
            (StageMark.cycle_id == Cycle.id)
            & (StageMark.membership_id == PairMember.membership_id)
            & StageMark.stage.in_(reflections),
        )
        .where(
            PairMember.activity_id == activity_id,
            PairMember.is_current,
            Pair.status == "active",
        )
        .order_by(Cycle.number)  # a later cycle of the pair replaces an earlier one below
    ).all()
    places = {membership_id: Place(stage, submitted_at is not None) for membership_id, _, stage, submitted_at in rows}
    return places, len({row.pair_id for row in rows})


def _count_submissions(session: Session, activity_id: str, reflections: set[str]) -> int:
    return session.execute(
        select(func.count())
        .select_from(StageMark)
        .join(Cycle, Cycle.id == StageMark.cycle_id)
        .where(Cycle.activity_id == activity_id, StageMark.stage.in_(reflections))
    ).scalar_one()


def _submissions(session: Session, activity_id: str, reflections: set[str], page: int) -> tuple[Submission, ...]:
    rows = session.execute(
        select(Person.name, Cycle.number, StageMark.at)
        .join(Membership, Membership.id == StageMark.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .join(Cycle, Cycle.id == StageMark.cycle_id)
        .where(Cycle.activity_id == activity_id, StageMark.stage.in_(reflections))
        .order_by(func.lower(Person.family_name), func.lower(Person.name), Person.id, StageMark.at)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    return tuple(Submission(name, number, at) for name, number, at in rows)
