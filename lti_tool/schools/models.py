"""Tables of the school's page."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class Charter(Base):
    """What a school's leadership promises (R52): no reporting, and time. The last one of a school that was not taken
    back is the one that counts."""

    __tablename__ = "charters"

    id: Mapped[Id]
    school_id: Mapped[Ref] = mapped_column(ForeignKey("schools.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    """Which wording was signed."""
    signed_by: Mapped[str] = mapped_column(String(200))
    """Name of the signatory, as they typed it; shown to the teachers of the school."""
    position: Mapped[str] = mapped_column(String(100))
    """Principal, deputy principal, chair of the board …, as they typed it."""
    minutes: Mapped[int]
    """Minutes that are promised for each coaching cycle."""
    signed_at: Mapped[Moment]
    taken_back_at: Mapped[datetime | None]


class SchoolLink(Base):
    """A one-time link to the page of a school: from the invite once its LMS is registered, or from the operator."""

    __tablename__ = "school_links"

    id: Mapped[Id]
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None]


class SchoolVisit(Base):
    """Somebody at the page of a school who came by a one-time link. Its id is in the path, its secret in a cookie."""

    __tablename__ = "school_visits"

    id: Mapped[Id]
    secret_hash: Mapped[str] = mapped_column(String(64))
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
