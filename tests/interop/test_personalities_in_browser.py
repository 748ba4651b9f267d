"""Each LMS in real Chromium, which blocks third-party cookies: selected content is placed and opened within the LMS's
page; and where a frame keeps no cookies at all, the storage of Canvas and Sakai lets the tool in."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from factories import make_settings
from interop.platforms import CHROMIUM_ARGUMENTS, NIAMH, TRAINER, Row, Served, each_lms, served
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lti_tool.ops import demo
from lti_tool.sandbox import create_app
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
def tool() -> Iterator[Served]:
    with served("localhost") as made:
        yield made


@pytest.fixture
def lms() -> Iterator[Served]:
    with served("127.0.0.1") as made:
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page_of(chromium: Browser, lms: Served) -> Iterator[Callable[[str], Page]]:
    """A page of somebody who is logged in at the LMS, in a browser of their own."""
    contexts = []

    def open_one(user: str) -> Page:
        context = chromium.new_context()
        context.set_default_timeout(15_000)
        contexts.append(context)
        assert context.request.post(f"{lms.address}/sandbox/login", data={"user": user}).ok
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


def connect(lms: Served, tool: Served, personality: str, database: Database, *, cookies: bool = True) -> None:
    """Serves both and makes them known to each other as the demonstration does, with two activities in the course."""
    settings = make_settings(public_url=tool.address)
    app = web.create_app(settings, database=database).wsgi_app
    tool.app = app if cookies else without_cookies_in_frames(app)
    lms.app = create_app(lms.address, personality=personality).wsgi_app
    demo.connect(lms.address, tool.address, settings, database, utcnow)


@each_lms
def test_content_is_placed_and_opened_within_the_lms_s_page(
    row: Row, lms: Served, tool: Served, database: Database, page_of: Callable[[str], Page]
) -> None:
    connect(lms, tool, row.name, database)
    trainer = page_of(TRAINER)
    trainer.goto(f"{lms.address}/course/2/select?tool=1")
    frame = trainer.frame_locator("iframe.tool")
    frame.locator("#want-cycle-collegial").check()
    frame.locator("#title-cycle-collegial").fill("Cycle before Easter")
    frame.get_by_role("button", name="Place it in the course").click()
    expect(frame.get_by_role("heading", name="Added to the course")).to_be_visible(timeout=15_000)
    placed = trainer.request.get(f"{lms.address}/sandbox/activities").json()[-1]
    assert placed["title"] == "Cycle before Easter"
    niamh = page_of(NIAMH)
    niamh.goto(placed["page"])
    expect(niamh.frame_locator("iframe.tool").locator(".page-person")).to_have_text("Niamh", timeout=15_000)
    expect(niamh.frame_locator("iframe.tool").get_by_role("button", name="I have read this: continue")).to_be_visible()
    assert len(niamh.context.pages) == 1


@pytest.mark.parametrize("personality", ["canvas", "sakai"])
def test_its_storage_lets_the_tool_in(
    personality: str, lms: Served, tool: Served, database: Database, page_of: Callable[[str], Page]
) -> None:
    connect(lms, tool, personality, database, cookies=False)
    page = page_of(NIAMH)
    page.goto(f"{lms.address}/course/2/activity/1")
    button = page.frame_locator("iframe.tool").get_by_role("button", name="Go on in a new tab")
    with page.context.expect_page() as opened:
        button.click()
    opened.value.wait_for_url(f"{tool.address}/at/**")
    expect(opened.value.locator(".page-person")).to_have_text("Niamh")


def test_the_page_around_the_tool_names_the_frame_and_keeps_nothing(
    lms: Served, tool: Served, database: Database, page_of: Callable[[str], Page]
) -> None:
    """Canvas: values are kept by the frame beside the tool's, which is found by asking for the capabilities."""
    connect(lms, tool, "canvas", database, cookies=False)
    page = page_of(NIAMH)
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
