"""Whole rounds without a database: no rule is ever broken, everybody has one place, and the result is proven."""

import os
import random
from itertools import combinations

import pytest
from rounds.test_fit import PERIODS, TOPICS, drawn, drawn_managers, is_possible

from lti_tool.matching.check import check
from lti_tool.rounds import solving
from lti_tool.rounds.fit import History
from lti_tool.rounds.rules import HELPS, Settings
from lti_tool.rounds.solving import Everybody, Found


def a_round(seed: int, most: int = 20) -> tuple[Everybody, Found]:
    """A round of 4 to `most` people, and what it came to."""
    rnd = random.Random(seed)
    members = drawn(rnd, 4 + seed % (most - 3))
    pairs = list(combinations(sorted(each.id for each in members), 2))
    everybody = Everybody(
        tuple(members),
        Settings(
            periods=PERIODS,
            subjects=rnd.choice(("ignore", "same", "different")),
            again=rnd.choice(("if_best", "if_needed")),
            triads=rnd.random() < 0.7,
            between_schools=rnd.random() < 0.5,
            rounds=rnd.choice((1, 1, 1, 3)) if len(members) < 15 else 1,
        ),
        TOPICS,
        tuple(drawn_managers(rnd, len(members))),
        History(
            frozenset(pair for pair in pairs if rnd.random() < 0.1),
            frozenset(each.id for each in members if rnd.random() < 0.1),
        ),
        frozenset(pair for pair in pairs if rnd.random() < 0.05),
        0,
    )
    return everybody, solving.find(everybody, seed, lambda _doing, _share: None)


def holds(seed: int, most: int = 20) -> int:
    """Asks of one random round all that has to hold; how many pairs it has."""
    everybody, found = a_round(seed, most)
    members, solution = everybody.members, found.solution
    groups = [*solution.pairs, *solution.triads]
    places = [each for group in groups for each in group] + list(solution.left)
    assert sorted(places) == list(range(len(members)))
    for a, b in (pair for group in groups for pair in combinations(group, 2)):
        assert is_possible(members[a], members[b], everybody.settings, list(everybody.managers)), (seed, a, b)
    assert everybody.settings.triads or not solution.triads
    verdict = check(found.problem, solution)
    assert verdict.ok and verdict.gap == found.gap, (seed, verdict)
    assert set(found.helps) == set(solution.left) and set(found.helps.values()) <= set(HELPS)
    return len(groups)


def test_two_hundred_random_rounds_break_no_rule() -> None:
    assert sum(holds(seed) for seed in range(200)) > 500


@pytest.mark.soak
def test_ten_thousand_random_rounds_break_no_rule() -> None:
    for seed in range(200, int(os.environ.get("MEITHEAL_SCHOOLS", "10000"))):
        holds(seed, 40)


def test_who_met_before_meets_again_only_where_fewer_are_left_for_it() -> None:
    """Against both ways solved by themselves."""
    some = 0
    for seed in range(60):
        everybody, found = a_round(seed)
        if everybody.settings.again != "if_needed" or everybody.settings.rounds > 1:
            continue
        whole = solving.fit.build(
            everybody.members,
            everybody.settings,
            TOPICS,
            managers=everybody.managers,
            history=everybody.history,
            seed=seed,
        )
        avoided = solving.only_if_needed(everybody, whole)
        without = solving.solve(solving.narrowed(whole, ~avoided))
        with_all = solving.solve(whole)
        assert len(found.solution.left) == min(len(without.left), len(with_all.left))
        if len(without.left) == len(with_all.left):
            pairs = set(zip(whole.first[avoided].tolist(), whole.second[avoided].tolist(), strict=True))
            together = {
                pair
                for group in (*found.solution.pairs, *found.solution.triads)
                for pair in combinations(sorted(group), 2)
            }
            assert not pairs & together
        else:
            some += 1
    assert some > 3
