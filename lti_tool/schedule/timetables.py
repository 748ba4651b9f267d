"""Use cases of a teacher's timetable: by thumb, by a calendar file, or by the address of a calendar that is read daily.

What it holds is sealed by a key of its own, and opened for its owner and for proposing times alone. Who may is asked
before, by the views. The address of a calendar lets whoever knows it read all of it, so it is sealed too, and stands in
no log and no error.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from sqlalchemy import ScalarSelect, delete, exists, func, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.lti.http import AddressRefused, CallFailed, Http, checked_origin
from lti_tool.people.models import Person
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.rounds import wishes
from lti_tool.rounds.models import PairingWish
from lti_tool.schedule import ics, timetable
from lti_tool.schedule.models import Timetable
from lti_tool.schedule.timetable import Calendar, Grid, Said
from lti_tool.store.database import Database, rows_changed
from lti_tool.store.jobs import enqueue
from lti_tool.store.upsert import insert_into

JOB = "timetable"
READ_EVERY = timedelta(hours=24)
GIVES_UP_AFTER = timedelta(days=14)
"""Without one good reading of an address; then it is forgotten, and what was read last is kept."""
MAX_ADDRESS = 1_000
ZONE = "UTC"
"""Decides what of a calendar is over; times without a zone are read by the school's clock when they count."""
_MOST_HOPS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_AT_ONCE = 100
"""Calendars that are asked for together, so that other work never waits long behind them."""
_ROOM = 4096
"""Characters to whose multiples what is sealed is filled up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A timetable as it is kept, for its owner."""

    said: Said
    source: str
    """grid, file or address."""
    address: str
    """Of the calendar; empty for a grid or a file, and once it was given up."""
    revision: int
    said_at: datetime
    read_at: datetime | None
    problem: str
    """See models.Timetable.problem."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be proposed from it: a calendar that was never read."""
        return isinstance(self.said, Calendar) and not self.said.ics


class BadAddress(Exception):
    """What was typed is no address of a calendar."""


def mine(session: Session, keyring: Keyring, person_id: str, now: datetime) -> Kept | None:
    """The timetable of a person, for themselves; two statements."""
    row = session.execute(select(Timetable).where(Timetable.person_id == person_id)).scalar_one_or_none()
    if row is None:
        return None
    keys = keyring.opened(session, _scope(person_id), now)
    try:
        said = timetable.of(json.loads(keys.open(person_id, row.sealed, _place(person_id))))
        address = keys.open(person_id, row.sealed_address, _address_place(person_id)) if row.sealed_address else ""
    except KeyShredded:
        return None
    return Kept(said, row.source, address, row.revision, row.said_at, row.read_at, row.problem)


def of_people(session: Session, keyring: Keyring, person_ids: Collection[str], now: datetime) -> dict[str, Said]:
    """Person id → what they said, for those who said something from which times can be proposed; two statements.

    For proposing times, never for a page.
    """
    rows = session.execute(
        select(Timetable.person_id, Timetable.sealed).where(Timetable.person_id.in_(person_ids))
    ).all()
    keys = keyring.opened_all(session, [_scope(row.person_id) for row in rows], now)
    found: dict[str, Said] = {}
    for row in rows:
        with contextlib.suppress(KeyShredded):
            opened = keys[_scope(row.person_id)].open(row.person_id, row.sealed, _place(row.person_id))
            said = timetable.of(json.loads(opened))
            if not isinstance(said, Calendar) or said.ics:
                found[row.person_id] = said
    return found


def say_grid(session: Session, keyring: Keyring, person_id: str, grid: Grid, now: datetime) -> None:
    """Keeps the week by thumb in the place of what was there before. The session writes."""
    _keep(session, keyring, person_id, now, grid, source="grid", read_again_at=None)


def say_calendar(session: Session, keyring: Keyring, person_id: str, calendar: Calendar, now: datetime) -> None:
    """Keeps the calendar of a file in the place of what was there before. The session writes."""
    _keep(session, keyring, person_id, now, calendar, source="file", read_again_at=None)


def calendar_of(stripped: ics.Stripped, before: Said | None) -> Calendar:
    """A calendar that was read, with what its owner said of its titles and days before."""
    if isinstance(before, Calendar) and before.ics:
        return replace(before, ics=stripped.ics)
    # Who has no entry on a day of the week is not there, until they say so.
    away = tuple(day for day in range(5) if day not in stripped.weekdays)
    return Calendar(stripped.ics, away=away)


def since(now: datetime) -> date:
    """From which day on entries of a calendar are of use."""
    return (now - timedelta(days=1)).date()


