"""What every answer tells a browser: what may run in it, who may frame it, and that it is not to be kept."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from browsers import Browser
from factories import MadeCourse, make_course
from flask import Flask
from schools.conftest import Visitor
from sqlalchemy import update
from web.every_address import addresses
from werkzeug.test import TestResponse

from lti_tool.lti.platform import origin_of
from lti_tool.people.models import SignIn
from lti_tool.store.database import Database
from lti_tool.web import static_files

KEPT = {"/lti/jwks.json", "/lti/config.json"}
"""What holds for everybody, and may be stored on the way."""
DIRECTIVES = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:",
    "connect-src": "'self'", "worker-src": "'self'", "base-uri": "'none'", "form-action": "'self'",
}  # fmt: skip


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, protocol="collegial", now=clock.now)


def policy(answer: TestResponse) -> dict[str, str]:
    """The Content-Security-Policy, directive by directive; there is exactly one."""
    (written,) = answer.headers.getlist("Content-Security-Policy")
    return dict(part.strip().split(" ", 1) for part in written.split(";"))


class Inline(HTMLParser):
    """What a policy without inline would stop."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names and names.get("type") != "application/json"):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        self.found += [value for value in names.values() if value and value.lower().startswith("javascript:")]


@pytest.fixture
def answers(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Iterator[tuple[str, TestResponse]]:
    """One answer of every address and method: to a trainer, to a teacher, to a visitor, and to nobody."""

    def ask() -> Iterator[tuple[str, TestResponse]]:
        visitor = Visitor(app, database, course.platform_id, clock.now)
        people = [
            Browser(app, database, clock, who, course.activity_id) for who in (course.teachers[0], course.trainer)
        ]
        for client, at, visit, token in (
            *((one.client, one.at, "/school/none", one.token) for one in people),
            (visitor.client, "/at/none", visitor.at, visitor.token),
            (app.test_client(), "/at/none", "/school/none", ""),
        ):
            asked = sorted(addresses(app, at=at, visit=visit), key=lambda each: each[1].endswith("/leave"))
            asked += [("GET", "/none"), ("GET", at), ("TRACE", "/"), ("OPTIONS", "/"), ("HEAD", "/"), ("PUT", at + "/")]
            asked += [("GET", "/static/meitheal.css"), ("GET", "/static/texts.js"), ("GET", "//at//x")]
            for method, path in asked:
                form = {"csrf_token": token} if method == "POST" else None
                with client.open(path, method=method, data=form) as answer:
                    yield f"{method} {path}", answer

    return ask()


def test_every_answer_forbids_what_is_inline_or_from_elsewhere_and_is_not_stored(
    answers: Iterator[tuple[str, TestResponse]],
) -> None:
    seen: set[int] = set()
    for where, answer in answers:
        seen.add(answer.status_code)
        found = policy(answer)
        assert {name: found.get(name) for name in DIRECTIVES} == DIRECTIVES, where
        assert "unsafe" not in answer.headers["Content-Security-Policy"], where
        assert answer.headers["X-Content-Type-Options"] == "nosniff", where
        assert answer.headers["Referrer-Policy"] == "same-origin", where
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", where
        is_download = answer.headers.get("Content-Disposition", "").startswith("attachment")
        if answer.mimetype == "text/html" and not is_download:
            assert not (inline := Inline(answer.get_data(as_text=True)).found), (where, inline)
        path = where.split(" ")[1]
        if answer.status_code == 200 and path in KEPT:
            assert "max-age" in answer.headers["Cache-Control"], where
        elif answer.status_code == 200 and path.startswith("/static/"):
            assert answer.headers["Cache-Control"] == "no-cache", where
        else:
            # Nor does a browser show it again after its owner has left: the back button asks anew.
            assert answer.headers["Cache-Control"] == "no-store", where
    assert {200, 303, 400, 401, 404, 405} <= seen


def test_a_page_is_framed_by_the_lms_it_was_launched_from_and_by_no_other(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    mine, theirs = (
        Browser(app, database, clock, each.teachers[0], each.activity_id)
        for each in (course, make_course(database, protocol="collegial", now=clock.now))
    )
    with database.write() as session:
        session.execute(
            update(SignIn).where(SignIn.id == theirs.at[4:]).values(platform_origin="https://other.example")
        )
    for browser, own in ((mine, "https://lms.example"), (theirs, "https://other.example")):
        for method, path in addresses(app, "/at/", at=browser.at):
            # Without a token, so that forms are refused: such a page shows what was typed.
            answer = browser.client.open(path, method=method)
            assert policy(answer)["frame-ancestors"] == f"'self' {own}", f"{method} {path}"


def test_outside_of_an_lms_only_what_tells_nothing_is_framed(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    visitor, nobody = Visitor(app, database, course.platform_id, clock.now), app.test_client()
    for method, path in addresses(app, "/school/", visit=visitor.at):
        for client in (visitor.client, nobody):
            assert policy(client.open(path, method=method))["frame-ancestors"] == "'none'", f"{method} {path}"
    for path in ("/", "/lti/jwks.json", "/healthz", "/static/texts.js"):
        with nobody.get(path) as answer:
            assert policy(answer)["frame-ancestors"] == "'none'", path
    # An LMS whose frame has lost its sign-in shows why. Nobody is known there, so there is nobody to tell of.
    mine = Browser(app, database, clock, course.teachers[0], course.activity_id)
    for method, path in (("GET", "/at/none/"), ("PUT", f"{mine.at}/"), ("GET", f"{mine.at}/none"), ("GET", "/none")):
        answer = mine.client.open(path, method=method)
        assert policy(answer)["frame-ancestors"] == "*", path
        assert not any(name in answer.get_data(as_text=True) for name in ("Niamh", "Scoil", "<form method")), path


@pytest.mark.parametrize(
    "origin", ["https://a.example; script-src *", "https://a.example\r\nX: y", "* 'self'", "data:"]
)
def test_an_address_of_a_platform_cannot_widen_the_policy(origin: str) -> None:
    assert re.fullmatch(r"(https?://[a-z0-9.:\[\]_-]+)?", origin_of(f"{origin}/x"))


def test_no_answer_repeats_the_host_that_was_asked_for(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    mine = Browser(app, database, clock, course.teachers[0], course.activity_id)
    asked = [*addresses(app, at=mine.at), ("GET", mine.at), ("GET", f"/{mine.at}/"), ("GET", "/static//texts.js")]
    for method, path in asked:
        for headers in (
            {"Host": "attacker.example"},
            {
                "X-Forwarded-Host": "attacker.example",
                "X-Forwarded-Proto": "attacker.example",
                "Forwarded": "host=attacker.example",
            },
        ):
            # The cookies go with it, as they would where a proxy passes on whatever host it is asked for.
            environ = mine.client.get_cookie(f"__Host-at-{mine.at[4:]}", domain="localhost")
            assert environ is not None
            with app.test_client(use_cookies=False).open(
                path, method=method, headers=headers | {"Cookie": f"{environ.key}={environ.value}"}
            ) as answer:
                assert "attacker" not in str(answer.headers), f"{method} {path}: {answer.headers}"
                assert b"attacker" not in answer.get_data(), f"{method} {path}"


def test_a_page_after_an_update_never_meets_scripts_of_before(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()

    def addresses_of_parts() -> set[str]:
        found = set(re.findall(r'"(/static/[^"]+)"', client.get("/").get_data(as_text=True)))
        assert found
        return found

    before = addresses_of_parts()
    for path in before:
        with client.get(path) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (
                200, "public, max-age=31536000, immutable",
            )  # fmt: skip
    monkeypatch.setattr(static_files, "state_of_now", lambda: "another")
    after = addresses_of_parts()
    assert {path.rpartition("/")[2] for path in after} == {path.rpartition("/")[2] for path in before}
    assert not after & before
    for path in (*before, "/static/texts.js"):
        # Still open in a tab: it goes on, and what it is given now is kept under no name of before.
        with client.get(path) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache"), path
            tag = answer.headers["ETag"]
        with client.get(path, headers={"If-None-Match": tag}) as answer:
            assert answer.status_code == 304, path
