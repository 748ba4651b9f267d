"""What a trainer may write into an activity: values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_PURPOSE = 2000
"""Characters of the purpose; as wide as its column."""
MAX_TITLE = 250
"""Characters of a title; Moodle takes 255."""
MOST_AT_ONCE = 3
"""Activities that can be prepared in one go."""


class Problem(StrEnum):
    """What is wrong with a set-up form."""

    NO_PROTOCOL = "no protocol"
    LONG_PURPOSE = "long purpose"
    NO_TITLE = "no title"
    LONG_TITLE = "long title"


@dataclass(frozen=True, slots=True)
class Choice:
    """One activity that a trainer wants to place."""

    title: str
    purpose: str
    protocol: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed: the trainer does not want this one."""
        return not self.title and not self.purpose


def problems_of_choices(choices: Sequence[Choice], known: tuple[str, ...]) -> list[tuple[int, Problem]]:
    """What has to be corrected before activities can be placed, each with the number of its choice, from 0.

    Empty choices are left out, but the first if all are empty.
    """
    found = []
    for number, choice in enumerate(choices):
        if choice.is_empty and (number > 0 or any(not other.is_empty for other in choices)):
            continue
        if not choice.title:
            found.append((number, Problem.NO_TITLE))
        if len(choice.title) > MAX_TITLE:
            found.append((number, Problem.LONG_TITLE))
        found += [(number, problem) for problem in problems(choice.protocol, choice.purpose, known)]
    return found


def problems(protocol: str, purpose: str, known: tuple[str, ...]) -> list[Problem]:
    """What has to be corrected before an activity can be opened; `known` are the keys of the protocols."""
    found = []
    if protocol not in known:
        found.append(Problem.NO_PROTOCOL)
    if len(purpose) > MAX_PURPOSE:
        found.append(Problem.LONG_PURPOSE)
    return found
