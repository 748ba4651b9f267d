"""Every route × every role in a pairing round: its trainer's pages are its trainer's, and no id of another round opens
anything."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from browsers import Browser
from factories import make_settings
from flask import Flask
from rounds.rounds_school import MadeRound, make_round, make_run
from sqlalchemy import select, update
from werkzeug.routing import Rule

from lti_tool.people.models import Membership
from lti_tool.privacy import rules
from lti_tool.privacy.rules import Action
from lti_tool.rounds.models import LineManager, Proposal, ProposalMember, RoundLeft, RoundRun, RoundSettings
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

pytestmark = pytest.mark.parametrize("status", ["review", "out"])
OFFICES = ("guest", "leader", "administrator")
SEES_NO_NAMES = (*OFFICES, "left", "trainer elsewhere", "teacher elsewhere")
NAMES = ("Ní Bhriain", "Ó Dónaill", "Byrne", "Mac Cárthaigh")
FOR_TEACHERS = (
    *("wishes_form", "say_wishes", "not_with", "choose_not_with"),
    *("proposal", "answer_proposal", "why_not", "why_not_whom", "without"),
)
"""Endpoints of the room that are for who takes part; all others are for the trainer."""


@dataclass
class World:
    """A round in which somebody is brought together with somebody, and one of another school."""

    app: Flask
    database: Database
    made: MadeRound
    run_id: str
    elsewhere_id: str
    """Of a run at another school."""
    status: str
    doors: dict[str, Browser]


def build(database: Database, clock: Any, status: str) -> World:
    made, elsewhere = (make_round(database, clock.now, teachers=5) for _ in range(2))
    app = create_app(make_settings(), database=database, clock=clock)
    runs = [
        make_run(
            database,
            each.activity_id,
            clock.now,
            [each.teachers[:2], each.teachers[2:4]],
            left=[(each.teachers[4], "")],
            status=status,
        )
        for each in (made, elsewhere)
    ]
    people = {role: getattr(made.course, role) for role in ("trainer", *OFFICES)}
    people |= {"asked": made.teachers[0], "alone": made.teachers[4], "left": made.teachers[3]}
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == people["left"]).values(is_active=False))
    doors = {role: Browser(app, database, clock, member, made.activity_id) for role, member in people.items()}
    for role, member in (("trainer", elsewhere.course.trainer), ("teacher", elsewhere.teachers[0])):
        doors[f"{role} elsewhere"] = Browser(app, database, clock, member, elsewhere.activity_id)
    return World(app, database, made, *runs, status, doors)


def routes(world: World, method: str) -> list[Rule]:
    every = world.app.url_map.iter_rules()
    return [rule for rule in every if rule.endpoint.startswith("rounds.") and method in (rule.methods or ())]


def paths(world: World, rule: Rule) -> Iterator[tuple[str, bool]]:
    """(Address, whether it names what is of this round) of a route."""
    with world.database.read() as session:
        proposals = dict(session.execute(select(Proposal.run_id, Proposal.id)).all())  # type: ignore[arg-type]
    for run_id in (world.run_id, world.elsewhere_id) if {"run_id", "proposal_id"} & rule.arguments else ("",):
        values = {
            "run_id": run_id,
            "proposal_id": proposals.get(run_id, ""),
            "membership_id": world.made.teachers[1],
        }
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: values.get(match.group(1), "x"), rule.rule)  # noqa: B023
        yield path.removeprefix("/at/x"), run_id != world.elsewhere_id


def leaks(world: World) -> Iterator[str]:
    """What is wrong, one sentence each."""
    for role, browser in world.doors.items():
        before = fingerprint(world)
        for method in ("GET", "POST"):
            for rule in routes(world, method):
                is_for_trainer = rule.endpoint.removeprefix("rounds.") not in FOR_TEACHERS
                if role == "trainer" and method == "POST" and is_for_trainer:
                    continue
                if role in ("asked", "alone") and method == "POST" and not is_for_trainer:
                    continue
                if role == "trainer elsewhere" and method == "POST" and not rule.arguments - {"handle"}:
                    continue
                for path, is_here in paths(world, rule):
                    if role == "trainer elsewhere" and method == "POST" and not is_here:
                        continue
                    answer = browser.client.get(browser.at + path) if method == "GET" else browser.post(path)
                    page, where = answer.get_data(as_text=True), f"{role}: {method} {path} ({rule.endpoint})"
                    if answer.status_code >= 500:
                        yield f"{where} answers {answer.status_code}"
                    if role in SEES_NO_NAMES and role not in ("trainer elsewhere", "teacher elsewhere"):
                        if any(name in page for name in NAMES):
                            yield f"{where} shows names"
                        if answer.status_code not in (303, 404):
                            yield f"{where} answers {answer.status_code}"
                    if role in ("asked", "alone") and is_for_trainer and answer.status_code != 404:
                        yield f"{where} answers {answer.status_code}"
                    if role == "trainer" and answer.status_code not in expected(world, rule, is_here):
                        yield f"{where} answers {answer.status_code}"
                    is_foreign = role == "trainer elsewhere" and is_here and "run_id" in rule.arguments
                    if is_foreign and answer.status_code != 404:
                        yield f"{where} answers {answer.status_code}"
        if fingerprint(world) != before:
            yield f"{role} changed what is not theirs"
            before = fingerprint(world)


def expected(world: World, rule: Rule, is_here: bool) -> tuple[int, ...]:
    """What the trainer of the round is answered."""
    if rule.endpoint.removeprefix("rounds.") in FOR_TEACHERS or not is_here:
        return (404,)
    if world.status == "out" and rule.endpoint in ("rounds.publishing", "rounds.person"):
        return (409,)
    # What was forgotten, or is made by the calculation alone, is not there.
    return (200, 404) if rule.endpoint in ("rounds.proof", "rounds.person") else (200,)


def fingerprint(world: World) -> list[list[str]]:
    """All that is kept of rounds, but what teachers say."""
    models = (RoundRun, Proposal, ProposalMember, RoundLeft, RoundSettings, LineManager)
    with world.database.read() as session:
        return [sorted(map(repr, session.execute(select(*model.__table__.columns)).all())) for model in models]


def test_a_round_is_held_by_its_trainer_alone(database: Database, clock: Any, status: str) -> None:
    assert not (found := list(leaks(build(database, clock, status)))), "\n".join(found)


@pytest.mark.parametrize("opened", [True, False])
def test_a_rule_of_holding_rounds_that_is_gone_is_noticed(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch, opened: bool, status: str
) -> None:
    world = build(database, clock, status)
    monkeypatch.setitem(rules.RULES, Action.HOLD_ROUND, lambda *_: opened)
    assert next(leaks(world), "")


def answers_that_are_not_theirs(world: World) -> Iterator[str]:
    """Who can answer a proposal that does not name them, or is not open to its members yet, one sentence each."""
    with world.database.read() as session:
        rows = session.execute(select(ProposalMember.proposal_id, ProposalMember.membership_id)).all()
    for role, browser in world.doors.items():
        for proposal in {row.proposal_id for row in rows}:
            is_theirs = (proposal, browser.membership) in {tuple(row) for row in rows} and role != "left"
            before = fingerprint(world)
            answer = browser.post(f"/round/proposal/{proposal}", answer="another")
            if (answer.status_code != 404 or fingerprint(world) != before) != (is_theirs and world.status == "out"):
                yield f"{role} is answered {answer.status_code}"


def test_a_proposal_is_answered_by_those_whom_it_names(database: Database, clock: Any, status: str) -> None:
    assert not (found := list(answers_that_are_not_theirs(build(database, clock, status)))), "\n".join(found)


@pytest.mark.parametrize("opened", [True, False])
def test_a_rule_of_answering_that_is_gone_is_noticed(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch, opened: bool, status: str
) -> None:
    world = build(database, clock, status)
    monkeypatch.setitem(rules.RULES, Action.ANSWER_PROPOSAL, lambda *_: opened)
    # Before anybody is asked there is nothing to answer, whatever the rule says.
    assert bool(next(answers_that_are_not_theirs(world), "")) == (status == "out")
