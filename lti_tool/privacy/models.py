"""The keyring: one key per author and cycle, itself sealed by the master key."""

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref


class ContentKey(Base):
    """Key of all that one author writes in one scope. Deleting the row shreds what it sealed.

    It refers to no other table on purpose: the keyring can be kept and backed up apart from the data.
    """

    __tablename__ = "content_keys"
    __table_args__ = (UniqueConstraint("scope_id", "author_id"),)

    id: Mapped[Id]
    scope_id: Mapped[Ref]
    """The cycle (or the invitation) in which the content was written."""
    author_id: Mapped[Ref]
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)
    """The key, sealed by the master key."""
    algorithm: Mapped[str] = mapped_column(String(20), default="AES-256-GCM")
    created_at: Mapped[Moment]
