"""Decisions about open doors: values in, values out."""

from enum import StrEnum

MAX_TOPIC = 300
MAX_SUITS = 200
"""Characters."""
MAX_OPEN = 3
"""Doors of one teacher in an activity that may be open at the same time."""


class Problem(StrEnum):
    """What is wrong with an offer."""

    NO_TOPIC = "no topic"
    LONG_TOPIC = "long topic"
    LONG_SUITS = "long suits"


def clean(text: str) -> str:
    """A text as it is kept: lines end with \\n, nothing empty around it, and no NUL, which no database takes."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


def problems_of(topic: str, suits: str) -> list[Problem]:
    """What is wrong with a cleaned offer; that it does not say when it suits is not."""
    found = []
    if not topic:
        found.append(Problem.NO_TOPIC)
    if len(topic) > MAX_TOPIC:
        found.append(Problem.LONG_TOPIC)
    if len(suits) > MAX_SUITS:
        found.append(Problem.LONG_SUITS)
    return found
