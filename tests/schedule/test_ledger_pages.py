"""The ledger of a teacher: bookings that are over, lines of their own, and that it is theirs alone."""

import csv
import html
import io
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from rounds.proposed import keyring_of
from sqlalchemy import delete, select, update

from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.ownership import erasure
from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.schedule import ledger
from lti_tool.schedule.ledger_rules import Line
from lti_tool.schedule.models import TimeLine
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

PATH = "/time"


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    # A school year in which two weeks ago is this year, whatever day the tests run on.
    clock.now = clock.now.replace(month=11, day=24, hour=12, minute=0, second=0)
    return make_course(database, teachers=3, protocol="collegial", now=clock.now)


@pytest.fixture
def cycle(database: Database, clock: Any, course: MadeCourse) -> str:
    return make_cycle(database, course, clock.now - timedelta(days=30))


@pytest.fixture
def browser(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return Browser(app, database, clock, course.teachers[0], course.activity_id)


def person_of(database: Database, membership: str) -> str:
    with database.read() as session:
        return session.scalars(select(Membership.person_id).where(Membership.id == membership)).one()


def book(database: Database, cycle: str, kind: str, starts_at: datetime, minutes: int) -> str:
    meeting_id = new_id()
    with database.write() as session:
        host = session.scalars(
            select(CycleMember.person_id).where(CycleMember.cycle_id == cycle, CycleMember.role == "host")
        ).one()
        booked = {"kind": kind, "starts_at": starts_at, "minutes": minutes, "place": b"", "set_by": host}
        session.add(Meeting(id=meeting_id, cycle_id=cycle, **booked))
    return meeting_id


def rows(browser: Browser, query: str = "") -> list[list[str]]:
    """The file without its first row."""
    answer = browser.client.get(f"{browser.at}{PATH}.csv{query}")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))[1:]


