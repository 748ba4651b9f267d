"""The page on which somebody says whether, how and when they are reminded."""

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course, make_settings
from flask import Flask
from rounds.proposed import keyring_of
from schedule.mail_server import MailServer
from schedule.test_reminders import Sender
from schedule.test_times import meet, pair_up, person_of
from sqlalchemy import select, text, update

from lti_tool.ownership import erasure
from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.schedule import reminder_choices, reminders
from lti_tool.schedule.models import Reminder, ReminderChoice, ReminderSettings
from lti_tool.schedule.reminder_choices import CODE_LASTS, MOST_TRIES, Said
from lti_tool.schedule.reminder_rules import KINDS
from lti_tool.settings import Settings
from lti_tool.store.database import Database

PATH = "/reminders"
ADDRESS = "canary-niamh@school.example"


@pytest.fixture
def server() -> Iterator[MailServer]:
    made = MailServer()
    yield made
    made.stop()


@pytest.fixture
def settings(server: MailServer) -> Settings:
    return make_settings(mail={"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "c@tool.example"})


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    clock.now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    return make_course(database, teachers=3, protocol="collegial", now=clock.now)


@pytest.fixture
def browser(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return Browser(app, database, clock, course.teachers[0], course.activity_id)


def said(database: Database, clock: Any, course: MadeCourse) -> Said:
    person = person_of(database, course.teachers[0])
    with database.read() as session:
        return reminder_choices.mine(session, keyring_of(database), person, clock())


def form(**changes: str) -> dict[str, str]:
    return {f"way-{kind}": "page" for kind in KINDS} | {"digest": "daily", "from": "8", "to": "17"} | changes


def chosen(page: str) -> dict[str, str]:
    """Name → what is chosen of it."""
    boxes = re.findall(r'<select[^>]*name="([^"]+)".*?</select>', page, re.S)
    values = [re.findall(r'value="([^"]*)" selected', box) for box in re.findall(r"<select.*?</select>", page, re.S)]
    return {name: value[0] for name, value in zip(boxes, values, strict=True) if value}


def code_in(server: MailServer) -> str:
    (found,) = re.findall(r"\b\d{6}\b", server.messages[-1][1].get_content())
    return str(found)


def test_who_said_nothing_reads_that_nothing_is_sent(browser: Browser) -> None:
    page = browser.get(PATH)
    assert "Nothing is sent to you unless you choose it here" in page and "Send me nothing any more" not in page
    assert chosen(page) == form()
    assert 'value="email"' in page and 'value="lms"' not in page, "no site of the LMS takes messages"
    assert browser.get("/you").count("Reminders") == 1


def test_an_address_is_confirmed_by_a_code_before_anything_goes_there(
    browser: Browser, server: MailServer, database: Database, clock: Any, course: MadeCourse
) -> None:
    refused = browser.post(PATH, **form(**{"way-meeting": "email", "to": "15"}))
    page = refused.get_data(as_text=True)
    assert refused.status_code == 400 and "type your address first and confirm it" in page
    assert chosen(page)["way-meeting"] == "email" and chosen(page)["to"] == "15", "nothing that was chosen is lost"
    assert browser.post(PATH + "/address", email=f" {ADDRESS} ").location.endswith("told=sent")
    ((to, message),) = server.messages
    assert to == ADDRESS and not re.search(r"\d", message["Subject"]) and "30 minutes" in message.get_content()
    assert "is not confirmed" in browser.get(PATH)
    assert browser.post(PATH + "/code", code="000 00").status_code == 400
    assert browser.post(PATH + "/code", code=f"{code_in(server)[:3]} {code_in(server)[3:]}").status_code == 303
    assert browser.post(PATH, **form(**{"way-meeting": "email", "way-rhythm": "off", "digest": "weekly"})).location
    found = said(database, clock, course)
    assert found.email == ADDRESS and found.is_confirmed and found.digest == "weekly"
    assert found.ways == {"meeting": "email", "turn": "page", "rhythm": "off", "pairing": "page"}
    assert browser.post(PATH + "/code", code=code_in(server)).status_code == 400, "a code counts once"
    page = browser.get(PATH)
    assert f"go to {ADDRESS}" in page and chosen(page)["way-meeting"] == "email"
    assert browser.post(PATH + "/stop").status_code == 303
    assert said(database, clock, course).ways["meeting"] == "page" and said(database, clock, course).email == ADDRESS


def test_nobody_guesses_a_code_or_fills_a_letterbox(browser: Browser, server: MailServer, clock: Any) -> None:
    assert browser.post(PATH + "/address", email=ADDRESS).status_code == 303
    again = browser.post(PATH + "/address", email="canary-other@school.example")
    assert again.status_code == 409 and "canary-other@school.example" in again.get_data(as_text=True)
    wrong = [code for code in ("000000", "000001", "x\0", "", "é", "9" * 4000) if code != code_in(server)][:MOST_TRIES]
    for number, code in enumerate(wrong):
        answer = browser.post(PATH + "/code", code=code)
        expected = "You can try again" if number < MOST_TRIES - 1 else "Have another one sent"
        assert answer.status_code == 400 and expected in answer.get_data(as_text=True)
    assert browser.post(PATH + "/code", code=code_in(server)).status_code == 400, "the right one comes too late"
    clock.advance(CODE_LASTS.total_seconds())
    assert browser.post(PATH + "/address", email=ADDRESS).status_code == 303
    clock.advance(CODE_LASTS.total_seconds())
    assert browser.post(PATH + "/code", code=code_in(server)).status_code == 400, "its time is over"
    assert len(server.messages) == 2


@pytest.mark.parametrize(
    ("fault", "status", "sentence"),
    [("unknown", 400, "does not take this address"), ("busy", 409, "does not answer at present")],
)
def test_a_code_that_did_not_leave_is_said(
    browser: Browser, server: MailServer, fault: str, status: int, sentence: str
) -> None:
    server.fault = fault
    answer = browser.post(PATH + "/address", email=ADDRESS)
    assert answer.status_code == status and sentence in answer.get_data(as_text=True)


def test_an_address_is_sealed_and_goes_with_one_tap(
    browser: Browser, server: MailServer, database: Database, clock: Any, course: MadeCourse
) -> None:
    browser.post(PATH + "/address", email=ADDRESS)
    browser.post(PATH + "/code", code=code_in(server))
    browser.post(PATH, **form(**{"way-turn": "email"}))
    with database.read() as session:
        assert not [row for row in session.execute(text("SELECT * FROM reminder_settings")) if "canary" in repr(row)]
        keys = session.scalars(select(ReminderSettings.sealed_email)).all()
    assert len(keys) == 1 and b"canary" not in (keys[0] or b"")
    with keyring_of(database).database.read() as session:
        assert len(session.scalars(select(ContentKey.id)).all()) == 1
    assert browser.post(PATH + "/address/delete").status_code == 303
    found = said(database, clock, course)
    assert not found.email and not found.is_confirmed and found.ways["turn"] == "page"
    assert ADDRESS not in browser.get(PATH)
    with keyring_of(database).database.read() as session:
        assert session.scalars(select(ContentKey.id)).all() == []


def test_all_of_it_is_taken_along_and_goes_with_the_person(
    browser: Browser, server: MailServer, database: Database, clock: Any, course: MadeCourse
) -> None:
    person = person_of(database, course.teachers[0])
    browser.post(PATH + "/address", email=ADDRESS)
    with database.write() as session:
        session.add(
            Reminder(
                person_id=person, kind="meeting", about="a", stamp="s", due_at=clock(), way="lms", status="unknown",
                sent_at=clock(),
            )
        )  # fmt: skip
    assert "may have been sent or not; it is not sent again" in browser.get(PATH)
    taken = json.loads(browser.get("/mine/mine.json"))
    assert taken["what_you_said_about_reminders"][0]["email"] == ADDRESS
    assert taken["reminders_to_you"][0]["status"] == "unknown"
    assert ADDRESS in browser.get("/mine/mine.html") and "how you are reminded" in browser.get("/mine")
    with database.write() as session:
        erasure.erase(session, keyring_of(database), person, clock())
    with database.read() as session:
        for table in (Reminder, ReminderChoice, ReminderSettings):
            assert session.scalars(select(table.person_id)).all() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"way-meeting": "x"}, {"way-turn": "off"}, {"way-meeting": "lms"}, {"way-pairing": "\0"}, {"digest": ""},
        {"digest": "hourly" * 999}, {"from": "17", "to": "8"}, {"from": "8.5"}, {"to": "99"}, {"from": "9" * 5000},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    browser: Browser, database: Database, clock: Any, course: MadeCourse, changes: dict[str, str]
) -> None:
    answer = browser.post(PATH, **form(**changes))
    assert answer.status_code == 400 and 'role="alert"' in answer.get_data(as_text=True)
    assert said(database, clock, course) == Said.nothing()
    for bad in ("", "niamh", "a@b.ie\r\nBcc: c@d.ie", "\0", "a@" + "b" * 999):
        assert browser.post(PATH + "/address", email=bad).status_code == 400


def test_messages_of_the_lms_are_offered_where_it_takes_them(
    browser: Browser, database: Database, clock: Any, course: MadeCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(reminders.SENDERS, "lms", Sender())
    assert 'value="lms"' in browser.get(PATH)
    assert browser.post(PATH, **form(**{"way-meeting": "lms"})).status_code == 303
    monkeypatch.undo()
    assert chosen(browser.get(PATH))["way-meeting"] == "lms", "what was chosen stays"
    assert said(database, clock, course).ways["meeting"] == "lms"


def test_what_comes_up_is_on_the_page_with_few_statements(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    _pair, cycle = pair_up(database, course, clock, *course.teachers[:2])
    meet(database, cycle, clock.now + timedelta(days=1))
    browser.get(PATH)
    with recorded(database) as statements:
        page = html.unescape(browser.get(PATH))
    assert "The visit: Thursday 26 November, 09:00" in page and len(statements) <= 12, len(statements)
    browser.post(PATH, **form(**{"way-meeting": "off"}))
    assert "The visit: Thursday" not in browser.get(PATH)


def test_it_is_for_teachers_and_stays_with_who_said_something(
    app: Flask, browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    for other in (course.trainer, course.guest, course.leader, course.administrator):
        assert Browser(app, database, clock, other, course.activity_id).status(PATH) == 404
    browser.post(PATH, **form(**{"way-rhythm": "off"}))
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[0]).values(is_leader=True))
    assert browser.status(PATH) == 200 and browser.post(PATH + "/stop").status_code == 303


def test_without_a_mail_server_there_is_no_address(database: Database, clock: Any, course: MadeCourse) -> None:
    from lti_tool.web.app import create_app

    app = create_app(make_settings(), database=database, clock=clock)
    browser = Browser(app, database, clock, course.teachers[0], course.activity_id)
    page = browser.get(PATH)
    assert 'name="email"' not in page and 'value="email"' not in page
    assert browser.post(PATH + "/address", email=ADDRESS).status_code == 404
