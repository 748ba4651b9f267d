"""What a form of settings may say, and the order of a plan."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.rules import (
    MAX_PURPOSE,
    MAX_TITLE,
    NEW_ROUND,
    Draft,
    Offered,
    Planned,
    Problem,
    Settings,
    check,
    in_order,
    moved,
    problems_together,
    read_dates,
)

OFFERED = Offered(
    ("cycle:light", "cycle:collegial", "pairing:", "reflection:reflection"),
    frozenset({"north", "south"}),
    frozenset({"round", NEW_ROUND}),
)
GOOD = Draft("cycle:light", "Cycle 1")


@pytest.mark.parametrize(
    ("draft", "found"),
    [
        (GOOD, []),
        (Draft("pairing:", "Find each other"), []),
        (replace(GOOD, title="x" * MAX_TITLE, purpose="x" * MAX_PURPOSE), []),
        (replace(GOOD, title=""), [Problem.NO_TITLE]),
        (replace(GOOD, title="x" * (MAX_TITLE + 1)), [Problem.LONG_TITLE]),
        (replace(GOOD, purpose="á" * (MAX_PURPOSE + 1)), [Problem.LONG_PURPOSE]),
        (replace(GOOD, what=""), [Problem.NOT_OFFERED]),
        (replace(GOOD, what="cycle"), [Problem.NOT_OFFERED]),
        (replace(GOOD, what="cycle:Light"), [Problem.NOT_OFFERED]),
        (replace(GOOD, what="pairing:light"), [Problem.NOT_OFFERED]),
        (replace(GOOD, starts_on="2026-12-01", ends_on="2026-12-01"), []),
        (replace(GOOD, starts_on="2026-12-02", ends_on="2026-12-01"), [Problem.ENDS_BEFORE]),
        (replace(GOOD, starts_on="1.12.2026", ends_on="2026-02-30"), [Problem.BAD_START, Problem.BAD_END]),
        (replace(GOOD, audience="nobody"), [Problem.BAD_AUDIENCE]),
        (replace(GOOD, audience="chosen"), []),
        (replace(GOOD, audience="schools", schools=("north",)), []),
        (replace(GOOD, audience="schools"), [Problem.NO_SCHOOL]),
        (replace(GOOD, audience="schools", schools=("another school's",)), [Problem.NO_SCHOOL]),
        (replace(GOOD, pairs_from="round"), []),
        (replace(GOOD, pairs_from="another course's"), [Problem.BAD_ROUND]),
    ],
)
def test_problems(draft: Draft, found: list[Problem]) -> None:
    assert check(draft, OFFERED)[1] == found


def test_where_the_lms_says_the_name_none_is_asked_for() -> None:
    assert check(Draft("cycle:light"), OFFERED, with_title=False)[1] == []


def test_what_does_not_fit_a_kind_is_left_out() -> None:
    pairing, _ = check(Draft("pairing:", "x", pairs_from="round", reports_completion=True), OFFERED)
    assert (pairing.kind, pairing.protocol, pairing.pairs_from, pairing.reports_completion) == (
        "pairing",
        "",
        "",
        False,
    )
    everyone, _ = check(replace(GOOD, schools=("north",)), OFFERED)
    assert everyone.schools == ()


@pytest.mark.parametrize("text", ["1999-12-31", "2101-01-01", "20261201", "2026-W49-1", "0001-01-01", "x" * 999, "\0"])
def test_days_that_are_none(text: str) -> None:
    assert read_dates(text, "") == (None, None, [Problem.BAD_START])


def test_a_new_round_has_to_be_placed_too() -> None:
    cycle = check(replace(GOOD, pairs_from=NEW_ROUND), OFFERED)[0]
    pairing = check(Draft("pairing:", "x"), OFFERED)[0]
    assert problems_together([pairing, cycle]) == problems_together([cycle, pairing]) == []
    assert problems_together([check(GOOD, OFFERED)[0], cycle]) == [(1, Problem.NO_NEW_ROUND)]


@given(st.text(max_size=300), st.text(max_size=20), st.text(max_size=20), st.lists(st.text(max_size=5), max_size=3))
def test_whatever_is_typed_is_answered(text: str, starts: str, ends: str, schools: list[str]) -> None:
    draft = Draft(text, text, text, starts, ends, text, tuple(schools), text, reports_completion=True)
    settings, problems = check(draft, OFFERED)
    assert isinstance(settings, Settings) and Problem.NOT_OFFERED in problems


def test_the_order_of_a_plan() -> None:
    def planned(id_: str, position: int, day: int | None, title: str = "x") -> Planned:
        return Planned(id_, position, date(2026, 12, day) if day else None, title)

    assert in_order([planned("c", 2, 1), planned("b", 1, 5)]) == ["b", "c"], "as arranged"
    assert in_order([planned("a", 0, None), planned("b", 0, 9), planned("c", 0, 2)]) == ["c", "b", "a"], "by first day"
    assert in_order([planned("new", 0, 1), planned("b", 1, 9)]) == ["b", "new"], "not arranged yet: at the end"
    assert in_order([planned("b", 0, None, "Zu"), planned("a", 0, None, "an")]) == ["a", "b"], "by name"


def test_moving_within_a_plan() -> None:
    order = ["a", "b", "c"]
    assert moved(order, "b", -1) == ["b", "a", "c"] and moved(order, "b", 1) == ["a", "c", "b"]
    assert moved(order, "a", -1) == order == moved(order, "c", 1)
