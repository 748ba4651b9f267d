"""The tool against each personality of the sandbox, over real HTTP: registered, launched, and its roster read."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from forms import Form
from requests.adapters import BaseAdapter
from sqlalchemy import func, select
from werkzeug.serving import make_server

from lti_tool.lms.families import family_of
from lti_tool.people import registry, roster
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.people.registry import NewPlatform
from lti_tool.sandbox import School, create_app
from lti_tool.sandbox.people import CourseRole
from lti_tool.store.database import Database

TOOL = "http://localhost:8000"
ALL = ("moodle", "canvas", "blackboard", "brightspace", "sakai")
DYNAMIC = ("moodle", "brightspace", "sakai")
"""Where the issuer is the school's own address. Canvas signs for all schools under one name that this machine does not
have, and the tool rightly refuses a configuration that somebody else's address gives for it."""


class Wire(BaseAdapter):
    """Takes the LMS's calls to the tool, which is not served."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        assert request.method and request.url
        address = urlsplit(request.url)
        given = self._app.test_client().open(f"{address.path}?{address.query}", method=request.method)
        answer = requests.Response()
        answer.status_code = given.status_code
        answer.request = request
        answer._content = given.get_data()
        answer.encoding = "utf-8"
        return answer

    def close(self) -> None:
        pass


class Lms:
    """The sandbox with one personality, served on this machine, and a browser in it."""

    def __init__(self, personality: str, tool: Flask) -> None:
        server = make_server("127.0.0.1", 0, lambda environ, start: self.app(environ, start), threaded=True)
        self.address = f"http://127.0.0.1:{server.server_port}"
        self.app = create_app(self.address, personality=personality)
        self.school: School = self.app.extensions["sandbox"]
        self.school.http.mount(TOOL, Wire(tool))
        self.browser = self.app.test_client()
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.school.http.close()

    def click(self, user: str, module_id: str) -> Form:
        """The login initiation after a click on an activity."""
        assert self.browser.post("/sandbox/login", json={"user": user}).status_code == 200
        page = self.browser.get(f"{self.school.personality.paths.launch}?id={module_id}")
        assert page.status_code == 200, page.text
        return Form(page.text)


@pytest.fixture
def open_lms(app: Flask) -> Iterator[Callable[[str], Lms]]:
    opened: list[Lms] = []

    def open_one(personality: str) -> Lms:
        opened.append(Lms(personality, app))
        return opened[-1]

    yield open_one
    for lms in opened:
        lms.stop()


def register(lms: Lms, database: Database, clock: Any) -> None:
    with database.write() as session:
        code = registry.invite(session, "School", clock()).code
    answer = lms.browser.post("/sandbox/tools", json={"url": registry.registration_url(TOOL, code)})
    assert answer.status_code == 201, answer.text


def add(lms: Lms, database: Database, clock: Any, *, family: str = "") -> None:
    """The tool in the LMS and the LMS in the tool, each typed in by hand."""
    body = {
        "name": "Meitheal",
        "login_url": f"{TOOL}/lti/login",
        "redirect_uris": [f"{TOOL}/lti/launch"],
        "jwks_url": f"{TOOL}/lti/jwks.json",
        "target_link_uri": f"{TOOL}/lti/launch",
    }
    made = lms.browser.post("/sandbox/tools", json=body).get_json()
    paths = lms.school.personality.paths
    with database.write() as session:
        registry.add(
            session,
            NewPlatform(
                name="School",
                issuer=lms.school.issuer,
                client_id=made["client_id"],
                authorization_url=lms.address + paths.authorization,
                token_url=lms.address + paths.tokens,
                jwks_url=lms.address + paths.jwks,
                deployment_id=made["deployment_id"],
                family=family,
                token_audience=lms.school.personality.quirks.token_audience or "",
            ),
            clock(),
        )


def place(lms: Lms) -> str:
    tool = next(iter(lms.school.tools.values()))
    return lms.school.add_activity(lms.school.courses["2"], tool, "Coaching cycle 1").module_id


def launch(client: FlaskClient, lms: Lms, user: str, module_id: str) -> Any:
    """The tool's answer to the launch."""
    begin = lms.click(user, module_id)
    if begin.method == "get":
        answer = client.get(urlsplit(begin.action).path, query_string=begin.fields)
    else:
        answer = client.post(urlsplit(begin.action).path, data=begin.fields)
    while answer.status_code in (302, 303) and answer.headers["Location"].startswith("/lti/login"):
        answer = client.get(answer.headers["Location"])
    assert answer.status_code == 303, answer.text
    asked = answer.headers["Location"]
    assert asked.startswith(lms.address + lms.school.personality.paths.authorization)
    posted = Form(lms.browser.get(asked.removeprefix(lms.address)).text)
    assert posted.action == f"{TOOL}/lti/launch"
    return client.post("/lti/launch", data=posted.fields)


