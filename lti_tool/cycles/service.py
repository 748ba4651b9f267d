"""Use cases of a cycle: reading where it is, agreeing, meeting, closing. How it begins and goes on: going_on.py.

Who may is asked before (privacy/rules.py, by the views); these functions check what the cycle itself demands.
Everything that writes first locks the cycle's row, so that two requests of one cycle are taken one after the other.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles import rules
from lti_tool.cycles.models import (
    AgreementSigned,
    Cycle,
    CycleMember,
    CycleText,
    Meeting,
    ProtocolVersion,
    StageMark,
)
from lti_tool.cycles.revision import bump
from lti_tool.cycles.rules import Missing, NextStep, StageState
from lti_tool.cycles.texts import delete_texts
from lti_tool.pairing.models import PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import KeyShredded, ScopeKeys
from lti_tool.protocols import reader
from lti_tool.protocols.recipe import REFLECTION, Protocol, Stage, lowest
from lti_tool.reflection import frames
from lti_tool.schedule import taken
from lti_tool.schedule.timetable import Span
from lti_tool.store.base import new_id
from lti_tool.store.database import run
from lti_tool.store.upsert import insert_into

_KEPT = 200
_parsed: dict[str, Protocol] = {}
"""Protocols by id of their stored version, which never changes; those asked for last, and _KEPT at most beside them."""

_mine, _theirs = CycleMember.__table__.alias("mine"), CycleMember.__table__.alias("theirs")
_LIST = (
    select(
        Cycle.id,
        Cycle.number,
        Cycle.status,
        _mine.c.role,
        _mine.c.left_at,
        _theirs.c.membership_id.is_(None).label("is_alone"),
        Person.given_name,
        Person.name,
        Cycle.started_at,
        Cycle.finished_at,
        select(func.min(StageMark.at))
        .where(
            StageMark.cycle_id == Cycle.id,
            StageMark.membership_id == bindparam("me"),
            StageMark.stage == REFLECTION,
        )
        .scalar_subquery()
        .label("submitted_at"),
        Person.erased_at,
    )
    .join(_mine, and_(_mine.c.cycle_id == Cycle.id, _mine.c.membership_id == bindparam("me")))
    .outerjoin(_theirs, and_(_theirs.c.cycle_id == Cycle.id, _theirs.c.membership_id != bindparam("me")))
    .outerjoin(Person, Person.id == _theirs.c.person_id)
    .where(Cycle.activity_id == bindparam("activity"))
    .order_by(Cycle.started_at.desc(), Cycle.number.desc(), Cycle.id, Person.name, _theirs.c.membership_id)
)
"""One's own cycles, once for each of the others in them."""
_FRAMES = (
    select(
        Cycle.id,
        Cycle.pair_id,
        Cycle.activity_id,
        Activity.title.label("activity_title"),
        Cycle.number,
        Cycle.status,
        Cycle.revision,
        Cycle.started_at,
        Cycle.finished_at,
        Cycle.closed_at,
        Cycle.protocol_version_id,
        CycleMember.membership_id,
        CycleMember.person_id,
        CycleMember.role,
        CycleMember.wish,
        Person.given_name,
        Person.name,
        Person.erased_at,
        Cycle.notes_days,
        Cycle.notes_due_at,
        Cycle.notes_deleted_at,
        Cycle.stage,
        Cycle.starts_anew,
        CycleMember.step,
        CycleMember.frame,
        CycleMember.left_at,
        PairMember.paused_at,
        and_(PairMember.is_current, *takes_part(Cycle.activity_id)).label("is_there"),
    )
    .join(Activity, Activity.id == Cycle.activity_id)
    .join(CycleMember, CycleMember.cycle_id == Cycle.id)
    .join(Person, Person.id == CycleMember.person_id)
    .join(Membership, Membership.id == CycleMember.membership_id)
    .outerjoin(
        PairMember, and_(PairMember.pair_id == Cycle.pair_id, PairMember.membership_id == CycleMember.membership_id)
    )
)
"""A cycle, once for each of its members."""
_FRAME = _FRAMES.where(Cycle.id == bindparam("cycle"))
_LOCK = select(Cycle.id).where(Cycle.id == bindparam("cycle")).with_for_update()
_found = Cycle.__table__.alias("found")
_in_pair = PairMember.__table__.alias("in_pair")
_CURRENT = _FRAMES.where(
    Cycle.id
    == select(_found.c.id)
    .join(_mine, _mine.c.cycle_id == _found.c.id)
    .where(
        _mine.c.membership_id == bindparam("me"),
        _mine.c.left_at.is_(None),
        _found.c.activity_id == bindparam("activity"),
        _found.c.closed_at.is_(None),
        # Whoever left a group has none of its cycles to go on with, though the group has.
        exists()
        .where(_in_pair.c.pair_id == _found.c.pair_id, _in_pair.c.membership_id == bindparam("me"))
        .where(_in_pair.c.is_current),
    )
    .order_by(_found.c.started_at.desc(), _found.c.number.desc())
    .limit(1)
    .scalar_subquery()
)


