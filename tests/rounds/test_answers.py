"""Answers to proposals, against the database."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from factories import MadeCourse, make_course
from home.placed import add_activity
from rounds.proposed import asked, keyring_of, reviewed
from sqlalchemy import select, update

from lti_tool.ownership.erasure import erase
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.people.models import Membership
from lti_tool.rounds import answers
from lti_tool.rounds.models import Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import Settings, Why
from lti_tool.rounds.setting import keep
from lti_tool.store.database import Database

DAY = timedelta(days=1)


class Round:
    """A pairing round with six teachers."""

    def __init__(self, database: Database, clock: Any) -> None:
        self.database, self.clock = database, clock
        self.course: MadeCourse = make_course(database, teachers=6, now=clock.now)
        self.id = add_activity(database, self.course, clock.now, title="Partners", kind="pairing")
        self.teachers = self.course.teachers

    def asked(self, *groups: tuple[int, ...], **more: Any) -> list[str]:
        return asked(
            self.database,
            self.id,
            [[self.teachers[each] for each in group] for group in groups],
            self.clock.now,
            **more,
        )

    def says(self, proposal_id: str, teacher: int, said: str) -> str:
        with self.database.write() as session:
            return answers.answer(session, proposal_id, self.teachers[teacher], said, self.clock.now)

    def mine(self, teacher: int) -> answers.Mine:
        with self.database.read() as session:
            return answers.mine(session, self.teachers[teacher], self.id, self.clock.now)

    def pair(self, teacher: int) -> pairing.PairView | None:
        with self.database.read() as session:
            return pairing.current_pair(session, self.teachers[teacher], self.id)

    def lapse(self) -> int:
        with self.database.write() as session:
            return answers.lapse_due(session, self.clock.now)

    def column(self, column: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.scalars(select(column)))

    def pairs_up(self, host: int, coach: int) -> str:
        """By an invitation."""
        ids = {"host_id": self.teachers[host], "coach_id": self.teachers[coach]}
        with self.database.write() as session:
            pairing.invite(session, course_id=self.course.course_id, activity_id=self.id, now=self.clock.now, **ids)
            (invitation,) = session.scalars(select(Invitation.id).filter_by(status="open", **ids))
            return pairing.accept(session, invitation, self.clock.now)


@pytest.fixture
def round_(database: Database, clock: Any) -> Round:
    return Round(database, clock)


def test_who_is_asked_sees_it_until_the_time_is_over(round_: Round, clock: Any) -> None:
    with round_.database.write() as session:
        keep(session, round_.id, Settings(days=5))
    (proposal,) = round_.asked((0, 1))
    found = round_.mine(0).asked
    assert found is not None and found.id == proposal and found.answer == ""
    assert [each.membership_id for each in found.others] == [round_.teachers[1]]
    assert found.answer_by == clock.now + 5 * DAY
    assert round_.mine(2) == answers.Mine()
    clock.now += 5 * DAY
    assert round_.mine(0).asked is None, "also while the worker is late"


def test_drafts_are_seen_by_nobody_and_a_run_is_published_once(round_: Round, clock: Any) -> None:
    run_id, (proposal,) = reviewed(round_.database, round_.id, [round_.teachers[:2]], clock.now)
    assert round_.mine(0).asked is None
    with round_.database.write() as session:
        assert answers.facts(session, proposal) is None
        assert answers.publish(session, keyring_of(round_.database), run_id, clock.now)
        assert not answers.publish(session, keyring_of(round_.database), run_id, clock.now + DAY)
    found = round_.mine(0).asked
    assert found is not None and found.answer_by == clock.now + 14 * DAY


def test_nobody_is_asked_who_found_a_partner_or_left_before(round_: Round, clock: Any) -> None:
    groups = [round_.teachers[:2], round_.teachers[2:4], round_.teachers[4:6]]
    run_id, _proposals = reviewed(round_.database, round_.id, groups, clock.now)
    with round_.database.write() as session:
        session.execute(update(Membership).where(Membership.id == round_.teachers[2]).values(is_leader=True))
    round_.pairs_up(4, 0)
    with round_.database.write() as session:
        answers.publish(session, keyring_of(round_.database), run_id, clock.now)
    assert round_.column(Proposal.status) == [], "of each pair one is not free"


@pytest.mark.parametrize("group", [(0, 1), (0, 1, 2)])
def test_they_begin_at_once_when_all_have_said_yes(round_: Round, group: tuple[int, ...]) -> None:
    (proposal,) = round_.asked(group)
    with round_.database.write() as session:
        pairing.invite(
            session,
            host_id=round_.teachers[0],
            coach_id=round_.teachers[5],
            course_id=round_.course.course_id,
            activity_id=round_.id,
            now=round_.clock.now,
        )
    *first, last = group
    for each in first:
        assert round_.says(proposal, each, "yes") == "kept"
        assert round_.pair(each) is None
    assert round_.says(proposal, last, "yes") == "paired"
    assert round_.says(proposal, last, "yes") == "paired", "a double tap"
    found = round_.pair(0)
    assert found is not None and set(found.facts.membership_ids) == {round_.teachers[each] for each in group}
    assert round_.column(Proposal.status) == ["paired"] and round_.column(Proposal.pair_id) == [found.id]
    assert round_.column(Invitation.status) == ["withdrawn"]
    assert set(round_.column(ProposalMember.why)) == {None}
    round_.lapse()
    assert round_.column(RoundRun.status) == ["over"]
    assert round_.column(ProposalMember.answer) == ["yes"] * len(group)


@pytest.mark.parametrize("said", ["another", "pause", ""])
def test_anything_else_lapses_alike_and_is_forgotten(round_: Round, clock: Any, said: str) -> None:
    (proposal,) = round_.asked((0, 1))
    round_.says(proposal, 0, "yes")
    before = round_.mine(0)
    if said:
        assert round_.says(proposal, 1, said) == "kept"
    assert round_.mine(0) == before
    clock.now += 14 * DAY - timedelta(seconds=1)
    assert round_.lapse() == 0 and round_.mine(0) == before
    clock.now += timedelta(seconds=1)
    assert round_.says(proposal, 1, "yes") == "over"
    assert round_.lapse() == 1
    assert round_.column(ProposalMember.answer) == ["", ""] and round_.column(ProposalMember.why) == [None, None]
    assert round_.column(Proposal.status) == ["lapsed"] and round_.column(RoundRun.status) == ["over"]
    assert round_.says(proposal, 1, "yes") == "over" and round_.pair(0) is None


def test_an_answer_can_be_changed_until_all_have_said_yes(round_: Round) -> None:
    (proposal,) = round_.asked((0, 1))
    for said in ("another", "yes", "pause"):
        assert round_.says(proposal, 0, said) == "kept"
        found = round_.mine(0).asked
        assert found is not None and found.answer == said
    assert round_.says(proposal, 1, "yes") == "kept"
    assert round_.says(proposal, 0, "yes") == "paired"


def test_a_yes_to_somebody_who_found_a_partner_or_left_leads_to_nothing(round_: Round) -> None:
    found_another, left = round_.asked((0, 1), (2, 3))
    for proposal, one in ((found_another, 1), (left, 3)):
        round_.says(proposal, one, "yes")
    round_.pairs_up(1, 4)
    with round_.database.write() as session:
        session.execute(update(Membership).where(Membership.id == round_.teachers[3]).values(is_active=False))
    before = round_.mine(0), round_.mine(2)
    for proposal, other in ((found_another, 0), (left, 2)):
        assert round_.says(proposal, other, "yes") == "kept"
        assert round_.pair(other) is None
    after = round_.mine(0), round_.mine(2)
    assert [each.asked and each.asked.others for each in after] == [each.asked and each.asked.others for each in before]


def test_a_paused_pair_ends_with_a_yes_of_all(round_: Round) -> None:
    (proposal,) = round_.asked((0, 1))
    paused = round_.pairs_up(0, 2)
    with round_.database.write() as session:
        pairing.pause_pair(session, paused, round_.teachers[0], round_.clock.now)
    round_.says(proposal, 0, "yes")
    assert round_.says(proposal, 1, "yes") == "paired"
    with round_.database.read() as session:
        assert session.scalars(select(Pair.status).where(Pair.id == paused)).one() == "ended"


def test_two_yes_at_the_same_moment_make_one_pair(round_: Round) -> None:
    (proposal,) = round_.asked((0, 1, 2))
    ready, became = threading.Barrier(3), []

    def say(teacher: int) -> None:
        ready.wait()
        became.append(round_.says(proposal, teacher, "yes"))

    threads = [threading.Thread(target=say, args=(teacher,)) for teacher in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(became) == ["kept", "kept", "paired"]
    assert round_.column(Pair.status) == ["active"] and len(round_.column(PairMember.id)) == 3


def test_why_is_read_by_its_member_while_it_is_open(round_: Round, clock: Any) -> None:
    why = Why(wanted=((round_.teachers[0], round_.teachers[1], "questions"),), talks=2)
    round_.asked((0, 1), why=why)
    found = round_.mine(1).asked
    assert found is not None
    with round_.database.read() as session:
        read = answers.why(session, keyring_of(round_.database), found, round_.teachers[1], clock.now)
    assert read == why


def test_who_was_left_is_told_of_the_last_run_alone_and_not_for_ever(round_: Round, clock: Any) -> None:
    round_.asked((0, 1), left={round_.teachers[4]: "triad", round_.teachers[5]: ""})
    assert [round_.mine(each).helps for each in (0, 4, 5)] == [None, "triad", ""]
    clock.now += 20 * DAY
    round_.lapse()
    assert round_.mine(4).helps == "triad"
    round_.asked((0, 4), left={round_.teachers[5]: "period"})
    assert [round_.mine(each).helps for each in (4, 5)] == [None, "period"]
    clock.now += 14 * DAY + answers.REMEMBERED_FOR
    round_.lapse()
    round_.lapse()
    assert round_.column(RoundLeft.helps) == []


def test_what_was_calculated_goes_with_its_key_when_a_run_is_over(round_: Round, clock: Any) -> None:
    round_.asked((0, 1))
    keyring = keyring_of(round_.database)
    (run_id,) = round_.column(RoundRun.id)
    for days, kept in ((1, True), (14, False)):
        clock.now += days * DAY
        round_.lapse()
        with round_.database.write() as session:
            answers.forget_over(session, keyring, clock.now)
            assert (run_id in keyring.opened(session, run_id, clock.now)) is kept
        assert round_.column(RoundRun.problem) != [None] if kept else round_.column(RoundRun.problem) == [None]


def test_a_person_takes_their_own_answers_along_and_those_of_nobody_else(round_: Round, clock: Any) -> None:
    def taken(teacher: int) -> list[dict[str, Any]]:
        with round_.database.read() as session:
            person = session.scalars(
                select(Membership.person_id).where(Membership.id == round_.teachers[teacher])
            ).one()
            return answers.of_person(session, person, clock.now)

    (proposal,) = round_.asked((0, 1, 2), left={round_.teachers[3]: "joins"})
    before = taken(0)
    assert [(each["with"], each["became"], each["you_answered"]) for each in before] == [("Gráinne, Seán", "open", "")]
    round_.says(proposal, 1, "another")
    assert taken(0) == before and [each["you_answered"] for each in taken(1)] == ["another"]
    assert taken(3)[0]["would_help"] == "joins" and taken(4) == []
    clock.now += 14 * DAY
    late = taken(1)
    round_.lapse()
    assert taken(1) == late and late[0]["became"] == "lapsed" and late[0]["you_answered"] == ""


def test_who_is_erased_is_in_no_proposal_any_more(round_: Round, clock: Any) -> None:
    why = Why(wanted=((round_.teachers[1], round_.teachers[0], "questions"),))
    two, three = round_.asked((0, 1), (2, 3, 4), why=why)
    round_.says(three, 3, "yes")
    keyring = keyring_of(round_.database)
    with round_.database.write() as session:
        for teacher in (1, 4):
            person = session.scalars(
                select(Membership.person_id).where(Membership.id == round_.teachers[teacher])
            ).one()
            erase(session, keyring, person, clock.now)
    assert round_.mine(0) == answers.Mine()
    assert round_.says(two, 0, "yes") == "kept" and round_.pair(0) is None
    found = round_.mine(2).asked
    assert found is not None and found.sealed_why is None and len(found.others) == 1
    assert round_.says(three, 2, "yes") == "paired", "the two who are left have both said yes"
    clock.now += 14 * DAY
    assert round_.lapse() == 1
