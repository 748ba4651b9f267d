"""Use cases of how cycles begin and go on: the first one, the next one with other roles, how far, pausing, leaving.

Whoever writes here holds the pair's cycle, or its activity (pairing/service.py), so that two never begin the same one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.kinds import fits, kind_of, protocols_for
from lti_tool.activities.models import Activity
from lti_tool.activities.service import ActivityView
from lti_tool.cycles import rules
from lti_tool.cycles.models import Cycle, CycleMember, Meeting, ProtocolVersion, StageMark, StepWish
from lti_tool.cycles.revision import bump
from lti_tool.cycles.rules import Missing
from lti_tool.cycles.service import NotPossible, load, load_frame, mark, move_on
from lti_tool.pairing.models import PairMember
from lti_tool.people.models import Membership
from lti_tool.people.service import takes_part
from lti_tool.protocols import reader
from lti_tool.protocols.recipe import FULL, Protocol, lowest
from lti_tool.schedule.models import ReturnMeeting
from lti_tool.store.base import new_id
from lti_tool.store.upsert import insert_into

OF_THREE = "triad"
"""Key of the shipped protocol of three."""

_same_member = and_(PairMember.pair_id == Cycle.pair_id, PairMember.membership_id == CycleMember.membership_id)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who could begin the next cycle of a group."""

    present: int
    """Members who do not pause."""
    least: int
    """How many the protocol needs."""
    most: int
    """For how many it has room: fewer than are there where the trainer chose another one since."""
    can_host: tuple[str, ...]
    """Membership ids of those who can bring something now: nobody is host twice before all have been."""
    runs: bool
    """Whether there is a cycle that they have not gone on from, and whose host is there."""

    @property
    def is_enough(self) -> bool:
        """Whether there are enough of them to begin, and not too many."""
        return self.least <= self.present <= self.most


# Beginning


def start(
    session: Session,
    *,
    pair_id: str,
    activity_id: str,
    roles: Mapping[str, str],
    now: datetime,
    number: int = 1,
) -> str:
    """Begins a cycle of a pair or group with the activity's protocol and returns its id.

    `roles`: membership id → role (one of recipe.ROLES); a host alone is one who reflects without a partner. Beginning
    the same number twice gives the cycle that is there. It goes as far as the lowest of what they said they would, and
    keeps that, whatever they say later for others.
    """
    protocol = protocol_for(activities.find(session, activity_id), len(roles))
    steps = _wishes(session, activity_id, list(roles)) if protocol.has_ladder else {}
    cycle_id = new_id()
    starts_anew = number > 1 and _somebody_has_not_started(session, pair_id, protocol, roles)
    stages = protocol.at(lowest(steps.values())).stages_of(1 if starts_anew else number)
    first = stages[0]
    made = session.execute(
        insert_into(session, Cycle)
        .values(
            id=cycle_id,
            pair_id=pair_id,
            activity_id=activity_id,
            number=number,
            starts_anew=starts_anew,
            protocol_version_id=_keep_version(session, protocol, now),
            status="running",
            stage=protocol.place(first.key),
            stage_since=now,
            revision=1,
            started_at=now,
        )
        .on_conflict_do_nothing(index_elements=["pair_id", "number"])
        .returning(Cycle.id)
    ).scalar_one_or_none()
    if made is None:
        return session.execute(select(Cycle.id).where(Cycle.pair_id == pair_id, Cycle.number == number)).scalar_one()
    people = {
        row.id: row.person_id
        for row in session.execute(select(Membership.id, Membership.person_id).where(Membership.id.in_(roles)))
    }
    session.execute(
        insert(CycleMember),
        [
            {
                "cycle_id": cycle_id,
                "membership_id": member,
                "person_id": people[member],
                "role": role,
                "step": steps.get(member, FULL),
                "wish": "",
            }
            for member, role in roles.items()
        ],
    )
    if number > 1:
        host = next(member for member, role in roles.items() if role == "host")
        kinds = {kind for stage in stages for kind in stage.meetings}
        _book_way_back(session, pair_id, cycle_id, host, people[host], kinds, now)
    return cycle_id


