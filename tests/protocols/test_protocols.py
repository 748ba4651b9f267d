"""The shipped protocols keep the promises of the domain; a broken file is explained with file, line and remedy."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lti_tool.protocols.reader import (
    MAX_CHARACTERS,
    RESERVED,
    ProtocolError,
    load,
    parse,
    problems,
    read,
    shipped,
)
from lti_tool.protocols.recipe import (
    FORMS,
    GUIDES,
    MEETINGS,
    OPENINGS,
    OWN_GROUPS,
    PILLARS,
    PROMPT_KINDS,
    ROLES,
    STAGE_KINDS,
    STEPS,
    Agreement,
    Choice,
    Field,
    Group,
    Prompt,
    Protocol,
    Stage,
    Step,
)

BEFORE = Path(__file__).with_name("before")
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


def test_the_lightest_protocol_comes_first_those_for_groups_after_pairs_and_those_for_one_alone_last() -> None:
    found = list(shipped().values())
    assert found[0].key == "light"
    assert [(each.alone, each.is_for_group) for each in found] == sorted((e.alone, e.is_for_group) for e in found)


@pytest.mark.parametrize("key", shipped())
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
            assert "belief" in {prompt.kind for prompt in stage.all_prompts}, "R70"
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
    assert notes == {"notes_seen": "visit_done", "notes_questions": "first_turn_done", "own_class": None}, "R43, R64"
    own = protocol.field("own_class")
    assert own is not None and (own.by, own.seen) == ("coach", "author"), "R47"


def test_every_visit_has_a_card_of_six_lines_none_of_which_can_stay_empty() -> None:
    visits = {key: stage for key, each in shipped().items() for stage in each.stages if stage.kind == "visit"}
    assert set(visits) >= {"collegial", "five_step", "observer_learner", "demonstration", "lesson_study"}
    for key, visit in visits.items():
        card = [field.key for field in visit.fields if field.group == "card"]
        assert len(card) == 6, f"{key}: R60"
        assert {("text", each) for each in card} <= {(gate.needs, gate.of) for gate in visit.gates}, key


@pytest.mark.parametrize(("key", "minutes"), [("light", 10), ("collegial", None)])
def test_the_steps_of_a_conversation_take_the_time_it_has(key: str, minutes: int | None) -> None:
    for stage in shipped()[key].stages:
        if stage.kind == "conversation":
            assert sum(step.minutes for step in stage.steps) == stage.minutes == (minutes or stage.minutes)
            written = [each for step in stage.steps for each in step.fields]
            assert sorted(written) == sorted(each.key for each in stage.fields), "no text is left out of the steps"


def test_the_conversation_after_of_the_collegial_protocol() -> None:
    after = shipped()["collegial"].stage("after")
    assert after is not None and after.advice and after.leads == "coach"
    assert [step.key for step in after.steps if step.first_turn] == [after.steps[0].key] == ["host_first"], "R64"
    assert [step.key for step in after.steps if step.quiet] == ["read"]
    suggestion = shipped()["collegial"].field("suggestion")
    assert suggestion is not None and (suggestion.by, suggestion.opens) == ("coach", "advice_asked")
    steps = shipped()["collegial"].field("next_steps")
    assert steps is not None and steps.rests_on == "notes_seen", "R65"
    lower = shipped()["collegial"].at("talk").stage("after")
    assert lower is not None and not lower.advice and not any(step.advice for step in lower.steps)
    before = shipped()["collegial"].stage("before")
    assert before is not None and before.recalls == ("next_steps", "strategies"), "R62"


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


def test_a_stored_protocol_goes_on_whatever_addresses_came_since(tmp_path: Path) -> None:
    """No stage may be called like an address now; one that was stored before never stops the pages of its cycles, or
    the deletion of raw notes of all schools."""
    body = load_text(GOOD, tmp_path)
    for key in (*RESERVED, "card", "instrument", "capture", "picture"):
        renamed = {**body, "stages": [dict(body["stages"][0], key=key), *body["stages"][1:]]}
        assert parse(renamed).stages[0].key == key
        assert bool(problems(renamed)) == (key in RESERVED)


def load_text(text: str, tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "tiny.yaml"
    file.write_text(text, "utf-8")
    return dict(load(file).body)


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


GUIDED = """\
key: guided
version: 1
people: {least: 3, most: 6}
roles: [host, keeper, member]
form: problem_solving
family: {en: Consultancy, ga: Comhairle}
title: {en: Guided, ga: Treoraithe}
summary: {en: s, ga: s}
source: {en: s, ga: s}
stages:
  - key: talk
    kind: conversation
    speaks_first: host
    first_turn: host
    minutes: 20
    title: {en: Talk, ga: Caint}
    short: {en: talk, ga: caint}
    purpose: {en: p, ga: p}
    recalls: [steps]
    groups:
      - {key: record, title: {en: Record, ga: Taifead}}
    fields:
      - {key: question, by: host, seen: pair, label: {en: q, ga: c}}
      - {key: steps, by: both, seen: pair, group: record, rests_on: question, starters: true, label: {en: s, ga: c}}
      - key: sort
        by: keeper
        seen: pair
        several: true
        label: {en: k, ga: s}
        choices:
          - {key: plan, text: {en: Plan, ga: Plean}}
          - {key: work, text: {en: Work, ga: Obair}}
    steps:
      - key: present
        title: {en: Present, ga: Cur i láthair}
        minutes: 8
        speaks: host
        first_turn: true
        fields: [question]
        prompts:
          - {kind: belief, guide: full, pillar: design, text: {en: Why, ga: Cén fáth}}
      - {key: think, title: {en: Think, ga: Smaoinigh}, minutes: 2, quiet: true}
      - {key: answer, title: {en: Answer, ga: Freagair}, minutes: 10, speaks: all, fields: [steps, sort]}
  - key: reflect
    kind: reflection
    title: {en: Reflect, ga: Machnamh}
    short: {en: reflect, ga: machnamh}
    purpose: {en: p, ga: p}
    fields:
      - {key: own, by: each, seen: author, label: {en: Own, ga: Féin}}
