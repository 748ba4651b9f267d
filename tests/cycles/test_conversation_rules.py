"""Where a guided conversation goes from a move, whose turn it is, and what each sees of it: by tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cycles.talk_protocol import SPOKEN, protocol

from lti_tool.cycles import conversation_rules as talks
from lti_tool.cycles.conversation_rules import MOVES, Talk
from lti_tool.cycles.rules import ADVICE, FIRST_TURN, Cycle, Mark, Member
from lti_tool.privacy.rules import readers
from lti_tool.protocols.recipe import GUIDES, Choice, Field, Words

NOW = datetime(2026, 12, 10, 10, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=4)
FOUR = (0, 1, 2, 3)


def cycle(*marks: str, roles: tuple[str, ...] = ("host", "coach")) -> Cycle:
    return Cycle(
        id="c", pair_id="p", activity_id="a", activity_title="", number=1, status="running", revision=0,
        started_at=NOW, finished_at=None, closed_at=None, protocol=protocol(), viewer_id="person-host",
        members=tuple(Member(f"m-{role}-{i}", f"person-{role}", role, role) for i, role in enumerate(roles)),
        marks=tuple(Mark(mark, "m-host-0", NOW) for mark in marks),
    )  # fmt: skip


AFTER = protocol().stage("after")
assert AFTER is not None


@pytest.mark.parametrize(
    ("talk", "move", "shown", "step", "paused", "began"),
    [
        (talks.not_begun(NOW), "begin", FOUR, 0, False, LATER),
        (talks.not_begun(NOW), "next", FOUR, 1, False, LATER),
        (Talk(1, NOW), "next", FOUR, 2, False, LATER),
        (Talk(1, NOW), "next", (0, 1, 3), 3, False, LATER),
        (Talk(2, NOW), "back", (0, 1, 3), 0, False, LATER),
        (Talk(2, NOW), "again", FOUR, 0, False, LATER),
        (Talk(1, NOW), "pause", FOUR, 1, True, NOW),
        (Talk(1, NOW, NOW + timedelta(minutes=1)), "go_on", FOUR, 1, False, NOW + timedelta(minutes=3)),
        (Talk(1, NOW, NOW + timedelta(minutes=1)), "next", FOUR, 2, False, LATER),
        # On how many devices it will be can be said before it begins: time does not count then.
        (talks.not_begun(NOW), "one", FOUR, 0, True, LATER),
        (Talk(0, NOW, NOW, "one"), "begin", FOUR, 0, False, LATER),
    ],
)
def test_a_move_leads_somewhere(
    talk: Talk, move: str, shown: tuple[int, ...], step: int, paused: bool, began: datetime
) -> None:
    after = talks.moved(talk, move, shown, LATER)
    assert (after.step, after.paused_at is not None, after.step_since) == (step, paused, began)
    assert after.rev == talk.rev + 1


@pytest.mark.parametrize(
    ("talk", "move"),
    [
        (Talk(3, NOW), "next"),
        (Talk(0, NOW), "back"),
        (Talk(1, NOW), "begin"),
        (Talk(1, NOW), "go_on"),
        (Talk(1, NOW), "two"),
        (Talk(1, NOW, NOW + timedelta(minutes=1)), "pause"),
    ],
)
def test_what_moves_nothing_is_no_new_state(talk: Talk, move: str) -> None:
    assert talks.moved(talk, move, FOUR, LATER) == talk


def test_every_move_is_known_and_keeps_to_the_steps_there_are() -> None:
    for move in MOVES:
        for step in range(6):
            assert talks.moved(Talk(step, NOW), move, (0, 2), LATER).step in (0, 2, step)


def test_steps_with_advice_are_there_once_the_host_asked() -> None:
    assert talks.shown_steps(cycle(), AFTER) == (0, 1, 3)
    assert talks.shown_steps(cycle(AFTER.key + ADVICE), AFTER) == FOUR
    only_advice = replace(AFTER, steps=tuple(replace(each, advice=True) for each in AFTER.steps))
    assert talks.shown_steps(cycle(), only_advice) == (0,), "a conversation has a page all the same"


def test_a_conversation_that_became_shorter_stands_at_the_step_before() -> None:
    assert talks.place(Talk(3, NOW), (0, 1)) == 1
    assert talks.place(Talk(0, NOW), (1, 2)) == 1


def test_a_paused_step_has_no_end_and_an_untimed_one_neither() -> None:
    timed, untimed = AFTER.talk[0], AFTER.talk[3]
    assert talks.ends_at(Talk(0, NOW), timed) == NOW + timedelta(minutes=timed.minutes)
    assert talks.ends_at(Talk(0, NOW, LATER), timed) is None
    assert talks.ends_at(talks.not_begun(NOW), timed) is None
    assert talks.ends_at(Talk(3, NOW), untimed) is None


@pytest.mark.parametrize(
    ("opens", "mark", "seen"),
    [
        ("first_turn_done", "one.first_turn", [True, False, False]),
        ("first_turn_done", "two.first_turn", [False, True, True]),
        ("visit_done", "one", [True, False, False]),
        ("visit_done", "two", [False, True, True]),
    ],
)
def test_what_opens_later_opens_with_its_own_conversation(opens: str, mark: str, seen: list[bool]) -> None:
    """Or else with the next one, where its own has no first turn; with the last where none follows."""
    kind = "visit" if opens == "visit_done" else "conversation"
    fields = [replace(AFTER.fields[1], key=f"asks_{i}", opens=opens) for i in range(3)]
    stages = (
        replace(AFTER, key="one", kind=kind, fields=(fields[0],)),
        replace(AFTER, key="between", kind="work", first_turn=None, fields=(fields[1],)),
        replace(AFTER, key="two", kind=kind, fields=()),
        replace(AFTER, key="last", kind="work", first_turn=None, fields=(fields[2],)),
        protocol().stages[-1],
    )
    made = replace(cycle(mark), protocol=replace(protocol(), stages=stages))
    assert [len(readers(made.text_facts(each))) == 2 for each in fields] == seen


def test_only_the_first_step_ends_the_first_turn_and_only_once() -> None:
    assert [talks.ends_first_turn(cycle(), AFTER, step) for step in AFTER.talk] == [True, False, False, False]
    assert not talks.ends_first_turn(cycle(AFTER.key + FIRST_TURN), AFTER, AFTER.talk[0])


@pytest.mark.parametrize(
    ("roles", "leader"),
    [
        (("host", "coach"), "coach"),
        (("host", "coach", "observer"), "coach"),
        (("host", "keeper", "member", "member"), "keeper"),
        (("host", "member"), "host"),
    ],
)
def test_exactly_one_leads(roles: tuple[str, ...], leader: str) -> None:
    before = protocol().stage("before")
    assert before is not None
    assert talks.leader(cycle(roles=roles), before).role == leader


def test_whose_turn_it_is() -> None:
    spoken = [tuple(each.role for each in talks.speakers(cycle(), step)) for step in AFTER.talk]
    assert spoken == [("host",), (), ("coach",), ("host", "coach")]


def test_the_keeper_speaks_along_where_the_members_do() -> None:
    step = replace(AFTER.talk[0], speaks="member")
    group = cycle(roles=("host", "keeper", "member", "member"))
    assert [each.role for each in talks.speakers(group, step)] == ["keeper", "member", "member"]


def test_the_same_stage_has_fewer_prompts_with_a_lighter_guide() -> None:
    counts = [len(talks.prompts_for(AFTER.all_prompts, guide)) for guide in GUIDES]
    assert counts == [4, 2, 0]


def test_each_text_is_written_in_one_step_and_those_of_none_in_the_last() -> None:
    written = [[field.key for field in talks.fields_of(AFTER, FOUR, i)] for i in FOUR]
    assert written == [["looking_back"], [], ["coach_asks"], ["next_steps", "mood", SPOKEN]]
    assert "coach_asks" in {field.key for field in talks.fields_of(AFTER, (0, 1, 3), 3)}


def test_lines_of_a_text_can_be_pointed_at_one_by_one() -> None:
    assert talks.lines("One.\n\n  Two. \nOne.\n") == ("One.", "Two.")


@pytest.mark.parametrize(
    ("several", "typed", "kept"),
    [
        (False, "b", "b"), (False, "b,a", "a"), (False, "elsewhere", ""), (False, "", ""),
        (True, "b,a", "a,b"), (True, "b, x ,a,a", "a,b"),
    ],
)  # fmt: skip
def test_only_known_choices_are_kept(several: bool, typed: str, kept: str) -> None:
    none = Words("", "")
    choices = tuple(Choice(key, Words(key, key)) for key in ("a", "b", "c"))
    field = Field("f", none, none, "both", "pair", None, 100, 2, "", choices=choices, several=several)
    assert talks.chosen(field, typed) == kept
