"""The yardstick: the least a Flask program can do for an LTI launch, with nothing of the tool in it.

One insert at login, an atomic consume, PyJWT with a cached key object, a session cookie, a redirect, one select and one
small page; SQLite in WAL mode with synchronous NORMAL.
"""

import os
import secrets
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import jwt
from flask import Flask, abort, make_response, redirect, render_template_string, request
from werkzeug.wrappers import Response

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{{ title }}</title>
<main><h1>{{ title }}</h1><p>Hello {{ name }}.</p></main></html>"""
_here = threading.local()


def create_app() -> Flask:
    """The bare program, on the files named by BENCH_DATABASE and BENCH_PUBLIC_KEY (a PEM file)."""
    app = Flask("bare")
    file = os.environ["BENCH_DATABASE"]
    algorithm = jwt.get_algorithm_by_name("RS256")
    key = algorithm.prepare_key(Path(os.environ["BENCH_PUBLIC_KEY"]).read_bytes())
    with sqlite3.connect(file) as setup:
        setup.execute("PRAGMA journal_mode=WAL")
        setup.executescript(
            "CREATE TABLE IF NOT EXISTS logins (state TEXT PRIMARY KEY, nonce TEXT, expires REAL, used INTEGER);"
            "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, sub TEXT, name TEXT);"
        )

    def database() -> sqlite3.Connection:
        if not hasattr(_here, "connection"):
            _here.connection = sqlite3.connect(file, isolation_level=None, timeout=10)
            _here.connection.execute("PRAGMA synchronous=NORMAL")
        connection: sqlite3.Connection = _here.connection
        return connection

    @app.route("/lti/login", methods=["GET", "POST"])
    def login() -> Response:
        state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        database().execute("INSERT INTO logins VALUES (?, ?, ?, 0)", (state, nonce, time.time() + 300))
        query = urlencode(
            {
                "scope": "openid",
                "response_type": "id_token",
                "response_mode": "form_post",
                "prompt": "none",
                "client_id": request.values["client_id"],
                "redirect_uri": request.values["target_link_uri"],
                "login_hint": request.values["login_hint"],
                "state": state,
                "nonce": nonce,
            }
        )
        answer = redirect(f"https://lms.example/auth?{query}")
        answer.set_cookie("state", state, httponly=True)
        return answer

    @app.post("/lti/launch")
    def launch() -> Response:
        state = request.form["state"]
        if request.cookies.get("state") != state:
            abort(400)
        claims = jwt.decode(request.form["id_token"], key, algorithms=["RS256"], audience="bench", leeway=60)
        used = database().execute(
            "UPDATE logins SET used = 1 WHERE state = ? AND nonce = ? AND used = 0 AND expires > ?",
            (state, claims["nonce"], time.time()),
        )
        if used.rowcount != 1:
            abort(400)
        session = secrets.token_urlsafe(24)
        database().execute("INSERT INTO sessions VALUES (?, ?, ?)", (session, claims["sub"], claims["name"]))
        answer = redirect("/page", 303)
        answer.set_cookie("session", session, httponly=True)
        return answer

    @app.get("/page")
    def page() -> Response:
        row = (
            database()
            .execute("SELECT name FROM sessions WHERE id = ?", (request.cookies.get("session", ""),))
            .fetchone()
        )
        if row is None:
            abort(401)
        return make_response(render_template_string(PAGE, title="My next step", name=row[0]))

    return app
