"""Inviting, answering and changing, against the database."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from factories import MadeCourse, make_course
from sqlalchemy import func, select, update

from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.pairing import service
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.pairing.rules import MAX_WAITING, OPEN_FOR, REMEMBERED_FOR, Refusal
from lti_tool.pairing.service import Refused
from lti_tool.people.models import Membership
from lti_tool.store.database import Database


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=6, now=clock.now)


def invite(database: Database, course: MadeCourse, clock: Any, host: int | str, coach: int | str) -> str:
    """Invites, and returns the id of the invitation."""
    host_id = course.teachers[host] if isinstance(host, int) else host
    coach_id = course.teachers[coach] if isinstance(coach, int) else coach
    with database.write() as session:
        service.invite(
            session,
            host_id=host_id,
            coach_id=coach_id,
            course_id=course.course_id,
            activity_id=course.activity_id,
            now=clock.now,
        )
        return session.scalars(
            select(Invitation.id)
            .where(Invitation.host_id == host_id, Invitation.coach_id == coach_id)
            .order_by(Invitation.created_at.desc())
            .limit(1)
        ).one()


def accept(database: Database, clock: Any, invitation_id: str) -> str:
    with database.write() as session:
        return service.accept(session, invitation_id, clock.now)


def status(database: Database, invitation_id: str) -> str:
    with database.read() as session:
        return session.scalars(select(Invitation.status).where(Invitation.id == invitation_id)).one()


def open_for(database: Database, course: MadeCourse, clock: Any, teacher: int) -> service.Invitations:
    with database.read() as session:
        return service.open_for(session, course.teachers[teacher], course.activity_id, clock.now)


def pair_of(database: Database, course: MadeCourse, teacher: int) -> service.PairView | None:
    with database.read() as session:
        return service.current_pair(session, course.teachers[teacher], course.activity_id)


def test_a_yes_makes_a_pair_and_its_first_cycle_with_the_inviter_as_host(
    database: Database, course: MadeCourse, clock: Any
) -> None:
    pair_id = accept(database, clock, invite(database, course, clock, 0, 1))
    with database.read() as session:
        roles = dict(
            session.execute(
                select(CycleMember.membership_id, CycleMember.role)
                .join(Cycle, Cycle.id == CycleMember.cycle_id)
                .where(Cycle.pair_id == pair_id, Cycle.number == 1)
            ).all()
        )
        found = service.active_pair(session, course.teachers[0], course.activity_id)
    assert roles == {course.teachers[0]: "host", course.teachers[1]: "coach"}
    assert found is not None and found.id == pair_id
    assert {member.membership_id for member in found.members} == set(course.teachers[:2])
    assert [member.given_name for member in found.others(course.teachers[0])] == ["Seán"]


def test_accepting_twice_is_accepting_once(database: Database, course: MadeCourse, clock: Any) -> None:
    invitation = invite(database, course, clock, 0, 1)
    assert accept(database, clock, invitation) == accept(database, clock, invitation)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Pair)) == 1


def test_a_yes_withdraws_what_both_had_sent_and_leaves_what_others_sent(
    database: Database, course: MadeCourse, clock: Any
) -> None:
    chosen = invite(database, course, clock, 0, 1)
    of_host, declined = invite(database, course, clock, 0, 2), invite(database, course, clock, 0, 3)
    of_coach = invite(database, course, clock, 1, 4)
    to_host, to_coach = invite(database, course, clock, 5, 0), invite(database, course, clock, 4, 1)
    with database.write() as session:
        service.decline(session, declined, clock.now)
    accept(database, clock, chosen)
    assert [status(database, each) for each in (of_host, declined, of_coach)] == ["withdrawn"] * 3
    assert [status(database, each) for each in (to_host, to_coach)] == ["open"] * 2
    assert open_for(database, course, clock, 5).waiting, "the other inviter learns nothing"


def test_asking_again_changes_nothing_and_three_may_wait(database: Database, course: MadeCourse, clock: Any) -> None:
    for coach in range(1, 1 + MAX_WAITING):
        invite(database, course, clock, 0, coach)
    invite(database, course, clock, 0, 1)
    assert len(open_for(database, course, clock, 0).waiting) == MAX_WAITING
    with pytest.raises(Refused) as refused:
        invite(database, course, clock, 0, 5)
    assert refused.value.reason is Refusal.TOO_MANY


@pytest.mark.parametrize("who", ["trainer", "guest", "leader", "administrator", "self", "nobody", "elsewhere", "left"])
def test_only_a_colleague_who_takes_part_can_be_invited(
    database: Database, course: MadeCourse, clock: Any, who: str
) -> None:
    if who == "left":
        with database.write() as session:
            session.execute(update(Membership).where(Membership.id == course.teachers[1]).values(is_active=False))
    coach = {
        "self": course.teachers[0],
        "nobody": "no-such-member",
        "elsewhere": make_course(database, now=clock.now).teachers[0],
        "left": course.teachers[1],
    }.get(who) or getattr(course, who)
    with pytest.raises(Refused) as refused:
        invite(database, course, clock, 0, coach)
    assert refused.value.reason is Refusal.NOT_A_COLLEAGUE


def test_somebody_in_a_pair_neither_invites_nor_accepts(database: Database, course: MadeCourse, clock: Any) -> None:
    received = invite(database, course, clock, 2, 1)
    accept(database, clock, invite(database, course, clock, 0, 1))
    for host in (0, 1):
        with pytest.raises(Refused) as refused:
            invite(database, course, clock, host, 3)
        assert refused.value.reason is Refusal.IN_PAIR
    with pytest.raises(Refused) as refused:
        accept(database, clock, received)
    assert refused.value.reason is Refusal.IN_PAIR
    assert open_for(database, course, clock, 1).received, "it can be answered later"


@pytest.mark.parametrize("end", ["withdrawn", "declined", "expired", "lapsed", "host left", "host leads"])
def test_what_is_no_longer_open_cannot_be_accepted(
    database: Database, course: MadeCourse, clock: Any, end: str
) -> None:
    invitation = invite(database, course, clock, 0, 1)
    if end in ("expired", "lapsed"):
        clock.advance(OPEN_FOR.total_seconds())
    with database.write() as session:
        if end == "withdrawn":
            service.withdraw(session, invitation, clock.now)
        elif end == "declined":
            service.decline(session, invitation, clock.now)
        elif end == "lapsed":
            assert service.lapse_due(session, clock.now) == 1
        elif end.startswith("host"):
            changed = {"is_active": False} if end == "host left" else {"is_leader": True}
            session.execute(update(Membership).where(Membership.id == course.teachers[0]).values(**changed))
    with pytest.raises(Refused) as refused:
        accept(database, clock, invitation)
    assert refused.value.reason is Refusal.NOT_OPEN
    assert pair_of(database, course, 0) is None
    assert not open_for(database, course, clock, 1).received


def test_an_invitation_lapses_exactly_when_its_time_is_over(database: Database, course: MadeCourse, clock: Any) -> None:
    invitation = invite(database, course, clock, 0, 1)
    clock.advance(OPEN_FOR.total_seconds() - 1)
    with database.write() as session:
        assert service.lapse_due(session, clock.now) == 0
    clock.advance(1)
    before = open_for(database, course, clock, 0)
    with database.write() as session:
        assert service.lapse_due(session, clock.now) == 1
        assert service.lapse_due(session, clock.now) == 0
    assert open_for(database, course, clock, 0) == before
    assert [sent.look for sent in before.sent] == ["not_taken_up"]
    assert status(database, invitation) == "lapsed"
    clock.advance(REMEMBERED_FOR.total_seconds())
    assert not open_for(database, course, clock, 0).sent


def test_lapsing_forgets_that_somebody_declined(database: Database, course: MadeCourse, clock: Any) -> None:
    waits, declined = invite(database, course, clock, 0, 1), invite(database, course, clock, 0, 2)
    clock.advance(60)
    with database.write() as session:
        service.decline(session, declined, clock.now)
    clock.advance(OPEN_FOR.total_seconds())
    with database.write() as session:
        service.lapse_due(session, clock.now)
    columns = [column for column in Invitation.__table__.columns if column.name not in ("id", "coach_id")]
    with database.read() as session:
        one, other = (
            session.execute(select(*columns).where(Invitation.id == each)).one() for each in (waits, declined)
        )
    assert one == other


def test_a_pause_is_the_pausing_members_own(database: Database, course: MadeCourse, clock: Any) -> None:
    pair_id = accept(database, clock, invite(database, course, clock, 0, 1))
    mine, theirs = course.teachers[:2]

    def change(what: Callable[..., None], who: str) -> str:
        with database.write() as session:
            what(session, pair_id, who, clock.now)
        found = pair_of(database, course, 0)
        assert found is not None
        return found.status

    assert change(service.pause_pair, mine) == "paused"
    assert change(service.resume_pair, theirs) == "paused", "nobody is taken out of their pause by another"
    assert change(service.pause_pair, theirs) == "paused"
    assert change(service.resume_pair, mine) == "paused"
    assert change(service.resume_pair, theirs) == "active"
    with database.read() as session:
        assert session.scalars(select(Cycle.status)).all() == ["running"]


def test_a_new_partner_ends_the_paused_pair_for_both(database: Database, course: MadeCourse, clock: Any) -> None:
    old = accept(database, clock, invite(database, course, clock, 0, 1))
    with database.write() as session:
        service.pause_pair(session, old, course.teachers[0], clock.now)
    new = accept(database, clock, invite(database, course, clock, 0, 2))
    now_of = [pair_of(database, course, teacher) for teacher in range(3)]
    assert [found.id if found else None for found in now_of] == [new, None, new]
    with database.read() as session:
        states = dict(session.execute(select(Cycle.pair_id, Cycle.status)).all())
    assert states == {old: "stopped", new: "running"}
    with database.write() as session:
        service.resume_pair(session, old, course.teachers[0], clock.now)
        service.pause_pair(session, old, course.teachers[1], clock.now)
        assert session.scalars(select(Pair.status).where(Pair.id == old)).one() == "ended", "an end is an end"


def test_going_on_after_a_pause_ends_the_search(database: Database, course: MadeCourse, clock: Any) -> None:
    pair_id = accept(database, clock, invite(database, course, clock, 0, 1))
    with database.write() as session:
        service.pause_pair(session, pair_id, course.teachers[0], clock.now)
    sent = invite(database, course, clock, 1, 3)
    with database.write() as session:
        service.resume_pair(session, pair_id, course.teachers[0], clock.now)
    assert status(database, sent) == "withdrawn"


def test_the_database_itself_refuses_a_second_current_pair(database: Database, course: MadeCourse, clock: Any) -> None:
    accept(database, clock, invite(database, course, clock, 0, 1))
    with pytest.raises(Exception, match=r"(?i)unique"), database.write() as session:
        other = Pair(activity_id=course.activity_id, created_at=clock.now)
        session.add(other)
        session.flush()
        session.add(PairMember(pair_id=other.id, activity_id=course.activity_id, membership_id=course.teachers[0]))


def at_once(*tasks: Callable[[], object]) -> list[object]:
    """Runs the tasks in threads that begin together; their results or errors, in order."""
    barrier = threading.Barrier(len(tasks))
    results: list[object] = [None] * len(tasks)

    def run(number: int, task: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[number] = task()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("crossed", [False, True])
def test_two_who_accept_at_the_same_moment_give_one_pair(
    database: Database, course: MadeCourse, clock: Any, crossed: bool
) -> None:
    for _ in range(5):
        first = invite(database, course, clock, 0, 1)
        second = invite(database, course, clock, 1, 0) if crossed else invite(database, course, clock, 0, 2)
        results = at_once(lambda i=first: accept(database, clock, i), lambda i=second: accept(database, clock, i))
        pairs = [result for result in results if isinstance(result, str)]
        refusals = [result for result in results if isinstance(result, Refused)]
        assert len(set(pairs)) == 1, results
        # Two who said yes to each other agree; of two different colleagues one comes too late.
        assert [refusal.reason for refusal in refusals] == ([] if crossed else [Refusal.NOT_OPEN]), results
        with database.write() as session:
            service.end_pair(session, pairs[0], clock.now)
        clock.advance(1)


def test_a_withdrawal_and_an_acceptance_at_the_same_moment_agree(
    database: Database, course: MadeCourse, clock: Any
) -> None:
    for _ in range(5):
        invitation = invite(database, course, clock, 0, 1)

        def withdraw(invitation: str = invitation) -> None:
            with database.write() as session:
                service.withdraw(session, invitation, clock.now)

        result, _nothing = at_once(lambda i=invitation: accept(database, clock, i), withdraw)
        pair = pair_of(database, course, 0)
        if isinstance(result, Refused):
            assert status(database, invitation) == "withdrawn" and pair is None
        else:
            assert status(database, invitation) == "accepted" and pair is not None
            with database.write() as session:
                service.end_pair(session, pair.id, clock.now)
        clock.advance(1)


def test_paused_pairs_of_four_people_change_at_once_without_a_deadlock(
    database: Database, course: MadeCourse, clock: Any
) -> None:
    for one, other in ((0, 1), (2, 3)):
        pair_id = accept(database, clock, invite(database, course, clock, one, other))
        with database.write() as session:
            service.pause_pair(session, pair_id, course.teachers[one], clock.now)
    crossing = [invite(database, course, clock, 0, 3), invite(database, course, clock, 2, 1)]
    results = at_once(*(lambda i=each: accept(database, clock, i) for each in crossing))
    assert all(isinstance(result, str) for result in results), results
    assert pair_of(database, course, 0) == pair_of(database, course, 3) != pair_of(database, course, 2)
