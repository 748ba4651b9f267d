"""Counting teachers by the step they are at: values in, values out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NOT_OPENED = "not_opened"
NO_PARTNER = "no_partner"
SUBMITTED = "submitted"


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

    `places`: membership id → Place, for members of running pairs. `stages`: keys in order; a stage that is not among
    them (an older protocol's) comes after them. Every teacher counts exactly once.
    """
    counts = Counter(step_of(teacher, places.get(teacher.membership_id)) for teacher in teachers)
    known = [NOT_OPENED, NO_PARTNER, *stages]
    others = sorted(step for step in counts if step not in known and step != SUBMITTED)
    return [(step, counts[step]) for step in (*known, *others, SUBMITTED)]
