"""Tables of activities."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Activity(Base):
    """One resource link of a course. It is `new` until an Instructor opens it, sets it up and so is its trainer."""

    __tablename__ = "activities"
    __table_args__ = (UniqueConstraint("course_id", "resource_link_id"),)

    id: Mapped[Id]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    resource_link_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(300), default="")
    purpose: Mapped[str] = mapped_column(String(2000), default="")
    """What the trainer tells teachers this activity is for; shown to all of them."""
    status: Mapped[str] = mapped_column(String(12), default="new")
    """new → open."""
    protocol: Mapped[str] = mapped_column(String(40), default="")
    """Key of the protocol that new cycles of this activity follow; empty while new."""
    created_at: Mapped[Moment]
    opened_at: Mapped[datetime | None]


class ActivityTrainer(Base):
    """Who is trainer of an activity. Being an Instructor in the LMS does not make one a trainer here."""

    __tablename__ = "activity_trainers"
    __table_args__ = (UniqueConstraint("activity_id", "membership_id"),)

    id: Mapped[Id]
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
