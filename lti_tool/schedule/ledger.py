"""Use cases of the time ledger: what a teacher gave to coaching, by bookings that are over and lines of their own.

It is theirs alone: sealed by a key of its own, and in no count of a trainer or school. Who may is asked before, by the
views.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, ScalarSelect, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.people.models import Person
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.schedule import calendars, ledger_rules
from lti_tool.schedule.calendars import Booking
from lti_tool.schedule.ledger_rules import BESIDE, Entry, Line
from lti_tool.schedule.models import TimeLine
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed

MOST_LINES = 2_000
"""Of one person."""
_ROOM = 512
"""Characters to whose multiples what is sealed is filled up."""


class Full(Exception):
    """There are MOST_LINES."""


def entries(
    session: Session,
    keyring: Keyring,
    person_id: str,
    first: date,
    last: date,
    zone: ZoneInfo,
    categories: Sequence[str],
    now: datetime,
) -> list[Entry]:
    """The ledger of a person from day to day, both included, by the clock of `zone`: in order. Three statements."""
    rows = _rows(session, person_id)
    lines = _opened(session, keyring, person_id, rows, now)
    of_meeting = {row.meeting_id: row.id for row in rows if row.meeting_id and row.id in lines}
    found = []
    begins, ends = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    for each in calendars.bookings(session, person_id, begins, min(ends, now)):
        if each.ends_at > now:
            continue
        line_id = of_meeting.get(each.id, "")
        line = _of_booking(each, lines.get(line_id), zone, categories)
        found.append(_entry(line, line_id, each))
    for row in rows:
        # One that speaks of a booking is shown with it; once that is gone, by itself.
        if row.meeting_id is None and row.id in lines and first <= lines[row.id].day <= last:
            found.append(_entry(lines[row.id], row.id))
    return sorted(found, key=lambda each: (each.day, each.starts_at is None, each.starts_at or now, each.line_id))


def has_any(session: Session, person_id: str) -> bool:
    """Whether there is anything in the ledger of a person, ever; two statements at most."""
    return bool(session.scalar(select(exists().where(TimeLine.person_id == person_id)))) or calendars.has_any(
        session, person_id
    )


def find(session: Session, keyring: Keyring, person_id: str, line_id: str, now: datetime) -> Line | None:
    """A line of a person that stands by itself; None for any other."""
    rows = _rows(session, person_id, TimeLine.id == line_id, TimeLine.meeting_id.is_(None))
    return _opened(session, keyring, person_id, rows, now).get(line_id)


def of_meeting(
    session: Session,
    keyring: Keyring,
    person_id: str,
    meeting_id: str,
    zone: ZoneInfo,
    categories: Sequence[str],
    now: datetime,
) -> tuple[Booking, Line] | None:
    """A booking of a person that is over, and what counts of it; None for any other."""
    booking = calendars.booking(session, person_id, meeting_id)
    if booking is None or booking.ends_at > now:
        return None
    rows = _rows(session, person_id, TimeLine.meeting_id == meeting_id)
    said = next(iter(_opened(session, keyring, person_id, rows, now).values()), None)
    return booking, _of_booking(booking, said, zone, categories)


def add(session: Session, keyring: Keyring, person_id: str, line: Line, now: datetime) -> None:
    """Keeps a line of one's own. Raises Full; the session writes."""
    _lock(session, person_id)
    _insert(session, keyring, person_id, line, None, now)


def change(session: Session, keyring: Keyring, person_id: str, line_id: str, line: Line, now: datetime) -> bool:
    """Puts a line in the place of one of one's own; False where that is gone. The session writes."""
    keys = keyring.opened(session, _scope(person_id), now)
    sealed = keys.seal(person_id, _written(line), _place(line_id))
    changed = session.execute(
        update(TimeLine).where(TimeLine.person_id == person_id, TimeLine.id == line_id).values(sealed=sealed)
    )
    return rows_changed(changed) > 0


def say_of_meeting(
    session: Session, keyring: Keyring, person_id: str, booking: Booking, line: Line | None, now: datetime
) -> None:
    """Keeps what a person says of a booking; None: it counts as booked again. Raises Full; the session writes."""
    _lock(session, person_id)
    there = session.scalar(
        select(TimeLine.id).where(TimeLine.person_id == person_id, TimeLine.meeting_id == booking.id)
    )
    if line is None:
        session.execute(delete(TimeLine).where(TimeLine.id == there))
    elif there:
        change(session, keyring, person_id, there, line, now)
    else:
        _insert(session, keyring, person_id, line, booking.id, now)


