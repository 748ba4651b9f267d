"""Everybody who would like a partner in a round, and all that counts.

Read by six statements whatever their number, and by those of wishes.of_round: one more for each 500 of them.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import combinations

from sqlalchemy import and_, exists, select
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
from lti_tool.rounds.solving import Everybody


def read(session: Session, keyring: Keyring, activity_id: str, now: datetime) -> Everybody:
    """Everybody of a pairing round who is calculated over: only those who said that they would like a partner."""
    chosen = setting.settings(session, activity_id)
    course_id = session.scalars(select(Activity.course_id).where(Activity.id == activity_id)).one()
    has_pair = exists().where(
        PairMember.membership_id == Membership.id, PairMember.activity_id == activity_id, PairMember.is_current
    )
    is_asked = (
        exists()
        .where(ProposalMember.membership_id == Membership.id, ProposalMember.proposal_id == Proposal.id)
        .where(Proposal.status == "open", Proposal.run_id == RoundRun.id, RoundRun.activity_id == activity_id)
    )
    people = session.execute(
        select(Membership.id, Person.school_id, StepWish.step, (has_pair | is_asked).label("stays"))
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(StepWish, and_(StepWish.membership_id == Membership.id, StepWish.activity_id == activity_id))
        .where(Membership.course_id == course_id, *takes_part(activity_id))
        .order_by(Membership.id)
    ).all()
    said = wishes.of_round(session, keyring, activity_id, now)
    return Everybody(
        members=tuple(
            Member(row.id, said[row.id], row.step or FULL, row.school_id or "")
            for row in people
            if not row.stays and row.id in said and said[row.id].is_in
        ),
        settings=chosen,
        topics=tuple(topic.key for topic in setting.topics(chosen)),
        managers=tuple(setting.managers(session, course_id)),
        history=_history(session, course_id),
        lapsed=frozenset(_lapsed(session, activity_id)),
        kept=sum(row.stays for row in people),
    )


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
