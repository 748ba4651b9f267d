"""The app factory: settings and a database in, a Flask application out. It makes no outbound call and no table."""

import importlib
from ipaddress import ip_address
from typing import Any

from flask import Flask, g, render_template
from flask_babel import Babel, get_locale
from flask_bootstrap import Bootstrap5
from flask_compress import Compress
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from lti_tool.lti.service import LtiDoor
from lti_tool.privacy.keyring import Keyring
from lti_tool.schedule import reminders
from lti_tool.settings import Networks, Settings
from lti_tool.store.database import Database
from lti_tool.web import errors, headers, health, languages, limits, logs, sign_in, static_files
from lti_tool.web.context import Clock, Tool, utcnow
from lti_tool.web.paths import template_folder
from moodle_sync import messages

MAX_REQUEST_BYTES = 1_000_000
"""Largest request that is read: an id_token or a long reflection is far below it."""

_ROOMS = (
    "lti_tool.web.home",
    "lti_tool.people.views",
    "lti_tool.activities.views",
    "lti_tool.activities.manage",
    "lti_tool.pairing.views",
    "lti_tool.rounds.views",
    "lti_tool.groups.views",
    "lti_tool.protocols.views",
    "lti_tool.protocols.edit_views",
    "lti_tool.cycles.views",
    "lti_tool.cycles.conversation_views",
    "lti_tool.observation.views",
    "lti_tool.reflection.views",
    "lti_tool.reflection.year_views",
    "lti_tool.reflection.growth_views",
    "lti_tool.privacy.looks.views",
    "lti_tool.sharing.views",
    "lti_tool.rhythm.views",
    "lti_tool.schedule.views",
    "lti_tool.threads.views",
    "lti_tool.doors.views",
    "lti_tool.friends.views",
    "lti_tool.completion.views",
    "lti_tool.progress.views",
    "lti_tool.schools.views",
    "lti_tool.ownership.views",
    "moodle_sync.views",
    "moodle_sync.calendar_views",
)
"""Modules whose pages are those of a signed-in person, each with a `blueprint`."""


def create_app(settings: Settings, *, database: Database | None = None, clock: Clock = utcnow) -> Flask:
    """The web application. `database` and `clock` (aware UTC now) can be given by tests."""
    logs.configure(settings.log.level)
    database = database or Database(settings.database_url)
    app = Flask("lti_tool", static_folder=None, static_url_path="/static", template_folder=template_folder())
    # Werkzeug would lead to the address it means by a redirect that repeats whatever Host was asked for.
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_REQUEST_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=7 * 24 * 3600,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=True,
        BOOTSTRAP_SERVE_LOCAL=True,
        BABEL_DEFAULT_TIMEZONE=settings.time_zone,
        COMPRESS_MIMETYPES=["text/css", "text/javascript", "application/javascript"],
        COMPRESS_STREAMS=True,
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["meitheal"] = Tool(
        settings=settings,
        database=database,
        clock=clock,
        keyring=Keyring.of(settings, database),
        lti=LtiDoor(settings, database, clock),
    )
    _let_reminders_leave(app.extensions["meitheal"])
    app.session_interface = sign_in.SignInSessions()
    Bootstrap5(app)
    Compress(app)
    Babel(app, locale_selector=languages.locale_of_request, timezone_selector=languages.zone_of_request)
    languages.register(app)
    app.jinja_env.globals.update(get_locale=get_locale, languages=languages.OFFERED)

    app.url_value_preprocessor(sign_in.load_actor_of_path)
    # After the actor, for whom is counted, and before all that refuses.
    limits.register(app, settings.limits.enabled)
    app.before_request(sign_in.require_actor)
    app.url_defaults(sign_in.fill_in_handle)
    csrf = CSRFProtect(app)
    headers.register(app)
    static_files.register(app)
    errors.register(app)
    health.register(app)
    _register_rooms(app, csrf)
    app.add_url_rule("/", "front", _front)
    _trust_proxies(app, settings.network.trusted_proxies)
    return app


def _register_rooms(app: Flask, csrf: CSRFProtect) -> None:
    for module in ("lti_tool.web.door", "lti_tool.web.registration_views"):
        door = importlib.import_module(module).blueprint
        # The LMS posts here, so there is no page of ours that could carry a token; state and signature take its place,
        # or the invite.
        csrf.exempt(door)
        app.register_blueprint(door)
    for module in _ROOMS:
        app.register_blueprint(importlib.import_module(module).blueprint, url_prefix="/at/<handle>")
    # Whoever comes by a one-time link to a school's page has no sign-in.
    app.register_blueprint(importlib.import_module("lti_tool.schools.views").visits, url_prefix="/school")
    # Calendar programs read bookings without a sign-in, at addresses that nobody can guess.
    app.register_blueprint(importlib.import_module("lti_tool.schedule.views").feed, url_prefix="/calendar")
    # The tab that captures a visit outlives the sign-in. Its changes are known by where they come from.
    visit = importlib.import_module("lti_tool.observation.views").visit
    csrf.exempt(visit)
    app.register_blueprint(visit, url_prefix="/visit")


def _let_reminders_leave(tool: Tool) -> None:
    """Beside e-mail: as messages of Moodle. Here they are offered, and the worker sends them."""
    reminders.SENDERS["lms"] = messages.Messages(tool.database, tool.keyring.masters, tool.lti.http, tool.clock)


def _front() -> str:
    """What somebody sees who comes without a launch."""
    g.frame_ancestors = "'none'"
    return render_template("front.html")


def _trust_proxies(app: Flask, trusted: Networks) -> None:
    if not trusted:
        return
    plain, behind_proxy = app.wsgi_app, ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)

    def choose(environ: dict[str, Any], start_response: Any) -> Any:
        try:
            address = ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return plain(environ, start_response)
        known = any(address in network for network in trusted)
        return (behind_proxy if known else plain)(environ, start_response)

    app.wsgi_app = choose  # type: ignore[method-assign]
