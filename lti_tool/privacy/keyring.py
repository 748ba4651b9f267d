"""Seals and opens content with the key of its author and scope. The keys are in a database of their own."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Row, delete, select, update
from sqlalchemy.orm import Session

from lti_tool.privacy import keyring_store
from lti_tool.privacy.models import ContentKey, ErasedPerson, ShreddedKey
from lti_tool.privacy.sealing import Masters, new_key, open_sealed, seal
from lti_tool.settings import Settings
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into

_RESEALED_AT_ONCE = 500


class Keyring:
    """The keys of all content. One per process; safe between threads; no I/O until used.

    Whatever is written here is committed at once, in a transaction of the keyring's own: a key is there before the
    row that needs it, and a transaction of the data that is rolled back leaves at most a key that nothing uses.
    """

    def __init__(self, masters: Masters, database: Database) -> None:
        self._masters = masters
        self.database = database
        """Of the keyring, not of the data."""
        self._is_ready = False

    @classmethod
    def of(cls, settings: Settings, database: Database) -> "Keyring":
        """The keyring of a tool with these settings, whose data is in `database`."""
        data_url = database.engine.url.render_as_string(hide_password=False)
        return cls(Masters.of(settings), Database(keyring_store.url_of(data_url, settings.keyring_url)))

    @property
    def masters(self) -> Masters:
        """The master keys of these settings, which also seal what is the operator's own."""
        return self._masters

    def opened(self, _session: Session, scope_id: str, now: datetime) -> "ScopeKeys":
        """The keys of all authors of a scope, read by one statement. Keys of new authors are made as they write.

        The session is that of the data. Raises SealBroken if the master key of a key is missing.
        """
        return self.opened_all(_session, [scope_id], now)[scope_id]

    def opened_all(self, _session: Session, scope_ids: Iterable[str], now: datetime) -> dict[str, "ScopeKeys"]:
        """Scope id → its keys, as `opened` gives them, for all these scopes by one statement (none for no scope)."""
        keys: dict[str, dict[str, bytes]] = {scope_id: {} for scope_id in scope_ids}
        if keys:
            with self._ready().read() as session:
                rows = session.execute(
                    select(ContentKey.scope_id, ContentKey.author_id, ContentKey.master, ContentKey.sealed_key).where(
                        ContentKey.scope_id.in_(keys)
                    )
                ).all()
            for row in rows:
                keys[row.scope_id][row.author_id] = self._opened(row.scope_id, row)
        return {scope_id: ScopeKeys(self, scope_id, of_scope, now) for scope_id, of_scope in keys.items()}

    def shred(self, scope_id: str, author_id: str, now: datetime) -> int:
        """Deletes the key of one author in one scope: what it sealed is unreadable, in every copy of the data.

        For ever, and at once: a transaction of the data that is rolled back afterwards does not bring it back. Returns
        the number of keys, 0 or 1.
        """
        return self._shred(now, ContentKey.scope_id == scope_id, ContentKey.author_id == author_id)

    def shred_author(self, author_id: str, now: datetime) -> int:
        """Deletes all keys of an author, as shred() does; returns how many."""
        return self._shred(now, ContentKey.author_id == author_id)

    def shred_scopes(self, scope_ids: Collection[str], now: datetime) -> int:
        """Deletes the keys of all authors in these scopes, as shred() does; returns how many."""
        return self._shred(now, ContentKey.scope_id.in_(scope_ids))

    def record_erased(self, person_id: str, now: datetime) -> None:
        """Keeps in mind that this person was erased; said before their rows are deleted. Twice is no error."""
        with self._ready().write() as session:
            session.execute(
                insert_into(session, ErasedPerson).values(person_id=person_id, erased_at=now).on_conflict_do_nothing()
            )

    def erased(self) -> frozenset[str]:
        """Ids of all people who were erased."""
        with self._ready().read() as session:
            return frozenset(session.scalars(select(ErasedPerson.person_id)))

    def masters_in_use(self) -> frozenset[str]:
        """Names of the master keys that keys are sealed by; the empty name stands for one that is not known."""
        with self._ready().read() as session:
            return frozenset(session.scalars(select(ContentKey.master).distinct()))

    def reseal(self) -> Iterator[int]:
        """Seals every key by the present master key, in batches; yields the number of keys after each.

        Others may read, write and shred meanwhile. Raises SealBroken if the master key of a key is missing.
        """
        while True:
            with self._ready().write() as session:
                rows = session.execute(
                    select(
                        ContentKey.id,
                        ContentKey.scope_id,
                        ContentKey.author_id,
                        ContentKey.master,
                        ContentKey.sealed_key,
                    )
                    .where(ContentKey.master != self._masters.name)
                    .limit(_RESEALED_AT_ONCE)
                    .with_for_update()
                ).all()
                for row in rows:
                    sealed = self._masters.seal(self._opened(row.scope_id, row), _place(row.scope_id, row.author_id))
                    session.execute(
                        update(ContentKey)
                        .where(ContentKey.id == row.id)
                        .values(master=self._masters.name, sealed_key=sealed)
                    )
            if not rows:
                return
            yield len(rows)

    def _make(self, scope_id: str, author_id: str, now: datetime) -> bytes:
        sealed = self._masters.seal(new_key(), _place(scope_id, author_id))
        made = {
            "id": new_id(),
            "scope_id": scope_id,
            "author_id": author_id,
            "master": self._masters.name,
            "sealed_key": sealed,
            "algorithm": "AES-256-GCM",
            "created_at": now,
        }
        with self._ready().write() as session:
            session.execute(insert_into(session, ContentKey).values(made).on_conflict_do_nothing())
            # Another request of the same author may have come first; then its key is the one.
            row = session.execute(
                select(ContentKey.author_id, ContentKey.master, ContentKey.sealed_key).where(
                    ContentKey.scope_id == scope_id, ContentKey.author_id == author_id
                )
            ).one()
            return self._opened(scope_id, row)

    def _opened(self, scope_id: str, row: Row[*tuple[Any, ...]]) -> bytes:
        return self._masters.open(row.master, row.sealed_key, _place(scope_id, row.author_id))

    def _shred(self, now: datetime, *which: Any) -> int:
        with self._ready().write() as session:
            rows = session.execute(
                select(ContentKey.id, ContentKey.scope_id, ContentKey.author_id).where(*which).with_for_update()
            ).all()
            session.add_all(
                ShreddedKey(key_id=row.id, scope_id=row.scope_id, author_id=row.author_id, shredded_at=now)
                for row in rows
            )
            session.execute(delete(ContentKey).where(ContentKey.id.in_([row.id for row in rows])))
        if rows:
            self.database.forget_deleted()
        return len(rows)

    def _ready(self) -> Database:
        if not self._is_ready:
            keyring_store.create_tables(self.database)
            self._is_ready = True
        return self.database