def _book_way_back(
    session: Session,
    pair_id: str,
    cycle_id: str,
    membership_id: str,
    person_id: str,
    kinds: Collection[str],
    now: datetime,
) -> None:
    """What was agreed for the cycle in which this member is host is booked in it, as if they had booked it: they can
    move it, and the visit is still to be confirmed. What has passed meanwhile is forgotten, and what is none of the
    `kinds` of meetings that there are in this cycle."""
    rows = session.execute(
        select(ReturnMeeting.kind, ReturnMeeting.starts_at, ReturnMeeting.minutes)
        .where(ReturnMeeting.pair_id == pair_id, ReturnMeeting.host_id == membership_id, ReturnMeeting.starts_at > now)
        .where(ReturnMeeting.kind.in_(kinds))
    ).all()
    session.execute(
        delete(ReturnMeeting).where(
            ReturnMeeting.pair_id == pair_id,
            or_(ReturnMeeting.host_id == membership_id, ReturnMeeting.starts_at <= now),
        )
    )
    if rows:
        session.execute(
            insert(Meeting),
            [
                {"id": new_id(), "cycle_id": cycle_id, "place": b"", "set_by": person_id, "rev": 1} | dict(row._mapping)
                for row in rows
            ],
        )


def start_of_three(
    session: Session, *, pair_id: str, activity_id: str, members: Sequence[str], host_id: str, now: datetime
) -> str:
    """Begins the first cycle of three who came together in a pairing round, and returns its id; the roles move on in
    later ones, as in a group."""
    protocol = protocol_for(activities.find(session, activity_id), len(members))
    roles = rules.roles_in_group(protocol.roles, members, [], [host_id])
    return start(session, pair_id=pair_id, activity_id=activity_id, roles=roles, now=now)


def _somebody_has_not_started(session: Session, pair_id: str, protocol: Protocol, members: Collection[str]) -> bool:
    """Whether somebody of a group has not yet agreed how it works, and what stays in the room: who came later, or
    paused then."""
    start = protocol.stages[0]
    if not protocol.is_for_group or not start.first_cycle_only:
        return False
    started = session.scalars(
        select(StageMark.membership_id)
        .join(Cycle, Cycle.id == StageMark.cycle_id)
        .where(Cycle.pair_id == pair_id, StageMark.stage == start.key)
    )
    return not set(members) <= set(started)


def _wishes(session: Session, activity_id: str, membership_ids: Sequence[str]) -> dict[str, str]:
    """Membership id → how far they said they would like to go, of those who did: here, else in the pairing round that
    the activity takes its pairs from."""
    of_round = select(Activity.pairs_from_id).where(Activity.id == activity_id).scalar_subquery()
    rows = session.execute(
        select(StepWish.membership_id, StepWish.step)
        .where(
            or_(StepWish.activity_id == activity_id, StepWish.activity_id == of_round),
            StepWish.membership_id.in_(membership_ids),
        )
        .order_by(StepWish.activity_id == activity_id)
    )
    return {row.membership_id: row.step for row in rows}


def start_alone(
    session: Session, *, pair_id: str, activity_id: str, membership_id: str, number: int, now: datetime
) -> str:
    """Begins a teacher's next reflection without a partner and returns its id; `number`: which one they asked for.

    One that is not submitted yet is gone on with; so is one that was begun already under that number (a double tap).
    The pair is locked by its one member.
    """
    last = session.execute(
        select(Cycle.id, Cycle.number, Cycle.status)
        .where(Cycle.pair_id == pair_id)
        .order_by(Cycle.number.desc())
        .limit(1)
    ).one_or_none()
    if last and (last.status == "running" or number <= last.number):
        return str(last.id)
    session.execute(update(Cycle).where(Cycle.pair_id == pair_id, Cycle.closed_at.is_(None)).values(closed_at=now))
    return start(
        session,
        pair_id=pair_id,
        activity_id=activity_id,
        roles={membership_id: "host"},
        number=last.number + 1 if last else 1,
        now=now,
    )


def protocol_of(activity: ActivityView | None) -> Protocol:
    """What new cycles of an activity follow: the protocol that its trainer chose, as far as it fits its kind.

    Raises LookupError for an activity that comes without the protocol of a course's own that it has.
    """
    kind = activity.kind if activity else ""
    chosen = activity.protocol if activity else ""
    own = activity.own_protocol if activity else None
    if activity and activity.own_version is not None and own is None:
        missing = f"{chosen} {activity.own_version} of activity {activity.id}"
        raise LookupError(f"{missing} was not read with it: see activities.with_protocol")
    if own is not None and fits(kind, own):
        return own
    return reader.shipped()[chosen if chosen in protocols_for(kind) else kind_of(kind).default_protocol]


