"""What somebody tries who means harm: false addresses, other hosts, long-lived sign-ins, files where none are taken."""

from io import BytesIO
from typing import Any

import pytest
from browsers import Browser
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course, make_settings, sign_in
from flask import Flask
from sqlalchemy import delete, func, select, update
from web.every_address import addresses

from lti_tool.cycles.models import CycleText
from lti_tool.people.models import Membership, Person, Platform, SignIn
from lti_tool.schedule.models import Timetable
from lti_tool.store.database import Database
from lti_tool.web import limits
from lti_tool.web.app import MAX_REQUEST_BYTES, create_app

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, protocol="collegial", now=clock.now)


@pytest.fixture
def mine(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return Browser(app, database, clock, course.teachers[0], course.activity_id)


@pytest.fixture
def limited(database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app with a limit of three requests a minute, behind a proxy on this machine."""
    monkeypatch.setattr(limits, "PER_PERSON", 3)
    monkeypatch.setattr(limits, "PER_ADDRESS", 3)
    behind = make_settings(
        limits={"enabled": True}, network={"trusted_proxies": ["127.0.0.1/32"], "metrics_from": ["192.0.2.9/32"]}
    )
    return create_app(behind, database=database, clock=clock)


# How often.


def test_what_is_refused_is_counted_too(limited: Flask, database: Database, clock: Any, course: MadeCourse) -> None:
    client = limited.test_client()
    for method, path in (("GET", "/at/none/"), ("POST", "/school/open"), ("GET", "/none")):
        found = [client.open(path, method=method).status_code for _ in range(5)]
        assert 429 not in found[:3] and found[3:] == [429, 429], path
    mine = Browser(limited, database, clock, course.teachers[0], course.activity_id)
    refused = [mine.client.post(f"{mine.at}/language", data={"csrf_token": "x"}).status_code for _ in range(5)]
    assert refused == [400, 400, 400, 429, 429]


def test_every_address_has_a_limit(
    limited: Flask, database: Database, clock: Any, course: MadeCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_PERSON", 1)
    monkeypatch.setattr(limits, "PER_ADDRESS", 1)
    free = ("/static/", "/bootstrap/", "/healthz", "/readyz")
    client = limited.test_client()
    at = sign_in(database, client, course.teachers[0], course.activity_id, clock.now)
    asked = sorted(addresses(limited, at=at), key=lambda each: each[1].endswith("/leave"))
    for method, path in asked:
        if not path.startswith(free):
            clock.advance(61)
            with client.open(path, method=method) as first, client.open(path, method=method) as second:
                found = [first.status_code, second.status_code]
            assert found[0] != 429 and found[1] == 429, f"{method} {path}: {found}"


def test_the_addresses_with_fewer_requests_are_there(app: Flask) -> None:
    assert limits.FEWER.keys() <= app.view_functions.keys()


def test_a_new_address_of_the_same_machine_is_no_new_beginning(limited: Flask) -> None:
    client = limited.test_client()

    def ask(address: str) -> int:
        return client.get("/", environ_base={"REMOTE_ADDR": address}).status_code

    assert [ask(f"2001:db8:1:2::{number:x}") for number in range(4)] == [200, 200, 200, 429]
    assert ask("2001:db8:1:3::1") == 200
    assert ask("not an address") == 200


def test_a_stranger_cannot_say_where_they_come_from(limited: Flask) -> None:
    client = limited.test_client()
    claimed = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in range(4)]
    found = [client.get("/", headers=each, environ_base=ELSEWHERE).status_code for each in claimed]
    assert found == [200, 200, 200, 429]
    # The proxy is believed, and of a chain only what it added itself.
    found = [
        client.get("/", headers={"X-Forwarded-For": f"1.2.3.{number}, 198.51.100.1"}).status_code for number in range(4)
    ]
    assert found == [200, 200, 200, 429]
    assert client.get("/", headers={"X-Forwarded-For": "198.51.100.2"}).status_code == 200


def test_the_counts_are_shown_to_nobody_by_a_header(limited: Flask) -> None:
    client = limited.test_client()
    claim = {"X-Forwarded-For": "192.0.2.9"}
    assert client.get("/metrics", headers=claim, environ_base=ELSEWHERE).status_code == 404
    assert client.get("/metrics", headers=claim).status_code == 200


def test_only_the_proxy_says_that_it_is_https(limited: Flask) -> None:
    client = limited.test_client()
    claim = {"X-Forwarded-Proto": "https"}
    assert "Strict-Transport-Security" not in client.get("/", headers=claim, environ_base=ELSEWHERE).headers
    assert "Strict-Transport-Security" in client.get("/", headers=claim).headers


# Where a path leads.


@pytest.mark.parametrize(
    "turn", ["../{0}/", "..%2f{0}/", "%2e%2e/{0}/", "./you", "//you", "..;/{0}/", "\\..\\{0}\\", ";/{0}"]
)
def test_a_path_cannot_walk_into_another_sign_in(
    app: Flask, database: Database, clock: Any, course: MadeCourse, mine: Browser, turn: str
) -> None:
    theirs = Browser(app, database, clock, course.teachers[1], course.activity_id)
    answer = mine.client.get(f"{mine.at}/{turn.format(theirs.at[4:])}")
    assert answer.status_code in (401, 404)
    assert "Seán" not in answer.get_data(as_text=True)


def test_nothing_outside_of_the_folder_of_static_files_is_read(app: Flask) -> None:
    client = app.test_client()
    for turn in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd", "..\\app.py", "....//app.py"):
        for folder in ("/static/", "/bootstrap/static/"):
            assert client.get(folder + turn).status_code == 404


@pytest.mark.parametrize("elsewhere", ["//attacker.example", "\r\nX: y"])
def test_no_address_sends_a_browser_elsewhere(mine: Browser, app: Flask, elsewhere: str) -> None:
    names = ("back", "next", "url", "return_to", "school", "told", "at", "code", "target_link_uri", "lms")
    query = dict.fromkeys(names, elsewhere)
    for method, path in addresses(app, at=mine.at):
        if path.endswith("/leave"):
            continue
        form = query | {"csrf_token": mine.token} if method == "POST" else None
        with mine.client.open(path, method=method, query_string=query, data=form) as answer:
            location = answer.headers.get("Location", "/")
            assert location.startswith("/") and location[1:2] not in ("/", "\\"), f"{method} {path}: {location}"
            assert "X" not in answer.headers


# When it is over.


def test_a_person_who_is_removed_is_out_at_once(database: Database, course: MadeCourse, mine: Browser) -> None:
    assert mine.status("/") == 200
    with database.write() as session:
        person = session.scalars(select(Membership.person_id).where(Membership.id == mine.membership)).one()
        session.execute(delete(Person).where(Person.id == person))
    assert mine.status("/") == 401
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SignIn)) == 0


def test_a_suspended_platform_closes_the_pages_that_are_open(database: Database, mine: Browser) -> None:
    with database.write() as session:
        session.execute(update(Platform).values(status="suspended"))
    assert mine.status("/") == 401


def test_a_sign_in_is_over_after_twelve_hours_of_use(clock: Any, mine: Browser) -> None:
    for _hour in range(11):
        clock.advance(3600)
        assert mine.status("/") == 200
    clock.advance(3600)
    assert mine.status("/") == 401


def test_a_passage_that_was_to_be_shared_comes_back_when_the_sign_in_is_over(clock: Any, mine: Browser) -> None:
    clock.advance(12 * 3600)
    answer = mine.post("/cycles/x/reflect/versions/1/share/own_learning", passage="what I learned")
    assert "what I learned" in answer.get_data(as_text=True)


def test_after_leaving_the_cookie_opens_nothing_and_no_page_was_kept(mine: Browser) -> None:
    cookie = mine.client.get_cookie(f"__Host-at-{mine.at[4:]}", domain="localhost")
    assert cookie is not None
    assert mine.client.get(f"{mine.at}/").headers["Cache-Control"] == "no-store"
    left = mine.post("/leave")
    assert left.headers["Cache-Control"] == "no-store"
    mine.client.set_cookie(cookie.key, cookie.value, domain="localhost")
    assert mine.status("/") == 401


# What is sent.


def test_files_are_taken_for_nothing_and_kept_nowhere(
    app: Flask, database: Database, clock: Any, course: MadeCourse, mine: Browser
) -> None:
    cycle = make_cycle(database, course, clock.now)
    before = mine.post(f"/cycles/{cycle}/texts/goal", text="as it was")
    assert before.status_code == 303
    pages = [
        f"/cycles/{cycle}/texts/goal",
        f"/cycles/{cycle}/before/save",
        f"/cycles/{cycle}/reflect/save",
        "/language",
    ]
    for path in pages:
        files = {
            name: (BytesIO(b"<script>in-a-file</script>"), "a.html", "text/html")
            for name in ("text", "text-goal", "text-beliefs", "text-own_learning", "file", "language")
        }
        answer = mine.client.post(mine.at + path, data={"csrf_token": mine.token} | files)
        assert answer.status_code < 500
        assert "in-a-file" not in answer.get_data(as_text=True)
    assert "in-a-file" not in mine.get(f"/cycles/{cycle}/before")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(CycleText)) in (0, 1)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    large = head + b"x" * MAX_REQUEST_BYTES + b"\r\n--x--\r\n"
    answer = mine.client.post(f"{mine.at}/language", data=large, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413


def test_a_timetable_is_the_only_file_that_a_page_asks_for(app: Flask, mine: Browser) -> None:
    asking = {
        path.removeprefix(mine.at)
        for method, path in addresses(app, "/at/", at=mine.at)
        if method == "GET" and 'type="file"' in mine.client.get(path).get_data(as_text=True)
    }
    assert asking == {"/timetable"}


@pytest.mark.parametrize("name", ["a.ics", "../../a.html", "a.ics\x00.exe"])
def test_of_a_file_that_is_no_timetable_nothing_is_kept_or_shown(database: Database, mine: Browser, name: str) -> None:
    for body in (b"<script>in-a-file</script>", b"\x00\xff" * 5_000, b"BEGIN:VCALENDAR\r\nin-a-file:\r\n", b""):
        file = (BytesIO(body), name, "text/calendar")
        form = {"csrf_token": mine.token, "file": file}
        with mine.client.post(f"{mine.at}/timetable/calendar", data=form) as answer:
            assert answer.status_code in (200, 400, 422)
            assert "in-a-file" not in answer.get_data(as_text=True)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Timetable)) == 0
