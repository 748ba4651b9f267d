"""The kinds of activities, and which protocols fit them."""

import pytest

from lti_tool.activities.kinds import KINDS, kind_of, protocols_for


def test_the_kinds_are_offered_in_order() -> None:
    assert list(KINDS) == ["cycle", "pairing", "group", "reflection"]


def test_an_unknown_kind_is_a_coaching_cycle() -> None:
    assert kind_of("nonsense") is kind_of("") is kind_of("cycle") is KINDS["cycle"]


FOR_TWO = (
    "light", "planning", "reflecting", "grow", "observer_learner", "collegial", "impact", "five_step", "stages_five",
)  # fmt: skip
FOR_GROUPS = (
    "consultancy", "problem_solving", "student_work", "triad", "share_plan", "tuning", "demonstration", "lesson_study",
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "protocols"),
    [
        ("cycle", FOR_TWO),
        ("pairing", ()),
        ("group", FOR_GROUPS),
        ("reflection", ("reflection", "pillars", "programme")),
        ("nonsense", FOR_TWO),
    ],
)
def test_each_kind_has_the_protocols_that_fit_it(kind: str, protocols: tuple[str, ...]) -> None:
    assert protocols_for(kind) == protocols


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_protocol_is_among_those_that_fit_and_comes_first(kind: str) -> None:
    assert [*protocols_for(kind), ""][0] == KINDS[kind].default_protocol
