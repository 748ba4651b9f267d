"""No page of another site, and no other sign-in, can make a change in somebody's name."""

from typing import Any

import pytest
from browsers import Browser
from factories import MadeCourse, make_course
from flask import Flask
from flask.testing import FlaskClient
from schools.conftest import Visitor
from web.every_address import addresses

from lti_tool.store.database import Database

REFUSED = "This page was open too long"
READS = {"GET"}


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, protocol="collegial", now=clock.now)


def refused(client: FlaskClient, method: str, path: str, token: str | None) -> bool:
    answer = client.open(path, method=method, data={} if token is None else {"csrf_token": token})
    return answer.status_code == 400 and REFUSED in answer.get_data(as_text=True)


def test_every_change_of_a_sign_in_needs_the_token_of_this_sign_in(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    def browser(person: str) -> Browser:
        return Browser(app, database, clock, person, course.activity_id)

    mine, again, others = browser(course.teachers[0]), browser(course.teachers[0]), browser(course.teachers[1])
    # All in one browser, as at a staff-room computer: cookies are no help to tell them apart.
    for held in (again, others):
        cookie = held.client.get_cookie(f"__Host-at-{held.at[4:]}", domain="localhost")
        assert cookie is not None
        mine.client.set_cookie(cookie.key, cookie.value, domain="localhost")
    changes = [each for each in addresses(app, "/at/", at=mine.at) if each[0] not in READS]
    assert len(changes) > 30
    for method, path in changes:
        for whose, token in (
            ("none", None), ("an empty one", ""), ("a made-up one", "x"), ("another person's", others.token),
            ("another sign-in's of the same person", again.token),
        ):  # fmt: skip
            assert refused(mine.client, method, path, token), f"{method} {path} takes {whose} token"
    # Leaving ends the sign-in, so it comes last.
    for method, path in sorted(changes, key=lambda each: each[1].endswith("/leave")):
        assert not refused(mine.client, method, path, mine.token), f"{method} {path} refuses its own token"


def test_every_change_of_a_visit_needs_the_token_of_this_visit(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    mine, again = (Visitor(app, database, course.platform_id, clock.now) for _ in range(2))
    changes = [each for each in addresses(app, "/school/", visit=mine.at) if each[0] not in READS]
    assert len(changes) > 3
    for method, path in changes:
        for token in (None, "", "x", again.token):
            assert refused(mine.client, method, path, token), f"{method} {path} takes {token!r}"


def test_over_https_a_form_of_another_site_is_refused_even_with_the_token(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    mine = Browser(app, database, clock, course.teachers[0], course.activity_id)
    for referrer, status in ((None, 400), ("https://evil.example/", 400), ("https://localhost/", 303)):
        headers = {"Referer": referrer} if referrer else {}
        answer = mine.client.post(
            f"{mine.at}/language", data={"csrf_token": mine.token, "language": "ga"}, headers=headers,
            base_url="https://localhost",
        )  # fmt: skip
        assert answer.status_code == status, referrer


def test_a_get_is_never_made_a_change(app: Flask, database: Database, clock: Any, course: MadeCourse) -> None:
    mine = Browser(app, database, clock, course.teachers[0], course.activity_id)
    for method in ("GET", "HEAD", "OPTIONS"):
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            answer = mine.client.open(
                f"{mine.at}/leave?_method=POST&csrf_token={mine.token}", method=method, headers={name: "POST"}
            )
            assert answer.status_code in (200, 405)
    assert mine.status("/") == 200


def test_what_a_form_of_another_site_sent_is_not_shown_as_if_it_were_ones_own(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    mine = Browser(app, database, clock, course.teachers[0], course.activity_id)
    for site, shown in (("cross-site", False), ("same-site", False), ("same-origin", True), (None, True)):
        answer = mine.client.post(
            f"{mine.at}/language", data={"text": "call 555 at once"}, headers={"Sec-Fetch-Site": site} if site else {}
        )
        assert answer.status_code == 400
        assert ("call 555" in answer.get_data(as_text=True)) == shown, site
