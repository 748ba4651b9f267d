"""Which page somebody sees first: by table, and through the app."""

import re
from dataclasses import replace
from typing import Any

import pytest
from factories import A_TEACHER, MadeCourse, make_course, sign_in
from flask.testing import FlaskClient
from sqlalchemy import update

from lti_tool.people.actor import Actor
from lti_tool.people.models import Membership
from lti_tool.privacy.rules import ActivityFacts
from lti_tool.store.database import Database
from lti_tool.web.home import Landing, landing

TEACHER = A_TEACHER
INSTRUCTOR = replace(TEACHER, lms_role="instructor")
NEW, OPEN, ELSEWHERE = ActivityFacts("course", "new"), ActivityFacts("course", "open"), ActivityFacts("other", "open")


@pytest.mark.parametrize(
    ("actor", "activity", "page"),
    [
        (INSTRUCTOR, NEW, Landing.SET_UP),
        (INSTRUCTOR, OPEN, Landing.GUEST),
        (replace(INSTRUCTOR, is_trainer=True), OPEN, Landing.PROGRESS),
        (replace(INSTRUCTOR, is_trainer=True, is_leader=True), OPEN, Landing.ABOVE),
        (replace(INSTRUCTOR, is_trainer=True, is_administrator=True), OPEN, Landing.ABOVE),
        (replace(INSTRUCTOR, is_trainer=True, is_active=False), OPEN, Landing.LEFT_COURSE),
        (replace(INSTRUCTOR, is_leader=True), NEW, Landing.ABOVE),
        (replace(INSTRUCTOR, is_administrator=True), NEW, Landing.ABOVE),
        (INSTRUCTOR, None, Landing.NO_ACTIVITY),
        (replace(TEACHER, lms_role="other"), OPEN, Landing.GUEST),
        (replace(TEACHER, lms_role="other"), NEW, Landing.GUEST),
        (TEACHER, NEW, Landing.NOT_OPEN),
        (TEACHER, OPEN, Landing.TEACHER),
        (TEACHER, ELSEWHERE, Landing.GUEST),
        (replace(TEACHER, is_welcomed=False), OPEN, Landing.WELCOME),
        (replace(TEACHER, is_leader=True), OPEN, Landing.ABOVE),
        (replace(TEACHER, is_active=False), OPEN, Landing.LEFT_COURSE),
        (TEACHER, None, Landing.NO_ACTIVITY),
    ],
)
def test_landing(actor: Actor, activity: ActivityFacts | None, page: Landing) -> None:
    assert landing(actor, activity) is page


def home(database: Database, client: FlaskClient, clock: Any, membership: str, activity: str | None) -> str:
    answer = client.get(sign_in(database, client, membership, activity, clock.now) + "/")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def names_in(page: str) -> list[str]:
    return [name for name in ("Niamh", "Seán", "Gráinne", "Máire", "Colm") if name in page]


@pytest.mark.parametrize("status", ["open", "new"])
@pytest.mark.parametrize("who", ["guest", "leader", "administrator"])
def test_whoever_is_not_part_of_it_sees_neither_names_nor_content(
    database: Database, client: FlaskClient, clock: Any, who: str, status: str
) -> None:
    made = make_course(database, status=status, now=clock.now)
    page = home(database, client, clock, getattr(made, who), made.activity_id)
    assert not set(names_in(page)) - ({"Colm"} if who == "guest" else set())
    assert "/about" in page


def test_every_page_says_who_can_see_what_and_has_one_heading(
    database: Database, client: FlaskClient, clock: Any
) -> None:
    made = make_course(database, now=clock.now)
    fresh = make_course(database, status="new", welcomed=False, now=clock.now)
    unread = make_course(database, welcomed=False, now=clock.now)
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == made.teachers[2]).values(is_active=False))
    cases: list[tuple[MadeCourse, str, str | None]] = [
        (made, made.trainer, made.activity_id),
        (made, made.guest, made.activity_id),
        (made, made.leader, made.activity_id),
        (made, made.teachers[0], made.activity_id),
        (made, made.teachers[2], made.activity_id),
        (made, made.teachers[0], None),
        (fresh, fresh.trainer, fresh.activity_id),
        (fresh, fresh.teachers[0], fresh.activity_id),
        (unread, unread.teachers[0], unread.activity_id),
    ]
    titles = set()
    for _course, membership, activity in cases:
        page = home(database, client, clock, membership, activity)
        titles.add(re.findall(r"<title>(.*?)</title>", page)[0])
        assert 'class="who-can-see"' in page
        assert page.count("<h1") == 1
        assert "Find a partner" not in page or membership == made.teachers[0]
    assert len(titles) >= 8


def test_the_pages_speak_irish_to_those_who_asked_for_it(database: Database, client: FlaskClient, clock: Any) -> None:
    made = make_course(database, now=clock.now)
    prefix = sign_in(database, client, made.teachers[0], made.activity_id, clock.now, locale="ga_IE")
    assert '<html lang="ga"' in client.get(f"{prefix}/").get_data(as_text=True)
