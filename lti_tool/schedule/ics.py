"""Calendars as other programs write and read them (RFC 5545): foreign ones are stripped to what a timetable needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

MAX_BYTES = 1_000_000


class Problem(StrEnum):
    """Why a calendar cannot be taken. At most 20 characters: kept as timetables.problem."""

    TOO_LARGE = "too large"
    """Export a shorter time, or only the calendar of lessons."""
    TOO_MANY = "too many"
    """More entries or repetitions than a timetable can have."""
    WEB_PAGE = "web page"
    """A page instead of a calendar: the address is that of a page, or asks for a password."""
    PACKED = "packed"
    """A zip or gzip file: unpack it first."""
    NO_CALENDAR = "no calendar"
    EMPTY = "empty"
    """A calendar without an entry that has a date from `since` on."""


class CalendarError(ValueError):
    """A calendar that cannot be taken."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Title:
    """What entries are called."""

    text: str
    times: int
    """About how often in the year from `since` on."""
    is_timed: bool = True
    """Whether any of them has a time; else all are of whole days."""


@dataclass(frozen=True, slots=True)
class Stripped:
    """A calendar without people, places and words beside the titles."""

    ics: str
    titles: tuple[Title, ...]
    """Most often first."""
    first: date
    last: date | None
    """None: something is repeated without an end."""
    weekdays: tuple[int, ...]
    """Days of the week (0: Monday) on which entries with a time begin."""
    unknown_zones: tuple[str, ...] = ()
    """Names of zones that nobody knows: their times are read as those of the school."""
    skipped: int = 0
    """Entries that could not be read: no date, a wrong one, or a repetition that no calendar program makes."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One entry on one day, in UTC; of a whole day from midnight to midnight by the school's clock."""

    start: datetime
    end: datetime
    title: str
    is_all_day: bool = False
    takes_time: bool = True
    """Whether the calendar says that it takes time (TRANSP)."""


@dataclass(frozen=True, slots=True)
class Event:
    """A booking as it is written."""

    uid: str
    """Stable for as long as the booking lives; with a domain (…@meitheal)."""
    start: datetime
    end: datetime
    title: str
    sequence: int
    """Higher each time it moves: from the booking's rev."""
    stamp: datetime
    """When it was last changed."""
    place: str = ""
    text: str = ""
    url: str = ""
    is_cancelled: bool = False


def strip(data: bytes, *, zone: str, since: date) -> Stripped:
    """What a timetable needs of a calendar. `zone`: of the school; `since`: entries that ended before are left out.
    Raises CalendarError. Takes less than two seconds, whatever comes."""
    raise NotImplementedError


def occurrences(ics: str, first: date, last: date, zone: str) -> list[Occurrence]:
    """All that happens from `first` to `last`, both ends among them, by the clock of `zone`; in order. `ics`: of
    Stripped. Raises CalendarError."""
    raise NotImplementedError


def write(events: Iterable[Event], name: str = "") -> bytes:
    """A calendar that other programs open. `name`: as they call it."""
    raise NotImplementedError
