"""How an activity is going, and friendly words to those who stand still.

The statements here read process data only: no table or column of content. Whether somebody without a running pair was
never asked, was told no, has paused or has changed partner is not read at all (R24).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles import counts
from lti_tool.cycles.counts import Submission
from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people import service as people
from lti_tool.people.models import Membership, Person
from lti_tool.people.rules import fold
from lti_tool.progress.models import Nudge
from lti_tool.progress.rules import (
    NUDGE_KEPT_FOR,
    PAIRED,
    NudgeKind,
    RunningPair,
    Teacher,
    can_nudge,
    count_steps,
    stands_still,
    still_holds,
    whom_to_nudge,
)
from lti_tool.protocols.recipe import REFLECTION, Words
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed, run

PAGE_SIZE = 100
LIST_SIZE = 30
"""Of lists with a button for each line."""

_Line = TypeVar("_Line")

_MY_PAIR = (
    select(Pair.id)
    .join(PairMember, PairMember.pair_id == Pair.id)
    .where(
        PairMember.membership_id == bindparam("me"),
        PairMember.activity_id == bindparam("activity"),
        PairMember.is_current,
        Pair.status == "active",
    )
    .scalar_subquery()
)
_NUDGES_OF = (
    select(
        Nudge.id,
        Nudge.kind,
        Nudge.created_at,
        Person.name,
        Person.given_name,
        _MY_PAIR.label("pair_id"),
        select(Cycle.stage_since)
        .where(Cycle.pair_id == _MY_PAIR, Cycle.closed_at.is_(None), Cycle.status == "running")
        .scalar_subquery()
        .label("since"),
    )
    .join(Membership, Membership.id == Nudge.sender_id)
    .join(Person, Person.id == Membership.person_id)
    .where(Nudge.membership_id == bindparam("me"), Nudge.activity_id == bindparam("activity"), Nudge.seen_at.is_(None))
    .order_by(Nudge.created_at, Nudge.id)
)


@dataclass(frozen=True, slots=True)
class Part(Generic[_Line]):
    """One page of a list."""

    shown: tuple[_Line, ...]
    total: int
    page: int
    """From 1."""
    pages: int


@dataclass(frozen=True, slots=True)
class StalledPair:
    """A pair that stands still."""

    id: str
    names: tuple[str, ...]
    """Of those members who take part; empty where the LMS gives none."""
    is_complete: bool
    """False where a member takes part no more."""
    stage: str
    since: datetime
    nudged_at: datetime | None
    """When one of them was last sent a nudge for standing still."""
    can_nudge: bool


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A teacher without a running pair, for whatever reason."""

    membership_id: str
    name: str
    nudged_at: datetime | None
    """When they were last sent a nudge for having no partner."""
    can_nudge: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """One activity, for its trainer and its facilitators."""

    teachers: int
    pairs: int
    """Running pairs."""
    steps: tuple[tuple[str, int], ...]
    """Step → how many teachers; see rules.count_steps."""
    titles: Mapping[str, Words]
    """What the stages among `steps` are called."""
    submissions: Part[Submission] | None
    """By name, as all lists here: their order says nothing about anybody (R38). None for those who are not told."""
    stalled: Part[StalledPair]
    unpaired: Part[Unpaired]
    anybody_to_nudge: bool
    """Whether a nudge to all who stand still would reach somebody."""


@dataclass(frozen=True, slots=True)
class NudgeView:
    """A nudge, for the teacher who was sent it."""

    id: str
    kind: NudgeKind
    sender: str
    """Given name of the trainer or facilitator who sent it; may be empty."""


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of an activity's teachers and running pairs: process data, by three statements."""

    names: Mapping[str, str]
    """Membership id → name, of all who take part."""
    opened: frozenset[str]
    pairs: Sequence[RunningPair]
    nudges: Mapping[NudgeKind, Mapping[str, datetime]]
    """Kind → membership id → when last."""

    @property
    def paired(self) -> set[str]:
        return {member for pair in self.pairs for member in pair.members}


