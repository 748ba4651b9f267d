"""Tables of pairing rounds."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class RoundSettings(Base):
    """How a trainer has a round calculated. No row: as rules.Settings has it."""

    __tablename__ = "round_settings"

    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """rules.Settings as JSON: topics, periods of a day, subjects, whom to meet again, triads, other schools, rounds to
    plan for, days to answer."""


class PairingWish(Base):
    """What a teacher said for a round, all of it sealed; that there is a row says that they said something once."""

    __tablename__ = "pairing_wishes"
    __table_args__ = (UniqueConstraint("activity_id", "membership_id"),)

    id: Mapped[Id]
    """Also the scope of the key that seals it: each has one of its own."""
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    """Whose key seals it."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """rules.Wish as JSON, sealed with the person's key for `pairing_wishes/<id>`. Whether they are in is within, so
    that the table does not tell who said no."""


class LineManager(Base):
    """Somebody reports to somebody, as a trainer of the course said: the two are never paired (R49)."""

    __tablename__ = "line_managers"
    __table_args__ = (UniqueConstraint("course_id", "manager_id", "report_id"),)

    id: Mapped[Id]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    manager_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    report_id: Mapped[Ref | None] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    """None: everybody of the manager's school; where the manager has no school here, everybody of the course."""


class RoundRun(Base):
    """One calculation of a round. waiting → working → review → out → over; or stopped, or failed, or dropped."""

    __tablename__ = "round_runs"
    __table_args__ = (
        UniqueConstraint("activity_id", "number"),
        # One at a time that is calculated or reviewed.
        Index(
            "uq_round_runs_current",
            "activity_id",
            unique=True,
            sqlite_where=text("status IN ('waiting', 'working', 'review')"),
            postgresql_where=text("status IN ('waiting', 'working', 'review')"),
        ),
    )

    id: Mapped[Id]
    """Also scope and author of the key that seals `problem` and `proof`: shredded when it is over."""
    activity_id: Mapped[Ref] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    number: Mapped[int]
    """From 1, in each activity."""
    status: Mapped[str] = mapped_column(String(8))
    seed: Mapped[int]
    """Settles what is equally good in all else; recorded, so that the same can be calculated again."""
    done: Mapped[int] = mapped_column(default=0)
    """How much of the work is done, in thousandths."""
    doing: Mapped[str] = mapped_column(String(20), default="")
    """A key of words.DOING: what is done at present."""
    stop_asked: Mapped[bool] = mapped_column(default=False)
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
    """rules.Summary as JSON: counts and the aims that were reached, nobody by name. Empty until it is calculated."""
    problem: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What was calculated (service.StoredProblem, compressed and sealed): for what a change would cost."""
    proof: Mapped[bytes | None] = mapped_column(LargeBinary)
    """matching.Certificate as JSON, compressed and sealed."""
    created_at: Mapped[Moment]
    out_at: Mapped[datetime | None]
    """When the teachers were asked."""
    answer_by: Mapped[datetime | None]
    """Until when they answer; then it lapses."""


class Proposal(Base):
    """Two or three teachers who could coach each other. draft → open → paired, or lapsed."""

    __tablename__ = "round_proposals"

    id: Mapped[Id]
    run_id: Mapped[Ref] = mapped_column(ForeignKey("round_runs.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(8))
    attention: Mapped[int] = mapped_column(default=0)
    """How much a trainer should look at it: 0 nothing, else rules.attention_of; the pages begin with the greatest."""
    again: Mapped[bool] = mapped_column(default=False)
    """Whether two of them have worked together before."""
    moved: Mapped[bool] = mapped_column(default=False)
    """Whether the trainer put them together; kept when the rest is calculated again."""
    pair_id: Mapped[Ref | None] = mapped_column(ForeignKey("pairs.id", ondelete="SET NULL"), index=True)
    """The pair that it became."""


class ProposalMember(Base):
    """A teacher in a proposal, and what they answered: yes, or silently another partner or a pause.

    To everybody else the last two are no answer yet, and when the time is over all three become none at all (R24).
    """

    __tablename__ = "round_proposal_members"

    proposal_id: Mapped[Ref] = mapped_column(ForeignKey("round_proposals.id", ondelete="CASCADE"), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    answer: Mapped[str] = mapped_column(String(7), default="")
    """Empty, yes, another or pause; or answers.UNASKED. No moment is kept."""
    why: Mapped[bytes | None] = mapped_column(LargeBinary)
    """rules.Why as JSON (what they share, as far as each shared it), sealed with the run's key for
    `round_proposal_members/<proposal id>/<membership id>`."""


class RoundLeft(Base):
    """A teacher whom a run left without a partner, and the smallest change that would help."""

    __tablename__ = "round_left"

    run_id: Mapped[Ref] = mapped_column(ForeignKey("round_runs.id", ondelete="CASCADE"), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    helps: Mapped[str] = mapped_column(String(12), default="")
    """A code of rules.HELPS; empty: no single change would."""
