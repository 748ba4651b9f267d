"""Giving roles and taking them, and an activity without a trainer, through the app."""

import threading
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import insert, select, update

from lti_tool.activities import service as activities
from lti_tool.activities.models import ActivityFacilitator, ActivityTrainer
from lti_tool.people import coaching_roles
from lti_tool.people.models import Membership, Person
from lti_tool.people.sign_ins import load_actor, open_sign_in
from lti_tool.store.base import new_id
from lti_tool.store.database import Database


@pytest.fixture
def made(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, now=clock.now)


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
    return Browser(app, database, clock, made.trainer, made.activity_id)


@pytest.fixture
def guest(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
    return Browser(app, database, clock, made.guest, made.activity_id)


@pytest.fixture
def teacher(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
    return Browser(app, database, clock, made.teachers[0], made.activity_id)


def said_by(database: Database, membership_id: str) -> tuple[bool, str]:
    with database.read() as session:
        row = session.execute(
            select(Membership.is_leader, Membership.leader_said_by).where(Membership.id == membership_id)
        ).one()
        return row.is_leader, row.leader_said_by


def trainers(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(ActivityTrainer.membership_id)))


def operator_says(database: Database, membership_id: str, leads: bool = True) -> None:
    with database.write() as session:
        person = session.scalars(
            select(Person).join(Membership, Membership.person_id == Person.id).where(Membership.id == membership_id)
        ).one()
        coaching_roles.set_leader(session, person.platform_id, person.sub, leads)


# Trainer and facilitator


def test_a_second_trainer_sees_what_the_first_one_sees(made: MadeCourse, trainer: Browser, guest: Browser) -> None:
    assert guest.status("/progress") == 404
    assert "Make Colm Guest trainer" in trainer.get(f"/roles/{made.guest}")
    for _twice in range(2):
        answer = trainer.post(f"/roles/{made.guest}/trainer")
        assert answer.status_code == 303 and answer.location.endswith("/roles?told=trainer-given")
    assert "They are trainer of this activity now" in trainer.get("/roles?told=trainer-given")
    assert "How it is going" in guest.get("/")
    assert "Colm, trainer" in guest.get("/")
    assert "You are trainer of this activity" in guest.get("/you")
    assert guest.status("/roles") == 200
    assert guest.post(f"/roles/{made.trainer}/trainer/withdraw").status_code == 303
    assert trainer.status("/roles") == 404, "each can take it from the other"


def test_a_teacher_becomes_facilitator_and_still_takes_part(
    made: MadeCourse, trainer: Browser, teacher: Browser
) -> None:
    page = trainer.get(f"/roles/{made.teachers[0]}")
    assert "Make Niamh Ní Bhriain facilitator" in page and "Make Niamh Ní Bhriain trainer" not in page
    assert teacher.status("/progress") == 404
    assert trainer.post(f"/roles/{made.teachers[0]}/facilitator").status_code == 303
    home = teacher.get("/")
    assert "Niamh, facilitator" in home and "Find a partner" in home
    assert "Pairs that stand still" in home and f'href="{teacher.at}/progress"' in home
    assert "Pairs that stand still" in teacher.get("/progress")
    assert teacher.status("/partner") == 200
    assert "You are facilitator of this activity" in teacher.get("/you")
    assert teacher.status("/roles") == 404, "a facilitator gives no roles"
    assert trainer.post(f"/roles/{made.teachers[0]}/facilitator/withdraw").status_code == 303
    assert teacher.status("/progress") == 404
    assert "Niamh, facilitator" not in teacher.get("/")
    assert "You are facilitator" not in teacher.get("/you")


def test_an_instructor_who_is_facilitator_lands_on_the_pairs_that_stand_still(
    made: MadeCourse, trainer: Browser, guest: Browser
) -> None:
    trainer.post(f"/roles/{made.guest}/facilitator")
    page = guest.get("/")
    assert "Colm, facilitator" in page and "Pairs that stand still" in page
    assert "/roles" not in page


@pytest.mark.parametrize("who", ["leader", "administrator"])
@pytest.mark.parametrize("role", ["trainer", "facilitator"])
def test_nobody_above_is_given_a_role(
    database: Database, made: MadeCourse, trainer: Browser, who: str, role: str
) -> None:
    member = getattr(made, who)
    answer = trainer.post(f"/roles/{member}/{role}")
    assert answer.status_code == 409 and "This role is not for them" in answer.get_data(as_text=True)
    assert f"/roles/{member}/{role}" not in trainer.get(f"/roles/{member}")
    with database.read() as session:
        assert not session.scalars(select(ActivityFacilitator.id)).all()
    assert trainers(database) == [made.trainer]


def test_a_teacher_is_not_made_trainer(database: Database, made: MadeCourse, trainer: Browser) -> None:
    assert trainer.post(f"/roles/{made.teachers[0]}/trainer").status_code == 409
    assert trainers(database) == [made.trainer]


def test_the_last_trainer_names_another_first(
    database: Database, made: MadeCourse, trainer: Browser, guest: Browser
) -> None:
    answer = trainer.post(f"/roles/{made.trainer}/trainer/withdraw")
    assert answer.status_code == 409 and "You are the only trainer" in answer.get_data(as_text=True)
    trainer.post(f"/roles/{made.guest}/trainer")
    answer = trainer.post(f"/roles/{made.trainer}/trainer/withdraw")
    assert answer.status_code == 303 and answer.location == f"{trainer.at}/"
    assert "Ask the trainer" in trainer.get("/"), "now a guest"
    assert trainers(database) == [made.guest]


def test_a_second_trainer_who_leads_the_school_does_not_count(
    database: Database, made: MadeCourse, trainer: Browser, guest: Browser
) -> None:
    trainer.post(f"/roles/{made.guest}/trainer")
    guest.post("/leader")
    assert trainer.post(f"/roles/{made.trainer}/trainer/withdraw").status_code == 409


@pytest.mark.parametrize("path", ["/roles", "/roles/{guest}"])
@pytest.mark.parametrize("who", ["guest", "leader", "administrator", "teacher"])
def test_the_pages_are_for_the_trainer(
    app: Flask, database: Database, clock: Any, made: MadeCourse, who: str, path: str
) -> None:
    member = made.teachers[0] if who == "teacher" else getattr(made, who)
    browser = Browser(app, database, clock, member, made.activity_id)
    assert browser.status(path.format(guest=made.guest)) == 404
    for role in ("trainer", "facilitator", "leader"):
        assert browser.post(f"/roles/{member}/{role}").status_code == 404
    assert trainers(database) == [made.trainer]


def test_members_of_other_courses_and_unknown_roles_are_not_there(
    database: Database, clock: Any, made: MadeCourse, trainer: Browser
) -> None:
    elsewhere = make_course(database, now=clock.now)
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == made.teachers[2]).values(is_active=False))
    for member in (elsewhere.guest, made.teachers[2], "nobody", "%00", "x" * 500):
        assert trainer.status(f"/roles/{member}") == 404
        for role in ("trainer", "facilitator", "leader"):
            assert trainer.post(f"/roles/{member}/{role}").status_code == 404
            assert trainer.post(f"/roles/{member}/{role}/withdraw").status_code == 404
    assert trainer.post(f"/roles/{made.guest}/host").status_code == 404
    assert said_by(database, elsewhere.guest) == (False, "")


