"""Entries of a foreign calendar: what a timetable needs of them is kept, checked and written anew.

A calendar comes from anywhere. What the libraries would count or copy for minutes has to be found before they are
asked, so that only dates that exist, and repetitions that calendar programs make, reach them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from icalendar.prop import vText

from lti_tool.schedule.ics_reading import CalendarError, Line, Problem, Raw, Zones

MAX_TITLE = 120
MOST_DATES = 5_000
"""Single dates, added to or left out of repetitions, of all entries together."""
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=400)
_LONGEST_REPEATED = timedelta(days=31)
_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class When:
    """A date, or the time on a clock."""

    wall: datetime
    """Naive; of a date midnight."""
    zone: str | None = None
    """IANA name, UTC, empty (floating: the clock on the wall, wherever that is); None for a date."""

    def on(self, wall: datetime) -> Self:
        """Another time of the same kind."""
        return replace(self, wall=wall)

    def like(self, other: "When") -> "When":
        """The same by the clock of another one; of a date, what is at the same time on that day."""
        if self.zone is None or other.zone is None:
            return other.on(datetime.combine(self.wall.date(), other.wall.time()))
        if self.zone and other.zone and self.zone != other.zone:
            moment = self.wall.replace(tzinfo=ZoneInfo(self.zone)).astimezone(ZoneInfo(other.zone))
            return other.on(moment.replace(tzinfo=None))
        return other.on(self.wall)

    def line(self, name: str) -> str:
        return f"{name}{self.parameter}:{self.value}"

    @property
    def parameter(self) -> str:
        if self.zone is None:
            return ";VALUE=DATE"
        return "" if self.zone in ("", "UTC") else f";TZID={self.zone}"

    @property
    def value(self) -> str:
        if self.zone is None:
            return f"{self.wall:%Y%m%d}"
        return f"{self.wall:%Y%m%dT%H%M%S}" + ("Z" if self.zone == "UTC" else "")


@dataclass(frozen=True, slots=True)
class Rule:
    """A repetition that calendar programs make."""

    freq: str
    interval: int
    count: int
    """0: no."""
    until: datetime | None
    """By the clock of the entry."""
    parts: tuple[tuple[str, str], ...]
    """BYDAY, BYMONTH, BYMONTHDAY, BYSETPOS, WKST: as they were."""

    @property
    def days(self) -> int:
        """From one repetition of `freq` to the next, at least."""
        return _UNITS[self.freq] * self.interval

    @property
    def each(self) -> int:
        """How many entries one repetition of `freq` can bring."""
        per_day = len(dict(self.parts).get("BYDAY", "x").split(","))
        most = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[self.freq]
        months = len(dict(self.parts).get("BYMONTH", "x").split(",")) if self.freq == "YEARLY" else 1
        days = len(dict(self.parts).get("BYMONTHDAY", "x").split(","))
        is_each_week = self.freq in ("MONTHLY", "YEARLY") and re.search(
            r"(^|,)[A-Z]", dict(self.parts).get("BYDAY", "")
        )
        return min(most, max(per_day * (5 if is_each_week else 1), days) * months)

    def ends(self, start: date) -> date | None:
        """A day after which there is none; None: unknown, or never."""
        found = [self.until.date()] if self.until else []
        if self.count and self.freq in ("DAILY", "WEEKLY") and not {"BYMONTH", "BYSETPOS"} & dict(self.parts).keys():
            weeks = self.count if "BYDAY" in dict(self.parts) else -(-self.count * self.days // 7)
            found.append(
                start + timedelta(weeks=min(weeks * (self.interval if self.freq == "WEEKLY" else 1) + 1, 10_000))
            )
        return min(found, default=None)

    def text(self, start: When) -> str:
        said = [f"FREQ={self.freq}", f"INTERVAL={self.interval}", *(f"{key}={value}" for key, value in self.parts)]
        if self.count:
            said.append(f"COUNT={self.count}")
        if self.until:
            until = start.on(self.until)
            if until.zone:
                moment = self.until.replace(tzinfo=ZoneInfo(until.zone)).astimezone(UTC)
                until = When(moment.replace(tzinfo=None), "UTC")
            said.append(f"UNTIL={until.value}")
        return ";".join(said)


_UNITS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
_COSTS = {"DAILY": 3, "WEEKLY": 6, "MONTHLY": 10, "YEARLY": 45}
"""Microseconds that the library takes for one repetition, about; as measured on a busy machine."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of an entry."""

    uid: str
    title: str
    start: When
    end: When
    rule: Rule | None = None
    added: tuple[When, ...] = ()
    left_out: tuple[When, ...] = ()
    instead_of: When | None = None
    """What it stands for, of a repetition that was changed."""
    and_later: bool = False
    """Whether it stands for all later ones, too."""
    sequence: int = 0
    takes_time: bool = True
    is_cancelled: bool = False

    @property
    def is_timed(self) -> bool:
        return self.start.zone is not None

    @property
    def repeats(self) -> bool:
        return self.rule is not None or bool(self.added)

    @property
    def _known_days(self) -> Sequence[When]:
        return (self.start, *self.added, *([self.instead_of] if self.instead_of else []))

    @property
    def last(self) -> date | None:
        """A day after which there is nothing of it, a day's difference between zones allowed for; None: unknown, or
        never."""
        length = self.end.wall - self.start.wall
        days = [each.wall.date() for each in self._known_days]
        if self.rule:
            ends = self.rule.ends(self.start.wall.date())
            if ends is None:
                return None
            days.append(ends)
        return max(days) + length + timedelta(days=1)

    def meets(self, first: date, last: date | None) -> bool:
        """Whether anything of it can be from `first` to `last` (None: any time after)."""
        if self.and_later:
            return True
        if (ends := self.last) and ends < first:
            return False
        begin = min(each.wall for each in self._known_days).date()
        return last is None or begin - timedelta(days=1) <= last

    def times(self, first: date, last: date) -> int:
        """How often it is there from `first` to `last`, about, and rather more."""
        if not self.meets(first, last):
            return 0
        length = (self.end.wall - self.start.wall).days
        found = 1 + sum(first <= each.wall.date() <= last for each in self.added)
        if self.rule:
            begin, end = max(first, self.start.wall.date()), min(last, self.rule.ends(self.start.wall.date()) or last)
            steps = (max(0, (end - begin).days) + length) // self.rule.days + 1
            found += min(steps * self.rule.each, self.rule.count or 10_000) - 1
        return found

    def cost(self, last: date) -> int:
        """Microseconds that the library counts until `last`, about."""
        if self.rule is None:
            return 0
        steps = max(0, (last - self.start.wall.date()).days) // self.rule.days + 12
        if self.rule.freq == "DAILY" and "BYMONTH" in dict(self.rule.parts):
            steps += 366
        return steps * _COSTS[self.rule.freq]

    def nearer(self, first: date) -> Self:
        """The same from a little before `first` on: what began long ago is not counted from its first day."""
        rule = self.rule
        if rule is None or rule.count or self.start.zone != self.end.zone:
            return self
        length = self.end.wall - self.start.wall
        days = (first - self.start.wall.date() - length).days - 100
        wall = self.start.wall
        if rule.freq in ("DAILY", "WEEKLY"):
            wall += timedelta(days=max(0, days // rule.days * rule.days))
        elif rule.freq == "MONTHLY" and rule.interval == 1 and days > 365:
            # January has as many days as any other.
            wall = wall.replace(year=(wall + timedelta(days=days)).year - 1, month=1)
        elif rule.freq == "YEARLY" and rule.interval == 1 and days > 365:
            year = wall.year + days // 366 - 1
            if (wall.month, wall.day) == (2, 29):
                year -= year % 4
                year -= 4 * (year == 2100)
            wall = wall.replace(year=max(wall.year, year))
        if wall <= self.start.wall:
            return self
        return replace(self, start=self.start.on(wall), end=self.end.on(wall + length))

    def lines(self) -> Iterator[str]:
        yield "BEGIN:VEVENT"
        yield f"UID:{self.uid}"
        yield "SUMMARY:" + vText(self.title).to_ical().decode()
        yield self.start.line("DTSTART")
        yield self.end.line("DTEND")
        if self.rule:
            yield "RRULE:" + self.rule.text(self.start)
        for name, several in (("RDATE", self.added), ("EXDATE", self.left_out)):
            for parameter in sorted({each.parameter for each in several}):
                yield f"{name}{parameter}:" + ",".join(each.value for each in several if each.parameter == parameter)
        if self.instead_of:
            yield self.instead_of.line("RECURRENCE-ID" + (";RANGE=THISANDFUTURE" if self.and_later else ""))
        if self.sequence:
            yield f"SEQUENCE:{self.sequence}"
        if not self.takes_time:
            yield "TRANSP:TRANSPARENT"
        if self.is_cancelled:
            yield "STATUS:CANCELLED"
        yield "END:VEVENT"


def entries(raw: Raw, zones: Zones) -> tuple[list[Entry], int]:
    """The entries, and how many could not be read. Raises CalendarError for too many single dates."""
    found: list[Entry] = []
    uids: dict[object, str] = {}
    masters: dict[object, When] = {}
    dates = skipped = 0
    for number, lines in enumerate(raw.events):
        try:
            entry = _entry(lines, raw, zones)
        except ValueError:
            skipped += 1
            continue
        dates += len(entry.added) + len(entry.left_out)
        if dates > MOST_DATES:
            raise CalendarError(Problem.TOO_MANY)
        key: object = entry.uid or number
        # Some programs give all their entries the same name; a later state of the same one begins at the same time.
        if entry.instead_of is None and masters.setdefault(key, entry.start) != entry.start:
            key = number
        found.append(replace(entry, uid=uids.setdefault(key, f"e{len(uids)}")))
    return found, skipped


def _entry(lines: Iterable[Line], raw: Raw, zones: Zones) -> Entry:
    """Raises ValueError for an entry that no calendar program writes."""
    said = {name: (parameters, value) for name, parameters, value in reversed(list(lines))}
    if "DTSTART" not in said:
        raise ValueError("no start")
    starts = _whens(*said["DTSTART"], raw, zones)
    if len(starts) != 1:
        raise ValueError("no date")
    start = starts[0]
    end = _end(start, said, raw, zones)
    length = end.wall - start.wall
    if not timedelta(0) <= length <= _LONGEST:
        raise ValueError("backwards, or too long")
    rules = [value for name, _parameters, value in lines if name == "RRULE"]
    if len(rules) > 1:
        raise ValueError("several rules")
    rule = _rule(rules[0], start) if rules else None
    added = _several("RDATE", lines, start, raw, zones)
    if (rule or added) and length > _LONGEST_REPEATED:
        raise ValueError("too long to be repeated")
    instead_of = _whens(*said["RECURRENCE-ID"], raw, zones)[0] if "RECURRENCE-ID" in said else None
    sequence = said.get("SEQUENCE", ({}, "0"))[1].strip()
    return Entry(
        said.get("UID", ({}, ""))[1].strip(),
        _title(said.get("SUMMARY", ({}, ""))[1]),
        start,
        end,
        None if instead_of else rule,
        () if instead_of else added,
        () if instead_of else _several("EXDATE", lines, start, raw, zones),
        instead_of,
        bool(instead_of) and said["RECURRENCE-ID"][0].get("RANGE", "").upper() == "THISANDFUTURE",
        int(sequence) if re.fullmatch("[0-9]{1,6}", sequence) else 0,
        said.get("TRANSP", ({}, ""))[1].strip().upper() != "TRANSPARENT",
        said.get("STATUS", ({}, ""))[1].strip().upper() == "CANCELLED",
    )


def _end(start: When, said: Mapping[str, tuple[Mapping[str, str], str]], raw: Raw, zones: Zones) -> When:
    if "DTEND" in said:
        end = _whens(*said["DTEND"], raw, zones)[0]
        if (end.zone is None) != (start.zone is None):
            raise ValueError("half a day")
        end = end.like(start) if end.zone is not None else end
    elif "DURATION" in said:
        length = _duration(said["DURATION"][1])
        end = start.on(start.wall + (length if start.zone is not None else -(-length // _DAY) * _DAY))
    else:
        end = start.on(start.wall + timedelta(days=0 if start.zone is not None else 1))
    # A day that ends on the day on which it begins is one whole day.
    return start.on(start.wall + timedelta(days=1)) if start.zone is None and end.wall == start.wall else end


def _several(name: str, lines: Iterable[Line], start: When, raw: Raw, zones: Zones) -> tuple[When, ...]:
    """Dates beside the first one, by its clock."""
    found = (
        each for kind, parameters, value in lines if kind == name for each in _whens(parameters, value, raw, zones)
    )
    return tuple(dict.fromkeys(each.like(start) for each in found))


_WHEN = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?")


def _whens(parameters: Mapping[str, str], value: str, raw: Raw, zones: Zones) -> list[When]:
    """One or several dates; raises ValueError for one that does not exist."""
    said = parameters.get("TZID", "") or raw.zone
    # Of a period its beginning.
    found = (_when(text.split("/")[0].strip().upper()) for text in value.split(","))
    return [replace(each, zone=zones.name(said)) if said and each.zone == "" else each for each in found]


def _when(text: str) -> When:
    found = _WHEN.fullmatch(text)
    if not found or int(found[1]) not in _YEARS:
        raise ValueError("no date")
    year, month, day, hour, minute, second = (int(each) for each in found.groups("0")[:6])
    wall = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
    return When(wall, None if found[4] is None else "UTC" if found[7] else "")


_DURATION = re.compile(
    r"\+?P(?:([0-9]{1,3})W)?(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,6})S)?)?"
)


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip().upper())
    if not found:
        raise ValueError("no duration")
    weeks, days, hours, minutes, seconds = (int(each) for each in found.groups("0"))
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)")


def _rule(text: str, start: When) -> Rule:
    """A repetition that has its next date soon; raises ValueError for any other."""
    said = dict(each.strip().upper().split("=", 1) for each in text.strip().strip(";").split(";"))
    freq, interval, count = said.pop("FREQ", ""), said.pop("INTERVAL", "1"), said.pop("COUNT", "0")
    if freq not in _UNITS or not re.fullmatch("[1-9][0-9]?", interval) or not re.fullmatch("[0-9]{1,9}", count):
        raise ValueError("no repetition")
    until = said.pop("UNTIL", "")
    parts = tuple((key, said.pop(key)) for key in ("BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "WKST") if key in said)
    if said:
        raise ValueError("an odd repetition")
    rule = Rule(freq, int(interval), int(count), _until(until, start) if until else None, parts)
    _check(rule, start.wall)
    return rule


def _until(text: str, start: When) -> datetime:
    """By the clock of the entry; a date means all of that day."""
    found = _when(text)
    if start.zone is None:
        return found.wall.replace(hour=0, minute=0, second=0)
    if found.zone is None:
        return found.wall + timedelta(days=1, seconds=-1)
    return found.like(start).wall


def _check(rule: Rule, start: datetime) -> None:
    """Raises ValueError for a repetition whose next date may be centuries away: the library would look for it."""
    parts = {key: value.split(",") for key, value in rule.parts}
    days, months = parts.get("BYDAY", []), parts.get("BYMONTH", [])
    month_days, places = parts.get("BYMONTHDAY", []), parts.get("BYSETPOS", [])
    counted = [each for each in days if len(each) > 2]
    fine = (
        all(_BYDAY.fullmatch(each) for each in days)
        and all(re.fullmatch("[1-9]|1[0-2]", each) for each in months)
        and all(re.fullmatch("-?([1-9]|[12][0-9]|3[01])", each) for each in month_days)
        and parts.get("WKST", ["MO"])[0] in _DAYS
        and max(len(days), len(months), len(month_days), len(places)) <= 31
        and not (days and month_days)
        and not (months and any("5" in each for each in days))
    )
    weekly = rule.freq in ("DAILY", "WEEKLY")
    if weekly:
        fine = fine and not (month_days or places or counted)
        fine = fine and not ((months or (days and rule.freq == "DAILY")) and rule.interval > 1)
    if rule.freq == "YEARLY":
        fine = fine and (bool(months) or not (days or month_days))
    if places:
        # Each weekday is there four times in each month.
        fine = fine and bool(days) and not counted and rule.interval <= 12
        fine = fine and all(re.fullmatch("-?[1-9][0-9]?", each) and abs(int(each)) <= 4 * len(days) for each in places)
    if not fine:
        raise ValueError("an odd repetition")
    if months and str(start.month) not in months and (not weekly or rule.interval > 1):
        raise ValueError("it begins on a day that is none of its own")
    if (
        month_days
        and (months or rule.interval > 1)
        and not {str(start.day), str(start.day - _length(start) - 1)} & {*month_days}
    ):
        raise ValueError("it begins on a day that is none of its own")


def _length(start: datetime) -> int:
    """Days of a month."""
    following = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (following - timedelta(days=1)).day


def _title(text: str) -> str:
    """One line."""
    plain = re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], text[: 4 * MAX_TITLE])
    return " ".join("".join(sign if sign.isprintable() else " " for sign in plain).split())[:MAX_TITLE]
