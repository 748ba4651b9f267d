"""Every route × every role once more, in a reflection without a partner and in a pairing round: a reflection is read by
its author and by nobody else, and who found whom is seen by the two alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from browsers import Browser
from factories import MadeCourse, make_course, make_settings
from flask import Flask
from home.placed import add_activity
from privacy import test_sweep as sweep
from sqlalchemy import select, update
from werkzeug.routing import Rule

from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember, CycleText, StageMark
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.people.models import Membership
from lti_tool.privacy import rules
from lti_tool.privacy.rules import Action
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.rounds.models import LineManager, PairingWish, RoundSettings
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

FIELDS = ("tried", "own_learning", "helped", "own_next")
NAMES = ("Niamh", "Seán")
"""The author of the reflections, and the one with whom they are paired in the round."""
LISTS_FIRST_NAMES = ("observation.words_for_notes",)
"""Holds the common first names that the tool ships, for the hint at pupils' names: they are of nobody here."""
WISH = "canary-wish"
"""What the author would like of the round."""
OFFICES = ("trainer", "guest", "leader", "administrator")
CHANGES_ONESELF = ("people.leave", "people.declare_leader")
THEIRS = {
    "reflection": {"other": ("reflection.begin",), "colleague": ("reflection.begin",)},
    "round": {"other": ("pairing.invite",)},
    "cycle": {"other": ("pairing.invite",)},
}
"""Kind → role → what it may well begin for itself."""


@dataclass
class World:
    """A course with a reflection, a round, and a coaching activity that takes its pairs from it."""

    app: Flask
    database: Database
    made: MadeCourse
    activities: dict[str, str]
    doors: dict[tuple[str, str], Browser]
    """(kind, role) → browser."""
    written: list[str] = field(default_factory=list)
    """Ids of the author's reflections: one submitted, and one just begun."""
    canaries: list[str] = field(default_factory=list)
    round_pair: str = ""


def build(database: Database, clock: Any) -> World:
    made = make_course(database, teachers=5, now=clock.now)
    app = create_app(make_settings(), database=database, clock=clock)
    of_round = add_activity(database, made, clock.now, title="Partners", kind="pairing")
    activities = {
        "reflection": add_activity(database, made, clock.now, title="End of term", kind="reflection"),
        "round": of_round,
        "cycle": add_activity(database, made, clock.now, title="Autumn", protocol="light", pairs_from_id=of_round),
    }
    people = dict(zip(("author", "partner", "colleague", "other", "left"), made.teachers, strict=True))
    people |= {office: getattr(made, office) for office in OFFICES}
    with database.write() as session:
        pairing.invite(
            session,
            host_id=people["author"],
            coach_id=people["partner"],
            course_id=made.course_id,
            activity_id=of_round,
            now=clock.now,
        )
        pair = pairing.accept(session, session.scalars(select(Invitation.id)).one(), clock.now)
        session.execute(update(Membership).where(Membership.id == people["left"]).values(is_active=False))
    doors = {
        (kind, role): Browser(app, database, clock, membership, activity)
        for kind, activity in activities.items()
        for role, membership in people.items()
    }
    world = World(app, database, made, activities, doors, round_pair=pair)
    author = doors["reflection", "author"]
    for number in ("1", "2"):
        cycle_id = author.post("/reflections", number=number).location.rsplit("/", 2)[-2]
        world.written.append(cycle_id)
        for key in FIELDS:
            world.canaries.append(f"canary-{number}-{key.replace('_', '-')}")
            author.post(f"/cycles/{cycle_id}/texts/{key}", text=world.canaries[-1])
        if number == "1":
            assert author.post(f"/cycles/{cycle_id}/reflect/submit").status_code == 303
    assert doors["reflection", "colleague"].post("/reflections").status_code == 303
    in_round = doors["round", "author"]
    assert in_round.post("/round/wishes", whole="1", do="yes", subject=WISH).status_code == 303
    assert in_round.post("/round/wishes/not-with", add=people["other"]).status_code == 303
    return world


def paths(world: World, rule: Rule) -> Iterator[str]:
    """The addresses of a route, for both reflections and each of their fields."""
    for cycle_id in world.written if "cycle_id" in rule.arguments else [""]:
        for key in FIELDS if "field_key" in rule.arguments else [""]:
            values = {
                "cycle_id": cycle_id,
                "field_key": key,
                "stage_key": "reflect",
                "membership_id": world.made.teachers[0],
                "pair_id": world.round_pair,
                "number": "1",
            }
            path = rule.rule.removeprefix("/at/<handle>")
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda match: values.get(match.group(1), "x"), path)  # noqa: B023


def routes(world: World, method: str) -> list[Rule]:
    every = world.app.url_map.iter_rules()
    return [rule for rule in every if rule.rule.startswith("/at/<handle>/") and method in (rule.methods or ())]


def leaks(world: World) -> Iterator[str]:
    """What is wrong, one sentence each."""
    yield from _reading(world)
    yield from _changing(world)


