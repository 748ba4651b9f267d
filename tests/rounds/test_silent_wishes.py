"""Nobody learns what somebody said for a round, nor that they did: two worlds that differ in it alone look the same to
everybody else, byte for byte and statement for statement, until the round is calculated."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from factories import MadeCourse
from pairing.two_worlds import Fork, World, assert_same
from rounds.rounds_school import make_round
from sqlalchemy import select

from lti_tool.activities.models import ActivityFacilitator
from lti_tool.protocols.recipe import STEPS
from lti_tool.rounds.models import PairingWish
from lti_tool.store.database import Database

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
A, B, C, FACILITATOR = 0, 1, 2, 5
SEEDS = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))])


def made(database: Database) -> MadeCourse:
    found = make_round(database, NOW, teachers=6)
    with database.write() as session:
        session.add(
            ActivityFacilitator(
                activity_id=found.activity_id, membership_id=found.teachers[FACILITATOR], created_at=NOW
            )
        )
    return replace(found.course, activity_id=found.activity_id)


def everybody(course: MadeCourse) -> Iterator[str]:
    yield from (*course.teachers, course.trainer, course.leader, course.administrator)


def others(course: MadeCourse) -> tuple[str, ...]:
    """All but B: who invited them, whom they would rather not meet, a facilitator, the trainer, those above."""
    office = (course.trainer, course.leader, course.administrator)
    return (*(course.teachers[each] for each in (A, C, FACILITATOR)), *office)


@pytest.fixture
def worlds(tmp_path: Path, _empty_sqlite: bytes) -> Callable[[], Any]:
    fork = Fork(tmp_path, _empty_sqlite, NOW)
    return lambda: fork.worlds(made, everybody)


def says(world: World, chance: random.Random) -> None:
    """Something that B says about themselves alone."""
    b, form = world.course.teachers[B], {"whole": "1", "do": "keep"}
    what = chance.choice(("not this time", "not with", "not with", "all", "step", "takes off", "fill"))
    someone = world.course.teachers[chance.choice((A, C))]
    if what == "not this time":
        form = {"do": "no"}
    elif what == "all":
        form |= {"want": "waiting", "offer": "groups", "subject": "x", "at-0-0": "free", "at-0-1": "teach"}
    elif what == "step":
        form |= {"step": chance.choice(STEPS), "same_step": "1", "other_school": "1"}
    elif what == "takes off":
        form |= {"do": f"remove {someone}"}
    elif what == "fill":
        assert world.post(b, "/round/wishes", **form | {"do": "fill teach"})[0] == 200
    if what == "not with":
        assert world.post(b, "/round/wishes/not-with", add=someone)[0] == 303
    else:
        assert world.post(b, "/round/wishes", **form)[0] == 303


@SEEDS
def test_what_somebody_says_for_a_round_is_seen_by_nobody(worlds: Callable[[], Any], seed: int) -> None:
    script = random.Random(seed)
    with worlds() as (saying, silent):
        course = saying.course
        for world in (saying, silent):
            assert world.post(course.teachers[A], f"/partner/{course.teachers[B]}")[0] == 303
            # Those who are asked for say something too.
            assert world.post(course.teachers[A], "/round/wishes", do="yes")[0] == 303
        for days in (0.01, 5):
            for _ in range(4):
                says(saying, script)
            # And that somebody is asked for, and then is not.
            assert saying.post(course.teachers[B], "/round/wishes", do="yes")[0] == 303
            assert saying.post(course.teachers[B], "/round/wishes", do="no")[0] == 303
            for world in (saying, silent):
                world.wait(days, with_jobs=True)
                world.look(*others(course))
        assert_same(saying, silent)
        counts = []
        for world in (saying, silent):
            with world.database.read() as session:
                counts.append(len(session.scalars(select(PairingWish.id)).all()))
        assert counts == [2, 1], "there was something to find"


def test_the_worlds_can_differ(worlds: Callable[[], Any]) -> None:
    with worlds() as (saying, silent):
        b = saying.course.teachers[B]
        says(saying, random.Random(1))
        for world in (saying, silent):
            world.look(b)
        with pytest.raises(pytest.fail.Exception):
            assert_same(saying, silent)
