"""Counting teachers by step, and who may be nudged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.progress.rules import (
    NO_PARTNER,
    NOT_OPENED,
    NUDGE_KEPT_FOR,
    PAIRED,
    SUBMITTED,
    WAITS,
    NudgeKind,
    Place,
    RunningPair,
    Teacher,
    can_nudge,
    chosen_wait,
    count_steps,
    stands_still,
    step_of,
    still_holds,
    whom_to_nudge,
)

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


def test_a_round_of_finding_partners_counts_who_has_one() -> None:
    counted = count_steps([Teacher("a", True), Teacher("b", True)], {"a": Place(PAIRED, False)}, [])
    assert counted == [(NOT_OPENED, 0), (NO_PARTNER, 1), (PAIRED, 1), (SUBMITTED, 0)]


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAIR = RunningPair("p", "visit", NOW - timedelta(days=14), False, ("host", "coach"), frozenset())


@pytest.mark.parametrize(
    ("pair", "days", "still"),
    [
        (PAIR, 14, True),
        (PAIR, 28, False),
        (replace(PAIR, since=NOW - timedelta(days=14) + timedelta(seconds=1)), 14, False),
        (replace(PAIR, is_finished=True), 14, False),
        (replace(PAIR, stage=PAIRED, since=None), 14, False),
    ],
)
def test_a_pair_stands_still_after_so_many_days_at_one_step(pair: RunningPair, days: int, still: bool) -> None:
    assert stands_still(pair, days, NOW) is still


@pytest.mark.parametrize(("asked", "days"), [(None, 14), (14, 14), (7, 7), (28, 28), (0, 14), (-1, 14), (10**30, 14)])
def test_only_offered_waits_can_be_chosen(asked: int | None, days: int) -> None:
    assert chosen_wait(asked) == days in WAITS


@pytest.mark.parametrize(
    ("sender", "last", "allowed"),
    [
        ("trainer", None, True),
        ("trainer", NOW - timedelta(days=7), True),
        ("trainer", NOW - timedelta(days=7) + timedelta(seconds=1), False),
        ("host", None, False),
    ],
)
def test_at_most_one_nudge_in_seven_days_and_none_to_oneself(sender: str, last: datetime | None, allowed: bool) -> None:
    assert can_nudge("host", sender, last, NOW) is allowed


@pytest.mark.parametrize(
    ("pair", "teachers", "sender", "last", "whom"),
    [
        (PAIR, ["host", "coach"], "trainer", {}, ["host", "coach"]),
        (PAIR, ["host", "coach"], "trainer", {"host": NOW}, ["coach"]),
        (replace(PAIR, submitted=frozenset({"host"})), ["host", "coach"], "trainer", {}, ["coach"]),
        (PAIR, ["coach"], "trainer", {}, ["coach"]),
        (PAIR, [], "trainer", {}, []),
        (PAIR, ["host", "coach"], "coach", {}, []),
    ],
)
def test_who_of_a_pair_is_nudged(
    pair: RunningPair, teachers: list[str], sender: str, last: dict[str, datetime], whom: list[str]
) -> None:
    assert whom_to_nudge(pair, teachers, sender, last, NOW) == whom


SENT = NOW - timedelta(days=1)
BEFORE, AFTER = SENT - timedelta(days=20), SENT + timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "is_paired", "since", "shown"),
    [
        (NudgeKind.STALLED, True, BEFORE, True),
        (NudgeKind.STALLED, True, AFTER, False),
        (NudgeKind.STALLED, True, None, False),
        (NudgeKind.STALLED, False, None, False),
        (NudgeKind.NO_PARTNER, False, None, True),
        (NudgeKind.NO_PARTNER, True, BEFORE, False),
        (NudgeKind.NO_PARTNER, True, None, False),
    ],
)
def test_a_nudge_is_shown_while_it_fits(kind: NudgeKind, is_paired: bool, since: datetime | None, shown: bool) -> None:
    assert still_holds(kind, SENT, is_paired=is_paired, since=since, now=NOW) is shown
    assert not still_holds(kind, NOW - NUDGE_KEPT_FOR, is_paired=is_paired, since=BEFORE, now=NOW)
