"""The trainer's page of the course in Moodle, and what teachers are told of it."""

from typing import Any

import pytest
from browsers import Browser, recorded
from flask import Flask
from live_moodle import Moodle
from moodle_pairs import Pairs, furnish
from sqlalchemy import func, select, update

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.people.models import Person
from lti_tool.privacy.sealing import Masters
from lti_tool.store.database import Database
from moodle_sync import roster, sites, sync
from moodle_sync.client import MoodleClient
from moodle_sync.models import MoodleCourse, MoodleSite, MoodleWrite


@pytest.fixture
def here(
    database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str, services: MoodleClient
) -> Pairs:
    made = furnish(database, masters, clock, moodle.school, platform_id)
    made.change(MoodleCourse, MoodleCourse.course_id == made.course_id, writes_groups=False)
    with database.read() as session:
        (course,) = roster.courses(session, platform_id)
    sync.read(database, services, course, clock)
    return made


@pytest.fixture
def trainer(app: Flask, here: Pairs, moodle: Moodle) -> Browser:
    sub = next(each.id for each in moodle.school.people.values() if each.given == "Máire" or each.job == "Trainer")
    membership = here.members[sub]
    with here.database.write() as session:
        session.add(ActivityTrainer(activity_id=here.activity_id, membership_id=membership, created_at=here.clock()))
    return Browser(app, here.database, here.clock, membership, here.activity_id)


def teacher(app: Flask, here: Pairs, sub: str) -> Browser:
    return Browser(app, here.database, here.clock, here.members[sub], here.activity_id)


def writes(here: Pairs) -> list[tuple[str, bool]]:
    with here.database.read() as session:
        rows = session.execute(select(MoodleWrite.key, MoodleWrite.wanted).where(MoodleWrite.kind == "group"))
        return sorted((row.key, row.wanted) for row in rows)


def test_it_is_off_until_the_trainer_who_reads_who_will_see_it_switches_it_on(
    app: Flask, here: Pairs, trainer: Browser, http: Any, moodle: Moodle
) -> None:
    pair_id = here.pair()
    coach = teacher(app, here, here.subs[pair_id][1])
    here.work(http)
    assert writes(here) == [] and "in Moodle" not in coach.get("/pair")
    page = trainer.get("/moodle")
    assert "everybody in your course can see these groups and who is in them" in page
    assert "Languages" in page and 'href="' + trainer.at + '/moodle"' in trainer.get("/activity")
    answer = trainer.post("/moodle/pairs", on="1")
    assert answer.status_code == 303 and answer.location.endswith("told=on")
    assert writes(here) == [(pair_id, True)]
    assert "everybody in the course can see who is in them" in coach.get("/pair")
    assert "1 is still to be changed there." in trainer.get("/moodle")
    here.work(http)
    page = trainer.get("/moodle?told=on")
    assert "1 group is in Moodle." in page and "within some minutes" in page
    assert trainer.post("/moodle/pairs", on="0").location.endswith("told=off")
    assert writes(here) == [(pair_id, False)]
    assert "1 group is still to be deleted in Moodle." in trainer.get("/moodle")
    # They are told as long as it is there.
    assert "everybody in the course can see who is in them" in coach.get("/pair")
    here.work(http)
    assert "in Moodle" not in coach.get("/pair")


def test_groups_that_are_schools(here: Pairs, trainer: Browser) -> None:
    assert trainer.post("/moodle/groups", are="school").location.endswith("told=groups-24")
    page = trainer.get("/moodle?told=groups-24")
    assert "24 people have another school by it." in page
    with here.database.read() as session:
        assert session.scalar(select(func.count()).where(Person.school_said_by == "group")) == 24
    assert trainer.post("/moodle/groups", are="").location.endswith("told=groups-24")
    assert trainer.post("/moodle/groups", are="\0").status_code == 400
    assert trainer.status("/moodle?told=groups-x") == trainer.status("/moodle?told=groups-99999") == 200


def test_groups_that_are_departments_stand_beside_the_names_of_colleagues(
    app: Flask, here: Pairs, trainer: Browser
) -> None:
    looking = teacher(app, here, here.waiting[0])
    assert "Arts and practical subjects" not in looking.get("/partner")
    assert trainer.post("/moodle/groups", are="department").location.endswith("told=departments")
    assert "which department they are in" in trainer.get("/moodle?told=departments")
    # Of 24 teachers in three departments one is looking.
    assert sum(looking.get("/partner").count(name) for name in ("Languages", "Sciences and m", "Arts and p")) == 23
    trainer.post("/moodle/groups", are="")
    assert "Arts and practical subjects" not in looking.get("/partner")


def test_only_trainers_and_only_where_a_moodle_is_connected(app: Flask, here: Pairs, trainer: Browser) -> None:
    other = teacher(app, here, here.waiting[0])
    assert other.status("/moodle") == 404
    for path, form in (("/moodle/pairs", {"on": "1"}), ("/moodle/groups", {"are": "school"})):
        assert other.post(path, **form).status_code == 404
    with here.database.write() as session:
        sites.forget(session, here.platform_id)
    assert "Nothing is exchanged" in trainer.get("/moodle")
    assert trainer.at + "/moodle" not in trainer.get("/activity")
    assert trainer.post("/moodle/pairs", on="1").status_code == 404


def test_problems_are_said_with_who_can_help(here: Pairs, trainer: Browser, moodle: Moodle, http: Any) -> None:
    here.change(MoodleSite, MoodleSite.platform_id == here.platform_id, functions=["core_webservice_get_site_info"])
    assert "has not allowed this tool to make groups" in trainer.get("/moodle")
    assert trainer.post("/moodle/pairs", on="1").location.endswith("told=not-offered")
    assert writes(here) == []
    here.change(MoodleSite, MoodleSite.platform_id == here.platform_id, functions=moodle.school.web_services.functions)
    trainer.post("/moodle/pairs", on="1")
    here.pair()
    moodle.goes_wrong("nopermissions", "core_group_create_groups")
    here.work(http)
    page = trainer.get("/moodle")
    assert "1 group could not be changed." in page and "(nopermissions)" in page
    here.change(MoodleSite, MoodleSite.platform_id == here.platform_id, problem="invalidtoken")
    assert "has to renew the way in" in trainer.get("/moodle")


def test_the_pages_cost_few_statements_whatever_the_number_of_groups(
    app: Flask, here: Pairs, trainer: Browser, moodle: Moodle, services: MoodleClient
) -> None:
    pair_id = here.pair()
    with here.database.write() as session:
        session.execute(update(Activity).values(title="Coaching"))
    with recorded(here.database) as statements:
        trainer.get("/moodle")
    assert len(statements) <= 8
    with recorded(here.database) as statements:
        teacher(app, here, here.subs[pair_id][0]).get("/pair")
    assert len(statements) <= 14, "signing in included"
