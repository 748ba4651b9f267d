"""The table of critical friends."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class CriticalFriend(Base):
    """A third teacher of the activity beside a pair: proposed (by one of the two) → asked (the other agreed) → active,
    or declined. A pair has one at most.

    Ending it, from either side, deletes the row. That somebody said no is shown to nobody: to the two it is as if they
    had not answered, until the two take it back (R24).
    """

    __tablename__ = "critical_friends"
    __table_args__ = (UniqueConstraint("pair_id"),)

    id: Mapped[Id]
    pair_id: Mapped[Ref] = mapped_column(ForeignKey("pairs.id", ondelete="CASCADE"))
    friend_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    proposed_by: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    """Which of the two: the other one has to agree."""
    status: Mapped[str] = mapped_column(String(8), default="proposed")
    created_at: Mapped[Moment]
    since: Mapped[datetime | None]
    """When the friend said yes."""
