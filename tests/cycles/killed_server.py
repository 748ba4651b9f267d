"""The tool as it is served, for a test that kills it: it also writes down when each save began and was committed.

Run as a program: DATABASE_URL PORT LOG [--answer-first]. With `--answer-first` a transaction is committed some time
after the answer was sent: exactly the mistake that the test has to notice. Each line on its standard input starts a
server, whose id is the answer: a process with a group of its own, forked from this one, which has the program loaded.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from factories import make_settings
from gunicorn.app.base import BaseApplication
from sqlalchemy.orm import Session

from lti_tool.store.database import Database
from lti_tool.web.app import create_app

COMMIT_AFTER = 0.05
"""Seconds from the answer to the commit, with --answer-first."""


class Moments:
    """An append-only log of what happened when, in nanoseconds of the machine's monotonic clock."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._of_thread = threading.local()

    def begin(self, number: str) -> None:
        self._of_thread.number = number
        self.note("begin")

    def note(self, what: str) -> None:
        if number := getattr(self._of_thread, "number", ""):
            os.write(self._file, f"{what} {number} {time.monotonic_ns()}\n".encode())


class WatchedDatabase(Database):
    """Notes each commit."""

    def __init__(self, url: str, moments: Moments) -> None:
        super().__init__(url)
        self._moments = moments

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
        self._moments.note("commit")


class AnswerFirstDatabase(WatchedDatabase):
    """Wrong on purpose: lets the answer go out, and commits later."""

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        session = self._sessions()
        try:
            yield session
            session.flush()
        except BaseException:
            session.rollback()
            session.close()
            raise

        def commit() -> None:
            time.sleep(COMMIT_AFTER)
            session.commit()
            session.close()

        threading.Thread(target=commit).start()


class Server(BaseApplication):
    """Gunicorn as `meitheal serve` runs it: threads in one worker."""

    def __init__(self, make: Callable[[], Any], port: int) -> None:
        self._make = make
        self._port = port
        super().__init__()

    def load_config(self) -> None:
        for key, value in {
            "bind": f"127.0.0.1:{self._port}",
            "workers": 1,
            "threads": 4,
            "worker_class": "gthread",
            "loglevel": "error",
            "control_socket_disable": True,
        }.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def load(self) -> Any:
        return self._make()


def main() -> None:
    url, port, log = sys.argv[1:4]
    moments = Moments(log)

    def make() -> Any:
        kind = AnswerFirstDatabase if "--answer-first" in sys.argv else WatchedDatabase
        app = create_app(make_settings(database_url=url), database=kind(url, moments))
        serve = app.wsgi_app

        def watched(environ: dict[str, Any], start_response: Any) -> Any:
            moments.begin(environ.get("HTTP_X_SAVE_NUMBER", ""))
            return serve(environ, start_response)

        app.wsgi_app = watched  # type: ignore[method-assign]
        return app

    # Whoever was killed is gone at once, and nobody waits for them here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin.readline():
        if pid := os.fork():
            os.setpgid(pid, pid)
            print(pid, flush=True)
            continue
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            Server(make, int(port)).run()
        finally:
            os._exit(1)


if __name__ == "__main__":
    main()
