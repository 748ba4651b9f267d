"""Whatever a client sends to a page of a signed-in person, it is never answered with a 5xx (on both databases)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from browsers import Browser
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from flask.testing import FlaskClient
from rounds.proposed import keyring_of
from sqlalchemy import select
from werkzeug.routing import Rule

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, Meeting
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership
from lti_tool.progress.models import Nudge
from lti_tool.schedule import ledger
from lti_tool.schedule.ledger_rules import Line
from lti_tool.schedule.models import TimeLine
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.web.app import MAX_REQUEST_BYTES

ODD = ("\x00", "a\x00b", "é", "𐀀\u202e", "x" * 3_000, "9" * 4_301, "-1", "\u0663", "../..", "\r\n", "%")
ODD_BYTES = ("%ff%fe", "%ed%a0%80", "%00%ff")
BOXES = (
    "text", "base", "do", "wish", "language", "back", "protocol", "purpose", "text-goal", "was-goal", "base-goal",
    "before-minutes", "before-place", "before-rev", "visit-rev", "seen-goal", "days", "passage",
    "audience", "ticket", "how", "day", "minutes", "category", "note", "from", "to",
)  # fmt: skip
BODIES = (
    b"", b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b'{"text":"\\ud800\\u0000","base":["\\ud800"]}',
    b'{"text":"x","base":[],"seq":' + b"9" * 5_000 + b"}", b'{"text":"x","base":[],"seq":1e999}',
)  # fmt: skip
HOSTS = ("a..b", "a" * 70, "..", "[::1", "x:y", "é", "")
PARTS = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % part for part in range(1_500))
FORM = "application/x-www-form-urlencoded"


class Door:
    """Sends requests, and remembers which of them the tool could not answer."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.sent = 0

    def send(self, client: FlaskClient, method: str, path: str, **rest: Any) -> None:
        self.sent += 1
        answer = client.open(path, method=method, **rest)
        if answer.status_code >= 500:
            self.failed.append(f"{answer.status_code} {method} {path[:100]!r} {str(rest)[:100]}")
        answer.close()


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    assert made.sent
    assert made.failed == []


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=4, protocol="collegial", now=clock.now)


@pytest.fixture
def known(database: Database, clock: Any, course: MadeCourse) -> dict[str, str]:
    """What the places of an address stand for: a cycle of the first teacher, an invitation to them."""
    cycle_id = make_cycle(database, course, clock.now)
    first, _second, third, fourth = course.teachers
    with database.write() as session:
        pairing.invite(
            session, host_id=third, coach_id=first, course_id=course.course_id, activity_id=course.activity_id,
            now=clock.now,
        )  # fmt: skip
    with database.read() as session:
        invitation = pairing.open_for(session, third, course.activity_id, clock.now).sent[0].id
        pair_id = session.scalars(select(Cycle.pair_id).where(Cycle.id == cycle_id)).one()
    with database.write() as session:
        nudge = Nudge(
            activity_id=course.activity_id, membership_id=first, sender_id=course.trainer, kind="stalled",
            created_at=clock.now,
        )  # fmt: skip
        session.add(nudge)
        session.flush()
        nudge_id = nudge.id
        owner = session.scalars(select(Membership.person_id).where(Membership.id == first)).one()
        over = {"starts_at": clock.now - timedelta(days=1), "minutes": 20, "place": b"", "set_by": owner}
        meeting_id = new_id()
        session.add(Meeting(id=meeting_id, cycle_id=cycle_id, kind="after", **over))
        ledger.add(session, keyring_of(database), owner, Line(clock.now.date(), 25, ""), clock.now)
        line_id = session.scalars(select(TimeLine.id)).one()
    return {
        "cycle_id": cycle_id, "stage_key": "before", "field_key": "goal", "item": "goal", "kind": "before",
        "membership_id": fourth, "invitation_id": invitation, "number": "1", "role": "facilitator",
        "pair_id": pair_id, "nudge_id": nudge_id, "delivery_id": "0" * 16, "share_id": "0" * 16,
        "area_id": "0" * 16, "group_id": "0" * 16, "message_id": "0" * 16, "door_id": "0" * 16, "friend_id": "0" * 16,
        "protocol_key": "light", "run_id": "0" * 16, "proposal_id": "0" * 16,
        "instrument_id": "0" * 16, "own_id": "0" * 16, "lesson_key": "ice", "base_key": "tally",
        "meeting_id": meeting_id, "line_id": line_id,
    }  # fmt: skip


@pytest.fixture
def teacher(app: Flask, database: Database, clock: Any, course: MadeCourse, known: dict[str, str]) -> Browser:
    return Browser(app, database, clock, course.teachers[0], course.activity_id)


@pytest.fixture
def pages(app: Flask) -> list[Rule]:
    """Every address of a signed-in person, but for those after which nobody is signed in as a teacher any more."""
    ends = ("people.leave", "people.declare_leader", "pairing.end")
    return [rule for rule in app.url_map.iter_rules() if "handle" in rule.arguments and rule.endpoint not in ends]


