"""What becomes of proposals: the teachers are asked, answer in silence, and begin together, or it lapses for all alike.

Until all of a proposal have said yes nobody but its author reads an answer: to the others and the trainer a proposal
looks open until `answer_by`, whatever was said (docs/decisions/0012-silent-no.md).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    LargeBinary,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person, School
from lti_tool.people.rules import Colleague
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.privacy.rules import PairFacts
from lti_tool.rounds import setting, wishes
from lti_tool.rounds.models import PairingWish, Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import Summary, Why, Wish, is_managed
from lti_tool.store.database import rows_changed, run

ANSWERS = ("yes", "another", "pause")
UNASKED = "unasked"
"""In the place of an answer: of somebody who said, after the calculation and before anybody was asked, that they would
like no partner, or rather not one of these. They are not asked; to all others it looks like an answer that has not
come, and lapses like one."""
REMEMBERED_FOR = timedelta(days=60)
"""How long after a round it is still said to whom it left without a partner."""
_AT_ONCE = 500

_own = aliased(ProposalMember)
_later = aliased(RoundRun)
_mine = aliased(Membership)
_MINE: CompoundSelect[Any] = union_all(
    select(
        literal("asked").label("what"),
        Proposal.id,
        Proposal.run_id,
        RoundRun.answer_by,
        _own.answer,
        _own.why,
        ProposalMember.membership_id,
        Person.name,
        Person.given_name,
    )
    .join(RoundRun, RoundRun.id == Proposal.run_id)
    .join(
        _own,
        and_(_own.proposal_id == Proposal.id, _own.membership_id == bindparam("me"), _own.answer != UNASKED),
    )
    .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
    .join(Membership, Membership.id == ProposalMember.membership_id)
    .join(Person, Person.id == Membership.person_id)
    .where(
        RoundRun.activity_id == bindparam("activity"),
        RoundRun.answer_by > bindparam("now"),
        Proposal.status == "open",
        ProposalMember.membership_id != bindparam("me"),
    ),
    select(
        RoundRun.status,
        RoundRun.id,
        RoundRun.id,
        RoundRun.answer_by,
        RoundLeft.helps,
        cast(null(), LargeBinary),
        RoundLeft.membership_id,
        literal(""),
        literal(""),
    )
    .join(RoundRun, RoundRun.id == RoundLeft.run_id)
    .where(
        RoundRun.activity_id == bindparam("activity"),
        RoundLeft.membership_id == bindparam("me"),
        or_(RoundRun.status == "out", RoundRun.status == "over"),
        ~exists().where(
            _later.activity_id == RoundRun.activity_id,
            _later.number > RoundRun.number,
            or_(_later.status == "out", _later.status == "over"),
        ),
    ),
    # That something was said, and not what.
    select(
        literal("said"),
        PairingWish.id,
        PairingWish.id,
        cast(null(), RoundRun.answer_by.type),
        literal(""),
        cast(null(), LargeBinary),
        PairingWish.membership_id,
        literal(""),
        literal(""),
    ).where(PairingWish.activity_id == bindparam("activity"), PairingWish.membership_id == bindparam("me")),
)
_IS_BUSY = or_(
    exists().where(
        PairMember.membership_id == Membership.id,
        PairMember.activity_id == bindparam("activity"),
        PairMember.is_current,
        Pair.id == PairMember.pair_id,
        Pair.status == "active",
    ),
    ~and_(*takes_part(bindparam("activity"))),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal that waits for an answer, as one of its members sees it: the same whatever the others said."""

    id: str
    run_id: str
    answer_by: datetime
    answer: str
    """What this member said: one of ANSWERS, or empty."""
    others: tuple[Colleague, ...]
    """By name."""
    sealed_why: bytes | None


@dataclass(frozen=True, slots=True)
class Mine:
    """Where a teacher stands in a round."""

    asked: Asked | None = None
    helps: str | None = None
    """Where the last calculation left them without a partner: a code of rules.HELPS; else None."""
    run_id: str | None = None
    """The run they can ask about, because its answers are still awaited."""
    has_said: bool = False
    """Whether something is kept of what they said for the round; it tells not what."""


