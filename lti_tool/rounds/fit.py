"""Who could be paired with whom, and how well two people fit, from what they said. Pure.

A pair is possible only if no hard rule is against it:
- neither is line manager of the other, and neither asked not to be paired with the other;
- both are of one school (nobody's school known: of one, too), or the round allows pairs between schools and both are
  willing;
- where both said when they are free and when they teach: there is a period in which the one is free and the other
  teaches, one the other way round, and one in which both are free. Two visits and a talk need no more;
- where both named languages: they share one;
- where one of them only wants a partner who goes exactly as far: both go as far. Not said is full coaching.

How well two people fit is a whole number from few parts, all of them in POINTS. Nothing of it is about how anybody
teaches; no evaluation is known here.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.problem import Problem
from lti_tool.rounds.rules import DAYS, Settings, Why, Wish

DENSE = 5_000
"""Up to so many people every possible pair counts."""
NEAREST = 20
"""Beyond, for each person only the pairs with so many others who fit best (and those for whom they are among these)."""
_CELLS = 1 << 20
"""Pairs that are looked at in one go, so that a few bytes for each of them stay in the cache's neighbourhood."""

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the fit of two people."""

    key: str
    each: int
    """What it adds each time it is given."""
    times: int = 1
    """How often at most."""


POINTS = (
    Part("any", 1),  # every possible pair
    Part("wanted", 4, 6),  # a topic that one wants and the other offers; at most three each way
    Part("focus", 3),  # the topic that matters most now is the same
    Part("both_want", 1, 5),  # a topic that both want to work on
    Part("language", 2),  # both named a language, and it is the same
    Part("subject", 3),  # same or different, as the settings say; both said theirs
    Part("level", 2),  # both said theirs, and it is the same
    Part("talk", 1, 3),  # a period of the week in which both are free
)
"""The whole table, as the page about the proof lists it."""
_EACH = {part.key: part.each for part in POINTS}
_TIMES = {part.key: part.times for part in POINTS}


def parts(settings: Settings) -> tuple[Part, ...]:
    """The parts that count with these settings, for the page that explains a result."""
    return tuple(part for part in POINTS if part.key != "subject" or settings.subjects != "ignore")


@dataclass(frozen=True, slots=True)
class Member:
    """A teacher who would like a partner, as far as it counts."""

    id: str
    """Of the membership."""
    wish: Wish
    step: str = "full"
    """How far they go: one of protocols.STEPS."""
    school: str = ""
    """Id of their school; empty: not known."""


@dataclass(frozen=True, slots=True)
class History:
    """Who has worked with whom in this course before."""

    pairs: frozenset[tuple[str, str]] = frozenset()
    """Two membership ids each, the smaller first."""
    in_triad: frozenset[str] = frozenset()
    """Memberships that have been one of three."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What everybody said, one entry for each person; sets as bits."""

    wants: Words
    offers: Words
    focus: NDArray[np.int32]
    """Number of the topic; -1: none."""
    languages: NDArray[np.uint8]
    subject: NDArray[np.int32]
    level: NDArray[np.int32]
    """Numbers of what was said; -1: nothing."""
    free: Words
    teaching: Words
    has_times: NDArray[np.bool_]
    step: NDArray[np.int32]
    same_step: NDArray[np.bool_]
    school: NDArray[np.int32]
    other_school: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Marked:
    """Pairs with a mark, both ways round, by their first person: to be set in rows of a table at once."""

    first: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    second: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "_Marked":
        both = np.array(sorted({(a, b) for pair in pairs for a, b in (pair, pair[::-1])}), np.int64).reshape(-1, 2)
        return cls(both[:, 0].copy(), both[:, 1].copy())

    def within(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places in a table of the rows from `start` to before `stop`."""
        low, high = np.searchsorted(self.first, (start, stop))
        return self.first[low:high] - start, self.second[low:high]


def build(
    members: Sequence[Member],
    settings: Settings,
    topics: Sequence[str],
    *,
    managers: Iterable[tuple[str, str | None]] = (),
    history: History | None = None,
    seed: int = 0,
    tell: Callable[[float], None] = lambda _share: None,
) -> Problem:
    """The problem of these people, numbered in their order; its pairs are sorted by first, then second.

    `topics`: keys of the topics on the list (at most 64); chosen ones that are not on it any more count for nothing.
    `managers`: (manager, report) as membership ids; without a report everybody of the manager's school, and where the
    manager's school is not known everybody. `tell` gets the share that is done, and may raise to stop.

    Time grows with the square of the number of people. Memory: 13 bytes for each possible pair, twice.
    """
    history = history or History()
    n = len(members)
    said = _said(members, settings, topics)
    number = {member.id: place for place, member in enumerate(members)}
    apart = _Marked.of(_apart(members, number, managers))
    again = _Marked.of((number[a], number[b]) for a, b in history.pairs if a in number and b in number)
    rows = max(1, _CELLS // max(n, 1))
    limited = n > DENSE
    ties = np.random.default_rng(seed).integers(0, 1 << 32, n, dtype=np.uint64)
    found = []
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        # Of each two people once; where only the nearest are kept, for both of them.
        begin = 0 if limited else start
        possible = _possible(said, settings, slice(start, stop), begin)
        first, second = apart.within(start, stop)
        possible[first[second >= begin], second[second >= begin] - begin] = False
        here = np.arange(start, stop)[:, None]
        others = np.arange(begin, n)[None, :]
        possible &= (here != others) if limited else (here < others)
        fit = _fit(said, settings, slice(start, stop), begin)
        if limited:
            possible = _nearest(possible, fit, ties[start:stop], ties)
        marked = np.zeros(possible.shape, np.bool_)
        first, second = again.within(start, stop)
        marked[first[second >= begin], second[second >= begin] - begin] = True
        a, b = np.nonzero(possible)
        found.append(
            ((a + start).astype(np.int32), (b + begin).astype(np.int32), fit[a, b].astype(np.int32), marked[a, b])
        )
        tell(stop / n)
    first_, second_, fit_, again_ = (
        np.concatenate([each[column] for each in found]) if found else np.zeros(0, np.int32) for column in range(4)
    )
    if limited:
        first_, second_ = np.minimum(first_, second_), np.maximum(first_, second_)
        _keys, kept = np.unique(first_.astype(np.int64) * n + second_, return_index=True)
        first_, second_, fit_, again_ = first_[kept], second_[kept], fit_[kept], again_[kept]
    was_in_triad = np.array([member.id in history.in_triad for member in members], np.bool_)
    # Three always go all the way: who said that they would not is not one of them.
    no_triad = np.array([member.step not in ("", "full") for member in members], np.bool_)
    return Problem(n, first_, second_, fit_, again_.astype(np.bool_), was_in_triad, settings.triads, seed, no_triad)


def why(members: Sequence[Member], settings: Settings, topics: Sequence[str]) -> Why:
    """What two or three people share, each part only from what all of them said, or one wants and another offers."""
    known = set(topics)
    wishes = [member.wish for member in members]
    wanted = [
        (one.id, other.id, topic)
        for one in members
        for other in members
        if one is not other
        for topic in one.wish.wants
        if topic in known and topic in other.wish.offers
    ]
    return Why(
        wanted=tuple(dict.fromkeys(wanted)),
        focus=_same(wish.focus if wish.focus in known else "" for wish in wishes),
        both_want=tuple(
            topic for topic in wishes[0].wants if topic in known and all(topic in wish.wants for wish in wishes)
        ),
        languages=tuple(
            language for language in wishes[0].languages if all(language in wish.languages for wish in wishes)
        ),
        subject=_same(wish.subject for wish in wishes),
        level=_same(wish.level for wish in wishes),
        talks=int(np.bitwise_and.reduce([_cells(wish.free, settings) for wish in wishes]).bit_count()),
    )


def has_little_in_common(shared: Why) -> bool:
    """Whether there is nothing to coach each other on among what they said."""
    return not (shared.wanted or shared.focus or shared.both_want)


class Loosened:
    """What would be possible for somebody if one thing were otherwise (rules.HELPS), in the numbers of build()."""

    def __init__(
        self, members: Sequence[Member], settings: Settings, managers: Iterable[tuple[str, str | None]]
    ) -> None:
        number = {member.id: place for place, member in enumerate(members)}
        self._said = _said(members, settings, ())
        self._settings = settings
        self._apart = _Marked.of(_apart(members, number, managers))
        self._cells = DAYS * len(settings.periods)

    def pairs(self, person: int) -> dict[str, list[tuple[int, int]]]:
        """By key, in the order of HELPS, the pairs of this person that the change would make possible."""
        said, row = self._said, slice(person, person + 1)
        here = said.has_times[person] & said.has_times
        allowed = _possible_at_some_time(said, self._settings, row, 0)[0]
        meet = ~here | _meet(said.free[row], said.teaching[row], said.free, said.teaching)
        willing = replace(said, other_school=said.other_school | (np.arange(len(here)) == person))
        at_others = _possible_at_some_time(willing, replace(self._settings, between_schools=True), row, 0)[0]
        sometime = np.zeros_like(here)
        for cell in range(self._cells if said.has_times[person] else 0):
            one = np.uint64(1 << cell)
            sometime |= _meet(said.free[row] | one, said.teaching[row] & ~one, said.free, said.teaching)
        return {
            "triad": [],
            "other_school": self._numbered(person, at_others & meet & ~(allowed & meet)),
            "period": self._numbered(person, allowed & sometime & ~meet),
            # Somebody with whom everything is possible.
            "joins": [(person, len(here))],
        }

    def _numbered(self, person: int, possible: NDArray[np.bool_]) -> list[tuple[int, int]]:
        _row, apart = self._apart.within(person, person + 1)
        possible[apart] = False
        possible[person] = False
        return [(person, int(other)) for other in np.flatnonzero(possible)]


# What was said, as numbers


def _said(members: Sequence[Member], settings: Settings, topics: Sequence[str]) -> _Said:
    place = {topic: number for number, topic in enumerate(topics)}
    wishes = [member.wish for member in members]

    def chosen(of: Callable[[Wish], Collection[str]]) -> Words:
        return np.array([_bits(place[each] for each in of(wish) if each in place) for wish in wishes], np.uint64)

    free = np.array([_cells(wish.free, settings) for wish in wishes], np.uint64)
    teaching = np.array([_cells(wish.teaching, settings) for wish in wishes], np.uint64) & ~free
    tongues = _numbers(sorted({each for wish in wishes for each in wish.languages}))
    return _Said(
        wants=chosen(lambda wish: wish.wants),
        offers=chosen(lambda wish: wish.offers),
        focus=np.array([place.get(wish.focus, -1) for wish in wishes], np.int32),
        languages=np.array([_bits(tongues[each] for each in wish.languages) for wish in wishes], np.uint8),
        subject=_coded([_plain(wish.subject) for wish in wishes]),
        level=_coded([_plain(wish.level) for wish in wishes]),
        free=free,
        teaching=teaching,
        has_times=(free | teaching) != 0,
        step=_coded([member.step or "full" for member in members]),
        same_step=np.array([wish.same_step for wish in wishes], np.bool_),
        school=_coded([member.school for member in members]),
        other_school=np.array([wish.other_school for wish in wishes], np.bool_),
    )


def _cells(said: Collection[str], settings: Settings) -> int:
    """Cells of the week (`day-period`) as bits; those outside of the grid are left out."""
    periods = len(settings.periods)
    bits = 0
    for cell in said:
        day, _dash, period = cell.partition("-")
        if day.isdecimal() and period.isdecimal() and int(day) < DAYS and int(period) < periods:
            bits |= 1 << (int(day) * periods + int(period))
    return bits


def _bits(numbers: Iterable[int]) -> int:
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _same(said: Iterable[str]) -> str:
    """What all said, as the first wrote it; empty where they did not say the same."""
    texts = list(said)
    return texts[0] if len({_plain(text) for text in texts}) == 1 else ""


def _numbers(texts: Iterable[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(texts)}


def _coded(texts: Sequence[str]) -> NDArray[np.int32]:
    """Each text as a number; the same number for the same text, -1 for an empty one."""
    code = _numbers(sorted(set(texts) - {""}))
    return np.array([code.get(text, -1) for text in texts], np.int32)


def _apart(
    members: Sequence[Member], number: dict[str, int], managers: Iterable[tuple[str, str | None]]
) -> Iterator[tuple[int, int]]:
    """Two people each who are not paired because of one of them: vetoes, and line managers with their reports."""
    for place, member in enumerate(members):
        yield from ((place, number[other]) for other in member.wish.not_with if other in number)
    of_school: dict[str, list[int]] = {}
    for place, member in enumerate(members):
        of_school.setdefault(member.school, []).append(place)
    for manager, report in managers:
        if manager not in number:
            continue
        place = number[manager]
        if report is not None:
            reports: Iterable[int] = (number[report],) if report in number else ()
        else:
            school = members[place].school
            reports = of_school[school] if school else range(len(members))
        yield from ((place, each) for each in reports)


# Tables of rows against everybody from a first column on


def _possible(said: _Said, settings: Settings, rows: slice, begin: int) -> NDArray[np.bool_]:
    possible = _possible_at_some_time(said, settings, rows, begin)
    if said.has_times.any():
        free, teaching = said.free[None, begin:], said.teaching[None, begin:]
        feasible = _meet(said.free[rows, None], said.teaching[rows, None], free, teaching)
        possible &= feasible | ~(said.has_times[rows, None] & said.has_times[None, begin:])
    return possible


def _meet(free: Words, teaching: Words, their_free: Words, their_teaching: Words) -> NDArray[np.bool_]:
    """Whether there is a time for a visit each way, and one for a talk."""
    meet: NDArray[np.bool_] = (free & their_teaching) != 0
    meet &= (teaching & their_free) != 0
    meet &= (free & their_free) != 0
    return meet


def _possible_at_some_time(said: _Said, settings: Settings, rows: slice, begin: int) -> NDArray[np.bool_]:
    def row(column: NDArray[Any]) -> NDArray[Any]:
        return column[rows, None]

    def all_(column: NDArray[Any]) -> NDArray[Any]:
        return column[None, begin:]

    # Not known is a school of its own here: -1 is like -1.
    possible: NDArray[np.bool_] = row(said.school) == all_(said.school)
    if settings.between_schools:
        possible |= row(said.other_school) & all_(said.other_school)
    possible &= (row(said.step) == all_(said.step)) | ~(row(said.same_step) | all_(said.same_step))
    if said.languages.any():
        shared = (row(said.languages) & all_(said.languages)) != 0
        possible &= shared | (row(said.languages) == 0) | (all_(said.languages) == 0)
    return possible


def _fit(said: _Said, settings: Settings, rows: slice, begin: int) -> NDArray[np.uint8]:
    def row(column: NDArray[Any]) -> NDArray[Any]:
        return column[rows, None]

    def all_(column: NDArray[Any]) -> NDArray[Any]:
        return column[None, begin:]

    def shared(one: Words, other: Words, most: int) -> NDArray[np.uint8]:
        counts: NDArray[np.uint8] = np.bitwise_count(row(one) & all_(other))
        return np.minimum(counts, np.uint8(most), out=counts)

    def alike(column: NDArray[np.int32]) -> NDArray[np.bool_]:
        same: NDArray[np.bool_] = (row(column) == all_(column)) & (row(column) >= 0)
        return same

    each_way = _TIMES["wanted"] // 2
    fit = shared(said.wants, said.offers, each_way)
    fit += shared(said.offers, said.wants, each_way)
    fit *= np.uint8(_EACH["wanted"])
    fit += np.uint8(_EACH["any"])
    fit += alike(said.focus) * np.uint8(_EACH["focus"])
    fit += shared(said.wants, said.wants, _TIMES["both_want"]) * np.uint8(_EACH["both_want"])
    fit += ((row(said.languages) & all_(said.languages)) != 0) * np.uint8(_EACH["language"])
    if settings.subjects == "same":
        fit += alike(said.subject) * np.uint8(_EACH["subject"])
    elif settings.subjects == "different":
        both_said = (row(said.subject) >= 0) & (all_(said.subject) >= 0)
        fit += (both_said & (row(said.subject) != all_(said.subject))) * np.uint8(_EACH["subject"])
    fit += alike(said.level) * np.uint8(_EACH["level"])
    fit += shared(said.free, said.free, _TIMES["talk"]) * np.uint8(_EACH["talk"])
    return fit


def _nearest(possible: NDArray[np.bool_], fit: NDArray[np.uint8], row_ties: Words, ties: Words) -> NDArray[np.bool_]:
    """Of each row only the NEAREST possible ones that fit best; of those who fit alike, by the seed."""
    if possible.shape[1] <= NEAREST:
        return possible
    # The same for both of a pair; odd multiplier: Knuth's, of 2**32 by the golden ratio.
    drawn = ((row_ties[:, None] ^ ties[None, :]) * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    order = np.where(possible, (fit.astype(np.uint64) << np.uint64(32)) | drawn, np.uint64(0))
    best = np.argpartition(order, -NEAREST, axis=1)[:, -NEAREST:]
    kept = np.zeros_like(possible)
    np.put_along_axis(kept, best, True, axis=1)
    kept &= possible
    return kept
