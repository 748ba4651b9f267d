"""A page acts for the person who launched it, or asks to launch again; never for another."""

import pytest
from factories import csrf_token, make_course, sign_in
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lti_tool.people.models import Membership, Platform, SignIn
from lti_tool.people.sign_ins import LIFETIME, load_actor, open_sign_in, remove_expired
from lti_tool.store.database import Database


def opened(database: Database, clock, membership: str, activity: str | None) -> tuple[str, str]:
    with database.write() as session:
        return open_sign_in(
            session,
            membership_id=membership,
            activity_id=activity,
            locale="en",
            platform_origin="https://lms.example",
            return_url="",
            now=clock.now,
        )


def test_the_secret_of_a_handle_loads_its_person(database: Database, clock) -> None:
    made = make_course(database, now=clock.now)
    handle, secret = opened(database, clock, made.teachers[0], made.activity_id)
    with database.read() as session:
        actor = load_actor(session, handle, secret, clock.now)
    assert actor is not None
    assert actor.membership_id == made.teachers[0]
    assert actor.is_teacher and not actor.is_trainer and not actor.is_guest


def test_the_trainer_of_an_activity_is_trainer_there_only(database: Database, clock) -> None:
    made = make_course(database, now=clock.now)
    for activity, expected in ((made.activity_id, True), (None, False)):
        handle, secret = opened(database, clock, made.trainer, activity)
        with database.read() as session:
            actor = load_actor(session, handle, secret, clock.now)
        assert actor is not None and actor.is_trainer is expected


@pytest.mark.parametrize("wrong", ["", "x", "x" * 43])
def test_another_secret_loads_nobody(database: Database, clock, wrong: str) -> None:
    made = make_course(database, now=clock.now)
    handle, _secret = opened(database, clock, made.teachers[0], made.activity_id)
    with database.read() as session:
        assert load_actor(session, handle, wrong, clock.now) is None


def test_the_secret_of_another_handle_loads_nobody(database: Database, clock) -> None:
    made = make_course(database, now=clock.now)
    mine, _ = opened(database, clock, made.teachers[0], made.activity_id)
    _, yours = opened(database, clock, made.teachers[1], made.activity_id)
    with database.read() as session:
        assert load_actor(session, mine, yours, clock.now) is None


def test_a_sign_in_ends_by_itself(database: Database, clock) -> None:
    made = make_course(database, now=clock.now)
    handle, secret = opened(database, clock, made.teachers[0], made.activity_id)
    clock.advance(LIFETIME.total_seconds() - 1)
    with database.read() as session:
        assert load_actor(session, handle, secret, clock.now) is not None
    clock.advance(1)
    with database.read() as session:
        assert load_actor(session, handle, secret, clock.now) is None
    with database.write() as session:
        assert remove_expired(session, clock.now) == 1
        assert remove_expired(session, clock.now) == 0


def test_a_suspended_platform_ends_its_sign_ins(database: Database, clock) -> None:
    made = make_course(database, now=clock.now)
    handle, secret = opened(database, clock, made.teachers[0], made.activity_id)
    with database.write() as session:
        session.execute(update(Platform).values(status="suspended"))
    with database.read() as session:
        assert load_actor(session, handle, secret, clock.now) is None


def test_the_secret_is_not_in_the_database(database: Database, clock) -> None:
    made = make_course(database, now=clock.now)
    _handle, secret = opened(database, clock, made.teachers[0], made.activity_id)
    with database.read() as session:
        stored = session.execute(select(*SignIn.__table__.columns)).one()
    assert secret not in repr(stored)


def test_two_people_in_one_browser_stay_apart(database: Database, client: FlaskClient, clock) -> None:
    made = make_course(database, now=clock.now)
    niamh = sign_in(database, client, made.teachers[0], made.activity_id, clock.now)
    sean = sign_in(database, client, made.teachers[1], made.activity_id, clock.now)
    assert "Niamh" in client.get(f"{niamh}/").get_data(as_text=True)
    page = client.get(f"{sean}/").get_data(as_text=True)
    assert "Seán" in page and "Niamh" not in page


def test_a_copied_link_opens_nothing_elsewhere(app: Flask, database: Database, client: FlaskClient, clock) -> None:
    made = make_course(database, now=clock.now)
    niamh = sign_in(database, client, made.teachers[0], made.activity_id, clock.now)
    answer = app.test_client().get(f"{niamh}/")
    assert answer.status_code == 401
    assert "Niamh" not in answer.get_data(as_text=True)


def test_a_token_of_another_sign_in_is_refused(database: Database, client: FlaskClient, clock) -> None:
    made = make_course(database, now=clock.now)
    niamh = sign_in(database, client, made.teachers[0], made.activity_id, clock.now)
    sean = sign_in(database, client, made.teachers[1], made.activity_id, clock.now)
    mine, yours = csrf_token(client, niamh), csrf_token(client, sean)
    for token, status in (("", 400), (yours, 400), ("x", 400), (mine, 303)):
        answer = client.post(f"{niamh}/language", data={"csrf_token": token, "language": "ga"})
        assert answer.status_code == status, token


def test_what_was_typed_comes_back_when_the_sign_in_is_over(
    app: Flask, database: Database, client: FlaskClient, clock
) -> None:
    made = make_course(database, now=clock.now)
    niamh = sign_in(database, client, made.teachers[0], made.activity_id, clock.now)
    clock.advance(LIFETIME.total_seconds())
    answer = client.post(f"{niamh}/language", data={"text": "Who answers <first>", "csrf_token": "secret-token"})
    page = answer.get_data(as_text=True)
    assert answer.status_code in (400, 401)
    assert "Who answers &lt;first&gt;" in page
    assert "secret-token" not in page


def test_headers_of_a_page(database: Database, client: FlaskClient, clock) -> None:
    made = make_course(database, now=clock.now)
    niamh = sign_in(database, client, made.teachers[0], made.activity_id, clock.now)
    headers = client.get(f"{niamh}/").headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://lms.example" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_somebody_who_left_the_course_is_told_kindly(database: Database, client: FlaskClient, clock) -> None:
    made = make_course(database, now=clock.now)
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == made.teachers[0]).values(is_active=False))
    niamh = sign_in(database, client, made.teachers[0], made.activity_id, clock.now)
    answer = client.get(f"{niamh}/")
    assert answer.status_code == 200
    assert "Seán" not in answer.get_data(as_text=True)
