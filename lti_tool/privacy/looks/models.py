"""Tables of who looked. Process data: which kind of page of which cycle, never the words."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Moment, Ref


class LookChain(Base):
    """The head of the chain of one person's looks (chain.py). Locked while a line is added."""

    __tablename__ = "look_chains"

    owner_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    length: Mapped[int] = mapped_column(default=0)
    last_mark: Mapped[str] = mapped_column(String(64), default="")
    seal: Mapped[str] = mapped_column(String(64), default="")


class Look(Base):
    """Somebody else opened what a person wrote: one line per viewer, cycle and hour."""

    __tablename__ = "looks"
    __table_args__ = (UniqueConstraint("owner_id", "viewer_mark", "cycle_id", "hour"),)

    owner_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Counted from 1 within the owner's chain."""
    viewer_id: Mapped[Ref | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    """None once the viewer was erased, and for the operator; the chain covers `viewer_mark` instead."""
    viewer_mark: Mapped[str] = mapped_column(String(64))
    cycle_id: Mapped[Ref] = mapped_column(default="")
    """Empty where it was in no cycle. It refers to no row: a line outlives the cycle."""
    what: Mapped[str] = mapped_column(String(20))
    """The kind of page that was opened first in that hour: the key of a stage, or one of service.py."""
    hour: Mapped[Moment]
    mark: Mapped[str] = mapped_column(String(64))
