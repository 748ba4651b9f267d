"""What a teacher said means the same by thumb and as a calendar, from one day to another."""

import itertools
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from schedule.by_minutes import rows

from lti_tool.schedule import timetable
from lti_tool.schedule.timetable import Availability, Calendar, Grid, Span, expand, merged, shared, together, without
from lti_tool.schedule.week import Holiday, SchoolWeek, post_primary

WEEK = SchoolWeek(
    "Europe/Dublin",
    post_primary().days,
    (Holiday(date(2026, 10, 26), date(2026, 10, 30)),),
    talk_before=20,
    talk_after=40,
)
THURSDAY, FRIDAY = date(2026, 10, 22), date(2026, 10, 23)
EPOCH = datetime(2026, 10, 22, tzinfo=UTC)


def wall(spans, week: SchoolWeek = WEEK) -> list[str]:
    hour = timedelta(hours=1)
    return [f"{each.start + hour:%H:%M}-{each.end + hour:%H:%M}" for each in spans]


def on_thursday(day: str) -> Availability:
    return expand(Grid(rows(f"x x x {day} x".replace("x", "aaaaaaaaa"))), WEEK, THURSDAY, THURSDAY)


def test_breaks_and_the_time_around_the_bells_are_free():
    here = on_thursday("ottfttoff")
    assert wall(here.lessons) == [
        "08:50-09:30", "09:30-10:10", "10:10-10:50", "11:40-12:20", "12:20-13:00", "13:40-14:20",
    ]  # fmt: skip
    assert [each.may_visit for each in here.lessons] == [True, False, False, False, False, True]
    assert [each.title for each in here.lessons] == ["1", "2", "3", "5", "6", "7"]
    assert wall(here.free) == ["08:30-08:50", "10:50-11:40", "13:00-13:40", "14:20-16:20"]
    assert (wall(here.breaks), wall(here.edges)) == (["10:50-11:00", "13:00-13:40"], ["08:30-08:50", "15:40-16:20"])
    assert here.days == (THURSDAY,)


def test_part_of_a_day_is_only_that_part():
    assert wall(on_thursday("aaaottaaa").free) == [], "comes after the first break, leaves before the second one"
    assert wall(on_thursday("aaoottaaa").free) == ["10:50-11:00"]
    assert wall(on_thursday("aaaaaaooo").free) == ["15:40-16:20"]
    assert wall(on_thursday("ooaaaaaoo").free) == ["08:30-08:50", "15:40-16:20"]
    assert wall(on_thursday("oooaaaooo").free) == ["08:30-08:50", "10:50-11:00", "13:00-13:40", "15:40-16:20"]
    away = on_thursday("aaaaaaaaa")
    assert (away.lessons, away.free, away.days) == ((), (), (THURSDAY,))
    assert on_thursday("").free == (), "what was not said is away"


def test_holidays_are_nobodys():
    here = expand(Grid(rows("ooooooooo " * 5)), WEEK, FRIDAY, date(2026, 11, 2))
    assert here.days == (FRIDAY, date(2026, 11, 2))
    assert {each.start.date() for each in (*here.lessons, *here.free)} == set(here.days)
    first, last = here.lessons[0], here.lessons[9]
    assert (first.start.hour, last.start.hour) == (7, 8), "the clocks changed between them"


def entry(start: str, end: str, title: str, *more: str) -> str:
    lines = [f"DTSTART;TZID=Europe/Dublin:{start}", f"DTEND;TZID=Europe/Dublin:{end}", f"SUMMARY:{title}", *more]
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""])


def calendar(*entries: str) -> str:
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "".join(entries) + "END:VCALENDAR\r\n"


KINDS = {"3A": "open", "Exam class": "teach", "Croke Park": "free", "Free": "free", "Trip": "busy"}


