"""The table of what people share."""

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Share(Base):
    """One passage of a person's own submitted reflection, released by them to one audience (R1).

    Taking it back deletes the row and the key that opens it: there is no state in between, and no record that it was.
    It does not depend on the version that it was taken from: what was shared stays as it was read.
    """

    __tablename__ = "shares"
    __table_args__ = (UniqueConstraint("person_id", "ticket"),)

    id: Mapped[Id]
    """Also the scope of the key that seals the passage: each has one of its own."""
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), index=True)
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    """The author, who is the only one who can share it."""
    version: Mapped[int]
    field: Mapped[str] = mapped_column(String(40))
    """Which question of the reflection it answers."""
    audience: Mapped[str] = mapped_column(String(10))
    """partner, cohort, trainer or portfolio; see privacy.rules.PassageFacts."""
    ticket: Mapped[str] = mapped_column(String(16))
    """Random name of the page that it was shared from: a form that is sent twice shares once."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The passage, sealed with the author's key for `shares/<id>`."""
    shared_at: Mapped[Moment]
