"""The shipped protocols keep the promises of the domain; a broken file is explained with file, line and remedy."""

from pathlib import Path

import pytest

from lti_tool.protocols.reader import ProtocolError, load, parse, shipped

GOOD = """\
key: tiny
version: 1
title: {en: Tiny, ga: Beag}
summary: {en: s, ga: s}
source: {en: s, ga: s}
stages:
  - key: before
    kind: conversation
    speaks_first: host
    title: {en: Before, ga: Roimhe}
    short: {en: before, ga: roimhe}
    purpose: {en: p, ga: p}
    prompts:
      - {kind: belief, text: {en: Why, ga: Cén fáth}}
    fields:
      - {key: goal, by: host, seen: pair, label: {en: Goal, ga: Sprioc}}
    gates:
      - text: goal
  - key: reflect
    kind: reflection
    title: {en: Reflect, ga: Machnamh}
    short: {en: reflect, ga: machnamh}
    purpose: {en: p, ga: p}
    fields:
      - {key: own, by: each, seen: author, label: {en: Own, ga: Féin}}
"""


def broken(tmp_path: Path, text: str) -> str:
    file = tmp_path / "tiny.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ProtocolError) as caught:
        load(file)
    return str(caught.value)


def test_the_lightest_protocol_comes_first_and_those_for_one_alone_last() -> None:
    assert list(shipped()) == ["light", "collegial", "reflection"]


@pytest.mark.parametrize("key", ["light", "collegial", "reflection"])
def test_a_protocol_survives_being_stored(key: str) -> None:
    protocol = shipped()[key]
    assert parse(protocol.body) == protocol


@pytest.mark.parametrize("key", ["light", "collegial"])
def test_the_promises_of_a_protocol(key: str) -> None:
    protocol = shipped()[key]
    first = protocol.stages_of(1)[0]
    assert first.kind == "start" and first.first_cycle_only, "a new pair gets started together (R63)"
    assert any("mandated" in statement.en for statement in first.statements), "the limit of confidentiality is said"
    assert "ga" in protocol.drafts, "Irish wording is marked as a draft"
    for stage in protocol.stages:
        if stage.kind == "conversation":
            assert "belief" in {prompt.kind for prompt in stage.prompts}, "R70"
            assert stage.speaks_first == "host", "R64"
    before = protocol.stage("before")
    assert before is not None
    assert {("agreement", "goal"), ("text", "goal")} <= {(gate.needs, gate.of) for gate in before.gates}, "R28"
    own = protocol.field("own_learning")
    assert own is not None and (own.by, own.seen) == ("each", "author"), "R47"
    assert ("text", "own_learning") in {(gate.needs, gate.of) for gate in protocol.stages[-1].gates}


def test_the_visit_of_the_collegial_protocol() -> None:
    protocol = shipped()["collegial"]
    visit = protocol.stage("visit")
    assert visit is not None
    gates = [(gate.needs, gate.of) for gate in visit.gates]
    card = [field.key for field in visit.fields if field.group == "card"]
    assert len(card) == 6 and {("text", key) for key in card} <= set(gates), "R60"
    assert gates.index(("text", "visit_purpose")) < gates.index(("meeting", "visit")), "R33"
    assert ("meeting", "after") in gates, "R61"
    notes = {field.key: field.opens for field in visit.fields if field.group == "notes"}
    assert notes == {"notes_seen": "visit_done", "notes_questions": "first_turn_done"}, "R43, R64"


def test_the_reflection_asks_one_teacher_and_nobody_else() -> None:
    protocol = shipped()["reflection"]
    (stage,) = protocol.stages
    assert protocol.alone and "ga" in protocol.drafts
    assert len(stage.fields) == 4
    assert {(field.by, field.seen) for field in stage.fields} == {("each", "author")}
    assert [(gate.needs, gate.of) for gate in stage.gates] == [("text", "own_learning")]
    assert not any(shipped()[key].alone for key in ("light", "collegial"))


def test_a_stored_protocol_of_before_is_one_for_two() -> None:
    body = {key: value for key, value in shipped()["light"].body.items() if key != "alone"}
    assert parse(body).alone is False


def test_a_good_file(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(GOOD, "utf-8")
    assert load(file).stages[0].fields[0].label.into("ga") == "Sprioc"


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ("version: 1", "version: one", 2, "whole number"),
        ("title: {en: Tiny, ga: Beag}", "title: {en: Tiny}", 3, "text in ga is missing"),
        ("title: {en: Tiny, ga: Beag}", "title: {en: Tiny, or not, ga: Beag}", 3, "comma in it needs quotes"),
        ("summary:", "sumary:", 4, "'sumary' is not known here"),
        ("kind: conversation", "kind: chat", 8, "Choose one of: start, conversation"),
        ("kind: belief", "kind: clarifying", 13, "no prompt of kind belief"),
        ("- text: goal", "- text: gaol", 18, "'gaol' is not here"),
        ("- text: goal", "- goal", 18, "a gate is one line"),
        ("by: each, seen: author", "by: both, seen: author", 25, "Say `seen: pair`"),
        ("by: each, seen: author", "by: each, seen: pair", 25, "seen by its author alone"),
        ("key: own, ", "key: goal, ", 25, "used twice"),
        ("key: own, ", "key: Own Learning, ", 25, "is not a key"),
        ("key: reflect\n", "key: thinking\n", 19, "is called reflect"),
        ("key: before\n", "key: texts\n", 7, "address of its own"),
        ("    speaks_first: host\n", "", 7, "who speaks first"),
        ("key: tiny\n", "key: tiny\nkey: tiny\n", 2, "stands twice"),
        ("key: tiny\n", "key: tiny\nalone: perhaps\n", 2, "neither true nor false"),
        ("key: tiny\n", "key: tiny\nalone: true\n", 8, "no other stage"),
        ("key: tiny\n", "key: tiny\nalone: true\n", 17, "there are no roles"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_remedy(
    tmp_path: Path, was: str, becomes: str, line: int, says: str
) -> None:
    assert was in GOOD
    message = broken(tmp_path, GOOD.replace(was, becomes, 1))
    assert any(part.startswith(f"tiny.yaml, line {line}:") and says in part for part in message.splitlines()), message


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    message = broken(tmp_path, GOOD.replace("version: 1", "version: 0").replace("kind: belief", "kind: riddle"))
    assert len(message.splitlines()) >= 2


def test_alone_nothing_but_a_text_is_asked_for(tmp_path: Path) -> None:
    head, stages = GOOD.split("stages:\n")
    reflect = stages[stages.index("  - key: reflect") :]
    alone = f"alone: true\n{head}stages:\n{reflect}    gates:\n      - meeting: after\n"
    assert "only a text can be asked for" in broken(tmp_path, alone)
    file = tmp_path / "tiny.yaml"
    file.write_text(alone.replace("meeting: after", "text: own"), "utf-8")
    assert load(file).alone


@pytest.mark.parametrize("text", ["key: [", "", "just words", "- a\n- b", "stages: 3", "stages: [3]", "\tkey: x"])
def test_no_file_is_an_unforeseen_error(tmp_path: Path, text: str) -> None:
    assert "tiny.yaml, line" in broken(tmp_path, text)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProtocolError, match="UTF-8"):
        load(file)
