"""The `meitheal` command.

An error is one clear line on standard error: exit status 2 for bad input, 1 for a failure, never a traceback.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.lms.families import GUIDED, Field
from lti_tool.ops import config, moodle_commands
from lti_tool.ops.errors import CommandFailed
from lti_tool.ownership import erasure
from lti_tool.people import by_hand, coaching_roles, registry
from lti_tool.people.registry import Problem, RegistryError
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.sealing import Masters, SealBroken
from lti_tool.schools import service as schools
from lti_tool.schools.files import BadFile, read_schools
from lti_tool.settings import Settings
from lti_tool.store import migrate
from lti_tool.store.database import Database
from lti_tool.web.context import utcnow

_PORT = click.IntRange(1, 65535)


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and ends the process with its status."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    try:
        meitheal.main(args=arguments, prog_name="meitheal", standalone_mode=False)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "meitheal"
        return _complain(f"{error.format_message()} See: {where} --help", 2)
    except click.ClickException as error:
        return _complain(error.format_message(), 2)
    except CommandFailed as error:
        return _complain(str(error), 2 if error.is_usage else 1)
    except RegistryError as error:
        return _complain(_registry_problem(error), 2)
    except (click.Abort, KeyboardInterrupt):
        return _complain("Stopped.", 1)
    except SQLAlchemyError as error:
        return _complain(_database_problem(error), 1)
    except Exception as error:
        # Whatever nobody foresaw is still one line; its kind is what a report of it needs.
        return _complain(f"Unexpected: {type(error).__name__}: {error}", 1)
    return 0


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name="meitheal", message="%(version)s")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file; else MEITHEAL_CONFIG, else ./config.toml.",
)
@click.pass_context
def meitheal(context: click.Context, config_file: Path | None) -> None:
    """Collegial peer coaching inside the LMS a school already has."""
    context.obj = config_file


@meitheal.command()
@click.option("--public-url", default="http://localhost:8000", show_default=True, help="Address of the tool, https.")
@click.pass_obj
def init(config_file: Path | None, public_url: str) -> None:
    """Write config.toml and secrets.toml with fresh keys; files that exist are never touched."""
    written = config.write_first(config_file or Path("config.toml"), public_url)
    click.echo(f"Wrote {written[0]} and {written[1]}. Keep a copy of {written[1].name} in a safe place.")
    click.echo("Next: meitheal db upgrade, then meitheal serve and meitheal worker.")


@meitheal.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=_PORT, default=8000, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes of 4 threads each."
)
@click.pass_obj
def serve(config_file: Path | None, host: str, port: int, workers: int) -> None:
    """Serve the tool. The database must have the right tables: see `meitheal db upgrade`."""
    from lti_tool.ops import serving

    settings = config.load(config_file)
    with _database(settings, must_be_current=True):
        pass
    serving.serve_tool(settings, host, port, workers)


@meitheal.command()
@click.pass_obj
def worker(config_file: Path | None) -> None:
    """Do the work in the background: rosters, clearing up. Run one or more beside `meitheal serve`."""
    from lti_tool import worker as background
    from lti_tool.web import logs

    settings = config.load(config_file)
    logs.configure(settings.log.level)
    with _database(settings, must_be_current=True):
        pass
    background.run(settings, utcnow)


@meitheal.command()
@click.option("--port", type=_PORT, default=8000, show_default=True, help="Port of the tool.")
@click.option("--sandbox-port", type=_PORT, default=8001, show_default=True, help="Port of the sandbox.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where its data lives; emptied at each start.",
)
@click.option(
    "--lms",
    type=click.Choice(["moodle", "canvas", "blackboard", "brightspace", "sakai"]),
    default="moodle",
    show_default=True,
    help="Which LMS the small one behaves like.",
)
def demo(port: int, sandbox_port: int, folder: Path, lms: str) -> None:
    """Try the tool with a small LMS, both on this machine."""
    from lti_tool.ops import demo as demonstration

    if port == sandbox_port:
        raise CommandFailed("Tool and sandbox need a port each.", is_usage=True)
    demonstration.run(folder, port, sandbox_port, lms, utcnow, click.echo)


@meitheal.command()
@click.pass_obj
def doctor(config_file: Path | None) -> None:
    """Check everything an installation needs, and say what to fix."""
    from lti_tool.ops import doctor as examination

    settings = config.load(config_file)
    bad = 0
    for finding in examination.examine(settings, utcnow):
        bad += finding.level == "bad"
        click.echo(f"{ {'ok': 'ok  ', 'note': 'note', 'bad': 'FIX '}[finding.level] }  {finding.text}")
    if bad:
        raise CommandFailed(f"{bad} {'thing' if bad == 1 else 'things'} to fix.")


@meitheal.command()
@click.option("--platform", "platform_id", default="", metavar="ID", help="Only this platform.")
@click.option("--course", default="", metavar="ID", help="Only this course is read, by its id in the LMS.")
@click.option("--dry-run", is_flag=True, help="Keep, ask for and write nothing; say what would be.")
@click.pass_obj
def sync(config_file: Path | None, platform_id: str, course: str, dry_run: bool) -> None:
    """Ask for fresh rosters, try again to deliver what has not arrived in gradebooks (a worker does both), and read the
    courses of connected Moodles; what pairs are to be there is written by a worker."""
    from lti_tool.ops import sync_commands

    settings = config.load(config_file)
    with _database(settings, must_be_current=True) as database:
        if platform_id:
            with database.read() as session:
                platform_id = registry.find(session, platform_id=platform_id, issuer="", client_id="")
        sync_commands.sync(settings, database, platform_id, course, dry_run=dry_run)


@meitheal.command()
@click.pass_obj
def deliveries(config_file: Path | None) -> None:
    """List what has not arrived in gradebooks and in connected Moodles: numbers and reasons, no people."""
    from lti_tool.completion import service
    from lti_tool.completion.words import advice
    from moodle_sync import writing
    from moodle_sync.advice import advice as advice_on_moodle

    with _database(config.load(config_file), must_be_current=True) as database, database.read() as session:
        found, of_moodle = service.unsent(session), writing.unsent(session)
    if not found and not of_moodle:
        click.echo("Everything has arrived.", err=True)
    for each in found:
        where = " / ".join((each.platform, each.course or "no title", each.activity or "no title"))
        said = advice(each.problem) or "It leaves in a moment, if a worker runs."
        click.echo(
            f"{where}: {each.number} {each.status} ({each.problem or 'new'}) since {_moment(each.since)}. {said}"
        )
    for one in of_moodle:
        where = " / ".join(filter(None, (one.platform, one.course, f"Moodle {one.kind}s")))
        said = advice_on_moodle(one.problem) or "It is written in some minutes, if a worker runs."
        click.echo(f"{where}: {one.number} {one.status} ({one.problem or 'new'}) since {_moment(one.since)}. {said}")


@meitheal.group(no_args_is_help=False)
def db() -> None:
    """The database's tables."""


