"""Tables of what is known of a Moodle and written back to it. Ids and fingerprints; no names of people."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class MoodleSite(Base):
    """The web services of a platform that is a Moodle, as its administrator opened them to the tool."""

    __tablename__ = "moodle_sites"

    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str] = mapped_column(String(1000))
    """Of the site, without a slash at its end."""
    sealed_token: Mapped[bytes] = mapped_column(LargeBinary)
    """By the master key (privacy.sealing), never in a log or on a page."""
    master: Mapped[str] = mapped_column(String(16))
    """Which master key sealed it."""
    user_id: Mapped[int] = mapped_column(BigInteger, default=0)
    """Moodle's id of the account that the token belongs to."""
    release: Mapped[str] = mapped_column(String(100), default="")
    functions: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Names of the functions that the service offers."""
    events: Mapped[bool] = mapped_column(default=False)
    """Whether bookings are written into the calendars of teachers who want that."""
    messages: Mapped[bool] = mapped_column(default=False)
    """Whether reminders may go as messages of Moodle."""
    checked_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(40), default="")


class MoodleCourse(Base):
    """A course that is read from Moodle, and whether pairs are written back to it."""

    __tablename__ = "moodle_courses"

    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    moodle_id: Mapped[int] = mapped_column(BigInteger)
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    """Of the people and groups as they were read last."""
    read_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(40), default="")
    groups_are: Mapped[str] = mapped_column(String(12), default="")
    """What the groups of the LMS stand for, as the trainer says: school, department; empty: neither."""
    writes_groups: Mapped[bool] = mapped_column(default=False)
    """Whether accepted pairs become groups of Moodle, as the trainer switched on."""
    grouping_id: Mapped[int | None] = mapped_column(BigInteger)


class MoodleWrite(Base):
    """One thing that is to be in Moodle, or gone from it: waiting → sending → done | unknown | failed.

    What can be found again by its idnumber, or read back (groups, events), is looked for before it is made, so that it
    is there once. What cannot (a message) is never sent twice: after a crash in `sending` it becomes unknown.
    """

    __tablename__ = "moodle_writes"
    __table_args__ = (
        UniqueConstraint("platform_id", "kind", "key"),
        Index("ix_moodle_writes_status", "status"),
    )

    id: Mapped[Id]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))
    course_id: Mapped[Ref | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    """group, event, message."""
    key: Mapped[str] = mapped_column(String(60))
    """Id of the pair; id of the meeting and of whom the event is for; id of the batch of reminders."""
    wanted: Mapped[bool] = mapped_column(default=True)
    """False: it is to be gone."""
    wanted_state: Mapped[str] = mapped_column(String(64), default="")
    """Fingerprint of what it should be (members of a group, time of an event)."""
    there_state: Mapped[str] = mapped_column(String(64), default="")
    """Fingerprint of what Moodle was last seen to have."""
    moodle_id: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(8), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(40), default="")
    made_at: Mapped[Moment]
    tried_at: Mapped[datetime | None]
    body: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Ids of what it is made from; no names, no words."""
