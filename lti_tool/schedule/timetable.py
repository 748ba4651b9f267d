"""The timetable of a teacher: what they said, and what it means from one day to another. Values in, values out."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from lti_tool.schedule import ics
from lti_tool.schedule.week import Period, SchoolWeek

CELLS = ("open", "teach", "free", "away")
"""What a cell of the grid says: teaches and can be visited, teaches, is in school and free, is not in school."""
KINDS = ("open", "teach", "free", "busy")
"""What an entry of a calendar is; `busy`: anything else that takes their time."""

LONGEST_LESSON = timedelta(hours=4)
"""An entry of a calendar that is longer is no lesson, whatever it is called."""


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
    course_id: str = ""
    """By the bells of which course they are counted; empty: of the one in which somebody asks."""


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
    edges: tuple[Span, ...] = ()
    """The minutes before its first bell and after its last one, in which people can talk; likewise."""


def to_json(said: Said) -> dict[str, Any]:
    """As `of` takes it."""
    if isinstance(said, Grid):
        return {"cells": dict(said.cells), "course": said.course_id}
    return {"ics": said.ics, "kinds": dict(said.kinds), "away": list(said.away)}


def of(body: Mapping[str, Any]) -> Said:
    """What to_json() gave; what is unknown by now is left out."""
    if "ics" not in body:
        return Grid({at: cell for at, cell in body["cells"].items() if cell in CELLS}, body.get("course", ""))
    kinds = {title: kind for title, kind in body["kinds"].items() if kind in KINDS}
    return Calendar(body["ics"], kinds, tuple(body.get("away", ())))


def expand(said: Said, week: SchoolWeek, first: date, last: date) -> Availability:
    """What somebody who said this does in a school from `first` to `last`, both ends among them.

    On a day on which they are in school, breaks and the minutes before the first bell and after the last one count as
    free; by thumb only those between the first and the last lesson that are not `away`, beside one of them. As a
    calendar, all the time of a school day is free that no entry takes, and what is called `free` is so even later.
    Nothing happens in holidays. Raises ics.CalendarError for a calendar that cannot be read.
    """
    days = week.school_days(first, last)
    rings = {day: week.periods(day) for day in days}
    if isinstance(said, Grid):
        lessons, free = _by_thumb(said, week, rings)
    else:
        lessons, free = _of_calendar(said, week, rings, first, last)
    before, after = timedelta(minutes=week.talk_before), timedelta(minutes=week.talk_after)
    edges = (
        edge
        for each in rings.values()
        for edge in (Span(each[0][0] - before, each[0][0]), Span(each[-1][1], each[-1][1] + after))
    )
    breaks = (Span(start, end) for each in rings.values() for start, end, period in each if not period.is_lesson)
    return Availability(
        week.zone,
        tuple(days),
        tuple(sorted(set(lessons), key=lambda each: (each.start, each.end, each.title))),
        tuple(merged(free)),
        tuple(breaks),
        tuple(edges),
    )


def together(several: Sequence[Availability]) -> Availability:
    """A group as if it were one: free when all are, in a break when any is; it gives no lesson. At least one."""
    first = several[0]
    free: list[Span] = list(first.free)
    for each in several[1:]:
        free = shared(free, each.free)
    days = set(first.days).intersection(*(each.days for each in several))
    breaks = merged(span for each in several for span in each.breaks)
    edges = merged(span for each in several for span in each.edges)
    return Availability(first.zone, tuple(sorted(days)), (), tuple(free), tuple(breaks), tuple(edges))


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as there can be, in order."""
    found: list[Span] = []
    for each in sorted(spans, key=lambda span: span.start):
        if each.end <= each.start:
            continue
        if found and each.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def shared(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The time that is in both; each of them as merged() gives it, and so is the result."""
    found: list[Span] = []
    at = 0
    for each in some:
        while at < len(others) and others[at].end <= each.start:
            at += 1
        here = at
        while here < len(others) and others[here].start < each.end:
            found.append(Span(max(each.start, others[here].start), min(each.end, others[here].end)))
            here += 1
    return found


def without(some: Sequence[Span], taken: Iterable[Span]) -> list[Span]:
    """The time of `some` that is not taken; `some` as merged() gives it, and so is the result."""
    found: list[Span] = []
    gone = merged(taken)
    at = 0
    for each in some:
        start = each.start
        while at < len(gone) and gone[at].end <= start:
            at += 1
        here = at
        while here < len(gone) and gone[here].start < each.end:
            if gone[here].start > start:
                found.append(Span(start, gone[here].start))
            start = max(start, gone[here].end)
            here += 1
        if start < each.end:
            found.append(Span(start, each.end))
    return found


def meets(spans: Sequence[Span], one: Span | Slot) -> bool:
    """Whether any of `spans` (as merged() gives them) takes of this time."""
    at = bisect_left(spans, one.end, key=lambda each: each.start)
    return at > 0 and spans[at - 1].end > one.start


def covers(spans: Sequence[Span], one: Span | Slot) -> bool:
    """Whether all of this time is in one of `spans` (as merged() gives them)."""
    at = bisect_right(spans, one.start, key=lambda each: each.start)
    return at > 0 and spans[at - 1].end >= one.end


_Rings = Mapping[date, Sequence[tuple[datetime, datetime, Period]]]


def _by_thumb(grid: Grid, week: SchoolWeek, rings: _Rings) -> tuple[list[Slot], list[Span]]:
    lessons: list[Slot] = []
    free: list[Span] = []
    for day, bells in rings.items():
        cells = _cells(grid, day.weekday(), bells)
        there = [number for number, cell in enumerate(cells) if cell not in ("away", "break")]
        if not there:
            continue
        for number in range(there[0], there[-1] + 1):
            start, end, period = bells[number]
            if cells[number] in ("open", "teach"):
                lessons.append(Slot(start, end, period.name, cells[number] == "open"))
            elif cells[number] == "free" or _is_near_a_lesson(cells, number):
                free.append(Span(start, end))
        # Whoever comes later or leaves earlier is not there to talk before the first bell, or after the last one.
        if "away" not in cells[: there[0]]:
            free.append(Span(bells[0][0] - timedelta(minutes=week.talk_before), bells[there[0]][0]))
        if "away" not in cells[there[-1] :]:
            free.append(Span(bells[there[-1]][1], bells[-1][1] + timedelta(minutes=week.talk_after)))
    return lessons, free


def _cells(grid: Grid, weekday: int, bells: Sequence[tuple[datetime, datetime, Period]]) -> list[str]:
    """What each period of a day is, breaks among them."""
    lessons = count()
    return [
        grid.cells.get(f"{weekday}-{next(lessons)}", "away") if period.is_lesson else "break"
        for _start, _end, period in bells
    ]


def _is_near_a_lesson(cells: Sequence[str], number: int) -> bool:
    """Whether somebody is there for the lesson before a break, or for the one after it."""
    before = (cell for cell in reversed(cells[:number]) if cell != "break")
    after = (cell for cell in cells[number + 1 :] if cell != "break")
    return cells[number] == "break" and {next(before, "away"), next(after, "away")} != {"away"}


def _of_calendar(
    said: Calendar, week: SchoolWeek, rings: _Rings, first: date, last: date
) -> tuple[list[Slot], list[Span]]:
    lessons: list[Slot] = []
    free: list[Span] = []
    busy: list[Span] = []
    for each in ics.occurrences(said.ics, first, last, week.zone):
        kind = said.kinds.get(each.title, "busy" if each.takes_time else "")
        if kind in ("open", "teach") and each.end - each.start <= LONGEST_LESSON:
            lessons.append(Slot(each.start, each.end, each.title, kind == "open"))
        elif kind == "free" and not each.is_all_day:
            free.append(Span(each.start, each.end))
        elif kind in ("open", "teach", "busy"):
            busy.append(Span(each.start, each.end))
    busy = merged(busy)
    there = {day for day in rings if day.weekday() not in said.away}
    hours = [
        Span(
            rings[day][0][0] - timedelta(minutes=week.talk_before),
            rings[day][-1][1] + timedelta(minutes=week.talk_after),
        )
        for day in there
    ]
    free = [each for each in free if week.day_of(each.start) in there]
    held = [each for each in lessons if week.day_of(each.start) in there and not meets(busy, each)]
    taken = [*busy, *(Span(each.start, each.end) for each in lessons)]
    return held, without(merged([*hours, *free]), taken)
