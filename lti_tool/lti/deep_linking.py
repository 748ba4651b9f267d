"""Deep Linking 2.0: what a platform would take when somebody selects content, and our answer to it."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.platform import origin_of

REQUEST = "LtiDeepLinkingRequest"
LINK = "ltiResourceLink"
LIFETIME = timedelta(minutes=5)
"""How long our answer is good: the browser carries it to the platform at once."""
MAX_URL = 4_000
MAX_DATA = 20_000
"""Characters of what the platform wants to have back; it is stored until the answer is made."""

_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
_DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a platform asks for: where the answer goes, and what it may hold."""

    return_url: str
    accept_multiple: bool = False
    data: str | None = None
    """Opaque; goes back unchanged. None if the platform sent none: then none goes back."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link that the platform shall place in the course."""

    title: str
    text: str
    """Shown by the platform below the title; may be empty."""
    custom: Mapping[str, str]
    """Comes back with each launch of this link."""
    column: str = ""
    """Our own id for a column of the gradebook that goes with the link; empty where it has none."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, as our answer has to name it."""

    issuer: str
    client_id: str
    deployment_id: str


def read_selection(claims: Mapping[str, Any]) -> Selection:
    """The settings of a deep linking request (section 4.4.1). Raises DoorError: BAD_CLAIM, LINKS_NOT_TAKEN.

    That the return address is one of the platform's own is for the caller to check: it knows the platform.
    """
    settings = claims.get(_DEEP_LINKING + "deep_linking_settings")
    if not isinstance(settings, dict):
        raise DoorError(Reason.BAD_CLAIM, "deep_linking_settings")
    return_url = settings.get("deep_link_return_url")
    if not isinstance(return_url, str) or not _is_plain_address(return_url):
        raise DoorError(Reason.BAD_CLAIM, "deep_link_return_url")
    types = settings.get("accept_types")
    if not isinstance(types, list):
        raise DoorError(Reason.BAD_CLAIM, "accept_types")
    if LINK not in types:
        raise DoorError(Reason.LINKS_NOT_TAKEN)
    data = settings.get("data")
    if data is not None and not (isinstance(data, str) and len(data) <= MAX_DATA and _can_be_stored(data)):
        raise DoorError(Reason.BAD_CLAIM, "data")
    return Selection(return_url, settings.get("accept_multiple") is True, data)


def answer(asker: Asker, data: str | None, links: Iterable[Link], launch_url: str, now: datetime) -> dict[str, Any]:
    """The claims of our answer, to be signed (section 4.5). `launch_url` is where every link leads."""
    claims: dict[str, Any] = {
        "iss": asker.client_id,
        "aud": asker.issuer,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "nonce": secrets.token_urlsafe(24),
        _CLAIM + "message_type": "LtiDeepLinkingResponse",
        _CLAIM + "version": "1.3.0",
        _CLAIM + "deployment_id": asker.deployment_id,
        _DEEP_LINKING + "content_items": [_item(link, launch_url) for link in links],
    }
    if data is not None:
        claims[_DEEP_LINKING + "data"] = data
    return claims


def _item(link: Link, launch_url: str) -> dict[str, Any]:
    item: dict[str, Any] = {"type": LINK, "title": link.title, "url": launch_url, "custom": dict(link.custom)}
    if link.text:
        item["text"] = link.text
    if link.column:
        # One point, for "completed" is all that is ever said. Completion is told by the teacher, or not at all.
        item["lineItem"] = {"label": link.title, "scoreMaximum": 1, "resourceId": link.column, "tag": "completion"}
    return item


def _is_plain_address(url: str) -> bool:
    return len(url) <= MAX_URL and url.isprintable() and " " not in url and bool(origin_of(url))


def _can_be_stored(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