def protocol_for(activity: ActivityView | None, people: int) -> Protocol:
    """What a new cycle of so many follows: three who came together in a pairing round go by the protocol that ships for
    three, where that of their coaching activity is for two."""
    protocol = protocol_of(activity)
    if people == 3 and not protocol.fits(people) and activity and kind_of(activity.kind).protocols == "coaching":
        return reader.shipped()[OF_THREE]
    return protocol


def _keep_version(session: Session, protocol: Protocol, now: datetime) -> str:
    """Id of the stored copy of this protocol version; the first cycle that needs it stores it."""
    session.execute(
        insert_into(session, ProtocolVersion)
        .values(id=new_id(), key=protocol.key, version=protocol.version, body=dict(protocol.body), created_at=now)
        .on_conflict_do_nothing(index_elements=["key", "version"])
    )
    return session.execute(
        select(ProtocolVersion.id).where(
            ProtocolVersion.key == protocol.key, ProtocolVersion.version == protocol.version
        )
    ).scalar_one()


# How far to go


def has_ladder(activity: ActivityView) -> bool:
    """Whether the cycles that begin in an activity can go less far than the whole."""
    return bool(protocols_for(activity.kind)) and protocol_of(activity).has_ladder


def step_wish(session: Session, membership_id: str, activity_id: str) -> str:
    """How far a teacher said they would like to go in an activity at present: one of STEPS, or empty."""
    return _wishes(session, activity_id, [membership_id]).get(membership_id, "")


def say_step(session: Session, membership_id: str, activity_id: str, step: str) -> None:
    """Keeps how far a teacher would like to go in the cycles that begin (one of STEPS; empty: not said). Nobody is told
    (R23)."""
    if not step:
        session.execute(
            delete(StepWish).where(StepWish.activity_id == activity_id, StepWish.membership_id == membership_id)
        )
        return
    session.execute(
        insert_into(session, StepWish)
        .values(activity_id=activity_id, membership_id=membership_id, step=step)
        .on_conflict_do_update(index_elements=["activity_id", "membership_id"], set_={"step": step})
    )


def go_as_far_as(session: Session, cycle: rules.Cycle, step: str, *, now: datetime) -> None:
    """The viewing member goes as far as `step` in this cycle (it is locked): the pair goes as far as the lower of two.

    So one alone goes less far, and further only who finds the other there. Where the pair's step stays as it is,
    nothing that the other could see changes, not even the count of changes. A cycle that has ended stays as it was.
    """
    if not cycle.is_running or cycle.is_alone:
        return
    session.execute(
        update(CycleMember)
        .where(CycleMember.cycle_id == cycle.id, CycleMember.membership_id == cycle.me.membership_id)
        .values(step=step)
    )
    after = load_frame(session, cycle.id, cycle.viewer_id)
    if after is None or after.step == cycle.step:
        return
    values: dict[str, Any] = {"notes_due_at": rules.notes_due_at(after, after.notes_days)}
    if reached := rules.new_place(after):
        values |= {"stage": reached, "stage_since": now}
    bump(session, cycle.id, **values)
    # What they do not do any more is in no calendar, and in the way of nothing else.
    kinds = {kind for stage in after.stages for kind in stage.meetings}
    session.execute(
        delete(Meeting).where(Meeting.cycle_id == cycle.id, Meeting.kind.not_in(kinds), Meeting.starts_at > now)
    )


# Going on


def wish(session: Session, cycle: rules.Cycle, wanted: str, *, now: datetime) -> str | None:
    """The viewing member would like to go on: one of rules.WISHES, in a group of rules.WISHES_OF_GROUP.

    The next cycle of a pair begins when both wish the same: nobody becomes a host, whom somebody visits, without saying
    so. That of a group begins when all would like to go on, with roles by rules.roles_in_group.
    Returns the id of the next cycle once there is one. The cycle is locked.
    """
    wishes = rules.WISHES_OF_GROUP if cycle.is_group else rules.WISHES
    if cycle.status != "finished" or cycle.is_alone or wanted not in wishes:
        raise NotPossible([Missing("earlier_stage", cycle.reflection.key, cycle.reflection.key)])
    if cycle.closed_at is not None:
        return session.execute(
            select(Cycle.id).where(Cycle.pair_id == cycle.pair_id, Cycle.number == cycle.number + 1)
        ).scalar_one_or_none()
    session.execute(
        update(CycleMember)
        .where(CycleMember.cycle_id == cycle.id, CycleMember.membership_id == cycle.me.membership_id)
        .values(wish=wanted, wished_at=now)
    )
    if cycle.is_group:
        return _settle(session, cycle.id, cycle.viewer_id, now)
    if cycle.partner.wish != wanted:
        bump(session, cycle.id)
        return None
    return _begin_next(session, cycle, rules.roles_after(cycle.members, wanted), now)