def _marks_and_signatures(which: Callable[[Any], ColumnElement[bool]]) -> CompoundSelect[Any]:
    # Both in one: a page of next steps reads many tables, and each statement costs.
    return union_all(
        select(
            literal("mark").label("what"), StageMark.stage.label("of"), StageMark.membership_id, StageMark.at,
            literal("").label("heads"), StageMark.cycle_id,
        ).where(which(StageMark.cycle_id)),
        select(
            literal("signature"), AgreementSigned.item, AgreementSigned.membership_id, AgreementSigned.at,
            AgreementSigned.heads, AgreementSigned.cycle_id,
        ).where(which(AgreementSigned.cycle_id)),
        # That something is written in a field: what a cycle leaves out depends on it.
        select(
            literal("written"), CycleText.field, literal(""), CycleText.saved_at, literal(""), CycleText.cycle_id
        ).where(which(CycleText.cycle_id), CycleText.replaced_by.is_(None), CycleText.is_blank.is_(False)),
    )  # fmt: skip


_MARKS_AND_SIGNATURES = _marks_and_signatures(lambda column: column == bindparam("cycle"))
_OF_MANY = _marks_and_signatures(lambda column: column.in_(bindparam("cycles", expanding=True)))
_MEETINGS = select(
    Meeting.id, Meeting.kind, Meeting.starts_at, Meeting.minutes, Meeting.set_by, Meeting.rev, Meeting.confirmed_at
).where(Meeting.cycle_id == bindparam("cycle"))
_HEADS = (
    select(CycleText.id, CycleText.rev, CycleText.field, CycleText.author_id, CycleText.is_blank)
    .where(CycleText.cycle_id == bindparam("cycle"), CycleText.replaced_by.is_(None))
    .order_by(CycleText.saved_at, CycleText.id)
)
_MEETINGS_OF: Select[Any] = select(Meeting.cycle_id, *_MEETINGS.selected_columns)
_HEADS_OF: Select[Any] = (
    select(CycleText.cycle_id, *_HEADS.selected_columns)
    .where(CycleText.replaced_by.is_(None))
    .order_by(CycleText.saved_at, CycleText.id)
)


# Errors


