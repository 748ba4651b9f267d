"""Checks everything an installation needs, and says in plain words what to fix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import requests
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.completion import service as completion
from lti_tool.completion.words import advice
from lti_tool.lti.access_tokens import Client, ServiceError
from lti_tool.lti.http import AddressRefused, HttpError
from lti_tool.lti.names_roles import SCOPE
from lti_tool.lti.service import LtiDoor
from lti_tool.people import registry
from lti_tool.people.models import Course, Deployment
from lti_tool.privacy.sealing import SealBroken
from lti_tool.settings import Settings
from lti_tool.store import jobs, migrate
from lti_tool.store.database import Database
from lti_tool.worker import open_queue

_OVERDUE = timedelta(minutes=5)


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
        yield from _queue(settings, database, clock())
        yield from _stopped_deliveries(database)
        lti = LtiDoor(settings, database, clock)
        yield from _own_keys(lti)
        yield from _own_address(settings)
        yield from _platforms(database, lti)
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


def _platforms(database: Database, lti: LtiDoor) -> Iterator[Finding]:
    with database.read() as session:
        lines = registry.list_platforms(session)
        details = [registry.show(session, line.id) for line in lines]
        with_roster = _with_roster(session)
    if not lines:
        yield Finding("note", "No LMS is connected yet. Run: meitheal platform invite NAME")
    for line, platform in zip(lines, details, strict=True):
        if line.status == "pending":
            yield Finding("note", f"{line.name} waits. To let it in: meitheal platform approve {line.id}")
            continue
        if line.status == "suspended":
            yield Finding("note", f"{line.name} is suspended; nobody can launch from it.")
            continue
        for deployment in platform.deployments:
            if deployment.status == "pending":
                yield Finding(
                    "note",
                    f"{line.name}: deployment {deployment.deployment_id} waits. To let it in: "
                    f"meitheal platform approve {line.id} --deployment {deployment.deployment_id}",
                )
        yield _keys_of(lti, platform)
        if platform.id in with_roster:
            yield _token_of(lti, platform)


def _with_roster(session: Session) -> set[str]:
    return set(
        session.scalars(
            select(Deployment.platform_id)
            .join(Course, Course.deployment_id == Deployment.id)
            .where(Course.memberships_url != "")
            .distinct()
        )
    )


def _keys_of(lti: LtiDoor, platform: registry.PlatformDetails) -> Finding:
    try:
        answer = lti.http.get(platform.jwks_url, headers={"Accept": "application/json"})
        keys = answer.json() if answer.status == 200 else None
    except AddressRefused as error:
        return Finding(
            "bad",
            f"{platform.name}: its key set may not be called: {error}. If this LMS really lives in a private network, "
            "add that network to [network] allow_private.",
        )
    except HttpError as error:
        return Finding("bad", f"{platform.name}: its key set {platform.jwks_url} cannot be read: {error}.")
    if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list) or not keys["keys"]:
        return Finding(
            "bad",
            f"{platform.name}: {platform.jwks_url} holds no keys (status {answer.status}). Tell its administrator.",
        )
    return Finding("ok", f"{platform.name}: its keys can be read ({len(keys['keys'])}).")


def _token_of(lti: LtiDoor, platform: registry.PlatformDetails) -> Finding:
    try:
        lti.tokens.get(Client(platform.id, platform.client_id, platform.token_url, platform.token_audience), [SCOPE])
    except ServiceError as error:
        advice = {
            "unreachable": f"Check that {platform.token_url} can be reached from here.",
            "busy": "It asks to be left alone for a while; try again later.",
        }.get(
            error.code,
            "In the LMS, check that the tool is active, may read names and roles, and that its key set address is "
            "/lti/jwks.json of this tool and can be reached from the LMS.",
        )
        return Finding("bad", f"{platform.name}: no access token ({error}). {advice}")
    return Finding("ok", f"{platform.name}: it gives access tokens for the roster.")
