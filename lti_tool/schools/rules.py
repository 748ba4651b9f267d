"""What counts in the room of schools: values in, values out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from lti_tool.people.rules import fold

CHARTER_VERSION = 1
"""The wording that is signed today; earlier ones stay as they were signed."""
FEWEST_PEOPLE = 5
"""A number of people below this could be about somebody, so it is not shown."""
LEAST_MINUTES, MOST_MINUTES = 10, 600
MAX_NAME, MAX_POSITION, MAX_SCHOOL = 200, 100, 200
MAX_USER_ID = 255

SaidBy = Literal["person", "file", "group"]
RANKS = {"": 0, "group": 1, "file": 2, "person": 3}


def replaces(said_by: str, known_by: str) -> bool:
    """Whether a word on somebody's school takes the place of the one known: their own wins over the operator's file,
    which wins over the groups of the LMS; from the same mouth the newer one counts."""
    return RANKS[said_by] >= RANKS[known_by]


def name_key(name: str) -> str:
    """What two names of one school have in common: spaces, accents and case make no difference."""
    return fold(" ".join(name.split()))


def line(text: str) -> str:
    """What somebody typed, on one line and without characters that cannot be seen."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def count_shown(people: int) -> int | None:
    """A number of people as far as a page may show it; None if there are too few."""
    return people if people >= FEWEST_PEOPLE else None


class Problem(StrEnum):
    """What is wrong with a charter as it was filled in."""

    NO_NAME = "no name"
    LONG_NAME = "long name"
    NO_POSITION = "no position"
    LONG_POSITION = "long position"
    BAD_MINUTES = "bad minutes"
    NOT_PROMISED = "not promised"
    """That nothing is observed, reported or used in appraisal."""
    NO_TIME = "no time"
    """That the time is given."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The form of a charter as it was typed."""

    signed_by: str = ""
    position: str = ""
    minutes: str = ""
    promises_no_reporting: bool = False
    promises_time: bool = False


def problems(filled: Filled) -> list[Problem]:
    """What has to be corrected before a charter can be signed, in the order of the form."""
    found = []
    if not filled.signed_by:
        found.append(Problem.NO_NAME)
    if len(filled.signed_by) > MAX_NAME:
        found.append(Problem.LONG_NAME)
    if not filled.position:
        found.append(Problem.NO_POSITION)
    if len(filled.position) > MAX_POSITION:
        found.append(Problem.LONG_POSITION)
    if read_minutes(filled.minutes) is None:
        found.append(Problem.BAD_MINUTES)
    if not filled.promises_no_reporting:
        found.append(Problem.NOT_PROMISED)
    if not filled.promises_time:
        found.append(Problem.NO_TIME)
    return found


def read_minutes(text: str) -> int | None:
    """Minutes as they were typed; None if it is no number that a school can promise for a cycle."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        return None
    return minutes if LEAST_MINUTES <= (minutes := int(text)) <= MOST_MINUTES else None
