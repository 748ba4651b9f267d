"""The proof that comes with a solution: one witness for each aim, in whole numbers. check.py reads it.

It names people by their numbers in the problem. A part is one component of possible pairs; each stands for itself.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Three = tuple[int, int, int]
"""Of a triad, in ascending order."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """Who is set apart and the odd groups that are left; at least len(odd) - len(apart) people have no partner.

    Nobody of an odd group may go with anybody who is neither of the group nor set apart (C. Berge 1958, after
    W. T. Tutte 1947). An empty one stands for parity: of an odd number somebody is left.
    """

    apart: tuple[int, ...] = ()
    odd: tuple[tuple[int, ...], ...] = ()

    def proves(self, people: int) -> int:
        """How many of so many people are left at least."""
        return max(len(self.odd) - len(self.apart), people % 2)

    def renamed(self, names: Sequence[int]) -> "Barrier":
        """The same with names[k] in place of k."""
        return Barrier(_renamed(self.apart, names), tuple(sorted(_renamed(group, names) for group in self.odd)))


@dataclass(frozen=True, slots=True)
class Prices:
    """What each person, the number of pairs and each odd set pays: in whole numbers, in fractions of `scale`.

    Each allowed pair is worth no more than its two people, `size`, and the odd sets that hold both, pay. So no set of
    that many pairs is worth more than `bound` (J. Edmonds 1965; W. H. Cunningham and A. B. Marsh 1978).
    """

    scale: int
    each: tuple[int, ...]
    """0 or more, of each person of the part, in ascending order."""
    size: int
    """For each pair; any sign."""
    odd: tuple[tuple[tuple[int, ...], int], ...] = ()
    """Odd sets of people with what they pay, more than 0."""

    def bound(self, pairs: int) -> int:
        """The most that so many pairs can be worth together, a whole number."""
        for_sets = sum(len(group) // 2 * pays for group, pays in self.odd)
        return even((sum(self.each) + pairs * self.size + for_sets) // self.scale, len(self.each), pairs)

    def renamed(self, names: Sequence[int]) -> "Prices":
        """The same with names[k] in place of k; `each` goes into the order of the names."""
        order = sorted(range(len(names)), key=lambda each: names[each])
        odd = tuple(sorted((_renamed(group, names), pays) for group, pays in self.odd))
        return Prices(self.scale, tuple(self.each[each] for each in order), self.size, odd)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why among some of the possible pairs no three together leave fewer without a partner than there are.

    Either the barrier proves that even pairs alone would leave more. Or it proves as many; then only three of one of
    its odd groups could leave fewer, and for each three of a group who are possible with each other a barrier proves
    that the others would leave too many.
    """

    barrier: Barrier
    refused: tuple[tuple[Three, Barrier], ...] = ()

    def renamed(self, names: Sequence[int]) -> "Refusal":
        """The same with names[k] in place of k."""
        return Refusal(self.barrier.renamed(names), _refused(self.refused, names))


@dataclass(frozen=True, slots=True)
class Triad:
    """Three together, and why no other three are better."""

    three: Three
    above: Refusal
    """Why with a triad not all pairs can fit better than the least one does."""
    within: Barrier
    """Of the pairs that fit as well as the least: only three of one of its odd groups leave fewer than pairs alone."""
    prices: tuple[Prices, ...]
    """Further prices of the part. Each system of prices bounds what there can be with any three; the lowest counts."""
    refused: tuple[tuple[Three, Barrier], ...]
    """Those who could have a greater total, but would leave more without a partner."""

    def renamed(self, names: Sequence[int]) -> "Triad":
        """The same with names[k] in place of k."""
        prices = tuple(each.renamed(names) for each in self.prices)
        refused = _refused(self.refused, names)
        return Triad(_three(self.three, names), self.above.renamed(names), self.within.renamed(names), prices, refused)


