"""Decisions about telling the gradebook: values in, values out.

A delivery is waiting until the gradebook shows the completion (sent), or until only a person can help (stopped). There
is no way back from completed: nothing here ever reports less.
"""

from datetime import datetime, timedelta
from enum import StrEnum

MOST_REFUSALS = 8
"""After so many attempts that the LMS refused, some twenty minutes, a person has to look."""
MOST_ROUNDS = 3
"""How often one attempt sends a score again with a later time."""
_STEP = timedelta(seconds=1)
_FARTHEST = timedelta(days=1)


class Code(StrEnum):
    """Why a delivery is not sent, as kept in its row; the first ones are those of lti/grades.py."""

    UNREACHABLE = "unreachable"
    BUSY = "busy"
    MALFORMED = "malformed"
    NO_TOKEN = "no_token"  # noqa: S105
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    REFUSED = "refused"
    GONE = "gone"
    CONFLICT = "conflict"
    NOT_GRADABLE = "not_gradable"
    NO_COLUMN = "no_column"
    """The link has no column in the gradebook, and we may not make one."""
    SWITCHED_OFF = "switched_off"
    """The trainer has decided meanwhile that this activity tells the gradebook nothing."""


_LMS_IS_AWAY = frozenset({Code.UNREACHABLE, Code.BUSY, Code.MALFORMED, Code.NO_TOKEN})
_FINAL = frozenset({Code.NOT_GRADABLE, Code.NO_COLUMN, Code.SWITCHED_OFF})


def can_tell(*, reports_completion: bool, has_submitted: bool) -> bool:
    """Whether a teacher can tell the gradebook: the activity reports completion, and they have submitted the reflection
    of a cycle of it."""
    return reports_completion and has_submitted


def next_timestamp(now: datetime, claimed_at: datetime | None, seen_at: datetime | None = None) -> datetime:
    """Time of the next score, to the second: the present, and a second or more after every score before it.

    `claimed_at`: of our own last score, which may or may not have arrived. `seen_at`: of the result that made the LMS
    refuse ours; its clock may be ahead. A time more than a day ahead is not followed: one typing error in a gradebook
    would otherwise carry every later score into another year.
    """
    moment = now.replace(microsecond=0)
    if claimed_at is not None:
        moment = max(moment, claimed_at.replace(microsecond=0) + _STEP)
    if seen_at is not None and seen_at - now < _FARTHEST:
        moment = max(moment, seen_at.replace(microsecond=0) + _STEP)
    return moment


def is_told(score: float | None, maximum: float | None) -> bool:
    """Whether a result already says completed: the full points, ours or equal to ours."""
    # LMSs compute with floats: 33.333333 of 33.33333333 is full.
    return score is not None and maximum is not None and maximum > 0 and score >= maximum * (1 - 1e-6)


def may_be_overtaken(code: Code, score: float | None) -> bool:
    """Whether a refused score may only have come too late: there is another one already.

    409 says so; Canvas says 400, as it does of somebody who gets no grades at all.
    """
    return code is Code.CONFLICT or (code is Code.NOT_GRADABLE and score is not None)


def stops(code: Code, attempts: int) -> bool:
    """Whether a delivery that failed with `code` in its attempt number `attempts` waits for a person, not for the LMS.

    An LMS that is away is waited for however long that takes.
    """
    return code in _FINAL or (code not in _LMS_IS_AWAY and attempts >= MOST_REFUSALS)


def ends_the_run(code: Code) -> bool:
    """Whether the next person's score would fail in the same way, so that all wait."""
    return code in _LMS_IS_AWAY


def concerns_all(code: Code) -> bool:
    """Whether all deliveries of an activity fail by this one."""
    return code is Code.NO_COLUMN
