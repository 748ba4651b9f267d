"""Setting up, welcome and about, through the app."""

from typing import Any

import pytest
from browsers import Browser
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.people.models import Membership
from lti_tool.store.database import Database


@pytest.fixture
def fresh(database: Database, clock: Any) -> MadeCourse:
    """A course whose link nobody has set up."""
    return make_course(database, status="new", welcomed=False, now=clock.now)


def opened(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(select(Activity.status, Activity.protocol, Activity.purpose))]


def test_an_instructor_sets_the_activity_up_and_is_its_trainer(
    app: Flask, database: Database, clock: Any, fresh: MadeCourse
) -> None:
    browser = Browser(app, database, clock, fresh.trainer, fresh.activity_id)
    page = browser.get("/")
    assert (
        "Coaching cycle 1" in page and "you see steps and dates, never words" in page and "I lead this school" in page
    )
    answer = browser.post("/set-up", what="cycle:collegial", purpose="  Talk\r\nabout talk  ")
    assert answer.status_code == 303
    assert opened(database) == [("open", "collegial", "Talk\nabout talk")]
    assert "How it is going" in browser.get("/")


def test_only_one_becomes_the_trainer_that_way(app: Flask, database: Database, clock: Any, fresh: MadeCourse) -> None:
    first = Browser(app, database, clock, fresh.trainer, fresh.activity_id)
    second = Browser(app, database, clock, fresh.guest, fresh.activity_id)
    assert first.post("/set-up", what="cycle:light").status_code == 303
    late = second.post("/set-up", what="cycle:collegial", purpose="mine")
    assert late.status_code == 409 and "mine" not in opened(database)[0]
    with database.read() as session:
        assert session.scalars(select(ActivityTrainer.membership_id)).all() == [fresh.trainer]
    assert "not the trainer of this activity" in second.get("/")


def test_what_was_typed_comes_back_with_what_is_wrong(
    app: Flask, database: Database, clock: Any, fresh: MadeCourse
) -> None:
    browser = Browser(app, database, clock, fresh.trainer, fresh.activity_id)
    long = "<i>é</i>" * 300
    answer = browser.post("/set-up", what="no such", purpose=long)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert page.count("&lt;i&gt;é&lt;/i&gt;") == 300
    assert "Choose one of the kinds of activity" in page and "2000" in page
    assert opened(database) == [("new", "", "")]


@pytest.mark.parametrize("who", ["leader", "administrator", "teacher"])
def test_nobody_else_sets_up(app: Flask, database: Database, clock: Any, fresh: MadeCourse, who: str) -> None:
    member = fresh.teachers[0] if who == "teacher" else getattr(fresh, who)
    browser = Browser(app, database, clock, member, fresh.activity_id)
    assert browser.post("/set-up", what="cycle:light").status_code == 404
    assert opened(database) == [("new", "", "")]


def test_the_welcome_is_read_once_and_kept(app: Flask, database: Database, clock: Any) -> None:
    made = make_course(database, welcomed=False, now=clock.now)
    browser = Browser(app, database, clock, made.teachers[0], made.activity_id)
    page = browser.get("/")
    assert "is, and is not" in page and "Who can see what" in page and "Find a partner" not in page
    assert browser.post("/welcome").status_code == 303
    first = clock.now
    clock.advance(60)
    browser.post("/welcome")
    with database.read() as session:
        at = session.scalars(select(Membership.welcomed_at).where(Membership.id == made.teachers[0])).one()
    assert at == first
    assert "Find a partner" in browser.get("/")
    assert "What it is not" in browser.get("/about"), "always one tap away"


def test_the_about_page_is_for_everybody_and_names_the_trainer_to_those_who_take_part(
    app: Flask, database: Database, clock: Any
) -> None:
    made = make_course(database, now=clock.now)
    for member, named in (
        (made.teachers[0], True),
        (made.trainer, True),
        (made.guest, False),
        (made.leader, False),
        (made.administrator, False),
    ):
        page = Browser(app, database, clock, member, made.activity_id).get("/about")
        assert ("Trainer of this activity: Máire Trainer" in page) is named
    assert "What it is not" in Browser(app, database, clock, made.teachers[0], None).get("/about")
