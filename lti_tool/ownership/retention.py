"""Retention: what is deleted by itself when its time is over (docs/operator.md, "How long things are kept")."""

from collections.abc import Callable
from datetime import datetime

from lti_tool.cycles import service as cycles
from lti_tool.observation import keeping
from lti_tool.privacy.keyring import Keyring
from lti_tool.store.database import Database

AT_ONCE = 200
"""Cycles in one transaction, so that nobody who types waits for long."""


def delete_due_notes(
    database: Database, keyring: Keyring, clock: Callable[[], datetime], at_once: int = AT_ONCE
) -> None:
    """Deletes the raw notes of all visits whose time is over, and what was captured in them, in batches."""
    done, total = at_once, 0
    while done == at_once:
        now = clock()
        with database.write() as session:
            done = cycles.delete_due_notes(session, now, at_once=at_once)
            keeping.delete_notes(session, keyring, now)
        total += done
    if total:
        database.forget_deleted()
