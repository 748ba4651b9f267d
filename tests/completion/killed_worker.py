"""The worker as a program, for a test that kills it; it writes down when it sent what.

Run as: DATABASE_URL QUEUE_URL LOG [--careless]. A careless one sends again without looking into the gradebook first,
and waits a moment before it marks what it sent: exactly the mistake that the test has to notice.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from completion.killed_log import Log
from factories import make_settings
from sqlalchemy.orm import Session

from lti_tool import worker
from lti_tool.lti.grades import Gradebook
from lti_tool.store import jobs, queue
from lti_tool.store.database import Database


class WatchedDatabase(Database):
    """Notes each commit of a thread that delivers."""

    delivering = threading.local()

    def __init__(self, url: str, log: Log) -> None:
        super().__init__(url)
        self._log = log

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
        if user := getattr(self.delivering, "user", ""):
            self._log.note("marked", user)
            self.delivering.user = ""


def main(database_url: str, queue_url: str, log_path: str, careless: str = "") -> None:
    log = Log(log_path)
    queue.POLL_SECONDS = 0.1
    # An LMS that was killed is back in a second or two.
    jobs._FIRST_RETRY, jobs._LONGEST_RETRY = timedelta(seconds=0.05), timedelta(seconds=0.2)
    jobs.MAX_ATTEMPTS = 10_000
    post = Gradebook.post_completion

    def watched(gradebook: Gradebook, line_item_url: str, user_id: str, at: datetime) -> None:
        log.note("sending", user_id)
        post(gradebook, line_item_url, user_id, at)
        log.note("answered", user_id)
        time.sleep(0.2 if careless else 0)
        # The next commit of this thread is the mark.
        WatchedDatabase.delivering.user = user_id

    Gradebook.post_completion = watched  # type: ignore[method-assign]
    if careless:
        Gradebook.read_result = lambda *_: None  # type: ignore[method-assign]
    settings = make_settings(database_url=database_url, queue_url=queue_url)
    log.note("up", "worker")
    worker.work_until(threading.Event(), settings, WatchedDatabase(database_url, log), lambda: datetime.now(UTC))


if __name__ == "__main__":
    main(*sys.argv[1:])
