"""What is said after a calculation, before anybody is asked: by a teacher in silence, and by a trainer of managers."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from pairing.two_worlds import assert_same
from rounds.proposed import keyring_of
from rounds.test_calculation import IN, School, found, keyring  # noqa: F401
from rounds.test_leaks import A, B, Worlds, calculate, look, proposal_of, same_draw, says, wished, worlds  # noqa: F401
from sqlalchemy import select

from lti_tool.rounds import answers, managers, wishes
from lti_tool.rounds.models import ProposalMember
from lti_tool.rounds.rules import is_managed


@pytest.mark.parametrize("newer", ["veto", pytest.param("no", marks=pytest.mark.soak)])
def test_a_newer_no_is_seen_by_nobody_and_never_becomes_a_pair(worlds: Worlds, newer: str) -> None:  # noqa: F811
    """In one of the worlds B says it after the calculation; in the other one B does not answer."""
    with worlds(wished) as both:
        for world, says_it in zip(both, (True, False), strict=True):
            run_id, (a, b, *_others) = calculate(world), world.course.teachers
            who = b, world.course.activity_id
            with world.database.write() as session:
                wish = wishes.mine(session, keyring_of(world.database), *who, world.now)
                later = replace(wish, is_in=False) if newer == "no" else replace(wish, not_with=(a,))
                wishes.say(session, keyring_of(world.database), *who, later if says_it else wish, world.now)
            assert world.post(world.course.trainer, f"/round/runs/{run_id}/publish")[0] == 303
            says(world, A, "yes")
            with world.database.read() as session:
                assert (answers.mine(session, *who, world.now).asked is None) is says_it
            if says_it:
                assert world.post(b, f"/round/proposal/{proposal_of(world, A)}", answer="yes")[0] == 404
            for days in (13.9, 0.1):
                world.wait(days, with_jobs=True)
                look(world, a, world.course.trainer)
        assert_same(*both)
        for world in both:
            with world.database.read() as session:
                assert set(session.scalars(select(ProposalMember.answer))) == {""}


@pytest.mark.parametrize(
    ("rows", "schools", "expected"),
    [
        ([("a", "b")], {"a": "", "b": ""}, True),
        ([("a", "b")], {"b": "", "c": ""}, False),
        ([("b", None)], {"a": "one", "b": "one"}, True),
        ([("b", None)], {"a": "two", "b": "one"}, False),
        ([("b", None)], {"a": "two", "b": ""}, True),
        ([("c", "b")], {"a": "", "b": "", "c": ""}, True),
        ([("c", "a"), ("b", "c")], {"a": "", "b": ""}, False),
    ],
)
def test_whether_one_of_a_group_manages_another(
    rows: list[tuple[str, str | None]], schools: Mapping[str, str], expected: bool
) -> None:
    assert is_managed(schools, rows) is expected


def test_who_is_stated_as_line_manager_after_the_calculation_is_not_asked(
    found: Callable[[int], School],  # noqa: F811
) -> None:
    school = found(6)
    school.say(*((member, IN) for member in school.teachers[:4]))
    run_id = school.calculate()
    one, other = sorted(school.groups(run_id), key=min)
    with school.database.write() as session:
        managers.add(session, school.made.course.course_id, [(min(one), max(one))])
        assert len(answers.managed(session, run_id)) == 1
    school.publish(run_id)
    assert school.groups(run_id, "open") == {other}
    # And not begun, where it is stated while they answer.
    school.answer(min(other), "yes")
    with school.database.write() as session:
        managers.add(session, school.made.course.course_id, [(max(other), min(other))])
    school.answer(max(other), "yes")
    assert school.groups(run_id, "open") == {other}
