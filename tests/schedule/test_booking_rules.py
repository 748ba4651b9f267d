"""What of booking is decided without a page: what stands in the way of a visit, and what a choice says."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cycles.test_cycle_rules import BOOKED, COACH, NOW, VISIT, cycle, meeting
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.cycles import rules
from lti_tool.cycles.rules import Missing
from lti_tool.protocols.recipe import Gate
from lti_tool.schedule import booking
from lti_tool.schedule.timetable import Slot, Span
from lti_tool.schedule.triples import Triple


@pytest.mark.parametrize("is_asked", [True, False])
def test_no_visit_is_confirmed_without_a_conversation_after(is_asked: bool) -> None:
    """Also where a protocol of a course's own does not ask for one (R61)."""
    here = cycle(viewer=COACH, **VISIT, meetings=BOOKED[:1])
    stages = tuple(
        replace(each, gates=tuple(gate for gate in each.gates if is_asked or gate != Gate("meeting", "after")))
        for each in here.protocol.stages
    )
    here = replace(here, protocol=replace(here.protocol, stages=stages))
    visit = next(each for each in here.stages if each.kind == "visit")
    assert rules.missing_to_confirm_visit(here, visit, COACH) == (Missing("meeting", "after", "visit"),)
    assert not rules.missing_to_confirm_visit(replace(here, meetings=BOOKED), visit, COACH)


def test_a_talk_before_that_ends_in_the_visit_is_noticed() -> None:
    for hours, late in ((9, False), (9.5, True), (12, True)):
        found = cycle(meetings=(meeting("visit", 10), meeting("before", hours)))
        assert rules.talk_before_is_late(found) == late, hours


def test_what_can_be_booked_together_shrinks_with_what_is_over() -> None:
    assert booking.open_kinds(cycle(done="start")) == ("before", "visit", "after")
    assert booking.open_kinds(cycle(done="start before")) == ("visit", "after")
    assert booking.open_kinds(cycle(done="start before visit")) == ()
    assert not booking.has_all(cycle("light"))


minutes = st.integers(min_value=0, max_value=600_000)


@given(st.lists(st.tuples(minutes, minutes, minutes), min_size=1, max_size=2), st.binary(min_size=1))
def test_a_choice_comes_back_as_it_was_and_to_nobody_else(starts: list[tuple[int, int, int]], secret: bytes) -> None:
    here = cycle(meetings=BOOKED)

    def span(minute: int) -> Span:
        start = NOW + timedelta(minutes=minute)
        return Span(start, start + timedelta(minutes=40))

    found = tuple(
        Triple(span(one), Slot(span(two).start, span(two).end, ""), span(three)) for one, two, three in starts
    )
    text = booking.written(found, here, secret)
    assert booking.read(text, here, secret) == (found, (0, 1, 1))
    for other, key in ((replace(here, viewer_id="pc"), secret), (replace(here, id="d"), secret), (here, secret + b"x")):
        with pytest.raises(booking.NotOfferedError):
            booking.read(text, other, key)
