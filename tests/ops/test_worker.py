"""The worker of a whole tool: it does what is asked for, clears up, survives, and stops when told."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Clock
from factories import make_course, make_settings
from sqlalchemy import select, update

from lti_tool import worker
from lti_tool.people import roster
from lti_tool.people.models import Course, SignIn
from lti_tool.people.sign_ins import open_sign_in
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import Settings
from lti_tool.store import jobs, queue
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job
from lti_tool.web.context import utcnow

_NO_DATABASE = Database("sqlite:///not-made.db")
PERIODIC = len(worker.periodic(make_settings(), _NO_DATABASE, Keyring.of(make_settings(), _NO_DATABASE), utcnow))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return make_settings(database_url=database_url, queue_url=f"sqlite:///{tmp_path}/queue.db")


def eventually(condition: Any, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def waiting(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Job.kind).where(Job.kind != "periodic")))


def test_periodic_work_clears_up(settings: Settings, database: Database, clock: Clock) -> None:
    made = make_course(database, now=clock())
    with database.write() as session:
        open_sign_in(
            session, membership_id=made.trainer, activity_id=None, locale="en", platform_origin="", return_url="",
            now=clock() - timedelta(days=2),
        )  # fmt: skip
    tasks = worker.periodic(settings, database, Keyring.of(settings, database), clock)
    jobs.schedule(database, tasks, clock())
    assert jobs.run_due(database, {}, tasks, clock) == len(tasks)
    with database.read() as session:
        assert session.scalars(select(SignIn.id)).all() == []
        assert set(session.scalars(select(Job.last_error))) == {""}


def test_a_web_process_asks_and_the_worker_does(
    settings: Settings, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "POLL_SECONDS", 30.0)
    made = make_course(database, now=clock())
    stop = threading.Event()
    own = Database(settings.database_url)
    thread = threading.Thread(target=worker.work_until, args=(stop, settings, own, clock))
    thread.start()
    try:
        assert eventually(lambda: len(_periodic(database)) == PERIODIC)
        database.on_work = worker.open_queue(settings).wake
        with database.write() as session:
            # The platform is not there: the attempt fails, and the worker lives on.
            session.execute(update(Course).values(memberships_url="http://127.0.0.1:1/memberships"))
            roster.request(session, made.course_id, clock())
        assert eventually(lambda: _errors(database) == ["roster_unreachable"])
        with database.write() as session:
            session.execute(update(Course).values(memberships_url=""))
            roster.request(session, made.course_id, clock())
        assert eventually(lambda: waiting(database) == [])
    finally:
        stop.set()
        thread.join(20)
        own.dispose()
    assert not thread.is_alive()


def _periodic(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Job.key).where(Job.kind == "periodic")))


def _errors(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Job.last_error).where(Job.kind != "periodic")))


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `init` and `db upgrade` leave it."""
    folder = tmp_path_factory.mktemp("installation")
    for arguments in (["init"], ["db", "upgrade"]):
        subprocess.run([sys.executable, "-m", "lti_tool.cli", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_process_stops_when_told(installation: Path, tmp_path: Path, how: signal.Signals) -> None:
    shutil.copytree(installation, tmp_path, dirs_exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "lti_tool.cli", "worker"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    database = Database(f"sqlite:///{tmp_path}/var/meitheal.db")
    assert eventually(lambda: len(_periodic(database)) == PERIODIC)
    database.dispose()
    process.send_signal(how)
    assert process.wait(20) == 0
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_the_worker_outlives_a_database_that_is_away(
    settings: Settings, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "POLL_SECONDS", 0.1)
    stop = threading.Event()
    own = Database(settings.database_url)
    thread = threading.Thread(target=worker.work_until, args=(stop, settings, own, clock))
    thread.start()
    try:
        assert eventually(lambda: len(_periodic(database)) == PERIODIC)
        Base.metadata.tables["jobs"].drop(database.engine)
        time.sleep(0.5)
        assert thread.is_alive()
        Base.metadata.tables["jobs"].create(database.engine)
        with database.write() as session:
            jobs.enqueue(session, roster.JOB, "0" * 16, {"course_id": "0" * 16}, clock())
        assert eventually(lambda: waiting(database) == [])
    finally:
        stop.set()
        thread.join(20)
        own.dispose()
