"""The difference of two versions names every edit, and nothing where there is none; each change is one sentence."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from protocols.test_protocols import BEFORE, GUIDED

from lti_tool.protocols import words
from lti_tool.protocols.difference import STRUCTURE, Change, attributes_of, difference
from lti_tool.protocols.reader import load, read, shipped
from lti_tool.protocols.recipe import (
    Agreement,
    Choice,
    Field,
    Gate,
    Group,
    Prompt,
    Protocol,
    Stage,
    Step,
    Words,
)

PROTOCOLS = (*(shipped()[key] for key in ("light", "collegial", "reflection")), read(GUIDED, "guided.yaml"))
KINDS: dict[str, type] = {
    "protocol": Protocol, "stage": Stage, "step": Step, "prompt": Prompt, "field": Field, "choice": Choice,
    "agreement": Agreement, "group": Group,
}  # fmt: skip
LISTS = {
    Protocol: {"stages": "stage"},
    Stage: {
        "steps": "step",
        "prompts": "prompt",
        "fields": "field",
        "agreements": "agreement",
        "groups": "group",
        "statements": "statement",
    },
    Step: {"prompts": "prompt"},
    Field: {"choices": "choice"},
}
"""Where parts stand in parts."""

Path = tuple[tuple[str, int], ...]
"""(name of the list, index) from the whole protocol down."""


def parts(thing: Any, part: str = "protocol", path: Path = ()) -> list[tuple[str, Path, Any]]:
    """Every part of a protocol, with where it is."""
    found = [(part, path, thing)]
    for name, inner in LISTS.get(type(thing), {}).items():
        for i, each in enumerate(getattr(thing, name)):
            found += parts(each, inner, (*path, (name, i)))
    return found


def changed(thing: Any, path: Path, edit: Callable[[Any], Any]) -> Any:
    """A protocol in which one part is another."""
    if not path:
        return edit(thing)
    (name, i), *rest = path
    these = list(getattr(thing, name))
    these[i] = changed(these[i], tuple(rest), edit)
    return replace(thing, **{name: tuple(these)})


def with_it(attribute: str, value: Any) -> Callable[[Any], Any]:
    """An edit that sets one attribute."""
    return lambda each: replace(each, **{attribute: value})


def another(attribute: str, value: Any) -> Any:
    """A value that is not the one that was, as it could be."""
    if isinstance(value, Words):
        return Words(value.en + " indeed", value.ga)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, tuple):
        odd = {"purpose_at": ("look", Words("w", "f")), "gates": Gate("meeting", "work"), "meetings": "work"}
        return value[1:] if value else (odd.get(attribute, "host"),)
    others = {
        "form": ("coaching", "share_plan"), "guide": ("light", "full"), "from_step": ("look", "talk"),
        "seen": ("pair", "author"), "opens": (None, "visit_done"), "pillar": ("", "design"), "rests_on": ("", "goal"),
        "group": ("", "card"), "by": ("both", "host"), "speaks": ("", "all"),
        "kind": ("conversation", "work") if value in ("start", "conversation", "visit", "work", "reflection")
        else ("belief", "cause"),
    }  # fmt: skip
    one, other = others.get(attribute, ("host", "coach"))
    return other if value == one else one


def said(app: Flask, changes: tuple[Change, ...]) -> list[str]:
    with app.test_request_context("/"):
        return [str(each) for each in words.sentences(changes)]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda each: each.key)
def test_nothing_is_different_from_itself(protocol: Protocol) -> None:
    assert difference(protocol, replace(protocol, key="copy", version=7)) == ()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_an_attribute_that_was_changed_is_named(data: st.DataObject) -> None:
    protocol = data.draw(st.sampled_from(PROTOCOLS))
    part, path, thing = data.draw(st.sampled_from([each for each in parts(protocol) if each[0] != "statement"]))
    attribute = data.draw(st.sampled_from(list(attributes_of(part, type(thing)))))
    now = another(attribute, getattr(thing, attribute))
    edited = changed(protocol, path, with_it(attribute, now))
    found = difference(protocol, edited)
    assert any((each.part, each.verb, each.attribute) == (part, "changed", attribute) for each in found), found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_was_taken_out_put_in_or_moved_is_named(data: st.DataObject) -> None:
    protocol = data.draw(st.sampled_from(PROTOCOLS))
    inner = [each for each in parts(protocol) if each[1]]
    part, path, thing = data.draw(st.sampled_from(inner))
    (name, i), holder = path[-1], path[:-1]
    these = next(list(getattr(each, name)) for _part, at, each in parts(protocol) if at == holder)
    without = these[:i] + these[i + 1 :]
    less = changed(protocol, holder, with_it(name, tuple(without)))
    assert ("removed", part) in {(each.verb, each.part) for each in difference(protocol, less)}
    assert ("added", part) in {(each.verb, each.part) for each in difference(less, protocol)}
    j = data.draw(st.integers(0, len(without)))
    moved = [*without[:j], thing, *without[j:]]
    other = changed(protocol, holder, with_it(name, tuple(moved)))
    assert {(each.verb, each.part) for each in difference(protocol, other)} == (
        {("moved", part)} if moved != these else set()
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_there_is_a_difference_exactly_where_two_are_not_the_same(data: st.DataObject) -> None:
    protocol = edited = data.draw(st.sampled_from(PROTOCOLS))
    for _turn in range(data.draw(st.integers(1, 4))):
        part, path, thing = data.draw(st.sampled_from([each for each in parts(edited) if each[0] != "statement"]))
        attribute = data.draw(st.sampled_from(list(attributes_of(part, type(thing)))))
        now = another(attribute, getattr(thing, attribute))
        edited = changed(edited, path, with_it(attribute, now))
    assert bool(difference(protocol, edited)) == (protocol != edited)


def test_every_change_has_a_sentence(app: Flask) -> None:
    every = {
        (part, attribute, bool(getattr(thing, attribute))): (protocol, path, thing)
        for protocol in PROTOCOLS
        for part, path, thing in parts(protocol)
        if part != "statement"
        for attribute in attributes_of(part, type(thing))
    }
    for (_part, attribute, _is), (protocol, path, thing) in every.items():
        edited = changed(protocol, path, with_it(attribute, another(attribute, getattr(thing, attribute))))
        for found in (difference(protocol, edited), difference(edited, protocol)):
            assert found and all(said(app, found)), attribute
    assert {part for part, _verb in words._WENT} == STRUCTURE.keys() - {"protocol"}
    for part, kind in KINDS.items():
        for attribute in attributes_of(part, kind):
            assert (part, attribute) in words._CHANGED or ("", attribute) in words._CHANGED, (part, attribute)


def test_a_revision_of_a_protocol_reads_as_people_would_tell_it(app: Flask) -> None:
    old = shipped()["light"]
    before = old.stage("before")
    assert before is not None
    think, show = before.steps
    extra = Prompt("transfer", Words("Where else would you use it?", "Cá háit eile a n-úsáidfeá é?"))
    steps = (show, replace(think, minutes=4, prompts=(think.prompts[0], extra)))
    goal = replace(before.fields[0], opens="visit_done")
    stage = replace(before, steps=steps, fields=(goal, *before.fields[1:]))
    new = replace(old, stages=tuple(stage if each is before else each for each in old.stages if each.key != "after"))
    assert said(app, difference(old, new)) == [
        "The stage “Conversation after” was taken out.",
        "Conversation before › The goal: It opens to the others once the visit is over now.",
        "Conversation before: The step “What would show it” was moved. It comes first now.",
        "Conversation before › The host thinks aloud: It takes 4 minutes now; before, it took 6.",
        "Conversation before › The host thinks aloud: The prompt “What should pupils be able to do at the end that "
        "they can’t do yet?” was taken out.",
        "Conversation before › The host thinks aloud: The prompt “Which part of the lesson asks the most thinking of "
        "pupils?” was taken out.",
        "Conversation before › The host thinks aloud: The prompt “Where else would you use it?” is new.",
    ]


def test_a_prompt_and_a_text_that_went_elsewhere_are_not_new() -> None:
    old = shipped()["light"]
    before, after = old.stage("before"), old.stage("after")
    assert before is not None and after is not None
    prompt, text = before.steps[0].prompts[0], before.fields[1]
    there = replace(
        before,
        fields=before.fields[:1],
        steps=(replace(before.steps[0], prompts=before.steps[0].prompts[1:]), before.steps[1]),
    )
    here = replace(after, fields=(*after.fields, text), prompts=(prompt,))
    new = replace(old, stages=tuple({"before": there, "after": here}.get(each.key, each) for each in old.stages))
    found = [(each.part, each.verb, each.attribute, each.old, each.new) for each in difference(old, new)]
    assert found == [
        ("field", "moved", "within", (before.title,), (after.title,)),
        ("prompt", "moved", "within", (before.title, before.steps[0].title), (after.title,)),
    ]


def test_the_versions_that_were_shipped_can_be_told_apart(app: Flask) -> None:
    for file, key in (("light-1.yaml", "light"), ("collegial-2.yaml", "collegial")):
        found = said(app, difference(load(BEFORE / file), shipped()[key]))
        assert any("The step" in each and "is new" in each for each in found)
        assert not any("was taken out" in each for each in found if "prompt" in each), "the prompts went into steps"


def test_every_field_of_the_recipe_is_compared() -> None:
    for part, kind in KINDS.items():
        named = set(attributes_of(part, kind)) | STRUCTURE[part]
        assert named == {each.name for each in fields(kind)}
