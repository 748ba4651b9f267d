"""Use cases of bookings for calendar programs: what is booked for somebody, and the private address they are read at.

Whoever knows the address reads it, without a sign-in: so it is kept as a hash alone, shown once, stands in no log, and
ends when its owner makes a new one, deletes it, or is erased. It has a key in the keyring that seals nothing: so one
that ended opens nothing in an older copy of the data either. Who may is asked before, by the views.
"""

import hashlib
import secrets
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.keyring import Keyring
from lti_tool.schedule.models import CalendarAddress, ReturnMeeting
from lti_tool.store.database import rows_changed

SHOWN_FOR = timedelta(weeks=12)
"""How long what is over stays in a calendar that is subscribed to."""
MOST = 500
"""Bookings of one calendar; the latest ones."""
_LONGEST_TOKEN = 64


# What is booked


@dataclass(frozen=True, slots=True)
class Booking:
    """One meeting of a person, with the colleagues of it where they were asked for."""

    id: str
    cycle_id: str
    """Empty for a meeting of the way back, whose cycle has not begun."""
    kind: str
    """One of recipe.MEETINGS: before, visit, after, work."""
    starts_at: datetime
    minutes: int
    rev: int
    since: datetime
    """When its cycle began, or the way back was agreed."""
    activity: str
    """Title."""
    number: int = 0
    """Of the cycle, counted from 1."""
    group_id: str = ""
    """Of the pair or group."""
    names: tuple[str, ...] = ()
    """Given names of the others, empty for one without; in the order of names."""
    activity_id: str = ""
    agreed_in: str = ""
    """Of the way back: the latest cycle of the pair, on whose pages it can be taken out."""

    @property
    def ends_at(self) -> datetime:
        """Start plus minutes."""
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def changed_at(self) -> datetime:
        """A moment that is later for each change. Of a booking is kept how often it changed, and not when."""
        return self.since + timedelta(seconds=self.rev)


def bookings(
    session: Session, person_id: str, since: datetime, until: datetime | None = None, *, most: int | None = None
) -> list[Booking]:
    """Meetings of a person in whatever course, that begin from `since` on and before `until`; in order, the latest.

    Without those that were still ahead when their cycle was stopped, or the person left it. One statement.
    """
    rows = session.execute(
        _of_person(person_id)
        .where(Meeting.starts_at >= since, *([Meeting.starts_at < until] if until else []))
        .order_by(Meeting.starts_at.desc(), Meeting.id)
        .limit(most)
    )
    return [_booking(row) for row in rows][::-1]


def booking(session: Session, person_id: str, meeting_id: str) -> Booking | None:
    """One meeting of a person, as bookings() has it; None for any other."""
    row = session.execute(_of_person(person_id).where(Meeting.id == meeting_id)).one_or_none()
    return _booking(row) if row else None


def way_back(session: Session, person_id: str, now: datetime) -> list[Booking]:
    """Meetings ahead that a person agreed for the next cycle of a pair; one statement."""
    latest = select(Cycle.id).where(Cycle.pair_id == Pair.id).order_by(Cycle.number.desc()).limit(1).scalar_subquery()
    rows = session.execute(
        select(
            ReturnMeeting.id, ReturnMeeting.kind, ReturnMeeting.starts_at, ReturnMeeting.minutes,
            ReturnMeeting.made_at, Activity.title, Pair.id.label("pair_id"), latest.label("cycle_id"), Pair.activity_id,
        )
        .join(Pair, Pair.id == ReturnMeeting.pair_id)
        .join(Activity, Activity.id == Pair.activity_id)
        .join(PairMember, and_(PairMember.pair_id == Pair.id, PairMember.is_current))
        .join(Membership, Membership.id == PairMember.membership_id)
        .where(Membership.person_id == person_id, Pair.status != "ended", ReturnMeeting.starts_at > now)
        .order_by(ReturnMeeting.starts_at)
    )  # fmt: skip
    return [
        Booking(
            row.id, "", row.kind, row.starts_at, row.minutes, 0, row.made_at, row.title,
            group_id=row.pair_id, activity_id=row.activity_id, agreed_in=row.cycle_id or "",
        )
        for row in rows
    ]  # fmt: skip


def with_names(session: Session, person_id: str, found: list[Booking]) -> list[Booking]:
    """The same with the colleagues of each; two statements at most."""
    of_cycles = {each.cycle_id for each in found if each.cycle_id}
    of_pairs = {each.group_id for each in found if not each.cycle_id}
    others: dict[str, list[str]] = defaultdict(list)
    if of_cycles:
        for cycle_id, given, name in session.execute(
            select(CycleMember.cycle_id, Person.given_name, Person.name)
            .join(Person, Person.id == CycleMember.person_id)
            .where(CycleMember.cycle_id.in_(of_cycles), CycleMember.left_at.is_(None), Person.id != person_id)
            .order_by(Person.name, Person.id)
        ):
            others[cycle_id].append(given or name)
    if of_pairs:
        for pair_id, given, name in session.execute(
            select(PairMember.pair_id, Person.given_name, Person.name)
            .join(Membership, Membership.id == PairMember.membership_id)
            .join(Person, Person.id == Membership.person_id)
            .where(PairMember.pair_id.in_(of_pairs), PairMember.is_current, Person.id != person_id)
            .order_by(Person.name, Person.id)
        ):
            others[pair_id].append(given or name)
    return [replace(each, names=tuple(others[each.cycle_id or each.group_id])) for each in found]


