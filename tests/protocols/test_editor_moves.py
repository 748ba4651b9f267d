"""Whatever a trainer does in the forms, one after the other: the draft is one that can be followed, or it is said where
it is wrong; and it goes out as a file and comes back the same."""

import itertools
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.protocols import editing, files, reader
from lti_tool.protocols.difference import difference
from lti_tool.protocols.reader import ProtocolError, shipped
from lti_tool.protocols.recipe import STEPS

KEYS = sorted(shipped())
ROW = st.sampled_from(
    [f"{letter}{i}" for letter in "psf" for i in range(4)] + [f"s{i}p{j}" for i in (0, 2) for j in (0, 1)]
)
TEXT = st.text(max_size=30) | st.sampled_from(
    ["", "Cé hé sin?", "yes", "12", "2026-12-01", "- *a", "{en: x}", "x" * 3000]
)
LANGUAGE = st.sampled_from(["en", "ga"])
BOXES = (
    *("title", "short", "purpose", "p0", "pnew", "s0-title", "s1-text", "snew-title", "s0pnew", "f0-label"),
    *("f1-help", "fnew-label", "a0-text", "g0-title", "f0c0"),
)
BOX = st.tuples(st.sampled_from(BOXES), LANGUAGE, TEXT).map(lambda it: (f"text-{it[0]}-{it[1]}", it[2]))
NUMBER = st.tuples(st.sampled_from(["minutes", "s0-minutes", "s1-minutes"]), st.integers(-5, 600).map(str) | TEXT)
CHOICE = st.tuples(
    st.sampled_from(["p0-kind", "p0-guide", "pnew-pillar", "s0-speaks", "f0-seen", "f2-seen", "fnew-by"]),
    st.sampled_from(["belief", "full", "design", "", "all", "keeper", "pair", "author", "both", "each", "coach"]),
)
MOVE = st.tuples(
    st.integers(0, 6),
    st.lists(BOX | NUMBER | CHOICE, max_size=4).map(dict),
    st.just("") | st.tuples(st.sampled_from(["up", "down", "remove"]), ROW).map(" ".join),
    st.booleans(),
)


def form_of(stage: dict[str, Any]) -> dict[str, str]:
    """What a browser sends of a stage that nobody touched, as far as rows go."""
    found = {}
    for box, words, _most in editing.texts_of(stage):
        found |= {f"text-{box}-{language}": words[language] for language in ("en", "ga")}
    for i, step in enumerate(stage.get("steps") or []):
        found |= {f"s{i}-key": step["key"], f"s{i}-minutes": str(step.get("minutes", 0))}
        found[f"s{i}-speaks"] = step.get("speaks") or ""
        for j, prompt in enumerate(step.get("prompts") or []):
            found |= _prompt(f"s{i}p{j}", prompt)
    for i, prompt in enumerate(stage.get("prompts") or []):
        found |= _prompt(f"p{i}", prompt)
    for i, each in enumerate(stage.get("fields") or []):
        found |= {f"f{i}-key": each["key"], f"f{i}-by": each["by"], f"f{i}-seen": editing.audience_of(each)}
        found |= {f"f{i}c{j}-key": choice["key"] for j, choice in enumerate(each.get("choices") or [])}
    for name, letter in (("agreements", "a"), ("groups", "g")):
        found |= {f"{letter}{i}-key": each["key"] for i, each in enumerate(stage.get(name) or [])}
    found["fnew-by"] = "each"
    return found


def _prompt(row: str, prompt: dict[str, Any]) -> dict[str, str]:
    return {
        f"{row}-kind": prompt["kind"],
        f"{row}-guide": prompt.get("guide", "light"),
        f"{row}-pillar": prompt.get("pillar", ""),
    }


def plain(body: Any) -> dict[str, Any]:
    """As the database gives it back."""
    return dict(json.loads(json.dumps(body)))


