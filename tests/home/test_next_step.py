"""The page of a teacher in a pair: the next step, the picture, who can see, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from rounds.proposed import asked
from sqlalchemy import update

from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation
from lti_tool.people.models import Membership
from lti_tool.store.database import Database


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=4, protocol="collegial", now=clock.now)


@pytest.fixture
def browsers(app: Flask, database: Database, clock: Any, course: MadeCourse) -> list[Browser]:
    """The first two are a pair; the third has invited the second."""
    with database.write() as session:
        for host, coach in ((0, 1), (2, 1)):
            session.add(
                Invitation(
                    id=f"invitation-{host}",
                    activity_id=course.activity_id,
                    host_id=course.teachers[host],
                    coach_id=course.teachers[coach],
                    created_at=clock.now,
                    expires_at=clock.now + timedelta(days=14),
                )
            )
        session.flush()
        pairing.accept(session, "invitation-0", clock.now)
    return [Browser(app, database, clock, teacher, course.activity_id) for teacher in course.teachers]


def test_both_land_on_the_next_step_with_the_picture(browsers: list[Browser]) -> None:
    for browser, partner, role in (
        (browsers[0], "Seán", "you are the host"),
        (browsers[1], "Niamh", "you are the coach"),
    ):
        page = browser.get("/")
        assert f"Get started with {partner}" in page
        assert 'role="img"' in page and "you are here" in page
        assert f"Seen by you and {partner} only" in page
        assert role in page
    assert "Somebody else invites you too" in browsers[1].get("/")
    assert "Somebody else invites you too" not in browsers[0].get("/")


def test_the_page_costs_at_most_twelve_statements(database: Database, browsers: list[Browser]) -> None:
    for browser in browsers:
        browser.get("/")
        with recorded(database) as statements:
            browser.get("/")
        assert len(statements) <= 12


def test_a_pause_and_an_end_lead_on(browsers: list[Browser]) -> None:
    host, coach = browsers[:2]
    assert host.post("/pair/pause").location.endswith("/?told=paused")
    page = host.get("/?told=paused")
    assert "and never why" in page and "Go on with Seán" in page
    assert "Gráinne Byrne invites you" in coach.get("/"), "an answer is possible while the pair is paused"
    assert "your paused pair with Niamh ends" in coach.get("/")
    host.post("/pair/resume")
    assert "Get started with Seán" in host.get("/")
    coach.post("/pair/end")
    page = host.get("/")
    assert "Find a partner" in page and "Cycle 1 with Seán" in page, "what was written stays readable"


def test_the_message_of_a_page_is_one_of_ours(browsers: list[Browser]) -> None:
    assert "<script>" not in browsers[3].get("/?told=<script>")
    assert 'class="status-line" role="status"' not in browsers[3].get("/?told=unknown")


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_leader": True}])
def test_whoever_left_or_leads_keeps_what_is_theirs_and_sees_no_more(
    database: Database, course: MadeCourse, browsers: list[Browser], change: dict[str, bool]
) -> None:
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[0]).values(**change))
    page = browsers[0].get("/")
    assert "Cycle 1 with Seán" in page
    for name in ("Gráinne", "Oisín", "Máire"):
        assert name not in page
    assert browsers[0].status("/pair") == 404


def test_an_outsider_sees_nothing_of_the_pair(
    app: Flask, database: Database, clock: Any, course: MadeCourse, browsers: list[Browser]
) -> None:
    for member in (course.guest, course.leader, course.administrator):
        page = Browser(app, database, clock, member, course.activity_id).get("/")
        assert "Niamh" not in page and "Seán" not in page
    assert "Niamh" not in browsers[3].get("/") and "Seán" not in browsers[3].get("/")


def test_in_a_round_a_proposal_comes_before_an_invitation_and_costs_no_more(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    round_id = add_activity(database, course, clock.now, title="Partners", kind="pairing")
    niamh, sean, grainne, oisin = (Browser(app, database, clock, each, round_id) for each in course.teachers)
    assert grainne.post(f"/partner/{course.teachers[0]}").status_code == 303
    with recorded(database) as before:
        niamh.get("/")
    asked(database, round_id, [course.teachers[:2]], clock.now, left={course.teachers[3]: ""})
    with recorded(database) as after:
        page = niamh.get("/")
    assert len(after) == len(before) <= 12
    assert page.count("<h1") == 1 and "Gráinne Byrne invites you" in page
    assert "You could coach with Seán Ó Dónaill" in page
    assert "invites you" not in sean.get("/") and "You could coach with Niamh" in sean.get("/")
    page = oisin.get("/")
    assert "Nobody was found for you this time" in page and "/round/without" in page
    assert "Say that you would like one" not in page
    assert "was found for you" not in grainne.get("/")


def test_in_a_round_who_has_said_something_is_not_asked_to_anew(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    round_id = add_activity(database, course, clock.now, title="Partners", kind="pairing")
    niamh, sean = (Browser(app, database, clock, each, round_id) for each in course.teachers[:2])
    assert "Say that you would like one" in niamh.get("/")
    niamh.post("/round/wishes", do="yes")
    with recorded(database) as statements:
        page = niamh.get("/")
    assert len(statements) <= 12
    assert "You have no partner yet" in page and "Say that you would like one" not in page
    assert "Say that you would like one" in sean.get("/")
