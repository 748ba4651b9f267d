"""Foreign calendars as text: their lines that matter, and what the names of their zones stand for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

MOST_ZONES = 50

Line = tuple[str, Mapping[str, str], str]
"""Name, parameters, value."""


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


@dataclass(slots=True)
class Raw:
    """The lines that matter."""

    zone: str = ""
    """X-WR-TIMEZONE."""
    zones: dict[str, dict[str, str]] = field(default_factory=dict)
    """TZID → STANDARD and DAYLIGHT → offset (+0100) that was said last; LOCATION → X-LIC-LOCATION."""
    events: list[list[Line]] = field(default_factory=list)


def decoded(data: bytes) -> str:
    """The text of a file. Raises CalendarError for what is none."""
    if data[:2] in (b"PK", b"\x1f\x8b"):
        raise CalendarError(Problem.PACKED)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    if re.search(r"<(!doctype|html|head|body)\b", text[:2000], re.IGNORECASE):
        raise CalendarError(Problem.WEB_PAGE)
    return text.replace("\0", "")


_KEPT = {
    *("UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE"),
    *("TRANSP", "STATUS"),
}
_LINE = re.compile(r'([A-Za-z-]+)((?:;[A-Za-z-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([A-Za-z-]+)=("[^"]*"|[^";:,]*)')


def read(text: str) -> Raw:
    """The lines that matter. Raises CalendarError where there is no calendar."""
    raw = Raw()
    inside: list[str] = []
    event: list[Line] = []
    zone = ""
    begun = False
    for line in re.split(r"\r\n|\n|\r", re.sub(r"(?:\r\n|\n|\r)[ \t]", "", text)):
        name = re.split("[;:]", line, maxsplit=1)[0].upper()
        value = line.partition(":")[2]
        if name == "BEGIN":
            inside.append(value.strip().upper())
            begun = begun or inside == ["VCALENDAR"]
            if inside == ["VCALENDAR", "VEVENT"]:
                event = []
            elif inside == ["VCALENDAR", "VTIMEZONE"]:
                zone = ""
        elif name == "END":
            if inside and inside[-1] == value.strip().upper():
                if inside == ["VCALENDAR", "VEVENT"]:
                    raw.events.append(event)
                inside.pop()
        elif inside == ["VCALENDAR", "VEVENT"]:
            if name in _KEPT and (found := _LINE.fullmatch(line)):
                event.append(
                    (name, {key.upper(): said.strip('"') for key, said in _PARAMETER.findall(found[2])}, found[3])
                )
        elif inside == ["VCALENDAR"] and name == "X-WR-TIMEZONE":
            raw.zone = value.strip()
        elif inside == ["VCALENDAR", "VTIMEZONE"] and name == "TZID" and len(raw.zones) < MOST_ZONES:
            zone = re.sub(r"\\(.)", r"\1", value.strip())
            raw.zones[zone] = {}
        elif inside == ["VCALENDAR", "VTIMEZONE"] and name == "X-LIC-LOCATION" and zone in raw.zones:
            raw.zones[zone]["LOCATION"] = value.strip()
        elif inside[:2] == ["VCALENDAR", "VTIMEZONE"] and name == "TZOFFSETTO" and zone in raw.zones:
            raw.zones[zone][inside[-1]] = value.strip()
    if not begun:
        raise CalendarError(Problem.NO_CALENDAR)
    return raw


class Zones:
    """What the names of zones stand for: IANA's, those of Windows, those that the calendar explains itself."""

    def __init__(self, raw: Raw, zone: str, year: int) -> None:
        self.unknown: dict[str, None] = {}
        self._raw, self._here, self._year = raw, zone, year
        self._found: dict[str, str] = {}

    def name(self, said: str) -> str:
        """IANA name; empty where nobody knows it."""
        if said not in self._found:
            if len(self._found) >= MOST_ZONES:
                return ""
            self._found[said] = self._look_up(said)
        return self._found[said]

    def _look_up(self, said: str) -> str:
        explained = self._raw.zones.get(said, {})
        for each in (said, explained.get("LOCATION", "")):
            if each in _known():
                return each
            if each in WINDOWS_TO_OLSON:
                return WINDOWS_TO_OLSON[each]
            # /mozilla.org/20050126_1/Europe/Dublin, /freeassociation.sourceforge.net/Europe/Dublin
            tail = "/".join(each.split("/")[-2:])
            if "/" in tail and tail in _known():
                return tail
        offsets = {_offset(explained.get(each, "")) for each in ("STANDARD", "DAYLIGHT")} - {None}
        for each in (self._here, *_USUAL):
            if offsets and offsets == _offsets(each, self._year):
                return each
        self.unknown[said[:60]] = None
        return ""


_USUAL = (
    *("UTC", "Europe/London", "Europe/Paris", "Europe/Athens", "Europe/Istanbul", "Atlantic/Azores"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix"),
    *("America/Halifax", "America/St_Johns", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo"),
    *("Africa/Lagos", "Africa/Johannesburg", "Australia/Sydney", "Australia/Brisbane", "Pacific/Auckland"),
)
"""Zones that are tried where a calendar tells no more than how far its clocks are from UTC."""


@cache
def _known() -> frozenset[str]:
    return frozenset(each for each in available_timezones() if not each.startswith(("posix", "right")))


@cache
def _offsets(zone: str, year: int) -> set[timedelta | None]:
    """How far the clocks of a zone are from UTC in a year."""
    return {datetime(year, month, 15, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)}


def _offset(text: str) -> timedelta | None:
    found = re.fullmatch(r"([+-])([0-9]{2})([0-9]{2})(?:[0-9]{2})?", text)
    if not found:
        return None
    return timedelta(hours=int(found[2]), minutes=int(found[3])) * (-1 if found[1] == "-" else 1)
