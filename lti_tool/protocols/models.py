"""Tables of a course's own protocols. Their versions are rows of `protocol_versions`, as running cycles keep them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class OwnProtocol(Base):
    """A protocol that trainers of a course made out of another one (R21): a draft, and the versions given out of it."""

    __tablename__ = "own_protocols"

    id: Mapped[Id]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    """As activities and versions name it; of no shipped protocol."""
    origin: Mapped[str] = mapped_column(String(40), default="")
    """Key of the protocol that it was copied from; empty when it came as a file."""
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The draft: the next version, always one that the reader accepts."""
    version: Mapped[int] = mapped_column(default=0)
    """The last one given out, which new cycles follow."""
    published_at: Mapped[datetime | None]
    """When it was; None while there is none here, and `version` counts what came before in another course."""
    archived_at: Mapped[datetime | None]
    """Since when it is not offered any more; activities that have it keep it."""
    created_at: Mapped[Moment]
    changed_at: Mapped[Moment]
