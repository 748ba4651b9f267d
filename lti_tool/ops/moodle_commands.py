"""`meitheal moodle …`: the web services of platforms that are a Moodle."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from lti_tool.lti.http import Http
from lti_tool.ops import config
from lti_tool.ops.errors import CommandFailed
from lti_tool.privacy.sealing import Masters
from lti_tool.settings import Settings
from lti_tool.store.database import Database
from lti_tool.web.context import utcnow
from moodle_sync import sites
from moodle_sync.advice import said
from moodle_sync.errors import WHERE_FUNCTIONS, MissingFunction, MoodleError
from moodle_sync.sites import NEEDED, Site

USES = {
    "roster": "courses, people and groups are read",
    "groups": "pairs become groups, where a trainer switches that on",
    "events": "bookings become entries of the calendar",
    "messages": "reminders become messages",
}


def add_to(meitheal: click.Group, names_a_platform: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    """Adds the commands to the whole."""

    @meitheal.group(no_args_is_help=False)
    def moodle() -> None:
        """Moodle's web services: docs/moodle-administrator.md says how they are opened."""

    for command, options in (
        (connect, [click.option("--url", required=True, help="Address of the Moodle's start page.")]),
        (show, []),
        (functions, []),
        (allow, [_switch("events", "Bookings in the calendar."), _switch("messages", "Reminders as messages.")]),
        (forget, [click.option("--yes", is_flag=True, help="Without being asked.")]),
    ):
        decorated = names_a_platform(click.pass_context(command))
        for option in options:
            decorated = option(decorated)
        moodle.command(command.__name__)(decorated)


def connect(context: click.Context, database: Database, platform_id: str, url: str) -> None:
    """Connect the web services of a platform. The token is asked for, or read from standard input."""
    settings = config.load(context.obj)
    typed = _token()
    with _way_out(settings) as http, _as_one_line():
        url, token = sites.clean(url, typed)
        info = sites.ask(http, url, token)
        with database.write() as session:
            sites.connect(session, Masters.of(settings), platform_id, url, token, info, utcnow())
    with database.read() as session:
        site = sites.site_of(session, platform_id)
    if site is not None:
        click.echo(f"Connected with {site.url}, Moodle {site.release}.")
        _say_what_is_missing(site)


def show(context: click.Context, database: Database, platform_id: str) -> None:
    """Ask the site what it offers, and say what is known of it. The token is never shown."""
    settings = config.load(context.obj)
    _require(database, platform_id)
    with _way_out(settings) as http:
        problem: MoodleError | None = None
        try:
            sites.check(database, Masters.of(settings), http, platform_id, utcnow())
        except MoodleError as error:
            problem = error
    site = _require(database, platform_id)
    for label, value in (
        ("address", site.url),
        ("release", site.release),
        ("account", f"user id {site.user_id}"),
        ("functions", str(len(site.functions))),
        ("events", "written" if site.events else "not written"),
        ("messages", "sent" if site.messages else "not sent"),
    ):
        click.echo(f"{label + ':':<13}{value}")
    if problem is not None:
        raise CommandFailed(said(problem))
    _say_what_is_missing(site)


def functions(context: click.Context, database: Database, platform_id: str) -> None:
    """List the functions that the tool has a use for, and whether the service offers them, as it was found last."""
    site = _require(database, platform_id)
    for use, names in NEEDED.items():
        click.echo(f"{use}: {USES[use]}")
        for name in names:
            click.echo(f"  {'there  ' if name in site.functions else 'MISSING'}  {name}")
    _say_what_is_missing(site)


def allow(
    context: click.Context, database: Database, platform_id: str, events: bool | None, messages: bool | None
) -> None:
    """Switch on or off what may be written to people: entries of the calendar, reminders as messages."""
    _require(database, platform_id)
    if events is None and messages is None:
        raise CommandFailed("Say what: --events, --no-events, --messages or --no-messages.", is_usage=True)
    with _as_one_line(), database.write() as session:
        site = sites.allow(session, platform_id, events=events, messages=messages)
    click.echo(f"Events: {'on' if site.events else 'off'}. Messages: {'on' if site.messages else 'off'}.")


def forget(context: click.Context, database: Database, platform_id: str, yes: bool) -> None:
    """Delete the token. What is in Moodle stays there."""
    _require(database, platform_id)
    if not yes:
        click.confirm("Groups and events that are in Moodle stay there. Delete the token?", abort=True, err=True)
    with database.write() as session:
        sites.forget(session, platform_id)
    database.forget_deleted()
    click.echo("The token is deleted here. Delete it in Moodle, too: Site administration > Server > Manage tokens.")


def _switch(name: str, text: str) -> Callable[..., Callable[..., None]]:
    return click.option(f"--{name}/--no-{name}", default=None, help=text)


def _token() -> str:
    """Typed without being shown; from a pipe its first line. Never an option: those are seen by everybody here."""
    if sys.stdin.isatty():
        return str(click.prompt("Token", hide_input=True, err=True))
    return sys.stdin.readline()


def _require(database: Database, platform_id: str) -> Site:
    with database.read() as session:
        site = sites.site_of(session, platform_id)
    if site is None:
        raise CommandFailed(
            "The web services of this platform are not connected. Run: meitheal moodle connect", is_usage=True
        )
    return site


def _say_what_is_missing(site: Site) -> None:
    for use in NEEDED:
        for name in sites.missing(site.functions, use):
            click.echo(f"Missing, so that {USES[use]}: {name}", err=True)
    if sites.missing(site.functions):
        click.echo(f"To add them: {WHERE_FUNCTIONS}", err=True)


@contextmanager
def _way_out(settings: Settings) -> Iterator[Http]:
    http = Http(settings.network.allow_private)
    try:
        yield http
    finally:
        http.close()


@contextmanager
def _as_one_line() -> Iterator[None]:
    try:
        yield
    except MissingFunction as error:
        raise CommandFailed(str(error), is_usage=True) from None
    except MoodleError as error:
        raise CommandFailed(said(error), is_usage=not error.is_passing) from None