class NotPossible(Exception):
    """Something stands in the way; `missing` says what."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(", ".join(f"{lack.code} {lack.of}" for lack in missing))
        self.missing = tuple(missing)


class Changed(Exception):
    """What somebody agreed to, or wanted to replace, is not as it was on their page any more."""


class DoubleBooked(Exception):
    """Somebody of the cycle has something else booked at that time; `spans` say when, and nothing says who or what."""

    def __init__(self, spans: Sequence[Span]) -> None:
        super().__init__(f"{len(spans)} at the same time")
        self.spans = tuple(spans)


class NotYours(Exception):
    """It is for the other role to do this."""


# What others are told


@dataclass(frozen=True, slots=True)
class CycleView:
    """Where a cycle is, for one of its members: everything a page of next steps needs, and no content."""

    cycle: rules.Cycle
    stages: tuple[StageState, ...]
    next_step: NextStep

    @property
    def id(self) -> str:
        """Id of the cycle."""
        return self.cycle.id

    @property
    def number(self) -> int:
        """Counted from 1 within the pair."""
        return self.cycle.number

    @property
    def status(self) -> str:
        """running, finished or stopped."""
        return self.cycle.status

    @property
    def role(self) -> str:
        """Mine in this cycle: one of recipe.ROLES."""
        return self.cycle.me.role

    @property
    def partner_name(self) -> str:
        """Given names of the others; empty where the LMS withholds names, and where nobody else is in it."""
        return ", ".join(each.given_name for each in self.cycle.others if each.given_name)

    @property
    def submitted_at(self) -> datetime | None:
        """When I first submitted my reflection."""
        return self.cycle.submitted_at(self.cycle.me)


@dataclass(frozen=True, slots=True)
class PastCycle:
    """One line in the list of one's own cycles."""

    id: str
    number: int
    status: str
    role: str
    is_alone: bool
    """Whether it is a reflection without a partner."""
    partner_name: str
    """Given names of the others, with commas between; empty where there is none to say."""
    started_at: datetime
    finished_at: datetime | None
    submitted_at: datetime | None
    is_partner_former: bool = False
    """Whether the other one, or one of the others, was erased since."""


# Reading


def load(session: Session, cycle_id: str, person_id: str, *, lock: bool = False) -> rules.Cycle | None:
    """A cycle for one of its members, without content, by four statements; None when it is not theirs.

    `lock`: nobody else writes in this cycle until the transaction ends; a statement more.
    """
    cycle = load_frame(session, cycle_id, person_id, lock=lock)
    return _filled(session, cycle) if cycle else None


def _filled(session: Session, cycle: rules.Cycle) -> rules.Cycle:
    if cycle.me.is_gone:
        # When the others meet is not told to whoever left them.
        return replace(cycle, heads=tuple(rules.Head(*row) for row in run(session, _HEADS, {"cycle": cycle.id})))
    return replace(
        cycle,
        meetings=tuple(rules.Meeting(*row) for row in run(session, _MEETINGS, {"cycle": cycle.id})),
        heads=tuple(rules.Head(*row) for row in run(session, _HEADS, {"cycle": cycle.id})),
    )


def load_frame(session: Session, cycle_id: str, person_id: str, *, lock: bool = False) -> rules.Cycle | None:
    """A cycle with its members, marks and signatures only, by two statements (`lock`: three): enough to say who may
    read and write what."""
    if lock:
        # A statement of its own: PostgreSQL shows what somebody changed while this one waited only to the next one.
        run(session, _LOCK, {"cycle": cycle_id}).all()
    return _frame(session, run(session, _FRAME, {"cycle": cycle_id}).all(), person_id)


def load_frames(session: Session, cycle_ids: Collection[str], person_id: str) -> list[rules.Cycle]:
    """As load_frame, those of these cycles in which the person is, in this order; three statements at most, however
    many cycles there are."""
    of_cycle: dict[str, list[Any]] = {cycle_id: [] for cycle_id in cycle_ids}
    for row in session.execute(_FRAMES.where(Cycle.id.in_(of_cycle))):
        of_cycle[row.id].append(row)
    stored_protocols(session, {rows[0].protocol_version_id for rows in of_cycle.values() if rows})
    said = run(session, _OF_MANY, {"cycles": list(of_cycle)}).all()
    found = (
        _frame(session, rows, person_id, [each for each in said if each.cycle_id == cycle_id])
        for cycle_id, rows in of_cycle.items()
    )
    return [cycle for cycle in found if cycle is not None]


