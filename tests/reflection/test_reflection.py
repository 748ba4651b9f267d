"""A reflection: drafts, versions, and who learns what of it (R14, R47)."""

from collections.abc import Callable
from datetime import datetime

import pytest
from cycles.pair_at_work import Room, open_room
from flask import Flask
from sqlalchemy import select

from lti_tool.cycles import going_on
from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.reflection.rules import freeze, has_changed
from lti_tool.store.database import Database


@pytest.fixture
def room(app: Flask, database: Database, clock: Callable[[], datetime]) -> Room:
    """A light cycle in which both have talked, so that only the reflections are left."""
    made = open_room(app, database, clock, "light")
    made.start_together()
    made.talk_before()
    made.host.get("after")
    made.host.press("after/done", text__next_steps="Next")
    return made


def test_submitting_freezes_a_version_and_a_later_edit_makes_the_next(room: Room) -> None:
    host = room.host
    page = host.get("reflect")
    assert "my trainer sees that I submitted, not what I wrote" in page
    host.press("reflect/submit", text__happened="It rained", text__own_learning="First thought")
    host.get("reflect")
    host.press("reflect/save", text__own_learning="Second thought")
    assert "Second thought" not in host.get("reflect/versions/1") and "First thought" in host.page
    assert "as version 2" in host.get("reflect")
    host.press("reflect/submit")
    assert "Second thought" in host.get("reflect/versions/2")
    assert "First thought" in host.get("reflect/versions/1")
    with room.database.read() as session:
        marks = session.scalars(select(StageMark.stage).where(StageMark.stage == "reflect")).all()
    assert len(marks) == 1, "the trainer is told once that it was submitted"


def test_a_version_can_be_made_after_the_cycle_is_finished(room: Room) -> None:
    for desk in (room.host, room.coach):
        desk.get("reflect")
        desk.press("reflect/submit", text__own_learning="Learned")
    room.host.get("reflect")
    room.host.press("reflect/submit", text__own_learning="Learned more")
    assert "Learned more" in room.host.get("reflect/versions/2")


def test_submitting_twice_is_submitting_once(room: Room) -> None:
    room.host.get("reflect")
    for _ in range(2):
        room.host.press("reflect/submit", text__own_learning="Learned")
    with room.database.read() as session:
        assert session.scalars(select(ReflectionVersion.version)).all() == [1]


@pytest.mark.parametrize("desk", ["host", "coach"])
def test_ones_own_learning_is_required_of_both(room: Room, desk: str) -> None:
    mine = getattr(room, desk)
    mine.get("reflect")
    page = mine.press("reflect/submit", text__happened="Only what happened")
    assert mine.status == 409
    assert "What I learned for my own teaching" in page and "Only what happened" in page


def test_it_cannot_be_submitted_before_the_conversations(app: Flask, database: Database, clock) -> None:
    made = open_room(app, database, clock, "light")
    made.host.get("reflect")
    page = made.host.press("reflect/submit", text__own_learning="Early")
    assert made.host.status == 409
    assert "comes first" in page and "Early" in page


def test_the_partner_reads_neither_draft_nor_version(room: Room) -> None:
    room.host.get("reflect")
    room.host.press("reflect/submit", text__own_learning="canary of the host")
    for path in ("reflect", "texts?revision=0", "after", "texts/own_learning/history"):
        assert "canary" not in room.coach.get(path), path
    room.coach.get("reflect/versions/1")
    assert room.coach.status == 404


def test_a_version_is_sealed(room: Room) -> None:
    room.host.get("reflect")
    room.host.press("reflect/submit", text__own_learning="canary of the host")
    with room.database.read() as session:
        sealed = session.scalars(select(ReflectionVersion.sealed)).one()
    assert b"canary" not in sealed


def test_the_page_offers_no_submission_in_a_stopped_cycle(app: Flask, database: Database, clock) -> None:
    made = open_room(app, database, clock, "light")
    from lti_tool.cycles import going_on, service

    with database.write() as session:
        cycle = service.load_frame(session, made.cycle_id, _host_person(made))
        assert cycle is not None
        going_on.stop(session, pair_id=cycle.pair_id, now=clock())
    page = made.host.get("reflect")
    assert "This cycle has stopped" in page and "reflect/submit" not in page
    made.host.press("reflect/save", text__happened="Still mine")
    assert "Still mine" in made.host.get("reflect")


def _host_person(room: Room) -> str:
    from lti_tool.people.models import Membership

    with room.database.read() as session:
        return session.execute(
            select(Membership.person_id).where(Membership.id == room.course.teachers[0])
        ).scalar_one()


@pytest.mark.parametrize(
    ("drafts", "frozen"),
    [
        ([], {}),
        ([("a", "x"), ("b", " ")], {"a": "x"}),
        ([("a", "x"), ("a", "y")], {"a": "x\n\ny"}),
    ],
)
def test_what_a_version_holds(drafts: list[tuple[str, str]], frozen: dict[str, str]) -> None:
    assert freeze(drafts) == frozen
    assert has_changed(drafts, None) and not has_changed(drafts, frozen) and has_changed(drafts, {"z": "other"})


def test_a_cycle_that_stopped_at_its_reflections_can_still_be_reflected_on(
    room: Room, clock: Callable[[], datetime]
) -> None:
    with room.database.write() as session:
        going_on.stop(session, pair_id=session.scalars(select(Cycle.pair_id)).one(), now=clock())
    assert "there is nothing to submit" not in room.host.get("reflect")
    assert "Version 1" in room.host.press("reflect/submit", text__own_learning="To wait.")
