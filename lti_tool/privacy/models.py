"""The tables of the keyring, which is a database of its own.

Nothing here refers to a table of the data, and no table of the data to one of these: the two are kept, backed up and
restored apart. What is deleted here makes content unreadable in every copy of the data.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lti_tool.store.base import Base, Id, Moment, Ref, UtcDateTime


class KeyringBase(DeclarativeBase):
    """Every table of the keyring."""

    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime()}


class ContentKey(KeyringBase):
    """Key of all that one author writes in one scope. Deleting the row shreds what it sealed."""

    __tablename__ = "content_keys"
    __table_args__ = (UniqueConstraint("scope_id", "author_id"),)

    id: Mapped[Id]
    scope_id: Mapped[Ref]
    """The cycle (or the invitation) in which the content was written."""
    author_id: Mapped[Ref] = mapped_column(index=True)
    master: Mapped[str] = mapped_column(String(8), index=True)
    """Name of the master key that sealed this one; empty for rows from before they had names."""
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)
    """The key, sealed by that master key."""
    algorithm: Mapped[str] = mapped_column(String(20), default="AES-256-GCM")
    created_at: Mapped[Moment]


class ShreddedKey(KeyringBase):
    """That a key was deleted, so that no copy of the keyring brings it back."""

    __tablename__ = "shredded_keys"

    key_id: Mapped[Ref] = mapped_column(primary_key=True)
    scope_id: Mapped[Ref]
    author_id: Mapped[Ref]
    shredded_at: Mapped[Moment]


class ErasedPerson(KeyringBase):
    """That a person was erased, so that their rows are deleted again when an older copy of the data is restored."""

    __tablename__ = "erased_people"

    person_id: Mapped[Ref] = mapped_column(primary_key=True)
    erased_at: Mapped[Moment]
