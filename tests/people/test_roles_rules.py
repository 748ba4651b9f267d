"""Who can be given a role and from whom it can be taken, as tables."""

from dataclasses import replace

import pytest

from lti_tool.people.role_rules import Holder, Refusal, Role, refuse_grant, refuse_withdrawal

ME = "m-trainer"
TEACHER = Holder("m-teacher", "learner")
INSTRUCTOR = Holder("m-instructor", "instructor")
OTHER = Holder("m-other", "other")
TRAINER = replace(INSTRUCTOR, membership_id=ME, is_trainer=True)
SECOND = replace(INSTRUCTOR, is_trainer=True)
SAID = [replace(SECOND, leader_said_by=said_by) for said_by in ("person", "trainer", "operator")]
ADMINISTRATOR = replace(INSTRUCTOR, is_administrator=True)


@pytest.mark.parametrize(
    ("holder", "trainer", "facilitator"),
    [
        (TEACHER, False, True),
        (INSTRUCTOR, True, True),
        (SECOND, True, True),
        (OTHER, False, False),
        (ADMINISTRATOR, False, False),
        *((said, False, False) for said in SAID),
    ],
)
def test_roles_are_for_those_who_are_not_above(holder: Holder, trainer: bool, facilitator: bool) -> None:
    assert (refuse_grant(Role.TRAINER, holder, ME) is None) == trainer
    assert (refuse_grant(Role.FACILITATOR, holder, ME) is None) == facilitator
    assert refuse_grant(Role.LEADER, holder, ME) is None, "anybody may be said to lead the school"


def test_nobody_says_here_that_they_lead_the_school_themselves() -> None:
    assert refuse_grant(Role.LEADER, TRAINER, ME) is Refusal.ONESELF


@pytest.mark.parametrize(
    ("role", "holder", "trainers", "refusal"),
    [
        (Role.TRAINER, TRAINER, 1, Refusal.LAST_TRAINER),
        (Role.TRAINER, TRAINER, 2, None),
        (Role.TRAINER, SECOND, 2, None),
        (Role.FACILITATOR, replace(TEACHER, is_facilitator=True), 1, None),
        (Role.LEADER, SAID[0], 1, None),
        (Role.LEADER, SAID[1], 1, None),
        (Role.LEADER, SAID[2], 1, Refusal.OPERATORS_WORD),
        (Role.LEADER, replace(TRAINER, leader_said_by="person"), 1, Refusal.ONESELF),
        (Role.LEADER, replace(TRAINER, leader_said_by="trainer"), 1, Refusal.ONESELF),
    ],
)
def test_what_can_be_taken_back(role: Role, holder: Holder, trainers: int, refusal: Refusal | None) -> None:
    assert refuse_withdrawal(role, holder, ME, trainers) is refusal


def test_the_role_of_somebody_above_sleeps() -> None:
    for said in SAID:
        assert said.is_trainer and not said.trains
        assert not replace(said, is_facilitator=True).facilitates
    assert not replace(ADMINISTRATOR, is_trainer=True).trains
    assert SECOND.trains
