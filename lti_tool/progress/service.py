"""What a trainer sees of an activity. The statements here read process data only: no table or column of content."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.cycles.protocols import REFLECTION, Words
from lti_tool.cycles.service import Submission
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people import service as people
from lti_tool.people.models import Membership
from lti_tool.people.rules import fold
from lti_tool.progress.rules import Place, Teacher, count_steps

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """One activity, for its trainer."""

    teachers: int
    pairs: int
    """Running pairs."""
    steps: tuple[tuple[str, int], ...]
    """Step → how many teachers; see rules.count_steps."""
    titles: Mapping[str, Words]
    """What the stages among `steps` are called."""
    submissions: tuple[Submission, ...]
    """One page of them, by name: their order says nothing about anybody (R38)."""
    page: int
    pages: int


def read(session: Session, activity_id: str, course_id: str, *, page: int = 1) -> Progress:
    """How the activity is going, in a number of statements that does not depend on the number of people.

    `page`: of the submissions, from 1.
    """
    stages = cycles.stage_counts(session, activity_id).stages
    teachers = [
        Teacher(membership_id, launched_at is not None or welcomed_at is not None)
        for membership_id, launched_at, welcomed_at in session.execute(
            select(Membership.id, Membership.launched_at, Membership.welcomed_at).where(
                Membership.course_id == course_id, *people.takes_part(activity_id)
            )
        )
    ]
    places, pairs = _places(session, activity_id)
    submissions = sorted(
        cycles.submissions(session, activity_id),
        key=lambda each: (fold(each.name), each.membership_id, each.cycle_number),
    )
    last = max(1, -(-len(submissions) // PAGE_SIZE))
    page = min(max(1, page), last)
    return Progress(
        teachers=len(teachers),
        pairs=pairs,
        steps=tuple(count_steps(teachers, places, [stage.key for stage in stages])),
        titles={stage.key: stage.title for stage in stages},
        submissions=tuple(submissions[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]),
        page=page,
        pages=last,
    )


def _places(session: Session, activity_id: str) -> tuple[dict[str, Place], int]:
    """Where the members of running pairs are, and how many such pairs there are."""
    rows = session.execute(
        select(PairMember.membership_id, PairMember.pair_id, Cycle.stage, StageMark.at)
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(Cycle, Cycle.pair_id == Pair.id)
        .outerjoin(
            StageMark,
            (StageMark.cycle_id == Cycle.id)
            & (StageMark.membership_id == PairMember.membership_id)
            & (StageMark.stage == REFLECTION),
        )
        .where(
            PairMember.activity_id == activity_id,
            PairMember.is_current,
            Pair.status == "active",
            Cycle.closed_at.is_(None),
        )
    ).all()
    places = {membership_id: Place(stage, submitted_at is not None) for membership_id, _, stage, submitted_at in rows}
    return places, len({row.pair_id for row in rows})
