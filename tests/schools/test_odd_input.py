"""Whatever is sent to the pages of schools, the answer is a page and never an error of ours."""

from typing import Any
from urllib.parse import quote

import pytest
from browsers import Browser
from conftest import Clock
from factories import MadeCourse
from flask import Flask
from schools.conftest import CHARTER, Visitor

from lti_tool.lti.http import CallFailed
from lti_tool.store.database import Database

ODD = ("", "\0", "a\0b", "é", "‮", "💚", "-1", "../..", "x" * 3000, "[" * 200, "{{7*7}}", "%", "null")
FORMS = ("school", "code", "signed_by", "position", "minutes", "time_zone", "school_name")


def no_network(*_arguments: Any, **_options: Any) -> Any:
    raise CallFailed("down")


@pytest.mark.parametrize("who", ["visit", "administrator", "teacher"])
def test_nothing_odd_breaks_a_page(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, visitor: Visitor, who: str
) -> None:
    app.extensions["meitheal"].lti.http.request = no_network
    membership = made.administrator if who == "administrator" else made.teachers[0]
    person = Browser(app, database, clock, membership, made.activity_id)
    client, at, token = (
        (visitor.client, visitor.at, visitor.token) if who == "visit" else (person.client, person.at, person.token)
    )
    paths = ["/", "/test", "/charter", "/charter/take-back", "/school", "/school/test", "/your-school", "/time-zone"]
    for odd in ODD:
        for path in paths:
            form = CHARTER | dict.fromkeys(FORMS, odd) | {"csrf_token": token}
            answers = (
                client.get(f"{at}{path}?school={quote(odd, safe='')}&school=x"),
                client.post(at + path, data=form),
                client.post(at + path, data=b"\xff=%ff", content_type="application/x-www-form-urlencoded"),
                client.post(at + path, json=[odd], headers={"X-CSRFToken": token}),
            )
            assert max(answer.status_code for answer in answers) < 500, (path, odd)
        place = quote(odd, safe="")
        for address in (
            f"/school/{place}/",
            f"/school/{place}/charter",
            f"/school/open?code={place}",
            f"/school/{place}",
        ):
            assert client.get(address).status_code in (301, 308, 401, 404), address
            assert client.post(address, data={"csrf_token": token}).status_code < 500, address
    assert client.get(f"{at}/charter").status_code == 200
