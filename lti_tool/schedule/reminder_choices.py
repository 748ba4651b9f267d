"""Use cases of what somebody says about reminders: by which way, when, and at which address.

Who said nothing is sent nothing. An address is typed by its owner, sealed with a key of its own, and nothing but a code
goes there before they have typed that code. Who may is asked before, by the views.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from sqlalchemy import ScalarSelect, delete, func, literal, select, update
from sqlalchemy.orm import Session

from lti_tool.people.models import Person
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.schedule.mail import is_address
from lti_tool.schedule.models import Reminder, ReminderChoice, ReminderSettings
from lti_tool.schedule.reminder_rules import KEPT_FOR, KINDS, SENT
from lti_tool.store.database import rows_changed
from lti_tool.store.upsert import insert_into

CODE_LASTS = timedelta(minutes=30)
AGAIN_AFTER = timedelta(minutes=3)
"""Between two codes, so that nobody fills a stranger's letterbox."""
MOST_TRIES = 5
UNCONFIRMED_FOR = timedelta(days=1)
"""An address that nobody confirmed is deleted then: it may be a stranger's."""
_SHOWN = 10


class BadAddress(Exception):
    """What was typed is no e-mail address."""


class TooSoon(Exception):
    """A code was sent a moment ago."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said about reminders, for themselves."""

    ways: Mapping[str, str] = field(default_factory=dict)
    """Kind → way, of each kind."""
    digest: str = "daily"
    from_hour: int = 8
    to_hour: int = 17
    email: str = ""
    is_confirmed: bool = False
    awaits_code: bool = False
    """Whether a code can still be typed."""

    @classmethod
    def nothing(cls) -> Self:
        """Of whoever said nothing."""
        return cls(dict.fromkeys(KINDS, "page"))


@dataclass(frozen=True, slots=True)
class Past:
    """One reminder that left, or may have."""

    kind: str
    way: str
    status: str
    sent_at: datetime


def mine(session: Session, keyring: Keyring, person_id: str, now: datetime) -> Said:
    """What a person said, for themselves; two statements, and one of the keyring where there is an address."""
    rows = session.execute(select(ReminderChoice.kind, ReminderChoice.way).where(ReminderChoice.person_id == person_id))
    ways = dict.fromkeys(KINDS, "page") | {row.kind: row.way for row in rows}
    row = session.execute(_SETTINGS.where(ReminderSettings.person_id == person_id)).one_or_none()
    if row is None:
        return Said(ways)
    return Said(
        ways,
        row.digest,
        row.from_hour,
        row.to_hour,
        _opened(session, keyring, person_id, row.sealed_email, now),
        row.confirmed_at is not None,
        _can_be_typed(row, now),
    )


def recent(session: Session, person_id: str) -> list[Past]:
    """What was sent to a person lately, the newest first; one statement."""
    rows = session.execute(
        select(Reminder.kind, Reminder.way, Reminder.status, Reminder.sent_at)
        .where(Reminder.person_id == person_id, Reminder.status.in_(("sent", "unknown", "failed")))
        .where(Reminder.sent_at.is_not(None))
        .order_by(Reminder.sent_at.desc(), Reminder.id)
        .limit(_SHOWN)
    )
    return [Past(row.kind, row.way, row.status, row.sent_at) for row in rows if row.sent_at]


def say(session: Session, person_id: str, ways: Mapping[str, str], digest: str, hours: tuple[int, int]) -> None:
    """Keeps by which way somebody is reminded of each kind, how often, and between which hours. The session writes."""
    statement = insert_into(session, ReminderChoice)
    session.execute(
        statement.on_conflict_do_update(index_elements=["person_id", "kind"], set_={"way": statement.excluded.way}),
        [{"person_id": person_id, "kind": kind, "way": way} for kind, way in ways.items()],
    )
    _keep(session, person_id, {"digest": digest, "from_hour": hours[0], "to_hour": hours[1]})


def stop(session: Session, person_id: str) -> None:
    """Nothing is sent to a person any more, by whatever way. The session writes."""
    session.execute(
        update(ReminderChoice)
        .where(ReminderChoice.person_id == person_id, ReminderChoice.way.in_(SENT))
        .values(way="page")
    )
    session.execute(delete(Reminder).where(Reminder.person_id == person_id, Reminder.status == "waiting"))


def say_address(session: Session, keyring: Keyring, person_id: str, address: str, now: datetime) -> str:
    """Keeps an address in the place of the one before; returns the code that is to be sent there.

    Raises BadAddress, and TooSoon where a code was made a moment ago. The session writes.
    """
    if not is_address(address):
        raise BadAddress
    _lock(session, person_id)
    row = session.execute(_SETTINGS.where(ReminderSettings.person_id == person_id)).one_or_none()
    if row is not None and row.code_expires_at is not None and row.code_expires_at > now + CODE_LASTS - AGAIN_AFTER:
        raise TooSoon
    keys = keyring.opened(session, _scope(person_id), now)
    code = f"{secrets.randbelow(1_000_000):06}"
    values = {
        "sealed_email": keys.seal(person_id, address, _place(person_id)),
        "confirmed_at": None,
        "code_hash": _hashed(keys.derive(person_id, "code of an address"), code),
        "code_expires_at": now + CODE_LASTS,
        "code_tries": 0,
    }
    _keep(session, person_id, values)
    return code


