"""Who can be given a coaching role in an activity, and from whom it can be taken: values in, values out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

SaidBy = Literal["", "person", "trainer", "operator"]


class Role(StrEnum):
    """What a trainer can make somebody, or say of them. None of them opens content."""

    TRAINER = "trainer"
    """Sets the activity up and sees how it is going."""
    FACILITATOR = "facilitator"
    """Sees which pairs stand still and nudges (R35, R71)."""
    LEADER = "leader"
    """Leads the school: sees no names, in the whole course (R56)."""


class Refusal(StrEnum):
    """Why a role cannot be given or taken."""

    NOT_FOR_THEM = "not for them"
    """An Instructor can be trainer, an Instructor or a teacher facilitator; nobody above either."""
    LAST_TRAINER = "last trainer"
    ONESELF = "oneself"
    """Nobody says on this page that they lead the school, and nobody ever takes that back for themselves."""
    OPERATORS_WORD = "operator's word"


@dataclass(frozen=True, slots=True)
class Holder:
    """A member of the course, as far as roles need them."""

    membership_id: str
    lms_role: str
    is_administrator: bool = False
    is_trainer: bool = False
    is_facilitator: bool = False
    leader_said_by: SaidBy = ""
    """Who says that they lead the school; empty if nobody does. The operator's word covers the others."""

    @property
    def is_above(self) -> bool:
        """Sees no names, whatever roles they hold."""
        return self.is_administrator or bool(self.leader_said_by)

    @property
    def trains(self) -> bool:
        """Is trainer in effect: the role of somebody above sleeps."""
        return self.is_trainer and not self.is_above

    @property
    def facilitates(self) -> bool:
        """Is facilitator in effect."""
        return self.is_facilitator and not self.is_above


def refuse_grant(role: Role, holder: Holder, by: str) -> Refusal | None:
    """Why `holder` cannot be given a role by the trainer `by` (a membership id), or None."""
    if role is Role.LEADER:
        return Refusal.ONESELF if holder.membership_id == by else None
    fitting = ("instructor",) if role is Role.TRAINER else ("instructor", "learner")
    return Refusal.NOT_FOR_THEM if holder.is_above or holder.lms_role not in fitting else None


def refuse_withdrawal(role: Role, holder: Holder, by: str, trainers: int) -> Refusal | None:
    """Why the trainer `by` (a membership id) cannot take a role from `holder`, or None.

    `trainers`: how many the activity has in effect. The last one stays, unless they say that they lead the school.
    """
    if role is Role.TRAINER:
        return Refusal.LAST_TRAINER if holder.trains and trainers <= 1 else None
    if role is Role.LEADER:
        if holder.leader_said_by == "operator":
            return Refusal.OPERATORS_WORD
        return Refusal.ONESELF if holder.membership_id == by else None
    return None
