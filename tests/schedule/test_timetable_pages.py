"""The page on which a teacher says when they teach and are free."""

import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from rounds.proposed import keyring_of
from sqlalchemy import select

from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.rounds import wishes
from lti_tool.rounds.rules import Wish
from lti_tool.schedule import timetables
from lti_tool.schedule.models import Timetable
from lti_tool.schedule.timetable import Calendar, Grid
from lti_tool.schedule.timetable_forms import STATES
from lti_tool.schedule.timetables import Kept
from lti_tool.store.database import Database

PATH = "/timetable"
PERIODS = 9


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=3, protocol="collegial", now=clock.now)


@pytest.fixture
def browser(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return Browser(app, database, clock, course.teachers[0], course.activity_id)


def kept(database: Database, clock: Any, membership: str) -> Kept | None:
    with database.read() as session:
        person = session.scalars(select(Membership.person_id).where(Membership.id == membership)).one()
        return timetables.mine(session, keyring_of(database), person, clock())


def week(page: str) -> dict[str, str]:
    """Cell → state, as the page has it checked."""
    return dict(re.findall(r'name="at-([\d-]+)"[^>]*value="(\w+)"[^>]* checked', page))


def form(cells: dict[str, str]) -> dict[str, str]:
    return {f"at-{cell}": state for cell, state in cells.items()}


def test_a_teachers_week_takes_less_than_three_minutes_by_thumb(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    page = browser.get(PATH)
    assert set(week(page).values()) == {"away"} and len(week(page)) == 5 * PERIODS
    # 22 hours, which are 33 lessons of 40 minutes; two that nobody should visit; Friday afternoon is theirs.
    wanted = {f"{day}-{period}": "open" for day in range(5) for period in range(PERIODS)}
    wanted |= dict.fromkeys(("0-2", "0-6", "1-0", "1-4", "2-3", "2-8", "3-1", "3-5", "4-2"), "free")
    wanted |= dict.fromkeys(("0-0", "3-0"), "teach") | dict.fromkeys(("4-6", "4-7", "4-8"), "away")
    page = browser.post(PATH, do="fill all open").get_data(as_text=True)
    now, taps = week(page), 1
    assert set(now.values()) == {"open"}
    for cell, state in wanted.items():
        taps += (STATES.index(state) - STATES.index(now[cell])) % len(STATES)
        now[cell] = state
    assert browser.post(PATH, do="keep", **form(now)).status_code == 303
    taps += 1
    assert taps * 3 < 180, "three seconds for a tap"
    found = kept(database, clock, course.teachers[0])
    assert found and found.said == Grid(wanted) and week(browser.get(PATH)) == wanted


def test_buttons_fill_the_week_without_a_script_and_keep_nothing(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    monday = {"0-0": "open", "0-1": "free", "0-2": "teach"}
    same = week(browser.post(PATH, do="fill same", **form(monday)).get_data(as_text=True))
    assert all(same[f"{day}-{period[2:]}"] == state for day in range(5) for period, state in monday.items())
    assert same["4-3"] == "away"
    for before, after in (("open", "free"), ("free", "teach"), ("teach", "away"), ("away", "open")):
        cells = {f"2-{period}": before for period in range(PERIODS)}
        day = week(browser.post(PATH, do="fill day 2", **form(cells)).get_data(as_text=True))
        assert {state for cell, state in day.items() if cell[0] == "2"} == {after} and day["1-0"] == "away"
    row = week(browser.post(PATH, do="fill period 8", **form({"0-8": "free"})).get_data(as_text=True))
    assert [cell for cell, state in row.items() if state == "open"] == [f"{day}-8" for day in range(5)]
    assert "away" in week(browser.post(PATH, do="fill day x\0", **form(monday)).get_data(as_text=True)).values()
    assert kept(database, clock, course.teachers[0]) is None


def test_what_was_said_for_a_pairing_round_is_taken_over_by_a_button(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    assert "pairing round" not in browser.get(PATH)
    with database.write() as session:
        wish = Wish(free=("0-1", "4-11"), teaching=("0-0",), subject="Maths")
        wishes.say(session, keyring_of(database), course.teachers[0], course.activity_id, wish, clock())
    assert "As I said it for the pairing round" in browser.get(PATH)
    found = week(browser.post(PATH, do="round").get_data(as_text=True))
    assert {cell: state for cell, state in found.items() if state != "away"} == {"0-0": "open", "0-1": "free"}
    assert kept(database, clock, course.teachers[0]) is None
