"""What is to be in Moodle, or gone from it, and the job that sees to it: one for each site, one thing after the other.

A row of MoodleWrite says what is wanted, and what was last seen to be there:

    waiting → sending → done | failed (Moodle said no) | unknown (asked many times, and never answered)

`sending` is kept before anything is sent. What is found in it later (the worker was killed, no answer came) may have
been done, so it is left alone until the call is surely over (SETTLES_AFTER) and then looked for. That is why groups
and events are there once: their carriers look before they make anything. A message cannot be found again and is not
carried by this job: `messages.py` keeps its row before it sends it, and never sends it twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.lti.http import Http
from lti_tool.people.models import Course, Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.store.base import new_id
from lti_tool.store.database import Database, rows_changed
from lti_tool.store.jobs import LEASE, JobFailed, enqueue, enqueue_unless_waiting
from lti_tool.store.upsert import insert_into
from moodle_sync.client import MoodleClient
from moodle_sync.errors import AddressWrong, MoodleError, NotReached, TokenRefused
from moodle_sync.models import MoodleSite, MoodleWrite
from moodle_sync.sites import client_of

JOB = "moodle_write"
Kind = Literal["group", "event", "message"]
SETTLES_AFTER = timedelta(minutes=2)
"""A call without an answer is over after this long, in Moodle, too: then what it did can be seen."""
KEPT_FOR = timedelta(days=60)
"""What is over is remembered for so long."""
_MOST_TRIES = 10
"""Calls without an answer, for one thing, before that is said to the operator."""
_TRIED_AGAIN_AFTER = timedelta(days=1)
"""What Moodle refused is tried again after this long: somebody may have given the account what it lacked."""
_TAKEN_UP_AGAIN_AFTER = timedelta(minutes=15)
_RUN = timedelta(minutes=4)
"""A run asks for another one after this long, so that it ends well before its lease (store/jobs.py) does."""
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be (`wanted`), or to be gone. `state`: fingerprint of what it should be, at most 64 characters;
    `body`: the ids and numbers it is made from, no names and no words."""

    course_id: str | None
    key: str
    wanted: bool
    state: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """One row as it was when it was taken in hand."""

    id: str
    platform_id: str
    course_id: str | None
    kind: str
    key: str
    wanted: bool
    state: str
    there_state: str
    """Fingerprint that Moodle was last seen to have; empty if it is not there, or that is not known."""
    moodle_id: int | None
    """What it was made as, if that is known."""
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """It is in Moodle as `moodle_id`, or gone from it (None)."""

    moodle_id: int | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of the job at one site."""

    client: MoodleClient
    database: Database
    """For short transactions of a carrier's own; none may be open during a call."""
    clock: Clock
    seen: dict[Any, Any] = field(default_factory=dict)
    """What carriers have read in this run, by keys of their own, so that it is not read for each row; they bring it up
    to date with what they do. Emptied after each error, when nobody knows what is there."""


class Carrier(Protocol):
    """Brings one kind of thing into Moodle."""

    def plan(self, session: Session, platform_id: str, now: datetime) -> Iterable[Wish]:
        """What should be in a platform's Moodle, or be gone, as far as that differs from the rows of MoodleWrite; calls
        nothing and changes nothing. Empty where whoever knows says it by `want`."""
        ...

    def carry(self, visit: Visit, work: Work) -> Result:
        """Makes Moodle have what `work` wants, whatever it has of it already, and calls it with no transaction open.

        May be called again for what was done: it looks for it before it makes anything. Raises MoodleError.
        """
        ...


CARRIERS: dict[str, Carrier] = {}
"""Kind → what brings it there. `groups.py` and `calendar.py` enter themselves."""


