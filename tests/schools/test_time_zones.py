"""Each reads and enters times in their own zone: chosen on their page, else as the LMS says, else the tool's."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from browsers import Browser
from conftest import Clock
from cycles.pair_at_work import make_cycle
from door.fake_platform import CLAIM, Door, is_let_in
from factories import make_course
from flask import Flask
from schools.conftest import person_of
from sqlalchemy import select

from lti_tool.cycles.models import Meeting
from lti_tool.people.models import Person
from lti_tool.store.database import Database


@pytest.fixture
def door(app: Flask, database: Database, clock: Clock) -> Door:
    return Door(app, database, clock)


@pytest.mark.parametrize("zone", ["Europe/Lisbon", "Europe/Madrid", "America/New_York", "Pacific/Auckland"])
def test_a_visit_entered_in_dublin_reads_right_elsewhere(
    app: Flask, database: Database, clock: Clock, zone: str
) -> None:
    course = make_course(database, protocol="collegial", now=clock())
    cycle_id = make_cycle(database, course, clock())
    host, coach = (Browser(app, database, clock, each, course.activity_id) for each in course.teachers[:2])
    assert host.post("/time-zone", time_zone="Europe/Dublin").status_code == 303
    assert coach.post("/time-zone", time_zone=zone).status_code == 303
    local = (clock() + timedelta(days=5)).replace(hour=10, minute=20, second=0, tzinfo=ZoneInfo("Europe/Dublin"))
    form = {"visit-minutes": "40", "visit-place": "", "visit-was": "", "visit-rev": "0"}
    entered = local.strftime("%Y-%m-%dT%H:%M")
    assert host.post(f"/cycles/{cycle_id}/texts/visit_purpose", text="To see who asks").status_code == 303
    path = f"/cycles/{cycle_id}/visit/meetings/visit"
    assert host.post(path, **{"visit-starts": entered} | form).status_code == 303
    with database.read() as session:
        assert session.scalars(select(Meeting.starts_at)).one() == local.astimezone(UTC)
    assert entered in host.get(f"/cycles/{cycle_id}/visit"), "as it was typed"
    theirs = local.astimezone(ZoneInfo(zone))
    page = re.sub(r"\s+", " ", coach.get(f"/cycles/{cycle_id}/visit"))
    assert f"{theirs.day} {theirs:%b} at {theirs:%H:%M}" in page


def test_a_zone_is_chosen_on_ones_own_page_and_nonsense_is_refused(
    app: Flask, database: Database, clock: Clock
) -> None:
    course = make_course(database, now=clock())
    teacher = Browser(app, database, clock, course.teachers[0], course.activity_id)
    page = teacher.get("/you")
    assert "As the tool (Europe/Dublin)" in page and 'value="Europe/Lisbon"' in page and 'value="EST5EDT"' not in page
    assert " selected" not in page
    for nonsense in ("Europe/Atlantis", "europe/dublin", "../etc/passwd", "localtime", "\0", "Z" * 5000):
        refused = teacher.post("/time-zone", time_zone=nonsense)
        assert refused.status_code == 400 and 'href="#time-zone"' in refused.text
    assert person_of(database, course.teachers[0]).time_zone == ""
    assert teacher.post("/time-zone", time_zone="Europe/Lisbon").status_code == 303
    assert 'value="Europe/Lisbon" selected' in teacher.get("/you")
    assert teacher.post("/time-zone", time_zone="").status_code == 303
    assert person_of(database, course.teachers[0]).time_zone == ""


def launch_in(door: Door, zone: Any) -> Person:
    assert is_let_in(door.launch(changes={CLAIM + "custom": {"time_zone": zone}}))
    with door.database.read() as session:
        return session.scalars(select(Person)).one()


def test_the_zone_of_a_launch_is_taken_and_nonsense_says_nothing(door: Door) -> None:
    assert launch_in(door, "Europe/Lisbon").launch_zone == "Europe/Lisbon"
    for nonsense in ("$Person.address.timezone", "99", "Lisbon", "", "../../etc/localtime", 1, None, ["Europe/Rome"]):
        assert launch_in(door, nonsense).launch_zone == "Europe/Lisbon", nonsense
    assert launch_in(door, "Europe/Madrid").launch_zone == "Europe/Madrid"


def test_ones_own_choice_wins_over_the_launch(app: Flask, door: Door, clock: Clock) -> None:
    client = door.browser()
    answer = door.launch(client, changes={CLAIM + "custom": {"time_zone": "Europe/Madrid"}})
    at = answer.location.rstrip("/")
    page = client.get(f"{at}/you").text
    assert "As in the course (Europe/Madrid)" in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    client.post(f"{at}/time-zone", data={"csrf_token": token.group(1), "time_zone": "Europe/Lisbon"})
    person = launch_in(door, "Europe/Rome")
    assert (person.time_zone, person.launch_zone) == ("Europe/Lisbon", "Europe/Rome")


def test_dates_of_the_page_are_those_of_the_reader(app: Flask, database: Database, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    course = make_course(database, now=clock())
    administrator = Browser(app, database, clock, course.administrator, course.activity_id)
    assert "21 November 2026" in administrator.get("/school")
    administrator.post("/time-zone", time_zone="Europe/Madrid")
    assert "22 November 2026" in administrator.get("/school")
