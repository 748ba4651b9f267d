"""The worker as a program, for a test that kills it while it writes to a Moodle; it writes down when it sent what.

Run as: DATABASE_URL QUEUE_URL LOG [--careless]. A careless one does not look before it makes an entry of the calendar,
sends a message whatever is known of it, and waits a moment before it marks what it sent.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from completion.killed_log import Log
from factories import make_settings
from killed_moodle import CALL
from sqlalchemy.orm import Session

from lti_tool import worker
from lti_tool.schedule import reminders
from lti_tool.store import jobs, queue
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from moodle_sync import calendar, client, messages, writing
from moodle_sync.client import MoodleClient
from moodle_sync.messages import Messages

TELL = "tell"
"""The job of a message: `person_id`, and a `key` that is its text, too."""
SETTLES_AFTER = timedelta(seconds=0.5)


class WatchedDatabase(Database):
    """Notes each commit of a thread that has written to Moodle."""

    writing = threading.local()

    def __init__(self, url: str, log: Log) -> None:
        super().__init__(url)
        self._log = log

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
        if call := getattr(self.writing, "call", ""):
            self._log.note("marked", call)
            self.writing.call = ""


def main(database_url: str, queue_url: str, log_path: str, careless: str = "") -> None:
    log = Log(log_path)
    queue.POLL_SECONDS = 0.1
    # A Moodle that was killed is back in a second or two.
    jobs._FIRST_RETRY, jobs._LONGEST_RETRY = timedelta(seconds=0.05), timedelta(seconds=0.2)
    jobs.MAX_ATTEMPTS = 10_000
    client.PAUSES_S = (0.05, 0.1)
    writing.SETTLES_AFTER, writing._MOST_TRIES = SETTLES_AFTER, 10_000
    messages._LEFT_ALONE_FOR = timedelta(seconds=0.1)
    ask, handlers = MoodleClient._once, worker.handlers

    def watched(self: MoodleClient, function: str, form: Mapping[str, str]) -> Any:
        if "_get_" in function:
            return ask(self, function, form)
        call = f"{function}.{new_id()}"
        log.note("sending", call)
        said = ask(self, function, {**form, CALL: call})
        log.note("answered", call)
        time.sleep(0.2 if careless else 0)
        # The next commit of this thread is the mark.
        WatchedDatabase.writing.call = call
        return said

    def tell(payload: Mapping[str, Any]) -> None:
        sender = reminders.SENDERS["lms"]
        assert isinstance(sender, Messages)
        outcome = sender.send_once(payload["person_id"], payload["key"], payload["key"])
        if outcome.status == "later":
            raise jobs.JobFailed("later")

    MoodleClient._once = watched  # type: ignore[method-assign]
    worker.handlers = lambda *them: {**handlers(*them), TELL: tell}
    if careless:
        calendar._ours = lambda *_: []
        Messages._keep = lambda *_: True  # type: ignore[method-assign]
    settings = make_settings(database_url=database_url, queue_url=queue_url)
    log.note("up", "worker")
    worker.work_until(threading.Event(), settings, WatchedDatabase(database_url, log), lambda: datetime.now(UTC))


if __name__ == "__main__":
    main(*sys.argv[1:])
