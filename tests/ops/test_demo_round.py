"""The examples of the demonstration: a round that can be calculated at once, and a visit whose picture is found."""

import pytest
from conftest import Clock
from factories import sign_in
from flask import Flask
from sqlalchemy import select

from lti_tool.ops import demo_round, demo_visit
from lti_tool.pairing.models import PairMember
from lti_tool.people.models import Deployment, Membership, Person, Platform, School
from lti_tool.rounds import calculation, setting, wishes
from lti_tool.rounds.models import PairingWish, RoundRun
from lti_tool.rounds.rules import Summary
from lti_tool.sandbox.people import TEACHERS, TRAINER
from lti_tool.store.database import Database

PEOPLE = [
    {"id": str(number), "name": f"{given} {family}", "role": "student"}
    for number, (given, family) in enumerate(TEACHERS, start=10)
] + [{"id": "5", "name": f"{TRAINER[0]} {TRAINER[1]}", "role": "editingteacher"}]


@pytest.fixture
def filled(app: Flask, database: Database, clock: Clock) -> str:
    """Id of the round, behind a link of an LMS that is registered and was never launched."""
    with database.write() as session:
        urls = dict.fromkeys(
            ("issuer", "client_id", "authorization_url", "token_url", "jwks_url"), "https://lms.example"
        )
        platform = Platform(name="Sandbox school", family="moodle", created_at=clock.now, **urls)
        session.add(platform)
        session.flush()
        session.add(Deployment(platform_id=platform.id, deployment_id="1", created_at=clock.now))
    keyring = app.extensions["meitheal"].keyring
    assert demo_round.fill({"id": "3", "course": "2"}, PEOPLE, database, keyring, clock)
    with database.read() as session:
        return session.scalars(select(PairingWish.activity_id).distinct()).one()


def test_its_pairs_can_be_calculated_at_once(app: Flask, database: Database, clock: Clock, filled: str) -> None:
    keyring = app.extensions["meitheal"].keyring
    with database.read() as session:
        said = wishes.of_round(session, keyring, filled, clock())
        assert sum(wish.is_in for wish in said.values()) == demo_round.WHO_ASK
        assert session.query(School).count() == 2
        course_id = session.scalars(select(Membership.course_id).distinct()).one()
        assert len(setting.managers(session, course_id)) == 3
    with database.write() as session:
        run_id = calculation.ask(session, filled, clock())
    calculation.run({"run_id": run_id}, database=database, keyring=keyring, clock=clock)
    with database.read() as session:
        run = session.get_one(RoundRun, run_id)
        summary = Summary.of(run.summary)
    assert run.status == "review"
    # Of an odd number somebody would be left: three go together.
    assert (summary.people, summary.pairs, summary.triads, summary.left) == (demo_round.WHO_ASK, 10, 1, 0)
    assert summary.gap == 0 and summary.later == (0, 0)


def test_both_of_a_pair_find_the_picture_of_a_visit(app: Flask, database: Database, clock: Clock, filled: str) -> None:
    keyring = app.extensions["meitheal"].keyring
    assert demo_visit.fill({"id": "4", "course": "2"}, PEOPLE, database, keyring, clock)
    with database.read() as session:
        rows = session.execute(
            select(Person.given_name, Membership.id, PairMember.activity_id)
            .join(Membership, Membership.person_id == Person.id)
            .join(PairMember, PairMember.membership_id == Membership.id)
        ).all()
    assert {row.given_name for row in rows} == {"Niamh", "Seán"}
    for row in rows:
        client = app.test_client()
        at = sign_in(database, client, row.id, row.activity_id, clock())
        home = client.get(f"{at}/").get_data(as_text=True)
        assert "Conversation after" in home
        cycle = f"{at}/cycles/{home.split('/cycles/')[1].split('/')[0]}"
        assert "observation-drawing" in client.get(f"{cycle}/after").get_data(as_text=True)
        picture = client.get(f"{cycle}/visit-picture").get_data(as_text=True)
        assert "observation-drawing" in picture and "What decides whom you call on?" in picture
        assert ("Seats in a ring" in picture) == (row.given_name == "Seán")


def test_where_the_lms_is_not_known_before_its_first_launch_there_is_none(
    app: Flask, database: Database, clock: Clock
) -> None:
    keyring = app.extensions["meitheal"].keyring
    for example in (demo_round, demo_visit):
        assert not example.fill({"id": "3", "course": "2"}, PEOPLE, database, keyring, clock)
