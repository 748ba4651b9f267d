"""Two teachers in a cycle, each at their own browser, without JavaScript: what pages show and their buttons send."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from factories import MadeCourse, make_course, sign_in
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lti_tool.cycles import going_on
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.store.base import new_id
from lti_tool.store.database import Database


def make_cycle(database: Database, course: MadeCourse, now: datetime, *, host: int = 0, coach: int = 1) -> str:
    """A pair of two teachers of the course, and its first cycle; returns the cycle's id."""
    with database.write() as session:
        pair_id = new_id()
        session.add(Pair(id=pair_id, activity_id=course.activity_id, status="active", created_at=now))
        session.flush()
        for index in (host, coach):
            session.add(
                PairMember(pair_id=pair_id, activity_id=course.activity_id, membership_id=course.teachers[index])
            )
        session.flush()
        return going_on.start(
            session,
            pair_id=pair_id,
            activity_id=course.activity_id,
            roles={course.teachers[host]: "host", course.teachers[coach]: "coach"},
            now=now,
        )


@dataclass
class Desk:
    """One person's browser."""

    client: FlaskClient
    at: str
    cycle_id: str
    csrf: str = ""
    page: str = ""
    status: int = 0

    @property
    def cycle(self) -> str:
        """Address of the cycle."""
        return f"{self.at}/cycles/{self.cycle_id}"

    def get(self, path: str) -> str:
        """The page at a path below the cycle."""
        return self._took(self.client.get(f"{self.cycle}/{path}" if path else self.cycle))

    def home(self) -> str:
        """The page with the next step."""
        return self._took(self.client.get(f"{self.at}/"))

    def press(self, path: str, **typed: str) -> str:
        """Presses a button of the page that was got last: sends its whole form, with `typed` in it (- for _)."""
        data = {**self.form(), **{key.replace("__", "-"): value for key, value in typed.items()}}
        return self._took(self.client.post(f"{self.cycle}/{path}", data=data, headers=self._same_site()))

    def post(self, path: str, **data: str) -> str:
        """Sends a form that no page offered."""
        sent = {"csrf_token": self.token(), **{key.replace("__", "-"): value for key, value in data.items()}}
        return self._took(self.client.post(f"{self.cycle}/{path}", data=sent, headers=self._same_site()))

    def save_json(self, key: str, text: str, *, base: list[str] | None = None, editor: str = "e1", seq: int = 1) -> Any:
        """Saves a text as texts.js does."""
        answer = self.client.post(
            f"{self.cycle}/texts/{key}",
            json={"text": text, "base": base or [], "editor": editor, "seq": seq},
            headers={"X-CSRFToken": self.token(), **self._same_site()},
        )
        self.status = answer.status_code
        return answer.get_json()

    def token(self) -> str:
        """The CSRF token of this person."""
        if not self.csrf:
            found = re.search(
                r'name="csrf_token" value="([^"]+)"', self.client.get(f"{self.at}/").get_data(as_text=True)
            )
            assert found
            self.csrf = found.group(1)
        return self.csrf

    def form(self) -> dict[str, str]:
        """What the page's form would send: everything that belongs to it, as it stands; one choice at most."""
        values = {}
        for tag in re.findall(r"<input[^>]*>", self.page):
            if 'form="stage-form"' in tag and (" checked" in tag or not re.search('type="(radio|checkbox)"', tag)):
                name = re.search(r'name="([^"]+)"', tag)
                value = re.search(r'value="([^"]*)"', tag)
                assert name
                values[name.group(1)] = html.unescape(value.group(1)) if value else ""
        for attributes, text in re.findall(r"<textarea([^>]*)>\n?(.*?)</textarea>", self.page, re.S):
            if " disabled" in attributes:
                continue
            name = re.search(r'name="([^"]+)"', attributes)
            assert name and 'form="stage-form"' in attributes
            values[name.group(1)] = html.unescape(text).replace("\n", "\r\n")
        values["csrf_token"] = self.token()
        return values

    def _same_site(self) -> dict[str, str]:
        return {"Referer": f"http://localhost{self.at}/"}

    def _took(self, answer: TestResponse) -> str:
        self.status = answer.status_code
        self.page = answer.get_data(as_text=True)
        if answer.status_code == 303:
            self.page = self.client.get(answer.location.partition("#")[0]).get_data(as_text=True)
        return html.unescape(self.page)


@dataclass
class Room:
    """A course with a cycle in it, its host and its coach."""

    database: Database
    course: MadeCourse
    cycle_id: str
    host: Desk
    coach: Desk
    desk_of: Callable[[str], Desk] = field(repr=False)
    """The browser of any membership, at this cycle's addresses."""

    def start_together(self) -> None:
        """Both write and sign what they agree on."""
        self.host.get("start")
        self.host.press("agreements/together", text__norms="We talk on Fridays.")
        self.coach.get("start")
        self.coach.press("agreements/together")

    def talk_before(self) -> None:
        """The conversation before is held, and the goal confirmed by both."""
        self.host.get("before")
        texts = {"text__goal": "Pupils ask each other.", "text__criteria": "Questions between pupils."}
        if 'name="text-focus"' in self.host.page:
            texts["text__focus"] = "Who asks whom"
        self.host.press("agreements/goal", **texts)
        self.coach.get("before")
        self.coach.press("agreements/goal")
        self.coach.get("before")
        self.coach.press("before/done")


def open_room(app: Flask, database: Database, clock: Callable[[], datetime], protocol: str) -> Room:
    """A fresh course with a first cycle of `protocol`."""
    course = make_course(database, teachers=4, protocol=protocol, now=clock())
    cycle_id = make_cycle(database, course, clock())

    def desk_of(membership_id: str) -> Desk:
        client = app.test_client()
        return Desk(client, sign_in(database, client, membership_id, course.activity_id, clock()), cycle_id)

    return Room(database, course, cycle_id, desk_of(course.teachers[0]), desk_of(course.teachers[1]), desk_of)