def load_many(session: Session, which: ColumnElement[bool]) -> list[tuple[rules.Cycle, datetime]]:
    """The cycles of which the condition `which` on Cycle holds, without content, as load gives them to each member who
    has not left; with when anybody last said, signed or wrote anything in it. Five statements, however many there are.
    """
    ids = select(Cycle.id).where(which)
    of_cycle: dict[str, list[Any]] = {}
    for row in session.execute(_FRAMES.where(which)):
        of_cycle.setdefault(row.id, []).append(row)
    stored_protocols(session, {rows[0].protocol_version_id for rows in of_cycle.values()})
    said: dict[str, list[Any]] = {}
    for each in session.execute(_marks_and_signatures(lambda column: column.in_(ids))):
        said.setdefault(each.cycle_id, []).append(each)
    meetings: dict[str, list[rules.Meeting]] = {}
    for in_cycle, *meeting in session.execute(_MEETINGS_OF.where(Meeting.cycle_id.in_(ids))):
        meetings.setdefault(in_cycle, []).append(rules.Meeting(*meeting))
    heads: dict[str, list[rules.Head]] = {}
    for in_cycle, *head in session.execute(_HEADS_OF.where(CycleText.cycle_id.in_(ids))):
        heads.setdefault(in_cycle, []).append(rules.Head(*head))
    found = []
    for cycle_id, rows in of_cycle.items():
        here = said.get(cycle_id, [])
        last = max([rows[0].started_at, *(each.at for each in here)])
        for row in rows:
            cycle = None if row.left_at else _frame(session, rows, row.person_id, here)
            if cycle is not None:
                filled = replace(
                    cycle, meetings=tuple(meetings.get(cycle_id, ())), heads=tuple(heads.get(cycle_id, ()))
                )
                found.append((filled, last))
    return found


def _frame(
    session: Session, rows: Sequence[Any], person_id: str, said: Sequence[Any] | None = None
) -> rules.Cycle | None:
    me = next((each for each in rows if each.person_id == person_id), None)
    if me is None:
        return None
    row = rows[0]
    if said is None:
        said = run(session, _MARKS_AND_SIGNATURES, {"cycle": row.id}).all()
    if me.left_at:
        # How it went on without them is not told to whoever left; what is written says how long the cycle is.
        said = [each for each in said if each.what == "written" or each.at <= me.left_at]
    whole = stored_protocol(session, row.protocol_version_id)
    is_group = whole.is_for_group or len(rows) > 2
    members = tuple(
        rules.Member(
            each.membership_id,
            each.person_id,
            each.role,
            each.given_name or each.name,
            each.wish,
            each.erased_at is not None,
            each.left_at is not None,
            is_group and (each.paused_at is not None or not each.is_there),
        )
        # The host first; then by name, which stays while roles are handed over.
        for each in sorted(rows, key=lambda each: (each.role != "host", each.name, each.membership_id))
    )
    step = lowest(each.step for each in rows if each.left_at is None)
    done = {each.of for each in said if each.what == "mark" and each.of != REFLECTION}
    protocol = whole.at(step, done, {each.of for each in said if each.what == "written"})
    my_role = "alone" if len(rows) == 1 else me.role
    return rules.Cycle(
        id=row.id,
        pair_id=row.pair_id,
        activity_id=row.activity_id,
        activity_title=row.activity_title,
        number=row.number,
        # For whoever left, it ended when they did, whatever became of it.
        status="stopped" if me.left_at else row.status,
        revision=0 if me.left_at else row.revision,
        started_at=row.started_at,
        finished_at=me.left_at or row.finished_at,
        closed_at=row.closed_at,
        protocol=frames.written_in(protocol, me.frame, my_role),
        members=members,
        viewer_id=person_id,
        frame=me.frame,
        marks=tuple(rules.Mark(each.of, each.membership_id, each.at) for each in said if each.what == "mark"),
        signatures=tuple(
            rules.Signature(each.of, each.membership_id, each.heads) for each in said if each.what == "signature"
        ),
        notes_days=row.notes_days,
        notes_due_at=row.notes_due_at,
        notes_deleted_at=row.notes_deleted_at,
        step=step,
        whole=frames.with_all(whole, my_role),
        place=row.stage,
        starts_anew=row.starts_anew,
    )


def stored_protocol(session: Session, version_id: str) -> Protocol:
    """The protocol of a stored version; without any statement for one that this process has read before."""
    return stored_protocols(session, {version_id})[version_id]


