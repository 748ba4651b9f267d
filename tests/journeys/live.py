"""The real tool and the sandbox on two sites of this machine, and how a person walks through them in a browser."""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Locator, Page, expect
from werkzeug.serving import make_server

from lti_tool.people import registry
from lti_tool.sandbox.app import create_app as create_sandbox
from lti_tool.store.database import Database

SERVE = Path(__file__).with_name("serve_tool.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Servers:
    """Where the processes come from that serve tools."""

    def __init__(self) -> None:
        tests = str(SERVE.parents[1])
        self._process = subprocess.Popen(
            [sys.executable, str(SERVE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # Before what it is set to already: the tool that is tested need not be the one that is installed.
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (tests, os.environ.get("PYTHONPATH"))))},
        )  # fmt: skip

    def start(self, settings: dict[str, Any], port: int, log: Path) -> int:
        """Id of a new process that serves a tool at this port."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps({"settings": settings, "port": port, "log": str(log)}), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.communicate()


class LiveTool:
    """The tool at http://localhost:<port>, in a process that can be killed and started again."""

    def __init__(self, folder: Path, servers: Servers) -> None:
        self.port = free_port()
        self._servers = servers
        self.url = f"http://localhost:{self.port}"
        self.folder = folder
        self.database_url = f"sqlite:///{folder / 'meitheal.db'}"
        self.settings = {
            "public_url": self.url,
            "secret_key": base64.b64encode(secrets.token_bytes(32)).decode(),
            "master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
            "database_url": self.database_url,
            "queue_url": f"sqlite:///{folder / 'queue.db'}",
            "network": {"allow_private": ["127.0.0.0/8", "::1/128"]},
            "limits": {"enabled": False},
            # One that is down.
            "mail": {"host": "127.0.0.1", "port": 1, "tls": "none", "from": "coaching@tool.example"},
            "log": {"level": "warning"},
        }
        self._process_id = 0

    def start(self) -> None:
        log = self.folder / "tool.log"
        self._process_id = self._servers.start(self.settings, self.port, log)
        end = time.monotonic() + 30
        while True:
            try:
                if requests.get(f"{self.url}/healthz", timeout=2).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            assert self._is_running() and time.monotonic() < end, log.read_text("utf-8")[-3000:]
            time.sleep(0.02)

    def kill(self) -> None:
        """As the power cut does it."""
        if self._process_id:
            os.kill(self._process_id, signal.SIGKILL)
            while self._is_running():
                time.sleep(0.005)
            self._process_id = 0

    def _is_running(self) -> bool:
        try:
            os.kill(self._process_id, 0)
        except ProcessLookupError:
            return False
        return True

    @contextmanager
    def database(self) -> Iterator[Database]:
        opened = Database(self.database_url)
        yield opened
        opened.dispose()

    def end_all_sign_ins(self) -> None:
        from sqlalchemy import update

        from lti_tool.people.models import SignIn

        with self.database() as database, database.write() as session:
            session.execute(update(SignIn).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))


