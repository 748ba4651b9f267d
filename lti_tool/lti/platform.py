"""A registered platform, as the door needs to know it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_.])?|[0-9a-f:]+(?:[0-9]+(?:\.[0-9]+){3})?")
"""A name in ASCII, or an address. Nothing else may reach a header of ours."""


@dataclass(frozen=True, slots=True)
class KnownPlatform:
    """One registration: who sends us launches, and how to reach it."""

    id: str
    issuer: str
    client_id: str
    authorization_url: str
    jwks_url: str
    status: str
    """pending, active or suspended."""
    family: str
    """Product family code, or empty."""

    @property
    def origin(self) -> str:
        """Origin of the platform's pages: it frames ours, and its storage answers from there."""
        return origin_of(self.authorization_url)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL as a browser writes an origin; empty if it has none that is safe in a header."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("https", "http") or not host or len(host) > 253 or not _HOST.fullmatch(host):
        return ""
    shown = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{shown}" if port in (None, default) else f"{parts.scheme}://{shown}:{port}"


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs have the same origin; two that have none do not."""
    origin = origin_of(one)
    return bool(origin) and origin == origin_of(other)
