"""Authenticated encryption of what is stored: AES-256-GCM with a random nonce in front.

`aad` binds a sealed value to its place (row, column), so that one cannot be moved to another place unnoticed.
"""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lti_tool.settings import Settings

KEY_BYTES = 32
_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed value does not open: another key, another place, or changed bytes."""


class Masters:
    """The master keys of one process: one seals, all of them open, so that they can change while processes run.

    What is sealed keeps the name of its master beside it.
    """

    def __init__(self, sealing: bytes, also_opening: Sequence[bytes] = ()) -> None:
        self.name = master_name(sealing)
        """Of the master key that seals."""
        self._keys = {master_name(key): key for key in (sealing, *also_opening)}

    @classmethod
    def of(cls, settings: Settings) -> "Masters":
        """Those of the settings: the present one seals; the next one and old ones open."""
        others = (*settings.old_master_keys, *([settings.next_master_key] if settings.next_master_key else []))
        return cls(settings.master_key.get_secret_value(), [key.get_secret_value() for key in others])

    @property
    def names(self) -> frozenset[str]:
        """Of all master keys that open."""
        return frozenset(self._keys)

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` sealed by the present master key; its `name` has to be kept beside."""
        return seal(self._keys[self.name], plaintext, aad)

    def open(self, name: str, sealed: bytes, aad: bytes) -> bytes:
        """What the master key of this name sealed; without a name (from before they had any) each key is tried.

        Raises SealBroken, also for a master key that is not here.
        """
        candidates = [self._keys[name]] if name in self._keys else [] if name else list(self._keys.values())
        for key in candidates:
            try:
                return open_sealed(key, sealed, aad)
            except SealBroken:
                continue
        raise SealBroken


def master_name(key: bytes) -> str:
    """The short name of a master key, 8 characters; it tells nothing about the key."""
    return hashlib.sha256(b"meitheal master key" + key).hexdigest()[:8]


def new_key() -> bytes:
    """A fresh random key of 32 bytes."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """`plaintext` sealed by the 32-byte `key`: 12 bytes nonce, ciphertext, 16 bytes tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def open_sealed(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """What seal() was given; raises SealBroken."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error