class LiveSandbox:
    """The mini-LMS at http://127.0.0.1:<port>, another site for every browser."""

    def __init__(self, tool: LiveTool, personality: str = "moodle") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        app = create_sandbox(self.url, tool_origin=tool.url, personality=personality)
        self.server = make_server("127.0.0.1", self.port, app, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def post(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def people(self, role: str) -> list[dict[str, Any]]:
        found = requests.get(f"{self.url}/sandbox/people", timeout=10).json()
        return [person for person in found if person["role"] == role]

    def register(self, tool: LiveTool, *, platform_storage: bool = False) -> str:
        """Registers the tool by a one-time invite; its client id."""
        with tool.database() as database, database.write() as session:
            code = registry.invite(session, "Scoil", datetime.now(UTC)).code
        address = registry.registration_url(tool.url, code)
        return str(self.post("tools", url=address, platform_storage=platform_storage)["client_id"])

    def add_activity(self, client_id: str, title: str = "Coaching cycle 1") -> str:
        """Address of a new activity's page in the main course."""
        return str(self.post("activities", course="CPC26", title=title, tool=client_id)["page"])


def watch(page: Page, errors: list[str]) -> None:
    """Keeps what goes wrong in a page: errors of scripts, and what the browser complains of in its console."""
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" and not _no_answer(said) else None)


def _no_answer(said: ConsoleMessage) -> bool:
    """A page that is refused, or a network that is not there: that is what those tests are about."""
    return said.text.startswith("Failed to load resource")


class Somebody:
    """A person at a browser of their own: logs in to the sandbox, opens the activity, and works in it."""

    def __init__(self, context: BrowserContext, sandbox: LiveSandbox | None, user: str) -> None:
        self.context = context
        self.user = user
        if sandbox is not None:
            self.sandbox = sandbox
            answer = context.request.post(f"{sandbox.url}/sandbox/login", data={"user": user})
            assert answer.ok, answer.text()
        self.errors: list[str] = []
        context.on("page", self._watch)
        self.view: Page | Frame | None = None
        self.look: Callable[[Somebody], None] = lambda somebody: None
        """Called on every page this person comes to."""

    def _watch(self, page: Page) -> None:
        watch(page, self.errors)

    def open(self, activity: str) -> Page | Frame:
        """The activity as the LMS shows it: in the frame, or in a new tab where the frame keeps no cookies."""
        page = self.context.new_page()
        page.goto(activity)
        handle = page.wait_for_selector("iframe.tool")
        frame = handle.content_frame()
        assert frame is not None
        frame.wait_for_selector("main#content h1", timeout=15_000)
        self.frame, self.page, self.view = frame, page, frame
        return frame

    def arrive(self, activity: str, *, in_frame: bool) -> None:
        """Opens the activity where this browser can: in the frame, or in a new tab."""
        if in_frame:
            self.open(activity)
        else:
            self.open_in_new_tab(activity)

    def open_alone(self, activity: str) -> Page:
        """The activity without the LMS around it, as an LMS opens it in a window of its own."""
        self.page = self.view = self.context.new_page()
        self.page.goto(activity)
        launch = self.page.locator("iframe.tool").get_attribute("src")
        assert launch is not None
        self.page.goto(self.sandbox.url + launch)
        while self.sandbox.url in self.page.url:
            # Without JavaScript the LMS offers a button for each form that it would send by itself.
            self.page.wait_for_load_state()
            if self.sandbox.url in self.page.url and (button := self.page.get_by_role("button")).count():
                button.first.click(timeout=3000)
        self.page.wait_for_selector("main#content h1")
        self.look(self)
        return self.page

    def open_signed_in(self, address: str) -> Page:
        """A page of the tool for which this browser has a cookie already."""
        self.page = self.view = self.context.new_page()
        self.page.goto(address)
        self.look(self)
        return self.page

    def open_in_new_tab(self, activity: str) -> Page:
        """Where the frame keeps no cookies: by the button that the tool shows there."""
        frame = self.open(activity)
        with self.context.expect_page() as opened:
            frame.locator("main .btn-primary", has_text="new tab").click()
        opened.value.wait_for_selector("main#content h1")
        self.page = self.view = opened.value
        return opened.value

    @property
    def at(self) -> Page | Frame:
        assert self.view is not None
        return self.view

    def press(self, name: str) -> None:
        """Presses a button or follows a link by its words, and waits until the next page is there."""
        self.follow(self.at.locator("main").locator("button:visible, a:visible").get_by_text(name, exact=True).first)

    def write(self, key: str, text: str) -> None:
        """Types into a field and waits until the page says that the server has it."""
        box = self.at.locator(f"#text-{key}")
        box.fill(text)
        # Left, so that the page sends it at once.
        box.blur()
        expect(self.at.locator(f"#field-{key} [data-save-state]")).to_have_text("Saved", timeout=10_000)

    def open_stage(self, title: str) -> None:
        """To a stage, by the list on the page of the next step."""
        self.home()
        self.follow(self.at.locator(".stage-list").get_by_role("link", name=title))

    def visit(self, *paths: str) -> None:
        """To pages of this person by their addresses below /at/<handle>/."""
        for path in paths:
            self.page.goto("/".join(self.page.url.split("/")[:5]) + "/" + path)
            self.page.wait_for_selector("main#content h1")
            self.look(self)

    def home(self) -> None:
        """To the next step, by the title of the page."""
        self.follow(self.at.locator(".page-name"))

    def follow(self, way: Locator) -> None:
        """Clicks, and waits until another page is there."""
        self.at.locator("html").evaluate("page => page.setAttribute('data-left', '')")
        way.click()
        self.at.wait_for_selector("html:not([data-left]) main#content h1")
        self.look(self)


def arrivals(
    new_context: Callable[..., BrowserContext], sandbox: LiveSandbox, look: Callable[[Somebody], None], activity: str
) -> Callable[[str], Somebody]:
    """Opens an activity, in a tab of its own, for one user of the sandbox after another; each page is looked at."""

    def arrive(user: str) -> Somebody:
        somebody = Somebody(new_context(), sandbox, user)
        somebody.look = look
        somebody.open_alone(activity)
        return somebody

    return arrive
