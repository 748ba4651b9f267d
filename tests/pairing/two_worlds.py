"""Two worlds that begin as one: in one of them somebody says no, in the other they do not. What do others see?"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import unified_diff
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import time_machine
from browsers import recorded
from factories import MadeCourse, csrf_token, make_settings, sign_in
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lti_tool.cycles import service as cycles
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation
from lti_tool.people.models import SignIn
from lti_tool.rounds import answers
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

_ID = re.compile(r"(?<![0-9a-z])[0-9a-z]{16}(?![0-9a-z])")
_SEARCHES = ("/partner?q=sean", "/progress?days=7", "/progress?days=28")


@dataclass
class World:
    """One of the two: a database of its own, with the same rows, sign-ins and clock as the other's to begin with."""

    database: Database
    course: MadeCourse
    now: datetime
    sign_ins: dict[str, tuple[str, str]]
    """Membership → (address, secret)."""
    more: list[str] = field(default_factory=list)
    """Addresses that are looked at beside those that anybody could type."""
    seen: list[object] = field(default_factory=list)
    _ids: dict[str, str] = field(default_factory=dict)

    def browser(self, membership: str) -> tuple[FlaskClient, str]:
        """The browser of somebody, and the address of their pages; a fresh sign-in would be told apart by its id."""
        client = self.app.test_client()
        at, secret = self.sign_ins[membership]
        client.set_cookie(f"__Host-at-{at.removeprefix('/at/')}", secret, domain="localhost")
        return client, at

    def post(self, membership: str, path: str, **form: str) -> tuple[int, str]:
        """Status and address of the answer to a form."""
        client, at = self.browser(membership)
        with time_machine.travel(self.now, tick=False):
            answer = client.post(at + path, data={"csrf_token": csrf_token(client, at)} | form)
        return answer.status_code, _ID.sub("id", answer.headers.get("Location") or "")

    def invitation(self, host: str, coach: str) -> str:
        """The latest invitation of one to another."""
        with self.database.read() as session:
            return (
                session.scalars(
                    select(Invitation.id)
                    .where(Invitation.host_id == host, Invitation.coach_id == coach)
                    .order_by(Invitation.created_at.desc())
                ).first()
                or "none"
            )

    def wait(self, days: float, *, with_jobs: bool) -> None:
        """Time goes by, sign-ins stay, and the worker does its part, or comes late."""
        self.now += timedelta(days=days)
        with self.database.write() as session:
            session.execute(update(SignIn).values(expires_at=self.now + timedelta(hours=6)))
            if with_jobs:
                pairing.lapse_due(session, self.now)
                answers.lapse_due(session, self.now)

    def look(self, *who: str) -> None:
        """Notes all that these people see now: every page, byte for byte, its status, and the statements behind it."""
        for membership in who:
            client, at = self.browser(membership)
            for path in self._pages():
                # What one process keeps of protocols for all is there already or not, whoever said what.
                cycles._parsed.clear()
                # Tokens against forged forms carry the second they were made in.
                with time_machine.travel(self.now, tick=False), recorded(self.database) as statements:
                    answer = client.get(at + path)
                body = self._same(answer.get_data(as_text=True)) if answer.status_code < 400 else ""
                to = self._same(answer.headers.get("Location") or "")
                said = [text for text, _n in statements]
                self.seen.append((membership, self._same(path), answer.status_code, body, to, said))

    def _pages(self) -> list[str]:
        """All that somebody can open who knows no id but those of their colleagues: a new page is among them."""
        alone = [
            rule.rule.removeprefix("/at/<handle>")
            for rule in self.app.url_map.iter_rules()
            if rule.rule.startswith("/at/") and rule.arguments == {"handle"} and "GET" in (rule.methods or ())
        ]
        return [*sorted(alone), *_SEARCHES, *(f"/partner/{each}" for each in self.course.teachers), *self.more]

    @cached_property
    def app(self) -> Flask:
        """The tool in this world."""
        made = create_app(make_settings(), database=self.database, clock=lambda: self.now)
        made.config["PROPAGATE_EXCEPTIONS"] = False
        return made

    def _same(self, text: str) -> str:
        """Ids that were made since the worlds parted, by the order in which somebody came to see them."""
        return _ID.sub(lambda found: self._ids.setdefault(found[0], f"id{len(self._ids)}"), text)


@dataclass
class Fork:
    """A world from which two are made."""

    folder: Path
    empty: bytes
    now: datetime

    @contextmanager
    def worlds(self, make: Callable[[Database], MadeCourse], everybody: Callable[[MadeCourse], Any]) -> Iterator[Any]:
        """The two worlds after `make`, with a sign-in for each of `everybody`."""
        first = self.folder / "first.db"
        first.write_bytes(self.empty)
        database = Database(f"sqlite:///{first}")
        course = make(database)
        sign_ins = {}
        for membership in everybody(course):
            client = FlaskClient(Flask("nobody"))
            at = sign_in(database, client, membership, course.activity_id, self.now)
            cookie = client.get_cookie(f"__Host-at-{at.removeprefix('/at/')}", domain="localhost")
            assert cookie is not None
            sign_ins[membership] = (at, cookie.value)
        database.dispose()
        made = []
        for name in ("one", "other"):
            file = self.folder / f"{name}.db"
            file.write_bytes(first.read_bytes())
            keyrings = (self.folder / f"{each}-keyring.db" for each in ("first", name))
            with closing(sqlite3.connect(next(keyrings))) as keys, closing(sqlite3.connect(next(keyrings))) as copy:
                keys.backup(copy)
            made.append(World(Database(f"sqlite:///{file}"), course, self.now, sign_ins))
        try:
            yield made
        finally:
            for world in made:
                world.database.dispose()
                for left in self.folder.glob("*.db*"):
                    left.unlink(missing_ok=True)


def assert_same(one: World, other: World) -> None:
    """Fails with the first thing that differs."""
    assert len(one.seen) == len(other.seen)
    for this, that in zip(one.seen, other.seen, strict=True):
        if this != that:
            texts = [re.split(r"\\n|', '|\", \"", repr(each)) for each in (this, that)]
            pytest.fail("\n".join(unified_diff(*texts, n=1, lineterm=""))[:6000], pytrace=False)
