"""Protocols for threes and groups, and the end of a programme: all speak, somebody leads, and the minutes add up."""

import re

import pytest
from protocols.shipped_texts import conversations, protocol, texts

from lti_tool.protocols import reader
from lti_tool.protocols.recipe import ALL, OWN_GROUPS

GROUPS = {
    # key: (least, most, roles, form, minutes of its conversations)
    "triad": (3, 3, ("host", "coach", "observer"), "coaching", [45]),
    "lesson_study": (3, 6, ("host", "keeper", "member"), "lesson_study", [60, 50]),
    "consultancy": (3, 8, ("host", "keeper", "member"), "problem_solving", [50]),
    "tuning": (3, 8, ("host", "keeper", "member"), "problem_solving", [60]),
    "student_work": (3, 8, ("host", "keeper", "member"), "student_work", [45]),
    "problem_solving": (3, 8, ("host", "keeper", "member"), "problem_solving", [40]),
    "share_plan": (2, 4, ("host", "keeper", "member"), "share_plan", [30, 20]),
    "demonstration": (3, 8, ("host", "keeper", "member"), "demonstration", [15, 30]),
}
MINE = [*GROUPS, "programme"]
PRAISE_OR_SCORE = re.compile(
    r"\b(score|scores|grade|grades|level|rank|mark|marks|rating|points|excellent|great|good job|well done"
    r"|scór\w*|grád\w*|marcanna|pointí|iontach|thar barr|maith thú|maith sibh|comhghairdeas|congratulations)\b",
    re.IGNORECASE,
)
MARKS = re.compile(r"NSRF|Critical Friends|Cognitive Coaching|School Reform Faculty", re.IGNORECASE)


@pytest.mark.parametrize("key", GROUPS)
def test_who_follows_it_and_how_long_it_takes(key: str) -> None:
    found = protocol(key)
    minutes = [stage.minutes for stage in conversations(found)]
    assert (found.least, found.most, found.roles, found.form, minutes) == GROUPS[key]
    assert found.family.en, "the family is named (R70)"
    for stage in conversations(found):
        assert sum(step.minutes for step in stage.steps) == stage.minutes, "the minutes of the steps add up"
        written = [each for step in stage.steps for each in step.fields]
        assert sorted(written) == sorted(each.key for each in stage.fields), "each text has its step"


@pytest.mark.parametrize("key", GROUPS)
def test_one_leads_everybody_speaks_and_the_host_begins(key: str) -> None:
    found = protocol(key)
    assert conversations(found)
    for stage in conversations(found):
        assert stage.leads in found.roles, "exactly one leads (R46)"
        assert stage.speaks_first == "host", "R64"
        assert stage.steps[0].speaks in ("host", ALL)
        speak = {step.speaks for step in stage.steps}
        assert ALL in speak or speak >= set(found.roles), "everybody gets to speak"
        assert "belief" in {prompt.kind for prompt in stage.all_prompts}, "R70"
        last = stage.steps[-1]
        assert last.speaks == ("observer" if key == "triad" else ALL)


@pytest.mark.parametrize("key", GROUPS)
def test_the_limit_of_confidence_is_said_in_the_words_of_all_others_and_signed(key: str) -> None:
    start = protocol(key).stages_of(1)[0]
    assert start.kind == "start" and start.first_cycle_only
    limits = [said for said in start.statements if "mandated" in said.en]
    assert limits == [said for said in reader.shipped()["collegial"].stages[0].statements if "mandated" in said.en]
    assert ("agreement", "together") in {(gate.needs, gate.of) for gate in start.gates}, "R63"


@pytest.mark.parametrize("key", MINE)
def test_it_ends_with_what_each_learned_for_themselves(key: str) -> None:
    last = protocol(key).stages[-1]
    assert {(field.by, field.seen) for field in last.fields} == {("each", "author")}
    assert "own_learning" in {field.key for field in last.fields}, "R47"
    assert [(gate.needs, gate.of) for gate in last.gates] == [("text", "own_learning")]


