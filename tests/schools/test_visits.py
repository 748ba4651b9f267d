"""The way to a school's page by a one-time link: who gets in, for how long, and to what."""

import re
from datetime import timedelta
from typing import Any

import pytest
from conftest import Clock
from factories import MadeCourse
from flask import Flask
from schools.conftest import CHARTER, Visitor, add_school, token_of, use
from sqlalchemy import select, update

from lti_tool.people import registry
from lti_tool.schools import service
from lti_tool.schools.models import Charter, SchoolLink, SchoolVisit
from lti_tool.store.database import Database


def a_link(database: Database, made: MadeCourse, clock: Clock) -> str:
    with database.write() as session:
        return service.open_link(session, made.platform_id, clock())


def test_a_link_opens_once_and_looking_at_it_uses_nothing_up(
    app: Flask, database: Database, clock: Clock, made: MadeCourse
) -> None:
    code = a_link(database, made, clock)
    checker, browser = app.test_client(), app.test_client()
    for _ in range(3):
        page = checker.get("/school/open", query_string={"code": code})
        assert page.status_code == 200
        assert page.headers["Referrer-Policy"] == "same-origin" and page.headers["Cache-Control"] == "no-store"
    assert checker.head("/school/open", query_string={"code": code}).status_code == 200
    opened = use(browser, code)
    assert opened.status_code == 303 and re.fullmatch(r"/school/[0-9a-z]{16}/", opened.location)
    cookie = next(value for value in opened.headers.getlist("Set-Cookie") if value.startswith("__Host-school-"))
    for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax", f"Max-Age={12 * 3600}"):
        assert attribute in cookie
    page = browser.get(opened.location)
    assert page.status_code == 200 and "Scoil Éanna" in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    again = app.test_client().get("/school/open", query_string={"code": code})
    assert again.status_code == 404 and "leads nowhere any more" in again.text
    second = app.test_client()
    other = second.get("/school/open", query_string={"code": a_link(database, made, clock)})
    used = second.post("/school/open", data={"csrf_token": token_of(other.text), "code": code})
    assert used.status_code == 404 and "__Host-school-0" not in str(used.headers)


def test_neither_code_nor_secret_lies_in_the_database(
    database: Database, clock: Clock, made: MadeCourse, visitor: Visitor
) -> None:
    with database.read() as session:
        links = session.scalars(select(SchoolLink.code_hash)).all()
        visits = session.scalars(select(SchoolVisit.secret_hash)).all()
    secret = visitor.client.get_cookie(f"__Host-school-{visitor.at.rsplit('/', 1)[1]}", domain="localhost")
    assert secret is not None
    assert visitor.code not in links and secret.value not in visits


@pytest.mark.parametrize("code", ["", "x", "%00", "%C3%A9" * 900, "%FF", "%ED%B3%BF"])
def test_a_code_that_is_none_leads_nowhere(app: Flask, code: str) -> None:
    client = app.test_client()
    assert client.get(f"/school/open?code={code}").status_code == 404
    assert client.get("/school/open").status_code == 404
    client.set_cookie("__Host-school-open", "s", domain="localhost")
    assert client.post("/school/open", data={"code": code}).status_code == 400, "without a token"


def test_a_link_and_a_visit_grow_old(app: Flask, database: Database, clock: Clock, made: MadeCourse) -> None:
    early, late = a_link(database, made, clock), a_link(database, made, clock)
    clock.advance(7 * 24 * 3600 - 1)
    client = app.test_client()
    at = use(client, early).location
    clock.advance(1)
    assert app.test_client().get("/school/open", query_string={"code": late}).status_code == 404
    clock.advance(12 * 3600 - 2)
    assert client.get(at).status_code == 200
    clock.advance(1)
    over = client.get(at)
    assert over.status_code == 401 and "This visit is over" in over.text


def test_what_is_over_is_forgotten(database: Database, clock: Clock, made: MadeCourse, visitor: Visitor) -> None:
    a_link(database, made, clock)
    with database.write() as session:
        assert service.remove_expired(session, clock()) == 0
        assert service.remove_expired(session, clock() + timedelta(hours=12)) == 1
        assert service.remove_expired(session, clock() + timedelta(days=7)) == 2


def test_a_browser_without_cookies_is_told_so_and_keeps_its_link(
    app: Flask, database: Database, clock: Clock, made: MadeCourse
) -> None:
    code = a_link(database, made, clock)
    bare = app.test_client(use_cookies=False)
    page = bare.get("/school/open", query_string={"code": code})
    refused = bare.post("/school/open", data={"csrf_token": token_of(page.text), "code": code})
    assert refused.status_code == 400 and "keeps no cookies" in refused.text
    assert use(app.test_client(), code).status_code == 303


