"""A pair that is about to visit."""

from typing import Any

import pytest
from cycles.pair_at_work import Room, open_room
from flask import Flask
from observation.observed import Lesson
from observation.observed import lesson as make_lesson

from lti_tool.store.database import Database


@pytest.fixture
def room(app: Flask, database: Database, clock: Any) -> Room:
    return open_room(app, database, clock, "collegial")


@pytest.fixture
def lesson(room: Room, app: Flask, clock: Any) -> Lesson:
    return make_lesson(room, app, clock)
