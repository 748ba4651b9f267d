"""Decisions about invitations and pairs: values in, values out."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

OPEN_FOR = timedelta(days=14)
"""How long an invitation waits for an answer."""
REMEMBERED_FOR = timedelta(days=14)
"""How long the host's page still says that an invitation was not taken up."""
MAX_WAITING = 3
"""Invitations of one teacher that may wait at the same time."""

Look = Literal["waiting", "not_taken_up", "gone"]


class Refusal(StrEnum):
    """Why something about a pair cannot be done now."""

    NOT_A_COLLEAGUE = "not a colleague"
    IN_PAIR = "in a pair"
    TOO_MANY = "too many waiting"
    NOT_OPEN = "not open"


def looks(status: str, expires_at: datetime, now: datetime) -> Look:
    """How an invitation looks to the host who sent it.

    `declined` is treated as `open` in every case (R24): nothing the host sees or counts may depend on which it is.
    """
    if status in ("open", "declined"):
        return "waiting" if now < expires_at else _after(expires_at, now)
    return _after(expires_at, now) if status == "lapsed" else "gone"


def _after(expires_at: datetime, now: datetime) -> Look:
    return "not_taken_up" if now < expires_at + REMEMBERED_FOR else "gone"


def can_be_answered(status: str, expires_at: datetime, now: datetime) -> bool:
    """Whether the invited colleague can still say yes or no."""
    return status == "open" and now < expires_at


def refuse_invitation(*, is_colleague: bool, in_active_pair: bool, waiting: int) -> Refusal | None:
    """Why a host cannot invite, or None. `waiting` counts the host's invitations that look as if they wait."""
    if not is_colleague:
        return Refusal.NOT_A_COLLEAGUE
    if in_active_pair:
        return Refusal.IN_PAIR
    return Refusal.TOO_MANY if waiting >= MAX_WAITING else None


def refuse_acceptance(
    *, can_be_answered: bool, coach_in_active_pair: bool, host_in_active_pair: bool, host_takes_part: bool
) -> Refusal | None:
    """Why an invitation cannot be accepted now, or None.

    A host who found another partner or left is told to nobody: the invitation is then just no longer open.
    """
    if not can_be_answered or host_in_active_pair or not host_takes_part:
        return Refusal.NOT_OPEN
    return Refusal.IN_PAIR if coach_in_active_pair else None


def pair_status(paused: list[bool], *, is_group: bool = False) -> Literal["active", "paused"]:
    """The state of a pair that has not ended, from whether each of its members pauses.

    A group goes on without those who do, while two do not.
    """
    if is_group and paused.count(False) >= 2:
        return "active"
    return "paused" if any(paused) else "active"
