"""A sandbox for each test that asks for one."""

from collections.abc import Iterator

import pytest
from flask import Flask
from interop.platforms import Lms, OpenLms


@pytest.fixture
def open_lms(app: Flask) -> Iterator[OpenLms]:
    opened: list[Lms] = []

    def open_one(personality: str) -> Lms:
        opened.append(Lms(personality, app))
        return opened[-1]

    yield open_one
    for lms in opened:
        lms.stop()
