"""The LMSs that the journeys of this folder go through, and what they share: both sides served or wired together, made
known to each other, and a person's way from one to the other."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from forms import Form
from requests.adapters import BaseAdapter
from sqlalchemy import select
from werkzeug.serving import make_server

from lti_tool import worker
from lti_tool.people import registry, roster
from lti_tool.people.models import Course
from lti_tool.people.registry import NewPlatform
from lti_tool.sandbox import School, create_app
from lti_tool.store import jobs
from lti_tool.store.database import Database

TOOL = "http://localhost:8000"
TRAINER, SECOND_TRAINER, NIAMH, SEAN = "maire.niceoin", "diarmuid.oriordain", "niamh.nibhriain", "sean.odonaill"

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # A frame of another site gets no process of its own. On a busy machine Playwright loses such a frame when it goes
    # back and forth between two sites within a moment, as at each launch, and waits for it in vain though it is there
    # for everybody to see. What one site keeps from another, cookies and storage above all, stays as it was.
    "--disable-site-isolation-trials",
]


@dataclass(frozen=True)
class Row:
    """One LMS, and where a journey through it differs."""

    name: str
    product: str
    registers: bool
    """By itself. Canvas could too, but signs for all schools under one name that this machine does not have, and the
    tool rightly refuses a configuration that somebody else's address gives for it."""
    items: int = 2
    """How many activities one selection of content places."""


LMSS = (
    Row("moodle", "Moodle", registers=True),
    Row("canvas", "Canvas", registers=False, items=1),
    Row("blackboard", "Blackboard", registers=False),
    Row("brightspace", "Brightspace", registers=True),
    Row("sakai", "Sakai", registers=True),
)
ALL = tuple(row.name for row in LMSS)
each_lms = pytest.mark.parametrize("row", LMSS, ids=ALL)


class Served:
    """An app behind an address that is known before the app is."""

    def __init__(self, host: str) -> None:
        self.app: WSGIApplication | None = None
        self._server = make_server(host, 0, self._answer, threaded=True)
        self.address = f"http://{host}:{self._server.server_port}"
        # A test that ends badly must not keep its process alive.
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        assert self.app is not None
        return self.app(environ, start_response)


@contextmanager
def served(host: str) -> Iterator[Served]:
    """An address at `host`, to which an app may be given."""
    made = Served(host)
    yield made
    made.stop()


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


class Lms(Served):
    """The sandbox with one personality, served on this machine, and a browser in it."""

    def __init__(self, personality: str, tool: Flask) -> None:
        super().__init__("127.0.0.1")
        self.app = sandbox = create_app(self.address, personality=personality)
        self.school: School = sandbox.extensions["sandbox"]
        self.school.http.mount(TOOL, Wire(tool))
        self.browser = sandbox.test_client()

    def stop(self) -> None:
        super().stop()
        self.school.http.close()

    @property
    def tool(self) -> Any:
        """The registered tool."""
        return next(iter(self.school.tools.values()))

    def log_in(self, user: str) -> None:
        assert self.browser.post("/sandbox/login", json={"user": user}).status_code == 200

    @property
    def selection(self) -> str:
        """Where a trainer begins to select content."""
        return f"{self.school.personality.paths.deep_linking}?course=2&id={self.tool.deployment_id}"

    def asked(self, what: str) -> Any:
        """What the sandbox tells scripts of itself."""
        answer = self.browser.get(f"/sandbox/{what}")
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def place(self, title: str = "Coaching cycle 1", **more: Any) -> str:
        """A link to the tool in the course, placed by its title; the address that launches it."""
        body = {"course": "CPC26", "title": title, "tool": self.tool.client_id, **more}
        answer = self.browser.post("/sandbox/activities", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["launch"])

    def form(self, address: str) -> Form:
        page = self.browser.get(address.removeprefix(self.address))
        assert page.status_code == 200, page.text
        return Form(page.text)


