"""A round calculated from what teachers said, by the worker and its database; stopped, killed, and calculated again."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from conftest import Clock
from rounds.rounds_school import MadeRound, make_round
from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.exc import OperationalError

from lti_tool import worker
from lti_tool.cycles import going_on
from lti_tool.cycles.models import StepWish
from lti_tool.matching.check import check
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership
from lti_tool.privacy.keyring import Keyring
from lti_tool.rounds import answers, calculation, setting, solving, wishes
from lti_tool.rounds.models import LineManager, Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import TOPICS, Settings, Summary, Why, Wish
from lti_tool.settings import Settings as ToolSettings
from lti_tool.store import jobs
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

IN = Wish(is_in=True)


@dataclass
class School:
    """A round, and what happens in it."""

    database: Database
    keyring: Keyring
    clock: Clock
    made: MadeRound

    @property
    def teachers(self) -> tuple[str, ...]:
        return self.made.teachers

    def say(self, *said: tuple[str, Wish]) -> None:
        with self.database.write() as session:
            for member, wish in said:
                wishes.say(session, self.keyring, member, self.made.activity_id, wish, self.clock())

    def choose(self, **chosen: Any) -> None:
        with self.database.write() as session:
            setting.keep(session, self.made.activity_id, Settings(**chosen))

    def ask(self) -> str:
        with self.database.write() as session:
            return calculation.ask(session, self.made.activity_id, self.clock())

    def run(self, run_id: str) -> None:
        calculation.run({"run_id": run_id}, database=self.database, keyring=self.keyring, clock=self.clock)

    def calculate(self, seed: int = 1) -> str:
        run_id = self.ask()
        with self.database.write() as session:
            session.execute(update(RoundRun).where(RoundRun.id == run_id).values(seed=seed))
        self.run(run_id)
        return run_id

    def row(self, run_id: str) -> RoundRun:
        with self.database.read() as session:
            return session.get_one(RoundRun, run_id)

    def summary(self, run_id: str) -> Summary:
        return Summary.of(self.row(run_id).summary)

    def groups(self, run_id: str, status: str = "draft") -> set[frozenset[str]]:
        with self.database.read() as session:
            rows = session.execute(
                select(Proposal.id, ProposalMember.membership_id)
                .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
                .where(Proposal.run_id == run_id, Proposal.status == status)
            ).all()
        return {frozenset(member for id_, member in rows if id_ == group) for group, _ in rows}

    def left(self, run_id: str) -> dict[str, str]:
        with self.database.read() as session:
            rows = session.execute(
                select(RoundLeft.membership_id, RoundLeft.helps).where(RoundLeft.run_id == run_id)
            ).all()
        return {row.membership_id: row.helps for row in rows}

    def stored(self, run_id: str) -> Any:
        with self.database.read() as session:
            return calculation.stored(session, self.keyring, run_id, self.clock())

    def drop(self, run_id: str) -> None:
        with self.database.write() as session:
            session.execute(delete(Proposal).where(Proposal.run_id == run_id))
            session.execute(update(RoundRun).where(RoundRun.id == run_id).values(status="dropped"))

    def publish(self, run_id: str) -> None:
        with self.database.write() as session:
            answers.publish(session, self.keyring, run_id, self.clock())

    def lapse(self) -> None:
        self.clock.advance(15 * 24 * 3600)
        with self.database.write() as session:
            answers.lapse_due(session, self.clock())

    def answer(self, member: str, said: str) -> None:
        with self.database.read() as session:
            asked = answers.mine(session, member, self.made.activity_id, self.clock()).asked
        assert asked
        with self.database.write() as session:
            answers.answer(session, asked.id, member, said, self.clock())

    def pair(self, *members: str) -> str:
        with self.database.write() as session:
            made = pairing.pair_up(session, members, self.made.activity_id, self.clock())
        assert made
        return made


@pytest.fixture
def keyring(settings: ToolSettings, database: Database) -> Keyring:
    return Keyring.of(settings, database)


@pytest.fixture
def found(database: Database, keyring: Keyring, clock: Clock) -> Callable[[int], School]:
    return lambda teachers: School(database, keyring, clock, make_round(database, clock(), teachers=teachers))


def drawn(rnd: random.Random, members: tuple[str, ...]) -> list[tuple[str, Wish]]:
    """What a course says: most want a partner, some said no, and some nothing."""
    said = []
    for member in members:
        if rnd.random() < 0.1:
            continue
        others = tuple(rnd.sample([each for each in members if each != member], 2))
        said.append(
            (
                member,
                Wish(
                    is_in=rnd.random() < 0.9,
                    wants=tuple(rnd.sample(TOPICS, rnd.randint(0, 4))),
                    offers=tuple(rnd.sample(TOPICS, rnd.randint(0, 4))),
                    focus=rnd.choice(("", *TOPICS[:4])),
                    languages=rnd.choice(((), ("en",), ("en", "ga"))),
                    same_step=rnd.random() < 0.1,
                    not_with=others if rnd.random() < 0.15 else (),
                ),
            )
        )
    return said


def test_a_course_is_calculated_and_proven(found: Callable[[int], School]) -> None:
    school = found(30)
    said = drawn(random.Random(4), school.teachers)
    school.say(*said)
    manager, *reports = school.teachers[:3]
    with school.database.write() as session:
        session.execute(
            insert(LineManager),
            [
                {"id": new_id(), "course_id": school.made.course.course_id, "manager_id": manager, "report_id": each}
                for each in reports
            ],
        )
        session.execute(
            insert(StepWish),
            [
                {"activity_id": school.made.activity_id, "membership_id": each, "step": "look"}
                for each in school.teachers[:9]
            ],
        )
    run_id = school.calculate()
    run, wish = school.row(run_id), dict(said)
    assert (run.status, run.done, run.doing) == ("review", 1000, "")
    groups, left = school.groups(run_id), school.left(run_id)
    wanting = {member for member, each in said if each.is_in}
    # Everybody who would like a partner is in exactly one place, and nobody else is anywhere.
    places = [member for group in groups for member in group] + list(left)
    assert sorted(places) == sorted(wanting) and 0 < len(wanting) < 30
    for a, b in (pair for group in groups for pair in combinations(group, 2)):
        assert b not in wish[a].not_with and a not in wish[b].not_with
        assert {a, b} not in [{manager, report} for report in reports]
        looks = {each in school.teachers[:9] for each in (a, b)}
        assert len(looks) == 1 or not (wish[a].same_step or wish[b].same_step)
    stored = school.stored(run_id)
    assert set(stored.members) == wanting
    assert {frozenset(stored.members[each] for each in pair) for pair in stored.solution.pairs} <= groups
    assert check(stored.problem, stored.solution).ok
    summary = school.summary(run_id)
    assert (summary.people, summary.left) == (len(wanting), len(left))
    assert (summary.pairs, summary.triads) == (
        sum(len(group) == 2 for group in groups),
        sum(len(group) == 3 for group in groups),
    )
    assert summary.candidates == stored.problem.pairs > 100
    # The same seed comes to the same result.
    school.drop(run_id)
    assert school.groups(school.calculate()) == groups


def test_what_members_share_is_sealed_with_each_proposal(found: Callable[[int], School]) -> None:
    school = found(2)
    one, two = school.teachers
    school.say(
        (one, Wish(True, wants=("groups",), languages=("ga",), not_with=(school.made.course.guest,))),
        (two, Wish(True, offers=("groups",), languages=("ga", "en"))),
    )
    run_id = school.calculate()
    school.publish(run_id)
    with school.database.read() as session:
        asked = answers.mine(session, one, school.made.activity_id, school.clock()).asked
        assert asked
        why = answers.why(session, school.keyring, asked, one, school.clock())
    assert why == Why(wanted=((one, two, "groups"),), languages=("ga",))


def test_a_triad_takes_in_the_odd_one_unless_the_trainer_wants_none(found: Callable[[int], School]) -> None:
    school = found(5)
    school.say(*((member, IN) for member in school.teachers))
    run_id = school.calculate()
    assert sorted(map(len, school.groups(run_id))) == [2, 3] and not school.left(run_id)
    school.drop(run_id)
    school.choose(triads=False)
    run_id = school.calculate()
    assert sorted(map(len, school.groups(run_id))) == [2, 2]
    assert list(school.left(run_id).values()) == ["triad"]


def test_former_partners_meet_again_only_where_else_somebody_is_left(found: Callable[[int], School]) -> None:
    school = found(4)
    a, b, c, d = school.teachers
    for pair in ((a, b), (c, d)):
        made = school.pair(*pair)
        with school.database.write() as session:
            pairing.end_pair(session, made, school.clock())
    much = Wish(True, wants=TOPICS[:3], offers=TOPICS[:3])
    school.say((a, much), (b, much), (c, IN), (d, IN))
    first = school.calculate()
    assert {frozenset((a, b)), frozenset((c, d))}.isdisjoint(school.groups(first))
    assert school.summary(first).again == 0
    school.drop(first)
    # Whoever may only go with a former partner does, and the other two of them are new to each other.
    school.say((a, Wish(True, not_with=(c, d))))
    needed = school.calculate()
    assert school.groups(needed) == {frozenset((a, b)), frozenset((c, d))} and school.summary(needed).again == 2
    school.drop(needed)
    school.choose(again="if_best")
    school.say((a, much))
    best = school.calculate()
    assert school.groups(best) == {frozenset((a, b)), frozenset((c, d))}
    with school.database.read() as session:
        assert set(session.scalars(select(Proposal.again).where(Proposal.run_id == best))) == {True}


def test_pairs_and_open_proposals_stay_and_latecomers_are_calculated_next(found: Callable[[int], School]) -> None:
    school = found(8)
    school.pair(*school.teachers[:2])
    school.say(*((member, IN) for member in school.teachers[:4]))
    first = school.calculate()
    assert school.groups(first) == {frozenset(school.teachers[2:4])}
    school.publish(first)
    school.say(*((member, IN) for member in school.teachers[4:6]))
    school.say((school.teachers[7], Wish(False, wants=TOPICS[:2])))
    second = school.calculate()
    assert frozenset(school.teachers[2:4]) in school.groups(first, "open")
    assert school.groups(second) == {frozenset(school.teachers[4:6])}
    assert (school.summary(second).people, school.summary(second).kept) == (2, 4)


def test_what_lapsed_is_calculated_again_with_others(found: Callable[[int], School]) -> None:
    school = found(4)
    school.say(*((member, IN) for member in school.teachers))
    first = school.calculate()
    before = school.groups(first)
    school.publish(first)
    # Whoever said yes and whoever wished for another are in the next calculation alike.
    school.answer(school.teachers[0], "another")
    school.answer(school.teachers[1], "yes")
    school.lapse()
    second = school.calculate()
    after = school.groups(second)
    assert set().union(*after) == set(school.teachers) and after.isdisjoint(before)
    assert school.summary(second).again == 0


def test_the_same_two_are_asked_again_where_else_both_are_left(found: Callable[[int], School]) -> None:
    school = found(2)
    school.say(*((member, IN) for member in school.teachers))
    first = school.calculate()
    school.publish(first)
    school.lapse()
    assert school.groups(school.calculate()) == {frozenset(school.teachers)}


def test_rounds_that_are_planned_for_leave_nobody_without_a_new_partner(found: Callable[[int], School]) -> None:
    school = found(6)
    school.choose(rounds=5, again="if_needed", triads=False)
    school.say(*((member, IN) for member in school.teachers))
    met: set[frozenset[str]] = set()
    for number in range(5):
        run_id = school.calculate(seed=number)
        groups = school.groups(run_id)
        assert len(groups) == 3 and not groups & met
        if not number:
            assert school.summary(run_id).later == (0, 0, 0, 0)
        met |= groups
        school.drop(run_id)
        for group in groups:
            made = school.pair(*sorted(group))
            with school.database.write() as session:
                pairing.end_pair(session, made, school.clock())
    assert len(met) == 15


def test_who_leaves_or_has_a_trainers_role_is_not_calculated(found: Callable[[int], School]) -> None:
    school = found(5)
    school.say(*((member, IN) for member in school.teachers))
    with school.database.write() as session:
        for member, values in zip(
            school.teachers, ({"is_active": False}, {"is_leader": True}, {"lms_role": "instructor"}), strict=False
        ):
            session.execute(update(Membership).where(Membership.id == member).values(**values))
    run_id = school.calculate()
    assert set().union(*school.groups(run_id)) == set(school.teachers[3:])


def test_what_would_help_is_said_of_each_who_is_left(found: Callable[[int], School]) -> None:
    school = found(2)
    one, two = school.teachers
    # The one colleague there is does not want to be paired with them.
    school.say((one, IN), (two, Wish(True, not_with=(one,))))
    first = school.calculate()
    assert not school.groups(first) and school.left(first) == {one: "joins", two: "joins"}
    school.drop(first)
    # Both can visit each other; for a talk one of them could give a lesson away, and the other has only one.
    school.say(
        (one, Wish(True, free=("0-0",), teaching=("0-1", "0-2"))),
        (two, Wish(True, free=("0-1", "0-2"), teaching=("0-0",))),
    )
    assert school.left(school.calculate()) == {one: "period", two: "joins"}


def test_nobody_and_one_alone_are_no_error(found: Callable[[int], School]) -> None:
    school = found(2)
    run_id = school.calculate()
    assert school.row(run_id).status == "review" and not school.groups(run_id) and not school.left(run_id)
    school.drop(run_id)
    school.say((school.teachers[0], IN))
    run_id = school.calculate()
    assert school.left(run_id) == {school.teachers[0]: "joins"} and school.summary(run_id).worst is None


# Stopped, killed, broken


class Killed(BaseException):
    """As a worker that is gone: nothing of it is caught."""


def at(monkeypatch: pytest.MonkeyPatch, what: str, happens: Callable[[], None]) -> None:
    """Lets something happen the first time when the calculation is at `what`, and has every word of it written."""
    monkeypatch.setattr(calculation, "_TOLD_EVERY", 0)
    tell = calculation._Attempt.tell
    happened = []

    def told(self: Any, doing: str, share: float) -> None:
        if doing == what and not happened:
            happened.append(1)
            happens()
        tell(self, doing, share)

    monkeypatch.setattr(calculation._Attempt, "tell", told)


@pytest.mark.parametrize("what", ["build", "check", "store"])
def test_it_stops_when_it_is_asked_to(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    school = found(6)
    school.say(*((member, IN) for member in school.teachers))
    run_id = school.ask()

    def stop() -> None:
        with school.database.write() as session:
            calculation.stop(session, run_id)

    at(monkeypatch, what, stop)
    school.run(run_id)
    run = school.row(run_id)
    assert (run.status, run.summary, run.problem, run.proof) == ("stopped", {}, None, None)
    assert not school.groups(run_id) and not school.left(run_id)
    # Stopping is not for results; and the round can be calculated again.
    again = school.calculate()
    with school.database.write() as session:
        calculation.stop(session, again)
    assert school.row(again).status == "review" and school.row(again).number == 2


def test_one_calculation_of_a_round_at_a_time(found: Callable[[int], School]) -> None:
    school = found(2)
    run_id = school.ask()
    with pytest.raises(calculation.AlreadyCurrent) as refused:
        school.ask()
    assert refused.value.run_id == run_id
    school.run(run_id)
    with pytest.raises(calculation.AlreadyCurrent):
        school.ask()
    school.publish(run_id)
    assert school.row(school.ask()).number == 2


def test_it_says_how_far_it_is(found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch) -> None:
    school = found(6)
    school.say(*((member, IN) for member in school.teachers))
    run_id, seen = school.ask(), []
    tell = calculation._Attempt.tell

    def told(self: Any, doing: str, share: float) -> None:
        tell(self, doing, share)
        row = school.row(run_id)
        seen.append((row.done, row.doing))

    monkeypatch.setattr(calculation, "_TOLD_EVERY", 0)
    monkeypatch.setattr(calculation._Attempt, "tell", told)
    school.run(run_id)
    assert [done for done, _doing in seen] == sorted(done for done, _doing in seen)
    assert {"build", "left", "total", "check", "store"} <= {doing for _done, doing in seen} <= set(calculation._SHARES)
    # Where it is done before it is time to say something, nothing of it is written.
    monkeypatch.undo()
    monkeypatch.setattr(calculation, "_TOLD_EVERY", 60)
    school.drop(run_id)
    run_id = school.ask()
    with statements(school.database) as noted:
        school.run(run_id)
    assert sum(each.startswith("UPDATE round_runs") for each in noted) == 2


def test_each_thing_that_the_search_tells_has_a_place_and_words(found: Callable[[int], School]) -> None:
    school = found(7)
    school.choose(rounds=2)
    school.say(*((member, IN) for member in school.teachers))
    told: set[str] = set()
    with school.database.read() as session:
        everybody = calculation.people.read(session, school.keyring, school.made.activity_id, school.clock())
    solving.find(everybody, 1, lambda key, _share: told.add(key))
    assert {"left", "total", "triad", "plan", "check"} <= told <= {*calculation._SHARES, "reading"}


def test_what_has_not_begun_is_stopped_at_once(found: Callable[[int], School]) -> None:
    school = found(2)
    run_id = school.ask()
    with school.database.write() as session:
        calculation.stop(session, run_id)
    assert school.row(run_id).status == "stopped"
    school.run(run_id)
    assert school.row(run_id).status == "stopped"


@pytest.mark.parametrize("what", ["build", "store"])
def test_a_killed_worker_leaves_nothing_and_another_begins_again(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    school = found(6)
    school.say(*((member, IN) for member in school.teachers))
    run_id = school.ask()

    def kill() -> None:
        raise Killed

    at(monkeypatch, what, kill)
    with pytest.raises(Killed):
        school.run(run_id)
    assert school.row(run_id).status == "working" and not school.groups(run_id)
    school.run(run_id)
    assert school.row(run_id).status == "review" and len(school.groups(run_id)) == 3
    # A job that is done twice changes nothing.
    before = school.groups(run_id)
    school.run(run_id)
    assert school.groups(run_id) == before


@pytest.mark.parametrize("what", ["build", "store"])
def test_of_two_workers_only_the_one_that_began_last_stores(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    school = found(6)
    school.say(*((member, IN) for member in school.teachers))
    run_id = school.ask()
    at(monkeypatch, what, lambda: school.run(run_id))
    school.run(run_id)
    assert school.row(run_id).status == "review" and len(school.groups(run_id)) == 3
    assert school.stored(run_id) is not None


def test_one_that_kills_its_workers_is_given_up(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch
) -> None:
    school = found(2)
    run_id = school.ask()

    def kill(*_args: Any) -> None:
        raise Killed

    monkeypatch.setattr(calculation, "find", kill)
    for _attempt in range(calculation.MAX_ATTEMPTS):
        with pytest.raises(Killed):
            school.run(run_id)
    school.run(run_id)
    run = school.row(run_id)
    assert (run.status, run.doing, run.summary) == ("failed", "gave_up", {})


def test_a_run_that_no_worker_will_do_has_failed(found: Callable[[int], School]) -> None:
    school = found(2)
    run_id = school.ask()
    school.clock.advance(60)
    with school.database.write() as session:
        assert calculation.look_after(session, school.clock()) == 0
        session.execute(delete(jobs.Job).where(jobs.Job.key == run_id))
        assert calculation.look_after(session, school.clock()) == 1
    assert (school.row(run_id).status, school.row(run_id).doing) == ("failed", "gave_up")


def test_a_long_calculation_keeps_its_lease(found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch) -> None:
    school = found(4)
    school.say(*((member, IN) for member in school.teachers))
    run_id = school.ask()
    second = []

    def later() -> None:
        # Nine minutes after the last word, and so a lease later than it began, another worker looks for work.
        school.clock.advance(9 * 60)
        second.append(jobs.run_due(school.database, kinds, (), school.clock))

    kinds = {calculation.JOB: lambda payload: school.run(str(payload["run_id"]))}
    monkeypatch.setattr(calculation, "_TOLD_EVERY", 0)
    tell = calculation._Attempt.tell

    def told(self: Any, doing: str, share: float) -> None:
        later()
        tell(self, doing, share)

    monkeypatch.setattr(calculation._Attempt, "tell", told)
    assert jobs.run_due(school.database, kinds, (), school.clock) == 1
    assert len(second) >= 2 and set(second) == {0}
    assert school.row(run_id).status == "review"


def test_a_solution_that_does_not_check_is_never_kept(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch
) -> None:
    school = found(4)
    school.say(*((member, IN) for member in school.teachers))

    class Refused:
        ok = False

    monkeypatch.setattr(solving, "check", lambda *_: Refused)
    run_id = school.calculate()
    assert (school.row(run_id).status, school.row(run_id).doing) == ("failed", "not_proven")
    assert not school.groups(run_id) and school.row(run_id).problem is None


def test_what_is_not_foreseen_fails_the_run_and_not_the_worker(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    school = found(2)

    def broken(*_args: Any) -> None:
        raise ValueError("Canaryology")

    monkeypatch.setattr(calculation, "find", broken)
    run_id = school.calculate()
    assert (school.row(run_id).status, school.row(run_id).doing) == ("failed", "broken")
    # The log says where it happened, and nothing of what somebody may have said.
    logged = "".join(capfd.readouterr())
    assert "round_failed" in logged and "test_calculation.py" in logged and "Canaryology" not in logged

    def away(*_args: Any) -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(calculation, "find", away)
    run_id = school.ask()
    with pytest.raises(OperationalError):
        school.run(run_id)
    assert school.row(run_id).status == "working"


# What it tells, and costs


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    noted: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        noted.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_the_statements_are_as_many_for_a_hundred_people(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calculation, "_TOLD_EVERY", 60)
    counts = []
    for people in (4, 100):
        school = found(people)
        school.say(*((member, IN) for member in school.teachers))
        run_id = school.ask()
        with statements(school.database) as noted:
            school.run(run_id)
        assert len(school.groups(run_id)) == people // 2
        counts.append(len(noted))
    assert counts[0] == counts[1] < 25


def test_vetoes_and_what_was_said_are_nowhere_in_clear(
    found: Callable[[int], School], monkeypatch: pytest.MonkeyPatch, settings: ToolSettings
) -> None:
    school = found(6)
    unloved = school.teachers[1]
    school.say(
        (school.teachers[0], Wish(True, subject="Canaryology", not_with=(unloved,))),
        *((member, Wish(True, subject="Canaryology")) for member in school.teachers[1:]),
    )
    run_id = school.calculate()
    assert {school.teachers[0], unloved} not in school.groups(run_id)
    run = school.row(run_id)
    told = json.dumps(run.summary) + run.doing
    with school.database.read() as session:
        sealed = [run.problem, run.proof, *session.scalars(select(ProposalMember.why))]
    for text in ("Canaryology", unloved, school.teachers[0]):
        assert text not in told
        assert all(each is not None and text.encode() not in each for each in sealed)
    school.keyring.shred(run_id, run_id, school.clock())
    assert school.stored(run_id) is None


def test_the_worker_does_it(found: Callable[[int], School], app: Any) -> None:
    school = found(4)
    school.say(*((member, IN) for member in school.teachers))
    run_id = school.ask()
    tool = app.extensions["meitheal"]
    kinds = worker.handlers(school.database, tool.lti, tool.keyring, school.clock)
    assert jobs.run_due(school.database, kinds, (), school.clock) == 1
    assert school.row(run_id).status == "review"


def test_three_go_together_only_where_all_of_them_go_all_the_way(found: Callable[[int], School]) -> None:
    """A triad always is full coaching: nobody is put into one who said that they would not go so far."""
    school = found(3)
    school.say(*((member, IN) for member in school.teachers[:3]))
    run_id = school.calculate()
    assert [len(group) for group in school.groups(run_id)] == [3]
    school.drop(run_id)
    with school.database.write() as session:
        going_on.say_step(session, school.teachers[0], school.made.activity_id, "look")
        going_on.say_step(session, school.teachers[1], school.made.activity_id, "full")
    run_id = school.calculate()
    assert [len(group) for group in school.groups(run_id)] == [2]
    stored = school.stored(run_id)
    assert [stored.members[each] for each in np.flatnonzero(stored.problem.no_triad)] == [school.teachers[0]]
    assert set(school.left(run_id).values()) <= {"joins", ""}
