"""Work that is done after the answer: asked for inside a transaction, carried out by a worker.

A job is asked for by `enqueue` in the same transaction as the change that makes it necessary, so both happen or
neither. `run_due` leases one due job at a time in a short transaction, runs its handler outside of any, and writes down
how it went. A worker that is killed loses its lease, and another begins again: handlers must bear being run twice.

Periodic work uses the same table and the same leases, so it happens once, however many workers run.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job
from lti_tool.store.upsert import insert_into

LEASE = timedelta(minutes=10)
"""How long an attempt may take before it counts as dead."""
MAX_ATTEMPTS = 10
_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(hours=1)
_PERIODIC = "periodic"

Handler = Callable[[Mapping[str, Any]], None]
"""Carries out one job, given its payload. Opens its own transactions; no HTTP call inside one."""

log = structlog.get_logger(__name__)


class JobFailed(Exception):
    """An attempt failed in a foreseen way. `code` is kept and shown to the operator.

    `retry_after`: wait at least so long before the next attempt, as the other side asked. `final`: do not try again.
    """

    def __init__(self, code: str, *, retry_after: timedelta | None = None, final: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after
        self.final = final


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that is done again and again: `run` at most once in `every`."""

    name: str
    every: timedelta
    run: Callable[[], None]


@dataclass(frozen=True, slots=True)
class QueueState:
    """What waits, for `doctor` and the metrics."""

    waiting: int
    """Due and not begun."""
    oldest_due_at: datetime | None
    given_up: tuple[tuple[str, str, int], ...]
    """(kind, error code, number of jobs) of the work that was given up."""


@dataclass(frozen=True, slots=True)
class _Claim:
    id: str
    kind: str
    key: str
    payload: dict[str, Any]
    lease: str
    generation: int
    attempts: int


