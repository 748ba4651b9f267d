"""Tables of reflections."""

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class ReflectionVersion(Base):
    """What a person's reflection said when they submitted it: frozen, numbered from 1, readable by them alone (R14).

    The drafts live with the other texts of the cycle. That somebody submitted is a stage mark; nothing that a trainer
    sees is ever read from here.
    """

    __tablename__ = "reflection_versions"
    __table_args__ = (UniqueConstraint("cycle_id", "person_id", "version"),)

    id: Mapped[Id]
    cycle_id: Mapped[Ref] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"))
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON object {field key: text}, sealed with the author's key for `reflection_versions/<id>`."""
    submitted_at: Mapped[Moment]
