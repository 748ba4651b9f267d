"""Two of the protocols for two, walked in the application: one with a visit and two talks after it, one without any."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cycles.pair_at_work import Desk, Room, open_room
from flask import Flask

from lti_tool.protocols.reader import shipped
from lti_tool.protocols.recipe import Field, Stage
from lti_tool.store.database import Database

HOURS = {"before": 1, "visit": 2, "work": 2, "after": 4}
KEPT = {
    "five_step": ("alone", "The coach’s notes are deleted 30 days after"),
    # What both noted is not called the coach's, so that nobody wonders where it went.
    "stages_five": ("implement", "The notes of the lesson are deleted 30 days after"),
}


def answer(field: Field) -> str:
    return field.choices[0].key if field.choices else "In our words."


def hold(room: Room, stage: Stage, clock: Any) -> None:
    """Everything that a stage has is written, booked, agreed and said to be done, as its pages offer it."""
    for field in stage.fields:
        desk = room.coach if field.by == "coach" else room.host
        if field.opens != "advice_asked":
            desk.save_json(field.key, answer(field))
            assert desk.status == 200, field.key
    for kind in stage.meetings:
        starts = (clock() + timedelta(hours=HOURS[kind])).astimezone(ZoneInfo("Europe/Dublin"))
        pressed(room.host, stage, f"{stage.key}/meetings/{kind}", **{f"{kind}__starts": f"{starts:%Y-%m-%dT%H:%M}"})
    for agreement in stage.agreements:
        pressed(room.host, stage, f"agreements/{agreement.key}")
        pressed(room.coach, stage, f"agreements/{agreement.key}")
    if stage.kind == "visit":
        pressed(room.coach, stage, f"{stage.key}/confirm")
        clock.now += timedelta(hours=3)
    if stage.first_turn:
        pressed(room.host, stage, f"{stage.key}/first-turn")
    pressed(room.coach, stage, f"{stage.key}/done")


def pressed(desk: Desk, stage: Stage, path: str, **typed: str) -> None:
    desk.get(stage.key)
    page = desk.press(path, **typed)
    assert desk.status == 303, page


@pytest.mark.parametrize("key", KEPT)
def test_a_pair_comes_to_the_end(app: Flask, database: Database, clock: Any, key: str) -> None:
    room = open_room(app, database, clock, key)
    room.start_together()
    where, kept = KEPT[key]
    for stage in shipped()[key].stages[1:-1]:
        if stage.key == where:
            assert kept in room.host.get(where)
        hold(room, stage, clock)
    for desk in (room.host, room.coach):
        desk.get("reflect")
        desk.press("reflect/submit", text__own_learning="To wait longer.")
    assert "This cycle is finished" in room.host.home()
