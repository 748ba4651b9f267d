"""Who wants their bookings in Moodle's calendar says so on the page of their calendar, and takes it back there."""

from typing import Any

import pytest
from browsers import Browser
from flask import Flask
from live_moodle import Moodle
from moodle_pairs import Pairs, furnish

from lti_tool.privacy.sealing import Masters
from lti_tool.schedule import lms_calendar
from lti_tool.store.database import Database


@pytest.fixture
def pairs(database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str) -> Pairs:
    return furnish(database, masters, clock, moodle.school, platform_id)


def test_a_teacher_says_it_and_takes_it_back(pairs: Pairs, app: Flask, database: Database, clock: Any) -> None:
    sub = pairs.waiting[0]
    teacher = Browser(app, database, clock, pairs.members[sub], pairs.activity_id)

    def is_wanted() -> bool:
        with database.read() as session:
            return lms_calendar.is_wanted(session, pairs.people[sub])

    page = teacher.get("/calendar")
    assert "Write mine there" in page and "Trainers and administrators of Moodle can look" in page
    assert teacher.post("/moodle/calendar", on="1").status_code == 303 and is_wanted()
    pairs.switch(events=False)
    assert "Take mine out" in teacher.get("/calendar")
    assert teacher.post("/moodle/calendar", on="1").status_code == 404
    assert teacher.post("/moodle/calendar").status_code == 303 and not is_wanted()
    assert "moodle-calendar" not in teacher.get("/calendar")
    assert teacher.post("/moodle/calendar").status_code == 404


def test_nobody_else_says_it(pairs: Pairs, app: Flask, database: Database, clock: Any, moodle: Moodle) -> None:
    trainer = moodle.school.person("maire.niceoin")
    assert trainer
    browser = Browser(app, database, clock, pairs.members[trainer.id], pairs.activity_id)
    assert browser.post("/moodle/calendar", on="1").status_code == 404
