"""An activity in which teachers form groups."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from groups.people_of_groups import Hall, open_hall

from lti_tool.store.database import Database


@pytest.fixture
def hall(app: Flask, database: Database, clock: Callable[[], datetime]) -> Hall:
    return open_hall(app, database, clock)