def publish(session: Session, keyring: Keyring, run_id: str, now: datetime) -> bool:
    """Asks the teachers of a run that is reviewed; False, and nothing is done, if it is not (any more).

    A proposal for somebody who found a partner meanwhile, or takes part no longer, is not asked about: everybody who
    would be asked sees that already. Neither is one of a line manager and who reports to them, as the trainer states it
    now. Whoever has said no meanwhile, in silence, is UNASKED.
    """
    activity_id = session.scalars(select(RoundRun.activity_id).where(RoundRun.id == run_id)).one()
    pairing.lock_activity(session, activity_id)
    days = setting.settings(session, activity_id).days
    published = session.execute(
        update(RoundRun)
        .where(RoundRun.id == run_id, RoundRun.status == "review")
        .values(status="out", out_at=now, answer_by=now + timedelta(days=days))
    )
    if rows_changed(published) != 1:
        return False
    of_it = select(ProposalMember.membership_id).where(ProposalMember.proposal_id == Proposal.id)
    is_off = or_(
        exists(of_it.join(Membership, Membership.id == ProposalMember.membership_id).where(_IS_BUSY)),
        select(func.count()).select_from(of_it.subquery()).scalar_subquery() < 2,
    )
    drafts = (Proposal.run_id == run_id, Proposal.status == "draft")
    before = _groups(session, *drafts)
    session.execute(
        delete(Proposal).where(*drafts, is_off).execution_options(synchronize_session=False), {"activity": activity_id}
    )
    managed_ones = list(managed(session, run_id))
    for start in range(0, len(managed_ones), _AT_ONCE):
        some = Proposal.id.in_(managed_ones[start : start + _AT_ONCE])
        session.execute(delete(Proposal).where(some).execution_options(synchronize_session=False))
    _leave_others(session, run_id, activity_id, before)
    _leave_unasked(session, run_id, wishes.of_round(session, keyring, activity_id, now))
    session.execute(update(Proposal).where(*drafts).values(status="open"))
    return True


def _leave_others(session: Session, run_id: str, activity_id: str, before: Mapping[str, Collection[str]]) -> None:
    """Those whose proposal is not asked about, though they could have a partner, are without one; the sums follow.

    `before`: the members of each proposal that there was.
    """
    there = set(session.scalars(select(Proposal.id).where(Proposal.run_id == run_id)))
    gone = [group for proposal_id, group in before.items() if proposal_id not in there]
    alone = [each for group in gone for each in group]
    is_free: list[str] = []
    for start in range(0, len(alone), _AT_ONCE):
        some = Membership.id.in_(alone[start : start + _AT_ONCE])
        is_free += session.scalars(select(Membership.id).where(some, ~_IS_BUSY), {"activity": activity_id})
    if is_free:
        session.execute(
            insert(RoundLeft), [{"run_id": run_id, "membership_id": each, "helps": ""} for each in sorted(is_free)]
        )
    if gone:
        was = Summary.of(session.scalars(select(RoundRun.summary).where(RoundRun.id == run_id)).one())
        pairs, triads = (sum(len(group) == size for group in gone) for size in (2, 3))
        now = replace(was, pairs=was.pairs - pairs, triads=was.triads - triads, left=was.left + len(is_free))
        session.execute(update(RoundRun).where(RoundRun.id == run_id).values(summary=now.to_json()))


def managed(session: Session, run_id: str, proposal_id: str = "") -> set[str]:
    """Ids of the proposals of a run, or whether that one is of them, in which one is line manager of another by what is
    stated now; three statements."""
    course_id = session.scalars(
        select(Activity.course_id).join(RoundRun, RoundRun.activity_id == Activity.id).where(RoundRun.id == run_id)
    ).one()
    stated = setting.managers(session, course_id)
    one = [Proposal.id == proposal_id] if proposal_id else []
    groups = _groups(session, Proposal.run_id == run_id, *one)
    return {each for each, group in groups.items() if is_managed(group, stated)}


