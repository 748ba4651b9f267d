"""Paths on which pairs can be exchanged so that one more person has a partner: Edmonds' search with blossoms.

J. Edmonds, Paths, trees, and flowers (1965). Everything here counts partners only; how well two fit plays no part.
"""

from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lti_tool.matching.problem import Ints

ALONE = -1


class Near(Protocol):
    """For each person those with whom a pair is possible."""

    def __getitem__(self, person: int, /) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Tree:
    """What can be reached from somebody without a partner by taking turns: a possible pair, a pair, a possible pair."""

    root: int
    end: int
    """Another person without a partner at the end of such a path, or ALONE."""
    outer: frozenset[int]
    """Who could be the one without a partner instead of the root, the root included."""
    inner: frozenset[int]
    """For whom all of these compete. Without an end nobody outer can go with anybody who is neither outer nor inner."""
    before: dict[int, int]


def near(people: int, first: Ints, second: Ints) -> list[Sequence[int]]:
    """The possible pairs, two arrays of shape (m,), by person; in order."""
    tails, heads = np.concatenate((first, second)), np.concatenate((second, first))
    order = np.lexsort((heads, tails))
    cuts = np.searchsorted(tails[order], np.arange(people + 1)).tolist()
    ends = heads[order].tolist()
    return [ends[cuts[each] : cuts[each + 1]] for each in range(people)]


def mates(people: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The partner of each, or ALONE."""
    mate = [ALONE] * people
    for a, b in pairs:
        mate[a], mate[b] = b, a
    return mate


def grow(root: int, mate: Sequence[int], near: Near, away: Container[int] = frozenset()) -> Tree:
    """The tree of `root`, who has no partner; it ends at the first other without one. Who is `away` is passed by.

    Time: each possible pair of who is reached is looked at once or twice.
    """
    base = {root: root}
    members = {root: [root]}
    """For the base of each blossom, who is in it; who stands for nothing but themselves is not listed before needed."""
    before: dict[int, int] = {}
    outer = {root}
    waiting = deque([root])

    def stem(a: int, b: int) -> int:
        """Where the paths of two outer people back to the root meet."""
        on_way = set()
        while True:
            a = base[a]
            on_way.add(a)
            if a == root:
                break
            a = before[mate[a]]
        b = base[b]
        while b not in on_way:
            b = base[before[mate[b]]]
        return b

    def shrink(a: int, b: int, top: int) -> list[int]:
        """Turn the way from a up to the base `top` into a part of its blossom; returns who is outer by that."""
        bases = []
        while base[a] != top:
            partner = mate[a]
            bases += [base[a], base.get(partner, partner)]
            before[a] = b
            b, a = partner, before[partner]
        return bases

    while waiting:
        person = waiting.popleft()
        for other in near[person]:
            if other in away or mate[person] == other or base.get(other, ALONE) == base[person]:
                continue
            if other in outer:
                top = stem(person, other)
                merged = {*shrink(person, other, top), *shrink(other, person, top)} - {top}
                for each in merged:
                    for member in members.pop(each, [each]):
                        base[member] = top
                        members[top].append(member)
                        if member not in outer:
                            outer.add(member)
                            waiting.append(member)
            elif other not in before:
                before[other] = person
                partner = mate[other]
                if partner == ALONE:
                    return Tree(root, other, frozenset(outer), frozenset(before.keys() - outer - {other}), before)
                outer.add(partner)
                base[partner] = partner
                members[partner] = [partner]
                waiting.append(partner)
    return Tree(root, ALONE, frozenset(outer), frozenset(before.keys() - outer), before)


def exchange(tree: Tree, mate: list[int]) -> None:
    """Exchange pairs along the tree's path: afterwards its root and its end both have a partner."""
    person = tree.end
    while person != ALONE:
        partner = tree.before[person]
        following = mate[partner]
        mate[person], mate[partner] = partner, person
        person = following


def largest(mate: list[int], near: Near, away: frozenset[int] = frozenset()) -> list[int]:
    """The greatest number of pairs, reached from those in `mate`, of whom nobody is left; `mate` is not changed."""
    mate = mate.copy()
    alone = [each for each, partner in enumerate(mate) if partner == ALONE and each not in away]
    for person in sorted(alone, key=lambda each: len(near[each])):
        if mate[person] == ALONE:
            other = min(
                (each for each in near[person] if mate[each] == ALONE and each not in away),
                key=lambda each: len(near[each]),
                default=ALONE,
            )
            if other != ALONE:
                mate[person], mate[other] = other, person
    dead = away
    for person in alone:
        if mate[person] == ALONE and person not in dead:
            tree = grow(person, mate, near, dead)
            if tree.end == ALONE:  # nobody of this tree is on any later path either
                dead |= tree.outer | tree.inner
            else:
                exchange(tree, mate)
    return mate