def stored_protocols(session: Session, version_ids: Collection[str]) -> dict[str, Protocol]:
    """Id → protocol of stored versions; one statement for those that this process has not read before."""
    found = {each: protocol for each in version_ids if (protocol := _parsed.get(each))}
    if unknown := set(version_ids) - found.keys():
        bodies = select(ProtocolVersion.id, ProtocolVersion.body).where(ProtocolVersion.id.in_(unknown))
        found |= {id_: reader.parse(body) for id_, body in session.execute(bodies)}
        if len(_parsed) + len(unknown) > _KEPT:
            _parsed.clear()
        _parsed.update(found)
    return found


def current(session: Session, membership_id: str, activity_id: str, now: datetime) -> CycleView | None:
    """The cycle a teacher is in, or has finished and not yet gone on from; None when there is none. No content."""
    rows = run(session, _CURRENT, {"me": membership_id, "activity": activity_id}).all()
    me = next((row.person_id for row in rows if row.membership_id == membership_id), "")
    cycle = _frame(session, rows, me)
    return view(_filled(session, cycle), now) if cycle else None


def view(cycle: rules.Cycle, now: datetime) -> CycleView:
    """Where a loaded cycle is, for the member it was loaded for."""
    return CycleView(cycle, rules.stage_states(cycle, cycle.me), rules.next_step(cycle, now))


def list_of(session: Session, membership_id: str, activity_id: str) -> list[PastCycle]:
    """All cycles of a teacher in an activity, the newest first; one statement."""
    found = []
    rows = run(session, _LIST, {"me": membership_id, "activity": activity_id})
    for _id, others in groupby(rows, key=attrgetter("id")):
        row, *_more = together = list(others)
        found.append(
            PastCycle(
                row.id,
                row.number,
                "stopped" if row.left_at else row.status,
                row.role,
                row.is_alone,
                ", ".join(name for each in together if (name := each.given_name or each.name)),
                row.started_at,
                row.left_at or row.finished_at,
                row.submitted_at,
                any(each.erased_at is not None for each in together),
            )
        )
    return found


# Agreeing


def sign(session: Session, cycle: rules.Cycle, item: str, *, seen: Iterable[str], now: datetime) -> None:
    """The viewing member agrees to what the texts say (the cycle is locked). `seen`: tokens they had on their page.

    Getting started together is done with the last signature that is waited for. Raises NotPossible, and Changed when a
    text is not as they saw it.
    """
    agreement = cycle.protocol.agreement(item)
    stage = next((each for each in cycle.stages if agreement in each.agreements), None)
    if agreement is None or stage is None:
        raise LookupError(item)
    if missing := rules.missing_to_sign(cycle, agreement, stage, cycle.me):
        raise NotPossible(missing)
    if not rules.has_seen(cycle, agreement, cycle.me, seen):
        raise Changed
    heads = rules.current_heads(cycle, agreement)
    statement = insert_into(session, AgreementSigned).values(
        cycle_id=cycle.id, item=item, membership_id=cycle.me.membership_id, heads=heads, at=now
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["cycle_id", "item", "membership_id"], set_={"heads": heads, "at": now}
        )
    )
    mine = rules.Signature(item, cycle.me.membership_id, heads)
    others = tuple(
        each for each in cycle.signatures if (each.item, each.membership_id) != (item, cycle.me.membership_id)
    )
    signed = replace(cycle, signatures=(*others, mine))
    if stage.kind == "start" and not rules.missing_to_close(signed, stage, signed.me, now):
        mark(session, signed, stage.key, [member.membership_id for member in signed.needed], now)
    else:
        bump(session, cycle.id)


# Meeting


