"""The bell on a real Redis: a server of this test's own, gone at its end."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Clock
from factories import make_settings

from lti_tool import worker
from lti_tool.store import jobs
from lti_tool.store import queue as queue_module
from lti_tool.store.database import Database
from lti_tool.store.jobs import Periodic
from lti_tool.store.queue import Queue

SECRET = b"s" * 32
BINARY = shutil.which("redis-server")


class Redis:
    """A Redis on a free port, without files."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        assert BINARY
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [BINARY, *options, "--dir", str(self._folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("Redis did not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if BINARY is None:
        pytest.skip("no redis-server here; on Debian: apt-get install redis-server")
    server = Redis(tmp_path)
    yield server
    server.stop()


def serve(queue: Queue, work: threading.Event, stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=queue.serve, args=(work.set, stop))
    thread.start()
    return thread


def test_the_bell_wakes_a_worker_elsewhere(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 30.0)
    work, stop = threading.Event(), threading.Event()
    thread = serve(Queue(redis.url, SECRET), work, stop)
    try:
        assert work.wait(5)
        work.clear()
        begun = time.monotonic()
        elsewhere = Queue(redis.url, SECRET)
        assert elsewhere.is_reachable()
        elsewhere.wake()
        assert work.wait(10)
        assert time.monotonic() - begun < 5
    finally:
        stop.set()
        thread.join(40)
    assert not thread.is_alive()


def test_many_calls_leave_few_messages(redis: Redis) -> None:
    queue = Queue(redis.url, SECRET)
    for _ in range(20):
        queue.wake()
    assert queue._open().pending_count() <= 4


def test_a_redis_that_comes_back_is_heard_again(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 0.2)
    work, stop = threading.Event(), threading.Event()
    queue = Queue(redis.url, SECRET)
    thread = serve(queue, work, stop)
    try:
        assert work.wait(5)
        redis.stop()
        queue.wake()
        assert not queue.is_reachable()
        work.clear()
        assert work.wait(5), "the poll goes on without it"
        redis.start()
        monkeypatch.setattr(queue_module, "POLL_SECONDS", 30.0)
        time.sleep(0.5)
        rung = time.monotonic()
        while time.monotonic() < rung + 15:
            work.clear()
            queue.wake()
            if work.wait(1):
                break
        assert work.is_set(), "and the bell is heard again"
    finally:
        stop.set()
        thread.join(40)
    assert not thread.is_alive()


def test_a_redis_that_never_answers_holds_nobody_up_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queue = Queue(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", SECRET)
        begun = time.monotonic()
        queue.wake()
        assert time.monotonic() - begun < 10


def test_two_workers_do_all_work_once(
    redis: Redis, database_url: str, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 0.1)
    done: list[str] = []
    monkeypatch.setattr(
        worker, "periodic", lambda *_: (Periodic("count", timedelta(hours=1), lambda: done.append("periodic")),)
    )

    def job(payload: Any) -> None:
        done.append(payload["name"])
        time.sleep(0.02)

    monkeypatch.setattr(worker, "handlers", lambda *_: {"job": job})
    settings = make_settings(database_url=database_url, queue_url=redis.url)
    stop = threading.Event()
    bases = [Database(database_url) for _ in range(2)]
    threads = [threading.Thread(target=worker.work_until, args=(stop, settings, each, clock)) for each in bases]
    for thread in threads:
        thread.start()
    try:
        database.on_work = worker.open_queue(settings).wake
        for number in range(20):
            with database.write() as session:
                jobs.enqueue(session, "job", str(number), {"name": str(number)}, clock())
        until = time.monotonic() + 20
        while len(done) < 21 and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
        for each in bases:
            each.dispose()
    assert sorted(done) == sorted(["periodic", *map(str, range(20))])