def _begin_next(session: Session, cycle: rules.Cycle, roles: Mapping[str, str], now: datetime) -> str:
    bump(session, cycle.id, closed_at=now)
    return start(
        session,
        pair_id=cycle.pair_id,
        activity_id=cycle.activity_id,
        roles=roles,
        number=cycle.number + 1,
        now=now,
    )


# Groups


def whose_turn(session: Session, *, pair_id: str, activity_id: str) -> Turn:
    """Who could begin the next cycle of a group that has none now."""
    members = _present(session, pair_id)
    protocol = protocol_of(activities.find(session, activity_id))
    past = _past_roles(session, pair_id)
    turn = tuple(each for each in members if rules.can_host(each, members, past))
    now_open = _open_cycle(session, pair_id)
    return Turn(
        len(members), protocol.least, protocol.most, turn, now_open is not None and not now_open.can_be_replaced
    )


def bring(session: Session, *, pair_id: str, activity_id: str, membership_id: str, now: datetime) -> str | None:
    """A member brings something: the next cycle of a group begins, and they are its host. Returns its id; None where
    one is open whose host is there, too few members are, or it is not their turn. The activity is locked.
    """
    _lock_all(session, pair_id)
    protocol = protocol_of(activities.find(session, activity_id))
    members, past = _present(session, pair_id), _past_roles(session, pair_id)
    now_open = _open_cycle(session, pair_id)
    if now_open is not None and not now_open.can_be_replaced:
        return None
    if not protocol.fits(len(members)) or not rules.can_host(membership_id, members, past):
        return None
    stop(session, pair_id=pair_id, now=now)
    return start(
        session,
        pair_id=pair_id,
        activity_id=activity_id,
        roles=rules.roles_in_group(protocol.roles, members, past, [membership_id]),
        number=len(past) + 1,
        now=now,
    )


def leave(session: Session, *, pair_id: str, membership_id: str, now: datetime) -> None:
    """Somebody has left a group: its running cycle goes on with the others, or stops (rules.goes_on_without). The one
    who left keeps what they wrote. Nothing says why, or to others who: the pages just show who is there."""
    _lock_all(session, pair_id)
    row = session.execute(
        select(Cycle.id, CycleMember.person_id)
        .join(CycleMember, CycleMember.cycle_id == Cycle.id)
        .where(
            Cycle.pair_id == pair_id,
            Cycle.status == "running",
            CycleMember.membership_id == membership_id,
            CycleMember.left_at.is_(None),
        )
    ).one_or_none()
    cycle = load_frame(session, row.id, row.person_id) if row else None
    if cycle is not None:
        if not rules.goes_on_without(cycle, cycle.me):
            stop(session, pair_id=pair_id, now=now)
            return
        session.execute(
            update(CycleMember)
            .where(CycleMember.cycle_id == cycle.id, CycleMember.membership_id == membership_id)
            .values(left_at=now)
        )
    settle(session, pair_id=pair_id, now=now)


def settle(session: Session, *, pair_id: str, now: datetime) -> None:
    """Who is there of a group has changed: what waited for nobody but who is not there any more goes on, and what they
    had to do as coach or keeper falls to somebody else."""
    _lock_all(session, pair_id)
    row = session.execute(
        select(Cycle.id, CycleMember.person_id)
        .join(CycleMember, CycleMember.cycle_id == Cycle.id)
        .join(PairMember, _same_member)
        .where(
            Cycle.pair_id == pair_id,
            Cycle.closed_at.is_(None),
            CycleMember.left_at.is_(None),
            PairMember.is_current,
            PairMember.paused_at.is_(None),
        )
        .limit(1)
    ).one_or_none()
    if row is not None:
        _settle(session, row.id, row.person_id, now)


