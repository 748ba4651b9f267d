"""Checks everything an installation needs, and says in plain words what to fix."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import requests
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.completion import service as completion
from lti_tool.completion.words import advice
from lti_tool.lms.advice import Need, where_to_find
from lti_tool.lti.service import LtiDoor
from lti_tool.lti.tool_keys import ToolKeys
from lti_tool.ops.restore import BEFORE
from lti_tool.people import connection, registry
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.sealing import Masters, SealBroken
from lti_tool.schedule.mail import Mailer
from lti_tool.settings import Settings
from lti_tool.store import jobs, migrate
from lti_tool.store.database import Database
from lti_tool.worker import open_queue
from moodle_sync import sites, writing
from moodle_sync.advice import advice as what_to_do_about
from moodle_sync.advice import said as what_to_do
from moodle_sync.errors import WHERE_FUNCTIONS, MoodleError

_OVERDUE = timedelta(minutes=5)
_AT_ONCE = 8
"""LMSs that are asked at the same time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `bad` means that something does not work; `note` that somebody should look."""

    level: Literal["ok", "note", "bad"]
    text: str


def examine(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """All findings, in the order in which they should be fixed. Calls the platforms and the tool's own address."""
    yield Finding("ok", "The settings are complete.")
    database = Database(settings.database_url)
    try:
        stop = False
        for finding in _database(database):
            stop = stop or finding.level == "bad"
            yield finding
        if stop:
            return
        keyring = Keyring.of(settings, database)
        try:
            yield from _keyring(settings, database, keyring, clock)
        finally:
            keyring.database.dispose()
        yield from _copies_aside(settings)
        yield from _queue(settings, database, clock())
        yield from _stopped_deliveries(database)
        yield from _not_in_moodle(database)
        lti = LtiDoor(settings, database, clock)
        yield from _own_keys(lti)
        yield from _own_address(settings)
        yield from _mail(settings, clock)
        yield from _platforms(database, lti)
        yield from _moodle_sites(database, lti, Masters.of(settings))
    finally:
        database.dispose()


def _database(database: Database) -> Iterator[Finding]:
    if not database.is_reachable():
        yield Finding("bad", "The database does not answer. Check database_url, and that its server runs.")
        return
    revision = migrate.revision_of(database)
    if revision != migrate.head():
        what = "has no tables yet" if revision is None else f"is at revision {revision}, this version needs another one"
        yield Finding("bad", f"The database {what}. Run: meitheal db upgrade")
        return
    yield Finding("ok", f"The database answers and has the right tables (revision {revision}).")


def _keyring(
    settings: Settings, database: Database, keyring: Keyring, clock: Callable[[], datetime]
) -> Iterator[Finding]:
    try:
        is_there = keyring_store.has_tables(keyring.database)
    except SQLAlchemyError:
        is_there = False
    if not is_there:
        yield Finding(
            "bad",
            "There is no keyring where keyring_url says, so nothing of what people wrote can be read. Put it back "
            "there; if it is lost: meitheal restore --keyring FILE; if there never was one: meitheal db upgrade",
        )
        return
    masters = Masters.of(settings)
    with database.read() as session:
        used = keyring.masters_in_use() | ToolKeys(database, masters, clock).masters_in_use(session)
        used |= sites.masters_in_use(session)
    if missing := used - masters.names - {""}:
        yield Finding(
            "bad",
            f"Keys are sealed by a master key that is not in the settings ({', '.join(sorted(missing))}). Put it back, "
            "as one of old_master_keys in secrets.toml.",
        )
    elif used <= {masters.name, ""}:
        yield Finding("ok", f"The keyring is there; its keys are sealed by the present master key ({masters.name}).")
    else:
        yield Finding(
            "note", "Keys are still sealed by another master key than the present one. Run: meitheal keys reseal"
        )
    if database.engine.dialect.name == "postgresql" and not settings.keyring_url:
        yield Finding(
            "bad",
            "The keyring is in the same database as the data, so a copy of the one is a copy of the other: keep it "
            "apart. Give it a database of its own by keyring_url, as docs/operator.md says.",
        )


def _copies_aside(settings: Settings) -> Iterator[Finding]:
    url = make_url(settings.database_url)
    aside = Path(f"{url.database}{BEFORE}")
    if url.get_backend_name() == "sqlite" and aside.exists():
        yield Finding(
            "note", f"{aside} is what a restore replaced. Delete it once you are sure that you do not need it."
        )


