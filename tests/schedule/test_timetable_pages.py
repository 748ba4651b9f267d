"""The page on which a teacher says when they teach and are free."""

import html
import io
import json
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from pytest_httpserver import HTTPServer
from rounds.proposed import keyring_of
from schedule.written import ics_of
from sqlalchemy import select, update
from werkzeug import Response

from lti_tool import worker
from lti_tool.ownership import erasure
from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.rounds import wishes
from lti_tool.rounds.rules import Wish
from lti_tool.schedule import timetables
from lti_tool.schedule.models import Timetable
from lti_tool.schedule.timetable import Calendar, Grid
from lti_tool.schedule.timetable_forms import STATES
from lti_tool.schedule.timetables import Kept
from lti_tool.store import jobs
from lti_tool.store.database import Database

PATH = "/timetable"
PERIODS = 9
LESSON, TALK = "canary-2B Maths", "canary-Break duty"


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
    assert found and isinstance(found.said, Grid) and found.said.cells == wanted and week(browser.get(PATH)) == wanted


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


def test_a_week_that_was_said_in_another_course_says_by_which_bells_it_counts(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    for course_id, is_said in (("elsewhere", True), (course.course_id, False)):
        with database.write() as session:
            me = session.scalars(select(Membership.person_id).where(Membership.id == course.teachers[0])).one()
            timetables.say_grid(session, keyring_of(database), me, Grid({"0-0": "open"}, course_id), clock())
        assert ("You said it in another course" in browser.get(PATH)) is is_said


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


def bring(browser: Browser, data: bytes, **fields: Any) -> Any:
    form = {"csrf_token": browser.token, "file": (io.BytesIO(data), "lessons.ics")} | fields
    return browser.client.post(browser.at + PATH + "/calendar", data=form, content_type="multipart/form-data")


def boxes(page: str) -> dict[str, str]:
    """What the hidden fields of the page of entries hold."""
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'type="hidden" name="(was|title-\d+)" value="([^"]*)"', page)
    }