@pytest.mark.parametrize("key", MINE)
def test_both_languages_are_calm_and_alike(key: str) -> None:
    found = protocol(key)
    assert found.drafts == ("ga",)
    assert not MARKS.search(str(found.body)), "no registered name of others"
    for both in texts(found.body):
        en, ga = (" ".join(both[language].split()) for language in ("en", "ga"))
        said = f"{en} | {ga}"
        assert not PRAISE_OR_SCORE.search(said), said
        assert "!" not in said and "'" not in said and '"' not in said, said
        assert en != ga, f"not translated: {said}"
        for sign in ".?…":
            assert en.endswith(sign) == ga.endswith(sign), said
        for sign in "?…“”":
            assert en.count(sign) == ga.count(sign), said


@pytest.mark.parametrize("key", ["consultancy", "tuning", "student_work", "problem_solving"])
def test_the_group_talks_while_the_host_is_quiet_and_then_the_host_answers(key: str) -> None:
    (stage,) = conversations(protocol(key))
    speak = [step.speaks for step in stage.steps if not step.quiet]
    assert speak[0] == "host" and "all" in speak
    after_group = speak[len(speak) - speak[::-1].index("member") :]
    assert after_group[0] == "host" and after_group[-1] == ALL, "the host answers, then all look back on the talk"


@pytest.mark.parametrize("key", GROUPS)
def test_a_host_who_is_told_to_write_while_others_talk_has_where_to(key: str) -> None:
    found = protocol(key)
    for stage in conversations(found):
        for step in stage.steps:
            if step.speaks == "member" and "writes" in step.text.en:
                writers = {each.by for each in stage.fields if each.key in step.fields}
                assert {"host", "both"} <= writers, step.key


def test_in_a_triad_the_sheet_opens_when_the_host_has_looked_back() -> None:
    (stage,) = conversations(protocol("triad"))
    sheet = [field for field in stage.fields if field.group == "sheet"]
    assert len(sheet) == 3
    assert {(field.by, field.opens) for field in sheet} == {("observer", "first_turn_done")}
    (first,) = [i for i, step in enumerate(stage.steps) if step.first_turn]
    assert [step.speaks for step in stage.steps[first:]] == ["host", "coach", "observer"]


def test_lesson_study_puts_expected_beside_seen_and_begins_with_the_pupils() -> None:
    found = protocol("lesson_study")
    before, visit, after = (found.stage(key) for key in ("before", "visit", "after"))
    assert before and visit and after
    pupils = [f"pupil_{letter}" for letter in "abc"]
    assert [group.key for group in before.groups] == [group.key for group in visit.groups] == pupils
    assert {field.group for field in visit.fields} == {"", OWN_GROUPS[0], *pupils}
    for letter in "abc":
        for part in ("start", "middle", "end"):
            expected, seen = f"{letter}_predicted_{part}", f"{letter}_seen_{part}"
            assert after.shows.index(seen) == after.shows.index(expected) + 1
            field = found.field(seen)
            assert field and field.raw and field.by == "each", "each observer has their own, and it is deleted in time"
            named = f"Pupil {letter.upper()}, "
            assert all(found.field(key).label.en.startswith(named) for key in (expected, seen))  # type: ignore[union-attr]
    assert "pupils" in after.steps[0].title.en and not after.steps[0].fields


@pytest.mark.parametrize("key", ["share_plan", "demonstration", "student_work"])
def test_what_is_not_coaching_says_so(key: str) -> None:
    found = protocol(key)
    assert found.form != "coaching"
    assert "not coaching" in found.summary.en and "ní cóitseáil" in found.summary.ga, "R40"


def test_the_programme_ends_alone_and_draws_on_what_was_there_before() -> None:
    found = protocol("programme")
    assert found.alone
    assert [field.key for field in found.stages[0].fields] == [
        "set_out", "changed", "own_coaching", "own_learning", "own_next",
    ]  # fmt: skip