def set_meeting(
    session: Session,
    keys: ScopeKeys,
    cycle: rules.Cycle,
    kind: str,
    *,
    starts_at: datetime,
    minutes: int,
    place: str,
    seen_rev: int,
    now: datetime,
) -> None:
    """Books or moves a meeting (the cycle is locked). A visit that was confirmed asks the coach again when it moves.

    `seen_rev`: the state that was on the page, 0 for none. Raises Changed when the partner booked or moved it since,
    NotPossible when a visit's purpose is missing, and DoubleBooked when one of them has something else at that time.
    """
    place = rules.clean(place).strip()
    if kind == "visit":
        stage = next(each for each in cycle.stages if kind in each.meetings)
        if missing := rules.missing_to_book_visit(cycle, stage, cycle.me):
            raise NotPossible(missing)
    there = cycle.meeting(kind)
    if (there.rev if there else 0) != seen_rev:
        if there and (there.starts_at, there.minutes) == (starts_at, minutes) and there.set_by == cycle.viewer_id:
            return
        raise Changed
    if there is None or (there.starts_at, there.minutes) != (starts_at, minutes):
        people = [each.person_id for each in cycle.needed]
        taken.lock(session, people)
        if spans := taken.clashes(session, people, starts_at, minutes, but_cycle=cycle.id):
            raise DoubleBooked(spans)
    meeting_id = there.id if there else new_id()
    values: dict[str, Any] = {
        "starts_at": starts_at,
        "minutes": minutes,
        "place": keys.seal(cycle.viewer_id, place, f"meetings/{meeting_id}"),
        "set_by": cycle.viewer_id,
        "confirmed_at": None,
    }
    if there is None:
        session.execute(insert(Meeting).values(id=meeting_id, cycle_id=cycle.id, kind=kind, rev=1, **values))
    else:
        session.execute(update(Meeting).where(Meeting.id == meeting_id).values(rev=there.rev + 1, **values))
    bump(session, cycle.id)


def read_places(session: Session, keys: ScopeKeys, cycle_id: str) -> dict[str, str]:
    """Kind of meeting → where, opened for a member of the cycle."""
    places = {}
    for row in session.execute(
        select(Meeting.id, Meeting.kind, Meeting.place, Meeting.set_by).where(Meeting.cycle_id == cycle_id)
    ):
        if not row.place:
            # Whoever typed it has deleted it.
            places[row.kind] = ""
            continue
        try:
            places[row.kind] = keys.open(row.set_by, row.place, f"meetings/{row.id}")
        except KeyShredded:
            places[row.kind] = ""
    return places


def confirm_visit(session: Session, cycle: rules.Cycle, *, seen_rev: int, now: datetime) -> None:
    """The coach (in a group its keeper, for all) says that they will be there (the cycle is locked).

    Raises NotPossible while the roles card or the conversation after is missing (R60, R61), Changed when the visit
    was moved since they saw it.
    """
    visit = cycle.meeting("visit")
    stage = next((each for each in cycle.stages if each.kind == "visit"), None)
    if cycle.me is not cycle.coach or cycle.me.role == "host":
        raise NotYours
    if visit is None or stage is None:
        raise NotPossible([Missing("meeting", "visit", stage.key if stage else "")])
    if missing := rules.missing_to_confirm_visit(cycle, stage, cycle.me):
        raise NotPossible(missing)
    if visit.rev != seen_rev:
        raise Changed
    if visit.confirmed_at is None:
        session.execute(update(Meeting).where(Meeting.id == visit.id).values(confirmed_at=now))
        bump(session, cycle.id)


# Closing


def close(session: Session, cycle: rules.Cycle, stage: Stage, *, now: datetime) -> None:
    """The viewing member says that a conversation was held or a visit took place (the cycle is locked).

    Closing twice is closing once. Raises NotPossible.
    """
    if rules.is_done(cycle, stage):
        return
    if missing := rules.missing_to_close(cycle, stage, cycle.me, now):
        raise NotPossible(missing)
    mark(session, cycle, stage.key, [cycle.me.membership_id], now)


def mark_first_turn(
    session: Session, cycle: rules.Cycle, stage: Stage, *, now: datetime, on_one_device: bool = False
) -> None:
    """The one who speaks first has spoken: the other's questions open (R64).

    `on_one_device`: it is passed across the table, so whoever is signed in on it says so for both. Raises NotYours for
    the other, NotPossible before it is time.
    """
    if cycle.me.role != stage.first_turn and not on_one_device:
        raise NotYours
    if rules.first_turn_done(cycle, stage):
        return
    earlier = [each for each in cycle.stages[: cycle.stages.index(stage)] if not rules.is_done(cycle, each)]
    if earlier:
        raise NotPossible([Missing("earlier_stage", earlier[0].key, earlier[0].key)])
    mark(session, cycle, stage.key + rules.FIRST_TURN, [cycle.me.membership_id], now)


