"""The proof that comes with a solution: one witness for each aim, in whole numbers. check.py reads it.

It names people by their numbers in the problem. A part is one component of possible pairs; each stands for itself.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


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
        return (sum(self.each) + pairs * self.size + for_sets) // self.scale

    def renamed(self, names: Sequence[int]) -> "Prices":
        """The same with names[k] in place of k; `each` goes into the order of the names."""
        order = sorted(range(len(names)), key=lambda each: names[each])
        odd = tuple(sorted((_renamed(group, names), pays) for group, pays in self.odd))
        return Prices(self.scale, tuple(self.each[each] for each in order), self.size, odd)


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


def _renamed(people: Sequence[int], names: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(int(names[each]) for each in people))


def _part(part: Part) -> dict[str, Any]:
    return {
        "first": part.first,
        "left": [part.left.apart, part.left.odd],
        "least": part.least,
        "worst": part.worst and [part.worst.apart, part.worst.odd],
        "prices": [part.prices.scale, part.prices.each, part.prices.size, part.prices.odd],
    }


def _read(row: dict[str, Any]) -> Part:
    scale, each, size, odd = row["prices"]
    return Part(
        int(row["first"]),
        _barrier(row["left"]),
        int(row["least"]),
        None if row["worst"] is None else _barrier(row["worst"]),
        Prices(int(scale), _numbers(each), int(size), tuple((_numbers(group), int(pays)) for group, pays in odd)),
    )


def _barrier(row: list[Any]) -> Barrier:
    apart, odd = row
    return Barrier(_numbers(apart), tuple(_numbers(group) for group in odd))


def _numbers(row: list[Any]) -> tuple[int, ...]:
    return tuple(int(each) for each in row)
