"""Work that waits: asked for with the change, leased once, retried, never lost and never fatal."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lti_tool.store import jobs
from lti_tool.store.database import Database
from lti_tool.store.jobs import JobFailed, Periodic
from lti_tool.store.jobs_models import Job


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, delta: timedelta) -> None:
        self.now += delta


@pytest.fixture
def time() -> Clock:
    return Clock()


def ask(database: Database, time: Clock, key: str = "a", **payload: Any) -> None:
    with database.write() as session:
        jobs.enqueue(session, "demo", key, payload, time())


def rows(database: Database) -> list[Job]:
    with database.read() as session:
        return list(session.scalars(select(Job).order_by(Job.key)))


def run(database: Database, time: Clock, handler: jobs.Handler) -> int:
    return jobs.run_due(database, {"demo": handler}, (), time)


def test_work_is_done_once_and_leaves_no_row(database: Database, time: Clock) -> None:
    done: list[Mapping[str, Any]] = []
    ask(database, time, n=1)
    assert run(database, time, done.append) == 1
    assert run(database, time, done.append) == 0
    assert done == [{"n": 1}]
    assert rows(database) == []


def test_asking_twice_makes_one_job_with_the_latest_payload(database: Database, time: Clock) -> None:
    done: list[Mapping[str, Any]] = []
    ask(database, time, n=1)
    ask(database, time, n=2)
    run(database, time, done.append)
    assert done == [{"n": 2}]


def test_a_request_that_is_rolled_back_leaves_no_work(database: Database, time: Clock) -> None:
    rung: list[None] = []
    database.on_work = lambda: rung.append(None)
    with pytest.raises(LookupError), database.write() as session:
        jobs.enqueue(session, "demo", "a", {}, time())
        raise LookupError
    assert rows(database) == []
    assert rung == []


def test_the_worker_is_woken_after_the_commit_only(database: Database, time: Clock) -> None:
    seen: list[int] = []
    database.on_work = lambda: seen.append(len(rows(database)))
    ask(database, time)
    assert seen == [1]
    with database.write() as session:
        session.execute(select(Job))
    assert seen == [1]


def test_work_asked_for_while_it_runs_is_done_again(database: Database, time: Clock) -> None:
    done: list[Mapping[str, Any]] = []

    def handler(payload: Mapping[str, Any]) -> None:
        done.append(payload)
        if len(done) == 1:
            ask(database, time, n=2)

    ask(database, time, n=1)
    assert run(database, time, handler) == 2
    assert done == [{"n": 1}, {"n": 2}]
    assert rows(database) == []


def test_work_asked_for_while_it_fails_is_retried_at_once(database: Database, time: Clock) -> None:
    done: list[Mapping[str, Any]] = []

    def handler(payload: Mapping[str, Any]) -> None:
        done.append(payload)
        if len(done) == 1:
            ask(database, time, n=2)
            raise JobFailed("down")

    ask(database, time, n=1)
    assert run(database, time, handler) == 2
    assert rows(database) == []


def test_a_failure_is_retried_after_longer_and_longer_waits_and_then_given_up(database: Database, time: Clock) -> None:
    def handler(_payload: Mapping[str, Any]) -> None:
        raise JobFailed("lms_down")

    ask(database, time)
    waits = []
    for _ in range(jobs.MAX_ATTEMPTS):
        assert run(database, time, handler) == 1
        (job,) = rows(database)
        assert job.last_error == "lms_down"
        assert job.lease == ""
        waits.append(job.due_at - time())
        time.advance(job.due_at - time())
    assert timedelta(seconds=10) <= waits[0] <= timedelta(seconds=13)
    assert waits[3] > waits[0] * 4
    assert max(waits) <= timedelta(hours=1.25)
    assert run(database, time, handler) == 0
    with database.read() as session:
        assert jobs.state(session, time()).given_up == (("demo", "lms_down", 1),)
    ask(database, time)
    assert run(database, time, handler) == 1


def test_the_other_side_may_ask_for_a_longer_wait_or_rule_out_another_attempt(database: Database, time: Clock) -> None:
    ask(database, time)

    def busy(_payload: Mapping[str, Any]) -> None:
        raise JobFailed("busy", retry_after=timedelta(minutes=7))

    def refused(_payload: Mapping[str, Any]) -> None:
        raise JobFailed("refused", final=True)

    run(database, time, busy)
    assert rows(database)[0].due_at == time() + timedelta(minutes=7)
    time.advance(timedelta(minutes=7))
    run(database, time, refused)
    assert rows(database)[0].given_up_at == time()


def test_a_bug_in_one_handler_neither_ends_the_worker_nor_holds_up_other_work(database: Database, time: Clock) -> None:
    done: list[Mapping[str, Any]] = []

    def handler(payload: Mapping[str, Any]) -> None:
        if payload["n"] == 1:
            raise ZeroDivisionError("names and content stay out of the row")
        done.append(payload)

    ask(database, time, "a", n=1)
    ask(database, time, "b", n=2)
    assert run(database, time, handler) == 2
    assert done == [{"n": 2}]
    (job,) = rows(database)
    assert job.last_error == "ZeroDivisionError"


def test_an_unknown_kind_waits_for_a_version_that_knows_it(database: Database, time: Clock) -> None:
    ask(database, time)
    assert jobs.run_due(database, {}, (), time) == 1
    assert rows(database)[0].last_error == "unknown_kind"


def test_a_killed_worker_loses_its_lease_and_another_does_the_work(database: Database, time: Clock) -> None:
    ask(database, time)

    class Killed(BaseException):
        pass

    def killed(_payload: Mapping[str, Any]) -> None:
        raise Killed

    with pytest.raises(Killed):
        run(database, time, killed)
    done: list[Mapping[str, Any]] = []
    assert run(database, time, done.append) == 0
    time.advance(jobs.LEASE)
    assert run(database, time, done.append) == 1
    assert rows(database) == []


def test_an_attempt_that_outlived_its_lease_does_not_end_the_job_of_another(database: Database, time: Clock) -> None:
    ask(database, time)

    def slow(_payload: Mapping[str, Any]) -> None:
        time.advance(jobs.LEASE)
        # Another worker takes over, and is still busy when this attempt ends.
        assert jobs._claim(database, time()) is not None

    run(database, time, slow)
    (job,) = rows(database)
    assert job.lease != ""


def test_two_workers_never_do_the_same_job(database: Database, time: Clock) -> None:
    for number in range(30):
        ask(database, time, f"k{number:02}", n=number)
    done: list[int] = []
    lock = threading.Lock()

    def handler(payload: Mapping[str, Any]) -> None:
        with lock:
            done.append(payload["n"])

    threads = [threading.Thread(target=run, args=(database, time, handler)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(30))
    assert rows(database) == []


def test_periodic_work_happens_once_per_interval_however_many_workers_run(database: Database, time: Clock) -> None:
    runs: list[datetime] = []
    task = Periodic("sweep", timedelta(hours=1), lambda: runs.append(time()))
    for _ in range(3):
        jobs.schedule(database, [task], time())
    for _ in range(3):
        jobs.run_due(database, {}, [task], time)
    assert len(runs) == 1
    time.advance(timedelta(minutes=59))
    jobs.run_due(database, {}, [task], time)
    assert len(runs) == 1
    time.advance(timedelta(minutes=1))
    jobs.run_due(database, {}, [task], time)
    assert len(runs) == 2


def test_periodic_work_that_fails_is_never_given_up_and_one_that_is_gone_is_forgotten(
    database: Database, time: Clock
) -> None:
    def fail() -> None:
        raise OSError

    task = Periodic("sweep", timedelta(minutes=10), fail)
    jobs.schedule(database, [task], time())
    for _ in range(jobs.MAX_ATTEMPTS + 2):
        assert jobs.run_due(database, {}, [task], time) == 1
        time.advance(timedelta(hours=2))
    assert jobs.run_due(database, {}, [], time) == 1
    assert rows(database) == []


def test_state_counts_what_is_due(database: Database, time: Clock) -> None:
    ask(database, time)
    with database.read() as session:
        state = jobs.state(session, time() + timedelta(minutes=5))
    assert (state.waiting, state.oldest_due_at, state.given_up) == (1, time(), ())
