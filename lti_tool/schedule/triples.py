"""Three meetings of a cycle found together in two timetables: the conversation before, the visit, the one after.

A triple is feasible if
- the visit is a lesson that the host gives and that may be visited (or its first minutes), and the coach is free,
- both are free in both conversations, and none of it is taken by another booking,
- the conversation before has ended when the visit begins, and is on the same day or on one of the BEFORE_DAYS school
  days of the host before it, at most a week earlier,
- the one after begins when the visit has ended, at most `within_h` hours later,
- all of it is from `first` to `last` by the host's clock, and nothing begins before `earliest`.
Conversations begin when both become free, or on a full five minutes.

Of each lesson the best triple is proposed. The better triple is, in this order, the one with
1. the conversation after on the same day; else on the morning of the next school day; else later on it; else later,
2. the conversation before on an earlier day, rather than on the day of the visit,
3. the visit in an earlier week,
4. fewer conversations that take of a break, or of the time before the first bell or after the last one, of either,
5. the earlier visit, then the earlier conversation after, then the conversation before on the later day, and there the
   earlier one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from lti_tool.schedule.timetable import Availability, Slot, Span, covers, meets, merged, shared, without

BEFORE_DAYS, BEFORE_SPAN = 3, timedelta(days=7)
STEP_MIN = 5
NOON = 12
"""A morning ends at this hour."""

Code = Literal[
    "before_host", "before_coach", "before_after_visit", "before_early",
    "visit_host", "visit_coach",
    "after_host", "after_coach", "after_before_visit", "after_late",
]  # fmt: skip
"""What no longer fits: one of the two is not free any more (or the lesson is none that may be visited), the order of
the three is wrong, the conversation before is too many school days earlier, or the one after is too late."""
Why = Literal[
    "after_same_day", "after_next_morning", "after_next_day", "after_later",
    "before_day", "before_days", "before_same_day",
    "soonest_week", "breaks_spared", "takes_break", "outside_bells",
]  # fmt: skip
"""Why a triple stands where it does: exactly one of the after_, one of the before_ (the school day before, two or three
before, the same day), `soonest_week` if no other proposal is in an earlier week; and either that both conversations are
in free periods (`breaks_spared`), or that one takes of a break, or is before the first bell or after the last one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    first: date
    last: date
    earliest: datetime
    """Nothing begins before this moment."""
    before_min: int = 10
    visit_min: int = 0
    """0: a whole lesson."""
    after_min: int = 10
    within_h: int = 48
    """The conversation after begins at most so many hours after the end of the visit."""


@dataclass(frozen=True, slots=True)
class Triple:
    """Three meetings, in UTC."""

    before: Span
    visit: Slot
    after: Span
    why: tuple[Why, ...] = ()


def propose(
    host: Availability,
    coach: Availability,
    wanted: Wanted,
    taken_host: Sequence[Span] = (),
    taken_coach: Sequence[Span] = (),
    most: int = 12,
) -> list[Triple]:
    """The best triples, best first, one of each lesson. Several coaches: timetable.together(), all their bookings."""
    way = _Way(host, coach, wanted, taken_host, taken_coach)
    found = sorted((each for visit in way.visits() if (each := way.best(visit))), key=_Found.order)[:most]
    soonest = min((each.week for each in found), default=0)
    return [each.triple(soonest) for each in found]


def both_ways(
    one: Availability,
    other: Availability,
    wanted: Wanted,
    taken_one: Sequence[Span] = (),
    taken_other: Sequence[Span] = (),
    most: int = 12,
) -> list[tuple[Triple, Triple]]:
    """(there, back): `one` is host first, and then `other` is; the way back begins when the first one has ended.

    Of each lesson of `one` its best triple, with the best one back that it leaves room for; best first, where both ways
    count alike (each point of the order is summed up over the two).
    """
    there_way = _Way(one, other, wanted, taken_one, taken_other)
    back_way = _Way(other, one, wanted, taken_other, taken_one)
    # Nothing that has to begin later is better than without that, so that the search can stop early.
    backs = sorted((each for visit in back_way.visits() if (each := back_way.best(visit))), key=_Found.order)
    found: list[tuple[_Found, _Found]] = []
    for there in (each for visit in there_way.visits() if (each := there_way.best(visit))):
        best: _Found | None = None
        for easy in backs:
            if best is not None and easy.order() >= best.order():
                break
            if easy.visit.start < there.after.end:
                continue
            back = easy if easy.before.start >= there.after.end else back_way.best(easy.visit, there.after.end)
            if back is not None and (best is None or back.order() < best.order()):
                best = back
        if best is not None:
            found.append((there, best))
    found.sort(key=lambda pair: tuple(map(sum, zip(pair[0].order(), pair[1].order(), strict=True))))
    chosen = found[:most]
    there_soonest = min((there.week for there, _back in chosen), default=0)
    back_soonest = min((back.week for _there, back in chosen), default=0)
    return [(there.triple(there_soonest), back.triple(back_soonest)) for there, back in chosen]


