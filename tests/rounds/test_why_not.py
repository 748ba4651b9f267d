"""Why not with a colleague: an answer that reads nothing of what anybody says now, and tells nobody who takes part."""

import random
from collections.abc import Callable
from dataclasses import replace

from rounds.test_calculation import IN, School, found, keyring  # noqa: F401
from rounds.test_changes import why_not

from lti_tool.rounds.rules import TOPICS, Wish


def answers(school: School, run_id: str, me: str) -> dict[str, str]:
    return {other: why_not(school, run_id, me, other) for other in school.teachers if other != me}


def test_nothing_that_is_said_later_changes_an_answer(found: Callable[[int], School]) -> None:  # noqa: F811
    school, rnd = found(8), random.Random(5)
    a, *others = school.teachers
    school.say(*((each, Wish(True, tuple(rnd.sample(TOPICS[:4], 2)))) for each in school.teachers[:6]))
    run_id = school.calculate()
    school.publish(run_id)
    before = answers(school, run_id, a)
    assert len(set(before.values())) > 1
    for topic in TOPICS[:4]:
        # Whoever asks changes what they say, and asks again; and all others say something else, too.
        school.say((a, Wish(True, (topic,), (topic,), topic, free=("0-0",), teaching=("0-1",))))
        school.say(*((each, Wish(False, (topic,), (topic,), not_with=(a,))) for each in others))
        assert answers(school, run_id, a) == before


def test_who_takes_part_is_in_no_answer(found: Callable[[int], School]) -> None:  # noqa: F811
    school, rnd = found(24), random.Random(2)
    school.say(*((each, Wish(True, tuple(rnd.sample(TOPICS[:3], 2)))) for each in school.teachers[:10]))
    run_id = school.calculate()
    inside: set[str] = set()
    outside: set[str] = set()
    for group in school.groups(run_id):
        me = min(group)
        said = answers(school, run_id, me)
        inside |= {said[each] for each in school.teachers[:10] if each not in group}
        outside |= {said[each] for each in school.teachers[10:]}
    # Who is not in it is answered about like one who is, by a draw.
    assert outside == inside and len(inside) > 1


def test_that_more_would_be_left_is_not_said_by_itself(found: Callable[[int], School]) -> None:  # noqa: F811
    school = found(4)
    a, b, c, d = school.teachers
    # C and D can only go with A and B.
    school.say((a, IN), (b, IN), (c, Wish(True, not_with=(d,))), (d, IN))
    assert why_not(school, school.calculate(), a, b) == "worst"


def test_who_was_left_reads_the_same_of_everybody(found: Callable[[int], School]) -> None:  # noqa: F811
    school = found(6)
    school.choose(triads=False)
    school.say(*((member, IN) for member in school.teachers[:5]))
    run_id = school.calculate()
    (alone,) = school.left(run_id)
    assert set(answers(school, run_id, alone).values()) == {"instead"}
    school.drop(run_id)
    # Also of somebody who would rather not, with whom nobody else would be left.
    school.say(*((each, replace(IN, not_with=(alone,))) for each in school.teachers[:3] if each != alone))
    again = school.calculate()
    for left in school.left(again):
        asked = next(each for each in school.teachers[:5] if each not in (alone, left))
        assert why_not(school, again, left, asked) == "instead"
