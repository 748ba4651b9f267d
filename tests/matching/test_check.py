"""The checker: whatever is changed in a solution or its certificate, so that it proves less, is found."""

from dataclasses import replace

import numpy as np
import pytest
from matching.schools import rows, school

from lti_tool.matching.certificate import Barrier, Certificate, Part, unit
from lti_tool.matching.check import check
from lti_tool.matching.graph import components
from lti_tool.matching.problem import Problem, Solution, problem
from lti_tool.matching.solve import solve

# Two groups of three who all need one helper (6), and two pairs of whom one fits badly.
CASE = problem(
    11,
    [
        *((0, 1, 5), (0, 2, 6), (1, 2, 7), (3, 4, 5), (3, 5, 6), (4, 5, 7), (2, 6, 3), (5, 6, 4)),
        *((7, 8, 2), (8, 9, 8), (9, 10, 3), (7, 10, 1)),
    ],
    again=[(1, 2)],
)
SOLUTION = solve(CASE)


def part(number: int, **changes: object) -> Solution:
    parts = list(SOLUTION.certificate.parts)
    parts[number] = replace(parts[number], **changes)
    return replace(SOLUTION, certificate=Certificate(tuple(parts)))


def first() -> Part:
    return SOLUTION.certificate.parts[0]


def test_the_case_is_proven():
    assert len(SOLUTION.left) == 1
    assert first().prices.odd, "odd sets are needed for it"
    assert check(CASE, SOLUTION).proven


PRICES = first().prices
CHANGES = {
    "a pair that is not possible": replace(SOLUTION, pairs=((0, 3), *SOLUTION.pairs[1:])),
    "somebody twice": replace(SOLUTION, pairs=(*SOLUTION.pairs, SOLUTION.pairs[0])),
    "somebody nowhere": replace(SOLUTION, left=()),
    "somebody who does not exist": replace(SOLUTION, left=(*SOLUTION.left, 11)),
    "a pair fewer": replace(
        SOLUTION, pairs=SOLUTION.pairs[1:], left=tuple(sorted((*SOLUTION.left, *SOLUTION.pairs[0])))
    ),
    "three where three are not allowed": replace(SOLUTION, triads=((0, 1, 2),)),
    "no certificate": replace(SOLUTION, certificate=Certificate()),
    "one part's proof missing": replace(SOLUTION, certificate=Certificate(SOLUTION.certificate.parts[1:])),
    "one part's proof twice": replace(SOLUTION, certificate=Certificate((*SOLUTION.certificate.parts, first()))),
    "another part's proof": part(0, prices=SOLUTION.certificate.parts[1].prices),
    "a greater least fit": part(0, least=first().least + 1),
    "a smaller least fit": part(0, least=first().least - 1),
    "no witness of the least fit": part(0, worst=None),
    "an empty witness of the least fit": part(0, worst=Barrier()),
    "a group that is not odd": part(0, left=Barrier((), ((0, 1),))),
    "a group that could go with others": part(0, left=Barrier((), ((0,), (1,)))),
    "a group of another part": part(0, left=Barrier((), ((7,),))),
    "a group of nobody": part(0, left=Barrier((), ((99,),))),
    "a group with a negative number": part(0, left=Barrier((), ((-4,),))),
    "somebody in two groups": part(0, worst=Barrier((), ((0,), (0, 1, 2)))),
    "prices of fewer people": part(0, prices=replace(PRICES, each=PRICES.each[1:])),
    "a negative price": part(0, prices=replace(PRICES, each=(-1, *PRICES.each[1:]))),
    "prices lowered": part(0, prices=replace(PRICES, each=tuple(max(0, each - 9) for each in PRICES.each))),
    "a lower price of each pair": part(0, prices=replace(PRICES, size=PRICES.size - 9)),
    "a finer scale": part(0, prices=replace(PRICES, scale=PRICES.scale * 2)),
    "no scale": part(0, prices=replace(PRICES, scale=0)),
    "a negative scale": part(0, prices=replace(PRICES, scale=-PRICES.scale)),
    "an even set with a price": part(0, prices=replace(PRICES, odd=(((0, 1), 40),))),
    "a set with a negative price": part(0, prices=replace(PRICES, odd=(((0, 1, 2), -40),))),
    "a price beyond counting": part(0, prices=replace(PRICES, each=(2**63, *PRICES.each[1:]))),
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_solution_or_certificate_is_refused(changed):
    verdict = check(CASE, changed)
    assert not verdict.ok
    assert not verdict.proven
    assert verdict.reasons


def test_dearer_prices_prove_less_and_the_gap_says_how_much_less():
    changed = part(0, prices=replace(PRICES, each=tuple(each + 2 * unit(7) * PRICES.scale for each in PRICES.each)))
    verdict = check(CASE, changed)
    assert verdict.ok and not verdict.proven
    assert verdict.gap == 7 * 2, "two points for each of seven people"


@pytest.mark.parametrize("seed", range(40))
def test_no_other_pairs_pass_with_the_certificate_of_the_best(seed):
    """Pairs exchanged for possible ones of less worth: proven they never are."""
    case = school(seed, most=14)
    solution = solve(case)
    worse = _exchanged(case, solution)
    if worse:
        assert not check(case, worse).proven


def _exchanged(case: Problem, solution: Solution) -> Solution | None:
    """Two pairs exchanged for two others, if that changes what they are worth."""
    fits = {(a, b): (fit, again) for a, b, fit, again in rows(case)}
    for x in solution.pairs:
        for y in solution.pairs:
            a, b = (x[0], y[0]), (x[1], y[1])
            a, b = (min(a), max(a)), (min(b), max(b))
            if x < y and a in fits and b in fits and sorted((fits[a], fits[b])) != sorted((fits[x], fits[y])):
                kept = tuple(sorted((*(each for each in solution.pairs if each not in (x, y)), a, b)))
                return replace(solution, pairs=kept)
    return None


@pytest.mark.parametrize("seed", range(20))
def test_a_certificate_comes_back_from_its_text(seed):
    solution = solve(school(seed))
    assert Certificate.from_json(solution.certificate.to_json()) == solution.certificate


@pytest.mark.parametrize("text", ["", "{", "5", "[5]", "[{}]", '[{"first":0}]', "null"])
def test_another_text_is_no_certificate(text):
    with pytest.raises(ValueError):
        Certificate.from_json(text)


def test_a_certificate_does_not_prove_another_problem():
    better = problem(2, [(0, 1, 9)])
    solution = solve(problem(2, [(0, 1, 8)]))
    assert not check(better, solution).ok
    assert not check(problem(3, [(0, 1, 8), (1, 2, 8)]), solution).ok


def test_components_are_those_of_a_long_path():
    order = np.random.default_rng(1).permutation(1_000).astype(np.int32)
    label = components(1_001, np.minimum(order[:-1], order[1:]), np.maximum(order[:-1], order[1:]))
    assert set(label[:1_000].tolist()) == {0}
    assert label[1_000] == 1_000
