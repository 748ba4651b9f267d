"""The bell that wakes workers: Huey on a SQLite file of its own, or on Redis where workers run on many machines.

Nothing but "there is work" goes through it; what the work is stands in the table of jobs. A bell that is lost or a
queue that is down delays work until the next poll, and never fails the request that rang it.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from huey import RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.serializer import SignedSerializer

POLL_SECONDS = 5.0
"""How long due work waits at most when no bell rang."""
_HEALTH_SECONDS = 10.0
_ENOUGH_BELLS = 4
_REDIS_TIMEOUT_S = 3.0

log = structlog.get_logger(__name__)


class Queue:
    """Wakes the workers of one tool. `secret` signs the messages, for Huey unpickles what it reads."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret
        self._lock = threading.Lock()
        self._huey: Any = None
        self._bell: Any = None
        self._work: Callable[[], object] = _nothing

    def wake(self) -> None:
        """Tells the workers that there is work. Never raises: the poll finds the work too."""
        try:
            huey = self._open()
            if huey.pending_count() < _ENOUGH_BELLS:
                self._bell()
        except Exception as error:
            log.warning("queue_unreachable", error=type(error).__name__)

    def is_reachable(self) -> bool:
        """Whether the queue answers."""
        try:
            self._open().pending_count()
        except Exception:
            return False
        return True

    def serve(self, work: Callable[[], object], stop: threading.Event, *, threads: int = 2) -> None:
        """Calls `work` whenever the bell rings, in up to `threads` threads, and every POLL_SECONDS; until `stop`.

        Returns when the work in hand is finished. `work` must not raise, and must bear being run at the same time.
        """
        self._work = work
        consumer: Any = Consumer(
            self._open(), workers=threads, periodic=False, initial_delay=0.05, max_delay=0.5, scheduler_interval=60
        )
        # Huey would take over the process's signals here; when to stop is for the caller to say.
        consumer._set_signal_handlers = _nothing
        consumer.start()
        elapsed = 0.0
        while not stop.is_set():
            work()
            stop.wait(POLL_SECONDS)
            elapsed += POLL_SECONDS
            if elapsed >= _HEALTH_SECONDS and not stop.is_set():
                elapsed = 0.0
                consumer.check_worker_health()
        consumer.stop(graceful=True)

    def _open(self) -> Any:
        with self._lock:
            if self._huey is None:
                huey = _open_huey(self._url, SignedSerializer(secret=self._secret, salt="meitheal-queue"))
                self._bell = huey.task(name="wake")(self._run)
                self._huey = huey
        return self._huey

    def _run(self) -> None:
        self._work()


def _open_huey(url: str, serializer: SignedSerializer) -> Any:
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("meitheal", filename=str(file), results=False, serializer=serializer)
    from redis import ConnectionPool

    # Whoever rings the bell is answering a person: a Redis that does not answer must not hold them up for long. Workers
    # listen for a second at a time.
    pool = ConnectionPool.from_url(url, socket_connect_timeout=1, socket_timeout=_REDIS_TIMEOUT_S)
    return RedisHuey("meitheal", connection_pool=pool, results=False, serializer=serializer)


def _nothing() -> None:
    pass