@pytest.mark.parametrize("key", KEYS)
def test_a_form_that_nobody_touched_changes_nothing(key: str) -> None:
    body = plain(editing.copied(shipped()[key].body))
    for stage in body["stages"]:
        typed = editing.read_stage(body, stage["key"], form_of(stage))
        assert reader.parse(typed) == reader.parse(body)
    head = {"draft-ga": "yes"} if "ga" in body.get("drafts", []) else {}
    assert reader.parse(editing.read_head(body, head)) == reader.parse(body)


@settings(max_examples=300 if os.environ.get("MEITHEAL_SOAK") == "1" else 25, deadline=None)
@given(st.sampled_from(KEYS), st.lists(MOVE, max_size=6))
def test_whatever_is_done_the_draft_can_be_followed_or_it_is_said_where_it_is_wrong(
    key: str, moves: list[tuple[int, dict[str, str], str, bool]]
) -> None:
    body = plain(editing.copied(shipped()[key].body))
    widest = {each.key: (each.seen, each.opens) for each in _fields(body)}
    for number, typed, do, whole in moves:
        stage = body["stages"][number % len(body["stages"])]
        if whole:
            done = editing.move_stage(body, f"{do.split()[0]} {stage['key']}" if do else "")
        else:
            form = form_of(stage) | typed
            done = editing.arrange(editing.read_stage(body, stage["key"], form), stage["key"], do)
        if wrong := editing.check(done):
            stages = {each["key"] for each in body["stages"]}
            assert all(each.stage in stages or each.problem is not editing.Problem.OTHER for each in wrong)
            continue
        found = reader.parse(done)
        assert found.alone or all(found.at(step).stages[0].agreements for step in STEPS), "a pair gets past the start"
        body = plain(done)
        for each in _fields(body):
            _seen, opens = widest.setdefault(each.key, (each.seen, each.opens))
            assert opens is None or each.opens == opens or each.seen == "author", "what opens late stays so"
    file = files.as_file(body)
    back = files.from_file(file.encode(), "file")
    assert files.as_file(back) == file
    assert reader.parse(back).stages == reader.parse(body).stages


def _fields(body: dict[str, Any]) -> list[Any]:
    return [each for stage in reader.parse(body).stages for each in stage.fields]


@pytest.mark.parametrize("key", KEYS)
def test_every_shipped_protocol_goes_out_and_comes_back_byte_by_byte(key: str) -> None:
    file = files.as_file(shipped()[key].body)
    back = files.from_file(file.encode(), "file")
    assert files.as_file(back) == file and reader.parse(back).stages == shipped()[key].stages
    assert not editing.check(back), "what is shipped can be brought"


