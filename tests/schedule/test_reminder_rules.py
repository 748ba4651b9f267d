"""When somebody is reminded: by tables, and by whatever else there can be."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.schedule import reminder_rules as rules
from lti_tool.schedule import week
from lti_tool.schedule.reminder_rules import DIGESTS, Item, When
from lti_tool.schedule.week import Holiday, SchoolWeek

QUIET = (7, 8)
DUBLIN = "Europe/Dublin"
MIDTERM = Holiday(date(2026, 10, 26), date(2026, 10, 30))
WEEK = SchoolWeek(DUBLIN, week.post_primary().days, (MIDTERM,))
ZONES = (DUBLIN, "Pacific/Auckland", "America/New_York", "Asia/Kathmandu")


def at(day: int, hour: int, minute: int = 0, month: int = 10, zone: str = DUBLIN) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def item(kind: str = "turn", when: datetime | None = None, due: datetime | None = None) -> Item:
    when = when or at(1, 9)
    return Item("p", kind, "a", "s", "c", None, "turn", when, due or when)


@pytest.mark.parametrize(
    ("now", "when", "is_time"),
    [
        (at(21, 8), When(DUBLIN), True),
        (at(21, 7, 59), When(DUBLIN), False),
        (at(21, 16, 59), When(DUBLIN), True),
        (at(21, 17), When(DUBLIN), False),
        (at(24, 10), When(DUBLIN), False),  # a Saturday
        (at(26, 10), When(DUBLIN), False),  # mid-term, after the clocks went back
        (at(14, 10, month=7), When(DUBLIN), False),  # a quiet month
        (at(23, 8), When("America/New_York"), False),  # three in the morning there
        (at(22, 20), When("Pacific/Auckland"), True),  # Friday morning there
        (at(23, 20), When("Pacific/Auckland"), False),  # Saturday morning there
    ],
)
def test_something_leaves_in_the_school_hours_of_its_reader_alone(now: datetime, when: When, is_time: bool) -> None:
    assert rules.is_time(when, WEEK, QUIET, now) is is_time


@pytest.mark.parametrize(
    ("starts_at", "digest", "opens"),
    [
        (at(22, 10), "daily", at(21, 8)),
        (at(19, 9), "each", at(16, 8)),  # on Friday of Monday
        (at(2, 9, month=11), "daily", at(2, 8, month=11)),  # after a week without school, on its own day
        (at(22, 10), "weekly", at(15, 10)),
    ],
)
def test_a_booking_is_spoken_of_the_school_day_before(starts_at: datetime, digest: str, opens: datetime) -> None:
    when = When(DUBLIN, digest)
    assert rules.opens(starts_at, when, WEEK, QUIET) == opens
    booking = item("meeting", starts_at)
    for now in (opens, opens + timedelta(minutes=5)):
        assert rules.is_due(booking, when, WEEK, QUIET, now) is rules.is_time(when, WEEK, QUIET, now)
    assert not rules.is_due(booking, when, WEEK, QUIET, opens - timedelta(minutes=1))
    assert not rules.is_due(booking, When(DUBLIN, digest, 6, 21), WEEK, QUIET, starts_at), "it has begun"


def test_what_has_waited_too_long_is_old_news() -> None:
    waits = item(due=at(1, 9, month=9))
    assert rules.is_due(waits, When(DUBLIN), WEEK, QUIET, at(30, 9, month=9))
    assert not rules.is_due(waits, When(DUBLIN), WEEK, QUIET, at(1, 9, month=10))
    assert not rules.is_due(item(due=at(2, 9)), When(DUBLIN), WEEK, QUIET, at(1, 9))
    assert rules.OLD_AFTER < rules.KEPT_FOR


@pytest.mark.parametrize(
    ("digest", "last", "now", "is_turn"),
    [
        ("each", at(21, 9), at(21, 9, 5), True),
        ("daily", at(21, 8), at(21, 16), False),
        ("daily", at(21, 16), at(22, 8), True),
        ("weekly", at(19, 8), at(23, 16), False),
        ("weekly", at(23, 16), at(26, 8), True),
        ("weekly", at(29, 9, month=12), datetime(2027, 1, 4, 9, tzinfo=UTC), True),
        ("daily", None, at(21, 8), True),
    ],
)
def test_a_digest_comes_once_a_day_or_once_a_week(
    digest: str, last: datetime | None, now: datetime, is_turn: bool
) -> None:
    assert rules.is_turn_of_digest(When(DUBLIN, digest, last_sent_at=last), now) is is_turn


@pytest.mark.parametrize(
    ("waits", "code", "until", "is_turn"),
    [
        (False, "sign", None, True),
        (True, "wait_sign", None, False),
        (False, "talk", at(21, 10), False),
        (False, "talk", at(21, 8), True),
        (False, "visit_ahead", None, False),
        (False, "stopped", None, False),
        (False, "reflect", None, True),
    ],
)
def test_a_step_waits_for_who_could_take_it_now(waits: bool, code: str, until: datetime | None, is_turn: bool) -> None:
    assert rules.waits_for(waits, code, until, at(21, 9)) is is_turn


@pytest.mark.parametrize(
    ("texts", "hours"),
    [
        (("8", "17"), (8, 17)), (("6", "21"), (6, 21)), (("9", "9"), None), (("17", "8"), None), (("5", "9"), None),
        (("8", "22"), None), (("", ""), None), (("8.5", "9"), None), (("٨", "17"), None), (("-8", "17"), None),
        (("8", "1" * 5000), None),
    ],
)  # fmt: skip
def test_hours_as_they_are_typed(texts: tuple[str, str], hours: tuple[int, int] | None) -> None:
    assert rules.read_hours(*texts) == hours


moments = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
whens = st.builds(
    When,
    st.sampled_from(ZONES),
    st.sampled_from(DIGESTS),
    st.integers(6, 13),
    st.integers(14, 21),
    st.none() | moments,
)
holidays = st.builds(
    lambda first, days: Holiday(first, first + timedelta(days=days)),
    st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    st.integers(0, 30),
)
weeks = st.builds(
    lambda zone, free, closed: SchoolWeek(
        zone, tuple(() if day in closed else each for day, each in enumerate(week.primary().days)), tuple(free)
    ),
    st.sampled_from(ZONES),
    st.lists(holidays, max_size=6),
    st.sets(st.integers(0, 4), max_size=4),
)


@given(moments, whens, weeks, moments, st.sampled_from(rules.KINDS))
def test_nothing_ever_leaves_at_another_time(
    now: datetime, when: When, school: SchoolWeek, other: datetime, kind: str
) -> None:
    near = now + timedelta(seconds=(other - now).total_seconds() % (10 * 86400))
    thing = item(kind, near, now - timedelta(days=near.day))
    if rules.is_due(thing, when, school, QUIET, now):
        local = now.astimezone(ZoneInfo(when.zone))
        assert when.from_hour <= local.hour < when.to_hour and local.month not in QUIET
        assert local.weekday() < 5 and school.days[local.weekday()]
        assert not any(each.first <= local.date() <= each.last for each in school.holidays)
        if kind == "meeting":
            assert now < near <= now + timedelta(days=8)


@given(moments, whens, weeks)
def test_every_booking_on_a_school_day_finds_its_hour(starts_at: datetime, when: When, school: SchoolWeek) -> None:
    opens = rules.opens(starts_at, when, school, ())
    assert starts_at - timedelta(days=8) <= opens
    if when.digest != "weekly" and when.day_of(opens) < when.day_of(starts_at):
        assert rules.is_due(item("meeting", starts_at), when, school, (), opens), "the very first moment is one"


@given(whens, st.lists(moments, max_size=40))
def test_no_digest_comes_twice(when: When, times: list[datetime]) -> None:
    sent: list[date] = []
    current = When(when.zone, when.digest, when.from_hour, when.to_hour)
    for now in sorted(times):
        if rules.is_turn_of_digest(current, now):
            sent.append(current.day_of(now))
            current = When(when.zone, when.digest, when.from_hour, when.to_hour, now)
    if when.digest == "daily":
        assert len(sent) == len(set(sent))
    if when.digest == "weekly":
        assert len(sent) == len({day.isocalendar()[:2] for day in sent})
