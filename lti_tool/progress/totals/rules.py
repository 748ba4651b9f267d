"""Which totals may be shown: values in, values out.

Three rules together keep any group smaller than five from being derived, also by subtracting one total from another,
or today's from last month's (target 33):

- a total is counted anew once a month, and moves only when it differs by five or more from what was counted when it
  moved last;
- who has not done something is a group as well: a total moves only when nobody, or five and more, are left out of it;
- what is shown is rounded down to a multiple of five, so that every sum and every difference of totals is one too.
"""

from dataclasses import dataclass
from datetime import date

FEWEST_PEOPLE = 5
"""A group below this could be about somebody."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Teachers of one school. Each number counts some of those whom the one before it counts."""

    taking_part: int = 0
    submitted: int = 0
    finished: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Both groups together; nobody may be in both."""
        return Counts(
            self.taking_part + other.taking_part, self.submitted + other.submitted, self.finished + other.finished
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """What a page shows, each at least so many; None where nothing is shown."""

    taking_part: int | None
    submitted: int | None
    finished: int | None


def is_due(counted_on: date | None, today: date) -> bool:
    """Whether a new month has begun since the last counting."""
    return counted_on is None or (counted_on.year, counted_on.month) < (today.year, today.month)


def move(kept: Counts, now: Counts) -> Counts:
    """What is kept for the next month: each number as it is now if it may move, else as it was kept.

    What nobody has counted yet is kept as zero: below five nothing is shown either way.
    """
    return Counts(
        taking_part=_moved(kept.taking_part, now.taking_part),
        submitted=_moved(kept.submitted, now.submitted, now.taking_part),
        finished=_moved(kept.finished, now.finished, now.taking_part, now.submitted),
    )


def shown(kept: Counts) -> Totals:
    """What is shown of what is kept. A part that has not moved while its whole shrank below it is not shown."""
    taking_part = _rounded(kept.taking_part)
    submitted = _part(_rounded(kept.submitted), taking_part)
    finished = _part(_rounded(kept.finished), submitted)
    return Totals(taking_part or None, submitted or None, finished or None)


def _moved(kept: int, now: int, *wholes: int) -> int:
    leaves_nobody_alone = all(whole == now or whole - now >= FEWEST_PEOPLE for whole in wholes)
    return now if abs(now - kept) >= FEWEST_PEOPLE and leaves_nobody_alone else kept


def _rounded(number: int) -> int:
    return number - number % FEWEST_PEOPLE


def _part(number: int, whole: int) -> int:
    return number if number <= whole else 0
