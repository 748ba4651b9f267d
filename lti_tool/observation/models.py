"""Tables of observation: what a pair builds to look with, and what was seen."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class CycleInstrument(Base):
    """What is used in the visit of a cycle (R59). Edited by all who are in the cycle, until each of them has approved
    the same state of it; then it is frozen, and what is captured with it can always be read."""

    __tablename__ = "cycle_instruments"

    id: Mapped[Id]
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    base: Mapped[str] = mapped_column(String(30))
    """Key of the shipped instrument that it began from."""
    revision: Mapped[int]
    """Of the last of its states."""
    frozen_at: Mapped[datetime | None]
    created_at: Mapped[Moment]


class InstrumentState(Base):
    """An instrument as one person left it. The last one counts; the others say who changed what (R58)."""

    __tablename__ = "instrument_states"
    __table_args__ = (UniqueConstraint("instrument_id", "revision"),)

    id: Mapped[Id]
    instrument_id: Mapped[Ref] = mapped_column(ForeignKey("cycle_instruments.id", ondelete="CASCADE"))
    revision: Mapped[int]
    """From 1. A page that began from an earlier one is told so, and nothing of it is lost."""
    author_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """instrument.Instrument as JSON, sealed with the author's key of the cycle for `instrument_states/<id>`."""
    saved_at: Mapped[Moment]


class InstrumentApproval(Base):
    """That somebody approves an instrument as it was at one revision; a later change asks again."""

    __tablename__ = "instrument_approvals"

    instrument_id: Mapped[Ref] = mapped_column(ForeignKey("cycle_instruments.id", ondelete="CASCADE"), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    revision: Mapped[int]


class OwnInstrument(Base):
    """An instrument in the library of a teacher; for others of a course only if they release it there."""

    __tablename__ = "own_instruments"
    __table_args__ = (UniqueConstraint("person_id", "ticket"),)

    id: Mapped[Id]
    """Also the scope of the key that seals it."""
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    ticket: Mapped[str] = mapped_column(String(16))
    """Random name of the form that kept it: one that is sent twice keeps it once."""
    base: Mapped[str] = mapped_column(String(30))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """instrument.Instrument as JSON, without the plan of a room unless they keep it, for `own_instruments/<id>`."""
    released_in: Mapped[Ref | None] = mapped_column(ForeignKey("courses.id", ondelete="SET NULL"), index=True)
    changed_at: Mapped[Moment]


class Observation(Base):
    """One visit of a cycle as its coach captured it: open → closed, then shown when the host decides (R64)."""

    __tablename__ = "observations"

    id: Mapped[Id]
    """Also the scope of the key that seals its entries: shredded when the raw notes of the cycle are deleted."""
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    instrument_id: Mapped[Ref] = mapped_column(ForeignKey("cycle_instruments.id", ondelete="CASCADE"), index=True)
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    """The coach, who alone captures."""
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    grant_hash: Mapped[str] = mapped_column(String(64), default="")
    """Salt and hash of the secret in the cookie of the tab of its own that captures; it can add entries here and
    nothing else."""
    granted_until: Mapped[datetime | None]
    code_hash: Mapped[str] = mapped_column(String(64), default="", index=True)
    """Of the one-time code with which that tab, or another device, is opened."""
    code_until: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    """When the lesson began, by the device that said so first: all others go on from there."""
    minutes: Mapped[int] = mapped_column(default=0)
    """How long the lesson was, as the coach says when closing; 0 before. It stays when more is added afterwards."""
    created_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]
    shown_at: Mapped[datetime | None]
    """Since when both look at the picture."""


class Entry(Base):
    """One tap or line of an observation, numbered by the device that made it: one that is sent again is there once."""

    __tablename__ = "entries"

    observation_id: Mapped[Ref] = mapped_column(ForeignKey("observations.id", ondelete="CASCADE"), primary_key=True)
    device: Mapped[str] = mapped_column(String(22), primary_key=True)
    """Random name of the tab's local store, so that two devices of one coach do not mix up."""
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 1, without gaps, in each device."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """entries.Entry as JSON, sealed with the coach's key of the observation for
    `entries/<observation>/<device>/<number>`."""
    is_mine: Mapped[bool] = mapped_column(default=False)
    """Whether it is in the coach's own column, which the host never sees (R47)."""


class WordList(Base):
    """Judging words that a course's trainer added or took out, for the quiet hint while something is noted (R44)."""

    __tablename__ = "word_lists"

    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2), primary_key=True)
    added: Mapped[str] = mapped_column(String(4000), default="")
    """One word or phrase a line."""
    left_out: Mapped[str] = mapped_column(String(4000), default="")
    """Of the shipped ones, one a line."""
