"""A tiny server that speaks the protocol of a visit and nothing else, to test the browser's side of it alone.

It follows the protocol's words, not the tool's code: entries by device and number, held in memory.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from flask_babel import Babel, get_locale
from journeys.fake_files import FakeApp
from werkzeug.serving import BaseWSGIServer, make_server

from lti_tool.observation import entries, hints
from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import Instrument

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class FakeVisit:
    """Visits by id, each with an instrument, and what their devices sent."""

    instruments: dict[str, Instrument]
    kept: dict[str, dict[tuple[str, int], Entry]] = field(default_factory=dict)
    sent: int = 0
    """Entries that arrived, also those that were there already."""
    refuse: tuple[int, dict[str, Any]] | None = None
    """What every request is answered with, apart from the page and its parts."""
    unreadable: set[int] = field(default_factory=set)
    """Numbers of entries that cannot be read."""
    lose_answers: bool = False
    """Entries are kept, but no answer arrives."""
    began_ago: int | None = None
    """ms since the lesson began, as another device said."""
    lasted: int = 0
    """Minutes of the lesson, if the visit was closed before."""
    full: set[str] = field(default_factory=set)
    """Visits in which there is no room for what comes now."""
    closed: dict[str, int] = field(default_factory=dict)
    """Minutes of the visits that were closed."""
    state: str = "1"
    """Of the page, as after an update of the tool."""
    broken_part: str = ""
    """A file that cannot be had."""
    waits: threading.Event = field(default_factory=threading.Event)
    """While it is not set, no page is answered."""
    port: int = 0
    server: BaseWSGIServer | None = None
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, visit: str) -> str:
        return f"http://localhost:{self.port}/visit/{visit}"

    def start(self) -> None:
        self.server = make_server("localhost", self.port, _app(self), threaded=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        if self.server is not None and self.thread is not None:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None

    def entries(self, visit: str) -> list[Entry]:
        """In the order in which each device made them."""
        return [each for _id, each in sorted(self.kept.get(visit, {}).items())]

    def wait_for(self, visit: str, count: int, within: float = 10.0) -> list[Entry]:
        """Waits until there are so many entries, of all devices together."""
        end = time.monotonic() + within
        while len(found := self.entries(visit)) != count:
            assert time.monotonic() < end, f"{len(found)} entries, not {count}"
            time.sleep(0.05)
        return found

    def have(self, visit: str, device: str) -> int:
        numbers = {number for name, number in self.kept.get(visit, {}) if name == device}
        return next(number for number in range(len(numbers) + 1) if number + 1 not in numbers)


@contextmanager
def serving(instruments: dict[str, Instrument]) -> Iterator[FakeVisit]:
    fake = FakeVisit(instruments)
    fake.waits.set()
    fake.start()
    try:
        yield fake
    finally:
        fake.stop()


def _app(fake: FakeVisit) -> Flask:
    static = ROOT / "lti_tool/web/static"
    app = FakeApp("fake", template_folder=str(ROOT / "templates"), static_folder=str(static))
    Babel(app)
    app.jinja_env.globals.update(get_locale=get_locale)

    @app.before_request
    def refuse_part() -> tuple[str, int] | None:
        return ("", 503) if fake.broken_part and request.path.endswith(fake.broken_part) else None

    @app.get("/visit/sw.js")
    def worker() -> Response:
        return app.send_static_file("visit-sw.js")

    @app.get("/visit/<visit>")
    def page(visit: str) -> str:
        fake.waits.wait(20)
        return render_template("observation/capture.html").replace("<body", f'<body data-state="{fake.state}"')

    @app.get("/visit/<visit>/data")
    def data(visit: str) -> Response | tuple[Response, int]:
        if refused := _refused(visit):
            return refused
        instrument = fake.instruments[visit]
        devices = {device for device, _number in fake.kept.get(visit, {})}
        have = {each: fake.have(visit, each) for each in devices}
        of_visit = {"have": have, "began_ago": fake.began_ago, "lasted": fake.lasted}
        return jsonify(
            instrument=instrument.to_json(), words=hints.shipped().to_json("en"), minutes=60, observation=of_visit
        )

    @app.post("/visit/<visit>/entries")
    def send(visit: str) -> Response | tuple[Response, int]:
        if refused := _refused(visit):
            return refused
        letter = request.get_json()
        if visit in fake.full and letter["entries"]:
            return jsonify(full=True, title="Full", what="There is no room.", advice=""), 409
        device, kept = letter["device"], fake.kept.setdefault(visit, {})
        got, clash, refused = [], [], []
        with fake.lock:
            for body in letter["entries"]:
                fake.sent += 1
                if body["number"] in fake.unreadable:
                    refused.append({"index": 0, "number": body["number"]})
                    continue
                entry = entries.read(body | {"device": device}, fake.instruments[visit])
                if kept.setdefault(entry.id, entry) == entry:
                    got.append(entry.number)
                else:
                    clash.append(entry.number)
            have = fake.have(visit, device)
        if fake.lose_answers:
            return jsonify(), 502
        if refused:
            return jsonify(have=have, got=got, refused=refused, what="It could not be read."), 400
        if clash:
            return jsonify(have=have, got=got, clash=clash), 409
        return jsonify(have=have, got=got)

    @app.post("/visit/<visit>/close")
    def close(visit: str) -> Response | tuple[Response, int]:
        if refused := _refused(""):
            return refused
        fake.closed[visit] = request.get_json()["minutes"]
        return jsonify(closed=True)

    @app.after_request
    def strict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
        )
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _refused(visit: str) -> tuple[Response, int] | None:
        if fake.refuse:
            status, body = fake.refuse
            return jsonify(body), status
        if visit in fake.closed:
            return jsonify(title="This visit is closed", what="It is over.", advice="", gone="closed"), 410
        return None

    return app
