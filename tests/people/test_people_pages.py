"""Language, leading the school, and leaving, through the app."""

from typing import Any

import pytest
from browsers import Browser
from factories import MadeCourse, make_course, sign_in
from flask import Flask
from sqlalchemy import select, update

from lti_tool.people.models import Membership, Person, SignIn
from lti_tool.store.database import Database


@pytest.fixture
def made(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, now=clock.now)


@pytest.fixture
def teacher(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
    return Browser(app, database, clock, made.teachers[0], made.activity_id)


def test_a_chosen_language_wins_over_the_course(database: Database, teacher: Browser) -> None:
    assert '<html lang="en"' in teacher.get("/you")
    assert teacher.post("/language", language="ga", back=f"{teacher.at}/you").location == f"{teacher.at}/you"
    assert '<html lang="ga"' in teacher.get("/you")
    assert teacher.post("/language", language="").status_code == 303
    assert '<html lang="en"' in teacher.get("/you")
    assert teacher.post("/language", language="de").status_code == 400
    with database.read() as session:
        assert set(session.scalars(select(Person.language))) == {""}


@pytest.mark.parametrize(
    "back",
    [
        "",
        "https://evil.example",
        "//evil.example",
        "/at/other/",
        "/at/../x",
        "{at}//evil.example",
        "{at}/\\evil",
        "{at}/../x",
        "{at}/a\r\nSet-Cookie: x=1",
        "javascript:alert(1)",
    ],
)
def test_nobody_is_sent_elsewhere(teacher: Browser, back: str) -> None:
    answer = teacher.post("/language", language="ga", back=back.format(at=teacher.at))
    assert answer.status_code == 303 and answer.location == f"{teacher.at}/"


def test_leaving_ends_the_sign_in_and_says_how_to_come_back(
    database: Database, made: MadeCourse, teacher: Browser
) -> None:
    with database.write() as session:
        session.execute(update(SignIn).values(return_url="https://lms.example/course/view.php?id=2"))
    assert "Niamh Ní Bhriain" in teacher.get("/you")
    answer = teacher.post("/leave")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "open the activity in your course again" in page and "https://lms.example/course/view.php?id=2" in page
    assert "Niamh" not in page
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("__Host-at-"))
    for attribute in ("Max-Age=0", "Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"):
        assert attribute in cookie
    assert teacher.status("/") == 401


def test_a_return_address_that_is_no_web_address_is_not_shown(database: Database, teacher: Browser) -> None:
    with database.write() as session:
        session.execute(update(SignIn).values(return_url="javascript:alert(1)"))
    assert "javascript:" not in teacher.post("/leave").get_data(as_text=True)


def test_a_principal_says_so_and_sees_no_names(app: Flask, database: Database, clock: Any) -> None:
    fresh = make_course(database, status="new", now=clock.now)
    browser = Browser(app, database, clock, fresh.trainer, fresh.activity_id)
    assert "you see no names" in browser.get("/leader")
    with database.read() as session:
        asked = session.scalars(select(Membership.is_leader).where(Membership.id == fresh.trainer)).one()
    assert not asked, "reading the page says nothing yet"
    assert browser.post("/leader").status_code == 303
    assert "Make time" in browser.get("/")
    assert browser.post("/set-up", what="cycle:light").status_code == 404
    assert browser.status("/leader") == 404 and browser.post("/leader").status_code == 404, "it is said for good"


def test_a_teacher_who_leads_the_school_cannot_be_invited(
    app: Flask, database: Database, clock: Any, made: MadeCourse, teacher: Browser
) -> None:
    other = Browser(app, database, clock, made.teachers[1], made.activity_id)
    other.post("/leader")
    assert teacher.status(f"/partner/{made.teachers[1]}") == 404
    assert "Seán" not in teacher.get("/partner")
    assert other.status("/partner") == 404


def test_who_leaves_has_left_all_that_they_opened_in_this_browser(
    app: Flask, database: Database, clock: Any, made: MadeCourse, teacher: Browser
) -> None:
    def opened(membership_id: str) -> str:
        return sign_in(database, teacher.client, membership_id, made.activity_id, clock.now)

    earlier, of_somebody_else = opened(made.teachers[0]), opened(made.teachers[1])
    at_home = Browser(app, database, clock, made.teachers[0], made.activity_id)
    left = teacher.post("/leave")
    assert len(left.headers.getlist("Set-Cookie")) == 2
    assert teacher.status("/") == teacher.client.get(f"{earlier}/").status_code == 401
    assert teacher.client.get(f"{of_somebody_else}/").status_code == 200
    assert at_home.status("/") == 200
    with database.read() as session:
        assert len(session.scalars(select(SignIn.id)).all()) == 2