def test_a_file_is_stripped_and_its_entries_are_said(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    answer = bring(browser, ics_of(clock(), LESSON, TALK))
    assert answer.location.endswith("/timetable/entries?told=read")
    found = kept(database, clock, course.teachers[0])
    assert found and isinstance(found.said, Calendar) and found.said.away == (4,)
    assert LESSON in found.said.ics and not re.search("canary-(room|words|somebody)", found.said.ics)
    page = browser.get(PATH + "/entries")
    form = boxes(page)
    assert {form["title-0"], form["title-1"]} == {LESSON, TALK} and re.search(r'name="away-4"[^>]* checked', page)
    at = "0" if form["title-0"] == LESSON else "1"
    filled = browser.post(PATH + "/entries", **form, **{f"kind-{1 - int(at)}": "busy"}, do="all open")
    assert re.findall(r'value="(\w+)" selected', filled.get_data(as_text=True)).count("open") == 1
    assert browser.post(PATH + "/entries", **form, **{f"kind-{at}": "open"}, do="keep").status_code == 303
    found = kept(database, clock, course.teachers[0])
    assert found and isinstance(found.said, Calendar) and found.said.kinds == {LESSON: "open"} and not found.said.away
    assert f"9:00 {LESSON}" in html.unescape(browser.get(PATH)), "so they see that it was read as they meant it"
    late = browser.post(PATH + "/entries", **form, **{f"kind-{at}": "teach"}, do="keep")
    assert late.status_code == 409 and "was read anew" in late.get_data(as_text=True)
    assert 'value="teach" selected' in late.get_data(as_text=True)


def test_a_calendar_that_cannot_be_taken_says_what_to_do_and_loses_nothing(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    browser.post(PATH, do="keep", **{"at-0-0": "open"})
    before = kept(database, clock, course.teachers[0])
    for data, sentence in (
        (b"<!doctype html><html>", "a web page and no calendar"),
        (b"PK\x03\x04", "It is packed"),
        (b"\0\xff" * 50, "That is no calendar"),
        (b"", "That is no calendar"),
        (ics_of(clock() - timedelta(days=3000), LESSON).replace(b"WEEKLY;", b"WEEKLY;COUNT=3;"), "nothing in it from"),
    ):
        answer = bring(browser, data, address="https://school.example/mine.ics")
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400 and sentence in page, data[:20]
        assert "https://school.example/mine.ics" in page, "the typed address stays"
    for address in ("ftp://x.example/a", "https://a:b@x.example/", "https://", "x" * 3000, "https://\0", "https://ü"):
        answer = browser.post(PATH + "/calendar", address=address)
        assert answer.status_code == 400 and "begins with https://" in answer.get_data(as_text=True), address
    assert browser.post(PATH + "/calendar").status_code == 400
    assert kept(database, clock, course.teachers[0]) == before


class Calendars:
    """An address of a calendar, and the worker that reads it."""

    def __init__(self, app: Flask, database: Database, clock: Any, server: HTTPServer) -> None:
        self.app, self.database, self.clock, self.server = app, database, clock, server
        self.address = server.url_for("/canary-secret.ics").replace("localhost", "127.0.0.1")
        self.answer = Response(ics_of(clock(), LESSON))
        self.asked = 0
        server.expect_request("/canary-secret.ics").respond_with_handler(self._respond)

    def _respond(self, _request: Any) -> Response:
        self.asked += 1
        return self.answer

    def work(self) -> None:
        tool = self.app.extensions["meitheal"]
        with self.database.write() as session:
            timetables.read_due(session, self.clock())
        kinds = worker.handlers(self.database, tool.lti, tool.keyring, self.clock)
        jobs.run_due(self.database, {timetables.JOB: kinds[timetables.JOB]}, (), self.clock)


@pytest.fixture
def calendars(app: Flask, database: Database, clock: Any, httpserver: HTTPServer) -> Calendars:
    return Calendars(app, database, clock, httpserver)


def test_an_address_is_read_every_day_and_what_was_said_before_counts_until_then(
    browser: Browser, database: Database, clock: Any, course: MadeCourse, calendars: Calendars
) -> None:
    me = course.teachers[0]
    browser.post(PATH, do="keep", **{"at-0-0": "open"})
    answer = browser.post(PATH + "/calendar", address=f" {calendars.address} ")
    assert answer.location.endswith("told=address")
    found = kept(database, clock, me)
    assert found and isinstance(found.said, Grid) and found.address == calendars.address
    assert "It has not been read yet" in browser.get(PATH)
    calendars.work()
    found = kept(database, clock, me)
    assert found and isinstance(found.said, Calendar) and LESSON in found.said.ics and found.read_at == clock()
    assert "Say what the entries of your calendar are" in browser.get(PATH)
    form = boxes(browser.get(PATH + "/entries"))
    browser.post(PATH + "/entries", **form, **{"kind-0": "open", "away-2": "1"}, do="keep")
    calendars.work()
    assert calendars.asked == 1
    clock.now += timedelta(hours=25)
    calendars.answer = Response(ics_of(clock(), LESSON, TALK))
    calendars.work()
    found = kept(database, clock, me)
    assert found and isinstance(found.said, Calendar) and TALK in found.said.ics and calendars.asked == 2
    assert found.said.kinds == {LESSON: "open"} and found.said.away == (2,), "what was said of it stays"


def test_an_address_that_fails_says_why_and_is_forgotten_in_the_end(
    app: Flask, browser: Browser, database: Database, clock: Any, course: MadeCourse, calendars: Calendars
) -> None:
    me = course.teachers[0]
    browser.post(PATH + "/calendar", address=calendars.address)
    calendars.work()
    moved = Response("", 302, {"Location": "http://10.1.2.3/canary-secret"})
    for answer, sentence in (
        (Response("", 404), "not open at this address any more"),
        (Response("", 500), "did not answer"),
        (Response("<html>sign in"), "a web page and no calendar"),
        (Response(b"x" * 1_000_001), "or is too large"),
        (moved, "may not call this address"),
    ):
        calendars.answer = answer
        clock.now += timedelta(hours=25)
        calendars.work()
        page = Browser(app, database, clock, me, course.activity_id).get(PATH)
        assert sentence in page and "tried again every day until" in page
    clock.now += timedelta(days=10)
    calendars.work()
    found = kept(database, clock, me)
    assert found and not found.address and isinstance(found.said, Calendar) and LESSON in found.said.ics
    assert "Its address is forgotten" in Browser(app, database, clock, me, course.activity_id).get(PATH)
    asked = calendars.asked
    clock.now += timedelta(days=2)
    calendars.work()
    assert calendars.asked == asked


def test_a_connection_that_breaks_writes_no_address_anywhere(
    calendars: Calendars, browser: Browser, clock: Any, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    browser.post(PATH + "/calendar", address="http://127.0.0.1:1/canary-secret.ics")
    with caplog.at_level(logging.WARNING):
        calendars.work()
    assert "did not answer" in browser.get(PATH)
    assert "canary-secret" not in caplog.text and "canary-secret" not in str(capsys.readouterr())


def test_nothing_is_readable_without_its_key_and_deleting_takes_all(
    browser: Browser, database: Database, clock: Any, course: MadeCourse, calendars: Calendars
) -> None:
    browser.post(PATH + "/calendar", address=calendars.address)
    calendars.work()
    with database.read() as session:
        row = session.execute(select(Timetable.sealed, Timetable.sealed_address, Timetable.person_id)).one()
        assert b"canary" not in row.sealed + (row.sealed_address or b"")
    with keyring_of(database).database.read() as session:
        keys = select(ContentKey.id).where(ContentKey.author_id == row.person_id)
        assert len(session.scalars(keys).all()) == 1
    taken = json.loads(browser.get("/mine/mine.json"))["your_timetable"]
    assert taken[0]["calendar_address"] == calendars.address and LESSON in taken[0]["calendar"]
    assert LESSON in html.unescape(browser.get("/mine/mine.html")) and "your timetable" in browser.get("/mine")
    assert browser.post(PATH + "/delete").status_code == 303 and kept(database, clock, course.teachers[0]) is None
    with keyring_of(database).database.read() as session:
        assert session.scalars(keys).all() == []
    calendars.work()
    browser.post(PATH, do="keep", **{"at-0-0": "open"})
    assert kept(database, clock, course.teachers[0]), "it can be said again"
    with database.write() as session:
        erasure.erase(session, keyring_of(database), row.person_id, clock())
        assert session.scalars(select(Timetable.person_id)).all() == []


def test_it_is_a_teachers_own_and_costs_little(
    app: Flask, database: Database, clock: Any, course: MadeCourse, browser: Browser
) -> None:
    bring(browser, ics_of(clock(), LESSON))
    for member in (course.trainer, course.guest, course.leader, course.administrator):
        other = Browser(app, database, clock, member, course.activity_id)
        assert other.status(PATH) == other.status(PATH + "/entries") == 404
        assert other.post(PATH, do="keep").status_code == other.post(PATH + "/delete").status_code == 404
        assert bring(other, ics_of(clock(), LESSON)).status_code == 404
    colleague = Browser(app, database, clock, course.teachers[1], course.activity_id)
    assert LESSON not in colleague.get(PATH) and colleague.status(PATH + "/entries") == 404
    for path in (PATH, PATH + "/entries"):
        with recorded(database) as statements:
            browser.get(path)
        assert len(statements) <= 12
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[0]).values(is_leader=True))
    assert "Delete my timetable" in browser.get(PATH) and "I teach all week" not in browser.get(PATH)
    assert browser.post(PATH + "/delete").status_code == 303
    assert browser.status(PATH) == 404
