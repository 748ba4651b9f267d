"""Reminding people, each of a thing once at most: waiting → sending → sent, unknown, failed or dropped.

A worker looks every few minutes: what is there to be reminded of, whose hour is it, and what of it was never spoken of?
To find that takes a number of statements that does not depend on how many people there are. Each message then leaves by
itself: that it leaves is kept before, how it went after it. What was on its way when a worker died is unknown, and is
not sent again. What certainly did not leave waits, and is dropped once there is nothing to be reminded of any more.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Protocol

import structlog
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from lti_tool.people.models import Person, Platform
from lti_tool.privacy.keyring import Keyring
from lti_tool.schedule import reminder_choices, reminder_words, school_weeks
from lti_tool.schedule.mail import Mailer
from lti_tool.schedule.models import Reminder, ReminderChoice, ReminderSettings
from lti_tool.schedule.models import SchoolWeek as WeekRow
from lti_tool.schedule.reminder_items import chosen, waiting
from lti_tool.schedule.reminder_rules import (
    OLD_AFTER,
    SENT,
    Item,
    Outcome,
    When,
    is_due,
    is_turn_of_digest,
    is_within_hours,
)
from lti_tool.schedule.week import SchoolWeek
from lti_tool.settings import Settings
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into

EVERY = timedelta(minutes=5)
ON_ITS_WAY_FOR = timedelta(minutes=10)
"""No message takes longer to leave; the lease of a worker is as long."""
_LONGEST_RUN_S = 300
"""So that the lease of the job that runs it never ends before it."""

log = structlog.get_logger(__name__)
Key = tuple[str, str, str, str]


class Sender(Protocol):
    """A way by which reminders leave."""

    def offers(self, session: Session, person_id: str) -> bool:
        """Whether messages can go to somebody at all; for the page on which they choose it."""

    def send(self, person_id: str, subject: str, text: str) -> Outcome:
        """Sends one message; no transaction is open. Called once for each, whatever comes of it, but for `later`."""


SENDERS: dict[str, Sender] = {}
"""Way → who sends by it, beside e-mail; what starts a process registers them."""


@dataclass(frozen=True, slots=True)
class EmailSender:
    """Sends to the address that somebody typed and confirmed."""

    database: Database
    keyring: Keyring
    mailer: Mailer
    clock: Callable[[], datetime]

    def offers(self, session: Session, person_id: str) -> bool:
        """Whether they have confirmed an address."""
        return bool(reminder_choices.address_of(session, self.keyring, person_id, self.clock()))

    def send(self, person_id: str, subject: str, text: str) -> Outcome:
        """Sends one message to where the address is now."""
        with self.database.read() as session:
            address = reminder_choices.address_of(session, self.keyring, person_id, self.clock())
        return self.mailer.send(address, subject, text) if address else Outcome("failed", "no address")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Somebody who chose to be sent something."""

    person_id: str
    when: When
    language: str
    lms: str
    """Address of the LMS."""
    ways: dict[str, str] = field(default_factory=dict)
    """Kind → way, of those by which something is sent to them."""


@dataclass(frozen=True, slots=True)
class _Message:
    reader: _Reader
    way: str
    items: tuple[Item, ...]
    ids: Mapping[Key, str]
    """Key of an item → id of its row."""


