"""Decisions about groups: values in, values out."""

from dataclasses import dataclass
from enum import StrEnum

KINDS = ("theme", "book", "subject")
"""What brings teachers together (R29): a theme, something they read, a subject or class level."""
MAX_TITLE = 100
MAX_ABOUT = 400
"""Characters."""


class Problem(StrEnum):
    """What is wrong with what was typed."""

    NO_KIND = "no kind"
    NO_TITLE = "no title"
    LONG_TITLE = "long title"
    LONG_ABOUT = "long about"


@dataclass(frozen=True, slots=True)
class About:
    """What a group is about, each in one line."""

    kind: str
    title: str
    about: str = ""


def read(kind: str, title: str, about: str) -> About:
    """What was typed, as it is kept."""
    return About(kind, *(" ".join(text.replace("\0", "").split()) for text in (title, about)))


def problems_of(said: About) -> list[Problem]:
    """What has to be corrected before a group can be that."""
    found = []
    if said.kind not in KINDS:
        found.append(Problem.NO_KIND)
    if not said.title:
        found.append(Problem.NO_TITLE)
    if len(said.title) > MAX_TITLE:
        found.append(Problem.LONG_TITLE)
    if len(said.about) > MAX_ABOUT:
        found.append(Problem.LONG_ABOUT)
    return found


def has_room(members: int, most: int) -> bool:
    """Whether somebody can still join."""
    return members < most