@db.command()
@click.pass_obj
def upgrade(config_file: Path | None) -> None:
    """Bring the database to the tables of this version. Make a copy of it first."""
    settings = config.load(config_file)
    with _database(settings) as database, _keyring(settings, database) as keyring:
        try:
            before, after = keyring_store.upgrade(database, keyring.database)
        except migrate.BrokenReferences as error:
            raise CommandFailed(f"Nothing was changed: rows of {error} would refer to nothing.") from None
        except keyring_store.KeysDiffer as error:
            raise CommandFailed(
                f"Nothing was changed: keyring and data have different keys for {error}. Do they belong together?"
            ) from None
    if before == after:
        click.echo(f"The database is up to date (revision {after}).")
    else:
        click.echo(f"The database went from revision {before or 'none'} to {after}.")


@meitheal.group(no_args_is_help=False)
def keys() -> None:
    """The tool's own signing keys, and the master key that seals everything."""


@keys.command()
@click.option("--master", is_flag=True, help="Take the next step to another master key, in secrets.toml.")
@click.pass_obj
def rotate(config_file: Path | None, master: bool) -> None:
    """Make a new signing key; the present one stays valid until platforms have noticed."""
    from lti_tool.lti.tool_keys import ToolKeys

    if master:
        _rotate_master(config_file)
        return
    settings = config.load(config_file)
    with _database(settings, must_be_current=True) as database:
        now = utcnow()
        tool_keys = ToolKeys(database, Masters.of(settings), utcnow)
        with database.write() as session:
            rotated = tool_keys.rotate(session, now)
    click.echo(f"Key {rotated.new} is published now and signs from {_moment(rotated.signs_from)}.")
    for replaced in rotated.replaced:
        click.echo(f"Key {replaced} stays published for a day after that.")