def want(
    session: Session,
    *,
    platform_id: str,
    course_id: str | None,
    kind: Kind,
    key: str,
    wanted: bool,
    state: str,
    body: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Says what is to be in Moodle, as part of the caller's transaction; a worker sees to it. False if that was said
    already, or there is nothing to take away. What has failed is tried again only when something else is wanted."""
    row = session.scalars(
        select(MoodleWrite)
        .where(MoodleWrite.platform_id == platform_id, MoodleWrite.kind == kind, MoodleWrite.key == key)
        .with_for_update()
    ).one_or_none()
    if row is None:
        if not wanted:
            return False
        made = session.execute(
            insert_into(session, MoodleWrite)
            .values(
                id=new_id(), platform_id=platform_id, course_id=course_id, kind=kind, key=key, wanted=True,
                wanted_state=state, there_state="", status="waiting", attempts=0, problem="", made_at=now,
                body=dict(body),
            )
            .on_conflict_do_nothing(index_elements=["platform_id", "kind", "key"])
            .returning(MoodleWrite.id)
        ).first()  # fmt: skip
        if made is None:
            # Somebody said it at the same moment; what they left out, the next look brings.
            return False
    elif row.wanted == wanted and (not wanted or row.wanted_state == state):
        return False
    else:
        row.wanted, row.wanted_state, row.body, row.course_id = wanted, state, dict(body), course_id
        row.attempts, row.problem = 0, ""
        # What is on its way stays so: it may be there by now.
        row.status = "sending" if row.status == "sending" else "waiting"
        session.flush()
    _ask(session, platform_id, now)
    return True


def look_after(database: Database, clock: Clock) -> None:
    """Again and again: says what is to be in each Moodle by now, lets nothing wait without a job, tries once a day what
    was refused, and forgets what is long over."""
    now = clock()
    with database.read() as session:
        platform_ids = session.scalars(
            select(MoodleSite.platform_id)
            .join(Platform, Platform.id == MoodleSite.platform_id)
            .where(Platform.status == "active")
        ).all()
    with database.write() as session:
        _forget_old(session, now)
        _give_up_messages(session, now)
    for platform_id in platform_ids:
        _plan(database, platform_id, now)
        with database.write() as session:
            _wait_again(session, platform_id, MoodleWrite.tried_at <= now - _TRIED_AGAIN_AFTER)
            _ask_if_any(session, platform_id, now)


def say(session: Session, platform_id: str, now: datetime) -> int:
    """Says what is to be in one Moodle by now, and tries again what was refused (`meitheal sync`); how many things
    wait."""
    for kind, wish in _wishes(session, platform_id, now):
        _want(session, platform_id, kind, wish, now)
    _wait_again(session, platform_id)
    session.flush()
    waiting = session.scalar(select(func.count()).where(MoodleWrite.platform_id == platform_id, _DUE)) or 0
    if waiting:
        _ask(session, platform_id, now)
    return waiting


def dry_run(session: Session, platform_id: str, now: datetime) -> list[str]:
    """What a run would write to a platform's Moodle now, a line for each course and kind; changes nothing."""
    rows = session.execute(
        select(
            MoodleWrite.kind, MoodleWrite.key, MoodleWrite.course_id, MoodleWrite.wanted, MoodleWrite.there_state,
            MoodleWrite.moodle_id, or_(_DUE, _AGAIN).label("is_due"),
        ).where(MoodleWrite.platform_id == platform_id, MoodleWrite.kind != "message")
    ).all()  # fmt: skip
    there = {(row.kind, row.key): row.moodle_id is not None for row in rows}
    planned = {(row.kind, row.key): (row.course_id, row.wanted) for row in rows if row.is_due}
    for kind, wish in _wishes(session, platform_id, now):
        planned[kind, wish.key] = (wish.course_id, wish.wanted)
    course_ids = {course_id for course_id, _ in planned.values()}
    titles = {
        row.id: row.title for row in session.execute(select(Course.id, Course.title).where(Course.id.in_(course_ids)))
    }
    found: Counter[tuple[str, str, str]] = Counter()
    for (kind, key), (course_id, wanted) in planned.items():
        what = "deleted" if not wanted else "changed" if there.get((kind, key)) else "made"
        found[titles.get(course_id or "", "") or "no title", kind, what] += 1
    return [
        f"{title}: {number} {kind}{'s' * (number != 1)} would be {what}."
        for (title, kind, what), number in sorted(found.items())
    ]


@dataclass(frozen=True, slots=True)
class Unsent:
    """What is not in Moodle as it is wanted for one reason, for the operator; no person."""

    platform: str
    course: str
    """Its title; empty for messages."""
    kind: str
    status: str
    problem: str
    number: int
    since: datetime
    """When the first of it was tried last, or asked for."""


def unsent(session: Session) -> list[Unsent]:
    """What has not arrived, numbers for each course, kind and reason."""
    rows = session.execute(
        select(
            Platform.name,
            func.coalesce(Course.title, ""),
            MoodleWrite.kind,
            MoodleWrite.status,
            MoodleWrite.problem,
            func.count(),
            func.min(func.coalesce(MoodleWrite.tried_at, MoodleWrite.made_at), type_=MoodleWrite.made_at.type),
        )
        .join(Platform, Platform.id == MoodleWrite.platform_id)
        .outerjoin(Course, Course.id == MoodleWrite.course_id)
        .where(MoodleWrite.status != "done")
        .group_by(Platform.id, Platform.name, Course.id, Course.title)
        .group_by(MoodleWrite.kind, MoodleWrite.status, MoodleWrite.problem)
        .order_by(Platform.name, Course.title, MoodleWrite.kind, MoodleWrite.status, MoodleWrite.problem)
    )
    return [Unsent(*row) for row in rows]


def carry_out(payload: Mapping[str, Any], *, database: Database, masters: Masters, http: Http, clock: Clock) -> None:
    """The job: brings to the Moodle of `payload["platform_id"]` what waits. Raises JobFailed.

    Bears being killed at any moment and being run twice. While a platform is suspended or not connected, all waits.
    """
    platform_id, begun, problem = str(payload["platform_id"]), clock(), ""
    with database.read() as session:
        try:
            client = client_of(session, platform_id, masters, http)
        except TokenRefused as error:
            raise JobFailed(f"moodle_{error.code}") from error
        is_active = session.scalar(select(Platform.status).where(Platform.id == platform_id)) == "active"
        due = _due(session, platform_id) if client and is_active else []
    if client is None or not due:
        return
    visit, has_groups = Visit(client, database, clock), False
    for write_id in due:
        if clock() - begun > _RUN:
            with database.write() as session:
                _ask(session, platform_id, clock())
            return
        work = _take(database, write_id, clock())
        if work is None:
            continue
        try:
            result = CARRIERS[work.kind].carry(visit, work)
        except MoodleError as error:
            visit.seen.clear()
            with database.write() as session:
                _note_failure(session, work, error, clock())
            if isinstance(error, (NotReached, AddressWrong, TokenRefused)):
                # The next call would end the same way.
                raise JobFailed(f"moodle_{error.code}") from error
            problem = error.code if error.may_be_done else problem
            continue
        with database.write() as session:
            _note_success(session, work, result)
        # What goes into a group is planned once the group is there.
        has_groups = has_groups or work.kind == "group"
    with database.read() as session:
        is_left = session.scalar(select(MoodleWrite.id).where(MoodleWrite.platform_id == platform_id, _DUE).limit(1))
    if has_groups:
        _plan(database, platform_id, clock())
    if is_left:
        raise JobFailed(f"moodle_{problem or 'unsettled'}", retry_after=SETTLES_AFTER)


_IS_CARRIED = MoodleWrite.kind != "message"
_DUE: ColumnElement[bool] = and_(_IS_CARRIED, MoodleWrite.status.in_(("waiting", "sending")))
_AGAIN: ColumnElement[bool] = and_(_IS_CARRIED, MoodleWrite.status.in_(("failed", "unknown")))


def _plan(database: Database, platform_id: str, now: datetime) -> None:
    with database.read() as session:
        wishes = _wishes(session, platform_id, now)
    if wishes:
        with database.write() as session:
            for kind, wish in wishes:
                _want(session, platform_id, kind, wish, now)


def _wishes(session: Session, platform_id: str, now: datetime) -> list[tuple[Kind, Wish]]:
    kinds: tuple[Kind, ...] = ("group", "event")
    return [
        (kind, wish) for kind in kinds if kind in CARRIERS for wish in CARRIERS[kind].plan(session, platform_id, now)
    ]


def _want(session: Session, platform_id: str, kind: Kind, wish: Wish, now: datetime) -> None:
    want(
        session, platform_id=platform_id, course_id=wish.course_id, kind=kind, key=wish.key, wanted=wish.wanted,
        state=wish.state, body=wish.body, now=now,
    )  # fmt: skip


def _ask(session: Session, platform_id: str, now: datetime) -> None:
    enqueue(session, JOB, platform_id, {"platform_id": platform_id}, now)


def _ask_if_any(session: Session, platform_id: str, now: datetime) -> None:
    if session.scalar(select(MoodleWrite.id).where(MoodleWrite.platform_id == platform_id, _DUE).limit(1)):
        enqueue_unless_waiting(
            session, JOB, platform_id, {"platform_id": platform_id}, now, after_giving_up=_TAKEN_UP_AGAIN_AFTER
        )


def _wait_again(session: Session, platform_id: str, *conditions: ColumnElement[bool]) -> None:
    session.execute(
        update(MoodleWrite)
        .where(MoodleWrite.platform_id == platform_id, _AGAIN, *conditions)
        .values(status="waiting", attempts=0)
    )


def _give_up_messages(session: Session, now: datetime) -> None:
    """Whoever had them in hand is gone, and whether they left is known to nobody."""
    session.execute(
        update(MoodleWrite)
        .where(MoodleWrite.kind == "message", MoodleWrite.status == "sending", MoodleWrite.tried_at <= now - LEASE)
        .values(status="unknown", problem="no_answer")
    )


def _forget_old(session: Session, now: datetime) -> None:
    """Messages, events, and groups that are gone; a group that is there is known for as long as it is. An event that is
    still ahead is said again, and found."""
    old = now - KEPT_FOR
    session.execute(
        delete(MoodleWrite).where(
            or_(
                and_(
                    func.coalesce(MoodleWrite.tried_at, MoodleWrite.made_at) <= old,
                    or_(
                        and_(MoodleWrite.kind == "message", MoodleWrite.status != "waiting"),
                        and_(MoodleWrite.status == "done", or_(MoodleWrite.kind == "event", ~MoodleWrite.wanted)),
                    ),
                ),
                # What is refused is tried again every day.
                and_(
                    MoodleWrite.kind == "event",
                    MoodleWrite.status.in_(("failed", "unknown")),
                    MoodleWrite.made_at <= old,
                ),
            )
        )
    )


def _due(session: Session, platform_id: str) -> list[str]:
    """Ids of what waits: groups before the events in them, and what was tried longest ago first, so that what fails
    stands before nothing else."""
    return list(
        session.scalars(
            select(MoodleWrite.id)
            .where(MoodleWrite.platform_id == platform_id, _DUE, MoodleWrite.kind.in_(list(CARRIERS)))
            .order_by(
                (MoodleWrite.kind != "group"), MoodleWrite.tried_at.is_not(None), MoodleWrite.tried_at, MoodleWrite.id
            )
        )
    )


def _take(database: Database, write_id: str, now: datetime) -> Work | None:
    """Takes one row in hand, and keeps that it is; None if another worker has it, or what it did is not to be seen
    yet."""
    with database.write() as session:
        taken = session.execute(
            update(MoodleWrite)
            .where(
                MoodleWrite.id == write_id,
                or_(
                    MoodleWrite.status == "waiting",
                    and_(MoodleWrite.status == "sending", MoodleWrite.tried_at <= now - SETTLES_AFTER),
                ),
            )
            .values(status="sending", tried_at=now, attempts=MoodleWrite.attempts + 1)
        )
        row = session.get(MoodleWrite, write_id) if rows_changed(taken) else None
        if row is None:
            return None
        return Work(
            row.id, row.platform_id, row.course_id, row.kind, row.key, row.wanted, row.wanted_state, row.there_state,
            row.moodle_id, dict(row.body),
        )  # fmt: skip


def _note_success(session: Session, work: Work, result: Result) -> None:
    row = session.get(MoodleWrite, work.id, with_for_update=True)
    if row is None:
        return
    row.moodle_id, row.there_state, row.problem = result.moodle_id, work.state if work.wanted else "", ""
    is_still_wanted = (row.wanted, row.wanted_state) == (work.wanted, work.state)
    row.status = "done" if is_still_wanted else "waiting"
    if not is_still_wanted:
        row.attempts = 0


def _note_failure(session: Session, work: Work, error: MoodleError, now: datetime) -> None:
    row = session.get(MoodleWrite, work.id, with_for_update=True)
    if row is None:
        return
    # The call without an answer was the last of several: what it does is over SETTLES_AFTER from here.
    row.problem, row.tried_at = error.code, now
    if error.may_be_done:
        row.status = "unknown" if row.attempts >= _MOST_TRIES else "sending"
    elif error.is_passing or isinstance(error, (AddressWrong, TokenRefused)):
        row.status = "waiting"
    else:
        is_still_wanted = (row.wanted, row.wanted_state) == (work.wanted, work.state)
        row.status = "failed" if is_still_wanted else "waiting"
