"""What a protocol of a course's own may be: values in, values out."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lti_tool.protocols.recipe import Protocol

Body = Mapping[str, Any]
OWN = "own_"
"""How the key of every own protocol begins, and of no shipped one."""
MAX_OWN = 40
"""Own protocols of a course, archived ones among them."""
MAX_BYTES = 120_000
"""Of a whole protocol, so that as a file it can be read again."""
MAX_NOTE = 500
"""Characters of what a trainer says about a new version."""
_OWN_KEY = re.compile(OWN + "[0-9a-z]{8}")
FIRST_VERSION, LAST_VERSION = 1, 10_000


def is_own(key: str) -> bool:
    """Whether it is the key of a course's own protocol."""
    return _OWN_KEY.fullmatch(key) is not None


def fingerprint(part: Any) -> str:
    """A short name of exactly these values: whether somebody changed them since a page was made."""
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16]


def is_same(one: Protocol, other: Protocol) -> bool:
    """Whether two protocols say the same, whatever they are called and numbered, and however it is written down."""
    return replace(one, key=other.key, version=other.version) == other


def named(body: Body, key: str, version: int) -> dict[str, Any]:
    """The same recipe under another key and number, which stand first."""
    return {"key": key, "version": version} | {k: v for k, v in body.items() if k not in ("key", "version")}