def run(
    database: Database,
    senders: Mapping[str, Sender],
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Sends what there is to be sent now; returns how many messages left, or may have.

    Eighteen statements at most, and three for each message. A way that is down is left alone until the next run.
    """
    until = time.monotonic() + _LONGEST_RUN_S
    with database.write() as session:
        _give_up(session, clock())
    with database.read() as session:
        readers = _readers(session, senders, settings, clock())
        due = _due(session, readers, settings, clock()) if readers else []
    with database.write() as session:
        messages = _planned(session, readers, due, clock())
    left, down = 0, set[str]()
    for message in messages:
        if stop() or time.monotonic() > until:
            break
        if message.way not in down:
            outcome = _send(database, senders[message.way], message, clock)
            left += outcome is not None and outcome.status in ("sent", "unknown")
            if outcome is not None and outcome.stops:
                log.warning("reminders_wait", way=message.way, problem=outcome.problem)
                down.add(message.way)
    return left


def run_all(database: Database, keyring: Keyring, settings: Settings, clock: Callable[[], datetime]) -> None:
    """As run, by all ways there are: SENDERS and, where the settings name a mail server, e-mail."""
    with Mailer(settings, clock) as mailer:
        senders: dict[str, Sender] = dict(SENDERS)
        if settings.mail.host:
            senders["email"] = EmailSender(database, keyring, mailer, clock)
        run(database, senders, settings, clock)


def _give_up(session: Session, now: datetime) -> None:
    """What was on its way when a worker died may have arrived: it is not sent again."""
    session.execute(
        update(Reminder)
        .where(Reminder.status == "sending", Reminder.sent_at < now - ON_ITS_WAY_FOR)
        .values(status="unknown", problem="cut off")
    )


def _readers(session: Session, senders: Mapping[str, Sender], settings: Settings, now: datetime) -> dict[str, _Reader]:
    """Person id → somebody whose hour it is, and to whom a message may go now; one statement."""
    rows = session.execute(
        select(
            ReminderChoice.person_id, ReminderChoice.kind, ReminderChoice.way, Person.time_zone, Person.launch_zone,
            Person.language, Person.locale, Platform.issuer, ReminderSettings.digest, ReminderSettings.from_hour,
            ReminderSettings.to_hour, ReminderSettings.last_sent_at, ReminderSettings.confirmed_at,
        )
        .join(Person, Person.id == ReminderChoice.person_id)
        .join(Platform, Platform.id == Person.platform_id)
        .outerjoin(ReminderSettings, ReminderSettings.person_id == Person.id)
        .where(ReminderChoice.way.in_(SENT), Person.erased_at.is_(None), Platform.status == "active")
    )  # fmt: skip
    of_person: dict[str, list[Any]] = {}
    for row in rows:
        of_person.setdefault(row.person_id, []).append(row)
    found: dict[str, _Reader] = {}
    for person_id, choices in of_person.items():
        first = choices[0]
        zone = first.time_zone or first.launch_zone or settings.time_zone
        when = When(zone)
        if first.digest is not None:
            when = When(zone, first.digest, first.from_hour, first.to_hour, first.last_sent_at)
        ways = {
            row.kind: row.way
            for row in choices
            if row.way in senders and (row.way != "email" or row.confirmed_at is not None)
        }
        if ways and is_within_hours(when, now) and is_turn_of_digest(when, now):
            language = reminder_words.language(first.language, first.locale)
            found[person_id] = _Reader(person_id, when, language, first.issuer, ways)
    return found


def _due(session: Session, readers: Mapping[str, _Reader], settings: Settings, now: datetime) -> list[Item]:
    """What these people are to be reminded of now, spoken of before or not."""
    quiet = settings.rhythm.quiet_months
    items = [
        item
        for item in waiting(session, chosen, quiet, now)
        if item.person_id in readers and item.kind in readers[item.person_id].ways
    ]
    weeks = _weeks(session, {item.course_id for item in items}) if items else {}
    return [
        item
        for item in items
        for when in (readers[item.person_id].when,)
        if is_due(item, when, _week_of(weeks, item, when.zone), quiet, now)
    ]


def _weeks(session: Session, course_ids: Iterable[str]) -> dict[str, dict[str, school_weeks.Said]]:
    """Course id → what was said for it, as school_weeks.of_course gives it; one statement."""
    found: dict[str, dict[str, school_weeks.Said]] = {}
    rows = session.execute(
        select(WeekRow.course_id, WeekRow.school_key, WeekRow.body).where(WeekRow.course_id.in_(course_ids))
    )
    for row in rows:
        found.setdefault(row.course_id, {})[row.school_key] = school_weeks.Said(SchoolWeek.of(row.body))
    return found


def _week_of(weeks: Mapping[str, Mapping[str, school_weeks.Said]], item: Item, zone: str) -> SchoolWeek:
    return school_weeks.of_school(weeks.get(item.course_id, {}), item.school_id, zone).week


def _planned(session: Session, readers: Mapping[str, _Reader], due: Sequence[Item], now: datetime) -> list[_Message]:
    """The messages that are to leave, with a row kept for each thing in them; three statements. The session writes."""
    if due:
        session.execute(
            insert_into(session, Reminder).on_conflict_do_nothing(
                index_elements=["person_id", "kind", "about", "stamp"]
            ),
            [
                {
                    "id": new_id(), "person_id": item.person_id, "kind": item.kind, "about": item.about,
                    "stamp": item.stamp, "due_at": now, "way": readers[item.person_id].ways[item.kind],
                    "status": "waiting", "batch": "", "problem": "",
                }
                for item in due
            ],
        )  # fmt: skip
    rows = session.execute(
        select(Reminder.id, Reminder.person_id, Reminder.kind, Reminder.about, Reminder.stamp).where(
            Reminder.status == "waiting"
        )
    )
    ids = {(row.person_id, row.kind, row.about, row.stamp): row.id for row in rows}
    _drop(session, now)
    messages: list[_Message] = []
    wanted = sorted((item for item in due if item.key in ids), key=lambda item: item.key)
    for person_id, of_person in groupby(wanted, key=lambda item: item.person_id):
        reader = readers[person_id]
        by_way: dict[str, list[Item]] = {}
        for item in of_person:
            by_way.setdefault(reader.ways[item.kind], []).append(item)
        for way, items in by_way.items():
            groups = [[item] for item in items] if reader.when.digest == "each" else [items]
            messages += [_Message(reader, way, tuple(group), ids) for group in groups]
    return messages


def _drop(session: Session, now: datetime) -> None:
    """What waits still after so long has passed by: the booking is over, or the step was taken."""
    session.execute(
        update(Reminder).where(Reminder.status == "waiting", Reminder.due_at < now - OLD_AFTER).values(status="dropped")
    )


def _send(database: Database, sender: Sender, message: _Message, clock: Callable[[], datetime]) -> Outcome | None:
    """Sends one message, after it is kept that it leaves; None where there is nothing to say any more."""
    batch, now = new_id(), clock()
    with database.write() as session:
        claimed = _claim(session, message, batch, now)
    items = [item for item in message.items if message.ids[item.key] in claimed]
    if not items:
        return None
    reader = message.reader
    text = reminder_words.text(reader.language, items, reader.when.zone, reader.lms)
    outcome = sender.send(reader.person_id, reminder_words.subject(reader.language), text)
    with database.write() as session:
        _say_how_it_went(session, message, batch, outcome, clock())
    return outcome


def _claim(session: Session, message: _Message, batch: str, now: datetime) -> set[str]:
    """Ids of the rows that leave now: those that wait still, and for which this way is still the chosen one."""
    claimed = set(
        session.scalars(
            update(Reminder)
            .where(Reminder.id.in_([message.ids[item.key] for item in message.items]), Reminder.status == "waiting")
            .where(
                exists().where(
                    ReminderChoice.person_id == Reminder.person_id,
                    ReminderChoice.kind == Reminder.kind,
                    ReminderChoice.way == message.way,
                )
            )
            .values(status="sending", batch=batch, way=message.way, sent_at=now, problem="")
            .returning(Reminder.id)
            .execution_options(synchronize_session=False)
        )
    )
    if claimed:
        # Kept now, so that a digest is not sent twice a day after a crash.
        session.execute(
            insert_into(session, ReminderSettings)
            .values(person_id=message.reader.person_id, last_sent_at=now)
            .on_conflict_do_update(index_elements=["person_id"], set_={"last_sent_at": now})
        )
    return claimed


def _say_how_it_went(session: Session, message: _Message, batch: str, outcome: Outcome, now: datetime) -> None:
    values: dict[str, Any] = {"status": outcome.status, "problem": outcome.problem[:20], "sent_at": now}
    if outcome.status == "later":
        values |= {"status": "waiting", "batch": "", "sent_at": None}
    session.execute(update(Reminder).where(Reminder.batch == batch, Reminder.status == "sending").values(**values))
    if outcome.status == "later":
        session.execute(
            update(ReminderSettings)
            .where(ReminderSettings.person_id == message.reader.person_id)
            .values(last_sent_at=message.reader.when.last_sent_at)
        )
