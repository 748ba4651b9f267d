"""The week of a school is read from a form, kept, and comes to moments that are right when the clocks change."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.schedule.week import (
    EARLIEST,
    LATEST,
    MAX_NAME,
    MOST_TALK,
    Holiday,
    Period,
    Problem,
    RefusedError,
    SchoolWeek,
    post_primary,
    primary,
    read,
    typed,
    zones,
)

MONDAY = date(2026, 10, 19)


def form(**changes: str | None) -> dict[str, str]:
    """A small week that can be read, changed."""
    said = {"zone": "Europe/Dublin", "talk_before": "15", "talk_after": "30", "same-5": "none", "same-6": "none"}
    said |= {f"same-{day}": "0" for day in range(1, 5)}
    said |= {"same-0": "own", "name-0-0": "1", "from-0-0": "09:00", "to-0-0": "9.40"}
    said |= {"name-0-1": "2", "from-0-1": "9:50", "to-0-1": "10:30"}
    said |= {"break-0-2": "1", "from-0-2": "09:40", "to-0-2": "09:50"}
    changed = {name.replace("_D", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**said, **changed}.items() if value is not None}


def test_a_form_is_read():
    day = (Period("1", 540, 580), Period("", 580, 590, is_lesson=False), Period("2", 590, 630))
    assert read(
        form(first_D0="2026-10-26", last_D0="2026-10-30", holiday_D0=" Mid-\x07 term ", first_D3="2026-10-05")
    ) == (
        SchoolWeek(
            "Europe/Dublin",
            (day,) * 5 + ((), ()),
            (
                Holiday(date(2026, 10, 5), date(2026, 10, 5)),
                Holiday(date(2026, 10, 26), date(2026, 10, 30), "Mid- term"),
            ),
            15,
            30,
        )
    )


WRONG: list[tuple[dict[str, str | None], list[tuple[str, Problem]]]] = [
    ({"zone": "Dublin"}, [("zone", Problem.NO_ZONE)]),
    ({"zone": None}, [("zone", Problem.NO_ZONE)]),
    ({"zone": "../etc/passwd"}, [("zone", Problem.NO_ZONE)]),
    ({"name_D0_D0": ""}, [("name-0-0", Problem.NO_NAME)]),
    ({"name_D0_D0": "x" * (MAX_NAME + 1)}, [("name-0-0", Problem.LONG_NAME)]),
    ({"from_D0_D0": ""}, [("from-0-0", Problem.NO_TIME)]),
    ({"to_D0_D0": "24:00"}, [("to-0-0", Problem.NO_TIME)]),
    ({"to_D0_D0": "٠٩:٤٠"}, [("to-0-0", Problem.NO_TIME)]),
    ({"from_D0_D0": "5:59"}, [("from-0-0", Problem.EARLY_OR_LATE)]),
    ({"to_D0_D1": "22:01"}, [("to-0-1", Problem.EARLY_OR_LATE)]),
    ({"to_D0_D0": "09:00"}, [("to-0-0", Problem.BACKWARDS)]),
    ({"from_D0_D2": "09:39"}, [("from-0-2", Problem.OVERLAP)]),
    ({"break_D0_D0": "1", "break_D0_D1": "1"}, [("same-0", Problem.NO_LESSON)]),
    ({f"same_D{day}": "none" for day in range(5)}, [("same-0", Problem.NO_LESSON)]),
    ({"same_D1": "2"}, [("same-1", Problem.NO_DAY)]),
    ({"same_D1": "7"}, [("same-1", Problem.NO_DAY)]),
    ({"same_D1": None}, [("same-1", Problem.NO_DAY)]),
    ({"name_D0_D16": "17"}, [("name-0-16", Problem.TOO_MANY)]),
    ({"first_D0": "26.10.2026"}, [("first-0", Problem.NO_DATE)]),
    ({"first_D0": "2026-02-30"}, [("first-0", Problem.NO_DATE)]),
    ({"first_D0": "0001-01-01"}, [("first-0", Problem.NO_DATE)]),
    ({"holiday_D0": "Easter"}, [("first-0", Problem.NO_DATE)]),
    ({"first_D0": "2026-10-30", "last_D0": "2026-10-26"}, [("last-0", Problem.BACKWARDS)]),
    ({"first_D0": "2026-01-01", "last_D0": "2026-12-31"}, [("last-0", Problem.LONG_HOLIDAY)]),
    ({"first_D40": "2026-10-30"}, [("first-40", Problem.TOO_MANY)]),
    ({"talk_before": "121"}, [("talk_before", Problem.NO_MINUTES)]),
    ({"talk_after": "-1"}, [("talk_after", Problem.NO_MINUTES)]),
    ({"zone": "", "to_D0_D0": "x", "talk_after": ""}, [
        ("zone", Problem.NO_ZONE), ("to-0-0", Problem.NO_TIME), ("talk_after", Problem.NO_MINUTES),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "problems"), WRONG, ids=lambda each: str(each)[:60])
def test_all_that_is_wrong_is_said_at_once(changes: dict[str, str | None], problems: list[tuple[str, Problem]]):
    with pytest.raises(RefusedError) as error:
        read(form(**changes))
    assert list(error.value.problems) == problems


@st.composite
def weeks(draw: st.DrawFn) -> SchoolWeek:
    def day() -> tuple[Period, ...]:
        bells = sorted(draw(st.sets(st.integers(EARLIEST, LATEST), min_size=2, max_size=12)))
        names = draw(st.lists(st.sampled_from(["1", "Rang 2", "Lón", "P-3"]), min_size=len(bells), max_size=len(bells)))
        periods = [Period(name, *pair) for name, pair in zip(names, itertools.pairwise(bells), strict=False)]
        lessons = draw(st.lists(st.booleans(), min_size=len(periods), max_size=len(periods)))
        return tuple(Period(each.name, each.starts, each.ends, is_lesson=lesson or not number)
                     for number, (each, lesson) in enumerate(zip(periods, lessons, strict=True)))  # fmt: skip

    kinds = [day(), day(), ()]
    days = [kinds[0], *(draw(st.sampled_from(kinds)) for _day in range(6))]
    firsts = draw(st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=3, unique=True))
    holidays = tuple(Holiday(first, first + timedelta(days=draw(st.integers(0, 60)))) for first in sorted(firsts))
    talk = st.integers(0, MOST_TALK)
    return SchoolWeek(draw(st.sampled_from(zones())), tuple(days), holidays, draw(talk), draw(talk))


@settings(max_examples=40, deadline=None)
@given(weeks(), st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_what_was_read_is_kept_and_typed_again_as_it_is(week: SchoolWeek, day: date):
    assert read(typed(week)) == week
    assert SchoolWeek.of(week.to_json()) == week
    moments = [moment for start, end, _period in week.periods(day) for moment in (start, end)]
    assert moments == sorted(moments), "a day goes forward, whatever the clocks do at night"
    assert bool(moments) == week.is_school_day(day)
    assert all(week.day_of(each) == day for each in moments)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*form(), "name-0-3", "from-0-3", "first-0", "last-0"]), st.text(max_size=12)))
def test_whatever_is_typed_is_read_or_refused(changes: dict[str, str]):
    try:
        week = read({**form(), **changes})
    except RefusedError as error:
        assert error.problems
    else:
        assert read(typed(week)) == week


def test_bells_ring_by_the_clock_on_the_wall():
    week = post_primary()
    assert week.periods(date(2026, 10, 23))[0][0] == datetime(2026, 10, 23, 7, 50, tzinfo=UTC)
    assert week.periods(date(2026, 10, 27))[0][0] == datetime(2026, 10, 27, 8, 50, tzinfo=UTC)
    assert week.periods(date(2027, 3, 26))[0][0] == datetime(2027, 3, 26, 8, 50, tzinfo=UTC)
    assert week.periods(date(2027, 3, 29))[0][0] == datetime(2027, 3, 29, 7, 50, tzinfo=UTC)
    sunday = SchoolWeek("Europe/Dublin", ((), (), (), (), (), (), week.days[0]))
    assert sunday.periods(date(2026, 10, 25))[0][0] == datetime(2026, 10, 25, 8, 50, tzinfo=UTC)
    assert sunday.periods(date(2027, 3, 28))[0][0] == datetime(2027, 3, 28, 7, 50, tzinfo=UTC)


def test_nobody_is_there_in_holidays_or_at_the_weekend():
    week = SchoolWeek("Europe/Dublin", primary().days, (Holiday(date(2026, 10, 26), date(2026, 10, 30)),))
    days = week.school_days(date(2026, 10, 22), date(2026, 11, 3))
    assert [each.day for each in days] == [22, 23, 2, 3]
    assert week.periods(date(2026, 10, 28)) == []


def test_an_ordinary_week_is_one():
    week = post_primary(short=[2])
    assert [len(week.lessons(day)) for day in range(7)] == [9, 9, 6, 9, 9, 0, 0]
    assert {each.ends - each.starts for each in week.lessons(0)} == {40}
    assert [len(primary().lessons(day)) for day in range(7)] == [6, 6, 6, 6, 6, 0, 0]
    for each in (week, primary()):
        assert read(typed(each)) == each
        for day in each.days:
            assert all(one.ends == other.starts for one, other in itertools.pairwise(day)), "no hole in a day"
