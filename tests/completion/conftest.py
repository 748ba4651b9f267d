"""LMSs with the tool in a course."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from completion.coaching_school import CoachingSchool, Lms, furnish
from flask import Flask

from lti_tool.store.database import Database


@pytest.fixture
def open_school(app: Flask, database: Database, clock: Any) -> Iterator[Callable[..., CoachingSchool]]:
    opened: list[Lms] = []

    def open_one(personality: str = "moodle", *, gradable: bool = True) -> CoachingSchool:
        jwks = app.extensions["meitheal"].lti.keys.jwks()
        opened.append(Lms(personality, jwks, lambda: clock().timestamp(), gradable))
        return furnish(opened[-1], app, database, clock)

    yield open_one
    for lms in opened:
        lms.stop()


@pytest.fixture
def school(open_school: Callable[..., CoachingSchool]) -> CoachingSchool:
    """A Moodle, with a column for the activity."""
    return open_school()
