"""A course with a running cycle, for the tests of cycles."""

from collections.abc import Callable
from datetime import datetime

import pytest
from cycles.pair_at_work import Room, open_room
from flask import Flask

from lti_tool.store.database import Database


@pytest.fixture
def light(app: Flask, database: Database, clock: Callable[[], datetime]) -> Room:
    return open_room(app, database, clock, "light")


@pytest.fixture
def collegial(app: Flask, database: Database, clock: Callable[[], datetime]) -> Room:
    return open_room(app, database, clock, "collegial")