def remove(session: Session, person_id: str, line_id: str) -> None:
    """Deletes a line of one's own. The session writes."""
    session.execute(
        delete(TimeLine).where(TimeLine.person_id == person_id, TimeLine.id == line_id, TimeLine.meeting_id.is_(None))
    )


def forget(session: Session, keyring: Keyring, person_id: str, now: datetime) -> None:
    """Deletes all that a person said in their ledger, with the key. The session writes."""
    gone = session.execute(delete(TimeLine).where(TimeLine.person_id == person_id))
    if rows_changed(gone):
        keyring.shred(_scope(person_id), person_id, now)


# What is one's own


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[dict[str, Any]]:
    """What a person said in their ledger, for their own copy of what is theirs."""
    rows = _rows(session, person_id)
    lines = _opened(session, keyring, person_id, rows, now)
    return [
        {
            "day": line.day.isoformat(),
            "minutes": ledger_rules.counted(line),
            "of": line.kind or "beside bookings",
            "category": line.category,
            "note": line.note,
            "said_at": row.said_at,
        }
        for row in rows
        if (line := lines.get(row.id))
    ]


def built(person_id: str) -> ScalarSelect[int]:
    """How many lines a person said."""
    return select(func.count()).select_from(TimeLine).where(TimeLine.person_id == person_id).scalar_subquery()


# Keeping it


def _of_booking(booking: Booking, said: Line | None, zone: ZoneInfo, categories: Sequence[str]) -> Line:
    day = booking.starts_at.astimezone(zone).date()
    return ledger_rules.of_booking(said, day=day, minutes=booking.minutes, kind=booking.kind, categories=categories)


def _entry(line: Line, line_id: str, booking: Booking | None = None) -> Entry:
    return Entry(
        line.day,
        ledger_rules.counted(line),
        line.kind,
        line.category,
        line.note,
        booking.starts_at if booking else None,
        line.booked if line.kind != BESIDE else None,
        booking.activity if booking else "",
        booking.id if booking else "",
        line_id,
    )


def _rows(session: Session, person_id: str, *which: Any) -> Sequence[Row[*tuple[Any, ...]]]:
    return session.execute(
        select(TimeLine.id, TimeLine.meeting_id, TimeLine.sealed, TimeLine.said_at)
        .where(TimeLine.person_id == person_id, *which)
        .order_by(TimeLine.said_at, TimeLine.id)
    ).all()


def _opened(
    session: Session, keyring: Keyring, person_id: str, rows: Sequence[Row[*tuple[Any, ...]]], now: datetime
) -> dict[str, Line]:
    """Id → line, of those rows whose key is there."""
    if not rows:
        return {}
    keys = keyring.opened(session, _scope(person_id), now)
    found = {}
    for row in rows:
        with contextlib.suppress(KeyShredded):
            found[row.id] = ledger_rules.of(keys.open(person_id, row.sealed, _place(row.id)))
    return found


def _insert(
    session: Session, keyring: Keyring, person_id: str, line: Line, meeting_id: str | None, now: datetime
) -> None:
    there = session.scalar(select(func.count()).select_from(TimeLine).where(TimeLine.person_id == person_id)) or 0
    if there >= MOST_LINES:
        raise Full
    line_id = new_id()
    sealed = keyring.opened(session, _scope(person_id), now).seal(person_id, _written(line), _place(line_id))
    values = {"id": line_id, "person_id": person_id, "meeting_id": meeting_id, "sealed": sealed, "said_at": now}
    session.execute(insert(TimeLine).values(**values))


def _written(line: Line) -> str:
    """As it is sealed: filled up, so that its length tells less."""
    text = ledger_rules.to_json(line)
    return text.ljust(-(-len(text) // _ROOM) * _ROOM)


def _lock(session: Session, person_id: str) -> None:
    """Of two changes at once the second waits here."""
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)).all()


def _scope(person_id: str) -> str:
    """Of the key of a ledger alone: a person has one, so that it needs no id."""
    return hashlib.sha256(f"time_lines/{person_id}".encode()).hexdigest()[:16]


def _place(line_id: str) -> str:
    return f"time_lines/{line_id}"
