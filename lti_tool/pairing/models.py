"""Tables of pairing."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Invitation(Base):
    """One teacher (the host) asks another (the coach of a first cycle).

    open → accepted | declined | withdrawn | lapsed. To the host a declined invitation is an open one; when its time is
    over both become `lapsed`, and that somebody declined is then known nowhere any more.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        Index("ix_invitations_activity_id_host_id", "activity_id", "host_id"),
        Index("ix_invitations_activity_id_coach_id", "activity_id", "coach_id"),
    )

    id: Mapped[Id]
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    host_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    coach_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(12), default="open")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]


class Pair(Base):
    """Teachers who work together in one activity: two who coach each other, a group of up to eight, or one who reflects
    alone. active ⇄ paused → ended."""

    __tablename__ = "pairs"

    id: Mapped[Id]
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(12), default="active")
    """Paused as long as one member is (a group: while fewer than two are there); ended for good."""
    cadence_weeks: Mapped[int | None]
    """How often they would like to coach; 0: without a hint; None: as the activity says."""
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class PairMember(Base):
    """A teacher in a pair."""

    __tablename__ = "pair_members"
    __table_args__ = (
        UniqueConstraint("pair_id", "membership_id"),
        # One pair that has not ended per teacher and activity, whatever the requests that arrive together.
        Index(
            "uq_pair_members_current",
            "activity_id",
            "membership_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
    )

    id: Mapped[Id]
    pair_id: Mapped[Ref] = mapped_column(ForeignKey("pairs.id", ondelete="CASCADE"))
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    is_current: Mapped[bool] = mapped_column(default=True)
    """False once the pair has ended, or the member has left the group."""
    paused_at: Mapped[datetime | None]
    """Since when this member pauses; no reason is kept."""
    hint_away_at: Mapped[datetime | None]
    """When this member last put the hint away that it would be time for a next cycle."""
