"""Inviting, answering, and what becomes of a pair.

Everything that changes who is paired with whom first locks the activity, and only then looks: two answers that arrive
together are taken one after the other (on SQLite a writing transaction is alone anyway). One lock for all of an
activity cannot deadlock with itself, and such changes are rare.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import and_, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.kinds import kind_of
from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.pairing.rules import (
    OPEN_FOR,
    REMEMBERED_FOR,
    Look,
    Refusal,
    can_be_answered,
    looks,
    pair_status,
    refuse_acceptance,
    refuse_invitation,
)
from lti_tool.people import service as people
from lti_tool.people.models import Membership, Person
from lti_tool.people.rules import Colleague
from lti_tool.privacy.rules import InvitationFacts, PairFacts
from lti_tool.reflection import growth
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed, run
from lti_tool.threads.models import ThreadMessage

_SENT = (
    select(
        Invitation.id,
        Invitation.coach_id,
        Invitation.status,
        Invitation.created_at,
        Invitation.expires_at,
        Person.name,
        Person.given_name,
    )
    .join(Membership, Membership.id == Invitation.coach_id)
    .join(Person, Person.id == Membership.person_id)
    .where(
        Invitation.host_id == bindparam("me"),
        Invitation.activity_id == bindparam("activity"),
        # Not IN: its list is written into the statement anew at every call.
        or_(Invitation.status == "open", Invitation.status == "declined", Invitation.status == "lapsed"),
        Invitation.expires_at > bindparam("since"),
    )
    .order_by(Invitation.created_at, Invitation.id)
)
_RECEIVED = (
    select(
        Invitation.id,
        Invitation.host_id,
        Invitation.created_at,
        Invitation.expires_at,
        Person.name,
        Person.given_name,
    )
    .join(Membership, Membership.id == Invitation.host_id)
    .join(Person, Person.id == Membership.person_id)
    .where(
        Invitation.coach_id == bindparam("me"),
        Invitation.activity_id == bindparam("activity"),
        Invitation.status == "open",
        Invitation.expires_at > bindparam("now"),
        *people.takes_part(bindparam("activity")),
    )
    .order_by(Invitation.created_at, Invitation.id)
)
_CURRENT_PAIR = (
    select(
        Pair.id,
        Pair.status,
        PairMember.membership_id,
        PairMember.paused_at,
        Membership.person_id,
        Person.name,
        Person.given_name,
        # When they last wrote in the thread of the pair.
        select(func.max(ThreadMessage.sent_at))
        .where(ThreadMessage.pair_id == Pair.id, ThreadMessage.author_id == Membership.person_id)
        .scalar_subquery()
        .label("wrote_at"),
        PairMember.hint_away_at,
        Pair.cadence_weeks,
    )
    .join(PairMember, PairMember.pair_id == Pair.id)
    .join(Membership, Membership.id == PairMember.membership_id)
    .join(Person, Person.id == Membership.person_id)
    .where(
        Pair.id
        == select(PairMember.pair_id)
        .where(
            PairMember.membership_id == bindparam("me"),
            PairMember.activity_id == bindparam("activity"),
            PairMember.is_current,
        )
        .scalar_subquery(),
        # Whoever left a group is not in it any more.
        PairMember.is_current,
    )
    .order_by(Person.name, PairMember.membership_id)
)
_mine = PairMember.__table__.alias("mine")
_PAIRS = (
    select(
        Pair.id,
        Pair.status,
        PairMember.membership_id,
        PairMember.paused_at,
        Membership.person_id,
        Person.name,
        Person.given_name,
        Person.erased_at,
    )
    .join(_mine, and_(_mine.c.pair_id == Pair.id, _mine.c.membership_id == bindparam("me")))
    .join(PairMember, PairMember.pair_id == Pair.id)
    .join(Membership, Membership.id == PairMember.membership_id)
    .join(Person, Person.id == Membership.person_id)
    .join(Activity, Activity.id == Pair.activity_id)
    .where(
        Pair.activity_id == bindparam("activity"),
        # Of a pair that has ended, both; of a group, who is in it now.
        or_(
            and_(PairMember.is_current, _mine.c.is_current),
            and_(Pair.status == "ended", Activity.kind != "group"),
        ),
    )
    .order_by(Pair.created_at.desc(), Pair.id, Person.name, PairMember.membership_id)
)
_CYCLES_OF_ROUND = (
    select(Activity.title, Activity.starts_on, Activity.ends_on)
    .where(Activity.pairs_from_id == bindparam("round"), Activity.kind == "cycle", Activity.status == "open")
    .order_by(Activity.position, Activity.starts_on, Activity.created_at, Activity.id)
)
_ARE_FREE = select(Membership.id).where(
    or_(*(Membership.id == bindparam(each) for each in ("one", "other", "third"))),
    *people.takes_part(bindparam("activity")),
    ~exists().where(
        PairMember.membership_id == Membership.id,
        PairMember.activity_id == bindparam("activity"),
        PairMember.is_current,
    ),
)


class Refused(Exception):
    """Something about a pair cannot be done now; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """An invitation as its host sees it."""

    id: str
    colleague: Colleague
    look: Look
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReceivedInvitation:
    """An invitation as the invited colleague sees it; it can be answered."""

    id: str
    colleague: Colleague
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitations:
    """What one teacher has sent and received in one activity."""

    sent: tuple[SentInvitation, ...]
    received: tuple[ReceivedInvitation, ...]

    @property
    def waiting(self) -> tuple[SentInvitation, ...]:
        """Those sent that look as if they wait for an answer."""
        return tuple(invitation for invitation in self.sent if invitation.look == "waiting")