def _rotate_master(config_file: Path | None) -> None:
    from lti_tool.ops import master_key

    file = config.secrets_file(config_file)
    step = master_key.rotate(file)
    click.echo(
        f"The next master key is in {file}. Keep a copy of it. Now restart every serve and worker, and then run this "
        "command again."
        if step == "written"
        else f"The next master key is the master key now, in {file}. Restart every serve and worker again, then "
        "run: meitheal keys reseal"
    )


@keys.command()
@click.pass_obj
def reseal(config_file: Path | None) -> None:
    """Seal everything by the present master key that an older one sealed; the tool may run meanwhile."""
    from lti_tool.lti.tool_keys import ToolKeys
    from moodle_sync import sites

    settings = config.load(config_file)
    try:
        with _database(settings, must_be_current=True) as database, _keyring(settings, database) as keyring:
            number = sum(keyring.reseal())
            with database.write() as session:
                own = ToolKeys(database, Masters.of(settings), utcnow).reseal(session)
                tokens = sites.reseal(session, Masters.of(settings))
            # What was sealed by an old key lies in the log until it is brought into the file.
            for each in (database, keyring.database):
                each.forget_deleted()
    except SealBroken:
        raise CommandFailed(
            "There are keys that no master key of these settings opens. Put back the one that sealed them, as one of "
            "old_master_keys in secrets.toml."
        ) from None
    click.echo(f"{number} keys of content and {own} signing keys are sealed anew.")
    if tokens:
        click.echo(f"So are {tokens} tokens of Moodle.")
    if settings.old_master_keys:
        click.echo(
            "Once every serve and worker was restarted since the last step, old_master_keys is needed no more by what "
            "runs, and can go from secrets.toml. Copies of the keyring from before need it still: keep it with them."
        )


@meitheal.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def backup(config_file: Path | None, folder: Path) -> None:
    """Copy the data and the keyring into FOLDER, a file each; the tool may run meanwhile."""
    from lti_tool.ops import backup as copying

    settings = config.load(config_file)
    with _database(settings, must_be_current=True) as database, _keyring(settings, database) as keyring:
        data_file, keyring_file = copying.write(database, keyring.database, folder, utcnow())
    click.echo(f"Data:    {data_file}")
    click.echo(f"Keyring: {keyring_file}")
    click.echo("Keep the two in different places, and delete copies of the keyring after some days.", err=True)


@meitheal.command()
@click.option("--data", "data_file", type=click.Path(path_type=Path, dir_okay=False), help="Copy of the data.")
@click.option("--keyring", "keyring_file", type=click.Path(path_type=Path, dir_okay=False), help="Copy of the keyring.")
@click.option("--replay", "only_replay", is_flag=True, help="Only erase again, after pg_restore.")
@click.pass_obj
def restore(config_file: Path | None, data_file: Path | None, keyring_file: Path | None, only_replay: bool) -> None:
    """Bring back a copy; what was shredded or erased since then stays so. Stop serve and worker first."""
    from lti_tool.ops import restore as restoring

    if not (data_file or keyring_file or only_replay):
        raise CommandFailed("Say what: --data FILE, --keyring FILE, or --replay after pg_restore.", is_usage=True)
    settings = config.load(config_file)
    try:
        if keyring_file:
            number = restoring.restore_keyring(settings, keyring_file)
            click.echo(f"{number} keys came back; those that were there, and all that is known as shredded, stayed.")
        if data_file:
            kept = restoring.restore_data(settings, data_file, utcnow())
            click.echo("The copy is in place; who was erased since then is erased in it.")
            if kept:
                click.echo(f"What it replaced is {kept}. Delete it once you are sure.")
        if only_replay:
            with _database(settings) as database:
                click.echo(f"{restoring.replay(settings, database, utcnow())} people were erased again.")
    except (migrate.BrokenReferences, keyring_store.KeysDiffer) as error:
        raise CommandFailed(f"Nothing was restored: {error} does not fit this keyring, or refers to nothing.") from None


@meitheal.group(no_args_is_help=False)
def platform() -> None:
    """The LMSs that are connected."""