def read(
    session: Session,
    activity_id: str,
    course_id: str,
    *,
    viewer: str,
    days: int,
    now: datetime,
    with_submissions: bool = True,
    page: int = 1,
    stalled_page: int = 1,
    unpaired_page: int = 1,
) -> Progress:
    """How the activity is going, in a number of statements that does not depend on the number of people.

    `viewer`: the membership of who looks. `days`: after how many a pair stands still. The pages count from 1.
    """
    stages = counts.stage_counts(session, activity_id).stages
    known = _load(session, activity_id, course_id)
    places = {member: pair.place(member) for pair in known.pairs for member in pair.members}
    teachers = [Teacher(member, member in known.opened) for member in known.names]
    stalled = _stalled(known, viewer, days, now)
    submissions = None
    if with_submissions:
        found = counts.submissions(session, activity_id)
        by_name = sorted(found, key=lambda each: (fold(each.name), each.membership_id, each.cycle_number))
        submissions = _part(by_name, page, PAGE_SIZE)
    return Progress(
        teachers=len(teachers),
        pairs=len(known.pairs),
        steps=tuple(count_steps(teachers, places, [stage.key for stage in stages])),
        titles={stage.key: stage.title for stage in stages},
        submissions=submissions,
        stalled=_part(stalled, stalled_page, LIST_SIZE),
        unpaired=_part(_unpaired(known, viewer, now), unpaired_page, LIST_SIZE),
        anybody_to_nudge=any(pair.can_nudge for pair in stalled),
    )


def nudge_pair(
    session: Session, activity_id: str, course_id: str, *, pair_id: str, sender: str, days: int, now: datetime
) -> int | None:
    """Sends a friendly word to the members of a pair, if it stands still; returns to how many, None for no such pair.

    A pair that moved on, paused or went apart meanwhile is one answer: none was sent.
    """
    _lock(session, activity_id)
    if session.scalars(select(Pair.id).where(Pair.id == pair_id, Pair.activity_id == activity_id)).first() is None:
        return None
    known = _load(session, activity_id, course_id)
    return _nudge_stalled(session, activity_id, known, [p for p in known.pairs if p.id == pair_id], sender, days, now)


def nudge_all_stalled(
    session: Session, activity_id: str, course_id: str, *, sender: str, days: int, now: datetime
) -> int:
    """Sends a friendly word to the members of all pairs that stand still; returns to how many."""
    _lock(session, activity_id)
    known = _load(session, activity_id, course_id)
    return _nudge_stalled(session, activity_id, known, known.pairs, sender, days, now)


def nudge_teacher(
    session: Session, activity_id: str, course_id: str, *, membership_id: str, sender: str, now: datetime
) -> int | None:
    """Sends a friendly word to a teacher without a running pair; returns to how many, None for no such teacher."""
    _lock(session, activity_id)
    known = _load(session, activity_id, course_id)
    if membership_id not in known.names:
        return None
    last = known.nudges[NudgeKind.NO_PARTNER].get(membership_id)
    if membership_id in known.paired or not can_nudge(membership_id, sender, last, now):
        return 0
    return _send(session, activity_id, NudgeKind.NO_PARTNER, [membership_id], sender, now)


def nudges_for(session: Session, membership_id: str, activity_id: str, now: datetime) -> list[NudgeView]:
    """What a teacher was sent, has not put away, and still fits; one statement."""
    rows = run(session, _NUDGES_OF, {"me": membership_id, "activity": activity_id})
    return [
        NudgeView(row.id, NudgeKind(row.kind), row.given_name or row.name)
        for row in rows
        if still_holds(NudgeKind(row.kind), row.created_at, is_paired=row.pair_id is not None, since=row.since, now=now)
    ]


def put_away(session: Session, nudge_id: str, membership_id: str, activity_id: str, now: datetime) -> bool:
    """The teacher has seen a nudge of this activity; False where there is no such one of theirs. Nobody is told."""
    mine = (Nudge.id == nudge_id, Nudge.membership_id == membership_id, Nudge.activity_id == activity_id)
    session.execute(update(Nudge).where(*mine, Nudge.seen_at.is_(None)).values(seen_at=now))
    return session.scalars(select(Nudge.id).where(*mine)).first() is not None


def forget_old_nudges(session: Session, now: datetime) -> int:
    """Deletes the nudges whose time is over; returns how many."""
    return rows_changed(session.execute(delete(Nudge).where(Nudge.created_at <= now - NUDGE_KEPT_FOR)))


def _load(session: Session, activity_id: str, course_id: str) -> _Known:
    teachers = session.execute(
        select(Membership.id, Person.name, Membership.launched_at, Membership.welcomed_at)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.course_id == course_id, *people.takes_part(activity_id))
    ).all()
    nudges: dict[NudgeKind, dict[str, datetime]] = {kind: {} for kind in NudgeKind}
    for membership_id, kind, at in session.execute(
        select(Nudge.membership_id, Nudge.kind, func.max(Nudge.created_at))
        .where(Nudge.activity_id == activity_id)
        .group_by(Nudge.membership_id, Nudge.kind)
    ):
        nudges[NudgeKind(kind)][membership_id] = at
    return _Known(
        names={row.id: row.name for row in teachers},
        opened=frozenset(row.id for row in teachers if row.launched_at is not None or row.welcomed_at is not None),
        pairs=_running_pairs(session, activity_id),
        nudges=nudges,
    )


