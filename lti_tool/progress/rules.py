"""Counting teachers by the step they are at, and who may be nudged: values in, values out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

NOT_OPENED = "not_opened"
NO_PARTNER = "no_partner"
PAIRED = "paired"
"""In a running pair without a cycle: so it is in a round of finding partners."""
SUBMITTED = "submitted"

WAITS = (14, 7, 28)
"""After how many days at the same step a pair stands still: as a page begins, and what else can be chosen."""
NUDGE_AGAIN_AFTER = timedelta(days=7)
"""Nobody gets a second nudge of a kind earlier, whoever sends it."""
NUDGE_KEPT_FOR = timedelta(days=28)
"""Afterwards it is forgotten, seen or not."""


class NudgeKind(StrEnum):
    """What a nudge is about. Its words are fixed."""

    STALLED = "stalled"
    NO_PARTNER = "no_partner"
    """The same for everybody without a running pair, for whatever reason (R24)."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """Somebody who takes part, as far as counting needs them."""

    membership_id: str
    has_opened: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the running pair of a teacher is."""

    stage: str
    """Key of the stage that is now."""
    has_submitted: bool
    """Whether this teacher has submitted the reflection of this cycle."""


def step_of(teacher: Teacher, place: Place | None) -> str:
    """The step a teacher counts for: NOT_OPENED, NO_PARTNER, SUBMITTED, or the key of a stage.

    A paused pair has no place here: its members count as without a partner, like everybody who has none for whatever
    reason (R24).
    """
    if place is None:
        return NO_PARTNER if teacher.has_opened else NOT_OPENED
    return SUBMITTED if place.has_submitted else place.stage


def count_steps(
    teachers: Iterable[Teacher], places: Mapping[str, Place], stages: Sequence[str]
) -> list[tuple[str, int]]:
    """How many teachers are at each step, in the order of the cycle: NOT_OPENED, NO_PARTNER, the stages, SUBMITTED.

    PAIRED comes after NO_PARTNER where there is anybody.
    `places`: membership id → Place, for members of running pairs. `stages`: keys in order; a stage that is not among
    them (an older protocol's) comes after them. Every teacher counts exactly once.
    """
    counts = Counter(step_of(teacher, places.get(teacher.membership_id)) for teacher in teachers)
    known = [NOT_OPENED, NO_PARTNER, *([PAIRED] if counts[PAIRED] else []), *stages]
    others = sorted(step for step in counts if step not in known and step != SUBMITTED)
    return [(step, counts[step]) for step in (*known, *others, SUBMITTED)]


@dataclass(frozen=True, slots=True)
class RunningPair:
    """A pair that neither paused nor ended, as far as standing still needs it."""

    id: str
    stage: str
    """Key of the stage that is now; PAIRED where there is no cycle."""
    since: datetime | None
    """Since when it is at this stage; None where there is no cycle."""
    is_finished: bool
    """Whether both have submitted: such a pair waits for nothing."""
    members: tuple[str, ...]
    """Membership ids."""
    submitted: frozenset[str]
    """Those members who have submitted their reflection of this cycle."""

    def place(self, membership_id: str) -> Place:
        """Where a member is."""
        return Place(self.stage, membership_id in self.submitted)


def chosen_wait(days: int | None) -> int:
    """The number of days that was chosen, if it is one that is offered; else the usual one."""
    return days if days in WAITS else WAITS[0]


def stands_still(pair: RunningPair, days: int, now: datetime) -> bool:
    """Whether a pair has been at the same step of a running cycle for `days` days."""
    return pair.since is not None and not pair.is_finished and now - pair.since >= timedelta(days=days)


def can_nudge(membership_id: str, sender: str, last: datetime | None, now: datetime) -> bool:
    """Whether a teacher can be sent a nudge of a kind now. `last`: when the last one of this kind was sent.

    Nobody nudges themselves.
    """
    return membership_id != sender and (last is None or now - last >= NUDGE_AGAIN_AFTER)


def whom_to_nudge(
    pair: RunningPair, teachers: Iterable[str], sender: str, last: Mapping[str, datetime], now: datetime
) -> list[str]:
    """The members of a pair that stands still who get a nudge now, by membership id.

    Not those who have submitted, who wait themselves, nor those who take part no more (`teachers`: ids of those who
    do). Nobody in a pair whose facilitator is the partner: a nudge there would not come from outside.
    """
    if sender in pair.members:
        return []
    taking_part = set(teachers)
    return [
        member
        for member in pair.members
        if member in taking_part and member not in pair.submitted and can_nudge(member, sender, last.get(member), now)
    ]


def still_holds(kind: NudgeKind, sent_at: datetime, *, is_paired: bool, since: datetime | None, now: datetime) -> bool:
    """Whether a nudge still fits what its teacher finds: else it is not shown.

    `is_paired`: in a running pair. `since`: when that pair came to its present step.
    """
    if now - sent_at >= NUDGE_KEPT_FOR:
        return False
    if kind is NudgeKind.NO_PARTNER:
        return not is_paired
    return is_paired and since is not None and since <= sent_at