def connect(row: Row, lms: Lms, database: Database, clock: Any) -> None:
    """In the way that this LMS has for it."""
    (register if row.registers else add)(lms, database, clock)


def register(lms: Lms, database: Database, clock: Any) -> None:
    """The tool registers itself, by an invite."""
    with database.write() as session:
        code = registry.invite(session, "School", clock()).code
    answer = lms.browser.post("/sandbox/tools", json={"url": registry.registration_url(TOOL, code)})
    assert answer.status_code == 201, answer.text


def add(lms: Lms, database: Database, clock: Any, *, family: str = "") -> None:
    """The tool in the LMS and the LMS in the tool, each typed in by hand. `family`: if it is not what the LMS says."""
    body = {
        "name": "Meitheal",
        "login_url": f"{TOOL}/lti/login",
        "redirect_uris": [f"{TOOL}/lti/launch"],
        "jwks_url": f"{TOOL}/lti/jwks.json",
        "target_link_uri": f"{TOOL}/lti/launch",
        "deep_linking_url": f"{TOOL}/lti/launch",
    }
    made = lms.browser.post("/sandbox/tools", json=body).get_json()
    known = lms.asked("platform")
    del known["product"], known["registers_tools"]
    known["family"] = family or known["family"]
    with database.write() as session:
        registry.add(
            session,
            NewPlatform(name="School", client_id=made["client_id"], deployment_id=made["deployment_id"], **known),
            clock(),
        )


def launch(client: FlaskClient, lms: Lms, user: str, module_id: str) -> Any:
    """The tool's answer to the launch of a link, by the LMS's own number for it."""
    return walk(client, lms, user, f"{lms.school.personality.paths.launch}?id={module_id}")


def walk(client: FlaskClient, lms: Lms, user: str, address: str) -> Any:
    """The tool's answer to the message that begins at `address` in the LMS, where `user` is logged in."""
    lms.log_in(user)
    begin = lms.form(address)
    if begin.method == "get":
        answer = client.get(urlsplit(begin.action).path, query_string=begin.fields)
    else:
        answer = client.post(urlsplit(begin.action).path, data=begin.fields)
    while answer.status_code in (302, 303) and answer.headers["Location"].startswith("/lti/login"):
        answer = client.get(answer.headers["Location"])
    assert answer.status_code == 303, answer.text
    asked = answer.headers["Location"]
    assert asked.startswith(lms.address + lms.school.personality.paths.authorization)
    posted = lms.form(asked)
    assert posted.action == f"{TOOL}/lti/launch"
    return client.post("/lti/launch", data=posted.fields)


class Visitor:
    """Somebody who came from the LMS, in the tool."""

    def __init__(self, app: Flask, lms: Lms, user: str, address: str) -> None:
        self.client = app.test_client()
        answer = walk(self.client, lms, user, address)
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/at/"), answer.text
        self.home = answer.headers["Location"]

    def page(self, path: str = "") -> str:
        answer = self.client.get(self.home + path, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def send(self, path: str, fields: dict[str, Any]) -> str:
        """The page after a form of this person was sent, with its token."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page("about"))
        assert token
        answer = self.client.post(self.home + path, data={"csrf_token": token[1], **fields}, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return str(answer.text)


OpenLms = Callable[[str], Lms]


def read_roster(app: Flask, database: Database, clock: Any) -> None:
    """The roster of the one course there is, as a worker reads it."""
    with database.read() as session:
        course_id = session.scalars(select(Course.id)).one()
    lti = app.extensions["meitheal"].lti
    roster.read({"course_id": course_id}, database=database, http=lti.http, tokens=lti.tokens, clock=clock)


def work(app: Flask, database: Database, clock: Any) -> None:
    """Lets a worker do all that is due."""
    tool = app.extensions["meitheal"]
    jobs.run_due(database, worker.handlers(database, tool.lti, tool.keyring, clock), (), clock)