def still_fits(
    triple: Triple,
    host: Availability,
    coach: Availability,
    wanted: Wanted,
    taken_host: Sequence[Span] = (),
    taken_coach: Sequence[Span] = (),
) -> list[Code]:
    """What does not fit in three bookings, in the order of Code; nothing for a triple of propose(). Their lengths may
    be others than wanted, and the visit any part of a lesson. `taken_…`: without these three bookings themselves."""
    way = _Way(host, coach, wanted, taken_host, taken_coach)
    before, visit, after = triple.before, triple.visit, triple.after
    on, before_on = way.day(visit.start), way.day(before.start)
    lesson = any(
        each.may_visit and each.start <= visit.start and visit.end <= each.end for each in host.lessons
    ) and not meets(way.taken_host, visit)
    says: dict[Code, bool] = {
        "before_host": not covers(way.host_free, before),
        "before_coach": not covers(way.coach_free, before),
        "before_after_visit": before.end > visit.start,
        "before_early": before_on < way.earliest_before(on),
        "visit_host": not lesson,
        "visit_coach": not covers(way.coach_free, visit),
        "after_host": not covers(way.host_free, after),
        "after_coach": not covers(way.coach_free, after),
        "after_before_visit": after.start < visit.end,
        "after_late": after.start > visit.end + timedelta(hours=wanted.within_h),
    }
    return [code for code, holds in says.items() if holds]


@dataclass(frozen=True, slots=True)
class _Found:
    """The best triple of a lesson, before it is given its reasons."""

    visit: Slot
    before: Span
    after: Span
    after_class: int
    """Place in _AFTER."""
    days_before: int
    """School days from the conversation before to the visit."""
    week: int
    """Of the visit, as a number that grows by one from week to week."""
    costs: int
    """How many of the two conversations take of a break, or are before the first bell or after the last one."""
    takes: tuple[Why, ...]

    def order(self) -> tuple[int, ...]:
        """The smaller the better."""
        return (
            self.after_class,
            int(self.days_before == 0),
            self.week,
            self.costs,
            int(self.visit.start.timestamp()),
            int(self.after.start.timestamp()),
            self.days_before,
            int(self.before.start.timestamp()),
        )

    def triple(self, soonest: int) -> Triple:
        """`soonest`: the earliest week of all that are proposed."""
        week: tuple[Why, ...] = ("soonest_week",) if self.week == soonest else ()
        why = (_AFTER[self.after_class], _BEFORE[min(self.days_before, 2)], *week, *(self.takes or ("breaks_spared",)))
        return Triple(self.before, self.visit, self.after, why)


_AFTER: tuple[Why, ...] = ("after_same_day", "after_next_morning", "after_next_day", "after_later")
_BEFORE: tuple[Why, ...] = ("before_same_day", "before_day", "before_days")


