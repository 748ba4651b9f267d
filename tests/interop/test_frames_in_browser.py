"""The door inside another site's frame, in real Chromium: partitioned cookies, platform storage, a new tab.

Debian's Chromium blocks third-party cookies and keeps partitioned ones. For a frame that keeps no cookies at all the
tool is served through `NoCookiesInFrames`, which takes them away as such a browser would.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from door.fake_platform import FakePlatform, rsa_jwk
from factories import make_settings
from flask import Flask, jsonify, request
from interop.platforms import CHROMIUM_ARGUMENTS
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from lti_tool.people import registry
from lti_tool.people.registry import NewPlatform
from lti_tool.store.database import Database
from lti_tool.web.app import create_app
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

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
STORAGE = """
const kept = new Map();
let heard = 0;
addEventListener("message", (event) => {
  const said = event.data;
  if (event.origin !== TOOL || !String(said.subject).startsWith("lti.") || SILENT || heard++ < DEAF_TO) return;
  if (said.subject === "lti.put_data") kept.set(said.key, said.value);
  event.source.postMessage(
    { subject: said.subject + ".response", message_id: said.message_id, key: said.key, value: kept.get(said.key) },
    event.origin);
});
"""


class NoCookiesInFrames:
    """Serves an app to a browser that neither keeps nor sends cookies inside a frame."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if environ.get("HTTP_SEC_FETCH_DEST") != "iframe":
            return self._app(environ, start_response)
        environ.pop("HTTP_COOKIE", None)

        def without_cookies(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [item for item in headers if item[0].lower() != "set-cookie"], *rest)

        return self._app(environ, without_cookies)


@dataclass
class Site:
    """A served app: its address, and what it is made of."""

    address: str
    stop: Callable[[], None]


def serve(app: WSGIApplication, host: str) -> Site:
    server = make_server(host, 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    return Site(f"http://{host}:{server.server_port}", stop)


class Late:
    """An app that is known only after its address is."""

    def __init__(self) -> None:
        self.app: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        assert self.app is not None
        return self.app(environ, start_response)


class Lms:
    """A course page with the activity in a frame, an authorization address, and a storage if it is offered."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.storage = ""
        self.silent = False
        self.deaf_to = 0
        """Messages that reach the storage before anybody listens there."""
        self.app = Flask("lms")
        self.app.add_url_rule("/course", "course", self._course)
        self.app.add_url_rule("/auth", "auth", self._auth)
        self.app.add_url_rule("/jwks", "jwks", lambda: jsonify(keys=[rsa_jwk(self.platform.key, "key-1")]))
        self.site = serve(self.app, "127.0.0.1")
        self.platform = FakePlatform(issuer=self.site.address)

    def _course(self) -> str:
        query = urlencode(
            {
                "iss": self.platform.issuer,
                "login_hint": "3",
                "target_link_uri": f"{self.tool}/lti/launch",
                "client_id": self.platform.client_id,
            }
            | ({"lti_storage_target": self.storage} if self.storage else {})
        )
        script = STORAGE.replace("TOOL", json.dumps(self.tool)).replace("SILENT", json.dumps(self.silent))
        script = script.replace("DEAF_TO", str(self.deaf_to))
        return (
            f"<!doctype html><title>Course</title><script>{script}</script>"
            f'<iframe name="activity" width="800" height="900" src="{self.tool}/lti/login?{query}"></iframe>'
        )

    def _auth(self) -> str:
        token = self.platform.sign(
            self.platform.claims(
                request.args["nonce"], utcnow().timestamp(), {CLAIM + "target_link_uri": f"{self.tool}/lti/launch"}
            )
        )
        return (
            f'<!doctype html><form method="post" action="{request.args["redirect_uri"]}">'
            f'<input name="state" value="{request.args["state"]}"><input name="id_token" value="{token}"></form>'
            "<script>document.forms[0].submit()</script>"
        )


@pytest.fixture
def tool(database: Database) -> Iterator[tuple[Site, Late]]:
    late = Late()
    site = serve(late, "localhost")
    app = create_app(make_settings(public_url=site.address), database=database)
    late.app = app.wsgi_app
    yield site, late
    site.stop()


@pytest.fixture
def lms(tool: tuple[Site, Late], database: Database) -> Iterator[Lms]:
    made = Lms(tool[0].address)
    with database.write() as session:
        registry.add(
            session,
            NewPlatform(
                name="School",
                issuer=made.platform.issuer,
                client_id=made.platform.client_id,
                authorization_url=f"{made.site.address}/auth",
                token_url=f"{made.site.address}/token",
                jwks_url=f"{made.site.address}/jwks",
                deployment_id="1",
            ),
            utcnow(),
        )
    yield made
    made.site.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context()
    made.set_default_timeout(15_000)
    yield made
    made.close()


def is_inside(page: Page, tool: str) -> None:
    page.wait_for_url(f"{tool}/at/**")
    expect(page.locator(".page-person")).to_have_text("Seán")


def test_partitioned_cookies_let_the_frame_in(tool: tuple[Site, Late], lms: Lms, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{lms.site.address}/course")
    frame = page.frame("activity")
    assert frame is not None
    frame.wait_for_url(f"{tool[0].address}/at/**")
    expect(page.frame_locator("iframe").locator(".page-person")).to_have_text("Seán")


@pytest.mark.parametrize(("storage", "deaf_to"), [("_parent", 0), ("post_message_forwarding", 0), ("_parent", 2)])
def test_platform_storage_goes_on_in_a_new_tab(
    tool: tuple[Site, Late], lms: Lms, context: BrowserContext, storage: str, deaf_to: int
) -> None:
    """Also where the frame with the storage loads after ours, and does not hear what was said before."""
    tool[1].app = NoCookiesInFrames(tool[1].app)  # type: ignore[arg-type]
    lms.storage, lms.deaf_to = storage, deaf_to
    page = context.new_page()
    page.goto(f"{lms.site.address}/course")
    button = page.frame_locator("iframe").get_by_role("button", name="Go on in a new tab")
    button.wait_for()
    frame = page.frame("activity")
    assert frame is not None
    # Whoever is quicker than the script goes on all the same, but the frame does not say so.
    frame.wait_for_load_state()
    with context.expect_page() as opened:
        button.click()
    is_inside(opened.value, tool[0].address)
    expect(page.frame_locator("iframe").get_by_text("open in the other tab")).to_be_visible()


@pytest.mark.parametrize("silent", [False, True])
def test_without_cookies_and_storage_the_activity_opens_in_a_new_tab(
    tool: tuple[Site, Late], lms: Lms, context: BrowserContext, silent: bool
) -> None:
    """Also where a storage is promised and never answers."""
    tool[1].app = NoCookiesInFrames(tool[1].app)  # type: ignore[arg-type]
    lms.storage, lms.silent = ("_parent" if silent else ""), silent
    page = context.new_page()
    page.goto(f"{lms.site.address}/course")
    link = page.frame_locator("iframe").get_by_role("link", name="Open in a new tab")
    with context.expect_page() as opened:
        link.click()
    is_inside(opened.value, tool[0].address)
