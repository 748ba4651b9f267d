"""Platform storage as Canvas and Sakai have it, in real Chromium: the tool gets in where its frame keeps no cookies."""

import os
import shutil
import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from factories import make_settings
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from lti_tool.people import registry
from lti_tool.people.registry import NewPlatform
from lti_tool.sandbox import School, create_app
from lti_tool.store.database import Database
from lti_tool.web import app as web
from lti_tool.web.context import utcnow

CHROMIUM = os.environ.get("MEITHEAL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs Chromium: `apt-get install chromium`, or set MEITHEAL_CHROMIUM to its path"
    ),
    # Flask-Compress leaves the closing of a static file to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


class Served:
    """An app behind an address that is known before the app is."""

    def __init__(self, host: str) -> None:
        self.app: WSGIApplication | None = None
        self._server = make_server(host, 0, self._answer, threaded=True)
        self.address = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        assert self.app is not None
        return self.app(environ, start_response)


def without_cookies_in_frames(app: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if environ.get("HTTP_SEC_FETCH_DEST") != "iframe":
            return app(environ, start_response)
        environ.pop("HTTP_COOKIE", None)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [item for item in headers if item[0].lower() != "set-cookie"], *rest)

        return app(environ, start)  # type: ignore[arg-type]

    return answer


@pytest.fixture
def tool(database: Database) -> Iterator[Served]:
    served = Served("localhost")
    app = web.create_app(make_settings(public_url=served.address), database=database)
    served.app = without_cookies_in_frames(app.wsgi_app)
    yield served
    served.stop()


@pytest.fixture
def lms() -> Iterator[Served]:
    served = Served("127.0.0.1")
    yield served
    served.stop()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        context = browser.new_context()
        context.set_default_timeout(15_000)
        yield context.new_page()
        browser.close()


def connect(lms: Served, tool: Served, personality: str, database: Database) -> School:
    """Both sides by hand, and an activity in the course."""
    app = create_app(lms.address, personality=personality)
    lms.app = app.wsgi_app
    school: School = app.extensions["sandbox"]
    body = {
        "name": "Meitheal",
        "login_url": f"{tool.address}/lti/login",
        "redirect_uris": [f"{tool.address}/lti/launch"],
        "jwks_url": f"{tool.address}/lti/jwks.json",
        "target_link_uri": f"{tool.address}/lti/launch",
    }
    made = app.test_client().post("/sandbox/tools", json=body).get_json()
    paths = school.personality.paths
    with database.write() as session:
        registry.add(
            session,
            NewPlatform(
                name="School",
                issuer=school.issuer,
                client_id=made["client_id"],
                authorization_url=lms.address + paths.authorization,
                token_url=lms.address + paths.tokens,
                jwks_url=lms.address + paths.jwks,
                deployment_id=made["deployment_id"],
                family=personality,
            ),
            utcnow(),
        )
    tool_there = next(iter(school.tools.values()))
    school.add_activity(school.courses["2"], tool_there, "Coaching cycle 1")
    return school


@pytest.mark.parametrize("personality", ["canvas", "sakai"])
def test_its_storage_lets_the_tool_in(
    personality: str, lms: Served, tool: Served, database: Database, page: Page
) -> None:
    connect(lms, tool, personality, database)
    page.request.post(f"{lms.address}/sandbox/login", data={"user": "niamh.nibhriain"})
    page.goto(f"{lms.address}/course/2/activity/1")
    button = page.frame_locator("iframe.tool").get_by_role("button", name="Go on in a new tab")
    with page.context.expect_page() as opened:
        button.click()
    opened.value.wait_for_url(f"{tool.address}/at/**")
    expect(opened.value.locator(".page-person")).to_have_text("Niamh")


def test_the_page_around_the_tool_names_the_frame_and_keeps_nothing(
    lms: Served, tool: Served, database: Database, page: Page
) -> None:
    """Canvas: values are kept by the frame beside the tool's, which is found by asking for the capabilities."""
    connect(lms, tool, "canvas", database)
    page.request.post(f"{lms.address}/sandbox/login", data={"user": "niamh.nibhriain"})
    page.goto(f"{lms.address}/course/2/activity/1")
    page.frame_locator("iframe.tool").get_by_role("button", name="Go on in a new tab").wait_for()
    frame = page.frame("tool")
    assert frame is not None
    ask = """([where, subject, origin]) => new Promise((resolve) => {
      const to = where ? parent.frames[where] : parent;
      addEventListener("message", (event) => resolve(event.data), {once: true});
      to.postMessage({subject, message_id: "m", key: "k"}, origin);
      setTimeout(() => resolve(null), 700);
    })"""
    capabilities = frame.evaluate(ask, ["", "lti.capabilities", lms.address])
    frames = {one["subject"]: one["frame"] for one in capabilities["supported_messages"]}
    assert frames["lti.get_data"] == "post_message_forwarding"
    assert frame.evaluate(ask, ["", "lti.get_data", lms.address]) is None
    answer = frame.evaluate(ask, ["post_message_forwarding", "lti.get_data", lms.address])
    assert (answer["subject"], answer["value"]) == ("lti.get_data.response", None)
