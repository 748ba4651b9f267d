"""Rounds side by side, no pair in two of them, and how they are mended: a round may take a pair from another one, which
then looks for a new one in its turn."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from lti_tool.matching.alternating import ALONE, exchange, grow, largest
from lti_tool.matching.plan_exactly import Chosen, Part

TRIES = 300
"""How often in a row mending may come to nothing before a plan is taken as it is."""
STARTS = 20
"""In how many ways more rounds are filled one after the other, if the first leaves more than it may have to."""


@dataclass(slots=True)
class Rounds:
    """Partners in each round, and which round holds which pair."""

    part: Part
    mates: list[list[int]]
    holds: dict[int, int]
    """The round of a pair, by its place in the arrays of the part; a triad's round holds three pairs."""
    near: list[Sequence[int]]
    places: dict[tuple[int, int], int]
    tell: Callable[[], None]
    """Is called now and then, and may raise."""

    @classmethod
    def of(cls, part: Part, rounds: int, near: list[Sequence[int]], tell: Callable[[], None] = lambda: None) -> Self:
        """Rounds in which nobody has a partner yet."""
        ends = zip(part.first.tolist(), part.second.tolist(), strict=True)
        places = {pair: place for place, pair in enumerate(ends)}
        return cls(part, [[ALONE] * part.people] * rounds, {}, near, places, tell)

    def copy(self) -> Self:
        """To try something on; what is the same for all plans is shared."""
        return replace(self, mates=self.mates.copy(), holds=self.holds.copy())

    def left(self) -> list[int]:
        """How many are without a partner in each round."""
        return [mate.count(ALONE) for mate in self.mates]

    def place(self, a: int, b: int) -> int:
        """The place of a pair."""
        return self.places[(a, b) if a < b else (b, a)]

    def chosen(self) -> Chosen:
        """The places of the pairs of each round; of a triad one."""
        return [[self.place(a, b) for a, b in enumerate(mate) if a < b] for mate in self.mates]

    def of_chosen(self, chosen: Chosen) -> Self:
        """Rounds with these pairs, later ones empty."""
        fresh = replace(self, mates=[[ALONE] * self.part.people for _ in self.mates], holds={})
        for at, places in enumerate(chosen):
            for place in places:
                a, b = int(self.part.first[place]), int(self.part.second[place])
                fresh.mates[at][a], fresh.mates[at][b] = b, a
                fresh.holds[place] = at
        return fresh

    def give(self, at: int, mate: list[int]) -> set[int]:
        """Give a round these partners; returns the other rounds that lost a pair by it."""
        robbed = set()
        before = self.mates[at]
        for a, b in enumerate(before):
            if a < b and mate[a] != b:
                del self.holds[self.place(a, b)]
        for a, b in enumerate(mate):
            if a < b and before[a] != b:
                place = self.place(a, b)
                other = self.holds.get(place, at)
                if other != at:
                    robbed.add(other)
                    self.mates[other] = self.mates[other].copy()
                    self.mates[other][a] = self.mates[other][b] = ALONE
                self.holds[place] = at
        self.mates[at] = mate
        return robbed

    def fill(self, ats: Iterable[int], draw: random.Random | None = None) -> Self:
        """As many pairs as possible in these rounds, one after the other, of pairs that no other round holds."""
        for at in ats:
            self.tell()
            if ALONE in self.mates[at]:
                free = Free(self, at, None, draw)
                lists = [free[each] for each in range(self.part.people)]
                mate = self.mates[at].copy()
                if draw:
                    _pair_off(mate, lists, draw)
                self.give(at, largest(mate, lists))
        return self


@dataclass(slots=True)
class Free:
    """For each person with whom a pair is possible in a round: of pairs that no round holds, and after these, of those
    that a round from `steals` on holds."""

    rounds: Rounds
    at: int
    steals: int | None = None
    draw: random.Random | None = None

    def __getitem__(self, person: int) -> list[int]:
        holds, new = self.rounds.holds, self.rounds.part.new
        free, held = [], []
        for other in self.rounds.near[person]:
            place = self.rounds.place(person, other)
            by = holds.get(place, self.at)
            if self.at and not new[place]:
                continue
            if by == self.at:
                free.append(other)
            elif self.steals is not None and by >= self.steals:
                held.append(other)
        if self.draw:
            self.draw.shuffle(free)
            self.draw.shuffle(held)
        return free + held


def _pair_off(mate: list[int], lists: list[list[int]], draw: random.Random) -> None:
    """Pair people by lot, who are in `lists` in random order."""
    for person in draw.sample(range(len(mate)), len(mate)):
        if mate[person] == ALONE:
            other = next((each for each in lists[person] if mate[each] == ALONE), ALONE)
            if other != ALONE:
                mate[person], mate[other] = other, person


def filled(state: Rounds, ats: range, least: Sequence[int], seed: int = 0) -> Rounds:
    """The best of several ways to fill these rounds one after the other, ties by lot."""
    draw = random.Random(seed)  # noqa: S311
    best = state.copy().fill(ats)
    for _ in range(STARTS):
        if best.left() == list(least):
            break
        best = min(best, state.copy().fill(ats, draw), key=Rounds.left)
    return best


def mended(state: Rounds, least: Sequence[int], fixed: int, seed: int = 0) -> Rounds:
    """The best plan found by taking pairs from each other; the first `fixed` rounds keep theirs.

    `least`: how few can be left in each round at best. Fewest in the first round come first, then in the second.
    """
    draw = random.Random(seed)  # noqa: S311
    best = state
    fruitless = 0
    while fruitless < TRIES:
        left = state.left()
        short = [at for at in range(fixed, len(left)) if left[at] > least[at]]
        if not short:
            break
        state.tell()
        trial = state.copy()
        _take(trial, short[0] if draw.random() < 0.6 else draw.choice(short), fixed, draw)
        fruitless += 1
        if trial.left() <= left or draw.random() < 0.1:
            state = trial
        if state.left() < best.left():
            best, fruitless = state, 0
    return best if best.left() <= state.left() else state


def _take(state: Rounds, at: int, fixed: int, draw: random.Random) -> None:
    """Give one more pair to a round, if need be with pairs of others, who then look for other ones."""
    alone = [each for each, partner in enumerate(state.mates[at]) if partner == ALONE]
    draw.shuffle(alone)
    way = Free(state, at, fixed, draw)
    for person in alone:
        tree = grow(person, state.mates[at], way)
        if tree.end != ALONE:
            mate = state.mates[at].copy()
            exchange(tree, mate)
            robbed = sorted(state.give(at, mate))
            draw.shuffle(robbed)
            for other in robbed:
                state.give(other, largest(state.mates[other], Free(state, other, None, draw)))
            return
