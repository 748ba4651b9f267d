"""The week of a school: when the bell rings, on which days, and when nobody is there. Values in, values out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

DAYS = 7
"""Monday first."""
MOST_PERIODS = 16
"""Of a day, breaks counted."""
MOST_HOLIDAYS = 40
MAX_NAME = 40
EARLIEST, LATEST = 6 * 60, 22 * 60
"""Bells ring between these minutes of the day; no zone changes its clock then."""
MOST_TALK = 120
"""The most minutes before the first bell, or after the last one, in which people can talk."""
LONGEST_HOLIDAY = timedelta(days=120)
NO_SCHOOL, OWN = "none", "own"
"""What `same-<day>` of a form says beside the number of another day: no school, or bells of its own."""


class Problem(StrEnum):
    """What is wrong with what was typed."""

    NO_ZONE = "no zone"
    NO_NAME = "no name"
    LONG_NAME = "long name"
    NO_TIME = "no time"
    EARLY_OR_LATE = "early or late"
    BACKWARDS = "backwards"
    OVERLAP = "overlap"
    """It begins before the one above it has ended."""
    NO_LESSON = "no lesson"
    """A day with breaks alone, or a week without any lesson."""
    NO_DAY = "no day"
    """`same-<day>` names a day that does not have bells of its own."""
    NO_DATE = "no date"
    LONG_HOLIDAY = "long holiday"
    NO_MINUTES = "no minutes"
    TOO_MANY = "too many"


class RefusedError(Exception):
    """All that is wrong with what was typed: (name of the field, problem), in the order of the page."""

    def __init__(self, problems: list[tuple[str, Problem]]) -> None:
        super().__init__(", ".join(f"{where}: {each}" for where, each in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Period:
    """From one bell to another."""

    name: str
    """As the school calls it; of a break it may be empty."""
    starts: int
    """Minutes from midnight, by the clock on the wall."""
    ends: int
    is_lesson: bool = True
    """Else a break."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days without school, both ends among them."""

    first: date
    last: date
    name: str = ""


@dataclass(frozen=True, slots=True)
class SchoolWeek:
    """When a school is open."""

    zone: str
    """IANA name."""
    days: tuple[tuple[Period, ...], ...]
    """Seven, Monday first, each in the order of the day; an empty one has no school."""
    holidays: tuple[Holiday, ...] = ()
    talk_before: int = 20
    """Minutes before the first bell in which people can talk."""
    talk_after: int = 40
    """Minutes after the last one."""

    def is_school_day(self, day: date) -> bool:
        return bool(self.days[day.weekday()]) and not any(each.first <= day <= each.last for each in self.holidays)

    def school_days(self, first: date, last: date) -> list[date]:
        """Those from `first` to `last`, both ends among them."""
        span = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [day for day in span if self.is_school_day(day)]

    def periods(self, day: date) -> list[tuple[datetime, datetime, Period]]:
        """(start, end, period) of a day in UTC, in order; none where there is no school."""
        if not self.is_school_day(day):
            return []
        return [(self.moment(day, each.starts), self.moment(day, each.ends), each) for each in self.days[day.weekday()]]

    def moment(self, day: date, minutes: int) -> datetime:
        """The moment in UTC at which the clock on the wall shows `minutes` from midnight (0 to 24 hours)."""
        wall = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone)) + timedelta(minutes=minutes)
        return wall.astimezone(UTC)

    def day_of(self, moment: datetime) -> date:
        """The day it is in the school at a moment."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def lessons(self, weekday: int) -> tuple[Period, ...]:
        """The lessons of a day of the week: the rows of a teacher's grid, counted from 0 without the breaks."""
        return tuple(each for each in self.days[weekday] if each.is_lesson)

    def to_json(self) -> dict[str, Any]:
        """As `of` takes it."""
        raise NotImplementedError

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """The week that to_json() gave."""
        raise NotImplementedError


def read(form: Mapping[str, str]) -> SchoolWeek:
    """The week that was typed; raises RefusedError with all that is wrong.

    Fields: `zone`; `talk_before` and `talk_after` in minutes; of each day D (0: Monday, to 6) `same-D`: "own", "none" or
    the number of another day that has its own bells; of each period P (0 to MOST_PERIODS - 1) of a day with its own
    `name-D-P`, `from-D-P` and `to-D-P` (09:05), and `break-D-P` (not empty: a break); of each holiday N
    (0 to MOST_HOLIDAYS - 1) `first-N`, `last-N` (2026-10-26; empty: one day) and `holiday-N`, its name.
    A row in which nothing was typed is left out; rows may come in any order of time.
    """
    raise NotImplementedError


def typed(week: SchoolWeek) -> dict[str, str]:
    """A form that reads as this week; days like an earlier one say so."""
    raise NotImplementedError


def post_primary(zone: str = "Europe/Dublin", short: Collection[int] = ()) -> SchoolWeek:
    """An ordinary week of an Irish post-primary school, nine lessons of 40 minutes, or six on a `short` day (2:
    Wednesday, 4: Friday); holidays are for the school to say."""
    raise NotImplementedError


def primary(zone: str = "Europe/Dublin") -> SchoolWeek:
    """An ordinary week of an Irish primary school."""
    raise NotImplementedError


@cache
def zones() -> tuple[str, ...]:
    """The names that a week may have, sorted."""
    return tuple(sorted(each for each in available_timezones() if "/" in each and not each.startswith("Etc/")))
