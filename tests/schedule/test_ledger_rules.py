"""What the ledger comes to, how a line is read, and the file of it."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from factories import make_settings
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.protocols.recipe import MEETINGS
from lti_tool.schedule import ledger_rules
from lti_tool.schedule.ledger_rules import BESIDE, STAGES, Entry, Line, Problem
from lti_tool.settings import SettingsError

TODAY = date(2026, 11, 22)
CATEGORIES = make_settings().time.categories
DAYS = st.dates(date(2026, 9, 1), TODAY)
MINUTES = st.integers(0, 1440)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Bookings of which nothing, or something, was said, and lines beside them."""
    found = []
    for _each in range(draw(st.integers(0, 12))):
        kind, day, booked = draw(st.sampled_from(STAGES)), draw(DAYS), draw(st.integers(5, 240))
        if kind == BESIDE:
            line = Line(day, draw(MINUTES), draw(st.sampled_from(["", *CATEGORIES])))
        else:
            said = draw(st.none() | st.builds(Line, st.just(day), st.none() | MINUTES, st.sampled_from(CATEGORIES)))
            line = ledger_rules.of_booking(said, day=day, minutes=booked, kind=kind, categories=CATEGORIES)
        found.append(Entry(day, ledger_rules.counted(line), kind, line.category, booked=line.booked or None))
    return found


@given(entries())
def test_each_way_of_adding_up_comes_to_the_same(every: list[Entry]) -> None:
    found = ledger_rules.totals(every)
    assert found.all == sum(each.minutes for each in every)
    assert sum(minutes for _, minutes in found.stages) == found.all
    assert sum(minutes for _, minutes in found.categories) == found.all
    for kind, minutes in found.stages:
        assert minutes == sum(each.minutes for each in every if each.kind == kind) > 0


@given(st.lists(st.tuples(st.sampled_from(MEETINGS), st.integers(5, 240)), max_size=20))
def test_bookings_of_which_nothing_is_said_come_to_how_long_they_were(booked: list[tuple[str, int]]) -> None:
    begins = datetime(2026, 10, 24, 23, 50, tzinfo=UTC)
    lasted = timedelta()
    found = []
    for number, (kind, minutes) in enumerate(booked):
        starts = begins + timedelta(hours=5 * number)
        lasted += (starts + timedelta(minutes=minutes)) - starts
        line = ledger_rules.of_booking(None, day=starts.date(), minutes=minutes, kind=kind, categories=CATEGORIES)
        found.append(Entry(line.day, ledger_rules.counted(line), kind, line.category, starts_at=starts))
    assert timedelta(minutes=ledger_rules.totals(found).all) == lasted


def test_every_meeting_that_a_protocol_can_have_is_counted() -> None:
    assert (*MEETINGS, BESIDE) == STAGES


def test_conversations_and_visits_have_a_category_where_the_school_has_it() -> None:
    assert ledger_rules.usual("visit", CATEGORIES) == "observing"
    assert ledger_rules.usual("before", CATEGORIES) == ledger_rules.usual("after", CATEGORIES)
    assert ledger_rules.usual("after", CATEGORIES) == "professional conversation"
    assert ledger_rules.usual("visit", ["Lesson study"]) == ""


TYPED = {"day": "2026-11-20", "minutes": "25", "category": "planning", "note": " a \t b\x00 "}
BOOKED = Line(date(2026, 11, 20), None, "observing", "", "visit", 40)


@pytest.mark.parametrize(
    ("changed", "booking", "expected"),
    [
        ({}, None, Line(date(2026, 11, 20), 25, "planning", "a b")),
        ({"category": ""}, None, Line(date(2026, 11, 20), 25, "", "a b")),
        ({"day": "2026-11-23"}, None, [Problem.DAY]),
        ({"day": "20261120"}, None, [Problem.DAY]),
        ({"day": "1066-01-01", "minutes": "0"}, None, [Problem.DAY, Problem.MINUTES]),
        ({"minutes": ""}, None, [Problem.MINUTES]),
        ({"minutes": "1441"}, None, [Problem.MINUTES]),
        ({"minutes": "²", "category": "x", "note": "x" * 201}, None, list(Problem)[1:]),
        ({"minutes": "-5"}, None, [Problem.MINUTES]),
        ({"minutes": "9" * 5000}, None, [Problem.MINUTES]),
        ({"day": "x", "minutes": "0"}, BOOKED, Line(BOOKED.day, 0, "planning", "a b", "visit", 40)),
        ({"minutes": ""}, BOOKED, Line(BOOKED.day, None, "planning", "a b", "visit", 40)),
        ({"minutes": "40"}, BOOKED, Line(BOOKED.day, None, "planning", "a b", "visit", 40)),
        ({"minutes": "x"}, BOOKED, [Problem.MINUTES]),
    ],
)
def test_a_line_is_read_or_all_that_is_wrong_with_it(
    changed: dict[str, str], booking: Line | None, expected: Line | list[Problem]
) -> None:
    line, wrong = ledger_rules.read(TYPED | changed, CATEGORIES, TODAY, booking)
    assert (wrong if line is None else line) == expected
    if line:
        assert ledger_rules.of(ledger_rules.to_json(line)) == line


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("", ""), ("2026-09-01", "2026-11-22", True)),
        (("2025-09-01", "2026-08-31"), ("2025-09-01", "2026-08-31", True)),
        (("2026-11-01", ""), ("2026-11-01", "2026-11-22", True)),
        (("2026-11-02", "2026-11-01"), ("2026-09-01", "2026-11-22", False)),
        (("x", "\x00"), ("2026-09-01", "2026-11-22", False)),
        (("9999-12-31", "9999-12-31"), ("2026-09-01", "2026-11-22", False)),
    ],
)
def test_the_days_are_those_of_the_school_year_or_as_typed(
    typed: tuple[str, str], expected: tuple[str, str, bool]
) -> None:
    first, last, is_read = ledger_rules.period(*typed, TODAY)
    assert (first.isoformat(), last.isoformat(), is_read) == expected
    assert ledger_rules.period("", "", date(2027, 8, 31))[0] == date(2026, 9, 1)


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")) | st.integers(0, 1440), min_size=1, max_size=5)))
def test_no_cell_of_the_file_is_a_formula_and_nothing_is_lost(rows: list[list[str | int]]) -> None:
    data = ledger_rules.table(rows)
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert len(read) == len(rows)
    for row, cells in zip(rows, read, strict=True):
        for value, cell in zip(row, cells, strict=True):
            assert cell in (str(value), f"'{value}")
            assert not cell.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "＝", "\t", "\r", "\n"))


def test_formulas_are_text() -> None:
    for value in ("=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", '=HYPERLINK("https://x")'):
        assert ledger_rules.cell(value) == "'" + value
    assert [ledger_rules.cell(value) for value in ("a=1", "", 7)] == ["a=1", "", 7]


def test_categories_are_settings() -> None:
    assert make_settings(time={"categories": ["Lesson study", " Haddington  Road "]}).time.categories == (
        "Lesson study",
        "Haddington Road",
    )
    for wrong in ([], [""], ["x" * 61], ["a", "A"], [1], ["a\x00"], "planning", [str(n) for n in range(21)]):
        with pytest.raises(SettingsError, match=r"time\.categories"):
            make_settings(time={"categories": wrong})
