"""Every route × every role once more, where teachers form groups: what a group is about is read by those who take part,
what it writes by its members, and a reflection by its author; nobody else changes anything of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from browsers import Browser
from factories import MadeCourse, make_course, make_settings
from flask import Flask
from home.placed import add_activity
from privacy import test_sweep as sweep
from sqlalchemy import select, update
from werkzeug.routing import Rule

from lti_tool.cycles.models import AgreementSigned, Cycle, CycleMember, CycleText, StageMark
from lti_tool.groups.models import Group
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership
from lti_tool.privacy import rules
from lti_tool.privacy.rules import Action
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

MEMBERS = ("host", "second", "third")
OTHERS = ("gone", "other", "colleague", "left")
"""Of whom one was in the group while its cycle ran, one is in another group, one in none, one left the course."""
OFFICES = ("trainer", "guest", "leader", "administrator")
ABOUT, NORMS, OWN = "canary-about", "canary-norms", "canary-own"
CHANGES_ONESELF = ("people.leave", "people.declare_leader")
THEIRS = ("groups.found", "groups.join", "groups.say", "groups.leave", "groups.pause", "groups.resume", "groups.bring")
"""What a teacher who takes part may do with the group they are in, or would found or join."""


@dataclass
class World:
    """An activity with a group of three whose cycle runs, a fourth who left it, and another group of one."""

    app: Flask
    database: Database
    made: MadeCourse
    group_id: str
    cycle_id: str
    doors: dict[str, Browser]


def build(database: Database, clock: Any) -> World:
    made = make_course(database, teachers=7, now=clock.now)
    app = create_app(make_settings(), database=database, clock=clock)
    activity = add_activity(database, made, clock.now, title="Groups", kind="group", protocol="consultancy")
    people = dict(zip((*MEMBERS, *OTHERS), made.teachers, strict=True))
    people |= {office: getattr(made, office) for office in OFFICES}
    doors = {role: Browser(app, database, clock, membership, activity) for role, membership in people.items()}
    doors["host"].post("/groups/new", kind="theme", title=ABOUT)
    doors["other"].post("/groups/new", kind="book", title="Another")
    with database.write() as session:
        group_id = session.scalars(select(PairMember.pair_id).where(PairMember.membership_id == people["host"])).one()
    for role in ("second", "third", "gone"):
        assert doors[role].post(f"/groups/{group_id}/join").status_code == 303
    doors["host"].post("/group/bring")
    with database.write() as session:
        cycle_id = session.scalars(select(Cycle.id)).one()
        session.execute(update(Membership).where(Membership.id == people["left"]).values(is_active=False))
    doors["host"].post(f"/cycles/{cycle_id}/texts/norms", text=NORMS)
    doors["host"].post(f"/cycles/{cycle_id}/texts/own_learning", text=OWN)
    assert doors["gone"].post("/group/leave").status_code == 303
    return World(app, database, made, group_id, cycle_id, doors)


def paths(world: World, rule: Rule) -> Iterator[str]:
    """The addresses of a route, for the group, its cycle and the two fields."""
    for key in ("norms", "own_learning") if "field_key" in rule.arguments else [""]:
        for stage in ("start", "reflect") if "stage_key" in rule.arguments else [""]:
            values = {
                "cycle_id": world.cycle_id, "group_id": world.group_id, "pair_id": world.group_id, "field_key": key,
                "stage_key": stage, "membership_id": world.made.teachers[0], "item": "together", "number": "1",
            }  # fmt: skip
            path = rule.rule.removeprefix("/at/<handle>")
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda match: values.get(match.group(1), "x"), path)  # noqa: B023


def routes(world: World, method: str) -> list[Rule]:
    every = world.app.url_map.iter_rules()
    return [rule for rule in every if rule.rule.startswith("/at/<handle>/") and method in (rule.methods or ())]


def reading(world: World) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for role, browser in world.doors.items():
        for rule in routes(world, "GET"):
            for path in paths(world, rule):
                answer = browser.client.get(browser.at + path)
                page, where = answer.get_data(as_text=True), f"{role}: GET {path}"
                if answer.status_code >= 500:
                    yield f"{where} answers {answer.status_code}"
                found = {canary for canary in (ABOUT, NORMS, OWN) if canary in page}
                seen |= {(role, canary) for canary in found}
                if ABOUT in found and role not in (*MEMBERS, "gone", "other", "colleague"):
                    yield f"{where} shows what the group is about"
                if NORMS in found and role not in MEMBERS:
                    yield f"{where} shows what the group wrote"
                if OWN in found and role != "host":
                    yield f"{where} shows a reflection"
                is_stranger = role not in (*MEMBERS, "gone")
                if "cycle_id" in rule.arguments and is_stranger and answer.status_code not in (401, 404):
                    yield f"{where} answers {answer.status_code} to somebody outside the group"
                names = any(name in page for name in ("Gráinne", "Seán"))
                if role in ("guest", "leader", "administrator", "left") and names:
                    yield f"{where} shows names"
    wanted = {(role, ABOUT) for role in (*MEMBERS, "gone", "other", "colleague")}
    wanted |= {(role, NORMS) for role in MEMBERS} | {("host", OWN)}
    if missing := wanted - seen:
        yield f"not shown to whom it is for: {sorted(missing)}"


def changing(world: World) -> Iterator[str]:
    """Everybody outside the group sends every form there is."""
    before = fingerprint(world)
    for role, browser in world.doors.items():
        if role in MEMBERS:
            continue
        for rule in routes(world, "POST"):
            if rule.endpoint in CHANGES_ONESELF or (role, rule.endpoint) in sweep.THEIRS_TO_DO:
                continue
            if rule.endpoint in THEIRS and role in OTHERS:
                continue
            for path in paths(world, rule):
                answer = browser.post(path, text="overwritten", kind="theme", title="x", wish="go_on", number="3")
                if answer.status_code >= 500:
                    yield f"{role}: POST {path} answers {answer.status_code}"
                is_stranger = role != "gone"
                if "cycle_id" in rule.arguments and is_stranger and answer.status_code not in (401, 404):
                    yield f"{role}: POST {path} answers {answer.status_code} to somebody outside the group"
        after = fingerprint(world)
        # Who left the group can still write for themselves.
        own = ("texts", "cycles") if role == "gone" else ()
        for table in before:
            if table not in own and after[table] != before[table]:
                yield f"{role} changed {table}"
        before = after


def fingerprint(world: World) -> dict[str, list[str]]:
    """The group, its cycle and its texts, by table."""
    models = (Cycle, CycleMember, CycleText, StageMark, AgreementSigned, ReflectionVersion, Pair, PairMember, Group)
    with world.database.read() as session:
        return {
            model.__tablename__: sorted(map(repr, session.execute(select(*model.__table__.columns)).all()))
            for model in models
        }


def test_a_group_is_known_to_those_who_take_part_and_its_words_to_its_members(database: Database, clock: Any) -> None:
    world = build(database, clock)
    assert not (found := [*reading(world), *changing(world)]), "\n".join(found)


@pytest.mark.parametrize("action", [Action.TAKE_PART, Action.SEE_GROUPS])
def test_a_rule_of_groups_that_is_gone_is_noticed(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    world = build(database, clock)
    monkeypatch.setitem(rules.RULES, action, lambda *_: False)
    assert next(reading(world), "")
