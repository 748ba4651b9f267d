"""Every protocol that can be brought or given out can be followed to its end, and none takes an address of ours."""

from typing import Any

import pytest
import yaml
from flask import Flask

from lti_tool.protocols import editing, reader
from lti_tool.protocols.reader import parse, shipped
from lti_tool.protocols.recipe import REFLECTION


def body_of(key: str) -> dict[str, Any]:
    return dict(yaml.safe_load(yaml.safe_dump(dict(shipped()[key].body))))


def stage_of(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in body["stages"] if each["kind"] == kind)


def said(body: dict[str, Any]) -> str:
    return " ".join(each.of for each in editing.check(body))


@pytest.mark.parametrize("key", sorted(shipped()))
def test_what_we_ship_can_be_followed_to_the_end(key: str) -> None:
    assert editing.check(body_of(key)) == []


def _two_without_a_coach() -> dict[str, Any]:
    body = body_of("share_plan")
    return body | {"people": {"least": 2, "most": 2}, "roles": ["host", "keeper"]}


def _met_nowhere() -> dict[str, Any]:
    body = body_of("light")
    stage = stage_of(body, "conversation")
    assert "visit" not in (stage.get("meetings") or [])
    stage["gates"] = [*(stage.get("gates") or []), {"meeting": "visit"}]
    return body


def _turn_of(role: str, key: str) -> dict[str, Any]:
    body = body_of(key)
    for stage in body["stages"]:
        if stage.get("first_turn"):
            stage["first_turn"] = role
            stage["gates"] = [each for each in stage.get("gates") or [] if "first_turn" not in each]
    assert any(stage.get("first_turn") for stage in body["stages"])
    return body


def _text_of(role: str, key: str) -> dict[str, Any]:
    body = body_of(key)
    stage = stage_of(body, "conversation")
    stage["fields"] = [
        *stage["fields"], {"key": "theirs", "by": role, "seen": "pair", "label": {"en": "x", "ga": "y"}}
    ]  # fmt: skip
    stage["gates"] = [*(stage.get("gates") or []), {"text": "theirs"}]
    return body


def _agreed_by(role: str, key: str) -> dict[str, Any]:
    body = body_of(key)
    start = stage_of(body, "start")
    (agreed,) = {key for each in start["agreements"] for key in each["fields"]}
    for each in start["fields"]:
        if each["key"] == agreed:
            each["by"] = role
    return body


def _unarranged() -> dict[str, Any]:
    body = body_of("collegial")
    stage = stage_of(body, "visit")
    stage["gates"] = [each for each in stage["gates"] if "meeting" not in each]
    del stage["meetings"]
    return body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (_two_without_a_coach(), "two people are host and coach"),
        (_met_nowhere(), "no meeting 'visit' is arranged"),
        (_turn_of("observer", "triad"), "without the observer"),
        (_text_of("member", "share_plan"), "without the member"),
        (_text_of("observer", "triad"), "without the observer"),
        (_agreed_by("member", "consultancy"), "without the member"),
        (_unarranged(), "Add `meetings: [visit]`"),
    ],
)
def test_what_nobody_could_finish_is_not_taken_and_stored_versions_stay(body: dict[str, Any], says: str) -> None:
    assert says in said(body)
    parse(body)


def test_a_text_of_who_leads_can_be_asked_for() -> None:
    for role, key in (("keeper", "consultancy"), ("coach", "triad"), ("both", "share_plan"), ("host", "light")):
        assert not said(_text_of(role, key)), role


def test_no_stage_has_an_address_of_ours(app: Flask) -> None:
    ours = set()
    for rule in app.url_map.iter_rules():
        parts = rule.rule.split("/")
        if "<cycle_id>" in parts and len(parts) > (after := parts.index("<cycle_id>") + 1):
            ours.add(parts[after])
    ours = {each for each in ours if each.isidentifier()} - {REFLECTION}
    assert {"next", "texts", "end"} <= ours
    assert ours <= set(reader.RESERVED)