@dataclass(frozen=True, slots=True)
class Part:
    """The witnesses of one component, one for each aim."""

    first: int
    """The smallest number among its people, by which it is known."""
    left: Barrier
    """Why nobody more can have a partner."""
    least: int
    """The least fit among its pairs."""
    worst: Barrier | None
    """Why not all pairs can fit better than `least`: more would be left. None: no possible pair fits better."""
    prices: Prices
    """Why the total is not greater, nor the number who met before smaller. A pair is worth by `worth`."""
    triad: Triad | Refusal | None = None
    """Where triads are allowed and somebody is left without one: the triad, or why there is none."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The witnesses of all parts that have a possible pair, by the smallest number in each."""

    parts: tuple[Part, ...] = field(default=())

    def to_json(self) -> str:
        """As text, to be stored."""
        return json.dumps([_part(each) for each in self.parts], separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Certificate":
        """What to_json wrote. Raises ValueError for anything else."""
        try:
            return cls(tuple(_read(each) for each in json.loads(text)))
        except (TypeError, KeyError, IndexError) as error:
            raise ValueError("not a certificate") from error


def unit(people: int) -> int:
    """How many pairs who met before count as much as one point of fit: more than a part of so many people can have."""
    return people + 4


def worth(people: int, fit: int, again: bool) -> int:
    """What a pair adds to the total of its part: its fit for each of the two, and a little less if they met before."""
    return 2 * fit * unit(people) - int(again)


Whole = TypeVar("Whole", int, NDArray[np.int64])


def even(most: Whole, people: int, pairs: int) -> Whole:
    """The most that so many pairs can be worth where they are worth no more than `most`.

    Each is worth an even number of points, less one if the two met before: between two even numbers of points there is
    nothing but what is less by up to `pairs`.
    """
    two = 2 * unit(people)
    whole = (most + pairs) // two * two
    return most - (most > whole) * (most - whole)


def _renamed(people: Sequence[int], names: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(int(names[each]) for each in people))


def _three(three: Three, names: Sequence[int]) -> Three:
    one, two, last = _renamed(three, names)
    return one, two, last


def _refused(refused: tuple[tuple[Three, Barrier], ...], names: Sequence[int]) -> tuple[tuple[Three, Barrier], ...]:
    renamed = ((_three(three, names), barrier.renamed(names)) for three, barrier in refused)
    return tuple(sorted(renamed, key=itemgetter(0)))


def _part(part: Part) -> dict[str, Any]:
    return {
        "first": part.first,
        "left": [part.left.apart, part.left.odd],
        "least": part.least,
        "worst": part.worst and [part.worst.apart, part.worst.odd],
        "prices": _row(part.prices),
        "triad": _of_triad(part.triad),
    }


def _row(prices: Prices) -> list[Any]:
    return [prices.scale, prices.each, prices.size, prices.odd]


def _of_triad(triad: Triad | Refusal | None) -> list[Any] | None:
    if triad is None:
        return None
    if isinstance(triad, Refusal):
        return [[triad.barrier.apart, triad.barrier.odd], _of_refused(triad.refused)]
    within = [triad.within.apart, triad.within.odd]
    return [
        triad.three,
        _of_triad(triad.above),
        within,
        [_row(each) for each in triad.prices],
        _of_refused(triad.refused),
    ]


def _of_refused(refused: tuple[tuple[Three, Barrier], ...]) -> list[Any]:
    return [[three, [barrier.apart, barrier.odd]] for three, barrier in refused]


def _read(row: dict[str, Any]) -> Part:
    return Part(
        int(row["first"]),
        _barrier(row["left"]),
        int(row["least"]),
        None if row["worst"] is None else _barrier(row["worst"]),
        _prices(row["prices"]),
        _triad(row.get("triad")),
    )


def _prices(row: list[Any]) -> Prices:
    scale, each, size, odd = row
    return Prices(int(scale), _numbers(each), int(size), tuple((_numbers(group), int(pays)) for group, pays in odd))


def _triad(row: list[Any] | None) -> Triad | Refusal | None:
    if row is None:
        return None
    if len(row) == 2:
        return _refusal(row)
    three, above, within, prices, refused = row
    return Triad(
        _as_three(three),
        _refusal(above),
        _barrier(within),
        tuple(_prices(each) for each in prices),
        tuple((_as_three(each), _barrier(barrier)) for each, barrier in refused),
    )


def _refusal(row: list[Any]) -> Refusal:
    barrier, refused = row
    return Refusal(_barrier(barrier), tuple((_as_three(each), _barrier(proof)) for each, proof in refused))


def _barrier(row: list[Any]) -> Barrier:
    apart, odd = row
    return Barrier(_numbers(apart), tuple(_numbers(group) for group in odd))


def _as_three(row: list[Any]) -> Three:
    one, two, three = _numbers(row)
    return one, two, three


def _numbers(row: list[Any]) -> tuple[int, ...]:
    return tuple(int(each) for each in row)