@pytest.fixture
def address(teacher: Browser, known: dict[str, str]) -> Callable[..., str]:
    """The address of a page, with one of its places changed."""

    def of(rule: Rule, **odd: str) -> str:
        path = rule.rule.replace("/at/<handle>", teacher.at)
        for place, value in ({name: known[name] for name in rule.arguments - {"handle"}} | odd).items():
            path = path.replace(f"<int:{place}>", value).replace(f"<{place}>", value)
        return path

    return of


def test_odd_places_in_every_address(
    app: Flask, door: Door, teacher: Browser, pages: list[Rule], address: Callable[..., str]
) -> None:
    for rule in pages:
        for place in rule.arguments - {"handle"}:
            for odd in (*(quote(each, safe="") for each in ODD), *ODD_BYTES):
                door.send(teacher.client, "GET", address(rule, **{place: odd}))
                if "POST" in (rule.methods or ()):
                    form = {"csrf_token": teacher.token, "text": "x"}
                    door.send(teacher.client, "POST", address(rule, **{place: odd}), data=form)
        for method in ("HEAD", "OPTIONS", "PUT", "NONE"):
            door.send(teacher.client, method, address(rule))
    for odd in ("a\x00b", "\xe9", "x" * 3_000):
        # With a cookie of that name, so that the handle is looked for.
        door.send(app.test_client(use_cookies=False), "GET", f"/at/{odd}/", headers={"Cookie": f"__Host-at-{odd}=x"})


def test_odd_queries(door: Door, teacher: Browser, pages: list[Rule], address: Callable[..., str]) -> None:
    for rule in pages:
        odd = [f"{name}={quote(value, safe='')}" for name in ("page", "q", "told", "revision") for value in ODD]
        for query in ("&".join(odd), *odd[::3], "%ff=%ff&page=%ff"):
            door.send(teacher.client, "GET", f"{address(rule)}?{query}")


def test_odd_forms(door: Door, teacher: Browser, pages: list[Rule], address: Callable[..., str]) -> None:
    for rule in pages:
        if "POST" not in (rule.methods or ()):
            continue
        for odd in ODD:
            form = dict.fromkeys(BOXES, odd)
            timed = form | {"before-starts": "2026-12-10T10:05", "before-minutes": "30", "before-rev": "0"}
            for sent in (timed, form | {"before-starts": odd}):
                door.send(teacher.client, "POST", address(rule), data=sent | {"csrf_token": teacher.token})
        door.send(teacher.client, "POST", address(rule), data={"csrf_token": ODD[1]})


def test_odd_bodies(app: Flask, door: Door, teacher: Browser, pages: list[Rule], address: Callable[..., str]) -> None:
    with_token, nobody = {"X-CSRFToken": teacher.token}, app.test_client()
    for rule in pages:
        if "POST" not in (rule.methods or ()):
            continue
        path = address(rule)
        for body in BODIES:
            for kind in ("application/json", "application/vnd.api+json; charset=utf-16"):
                door.send(teacher.client, "POST", path, data=body, headers=with_token, content_type=kind)
        for kind, body in (
            (FORM, b"text=" + b"x" * MAX_REQUEST_BYTES),
            (FORM, b"\xff=\xff&text=%ff%00"),
            ("multipart/form-data; boundary=x", PARTS),
            ("multipart/form-data", b"--x"),
            ("\xff/\xff", b"x"),
        ):
            for client in (teacher.client, nobody):
                door.send(client, "POST", path, data=body, headers=with_token, content_type=kind)


def test_odd_headers(app: Flask, door: Door, teacher: Browser) -> None:
    headers = [("Host", host) for host in HOSTS]
    headers += [("Accept", each) for each in ("", ";;;", "\xff", "application/json;q=abc", "text/html;q=0")]
    headers += [("Accept-Language", each) for each in ("", "*", "xx-" * 500, "en_US;q=x", "zh-Hant-")]
    headers += [("Range", "bytes=9-1"), ("If-None-Match", "\xff"), ("Referer", "http://["), ("Origin", "\xff")]
    headers += [("Cookie", '__Host-at-x="\\000\\377"'), ("Cookie", "=;;"), ("Content-Length", "-1")]
    for name, value in headers:
        for path in ("/", "/at/x/", "/static/texts.js", "/static/%00", "/static/" + "x" * 3_000, "/none", "/healthz"):
            door.send(app.test_client(use_cookies=False), "GET", path, headers={name: value})
        if name != "Host":
            door.send(teacher.client, "GET", f"{teacher.at}/", headers={name: value})


def test_a_host_that_cannot_be_one_is_told_so(app: Flask) -> None:
    answer = app.test_client(use_cookies=False).get("/", headers={"Host": "a..b"})
    assert answer.status_code == 400
    assert "This could not be understood" in answer.get_data(as_text=True)


def test_the_purpose_of_an_activity_is_kept_without_what_a_database_cannot_hold(
    app: Flask, database: Database, clock: Any
) -> None:
    made = make_course(database, status="new", now=clock.now)
    trainer = Browser(app, database, clock, made.trainer, made.activity_id)
    assert trainer.post("/set-up", what="cycle:light", purpose="To\x00gether").status_code == 303
    with database.read() as session:
        assert session.scalars(select(Activity.purpose)).one() == "Together"
