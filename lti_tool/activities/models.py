"""Tables of activities."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Activity(Base):
    """One resource link of a course. It is `new` until an Instructor opens it, sets it up and so is its trainer.

    One that was prepared by selecting content is `open` from the start, and waits for the first launch of its link.
    """

    __tablename__ = "activities"
    __table_args__ = (UniqueConstraint("course_id", "resource_link_id"),)

    id: Mapped[Id]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    resource_link_id: Mapped[str | None] = mapped_column(String(255))
    """None while it is prepared and its link was never launched."""
    title: Mapped[str] = mapped_column(String(300), default="")
    purpose: Mapped[str] = mapped_column(String(2000), default="")
    """What the trainer tells teachers this activity is for; shown to all of them."""
    status: Mapped[str] = mapped_column(String(12), default="new")
    """new → open."""
    protocol: Mapped[str] = mapped_column(String(40), default="")
    """Key of the protocol that new cycles of this activity follow; while new empty, or as in the activity that it is a
    copy of."""
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


class Selection(Base):
    """Somebody selects content in the LMS. open → answered, once; forgotten when its sign-in is over."""

    __tablename__ = "selections"

    id: Mapped[Id]
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    return_url: Mapped[str] = mapped_column(String(4000))
    """Where the LMS takes our answer."""
    data: Mapped[str | None] = mapped_column(Text)
    """What the LMS wants to have back, unchanged; none if it sent none."""
    accept_multiple: Mapped[bool]
    created_at: Mapped[Moment] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]
