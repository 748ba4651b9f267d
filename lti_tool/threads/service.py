"""Use cases of a thread: reading it, writing in it, deleting one's own.

Who may is asked before (privacy/rules.py, by the views); whose thread it is says pairing.service.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.keyring import Keyring, KeyShredded, ScopeKeys
from lti_tool.privacy.rules import MessageFacts
from lti_tool.store.base import new_id
from lti_tool.store.database import run
from lti_tool.store.upsert import insert_into
from lti_tool.threads.models import ThreadMessage

PAGE_SIZE = 40
"""Messages that are opened for one page."""
_LATEST = (
    select(ThreadMessage.id, ThreadMessage.author_id, ThreadMessage.sealed, ThreadMessage.sent_at)
    .where(ThreadMessage.pair_id == bindparam("pair"))
    .order_by(ThreadMessage.sent_at.desc(), ThreadMessage.id.desc())
    .limit(bindparam("size"))
    .offset(bindparam("start"))
)
_IDS = (
    select(ThreadMessage.id)
    .where(ThreadMessage.pair_id == bindparam("pair"))
    .order_by(ThreadMessage.sent_at.desc(), ThreadMessage.id.desc())
    .limit(PAGE_SIZE)
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, opened."""

    id: str
    author_id: str
    text: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a thread, the newest message last."""

    messages: tuple[Message, ...]
    number: int
    """From 1, which holds the newest."""
    has_earlier: bool
    known: str
    """Short name of exactly these messages: an open page asks whether it has another by now."""
    authors: frozenset[str]
    """Whose words were opened: ids of people."""


def read(session: Session, keyring: Keyring, pair_id: str, number: int, now: datetime) -> Page:
    """Page `number` of a thread, from 1; one statement, and one for the keys."""
    rows = run(session, _LATEST, {"pair": pair_id, "size": PAGE_SIZE + 1, "start": (number - 1) * PAGE_SIZE}).all()
    keys = keyring.opened(session, pair_id, now)
    shown = rows[:PAGE_SIZE]
    messages = tuple(
        Message(row.id, row.author_id, text, row.sent_at)
        for row in reversed(shown)
        if (text := _open(keys, row)) is not None
    )
    known = _name_of([row.id for row in shown])
    return Page(messages, number, len(rows) > PAGE_SIZE, known, frozenset(keys.opened_authors))


def known(session: Session, pair_id: str) -> str:
    """The name of what the first page of a thread holds now, as Page.known; one statement, and nothing is opened."""
    return _name_of([row.id for row in run(session, _IDS, {"pair": pair_id})])


def send(
    session: Session, keyring: Keyring, pair_id: str, author_id: str, text: str, ticket: str, now: datetime
) -> bool:
    """Writes a message (cleaned, and without a problem); False if the pair has ended. The same `ticket` again writes
    nothing more. The session writes."""
    # Locked: whoever ends the pair at this moment, or shreds a key of it, comes before or after.
    status = session.scalars(select(Pair.status).where(Pair.id == pair_id).with_for_update(read=True)).one_or_none()
    written = exists().where(ThreadMessage.author_id == author_id, ThreadMessage.ticket == ticket)
    if session.scalar(select(written)):
        return True
    if status is None or status == "ended":
        return False
    message_id = new_id()
    sealed = keyring.opened(session, pair_id, now).seal(author_id, text, _place(message_id))
    session.execute(
        insert_into(session, ThreadMessage)
        .values(id=message_id, pair_id=pair_id, author_id=author_id, ticket=ticket, sealed=sealed, sent_at=now)
        .on_conflict_do_nothing(index_elements=["author_id", "ticket"])
    )
    return True


def find(session: Session, message_id: str) -> tuple[str, MessageFacts] | None:
    """(Id of the pair, what the rules need) of a message, or None."""
    row = session.execute(
        select(ThreadMessage.pair_id, Pair.activity_id, ThreadMessage.author_id)
        .join(Pair, Pair.id == ThreadMessage.pair_id)
        .where(ThreadMessage.id == message_id)
    ).one_or_none()
    return (row.pair_id, MessageFacts(row.activity_id, row.author_id)) if row else None


def remove(session: Session, keyring: Keyring, message_id: str, now: datetime) -> None:
    """Deletes a message, for everybody; with the author's last one in a thread their key there goes too."""
    _delete(session, keyring, now, ThreadMessage.id == message_id)


