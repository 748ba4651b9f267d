"""Nobody learns what somebody answered, or said for a round: two worlds that differ in it alone look the same to all.

Every page of everybody else is compared, byte for byte, with its status and the statements behind it: of the partner in
the proposal, another teacher, a facilitator, the trainer, a guest Instructor, the leader of the school and the
administrator; the addresses come from the routing table, so that a new page is in the comparison by itself.

What cannot be hidden:
- From the partner: that not all have said yes. Until the time is over they know no more than that, afterwards neither.
- From the trainer: who has a partner and who has none, now; who is in a calculation and who is not (a pause, as anybody
  who would like no partner, is in none), and which pairs it came to. Two calculations with different words of teachers
  between them may come to different pairs; a change of them does not say whose words, or which.
- From the trainer who moves people before anybody is asked: what each of a few others would cost all, which comes from
  all that all said. One in four of the possible ones is never offered, by a draw that nobody can repeat, nor anybody
  with whom more people would be left out: who is missing there need not have asked not to be paired with somebody.
- From whoever asks "why not with X": what that would cost all, by what was calculated. It is worked out in the same way
  whatever forbids it, and about who is in no calculation as about one who is (test_why_not.py).
- From whoever runs the server: the rows while they live; what was said is sealed, and goes with its keys.
- Time to answer: the statements are the same; a difference below what a network adds was not measured.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from factories import MadeCourse, make_course
from home.placed import add_activity
from pairing.two_worlds import Fork, World, assert_same
from rounds.proposed import asked, keyring_of
from sqlalchemy import select

from lti_tool.activities.models import ActivityFacilitator
from lti_tool.cycles import going_on
from lti_tool.rounds import calculation, wishes
from lti_tool.rounds.models import Proposal, ProposalMember, RoundRun
from lti_tool.rounds.rules import TOPICS, Summary, Why, Wish
from lti_tool.store.database import Database

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
A, B, C, D, E, FACILITATOR = range(6)
FILLED = {"handle", "run_id", "membership_id", "proposal_id"}
Worlds = Callable[[Callable[[Database, MadeCourse], None]], Any]


@pytest.fixture
def worlds(tmp_path: Path, _empty_sqlite: bytes) -> Worlds:
    """Makes two worlds with a round of six teachers, one of whom facilitates it too, after `prepare`."""

    def make(prepare: Callable[[Database, MadeCourse], None], database: Database) -> MadeCourse:
        course = make_course(database, teachers=6, now=NOW)
        activity = add_activity(database, course, NOW, title="Partners", kind="pairing")
        add_activity(database, course, NOW, title="Autumn", protocol="collegial", pairs_from_id=activity)
        made = replace(course, activity_id=activity)
        facilitator = course.teachers[FACILITATOR]
        with database.write() as session:
            session.add(ActivityFacilitator(activity_id=activity, membership_id=facilitator, created_at=NOW))
        prepare(database, made)
        return made

    fork = Fork(tmp_path, _empty_sqlite, NOW)
    return lambda prepare: fork.worlds(lambda database: make(prepare, database), everybody)


@pytest.fixture(autouse=True)
def same_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """In both worlds the draw is the same, and a calculation takes as long."""
    monkeypatch.setattr(calculation, "secrets", SimpleNamespace(randbelow=lambda _most: 7))
    monkeypatch.setattr(calculation, "time", SimpleNamespace(monotonic=lambda: 0.0))


def everybody(course: MadeCourse) -> Iterator[str]:
    yield from (*course.teachers, course.trainer, course.guest, course.leader, course.administrator)


def all_but(course: MadeCourse, *teachers: int) -> list[str]:
    return [each for each in everybody(course) if each not in [course.teachers[number] for number in teachers]]


def look(world: World, *who: str, but: str = "") -> None:
    """As World.look, also at the pages of runs, proposals and colleagues, without those of the endpoint `but`."""
    with world.database.read() as session:
        runs = session.scalars(select(RoundRun.id).order_by(RoundRun.number)).all()
        proposals = session.scalars(
            select(Proposal.id).join(ProposalMember).order_by(ProposalMember.membership_id)
        ).all()
    known = {"run_id": runs, "membership_id": world.course.teachers, "proposal_id": list(dict.fromkeys(proposals))}
    world.more = []
    for rule in world.app.url_map.iter_rules():
        names = sorted(rule.arguments - {"handle"})
        is_of_room = rule.endpoint.startswith("rounds.") and rule.endpoint != but
        if names and is_of_room and "GET" in (rule.methods or ()):
            assert rule.arguments <= FILLED, f"say what {rule.rule} can be opened with"
            paths = [rule.rule.removeprefix("/at/<handle>")]
            for name in names:
                paths = [re.sub(rf"<(\w+:)?{name}>", each, path) for path in paths for each in known[name]]
            world.more += paths
    world.look(*who)


def proposed(database: Database, course: MadeCourse) -> None:
    """All would like a partner; A, B and C, D are asked, and E was left."""
    wished(database, course)
    a, b, c, d, e = course.teachers[:5]
    why = Why(wanted=((a, b, "questions"), (b, a, "waiting")), talks=2)
    asked(database, course.activity_id, [[a, b], [c, d]], NOW, why=why, left={e: "period"})


def proposal_of(world: World, teacher: int) -> str:
    with world.database.read() as session:
        return session.scalars(
            select(ProposalMember.proposal_id).where(ProposalMember.membership_id == world.course.teachers[teacher])
        ).one()


def says(world: World, teacher: int, answer: str) -> None:
    """Noted with the status and the way on that this person is shown."""
    answered = world.post(
        world.course.teachers[teacher], f"/round/proposal/{proposal_of(world, teacher)}", answer=answer
    )
    world.seen.append(answered)
    assert answered[0] == 303


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("another", ""),
        pytest.param("pause", "another", marks=pytest.mark.soak),
        pytest.param("yes", "pause", marks=pytest.mark.soak),
    ],
)
def test_an_answer_is_seen_by_nobody_before_all_have_said_yes(worlds: Worlds, one: str, other: str) -> None:
    with worlds(proposed) as both:
        for world, answer in zip(both, (one, other), strict=True):
            if answer:
                says(world, B, answer)
            world.seen.clear()
            world.wait(13.9, with_jobs=True)
            look(world, *all_but(world.course, B, C, D, E))
            if "yes" not in (one, other):
                says(world, A, "yes")
                look(world, world.course.teachers[A])
            # When the time is over, the worker comes late.
            world.wait(0.1, with_jobs=False)
            look(world, world.course.teachers[A])
            world.wait(0.1, with_jobs=True)
            if "pause" not in (one, other):
                # Whoever pauses is in no further calculation, which has to be seen.
                calculate(world)
            look(world, world.course.trainer)
        assert_same(*both)
        for world in both:
            with world.database.read() as session:
                assert set(session.scalars(select(ProposalMember.answer))) == {""}


def test_the_worlds_can_differ(worlds: Worlds) -> None:
    """A yes of all is seen, by the two and by the trainer."""
    with worlds(proposed) as (yes, silence):
        says(yes, B, "yes")
        says(yes, A, "yes")
        for who in (yes.course.teachers[A], yes.course.trainer):
            for world in (yes, silence):
                world.seen.clear()
                look(world, who)
            with pytest.raises(pytest.fail.Exception):
                assert_same(yes, silence)


def test_a_yes_to_somebody_who_found_a_partner_looks_like_any_other(worlds: Worlds) -> None:
    """B has said yes to A, and then to an invitation of E: A sees what they would if B had not answered."""
    with worlds(proposed) as (elsewhere, silence):
        e, b = (elsewhere.course.teachers[each] for each in (E, B))
        says(elsewhere, B, "yes")
        assert elsewhere.post(e, f"/partner/{b}")[0] == 303
        assert elsewhere.post(b, f"/invitations/{elsewhere.invitation(e, b)}/accept")[0] == 303
        for world in (elsewhere, silence):
            world.seen.clear()
            says(world, A, "yes")
            for days in (5, 8.9, 1):
                world.wait(days, with_jobs=True)
                look(world, world.course.teachers[A])
        assert_same(elsewhere, silence)


# What was said for a round


def wished(database: Database, course: MadeCourse) -> None:
    """All would like a partner; by their topics A fits B best, C fits D, and E the facilitator."""
    with database.write() as session:
        for number, teacher in enumerate(course.teachers):
            topics = TOPICS[2 * (number // 2) :][:2]
            wish = Wish(is_in=True, wants=topics, offers=topics, focus=topics[0])
            wishes.say(session, keyring_of(database), teacher, course.activity_id, wish, NOW)


def says_more(world: World) -> None:
    """What is nobody's business, and does not change who is paired: a veto, how far, times, a language, a school."""
    with world.database.write() as session:
        for number, more in (
            (B, {"not_with": (world.course.teachers[E],), "same_step": True}),
            (D, {"free": ("0-1", "1-1"), "teaching": ("0-2", "1-2", "2-3")}),
            (C, {"languages": ("ga",), "other_school": True, "level": "Junior cycle"}),
        ):
            who = world.course.teachers[number], world.course.activity_id
            wish = wishes.mine(session, keyring_of(world.database), *who, world.now)
            wishes.say(session, keyring_of(world.database), *who, replace(wish, **more), world.now)
        going_on.say_step(session, world.course.teachers[C], world.course.activity_id, "look")


