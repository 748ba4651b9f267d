"""The table of totals."""

from datetime import date

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Ref


class SchoolTotals(Base):
    """What is kept of one school's totals from one month to the next: numbers, and never whom they count."""

    __tablename__ = "school_totals"
    __table_args__ = (UniqueConstraint("platform_id", "school_id"),)

    id: Mapped[Id]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))
    school_id: Mapped[Ref | None] = mapped_column(ForeignKey("schools.id", ondelete="CASCADE"), index=True)
    """None: the platform as a whole, for those of its people who belong to no school."""
    taking_part: Mapped[int]
    submitted: Mapped[int]
    finished: Mapped[int]
    """Each as it was counted in the month in which it moved last (rules.move), not rounded yet."""
    counted_on: Mapped[date]
    """Day of the last counting, whether anything moved or not."""
