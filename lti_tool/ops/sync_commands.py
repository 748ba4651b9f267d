"""`meitheal sync` as an operator reads it."""

import sys
from collections.abc import Iterable, Iterator

import click

from lti_tool.lti.http import Http
from lti_tool.ops import sync as syncing
from lti_tool.ops.errors import CommandFailed
from lti_tool.ops.sync import Read
from lti_tool.privacy.sealing import Masters
from lti_tool.settings import Settings
from lti_tool.store.database import Database
from lti_tool.web.context import utcnow
from lti_tool.worker import open_queue
from moodle_sync.sync import Outcome


def sync(settings: Settings, database: Database, platform_id: str, course: str, *, dry_run: bool) -> None:
    """Asks and reads, and says what came of it. Raises CommandFailed when something could not be read."""
    database.on_work = open_queue(settings).wake
    asked = list(syncing.ask(database, utcnow(), platform_id=platform_id, course=course, dry_run=dry_run))
    for each in asked:
        does = "would ask" if dry_run else "asked"
        click.echo(f"{each.platform}: {does} for {each.rosters} rosters and {each.completions} completions.")
    if not asked:
        click.echo("No platform is active. See: meitheal platform list", err=True)
    http = Http(settings.network.allow_private)
    problems = 0
    try:
        for found in syncing.read_moodles(
            database, Masters.of(settings), http, utcnow, _with_bar,
            platform_id=platform_id, course=course, dry_run=dry_run,
        ):  # fmt: skip
            click.echo(_summary(found, dry_run=dry_run))
            for line in found.would_write:
                click.echo(f"{found.platform}: {line}")
            if found.waiting:
                click.echo(f"{found.platform}: {found.waiting} changes wait to be written to Moodle; a worker does it.")
            for problem in found.problems:
                click.echo(problem, err=True)
            problems += len(found.problems)
    finally:
        http.close()
    if problems:
        raise CommandFailed(f"Not everything could be read of Moodle ({problems}).")


def _with_bar(outcomes: Iterator[Outcome], number: int, platform: str) -> Iterable[Outcome]:
    """Shows how far it is on standard error, where somebody looks at it."""
    if not sys.stderr.isatty():
        yield from outcomes
        return
    with click.progressbar(outcomes, length=number, label=platform, file=sys.stderr) as bar:
        yield from bar


def _summary(found: Read, *, dry_run: bool) -> str:
    changed = found.changed
    said = f"{found.platform}: read {found.courses} courses of Moodle, {found.unchanged} as they were."
    numbers = [
        f"{number} {what}"
        for number, what in (
            (changed.groups, "groups"),
            (changed.members, "members of groups"),
            (changed.roles, "roles"),
            (changed.schools, "schools of people"),
        )
        if number
    ]
    return f"{said} {'Would change' if dry_run else 'Changed'}: {', '.join(numbers)}." if numbers else said
