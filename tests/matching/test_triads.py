"""The best three together: held against every way there is, and against a checker that solves nothing."""

import random
from dataclasses import replace
from itertools import combinations
from time import process_time

import numpy as np
import pytest

from lti_tool.matching.certificate import Certificate, Refusal, Triad
from lti_tool.matching.check import check
from lti_tool.matching.graph import components
from lti_tool.matching.problem import Problem, problem
from lti_tool.matching.solve import solve
from lti_tool.matching.values import Values, values

Groups = tuple[tuple[int, ...], ...]


def school(seed: int, people: int, share: float, fits: int = 6, never: float = 0) -> Problem:
    draw = random.Random(seed)
    pairs = [pair for pair in combinations(range(people), 2) if draw.random() < share]
    return problem(
        people,
        [(*pair, draw.randint(1, fits)) for pair in pairs],
        again=[pair for pair in pairs if draw.random() < 0.3],
        was_in_triad=[draw.random() < 0.3 for _ in range(people)],
        no_triad=[draw.random() < never for _ in range(people)],
        triads=True,
        seed=seed,
    )


def every_way(people: frozenset[int], possible: set[tuple[int, int]], triads: int) -> list[Groups]:
    """All sets of pairs, with at most so many triads, all of them possible."""
    if not people:
        return [()]
    first, *others = sorted(people)
    ways = every_way(people - {first}, possible, triads)
    for other in others:
        if (first, other) in possible:
            ways = ways + [((first, other), *way) for way in every_way(people - {first, other}, possible, triads)]
    if triads:
        for b, c in combinations(others, 2):
            if {(first, b), (first, c), (b, c)} <= possible:
                ways = ways + [((first, b, c), *way) for way in every_way(people - {first, b, c}, possible, 0)]
    return ways


def order(found: Values) -> tuple[int, ...]:
    return found.left, -found.worst, -found.total, found.again


def best_of_all(given: Problem, people: frozenset[int]) -> tuple[int, ...]:
    """The best values of some people, who are one component: a triad only where it leaves fewer than pairs alone."""
    possible = set(zip(given.first.tolist(), given.second.tolist(), strict=True))
    ways = every_way(people, possible, 1)
    alone = min(len(people) - 2 * len(way) for way in ways if all(len(group) == 2 for group in way))
    found = []
    for way in ways:
        left = people - {each for group in way for each in group}
        if any(given.no_triad[list(group)].any() for group in way if len(group) == 3):
            continue
        if (len(left) >= alone and any(len(group) == 3 for group in way)) or len(left) > alone:
            continue
        pairs = [(a, b) for a, b, *more in way if not more]
        found.append(order(values(given, pairs, [g for g in way if len(g) == 3], left)))  # type: ignore[misc]
    return min(found)


@pytest.mark.parametrize("people", [5, 7, 9])
def test_no_way_at_all_is_better(people: int) -> None:
    for seed in range({5: 60, 7: 40, 9: 12}[people]):
        given = school(seed, people, random.Random(seed).choice((0.3, 0.5, 0.7, 1.0)), never=0.3 * (seed % 2))
        found = solve(given)
        verdict = check(given, found)
        assert verdict.proven, (seed, verdict)
        assert not any(given.no_triad[list(three)].any() for three in found.triads)
        label = components(given.people, given.first, given.second)
        for root in set(label.tolist()):
            own = frozenset(np.flatnonzero(label == root).tolist())
            pairs = [pair for pair in found.pairs if pair[0] in own]
            triads = [triad for triad in found.triads if triad[0] in own]
            ours = order(values(given, pairs, triads, own & set(found.left)))
            assert ours == best_of_all(given, own), seed