def test_a_person_is_found_by_name(made: MadeCourse, trainer: Browser) -> None:
    page = trainer.get("/roles?q=niamh+ni")
    found = page.partition('id="find"')[2]
    assert "Niamh Ní Bhriain" in found and "Gráinne" not in found
    assert "Nobody here has a name like that" in trainer.get("/roles?q=zzz")
    for odd in ("%00", "%F0%9F%98%80", "x" * 5000, "&page=99999999999999999999", "&page=-1", "&page=x"):
        assert trainer.status(f"/roles?q={odd}") == 200


def test_the_page_costs_the_same_with_three_thousand_members(app: Flask, database: Database, clock: Any) -> None:
    seen = []
    for members in (30, 3000):
        made = make_course(database, teachers=2, now=clock.now)
        with database.write() as session:
            people = [
                {
                    "id": new_id(),
                    "platform_id": made.platform_id,
                    "sub": new_id(),
                    "name": f"T {i}",
                    "created_at": clock.now,
                }
                for i in range(members)
            ]
            session.execute(insert(Person), people)
            session.execute(
                insert(Membership),
                [
                    {
                        "id": new_id(),
                        "course_id": made.course_id,
                        "person_id": person["id"],
                        "lms_role": "learner",
                        "created_at": clock.now,
                    }
                    for person in people
                ],
            )
        browser = Browser(app, database, clock, made.trainer, made.activity_id)
        with recorded(database) as statements:
            page = browser.get("/roles?page=2")
        assert "page 2 of" in page and len(page) < 60_000
        seen.append(len(statements))
    assert seen[0] == seen[1] <= 12


# Leading the school


def test_a_trainer_says_who_leads_the_school_and_they_see_no_names(
    database: Database, made: MadeCourse, trainer: Browser, guest: Browser
) -> None:
    trainer.post(f"/roles/{made.guest}/trainer")
    assert "Niamh" in guest.get("/")
    assert trainer.post(f"/roles/{made.guest}/leader").status_code == 303
    assert said_by(database, made.guest) == (True, "trainer")
    page = guest.get("/")
    assert "Niamh" not in page and "Make time" in page and ", trainer" not in page
    assert guest.status("/progress") == guest.status("/roles") == 404
    assert "A trainer of this course said so" in guest.get("/you")
    assert guest.post("/leader").status_code == 404, "said already"
    assert "A trainer said so." in trainer.get("/roles")
    assert trainer.post(f"/roles/{made.guest}/leader/withdraw").status_code == 303
    assert said_by(database, made.guest) == (False, "")
    assert "Niamh" in guest.get("/"), "the role slept"


