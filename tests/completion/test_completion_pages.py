"""The teacher's own tap, what is said before it, and what the trainer sees."""

import re
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from completion.coaching_school import submit
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import func, select, update

from lti_tool.activities.models import Activity
from lti_tool.completion.models import Delivery
from lti_tool.people.models import Membership, Person
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

BUTTON = "Tell the gradebook that I have completed this"


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    """The first two teachers have submitted; the activity reports completion."""
    made = make_course(database, teachers=4, now=clock.now)
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == made.activity_id).values(reports_completion=True))
    submit(database, made.activity_id, list(made.teachers[:2]), clock.now)
    return made


def browser(app: Flask, database: Database, clock: Any, course: MadeCourse, membership: str) -> Browser:
    return Browser(app, database, clock, membership, course.activity_id)


@pytest.fixture
def teacher(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return browser(app, database, clock, course, course.teachers[0])


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return browser(app, database, clock, course, course.trainer)


def deliveries(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(select(Delivery.membership_id, Delivery.status))]


def become(database: Database, **values: Any) -> None:
    with database.write() as session:
        session.execute(update(Delivery).values(**values))


def test_before_the_tap_it_is_said_what_is_sent_and_who_sees_it(teacher: Browser) -> None:
    for page in (teacher.get("/"), teacher.get("/completion")):
        assert BUTTON in page and page.index("What is sent") < page.index(BUTTON)
        assert page.index("Everybody who may see grades in the course") < page.index(BUTTON)
        assert "You need not" in page
    assert "Those who lead the school see it too" in teacher.get("/completion")


def test_the_tap_makes_one_delivery_and_says_how_it_goes(
    teacher: Browser, course: MadeCourse, database: Database, clock: Any
) -> None:
    for _ in range(2):
        assert teacher.post("/completion/tell").headers["Location"].endswith("/completion")
    assert deliveries(database) == [(course.teachers[0], "waiting")]
    page = teacher.get("/completion")
    assert "is on its way" in page and BUTTON not in page
    become(database, problem="busy")
    assert "does not answer at the moment" in teacher.get("/")
    become(database, status="sent", problem="", sent_at=clock.now)
    page = teacher.get("/completion")
    assert "was told on" in page and str(clock.now.year) in page and BUTTON not in page


def test_a_stopped_delivery_says_why_and_can_be_tried_again(
    teacher: Browser, course: MadeCourse, database: Database
) -> None:
    teacher.post("/completion/tell")
    become(database, status="stopped", problem="not_gradable", attempts=3)
    page = teacher.get("/")
    assert "could not be sent" in page and "gradebook role" in page and "Try again to tell" in page
    teacher.post("/completion/tell")
    assert deliveries(database) == [(course.teachers[0], "waiting")]


def test_who_has_not_submitted_can_tell_nothing(app: Flask, database: Database, clock: Any, course: MadeCourse) -> None:
    other = browser(app, database, clock, course, course.teachers[2])
    assert BUTTON not in other.get("/")
    page = other.get("/completion")
    assert "Nothing to tell yet" in page and BUTTON not in page
    refused = other.post("/completion/tell")
    assert refused.status_code == 409 and "nothing to tell yet" in refused.get_data(as_text=True)
    assert deliveries(database) == []


def test_an_activity_that_does_not_report_has_no_such_page(
    teacher: Browser, trainer: Browser, course: MadeCourse, database: Database
) -> None:
    with database.write() as session:
        session.execute(update(Activity).values(reports_completion=False))
    assert BUTTON not in teacher.get("/")
    assert teacher.status("/completion") == 404
    assert teacher.post("/completion/tell").status_code == 404
    assert "tells the gradebook nothing" in trainer.get("/deliveries")
    assert deliveries(database) == []


def test_nobody_else_tells_or_sees(app: Flask, database: Database, clock: Any, course: MadeCourse) -> None:
    for membership in (course.trainer, course.guest, course.leader, course.administrator):
        other = browser(app, database, clock, course, membership)
        assert other.status("/completion") == 404
        assert other.post("/completion/tell").status_code == 404
    for membership in (*course.teachers, course.guest, course.leader, course.administrator):
        other = browser(app, database, clock, course, membership)
        assert other.status("/deliveries") == 404
        assert other.post(f"/deliveries/{new_id()}/again").status_code == 404


def test_the_trainer_sees_each_delivery_and_can_try_again(
    app: Flask, teacher: Browser, trainer: Browser, course: MadeCourse, database: Database, clock: Any
) -> None:
    assert "Nobody has told the gradebook yet" in trainer.get("/deliveries")
    teacher.post("/completion/tell")
    browser(app, database, clock, course, course.teachers[1]).post("/completion/tell")
    page = trainer.get("/deliveries")
    assert page.count("It waits.") == 2 and "Niamh" in page and "Seán" in page and "Gráinne" not in page
    become(database, status="stopped", problem="no_column", tried_at=clock.now, attempts=3)
    page = trainer.get("/deliveries")
    assert page.count("could not be sent") == 2 and "no column for this activity" in page
    action = re.findall(r'action="[^"]*(/deliveries/[^"]+)"', page)[0]
    assert trainer.post(action).status_code == 303
    assert sorted(status for _, status in deliveries(database)) == ["stopped", "waiting"]
    become(database, status="sent", problem="", sent_at=clock.now)
    assert "Try again" not in trainer.get("/deliveries")
    assert trainer.post(action).status_code == 303
    assert {status for _, status in deliveries(database)} == {"sent"}


def test_a_delivery_of_another_activity_is_not_there(
    teacher: Browser, app: Flask, database: Database, clock: Any
) -> None:
    teacher.post("/completion/tell")
    with database.read() as session:
        delivery_id = session.scalars(select(Delivery.id)).one()
    elsewhere = make_course(database, now=clock.now)
    stranger = browser(app, database, clock, elsewhere, elsewhere.trainer)
    assert stranger.post(f"/deliveries/{delivery_id}/again").status_code == 404
    assert "Niamh" not in stranger.get("/deliveries")


@pytest.mark.parametrize("odd", ["%00", "..%2F..", "x" * 500, "é"])
def test_odd_addresses_and_pages_are_refused_calmly(trainer: Browser, odd: str) -> None:
    assert trainer.post(f"/deliveries/{odd}/again").status_code == 404
    assert trainer.status(f"/deliveries?page={odd}") == 200
    assert trainer.status("/deliveries?page=" + "9" * 30) == 200
    assert trainer.status("/deliveries?page=-1") == 200


def test_the_pages_cost_the_same_however_many_told(
    teacher: Browser, trainer: Browser, course: MadeCourse, database: Database, clock: Any
) -> None:
    teacher.post("/completion/tell")
    pages = ((teacher, "/"), (teacher, "/completion"), (trainer, "/deliveries"), (trainer, "/deliveries?page=2"))
    for who, path in pages:
        who.get(path)
    costs = []
    for more in (0, 250):
        with database.write() as session:
            platform = session.scalars(select(Person.platform_id).limit(1)).first()
            for number in range(more):
                person = Person(platform_id=platform, sub=f"s{number}", name=f"Teacher {number}", created_at=clock.now)
                session.add(person)
                session.flush()
                member = Membership(
                    course_id=course.course_id, person_id=person.id, lms_role="learner", created_at=clock.now
                )
                session.add(member)
                session.flush()
                session.add(
                    Delivery(
                        activity_id=course.activity_id, membership_id=member.id, status="sent",
                        completed_at=clock.now, sent_at=clock.now + timedelta(seconds=1),
                    )
                )  # fmt: skip
        cost = []
        for who, path in pages:
            with recorded(database) as statements:
                page = who.get(path)
            cost.append(len(statements))
        costs.append(cost)
    assert costs[0] == costs[1] and max(costs[0]) <= 12, costs
    assert "Earlier names" in page
    with database.read() as session:
        assert session.scalar(select(func.count(Delivery.id))) == 251


def test_welcome_and_about_say_the_truth(
    app: Flask, teacher: Browser, course: MadeCourse, database: Database, clock: Any
) -> None:
    assert "unless you yourself tap" in teacher.get("/about")
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[2]).values(welcomed_at=None))
    newcomer = browser(app, database, clock, course, course.teachers[2])
    assert "unless you yourself tap" in newcomer.get("/")
    with database.write() as session:
        session.execute(update(Activity).values(reports_completion=False))
    assert "unless you yourself tap" not in teacher.get("/about") + newcomer.get("/")
    assert "gets nothing." in teacher.get("/about")
    assert "The gradebook of the course: nothing." in newcomer.get("/")
