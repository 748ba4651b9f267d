"""From everybody to who goes with whom: the problem, its solution, and what would help those who are left. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lti_tool.matching.certificate import Certificate
from lti_tool.matching.check import check
from lti_tool.matching.gaps import Gaps
from lti_tool.matching.graph import components
from lti_tool.matching.plan import narrowed, plan
from lti_tool.matching.problem import Flags, Problem, Solution
from lti_tool.matching.solve import solve
from lti_tool.matching.values import Values, values
from lti_tool.rounds import fit
from lti_tool.rounds.fit import History, Member
from lti_tool.rounds.rules import Settings

MOST_HELPED = 500
"""For so many of those who are left it is worked out what would help; with more, no single change of theirs is it."""
PLANNED = 1_000_000
"""With more possible pairs further rounds are not planned for: it would take too long, and they are not scarce."""
LEAST = 1
"""What a pair counts that is only made where else somebody is left."""

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Everybody:
    """What a round is calculated from."""

    members: tuple[Member, ...]
    """Who would like a partner and has none, and is asked about nobody at present; by membership id."""
    settings: Settings
    topics: tuple[str, ...]
    """Keys of the topics on the list."""
    managers: tuple[tuple[str, str | None], ...]
    history: History
    lapsed: frozenset[tuple[str, str]]
    """Pairs of membership ids who were asked about each other in this round, and it lapsed: for whatever reason."""
    kept: int
    """How many are in a pair of the round already, or are asked at present."""


class NotProven(Exception):
    """A solution does not pass the check, and so is none."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a round came to."""

    problem: Problem
    """As it was solved."""
    solution: Solution
    reached: Values
    """What it is worth, with the fit that people have by what they said, also where a pair is only made if needed."""
    gap: int
    """How much greater the total could be at most; 0: proven best."""
    helps: dict[int, str]
    """Of each who is left, by number: a code of rules.HELPS."""
    later: tuple[int, ...]
    """How many would be left in each of the further rounds that are planned for."""


def find(everybody: Everybody, seed: int, tell: Tell) -> Found:
    """Who of `everybody` goes with whom, proven; the people have the numbers of everybody.members.

    `tell` gets (key of what is done, share of that), and may raise to stop. Raises NotProven.
    """
    everything = fit.build(
        everybody.members,
        everybody.settings,
        everybody.topics,
        managers=everybody.managers,
        history=everybody.history,
        seed=seed,
        tell=lambda share: tell("build", share),
    )
    problem, solution = solve_needing(everything, only_if_needed(everybody, everything), tell)
    later: tuple[int, ...] = ()
    if everybody.settings.rounds > 1 and problem.pairs <= PLANNED:
        tell("plan", 0)
        planned = plan(problem, everybody.settings.rounds, solution, tell=lambda: tell("plan", 0.5))
        later = planned.later
        if not planned.allowed.all():
            problem = narrowed(problem, planned.allowed)
            solution = solve(problem, tell)
    tell("check", 0)
    verdict = check(problem, solution)
    if not verdict.ok:
        raise NotProven
    helps = helps_of(everybody, problem, solution, lambda: tell("check", 0.5))
    reached = values(everything, solution.pairs, solution.triads, solution.left)
    return Found(problem, solution, reached, verdict.gap, helps, later)


def only_if_needed(everybody: Everybody, problem: Problem) -> Flags:
    """Which pairs are made only where else somebody is left, shape (pairs,).

    Those who were asked about each other in this round and it lapsed: whoever wished for another partner is not asked
    about the same one again, and neither is anybody else, so that it tells nothing. And former partners, if the trainer
    wants that.
    """
    number = {member.id: place for place, member in enumerate(everybody.members)}
    lapsed = [(number[a], number[b]) for a, b in everybody.lapsed if a in number and b in number]
    flags: Flags = np.isin(
        problem.first.astype(np.int64) * problem.people + problem.second,
        [min(pair) * problem.people + max(pair) for pair in lapsed],
    )
    return flags | problem.again if everybody.settings.again == "if_needed" else flags


def solve_needing(problem: Problem, if_needed: Flags, tell: Tell) -> tuple[Problem, Solution]:
    """The solution without the pairs of `if_needed`; with them, as the least fit, wherever that leaves fewer people.

    Returns it with the problem that it solves. Where they help is looked at for each part of the people who could be
    paired with each other over any number of steps, as the aims hold for each by itself.
    """
    without = narrowed(problem, ~if_needed)
    if not without.pairs and not if_needed.any():
        return without, Solution((), (), tuple(range(problem.people)), Certificate())
    first = solve(without, tell)
    if not first.left or not if_needed.any():
        return without, first
    whole = replace(problem, fit=np.where(if_needed, LEAST, problem.fit).astype(np.int32))
    second = solve(whole, tell)
    if len(second.left) >= len(first.left):
        return without, first
    part = components(problem.people, problem.first, problem.second)
    before, after = (np.bincount(part[list(each.left)], minlength=problem.people) for each in (first, second))
    helped = (after < before)[part[problem.first]]
    if (helped | ~if_needed).all():
        return whole, second
    mixed = narrowed(whole, helped | ~if_needed)
    return mixed, solve(mixed, tell)


def helps_of(
    everybody: Everybody,
    problem: Problem,
    solution: Solution,
    tell: Callable[[], None] = lambda: None,
    most: int = MOST_HELPED,
) -> dict[int, str]:
    """Of each who is left, by number, the first of rules.HELPS that would help; of so many of them at `most`.

    `tell` is called for each of them, and may raise.
    """
    if not solution.left:
        return {}
    gaps = Gaps(problem, solution)
    loosened = fit.Loosened(everybody.members, everybody.settings, everybody.managers)
    found = dict.fromkeys(solution.left, "")
    for person in solution.left[:most]:
        tell()
        found[person] = gaps.helps(person, loosened.pairs(person))
    return found
