"""A person's browser, for tests that walk through pages; and the SQL statements behind them."""

import contextlib
from collections.abc import Iterator
from typing import Any

from factories import csrf_token, sign_in
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from lti_tool.store.database import Database


class Browser:
    """One person's browser."""

    def __init__(self, app: Flask, database: Database, clock: Any, membership: str, activity: str | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.membership = membership
        self.at = sign_in(database, self.client, membership, activity, clock.now)
        self.token = csrf_token(self.client, self.at)

    def get(self, path: str = "/") -> str:
        """A page that has to be there."""
        answer = self.client.get(self.at + path)
        assert answer.status_code == 200, answer.status
        return answer.get_data(as_text=True)

    def status(self, path: str) -> int:
        """The status of a page."""
        return self.client.get(self.at + path).status_code

    def post(self, path: str, **fields: str) -> TestResponse:
        """The answer to a form of this person, with its token."""
        return self.client.post(self.at + path, data={"csrf_token": self.token} | fields)


@contextlib.contextmanager
def recorded(database: Database) -> Iterator[list[tuple[str, str]]]:
    """SQL statements as they are sent, without BEGIN and COMMIT, each with the number of its parameters."""
    found: list[tuple[str, str]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not statement.startswith("BEGIN"):
            found.append((statement, repr(len(parameters))))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
