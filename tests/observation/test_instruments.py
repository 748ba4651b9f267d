"""Instruments: those that ship are whole and rate nobody, and what a pair built is read strictly (R13, R59)."""

import json
from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from observation.made import CLASSROOM, made

from lti_tool.observation import instrument
from lti_tool.observation.instrument import KINDS, Instrument, read, undecided
from lti_tool.observation.said import RefusedError
from lti_tool.observation.shipped import load, shipped
from lti_tool.protocols.reader import ProtocolError


def problems(body: Any) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        read(body)
    return {str(problem) for problem in refused.value.problems}


def body(of: str = "tally", /, **changes: Any) -> dict[str, Any]:
    return made(of).to_json() | changes


# What ships


def test_each_kind_has_an_instrument_and_each_says_all_there_is_to_know_in_both_languages() -> None:
    assert len(shipped()) == 14
    assert {each.kind for each in shipped().values()} == set(KINDS)
    for base in shipped().values():
        for words in (base.title, base.captures, base.picture, base.decide_first, base.limits):
            assert words.en and words.ga and words.en != words.ga
        assert base.begin("ga").name == base.title.ga


def test_nothing_of_an_instrument_can_hold_a_score_or_a_grade_or_a_level_of_a_teacher() -> None:
    held = {each.name for each in fields(Instrument)}
    assert held == {"base", "kind", "name", "codes", "rows", "interval_s", "plan", "options"}
    said = json.dumps([base.begin("en").to_json() for base in shipped().values()]).casefold()
    for word in ("score", "grade", "rating", "excellent", "good", "weak", "effective"):
        assert word not in said


@pytest.mark.parametrize("base", shipped())
def test_what_a_pair_decided_is_read_as_it_was_written(base: str) -> None:
    found = made(base)
    assert undecided(found) == ()
    assert read(json.loads(json.dumps(found.to_json()))) == found


def test_what_is_still_to_decide_is_said() -> None:
    def left(base: str) -> list[str]:
        return [each.key for each in undecided(shipped()[base].begin("en"))]

    assert left("tally") == []
    assert left("verbal_flow") == ["decide_seats"]
    assert left("class_traffic") == ["decide_room"]
    assert left("case_pupils") == ["decide_expected"]
    assert left("student_voice") == ["decide_agreed"]
    assert [each.key for each in undecided(read(body(codes=[])))] == ["decide_codes"]
    assert [each.key for each in undecided(read(body("checklist", rows=[])))] == ["decide_rows"]


def test_a_mistake_in_the_file_is_said_with_file_and_line_and_remedy(tmp_path: Path) -> None:
    file = tmp_path / "instruments.yaml"
    text = Path(instrument.__file__).with_name("instruments.yaml").read_text("utf-8")
    file.write_text(text.replace("kind: tally", "kind: rating").replace("key: builds", "key: asks"), "utf-8")
    with pytest.raises(ProtocolError, match=r"instruments\.yaml, line \d+: 'rating' is not allowed\. Choose one of"):
        load(file)
    file.write_text(text.replace("key: builds", "key: asks"), "utf-8")
    with pytest.raises(ProtocolError, match=r"line \d+: no pair could begin in en: codes\[2\]\.key: twice"):
        load(file)


# What a pair built


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "grades"}, "kind: no_choice"),
        ({"base": "../x"}, "base: no_key"),
        ({"name": " \n "}, "name: empty"),
        ({"name": "n" * 81}, "name: too_long (most=80)"),
        ({"name": "a\0b"}, "name: odd_signs"),
        ({"name": "\ud800"}, "name: odd_signs"),
        ({"name": 7}, "name: no_text"),
        ({"codes": [{"key": f"c{i}", "text": "x" + "y" * i} for i in range(9)]}, "codes: too_many (most=8)"),
        ({"codes": [{"key": "a", "text": "3"}]}, "codes[0].text: no_words"),
        ({"codes": [{"key": "a", "text": "Asks"}, {"key": "b", "text": "asks "}]}, "codes[1].text: twice"),
        ({"codes": [{"key": "a", "text": "c" * 41}]}, "codes[0].text: too_long (most=40)"),
        ({"codes": {}}, "codes: no_list"),
        ({"codes": [7]}, "codes[0]: no_mapping"),
        ({"rows": [{"key": "a", "text": "Row"}]}, "rows: too_many (most=0)"),
        ({"interval_s": 60}, "interval_s: no_whole (least=0, most=0)"),
        ({"plan": {"width": 2, "depth": 2}}, "plan: leave_out"),
        ({"options": ["agreed"]}, "options: too_many (most=0)"),
        ({"score": 5}, "all of it: unknown"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(changes: dict[str, Any], said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(body(**changes)))


@pytest.mark.parametrize(
    ("base", "path", "value", "said"),
    [
        ("verbal_flow", ("plan", "seats", 1, "number"), 1, "plan.seats[1].number: twice"),
        ("verbal_flow", ("plan", "seats", 1, "x"), 0, "plan.seats[1]: place_taken"),
        ("verbal_flow", ("plan", "seats", 1, "x"), 9, "plan.seats[1].x: no_whole (least=0, most=8)"),
        ("verbal_flow", ("plan", "seats", 1, "x"), True, "plan.seats[1].x: no_whole"),
        ("verbal_flow", ("plan", "marks", 0, "what"), "throne", "plan.marks[0].what: no_choice"),
        ("verbal_flow", ("plan", "width"), 13, "plan.width: no_whole (least=1, most=12)"),
        ("at_task_sweep", ("interval_s",), 30, "interval_s: no_whole (least=60, most=1800)"),
        ("wait_time", ("codes", 2, "key"), "later", "codes[2].key: no_choice"),
        ("wait_time", ("codes",), [{"key": "question", "text": "Asked"}], "codes: code_needed (code=speech)"),
        ("checklist", ("rows", 0, "expected"), "Yes", "rows[0].expected: leave_out"),
        ("checklist", ("rows", 0, "text"), "r" * 301, "rows[0].text: too_long (most=300)"),
        ("student_voice", ("options",), ["signed"], "options[0]: no_choice"),
    ],
)
def test_plans_and_fixed_codes_have_rules_of_their_own(
    base: str, path: tuple[str | int, ...], value: Any, said: str
) -> None:
    changed = deepcopy(body(base))
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert any(problem.startswith(said) for problem in problems(changed))


def test_a_plan_has_at_most_forty_seats() -> None:
    seats = [{"number": i + 1, "x": i % 12, "y": i // 12} for i in range(41)]
    plan = {"width": 12, "depth": 16, "seats": seats}
    assert "plan.seats: too_many (most=40)" in problems(body("verbal_flow", plan=plan))
    assert len(read(body("verbal_flow", plan=plan | {"seats": seats[:40]})).plan.seats) == 40  # type: ignore[union-attr]


def test_all_problems_are_said_at_once() -> None:
    assert len(problems(body(name="", codes=[{"key": "A"}], interval_s=-1))) == 4


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(_JSON, st.sampled_from(["", *body()]), st.sampled_from(sorted(shipped())))
def test_whatever_comes_is_read_or_refused(value: Any, key: str, base: str) -> None:
    try:
        found = read(body(base, **{key: value}) if key else value)
    except RefusedError as error:
        assert error.problems
    else:
        assert read(found.to_json()) == found


def test_a_place_of_a_plan_has_a_name() -> None:
    assert CLASSROOM.place(0, 0) == "A1"
    assert CLASSROOM.place(8.99, 7.2) == "I8"
    assert CLASSROOM.place(9, 8) == "I8"
