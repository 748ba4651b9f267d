"""The LMS's signing keys: published as a JWK set, rotated on demand."""

import base64
import secrets
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
    """One key signs; older ones stay published for as long as the rotation kept them."""

    def __init__(self) -> None:
        self._keys = [_new_key()]

    @property
    def current(self) -> SigningKey:
        return self._keys[-1]

    def rotate(self, *, keep_old: bool) -> None:
        """Sign with a fresh key from now on; without `keep_old` the former ones vanish from the key set at once."""
        fresh = _new_key()
        self._keys = [*self._keys, fresh] if keep_old else [fresh]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return {"keys": [key.as_jwk() for key in self._keys]}

    def sign(self, claims: dict[str, Any]) -> str:
        key = self.current
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token this LMS signed itself; lifetime is the caller's to check.

        Raises `jwt.PyJWTError` if none of the published keys signed it.
        """
        kid = jwt.get_unverified_header(token).get("kid")
        for key in self._keys:
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