def test_forms_need_the_token_of_their_own_visit(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, visitor: Visitor
) -> None:
    other = Visitor(app, database, made.platform_id, clock())
    for token in ("", "x", other.token):
        refused = visitor.client.post(visitor.at + "/charter", data={"csrf_token": token} | CHARTER)
        assert refused.status_code == 400
    assert visitor.post("/charter", **CHARTER).status_code == 303


def visit_routes(app: Flask) -> list[tuple[str, str]]:
    """(method, path under a visit) of every route, so that a new one is looked at by itself."""
    return [
        (method, rule.rule.removeprefix("/school/<visit>"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/school/<visit>")
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]


def test_every_page_of_a_visit_is_shut_to_everybody_else(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, elsewhere: MadeCourse, visitor: Visitor
) -> None:
    foreign = Visitor(app, database, elsewhere.platform_id, clock())
    name = foreign.at.rsplit("/", 1)[1]
    secret = foreign.client.get_cookie(f"__Host-school-{name}", domain="localhost")
    assert secret is not None
    expired = Visitor(app, database, made.platform_id, clock())
    with database.write() as session:
        gone = update(SchoolVisit).where(SchoolVisit.id == expired.at.rsplit("/", 1)[1])
        session.execute(gone.values(expires_at=clock()))
    visitor.client.set_cookie("__Host-school-0123456789abcdef", secret.value, domain="localhost")
    stranger = app.test_client()
    stranger.set_cookie(f"__Host-school-{visitor.at.rsplit('/', 1)[1]}", secret.value, domain="localhost")
    routes = visit_routes(app)
    assert len(routes) >= 7
    for method, path in routes:
        for client, at, token, who in (
            (foreign.client, visitor.at, foreign.token, "a foreign visit"),
            (visitor.client, foreign.at, visitor.token, "a visit of another platform"),
            (visitor.client, "/school/0123456789abcdef", visitor.token, "an unknown visit"),
            (stranger, visitor.at, foreign.token, "another secret"),
            (expired.client, expired.at, expired.token, "an expired visit"),
        ):
            answer = client.open(at + path, method=method, data={"csrf_token": token} | CHARTER)
            assert answer.status_code == 401, (who, method, path, answer.status)
    with database.read() as session:
        assert session.scalars(select(Charter.id)).all() == []
    assert visitor.client.get(visitor.at + "/").status_code == foreign.client.get(foreign.at + "/").status_code == 200


def test_a_visit_sees_and_signs_nothing_of_another_platform(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, elsewhere: MadeCourse, visitor: Visitor
) -> None:
    theirs = add_school(database, elsewhere.platform_id, "Coláiste Bríde", clock())
    add_school(database, made.platform_id, "Scoil Eoin", clock())
    add_school(database, made.platform_id, "Scoil Pól", clock())
    there = Visitor(app, database, elsewhere.platform_id, clock())
    assert there.post("/charter", **CHARTER).status_code == 303
    for path in ("/", "/charter"):
        page = visitor.get(path)
        assert "Bríde" not in page and "Cheallaigh" not in page
    for path in ("/charter", "/charter/take-back"):
        for wanted in (theirs, "0123456789abcdef", "\0", "x" * 5000):
            assert visitor.client.get(visitor.at + path, query_string={"school": wanted}).status_code == 404
            assert visitor.post(path, school=wanted, **CHARTER).status_code == 404
    with database.read() as session:
        assert [charter.taken_back_at for charter in session.scalars(select(Charter))] == [None]


def test_a_platform_that_is_removed_takes_its_visits_along(
    database: Database, made: MadeCourse, visitor: Visitor
) -> None:
    with database.write() as session:
        registry.remove(session, made.platform_id)
    assert visitor.client.get(visitor.at + "/").status_code == 401


def test_who_leaves_has_left(visitor: Visitor) -> None:
    page = visitor.post("/leave")
    assert page.status_code == 200 and "You have left" in page.text
    assert visitor.client.get(visitor.at + "/").status_code == 401


def test_two_visits_live_side_by_side_in_one_browser(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, elsewhere: MadeCourse, visitor: Visitor
) -> None:
    second: Any = use(visitor.client, a_link(database, elsewhere, clock)).location
    assert visitor.client.get(second).status_code == 200
    assert "Scoil Éanna" in visitor.get("/")
