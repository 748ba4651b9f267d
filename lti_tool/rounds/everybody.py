"""Everybody who would like a partner in a round, and all that counts.

Read by six statements whatever their number, and by those of wishes.of_round: one more for each 500 of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import combinations

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import StepWish
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import Keyring
from lti_tool.protocols.recipe import FULL
from lti_tool.rounds import setting, wishes
from lti_tool.rounds.fit import History, Member
from lti_tool.rounds.models import Proposal, ProposalMember, RoundRun
from lti_tool.rounds.rules import Wish
from lti_tool.rounds.solving import Everybody

ELSEWHERE = "elsewhere"
"""School of somebody who takes part no longer, so that nobody is possible with them."""


def read(
    session: Session, keyring: Keyring, activity_id: str, now: datetime, among: Sequence[str] | None = None
) -> Everybody:
    """Everybody of a pairing round who is calculated over: only those who said that they would like a partner.

    `among`: these memberships and no others, in this order, whatever became of them meanwhile; who takes part no longer
    or has a partner is possible with nobody.
    """
    chosen = setting.settings(session, activity_id)
    course_id = session.scalars(select(Activity.course_id).where(Activity.id == activity_id)).one()
    people = session.execute(
        select(Membership.id, Person.school_id, StepWish.step, _stays(activity_id, now).label("stays"))
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(StepWish, and_(StepWish.membership_id == Membership.id, StepWish.activity_id == activity_id))
        .where(Membership.course_id == course_id, *takes_part(activity_id))
        .order_by(Membership.id)
    ).all()
    said = wishes.of_round(session, keyring, activity_id, now)
    members = {
        row.id: Member(row.id, said.get(row.id, Wish()), row.step or FULL, row.school_id or "")
        for row in people
        if not row.stays
    }
    if among is None:
        chosen_ones = tuple(member for member in members.values() if member.wish.is_in)
    else:
        chosen_ones = tuple(members.get(each) or Member(each, Wish(), school=ELSEWHERE) for each in among)
    return Everybody(
        members=chosen_ones,
        settings=chosen,
        topics=tuple(topic.key for topic in setting.topics(chosen)),
        managers=tuple(setting.managers(session, course_id)),
        history=_history(session, course_id),
        lapsed=frozenset(_lapsed(session, activity_id)),
        kept=sum(row.stays for row in people),
    )


def free(session: Session, activity_id: str, now: datetime) -> frozenset[str]:
    """Memberships of all who take part, have no pair in the round and are asked about nobody; one statement.

    Also of those who said that they would like no partner, or said nothing.
    """
    course_id = select(Activity.course_id).where(Activity.id == activity_id).scalar_subquery()
    who = select(Membership.id).where(Membership.course_id == course_id, *takes_part(activity_id))
    return frozenset(session.scalars(who.where(~_stays(activity_id, now))))


def _stays(activity_id: str, now: datetime) -> ColumnElement[bool]:
    has_pair = exists().where(
        PairMember.membership_id == Membership.id, PairMember.activity_id == activity_id, PairMember.is_current
    )
    is_asked = (
        exists()
        .where(ProposalMember.membership_id == Membership.id, ProposalMember.proposal_id == Proposal.id)
        .where(Proposal.status == "open", Proposal.run_id == RoundRun.id, RoundRun.activity_id == activity_id)
        # What is over is over by the clock, whenever the worker comes.
        .where(RoundRun.answer_by > now)
    )
    return has_pair | is_asked


def _history(session: Session, course_id: str) -> History:
    """Who has been in a pair together anywhere in the course, also if it goes on; groups are something else."""
    rows = session.execute(
        select(PairMember.pair_id, PairMember.membership_id)
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(Activity, Activity.id == Pair.activity_id)
        .where(Activity.course_id == course_id, Activity.kind != "group")
    )
    together = [of_one for of_one in _grouped(rows) if len(of_one) in (2, 3)]
    return History(
        frozenset(pair for of_one in together for pair in combinations(of_one, 2)),
        frozenset(each for of_one in together if len(of_one) == 3 for each in of_one),
    )


def _lapsed(session: Session, activity_id: str) -> Iterable[tuple[str, str]]:
    rows = session.execute(
        select(Proposal.id, ProposalMember.membership_id)
        .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
        .join(RoundRun, RoundRun.id == Proposal.run_id)
        .where(RoundRun.activity_id == activity_id, Proposal.status == "lapsed")
    )
    return (pair for of_one in _grouped(rows) for pair in combinations(of_one, 2))


def _grouped(rows: Iterable[tuple[str, str]]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for group, member in rows:
        found.setdefault(group, []).append(member)
    return [sorted(members) for members in found.values()]