def _running_pairs(session: Session, activity_id: str) -> list[RunningPair]:
    rows = session.execute(
        select(
            PairMember.pair_id,
            PairMember.membership_id,
            Cycle.stage,
            Cycle.stage_since,
            Cycle.status,
            StageMark.at.label("submitted_at"),
        )
        .join(Pair, Pair.id == PairMember.pair_id)
        .outerjoin(Cycle, and_(Cycle.pair_id == Pair.id, Cycle.closed_at.is_(None)))
        .outerjoin(
            StageMark,
            and_(
                StageMark.cycle_id == Cycle.id,
                StageMark.membership_id == PairMember.membership_id,
                StageMark.stage == REFLECTION,
            ),
        )
        .where(PairMember.activity_id == activity_id, PairMember.is_current, Pair.status == "active")
        # Of a group that goes on without somebody who pauses: to be counted like everybody who has none (R24).
        .where(PairMember.paused_at.is_(None))
    ).all()
    of_pair: dict[str, list[Any]] = {}
    for row in rows:
        of_pair.setdefault(row.pair_id, []).append(row)
    return [
        RunningPair(
            pair_id,
            stage=members[0].stage or PAIRED,
            since=members[0].stage_since,
            is_finished=members[0].status == "finished",
            members=tuple(each.membership_id for each in members),
            submitted=frozenset(each.membership_id for each in members if each.submitted_at is not None),
        )
        for pair_id, members in of_pair.items()
    ]


def _stalled(known: _Known, viewer: str, days: int, now: datetime) -> list[StalledPair]:
    last = known.nudges[NudgeKind.STALLED]
    found = []
    for pair in known.pairs:
        here = sorted((fold(known.names[member]), member) for member in pair.members if member in known.names)
        if pair.since is None or not here or not stands_still(pair, days, now):
            continue
        sent = [last[member] for member in pair.members if member in last and last[member] >= pair.since]
        stalled = StalledPair(
            pair.id,
            names=tuple(known.names[member] for _, member in here),
            is_complete=len(here) == len(pair.members),
            stage=pair.stage,
            since=pair.since,
            nudged_at=max(sent, default=None),
            can_nudge=bool(whom_to_nudge(pair, known.names, viewer, last, now)),
        )
        found.append((here, stalled))
    return [stalled for _, stalled in sorted(found, key=lambda each: each[0])]


def _unpaired(known: _Known, viewer: str, now: datetime) -> list[Unpaired]:
    last, paired = known.nudges[NudgeKind.NO_PARTNER], known.paired
    return [
        Unpaired(member, name, last.get(member), can_nudge(member, viewer, last.get(member), now))
        for member, name in sorted(known.names.items(), key=lambda each: (fold(each[1]), each[0]))
        if member not in paired
    ]


def _nudge_stalled(
    session: Session,
    activity_id: str,
    known: _Known,
    pairs: Iterable[RunningPair],
    sender: str,
    days: int,
    now: datetime,
) -> int:
    last = known.nudges[NudgeKind.STALLED]
    whom = [
        member
        for pair in pairs
        if stands_still(pair, days, now)
        for member in whom_to_nudge(pair, known.names, sender, last, now)
    ]
    return _send(session, activity_id, NudgeKind.STALLED, whom, sender, now)


def _send(
    session: Session, activity_id: str, kind: NudgeKind, membership_ids: Sequence[str], sender: str, now: datetime
) -> int:
    if membership_ids:
        session.execute(
            insert(Nudge),
            [
                {
                    "id": new_id(),
                    "activity_id": activity_id,
                    "membership_id": each,
                    "sender_id": sender,
                    "kind": kind.value,
                    "created_at": now,
                }
                for each in membership_ids
            ],
        )
    return len(membership_ids)


def _part(found: Sequence[_Line], page: int, size: int) -> Part[_Line]:
    pages = max(1, -(-len(found) // size))
    page = min(max(1, page), pages)
    return Part(tuple(found[(page - 1) * size : page * size]), len(found), page, pages)


def _lock(session: Session, activity_id: str) -> None:
    # Two who nudge at the same moment send one word, not two.
    session.execute(select(Activity.id).where(Activity.id == activity_id).with_for_update(key_share=True)).all()
