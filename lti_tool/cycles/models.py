"""Tables of coaching cycles. What people write is sealed; stages, dates and counts are process data."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class ProtocolVersion(Base):
    """A protocol as it was when a first cycle began with it. Never changed: a running cycle keeps its version (R21)."""

    __tablename__ = "protocol_versions"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(String(500), default="")
    """What a trainer said about a version of a protocol of the course's own."""
    created_at: Mapped[Moment]


class Cycle(Base):
    """One coaching cycle of a pair or group: running → finished (all submitted) or stopped (they went apart before)."""

    __tablename__ = "cycles"
    __table_args__ = (
        UniqueConstraint("pair_id", "number"),
        Index("ix_cycles_activity_id_status", "activity_id", "status"),
    )

    id: Mapped[Id]
    pair_id: Mapped[Ref] = mapped_column(ForeignKey("pairs.id", ondelete="CASCADE"))
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    number: Mapped[int]
    """Counted from 1 within the pair."""
    starts_anew: Mapped[bool] = mapped_column(default=False)
    """Whether the members of a group get started together again, because somebody of them has not before."""
    protocol_version_id: Mapped[Ref] = mapped_column(ForeignKey("protocol_versions.id"))
    status: Mapped[str] = mapped_column(String(12))
    stage: Mapped[str] = mapped_column(String(40))
    """The stage that is now; kept here so that a trainer's counts never come near the tables of content."""
    stage_since: Mapped[Moment]
    revision: Mapped[int] = mapped_column(default=0)
    """Goes up with every change of texts, agreements, meetings or marks: a page asks whether there is anything new."""
    started_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    """When the pair went on from it: to its next cycle, or apart."""
    notes_days: Mapped[int | None] = mapped_column(default=30)
    """How long raw notes of the visit live after the conversation after, as the host says; None: as long as the
    cycle."""
    notes_due_at: Mapped[datetime | None] = mapped_column(index=True)
    """When they are deleted; None while that clock does not run."""
    notes_deleted_at: Mapped[datetime | None]


class CycleMember(Base):
    """Who takes part in a cycle, and in which role. Roles belong to the cycle, never to the person (R45)."""

    __tablename__ = "cycle_members"

    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(8))
    step: Mapped[str] = mapped_column(String(4), default="full")
    """How far this member goes at most in this cycle: one of protocols.STEPS. The other is shown the lower of the two
    alone."""
    guide: Mapped[str] = mapped_column(String(5), default="full")
    """How many prompts this member would like to see (R39): one of recipe.GUIDES."""
    frame: Mapped[str] = mapped_column(String(20), default="")
    """In which frame this member writes their reflection (reflection.frames); empty: in the protocol's own fields.
    Shown to nobody else."""
    wish: Mapped[str] = mapped_column(String(12), default="")
    """What this member would like after the cycle: continue, swap, or in a group go_on, bring; empty while they have
    not said."""
    wished_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    """When they left the group, if that was while this cycle ran. Shown to nobody."""


class StepWish(Base):
    """How far a teacher would like to go in an activity at present: one of protocols.STEPS. No row: not said.

    Shown to nobody else; the cycles that begin go as far as the lower of two. No date is kept, and nothing of what was
    said before.
    """

    __tablename__ = "step_wishes"

    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    step: Mapped[str] = mapped_column(String(4))


class StageMark(Base):
    """Who said that a stage (or the first turn of a conversation) is done, and when. Process data."""

    __tablename__ = "stage_marks"

    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(60), primary_key=True)
    """Key of the stage, or key and `.first_turn`."""
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[Moment]


class Conversation(Base):
    """Where a guided conversation is: one for all who hold it, on how many devices they may. Process data."""

    __tablename__ = "conversations"

    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(40), primary_key=True)
    step: Mapped[int]
    """Which of the stage's steps, counted from 0."""
    step_since: Mapped[Moment]
    """Time in which it was paused is left out, by moving this on."""
    paused_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(String(3), default="two")
    """two: everybody has their own; one: it is passed across the table."""
    rev: Mapped[int]
    """Goes up with each move; a move says which state it saw, so that two at once are one."""


class Rest(Base):
    """That a next step rests on something that was seen or heard (R65). Both lines are content, sealed together."""

    __tablename__ = "rests"

    id: Mapped[Id]
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    field: Mapped[str] = mapped_column(String(40))
    """Key of the text with the next step."""
    data: Mapped[str] = mapped_column(String(40))
    """Key of the text with what was seen and heard."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Moment]


class AgreementSigned(Base):
    """One member's signature under an agreement. It counts while the texts it is about have the same heads."""

    __tablename__ = "agreements"

    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), primary_key=True)
    item: Mapped[str] = mapped_column(String(40), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True)
    heads: Mapped[str] = mapped_column(Text)
    """Tokens `id.rev` of the texts that were signed, sorted, with commas between."""
    at: Mapped[Moment]


class Meeting(Base):
    """When the two meet: the conversation before, the visit, the conversation after. The place is content."""

    __tablename__ = "meetings"
    __table_args__ = (UniqueConstraint("cycle_id", "kind"),)

    id: Mapped[Id]
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    starts_at: Mapped[Moment]
    minutes: Mapped[int]
    place: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed with the key of `set_by`."""
    set_by: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    rev: Mapped[int] = mapped_column(default=1)
    confirmed_at: Mapped[datetime | None]
    """For a visit: when the coach said that they will be there. A later change asks again."""


class CycleText(Base):
    """One row of a multi-value register (rules.merge): the text of one author, written in one go.

    Rows without `replaced_by` are the heads of their field: usually one, two when both wrote at the same time. The
    others are history.
    """

    __tablename__ = "texts"
    __table_args__ = (Index("ix_texts_cycle_id_field", "cycle_id", "field"),)

    id: Mapped[Id]
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"))
    field: Mapped[str] = mapped_column(String(40))
    author_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    editor: Mapped[str] = mapped_column(String(64), default="")
    """Random name of the open page that wrote it; empty for a form sent without JavaScript."""
    seq: Mapped[int] = mapped_column(default=0)
    """Number of the last save of that page: a repeated or overtaken save changes nothing."""
    rev: Mapped[int] = mapped_column(default=1)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    is_blank: Mapped[bool]
    """Whether there is nothing to read in it: a stage's conditions are checked without opening a text."""
    saved_at: Mapped[Moment]
    replaced_by: Mapped[Ref | None]


class DeletedText(Base):
    """That a row of texts was deleted: no words, only what lets a late save of an old page be recognised.

    Without it such a save, which holds the whole text, would bring back what its author took away.
    """

    __tablename__ = "deleted_texts"
    __table_args__ = (Index("ix_deleted_texts_cycle_id_field", "cycle_id", "field"),)

    id: Mapped[Id]
    """Of the row that is gone."""
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"))
    field: Mapped[str] = mapped_column(String(40))
    editor: Mapped[str] = mapped_column(String(64))
    """Page that had written it, or empty."""
    deleted_at: Mapped[Moment] = mapped_column(index=True)
