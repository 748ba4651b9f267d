"""The calculation of a round: asked for by its trainer, done by a worker, stopped, begun again after a crash.

Nothing is written while it calculates but how far it is, in transactions of one row; the result comes in a single one
at the end, if the run is then still what it was. So a run that was stopped, or whose worker was killed, has left
nothing behind, and can begin again. A job's lease is shorter than a great round may take, so the run renews it; should
a second worker still begin, the first one finds the other's mark in the run and leaves.
"""

import secrets
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.privacy.keyring import Keyring
from lti_tool.rounds import everybody as people
from lti_tool.rounds import fit, keeping, review
from lti_tool.rounds.keeping import StoredProblem
from lti_tool.rounds.models import RoundRun
from lti_tool.rounds.rules import Summary
from lti_tool.rounds.solving import Everybody, Found, NotProven, find
from lti_tool.store import jobs
from lti_tool.store.base import new_id
from lti_tool.store.database import Database, rows_changed
from lti_tool.store.jobs_models import Job

JOB = "pairing_round"
CURRENT = ("waiting", "working", "review")
REVIEWED_WITHIN = timedelta(days=60)
"""After so long a result that nobody published is put away: it is made of what people said, which they may forget."""
MAX_ATTEMPTS = 5
"""Workers that may begin a run, one after the other was killed or lost the database."""
_TOLD_EVERY = 0.5
"""Seconds between two words on how far it is."""
_SHARES = {
    "load": (0, 50),
    "build": (50, 150),
    "left": (150, 300),
    "worst": (300, 500),
    "total": (500, 800),
    "triad": (800, 900),
    "plan": (900, 920),
    "check": (920, 950),
    "store": (950, 1000),
}
"""What is done → from and to how many thousandths of the whole, roughly."""

log = structlog.get_logger(__name__)


class AlreadyCurrent(Exception):
    """A run of this round is calculated or reviewed already; `run_id` is its id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


class _Left(Exception):
    """The run was stopped, dropped, or taken over by another worker."""


def ask(session: Session, activity_id: str, now: datetime) -> str:
    """Has a round calculated by the worker; returns the run's id. Raises AlreadyCurrent."""
    # Of two taps at once the second waits here.
    session.execute(select(Activity.id).where(Activity.id == activity_id).with_for_update(key_share=True)).all()
    current = session.scalar(
        select(RoundRun.id).where(RoundRun.activity_id == activity_id, RoundRun.status.in_(CURRENT))
    )
    if current:
        raise AlreadyCurrent(current)
    number = session.scalar(select(func.max(RoundRun.number)).where(RoundRun.activity_id == activity_id)) or 0
    run = RoundRun(
        id=new_id(),
        activity_id=activity_id,
        number=number + 1,
        status="waiting",
        seed=secrets.randbelow(1 << 31),
        summary={},
        created_at=now,
    )
    session.add(run)
    session.flush()
    jobs.enqueue(session, JOB, run.id, {"run_id": run.id}, now)
    return run.id


def stop(session: Session, run_id: str) -> None:
    """Stops a calculation: at once if none has begun, else as soon as its worker looks. No other is touched."""
    session.execute(
        update(RoundRun).where(RoundRun.id == run_id, RoundRun.status == "waiting").values(status="stopped")
    )
    session.execute(update(RoundRun).where(RoundRun.id == run_id, RoundRun.status == "working").values(stop_asked=True))


def stored(session: Session, keyring: Keyring, run_id: str, now: datetime) -> StoredProblem | None:
    """What a run was calculated from, and who goes with whom now; None once that is forgotten."""
    return keeping.read(session, keyring.opened(session, run_id, now), run_id)


def run(payload: Mapping[str, Any], *, database: Database, keyring: Keyring, clock: Callable[[], datetime]) -> None:
    """The job: calculates the run `payload["run_id"]` and keeps what it came to, for its trainer to review.

    A run that cannot be calculated is failed, with a code of why in `doing`: not_proven, gave_up, or broken (and the
    log says more). Raises what the database raises, and then it can begin again.
    """
    run_id = str(payload["run_id"])
    attempt = _Attempt(database, run_id, clock)
    try:
        begun = attempt.begin()
        if begun is None:
            return
        activity_id, seed = begun
        began_at = time.monotonic()
        with database.read() as session:
            everybody = people.read(session, keyring, activity_id, clock())
        found = find(everybody, seed, attempt.tell)
        attempt.tell("store", 0)
        with database.read() as session:
            keys = keyring.opened(session, run_id, clock())
        rows = _drafts(run_id, keys, everybody, found)
        members = [member.id for member in everybody.members]
        kept = {
            "problem": keys.seal(
                run_id, keeping.pack(found.problem, members, found.solution), f"round_runs/{run_id}/problem"
            ),
            "proof": keys.seal(run_id, keeping.pack_proof(found.solution.certificate), f"round_runs/{run_id}/proof"),
        }
        summary = _summary(everybody, found, rows, time.monotonic() - began_at)
        left = {members[person]: code for person, code in found.helps.items()}
        with database.write() as session:
            attempt.look(session)
            keeping.write(session, run_id, rows, left)
            session.execute(
                update(RoundRun)
                .where(RoundRun.id == run_id)
                .values(status="review", done=1000, doing="", summary=summary.to_json(), **kept)
            )
    except _Left:
        # Nothing was stored, but its key may be there.
        if attempt.was_stopped and attempt.end("stopped", ""):
            keyring.shred(run_id, run_id, clock())
    except SQLAlchemyError:
        raise
    except Exception as error:
        code = "not_proven" if isinstance(error, NotProven) else "broken"
        # Where, and not what: an error may carry what people said.
        at = traceback.extract_tb(error.__traceback__)[-1]
        log.error("round_failed", run=run_id, code=code, error=type(error).__name__, at=f"{at.filename}:{at.lineno}")
        if attempt.end("failed", code):
            keyring.shred(run_id, run_id, clock())


