"""The table of open doors."""

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class OpenDoor(Base):
    """What a teacher offers others of the activity to come and see.

    Closing it deletes the row and the key that opens it: there is no state in between, and no record that it was.
    """

    __tablename__ = "open_doors"
    __table_args__ = (UniqueConstraint("person_id", "ticket"),)

    id: Mapped[Id]
    """Also the scope of the key that seals it: each has one of its own."""
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    """Who offers it."""
    ticket: Mapped[str] = mapped_column(String(16))
    """Random name of the page that it was offered from: a form that is sent twice offers once."""
    topic: Mapped[bytes] = mapped_column(LargeBinary)
    """What can be seen, sealed with the author's key for `open_doors/<id>/topic`."""
    suits: Mapped[bytes] = mapped_column(LargeBinary)
    """When it suits, sealed for `open_doors/<id>/suits`; may be empty within."""
    opened_at: Mapped[Moment]