def _names_a_platform(command: Callable[..., None]) -> Callable[..., None]:
    """Adds what names one platform: its id, or --issuer with --client-id."""

    def named(config_file: Path | None, platform_id: str, issuer: str, client_id: str, **options: Any) -> None:
        if bool(platform_id) == bool(issuer):
            raise CommandFailed("Name one platform: by its id, or by --issuer and --client-id.", is_usage=True)
        settings = config.load(config_file)
        with _database(settings, must_be_current=True) as database:
            with database.read() as session:
                found = registry.find(session, platform_id=platform_id, issuer=issuer, client_id=client_id)
            command(database, found, **options)

    decorated: Any = wraps(command)(named)
    for add in (
        click.pass_obj,
        click.option("--client-id", default="", help="Client id, where an issuer is registered more than once."),
        click.option("--issuer", default="", help="Issuer of the LMS, instead of the id."),
        click.argument("platform_id", required=False, default="", metavar="[ID]"),
    ):
        decorated = add(decorated)
    return cast(Callable[..., None], decorated)


moodle_commands.add_to(meitheal, _names_a_platform)


@platform.command()
@click.argument("name")
@click.pass_obj
def invite(config_file: Path | None, name: str) -> None:
    """Print a one-time registration address for the LMS that you call NAME."""
    settings = config.load(config_file)
    with _database(settings, must_be_current=True) as database, database.write() as session:
        invited = registry.invite(session, name, utcnow())
    click.echo(registry.registration_url(settings.public_url, invited.code))
    click.echo(
        "Send it to the administrator of the LMS: opened in a browser it shows how to register, step by step for each "
        f"LMS. It works once, until {_moment(invited.expires_at)}.",
        err=True,
    )


@platform.command()
@click.option("--name", required=True, help="What you call the LMS: the name of the school, say.")
@click.option("--family", type=click.Choice(list(GUIDED)), default="other", show_default=True, help="Kind of LMS.")
@click.option("--site", default="", metavar="URL", help="Its address, from which the others follow for most families.")
@click.option("--issuer", default="", metavar="URL", help="Issuer, or platform ID.")
@click.option("--client-id", default="")
@click.option("--deployment", "deployment_id", default="", metavar="ID")
@click.option("--authorization-url", default="", metavar="URL")
@click.option("--token-url", default="", metavar="URL")
@click.option("--jwks-url", default="", metavar="URL", help="Its key set.")
@click.option("--token-audience", default="", help="Of token requests, where it is not the token URL.")
@click.option("--unchecked", is_flag=True, help="Add it without trying it, say while the LMS is down.")
@click.pass_obj
def add(config_file: Path | None, /, name: str, family: str, unchecked: bool, **typed: str) -> None:
    """Add an LMS that was configured by hand; every address is tried first."""
    from lti_tool.lti.service import LtiDoor

    settings = config.load(config_file)
    filled = by_hand.fill_in(GUIDED[family], cast(dict[Field, str], typed))
    problems = list(filled.problems)
    with _database(settings, must_be_current=True) as database:
        if not problems and not unchecked:
            problems = by_hand.try_out(LtiDoor(settings, database, utcnow), filled)
        if bad := [problem for problem in problems if not problem.is_note]:
            raise CommandFailed("\n".join(map(_typed_problem, bad)), is_usage=True)
        with database.write() as session:
            added = registry.add(session, replace(filled.new, name=name), utcnow())
    for note in problems:
        click.echo(f"meitheal: {_typed_problem(note)}", err=True)
    if unchecked:
        click.echo("meitheal: Nothing was tried. Run: meitheal doctor", err=True)
    click.echo(f"{added.id}  {added.status}  {added.name}")


@platform.command("list")
@click.pass_obj
def list_platforms(config_file: Path | None) -> None:
    """List all platforms."""
    with _database(config.load(config_file), must_be_current=True) as database, database.read() as session:
        lines = registry.list_platforms(session)
    if not lines:
        click.echo("No platform is registered. To invite one: meitheal platform invite NAME", err=True)
    for line in lines:
        waiting = f"  {line.waiting_deployments} waiting" if line.waiting_deployments else ""
        click.echo(f"{line.id}  {line.status:<9}  {line.name}  {line.issuer}  {line.client_id}{waiting}")


@platform.command()
@_names_a_platform
def show(database: Database, platform_id: str) -> None:
    """Show one platform; counts, no people."""
    with database.read() as session:
        shown = registry.show(session, platform_id)
    for label, value in (
        ("id", shown.id),
        ("name", shown.name),
        ("family", shown.family or "unknown"),
        ("status", shown.status),
        ("issuer", shown.issuer),
        ("client id", shown.client_id),
        ("login", shown.authorization_url),
        ("token", shown.token_url),
        ("audience", shown.token_audience or "the token address"),
        ("keys", shown.jwks_url),
        ("registered", _moment(shown.created_at)),
        ("people", shown.people),
        ("last launch", _moment(shown.last_launch_at) if shown.last_launch_at else "none yet"),
    ):
        click.echo(f"{label + ':':<13}{value}")
    for deployment in shown.deployments:
        click.echo(f"deployment:  {deployment.deployment_id}  {deployment.status}  courses: {deployment.courses}")


