"""Checks what a tool signed: by the key set at its address, and by the LMS's own clock."""

from typing import Any, TypeGuard

import jwt
import requests

from lti_tool.sandbox.school import School
from lti_tool.sandbox.tools import Tool

# Clocks of servers differ a little; beyond this a token is from another time.
LEEWAY_S = 60
MAX_LIFETIME_S = 3600
FETCH_TIMEOUT_S = 10


class BadToken(Exception):
    """A tool's JWT that does not hold; the message says why."""


def verify(school: School, tool: Tool, token: str, *, audiences: set[str], once: str) -> dict[str, Any]:
    """The claims of `token`, signed by `tool` (Security Framework 1.0, 5.2).

    `audiences` are the names of this LMS of which one must be in `aud`; the claim called `once` ("jti" or "nonce") must
    be there and not be used before. Raises `BadToken`. Calls the tool's key set, so hold no lock.
    """
    claims = _signed_claims(school, tool, token)
    now = school.now()
    if claims.get("iss") != tool.client_id:
        raise BadToken("iss must be the client_id")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(one in audiences for one in named if isinstance(one, str)):
        raise BadToken(f"aud must name this LMS, one of {sorted(audiences)}")
    expires, issued = claims.get("exp"), claims.get("iat")
    if not _is_time(expires) or not _is_time(issued):
        raise BadToken("exp and iat must be there, as numbers of seconds")
    if expires < now - LEEWAY_S:
        raise BadToken("the token has expired (exp)")
    if issued > now + LEEWAY_S:
        raise BadToken("the token was issued in the future (iat)")
    if expires - issued > MAX_LIFETIME_S:
        raise BadToken("the token lives for more than an hour (exp - iat)")
    not_before = claims.get("nbf")
    if _is_time(not_before) and not_before > now + LEEWAY_S:
        raise BadToken("the token is not valid yet (nbf)")
    mark = claims.get(once)
    if not isinstance(mark, str) or not mark:
        raise BadToken(f"{once} must be there")
    with school.lock:
        if (tool.client_id, mark) in school.seen_token_ids:
            raise BadToken(f"{once} was used before")
        school.seen_token_ids.add((tool.client_id, mark))
    return claims


def _signed_claims(school: School, tool: Tool, token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as problem:
        raise BadToken("this is not a JWT") from problem
    if header.get("alg") != "RS256":
        raise BadToken("the token must be signed by RS256")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise BadToken("the header must name the key (kid)")
    key = _public_key(school, tool, kid)
    try:
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.PyJWTError as problem:
        raise BadToken("the signature does not fit the key named by kid") from problem


def _public_key(school: School, tool: Tool, kid: str) -> jwt.PyJWK:
    found = _find(school.tool_keys.get(tool.jwks_url, []), kid)
    if found is None:
        # An unknown kid means the tool rotated its keys: look again, once.
        school.tool_keys[tool.jwks_url] = _fetch(school, tool.jwks_url)
        found = _find(school.tool_keys[tool.jwks_url], kid)
    if found is None:
        raise BadToken(f"the key set at {tool.jwks_url} has no key {kid!r}")
    try:
        return jwt.PyJWK(found, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as problem:
        raise BadToken(f"the key {kid!r} at {tool.jwks_url} is not an RSA key") from problem


def _find(keys: list[dict[str, object]], kid: str) -> dict[str, object] | None:
    return next((key for key in keys if key.get("kid") == kid), None)


def _fetch(school: School, address: str) -> list[dict[str, object]]:
    try:
        answer = school.http.get(address, timeout=FETCH_TIMEOUT_S, headers={"Accept": "application/json"})
        answer.raise_for_status()
        keys = answer.json()["keys"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as problem:
        raise BadToken(f"the key set at {address} could not be read") from problem
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _is_time(value: object) -> TypeGuard[float]:
    # The bounds keep out infinity and what is not a number at all, which JSON of Python lets pass.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e12