def say_address(session: Session, keyring: Keyring, person_id: str, address: str, now: datetime) -> None:
    """Keeps the address of a calendar, and asks for it to be read. Until then what was said before goes on to count.

    Raises BadAddress; the session writes.
    """
    address = _https(address)
    before = mine(session, keyring, person_id, now)
    said = before.said if before else Calendar("")
    _keep(session, keyring, person_id, now, said, source="address", address=address, read_again_at=now)
    enqueue(session, JOB, person_id, {"person_id": person_id}, now)


def say_kinds(
    session: Session,
    keyring: Keyring,
    person_id: str,
    kinds: Mapping[str, str],
    away: Collection[int],
    revision: int,
    now: datetime,
) -> bool:
    """Keeps what the entries of a calendar are, by their titles, and the days of the week without school.

    False where another calendar was read since the page of `revision`, or there is none. The session writes.
    """
    _lock(session, person_id)
    kept = mine(session, keyring, person_id, now)
    if kept is None or kept.revision != revision or not isinstance(kept.said, Calendar):
        return False
    said = replace(kept.said, kinds=dict(kinds), away=tuple(away))
    _reseal(session, keyring, person_id, now, said, revision=revision + 1)
    return True


def forget(session: Session, keyring: Keyring, person_id: str, now: datetime) -> None:
    """Deletes a timetable and the address of its calendar, with their key. The session writes."""
    gone = session.execute(delete(Timetable).where(Timetable.person_id == person_id))
    if rows_changed(gone):
        keyring.shred(_scope(person_id), person_id, now)


