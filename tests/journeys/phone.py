"""A coach's phone, and a visit of the real tool that it captures, for the journeys of a visit."""

import socket
import socketserver
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import pytest
from cycles.pair_at_work import make_cycle
from factories import make_course
from journeys.live import LiveTool, watch
from observation.made import made
from observation.observed import approved, members, observation
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from lti_tool.cycles import service as cycles
from lti_tool.observation import capture, grants
from lti_tool.observation.entries import Entry
from lti_tool.observation.models import Observation
from lti_tool.people.sign_ins import open_sign_in
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import from_values

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def phone(new_context: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    """Opens a phone; `scripts` run before those of each page."""

    def one(*scripts: str, **options: Any) -> BrowserContext:
        context = new_context(**PHONE, **options)
        for script in scripts:
            context.add_init_script(script)
        return context

    return one


def begin(context: BrowserContext, address: str) -> Page:
    """A new page of a visit, whose lesson begins now if it has not begun."""
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    watch(page, page.errors)  # type: ignore[attr-defined]
    page.goto(address)
    expect(page.locator("#visit-begin-now:visible, #visit-undo:visible")).to_have_count(1)
    if page.locator("#visit-begin-now").is_visible():
        expect(page.locator("#visit-begin-shell")).to_contain_text("opens again without network")
        page.locator("#visit-begin-now").tap()
    expect(page.locator("#visit-undo")).to_be_visible()
    return page


def tap(page: Page, name: str = "A pupil asks a question", times: int = 1) -> None:
    """Taps the button of a code."""
    for _once in range(times):
        page.locator(".tap", has_text=name).tap()


def send(page: Page) -> None:
    """What the page does a few seconds after an entry, at once."""
    page.evaluate("dispatchEvent(new Event('online'))")


def state(page: Page) -> Any:
    """To expect what the page says of what is kept and sent."""
    return expect(page.locator("#visit-state"))


def mode(page: Page) -> Any:
    """To expect what it says of the network."""
    return expect(page.locator("#visit-mode"))


def sign_in(tool: LiveTool, context: BrowserContext, activity_id: str, membership: str, language: str = "en") -> str:
    """Signs somebody in at a browser; the address below which their pages are."""
    now = datetime.now(UTC)
    with tool.database() as database, database.write() as session:
        handle, secret = open_sign_in(
            session, membership_id=membership, activity_id=activity_id, locale=language,
            platform_origin="https://lms.example", return_url="", now=now,
        )  # fmt: skip
    # A cookie of this name comes from a secure address; it goes to localhost without one, too.
    context.add_cookies([{"name": f"__Host-at-{handle}", "value": secret, "url": "https://localhost", "secure": True}])
    return f"{tool.url}/at/{handle}"


class Visit:
    """A visit of a pair that can be captured, in the database of a running tool."""

    def __init__(self, tool: LiveTool, base: str = "question_level") -> None:
        self.tool = tool
        self.instrument = made(base)
        now = datetime.now(UTC)
        with tool.database() as database:
            self.keyring = Keyring.of(from_values(tool.settings), database)
            course = make_course(database, protocol="collegial", now=now)
            self.activity_id = course.activity_id
            self.cycle_id = make_cycle(database, course, now)
            self.coach, self.person = members(database, self.cycle_id)["coach"]
            instrument_id = approved(database, self.keyring, self.cycle_id, self.instrument, now)
            self.id = observation(database, self.keyring, self.cycle_id, instrument_id, now)

    def open(self, context: BrowserContext) -> str:
        """Lets a phone in by a code that is typed there; the address of its tab."""
        with self.tool.database() as database, database.write() as session:
            code = grants.new_code(session, self.id, datetime.now(UTC))
        page = context.new_page()
        page.goto(f"{self.tool.url}/visit")
        page.locator("input[name=code]").fill(code)
        page.locator("main button").click()
        page.wait_for_selector("#visit-begin-now")
        address = page.url
        page.close()
        return address

    def kept(self) -> list[Entry]:
        """What the coach reads of it afterwards."""
        with self.tool.database() as database, database.read() as session:
            row = session.scalars(select(Observation).where(Observation.id == self.id)).one()
            cycle = cycles.load(session, self.cycle_id, self.person)
            assert cycle is not None
            return capture.entries(session, self.keyring, row, cycle, datetime.now(UTC))


class Meter(socketserver.ThreadingTCPServer):
    """A way to a server of this machine on which all its answers are counted: bytes, as they go over the network."""

    daemon_threads = True
    port: int
    count = 0

    def __init__(self, server_port: int) -> None:
        meter = self

        class Relay(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("localhost", server_port)) as server:
                    threading.Thread(target=self.ask, args=(server,), daemon=True).start()
                    while data := server.recv(65_536):
                        meter.count += len(data)
                        self.request.sendall(data)

            def ask(self, server: socket.socket) -> None:
                try:
                    while data := self.request.recv(65_536):
                        server.sendall(data)
                    server.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # the browser has what it wants

        super().__init__(("127.0.0.1", 0), Relay)
        self.port = self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser ends connections as it likes."""

    def __enter__(self) -> "Meter":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
