"""The table of messages between the members of a pair."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class ThreadMessage(Base):
    """One message to the others of a pair or group. It is never changed; its author can delete it.

    Nothing says who has read it, here or anywhere.
    """

    __tablename__ = "thread_messages"
    __table_args__ = (
        UniqueConstraint("author_id", "ticket"),
        Index("ix_thread_messages_pair_id_sent_at", "pair_id", "sent_at"),
    )

    id: Mapped[Id]
    pair_id: Mapped[Ref] = mapped_column(ForeignKey("pairs.id", ondelete="CASCADE"))
    """Also the scope of the keys: one for each author in each pair."""
    author_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    ticket: Mapped[str] = mapped_column(String(16))
    """Random name of the page that it was written on: a form that is sent twice writes once."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The words, sealed with the author's key for `thread_messages/<id>`."""
    sent_at: Mapped[Moment]
