"""Tables of nudges."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Nudge(Base):
    """A friendly word of a trainer or facilitator to one teacher, in fixed words; shown until it was seen."""

    __tablename__ = "nudges"

    id: Mapped[Id]
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), index=True)
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    """Whom it is for."""
    sender_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    """stalled or no_partner."""
    created_at: Mapped[Moment]
    seen_at: Mapped[datetime | None]