def calculate(world: World) -> str:
    """Id of the run that the trainer has calculated."""
    assert world.post(world.course.trainer, "/round/calculate")[0] == 303
    with world.database.read() as session:
        run_id = session.scalars(select(RoundRun.id).order_by(RoundRun.number.desc())).first() or ""
    keyring = keyring_of(world.database)
    calculation.run({"run_id": run_id}, database=world.database, keyring=keyring, clock=lambda: world.now)
    return run_id


def summary(world: World, run_id: str) -> Summary:
    with world.database.read() as session:
        row = session.execute(select(RoundRun.status, RoundRun.summary).where(RoundRun.id == run_id)).one()
    assert row.status == "over"
    # How many pairs are possible is told to nobody in a small round.
    return replace(Summary.of(row.summary), candidates=0)


def test_what_was_said_is_seen_by_nobody(worlds: Worlds) -> None:
    with worlds(wished) as both:
        says_more(both[0])
        runs = []
        for world in both:
            look(world, world.course.trainer)
            runs.append(calculate(world))
            look(world, world.course.trainer, but="rounds.person")
            assert world.post(world.course.trainer, f"/round/runs/{runs[-1]}/publish")[0] == 303
            look(world, *all_but(world.course, A, B, C, D))
            world.wait(14, with_jobs=True)
            look(world, world.course.trainer)
        assert summary(both[0], runs[0]) == summary(both[1], runs[1])
        assert_same(*both)
        asked_about = [seen for seen in both[0].seen if "/round/why-not/" in str(seen)]
        assert any("fit less well" in str(seen) for seen in asked_about), "what is compared is answered"


def test_who_takes_part_is_in_no_answer_to_why_not(worlds: Worlds) -> None:
    """In one of the worlds E and the facilitator, who would be a pair, have said “not this time”."""
    with worlds(wished) as both:
        with both[0].database.write() as session:
            for number in (E, FACILITATOR):
                who = both[0].course.teachers[number], both[0].course.activity_id
                wishes.leave_round(session, keyring_of(both[0].database), *who, both[0].now)
        for world in both:
            assert world.post(world.course.trainer, f"/round/runs/{calculate(world)}/publish")[0] == 303
            look(world, *world.course.teachers[:E])
        assert_same(*both)
        assert any("fit less well" in str(seen) for seen in both[0].seen)