def look_after(session: Session, now: datetime) -> int:
    """Fails the runs that wait for work that nobody will do any more; returns how many.

    Results that nobody published for REVIEWED_WITHIN, or whose activity is archived, are put away.
    """
    is_late = or_(RoundRun.created_at < now - REVIEWED_WITHIN, Activity.status == "archived")
    for run_id in session.scalars(
        select(RoundRun.id)
        .join(Activity, Activity.id == RoundRun.activity_id)
        .where(RoundRun.status == "review", is_late)
    ).all():
        review.drop(session, run_id)
    is_due = exists().where(Job.kind == JOB, Job.key == RoundRun.id, Job.given_up_at.is_(None))
    return rows_changed(
        session.execute(
            update(RoundRun)
            .where(RoundRun.status.in_(("waiting", "working")), RoundRun.created_at < now, ~is_due)
            .values(status="failed", doing="gave_up", summary={})
            .execution_options(synchronize_session=False)
        )
    )


class _Attempt:
    """One worker at one run: what it says of how far it is, and whether it may go on."""

    def __init__(self, database: Database, run_id: str, clock: Callable[[], datetime]) -> None:
        self._database, self._run_id, self._clock = database, run_id, clock
        self._mark = new_id()
        self._told_at = time.monotonic()
        self.was_stopped = False

    def begin(self) -> tuple[str, int] | None:
        """(Id of the activity, seed) of the run, which is now this worker's; None if there is nothing to do."""
        with self._database.write() as session:
            row = session.execute(
                select(RoundRun.activity_id, RoundRun.seed, RoundRun.status, RoundRun.stop_asked, RoundRun.summary)
                .where(RoundRun.id == self._run_id)
                .with_for_update()
            ).one_or_none()
            if row is None or row.status not in ("waiting", "working"):
                return None
            if row.stop_asked:
                self._set(session, status="stopped", doing="", summary={})
                return None
            attempts = row.summary.get("attempts", 0) + 1
            if attempts > MAX_ATTEMPTS:
                self._set(session, status="failed", doing="gave_up", summary={})
                return None
            mark = {"mark": self._mark, "attempts": attempts}
            self._set(session, status="working", done=0, doing="load", summary=mark)
            return row.activity_id, row.seed

    def tell(self, doing: str, share: float) -> None:
        """Says how far it is, at most twice a second. Raises _Left where it has to end."""
        if time.monotonic() - self._told_at < _TOLD_EVERY:
            return
        low, high = _SHARES.get(doing, (0, 0))
        doing = doing if doing in _SHARES else "build"
        with self._database.write() as session:
            self.look(session)
            values = {"doing": doing[:20]}
            done = low + int((high - low) * min(max(share, 0.0), 1.0))
            # A round is sometimes solved twice; what is shown never goes back.
            session.execute(update(RoundRun).where(RoundRun.id == self._run_id, RoundRun.done < done).values(done=done))
            self._set(session, **values)
            jobs.renew(session, JOB, self._run_id, self._clock())
        self._told_at = time.monotonic()

    def look(self, session: Session) -> None:
        """Locks the run, and raises _Left where it was stopped, dropped or taken over."""
        row = session.execute(
            select(RoundRun.status, RoundRun.stop_asked, RoundRun.summary)
            .where(RoundRun.id == self._run_id)
            .with_for_update()
        ).one_or_none()
        if row is None or row.status != "working" or row.summary.get("mark") != self._mark:
            raise _Left
        if row.stop_asked:
            self.was_stopped = True
            raise _Left

    def end(self, status: str, code: str) -> bool:
        """Ends a run without a result; False, and nothing is done, if another worker has it by now."""
        with self._database.write() as session:
            row = session.execute(
                select(RoundRun.status, RoundRun.summary).where(RoundRun.id == self._run_id).with_for_update()
            ).one_or_none()
            if row and row.status == "working" and row.summary.get("mark") == self._mark:
                self._set(session, status=status, doing=code, summary={})
                return True
        return False

    def _set(self, session: Session, **values: Any) -> None:
        session.execute(update(RoundRun).where(RoundRun.id == self._run_id).values(**values))


def _drafts(run_id: str, keys: Any, everybody: Everybody, found: Found) -> keeping.Drafts:
    members = everybody.members
    groups = [tuple(members[person] for person in group) for group in (*found.solution.pairs, *found.solution.triads)]
    return keeping.drafts(
        run_id,
        keys,
        [tuple(member.id for member in group) for group in groups],
        shared={
            tuple(member.id for member in group): fit.why(group, everybody.settings, everybody.topics)
            for group in groups
        },
        again=everybody.history.pairs,
    )


def _summary(everybody: Everybody, found: Found, rows: keeping.Drafts, seconds: float) -> Summary:
    solution = found.solution
    return Summary(
        people=len(everybody.members),
        pairs=len(solution.pairs),
        triads=len(solution.triads),
        left=len(solution.left),
        worst=found.reached.worst if solution.pairs or solution.triads else None,
        total=found.reached.total,
        again=sum(row["again"] for row in rows.proposals),
        gap=found.gap,
        seconds=round(seconds, 2),
        kept=everybody.kept,
        candidates=found.problem.pairs,
        nearest=fit.NEAREST if len(everybody.members) > fit.DENSE else 0,
        later=found.later,
        unplanned=everybody.settings.rounds > 1 and not found.later,
    )
