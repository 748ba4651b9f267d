"""Fixtures of the door's tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from door.fake_platform import Door
from flask import Flask
from sqlalchemy import event

from lti_tool.store.database import Database


@pytest.fixture
def door(app: Flask, database: Database, clock: Any) -> Door:
    return Door(app, database, clock)


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """SQL statements as they are sent, without BEGIN and COMMIT."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def recorded() -> dict[str, Any]:
    """Claims of launches as a real Moodle sent them, by name."""
    folder = Path(__file__).parent.parent / "moodle" / "lti"
    return {file.stem: json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")}
