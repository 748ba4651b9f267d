"""Calendars as other programs write and read them (RFC 5545): foreign ones are stripped to what a timetable needs."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar
from icalendar import Event as CalendarEvent

from lti_tool.schedule.ics_entries import Entry, entries
from lti_tool.schedule.ics_reading import CalendarError as CalendarError
from lti_tool.schedule.ics_reading import Problem as Problem
from lti_tool.schedule.ics_reading import Zones, decoded, read

MAX_BYTES = 1_000_000
MOST_ENTRIES = 5_000
MOST_AT_ONCE, MOST_OCCURRENCES, MOST_COST = 1_000, 2_500, 500_000
"""Entries, occurrences and microseconds of counting (Entry.cost) that one reading of some weeks takes."""
SIX_WEEKS = timedelta(weeks=6)


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
    if len(data) > MAX_BYTES:
        raise CalendarError(Problem.TOO_LARGE)
    raw = read(decoded(data))
    zones = Zones(raw, zone, since.year)
    every, skipped = entries(raw, zones)
    kept = _meeting(every, since, None)
    if len(kept) > MOST_ENTRIES:
        raise CalendarError(Problem.TOO_MANY)
    shown = [each for each in kept if not each.is_cancelled]
    if not shown:
        raise CalendarError(Problem.EMPTY)
    _check_busiest(kept, since)
    text = _text(kept, zones.name(raw.zone) if raw.zone else "")
    # What cannot be read now could not be read later.
    occurrences(text, since, since + timedelta(days=7), zone)
    year = since + timedelta(days=365)
    times: Counter[str] = Counter()
    timed: set[str] = set()
    for each in shown:
        times[each.title] += each.times(since, year)
        if each.is_timed:
            timed.add(each.title)
    lasts = [each.last for each in shown]
    return Stripped(
        text,
        tuple(Title(title, often, title in timed) for title, often in sorted(times.items(), key=_most_often)),
        max(since, min(each.start.wall.date() for each in shown)),
        None if None in lasts else max(each for each in lasts if each),
        tuple(sorted(set().union(*(_weekdays(each) for each in shown if each.is_timed)))),
        tuple(zones.unknown)[:5],
        skipped,
    )


def occurrences(ics: str, first: date, last: date, zone: str) -> list[Occurrence]:
    """All that happens from `first` to `last`, both ends among them, by the clock of `zone`; in order. `ics`: of
    Stripped. Raises CalendarError."""
    raw = read(ics)
    zones = Zones(raw, zone, first.year)
    every, _skipped = entries(raw, zones)
    kept = [each.nearer(first) for each in _meeting(every, first, last)]
    if (
        len(kept) > MOST_AT_ONCE
        or sum(each.times(first, last) for each in kept) > MOST_OCCURRENCES
        or sum(each.cost(last) for each in kept) > MOST_COST
    ):
        raise CalendarError(Problem.TOO_MANY)
    here = ZoneInfo(zone)
    begin, end = _midnight(first, here), _midnight(last + timedelta(days=1), here)
    found = {
        each for each in _expanded(_text(kept, raw.zone), first, last, here) if each.start < end and each.end > begin
    }
    return sorted(found, key=lambda each: (each.start, each.end, each.title))


def write(events: Iterable[Event], name: str = "") -> bytes:
    """A calendar that other programs open. `name`: as they call it."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Meitheal//Coaching//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("name", _plain(name))
        calendar.add("x-wr-calname", _plain(name))
    # How often programs ask again that are subscribed to it (RFC 7986, and as Outlook has it).
    calendar.add("refresh-interval", timedelta(hours=4), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT4H")
    for each in events:
        event = CalendarEvent()
        event.add("uid", each.uid)
        event.add("dtstamp", each.stamp.astimezone(UTC))
        event.add("last-modified", each.stamp.astimezone(UTC))
        event.add("dtstart", each.start.astimezone(UTC))
        event.add("dtend", each.end.astimezone(UTC))
        event.add("sequence", each.sequence)
        event.add("summary", _plain(each.title))
        event.add("status", "CANCELLED" if each.is_cancelled else "CONFIRMED")
        event.add("class", "PRIVATE")
        for key, text in (("location", each.place), ("description", each.text)):
            if text:
                event.add(key, _plain(text))
        if each.url:
            event.add("url", each.url)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _meeting(every: Iterable[Entry], first: date, last: date | None) -> list[Entry]:
    return [each for each in every if each.meets(first, last)]


def _check_busiest(kept: Iterable[Entry], since: date) -> None:
    """Raises CalendarError where six weeks of it are more than occurrences() takes at once."""
    single = sorted(each.start.wall.date() for each in kept if not each.repeats)
    often = sum(each.times(since, since + SIX_WEEKS) for each in kept if each.repeats)
    most = max((bisect_right(single, day + SIX_WEEKS) - at for at, day in enumerate(single)), default=0)
    repeated = sum(each.repeats for each in kept)
    if most + repeated > MOST_AT_ONCE or most + often > MOST_OCCURRENCES:
        raise CalendarError(Problem.TOO_MANY)


def _text(kept: Iterable[Entry], zone: str) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Meitheal//Timetable//EN"]
    if zone:
        lines.append(f"X-WR-TIMEZONE:{zone}")
    for each in kept:
        lines.extend(each.lines())
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _expanded(text: str, first: date, last: date, here: ZoneInfo) -> Iterator[Occurrence]:
    """Everything near those days."""
    try:
        query = recurring_ical_events.of(Calendar.from_ical(text))
        # A day more on both sides: the days of another zone begin earlier or later.
        near = query.between(first - timedelta(days=1), last + timedelta(days=2))
        for each in near:
            if str(each.get("STATUS", "")) == "CANCELLED":
                continue
            start, end = each["DTSTART"].dt, each["DTEND"].dt
            yield Occurrence(
                _moment(start, here),
                _moment(end, here),
                str(each.get("SUMMARY", "")),
                not isinstance(start, datetime),
                str(each.get("TRANSP", "")) != "TRANSPARENT",
            )
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        # All of it was checked; if the libraries still stumble, that is no reason for whoever waits to do so, too.
        raise CalendarError(Problem.NO_CALENDAR) from error


def _moment(said: date, here: ZoneInfo) -> datetime:
    if not isinstance(said, datetime):
        return _midnight(said, here)
    return (said if said.tzinfo else said.replace(tzinfo=here)).astimezone(UTC)


def _midnight(day: date, here: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=here).astimezone(UTC)


def _weekdays(entry: Entry) -> set[int]:
    if entry.rule and entry.rule.freq == "WEEKLY":
        said = dict(entry.rule.parts).get("BYDAY", "")
        if said:
            return {_DAYS.index(each) for each in said.split(",")}
    return {each.wall.weekday() for each in (entry.start, *entry.added)}


_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _most_often(title: tuple[str, int]) -> tuple[int, str]:
    return -title[1], title[0]


def _plain(text: str) -> str:
    """Without signs that a calendar cannot hold; lines stay lines."""
    return "".join(sign for sign in text.replace("\r\n", "\n") if sign == "\n" or sign.isprintable())