def _groups(session: Session, *which: ColumnElement[bool]) -> dict[str, dict[str, str]]:
    """Id of each of those proposals → membership id of each in it → id of their school, or empty; one statement."""
    rows = session.execute(
        select(ProposalMember.proposal_id, ProposalMember.membership_id, Person.school_id)
        .join(Proposal, Proposal.id == ProposalMember.proposal_id)
        .join(Membership, Membership.id == ProposalMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(*which)
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row.proposal_id, {})[row.membership_id] = row.school_id or ""
    return found


def _leave_unasked(session: Session, run_id: str, said: Mapping[str, Wish]) -> None:
    groups = _groups(session, Proposal.run_id == run_id, Proposal.status == "draft")
    unasked = [
        member
        for group in groups.values()
        for member in group
        if member in said and (not said[member].is_in or not group.keys().isdisjoint(said[member].not_with))
    ]
    drafts = select(Proposal.id).where(Proposal.run_id == run_id, Proposal.status == "draft")
    # One statement at least, whether or not there is anybody.
    for start in range(0, max(len(unasked), 1), _AT_ONCE):
        some = ProposalMember.membership_id.in_(unasked[start : start + _AT_ONCE])
        session.execute(
            update(ProposalMember)
            .where(ProposalMember.proposal_id.in_(drafts), some)
            .values(answer=UNASKED)
            .execution_options(synchronize_session=False)
        )


def facts(session: Session, proposal_id: str) -> PairFacts | None:
    """A proposal, with those who were asked, as the rules need it, or None; `is_open`: whether it is unsettled."""
    rows = session.execute(
        select(RoundRun.activity_id, Proposal.status, ProposalMember.membership_id)
        .join(Proposal, Proposal.run_id == RoundRun.id)
        .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
        .where(Proposal.id == proposal_id, Proposal.status != "draft", ProposalMember.answer != UNASKED)
    ).all()
    if not rows:
        return None
    return PairFacts(rows[0].activity_id, tuple(row.membership_id for row in rows), rows[0].status == "open")


def answer(
    session: Session, proposal_id: str, membership_id: str, said: str, now: datetime
) -> Literal["kept", "paired", "over"]:
    """Keeps what a member of a proposal says (one of ANSWERS; each takes the place of the one before).

    paired: all have said yes, now or before, and are a pair. over: it lapsed, so nothing is kept. Where somebody of it
    found another partner meanwhile or takes part no longer, or one is by now stated to manage another, a yes is kept
    and leads to nothing, as if it were awaited.
    """
    of = session.execute(
        select(RoundRun.id, RoundRun.activity_id)
        .join(Proposal, Proposal.run_id == RoundRun.id)
        .where(Proposal.id == proposal_id)
    ).one()
    activity_id = of.activity_id
    pairing.lock_activity(session, activity_id)
    status = session.scalars(
        select(Proposal.status)
        .join(RoundRun, RoundRun.id == Proposal.run_id)
        .where(Proposal.id == proposal_id, or_(Proposal.status == "paired", RoundRun.answer_by > now))
        .with_for_update(of=Proposal)
    ).one_or_none()
    if status != "open":
        return "paired" if status == "paired" else "over"
    session.execute(
        update(ProposalMember)
        .where(ProposalMember.proposal_id == proposal_id, ProposalMember.membership_id == membership_id)
        .values(answer=said)
    )
    answers = {
        row.membership_id: row.answer
        for row in session.execute(
            select(ProposalMember.membership_id, ProposalMember.answer)
            .where(ProposalMember.proposal_id == proposal_id)
            .order_by(ProposalMember.membership_id)
        )
    }
    if len(answers) < 2 or set(answers.values()) != {"yes"}:
        return "kept"
    if managed(session, of.id, proposal_id):
        return "kept"
    pair_id = pairing.pair_up(session, list(answers), activity_id, now)
    if pair_id is None:
        return "kept"
    session.execute(update(Proposal).where(Proposal.id == proposal_id).values(status="paired", pair_id=pair_id))
    session.execute(update(ProposalMember).where(ProposalMember.proposal_id == proposal_id).values(why=None))
    return "paired"


def mine(session: Session, membership_id: str, activity_id: str, now: datetime) -> Mine:
    """Where a teacher stands in a round; one statement, whatever anybody said."""
    rows = run(session, _MINE, {"me": membership_id, "activity": activity_id, "now": now}).all()
    asked = sorted((row for row in rows if row.what == "asked"), key=lambda row: (row.name, row.membership_id))
    left = next((row for row in rows if row.what in ("out", "over")), None)
    has_said = any(row.what == "said" for row in rows)
    helps = left.answer if left else None
    if not asked:
        return Mine(None, helps, left.run_id if left and left.what == "out" else None, has_said)
    first = asked[0]
    others = tuple(Colleague(row.membership_id, row.name, row.given_name or row.name) for row in asked)
    found = Asked(first.id, first.run_id, first.answer_by, first.answer, others, first.why)
    return Mine(found, helps, found.run_id, has_said)


def other_schools(session: Session, asked: Asked, me: str) -> list[tuple[Colleague, str]]:
    """The others of a proposal who work at another school than `me` (membership id), with its name; one statement."""
    rows = session.execute(
        select(Membership.id, School.name)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(School, School.id == Person.school_id)
        .where(Membership.id.in_([me, *(each.membership_id for each in asked.others)]))
    )
    names: dict[str, str | None] = {row.id: row.name for row in rows}
    found = [(each, names.get(each.membership_id)) for each in asked.others]
    return [(each, school) for each, school in found if school and school != names.get(me)]


def why(session: Session, keyring: Keyring, asked: Asked, membership_id: str, now: datetime) -> Why:
    """What the members of a proposal share, as far as each shared it; nothing where that cannot be read any more."""
    if asked.sealed_why is None:
        return Why()
    keys = keyring.opened(session, asked.run_id, now)
    place = f"round_proposal_members/{asked.id}/{membership_id}"
    try:
        return Why.of(json.loads(keys.open(asked.run_id, asked.sealed_why, place)))
    except KeyShredded:
        return Why()


def lapse_due(session: Session, now: datetime) -> int:
    """Ends the proposals whose time is over, and with it forgets what anybody answered; returns how many.

    A run of which nothing is open any more is over.
    """
    due = select(RoundRun.id).where(RoundRun.status == "out", RoundRun.answer_by <= now)
    still_open = (Proposal.run_id.in_(due), Proposal.status == "open")
    # As answer() does: first the proposal, then its members.
    session.execute(select(Proposal.id).where(*still_open).order_by(Proposal.id).with_for_update()).all()
    session.execute(
        update(ProposalMember)
        .where(ProposalMember.proposal_id.in_(select(Proposal.id).where(*still_open)))
        .values(answer="", why=None)
        .execution_options(synchronize_session=False)
    )
    lapsed = session.execute(
        update(Proposal).where(*still_open).values(status="lapsed").execution_options(synchronize_session=False)
    )
    session.execute(
        update(RoundRun)
        .where(RoundRun.status == "out", ~exists().where(Proposal.run_id == RoundRun.id, Proposal.status == "open"))
        .values(status="over")
        .execution_options(synchronize_session=False)
    )
    past = select(RoundRun.id).where(RoundRun.status == "over", RoundRun.answer_by <= now - REMEMBERED_FOR)
    session.execute(delete(RoundLeft).where(RoundLeft.run_id.in_(past)).execution_options(synchronize_session=False))
    return rows_changed(lapsed)


def forget_over(session: Session, keyring: Keyring, now: datetime) -> int:
    """Of runs that are over, forgets what was calculated and its proof, with the key that opens them; how many."""
    over: Sequence[str] = session.scalars(
        select(RoundRun.id).where(
            or_(RoundRun.status == "over", RoundRun.status == "dropped"),
            or_(RoundRun.problem.is_not(None), RoundRun.proof.is_not(None)),
        )
    ).all()
    for run_id in over:
        # At once and for ever: what remains if this transaction fails opens no more, and is deleted next time.
        keyring.shred(run_id, run_id, now)
    session.execute(update(RoundRun).where(RoundRun.id.in_(over)).values(problem=None, proof=None))
    return len(over)


# What is one's own


def of_person(session: Session, person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Where a person was proposed to somebody or left without a partner, for their own copy of what is theirs: their
    own answer, and nobody else's."""
    rows = session.execute(
        select(
            Activity.title,
            Proposal.id,
            Proposal.status,
            RoundRun.answer_by,
            _own.answer,
            Person.given_name,
            Person.name,
        )
        .join(RoundRun, RoundRun.activity_id == Activity.id)
        .join(Proposal, Proposal.run_id == RoundRun.id)
        .join(_own, _own.proposal_id == Proposal.id)
        .join(_mine, and_(_mine.id == _own.membership_id, _mine.person_id == person_id))
        .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
        .join(Membership, Membership.id == ProposalMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Proposal.status != "draft", RoundRun.answer_by.is_not(None), Person.id != person_id)
        .where(_own.answer != UNASKED)
        .order_by(RoundRun.answer_by, Proposal.id, Person.name, Person.id)
    )
    found = []
    for _id, members in groupby(rows, key=lambda row: row.id):
        first, *others = members
        is_over = first.status == "lapsed" or (first.status == "open" and first.answer_by <= now)
        found.append(
            {
                "activity": first.title,
                "with": ", ".join(each.given_name or each.name for each in (first, *others)),
                "became": "lapsed" if is_over else first.status,
                "open_until": first.answer_by,
                "you_answered": "" if is_over else first.answer,
            }
        )
    left = session.execute(
        select(Activity.title, RoundRun.out_at, RoundLeft.helps)
        .join(RoundRun, RoundRun.activity_id == Activity.id)
        .join(RoundLeft, RoundLeft.run_id == RoundRun.id)
        .join(_mine, and_(_mine.id == RoundLeft.membership_id, _mine.person_id == person_id))
        .where(RoundRun.status.in_(("out", "over")))
        .order_by(RoundRun.out_at)
    )
    return found + [
        {"activity": row.title, "became": "left without a partner", "at": row.out_at, "would_help": row.helps}
        for row in left
    ]


def forget_shared(session: Session, person_id: str) -> None:
    """Of a person who is erased: what others and they shared goes, also where it was read out to the others."""
    theirs = (
        select(ProposalMember.proposal_id)
        .join(Membership, Membership.id == ProposalMember.membership_id)
        .where(Membership.person_id == person_id)
    )
    session.execute(
        update(ProposalMember)
        .where(ProposalMember.proposal_id.in_(theirs))
        .values(why=None)
        .execution_options(synchronize_session=False)
    )