def ask_advice(session: Session, cycle: rules.Cycle, stage: Stage, *, now: datetime) -> None:
    """The host would like a suggestion in this conversation; until then the coach gives none. Twice is once."""
    if not rules.advice_asked(cycle, stage):
        mark(session, cycle, stage.key + rules.ADVICE, [cycle.me.membership_id], now)


def mark_submitted(session: Session, cycle: rules.Cycle, *, now: datetime) -> None:
    """Keeps that the viewing member submitted their reflection; with that of all the cycle is finished. Once only."""
    if cycle.submitted_at(cycle.me) is None:
        mark(session, cycle, cycle.reflection.key, [cycle.me.membership_id], now)
    else:
        move_on(session, cycle, now)


def mark(session: Session, cycle: rules.Cycle, stage: str, membership_ids: Sequence[str], now: datetime) -> None:
    """Keeps that these members said that a stage (or a part of it) is done, and what follows from it (it is locked)."""
    session.execute(
        insert_into(session, StageMark)
        .values([{"cycle_id": cycle.id, "stage": stage, "membership_id": each, "at": now} for each in membership_ids])
        .on_conflict_do_nothing(index_elements=["cycle_id", "stage", "membership_id"])
    )
    after = replace(cycle, marks=(*cycle.marks, *(rules.Mark(stage, each, now) for each in membership_ids)))
    values: dict[str, Any] = {}
    if cycle.protocol.debrief is not None and stage == cycle.protocol.debrief.key:
        values["notes_due_at"] = rules.notes_due_at(after, cycle.notes_days)
    move_on(session, after, now, values)


def move_on(session: Session, cycle: rules.Cycle, now: datetime, values: dict[str, Any] | None = None) -> None:
    """Writes where a cycle has come to, and that it is finished once it is, with `values` of its row (it is locked)."""
    values = dict(values or {})
    if reached := rules.new_place(cycle):
        values |= {"stage": reached, "stage_since": now}
    if cycle.is_running and all(rules.is_done(cycle, each) for each in cycle.stages):
        values |= {"status": "finished", "finished_at": now}
        if cycle.notes_due_at is None and cycle.notes_deleted_at is None and "notes_due_at" not in values:
            ended = replace(cycle, status="finished", finished_at=now)
            values["notes_due_at"] = rules.notes_due_at(ended, cycle.notes_days)
    bump(session, cycle.id, **values)


# How long raw notes live


def keep_notes(session: Session, cycle: rules.Cycle, days: int | None) -> None:
    """The host says how many days raw notes of the visit live after the conversation after; None: as long as the
    cycle. The cycle is locked; nothing changes once they are deleted."""
    if cycle.notes_deleted_at is None:
        bump(session, cycle.id, notes_days=days, notes_due_at=rules.notes_due_at(cycle, days))


def delete_due_notes(session: Session, now: datetime, *, at_once: int = 200) -> int:
    """Deletes the raw notes of `at_once` cycles at most whose time is over; returns of how many cycles.

    The number of statements grows with the versions of protocols among them, not with the cycles.
    """
    due = session.execute(
        select(Cycle.id, Cycle.protocol_version_id)
        .where(Cycle.notes_due_at <= now)
        .order_by(Cycle.notes_due_at)
        .limit(at_once)
        .with_for_update()
    ).all()
    for version_id in sorted({row.protocol_version_id for row in due}):
        delete_texts(
            session,
            [row.id for row in due if row.protocol_version_id == version_id],
            [field.key for field in stored_protocol(session, version_id).raw_fields],
            now=now,
        )
    session.execute(
        update(Cycle)
        .where(Cycle.id.in_([row.id for row in due]))
        .values(notes_due_at=None, notes_deleted_at=now, revision=Cycle.revision + 1)
    )
    return len(due)
