"""The trainer's settings of an activity, who may take part, and the plan of the course, through the app."""

from datetime import date, timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select, update

from lti_tool.activities.models import Activity, ActivityParticipant, ActivitySchool, ActivityTrainer
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership, Person, School
from lti_tool.store.database import Database

SAME = {"what": "cycle:light", "audience": "everyone"}


@pytest.fixture
def made(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=4, now=clock.now)


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
    return Browser(app, database, clock, made.trainer, made.activity_id)


@pytest.fixture
def teacher(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
    return Browser(app, database, clock, made.teachers[0], made.activity_id)


def activity(database: Database, activity_id: str) -> Activity:
    with database.read() as session:
        return session.get_one(Activity, activity_id)


def add_activity(database: Database, made: MadeCourse, title: str, **values: Any) -> str:
    with database.write() as session:
        added = Activity(
            course_id=made.course_id,
            title=title,
            status="open",
            protocol="light",
            created_at=values.pop("created_at"),
            **values,
        )
        session.add(added)
        session.flush()
        return added.id


# Settings


def test_a_trainer_changes_the_settings(trainer: Browser, database: Database, made: MadeCourse) -> None:
    page = trainer.get("/activity")
    assert 'value="cycle:light" data-kind="cycle" aria-describedby="about-cycle-light" checked' in page
    answer = trainer.post(
        "/activity",
        what="cycle:collegial",
        purpose="To look together",
        starts="2026-12-01",
        ends="2027-01-31",
        audience="everyone",
        completion="yes",
    )
    assert answer.status_code == 303
    found = activity(database, made.activity_id)
    assert (found.protocol, found.purpose, found.reports_completion) == ("collegial", "To look together", True)
    assert (found.starts_on, found.ends_on) == (date(2026, 12, 1), date(2027, 1, 31))
    page = trainer.get("/activity?told=saved")
    assert "Saved" in page and 'value="2027-01-31"' in page and "To look together" in page


def test_what_was_typed_comes_back_with_what_is_wrong(trainer: Browser, database: Database, made: MadeCourse) -> None:
    wrong = trainer.post("/activity", **SAME, purpose="<b>why</b>", starts="2026-12-02", ends="2026-12-01")
    assert wrong.status_code == 400
    assert "&lt;b&gt;why&lt;/b&gt;" in wrong.text and "The last day is before the first" in wrong.text
    assert 'value="2026-12-02"' in wrong.text
    assert activity(database, made.activity_id).purpose == ""


def test_a_kind_stays_what_it_is(trainer: Browser, database: Database, made: MadeCourse) -> None:
    assert "pairing:" not in trainer.get("/activity")
    assert trainer.post("/activity", what="reflection:reflection").status_code == 400
    assert activity(database, made.activity_id).kind == "cycle"


def test_a_running_cycle_keeps_its_protocol(
    app: Flask, trainer: Browser, database: Database, clock: Any, made: MadeCourse
) -> None:
    begin(database, made, 0, 1, clock)
    trainer.post("/activity", **SAME | {"what": "cycle:collegial"})
    begin(database, made, 2, 3, clock)
    stages = [
        Browser(app, database, clock, made.teachers[number], made.activity_id).get("/").count("stage-title")
        for number in (0, 2)
    ]
    assert stages == [4, 5], "the light way has no visit"


def begin(database: Database, made: MadeCourse, host: int, coach: int, clock: Any) -> str:
    with database.write() as session:
        pairing.invite(
            session,
            host_id=made.teachers[host],
            coach_id=made.teachers[coach],
            course_id=made.course_id,
            activity_id=made.activity_id,
            now=clock.now,
        )
        (received,) = pairing.open_for(session, made.teachers[coach], made.activity_id, clock.now).received
        pairing.accept(session, received.id, clock.now)
        return received.id


def test_archiving_and_opening_again(trainer: Browser, teacher: Browser, database: Database, made: MadeCourse) -> None:
    assert trainer.post("/activity/archive").status_code == 303
    assert activity(database, made.activity_id).status == "archived"
    page = trainer.get("/activity?told=archived")
    assert "nothing new begins" in page and "Open it again" in page
    assert "Not open yet" not in teacher.get("/"), "it is still there for those who take part"
    assert trainer.post("/activity/reopen").status_code == 303
    assert activity(database, made.activity_id).status == "open"


def test_a_duplicate_has_the_settings_and_nobody(
    trainer: Browser, teacher: Browser, database: Database, made: MadeCourse
) -> None:
    trainer.post("/activity", **SAME, purpose="Once more", starts="2026-12-01", completion="yes")
    assert trainer.post("/activity/duplicate").status_code == 303
    with database.read() as session:
        copy = session.scalars(select(Activity).where(Activity.id != made.activity_id)).one()
        trainers = session.scalars(select(ActivityTrainer.membership_id).where(ActivityTrainer.activity_id == copy.id))
        assert trainers.all() == [made.trainer]
    assert (copy.title, copy.purpose, copy.reports_completion) == ("Coaching cycle 1, copy", "Once more", True)
    assert (copy.starts_on, copy.resource_link_id, copy.copied_from) == (None, None, made.activity_id)
    assert "Coaching cycle 1, copy" in trainer.get("/plan")
    assert "Coaching cycle 1, copy" not in teacher.get("/plan"), "it is not in the course yet"
    assert trainer.post("/plan/discard", activity=copy.id).status_code == 303
    assert "Coaching cycle 1, copy" not in trainer.get("/plan")


def test_what_was_placed_cannot_be_discarded(trainer: Browser, database: Database, made: MadeCourse) -> None:
    assert trainer.post("/plan/discard", activity=made.activity_id).headers["Location"].endswith("placed+by+now")
    assert activity(database, made.activity_id).status == "open"
    assert trainer.post("/plan/discard", activity="0" * 16).status_code == 404
    assert trainer.post("/plan/discard").status_code == 404


@pytest.mark.parametrize("who", ["guest", "leader", "administrator", "teacher"])
@pytest.mark.parametrize("path", ["", "/archive", "/reopen", "/duplicate", "/roster", "/people"])
def test_nobody_else_changes_anything(
    app: Flask, database: Database, clock: Any, made: MadeCourse, who: str, path: str
) -> None:
    member = made.teachers[0] if who == "teacher" else getattr(made, who)
    browser = Browser(app, database, clock, member, made.activity_id)
    assert browser.post(f"/activity{path}", **SAME, person=made.teachers[1]).status_code == 404
    found = activity(database, made.activity_id)
    assert (found.status, found.purpose) == ("open", "")


def test_a_trainer_of_another_activity_changes_only_their_own(
    app: Flask, database: Database, clock: Any, made: MadeCourse
) -> None:
    other = add_activity(database, made, "Other", resource_link_id="other", created_at=clock.now)
    with database.write() as session:
        session.add(ActivityTrainer(activity_id=other, membership_id=made.guest, created_at=clock.now))
    browser = Browser(app, database, clock, made.guest, made.activity_id)
    assert browser.post("/activity", **SAME, purpose="mine").status_code == 404
    mine = Browser(app, database, clock, made.guest, other)
    days = {f"starts-{made.activity_id}": "2026-12-01", f"ends-{made.activity_id}": ""}
    days |= {f"starts-{other}": "2026-12-05", f"ends-{other}": ""}
    assert mine.post("/plan", **days).status_code == 303
    assert activity(database, made.activity_id).starts_on is None
    assert activity(database, other).starts_on == date(2026, 12, 5)
    assert mine.post("/plan/discard", activity=made.activity_id).status_code == 404


# Who may take part


def test_only_named_teachers_take_part(
    app: Flask, trainer: Browser, teacher: Browser, database: Database, clock: Any, made: MadeCourse
) -> None:
    trainer.post("/activity", **SAME | {"audience": "chosen"})
    assert teacher.status("/partner") == 404
    page = trainer.get("/activity/people?q=niamh")
    assert "Name Niamh Ní Bhriain" in page and "Seán" not in page
    for number in (0, 1):
        assert trainer.post("/activity/people", person=made.teachers[number]).status_code == 303
    page = teacher.get("/partner")
    assert "Seán" in page and "Gráinne" not in page, "the others are not to be invited"
    assert "2 teachers are named" in trainer.get("/activity")
    trainer.post("/activity/people", person=made.teachers[0], do="take back")
    assert teacher.status("/partner") == 404


@pytest.mark.parametrize("who", ["trainer", "guest", "leader", "administrator", "elsewhere", "", "nobody"])
def test_only_teachers_of_the_course_can_be_named(
    trainer: Browser, database: Database, clock: Any, made: MadeCourse, who: str
) -> None:
    person = getattr(made, who, who)
    if who == "elsewhere":
        person = make_course(database, now=clock.now).teachers[0]
    assert trainer.post("/activity/people", person=person).status_code == 404
    with database.read() as session:
        assert session.scalars(select(ActivityParticipant.membership_id)).all() == []


def test_who_is_in_a_pair_goes_on_when_it_is_meant_for_others(
    app: Flask, trainer: Browser, database: Database, clock: Any, made: MadeCourse
) -> None:
    begin(database, made, 0, 1, clock)
    trainer.post("/activity", **SAME | {"audience": "chosen"})
    for number in (0, 1):
        assert "Start together" in Browser(app, database, clock, made.teachers[number], made.activity_id).get("/")
    trainer.post("/activity/people", person=made.teachers[0], do="take back")
    assert "Start together" in Browser(app, database, clock, made.teachers[0], made.activity_id).get("/")
    assert Browser(app, database, clock, made.teachers[2], made.activity_id).status("/partner") == 404


def test_teachers_of_chosen_schools(
    app: Flask, trainer: Browser, database: Database, clock: Any, made: MadeCourse
) -> None:
    assert "The teachers of these schools" not in trainer.get("/activity"), "nothing to tell apart"
    with database.write() as session:
        schools = [School(platform_id=made.platform_id, name=name, created_at=clock.now) for name in ("Áth", "Baile")]
        session.add_all(schools)
        session.flush()
        ids = [school.id for school in schools]
        person = select(Membership.person_id).where(Membership.id == made.teachers[0]).scalar_subquery()
        session.execute(update(Person).where(Person.id == person).values(school_id=ids[0]))
    assert "The teachers of these schools" in trainer.get("/activity")
    assert trainer.post("/activity", **SAME | {"audience": "schools"}).status_code == 400
    answer = trainer.post("/activity", **SAME | {"audience": "schools", "school": ids[0]})
    assert answer.status_code == 303
    with database.read() as session:
        assert session.scalars(select(ActivitySchool.school_id)).all() == [ids[0]]
    assert Browser(app, database, clock, made.teachers[0], made.activity_id).status("/partner") == 200
    assert Browser(app, database, clock, made.teachers[1], made.activity_id).status("/partner") == 404


# The plan


def test_teachers_follow_the_plan(
    trainer: Browser, teacher: Browser, database: Database, clock: Any, made: MadeCourse
) -> None:
    add_activity(
        database,
        made,
        "Look back",
        purpose="At the end of term",
        kind="reflection",
        starts_on=date(2027, 5, 3),
        ends_on=date(2027, 5, 28),
        resource_link_id="later",
        created_at=clock.now,
    )
    page = teacher.get("/plan")
    assert page.index("Coaching cycle 1") > page.index("Look back"), "what has a day comes first"
    assert "From 3 May 2027 to 28 May 2027" in page and "At the end of term" in page and "At any time" in page
    assert 'type="date"' not in page and "Earlier" not in page


def test_a_trainer_arranges_the_plan(
    trainer: Browser, teacher: Browser, database: Database, clock: Any, made: MadeCourse
) -> None:
    second = add_activity(database, made, "Second", resource_link_id="2", created_at=clock.now)
    third = add_activity(database, made, "Third", resource_link_id="3", created_at=clock.now)
    days = {f"starts-{made.activity_id}": "2026-12-01", f"ends-{made.activity_id}": "2026-12-18"}
    answer = trainer.post("/plan", **days, move=f"up {third}")
    assert answer.status_code == 303
    page = teacher.get("/plan")
    assert page.index("Coaching cycle 1") < page.index("Third") < page.index("Second")
    assert "From 1 December 2026 to 18 December 2026" in page, "what was typed is kept when something moves"
    trainer.post("/plan", move=f"down {made.activity_id}")
    page = teacher.get("/plan")
    assert page.index("Third") < page.index("Coaching cycle 1") < page.index("Second")
    for nonsense in ("", "up", f"sideways {second}", "up " + "0" * 16, "down \0"):
        assert trainer.post("/plan", move=nonsense).status_code == 303
    assert teacher.get("/plan") == page


def test_wrong_days_come_back_and_change_nothing(trainer: Browser, database: Database, made: MadeCourse) -> None:
    wrong = trainer.post("/plan", **{f"starts-{made.activity_id}": "soon", f"ends-{made.activity_id}": "2026-12-01"})
    assert wrong.status_code == 400 and 'value="soon"' in wrong.text and "Write the first day like" in wrong.text
    assert activity(database, made.activity_id).ends_on is None


@pytest.mark.parametrize("who", ["leader", "administrator"])
def test_leaders_see_no_plan(app: Flask, database: Database, clock: Any, made: MadeCourse, who: str) -> None:
    browser = Browser(app, database, clock, getattr(made, who), made.activity_id)
    assert browser.status("/plan") == 404 and browser.post("/plan").status_code == 404


def test_only_a_trainer_arranges(teacher: Browser, database: Database, made: MadeCourse) -> None:
    assert teacher.post("/plan", **{f"starts-{made.activity_id}": "2026-12-01"}).status_code == 404
    assert activity(database, made.activity_id).starts_on is None


@pytest.mark.parametrize("path", ["/activity", "/activity/people", "/plan"])
def test_the_number_of_statements_does_not_grow(app: Flask, database: Database, clock: Any, path: str) -> None:
    counts = []
    for size in (2, 60):
        made = make_course(database, teachers=size, now=clock.now)
        for number in range(size // 2):
            created = clock.now + timedelta(seconds=number)
            add_activity(database, made, f"A{number}", resource_link_id=f"x{number}", created_at=created)
        browser = Browser(app, database, clock, made.trainer, made.activity_id)
        with recorded(database) as statements:
            browser.get(path)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12
