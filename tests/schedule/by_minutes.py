"""The long way to three meetings: every minute of some days is looked at, and every three of them are tried.

Shares nothing with the tool beside the types: what somebody does in a minute is read off the clock on the wall in that
minute, and the order is written down once more. Random cases come with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from random import Random
from zoneinfo import ZoneInfo

import numpy as np

from lti_tool.schedule.timetable import Grid, Span
from lti_tool.schedule.triples import Triple, Wanted
from lti_tool.schedule.week import Holiday, Period, SchoolWeek

MINUTE = timedelta(minutes=1)
Found = tuple[tuple[int, ...], datetime, datetime, datetime, datetime, datetime]
"""(place in the order, start of the conversation before, start and end of the visit, start and end of the one after)"""


@dataclass(frozen=True)
class Person:
    week: SchoolWeek
    grid: Grid
    taken: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Case:
    host: Person
    coach: Person
    wanted: Wanted


class Minutes:
    """What somebody does in each minute from midnight before `first` to two days after `last`, as UTC has it."""

    def __init__(self, person: Person, wanted: Wanted) -> None:
        self.person, self.wanted = person, wanted
        self.begin = datetime(wanted.first.year, wanted.first.month, wanted.first.day, tzinfo=UTC) - timedelta(days=1)
        self.length = ((wanted.last - wanted.first).days + 3) * 1440
        self.free = np.zeros(self.length, bool)
        self.costs = np.zeros(self.length, bool)
        self.day: list[date] = []
        self.noon_is_over: list[bool] = []
        self.lessons: dict[tuple[date, int], list[int]] = {}
        self.is_open: dict[tuple[date, int], bool] = {}
        zone = ZoneInfo(person.week.zone)
        taken = np.zeros(self.length, bool)
        for span in person.taken:
            taken[max(0, self.number(span.start)) : max(0, self.number(span.end))] = True
        self.taken = taken
        # No clock is changed but at a full half hour, and no bell rings at night.
        for half in range(0, self.length, 30):
            wall = (self.begin + half * MINUTE).astimezone(zone)
            self.day += [wall.date()] * 30
            self.noon_is_over += [wall.hour >= 12] * 30
            if 5 <= wall.hour < 22 and self.school(wall.date()):
                for minute in range(30):
                    self._look(half + minute, wall.date(), wall.hour * 60 + wall.minute + minute)
        self.free &= ~taken

    def number(self, moment: datetime) -> int:
        return (moment - self.begin) // MINUTE

    def moment(self, number: int) -> datetime:
        return self.begin + int(number) * MINUTE

    def school(self, day: date) -> bool:
        if not self.wanted.first <= day <= self.wanted.last:
            return False
        week = self.person.week
        return bool(week.days[day.weekday()]) and all(not each.first <= day <= each.last for each in week.holidays)

    @cached_property
    def school_days(self) -> list[date]:
        return sorted({day for day in self.day[::30] if self.school(day)})

    def _look(self, at: int, day: date, minute: int) -> None:
        """`minute`: from midnight, by the clock on the wall."""
        week = self.person.week
        periods = week.days[day.weekday()]
        lessons = [each for each in periods if each.is_lesson]
        says = [self.person.grid.cells.get(f"{day.weekday()}-{number}", "away") for number in range(len(lessons))]
        for number, each in enumerate(lessons):
            if each.starts <= minute < each.ends:
                if says[number] == "free":
                    self.free[at] = True
                elif says[number] != "away":
                    self.lessons.setdefault((day, number), []).append(at)
                    self.is_open[day, number] = says[number] == "open"
                return
        if not periods[0].starts - week.talk_before <= minute < periods[-1].ends + week.talk_after:
            return
        is_break = any(each.starts <= minute < each.ends for each in periods)
        is_edge = not periods[0].starts <= minute < periods[-1].ends
        self.costs[at] = is_break or is_edge
        earlier = [says[number] != "away" for number, each in enumerate(lessons) if each.ends <= minute]
        later = [says[number] != "away" for number, each in enumerate(lessons) if each.starts > minute]
        there = any(earlier) if earlier else says[0] != "away"
        stays = any(later) if later else says[-1] != "away"
        if earlier and later:
            self.free[at] = there and stays and is_break and (earlier[-1] or later[0])
        else:
            self.free[at] = there and stays


class Way:
    """One host, one coach, all that is possible."""

    def __init__(self, host: Minutes, coach: Minutes, wanted: Wanted) -> None:
        self.wanted, self.host, self.coach = wanted, host, coach
        self._between: dict[tuple[date, date], int] = {}
        self.both = self.host.free & self.coach.free
        self.costs = self.host.costs | self.coach.costs
        for at in np.flatnonzero(self.both):
            if host.moment(at) < wanted.earliest or not wanted.first <= host.day[at] <= wanted.last:
                self.both[at] = False
        self.befores = self._starts(wanted.before_min)
        self.afters = self._starts(wanted.after_min)

    def _starts(self, minutes: int) -> list[int]:
        return [
            at
            for at in map(int, np.flatnonzero(self.both))
            if self.both[at : at + minutes].all() and (at % 5 == 0 or not self.both[at - 1])
        ]

    def visits(self) -> list[tuple[int, int]]:
        found = []
        for key, minutes in self.host.lessons.items():
            start, end = minutes[0], minutes[-1] + 1
            if self.wanted.visit_min:
                if end - start < self.wanted.visit_min:
                    continue
                end = start + self.wanted.visit_min
            if (
                self.host.is_open[key]
                and self.host.moment(start) >= self.wanted.earliest
                and self.coach.free[start:end].all()
                and not self.host.taken[start:end].any()
            ):
                found.append((start, end))
        return sorted(found)

    def is_before(self, start: int, visit: int) -> int | None:
        """School days from a conversation to the visit; None: not possible."""
        if start + self.wanted.before_min > visit:
            return None
        early, late = self.host.day[start], self.host.day[visit]
        if (early, late) not in self._between:
            self._between[early, late] = sum(early <= day < late for day in self.host.school_days)
        between = self._between[early, late]
        return between if between <= 3 and (late - early).days <= 7 else None

    def is_after(self, start: int, ends: int) -> int | None:
        """0: the same day, 1: next morning, 2: next school day, 3: later; None: not possible."""
        if not ends <= start <= ends + self.wanted.within_h * 60:
            return None
        visited, day = self.host.day[ends - 1], self.host.day[start]
        if day == visited:
            return 0
        if sum(visited < each < day for each in self.host.school_days) == 0:
            return 2 if self.host.noon_is_over[start] else 1
        return 3

    def best(self, visit: tuple[int, int], earliest: int = 0) -> Found | None:
        """Of all pairs of conversations around a visit."""
        start, end = visit
        befores = [
            (at, days) for at in self.befores if at >= earliest and (days := self.is_before(at, start)) is not None
        ]
        afters = [(at, place) for at in self.afters if (place := self.is_after(at, end)) is not None]
        if not befores or not afters:
            return None
        b, days = (np.array(each) for each in zip(*befores, strict=True))
        a, places = (np.array(each) for each in zip(*afters, strict=True))
        b_costs = np.array([self.costs[at : at + self.wanted.before_min].any() for at in b], int)
        a_costs = np.array([self.costs[at : at + self.wanted.after_min].any() for at in a], int)
        shape = (len(b), len(a))
        monday = self.host.day[start] - timedelta(days=self.host.day[start].weekday())
        points = [
            np.broadcast_to(places, shape),
            np.broadcast_to((days == 0)[:, None].astype(int), shape),
            np.full(shape, (monday - date(2026, 1, 5)).days // 7),
            b_costs[:, None] + a_costs,
            np.full(shape, start),
            np.broadcast_to(a, shape),
            np.broadcast_to(days[:, None], shape),
            np.broadcast_to(b[:, None], shape),
        ]
        whole = np.zeros(shape, np.int64)
        for each, bits in zip(points, (2, 1, 8, 2, 15, 15, 2, 15), strict=True):
            whole = (whole << bits) + each
        row, column = np.unravel_index(np.argmin(whole), shape)
        moment = self.host.moment
        ends = moment(a[column] + self.wanted.after_min)
        place = tuple(int(each[row, column]) for each in points)
        return place, moment(b[row]), moment(start), moment(end), moment(a[column]), ends

    def all(self, earliest: datetime | None = None) -> list[Found]:
        number = self.host.number(earliest) if earliest else 0
        found = [each for visit in self.visits() if (each := self.best(visit, number))]
        return sorted(found, key=lambda each: each[0])

    def fits(self, triple: Triple) -> bool:
        """Whether three meetings, of whatever length, are possible."""
        n = self.host.number
        b, b_end, v, v_end = n(triple.before.start), n(triple.before.end), n(triple.visit.start), n(triple.visit.end)
        a, a_end = n(triple.after.start), n(triple.after.end)
        lesson = any(
            self.host.is_open[key] and minutes[0] <= v and v_end <= minutes[-1] + 1
            for key, minutes in self.host.lessons.items()
        )
        days = [day for day in self.host.school_days if self.host.day[b] <= day < self.host.day[v]]
        early = len(days) > 3 or (self.host.day[v] - self.host.day[b]).days > 7
        free = all(each.free[b:b_end].all() and each.free[a:a_end].all() for each in (self.host, self.coach))
        visited = lesson and self.coach.free[v:v_end].all() and not self.host.taken[v:v_end].any()
        return bool(free and visited and not early and b_end <= v and v_end <= a <= v_end + self.wanted.within_h * 60)


def both_ways(there: Way, back: Way) -> list[tuple[Found, Found]]:
    """The way back is for the other case: the coach as host."""
    found = []
    for one in there.all():
        later = back.all(one[5])
        if later:
            found.append((one, min(later, key=lambda each: tuple(np.add(one[0], each[0])))))
    return sorted(found, key=lambda each: tuple(np.add(each[0][0], each[1][0])))


CHANGES = (
    ("Europe/Dublin", date(2026, 10, 25)),
    ("Europe/Dublin", date(2027, 3, 28)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/New_York", date(2027, 3, 14)),
    ("Pacific/Auckland", date(2026, 9, 27)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
)


def random_week(random: Random, zone: str, near: date) -> SchoolWeek:
    def day() -> tuple[Period, ...]:
        at, periods = random.choice([480, 505, 530, 541]), []
        for number in range(random.randint(3, 8)):
            length = random.choice([35, 40, 55])
            periods.append(Period(str(number + 1), at, at + length))
            at += length
            if random.random() < 0.35:
                length = random.choice([10, 15, 40])
                periods.append(Period("", at, at + length, is_lesson=False))
                at += length
            elif random.random() < 0.2:
                at += 5
        return tuple(periods)

    usual, short = day(), day()
    is_on_sunday = random.random() < 0.3
    days = [random.choice([usual, usual, short, day()]) for _weekday in range(5)]
    holidays = []
    for _each in range(random.choice([0, 0, 1, 2])):
        first = near + timedelta(days=random.randint(-6, 6))
        holidays.append(Holiday(first, first + timedelta(days=random.choice([0, 0, 1, 3]))))
    return SchoolWeek(
        zone,
        (*days, (), usual if is_on_sunday else ()),
        tuple(holidays),
        random.choice([0, 15, 15]),
        random.choice([0, 30, 30]),
    )


def random_person(random: Random, week: SchoolWeek, near: date) -> Person:
    weights = random.choice([(4, 1, 5, 0), (2, 1, 7, 0), (2, 0, 7, 0), (4, 1, 5, 1), (4, 0, 4, 0)])
    cells = {}
    for weekday in range(7):
        part_time = random.random() < 0.12
        for number in range(len(week.lessons(weekday))):
            cell = random.choices(["open", "teach", "free", "away"], weights)[0]
            if not part_time and random.random() < 0.98:
                cells[f"{weekday}-{number}"] = cell
    taken = []
    for _each in range(random.choice([0, 1, 3, 6])):
        begins = datetime(near.year, near.month, near.day, tzinfo=UTC) + timedelta(
            days=random.randint(-6, 6), minutes=random.randint(6 * 60, 18 * 60)
        )
        taken.append(Span(begins, begins + timedelta(minutes=random.choice([1, 10, 45, 200]))))
    return Person(week, Grid(cells), tuple(taken))


def random_case(seed: int) -> Case:
    """Some days around the day on which the clocks change, with holidays, part-time days and bookings."""
    random = Random(seed)
    zone, near = random.choice(CHANGES)
    week = random_week(random, zone, near)
    other = week if random.random() < 0.75 else random_week(random, zone, near)
    if zone == "Europe/Dublin" and random.random() < 0.15:
        other = random_week(random, "Europe/Paris", near)
    first = near - timedelta(days=random.randint(3, 7))
    last = near + timedelta(days=random.randint(3, 7))
    wanted = Wanted(
        first,
        last,
        datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(minutes=random.randint(-900, 2000)),
        before_min=random.choice([5, 10, 20]),
        visit_min=random.choice([0, 0, 20, 38]),
        after_min=random.choice([10, 15, 30]),
        within_h=random.choice([4, 24, 48, 48, 80]),
    )
    return Case(random_person(random, week, near), random_person(random, other, near), wanted)


def two_ways(case: Case) -> tuple[Way, Way]:
    """There and back."""
    host, coach = Minutes(case.host, case.wanted), Minutes(case.coach, case.wanted)
    return Way(host, coach, case.wanted), Way(coach, host, case.wanted)


def moved(triple: Triple, seed: int) -> Triple:
    """The same with one of the three moved."""
    random = Random(seed)
    by = timedelta(minutes=random.choice([-1440, -60, -35, -5, 5, 20, 40, 300, 1440]))
    which = random.choice(["before", "visit", "after"])
    before, visit, after = triple.before, triple.visit, triple.after
    if which == "before":
        before = Span(before.start + by, before.end + by)
    elif which == "visit":
        visit = type(visit)(visit.start + by, visit.end + by, visit.title)
    else:
        after = Span(after.start + by, after.end + by)
    return Triple(before, visit, after)


def seen(triples: Sequence[Triple]) -> list[tuple[datetime, ...]]:
    return [(each.before.start, each.visit.start, each.visit.end, each.after.start, each.after.end) for each in triples]


WORDS = {"o": "open", "t": "teach", "f": "free", "a": "away"}


def rows(text: str) -> dict[str, str]:
    """The cells of a grid: a word for each day, and in it a letter for each lesson."""
    return {
        f"{day}-{lesson}": WORDS[letter] for day, word in enumerate(text.split()) for lesson, letter in enumerate(word)
    }
