"""The bell: it wakes, and nothing fails when it cannot."""

import threading
import time
from pathlib import Path

import pytest

from lti_tool.store import queue as queue_module
from lti_tool.store.queue import Queue

SECRET = b"s" * 32


def serve(queue: Queue, work: threading.Event, stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=queue.serve, args=(work.set, stop))
    thread.start()
    return thread


def test_the_bell_wakes_a_worker_in_another_process_s_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 30.0)
    url = f"sqlite:///{tmp_path}/queue/queue.db"
    work, stop = threading.Event(), threading.Event()
    thread = serve(Queue(url, SECRET), work, stop)
    try:
        assert work.wait(5), "work that is due is looked for at the start"
        work.clear()
        begun = time.monotonic()
        Queue(url, SECRET).wake()
        assert work.wait(10)
        assert time.monotonic() - begun < 5
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_without_a_bell_the_poll_finds_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 0.05)
    work, stop = threading.Event(), threading.Event()
    thread = serve(Queue(f"sqlite:///{tmp_path}/queue.db", SECRET), work, stop)
    try:
        assert work.wait(5)
        work.clear()
        assert work.wait(5)
    finally:
        stop.set()
        thread.join(10)


def test_many_calls_leave_few_messages(tmp_path: Path) -> None:
    queue = Queue(f"sqlite:///{tmp_path}/queue.db", SECRET)
    for _ in range(20):
        queue.wake()
    assert queue._open().pending_count() <= 4


def test_a_message_with_another_signature_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 30.0)
    url = f"sqlite:///{tmp_path}/queue.db"
    Queue(url, b"x" * 32).wake()
    work, stop = threading.Event(), threading.Event()
    queue = Queue(url, SECRET)
    thread = serve(queue, work, stop)
    try:
        assert work.wait(5)
        work.clear()
        assert not work.wait(1)
        queue.wake()
        assert work.wait(5), "and the worker lives on"
    finally:
        stop.set()
        thread.join(10)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "sqlite:////proc/nowhere/queue.db"])
def test_a_queue_that_is_down_never_fails_the_request(url: str) -> None:
    queue = Queue(url, SECRET)
    queue.wake()
    assert queue.is_reachable() is False
