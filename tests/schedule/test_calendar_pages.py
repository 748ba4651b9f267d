"""Bookings in calendar programs: as files, and at a private address that stands in no log."""

import html
import io
import json
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, forget_loggers, make_course, make_settings
from flask import Flask
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar
from rounds.proposed import keyring_of
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.ownership import erasure
from lti_tool.people.models import Membership, Person
from lti_tool.schedule import calendars
from lti_tool.schedule.models import CalendarAddress, ReturnMeeting
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

PATH = "/calendar"


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=3, protocol="collegial", now=clock.now)


@pytest.fixture
def cycle(database: Database, clock: Any, course: MadeCourse) -> str:
    """Of the first two teachers, with three meetings: one is over."""
    made = make_cycle(database, course, clock.now - timedelta(days=30))
    for kind, days, minutes in (("before", -3, 15), ("visit", 2, 40), ("after", 3, 30)):
        book(database, made, kind, clock.now + timedelta(days=days), minutes)
    return made


@pytest.fixture
def browser(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return Browser(app, database, clock, course.teachers[0], course.activity_id)


def book(database: Database, cycle: str, kind: str, starts_at: datetime, minutes: int) -> None:
    with database.write() as session:
        who = select(CycleMember.person_id).where(CycleMember.cycle_id == cycle, CycleMember.role == "host")
        booked = {"kind": kind, "starts_at": starts_at, "minutes": minutes, "place": b"canary-place"}
        session.add(Meeting(cycle_id=cycle, set_by=session.scalars(who).one(), **booked))


def make(browser: Browser, **fields: str) -> str:
    """The path of a new address, as the page shows it."""
    answer = browser.post(PATH, **fields)
    found = re.search(r'id="calendar-address" value="http://localhost:8000([^"]+)"', answer.get_data(as_text=True))
    assert answer.status_code == 200 and found and answer.headers["Cache-Control"] == "no-store"
    return found.group(1)


def ask(app: Flask, path: str, **headers: str) -> TestResponse:
    """What a calendar program gets, that has no cookie."""
    return app.test_client().get(path, headers=headers)


def by_icalendar(data: bytes) -> list[tuple[Any, ...]]:
    read = Calendar.from_ical(data)
    assert not read.errors and not any(each.errors for each in read.events)
    return [(str(each["UID"]), str(each["SUMMARY"]), each.start, each.end, each["SEQUENCE"]) for each in read.events]


def by_ical(data: bytes) -> list[tuple[Any, ...]]:
    read = IcsCalendarStream.calendar_from_ics(data.decode())
    return [(each.uid, each.summary, each.dtstart, each.dtend, each.sequence) for each in read.events]


def events(data: bytes) -> list[tuple[Any, ...]]:
    """(UID, title, start, end, sequence) of each, as two parsers read it alike."""
    found = by_icalendar(data)
    assert found == by_ical(data)
    return found


def test_bookings_are_read_at_a_private_address_and_followed_when_they_move(
    app: Flask, database: Database, clock: Any, course: MadeCourse, cycle: str, browser: Browser
) -> None:
    path = make(browser)
    answer = ask(app, path)
    assert answer.status_code == 200 and answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache" and "Set-Cookie" not in answer.headers
    found = events(answer.data)
    now = clock().astimezone(UTC)
    assert [(each[1], each[2], each[3] - each[2]) for each in found] == [
        ("Coaching", now + timedelta(days=days), timedelta(minutes=minutes))
        for days, minutes in ((-3, 15), (2, 40), (3, 30))
    ]
    names = "Seán|Dónaill|Niamh|canary|Coaching cycle|localhost"
    assert not re.search(names, answer.get_data(as_text=True)), "when, and nothing else"
    again = ask(app, path)
    assert again.data == answer.data and ask(app, path, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
    with database.write() as session:
        moved = {"starts_at": now + timedelta(days=5), "rev": 2}
        session.execute(update(Meeting).where(Meeting.kind == "visit").values(**moved))
    later = ask(app, path, **{"If-None-Match": answer.headers["ETag"]})
    assert later.status_code == 200
    before, after = (next(each for each in every if each[0] == found[1][0]) for every in (found, events(later.data)))
    assert after[2] == now + timedelta(days=5) and (before[4], after[4]) == (0, 1)
    stamps = [each["DTSTAMP"].dt for each in Calendar.from_ical(later.data).events]
    assert max(stamps) == stamps[-1] > stamps[0]


def test_names_are_in_it_when_its_owner_wants_them(
    app: Flask, database: Database, clock: Any, course: MadeCourse, cycle: str, browser: Browser
) -> None:
    path = make(browser, names="1")
    assert [each[1] for each in events(ask(app, path).data)] == [
        "Coaching: Conversation before, with Seán",
        "Coaching: Visit, with Seán",
        "Coaching: Conversation after, with Seán",
    ]
    assert b"canary-place" not in ask(app, path).data
    assert browser.post(PATH + "/names").location.endswith("told=unnamed")
    assert {each[1] for each in events(ask(app, path).data)} == {"Coaching"}
    assert browser.post(PATH + "/names", names="1").location.endswith("told=named")
    with database.write() as session:
        session.execute(update(Person).values(given_name="", name="", locale="ga"))
    assert events(ask(app, path).data)[0][1]


def test_what_did_not_take_place_is_not_in_it_and_the_way_back_is(
    app: Flask, database: Database, clock: Any, course: MadeCourse, cycle: str, browser: Browser
) -> None:
    path = make(browser, names="1")
    with database.write() as session:
        pair = session.scalars(select(Cycle.pair_id).where(Cycle.id == cycle)).one()
        back = {"pair_id": pair, "host_id": course.teachers[1], "kind": "visit", "minutes": 40, "made_at": clock()}
        session.execute(insert(ReturnMeeting).values(id=new_id(), starts_at=clock() + timedelta(days=20), **back))
    assert [each[1] for each in events(ask(app, path).data)].count("Coaching: Visit, with Seán") == 2
    assert "Visit" in browser.get(PATH)
    with database.write() as session:
        session.execute(update(Cycle).where(Cycle.id == cycle).values(status="stopped", finished_at=clock()))
    assert [each[2] < clock() for each in events(ask(app, path).data)] == [True, False]
    clock.now += calendars.SHOWN_FOR
    assert events(ask(app, path).data) == []


def test_an_address_that_ended_has_the_same_answer_as_any_other(
    app: Flask, database: Database, clock: Any, course: MadeCourse, browser: Browser
) -> None:
    def answer(path: str) -> tuple[Any, ...]:
        found = ask(app, path)
        return found.status_code, found.data, [line for line in found.headers if line[0] != "Date"]

    unknown = answer("/calendar/x.ics")
    assert unknown[0] == 404
    first = make(browser)
    second = make(browser)
    assert answer(first) == unknown and ask(app, second).status_code == 200, "a new one makes the old one void"
    with database.read() as session:
        row = dict(session.execute(select(*CalendarAddress.__table__.columns)).mappings().one())
    assert browser.post(PATH + "/delete").status_code == 303
    for path in (
        second,
        second.replace(".ics", "A.ics"),
        "/calendar/" + "9" * 5000 + ".ics",
        "/calendar/%C3%A1.ics",
    ):
        assert answer(path) == unknown, path[:60]
    with database.write() as session:
        session.execute(insert(CalendarAddress).values(**row))
    assert answer(second) == unknown, "an older copy of the data does not bring it back"
    third = make(browser)
    me = row["person_id"]
    assert json.loads(browser.get("/mine/mine.json"))["address_of_your_calendar"][0]["shows_names"] is False
    assert "a private address for calendar programs" in browser.get("/mine")
    assert third not in browser.get("/mine/mine.html") + browser.get(PATH)
    with database.write() as session:
        erasure.erase(session, keyring_of(database), me, clock())
        assert session.scalars(select(CalendarAddress.person_id)).all() == []
    assert answer(third) == unknown, "it ends with its owner"


def test_only_a_hash_is_kept_and_when_it_was_read_to_the_day(
    app: Flask, database: Database, clock: Any, course: MadeCourse, browser: Browser
) -> None:
    path = make(browser)
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    assert len(token) == 43, "32 random bytes"
    for _twice in range(2):
        ask(app, path)
    with database.read() as session:
        row = session.execute(select(*CalendarAddress.__table__.columns)).one()
    assert token not in str(row) and row.read_at == clock().replace(hour=0, minute=0, second=0)
    assert "A calendar program read it last: today." in browser.get(PATH)


def test_the_address_is_in_no_log(
    database: Database, clock: Any, course: MadeCourse, monkeypatch: Any, caplog: Any
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("lti_tool.web.logs._StandardError", lambda: stream)
    forget_loggers()
    app = create_app(make_settings(log={"level": "debug"}), database=database, clock=clock)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    browser = Browser(app, database, clock, course.teachers[0], course.activity_id)
    with caplog.at_level(logging.DEBUG):
        path = make(browser)
        token = path.removeprefix("/calendar/").removesuffix(".ics")
        assert ask(app, path).status_code == 200 and ask(app, path + "x").status_code == 404
        assert app.test_client().post(path).status_code == 405
        with monkeypatch.context() as broken:
            broken.setattr(calendars, "bookings", lambda *_, **__: 1 / 0)
            assert ask(app, path).status_code == 500
        browser.post(PATH + "/delete")
        assert ask(app, path).status_code == 404
    logged = stream.getvalue() + caplog.text
    assert '"place": "schedule/calendar_views.py' in logged.replace("lti_tool/", "") and "calendar_feed.read" in logged
    assert token not in logged and token[:12] not in logged
    app.extensions["meitheal"].keyring.database.dispose()


def test_somebody_who_guesses_is_stopped(database: Database, clock: Any) -> None:
    app = create_app(make_settings(limits={"enabled": True}), database=database, clock=clock)
    client = app.test_client()
    found = [client.get(f"/calendar/{number}.ics").status_code for number in range(602)]
    assert found[599:] == [404, 429, 429] and set(found[:600]) == {404}
    app.extensions["meitheal"].keyring.database.dispose()


def test_bookings_of_a_cycle_are_files_for_its_members(
    app: Flask, database: Database, clock: Any, course: MadeCourse, cycle: str, browser: Browser
) -> None:
    def file(who: Browser, path: str) -> bytes:
        answer = who.client.get(f"{who.at}/cycles/{cycle}/{path}")
        assert answer.status_code == 200 and "coaching.ics" in answer.headers["Content-Disposition"]
        return answer.data

    path = make(browser)
    every = file(browser, "meetings.ics")
    assert events(every) == events(ask(app, path).data), "the same events, so that nobody has them twice"
    assert events(file(browser, "meetings/visit.ics")) == [events(every)[1]]
    named = file(browser, "meetings.ics?names=1")
    assert events(named)[1][1] == "Coaching: Visit, with Seán" and b"canary-place" not in named
    assert f"/cycles/{cycle}/meetings/visit.ics" in browser.get(PATH)
    assert browser.status(f"/cycles/{cycle}/meetings/x.ics") == 404
    for member in (course.teachers[2], course.trainer, course.leader):
        other = Browser(app, database, clock, member, course.activity_id)
        assert other.status(f"/cycles/{cycle}/meetings.ics") == 404
        assert other.status(f"/cycles/{cycle}/meetings/visit.ics") == 404


def test_the_page_is_a_teachers_own_and_costs_little(
    app: Flask, database: Database, clock: Any, course: MadeCourse, cycle: str, browser: Browser
) -> None:
    for member in (course.trainer, course.guest, course.leader, course.administrator):
        other = Browser(app, database, clock, member, course.activity_id)
        assert other.status(PATH) == other.post(PATH).status_code == other.post(PATH + "/delete").status_code == 404
    assert browser.post(PATH + "/names", names="1").status_code == 404, "there is none yet"
    path = make(browser, names="1")
    with recorded(database) as statements:
        page = html.unescape(browser.get(PATH))
    assert len(statements) <= 12 and "Seán" in page
    with recorded(database) as statements:
        assert ask(app, path).status_code == 200
    assert len(statements) <= 6
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[0]).values(is_active=False))
    left = Browser(app, database, clock, course.teachers[0], course.activity_id)
    assert left.post(PATH + "/delete").status_code == 303 and ask(app, path).status_code == 404
    assert left.status(PATH) == left.post(PATH).status_code == 404, "whoever left ends theirs, and makes no other"
