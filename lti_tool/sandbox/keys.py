"""The LMS's signing keys: published as a JWK set, rotated on demand or by the clock."""

import base64
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class SigningKey:
    kid: str
    private: rsa.RSAPrivateKey

    def as_jwk(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "alg": "RS256",
            "kid": self.kid,
            "e": _base64url(numbers.e),
            "n": _base64url(numbers.n),
            "use": "sig",
        }


class PlatformKeys:
    """One key signs; older ones stay published for as long as the rotation kept them.

    With a `lifetime_s` above 0 a key that is older gives way to a fresh one, and stays published beside it.
    """

    def __init__(self, clock: Callable[[], float], lifetime_s: int = 0) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._lock = threading.Lock()
        self._made_at = clock()
        self._keys = [_new_key()]

    @property
    def current(self) -> SigningKey:
        return self._in_force()[-1]

    def rotate(self, *, keep_old: bool) -> None:
        """Sign with a fresh key from now on; without `keep_old` the former ones vanish from the key set at once."""
        with self._lock:
            self._renew(self._keys if keep_old else [])

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return {"keys": [key.as_jwk() for key in self._in_force()]}

    def _in_force(self) -> list[SigningKey]:
        with self._lock:
            if self._lifetime_s and self._clock() - self._made_at >= self._lifetime_s:
                self._renew(self._keys[-1:])
            return self._keys

    def _renew(self, kept: list[SigningKey]) -> None:
        self._keys = [*kept, _new_key()]
        self._made_at = self._clock()

    def sign(self, claims: dict[str, Any]) -> str:
        key = self.current
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token this LMS signed itself; lifetime is the caller's to check.

        Raises `jwt.PyJWTError` if none of the published keys signed it.
        """
        kid = jwt.get_unverified_header(token).get("kid")
        for key in self._in_force():
            if key.kid == kid:
                return jwt.decode(
                    token,
                    key.private.public_key(),
                    algorithms=["RS256"],
                    options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False},
                )
        raise jwt.InvalidTokenError("no key of this LMS signed it")


def _new_key() -> SigningKey:
    return SigningKey(secrets.token_hex(10), rsa.generate_private_key(public_exponent=65537, key_size=2048))


def _base64url(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