def _reading(world: World) -> Iterator[str]:
    seen = set()
    for (kind, role), browser in world.doors.items():
        is_author = (kind, role) == ("reflection", "author")
        for rule in routes(world, "GET"):
            for path in paths(world, rule):
                answer = browser.client.get(browser.at + path)
                page = answer.get_data(as_text=True)
                where = f"{role} in the {kind}: GET {path}"
                if answer.status_code >= 500:
                    yield f"{where} answers {answer.status_code}"
                found = {canary for canary in world.canaries if canary in page}
                if is_author:
                    seen |= found
                elif found and not (role == "author" and rule.endpoint.startswith(("ownership.", "years."))):
                    # What is one's own can be taken along from wherever one is.
                    yield f"{where} shows {found}"
                if WISH in page:
                    is_asked_for = kind == "round" and rule.endpoint == "rounds.wishes_form"
                    if role != "author" or not (is_asked_for or rule.endpoint.startswith("ownership.")):
                        yield f"{where} shows what somebody would like of a round"
                    seen.add(WISH)
                if "cycle_id" in rule.arguments and not is_author and answer.status_code not in (401, 404):
                    yield f"{where} answers {answer.status_code} to somebody who is not its author"
                if kind == "reflection" and rule.endpoint.startswith("pairing.") and answer.status_code != 404:
                    yield f"{where}: there are no pairs here"
                if kind != "reflection" and role not in ("author", "partner"):
                    if any(f"with {name}" in page for name in NAMES):
                        yield f"{where} shows who found whom"
                    sees_names = rule.endpoint in LISTS_FIRST_NAMES or role not in (*OFFICES[1:], "left")
                    if not sees_names and any(name in page for name in NAMES):
                        yield f"{where} shows names"
        if kind != "reflection" and role in ("author", "partner"):
            other = NAMES[role == "author"]
            wanted = f"You coach with {other}" if kind == "round" else f"Begin with {other}"
            if wanted not in browser.client.get(f"{browser.at}/").get_data(as_text=True):
                yield f"{role} in the {kind}: is not told “{wanted}”"
    if missing := {*world.canaries, WISH} - seen:
        yield f"the author is not shown {missing}"
    trainer = world.doors["reflection", "trainer"]
    if "Niamh" not in trainer.client.get(f"{trainer.at}/progress").get_data(as_text=True):
        yield "the trainer does not learn who has submitted"


def _changing(world: World) -> Iterator[str]:
    """Everybody else sends every form there is, at the author's reflections and at the pair of the round."""
    before = fingerprint(world)
    for (kind, role), browser in world.doors.items():
        if role in ("author", "partner"):
            continue
        for rule in sorted(routes(world, "POST"), key=lambda rule: rule.endpoint in CHANGES_ONESELF):
            if rule.endpoint in THEIRS[kind].get(role, ()) or (role, rule.endpoint) in sweep.THEIRS_TO_DO:
                continue
            if rule.endpoint in CHANGES_ONESELF:
                continue
            for path in paths(world, rule):
                answer = browser.post(path, text="overwritten", pair=world.round_pair, number="3", wish="swap")
                if answer.status_code >= 500:
                    yield f"{role} in the {kind}: POST {path} answers {answer.status_code}"
                if "cycle_id" in rule.arguments and answer.status_code not in (401, 404):
                    yield f"{role} in the {kind}: POST {path} answers {answer.status_code} to somebody else"
        if fingerprint(world) != before:
            yield f"{role} in the {kind} changed what is not theirs"
            before = fingerprint(world)


def fingerprint(world: World) -> list[list[str]]:
    """All cycles, pairs and texts."""
    models = (
        Cycle,
        CycleMember,
        CycleText,
        StageMark,
        ReflectionVersion,
        Pair,
        PairMember,
        LineManager,
        RoundSettings,
        PairingWish,
    )
    with world.database.read() as session:
        return [sorted(map(repr, session.execute(select(*model.__table__.columns)).all())) for model in models]


def test_a_reflection_is_its_authors_and_a_pair_of_a_round_is_known_to_the_two(database: Database, clock: Any) -> None:
    world = build(database, clock)
    assert not (found := list(leaks(world))), "\n".join(found)


def test_an_author_only_rule_that_is_gone_is_noticed(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two locks, one behind the other: the rules, and that a cycle is only ever loaded for one of its members.
    world = build(database, clock)
    for action in (Action.OPEN_CYCLE, Action.READ_TEXT, Action.READ_REFLECTION):
        monkeypatch.setitem(rules.RULES, action, lambda *_: True)
    loaded = cycles._frame
    monkeypatch.setattr(cycles, "_frame", lambda session, rows, person_id: loaded(session, rows, rows[0].person_id))
    assert any("shows {'canary-" in sentence for sentence in _reading(world))


@pytest.mark.parametrize("opened", [True, False])
def test_a_rule_of_taking_part_that_is_gone_is_noticed(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch, opened: bool
) -> None:
    world = build(database, clock)
    monkeypatch.setitem(rules.RULES, Action.TAKE_PART, lambda *_: opened)
    monkeypatch.setitem(rules.RULES, Action.BEGIN, lambda *_: opened)
    assert next(leaks(world), "")
