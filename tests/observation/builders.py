"""A pair that builds an instrument, for tests: their browsers, and the boxes of their pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from browsers import Browser
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import CycleMember
from lti_tool.observation import building
from lti_tool.observation.building import BuiltInstrument
from lti_tool.store.database import Database


@dataclass
class Pair:
    """Two at their browsers, and what they build."""

    app: Flask
    database: Database
    clock: Any
    course: MadeCourse
    cycle_id: str
    host: Browser
    coach: Browser

    @property
    def at(self) -> str:
        return f"/cycles/{self.cycle_id}/visit-instrument"

    def browser(self, membership: str, activity: str | None = None) -> Browser:
        return Browser(self.app, self.database, self.clock, membership, activity or self.course.activity_id)

    def begin(self, source: str = "base:tally", who: Browser | None = None) -> str:
        """Begins one a moment later, and returns the path of its page."""
        self.clock.advance(1)
        answer = (who or self.host).post(self.at, **{"from": source})
        assert answer.status_code == 303, answer.text
        return self.at + "/" + answer.location.rsplit("/", 1)[1]

    def send(self, who: Browser, path: str, page: str = "", do: str = "save", **typed: Any) -> TestResponse:
        """Sends the form of a page (of the one as it is now) with other values: what is typed stands for the first
        boxes of a name."""
        sent = fields(page or who.get(path))
        for key, value in typed.items():
            sent[key.replace("__", "-")] = value
        return who.client.post(who.at + path, data={**sent, "csrf_token": who.token, "do": do})

    def built(self) -> list[BuiltInstrument]:
        keyring = self.app.extensions["meitheal"].keyring
        with self.database.read() as session:
            person = select(CycleMember.person_id).where(CycleMember.membership_id == self.course.teachers[0])
            cycle = cycles.load(session, self.cycle_id, session.scalars(person).first() or "")
            assert cycle
            return building.of_cycle(session, keyring, cycle, self.clock.now)


def fields(page: str) -> dict[str, list[str]]:
    """The boxes of a page by their name, without buttons and what is not ticked."""
    found: dict[str, list[str]] = {}
    page = re.sub(r"<footer.*", "", page, flags=re.S)
    for tag in re.findall(r"<input\b[^>]*>|<select\b.*?</select>", page, re.S):
        values = dict(re.findall(r'([\w-]+)="([^"]*)"', tag.split(">")[0]))
        if tag.startswith("<select"):
            chosen = re.search(r'value="([^"]*)" selected', tag)
            values["value"] = chosen[1] if chosen else ""
        if values.get("type") in ("checkbox", "radio") and " checked" not in tag:
            continue
        if values.get("name", "do") not in ("csrf_token", "no-names", "do"):
            found.setdefault(values["name"], []).append(unescape(values.get("value", "")))
    return found


@pytest.fixture
def pair(app: Flask, database: Database, clock: Any) -> Iterator[Pair]:
    course = make_course(database, teachers=4, protocol="collegial", now=clock.now)
    cycle_id = make_cycle(database, course, clock.now)
    host, coach = (Browser(app, database, clock, each, course.activity_id) for each in course.teachers[:2])
    yield Pair(app, database, clock, course, cycle_id, host, coach)