def said(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


OWN = {"day": "2026-11-20", "minutes": "25", "category": "planning", "note": "canary-note"}


def test_the_sum_is_how_long_bookings_lasted_that_are_over(
    browser: Browser, database: Database, clock: Any, course: MadeCourse, cycle: str
) -> None:
    now = clock()
    book(database, cycle, "before", now - timedelta(days=5), 15)
    book(database, cycle, "visit", now - timedelta(days=4, hours=1), 40)
    book(database, cycle, "after", now - timedelta(minutes=29), 30)
    other = make_cycle(database, make_course(database, now=now), now - timedelta(days=9))
    book(database, other, "before", now - timedelta(days=5), 200)
    assert "55 min in all" in said(browser.get(PATH)), "the last one is not over, and the other is not theirs"
    clock.now += timedelta(minutes=2)
    assert "1 h 25 min in all" in said(browser.get(PATH))
    assert [(row[2], row[3], row[4]) for row in rows(browser)] == [
        ("15", "Conversation before", "professional conversation"),
        ("40", "Visit", "observing"),
        ("30", "Conversation after", "professional conversation"),
    ]
    day = (now - timedelta(days=5)).date()
    assert [row[2] for row in rows(browser, f"?from={day}&to={day}")] == ["15"]
    assert "This is" not in browser.get(PATH) and "Choose a first day" in browser.get(PATH + "?from=x&to=2026-01-01")
    with database.write() as session:
        gone = {"status": "stopped", "finished_at": now - timedelta(days=4, hours=12)}
        session.execute(update(Cycle).where(Cycle.id == cycle).values(**gone))
    book(database, cycle, "work", now - timedelta(days=6), 60)
    assert "Work together" in said(browser.get(PATH))
    assert [row[2] for row in rows(browser)] == ["60", "15"], "what was ahead when they went apart did not take place"


def test_of_a_booking_its_owner_says_what_it_was_for_themselves_alone(
    app: Flask, browser: Browser, database: Database, clock: Any, course: MadeCourse, cycle: str
) -> None:
    meeting = book(database, cycle, "visit", clock() - timedelta(days=4), 40)
    path = f"{PATH}/bookings/{meeting}"
    assert 'value="40"' in browser.get(path) and path in browser.get(PATH)
    typed = {"minutes": "55", "category": "Croke Park hours", "note": "=canary"}
    wrong = browser.post(path, **(typed | {"minutes": "x"}))
    assert wrong.status_code == 400 and "=canary" in html.unescape(wrong.get_data(as_text=True))
    assert browser.post(path, **typed).status_code == 303
    assert rows(browser)[0][2:] == ["55", "Visit", "Croke Park hours", "Coaching cycle 1", "'=canary"]
    assert "40 min booked" in said(browser.get(PATH))
    coach = Browser(app, database, clock, course.teachers[1], course.activity_id)
    assert rows(coach)[0][2:5] == ["40", "Visit", "observing"] and "canary" not in coach.get(path)
    third = Browser(app, database, clock, course.teachers[2], course.activity_id)
    ahead = book(database, cycle, "after", clock() + timedelta(days=1), 40)
    assert third.status(path) == third.post(path, **typed).status_code == 404
    assert browser.status(f"{PATH}/bookings/{ahead}") == 404 == browser.status(f"{PATH}/bookings/%00")
    assert browser.post(path, minutes="0", category="observing", note="").status_code == 303
    assert "0 min in all" in said(browser.get(PATH))
    assert browser.post(path, do="as booked").status_code == 303
    assert rows(browser)[0][2:5] == ["40", "Visit", "observing"]
    with database.read() as session:
        assert session.scalars(select(TimeLine.id)).all() == []


def test_what_was_said_of_a_booking_stays_when_that_is_gone(
    browser: Browser, database: Database, clock: Any, course: MadeCourse, cycle: str
) -> None:
    meeting = book(database, cycle, "visit", clock() - timedelta(days=4), 40)
    browser.post(f"{PATH}/bookings/{meeting}", minutes="40", category="planning", note="canary")
    before = rows(browser)
    with database.write() as session:
        session.execute(delete(Meeting).where(Meeting.id == meeting))
    assert [row[2:5] + row[6:] for row in rows(browser)] == [row[2:5] + row[6:] for row in before]


def test_a_line_of_ones_own_is_added_changed_and_deleted(
    app: Flask, browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    for changed in ({"day": "2999-01-01"}, {"minutes": ""}, {"category": "x"}, {"note": "canary-note" + "x" * 200}):
        answer = browser.post(PATH, **(OWN | changed))
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400 and "canary-note" in page and 'role="alert"' in page, changed
    for odd in ("\x00", "9" * 900, "\ud7ff", "٣"):
        assert browser.post(PATH, day=odd, minutes=odd, category=odd, note=odd).status_code == 400
    assert rows(browser) == []
    day = str(clock().date() - timedelta(days=1))
    assert browser.post(PATH, **(OWN | {"day": day})).location.endswith("told=kept")
    assert rows(browser) == [[day, "", "25", "Beside what was booked", "planning", "", "canary-note"]]
    found = re.search(r"/time/lines/\w+", browser.get(PATH))
    assert found
    line = found.group()
    assert "canary-note" in browser.get(line)
    other = Browser(app, database, clock, course.teachers[1], course.activity_id)
    assert other.status(line) == other.post(line, do="delete").status_code == other.post(line, **OWN).status_code == 404
    assert browser.post(line, **(OWN | {"day": day, "minutes": "0"})).status_code == 400
    assert browser.post(line, **(OWN | {"day": day, "minutes": "35"})).status_code == 303
    assert "35 min in all" in said(browser.get(PATH))
    assert browser.post(line, do="delete").location.endswith("told=deleted") and rows(browser) == []
    assert browser.status(line) == 404


def test_a_category_that_is_not_offered_any_more_stays_with_its_line(
    browser: Browser, database: Database, clock: Any, course: MadeCourse
) -> None:
    me = person_of(database, course.teachers[0])
    with database.write() as session:
        ledger.add(session, keyring_of(database), me, Line(clock().date(), 10, "Haddington Road"), clock())
    found = re.search(r"/time/lines/\w+", browser.get(PATH))
    assert (
        found
        and "Haddington Road" in browser.get(PATH)
        and 'value="Haddington Road" selected' in browser.get(found.group())
    )
    typed = OWN | {"day": str(clock().date()), "category": "Haddington Road"}
    assert browser.post(found.group(), **typed).status_code == 303
    assert browser.post(PATH, **typed).status_code == 400


def test_there_is_an_end_to_it(browser: Browser, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MOST_LINES", 1)
    typed = OWN | {"day": str(clock().date())}
    assert browser.post(PATH, **typed).status_code == 303
    answer = browser.post(PATH, **typed)
    assert answer.status_code == 409 and "canary-note" in answer.get_data(as_text=True)


def test_nothing_is_readable_without_its_key_and_deleting_takes_all(
    browser: Browser, database: Database, clock: Any, course: MadeCourse, cycle: str
) -> None:
    me = person_of(database, course.teachers[0])
    meeting = book(database, cycle, "visit", clock() - timedelta(days=4), 40)

    def fill() -> None:
        assert browser.post(PATH, **(OWN | {"day": str(clock().date())})).status_code == 303
        typed = {"minutes": "41", "category": "planning", "note": "canary-visit"}
        assert browser.post(f"{PATH}/bookings/{meeting}", **typed).status_code == 303

    fill()
    with database.read() as session:
        sealed = session.scalars(select(TimeLine.sealed)).all()
    assert len(sealed) == 2 and len({len(each) for each in sealed}) == 1 and b"canary" not in b"".join(sealed)
    with keyring_of(database).database.read() as session:
        keys = select(ContentKey.id).where(ContentKey.author_id == me)
        assert len(session.scalars(keys).all()) == 1
    taken = json.loads(browser.get("/mine/mine.json"))["your_time"]
    assert sorted((each["minutes"], each["note"]) for each in taken) == [(25, "canary-note"), (41, "canary-visit")]
    assert "canary-visit" in browser.get("/mine/mine.html") and "2 lines on the time" in browser.get("/mine")
    assert browser.post(PATH + "/delete").status_code == 303
    with keyring_of(database).database.read() as session:
        assert session.scalars(keys).all() == []
    assert [row[2] for row in rows(browser)] == ["40"] and json.loads(browser.get("/mine/mine.json"))["your_time"] == []
    fill()
    with database.write() as session:
        erasure.erase(session, keyring_of(database), me, clock())
        assert session.scalars(select(TimeLine.id)).all() == []


def test_nobody_above_opens_a_ledger_and_a_large_one_costs_little(
    app: Flask, database: Database, clock: Any, course: MadeCourse, cycle: str, browser: Browser
) -> None:
    for member in (course.trainer, course.guest, course.leader, course.administrator):
        other = Browser(app, database, clock, member, course.activity_id)
        assert other.status(PATH) == other.status(PATH + ".csv") == other.post(PATH, **OWN).status_code == 404
    costs = []
    for number in range(2):
        for _more in range(1 + 30 * number):
            assert browser.post(PATH, **(OWN | {"day": str(clock().date())})).status_code == 303
        with recorded(database) as statements:
            browser.get(PATH)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 12
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[0]).values(is_active=False))
    left = Browser(app, database, clock, course.teachers[0], course.activity_id)
    assert len(rows(left)) == 32, "what is there stays theirs"
