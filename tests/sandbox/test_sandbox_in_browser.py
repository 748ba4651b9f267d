"""The sandbox in a real browser: no accessibility violations, and frames that resize and keep values."""

import shutil
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, redirect, request
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from lti_tool.sandbox import create_app

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install the package chromium"),
]

TOOL_PAGE = """<!doctype html><html lang="en"><title>Tool</title><body><p id="who">{who}</p><pre id="log"></pre>
<script>
const lms = window.opener || window.parent, origin = "{lms}";
let number = 0;
function ask(message) {{
  return new Promise((resolve) => {{
    message.message_id = "m" + (++number);
    const listener = (event) => {{
      if (event.origin !== origin || event.data.message_id !== message.message_id) return;
      window.removeEventListener("message", listener);
      resolve(event.data);
    }};
    window.addEventListener("message", listener);
    lms.postMessage(message, origin);
    setTimeout(() => resolve({{subject: "nothing"}}), 700);
  }});
}}
(async () => {{
  const log = [];
  lms.postMessage({{subject: "lti.frameResize", height: 321}}, origin);
  log.push(await ask({{subject: "lti.capabilities"}}));
  log.push(await ask({{subject: "lti.put_data", key: "state", value: "s-1"}}));
  log.push(await ask({{subject: "lti.get_data", key: "state"}}));
  log.push(await ask({{subject: "lti.get_data", key: "other"}}));
  log.push(await ask({{subject: "lti.put_data", key: "", value: "x"}}));
  document.getElementById("log").textContent = JSON.stringify(log);
}})();
</script></body></html>"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def small_tool(lms: str) -> Flask:
    tool = Flask("small_tool")

    @tool.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": request.values["client_id"],
            "redirect_uri": request.url_root + "launch",
            "login_hint": request.values["login_hint"],
            "lti_message_hint": request.values["lti_message_hint"],
            "state": "s",
            "nonce": "n",
        }
        if tool.config.get("BY_SCRIPT"):
            # A tool that first looks whether it may keep cookies comes back from a page of its own.
            fields = "".join(f"<input type=hidden name='{name}' value='{value}'>" for name, value in query.items())
            script = "<script>document.forms[0].submit()</script>"
            return f"<form method=post action='{lms}/mod/lti/auth.php'>{fields}</form>{script}"
        return redirect(f"{lms}/mod/lti/auth.php?{urlencode(query)}")

    @tool.post("/launch")
    def launch() -> str:
        return TOOL_PAGE.format(lms=lms, who="token" if request.form.get("id_token") else request.form.get("error"))

    @tool.get("/register")
    def register() -> str:
        close = 'window.parent.postMessage({subject: "org.imsglobal.lti.close"}, "*")'
        return f"<title>x</title><button onclick='{close}'>Done</button>"

    return tool


class Site:
    def __init__(self) -> None:
        port, tool_port = free_port(), free_port()
        self.lms, self.tool = f"http://127.0.0.1:{port}", f"http://localhost:{tool_port}"
        self.app = create_app(self.lms, tool_origin=self.tool)
        self.tool_app = small_tool(self.lms)
        self.servers = [
            make_server("127.0.0.1", port, self.app, threaded=True),
            make_server("localhost", tool_port, self.tool_app, threaded=True),
        ]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        client = self.app.test_client()
        by_hand = {
            "name": "Small tool",
            "login_url": self.tool + "/login",
            "redirect_uris": [self.tool + "/launch"],
            "jwks_url": self.tool + "/jwks",
            "target_link_uri": self.tool + "/launch",
            "deep_linking_url": self.tool + "/launch",
        }
        registered = client.post("/sandbox/tools", json=by_hand).get_json()
        for title, target in (("Inside", "iframe"), ("Outside", "window")):
            body = {"course": "CPC26", "title": title, "tool": registered["client_id"], "target": target}
            client.post("/sandbox/activities", json={**body, "gradable": True})

    def faults(self, **wanted: Any) -> None:
        client = self.app.test_client()
        client.delete("/sandbox/faults")
        client.post("/sandbox/faults", json=wanted)

    def close(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Without a process for each site: on a busy machine Playwright loses a frame that goes back and forth.
        options = ["--disable-gpu", "--disable-background-networking", "--disable-site-isolation-trials"]
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *options])


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    site.faults()
    site.tool_app.config["BY_SCRIPT"] = False
    context = chromium.new_context(viewport={"width": 375, "height": 800})
    yield context.new_page()
    context.close()


def become(page: Page, site: Site, name: str) -> None:
    page.goto(site.lms + "/who-am-i")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Dia duit")


def test_no_accessibility_violations_and_no_sideways_scrolling(page: Page, site: Site) -> None:
    become(page, site, "Colm Hennessy")
    page.set_viewport_size({"width": 320, "height": 800})
    addresses = ("/", "/who-am-i", "/course/2", "/course/3", "/course/2/participants", "/course/2/grades",
                 "/course/2/add", "/course/2/activity/1", "/course/2/activity/2", "/course/2/select?tool=1",
                 "/admin/tools", "/faults", "/course/99")  # fmt: skip
    for address in addresses:
        page.goto(site.lms + address)
        violations = Axe().run(page, options={"iframes": False}).response["violations"]
        assert [violation["id"] for violation in violations] == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address


def log_of(frame: Any) -> list[dict[str, Any]]:
    expect(frame.locator("#log")).not_to_be_empty(timeout=10_000)
    found = frame.locator("#log").evaluate("element => JSON.parse(element.textContent)")
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("by_script", [False, True])
def test_a_launch_in_a_frame_and_its_height(page: Page, site: Site, by_script: bool) -> None:
    site.tool_app.config["BY_SCRIPT"] = by_script
    become(page, site, "Niamh Ní Bhriain")
    page.get_by_role("link", name="Collegial Peer Coaching").click()
    page.get_by_role("link", name="Inside").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("#who")).to_have_text("token")
    assert [message["subject"] for message in log_of(frame)] == ["nothing"] * 5
    assert page.locator("iframe").evaluate("frame => frame.style.height") == "321px"


EXPECTED_LOG = [
    {"subject": "lti.capabilities.response", "message_id": "m1"},
    {"subject": "lti.put_data.response", "message_id": "m2", "key": "state", "value": "s-1"},
    {"subject": "lti.get_data.response", "message_id": "m3", "key": "state", "value": "s-1"},
    {"subject": "lti.get_data.response", "message_id": "m4", "key": "other", "value": None},
]


def assert_stored(log: list[dict[str, Any]]) -> None:
    supported = [message["subject"] for message in log[0].pop("supported_messages")]
    assert {"lti.put_data", "lti.get_data"} <= set(supported)
    assert log[:4] == EXPECTED_LOG
    assert log[4]["error"]["code"] == "bad_request"


def test_platform_storage_in_a_frame(page: Page, site: Site) -> None:
    site.faults(platform_storage=True)
    become(page, site, "Niamh Ní Bhriain")
    page.goto(site.lms + "/course/2/activity/1")
    assert_stored(log_of(page.frame_locator("iframe")))


def test_platform_storage_for_a_new_window(page: Page, site: Site) -> None:
    site.faults(platform_storage=True)
    become(page, site, "Niamh Ní Bhriain")
    page.goto(site.lms + "/course/2")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Outside").click()
    assert_stored(log_of(opened.value))


def test_another_origin_gets_nothing_from_storage(page: Page, site: Site) -> None:
    site.faults(platform_storage=True)
    become(page, site, "Niamh Ní Bhriain")
    page.goto(site.lms + "/course/2/activity/1")
    answer = page.evaluate(
        """() => new Promise((resolve) => {
          window.addEventListener("message", (event) => {
            if (event.data.subject === "lti.get_data.response") resolve(event.data);
          });
          window.postMessage({subject: "lti.get_data", message_id: "x", key: "state"}, "*");
        })"""
    )
    assert answer["error"]["code"] == "wrong_origin"
    assert "value" not in answer


def test_a_registration_closes_by_message(page: Page, site: Site) -> None:
    become(page, site, "Colm Hennessy")
    page.goto(site.lms + "/admin/tools")
    page.get_by_label("Tool’s registration address").fill(site.tool + "/register")
    page.get_by_role("button", name="Add LTI Advantage").click()
    page.frame_locator("iframe").get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", name="Manage tools")).to_be_visible()


def test_a_launch_without_scripts_has_a_button(chromium: Browser, site: Site) -> None:
    site.faults()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    become(page, site, "Seán Ó Dónaill")
    page.goto(site.lms + "/course/2")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Outside").click()
    window = opened.value
    window.get_by_role("button", name="Continue").click()
    window.get_by_role("button", name="Continue").click()
    expect(window.locator("#who")).to_have_text("token")
    context.close()
