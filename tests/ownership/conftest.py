"""A cycle in which both have written, for the tests of what is one's own."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cycles.pair_at_work import Room, open_room
from flask import Flask
from sqlalchemy import insert, select

from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.store.database import Database

HOSTS = {"goal": "host-goal", "criteria": "host-criteria", "hopes": "host-hopes", "happened": "host-happened"}
COACHES = {"notes_seen": "coach-seen", "notes_questions": "coach-questions", "happened": "coach-happened"}


@pytest.fixture
def room(app: Flask, database: Database, clock: Callable[[], datetime]) -> Room:
    """A collegial cycle; the visit is ahead, and the coach has prepared notes that open later."""
    made = open_room(app, database, clock, "collegial")
    made.start_together()
    for desk, texts in ((made.host, HOSTS), (made.coach, COACHES)):
        for key, text in texts.items():
            desk.post(f"texts/{key}", text=text)
            assert desk.status == 303, key
    made.host.post("texts/own_learning", text="host-learning")
    made.host.post("texts/focus", text="host-focus")
    made.coach.post("texts/card_seat", text="coach-seat")
    made.host.get("visit")
    seat = made.host.form()["base-card_seat"]
    made.host.post("texts/card_seat", text="host-and-coach-seat", base=seat)
    starts = (clock() + timedelta(days=2)).strftime("%Y-%m-%dT12:00")
    made.host.get("before")
    made.host.press("before/meetings/before", before__starts=starts, before__minutes="20", before__place="host-place")
    return made


def pass_on_to(room: Room, *stages: str, now: datetime) -> None:
    """Marks stages as done by the host, as if they had been closed then."""
    with room.database.write() as session:
        session.execute(
            insert(StageMark),
            [
                {"cycle_id": room.cycle_id, "stage": each, "membership_id": room.course.teachers[0], "at": now}
                for each in stages
            ],
        )


def cycle_row(room: Room) -> Cycle:
    with room.database.read() as session:
        return session.scalars(select(Cycle).where(Cycle.id == room.cycle_id)).one()
