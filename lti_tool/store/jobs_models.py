"""The table of work that waits for a worker."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment


class Job(Base):
    """One piece of work: waiting → leased by a worker → done (the row is gone), waiting again, or given up.

    This table is the truth. The queue beside it only wakes a worker, so losing the queue loses nothing.
    """

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(100))
    """What the work is about, such as a course id. Asking twice for the same before it is done makes one job."""
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    due_at: Mapped[Moment] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    """Attempts begun since it was last asked for, or since it last succeeded."""
    generation: Mapped[int] = mapped_column(default=0)
    """Rises each time the work is asked for, so that a request during an attempt leads to another one."""
    last_error: Mapped[str] = mapped_column(String(100), default="")
    """Code of the last failure, never a text with names or content."""
    lease: Mapped[str] = mapped_column(String(16), default="")
    """Names the attempt that holds the job; empty when nobody does."""
    leased_until: Mapped[datetime | None]
    """After this moment the attempt counts as dead (a killed worker) and another may begin."""
    given_up_at: Mapped[datetime | None]
    """Set after the last of the attempts; only asking again revives the job."""
    created_at: Mapped[Moment]