def confirm(
    session: Session, keyring: Keyring, person_id: str, code: str, now: datetime
) -> Literal["confirmed", "wrong", "over"]:
    """Takes the code that was sent to an address: over where its time is, or after too many tries. The session
    writes."""
    _lock(session, person_id)
    row = session.execute(_SETTINGS.where(ReminderSettings.person_id == person_id)).one_or_none()
    if row is None or not _can_be_typed(row, now):
        return "over"
    keys = keyring.opened(session, _scope(person_id), now)
    here = ReminderSettings.person_id == person_id
    try:
        is_right = hmac.compare_digest(_hashed(keys.derive(person_id, "code of an address"), code), row.code_hash)
    except KeyShredded:
        return "over"
    if not is_right:
        session.execute(update(ReminderSettings).where(here).values(code_tries=row.code_tries + 1))
        return "wrong" if row.code_tries + 1 < MOST_TRIES else "over"
    session.execute(update(ReminderSettings).where(here).values(confirmed_at=now, code_hash=""))
    return "confirmed"


def forget_address(session: Session, keyring: Keyring, person_id: str, now: datetime) -> None:
    """Deletes an address with its key; what went there goes on the page again. The session writes."""
    gone = session.execute(
        update(ReminderSettings)
        .where(ReminderSettings.person_id == person_id, ReminderSettings.sealed_email.is_not(None))
        .values(sealed_email=None, confirmed_at=None, code_hash="")
    )
    session.execute(
        update(ReminderChoice)
        .where(ReminderChoice.person_id == person_id, ReminderChoice.way == "email")
        .values(way="page")
    )
    session.execute(
        delete(Reminder).where(Reminder.person_id == person_id, Reminder.status == "waiting", Reminder.way == "email")
    )
    if rows_changed(gone):
        keyring.shred(_scope(person_id), person_id, now)


def address_of(session: Session, keyring: Keyring, person_id: str, now: datetime) -> str:
    """The confirmed address of a person, empty where there is none; for sending alone."""
    row = session.execute(_SETTINGS.where(ReminderSettings.person_id == person_id)).one_or_none()
    if row is None or row.confirmed_at is None:
        return ""
    return _opened(session, keyring, person_id, row.sealed_email, now)


def forget_old(session: Session, keyring: Keyring, now: datetime) -> None:
    """Deletes reminders whose time is long over, and addresses that nobody confirmed."""
    session.execute(delete(Reminder).where(Reminder.due_at < now - KEPT_FOR))
    strangers = session.scalars(
        select(ReminderSettings.person_id)
        .where(ReminderSettings.sealed_email.is_not(None), ReminderSettings.confirmed_at.is_(None))
        .where(ReminderSettings.code_expires_at < now - UNCONFIRMED_FOR)
        .limit(100)
    ).all()
    for person_id in strangers:
        forget_address(session, keyring, person_id, now)


# What is one's own


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[dict[str, Any]]:
    """What a person said about reminders, for their own copy; empty where they said nothing."""
    said = mine(session, keyring, person_id, now)
    if said == Said.nothing():
        return []
    return [
        {f"{kind}_by": way for kind, way in said.ways.items()}
        | {
            "how_often": said.digest,
            "from_hour": said.from_hour,
            "to_hour": said.to_hour,
            "email": said.email,
            "email_is_confirmed": said.is_confirmed,
        }
    ]


def reminders_of(session: Session, person_id: str) -> list[dict[str, Any]]:
    """All reminders that are kept of a person, for their own copy; one statement."""
    rows = session.execute(
        select(Reminder.kind, Reminder.way, Reminder.status, Reminder.due_at, Reminder.sent_at)
        .where(Reminder.person_id == person_id)
        .order_by(Reminder.sent_at, Reminder.id)
    )
    return [dict(row) for row in rows.mappings()]


def kept(person_id: str) -> ScalarSelect[int]:
    """How many rows are kept of what a person said about reminders, and of reminders to them."""
    numbers = (
        select(func.count()).select_from(table).where(table.person_id == person_id).scalar_subquery()
        for table in (Reminder, ReminderChoice, ReminderSettings)
    )
    return select(sum(numbers, literal(0))).scalar_subquery()


_SETTINGS = select(
    ReminderSettings.digest,
    ReminderSettings.from_hour,
    ReminderSettings.to_hour,
    ReminderSettings.sealed_email,
    ReminderSettings.confirmed_at,
    ReminderSettings.code_hash,
    ReminderSettings.code_expires_at,
    ReminderSettings.code_tries,
)


def _keep(session: Session, person_id: str, values: Mapping[str, Any]) -> None:
    session.execute(
        insert_into(session, ReminderSettings)
        .values(person_id=person_id, **values)
        .on_conflict_do_update(index_elements=["person_id"], set_=dict(values))
    )


def _lock(session: Session, person_id: str) -> None:
    # Of two who type at once the second waits here, so that tries are counted one by one.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)).all()


def _can_be_typed(row: Any, now: datetime) -> bool:
    is_open = row.sealed_email is not None and row.confirmed_at is None and bool(row.code_hash)
    return is_open and row.code_expires_at is not None and row.code_expires_at > now and row.code_tries < MOST_TRIES


def _opened(session: Session, keyring: Keyring, person_id: str, sealed: bytes | None, now: datetime) -> str:
    if sealed is None:
        return ""
    try:
        return keyring.opened(session, _scope(person_id), now).open(person_id, sealed, _place(person_id))
    except KeyShredded:
        return ""


def _hashed(key: bytes, code: str) -> str:
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()


def _scope(person_id: str) -> str:
    return hashlib.sha256(f"reminder_settings/{person_id}".encode()).hexdigest()[:16]


def _place(person_id: str) -> str:
    return f"reminder_settings/{person_id}"