def from_round(
    session: Session, keyring: Keyring, membership_id: str, now: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(Free cells, cells in which they teach) of what a teacher said last for a pairing round: `day-period`, counted
    from 0 over the lessons of a day. Both empty where they said none."""
    activity_id = session.scalar(
        select(PairingWish.activity_id)
        .join(Activity, Activity.id == PairingWish.activity_id)
        .where(PairingWish.membership_id == membership_id)
        .order_by(Activity.created_at.desc(), Activity.id)
        .limit(1)
    )
    if activity_id is None:
        return (), ()
    wish = wishes.mine(session, keyring, membership_id, activity_id, now)
    return wish.free, wish.teaching


def has_round(session: Session, membership_id: str) -> bool:
    """Whether a teacher said anything for a pairing round; one statement."""
    return bool(session.scalar(select(exists().where(PairingWish.membership_id == membership_id))))


# What is one's own


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[dict[str, Any]]:
    """The timetable of a person, for their own copy of what is theirs; empty where there is none."""
    kept = mine(session, keyring, person_id, now)
    if kept is None:
        return []
    cells = kept.said.cells if isinstance(kept.said, Grid) else {}
    calendar = kept.said if isinstance(kept.said, Calendar) else Calendar("")
    return [
        {
            "from": kept.source,
            "said_at": kept.said_at,
            "calendar_address": kept.address,
            "calendar_read_at": kept.read_at,
            "calendar": calendar.ics,
            "lessons": [
                {"weekday": int(day) + 1, "lesson": int(lesson) + 1, "what": what}
                for cell, what in sorted(cells.items())
                for day, lesson in [cell.split("-")]
            ],
            "entries": [{"title": title, "what": what} for title, what in calendar.kinds.items()],
            "weekdays_not_in_school": [day + 1 for day in calendar.away],
        }
    ]


def built(person_id: str) -> ScalarSelect[int]:
    """Whether a person has a timetable, 0 or 1."""
    return select(func.count()).select_from(Timetable).where(Timetable.person_id == person_id).scalar_subquery()


# Reading the address of a calendar


def read_due(session: Session, now: datetime) -> None:
    """Asks for all calendars to be read whose time it is. Two statements and one for each, at most _AT_ONCE."""
    due = session.scalars(
        select(Timetable.person_id)
        .where(Timetable.read_again_at <= now)
        .order_by(Timetable.read_again_at)
        .limit(_AT_ONCE)
    ).all()
    # Put off, so that they are not asked for again while they wait.
    session.execute(update(Timetable).where(Timetable.person_id.in_(due)).values(read_again_at=now + READ_EVERY))
    for person_id in due:
        enqueue(session, JOB, person_id, {"person_id": person_id}, now)


def read_address(
    payload: Mapping[str, Any],
    *,
    database: Database,
    keyring: Keyring,
    http: Http,
    clock: Callable[[], datetime],
) -> None:
    """The job: reads the calendar of `payload["person_id"]`, and keeps what is needed of it, or what went wrong.

    Nothing that goes wrong here is the operator's: its code is kept for the page of the one whose calendar it is.
    """
    person_id = str(payload["person_id"])
    with database.read() as session:
        kept = mine(session, keyring, person_id, clock())
    if kept is None or not kept.address:
        return
    try:
        stripped = ics.strip(_fetched(http, kept.address), zone=ZONE, since=since(clock()))
    except _UnreadError as error:
        _fail(database, person_id, kept, error.code, clock())
        return
    except ics.CalendarError as error:
        _fail(database, person_id, kept, error.problem.value, clock())
        return
    with database.write() as session:
        now = clock()
        _lock(session, person_id)
        current = mine(session, keyring, person_id, now)
        if current is None or current.address != kept.address:
            return
        said = calendar_of(stripped, current.said)
        # A page of titles that is open would speak of others only where they have changed.
        revision = current.revision if said == current.said else current.revision + 1
        _reseal(
            session, keyring, person_id, now, said,
            revision=revision, read_at=now, read_again_at=now + READ_EVERY, problem="",
        )  # fmt: skip


class _UnreadError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _fetched(http: Http, address: str) -> bytes:
    """What is at an address; each redirect is checked as the address itself. Raises _UnreadError."""
    for _hop in range(_MOST_HOPS + 1):
        try:
            answer = http.get(address, headers={"Accept": "text/calendar, */*;q=0.1"}, max_bytes=ics.MAX_BYTES)
        except AddressRefused:
            raise _UnreadError("refused") from None
        except CallFailed:
            raise _UnreadError("unreachable") from None
        if answer.status not in _REDIRECTS:
            break
        address = urljoin(address, answer.headers.get("Location", ""))
    if answer.status != 200:
        raise _UnreadError("gone" if answer.status in (401, 403, 404, 410) else "unreachable")
    return answer.body


def _fail(database: Database, person_id: str, kept: Kept, code: str, now: datetime) -> None:
    values: dict[str, Any] = {"problem": code, "read_again_at": now + READ_EVERY}
    # It may be somebody else's calendar by now.
    if now - max(kept.said_at, kept.read_at or kept.said_at) >= GIVES_UP_AFTER:
        values = {"problem": "given_up", "read_again_at": None, "sealed_address": None}
    with database.write() as session:
        session.execute(
            update(Timetable)
            .where(Timetable.person_id == person_id, Timetable.source == "address")
            .where(Timetable.said_at == kept.said_at)
            .values(**values)
        )


# Keeping it


def _keep(
    session: Session,
    keyring: Keyring,
    person_id: str,
    now: datetime,
    said: Said,
    *,
    source: str,
    address: str = "",
    read_again_at: datetime | None,
) -> None:
    _lock(session, person_id)
    revision = session.scalar(select(Timetable.revision).where(Timetable.person_id == person_id)) or 0
    keys = keyring.opened(session, _scope(person_id), now)
    values = {
        "source": source,
        "sealed": keys.seal(person_id, _written(said), _place(person_id)),
        "sealed_address": keys.seal(person_id, address, _address_place(person_id)) if address else None,
        "revision": revision + 1,
        "said_at": now,
        "read_at": None,
        "read_again_at": read_again_at and read_again_at + READ_EVERY,
        "problem": "",
    }
    statement = insert_into(session, Timetable).values(person_id=person_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["person_id"], set_=values))


def _reseal(session: Session, keyring: Keyring, person_id: str, now: datetime, said: Said, **values: Any) -> None:
    keys = keyring.opened(session, _scope(person_id), now)
    sealed = keys.seal(person_id, _written(said), _place(person_id))
    session.execute(update(Timetable).where(Timetable.person_id == person_id).values(sealed=sealed, **values))


def _written(said: Said) -> str:
    """As it is sealed: filled up, so that its length tells less."""
    text = json.dumps(timetable.to_json(said))
    return text.ljust(-(-len(text) // _ROOM) * _ROOM)


def _lock(session: Session, person_id: str) -> None:
    """Of two changes at once the second waits here."""
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)).all()


def _https(typed: str) -> str:
    """The address as it is called; calendar programs say webcal for https. Raises BadAddress."""
    address = typed.strip()
    for scheme in ("webcal://", "webcals://"):
        if address[: len(scheme)].lower() == scheme:
            address = "https://" + address[len(scheme) :]
    try:
        checked_origin(address)
    except AddressRefused:
        raise BadAddress from None
    if len(address) > MAX_ADDRESS or not address.isascii():
        raise BadAddress
    return address.partition("#")[0]


def _scope(person_id: str) -> str:
    """Of the key of a timetable alone: a person has one, so that it needs no id."""
    return hashlib.sha256(f"timetables/{person_id}".encode()).hexdigest()[:16]


def _place(person_id: str) -> str:
    return f"timetables/{person_id}"


def _address_place(person_id: str) -> str:
    return f"timetables/{person_id}/address"
