"""Three meetings are found together: all that is proposed is possible, nothing better is missed, the order is right."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from schedule.by_minutes import Case, Found, Person, both_ways, moved, random_case, rows, seen, two_ways

from lti_tool.schedule import triples
from lti_tool.schedule.timetable import Availability, Grid, Slot, Span, expand, together
from lti_tool.schedule.triples import Triple, Wanted, propose, still_fits
from lti_tool.schedule.week import Holiday, SchoolWeek, post_primary

MANY = 10_000
DUBLIN = ZoneInfo("Europe/Dublin")

# Two real-looking timetables of one school: nine lessons of 40 minutes, six on Wednesdays. Tom works part-time and is
# not in on Fridays. The October break is the last week of the month; the clocks change on the Sunday before it.
WEEK = SchoolWeek(
    "Europe/Dublin", post_primary(short=[2]).days, (Holiday(date(2026, 10, 26), date(2026, 10, 30), "Mid-term"),)
)
SIOBHAN = Grid(rows("ototffoft foottfoto tofoto ofottftfo toottfotf"))
TOM = Grid(rows("tfttooftf tooftttft ftootf ttfoofoot aaaaaaaaa"))
TO_COME = Wanted(date(2026, 10, 19), date(2026, 11, 13), datetime(2026, 10, 19, 6, tzinfo=UTC))


def check(seed: int) -> int:
    case = random_case(seed)
    first, last = case.wanted.first, case.wanted.last
    host, coach = (expand(each.grid, each.week, first, last) for each in (case.host, case.coach))
    taken = (case.host.taken, case.coach.taken)
    way, back = two_ways(case)
    expected = long_way(way.all())
    found = propose(host, coach, case.wanted, *taken, most=MANY)
    assert seen(found) == expected, f"case {seed}"
    assert seen(propose(host, coach, case.wanted, *taken, most=3)) == expected[:3]
    for number, each in enumerate(found):
        assert still_fits(each, host, coach, case.wanted, *taken) == []
        other = moved(each, seed + number)
        assert (still_fits(other, host, coach, case.wanted, *taken) == []) == way.fits(other), f"case {seed}: {other}"
    ways = triples.both_ways(host, coach, case.wanted, *taken, most=MANY)
    expected_ways = both_ways(way, back)
    assert seen([there for there, _back in ways]) == long_way([there for there, _back in expected_ways]), f"case {seed}"
    assert seen([back for _there, back in ways]) == long_way([back for _there, back in expected_ways]), f"case {seed}"
    return len(found)


def test_the_long_way_finds_the_same():
    found = [check(seed) for seed in range(60)]
    # Cases that have no answer would show nothing.
    assert sum(each > 0 for each in found) > 30, found
    assert sum(found) > 200, found


@pytest.mark.soak
def test_the_long_way_finds_the_same_in_a_thousand_cases():
    found = [check(seed) for seed in range(1_000)]
    assert sum(each > 0 for each in found) > 500


def test_two_timetables_over_a_break_and_a_change_of_clocks():
    host, coach = both(SIOBHAN, TOM)
    found = propose(host, coach, TO_COME, most=MANY)
    way, _back = two_ways(Case(Person(WEEK, SIOBHAN), Person(WEEK, TOM), TO_COME))
    assert seen(found) == long_way(way.all())
    assert spoken(found) == [
        "Wed 21 08:30, Thu 22 10:10, Thu 22 12:20: after_same_day before_day soonest_week outside_bells",
        "Tue 20 08:30, Wed 21 12:20, Wed 21 13:00: after_same_day before_day soonest_week outside_bells",
        "Wed 04 08:30, Thu 05 10:10, Thu 05 12:20: after_same_day before_day outside_bells",
        "Tue 03 08:30, Wed 04 12:20, Wed 04 13:00: after_same_day before_day outside_bells",
        "Thu 05 12:20, Mon 09 13:40, Mon 09 15:40: after_same_day before_days outside_bells",
        "Wed 11 08:30, Thu 12 10:10, Thu 12 12:20: after_same_day before_day outside_bells",
        "Tue 10 08:30, Wed 11 12:20, Wed 11 13:00: after_same_day before_day outside_bells",
        "Mon 19 08:30, Mon 19 13:40, Mon 19 15:40: after_same_day before_same_day soonest_week outside_bells",
        "Mon 02 08:30, Mon 02 13:40, Mon 02 15:40: after_same_day before_same_day outside_bells",
    ]


def test_there_and_back():
    ways = triples.both_ways(*both(SIOBHAN, TOM), TO_COME, most=2)
    assert spoken(ways[0]) == [
        "Tue 20 08:30, Wed 21 12:20, Wed 21 13:00: after_same_day before_day soonest_week outside_bells",
        "Wed 21 13:10, Thu 22 14:20, Thu 22 15:40: after_same_day before_day soonest_week outside_bells",
    ]


def test_what_is_booked_elsewhere_is_not_proposed_and_no_longer_fits():
    host, coach = both(SIOBHAN, TOM)
    first, second = propose(host, coach, TO_COME, most=2)
    taken = [Span(first.after.start + timedelta(minutes=5), first.after.end)]
    assert first not in propose(host, coach, TO_COME, taken_coach=taken)
    assert still_fits(first, host, coach, TO_COME, taken_coach=taken) == ["after_coach"]
    assert still_fits(first, host, coach, TO_COME, taken_host=taken) == ["after_host"]
    assert still_fits(Triple(second.before, second.visit, first.after), host, coach, TO_COME) == []
    backwards = Triple(first.after, first.visit, first.before)
    assert still_fits(backwards, host, coach, TO_COME) == ["before_after_visit", "after_before_visit"]
    last = propose(host, coach, wanted(first=date(2026, 11, 9)), most=1)[0]
    assert still_fits(Triple(first.before, first.visit, last.after), host, coach, TO_COME) == ["after_late"]
    assert still_fits(Triple(first.before, last.visit, last.after), host, coach, TO_COME) == ["before_early"]


def test_three_talk_when_all_are_free_and_two_of_them_visit():
    host, tom, third = both(SIOBHAN, TOM, Grid({f"{day}-{lesson}": "free" for day in range(5) for lesson in range(9)}))
    assert seen(propose(host, together([tom, third]), TO_COME)) == seen(propose(host, tom, TO_COME))
    assert propose(host, together([tom, host]), TO_COME) == []


def test_half_a_lesson_is_visited_from_its_beginning():
    host, coach = both(SIOBHAN, TOM)
    found = propose(host, coach, wanted(visit_min=20))
    assert {each.visit.end - each.visit.start for each in found} == {timedelta(minutes=20)}
    assert propose(host, coach, wanted(visit_min=41)) == []


def test_a_visit_on_friday_is_talked_about_on_monday_only_where_that_is_soon_enough():
    friday, monday, hour = at(9, 10), at(12, 10), timedelta(hours=1)
    days = (date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 12))
    talks = (Span(friday - 24 * hour, friday - 23 * hour), Span(monday, monday + hour))
    host = Availability("Europe/Dublin", days, (Slot(friday, friday + hour, "4"),), talks)
    coach = Availability("Europe/Dublin", days, (), (talks[0], Span(friday, friday + hour), talks[1]))
    assert propose(host, coach, wanted(days[0], days[-1], within_h=48)) == []
    assert spoken(propose(host, coach, wanted(days[0], days[-1], within_h=72))) == [
        "Thu 08 10:00, Fri 09 10:00, Mon 12 10:00: after_next_morning before_day soonest_week breaks_spared"
    ]


@pytest.mark.parametrize(
    ("day", "minutes", "why"),
    [
        (8, 14 * 60, "after_same_day"),
        (9, 11 * 60 + 55, "after_next_morning"),
        (9, 12 * 60, "after_next_day"),
        (12, 9 * 60, "after_later"),
    ],
)
def test_when_the_conversation_after_is(day: int, minutes: int, why: str):
    days = (date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 12))
    visit, talk = at(8, 10), at(day, 0) + timedelta(minutes=minutes)
    host = Availability(
        "Europe/Dublin",
        days,
        (Slot(visit, visit + timedelta(hours=1), "2"),),
        (Span(at(8, 9), visit), Span(talk, talk + timedelta(minutes=10))),
    )
    coach = Availability("Europe/Dublin", days, (), (Span(at(8, 9), at(12, 15)),))
    assert [each.why[0] for each in propose(host, coach, wanted(days[0], days[-1], within_h=96))] == [why]


def test_a_free_period_goes_before_a_break_and_a_break_before_the_next_day():
    day, hour, bit = date(2026, 10, 8), timedelta(hours=1), timedelta(minutes=20)
    visit, lunch, late = at(8, 10), at(8, 11), at(8, 14)
    host = Availability(
        "Europe/Dublin",
        (day, date(2026, 10, 9)),
        (Slot(visit, visit + hour, "2"),),
        (Span(visit - bit, visit), Span(lunch, lunch + bit), Span(late, late + hour), Span(at(9, 9), at(9, 10))),
        breaks=(Span(lunch, lunch + bit),),
    )
    coach = Availability("Europe/Dublin", host.days, (), (Span(visit - bit, at(9, 15)),), host.breaks)
    found = propose(host, coach, wanted(day, date(2026, 10, 9)))
    assert spoken(found) == [
        "Thu 08 09:40, Thu 08 10:00, Thu 08 14:00: after_same_day before_same_day soonest_week breaks_spared"
    ]
    found = propose(host, coach, wanted(day, date(2026, 10, 9)), [Span(late, late + hour)])
    assert spoken(found) == [
        "Thu 08 09:40, Thu 08 10:00, Thu 08 11:00: after_same_day before_same_day soonest_week takes_break"
    ]


def test_four_weeks_take_a_fraction_of_a_second():
    """Every second lesson of each could be visited by the other."""
    cells = [f"{day}-{lesson}" for day in range(5) for lesson in range(9)]
    one, other = (
        expand(
            Grid({cell: "free" if number % 2 == odd else "open" for number, cell in enumerate(cells)}),
            post_primary(),
            TO_COME.first,
            TO_COME.last,
        )
        for odd in (0, 1)
    )
    begun = time.process_time()
    assert len(propose(one, other, TO_COME)) == 12
    assert len(triples.both_ways(one, other, TO_COME)) == 12
    assert time.process_time() - begun < 0.25


def test_nothing_is_found_where_nothing_is_said():
    nobody, somebody = both(Grid(), SIOBHAN)
    assert propose(nobody, somebody, TO_COME) == propose(somebody, nobody, TO_COME) == []
    assert triples.both_ways(nobody, somebody, TO_COME) == []
    assert propose(Availability(), Availability(), TO_COME) == []


def at(day: int, hour: int) -> datetime:
    """In October, by the clock on the wall in Dublin."""
    return datetime(2026, 10, day, hour, tzinfo=DUBLIN).astimezone(UTC)


def both(*grids: Grid) -> list[Availability]:
    return [expand(each, WEEK, TO_COME.first, TO_COME.last) for each in grids]


def wanted(first: date = TO_COME.first, last: date = TO_COME.last, **others: int) -> Wanted:
    return Wanted(first, last, datetime(2026, 10, 1, tzinfo=UTC), **others)


def long_way(found: list[Found]) -> list[tuple[datetime, ...]]:
    return [each[1:] for each in found]


def spoken(found: Sequence[Triple]) -> list[str]:
    """By the clock on the wall."""
    said = []
    for each in found:
        starts = (each.before.start, each.visit.start, each.after.start)
        walls = ", ".join(f"{start.astimezone(DUBLIN):%a %d %H:%M}" for start in starts)
        said.append(f"{walls}: {' '.join(each.why)}")
    return said