def _queue(settings: Settings, database: Database, now: datetime) -> Iterator[Finding]:
    if open_queue(settings).is_reachable():
        yield Finding("ok", "The queue answers.")
    else:
        yield Finding(
            "bad",
            "The queue does not answer, so work waits a few seconds longer than it must. Check queue_url; for Redis, "
            "that it runs and that the tool was installed with the extra meitheal[redis].",
        )
    with database.read() as session:
        state = jobs.state(session, now)
    if state.oldest_due_at and now - state.oldest_due_at > _OVERDUE:
        minutes = int((now - state.oldest_due_at).total_seconds() // 60)
        yield Finding(
            "bad",
            f"{state.waiting} pieces of work wait, the oldest for {minutes} minutes: no worker runs. "
            "Start one: meitheal worker",
        )
    for kind, code, number in state.given_up:
        yield Finding("note", f"{number} × {kind} was given up after many attempts ({code}).")


def _stopped_deliveries(database: Database) -> Iterator[Finding]:
    with database.read() as session:
        stopped = [each for each in completion.unsent(session) if each.status == "stopped"]
    for each in stopped:
        yield Finding(
            "note",
            f"{each.platform}, {each.course}: {each.number} × “Completed” did not get into the gradebook "
            f"({each.problem}). {advice(each.problem)} All of them: meitheal deliveries; to try again: meitheal sync",
        )


def _not_in_moodle(database: Database) -> Iterator[Finding]:
    with database.read() as session:
        stopped = [each for each in writing.unsent(session) if each.status in ("failed", "unknown")]
    for each in stopped:
        where = ", ".join(filter(None, (each.platform, each.course)))
        how = "may have arrived in Moodle, or not" if each.status == "unknown" else "did not get into Moodle"
        again = "" if each.kind == "message" else " To try again: meitheal sync"
        yield Finding(
            "note",
            f"{where}: {each.number} × {each.kind} {how} ({each.problem}). {what_to_do_about(each.problem)}{again}",
        )


def _own_keys(lti: LtiDoor) -> Iterator[Finding]:
    try:
        number = len(lti.keys.jwks()["keys"])
    except SealBroken:
        yield Finding(
            "bad",
            "The signing keys do not open with this master_key. Put back the secrets.toml of this database.",
        )
    else:
        yield Finding("ok", f"The tool's own signing keys open ({number} published).")


def _own_address(settings: Settings) -> Iterator[Finding]:
    address = f"{settings.public_url}/healthz"
    try:
        answer = requests.get(address, timeout=5, allow_redirects=False)
    except requests.RequestException as error:
        yield Finding(
            "note",
            f"{address} does not answer from here ({type(error).__name__}). Check that `meitheal serve` runs, and DNS, "
            "certificate and proxy of this address.",
        )
        return
    if answer.status_code == 200 and answer.text.strip() == "ok":
        yield Finding("ok", f"{settings.public_url} answers.")
    else:
        yield Finding(
            "note", f"{address} answers with status {answer.status_code}, not as this tool does. Check the proxy."
        )


def _mail(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Whether reminders by e-mail could leave; nothing is sent."""
    if not settings.mail.host:
        return
    where = f"The mail server {settings.mail.host}:{settings.mail.port}"
    with Mailer(settings, clock) as mailer:
        problem = mailer.problem()
    said = {
        "login": "does not let this user in. Check [mail] user, and mail_password in secrets.toml.",
        "certificate": "has no certificate that is valid for this name. Check [mail] host, and the certificate.",
        "no tls": 'does not speak as [mail] tls says. Try "starttls" with port 587, or "tls" with port 465.',
        "unreachable": "does not answer. Check [mail] host, port and tls, and that it may be reached from here.",
    }
    if problem:
        yield Finding("bad", f"{where} {said.get(problem, 'does not take mail now. Ask its administrator.')}")
    else:
        yield Finding("ok", f"{where} takes mail.")


def _platforms(database: Database, lti: LtiDoor) -> Iterator[Finding]:
    with database.read() as session:
        platforms = [registry.show(session, line.id) for line in registry.list_platforms(session)]
    if not platforms:
        yield Finding("note", "No LMS is connected yet. Run: meitheal platform invite NAME")
    for platform in platforms:
        yield from _waiting(platform)
    active = [platform for platform in platforms if platform.status == "active"]
    # All at once, and each told when it is done: one that is slow or dead keeps nobody waiting but itself.
    with ThreadPoolExecutor(_AT_ONCE) as checks:
        for check in as_completed([checks.submit(_connection, database, lti, platform) for platform in active]):
            yield from check.result()


def _moodle_sites(database: Database, lti: LtiDoor, masters: Masters) -> Iterator[Finding]:
    """Whether connected web services of Moodle answer, and offer what is needed."""
    with database.read() as session:
        connected = [(registry.show(session, site.platform_id).name, site) for site in sites.sites(session)]
    with ThreadPoolExecutor(_AT_ONCE) as checks:
        asked = [checks.submit(_moodle_site, database, lti, masters, name, site) for name, site in connected]
        for check in as_completed(asked):
            yield check.result()


def _moodle_site(database: Database, lti: LtiDoor, masters: Masters, name: str, site: sites.Site) -> Finding:
    try:
        with database.read() as session:
            client = sites.client_of(session, site.platform_id, masters, lti.http)
        if client is None:
            return Finding("note", f"{name}: Moodle's web services were just disconnected.")
        info = client.site_info()
    except MoodleError as error:
        return Finding("bad", f"{name}: Moodle's web services cannot be used. {what_to_do(error)}")
    lacking = sites.missing(info.functions)
    if lacking:
        return Finding(
            "note",
            f"{name}: Moodle's web services answer, without {', '.join(lacking)}. What for: meitheal moodle functions. "
            f"To add them: {WHERE_FUNCTIONS}",
        )
    return Finding("ok", f"{name}: Moodle's web services answer (Moodle {info.release}).")


def _waiting(platform: registry.PlatformDetails) -> Iterator[Finding]:
    if platform.status == "pending":
        yield Finding("note", f"{platform.name} waits. To let it in: meitheal platform approve {platform.id}")
    elif platform.status == "suspended":
        yield Finding(
            "note",
            f"{platform.name} is suspended; nobody can launch from it. To undo: "
            f"meitheal platform approve {platform.id}",
        )
    else:
        for deployment in platform.deployments:
            if deployment.status == "pending":
                yield Finding(
                    "note",
                    f"{platform.name}: deployment {deployment.deployment_id} waits. To let it in: "
                    f"meitheal platform approve {platform.id} --deployment {deployment.deployment_id}",
                )


def _connection(database: Database, lti: LtiDoor, platform: registry.PlatformDetails) -> list[Finding]:
    with database.read() as session:
        target = connection.target_of(session, platform.id)
    if target is None:
        return []
    findings = connection.check_connection(lti, target)
    if target.last_launch_at:
        last = Finding("ok", f"{platform.name}: an activity was opened last on {target.last_launch_at:%Y-%m-%d}.")
    else:
        last = Finding("note", f"{platform.name}: nobody has opened an activity yet.")
    return [*(said for finding in findings if (said := _said(platform, finding))), last]


def _said(platform: registry.PlatformDetails, found: connection.Finding) -> Finding | None:
    """A step of the check in plain words, with what to do in this LMS; None where another line says it."""
    if found.code in ("not_launched", "untried"):
        return None
    text = {"keys": _keys_said, "token": _token_said, "roster": _roster_said, "line_items": _grades_said}[found.step](
        platform, found
    )
    # Grades are no loss to a school that never reports completion.
    level = "ok" if (found.step, found.code) == ("line_items", "not_offered") else found.level
    return Finding(level, f"{platform.name}: {text}")


def _keys_said(platform: registry.PlatformDetails, found: connection.Finding) -> str:
    match found.code:
        case "ok":
            return f"its keys can be read ({found.count})."
        case "address":
            return (
                f"its key set may not be called: {found.detail}. If this LMS really lives in a private network, add "
                "that network to [network] allow_private."
            )
        case "unusable":
            return f"{platform.jwks_url} holds no keys that can be used. Tell its administrator."
        case _:
            return (
                f"its key set {platform.jwks_url} cannot be read ({found.detail}). Check that the address is right, "
                "and that it can be reached from here."
            )


def _token_said(platform: registry.PlatformDetails, found: connection.Finding) -> str:
    said = f"no access token ({found.code}: {found.detail})."
    match found.code:
        case "ok":
            return "it gives access tokens."
        case "no_scope":
            return f"it knows the tool, and lets it use no service. {where_to_find(platform.family, Need.ROSTER)}"
        case "unreachable":
            return f"{said} Check that {platform.token_url} can be reached from here."
        case "busy":
            return f"{said} It asks to be left alone for a while; try again later."
        case _:
            return (
                f"{said} In the LMS, check the client id, and that the key set address of the tool is /lti/jwks.json "
                f"here and can be reached from the LMS. {where_to_find(platform.family, Need.ACTIVE)}"
            )


def _roster_said(platform: registry.PlatformDetails, found: connection.Finding) -> str:
    advice = where_to_find(platform.family, Need.ROSTER)
    match found.code:
        case "ok":
            return f"the roster of the course opened last can be read ({found.count} people on its first page)."
        case "not_offered":
            return f"its launches offer no roster, so colleagues are known once they have opened it. {advice}"
        case _:
            return f"the roster of the course opened last cannot be read ({found.code}: {found.detail}). {advice}"


def _grades_said(platform: registry.PlatformDetails, found: connection.Finding) -> str:
    advice = where_to_find(platform.family, Need.GRADES)
    match found.code:
        case "ok":
            return f"the gradebook's columns can be read ({found.count})."
        case "not_offered":
            return f"its launches offer no gradebook; only activities that report completion need one. {advice}"
        case _:
            return f"the gradebook's columns cannot be read ({found.code}: {found.detail}). {advice}"
