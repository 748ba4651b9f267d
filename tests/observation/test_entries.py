"""Entries: read strictly, as their instrument asks for them; two devices are one lesson."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from observation.made import entries_of, made, says

from lti_tool.observation.entries import Entry, read, standing
from lti_tool.observation.instrument import CLASS, TEACHER
from lti_tool.observation.said import RefusedError
from lti_tool.observation.shipped import shipped

HEAD = {"device": "phone-1", "number": 1, "at_ms": 90_000}


def problems(body: Any, base: str) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        read(body, made(base))
    return {str(problem) for problem in refused.value.problems}


@pytest.mark.parametrize("base", shipped())
def test_an_entry_of_each_instrument_is_read_as_it_was_written(base: str) -> None:
    found = read(HEAD | says(made(base)), made(base))
    assert read(json.loads(json.dumps(found.to_json())), made(base)) == found
    note = read(HEAD | {"column": "mine", "text": "I could try this\nmyself"}, made(base))
    assert (note.column, note.text) == ("mine", "I could try this myself")


@pytest.mark.parametrize(
    ("base", "changes", "said"),
    [
        ("tally", {"number": 0}, "number: no_whole"),
        ("tally", {"number": True}, "number: no_whole"),
        ("tally", {"at_ms": -1}, "at_ms: no_whole"),
        ("tally", {"at_ms": 10**400}, "at_ms: no_whole"),
        ("tally", {"device": "a b"}, "device: no_device"),
        ("tally", {"code": "shouts"}, "code: no_choice (allowed=asks, reasons, builds)"),
        ("tally", {"seat": 3}, "seat: leave_out"),
        ("tally", {"text": "Seán"}, "text: leave_out"),
        ("tally", {"column": "theirs"}, "column: no_choice"),
        ("tally", {"column": "question", "text": "Why?"}, "code: leave_out"),
        ("tally", {"undone": "yes"}, "undone: no_flag"),
        ("tally", {"undoes": 0}, "code: leave_out"),
        ("tally", {"pupil": "Seán"}, "all of it: unknown"),
        ("scripting", {"text": "t" * 301}, "text: too_long (most=300)"),
        ("scripting", {"text": ""}, "text: empty"),
        ("scripting", {"text": "a\0"}, "text: odd_signs"),
        ("scripting", {"seat": 100}, "seat: no_seat"),
        ("at_task_sweep", {"seat": TEACHER}, "seat: no_seat"),
        ("verbal_flow", {"seat": 25}, "seat: no_seat"),
        ("verbal_flow", {"seat": CLASS}, "seat: no_seat"),
        ("verbal_flow", {"seat": 3, "to_seat": 3}, "to_seat: same_seat"),
        ("class_traffic", {"x": 9.5}, "x: no_part (most=9)"),
        ("class_traffic", {"y": float("nan")}, "y: no_part"),
        ("class_traffic", {"y": 10**400}, "y: no_part"),
        ("participation_spread", {"seat": 3, "code": None}, "code: no_choice"),
        ("case_pupils", {"row": "fourth"}, "row: no_choice"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(base: str, changes: dict[str, Any], said: str) -> None:
    assert any(each.startswith(said) for each in problems(HEAD | says(made(base)) | changes, base))


def test_a_turn_of_the_teacher_needs_no_code_and_one_of_a_pupil_does() -> None:
    spread = made("participation_spread")
    assert read(HEAD | {"seat": TEACHER}, spread).code == ""
    assert problems(HEAD | {"seat": 4}, "participation_spread") == {"code: missing"}


def test_a_seat_is_asked_for_only_where_it_is_known() -> None:
    assert read(HEAD | says(made("scripting"), seat=31), made("scripting")).seat == 31
    assert read(HEAD | says(made("selective_verbatim"), text=""), made("selective_verbatim")).text == ""


def test_entries_of_two_devices_come_by_their_time_each_once_and_without_what_was_taken_back() -> None:
    late, early = Entry("b", 1, 5_000, code="asks"), Entry("a", 1, 1_000, code="asks")
    again, wrong = Entry("b", 2, 3_000, code="asks"), Entry("a", 2, 2_000, code="asks")
    away = Entry("a", 3, 9_000, undoes=2)
    assert standing([late, away, again, early, wrong, late]) == (early, again, late)
    assert standing([Entry("b", 4, 1, undone=True)]) == ()
    # The other device's second entry has the same number, and stays.
    assert again in standing([again, away])


@given(
    st.sampled_from(sorted(shipped())).flatmap(lambda base: st.tuples(st.just(base), entries_of(made(base), most=6)))
)
def test_what_an_instrument_may_hold_is_read_as_it_was_written(pair: tuple[str, list[Entry]]) -> None:
    base, entries = pair
    for each in entries:
        assert read(json.loads(json.dumps(each.to_json())), made(base)) == each
