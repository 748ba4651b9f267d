"""Tables of activities."""

from datetime import date, datetime

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
    """new → open ⇄ archived (nothing new begins; what runs goes on)."""
    kind: Mapped[str] = mapped_column(String(20), default="cycle")
    """What teachers do here: a key of kinds.KINDS."""
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    """First and last day, as the trainer tells teachers; they shut nobody out."""
    audience: Mapped[str] = mapped_column(String(10), default="everyone")
    """Who may take part, beside the participants named one by one: everyone, schools (ActivitySchool), or chosen
    (nobody else)."""
    reports_completion: Mapped[bool] = mapped_column(default=False)
    """Whether a teacher may tell the gradebook that they have completed it, by their own tap."""
    line_item_url: Mapped[str] = mapped_column(String(1000), default="")
    """Column of the gradebook for this link, as the last launch said or as we made it; empty where there is none."""
    line_items_url: Mapped[str] = mapped_column(String(1000), default="")
    """Where columns are found and made, as the last launch said; empty where the grade service is not offered."""
    position: Mapped[int] = mapped_column(default=0)
    """Place in the plan of the course, from 1; 0 while nobody has arranged it, see rules.in_order."""
    copied_from: Mapped[Ref | None]
    """The activity that this one is a copy of. No foreign key: the original may be another school's by now."""
    pairs_from_id: Mapped[Ref | None] = mapped_column(ForeignKey("activities.id", ondelete="SET NULL"), index=True)
    """The pairing round of the same course whose pairs coach here; None where partners find each other here."""
    protocol: Mapped[str] = mapped_column(String(40), default="")
    """Key of the protocol that new cycles of this activity follow; while new empty, or as in the activity that it is a
    copy of."""
    cadence_weeks: Mapped[int | None]
    """How often pairs coach, as the trainer suggests it; None: no hint is given."""
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


class ActivityFacilitator(Base):
    """Who is facilitator of an activity: a teacher leader who sees which pairs stand still and nudges, and reads
    nothing (R35, R71). A facilitator may also take part."""

    __tablename__ = "activity_facilitators"
    __table_args__ = (UniqueConstraint("activity_id", "membership_id"),)

    id: Mapped[Id]
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]


class ActivityParticipant(Base):
    """A teacher whom the trainer named as one of those who may take part, or who had begun before it was narrowed."""

    __tablename__ = "activity_participants"

    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ActivitySchool(Base):
    """A school whose teachers may take part in an activity."""

    __tablename__ = "activity_schools"

    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), primary_key=True)
    school_id: Mapped[Ref] = mapped_column(ForeignKey("schools.id", ondelete="CASCADE"), primary_key=True, index=True)


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
