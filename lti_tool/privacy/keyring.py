"""Seals and opens content with the key of its author and scope."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.privacy.models import ContentKey
from lti_tool.privacy.sealing import new_key, open_sealed, seal


class Keyring:
    """Holds the master key; everything else is in the database. One per process, stateless, safe between threads."""

    def __init__(self, master_key: bytes) -> None:
        self._master = master_key

    def opened(self, session: Session, scope_id: str, now: datetime) -> "ScopeKeys":
        """The keys of all authors of a scope, read by one statement. Keys of new authors are made as they write."""
        rows = session.execute(
            select(ContentKey.author_id, ContentKey.sealed_key).where(ContentKey.scope_id == scope_id)
        )
        keys = {
            author_id: open_sealed(self._master, sealed_key, _key_aad(scope_id, author_id))
            for author_id, sealed_key in rows
        }
        return ScopeKeys(self, session, scope_id, keys, now)

    def _make(self, session: Session, scope_id: str, author_id: str, now: datetime) -> bytes:
        key = new_key()
        session.add(
            ContentKey(
                scope_id=scope_id,
                author_id=author_id,
                sealed_key=seal(self._master, key, _key_aad(scope_id, author_id)),
                created_at=now,
            )
        )
        session.flush()
        return key


class ScopeKeys:
    """The keys of one scope (a cycle), for as long as one session lives."""

    def __init__(
        self, keyring: Keyring, session: Session, scope_id: str, keys: dict[str, bytes], now: datetime
    ) -> None:
        self._keyring = keyring
        self._session = session
        self._scope_id = scope_id
        self._keys = keys
        self._now = now

    def seal(self, author_id: str, text: str, place: str) -> bytes:
        """`text` of an author, sealed for `place` (such as `texts/<id>`); makes the author's key at first use."""
        key = self._keys.get(author_id)
        if key is None:
            key = self._keys[author_id] = self._keyring._make(self._session, self._scope_id, author_id, self._now)
        return seal(key, text.encode(), place.encode())

    def open(self, author_id: str, sealed: bytes, place: str) -> str:
        """What seal() was given for the same author and place. Raises KeyShredded, SealBroken."""
        key = self._keys.get(author_id)
        if key is None:
            raise KeyShredded
        return open_sealed(key, sealed, place.encode()).decode()


class KeyShredded(Exception):
    """The key of this content was deleted; nobody can read it any more."""


def _key_aad(scope_id: str, author_id: str) -> bytes:
    return f"content_keys/{scope_id}/{author_id}".encode()
