"""The table of what a group is about. Who is in it, and its cycles, are those of a pair."""

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Ref


class Group(Base):
    """What a group is about (R29), as whoever wrote it last said. The group is the pair of that id."""

    __tablename__ = "groups"

    pair_id: Mapped[Ref] = mapped_column(ForeignKey("pairs.id", ondelete="CASCADE"), primary_key=True)
    scope: Mapped[Ref]
    """Of the key that seals the words: one of its own for each time that they are written."""
    kind: Mapped[str] = mapped_column(String(8))
    """One of rules.KINDS."""
    author_id: Mapped[Ref | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    """Who founded the group, or changed these words since; None once they were erased, and their words with them."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Title and sentence, a line each, sealed with the author's key for `groups/<scope>`."""
