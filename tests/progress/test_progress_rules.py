"""Counting teachers by step."""

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.progress.rules import NO_PARTNER, NOT_OPENED, SUBMITTED, Place, Teacher, count_steps, step_of

STAGES = ("start", "before", "after", "reflect")


def test_a_teacher_counts_for_the_step_they_are_at() -> None:
    assert step_of(Teacher("t", has_opened=False), None) == NOT_OPENED
    assert step_of(Teacher("t", has_opened=True), None) == NO_PARTNER
    assert step_of(Teacher("t", has_opened=True), Place("after", has_submitted=False)) == "after"
    assert step_of(Teacher("t", has_opened=True), Place("reflect", has_submitted=True)) == SUBMITTED


teachers = st.lists(
    st.builds(Teacher, st.text("abcdefgh", min_size=1, max_size=3), st.booleans()),
    unique_by=lambda teacher: teacher.membership_id,
)
places = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3), st.builds(Place, st.sampled_from((*STAGES, "visit")), st.booleans())
)


@given(teachers, places)
def test_every_teacher_counts_once_and_nobody_else(members: list[Teacher], at: dict[str, Place]) -> None:
    counted = count_steps(members, at, STAGES)
    assert sum(count for _, count in counted) == len(members)
    steps = [step for step, _ in counted]
    assert len(steps) == len(set(steps))
    assert steps[:6] == [NOT_OPENED, NO_PARTNER, *STAGES]
    assert steps[-1] == SUBMITTED
