"""The week of a school: when the bell rings, on which days, and when nobody is there. Values in, values out."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from itertools import pairwise
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
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
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
        return {
            "zone": self.zone,
            "days": [[[each.name, each.starts, each.ends, each.is_lesson] for each in day] for day in self.days],
            "holidays": [[each.first.isoformat(), each.last.isoformat(), each.name] for each in self.holidays],
            "talk": [self.talk_before, self.talk_after],
        }

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """The week that to_json() gave."""
        return cls(
            zone=body["zone"],
            days=tuple(tuple(Period(*each) for each in day) for day in body["days"]),
            holidays=tuple(
                Holiday(date.fromisoformat(first), date.fromisoformat(last), name)
                for first, last, name in body["holidays"]
            ),
            talk_before=body["talk"][0],
            talk_after=body["talk"][1],
        )


def read(form: Mapping[str, str]) -> SchoolWeek:
    """The week that was typed; raises RefusedError with all that is wrong.

    Fields: `zone`; `talk_before` and `talk_after` in minutes; of each day D (0: Monday, to 6) `same-D`: "own", "none"
    or the number of another day that has its own bells; of each period P (0 to MOST_PERIODS - 1) of a day with its own
    `name-D-P`, `from-D-P` and `to-D-P` (09:05), and `break-D-P` (not empty: a break); of each holiday N
    (0 to MOST_HOLIDAYS - 1) `first-N`, `last-N` (2026-10-26; empty: one day) and `holiday-N`, its name.
    A row in which nothing was typed is left out; rows may come in any order of time.
    """
    wrong: list[tuple[str, Problem]] = []
    zone = form.get("zone", "")
    if zone not in zones():
        wrong.append(("zone", Problem.NO_ZONE))
    days = _days(form, wrong)
    talk = [_minutes(form, name, wrong) for name in ("talk_before", "talk_after")]
    holidays = tuple(sorted(_holidays(form, wrong), key=lambda each: (each.first, each.last)))
    if wrong:
        raise RefusedError(wrong)
    return SchoolWeek(zone, days, holidays, *talk)


def typed(week: SchoolWeek) -> dict[str, str]:
    """A form that reads as this week; days like an earlier one say so."""
    form = {"zone": week.zone, "talk_before": str(week.talk_before), "talk_after": str(week.talk_after)}
    for number, day in enumerate(week.days):
        first = week.days.index(day)
        form[f"same-{number}"] = NO_SCHOOL if not day else str(first) if first < number else OWN
        if day and first == number:
            for row, each in enumerate(day):
                at = f"{number}-{row}"
                form |= {f"name-{at}": each.name, f"from-{at}": clock(each.starts), f"to-{at}": clock(each.ends)}
                form[f"break-{at}"] = "" if each.is_lesson else "1"
    for row, holiday in enumerate(week.holidays):
        form[f"first-{row}"] = holiday.first.isoformat()
        form[f"last-{row}"] = holiday.last.isoformat()
        form[f"holiday-{row}"] = holiday.name
    return form


def clock(minutes: int) -> str:
    """09:05"""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def post_primary(zone: str = "Europe/Dublin", short: Collection[int] = ()) -> SchoolWeek:
    """An ordinary week of an Irish post-primary school, nine lessons of 40 minutes, or six on a `short` day (2:
    Wednesday, 4: Friday); holidays are for the school to say."""
    full = (
        *_row(1, 8 * 60 + 50, 3, 40),
        Period("", 10 * 60 + 50, 11 * 60, is_lesson=False),
        *_row(4, 11 * 60, 3, 40),
        Period("", 13 * 60, 13 * 60 + 40, is_lesson=False),
        *_row(7, 13 * 60 + 40, 3, 40),
    )
    return SchoolWeek(zone, (*(full[:7] if day in short else full for day in range(5)), (), ()))


def primary(zone: str = "Europe/Dublin") -> SchoolWeek:
    """An ordinary week of an Irish primary school: 9:00 to 14:40 with a short break and a long one."""
    full = (
        *_row(1, 9 * 60, 2, 55),
        Period("", 10 * 60 + 50, 11 * 60, is_lesson=False),
        *_row(3, 11 * 60, 2, 45),
        Period("", 12 * 60 + 30, 13 * 60, is_lesson=False),
        *_row(5, 13 * 60, 2, 50),
    )
    return SchoolWeek(zone, (*(full for _day in range(5)), (), ()))


@cache
def zones() -> tuple[str, ...]:
    """The names that a week may have, sorted."""
    return tuple(sorted(each for each in available_timezones() if "/" in each and not each.startswith("Etc/")))


def _row(name: int, starts: int, lessons: int, minutes: int) -> Iterator[Period]:
    for number in range(lessons):
        yield Period(str(name + number), starts + number * minutes, starts + (number + 1) * minutes)


def _days(form: Mapping[str, str], wrong: list[tuple[str, Problem]]) -> tuple[tuple[Period, ...], ...]:
    says = [form.get(f"same-{day}", "") for day in range(DAYS)]
    own = {str(day): _periods(form, day, wrong) for day in range(DAYS) if says[day] == OWN}
    for day, said in enumerate(says):
        if said not in own and said not in (OWN, NO_SCHOOL):
            wrong.append((f"same-{day}", Problem.NO_DAY))
    if not own:
        wrong.append(("same-0", Problem.NO_LESSON))
    return tuple(own.get(str(day) if said == OWN else said, ()) for day, said in enumerate(says))


def _periods(form: Mapping[str, str], day: int, wrong: list[tuple[str, Problem]]) -> tuple[Period, ...]:
    found: list[tuple[Period, str]] = []
    before = len(wrong)
    for row in range(MOST_PERIODS):
        at = f"{day}-{row}"
        name = _name(form, f"name-{at}", wrong)
        is_lesson = not form.get(f"break-{at}", "").strip()
        if not (name or form.get(f"from-{at}", "").strip() or form.get(f"to-{at}", "").strip()):
            continue
        if is_lesson and not name:
            wrong.append((f"name-{at}", Problem.NO_NAME))
        starts, ends = (_bell(form, f"{side}-{at}", wrong) for side in ("from", "to"))
        if starts is None or ends is None:
            continue
        if ends <= starts:
            wrong.append((f"to-{at}", Problem.BACKWARDS))
        found.append((Period(name, starts, ends, is_lesson), f"from-{at}"))
    found.sort(key=lambda each: each[0].starts)
    if len(wrong) == before:
        for (one, _at), (other, at) in pairwise(found):
            if other.starts < one.ends:
                wrong.append((at, Problem.OVERLAP))
        if not any(each.is_lesson for each, _at in found):
            wrong.append((f"same-{day}", Problem.NO_LESSON))
    if any(form.get(f"{side}-{day}-{MOST_PERIODS}", "").strip() for side in ("name", "from", "to")):
        wrong.append((f"name-{day}-{MOST_PERIODS}", Problem.TOO_MANY))
    return tuple(each for each, _at in found)


def _holidays(form: Mapping[str, str], wrong: list[tuple[str, Problem]]) -> Iterator[Holiday]:
    for row in range(MOST_HOLIDAYS):
        name = _name(form, f"holiday-{row}", wrong)
        first, last = form.get(f"first-{row}", "").strip(), form.get(f"last-{row}", "").strip()
        if not (name or first or last):
            continue
        begins = _date(first, f"first-{row}", wrong)
        ends = _date(last, f"last-{row}", wrong) if last else begins
        if begins is None or ends is None:
            continue
        if ends < begins:
            wrong.append((f"last-{row}", Problem.BACKWARDS))
        elif ends - begins > LONGEST_HOLIDAY:
            wrong.append((f"last-{row}", Problem.LONG_HOLIDAY))
        else:
            yield Holiday(begins, ends, name)
    if any(form.get(f"{side}-{MOST_HOLIDAYS}", "").strip() for side in ("first", "last", "holiday")):
        wrong.append((f"first-{MOST_HOLIDAYS}", Problem.TOO_MANY))


def _name(form: Mapping[str, str], where: str, wrong: list[tuple[str, Problem]]) -> str:
    """One line without odd signs."""
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in form.get(where, "")).split())
    if len(name) > MAX_NAME:
        wrong.append((where, Problem.LONG_NAME))
    return name[:MAX_NAME]


def _bell(form: Mapping[str, str], where: str, wrong: list[tuple[str, Problem]]) -> int | None:
    """Minutes from midnight; 9:05, 09:05 and 09.05 are the same."""
    found = _CLOCK.fullmatch(form.get(where, "").strip())
    minutes = int(found[1]) * 60 + int(found[2]) if found else None
    if minutes is None:
        wrong.append((where, Problem.NO_TIME))
    elif not EARLIEST <= minutes <= LATEST:
        wrong.append((where, Problem.EARLY_OR_LATE))
    return minutes


def _minutes(form: Mapping[str, str], where: str, wrong: list[tuple[str, Problem]]) -> int:
    text = form.get(where, "").strip()
    found = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else MOST_TALK + 1
    if found > MOST_TALK:
        wrong.append((where, Problem.NO_MINUTES))
    return found


def _date(text: str, where: str, wrong: list[tuple[str, Problem]]) -> date | None:
    try:
        found = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        wrong.append((where, Problem.NO_DATE))
        return None
    return found
