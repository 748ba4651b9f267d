"""What a trainer sees of a round: where it stands, whom a calculation brought together, and whom it left.

No answer is read here, and nothing that a teacher said (R24): until its time is over, a proposal is asked, or paired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.orm import Session

from lti_tool.matching.certificate import Certificate
from lti_tool.people.models import Membership, Person
from lti_tool.people.rules import Colleague, fold
from lti_tool.rounds.models import Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import NEW, Summary
from lti_tool.store.database import rows_changed

PAGE_SIZE = 25
EARLIER = 12
"""Runs of a round that its page leads to, the latest ones."""
CALCULATING = ("waiting", "working")
SHOWN = ("review", "out", "over")
"""Of these there is a result to look at."""
_RUN = (
    RoundRun.id,
    RoundRun.activity_id,
    RoundRun.number,
    RoundRun.status,
    RoundRun.seed,
    RoundRun.done,
    RoundRun.doing,
    RoundRun.stop_asked,
    RoundRun.summary,
    RoundRun.created_at,
    RoundRun.out_at,
    RoundRun.answer_by,
    RoundRun.proof.is_not(None).label("has_proof"),
)
_NAME = (Membership.id, Person.name, Person.given_name, Person.school_id)


@dataclass(frozen=True, slots=True)
class Run:
    """One calculation of a round, without what was calculated."""

    id: str
    activity_id: str
    number: int
    status: str
    """waiting, working, review, out, over, stopped, failed or dropped; out is over as soon as its time is."""
    seed: int
    done: int
    """In thousandths."""
    doing: str
    stop_asked: bool
    summary: Summary
    created_at: datetime
    out_at: datetime | None
    answer_by: datetime | None
    has_proof: bool
    """Whether what was calculated, and its proof, are still kept."""

    @property
    def is_calculating(self) -> bool:
        """Whether it waits for the worker, or is being worked on."""
        return self.status in CALCULATING

    @property
    def is_current(self) -> bool:
        """Whether it is calculated or reviewed; there is one at a time."""
        return self.is_calculating or self.status == "review"

    @property
    def is_empty(self) -> bool:
        """Whether it brings nobody together."""
        return not (self.summary.pairs or self.summary.triads)

    @property
    def is_published(self) -> bool:
        """Whether the teachers were asked."""
        return self.status in ("out", "over")


@dataclass(frozen=True, slots=True)
class Line:
    """Two or three who could go together, or one whom the run left without a partner."""

    members: tuple[Colleague, ...]
    """By name. Empty names where the LMS gives none."""
    status: str = ""
    """draft, asked, paired or lapsed; empty for one who is left."""
    attention: int = 0
    """As rules.attention_of says it."""
    two_schools: bool = False
    helps: str | None = None
    """Of one who is left: a code of rules.HELPS."""

    @property
    def is_left(self) -> bool:
        """Whether it is somebody without a partner."""
        return self.helps is not None

    def others(self, membership_id: str) -> tuple[Colleague, ...]:
        """All but one of its members."""
        return tuple(each for each in self.members if each.membership_id != membership_id)

    @property
    def part(self) -> str:
        """Where in the list it stands: left, look or rest."""
        if self.is_left:
            return "left"
        return "look" if self.attention else "rest"


@dataclass(frozen=True, slots=True)
class Witnesses:
    """How much there is to the proof of a result, without naming anybody."""

    parts: int
    """Parts of the people that no possible pair connects; each has witnesses of its own."""
    apart: int
    odd: int
    """People set apart, and groups of an odd number left, that prove how many have to be without a partner."""
    is_best_pair: bool
    """Whether in no part any possible pair fits better than its least fitting one."""
    sets: int
    """Odd sets of people that have a price of their own."""


@dataclass(frozen=True, slots=True)
class Lines:
    """One page of what a run came to."""

    shown: tuple[Line, ...]
    total: int
    """How many match in all."""
    page: int
    """From 1."""
    pages: int


def runs(session: Session, activity_id: str, now: datetime) -> list[Run]:
    """The latest runs of a round, the last one first; one statement."""
    rows = session.execute(
        select(*_RUN).where(RoundRun.activity_id == activity_id).order_by(RoundRun.number.desc()).limit(EARLIER)
    )
    return [_run(row, now) for row in rows]


def find(session: Session, activity_id: str, run_id: str, now: datetime) -> Run | None:
    """A run of this round, or None; one statement."""
    row = session.execute(select(*_RUN).where(RoundRun.id == run_id, RoundRun.activity_id == activity_id)).one_or_none()
    return _run(row, now) if row else None


def drop(session: Session, run_id: str) -> None:
    """Puts a result away that is in review: nobody learns whom it brought together. The session writes."""
    dropped = session.execute(
        update(RoundRun).where(RoundRun.id == run_id, RoundRun.status == "review").values(status="dropped")
    )
    if rows_changed(dropped) == 1:
        session.execute(delete(Proposal).where(Proposal.run_id == run_id))
        session.execute(delete(RoundLeft).where(RoundLeft.run_id == run_id))


def lines(session: Session, run: Run) -> list[Line]:
    """Whom a run brought together and whom it left: first those who are left, then what needs a look, then all others,
    each by name; two statements."""
    members: dict[str, list[Any]] = {}
    for row in session.execute(
        select(Proposal.id.label("proposal_id"), Proposal.status, Proposal.attention, *_NAME)
        .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
        .join(Membership, Membership.id == ProposalMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Proposal.run_id == run.id)
    ):
        members.setdefault(row.proposal_id, []).append(row)
    together = [_line(of_one, run) for of_one in members.values()]
    left = [
        Line((_colleague(row),), helps=row.helps)
        for row in session.execute(
            select(RoundLeft.helps, *_NAME)
            .join(Membership, Membership.id == RoundLeft.membership_id)
            .join(Person, Person.id == Membership.person_id)
            .where(RoundLeft.run_id == run.id)
        )
    ]
    return sorted([*left, *together], key=_place)


def witnesses(certificate: Certificate) -> Witnesses:
    """What a certificate holds, counted over all its parts."""
    parts = certificate.parts
    return Witnesses(
        parts=len(parts),
        apart=sum(len(part.left.apart) for part in parts),
        odd=sum(len(part.left.odd) for part in parts),
        is_best_pair=all(part.worst is None for part in parts),
        sets=sum(len(part.prices.odd) for part in parts),
    )


def page_of(found: Sequence[Line], wanted: str = "", page: int = 1) -> Lines:
    """A page of those lines in which one name holds every word of `wanted`; of all, where it is empty."""
    words = fold(wanted).split()
    matching = [line for line in found if not words or any(_is_named(each, words) for each in line.members)]
    pages = max(1, -(-len(matching) // PAGE_SIZE))
    page = min(max(1, page), pages)
    return Lines(tuple(matching[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]), len(matching), page, pages)


def line_of(found: Sequence[Line], membership_id: str) -> tuple[Line, Colleague] | None:
    """The line in which somebody stands, and them; or None."""
    return next(((line, each) for line in found for each in line.members if each.membership_id == membership_id), None)


def _run(row: Row[Any], now: datetime) -> Run:
    values = dict(row._mapping)
    # The worker comes when it comes: what is over is over by the clock.
    if row.status == "out" and row.answer_by is not None and now >= row.answer_by:
        values["status"] = "over"
    return Run(**values | {"summary": Summary.of(row.summary)})


def _line(rows: Sequence[Any], run: Run) -> Line:
    status = rows[0].status
    if status == "open":
        status = "asked" if run.status == "out" else "lapsed"
    attention = rows[0].attention
    return Line(
        members=tuple(sorted((_colleague(row) for row in rows), key=_by_name)),
        status=status,
        # What is new by a move is of use as long as something can be moved.
        attention=attention if status == "draft" else attention & ~NEW,
        two_schools=len({row.school_id for row in rows}) > 1,
    )


def _colleague(row: Any) -> Colleague:
    return Colleague(row.id, row.name, row.given_name or row.name)


def _by_name(colleague: Colleague) -> tuple[str, str]:
    return fold(colleague.name), colleague.membership_id


def _place(line: Line) -> tuple[Any, ...]:
    return (not line.is_left, -(line.attention & ~NEW), not line.attention, [_by_name(each) for each in line.members])


def _is_named(colleague: Colleague, words: Sequence[str]) -> bool:
    name = fold(colleague.name)
    return all(word in name for word in words)
