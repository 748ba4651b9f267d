"""How many requests a minute are answered, and for whom they are counted."""

from typing import Any

import pytest
from browsers import Browser
from factories import make_course, make_settings
from flask import Flask

from lti_tool.store.database import Database
from lti_tool.web import limits
from lti_tool.web.app import create_app


@pytest.fixture
def limited(database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app with a limit of three requests a minute."""
    monkeypatch.setattr(limits, "PER_PERSON", 3)
    monkeypatch.setattr(limits, "PER_ADDRESS", 3)
    return create_app(make_settings(limits={"enabled": True}), database=database, clock=clock)


def test_an_address_is_told_how_long_to_wait_and_then_goes_on(limited: Flask, clock: Any) -> None:
    client = limited.test_client()
    assert [client.get("/").status_code for _ in range(4)] == [200, 200, 200, 429]
    clock.advance(30)
    refused = client.get("/")
    assert refused.status_code == 429
    assert "A little too fast" in refused.get_data(as_text=True)
    # Asking again meanwhile does not make the wait longer.
    clock.advance(int(refused.headers["Retry-After"]) - 30)
    assert client.get("/").status_code == 200


def test_another_address_and_another_endpoint_are_counted_apart(limited: Flask) -> None:
    client = limited.test_client()
    for _ in range(4):
        client.get("/")
    assert client.get("/").status_code == 429
    assert client.get("/", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
    assert client.get("/lti/jwks.json").status_code == 200


def test_two_people_at_one_address_do_not_use_up_each_others_requests(
    limited: Flask, database: Database, clock: Any
) -> None:
    course = make_course(database, teachers=2, protocol="collegial", now=clock.now)
    one, other = (Browser(limited, database, clock, teacher, course.activity_id) for teacher in course.teachers)
    assert [one.status("/") for _ in range(4)][-1] == 429
    assert other.status("/") == 200


def test_what_a_page_is_made_of_and_the_health_checks_are_free(limited: Flask) -> None:
    client = limited.test_client()
    for path in ("/healthz", "/static/meitheal.css"):
        for _ in range(5):
            with client.get(path) as answer:
                assert answer.status_code == 200