def test_a_trainer_takes_back_what_a_person_said_by_mistake(
    database: Database, made: MadeCourse, trainer: Browser, teacher: Browser
) -> None:
    teacher.post("/leader")
    assert said_by(database, made.teachers[0]) == (True, "person")
    assert "You said so" in teacher.get("/you")
    assert "They said so themselves." in trainer.get(f"/roles/{made.teachers[0]}")
    trainer.post(f"/roles/{made.teachers[0]}/leader")
    assert said_by(database, made.teachers[0]) == (True, "person"), "a trainer's word does not cover theirs"
    assert trainer.post(f"/roles/{made.teachers[0]}/leader/withdraw").status_code == 303
    assert "Find a partner" in teacher.get("/")


def test_nobody_takes_their_own_word_back(database: Database, made: MadeCourse, trainer: Browser) -> None:
    assert trainer.post(f"/roles/{made.trainer}/leader").status_code == 409
    assert said_by(database, made.trainer) == (False, "")
    trainer.post("/leader")
    assert trainer.post(f"/roles/{made.trainer}/leader/withdraw").status_code == 404
    assert said_by(database, made.trainer) == (True, "person")


def test_the_operators_word_counts_at_once_and_no_trainer_takes_it_back(
    database: Database, made: MadeCourse, trainer: Browser, guest: Browser
) -> None:
    trainer.post(f"/roles/{made.guest}/trainer")
    assert "Niamh" in guest.get("/progress")
    operator_says(database, made.guest)
    assert guest.status("/progress") == guest.status("/roles") == 404
    assert "Niamh" not in guest.get("/")
    assert "The people who run the tool said so" in guest.get("/you")
    page = trainer.get(f"/roles/{made.guest}")
    assert "Only they can take it back" in page and "/leader/withdraw" not in page
    assert trainer.post(f"/roles/{made.guest}/leader/withdraw").status_code == 409
    assert guest.status("/progress") == 404
    operator_says(database, made.guest, leads=False)
    assert "Niamh" in guest.get("/progress")


def test_a_facilitator_who_leads_the_school_sees_no_names_either(
    database: Database, made: MadeCourse, trainer: Browser, teacher: Browser
) -> None:
    trainer.post(f"/roles/{made.teachers[0]}/facilitator")
    operator_says(database, made.teachers[0])
    assert teacher.status("/progress") == 404
    assert "Niamh, facilitator" not in teacher.get("/")
    assert teacher.post(f"/nudges/teachers/{made.teachers[1]}").status_code == 404


# Without a trainer


def test_an_activity_whose_trainer_leads_the_school_is_taken_over(
    app: Flask, database: Database, clock: Any, made: MadeCourse, trainer: Browser, guest: Browser, teacher: Browser
) -> None:
    assert "take-over" not in guest.get("/")
    assert guest.post("/take-over").status_code == 409
    trainer.post("/leader")
    page = guest.get("/")
    assert "Take it over as trainer" in page and not [name for name in ("Niamh", "Máire") if name in page]
    for other in ("leader", "administrator"):
        browser = Browser(app, database, clock, getattr(made, other), made.activity_id)
        assert "take-over" not in browser.get("/") and browser.post("/take-over").status_code == 404
    assert "take-over" not in teacher.get("/") and teacher.post("/take-over").status_code == 404
    assert trainer.post("/take-over").status_code == 404, "not by whom it was left"
    assert guest.post("/take-over").status_code == 303
    assert "How it is going" in guest.get("/")


def test_of_two_who_take_over_one_is_told_that_the_other_was_first(
    app: Flask, database: Database, clock: Any, made: MadeCourse, trainer: Browser, guest: Browser
) -> None:
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == made.teachers[0]).values(lms_role="instructor"))
    second = Browser(app, database, clock, made.teachers[0], made.activity_id)
    trainer.post("/leader")
    assert "take-over" in guest.get("/") and "take-over" in second.get("/")
    assert second.post("/take-over").status_code == 303
    answer = guest.post("/take-over")
    assert answer.status_code == 409 and "This activity has a trainer" in answer.get_data(as_text=True)
    assert "Niamh" not in answer.get_data(as_text=True)


def test_two_at_the_same_moment_take_over_once(database: Database, clock: Any, made: MadeCourse) -> None:
    rivals = [made.guest, made.teachers[0], made.teachers[1]]
    actors = []
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id.in_(rivals)).values(lms_role="instructor"))
        session.execute(update(Membership).where(Membership.id == made.trainer).values(is_active=False))
    for rival in rivals:
        with database.write() as session:
            handle, secret = open_sign_in(
                session,
                membership_id=rival,
                activity_id=made.activity_id,
                locale="en",
                platform_origin="",
                return_url="",
                now=clock.now,
            )
        with database.read() as session:
            actor = load_actor(session, handle, secret, clock.now)
            assert actor is not None
            actors.append(actor)
    start, won = threading.Barrier(len(actors)), []

    def race(actor: Any) -> None:
        start.wait()
        with database.write() as session:
            won.append(coaching_roles.take_over(session, actor, made.activity_id, clock.now))

    threads = [threading.Thread(target=race, args=(actor,)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, True]
    with database.read() as session:
        found = activities.find(session, made.activity_id)
        assert found is not None and found.has_trainer
    assert len(trainers(database)) == 2, "the one who left the course, and the one who was first"
