"""Names and Role Provisioning Services 2.0: who is in a course, as the LMS says."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lti_tool.lti.access_tokens import AccessTokens, Client, ServiceError, read_json, read_service
from lti_tool.lti.http import Http
from lti_tool.lti.links import next_page

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
_MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_MAX_PAGES = 2_000
_MAX_MEMBERS = 200_000
_MAX_PAGE_BYTES = 64_000_000
"""Moodle sends a whole course in one answer; some 600 bytes a person."""
_MAX_ID = 255
_NOT_KEPT = re.compile(r"[\0\ud800-\udfff]")
"""What no database keeps: NUL, and half of a character, which JSON can spell."""


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a roster. Names are empty where the LMS keeps them back; roles are as sent, short or in full."""

    user_id: str
    name: str
    given_name: str
    family_name: str
    roles: tuple[str, ...]


def read_roster(tokens: AccessTokens, http: Http, client: Client, memberships_url: str) -> list[Member]:
    """All active members of a course, each once, after every page was read.

    Who is Inactive or Deleted in the course is left out, as is an entry without a user id.
    Raises ServiceError, also when the pages do not end, lead to another site, or name nobody at all: a roster that
    was not read whole must never be taken for one.
    """
    members: dict[str, Member] = {}
    visited: set[str] = set()
    url: str | None = memberships_url
    while url is not None:
        if url in visited or len(visited) >= _MAX_PAGES:
            raise ServiceError("malformed", detail="the pages of the roster do not end")
        if _origin(url) != _origin(memberships_url):
            raise ServiceError("malformed", detail="the next page of the roster is on another site")
        visited.add(url)
        answer = read_service(tokens, http, client, SCOPE, url, accept=_MEDIA_TYPE, max_bytes=_MAX_PAGE_BYTES)
        for member in _members(read_json(answer)):
            known = members.get(member.user_id)
            members[member.user_id] = _merged(known, member) if known else member
        if len(members) > _MAX_MEMBERS:
            raise ServiceError("malformed", detail=f"the roster names more than {_MAX_MEMBERS} people")
        url = _next(answer.headers.get("Link"), url)
    if not members:
        raise ServiceError("malformed", detail="the roster names nobody")
    return list(members.values())


def _next(header: str | None, url: str) -> str | None:
    try:
        return next_page(header, url)
    except ValueError as error:
        raise ServiceError("malformed", detail="the link to the next page is not an address") from error


def _members(body: dict[str, Any]) -> Iterable[Member]:
    entries = body.get("members")
    if not isinstance(entries, list):
        raise ServiceError("malformed", detail="the answer has no list of members")
    for entry in entries:
        if not isinstance(entry, dict):
            raise ServiceError("malformed", detail="a member is not a JSON object")
        user_id = entry.get("user_id")
        if isinstance(user_id, int) and not isinstance(user_id, bool):
            user_id = str(user_id)
        # Status may be absent and then means Active (NRPS 2.0, 2.2).
        is_active = _text(entry.get("status")).lower() in ("", "active")
        if isinstance(user_id, str) and 0 < len(user_id) <= _MAX_ID and not _NOT_KEPT.search(user_id) and is_active:
            yield _member(user_id, entry)


def _member(user_id: str, entry: dict[str, Any]) -> Member:
    given_name, family_name = _text(entry.get("given_name")), _text(entry.get("family_name"))
    roles = entry.get("roles")
    return Member(
        user_id=user_id,
        name=_text(entry.get("name")) or f"{given_name} {family_name}".strip(),
        given_name=given_name,
        family_name=family_name,
        roles=tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else (),
    )


def _merged(first: Member, second: Member) -> Member:
    """One person named twice (enrolled in two sections) has the roles of both entries."""
    return Member(
        first.user_id,
        first.name or second.name,
        first.given_name or second.given_name,
        first.family_name or second.family_name,
        tuple(dict.fromkeys(first.roles + second.roles)),
    )


def _text(value: object) -> str:
    return _NOT_KEPT.sub("", value).strip() if isinstance(value, str) else ""


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