@dataclass(frozen=True, slots=True)
class PairPerson:
    """A member of a pair."""

    membership_id: str
    person_id: str
    name: str
    given_name: str
    paused_at: datetime | None
    wrote_at: datetime | None = None
    """When they last wrote in the thread of the pair; known of a current pair only."""
    is_former: bool = False
    """Whether they were erased since."""
    hint_away_at: datetime | None = None
    """When they last put the hint away that it would be time for a next cycle; known of a current pair only."""


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair as its members see it."""

    id: str
    activity_id: str
    status: str
    members: tuple[PairPerson, ...]
    cadence_weeks: int | None = None
    """How often they would like to coach; see Pair. Known of a current pair only."""

    @property
    def facts(self) -> PairFacts:
        """What the rules need of it."""
        ids = tuple(member.membership_id for member in self.members)
        return PairFacts(self.activity_id, ids, self.status != "ended")

    def me(self, membership_id: str) -> PairPerson:
        """The member with this id."""
        return next(member for member in self.members if member.membership_id == membership_id)

    def others(self, membership_id: str) -> tuple[PairPerson, ...]:
        """The other members."""
        return tuple(member for member in self.members if member.membership_id != membership_id)


@dataclass(frozen=True, slots=True)
class RoundCycle:
    """A coaching activity that takes its pairs from a round."""

    title: str
    starts_on: date | None
    ends_on: date | None


def invite(session: Session, *, host_id: str, coach_id: str, course_id: str, activity_id: str, now: datetime) -> None:
    """The host asks a colleague to be the coach of a first cycle.

    Asking somebody who is already asked changes nothing. Raises Refused. It never matters here whether the colleague
    has a partner, has declined, or has asked the host: the answer would tell.
    """
    lock_activity(session, activity_id)
    asked = [sent for sent in _sent(session, host_id, activity_id, now) if sent.look == "waiting"]
    if any(sent.colleague.membership_id == coach_id for sent in asked):
        return
    colleague = people.find_colleague(
        session, course_id=course_id, activity_id=activity_id, membership_id=coach_id, me=host_id
    )
    refusal = refuse_invitation(
        is_colleague=colleague is not None,
        in_active_pair=_has_active_pair(session, host_id, activity_id),
        waiting=len(asked),
    )
    if refusal:
        raise Refused(refusal)
    session.execute(
        insert(Invitation).values(
            id=new_id(),
            activity_id=activity_id,
            host_id=host_id,
            coach_id=coach_id,
            status="open",
            created_at=now,
            expires_at=now + OPEN_FOR,
        )
    )


def facts(session: Session, invitation_id: str) -> InvitationFacts | None:
    """An invitation as the rules need it, or None."""
    row = session.execute(
        select(Invitation.activity_id, Invitation.host_id, Invitation.coach_id, Invitation.status).where(
            Invitation.id == invitation_id
        )
    ).one_or_none()
    return InvitationFacts(*row) if row else None


def withdraw(session: Session, invitation_id: str, now: datetime) -> bool:
    """The host takes an invitation back; the same for one that was declined. False: accepted, lapsed or taken back."""
    withdrawn = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.status.in_(("open", "declined")), Invitation.expires_at > now)
        .values(status="withdrawn", answered_at=now)
    )
    return rows_changed(withdrawn) == 1


def decline(session: Session, invitation_id: str, now: datetime) -> None:
    """The invited colleague says no, without a reason. Nobody is told; the row forgets it when its time is over."""
    session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.status == "open", Invitation.expires_at > now)
        # Not when: nobody needs to know, and so nobody can.
        .values(status="declined")
    )


def accept(session: Session, invitation_id: str, now: datetime) -> str:
    """The invited colleague says yes: a pair, its first cycle (host: who invited), and no other open invitation of
    either. A paused pair of either ends. Returns the pair's id; accepting twice is accepting once. Raises Refused.

    In a pairing round no cycle begins: it does in the coaching activities that take their pairs from it.
    """
    found = session.execute(
        select(Invitation.host_id, Invitation.coach_id, Invitation.activity_id).where(Invitation.id == invitation_id)
    ).one()
    both = [found.host_id, found.coach_id]
    lock_activity(session, found.activity_id)
    pair = active_pair(session, found.coach_id, found.activity_id)
    if pair and found.host_id in pair.facts.membership_ids:  # a double tap, or both said yes to each other at once
        return pair.id
    status, expires_at = session.execute(
        select(Invitation.status, Invitation.expires_at).where(Invitation.id == invitation_id)
    ).one()
    refusal = refuse_acceptance(
        can_be_answered=can_be_answered(status, expires_at, now),
        coach_in_active_pair=pair is not None,
        host_in_active_pair=_has_active_pair(session, found.host_id, found.activity_id),
        host_takes_part=_takes_part(session, found.host_id, found.activity_id),
    )
    if refusal:
        raise Refused(refusal)
    accepted = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.status == "open")
        .values(status="accepted", answered_at=now)
    )
    if rows_changed(accepted) != 1:  # withdrawn at this very moment
        raise Refused(Refusal.NOT_OPEN)
    _withdraw_all(session, both, found.activity_id, now)
    for pair_id in _current_pair_ids(session, both, found.activity_id):
        _end(session, pair_id, now)
    return _begin(session, found.host_id, found.coach_id, found.activity_id, now)


def pair_up(session: Session, membership_ids: Sequence[str], activity_id: str, now: datetime) -> str | None:
    """Makes a pair of two or three who have all said yes to each other in a pairing round, and returns its id; the
    activity is locked. No other invitation of theirs stays open, and a paused pair of theirs ends, as in accept().

    None, and nothing is changed, where one of them has a running pair or takes part no longer.
    """
    if any(
        _has_active_pair(session, each, activity_id) or not _takes_part(session, each, activity_id)
        for each in membership_ids
    ):
        return None
    _withdraw_all(session, membership_ids, activity_id, now)
    for pair_id in _current_pair_ids(session, list(membership_ids), activity_id):
        _end(session, pair_id, now)
    return _make_pair(session, membership_ids, activity_id, now)


def pair_of_round(session: Session, membership_id: str, *, activity_id: str, round_id: str) -> PairView | None:
    """The pair, of two or three, with which a teacher can begin in this activity, as it came together in a round.

    None unless it is active there, the others take part here, and none is in a pair here, paused or not. Which of
    these it was is not told: it is nobody else's. Two statements.
    """
    found = current_pair(session, membership_id, round_id)
    if found is None or found.status != "active" or len(found.members) not in (2, 3):
        return None
    one, other, *third = _ids(found)
    who = {"one": one, "other": other, "third": third[0] if third else other}
    free = run(session, _ARE_FREE, who | {"activity": activity_id}).all()
    return found if len(free) == len(found.members) else None


def begin_from_round(
    session: Session, membership_id: str, *, activity_id: str, round_id: str, round_pair_id: str, now: datetime
) -> None:
    """A pair of a round begins here: its pair in this activity and the first cycle (host: who invited in the round, or
    else who begins here; three have roles in turn). No other invitation of theirs stays open here.

    Does nothing where that is not possible (any more): the other tapped first, or the pair went apart.
    """
    lock_activity(session, activity_id)
    found = pair_of_round(session, membership_id, activity_id=activity_id, round_id=round_id)
    if found is None or found.id != round_pair_id:
        return
    _withdraw_all(session, _ids(found), activity_id, now)
    if len(found.members) > 2:
        _begin_of_three(session, _ids(found), membership_id, activity_id, now)
        return
    (partner_id,) = (each.membership_id for each in found.others(membership_id))
    invited = session.scalars(
        select(Invitation.host_id)
        .where(
            Invitation.activity_id == round_id,
            Invitation.status == "accepted",
            or_(
                and_(Invitation.host_id == membership_id, Invitation.coach_id == partner_id),
                and_(Invitation.host_id == partner_id, Invitation.coach_id == membership_id),
            ),
        )
        .order_by(Invitation.answered_at.desc())
        .limit(1)
    ).first()
    host_id, coach_id = (partner_id, membership_id) if invited == partner_id else (membership_id, partner_id)
    _begin(session, host_id, coach_id, activity_id, now)


def cycles_of_round(session: Session, round_id: str) -> list[RoundCycle]:
    """The open coaching activities that take their pairs from a round, in the order of the plan; one statement."""
    return [RoundCycle(*row) for row in run(session, _CYCLES_OF_ROUND, {"round": round_id})]


def pair_of_one(session: Session, membership_id: str, activity_id: str, now: datetime) -> str:
    """Id of the pair that a teacher alone is, for reflections without a partner; made when it is first asked for."""
    # Of two taps at once the second waits here. The teacher's own row: a whole course reflects in the same week.
    session.execute(select(Membership.id).where(Membership.id == membership_id).with_for_update(key_share=True)).all()
    current = _current_pair_ids(session, [membership_id], activity_id)
    return current[0] if current else _make_pair(session, [membership_id], activity_id, now)


def lapse_due(session: Session, now: datetime) -> int:
    """Closes the invitations whose time is over, and with it forgets which of them were declined. Returns how many."""
    return rows_changed(
        session.execute(
            update(Invitation)
            .where(Invitation.status.in_(("open", "declined")), Invitation.expires_at <= now)
            .values(status="lapsed", answered_at=None)
        )
    )


def open_for(session: Session, membership_id: str, activity_id: str, now: datetime) -> Invitations:
    """What a teacher has sent (waiting, or lately not taken up) and has received and can answer; two statements.

    Which rows a host reads, and how many, does not depend on whether somebody declined.
    """
    return Invitations(
        tuple(sent for sent in _sent(session, membership_id, activity_id, now) if sent.look != "gone"),
        received_by(session, membership_id, activity_id, now),
    )


def received_by(
    session: Session, membership_id: str, activity_id: str, now: datetime
) -> tuple[ReceivedInvitation, ...]:
    """The invitations that a teacher can answer, the oldest first; one statement."""
    rows = run(session, _RECEIVED, {"me": membership_id, "activity": activity_id, "now": now})
    return tuple(
        ReceivedInvitation(
            row.id, Colleague(row.host_id, row.name, row.given_name or row.name), row.created_at, row.expires_at
        )
        for row in rows
    )


def current_pair(session: Session, membership_id: str, activity_id: str) -> PairView | None:
    """The pair of a teacher that has not ended, active or paused; one statement."""
    rows = run(session, _CURRENT_PAIR, {"me": membership_id, "activity": activity_id}).all()
    if not rows:
        return None
    members = tuple(
        PairPerson(
            row.membership_id,
            row.person_id,
            row.name,
            row.given_name or row.name,
            row.paused_at,
            row.wrote_at,
            hint_away_at=row.hint_away_at,
        )
        for row in rows
    )
    return PairView(rows[0].id, activity_id, rows[0].status, members, rows[0].cadence_weeks)


def pairs_of(session: Session, membership_id: str, activity_id: str) -> list[PairView]:
    """All pairs of a teacher in an activity, also those that have ended, and the group they are in; the newest first.
    One statement."""
    rows = run(session, _PAIRS, {"me": membership_id, "activity": activity_id}).all()
    return [
        PairView(
            pair_id,
            activity_id,
            status,
            tuple(
                PairPerson(
                    row.membership_id,
                    row.person_id,
                    row.name,
                    row.given_name or row.name,
                    row.paused_at,
                    is_former=row.erased_at is not None,
                )
                for row in members
            ),
        )
        for (pair_id, status), members in groupby(rows, key=lambda row: (row.id, row.status))
    ]


def active_pair(session: Session, membership_id: str, activity_id: str) -> PairView | None:
    """The running pair of a teacher, or None (also while it is paused)."""
    pair = current_pair(session, membership_id, activity_id)
    return pair if pair is not None and pair.status == "active" else None


def end_pair(session: Session, pair_id: str, now: datetime) -> None:
    """Ends a pair for good. No reason is kept and nobody else is told; what was written stays with its owners."""
    _lock_of_pair(session, pair_id)
    _end(session, pair_id, now)


def pause_pair(session: Session, pair_id: str, membership_id: str, now: datetime) -> None:
    """One member pauses, and so the pair does, until that member goes on; a reason is neither asked nor kept.

    A group goes on without them meanwhile.
    """
    activity_id = _lock_of_pair(session, pair_id)
    session.execute(
        update(PairMember)
        .where(
            PairMember.pair_id == pair_id,
            PairMember.membership_id == membership_id,
            PairMember.is_current,
            PairMember.paused_at.is_(None),
        )
        .values(paused_at=now)
    )
    is_group = _is_group(session, activity_id)
    _settle_status(session, pair_id, is_group=is_group)
    if is_group:
        going_on.settle(session, pair_id=pair_id, now=now)


def resume_pair(session: Session, pair_id: str, membership_id: str, now: datetime) -> None:
    """A member who paused goes on; the pair is active again once nobody pauses. It ends the search for another."""
    activity_id = _lock_of_pair(session, pair_id)
    resumed = session.execute(
        update(PairMember)
        .where(
            PairMember.pair_id == pair_id,
            PairMember.membership_id == membership_id,
            PairMember.is_current,
            PairMember.paused_at.is_not(None),
        )
        .values(paused_at=None)
    )
    if not rows_changed(resumed):
        return
    before = session.scalars(select(Pair.status).where(Pair.id == pair_id)).one()
    is_group = _is_group(session, activity_id)
    if _settle_status(session, pair_id, is_group=is_group) == "active" and before == "paused":
        going_on.go_on(session, pair_id=pair_id, now=now)
        members = session.scalars(select(PairMember.membership_id).where(PairMember.pair_id == pair_id)).all()
        _withdraw_all(session, members, activity_id, now)
    if is_group:
        going_on.settle(session, pair_id=pair_id, now=now)


def take_out(session: Session, pair_id: str, membership_id: str, now: datetime) -> None:
    """A member goes for good, without a reason: a pair ends with it, a group goes on with the others."""
    activity_id = _lock_of_pair(session, pair_id)
    if not _is_group(session, activity_id):
        _end(session, pair_id, now)
        return
    gone = session.execute(
        update(PairMember)
        .where(PairMember.pair_id == pair_id, PairMember.membership_id == membership_id, PairMember.is_current)
        .values(is_current=False, paused_at=None)
    )
    if not rows_changed(gone):
        return
    left = session.scalars(
        select(PairMember.membership_id).where(PairMember.pair_id == pair_id, PairMember.is_current)
    ).all()
    growth.take_back_all(session, pair_id, membership_id, also_of_others=len(left) < 2)
    if _settle_status(session, pair_id, is_group=True) is None:
        _end(session, pair_id, now)
        return
    going_on.leave(session, pair_id=pair_id, membership_id=membership_id, now=now)


def make_group(session: Session, membership_id: str, activity_id: str, now: datetime) -> str | None:
    """Id of a new group of one member, whom others can join; None where they are in one already."""
    lock_activity(session, activity_id)
    if _current_pair_ids(session, [membership_id], activity_id):
        return None
    return _make_pair(session, [membership_id], activity_id, now)


def join_group(
    session: Session, pair_id: str, membership_id: str, *, activity_id: str, most: int, now: datetime
) -> bool:
    """Takes a teacher into a group of this activity; whether they are in it now. Whoever is in another one, or comes
    when it is full or has ended, is not. A cycle that runs goes on without them; they are in the next one, which begins
    now where the others waited for one more."""
    lock_activity(session, activity_id)
    current = _current_pair_ids(session, [membership_id], activity_id)
    if current:
        return current == [pair_id]
    rows = session.execute(
        select(
            PairMember.membership_id,
            # Whoever takes part no longer takes no place.
            and_(PairMember.is_current, *people.takes_part(PairMember.activity_id)).label("is_there"),
        )
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .where(Pair.id == pair_id, Pair.activity_id == activity_id, Pair.status != "ended")
    ).all()
    if not rows or sum(bool(row.is_there) for row in rows) >= most:
        return False
    if any(row.membership_id == membership_id for row in rows):
        session.execute(
            update(PairMember)
            .where(PairMember.pair_id == pair_id, PairMember.membership_id == membership_id)
            .values(is_current=True, paused_at=None)
        )
    else:
        session.execute(insert(PairMember).values(_member_row(pair_id, activity_id, membership_id)))
    _settle_status(session, pair_id, is_group=True)
    going_on.settle(session, pair_id=pair_id, now=now)
    return True


def settle_group(session: Session, pair_id: str, now: datetime) -> None:
    """A group goes on where it waits only for who takes part no longer; see going_on.settle."""
    _lock_of_pair(session, pair_id)
    going_on.settle(session, pair_id=pair_id, now=now)


def bring(session: Session, pair_id: str, membership_id: str, now: datetime) -> str | None:
    """A member of a group brings something; see going_on.bring."""
    activity_id = _lock_of_pair(session, pair_id)
    return going_on.bring(session, pair_id=pair_id, activity_id=activity_id, membership_id=membership_id, now=now)


def _end(session: Session, pair_id: str, now: datetime) -> None:
    ended = session.execute(
        update(Pair).where(Pair.id == pair_id, Pair.status != "ended").values(status="ended", ended_at=now)
    )
    if rows_changed(ended):
        session.execute(
            update(PairMember).where(PairMember.pair_id == pair_id).values(is_current=False, paused_at=None)
        )
        going_on.stop(session, pair_id=pair_id, now=now)


def _begin(session: Session, host_id: str, coach_id: str, activity_id: str, now: datetime) -> str:
    """Id of the new pair; where the activity has cycles, the first one begins."""
    pair_id = _make_pair(session, [host_id, coach_id], activity_id, now)
    kind = session.scalars(select(Activity.kind).where(Activity.id == activity_id)).one()
    if kind_of(kind).protocols == "coaching":
        roles = {host_id: "host", coach_id: "coach"}
        going_on.start(session, pair_id=pair_id, activity_id=activity_id, roles=roles, now=now)
    return pair_id


def _begin_of_three(session: Session, membership_ids: list[str], host_id: str, activity_id: str, now: datetime) -> None:
    pair_id = _make_pair(session, membership_ids, activity_id, now)
    going_on.start_of_three(
        session, pair_id=pair_id, activity_id=activity_id, members=membership_ids, host_id=host_id, now=now
    )


def _make_pair(session: Session, membership_ids: Iterable[str], activity_id: str, now: datetime) -> str:
    pair_id = new_id()
    session.execute(insert(Pair).values(id=pair_id, activity_id=activity_id, status="active", created_at=now))
    session.execute(insert(PairMember), [_member_row(pair_id, activity_id, member) for member in membership_ids])
    return pair_id


def _member_row(pair_id: str, activity_id: str, membership_id: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "pair_id": pair_id,
        "activity_id": activity_id,
        "membership_id": membership_id,
        "is_current": True,
    }


def _is_group(session: Session, activity_id: str) -> bool:
    kind = session.scalars(select(Activity.kind).where(Activity.id == activity_id)).one()
    return kind_of(kind).protocols == "group"


def _ids(pair: PairView) -> list[str]:
    return [member.membership_id for member in pair.members]


def _settle_status(session: Session, pair_id: str, *, is_group: bool) -> str | None:
    """Writes the state that follows from the members of a pair; None if it has ended."""
    paused = session.scalars(
        select(PairMember.paused_at).where(PairMember.pair_id == pair_id, PairMember.is_current)
    ).all()
    if not paused:
        return None
    status = pair_status([moment is not None for moment in paused], is_group=is_group)
    session.execute(update(Pair).where(Pair.id == pair_id, Pair.status != "ended").values(status=status))
    return status


def _sent(session: Session, host_id: str, activity_id: str, now: datetime) -> list[SentInvitation]:
    rows = run(session, _SENT, {"me": host_id, "activity": activity_id, "since": now - REMEMBERED_FOR})
    return [
        SentInvitation(
            row.id,
            Colleague(row.coach_id, row.name, row.given_name or row.name),
            looks(row.status, row.expires_at, now),
            row.created_at,
            row.expires_at,
        )
        for row in rows
    ]


def _has_active_pair(session: Session, membership_id: str, activity_id: str) -> bool:
    found = session.execute(
        select(Pair.id)
        .join(PairMember, PairMember.pair_id == Pair.id)
        .where(
            PairMember.membership_id == membership_id,
            PairMember.activity_id == activity_id,
            PairMember.is_current,
            Pair.status == "active",
        )
        .limit(1)
    )
    return found.first() is not None


def _current_pair_ids(session: Session, membership_ids: list[str], activity_id: str) -> list[str]:
    return list(
        session.scalars(
            select(PairMember.pair_id)
            .where(
                PairMember.membership_id.in_(membership_ids),
                PairMember.activity_id == activity_id,
                PairMember.is_current,
            )
            .distinct()
        )
    )


def _takes_part(session: Session, membership_id: str, activity_id: str) -> bool:
    found = session.execute(
        select(Membership.id).where(Membership.id == membership_id, *people.takes_part(activity_id))
    )
    return found.first() is not None


def _withdraw_all(session: Session, host_ids: Iterable[str], activity_id: str, now: datetime) -> None:
    session.execute(
        update(Invitation)
        .where(
            Invitation.host_id.in_(list(host_ids)),
            Invitation.activity_id == activity_id,
            Invitation.status.in_(("open", "declined")),
            Invitation.expires_at > now,
        )
        .values(status="withdrawn", answered_at=now)
    )


def lock_activity(session: Session, activity_id: str) -> None:
    """Who changes who is paired with whom comes one after the other from here on, until this transaction ends."""
    # NO KEY UPDATE: rows that merely refer to the activity (a launch's sign-in) can still be written meanwhile.
    session.execute(select(Activity.id).where(Activity.id == activity_id).with_for_update(key_share=True)).all()


def _lock_of_pair(session: Session, pair_id: str) -> str:
    activity_id = session.scalars(select(Pair.activity_id).where(Pair.id == pair_id)).one()
    lock_activity(session, activity_id)
    return activity_id