def read_roster(app: Flask, database: Database, clock: Any) -> None:
    with database.read() as session:
        course_id = session.scalars(select(Course.id)).one()
    lti = app.extensions["meitheal"].lti
    roster.read({"course_id": course_id}, database=database, http=lti.http, tokens=lti.tokens, clock=clock)


def memberships(database: Database) -> dict[str, str]:
    """What each person is in the course, by the LMS's user id."""
    with database.read() as session:
        rows = session.execute(
            select(Person.sub, Membership.lms_role)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.is_active)
        )
        return {row.sub: row.lms_role for row in rows}


@pytest.mark.parametrize("name", ALL)
def test_launches_and_the_whole_roster(
    name: str, open_lms: Callable[[str], Lms], app: Flask, database: Database, clock: Any
) -> None:
    lms = open_lms(name)
    (register if name in DYNAMIC else add)(lms, database, clock)
    module_id = place(lms)
    course = lms.school.courses["2"]
    lms.school.add_people(course, 450, CourseRole.STUDENT)
    answer = launch(app.test_client(), lms, "maire.niceoin", module_id)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/at/"), answer.text
    read_roster(app, database, clock)
    known = memberships(database)
    assert set(known) == set(course.members)
    trainer = lms.school.person("maire.niceoin")
    assert trainer
    assert known[trainer.id] == "instructor"
    assert known["3"] == "learner"
    # Somebody who was named by the roster only comes in person, and remains one person.
    answer = launch(app.test_client(), lms, "niamh.nibhriain", module_id)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/at/"), answer.text
    assert memberships(database) == known


@pytest.mark.parametrize(
    ("name", "product"), [("moodle", "Moodle"), ("brightspace", "Brightspace"), ("sakai", "Sakai")]
)
def test_a_registration_tells_which_lms_it_is(
    name: str, product: str, open_lms: Callable[[str], Lms], database: Database, clock: Any
) -> None:
    lms = open_lms(name)
    register(lms, database, clock)
    with database.read() as session:
        platform = session.scalars(select(Platform)).one()
        assert family_of(platform.family).display_name == product
        assert platform.token_audience == (lms.school.personality.quirks.token_audience or "")
        assert session.scalars(select(Deployment.deployment_id)).all() == ["1"]


@pytest.mark.parametrize("name", ALL)
def test_a_launch_after_the_keys_changed(
    name: str, open_lms: Callable[[str], Lms], app: Flask, database: Database, clock: Any
) -> None:
    """As Brightspace does every hour: the tool sees an unknown key and asks again."""
    lms = open_lms(name)
    add(lms, database, clock)
    module_id = place(lms)
    assert launch(app.test_client(), lms, "maire.niceoin", module_id).status_code == 303
    lms.browser.post("/sandbox/faults", json={"rotate_keys": True, "keep_old": False})
    clock.advance(31)
    assert launch(app.test_client(), lms, "maire.niceoin", module_id).status_code == 303


def test_two_schools_that_share_an_issuer_stay_apart(
    open_lms: Callable[[str], Lms], app: Flask, database: Database, clock: Any
) -> None:
    for _ in range(2):
        lms = open_lms("canvas")
        add(lms, database, clock, family="canvas")
        answer = launch(app.test_client(), lms, "maire.niceoin", place(lms))
        assert answer.status_code == 303, answer.text
    with database.read() as session:
        assert session.scalar(select(func.count(Platform.id.distinct())).where(Platform.family == "canvas")) == 2
        assert session.scalar(select(func.count(Course.id))) == 2


def test_an_issuer_is_believed_only_from_its_own_address(
    open_lms: Callable[[str], Lms], database: Database, clock: Any
) -> None:
    """Canvas's own configuration is at its issuer's address; anybody else's that names Canvas is refused."""
    lms = open_lms("canvas")
    with database.write() as session:
        code = registry.invite(session, "School", clock()).code
    answer = lms.browser.post("/sandbox/tools", json={"url": registry.registration_url(TOOL, code)})
    assert answer.status_code == 502 and "not where it says" in answer.get_json()["error"]
    with database.read() as session:
        assert session.scalar(select(func.count(Platform.id))) == 0
