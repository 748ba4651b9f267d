"""The public keys of platforms: read once in a while, parsed once, found by key id.

They are in memory as parsed objects and in the database as last read, so that a launch right after a restart needs no
call. Three clocks govern when a platform is asked: LIFETIME for keys that are known, COOL_DOWN after any attempt
(a flood of unknown key ids is one call), STALE_LIMIT for a platform whose key address is down.
"""

import base64
import binascii
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.http import Http, HttpError
from lti_tool.lti.models import PlatformKeySet
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into

LIFETIME = timedelta(hours=1)
COOL_DOWN = timedelta(seconds=30)
STALE_LIMIT = timedelta(days=7)
"""An address that has been down for this long no longer vouches for old keys."""
_MAX_KEYS = 50
_MAX_BYTES = 200_000
_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 8192

_NEVER = datetime.min.replace(tzinfo=UTC)

Key = RSAPublicKey | EllipticCurvePublicKey


@dataclass(slots=True)
class _Ring:
    """What this process knows of one platform's keys."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    jwks_url: str = ""
    keys: Mapping[str, tuple[str, Key]] = field(default_factory=dict)
    """Key id → (algorithm, key)."""
    fetched_at: datetime | None = None
    tried_at: datetime = _NEVER


class PlatformKeys:
    """The keys of all platforms, for one process. Safe between threads; no I/O until used."""

    def __init__(
        self, database: Database, http: Http, clock: Callable[[], datetime], algorithms: tuple[str, ...]
    ) -> None:
        self._database = database
        self._http = http
        self._clock = clock
        self._algorithms = algorithms
        self._rings: dict[str, _Ring] = {}
        self._lock = threading.Lock()

    def find(self, platform_id: str, jwks_url: str, kid: str) -> tuple[str, Key]:
        """(algorithm, key) of a platform's key id. Must not be called inside a transaction: it may call the platform.

        Raises DoorError: KEY_UNKNOWN when the platform has no such key, KEYS_UNREACHABLE when it cannot be asked.
        """
        ring = self._ring(platform_id)
        now = self._clock()
        found = self._known(ring, jwks_url, kid, now)
        if found and _is_fresh(ring, now):
            return found
        # One thread asks; for a key that is known but old, the others go on with it meanwhile.
        if not ring.lock.acquire(blocking=not found):
            return found or self._missing(ring)
        try:
            self._refresh(ring, platform_id, jwks_url, kid, now)
            return self._known(ring, jwks_url, kid, now) or self._missing(ring)
        finally:
            ring.lock.release()

    def read(self, jwks_url: str) -> int:
        """How many usable keys an address holds at this moment, past all that is kept; nothing is kept of the answer.

        Raises HttpError when nobody answers, or not with a key set.
        """
        return len(_parsed(self._fetch(jwks_url), self._algorithms))

    def _ring(self, platform_id: str) -> _Ring:
        with self._lock:
            return self._rings.setdefault(platform_id, _Ring())

    def _known(self, ring: _Ring, jwks_url: str, kid: str, now: datetime) -> tuple[str, Key] | None:
        if ring.jwks_url != jwks_url or ring.fetched_at is None or now >= ring.fetched_at + STALE_LIMIT:
            return None
        return ring.keys.get(kid)

    def _missing(self, ring: _Ring) -> tuple[str, Key]:
        down = ring.fetched_at is None or ring.fetched_at < ring.tried_at
        raise DoorError(Reason.KEYS_UNREACHABLE if down else Reason.KEY_UNKNOWN)

    def _refresh(self, ring: _Ring, platform_id: str, jwks_url: str, kid: str, now: datetime) -> None:
        """Brings the ring up to date: from the database if another process has asked lately, else from the platform."""
        if self._is_enough(ring, jwks_url, kid, now):
            return
        self._read_stored(ring, platform_id, jwks_url)
        if self._is_enough(ring, jwks_url, kid, now):
            return
        ring.tried_at = now
        try:
            keys = self._fetch(jwks_url)
        except HttpError:
            self._store(ring, platform_id, jwks_url, None, now)
            return
        ring.keys, ring.fetched_at = _parsed(keys, self._algorithms), now
        self._store(ring, platform_id, jwks_url, keys, now)

    def _is_enough(self, ring: _Ring, jwks_url: str, kid: str, now: datetime) -> bool:
        if ring.jwks_url == jwks_url and kid in ring.keys and _is_fresh(ring, now):
            return True
        return ring.jwks_url == jwks_url and ring.tried_at <= now < ring.tried_at + COOL_DOWN

    def _read_stored(self, ring: _Ring, platform_id: str, jwks_url: str) -> None:
        with self._database.read() as session:
            row = session.execute(
                select(PlatformKeySet.keys, PlatformKeySet.fetched_at, PlatformKeySet.tried_at).where(
                    PlatformKeySet.platform_id == platform_id, PlatformKeySet.jwks_url == jwks_url
                )
            ).one_or_none()
        if row is not None:
            ring.tried_at, ring.fetched_at = row.tried_at, row.fetched_at
            ring.keys = _parsed(row.keys, self._algorithms)
        elif ring.jwks_url != jwks_url:
            ring.tried_at, ring.fetched_at, ring.keys = _NEVER, None, {}
        ring.jwks_url = jwks_url

    def _fetch(self, jwks_url: str) -> list[dict[str, str]]:
        answer = self._http.get(jwks_url, headers={"Accept": "application/json"}, max_bytes=_MAX_BYTES)
        body = answer.json() if answer.status == 200 else None
        if not isinstance(body, dict) or not isinstance(body.get("keys"), list):
            raise HttpError(f"no key set in an answer with status {answer.status}")
        return [stripped for jwk in body["keys"][:_MAX_KEYS] if (stripped := _stripped(jwk))]

    def _store(
        self, ring: _Ring, platform_id: str, jwks_url: str, keys: list[dict[str, str]] | None, now: datetime
    ) -> None:
        values: dict[str, Any] = {"tried_at": now, "jwks_url": jwks_url}
        if keys is not None:
            values |= {"keys": keys, "fetched_at": now}
        elif ring.fetched_at is None:
            # The row may hold the keys of an earlier address.
            values |= {"keys": [], "fetched_at": None}
        try:
            with self._database.write() as session:
                statement = insert_into(session, PlatformKeySet).values(
                    {"platform_id": platform_id, "keys": [], "fetched_at": None} | values
                )
                session.execute(statement.on_conflict_do_update(index_elements=["platform_id"], set_=values))
        except IntegrityError:
            # The platform was removed while it was asked.
            return


def _is_fresh(ring: _Ring, now: datetime) -> bool:
    return ring.fetched_at is not None and ring.fetched_at <= now < ring.fetched_at + LIFETIME


def _stripped(jwk: object) -> dict[str, str] | None:
    """The public part of a usable signature key; None for any other."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    if isinstance(operations := jwk.get("key_ops"), list) and "verify" not in operations:
        return None
    names = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}.get(str(jwk.get("kty")))
    if names is None:
        return None
    kept = {
        name: value
        for name in ("kty", "kid", *names)
        if isinstance(value := jwk.get(name), str) and 0 < len(value) <= 2_000
    }
    if len(kept) != len(names) + 2:
        return None
    # Brightspace names no algorithm; then the kind of key decides.
    algorithm = jwk.get("alg", "RS256" if kept["kty"] == "RSA" else "ES256")
    return {**kept, "alg": algorithm} if algorithm in ("RS256", "ES256") else None


