"""Use cases of open doors: offering, listing, reading one, closing it.

Who may is asked before (privacy/rules.py, by the views). No list of others' doors opens their words: each is read by
itself, so that its author can see by whom.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity
from lti_tool.doors.models import OpenDoor
from lti_tool.doors.rules import MAX_OPEN
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.privacy.rules import ActivityFacts, DoorFacts
from lti_tool.store.base import new_id
from lti_tool.store.upsert import insert_into

# An alias, so that it is never taken for the activity within the conditions of who takes part.
_Here = aliased(Activity)


@dataclass(frozen=True, slots=True)
class DoorView:
    """An open door without its words."""

    id: str
    activity_id: str
    activity: ActivityFacts
    person_id: str
    membership_id: str
    author: str
    """The author's name; may be empty, where the LMS withholds names."""
    shared_at: datetime
    """When it was opened; of the lists only the month is shown."""

    @property
    def facts(self) -> DoorFacts:
        """What the rules of privacy need of it."""
        return DoorFacts(self.activity, self.activity_id, self.person_id)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a door offers."""

    topic: str
    suits: str


def offer(
    session: Session,
    keyring: Keyring,
    *,
    activity_id: str,
    person_id: str,
    topic: str,
    suits: str,
    ticket: str,
    now: datetime,
) -> bool:
    """Opens a door (texts cleaned, without a problem); False where three are open. The same `ticket` again opens
    nothing more. The session writes."""
    # Of two taps at once the second waits here.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)).all()
    own = session.execute(select(OpenDoor.activity_id, OpenDoor.ticket).where(OpenDoor.person_id == person_id)).all()
    if any(row.ticket == ticket for row in own):
        return True
    if sum(row.activity_id == activity_id for row in own) >= MAX_OPEN:
        return False
    door_id = new_id()
    keys = keyring.opened(session, door_id, now)
    session.execute(
        insert_into(session, OpenDoor)
        .values(
            id=door_id,
            activity_id=activity_id,
            person_id=person_id,
            ticket=ticket,
            topic=keys.seal(person_id, topic, _place(door_id, "topic")),
            suits=keys.seal(person_id, suits, _place(door_id, "suits")),
            opened_at=now,
        )
        .on_conflict_do_nothing(index_elements=["person_id", "ticket"])
    )
    return True


def close(session: Session, keyring: Keyring, door_id: str, now: datetime) -> None:
    """Takes a door away from all who could read it, with the key that opens it, also in older backups."""
    _delete(session, keyring, now, OpenDoor.id == door_id)


def find(session: Session, door_id: str) -> DoorView | None:
    """A door whose author takes part in its activity, or None; one statement."""
    return next(iter(_views(session, OpenDoor.id == door_id)), None)


def of_activity(session: Session, activity_id: str) -> list[DoorView]:
    """The doors of those who take part in an activity, in no order; one statement."""
    return _views(session, OpenDoor.activity_id == activity_id)


def own(session: Session, person_id: str, activity_id: str) -> list[str]:
    """Ids of the doors that a person has open in an activity, the oldest first; also of one who left. One statement."""
    return list(
        session.scalars(
            select(OpenDoor.id)
            .where(OpenDoor.person_id == person_id, OpenDoor.activity_id == activity_id)
            .order_by(OpenDoor.opened_at, OpenDoor.id)
        )
    )


def is_own(session: Session, door_id: str, person_id: str) -> bool:
    """Whether a door is this person's."""
    return session.scalar(select(OpenDoor.person_id).where(OpenDoor.id == door_id)) == person_id


def read(session: Session, keyring: Keyring, door_ids: Iterable[str], now: datetime) -> dict[str, Offer]:
    """Door id → what it offers, without those whose key is shredded. One statement, and one for each key."""
    wanted = list(door_ids)
    rows = session.execute(
        select(OpenDoor.id, OpenDoor.person_id, OpenDoor.topic, OpenDoor.suits).where(OpenDoor.id.in_(wanted))
    ).all()
    found = {}
    for row in rows:
        keys = keyring.opened(session, row.id, now)
        with contextlib.suppress(KeyShredded):
            found[row.id] = Offer(
                keys.open(row.person_id, row.topic, _place(row.id, "topic")),
                keys.open(row.person_id, row.suits, _place(row.id, "suits")),
            )
    return {each: found[each] for each in wanted if each in found}


# What is one's own


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[dict[str, Any]]:
    """All doors that a person has open, for their own copy of what is theirs."""
    rows = session.execute(
        select(OpenDoor.id, OpenDoor.opened_at, Activity.title)
        .join(Activity, Activity.id == OpenDoor.activity_id)
        .where(OpenDoor.person_id == person_id)
        .order_by(OpenDoor.opened_at, OpenDoor.id)
    ).all()
    offers = read(session, keyring, [row.id for row in rows], now)
    return [
        {
            "activity": row.title,
            "opened_at": row.opened_at,
            "what_can_be_seen": offers[row.id].topic,
            "when_it_suits": offers[row.id].suits,
        }
        for row in rows
        if row.id in offers
    ]


def delete_of(session: Session, keyring: Keyring, person_id: str, activity_id: str, now: datetime) -> int:
    """Closes all doors of a person in an activity; how many."""
    return _delete(session, keyring, now, OpenDoor.person_id == person_id, OpenDoor.activity_id == activity_id)


def count_here(session: Session, person_id: str, activity_id: str) -> int:
    """How many doors a person has open in an activity."""
    return (
        session.scalar(
            select(func.count())
            .select_from(OpenDoor)
            .where(OpenDoor.person_id == person_id, OpenDoor.activity_id == activity_id)
        )
        or 0
    )


def _delete(session: Session, keyring: Keyring, now: datetime, *which: ColumnElement[bool]) -> int:
    gone = session.execute(delete(OpenDoor).where(*which).returning(OpenDoor.id, OpenDoor.person_id)).all()
    for door_id, person_id in gone:
        keyring.shred(door_id, person_id, now)
    return len(gone)


def _views(session: Session, which: ColumnElement[bool]) -> list[DoorView]:
    rows = session.execute(
        select(
            OpenDoor.id,
            OpenDoor.activity_id,
            _Here.course_id,
            _Here.status,
            OpenDoor.person_id,
            Membership.id.label("membership_id"),
            Person.name,
            OpenDoor.opened_at,
        )
        .join(_Here, _Here.id == OpenDoor.activity_id)
        .join(Person, Person.id == OpenDoor.person_id)
        # Whoever left, leads the school by now or became the trainer offers nothing here.
        .join(Membership, (Membership.person_id == Person.id) & (Membership.course_id == _Here.course_id))
        .where(which, *takes_part(OpenDoor.activity_id))
    )
    return [
        DoorView(
            row.id,
            row.activity_id,
            ActivityFacts(row.course_id, row.status),
            row.person_id,
            row.membership_id,
            row.name,
            row.opened_at,
        )
        for row in rows
    ]


def _place(door_id: str, part: str) -> str:
    return f"open_doors/{door_id}/{part}"