@platform.command()
@_names_a_platform
@click.option("--deployment", default="", metavar="ID", help="One deployment of it, by the id the LMS gave it.")
def approve(database: Database, platform_id: str, deployment: str) -> None:
    """Let a platform launch (again), or one deployment of it."""
    with database.write() as session:
        registry.approve(session, platform_id, utcnow(), deployment_id=deployment)
    click.echo(f"Deployment {deployment} may launch." if deployment else "The platform may launch.")


@platform.command()
@_names_a_platform
def suspend(database: Database, platform_id: str) -> None:
    """Stop launches and running sessions of a platform; its data stays."""
    with database.write() as session:
        registry.suspend(session, platform_id)
    click.echo("Nobody can launch from it any more. To undo: meitheal platform approve.")


@platform.command()
@_names_a_platform
@click.option("--yes-remove", metavar="NAME", help="The platform's name, instead of typing it when asked.")
@click.option(
    "--export",
    "export_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for all that is deleted; else meitheal-ID-MOMENT.jsonl here.",
)
def remove(database: Database, platform_id: str, yes_remove: str | None, export_file: Path | None) -> None:
    """Delete a platform with all its courses, people and what they wrote, after writing all of it to a file."""
    with database.read() as session:
        shown = registry.show(session, platform_id)
    if yes_remove is None:
        click.echo(
            f"This deletes {shown.name} with {shown.people} people and everything they wrote, for ever.", err=True
        )
        yes_remove = click.prompt("Type its name to go on", err=True)
    if yes_remove != shown.name:
        raise CommandFailed(f"Nothing was deleted: the name is {shown.name}, not {yes_remove}.", is_usage=True)
    from lti_tool.ops import export

    now = utcnow()
    export_file = export_file or Path(f"meitheal-{platform_id}-{now:%Y%m%d-%H%M%S}.jsonl")
    try:
        # One transaction: what is deleted is what was written.
        with database.write() as session:
            rows = export.write(session, platform_id, export_file, now)
            registry.remove(session, platform_id)
    except OSError as error:
        raise CommandFailed(f"Nothing was deleted: {export_file} cannot be written: {error.strerror}.") from None
    click.echo(f"{rows} rows are in {export_file}; what teachers wrote is sealed there, too.")
    click.echo(f"{shown.name} and everything that belonged to it is deleted.")


@meitheal.group(no_args_is_help=False)
def person() -> None:
    """Single people, named by their platform and the user id that they have there."""


@person.command()
@click.option("--platform", "platform_id", default="", metavar="ID", help="Their platform, by its id.")
@click.option("--issuer", default="", help="Issuer of the LMS, instead of the id.")
@click.option("--client-id", default="", help="Client id, where an issuer is registered more than once.")
@click.option("--user", "sub", required=True, metavar="SUB", help="Their user id in the LMS (in Moodle: a number).")
@click.option("--withdraw", is_flag=True, help="Take it back.")
@click.pass_obj
def leader(config_file: Path | None, platform_id: str, issuer: str, client_id: str, sub: str, withdraw: bool) -> None:
    """Say that a person leads the school: in all their courses they see no names, whatever roles they hold."""
    if bool(platform_id) == bool(issuer):
        raise CommandFailed("Name one platform: by --platform, or by --issuer and --client-id.", is_usage=True)
    with _database(config.load(config_file), must_be_current=True) as database, database.write() as session:
        found = registry.find(session, platform_id=platform_id, issuer=issuer, client_id=client_id)
        try:
            coaching_roles.set_leader(session, found, sub, not withdraw)
        except coaching_roles.UnknownPerson:
            raise CommandFailed(
                "That platform has not named anybody by this user id yet. A person is known after their first launch, "
                "or once the roster of a course was read.",
                is_usage=True,
            ) from None
    if withdraw:
        click.echo("Your word is taken back. What they or a trainer said of a single course stays.")
    else:
        click.echo("From now on they see no names in any course, and can be neither trainer nor facilitator.")