def test_there_is_no_triad_where_it_is_not_allowed_or_leaves_as_many() -> None:
    whole = [(a, b, 1) for a, b in combinations(range(5), 2)]
    assert not solve(problem(5, whole)).triads
    assert len(solve(problem(5, whole, triads=True)).triads) == 1
    assert not solve(problem(6, [*whole, (4, 5, 1)], triads=True)).triads
    star = problem(5, [(0, other, 1) for other in range(1, 5)] + [(1, 2, 1)], triads=True)
    found = solve(star)
    assert not found.triads
    assert isinstance(found.certificate.parts[0].triad, Refusal)
    assert check(star, found).proven
    assert not check(star, replace(found, certificate=_without_triad(found.certificate))).ok


def test_a_triad_with_somebody_who_may_not_is_refused() -> None:
    whole = [(a, b, 1) for a, b in combinations(range(5), 2)]
    free = problem(5, whole, triads=True)
    found = solve(free)
    (three,) = found.triads
    barred = problem(5, whole, triads=True, no_triad=[each == three[0] for each in range(5)])
    assert check(free, found).proven and not check(barred, found).ok
    other = solve(barred)
    assert check(barred, other).proven and three[0] not in other.triads[0]
    nobody = problem(5, whole, triads=True, no_triad=[True, True, True, False, False])
    assert not solve(nobody).triads and check(nobody, solve(nobody)).proven


def _without_triad(certificate: Certificate) -> Certificate:
    return Certificate(tuple(replace(part, triad=None) for part in certificate.parts))


def test_another_triad_does_not_pass_for_the_best() -> None:
    given = school(4, 9, 1.0, fits=40)
    found = solve(given)
    assert check(given, found).proven
    (best,) = found.triads
    passed = 0
    for three in combinations(range(9), 3):
        others = [each for each in range(9) if each not in three]
        pairs = tuple(zip(others[::2], others[1::2], strict=True))
        part = found.certificate.parts[0]
        assert isinstance(part.triad, Triad)
        least = values(given, pairs, [three], ()).worst
        forged = Certificate((replace(part, least=least, triad=replace(part.triad, three=three)),))
        passed += check(given, replace(found, pairs=pairs, triads=(three,), certificate=forged)).proven
    assert passed <= 1
    assert best


@pytest.mark.parametrize("drop", ["prices", "refused", "above", "within"])
def test_what_is_left_out_of_the_proof_is_missed(drop: str) -> None:
    missed = 0
    for seed in range(40):
        given = school(seed, 11, 0.45, fits=30)
        found = solve(given)
        for at, part in enumerate(found.certificate.parts):
            if not isinstance(part.triad, Triad):
                continue
            has = getattr(part.triad, drop)
            if drop == "above":
                less = replace(part.triad, above=Refusal(part.triad.within))
            elif drop == "within":
                less = replace(part.triad, within=part.left) if part.left != has else part.triad
            else:
                less = replace(part.triad, **{drop: has[1:]})
            parts = list(found.certificate.parts)
            parts[at] = replace(part, triad=less)
            missed += not check(given, replace(found, certificate=Certificate(tuple(parts)))).proven
    assert missed or drop in ("refused",)


def test_a_certificate_with_triads_is_stored_as_text() -> None:
    for seed in range(6):
        found = solve(school(seed, 9, 0.5))
        text = found.certificate.to_json()
        assert Certificate.from_json(text) == found.certificate


@pytest.mark.parametrize("people", [31, 61, 101])
def test_large_schools_are_proven_in_a_moment(people: int) -> None:
    draw = np.random.default_rng(people)
    first, second = np.triu_indices(people, 1)
    wants, offers = draw.random((2, people, 30)) < 0.13
    fit = 1 + 3 * ((wants[first] & offers[second]).sum(1) + (wants[second] & offers[first]).sum(1))
    given = Problem(
        people,
        first.astype(np.int32),
        second.astype(np.int32),
        fit.astype(np.int32),
        draw.random(len(first)) < 0.05,
        draw.random(people) < 0.2,
        triads=True,
    )
    started = process_time()
    found = solve(given)
    assert process_time() - started < 5  # measured at 101: 0.2
    assert len(found.triads) == 1
    assert not found.left
    assert check(given, found).proven
