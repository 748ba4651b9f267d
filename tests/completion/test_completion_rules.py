"""Decisions about telling the gradebook."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.completion import rules
from lti_tool.completion.rules import Code
from lti_tool.completion.words import advice

NOW = datetime(2026, 11, 22, 10, 0, 0, 750_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MOMENTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("reports", "submitted", "can"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_who_can_tell(reports: bool, submitted: bool, can: bool) -> None:
    assert rules.can_tell(reports_completion=reports, has_submitted=submitted) is can


@pytest.mark.parametrize(
    ("claimed", "seen", "expected"),
    [
        (None, None, NOW.replace(microsecond=0)),
        (NOW - timedelta(hours=1), None, NOW.replace(microsecond=0)),
        (NOW, None, NOW.replace(microsecond=0) + SECOND),
        (NOW + timedelta(seconds=30), None, NOW.replace(microsecond=0) + timedelta(seconds=31)),
        (None, NOW + timedelta(minutes=5), NOW.replace(microsecond=0) + timedelta(seconds=301)),
        (NOW, NOW - timedelta(days=9), NOW.replace(microsecond=0) + SECOND),
        (None, NOW + timedelta(days=1), NOW.replace(microsecond=0)),
        (None, NOW + timedelta(days=400), NOW.replace(microsecond=0)),
    ],
)
def test_the_time_of_the_next_score(claimed: datetime | None, seen: datetime | None, expected: datetime) -> None:
    assert rules.next_timestamp(NOW, claimed, seen) == expected


@given(st.lists(st.tuples(MOMENTS, st.none() | MOMENTS), min_size=1, max_size=20))
def test_times_only_ever_grow_by_a_second_or_more(steps: list[tuple[datetime, datetime | None]]) -> None:
    """Whatever the clocks of both sides say: LMSs compare whole seconds."""
    claimed: datetime | None = None
    for now, seen in steps:
        at = rules.next_timestamp(now, claimed, seen)
        assert at.microsecond == 0
        assert claimed is None or at - claimed >= SECOND
        assert at >= now.replace(microsecond=0)
        claimed = at


@pytest.mark.parametrize(
    ("score", "maximum", "told"),
    [
        (1, 1, True),
        (100, 100, True),
        (120, 100, True),
        (33.333333, 33.33333333, True),
        (99.9, 100, False),
        (0, 100, False),
        (0, 0, False),
        (None, 100, False),
        (100, None, False),
        (None, None, False),
    ],
)
def test_what_counts_as_told(score: float | None, maximum: float | None, told: bool) -> None:
    assert rules.is_told(score, maximum) is told


@pytest.mark.parametrize(
    ("code", "first", "after_many", "ends_the_run"),
    [
        (Code.UNREACHABLE, False, False, True),
        (Code.BUSY, False, False, True),
        (Code.MALFORMED, False, False, True),
        (Code.NO_TOKEN, False, False, True),
        (Code.UNAUTHORIZED, False, True, False),
        (Code.FORBIDDEN, False, True, False),
        (Code.REFUSED, False, True, False),
        (Code.GONE, False, True, False),
        (Code.CONFLICT, False, True, False),
        (Code.NOT_GRADABLE, True, True, False),
        (Code.NO_COLUMN, True, True, False),
        (Code.SWITCHED_OFF, True, True, False),
    ],
)
def test_what_a_failure_leads_to(code: Code, first: bool, after_many: bool, ends_the_run: bool) -> None:
    assert rules.stops(code, 1) is first
    assert rules.stops(code, 1000) is after_many
    assert rules.ends_the_run(code) is ends_the_run
    assert rules.concerns_all(code) is (code is Code.NO_COLUMN)


@pytest.mark.parametrize(
    ("code", "score", "overtaken"),
    [
        (Code.CONFLICT, None, True),
        (Code.CONFLICT, 40.0, True),
        (Code.NOT_GRADABLE, 40.0, True),
        (Code.NOT_GRADABLE, None, False),
        (Code.FORBIDDEN, 40.0, False),
    ],
)
def test_when_a_later_time_may_help(code: Code, score: float | None, overtaken: bool) -> None:
    assert rules.may_be_overtaken(code, score) is overtaken


@pytest.mark.parametrize("code", list(Code))
def test_every_failure_comes_with_advice(code: Code) -> None:
    assert len(advice(code)) > 20
    assert advice("") == ""
