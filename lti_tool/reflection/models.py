"""Tables of reflections."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class ReflectionVersion(Base):
    """What a person's reflection said when they submitted it: frozen, numbered from 1, readable by them alone (R14).

    The drafts live with the other texts of the cycle. That somebody submitted is a stage mark; nothing that a trainer
    sees is ever read from here.
    """

    __tablename__ = "reflection_versions"
    __table_args__ = (UniqueConstraint("cycle_id", "person_id", "version"),)

    id: Mapped[Id]
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"))
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON object {field key: text}, sealed with the author's key for `reflection_versions/<id>`."""
    frame: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The frame it was written in, as it was then: `key`, `title` and `headings` (field key → label), each text as
    {en, ga}. None: the protocol's own fields."""
    submitted_at: Mapped[Moment]


class GrowthArea(Base):
    """Something that a teacher would like to grow in: a list of their own, in no activity (R27)."""

    __tablename__ = "growth_areas"
    __table_args__ = (UniqueConstraint("person_id", "ticket"),)

    id: Mapped[Id]
    """Also the scope of the key that seals it: each has one of its own."""
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    ticket: Mapped[str] = mapped_column(String(16))
    """Random name of the form that it was added by: one that is sent twice adds once."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """What it says, sealed with the person's key for `growth_areas/<id>`."""
    created_at: Mapped[Moment]
    changed_at: Mapped[Moment]


class GrowthShare(Base):
    """That a growth area is shared with a pair of its author, for as long as the pair lasts. Taken back: no row."""

    __tablename__ = "growth_shares"

    area_id: Mapped[Ref] = mapped_column(ForeignKey("growth_areas.id", ondelete="CASCADE"), primary_key=True)
    pair_id: Mapped[Ref] = mapped_column(ForeignKey("pairs.id", ondelete="CASCADE"), primary_key=True, index=True)
    shared_at: Mapped[Moment]