# What is one's own


def of_person(
    session: Session, keyring: Keyring, person_id: str, shown: Callable[[str, str], None], now: datetime
) -> list[dict[str, Any]]:
    """All messages in the threads of a person, for their own copy of what is theirs; the oldest first.

    `shown` is called with the id of each author, and an empty one, since a thread belongs to no cycle. One statement,
    and one for all keys.
    """
    # As pairing.service.pairs_of: whoever left a group takes their own words with them, not what was written since.
    reads = (
        exists()
        .where(PairMember.pair_id == ThreadMessage.pair_id, PairMember.membership_id == Membership.id)
        .where(Membership.person_id == person_id)
        .where(or_(PairMember.is_current, and_(Pair.status == "ended", Activity.kind != "group")))
        .correlate(ThreadMessage, Pair, Activity)
    )
    # Who left a group is not named to those who are in it now, on the page neither.
    is_named = (
        exists()
        .where(PairMember.pair_id == ThreadMessage.pair_id, PairMember.membership_id == Membership.id)
        .where(Membership.person_id == ThreadMessage.author_id)
        .where(or_(PairMember.is_current, Activity.kind != "group"))
        .correlate(ThreadMessage, Activity)
    )
    rows = session.execute(
        select(
            ThreadMessage.id,
            ThreadMessage.pair_id,
            ThreadMessage.author_id,
            ThreadMessage.sealed,
            ThreadMessage.sent_at,
            Activity.title,
            Person.given_name,
            is_named.label("is_named"),
        )
        .join(Pair, Pair.id == ThreadMessage.pair_id)
        .join(Activity, Activity.id == Pair.activity_id)
        .join(Person, Person.id == ThreadMessage.author_id)
        .where(or_(reads, ThreadMessage.author_id == person_id))
        .order_by(ThreadMessage.sent_at, ThreadMessage.id)
    ).all()
    keys = keyring.opened_all(session, {row.pair_id for row in rows}, now)
    found = []
    for row in rows:
        text = _open(keys[row.pair_id], row)
        if text is not None:
            shown(row.author_id, "")
            by = "you" if row.author_id == person_id else row.given_name if row.is_named else "somebody who left"
            found.append({"activity": row.title, "by": by, "sent_at": row.sent_at, "text": text})
    return found


def delete_of(session: Session, keyring: Keyring, person_id: str, activity_id: str, now: datetime) -> int:
    """Deletes all that a person wrote in their threads of an activity; how many messages."""
    here = select(Pair.id).where(Pair.activity_id == activity_id)
    return _delete(session, keyring, now, ThreadMessage.author_id == person_id, ThreadMessage.pair_id.in_(here))


def count_here(session: Session, person_id: str, activity_id: str) -> int:
    """How many messages a person wrote in their threads of an activity."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ThreadMessage)
            .join(Pair, Pair.id == ThreadMessage.pair_id)
            .where(ThreadMessage.author_id == person_id, Pair.activity_id == activity_id)
        )
        or 0
    )


def _delete(session: Session, keyring: Keyring, now: datetime, *which: ColumnElement[bool]) -> int:
    pairs = select(ThreadMessage.pair_id).where(*which)
    session.execute(select(Pair.id).where(Pair.id.in_(pairs)).order_by(Pair.id).with_for_update()).all()
    gone = session.execute(
        delete(ThreadMessage).where(*which).returning(ThreadMessage.pair_id, ThreadMessage.author_id)
    ).all()
    for pair_id, author_id in sorted({(row.pair_id, row.author_id) for row in gone}):
        left = exists().where(ThreadMessage.pair_id == pair_id, ThreadMessage.author_id == author_id)
        if not session.scalar(select(left)):
            keyring.shred(pair_id, author_id, now)
    return len(gone)


def _open(keys: ScopeKeys, row: Any) -> str | None:
    try:
        return keys.open(row.author_id, row.sealed, _place(row.id))
    except KeyShredded:
        return None


def _name_of(ids: Sequence[str]) -> str:
    return hashlib.sha256(",".join(ids).encode()).hexdigest()[:16]


def _place(message_id: str) -> str:
    return f"thread_messages/{message_id}"