def _names_a_person(command: Callable[..., None]) -> Callable[..., None]:
    """Adds what names one person: --user, with --platform or --issuer and --client-id."""

    def named(
        config_file: Path | None, platform_id: str, issuer: str, client_id: str, sub: str, **options: Any
    ) -> None:
        if bool(platform_id) == bool(issuer):
            raise CommandFailed("Name one platform: by --platform, or by --issuer and --client-id.", is_usage=True)
        settings = config.load(config_file)
        with _database(settings, must_be_current=True) as database, _keyring(settings, database) as keyring:
            with database.read() as session:
                found = registry.find(session, platform_id=platform_id, issuer=issuer, client_id=client_id)
                try:
                    person_id, name = erasure.find(session, found, sub)
                except erasure.UnknownPerson:
                    raise CommandFailed("That platform has named nobody by this user id.", is_usage=True) from None
            command(settings, database, keyring, person_id, name, **options)

    decorated: Any = wraps(command)(named)
    for add in (
        click.pass_obj,
        click.option("--user", "sub", required=True, metavar="SUB", help="Their user id in the LMS."),
        click.option("--client-id", default="", help="Client id, where an issuer is registered more than once."),
        click.option("--issuer", default="", help="Issuer of the LMS, instead of the id."),
        click.option("--platform", "platform_id", default="", metavar="ID", help="Their platform, by its id."),
    ):
        decorated = add(decorated)
    return cast(Callable[..., None], decorated)


@person.command("export")
@_names_a_person
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="For two files.")
@click.option("--yes-open-content", is_flag=True, help="Open what they wrote, without being asked.")
def export_person(
    settings: Settings,
    database: Database,
    keyring: Keyring,
    person_id: str,
    name: str,
    folder: Path,
    yes_open_content: bool,
) -> None:
    """Write all that is theirs into FOLDER, as a page to read and as JSON: for a person who asks for it.

    They can download the same themselves, at "What is mine here"; then nobody else opens it.
    """
    if not yes_open_content:
        click.echo(
            "What they wrote is sealed, and this opens it, and writes it down unsealed. They will see in the tool that "
            "the operator did so. They can download the same themselves at “What is mine here”.",
            err=True,
        )
        click.confirm("Open it?", abort=True, err=True)
    from lti_tool.ops import person as people_files

    try:
        files = people_files.write(settings, database, keyring, person_id, folder, utcnow())
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be written: {error.strerror}.") from None
    for file in files:
        click.echo(str(file))
    click.echo("Give them to nobody else, and delete them here.", err=True)


@person.command("erase")
@_names_a_person
@click.option("--yes", "typed", metavar="NAME", help="Their name, or else user id, instead of typing it.")
def erase_person(
    _settings: Settings, database: Database, keyring: Keyring, person_id: str, name: str, typed: str | None
) -> None:
    """Delete a person with all that is theirs, for ever; partners keep what they wrote themselves."""
    if typed is None:
        click.echo(
            f"This deletes {name} and everything they wrote, in all courses, for ever. Where their name stood, "
            "partners find “a former colleague”. The next launch makes a new, empty person.",
            err=True,
        )
        typed = click.prompt("Type their name to go on", err=True)
    if typed != name:
        raise CommandFailed(f"Nobody was deleted: the name is {name}, not {typed}.", is_usage=True)
    with database.write() as session:
        erasure.erase(session, keyring, person_id, utcnow())
    database.forget_deleted()
    click.echo("Deleted, with the keys of all they wrote. On PostgreSQL, run VACUUM to clear the files, too.")


@platform.command()
@_names_a_platform
@click.pass_context
def link(context: click.Context, database: Database, platform_id: str) -> None:
    """Print a one-time link to the school's page: the connection, its test, and the charter."""
    now = utcnow()
    with database.write() as session:
        code = schools.open_link(session, platform_id, now)
    click.echo(schools.link_url(config.load(context.obj).public_url, code))
    click.echo(
        f"For whoever looks after this LMS or leads its school. It works once, until "
        f"{_moment(now + schools.LINK_LIFETIME)}.",
        err=True,
    )


@meitheal.group(no_args_is_help=False)
def school() -> None:
    """The schools that share an LMS."""


