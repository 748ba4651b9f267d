"""The ladder in the recipes: what each step leaves out, and that the places a trainer counts do not depend on it."""

from dataclasses import replace
from pathlib import Path

import pytest
from cycles.test_cycle_rules import CARD, COACH, HOST, NOW, cycle, heads, meeting, signed
from hypothesis import given, settings
from hypothesis import strategies as st
from protocols.test_protocols import GOOD, broken

from lti_tool.cycles import rules
from lti_tool.protocols.reader import parse, shipped
from lti_tool.protocols.recipe import FULL, STEPS, TOGETHER, lowest

COLLEGIAL = shipped()["collegial"]


@pytest.mark.parametrize(
    ("step", "stages", "notes", "shown_last"),
    [
        ("look", ["start", "visit", "reflect"], [], []),
        ("data", ["start", "visit", "reflect"], ["notes_seen", "own_class"], ["notes_seen", "own_class"]),
        (
            "talk",
            ["start", "before", "visit", "after", "reflect"],
            ["notes_seen", "own_class"],
            ["goal", "criteria", "notes_seen", "own_class"],
        ),
        (
            "full",
            ["start", "before", "visit", "after", "reflect"],
            ["notes_seen", "notes_questions", "own_class"],
            ["goal", "criteria", "notes_seen", "next_steps", "own_class"],
        ),
    ],
)
def test_what_each_step_has(step: str, stages: list[str], notes: list[str], shown_last: list[str]) -> None:
    protocol = COLLEGIAL.at(step)
    assert [stage.key for stage in protocol.stages] == stages
    visit = protocol.stage("visit")
    assert visit is not None
    assert [field.key for field in visit.fields if field.group == "notes"] == notes
    assert list(protocol.stages[-1].shows) == shown_last
    talks = "after" in stages
    assert visit.meetings == (("visit", "after") if talks else ("visit",)), "no talk is booked where none is owed"
    assert ("meeting" in {gate.needs for gate in visit.gates}) and (
        ("meeting", "after") in {(gate.needs, gate.of) for gate in visit.gates}
    ) == talks
    assert (protocol.field("helps_me") is not None) == talks, "nobody asks about feedback where none is given"
    after = protocol.stage("after")
    if after is not None:
        assert after.first_turn == ("host" if step == FULL else None), "nothing opens, so no turn is marked"
    for stage in protocol.stages:
        for gate in stage.gates:
            if gate.needs == "text":
                assert protocol.field(gate.of), "nothing is asked for that is not there"


def test_the_whole_is_as_it_always_was() -> None:
    assert COLLEGIAL.at(FULL) == replace(COLLEGIAL, body=COLLEGIAL.body)
    for key in ("light", "reflection"):
        assert not shipped()[key].has_ladder and shipped()[key].at("look") is shipped()[key]


def test_a_protocol_from_before_the_ladder_is_left_alone() -> None:
    body = {key: value for key, value in COLLEGIAL.body.items() if key != "stages"}
    stages = []
    for stage in COLLEGIAL.body["stages"]:
        fields = [{k: v for k, v in field.items() if k != "from_step"} for field in stage.get("fields", [])]
        steps = [{k: v for k, v in step.items() if k != "from_step"} for step in stage.get("steps", [])]
        kept = {k: v for k, v in stage.items() if k not in ("from_step", "purpose_at")}
        stages.append(kept | {"fields": fields, "steps": steps})
    before = parse(body | {"stages": stages})
    assert not before.has_ladder and before.at("look") is before
    assert [key for key, _title in before.places] == ["start", "before", "visit", "after", "reflect"]


def at(step: str, done: str = "", written: str = "", **parts: object) -> rules.Cycle:
    protocol = COLLEGIAL.at(step, set(done.split()), set(written.split()))
    return replace(cycle(done=done), protocol=protocol, whole=COLLEGIAL, step=step, **parts)


@pytest.mark.parametrize("step", ["look", "data"])
def test_from_the_visit_on_to_the_reflection(step: str) -> None:
    started = signed(at(step, heads=heads("norms")), "together", HOST, COACH)
    assert rules.missing_to_close(started, started.stages[0], started.me, NOW) == ()
    card = CARD if step == "data" else CARD[:-1]
    ahead = at(step, "start", heads=heads("visit_purpose", *card), meetings=(meeting("visit", -2, confirmed=True),))
    assert rules.next_step(ahead, NOW).code == "close_visit"
    visit = ahead.stage("visit")
    assert visit is not None and rules.missing_to_close(ahead, visit, ahead.me, NOW) == ()
    assert rules.next_step(at(step, "start visit"), NOW).code == "reflect"


def test_a_lowered_cycle_keeps_what_is_done_and_written_and_no_more() -> None:
    done = "start before visit"
    kept = at("look", done, "goal notes_seen")
    assert [stage.key for stage in kept.stages] == ["start", "before", "visit", "reflect"]
    visit = kept.stage("visit")
    assert visit is not None
    assert [field.key for field in visit.fields if field.group == "notes"] == ["notes_seen"]
    assert rules.next_step(kept, NOW).code == "reflect"


def test_what_a_pair_has_passed_does_not_come_in_behind_it() -> None:
    further = at("full", "start visit")
    assert [stage.key for stage in further.stages] == ["start", "visit", "after", "reflect"]
    assert rules.stage_of_pair(further) == "after"


def test_the_lower_of_two_does_not_say_whose_it_is() -> None:
    for one in STEPS:
        for other in STEPS:
            assert lowest([one, other]) == lowest([other, one]) == STEPS[min(STEPS.index(one), STEPS.index(other))]
    assert lowest([]) == FULL


def test_the_places_of_a_trainer_are_the_same_for_all() -> None:
    assert [key for key, _title in COLLEGIAL.places] == ["start", TOGETHER, "reflect"]
    for number in (1, 2):
        assert len({COLLEGIAL.place(COLLEGIAL.at(step).stages_of(number)[0].key) for step in STEPS}) == 1


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(STEPS), st.just("done")), max_size=14))
def test_a_pair_is_never_seen_to_come_back_or_to_pass_over_a_place(moves: list[str]) -> None:
    step, done, place = FULL, "", "start"
    order = [key for key, _title in COLLEGIAL.places]
    for move in moves:
        now = at(step, done, place=place)
        if move != "done":
            step = move
        elif (here := rules.stage_now(now, now.me)) is not None and here.kind != "reflection":
            done = f"{done} {here.key}"
        after = at(step, done, place=place)
        reached = rules.new_place(after)
        if reached is not None:
            assert order.index(reached) == order.index(place) + 1
            place = reached


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: conversation\n", "kind: conversation\n    from_step: some\n", "line 9: 'some' is not allowed"),
        ("kind: conversation\n", "kind: conversation\n    from_step: talk\n", "keep one stage without it"),
        ("kind: reflection\n", "kind: reflection\n    from_step: talk\n", "the reflection is there at every step"),
        ("p, ga: p}\n    prompts", "p, ga: p}\n    purpose_at: {far: {en: p, ga: p}}\n    prompts", "'far' is not"),
        ("key: before", "key: together", "is an address of its own"),
        ("version: 1\n", "version: 1\nalone: true\n", "alone there is a reflection"),
    ],
)  # fmt: skip
def test_a_wrong_ladder_is_explained(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert GOOD.count(old) == 1
    assert said in broken(tmp_path, GOOD.replace(old, new))
