"""Three meetings of a cycle found together in two timetables: the conversation before, the visit, the one after.

A triple is feasible if
- the visit is a lesson that the host gives and that may be visited (or its first minutes), and the coach is free,
- both are free in both conversations, and none of it is taken by another booking,
- the conversation before has ended when the visit begins, at most BEFORE_DAYS school days of the host earlier,
- the one after begins when the visit has ended, at most `within_h` hours later,
- all of it is from `first` to `last` by the host's clock, and nothing begins before `earliest`.
Conversations begin when both become free, or on a full five minutes.

Of each lesson the best triple is proposed. The better triple is, in this order, the one with
1. the conversation after on the same day; else on the morning of the next school day; else later on it; else later,
2. the conversation before on an earlier day, rather than on the day of the visit,
3. the visit in an earlier week,
4. fewer conversations that take of a break,
5. the earlier visit, then the earlier conversation after, then the later conversation before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from lti_tool.schedule.timetable import Availability, Slot, Span

BEFORE_DAYS = 3
STEP_MIN = 5
NOON = 12
"""A morning ends at this hour."""

Code = Literal[
    "before_host", "before_coach", "before_after_visit", "before_early",
    "visit_host", "visit_coach",
    "after_host", "after_coach", "after_before_visit", "after_late",
]  # fmt: skip
"""What no longer fits: one of the two is not free any more (or the lesson is none that may be visited), the order of the
three is wrong, the conversation before is more than BEFORE_DAYS school days earlier, the one after is not in time."""
Why = Literal[
    "after_same_day", "after_next_morning", "after_next_day", "after_later",
    "before_day", "before_days", "before_same_day",
    "soonest_week", "breaks_spared", "takes_break",
]  # fmt: skip
"""Why a triple stands where it does: exactly one of the after_, one of the before_ (the school day before, two or three
before, the same day), `soonest_week` if no other proposal is in an earlier week, and one of the last two."""


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
    """The best triples, best first, one of each lesson. Several coaches: timetable.together(), and all their bookings."""
    raise NotImplementedError


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
    raise NotImplementedError


def still_fits(
    triple: Triple,
    host: Availability,
    coach: Availability,
    wanted: Wanted,
    taken_host: Sequence[Span] = (),
    taken_coach: Sequence[Span] = (),
) -> list[Code]:
    """What does not fit in three bookings, in the order of Code; nothing for a triple of propose(). Their lengths may be
    others than wanted, and the visit any part of a lesson. `taken_…`: without these three bookings themselves."""
    raise NotImplementedError