"""


def test_a_guided_conversation_of_a_group() -> None:
    protocol = read(GUIDED, "guided.yaml")
    assert parse(protocol.body) == protocol
    assert (protocol.form, protocol.family.into("ga")) == ("problem_solving", "Comhairle")
    assert [protocol.fits(n) for n in (2, 3, 6, 7)] == [False, True, True, False] and protocol.is_for_group
    talk = protocol.stages[0]
    assert talk.leads == "keeper" and talk.talk == talk.steps
    assert [(step.key, step.minutes, step.speaks, step.quiet) for step in talk.steps] == [
        ("present", 8, "host", False),
        ("think", 2, "", True),
        ("answer", 10, "all", False),
    ]
    (prompt,) = talk.all_prompts
    assert (prompt.guide, prompt.pillar) == ("full", "design")
    sort = protocol.field("sort")
    assert sort is not None and sort.several and [choice.key for choice in sort.choices] == ["plan", "work"]


def test_a_stage_lasts_as_long_as_its_steps_where_it_does_not_say() -> None:
    assert read(GUIDED.replace("    minutes: 20\n", ""), "guided.yaml").stages[0].minutes == 20


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ("{least: 3, most: 6}", "{least: 7, most: 6}", 3, "`least` is more than `most`"),
        ("{least: 3, most: 6}", "{least: 3, most: 9}", 3, "whole number from 1 to 8"),
        ("{least: 3, most: 6}", "{least: 1, most: 6}", 3, "`alone: true`"),
        ("[host, keeper, member]", "[host, coach, member]", 4, "Add `keeper`"),
        ("[host, keeper, member]", "[host, keeper, coach]", 4, "Add `member`"),
        ("[host, keeper, member]", "[host, guide, member]", 4, "Choose one of: host, coach"),
        ("[host, keeper, member]", "[host, coach, observer, keeper, member]", 4, "3 people cannot fill these roles"),
        ("form: problem_solving", "form: chat", 5, "Choose one of: coaching"),
        ("speaks_first: host", "speaks_first: coach", 13, "nobody is coach here. Roles of this protocol: host, keeper"),
        ("by: keeper", "by: observer", 26, "nobody is observer here"),
        ("    first_turn: host\n", "", 33, "Add `first_turn: host`"),
        ("        first_turn: true\n", "", 33, "in exactly one"),
        ("minutes: 20", "minutes: 19", 15, "the steps take 20 minutes, the stage 19"),
        ("recalls: [steps]", "recalls: [staps]", 19, "'staps' is not a text that both see"),
        ("recalls: [steps]", "recalls: [own]", 19, "'own' is not a text that both see"),
        ("{key: record,", "{key: notes,", 21, "heading of its own"),
        ("group: record", "group: recrod", 24, "Add it to `groups`"),
        ("group: record, ", "", 21, "no field is in 'record'"),
        ("rests_on: question", "rests_on: own", 24, "'own' is not a text of this or an earlier stage"),
        ("          - {key: work, text: {en: Work, ga: Obair}}\n", "", 30, "at least two choices"),
        ("{key: work, text", "{key: plan, text", 32, "used twice"),
        (
            "fields: [question]",
            "fields: [quest]",
            39,
            "'quest' is not a field of this stage. Its fields: question, sort",
        ),
        ("[steps, sort]", "[steps, question]", 43, "used twice"),
        ("guide: full", "guide: blank", 41, "Choose one of: full, light"),
        ("pillar: design", "pillar: maths", 41, "communication"),
        ("minutes: 2, quiet: true", "minutes: 2, quiet: true, speaks: all", 42, "nobody speaks in a quiet step"),
        ("minutes: 2, quiet: true", "minutes: 2", 42, "does not say who speaks"),
        ("minutes: 10, speaks: all", "minutes: 10, speaks: all, advice: true", 43, "Add `advice: true` to it"),
        ("    recalls: [steps]", "    advice: true", 19, "what a host asks of a coach"),
        ("by: host, seen: pair", "by: host, seen: pair, opens: advice_asked", 23, "no advice on request"),
        ("key: think", "key: present", 42, "used twice"),
        ("{en: q, ga: c}", "{en: true, ga: c}", 23, "Put quotes around it"),
    ],
)
def test_what_is_wrong_with_steps_and_groups_is_said(was: str, becomes: str, line: int, says: str) -> None:
    assert was in GUIDED
    with pytest.raises(ProtocolError) as caught:
        read(GUIDED.replace(was, becomes, 1), "guided.yaml")
    message = str(caught.value)
    assert any(part.startswith(f"guided.yaml, line {line}:") and says in part for part in message.splitlines()), message


@pytest.mark.parametrize(("file", "stages"), [("light-1.yaml", 4), ("collegial-2.yaml", 5)])
def test_a_cycle_that_began_with_an_older_recipe_goes_on_with_it(file: str, stages: int) -> None:
    protocol = parse(load(BEFORE / file).body)
    assert len(protocol.stages) == stages
    assert (protocol.roles, protocol.least, protocol.most, protocol.form) == (("host", "coach"), 2, 2, "coaching")
    for stage in protocol.stages:
        assert not stage.steps and not stage.recalls and not stage.advice
        (only,) = stage.talk
        assert only.prompts == stage.prompts == stage.all_prompts
        assert only.fields == tuple(each.key for each in stage.fields)
        assert all(prompt.guide == "light" for prompt in stage.prompts)
        assert stage.leads == ("coach" if stage.kind == "conversation" else None)
    assert [each.key for each in protocol.at("look").stages if protocol.has_ladder] in (
        [],
        ["start", "visit", "reflect"],
    )


def test_a_lower_step_leaves_out_what_rests_on_what_is_not_there() -> None:
    body = read(GUIDED, "guided.yaml").body
    talk = body["stages"][0]
    notes = {"key": "seen", "by": "keeper", "seen": "pair", "raw": True, "from_step": "talk", "label": WORDS}
    asked = {"key": "asked", "by": "keeper", "seen": "pair", "opens": "first_turn_done", "from_step": "full"}
    fields = [notes, dict(asked, label=WORDS), dict(talk["fields"][1], rests_on="seen")]
    steps = [
        {"key": "one", "title": WORDS, "speaks": "host", "first_turn": True, "fields": ["seen"]},
        {"key": "two", "title": WORDS, "speaks": "all", "from_step": "full", "fields": ["asked"]},
        {"key": "three", "title": WORDS, "speaks": "all", "fields": ["steps"], "prompts": talk["steps"][0]["prompts"]},
    ]
    protocol = parse({**body, "stages": [dict(talk, fields=fields, steps=steps), body["stages"][1]]})
    low, full = protocol.at("look").stages[0], protocol.at("full").stages[0]
    assert [step.key for step in full.steps] == ["one", "two", "three"] and full.steps[0].first_turn
    assert [(step.key, step.fields) for step in low.steps] == [("one", ()), ("three", ("steps",))]
    assert not any(step.first_turn for step in low.steps) and low.first_turn is None
    assert [each.rests_on for each in low.fields] == [""] and full.fields[-1].rests_on == "seen"
    assert low.recalls == ("steps",) and [group.key for group in low.groups] == ["record"]


WORDS = {"en": "w", "ga": "f"}


def test_a_conversation_has_something_to_talk_about_before_advice() -> None:
    body = read(GUIDED, "guided.yaml").body
    steps = [
        {"key": "one", "title": WORDS, "speaks": "all", "advice": True},
        {"key": "two", "title": WORDS, "speaks": "all", "from_step": "full"},
    ]
    with pytest.raises(ProtocolError, match="nothing to talk about before the host asks for advice"):
        parse({**body, "stages": [dict(body["stages"][0], advice=True, steps=steps), body["stages"][1]]})


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1, 2]\nb: *x",
        "a: &x [*x]",
        "- " * 5_000,
        "a: \0",
        "a: 2026-99-99",
        "version: " + "9" * 6_000,
        "a: !foo x",
        "key: 2026-01-01\nstages: 1.5",
        "x" * (MAX_CHARACTERS + 1),
        "stages:\n" + "  - key: a\n" * 10_000,
        GOOD.replace("en: Tiny", 'en: "T\\0"'),
        GOOD.replace("en: Tiny", f"en: {'T' * 5_000}"),
    ],
)
def test_no_import_is_an_unforeseen_error(text: str) -> None:
    with pytest.raises(ProtocolError, match="import"):
        read(text, "import")


def test_the_page_for_authors_names_every_key_and_its_example_can_be_read() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "protocols.md").read_text("utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert read(example, "two_talks.yaml").key == "two_talks"
    with pytest.raises(ProtocolError) as caught:
        read(example.replace("fields: [next_steps]", "fields: [next]"), "two_talks.yaml")
    assert str(caught.value) in page, "the error on the page is the one that is said"
    called = {"max_length": "max", "least": "people", "most": "people"}
    for kind in (Protocol, Stage, Step, Prompt, Field, Choice, Agreement, Group):
        for each in fields(kind):
            name = called.get(each.name, each.name)
            assert name == "body" or f"`{name}`" in page or f"{name}: …" in page, f"{kind.__name__}.{name}"
    for values in (FORMS, STAGE_KINDS, PROMPT_KINDS, GUIDES, PILLARS, ROLES, OPENINGS, MEETINGS, STEPS, OWN_GROUPS):
        assert all(f"`{each}`" in page for each in values), values