def has_any(session: Session, person_id: str) -> bool:
    """Whether a person ever had a booking that counts; one statement."""
    return session.execute(_of_person(person_id).limit(1)).first() is not None


def _booking(row: Any) -> Booking:
    *parts, activity_id = row
    return replace(Booking(*parts), activity_id=activity_id)


def _of_person(person_id: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Meeting.id, Meeting.cycle_id, Meeting.kind, Meeting.starts_at, Meeting.minutes, Meeting.rev,
            Cycle.started_at, Activity.title, Cycle.number, Cycle.pair_id, Cycle.activity_id,
        )
        .join(Cycle, Cycle.id == Meeting.cycle_id)
        .join(Activity, Activity.id == Cycle.activity_id)
        .join(CycleMember, CycleMember.cycle_id == Cycle.id)
        .where(
            CycleMember.person_id == person_id,
            or_(CycleMember.left_at.is_(None), Meeting.starts_at < CycleMember.left_at),
            or_(Cycle.status != "stopped", Meeting.starts_at < Cycle.finished_at),
        )
    )  # fmt: skip


# The address


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a person's calendar, without the address itself, which nobody can know from what is kept."""

    person_id: str
    shows_names: bool
    made_at: datetime
    read_at: datetime | None
    """When it was last read, to the day."""
    language: str = ""
    """Of its owner; empty where it is not known."""


def mine(session: Session, person_id: str) -> Address | None:
    """The address of a person; one statement."""
    return _one(session, CalendarAddress.person_id == person_id)


def find(session: Session, keyring: Keyring, token: str, now: datetime) -> Address | None:
    """The address with this token; None for any other. Two statements, one of them to the keyring."""
    if len(token) > _LONGEST_TOKEN:
        return None
    found = _one(session, CalendarAddress.token_hash == _hash(token))
    if found is None or found.person_id not in keyring.opened(session, _scope(_hash(token)), now):
        return None
    return found


def _one(session: Session, which: Any) -> Address | None:
    row = session.execute(
        select(
            CalendarAddress.person_id, CalendarAddress.shows_names, CalendarAddress.made_at, CalendarAddress.read_at,
            Person.language, Person.locale,
        )
        .join(Person, Person.id == CalendarAddress.person_id)
        .where(which)
    ).one_or_none()  # fmt: skip
    return Address(*row[:4], row.language or row.locale or "") if row else None


def make(session: Session, keyring: Keyring, person_id: str, *, shows_names: bool, now: datetime) -> str:
    """The token of a new address; one that was there before opens nothing any more. The session writes."""
    forget(session, keyring, person_id, now)
    token = secrets.token_urlsafe(32)
    values = {"token_hash": _hash(token), "shows_names": shows_names, "made_at": now}
    session.execute(insert(CalendarAddress).values(person_id=person_id, **values))
    keyring.opened(session, _scope(_hash(token)), now).ensure(person_id)
    return token


def say_names(session: Session, person_id: str, *, shows_names: bool) -> bool:
    """Whether the calendar names colleagues, from now on. False where there is none. The session writes."""
    changed = session.execute(
        update(CalendarAddress).where(CalendarAddress.person_id == person_id).values(shows_names=shows_names)
    )
    return rows_changed(changed) > 0


def forget(session: Session, keyring: Keyring, person_id: str, now: datetime) -> None:
    """The address opens nothing any more. The session writes."""
    # Of two changes at once the second waits here.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)).all()
    gone = delete(CalendarAddress).where(CalendarAddress.person_id == person_id).returning(CalendarAddress.token_hash)
    for token_hash in session.scalars(gone):
        keyring.shred(_scope(token_hash), person_id, now)


def is_new_day(address: Address, now: datetime) -> bool:
    """Whether it was not read yet on this day."""
    return address.read_at != _day(now)


def note_read(session: Session, person_id: str, now: datetime) -> None:
    """Keeps that it was read on this day, and not at which time. The session writes."""
    session.execute(update(CalendarAddress).where(CalendarAddress.person_id == person_id).values(read_at=_day(now)))


def of_person(session: Session, person_id: str) -> list[dict[str, Any]]:
    """The address of a person, for their own copy of what is theirs; empty where there is none."""
    kept = mine(session, person_id)
    if kept is None:
        return []
    return [{"made_at": kept.made_at, "shows_names": kept.shows_names, "last_read_on": kept.read_at}]


def built(person_id: str) -> ScalarSelect[int]:
    """Whether a person has an address, 0 or 1."""
    return (
        select(func.count()).select_from(CalendarAddress).where(CalendarAddress.person_id == person_id)
    ).scalar_subquery()


def _day(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _scope(token_hash: str) -> str:
    """Of the key of an address, in the keyring."""
    return hashlib.sha256(f"calendar_addresses/{token_hash}".encode()).hexdigest()[:16]
