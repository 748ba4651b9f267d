"""A chain of lines in which nothing can be taken out, put in, changed or moved unnoticed. Pure functions.

Each line carries a mark: HMAC-SHA256 over the mark before it and its own values. The head says how many lines there are
and which mark is the last, and is sealed in the same way, so that a cut end is noticed too. Whoever holds the key can
write any chain; whoever does not can only break it, or put back an older one whole.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

START = ""
"""What stands before the first line, in place of a mark."""
BROKEN = ""
"""The seal of a head that was found broken: no head has it, so that what comes later does not mend it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a line says; `number` counts from 1."""

    number: int
    viewer_mark: str
    """Stands for the viewer, by `viewer_mark`; it says nothing to whoever does not hold the key."""
    cycle_id: str
    what: str
    hour: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain is, and how it ends."""

    length: int
    last_mark: str
    seal: str


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour of an aware moment, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def viewer_mark(key: bytes, person_id: str) -> str:
    """What stands for a person in the chain of this key, also when nothing else is known of them any more."""
    return _hmac(key, "viewer", person_id)


def line_mark(key: bytes, previous: str, line: Line) -> str:
    """The mark of a line that follows the mark `previous`."""
    hour = line.hour.astimezone(UTC).isoformat()
    return _hmac(key, "line", previous, line.number, line.viewer_mark, line.cycle_id, line.what, hour)


def new_head(key: bytes, length: int, last_mark: str) -> Head:
    """The head of a chain of `length` lines that ends with `last_mark`."""
    return Head(length, last_mark, _hmac(key, "head", length, last_mark))


def is_sealed(key: bytes, head: Head) -> bool:
    """Whether a head is as it was written."""
    return hmac.compare_digest(head.seal.encode(), new_head(key, head.length, head.last_mark).seal.encode())


def first_break(key: bytes, head: Head | None, lines: Iterable[tuple[Line, str]]) -> int | None:
    """The number of the line from which on a chain is not as it was written; None where it is whole.

    `lines`: each with its mark, by number. A number after the last line means that the end was cut off, or its head
    changed.
    """
    previous, expected = START, 1
    for line, mark in lines:
        if line.number != expected or not hmac.compare_digest(mark.encode(), line_mark(key, previous, line).encode()):
            return expected
        previous, expected = mark, expected + 1
    if head is None:
        return None if expected == 1 else expected
    whole = head.length == expected - 1 and head.last_mark == previous and is_sealed(key, head)
    return None if whole else expected


def _hmac(key: bytes, *values: str | int) -> str:
    # As JSON, so that no two lists of values become the same bytes.
    return hmac.digest(key, json.dumps(values).encode(), "sha256").hex()
