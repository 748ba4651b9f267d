"""What the tests of schools begin with."""

import re
from datetime import datetime
from typing import Any

import pytest
from factories import MadeCourse, make_course
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.people.models import Membership, Person
from lti_tool.schools import service
from lti_tool.store.database import Database

CHARTER = {
    "signed_by": "Bríd Ní Cheallaigh",
    "position": "Principal",
    "minutes": "120",
    "no_reporting": "1",
    "time": "1",
}


class Visitor:
    """Somebody who came by a one-time link, in a browser of their own."""

    def __init__(self, app: Flask, database: Database, platform_id: str, now: datetime) -> None:
        self.client: FlaskClient = app.test_client()
        with database.write() as session:
            self.code = service.open_link(session, platform_id, now)
        answer = use(self.client, self.code)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.at = answer.location.rstrip("/")
        self.token = token_of(self.get("/"))

    def get(self, path: str = "/") -> str:
        answer = self.client.get(self.at + path)
        assert answer.status_code == 200, answer.status
        return answer.get_data(as_text=True)

    def post(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(self.at + path, data={"csrf_token": self.token} | fields)


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found.group(1)


def use(client: FlaskClient, code: str) -> TestResponse:
    """Opens a link and presses its button."""
    page = client.get("/school/open", query_string={"code": code})
    assert page.status_code == 200, page.status
    return client.post("/school/open", data={"csrf_token": token_of(page.get_data(as_text=True)), "code": code})


@pytest.fixture
def made(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=6, now=clock.now)


@pytest.fixture
def elsewhere(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=1, now=clock.now)


@pytest.fixture
def visitor(app: Flask, database: Database, clock: Any, made: MadeCourse) -> Visitor:
    return Visitor(app, database, made.platform_id, clock.now)


def person_of(database: Database, membership_id: str) -> Person:
    with database.read() as session:
        return session.scalars(select(Person).join(Membership).where(Membership.id == membership_id)).one()


def add_school(database: Database, platform_id: str, name: str, now: datetime, named_by: str = "file") -> str:
    with database.write() as session:
        return service.add_school(session, platform_id, name, named_by, now)