class ScopeKeys:
    """The keys of one scope (a cycle), for as long as one session lives."""

    def __init__(self, keyring: Keyring, scope_id: str, keys: dict[str, bytes], now: datetime) -> None:
        self._keyring = keyring
        self._scope_id = scope_id
        self._keys = keys
        self._now = now
        self.opened_authors: set[str] = set()
        """Whose words were opened by these keys."""

    def seal(self, author_id: str, text: str, place: str) -> bytes:
        """`text` of an author, sealed for `place` (such as `texts/<id>`); makes the author's key at first use."""
        self.ensure(author_id)
        return seal(self._keys[author_id], text.encode(), place.encode())

    def open(self, author_id: str, sealed: bytes, place: str) -> str:
        """What seal() was given for the same author and place. Raises KeyShredded, SealBroken."""
        key = self._keys.get(author_id)
        if key is None:
            raise KeyShredded
        text = open_sealed(key, sealed, place.encode()).decode()
        if text.strip():
            self.opened_authors.add(author_id)
        return text

    def __contains__(self, author_id: str) -> bool:
        """Whether there is a key of this author."""
        return author_id in self._keys

    def ensure(self, author_id: str) -> bool:
        """Makes the author's key where there is none; whether it was made."""
        if author_id in self._keys:
            return False
        self._keys[author_id] = self._keyring._make(self._scope_id, author_id, self._now)
        return True

    def derive(self, author_id: str, purpose: str) -> bytes:
        """32 bytes for something else than sealing: HKDF-SHA256 of the author's key. Raises KeyShredded."""
        if author_id not in self._keys:
            raise KeyShredded
        return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(self._keys[author_id])


class KeyShredded(Exception):
    """The key of this content was deleted; nobody can read it any more."""


def _place(scope_id: str, author_id: str) -> bytes:
    return f"content_keys/{scope_id}/{author_id}".encode()
