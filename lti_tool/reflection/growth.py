"""What a teacher would like to grow in: a list of their own, each line sealed by a key of its own (R27).

A line can be shared with a pair that has not ended, and be taken back. Who may is asked before (privacy/rules.py, by
the views); a line is only ever looked up by its author, or by the pair with which it is shared.
"""

import contextlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.reflection.models import GrowthArea, GrowthShare
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed
from lti_tool.store.upsert import insert_into

MAX_LENGTH = 1000
"""Characters of one line."""
MOST = 50
"""Lines of one person."""


@dataclass(frozen=True, slots=True)
class SharedWith:
    """A pair with which a line is shared at present."""

    pair_id: str
    activity_title: str
    names: tuple[str, ...]
    """Given names of the others in it; may be empty, where the LMS withholds names."""


@dataclass(frozen=True, slots=True)
class Area:
    """A line, for the one whose it is."""

    id: str
    text: str
    changed_at: datetime
    shared_with: tuple[SharedWith, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedArea:
    """A line that somebody shares with a pair, for the others in it."""

    author_id: str
    author: str
    """May be empty, where the LMS withholds names."""
    text: str


class TooMany(Exception):
    """There are MOST lines already."""


def read(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[Area]:
    """All lines of a person, the oldest first, and with whom each is shared now; two statements."""
    rows = session.execute(
        select(GrowthArea.id, GrowthArea.sealed, GrowthArea.changed_at)
        .where(GrowthArea.person_id == person_id)
        .order_by(GrowthArea.created_at, GrowthArea.id)
    ).all()
    keys = keyring.opened_all(session, [row.id for row in rows], now)
    shared = _shared_with(session, person_id) if rows else {}
    found = []
    for row in rows:
        with contextlib.suppress(KeyShredded):
            text = keys[row.id].open(person_id, row.sealed, _place(row.id))
            found.append(Area(row.id, text, row.changed_at, tuple(shared.get(row.id, ()))))
    return found


def find(session: Session, keyring: Keyring, person_id: str, area_id: str, now: datetime) -> Area | None:
    """One line of a person, or None."""
    return next((area for area in read(session, keyring, person_id, now) if area.id == area_id), None)


def add(session: Session, keyring: Keyring, person_id: str, text: str, ticket: str, now: datetime) -> None:
    """Adds a line. The same `ticket` again changes nothing. Raises TooMany; the session writes."""
    # Of two taps at once the second waits here.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)).all()
    tickets = set(session.scalars(select(GrowthArea.ticket).where(GrowthArea.person_id == person_id)))
    if ticket in tickets:
        return
    if len(tickets) >= MOST:
        raise TooMany
    area_id = new_id()
    session.execute(
        insert_into(session, GrowthArea)
        .values(
            id=area_id,
            person_id=person_id,
            ticket=ticket,
            sealed=keyring.opened(session, area_id, now).seal(person_id, text, _place(area_id)),
            created_at=now,
            changed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["person_id", "ticket"])
    )


def change(session: Session, keyring: Keyring, person_id: str, area_id: str, text: str, now: datetime) -> bool:
    """Puts another text in the place of what a line says; with whom it is shared stays as it is. False where the line
    is not there any more."""
    is_mine = (GrowthArea.id == area_id, GrowthArea.person_id == person_id)
    # Held, so that it does not go while a key for it is made.
    if session.scalars(select(GrowthArea.id).where(*is_mine).with_for_update()).first() is None:
        return False
    sealed = keyring.opened(session, area_id, now).seal(person_id, text, _place(area_id))
    session.execute(update(GrowthArea).where(*is_mine).values(sealed=sealed, changed_at=now))
    return True


def remove(session: Session, keyring: Keyring, person_id: str, area_id: str, now: datetime) -> None:
    """Deletes a line for everybody, with the key that opens it, also in older backups."""
    gone = session.execute(delete(GrowthArea).where(GrowthArea.id == area_id, GrowthArea.person_id == person_id))
    if rows_changed(gone):
        keyring.shred(area_id, person_id, now)


def share(session: Session, area_id: str, pair_id: str, now: datetime) -> None:
    """Shows a line to the others in a pair, for as long as the pair lasts. Twice is once."""
    session.execute(
        insert_into(session, GrowthShare)
        .values(area_id=area_id, pair_id=pair_id, shared_at=now)
        .on_conflict_do_nothing(index_elements=["area_id", "pair_id"])
    )


def take_back(session: Session, area_id: str, pair_id: str) -> None:
    """Shows it to them no more. What is not shared can be taken back, too."""
    session.execute(delete(GrowthShare).where(GrowthShare.area_id == area_id, GrowthShare.pair_id == pair_id))


def take_back_all(session: Session, pair_id: str, membership_id: str, *, also_of_others: bool) -> None:
    """Shows a group no more what a member shared with it, who leaves; nor, where only one is left, what that one did:
    whoever came next would see it, and nobody had said so."""
    theirs = select(GrowthArea.id).join(Membership, Membership.person_id == GrowthArea.person_id)
    which = [] if also_of_others else [GrowthShare.area_id.in_(theirs.where(Membership.id == membership_id))]
    session.execute(delete(GrowthShare).where(GrowthShare.pair_id == pair_id, *which))


def of_others(session: Session, keyring: Keyring, pair_id: str, viewer_id: str, now: datetime) -> list[SharedArea]:
    """What the others of a pair share with it now; one statement. That the viewer is in it is asked before."""
    rows = session.execute(
        select(GrowthArea.id, GrowthArea.person_id, GrowthArea.sealed, Person.given_name, Person.name)
        .join(GrowthShare, GrowthShare.area_id == GrowthArea.id)
        .join(Person, Person.id == GrowthArea.person_id)
        .join(Pair, Pair.id == GrowthShare.pair_id)
        .where(
            GrowthShare.pair_id == pair_id,
            GrowthArea.person_id != viewer_id,
            Pair.status != "ended",
            # Whoever left a group takes along what they shared.
            exists()
            .where(PairMember.pair_id == Pair.id, PairMember.is_current, Membership.id == PairMember.membership_id)
            .where(Membership.person_id == GrowthArea.person_id),
        )
        .order_by(Person.name, GrowthArea.created_at, GrowthArea.id)
    ).all()
    keys = keyring.opened_all(session, [row.id for row in rows], now)
    found = []
    for row in rows:
        with contextlib.suppress(KeyShredded):
            text = keys[row.id].open(row.person_id, row.sealed, _place(row.id))
            found.append(SharedArea(row.person_id, row.given_name or row.name, text))
    return found


def _shared_with(session: Session, person_id: str) -> dict[str, list[SharedWith]]:
    mine, theirs, me = aliased(PairMember), aliased(PairMember), aliased(Membership)
    rows = session.execute(
        select(GrowthShare.area_id, GrowthShare.pair_id, Activity.title, Person.given_name, Person.name)
        .join(GrowthArea, GrowthArea.id == GrowthShare.area_id)
        .join(Pair, Pair.id == GrowthShare.pair_id)
        .join(Activity, Activity.id == Pair.activity_id)
        .join(mine, (mine.pair_id == Pair.id) & mine.is_current)
        .join(me, (me.id == mine.membership_id) & (me.person_id == person_id))
        .join(theirs, (theirs.pair_id == Pair.id) & theirs.is_current & (theirs.membership_id != mine.membership_id))
        .join(Membership, Membership.id == theirs.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(GrowthArea.person_id == person_id, Pair.status != "ended")
        .order_by(Activity.title, GrowthShare.pair_id, Person.name)
    )
    names: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        names[row.area_id, row.pair_id, row.title].append(row.given_name or row.name)
    found: dict[str, list[SharedWith]] = defaultdict(list)
    for (area_id, pair_id, title), of_pair in names.items():
        found[area_id].append(SharedWith(pair_id, title, tuple(of_pair)))
    return found


def _place(area_id: str) -> str:
    return f"growth_areas/{area_id}"
