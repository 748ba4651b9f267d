"""Decisions about the rhythm of a pair: values in, values out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WEEKS = range(1, 27)
"""How many weeks can lie between two cycles of a pair."""
NO_HINT = 0
"""What a pair says that would like no hint, whatever the activity says."""


def weeks_of(activity: int | None, pair: int | None) -> int | None:
    """How often a pair coaches, in weeks; None: no hint. What the pair says comes before what the trainer suggests."""
    weeks = activity if pair is None else pair
    return weeks or None


def read_weeks(text: str) -> int | None:
    """A number of weeks as a form sends it; None for anything else."""
    found = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0
    return found if found in WEEKS else None


@dataclass(frozen=True, slots=True)
class Past:
    """What a hint looks at: days in the zone of the one who is shown it."""

    finished_on: date | None
    """The last day of the last cycle; None while one runs, or where none ever did."""
    put_away_on: date | None = None
    """When this member last put a hint away."""
    is_paused: bool = False


def due(weeks: int | None, past: Past, today: date, quiet_months: Collection[int]) -> int | None:
    """How many whole weeks ago the last cycle was, where a hint is due; else None.

    Never while the pair pauses or in the holidays; and one that was put away stays away until after the next cycle.
    """
    if weeks is None or past.finished_on is None or past.is_paused or today.month in quiet_months:
        return None
    if past.put_away_on is not None and past.put_away_on >= past.finished_on:
        return None
    passed = today - past.finished_on
    return passed.days // 7 if passed >= timedelta(weeks=weeks) else None


def turn_to_host(hosted: Mapping[str, int]) -> str | None:
    """Of two members (id → how often they were host) the one whose turn it would be; None where it is even."""
    if len(hosted) != 2:
        return None
    (one, ones), (other, others) = hosted.items()
    if ones == others:
        return None
    return one if ones < others else other


def first_offer(turn: str | None, host_now: str) -> str:
    """Which way to go on is offered first, continue or swap: the one after which the missing half comes (R11).

    `turn`: see turn_to_host; `host_now`: id of the host of the cycle that ended.
    """
    return "continue" if turn == host_now else "swap"
