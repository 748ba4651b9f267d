"""Each box of the forms about times, by itself, with what nobody would type: never a 5xx.

Of the long runs: day by day, test_odd_input.py fills all boxes at once.
"""

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from browsers import Browser
from factories import make_settings
from flask import Flask
from rounds.proposed import keyring_of
from schedule.test_booking import Two
from schedule.test_booking import two as two
from schedule.test_times import person_of
from sqlalchemy import select
from web.test_odd_input import ODD

from lti_tool.cycles.models import Meeting
from lti_tool.people.models import LmsGroup
from lti_tool.schedule import ledger
from lti_tool.schedule.ledger_rules import Line
from lti_tool.schedule.models import TimeLine
from lti_tool.settings import Settings
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from moodle_sync.models import MoodleCourse, MoodleSite
from moodle_sync.sites import NEEDED

pytestmark = pytest.mark.soak

ODD_TIMES = ("9999-12-31", "0001-01-01", "2026-11-01T01:30", "9999-12-31T23:59", "0001-01-01T00:00", "24:00", "00:00")
ODD_NUMBERS = ("", "0", "-1", "1e9", "99999999999999999999", "NaN", "1.5")
VALUES = (*ODD, *ODD_TIMES, *ODD_NUMBERS, "http://[", "a@b@c", "٣", "Nowhere/Else")


class Forms(HTMLParser):
    """All forms of a page that are posted: where each goes, and what a browser would send of it untouched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._of: dict[str, str] | None = None
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method") == "post":
            self._of = {}
            self.found.append((said.get("action", ""), self._of))
        if self._of is None:
            return
        name = said.get("name", "")
        is_left_out = said.get("type") in ("checkbox", "radio") and "checked" not in said and name in self._of
        if tag in ("input", "textarea", "button") and name and not is_left_out:
            self._of[name] = said.get("value", "")
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and ("selected" in said or self._select not in self._of):
            self._of[self._select] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._of = None
        if tag == "select":
            self._select = ""


@pytest.fixture
def settings() -> Settings:
    # Nobody listens there: the page says so.
    return make_settings(mail={"host": "127.0.0.1", "port": 9, "tls": "none", "from": "c@tool.example"})


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, two: Two) -> Browser:
    course = two.course
    with database.write() as session:
        site = MoodleSite(
            platform_id=course.platform_id, url="https://lms.example", master="none", sealed_token=b"x",
            functions=list(NEEDED["groups"]),
        )  # fmt: skip
        session.add(site)
        session.flush()
        session.add(MoodleCourse(course_id=course.course_id, moodle_id=7, read_at=clock.now))
        session.add(LmsGroup(id=new_id(), course_id=course.course_id, moodle_id=9, name="A group"))
    return two.browser(course.trainer)


@pytest.fixture
def pages(database: Database, clock: Any, two: Two) -> list[str]:
    """Of the host, with a booking that is over and a line of time."""
    two.say_weeks()
    host = person_of(database, two.course.teachers[0])
    with database.write() as session:
        over = {"starts_at": clock.now - timedelta(days=1), "minutes": 20, "place": b"", "set_by": host}
        meeting = Meeting(id=new_id(), cycle_id=two.cycle, kind="before", **over)
        session.add(meeting)
        ledger.add(session, keyring_of(database), host, Line(clock.now.date(), 25, ""), clock.now)
        line_id = session.scalars(select(TimeLine.id)).one()
        meeting_id = meeting.id
    first = [f"/time/bookings/{meeting_id}", f"/time/lines/{line_id}", two.path, f"/cycles/{two.cycle}/cover-slip"]
    return [*first, f"/cycles/{two.cycle}/before", "/timetable", "/calendar", "/time", "/reminders"]


def send_odd(browser: Browser, path: str) -> tuple[int, list[str]]:
    """Sends each form of a page once for each of its boxes and odd values, two boxes of each kind; how many those
    were, and what the tool could not answer."""
    sent, failed = 0, []
    for action, fields in Forms(browser.get(path)).found:
        where = action or browser.at + path
        kinds: dict[str, int] = {}
        for box in fields:
            kind = re.sub(r"\d+", "#", box)
            kinds[kind] = kinds.get(kind, 0) + 1
            if box == "csrf_token" or kinds[kind] > 2 or "leave" in where:
                continue
            for odd in VALUES:
                sent += 1
                with browser.client.post(where, data=fields | {box: odd}) as answer:
                    if answer.status_code >= 500:
                        failed.append(f"{answer.status_code} {where} {box}={odd[:40]!r}")
    return sent, failed


def test_each_box_of_a_teacher(two: Two, pages: list[str]) -> None:
    for path in pages:
        sent, failed = send_odd(two.host, path)
        assert sent > len(VALUES), path
        assert failed == []


def test_each_box_of_a_trainer(trainer: Browser) -> None:
    for path in ("/school-week", "/moodle"):
        sent, failed = send_odd(trainer, path)
        assert sent > len(VALUES), path
        assert failed == []


def test_odd_queries_of_a_period(two: Two, pages: list[str]) -> None:
    for odd in VALUES:
        for path in (*pages, "/time.csv"):
            query = dict.fromkeys(("from", "to", "week", "day", "both", "short", "told", "school"), odd)
            with two.host.client.get(two.host.at + path, query_string=query) as answer:
                assert answer.status_code < 500, (path, odd)
