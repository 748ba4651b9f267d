"""Tables of completion."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Delivery(Base):
    """One teacher's completion of one activity, on its way to the gradebook: waiting → sent, or stopped.

    There is one for each teacher and activity, whatever happens; a stopped one waits again when somebody says so.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("activity_id", "membership_id"),)

    id: Mapped[Id]
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(12), default="waiting")
    line_item_url: Mapped[str] = mapped_column(String(1000), default="")
    """The column it was last sent to; empty before."""
    completed_at: Mapped[Moment]
    """When the teacher tapped."""
    claimed_at: Mapped[datetime | None]
    """Timestamp of the last score that may have reached the LMS, to the second; the next one is later."""
    attempts: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(40), default="")
    """Code of the last failure, from which the advice is made; empty after a success."""
    sent_at: Mapped[datetime | None]
