"""When a hint is due, and whose turn it would be: values in, values out."""

from datetime import date, timedelta

import pytest

from lti_tool.rhythm.rules import Past, due, first_offer, read_weeks, turn_to_host, weeks_of

DAY = date(2026, 10, 20)
HOLIDAYS = (7, 8)


@pytest.mark.parametrize(
    ("activity", "pair", "weeks"),
    [(None, None, None), (3, None, 3), (3, 5, 5), (None, 2, 2), (3, 0, None), (None, 0, None)],
)
def test_what_the_pair_says_comes_before_what_the_trainer_suggests(
    activity: int | None, pair: int | None, weeks: int | None
) -> None:
    assert weeks_of(activity, pair) == weeks


@pytest.mark.parametrize(
    ("text", "weeks"),
    [("1", 1), ("26", 26), ("03", 3), *((each, None) for each in ("0", "27", "", "-1", "3.5", "٣", "9" * 50, "3\0"))],
)
def test_a_number_of_weeks_is_read_or_is_none(text: str, weeks: int | None) -> None:
    assert read_weeks(text) == weeks


@pytest.mark.parametrize(
    ("weeks", "days_ago", "put_away_days_ago", "is_paused", "today", "passed"),
    [
        (3, 21, None, False, DAY, 3),
        (3, 20, None, False, DAY, None),
        (3, 34, None, False, DAY, 4),
        (1, 7, None, False, DAY, 1),
        (None, 100, None, False, DAY, None),
        (3, None, None, False, DAY, None),
        (3, 21, None, True, DAY, None),
        (3, 21, 0, False, DAY, None),
        (3, 21, 21, False, DAY, None),
        (3, 21, 22, False, DAY, 3),
        (3, 70, None, False, date(2026, 7, 1), None),
        (3, 70, None, False, date(2026, 8, 31), None),
        (3, 70, None, False, date(2026, 9, 1), 10),
    ],
)
def test_a_hint_is_due_when_the_time_is_over_and_nothing_speaks_against_it(
    weeks: int | None,
    days_ago: int | None,
    put_away_days_ago: int | None,
    is_paused: bool,
    today: date,
    passed: int | None,
) -> None:
    finished, away = (None if ago is None else today - timedelta(days=ago) for ago in (days_ago, put_away_days_ago))
    assert due(weeks, Past(finished, away, is_paused), today, HOLIDAYS) == passed


def test_other_months_can_be_the_holidays() -> None:
    past = Past(date(2026, 5, 1))
    assert due(3, past, date(2026, 7, 1), ()) == 8
    assert due(3, past, date(2026, 6, 30), (6,)) is None


@pytest.mark.parametrize(
    ("hosted", "turn"),
    [
        ({"a": 0, "b": 0}, None),
        ({"a": 1, "b": 0}, "b"),
        ({"a": 1, "b": 2}, "a"),
        ({"a": 2, "b": 2}, None),
        ({"a": 1}, None),
        ({"a": 1, "b": 0, "c": 0}, None),
    ],
)
def test_the_turn_goes_to_who_was_host_less_often(hosted: dict[str, int], turn: str | None) -> None:
    assert turn_to_host(hosted) == turn


@pytest.mark.parametrize(("turn", "first"), [(None, "swap"), ("host", "continue"), ("coach", "swap")])
def test_the_missing_half_is_offered_first(turn: str | None, first: str) -> None:
    assert first_offer(turn, "host") == first