LIGHT = files.as_file(shipped()["light"].body)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "expected lines"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a\0b", "line 1"),
        (b"- 1\n- 2\n", "expected lines"),
        (b"a: &a [x]\nb: *a\n", "references"),
        (b"a: &a " + b"[" * 40 + b"]" * 40 + b"\n", "line 1"),
        (b"[" * 3000, "line 1"),
        (b"a: !!python/object/apply:os.system ['id']\n", "line 1"),
        (b"a: !!binary x\n", "line 1"),
        (b"x: " + b"y" * 900_000, "Shorten"),
        (b"key: " + b"9" * 6000 + b"\n", "line 1"),
        (b"a: 0x_\nb: 2026-13-45\n", "line 1"),
        (LIGHT.replace("version: 2", "version: 99999").encode(), "line 4"),
        (LIGHT.replace("by: host", "by: principal", 1).encode(), "'principal' is not allowed"),
        (LIGHT.replace("seen: author", "seen: everybody", 1).encode(), "'everybody' is not allowed"),
        (LIGHT.replace("key: start", "key: texts", 1).encode(), "address of its own"),
    ],
)
def test_a_file_that_is_none_is_refused_by_line_with_a_remedy(file: bytes, said: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        files.from_file(file, "Your file")
    assert said in str(raised.value)


def test_stages_between_and_rows_can_go_or_close_and_no_reason_speaks_of_the_file() -> None:
    for key in KEYS:
        body = plain(editing.copied(shipped()[key].body))
        tried = [editing.move_stage(body, f"remove {stage['key']}") for stage in body["stages"]]
        assert not any(editing.check(done) for done in tried), key
        rows = [
            editing.arrange(body, stage["key"], f"remove {letter}{i}")
            for stage in body["stages"]
            for letter, name in (("s", "steps"), ("f", "fields"), ("p", "prompts"))
            for i, _row in enumerate(stage.get(name) or [])
        ]
        rows += [
            editing.read_stage(body, stage["key"], form_of(stage) | {f"f{i}-seen": audience})
            for stage in body["stages"]
            for i, each in enumerate(stage.get("fields") or [])
            for audience in editing.audiences_of(body, stage, each)[1:]
        ]
        said = [each for done in rows for each in editing.check(done)]
        assert not [each for each in said if each.problem is editing.Problem.OTHER], key


def test_with_the_talk_after_go_its_time_its_turn_and_what_it_opened() -> None:
    body = plain(shipped()["collegial"].body)
    found = reader.parse(editing.move_stage(body, "remove after"))
    visit = found.stage("visit")
    assert visit and visit.meetings == ("visit",) and "after" not in str(visit.gates)
    seen = {each.key: (each.seen, each.opens) for each in visit.fields}
    assert seen["notes_questions"] == ("author", None) and seen["notes_seen"] == ("pair", "visit_done")
    without_first = reader.parse(editing.arrange(body, "after", "remove s0"))
    after = without_first.stage("after")
    assert after and after.first_turn is None and [gate.needs for gate in after.gates] == ["text"]


def test_what_opens_late_and_then_never_does_not_open_at_once_later() -> None:
    body = plain(shipped()["collegial"].body)
    stage = next(each for each in body["stages"] if each["key"] == "after")
    (late,) = (i for i, each in enumerate(stage["fields"]) if each.get("opens"))

    def seen(body: dict[str, Any], audience: str) -> dict[str, Any]:
        return editing.read_stage(body, "after", form_of(stage) | {f"f{late}-seen": audience})

    narrowed = seen(body, "author")
    assert not editing.check(narrowed)
    suggestion = reader.parse(narrowed).field("suggestion")
    assert suggestion and (suggestion.seen, suggestion.opens) == ("author", None)
    (told,) = difference(reader.parse(body), reader.parse(narrowed))
    assert told.attribute == "seen"
    assert seen(narrowed, "pair") == narrowed
    assert reader.parse(seen(narrowed, "advice_asked")) == reader.parse(body), "it can open again when it did"


OPTIONAL = {
    "stage": ("first_turn", "meetings", "statements", "prompts", "fields", "shows", "agreements", "gates", "leads",
              "purpose_at", "steps", "recalls", "groups", "minutes", "from_step"),
    "step": ("text", "minutes", "speaks", "prompts", "fields", "from_step"),
    "field": ("help", "opens", "choices", "rests_on", "group", "from_step", "rows"),
    "": ("drafts", "roles", "people", "family", "form"),
}  # fmt: skip


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in OPTIONAL.items() for name in names])
def test_what_a_file_leaves_empty_can_be_worked_with_or_is_refused(part: str, name: str) -> None:
    empties: tuple[Any, ...] = (None, [], {})
    for key, empty in itertools.product(("after", "visit"), empties):
        body = plain(shipped()["collegial"].body)
        stage = next(each for each in body["stages"] if each["key"] == key)
        for holder in {"": [body], "stage": [stage], "step": stage.get("steps", []), "field": stage["fields"]}[part]:
            holder[name] = empty
        if reader.problems(body) or editing.check(body):
            continue
        typed = editing.read_head(editing.read_stage(body, key, form_of(stage)), {})
        editing.check(editing.arrange(typed, key, "remove f0"))
        editing.check(editing.move_stage(typed, f"remove {key}"))
