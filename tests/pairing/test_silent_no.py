"""Nobody learns who said no: two worlds that differ in it alone look the same to everybody else, byte for byte.

What is silent by design is here; what cannot be hidden is named in docs/decisions/0012-silent-no.md.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from pairing.two_worlds import Fork, World, assert_same
from sqlalchemy import select

from lti_tool.activities.models import ActivityFacilitator
from lti_tool.cycles import going_on, rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.pairing.models import Invitation
from lti_tool.protocols.recipe import STEPS, TOGETHER
from lti_tool.store.database import Database

SEEDS = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))])
"""One random run with all tests, the others in `make soak`."""
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
A, B, C, D, E, FACILITATOR = range(6)
Worlds = Callable[[bool], Any]


@pytest.fixture
def fork(tmp_path: Path, _empty_sqlite: bytes) -> Fork:
    return Fork(tmp_path, _empty_sqlite, NOW)


def made(database: Database, *, paired: bool) -> MadeCourse:
    course = make_course(database, teachers=6, protocol="collegial", now=NOW)
    with database.write() as session:
        session.add(
            ActivityFacilitator(
                activity_id=course.activity_id, membership_id=course.teachers[FACILITATOR], created_at=NOW
            )
        )
    if paired:
        make_cycle(database, course, NOW, host=A, coach=B)
    return course


def everybody(course: MadeCourse) -> Iterator[str]:
    yield from (*course.teachers, course.trainer, course.leader, course.administrator)


@pytest.fixture
def worlds(fork: Fork) -> Worlds:
    return lambda paired: fork.worlds(lambda database: made(database, paired=paired), everybody)


def above(course: MadeCourse) -> tuple[str, ...]:
    """All but the pair itself: the trainer, a facilitator, another teacher, a leader, an administrator."""
    return (course.trainer, course.teachers[FACILITATOR], course.teachers[C], course.leader, course.administrator)


# Invitations


def says_no(world: World, chance: random.Random) -> None:
    """Something that teacher B does without a word to anybody."""
    b = world.course.teachers[B]
    asker = world.course.teachers[chance.choice((A, C))]
    what = chance.choice(("decline", "decline", "accept too late", "step", "look around", "withdraw another's"))
    invitation = world.invitation(asker, b)
    if what == "accept too late":
        # Only where it was declined: a yes is not silent.
        world.post(b, f"/invitations/{invitation}/decline")
        assert world.post(b, f"/invitations/{invitation}/accept")[0] in (404, 409)
    elif what == "step":
        assert world.post(b, "/how-far", step=chance.choice(("", *STEPS)), **{"from": "now"})[0] == 303
    elif what == "look around":
        client, at = world.browser(b)
        for path in ("/", "/partner", "/how-far", "/pair"):
            client.get(at + path)
    else:
        action = "withdraw" if what.startswith("withdraw") else "decline"
        assert world.post(b, f"/invitations/{invitation}/{action}")[0] in (303, 404)


def asks_on(world: World, chance: random.Random) -> None:
    """Something that teacher A does next; it is answered in the same way whatever B has said."""
    a, others = world.course.teachers[A], [world.course.teachers[each] for each in (B, C, D, E)]
    whom = chance.choice(others)
    if chance.random() < 0.6:
        world.seen.append(world.post(a, f"/partner/{whom}"))
    else:
        world.seen.append(world.post(a, f"/invitations/{world.invitation(a, whom)}/withdraw"))


@SEEDS
def test_a_no_looks_like_an_unread_invitation(worlds: Worlds, seed: int) -> None:
    script = random.Random(seed)
    with worlds(False) as (no, silence):
        course = no.course
        for world in (no, silence):
            for asker in (A, C):
                assert world.post(course.teachers[asker], f"/partner/{course.teachers[B]}")[0] == 303
            # Two invitations of the same moment would stand in the order of their random ids.
            world.wait(0.01, with_jobs=False)
        for days in (0.01, 6, 7.985, 0.01, script.choice((3, 13.98)), 14):
            says_no(no, script)
            same, with_jobs = script.random(), script.random() < 0.5
            for world in (no, silence):
                asks_on(world, random.Random(same))
                world.wait(days, with_jobs=with_jobs)
                world.look(course.teachers[A], course.trainer)
        assert_same(no, silence)
        with no.database.read() as session:
            rows = session.execute(select(Invitation.status, Invitation.answered_at)).all()
            assert all(answered is None for status, answered in rows if status in ("declined", "lapsed"))


def test_the_worlds_can_differ(worlds: Worlds) -> None:
    """A comparison that cannot fail would prove nothing: a yes is seen by both, and by the trainer."""
    with worlds(False) as (yes, silence):
        course = yes.course
        for world in (yes, silence):
            world.post(course.teachers[A], f"/partner/{course.teachers[B]}")
        invitation = yes.invitation(course.teachers[A], course.teachers[B])
        assert yes.post(course.teachers[B], f"/invitations/{invitation}/accept")[0] == 303
        for who in (course.teachers[A], course.trainer):
            for world in (yes, silence):
                world.seen.clear()
                world.look(who)
            with pytest.raises(pytest.fail.Exception):
                assert_same(yes, silence)


def test_an_invitation_stays_when_the_other_finds_somebody_or_goes_apart(worlds: Worlds) -> None:
    """Of two who asked, the one who was not chosen sees what they would see if nothing had been answered."""
    with worlds(False) as (chosen, silence):
        course = chosen.course
        a, b, c = (course.teachers[each] for each in (A, B, C))
        for world in (chosen, silence):
            for asker in (a, c):
                world.post(asker, f"/partner/{b}")
        assert chosen.post(b, f"/invitations/{chosen.invitation(c, b)}/accept")[0] == 303
        for what, days in (("", 1), ("/pair/pause", 2), ("/pair/resume", 3), ("/pair/end", 7.99), ("", 1), ("", 14)):
            if what:
                assert chosen.post(b, what)[0] == 303
            for world in (chosen, silence):
                world.wait(days, with_jobs=True)
                world.look(a)
        assert_same(chosen, silence)


# Pausing and going apart


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param([(A, "pause")], [(B, "pause")], marks=pytest.mark.soak),
        pytest.param([(A, "end")], [(B, "end")], marks=pytest.mark.soak),
        ([(A, "pause")], [(B, "end")]),
        pytest.param([(A, "pause"), (B, "pause"), (A, "resume")], [(B, "pause")], marks=pytest.mark.soak),
        ([(A, "pause"), (A, "resume")], [(B, "pause"), (B, "resume")]),
    ],
)
def test_nobody_else_learns_who_paused_or_ended_nor_which_it_was(
    worlds: Worlds, one: list[tuple[int, str]], other: list[tuple[int, str]]
) -> None:
    with worlds(True) as both:
        for world, moves in zip(both, (one, other), strict=True):
            for who, what in moves:
                assert world.post(world.course.teachers[who], f"/pair/{what}")[0] == 303
            for days in (0.01, 20):
                world.wait(days, with_jobs=True)
                world.look(*above(world.course)[:3])
        assert_same(*both)


# The ladder


class _Undo(Exception):
    """Takes back a move that others are meant to see."""


def cycle_of(session: Any, world: World, who: int) -> rules.Cycle:
    cycle_id, person_id = session.execute(
        select(Cycle.id, CycleMember.person_id)
        .join(CycleMember, CycleMember.cycle_id == Cycle.id)
        .where(CycleMember.membership_id == world.course.teachers[who])
    ).one()
    found = cycles.load(session, cycle_id, person_id, lock=True)
    assert found is not None
    return found


def closes(session: Any, world: World, who: int) -> None:
    """One of the two closes the stage they are at, as if all that it asks for were there."""
    cycle = cycle_of(session, world, who)
    now = rules.stage_now(cycle, cycle.me)
    if now is not None:
        cycles.mark(session, cycle, now.key, [cycle.me.membership_id], world.now)


def moves_within(world: World, chance: random.Random) -> None:
    """The pair goes a step on, or less far, or further; a move by which it would leave its place is taken back."""
    try:
        with world.database.write() as session:
            who = chance.choice((A, B))
            place = cycle_of(session, world, who).place
            if chance.random() < 0.5:
                closes(session, world, who)
            else:
                going_on.go_as_far_as(session, cycle_of(session, world, who), chance.choice(STEPS), now=world.now)
            if cycle_of(session, world, who).place != place:
                raise _Undo
    except _Undo:
        pass


def leaves(world: World, place: str) -> None:
    """The pair does what is left to do in its place."""
    with world.database.write() as session:
        while cycle_of(session, world, A).place == place:
            closes(session, world, A)


@SEEDS
def test_nobody_else_sees_how_far_a_pair_goes(worlds: Worlds, seed: int) -> None:
    """Each world goes its own way, less far or further at any moment; they only leave their places together."""
    with worlds(True) as both:
        chances = [random.Random(f"{seed} {number}") for number in range(2)]
        seen_in: list[set[str]] = [set(), set()]
        for place in ("start", TOGETHER):
            for days in (0.5, 8, 16):
                for number, world in enumerate(both):
                    for _ in range(4):
                        moves_within(world, chances[number])
                    world.wait(days, with_jobs=True)
                    world.look(world.course.trainer)
                    with world.database.read() as session:
                        seen_in[number] |= set(session.scalars(select(CycleMember.step)))
            for world in both:
                leaves(world, place)
                world.look(*above(world.course)[:2])
        for world in both:
            with world.database.write() as session:
                # The one who has nothing left to do first.
                closes(session, world, A)
            world.wait(1, with_jobs=True)
            world.look(*above(world.course))
        assert_same(*both)
        assert seen_in[0] - {"full"} and seen_in[1] - {"full"}, "both went less far at some time"


@SEEDS
def test_a_partner_who_goes_less_far_sees_nothing_of_what_the_other_chooses(worlds: Worlds, seed: int) -> None:
    chance = random.Random(seed)
    with worlds(True) as (choosing, silent):
        a, b = (choosing.course.teachers[each] for each in (A, B))
        for world in (choosing, silent):
            assert world.post(a, "/how-far", step="look", **{"from": "now"})[0] == 303
        for days in (0.01, 5):
            for _ in range(4):
                form = {"step": chance.choice(("", *STEPS)), "from": chance.choice(("now", "next"))}
                assert choosing.post(b, "/how-far", **form)[0] == 303
            for world in (choosing, silent):
                world.wait(days, with_jobs=True)
                world.look(a, world.course.trainer)
                with world.database.read() as session:
                    world.seen.append(session.scalars(select(Cycle.revision)).all())
        assert_same(choosing, silent)
