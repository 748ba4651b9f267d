"""Tables of time. What a timetable holds is sealed; bell times, bookings and what is to be sent are process data."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class SchoolWeek(Base):
    """Bell times, days and holidays as a trainer says them for a course, or for the people of one school in it."""

    __tablename__ = "school_weeks"
    __table_args__ = (UniqueConstraint("course_id", "school_key"),)

    id: Mapped[Id]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    school_id: Mapped[Ref | None] = mapped_column(ForeignKey("schools.id", ondelete="CASCADE"), index=True)
    school_key: Mapped[str] = mapped_column(String(16), default="")
    """The school's id, or empty for everybody whose school has no week of its own."""
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """week.SchoolWeek.to_json()."""
    revision: Mapped[int] = mapped_column(default=1)
    said_at: Mapped[Moment]


class Timetable(Base):
    """When a teacher teaches and is free. Sealed with their own key; another sees what is proposed from it alone."""

    __tablename__ = "timetables"

    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    source: Mapped[str] = mapped_column(String(8))
    """grid (by thumb), file or address (of a calendar)."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """timetable.Said.to_json(): cells of the week, or the calendar stripped to what is needed."""
    sealed_address: Mapped[bytes | None] = mapped_column(LargeBinary)
    revision: Mapped[int] = mapped_column(default=1)
    said_at: Mapped[Moment]
    read_at: Mapped[datetime | None]
    """When the address was last read without a problem."""
    read_again_at: Mapped[datetime | None] = mapped_column(index=True)
    problem: Mapped[str] = mapped_column(String(20), default="")
    """Code of what went wrong at the last reading; empty after a success."""


class ReturnMeeting(Base):
    """A meeting of the way back: agreed together with the first half, for the next cycle of the pair, in which the
    coach of now is host. Becomes a Meeting when that cycle begins."""

    __tablename__ = "return_meetings"
    __table_args__ = (UniqueConstraint("pair_id", "kind"),)

    id: Mapped[Id]
    pair_id: Mapped[Ref] = mapped_column(ForeignKey("pairs.id", ondelete="CASCADE"))
    host_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    starts_at: Mapped[Moment] = mapped_column(index=True)
    minutes: Mapped[int]
    made_at: Mapped[Moment]


class CalendarAddress(Base):
    """A private address under which a calendar program reads somebody's bookings; a new one makes the old one void."""

    __tablename__ = "calendar_addresses"

    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    shows_names: Mapped[bool] = mapped_column(default=False)
    """Whether an event names the colleague; else it is called coaching and no more."""
    made_at: Mapped[Moment]
    read_at: Mapped[datetime | None]
    """When it was last read, to the day."""


class LmsCalendar(Base):
    """That somebody wants bookings in the calendar of the LMS, where trainers may see them, too. They are written there
    once everybody of the pair wants it; without a row they are not."""

    __tablename__ = "lms_calendars"

    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)


class ReminderChoice(Base):
    """By which way somebody would like to be reminded of one kind of thing. No row: on the page alone."""

    __tablename__ = "reminder_choices"

    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    """One of reminder_rules.KINDS."""
    way: Mapped[str] = mapped_column(String(8))
    """off, page, email, lms."""


class ReminderSettings(Base):
    """When and where somebody is reminded."""

    __tablename__ = "reminder_settings"

    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(8), default="daily")
    """each (one message each), daily (one a day at most), weekly."""
    from_hour: Mapped[int] = mapped_column(default=8)
    to_hour: Mapped[int] = mapped_column(default=17)
    """On school days between these hours of the person's zone."""
    sealed_email: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Typed by the person; sealed with their own key."""
    confirmed_at: Mapped[datetime | None]
    """When they typed the code that was sent there; nothing else is sent before."""
    code_hash: Mapped[str] = mapped_column(String(64), default="")
    code_expires_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0)
    last_sent_at: Mapped[datetime | None]


class Reminder(Base):
    """One thing that somebody is to be reminded of: waiting → sending → sent | unknown | failed | dropped.

    At most once: `sending` is kept before the message leaves, and what was found in it after a crash becomes unknown
    and is not sent again. No name and no words are kept here.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("person_id", "kind", "about", "stamp"),
        Index("ix_reminders_status_due_at", "status", "due_at"),
    )

    id: Mapped[Id]
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(12))
    about: Mapped[Ref]
    """Id of the meeting, cycle or pair that it is about."""
    stamp: Mapped[str] = mapped_column(String(40))
    """What makes it another reminder of the same thing: a meeting that moved has a new one."""
    due_at: Mapped[Moment]
    way: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(8), default="waiting")
    batch: Mapped[str] = mapped_column(String(16), default="")
    """Those that leave in one message."""
    sent_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(20), default="")


class TimeLine(Base):
    """What a teacher says about the time of one booking, or of anything else they gave to coaching. Theirs alone."""

    __tablename__ = "time_lines"
    __table_args__ = (UniqueConstraint("person_id", "meeting_id"),)

    id: Mapped[Id]
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    meeting_id: Mapped[Ref | None] = mapped_column(ForeignKey("meetings.id", ondelete="SET NULL"))
    """The booking it speaks of; empty for a line of its own, or once the booking is gone."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """ledger_rules.Line.to_json()."""
    said_at: Mapped[Moment]