def test_a_calendar():
    said = Calendar(
        calendar(
            entry("20261022T085000", "20261022T093000", "3A", "RRULE:FREQ=WEEKLY"),
            entry("20261022T110000", "20261022T114000", "Exam class"),
            entry("20261022T134000", "20261022T142000", "3A"),
            entry("20261022T140000", "20261022T143000", "Dentist"),
            entry("20261022T150000", "20261022T151000", "Note", "TRANSP:TRANSPARENT"),
            entry("20261022T162000", "20261022T172000", "Croke Park"),
            entry("20261023T110000", "20261023T114000", "3A"),
        ),
        KINDS,
        away=(4,),
    )
    here = expand(said, WEEK, THURSDAY, date(2026, 11, 2))
    assert [f"{each.start:%d %H:%M} {each.title} {each.may_visit}" for each in here.lessons] == [
        # Neither the one that the dentist is in, nor any on a Friday or in the holidays.
        "22 07:50 3A True",
        "22 10:00 Exam class False",
    ]
    first_day = [each for each in here.free if each.start.date() == THURSDAY]
    assert wall(first_day) == ["08:30-08:50", "09:30-11:00", "11:40-13:40", "14:30-17:20"]
    assert not any(each.start.date() == FRIDAY for each in here.free)


def test_a_whole_day_elsewhere_leaves_nothing():
    trip = "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261022\r\nSUMMARY:Trip\r\nEND:VEVENT\r\n"
    lesson = entry("20261022T085000", "20261022T093000", "3A")
    assert expand(Calendar(calendar(trip, lesson), KINDS), WEEK, THURSDAY, THURSDAY).free == ()
    assert expand(Calendar(calendar(trip, lesson), KINDS), WEEK, THURSDAY, THURSDAY).lessons == ()
    note = trip.replace("Trip", "Free")
    assert len(expand(Calendar(calendar(note, lesson), KINDS), WEEK, THURSDAY, THURSDAY).lessons) == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from("otf"), min_size=9, max_size=9), min_size=5, max_size=5))
def test_by_thumb_and_as_a_calendar_it_is_the_same(letters: list[list[str]]):
    """Over four weeks with a break and a change of clocks."""
    grid = Grid(rows(" ".join("".join(day) for day in letters)))
    entries = []
    for at, cell in grid.cells.items():
        weekday, lesson = (int(each) for each in at.split("-"))
        period = WEEK.lessons(weekday)[lesson]
        if cell != "free":
            day = f"202610{19 + weekday}T"
            start, end = (f"{day}{minutes // 60:02}{minutes % 60:02}00" for minutes in (period.starts, period.ends))
            entries.append(entry(start, end, {"open": "3A", "teach": "Exam class"}[cell], "RRULE:FREQ=WEEKLY"))
    first, last = date(2026, 10, 19), date(2026, 11, 13)
    thumb, read = (expand(said, WEEK, first, last) for said in (grid, Calendar(calendar(*entries), KINDS)))
    assert [(each.start, each.end, each.may_visit) for each in read.lessons] == [
        (each.start, each.end, each.may_visit) for each in thumb.lessons
    ]
    assert (read.free, read.breaks, read.edges, read.days) == (thumb.free, thumb.breaks, thumb.edges, thumb.days)


def test_what_was_said_is_kept():
    for said in (Grid({"0-0": "open"}, "course"), Calendar("BEGIN", {"3A": "open"}, (4,))):
        assert timetable.of(timetable.to_json(said)) == said
    assert timetable.of({"cells": {"0-0": "later", "0-1": "free"}}) == Grid({"0-1": "free"})


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(
        lambda each: Span(EPOCH + timedelta(minutes=each[0]), EPOCH + timedelta(minutes=sum(each)))
    ),
    max_size=8,
)


def minutes(spans) -> set[int]:
    return {at for at in range(60) for each in spans if each.start <= EPOCH + timedelta(minutes=at) < each.end}


@settings(max_examples=150, deadline=None)
@given(SPANS, SPANS)
def test_spans_are_sets_of_minutes(some: list[Span], others: list[Span]):
    one, other = merged(some), merged(others)
    assert minutes(one) == minutes(some)
    assert all(before.end < after.start for before, after in itertools.pairwise(one))
    assert minutes(shared(one, other)) == minutes(some) & minutes(others)
    assert minutes(without(one, others)) == minutes(some) - minutes(others)
    for each in others:
        if each.start < each.end:
            assert timetable.meets(one, each) == bool(minutes([each]) & minutes(some))
            assert timetable.covers(one, each) == (minutes([each]) <= minutes(some))


def test_a_group_is_free_when_all_are():
    one = on_thursday("ttftttttt")
    other = on_thursday("tttftttff")
    group = together([one, other])
    assert wall(group.free) == ["08:30-08:50", "10:50-11:00", "13:00-13:40", "15:40-16:20"]
    assert (group.lessons, group.days, wall(group.breaks)) == ((), (THURSDAY,), ["10:50-11:00", "13:00-13:40"])