def _parsed(keys: list[dict[str, str]], algorithms: tuple[str, ...]) -> dict[str, tuple[str, Key]]:
    parsed: dict[str, tuple[str, Key]] = {}
    for jwk in keys:
        algorithm = jwk["alg"]
        if algorithm in algorithms and jwk["kid"] not in parsed and (key := _key_of(jwk)):
            parsed[jwk["kid"]] = algorithm, key
    return parsed


def _key_of(jwk: dict[str, str]) -> Key | None:
    try:
        if jwk["kty"] == "RSA" and jwk["alg"] == "RS256":
            if len(base64.urlsafe_b64decode(jwk["n"] + "==")) * 8 > _MAX_RSA_BITS:
                return None
            rsa = RSAAlgorithm.from_jwk({"kty": "RSA", "n": jwk["n"], "e": jwk["e"]})
            return rsa if isinstance(rsa, RSAPublicKey) and rsa.key_size >= _MIN_RSA_BITS else None
        if jwk["kty"] == "EC" and jwk["alg"] == "ES256" and jwk["crv"] == "P-256":
            ec = ECAlgorithm.from_jwk({"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"]})
            return ec if isinstance(ec, EllipticCurvePublicKey) else None
    except (InvalidKeyError, ValueError, TypeError, KeyError, binascii.Error):
        return None
    return None
