"""Visits for tests: an instrument that a pair approved, an observation of its coach, and the tab that captures it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cycles.pair_at_work import Room
from flask import Flask
from flask.testing import FlaskClient
from observation.made import made, says
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.cycles.models import CycleMember
from lti_tool.observation import grants
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.models import CycleInstrument, InstrumentState, Observation
from lti_tool.privacy.keyring import Keyring
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

CARD = ("visit_purpose", "card_seat", "card_part", "card_pupils", "card_in_out", "card_time", "card_not_recorded")
"""What has to be written in the collegial protocol before a visit can be captured."""
ORIGIN = {"Origin": "http://localhost"}


def members(database: Database, cycle_id: str) -> dict[str, tuple[str, str]]:
    """Role → (membership, person) in a cycle of two."""
    with database.read() as session:
        rows = session.execute(
            select(CycleMember.role, CycleMember.membership_id, CycleMember.person_id).where(
                CycleMember.cycle_id == cycle_id
            )
        )
        return {row.role: (row.membership_id, row.person_id) for row in rows}


def approved(
    database: Database, keyring: Keyring, cycle_id: str, instrument: Instrument, now: datetime, *,
    by: str = "host", frozen: bool = True,
) -> str:  # fmt: skip
    """An instrument of a cycle, written by the member with this role, frozen if all approved it; returns its id."""
    author = members(database, cycle_id)[by][1]
    instrument_id, state_id = new_id(), new_id()
    with database.write() as session:
        session.add(
            CycleInstrument(
                id=instrument_id, cycle_id=cycle_id, base=instrument.base, revision=1,
                frozen_at=now if frozen else None, created_at=now,
            )
        )  # fmt: skip
        session.flush()
        sealed = keyring.opened(session, cycle_id, now).seal(
            author, json.dumps(instrument.to_json()), f"instrument_states/{state_id}"
        )
        session.add(
            InstrumentState(
                id=state_id, instrument_id=instrument_id, revision=1, author_id=author, sealed=sealed, saved_at=now
            )
        )
    return instrument_id


def observation(
    database: Database, keyring: Keyring, cycle_id: str, instrument_id: str, now: datetime, *, by: str = "coach"
) -> str:
    """An observation of the coach of a cycle that has begun with this instrument; returns its id."""
    membership, person = members(database, cycle_id)[by]
    with database.write() as session:
        made_now = Observation(
            id=new_id(), cycle_id=cycle_id, instrument_id=instrument_id, membership_id=membership, person_id=person,
            minutes=0, created_at=now,
        )  # fmt: skip
        keyring.opened(session, made_now.id, now).ensure(person)
        session.add(made_now)
    return made_now.id


@dataclass
class Tab:
    """The tab of a browser that captures a visit."""

    client: FlaskClient
    id: str
    device: str = "phone"
    answers: list[TestResponse] = field(default_factory=list, repr=False)

    @property
    def at(self) -> str:
        return f"/visit/{self.id}"

    @property
    def status(self) -> int:
        """Of the last answer."""
        return self.answers[-1].status_code

    def data(self) -> Any:
        return self._took(self.client.get(f"{self.at}/data", headers={"Accept": "application/json"}))

    def send(self, *entries: dict[str, Any], device: str = "") -> Any:
        """Sends entries as visit.js does; the answer's JSON."""
        letter = {"device": device or self.device, "entries": list(entries)}
        return self._took(self.client.post(f"{self.at}/entries", json=letter, headers=ORIGIN))

    def close(self, minutes: int = 40) -> Any:
        return self._took(self.client.post(f"{self.at}/close", json={"minutes": minutes}, headers=ORIGIN))

    def _took(self, answer: TestResponse) -> Any:
        self.answers.append(answer)
        return answer.get_json()


@dataclass
class Lesson:
    """A visit of a room's pair that can be captured."""

    room: Room
    app: Flask
    clock: Callable[[], datetime]
    instrument: Instrument
    instrument_id: str
    id: str
    """Of the observation."""

    @property
    def keyring(self) -> Keyring:
        found: Keyring = self.app.extensions["meitheal"].keyring
        return found

    def code(self) -> str:
        with self.room.database.write() as session:
            return grants.new_code(session, self.id, self.clock())

    def tab(self, device: str = "phone") -> Tab:
        """Opens the tab on a device of its own."""
        client = self.app.test_client()
        answer = client.post("/visit", data={"code": self.code()}, headers=ORIGIN)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return Tab(client, self.id, device)

    def entry(self, number: int, **values: Any) -> dict[str, Any]:
        """What the client sends of one entry; a second after the one before."""
        return {"number": number, "at_ms": 1000 * number} | says(self.instrument, **values)


def lesson(room: Room, app: Flask, clock: Callable[[], datetime], base: str = "tally") -> Lesson:
    """A pair with an instrument that both approved, made by rows."""
    keyring: Keyring = app.extensions["meitheal"].keyring
    instrument = made(base)
    instrument_id = approved(room.database, keyring, room.cycle_id, instrument, clock())
    observation_id = observation(room.database, keyring, room.cycle_id, instrument_id, clock())
    return Lesson(room, app, clock, instrument, instrument_id, observation_id)


def fill_card(room: Room) -> None:
    """Both say what a visit needs."""
    for key in CARD:
        room.host.post(f"texts/{key}", text=f"What {key} says.")
        if room.host.status != 303:
            room.coach.post(f"texts/{key}", text=f"What {key} says.")
            assert room.coach.status == 303, key
