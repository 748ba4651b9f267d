"""Instruments that a teacher keeps, each sealed by a key of its own; others of a course have one while it is released.

Who may is asked before (privacy/rules.py, by the views).
"""

import contextlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.observation import hints
from lti_tool.observation import instrument as instruments
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.models import OwnInstrument
from lti_tool.observation.shipped import shipped
from lti_tool.people.models import Course, Membership, Person
from lti_tool.privacy.keyring import Keyring, KeyShredded, ScopeKeys
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed
from lti_tool.store.upsert import insert_into

MOST = 50
"""Instruments of one person."""
MOST_SHOWN = 100
"""Of those that others of a course released, the last ones."""


@dataclass(frozen=True, slots=True)
class Own:
    """An instrument of a library, for the one whose it is."""

    id: str
    instrument: Instrument
    released_in: str | None
    """Id of the course."""
    course_title: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Released:
    """An instrument that somebody else of the course released, without the plan of their room."""

    id: str
    person_id: str
    author: str
    """May be empty, where the LMS withholds names."""
    instrument: Instrument


class TooMany(Exception):
    """There are MOST instruments already."""


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[Own]:
    """All instruments of a person, the oldest first; one statement, and one of the keyring."""
    rows = session.execute(
        select(OwnInstrument.id, OwnInstrument.sealed, OwnInstrument.released_in, Course.title,
               OwnInstrument.changed_at)
        .outerjoin(Course, Course.id == OwnInstrument.released_in)
        .where(OwnInstrument.person_id == person_id)
        .order_by(OwnInstrument.id)
    ).all()  # fmt: skip
    keys = keyring.opened_all(session, [row.id for row in rows], now)
    found = []
    for row in rows:
        with contextlib.suppress(KeyShredded):
            kept = _open(keys[row.id], person_id, row.id, row.sealed)
            found.append(Own(row.id, kept, row.released_in, row.title or "", row.changed_at))
    return sorted(found, key=lambda each: (each.changed_at, each.id))


def keep(
    session: Session, keyring: Keyring, person_id: str, kept: Instrument, ticket: str, now: datetime, *,
    with_plan: bool,
) -> None:  # fmt: skip
    """Keeps an instrument; the same `ticket` again keeps it once. Raises TooMany; the session writes.

    The plan of the room is left out unless `with_plan`, and so is what a host expected of somebody, and what was agreed
    with a school: both belong to one class.
    """
    # Of two taps at once the second waits here.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)).all()
    tickets = set(session.scalars(select(OwnInstrument.ticket).where(OwnInstrument.person_id == person_id)))
    if ticket in tickets:
        return
    if len(tickets) >= MOST:
        raise TooMany
    own_id = new_id()
    rows = tuple(replace(each, expected="") for each in kept.rows)
    plain = replace(kept, rows=rows, options=(), plan=kept.plan if with_plan else None)
    sealed = keyring.opened(session, own_id, now).seal(person_id, json.dumps(plain.to_json()), _place(own_id))
    session.execute(
        insert_into(session, OwnInstrument)
        .values(
            id=own_id, person_id=person_id, ticket=ticket, base=kept.base, sealed=sealed, released_in=None,
            changed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["person_id", "ticket"])
    )  # fmt: skip


def release(session: Session, person_id: str, own_id: str, course_id: str | None) -> bool:
    """Releases it to a course, or takes it back from everybody (None); False where it is not there."""
    changed = session.execute(
        update(OwnInstrument)
        .where(OwnInstrument.id == own_id, OwnInstrument.person_id == person_id)
        .values(released_in=course_id)
    )
    return bool(rows_changed(changed))


def remove(session: Session, keyring: Keyring, person_id: str, own_id: str, now: datetime) -> None:
    """Deletes it for everybody, with the key that opens it, also in older backups."""
    gone = session.execute(
        delete(OwnInstrument).where(OwnInstrument.id == own_id, OwnInstrument.person_id == person_id)
    )
    if rows_changed(gone):
        keyring.shred(own_id, person_id, now)


def released(session: Session, keyring: Keyring, course_id: str, viewer_id: str, now: datetime) -> list[Released]:
    """What other teachers of a course released there, while they are in it; one statement, and one of the keyring."""
    rows = session.execute(
        select(OwnInstrument.id, OwnInstrument.person_id, OwnInstrument.sealed, Person.given_name, Person.name)
        .join(Person, Person.id == OwnInstrument.person_id)
        .join(Membership, (Membership.person_id == Person.id) & (Membership.course_id == OwnInstrument.released_in))
        .where(
            OwnInstrument.released_in == course_id,
            OwnInstrument.person_id != viewer_id,
            Membership.is_active,
            Membership.is_leader.is_(False),
            Person.is_leader.is_(False),
        )
        .order_by(OwnInstrument.changed_at.desc(), OwnInstrument.id)
        .limit(MOST_SHOWN)
    ).all()
    keys = keyring.opened_all(session, [row.id for row in rows], now)
    found = []
    for row in rows:
        with contextlib.suppress(KeyShredded):
            kept = _open(keys[row.id], row.person_id, row.id, row.sealed)
            found.append(Released(row.id, row.person_id, row.given_name or row.name, replace(kept, plan=None)))
    return found


def names_in(kept: Instrument) -> list[str]:
    """Texts of an instrument that could have the name of somebody in them; too many rather than too few.

    What looks like a name (hints.py), or any alias that was given to a pupil.
    """
    base = shipped().get(kept.base)
    known = {each for line in (*base.codes, *base.rows) for each in (line.text.en, line.text.ga)} if base else set()
    known |= {base.title.en, base.title.ga} if base else set()
    texts = [kept.name, *(each.text for each in kept.codes), *(each.text for each in kept.rows)]
    aliases = {each.text for each in kept.rows} if kept.kind == "predicted" else set()
    lists = hints.shipped()
    return [each for each in texts if each not in known and (each in aliases or hints.names(each, lists))]


def _open(keys: ScopeKeys, person_id: str, own_id: str, sealed: bytes) -> Instrument:
    return instruments.read(json.loads(keys.open(person_id, sealed, _place(own_id))))


def _place(own_id: str) -> str:
    return f"own_instruments/{own_id}"