def _settle(session: Session, cycle_id: str, person_id: str, now: datetime) -> str | None:
    """Takes a group's cycle as far as nobody has to do anything for it; the id of the next one where that begins."""
    cycle = load(session, cycle_id, person_id)
    if cycle is None or cycle.closed_at is not None:
        return None
    if cycle.status == "finished":
        activity = activities.find(session, cycle.activity_id)
        members = _present(session, cycle.pair_id)
        protocol = protocol_for(activity, len(members))
        is_open = activity is not None and activity.status == "open"
        if is_open and rules.all_would_go_on(cycle) and protocol.fits(len(members)):
            asks = [each.membership_id for each in cycle.needed if each.wish == rules.BRING]
            past = _past_roles(session, cycle.pair_id)
            return _begin_next(session, cycle, rules.roles_in_group(protocol.roles, members, past, asks), now)
        bump(session, cycle.id)
        return None
    for heir, role in rules.roles_to_take_over(cycle).items():
        session.execute(
            update(CycleMember)
            .where(CycleMember.cycle_id == cycle.id, CycleMember.membership_id == heir)
            .values(role=role)
        )
    first = cycle.stages[0]
    is_agreed = first.kind == "start" and not rules.missing_to_close(cycle, first, cycle.me, now)
    if is_agreed and not rules.is_done(cycle, first):
        mark(session, cycle, first.key, [each.membership_id for each in cycle.needed], now)
    else:
        move_on(session, cycle, now)
    return None


@dataclass(frozen=True, slots=True)
class _Open:
    can_be_replaced: bool
    """Whether it runs without its host, who pauses or takes part no longer: the others need not wait for them."""


def _open_cycle(session: Session, pair_id: str) -> _Open | None:
    """The cycle that a group has not gone on from."""
    row = session.execute(
        select(Cycle.status, and_(PairMember.paused_at.is_(None), *takes_part(Cycle.activity_id)).label("is_there"))
        .join(CycleMember, CycleMember.cycle_id == Cycle.id)
        .join(Membership, Membership.id == CycleMember.membership_id)
        .outerjoin(PairMember, _same_member)
        .where(Cycle.pair_id == pair_id, Cycle.closed_at.is_(None), CycleMember.role == "host")
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return _Open(row.status == "running" and not row.is_there)


def _present(session: Session, pair_id: str) -> list[str]:
    """Membership ids of those who are in the next cycle of a group: who has not left, does not pause and still takes
    part in the activity, in an order that stays."""
    return list(
        session.scalars(
            select(PairMember.membership_id)
            .join(Membership, Membership.id == PairMember.membership_id)
            .where(
                PairMember.pair_id == pair_id,
                PairMember.is_current,
                PairMember.paused_at.is_(None),
                *takes_part(PairMember.activity_id),
            )
            .order_by(PairMember.membership_id)
        )
    )


def _past_roles(session: Session, pair_id: str) -> list[dict[str, str]]:
    """Membership id → role, for each cycle of a pair or group, the first one first."""
    found: dict[int, dict[str, str]] = {}
    for number, membership_id, role in session.execute(
        select(Cycle.number, CycleMember.membership_id, CycleMember.role)
        .join(CycleMember, CycleMember.cycle_id == Cycle.id)
        .where(Cycle.pair_id == pair_id)
        .order_by(Cycle.number)
    ):
        found.setdefault(number, {})[membership_id] = role
    return list(found.values())


def _lock_all(session: Session, pair_id: str) -> None:
    # Whoever begins the pair's next cycle holds the one before: after this, that one is seen too.
    session.execute(select(Cycle.id).where(Cycle.pair_id == pair_id).order_by(Cycle.number).with_for_update()).all()


def go_on(session: Session, *, pair_id: str, now: datetime) -> None:
    """The pair goes on after a pause: its step counts from now, so that no date tells that there was one (R24)."""
    session.execute(update(Cycle).where(Cycle.pair_id == pair_id, Cycle.closed_at.is_(None)).values(stage_since=now))


def stop(session: Session, *, pair_id: str, now: datetime) -> None:
    """The pair has ended: its running cycle stops, and none of its cycles is current any more. Nothing is deleted."""
    _lock_all(session, pair_id)
    # A statement of its own: PostgreSQL shows the one that waited for the lock what was there before it waited.
    running = session.execute(
        select(Cycle.id, Cycle.notes_days, Cycle.notes_due_at).where(
            Cycle.pair_id == pair_id, Cycle.status == "running"
        )
    ).all()
    for cycle in running:
        # The conversation after may never come: raw notes count from here then.
        due = cycle.notes_due_at or (cycle.notes_days and now + timedelta(days=cycle.notes_days))
        bump(session, cycle.id, status="stopped", finished_at=now, notes_due_at=due)
    session.execute(update(Cycle).where(Cycle.pair_id == pair_id, Cycle.closed_at.is_(None)).values(closed_at=now))
    session.execute(delete(ReturnMeeting).where(ReturnMeeting.pair_id == pair_id))
