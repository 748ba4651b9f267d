"""The timetable of a teacher: what they said, and what it means from one day to another. Values in, values out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lti_tool.schedule.week import SchoolWeek

CELLS = ("open", "teach", "free", "away")
"""What a cell of the grid says: teaches and can be visited, teaches, is in school and free, is not in school."""
KINDS = ("open", "teach", "free", "busy")
"""What an entry of a calendar is; `busy`: anything else that takes their time."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some time, in UTC; the end is not part of it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """A lesson, in UTC."""

    start: datetime
    end: datetime
    title: str
    """Of an entry of a calendar, or the name of the period."""
    may_visit: bool = True


@dataclass(frozen=True, slots=True)
class Grid:
    """A week by thumb, the same each week."""

    cells: Mapping[str, str] = field(default_factory=dict)
    """`day-lesson` (0 is Monday; lessons are counted from 0, breaks are not) → one of CELLS. What is not said: away."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar, stripped by ics.strip()."""

    ics: str
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Title → one of KINDS. What is not said: busy, or nothing at all where the calendar says that it takes no time."""
    away: tuple[int, ...] = ()
    """Days of the week (0: Monday) on which they are not in school, whatever the calendar says."""


Said = Grid | Calendar


@dataclass(frozen=True, slots=True)
class Availability:
    """What a teacher does from one day to another. All of it is in order of time."""

    zone: str = "UTC"
    """Of their school."""
    days: tuple[date, ...] = ()
    """Its school days, also those on which they are not there."""
    lessons: tuple[Slot, ...] = ()
    free: tuple[Span, ...] = ()
    """In school and free to talk or to visit; spans that touch are one."""
    breaks: tuple[Span, ...] = ()
    """Breaks of their school: free, but better left alone."""


def to_json(said: Said) -> dict[str, Any]:
    """As `of` takes it."""
    raise NotImplementedError


def of(body: Mapping[str, Any]) -> Said:
    """What to_json() gave; what is unknown by now is left out."""
    raise NotImplementedError


def expand(said: Said, week: SchoolWeek, first: date, last: date) -> Availability:
    """What somebody who said this does in a school from `first` to `last`, both ends among them.

    Breaks, and the minutes before the first bell and after the last one, count as free on a day on which they are in
    school, between the first lesson and the last one that are not `away`. Nothing happens in holidays.
    Raises ics.CalendarError for a calendar that cannot be read.
    """
    raise NotImplementedError


def together(several: Sequence[Availability]) -> Availability:
    """A group as if it were one: free when all are, breaks when any has one; it gives no lesson."""
    raise NotImplementedError


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as there can be, in order."""
    raise NotImplementedError
