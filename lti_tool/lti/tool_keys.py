"""Our own signing keys: made at first use, sealed at rest, rotated with overlap.

A key goes next → active → retiring → retired. It is published from the moment it is made, signs an hour later
(platforms keep our key set for a while, and not all ask again for an unknown key), is replaced by a newer one, and
stays published for a day after that, since a platform may check a signature late. What a key is follows from its
moments, so no clockwork has to run for it.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import Row, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.lti.models import ToolKey
from lti_tool.privacy.sealing import Masters
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

PUBLISH_AHEAD = timedelta(hours=1)
OVERLAP = timedelta(hours=24)
JWKS_MAX_AGE = timedelta(minutes=10)
"""How long a platform may keep our key set without asking."""
_REREAD = timedelta(minutes=1)
"""Another process may have rotated: what is held in memory is compared with the database this often."""
_BITS = 2048

State = Literal["next", "active", "retiring", "retired"]


@dataclass(frozen=True, slots=True)
class KeyMoments:
    """What decides the state of a key."""

    id: str
    signs_from: datetime
    published_until: datetime | None


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: ids of the new key, of those that it replaces, and when it begins to sign."""

    new: str
    replaced: tuple[str, ...]
    signs_from: datetime


def state_of(key: KeyMoments, now: datetime) -> State:
    """The state of one key at a moment."""
    if key.published_until is not None and now >= key.published_until:
        return "retired"
    if now < key.signs_from:
        return "next"
    if key.published_until is not None and now >= key.published_until - OVERLAP:
        return "retiring"
    return "active"


def signing_key(keys: Iterable[KeyMoments], now: datetime) -> KeyMoments | None:
    """The key that signs now: of the active ones the newest."""
    active = [key for key in keys if state_of(key, now) == "active"]
    return max(active, key=lambda key: (key.signs_from, key.id), default=None)


class ToolKeys:
    """The keys of one process: private key objects stay in memory. Safe between threads; no I/O until used."""

    def __init__(self, database: Database, masters: Masters, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._masters = masters
        self._clock = clock
        self._lock = threading.Lock()
        self._moments: tuple[KeyMoments, ...] = ()
        self._public: dict[str, dict[str, str]] = {}
        self._private: dict[str, rsa.RSAPrivateKey] = {}
        self._read_at: datetime | None = None

    def sign(self, claims: dict[str, Any]) -> str:
        """`claims` as a JWT signed with RS256 by the active key, whose id is in the header."""
        now = self._clock()
        with self._lock:
            self._refresh(now)
            key = signing_key(self._moments, now)
            if key is None:
                raise LookupError("no signing key is active")
            private = self._private[key.id]
        return jwt.encode(claims, private, algorithm="RS256", headers={"kid": key.id})

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The key set to publish: all keys that are not retired."""
        now = self._clock()
        with self._lock:
            self._refresh(now)
            return {"keys": [self._public[key.id] for key in self._moments if state_of(key, now) != "retired"]}

    def rotate(self, session: Session, now: datetime) -> Rotated:
        """Adds a key that signs after PUBLISH_AHEAD and retires the others OVERLAP later; destroys retired ones.

        Other processes notice within a minute. The first key of all signs at once.
        """
        current = [
            key for key in _read_moments(session) if key.published_until is None and state_of(key, now) != "retired"
        ]
        signs_from = now + PUBLISH_AHEAD if current else now
        new = self._add(session, now, signs_from)
        session.execute(
            update(ToolKey)
            .where(ToolKey.id.in_([key.id for key in current]))
            # A key that has not signed yet and is replaced at once still keeps its place until the new one signs.
            .values(published_until=signs_from + OVERLAP)
        )
        session.execute(update(ToolKey).where(ToolKey.published_until <= now).values(sealed_private=None))
        with self._lock:
            self._read_at = None
        return Rotated(new, tuple(key.id for key in current), signs_from)

    def reseal(self, session: Session) -> int:
        """Seals every private key by the present master key; returns how many were sealed by another one.

        Raises SealBroken if the master key of one is missing.
        """
        rows = session.execute(
            select(ToolKey.id, ToolKey.master, ToolKey.sealed_private).where(
                ToolKey.sealed_private.is_not(None), ToolKey.master != self._masters.name
            )
        ).all()
        for row in rows:
            plain = self._masters.open(row.master, row.sealed_private, _place(row.id))
            session.execute(
                update(ToolKey)
                .where(ToolKey.id == row.id, ToolKey.sealed_private.is_not(None))
                .values(master=self._masters.name, sealed_private=self._masters.seal(plain, _place(row.id)))
            )
        return len(rows)

    def masters_in_use(self, session: Session) -> frozenset[str]:
        """Names of the master keys that private keys are sealed by; empty for one that is not known."""
        return frozenset(session.scalars(select(ToolKey.master).where(ToolKey.sealed_private.is_not(None)).distinct()))

    def _refresh(self, now: datetime) -> None:
        if self._read_at is not None and self._read_at <= now < self._read_at + _REREAD:
            return
        with self._database.read() as session:
            rows = _valid_rows(session, now)
        if not rows:
            with self._database.write() as session:
                # Another process may have made the first key while this one waited for the lock.
                rows = _valid_rows(session, now)
                if not rows:
                    self._add(session, now, now)
                    rows = _valid_rows(session, now)
        self._moments = tuple(KeyMoments(row.id, row.signs_from, row.published_until) for row in rows)
        self._public = {row.id: row.public_jwk for row in rows}
        self._private = {row.id: self._private.get(row.id) or self._opened(row) for row in rows}
        self._read_at = now

    def _add(self, session: Session, now: datetime, signs_from: datetime) -> str:
        key_id = new_id()
        private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        jwk = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        session.add(
            ToolKey(
                id=key_id,
                public_jwk={"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "alg": "RS256", "use": "sig", "kid": key_id},
                master=self._masters.name,
                sealed_private=self._masters.seal(plain, _place(key_id)),
                created_at=now,
                signs_from=signs_from,
            )
        )
        session.flush()
        return key_id

    def _opened(self, row: Row[Any]) -> rsa.RSAPrivateKey:
        private = load_der_private_key(
            self._masters.open(row.master, row.sealed_private, _place(row.id)), password=None
        )
        assert isinstance(private, rsa.RSAPrivateKey)
        return private


def _valid_rows(session: Session, now: datetime) -> list[Any]:
    return list(
        session.execute(
            select(
                ToolKey.id,
                ToolKey.public_jwk,
                ToolKey.master,
                ToolKey.sealed_private,
                ToolKey.signs_from,
                ToolKey.published_until,
            )
            .where(
                ToolKey.sealed_private.is_not(None),
                or_(ToolKey.published_until.is_(None), ToolKey.published_until > now),
            )
            .order_by(ToolKey.signs_from, ToolKey.id)
        )
    )


def _read_moments(session: Session) -> list[KeyMoments]:
    rows = session.execute(select(ToolKey.id, ToolKey.signs_from, ToolKey.published_until))
    return [KeyMoments(row.id, row.signs_from, row.published_until) for row in rows]


def _place(key_id: str) -> bytes:
    return f"tool_keys/{key_id}".encode()