@school.command("import")
@click.argument("arguments", nargs=-1, metavar="[ID] FILE")
@click.option("--issuer", default="", help="Issuer of the LMS, instead of the id of the platform.")
@click.option("--client-id", default="", help="Client id, where an issuer is registered more than once.")
@click.pass_obj
def import_schools(config_file: Path | None, arguments: tuple[str, ...], issuer: str, client_id: str) -> None:
    """Take from FILE (CSV with the columns `user id` and `school`) who works in which school of a platform.

    The id may be left out where only one platform is registered. What people say themselves is never changed.
    """
    if len(arguments) not in (1, 2) or (len(arguments) == 2 and issuer):
        raise CommandFailed("Say which file: meitheal school import [ID] FILE.csv", is_usage=True)
    platform_id, file = (arguments[0] if len(arguments) == 2 else ""), Path(arguments[-1])
    settings = config.load(config_file)
    try:
        listed = read_schools(file.read_bytes())
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.", is_usage=True) from None
    except BadFile as error:
        raise CommandFailed(f"Nothing was saved. {file} has to be corrected:\n{error}", is_usage=True) from None
    with _database(settings, must_be_current=True) as database:
        with database.read() as session:
            if not platform_id and not issuer:
                registered = registry.list_platforms(session)
                if len(registered) != 1:
                    raise CommandFailed("Name the platform by its id: meitheal platform list", is_usage=True)
                platform_id = registered[0].id
            found = registry.find(session, platform_id=platform_id, issuer=issuer, client_id=client_id)
        with database.write() as session:
            done = schools.import_listed(session, found, listed, utcnow())
    click.echo(
        f"{done.people} people in {done.schools} schools ({done.new_schools} new); {done.changed} changed, "
        f"{done.kept_own_word} kept what they said themselves, {done.not_seen_yet} are not known to the tool yet."
    )


@contextmanager
def _database(settings: Settings, *, must_be_current: bool = False) -> Iterator[Database]:
    database = Database(settings.database_url)
    try:
        if must_be_current and not migrate.is_current(database):
            raise CommandFailed("The database does not have the tables of this version. Run: meitheal db upgrade")
        if must_be_current:
            with _keyring(settings, database) as keyring:
                if not keyring_store.has_tables(keyring.database):
                    raise CommandFailed(
                        "There is no keyring where keyring_url says, so nothing that people wrote could be read. "
                        "Put it back there, or, if there never was one: meitheal db upgrade"
                    )
        yield database
    finally:
        database.dispose()


@contextmanager
def _keyring(settings: Settings, database: Database) -> Iterator[Keyring]:
    keyring = Keyring.of(settings, database)
    try:
        yield keyring
    finally:
        keyring.database.dispose()


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _registry_problem(error: RegistryError) -> str:
    return {
        Problem.NOT_FOUND: f"There is no platform {error.subject}. See: meitheal platform list",
        Problem.AMBIGUOUS: f"{error.subject} is registered more than once. Add --client-id.",
        Problem.EXISTS: f"{error.subject} is registered already.",
        Problem.BAD_VALUE: f"The {error.subject} is empty, too long, or has characters that cannot be shown.",
    }[error.problem]


def _typed_problem(problem: by_hand.Problem) -> str:
    """What is wrong with an option of `platform add`."""
    option = "--deployment" if problem.field == "deployment_id" else f"--{problem.field.replace('_', '-')}"
    said = f" ({problem.said})" if problem.said else ""
    return {
        "missing": f"{option} is missing.",
        "bad": f"{option} is too long, or not an address.",
        "address": f"{option}: {problem.value} may not be called{said}. See [network] allow_private.",
        "unreachable": f"{option}: nothing answers at {problem.value}{said}.",
        "no_keys": f"{option}: there are no keys at {problem.value}{said}.",
        "mismatch": f"{option}: {problem.value}, but the LMS says of itself {problem.said}.",
        "no_tokens": f"{option}: what answers at {problem.value} gives no tokens{said}.",
        "no_page": f"{option}: there was no page at {problem.value}.",
        "no_token_yet": f"The LMS gives no token yet{said}. Check there the client id and our key set address.",
    }[problem.code]


def _database_problem(error: SQLAlchemyError) -> str:
    # The first line says what happened; the others quote the statement, which may hold values.
    said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return f"The database cannot be used: {said} Check database_url, or run: meitheal doctor"


def _complain(text: str, status: int) -> int:
    click.echo("\n".join(f"meitheal: {line}" for line in text.splitlines()), err=True)
    return status


if __name__ == "__main__":
    main()