class _Way:
    """One host and one coach: what is free, laid out so that the best triple of a lesson is found by looking it up."""

    def __init__(
        self,
        host: Availability,
        coach: Availability,
        wanted: Wanted,
        taken_host: Sequence[Span],
        taken_coach: Sequence[Span],
    ) -> None:
        self._host, self._wanted = host, wanted
        self._zone = ZoneInfo(host.zone)
        self.taken_host = merged(taken_host)
        self.host_free = without(host.free, self.taken_host)
        self.coach_free = without(coach.free, taken_coach)
        self._first = max(self._midnight(wanted.first), wanted.earliest)
        self._end = self._midnight(wanted.last + timedelta(days=1))
        both = shared(self.host_free, self.coach_free)
        self._breaks = merged([*host.breaks, *coach.breaks])
        self._edges = merged([*host.edges, *coach.edges])
        self._costs = merged([*self._breaks, *self._edges])
        self._befores = self._starts(both, wanted.before_min)
        self._afters = self._starts(both, wanted.after_min)

    def visits(self) -> Iterator[Slot]:
        """The lessons that can be visited, or their first minutes, as far as the two are free for it."""
        length = timedelta(minutes=self._wanted.visit_min)
        for each in self._host.lessons:
            visit = replace(each, end=each.start + length) if length else each
            if (
                each.may_visit
                and self._first <= each.start
                and visit.end <= min(each.end, self._end)
                and not meets(self.taken_host, visit)
                and covers(self.coach_free, visit)
            ):
                yield visit

    def best(self, visit: Slot, earliest: datetime | None = None) -> _Found | None:
        """The best triple of a lesson in which nothing begins before `earliest`; None where there is none."""
        on = self.day(visit.start)
        before = self._before(visit, on, earliest or self._first)
        if before is None:
            return None
        found = self._after(visit, on)
        if found is None:
            return None
        after, after_class = found
        takes: list[Why] = []
        if meets(self._breaks, before) or meets(self._breaks, after):
            takes.append("takes_break")
        if meets(self._edges, before) or meets(self._edges, after):
            takes.append("outside_bells")
        return _Found(
            visit,
            before,
            after,
            after_class,
            self._school_days(self.day(before.start), on),
            (on.toordinal() - 1) // 7,
            meets(self._costs, before) + meets(self._costs, after),
            tuple(takes),
        )

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def earliest_before(self, on: date) -> date:
        """The first day on which the conversation before a visit can be."""
        days = self._days_before(on)
        return days[-1] if days else on

    def _days_before(self, on: date) -> tuple[date, ...]:
        """School days of the host before a visit on which the two can talk about it; the last one first."""
        at = bisect_left(self._host.days, on)
        return tuple(day for day in self._host.days[max(0, at - BEFORE_DAYS) : at][::-1] if on - day <= BEFORE_SPAN)

    def _school_days(self, early: date, late: date) -> int:
        """How many there are from the first one, itself included, to the second one, which is not."""
        return bisect_left(self._host.days, late) - bisect_left(self._host.days, early)

    def _before(self, visit: Slot, on: date, earliest: datetime) -> Span | None:
        """The best conversation before a visit."""
        length = timedelta(minutes=self._wanted.before_min)
        for days in (self._days_before(on), (on,)):
            for starts in self._befores:
                for day in days:
                    latest = min(self._midnight(day + timedelta(days=1)) - _BIT, visit.start - length)
                    if start := _first(starts, max(self._midnight(day), earliest), latest):
                        return Span(start, start + length)
        return None

    def _after(self, visit: Slot, on: date) -> tuple[Span, int] | None:
        """The best conversation after a visit, and its place in _AFTER."""
        at = bisect_right(self._host.days, on)
        next_day = self._host.days[at] if at < len(self._host.days) else on + timedelta(days=1)
        latest = visit.end + timedelta(hours=self._wanted.within_h)
        borders = (
            visit.end,
            self._midnight(on + timedelta(days=1)),
            self._midnight(next_day, NOON),
            self._midnight(next_day + timedelta(days=1)),
            latest + _BIT,
        )
        for place, (begin, end) in enumerate(pairwise(borders)):
            for starts in self._afters:
                if start := _first(starts, begin, min(end - _BIT, latest)):
                    return Span(start, start + timedelta(minutes=self._wanted.after_min)), place
        return None

    def _midnight(self, day: date, hour: int = 0) -> datetime:
        return datetime(day.year, day.month, day.day, hour, tzinfo=self._zone).astimezone(UTC)

    def _starts(self, both: Sequence[Span], minutes: int) -> tuple[list[datetime], list[datetime]]:
        """When a conversation of so many minutes can begin: those that cost no break and no own time, and all."""
        length, step = timedelta(minutes=minutes), timedelta(minutes=STEP_MIN)
        spared: list[datetime] = []
        whole: list[datetime] = []
        for each in both:
            start = max(each.start, self._first)
            last = min(each.end, self._end) - length
            while start <= last:
                whole.append(start)
                if not meets(self._costs, Span(start, start + length)):
                    spared.append(start)
                start += step - (start - _EPOCH) % step
        return spared, whole


_BIT = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _first(starts: Sequence[datetime], begin: datetime, end: datetime) -> datetime | None:
    """The earliest one from `begin` to `end`, both ends among them."""
    at = bisect_left(starts, begin)
    return starts[at] if at < len(starts) and starts[at] <= end else None
