"""A tiny server that speaks the save protocol of texts and nothing else, to test the browser's side of it alone.

It follows the protocol's words, not the tool's code: a multi-value register per field, held in memory.
"""

import base64
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, render_template_string, request
from flask_babel import Babel, get_locale
from flask_bootstrap import Bootstrap5
from journeys.fake_files import FakeApp
from werkzeug.serving import BaseWSGIServer, make_server

ROOT = Path(__file__).resolve().parents[2]
MAX_LENGTH = 200
PAGE = """
{% extends "base.html" %}
{% import "_macros.html" as ui with context %}
{% block title %}Texts{% endblock %}
{% block content %}
{% call ui.live_texts(url, revision, person, device_key) %}
<section class="card"><h1>Conversation before</h1>
{% for view in views %}{{ ui.text_field(view, url ~ "/" ~ view.key ~ "?as=" ~ person) }}{% endfor %}
</section>
{% call ui.card("The shared goal", live="goal") %}<p>{{ agreed|join(", ") or "nobody yet" }}</p>{% endcall %}
<form method="post" action="/done"><button class="btn btn-primary">Done</button></form>
{% endcall %}
{% endblock %}
{% block scripts %}{{ ui.texts_script() }}{% endblock %}
"""


@dataclass
class Row:
    number: int
    author: str
    text: str
    editor: str
    seq: int
    rev: int = 1
    replaced: bool = False

    @property
    def token(self) -> str:
        return f"r{self.number}.{self.rev}"


@dataclass
class FieldView:
    key: str
    label: str
    help: str
    rows: int
    max_length: int
    editable: bool
    text: str
    base: str
    heads: list[dict[str, Any]]
    who: str


@dataclass
class FakeTexts:
    """The state of one cycle, and the server that shows it. People are named by `?as=`."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {"goal": [], "look": []})
    agreed: list[str] = field(default_factory=list)
    hidden: str = ""
    """A field that is not on the page."""
    revision: int = 0
    refuse: int = 0
    """Status that every save is answered with; 0 for none."""
    lose_answers: bool = False
    """Saves are carried out, but their answer does not arrive."""
    saves: int = 0
    done: list[str] = field(default_factory=list)
    """What stood in the field `goal` whenever the form Done arrived."""
    port: int = 0
    server: BaseWSGIServer | None = None
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, person: str) -> str:
        return f"http://localhost:{self.port}/page?as={person}"

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

    def heads(self, key: str) -> list[Row]:
        return [row for row in self.rows[key] if not row.replaced]

    def texts(self, key: str) -> list[str]:
        return [row.text for row in self.heads(key)]

    def wait_for(self, key: str, *texts: str, within: float = 5.0) -> None:
        """Waits until exactly these texts are the versions of the field."""
        end = time.monotonic() + within
        while sorted(self.texts(key)) != sorted(texts):
            assert time.monotonic() < end, f"{key} holds {self.texts(key)}, not {list(texts)}"
            time.sleep(0.05)

    def save(self, key: str, author: str, text: str, base: list[str], editor: str, seq: int) -> None:
        with self.lock:
            self.saves += 1
            own = [row for row in self.rows[key] if row.editor == editor and row.author == author]
            if own and own[-1].seq >= seq:
                return
            self.revision += 1
            if own and not own[-1].replaced:
                own[-1].text, own[-1].seq, own[-1].rev = text, seq, own[-1].rev + 1
                return
            for row in self.heads(key):
                row.replaced = row.token in base
            self.rows[key].append(Row(sum(map(len, self.rows.values())), author, text, editor, seq))

    def heads_json(self, key: str, viewer: str) -> list[dict[str, Any]]:
        return [
            {
                "token": r.token,
                "author": r.author,
                "mine": r.author == viewer,
                "text": r.text,
                "saved_at": "",
                "said": r.text,
            }
            for r in self.heads(key)
        ]


def serve() -> FakeTexts:
    fake = FakeTexts()
    fake.start()
    return fake


def _app(fake: FakeTexts) -> Flask:
    app = FakeApp("fake", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "lti_tool/web/static"))
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    Babel(app)
    app.jinja_env.globals.update(get_locale=get_locale, csrf_token=lambda: "token")

    @app.get("/page")
    def page() -> str:
        person = request.args["as"]
        views = [_view(fake, key, person) for key in fake.rows if key != fake.hidden]
        return render_template_string(
            PAGE,
            views=views,
            url="/cycles/c1/texts",
            revision=fake.revision,
            person=person,
            device_key=base64.b64encode(person.encode().ljust(32, b"\0")).decode(),
            agreed=fake.agreed,
        )

    @app.get("/cycles/c1/texts")
    def poll() -> Response | tuple[str, int]:
        if fake.refuse == 401:
            return jsonify(title="", what="", advice=""), 401  # type: ignore[return-value]
        if int(request.args["revision"]) == fake.revision:
            return "", 204
        viewer = request.referrer.rpartition("as=")[2]
        texts = {key: {"base": [], "heads": fake.heads_json(key, viewer)} for key in fake.rows}
        return jsonify(
            revision=fake.revision,
            stage="before",
            texts=texts,
            agreements={"goal": {"heads": "", "signed": fake.agreed}},
            marks={},
        )

    @app.post("/cycles/c1/texts/<key>")
    def save(key: str) -> Response | tuple[Response, int]:
        if fake.refuse:
            said = jsonify(title="No", what="It was refused.", advice="Try otherwise.", reference="1")
            return said, fake.refuse
        sent = request.get_json()
        if len(sent["text"]) > MAX_LENGTH:
            said = jsonify(title="Too long", what="This is too long.", advice="Shorten it.", reference="1")
            return said, 400
        # A field that is not on the page has no address there that says who writes.
        viewer = request.args.get("as") or request.referrer.rpartition("as=")[2]
        fake.save(key, viewer, sent["text"], sent["base"], sent["editor"], sent["seq"])
        if fake.lose_answers:
            return jsonify(), 502
        heads = fake.heads_json(key, viewer)
        return jsonify(field=key, revision=fake.revision, base=[], heads=heads)

    @app.post("/done")
    def done() -> str:
        fake.done.append(" | ".join(fake.texts("goal")))
        return "<!doctype html><title>Done</title>"

    @app.after_request
    def strict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "form-action 'self'"
        )
        return response

    return app


def _view(fake: FakeTexts, key: str, person: str) -> FieldView:
    heads = fake.heads_json(key, person)
    main = next((head for head in heads if head["mine"]), heads[-1] if heads else None)
    return FieldView(
        key=key,
        label={"goal": "The goal", "look": "What we agree to look at"}[key],
        help="In your own words.",
        rows=3,
        max_length=MAX_LENGTH,
        editable=True,
        text=main["text"] if main else "",
        base=main["token"] if main else "",
        heads=heads,
        who="Seen by you and your partner only.",
    )
