"""Decisions about messages: values in, values out."""

from datetime import datetime, timedelta
from enum import StrEnum

MAX_LENGTH = 2000
"""Characters of one message."""
_SAID_FOR = timedelta(days=14)


class Problem(StrEnum):
    """What is wrong with a message that somebody would send."""

    EMPTY = "empty"
    TOO_LONG = "too long"


def clean(text: str) -> str:
    """A message as it is kept: lines end with \\n, nothing empty around it, and no NUL, which no database takes."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


def problem_of(text: str) -> Problem | None:
    """What is wrong with a cleaned message, or None."""
    if not text:
        return Problem.EMPTY
    return Problem.TOO_LONG if len(text) > MAX_LENGTH else None


def spoke_last(mine: datetime | None, others: datetime | None, now: datetime) -> bool:
    """Whether another wrote after me, and not long ago; from when each wrote last.

    The quiet sign on the home page. It asks who wrote, never who has read: that is known nowhere.
    """
    if others is None or now - others >= _SAID_FOR:
        return False
    return mine is None or mine < others