def enqueue(session: Session, kind: str, key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Asks for work of `kind` about `key`, as part of the caller's transaction; the worker is woken after its commit.

    The same work that waits already is done once, with this payload; work in progress is done once more after it.
    """
    statement = insert_into(session, Job).values(_fresh(kind, key, payload, now))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={
                "payload": statement.excluded.payload,
                "due_at": now,
                "attempts": 0,
                "generation": Job.generation + 1,
                "given_up_at": None,
            },
        )
    )
    session.info["work_left"] = True


def enqueue_unless_waiting(
    session: Session, kind: str, key: str, payload: Mapping[str, Any], now: datetime, *, after_giving_up: timedelta
) -> None:
    """Like enqueue, but leaves work alone that waits or runs already, so that it keeps its longer and longer waits.

    Work that was given up is taken up again no sooner than `after_giving_up`.
    """
    statement = insert_into(session, Job).values(_fresh(kind, key, payload, now))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={"payload": statement.excluded.payload, "due_at": now, "attempts": 0, "given_up_at": None},
            where=Job.given_up_at <= now - after_giving_up,
        )
    )
    session.info["work_left"] = True


def renew(session: Session, kind: str, key: str, now: datetime) -> None:
    """Prolongs the lease of work in progress, for a handler that may take longer than LEASE."""
    session.execute(
        update(Job).where(Job.kind == kind, Job.key == key, Job.lease != "").values(leased_until=now + LEASE)
    )


def schedule(database: Database, periodic: Iterable[Periodic], now: datetime) -> None:
    """Makes a row for each periodic task that has none yet, due at once. Called when a worker starts."""
    with database.write() as session:
        for task in periodic:
            session.execute(
                insert_into(session, Job)
                .values(_fresh(_PERIODIC, task.name, {}, now))
                .on_conflict_do_nothing(index_elements=["kind", "key"])
            )


def run_due(
    database: Database,
    handlers: Mapping[str, Handler],
    periodic: Iterable[Periodic],
    clock: Callable[[], datetime],
    *,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Carries out all due work, one job after the other, until none is left or `stop()`; returns how many attempts.

    Never raises because of a job: what goes wrong in a handler is logged and the job is retried later, each time
    after a longer wait, and given up after MAX_ATTEMPTS. Safe to run in many processes and threads at once.
    """
    tasks = {task.name: task for task in periodic}
    attempts = 0
    while not stop() and (claim := _claim(database, clock())):
        attempts += 1
        _attempt(database, claim, handlers, tasks, clock)
    return attempts


def state(session: Session, now: datetime) -> QueueState:
    """What waits and what was given up."""
    is_waiting = (Job.due_at <= now) & Job.given_up_at.is_(None) & or_(Job.lease == "", Job.leased_until <= now)
    waiting, oldest = session.execute(select(func.count(), func.min(Job.due_at)).where(is_waiting)).one()
    given_up = session.execute(
        select(Job.kind, Job.last_error, func.count())
        .where(Job.given_up_at.is_not(None))
        .group_by(Job.kind, Job.last_error)
        .order_by(Job.kind, Job.last_error)
    )
    return QueueState(waiting, oldest, tuple((kind, code, number) for kind, code, number in given_up))


def _fresh(kind: str, key: str, payload: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "kind": kind,
        "key": key,
        "payload": dict(payload),
        "due_at": now,
        "attempts": 0,
        "generation": 0,
        "last_error": "",
        "lease": "",
        "created_at": now,
    }


def _claim(database: Database, now: datetime) -> _Claim | None:
    """Leases the job that has been due longest. Two workers never get the same one."""
    with database.write() as session:
        row = session.execute(
            select(Job.id, Job.kind, Job.key, Job.payload, Job.generation, Job.attempts)
            .where(Job.due_at <= now, Job.given_up_at.is_(None), or_(Job.lease == "", Job.leased_until <= now))
            .order_by(Job.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return None
        claim = _Claim(row.id, row.kind, row.key, row.payload, new_id(), row.generation, row.attempts + 1)
        session.execute(
            update(Job)
            .where(Job.id == claim.id)
            .values(lease=claim.lease, leased_until=now + LEASE, attempts=claim.attempts)
        )
        return claim


def _attempt(
    database: Database,
    claim: _Claim,
    handlers: Mapping[str, Handler],
    tasks: Mapping[str, Periodic],
    clock: Callable[[], datetime],
) -> None:
    bound = log.bind(kind=claim.kind, key=claim.key, attempt=claim.attempts)
    try:
        if claim.kind == _PERIODIC:
            if claim.key in tasks:
                tasks[claim.key].run()
        elif claim.kind in handlers:
            handlers[claim.kind](claim.payload)
        else:
            raise JobFailed("unknown_kind")
    except JobFailed as failure:
        bound.warning("job_failed", code=failure.code)
        _fail(database, claim, failure, clock())
    except Exception as error:
        # Whatever a handler did not foresee must neither end the worker nor be lost.
        bound.exception("job_failed")
        _fail(database, claim, JobFailed(type(error).__name__), clock())
    else:
        _finish(database, claim, tasks, clock())


def _finish(database: Database, claim: _Claim, tasks: Mapping[str, Periodic], now: datetime) -> None:
    with database.write() as session:
        mine = (Job.id == claim.id) & (Job.lease == claim.lease)
        if claim.kind == _PERIODIC and claim.key in tasks:
            session.execute(
                update(Job)
                .where(mine)
                .values(_released(due_at=now + tasks[claim.key].every, attempts=0, last_error=""))
            )
            return
        gone = session.execute(delete(Job).where(mine, Job.generation == claim.generation).returning(Job.id)).first()
        if gone is None:
            # Asked for again while it ran (or the lease ran out, and then nothing matches): it stays due.
            session.execute(update(Job).where(mine).values(_released(attempts=0, last_error="")))


def _fail(database: Database, claim: _Claim, failure: JobFailed, now: datetime) -> None:
    values: dict[str, Any] = {"last_error": failure.code[:100]}
    if claim.kind != _PERIODIC and (failure.final or claim.attempts >= MAX_ATTEMPTS):
        values["given_up_at"] = now
    wait = min(_FIRST_RETRY * 2 ** min(claim.attempts - 1, 20), _LONGEST_RETRY)
    # Many jobs that failed together (an LMS was down) should not all come back in the same second.
    wait *= random.uniform(1, 1.25)  # noqa: S311
    values["due_at"] = now + max(wait, failure.retry_after or wait)
    with database.write() as session:
        mine = (Job.id == claim.id) & (Job.lease == claim.lease)
        retried = session.execute(
            update(Job).where(mine, Job.generation == claim.generation).values(_released(**values)).returning(Job.id)
        ).first()
        if retried is None:
            session.execute(update(Job).where(mine).values(_released()))


def _released(**values: Any) -> dict[str, Any]:
    return {"lease": "", "leased_until": None, **values}
