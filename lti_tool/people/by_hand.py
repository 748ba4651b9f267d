"""Registering an LMS by hand: what its administrator typed is filled in, and tried at the LMS before it is kept."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from lti_tool.lms.families import Family, Field
from lti_tool.lti.access_tokens import Client
from lti_tool.lti.http import AddressRefused, Http, HttpError
from lti_tool.lti.names_roles import SCOPE
from lti_tool.lti.platform import origin_of
from lti_tool.lti.service import LtiDoor
from lti_tool.people import connection
from lti_tool.people.registry import NewPlatform

FIELDS: tuple[Field, ...] = (
    "site",
    "issuer",
    "client_id",
    "deployment_id",
    "authorization_url",
    "token_url",
    "jwks_url",
    "token_audience",
)
_ADDRESSES: tuple[Field, ...] = ("site", "issuer", "authorization_url", "token_url", "jwks_url")
_LIMITS: Mapping[Field, int] = {"client_id": 200, "deployment_id": 255, "issuer": 500}
_MAX_ADDRESS = 1_000
_MAX_BYTES = 200_000
_SAYS: Mapping[str, Field] = {
    "issuer": "issuer",
    "authorization_endpoint": "authorization_url",
    "token_endpoint": "token_url",
    "jwks_uri": "jwks_url",
}
_OAUTH_ERRORS = (
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
)
"""RFC 6749, 5.2: whoever answers with one of them gives tokens, though not to us yet."""

Code = Literal[
    "missing",
    "bad",
    "address",
    "unreachable",
    "no_keys",
    "mismatch",
    "no_tokens",
    "no_page",
    "no_token_yet",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Codes:

    missing, bad (not what such a value looks like), address (may not be called: no https, or a private network),
    unreachable, no_keys (no usable key set), mismatch (the LMS says another value of itself), no_tokens (what answers
    gives no tokens); and as notes: no_page (404 where people are to sign in), no_token_yet (the LMS does not know us).
    """

    field: Field
    code: Code
    value: str = ""
    """What was tried."""
    said: str = ""
    """What the LMS says, or how it failed."""
    is_note: bool = False
    """Worth knowing, and no reason not to keep the registration."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A registration as typed, and what follows from it."""

    new: NewPlatform
    configuration_url: str
    problems: tuple[Problem, ...]
    """What is wrong already; then nothing is to be tried."""


def fill_in(family: Family, typed: Mapping[Field, str]) -> Filled:
    """A registration, still without a name, from what somebody typed; that wins over what follows from it."""
    given = {field: _cleaned(field, typed.get(field, "")) for field in FIELDS}
    follows = family.addresses(given)
    new = NewPlatform(
        name="",
        issuer=given["issuer"] or follows.issuer,
        client_id=given["client_id"],
        authorization_url=given["authorization_url"] or follows.authorization_url,
        token_url=given["token_url"] or follows.token_url,
        jwks_url=given["jwks_url"] or follows.jwks_url,
        deployment_id=given["deployment_id"],
        family=family.code,
        token_audience=given["token_audience"] or follows.token_audience,
    )
    problems = [Problem(field, "missing") for field in family.asks if not given[field]]
    problems += [Problem(field, "bad", given[field]) for field in FIELDS if given[field] and not _is_good(field, given)]
    return Filled(new, follows.configuration_url, tuple(problems))


def try_out(lti: LtiDoor, filled: Filled) -> list[Problem]:
    """Tries every address at once; calls the LMS (half a minute in the worst case), so never in a transaction."""
    new = filled.new
    client = Client("", new.client_id, new.token_url, new.token_audience)
    with ThreadPoolExecutor(4) as calls:
        described = calls.submit(_description, lti.http, filled.configuration_url)
        keys = calls.submit(_keys, lti, new.jwks_url)
        page = calls.submit(_page, lti.http, new.authorization_url)
        token = calls.submit(_token, lti, client)
    says = described.result()
    found = [
        Problem(field, "mismatch", getattr(new, field), value)
        for key, field in _SAYS.items()
        if (value := _said(says.get(key))) and value != getattr(new, field)
    ]
    for problem in (keys.result(), page.result(), token.result()):
        if problem is None or any(known.field == problem.field for known in found):
            continue
        if problem.code == "no_tokens" and says.get("token_endpoint") == new.token_url:
            # The LMS itself says that this is the place: then it is us whom it does not know.
            problem = Problem("token_url", "no_token_yet", problem.value, problem.said, is_note=True)
        found.append(problem)
    return found


def _cleaned(field: Field, value: str) -> str:
    value = value.strip()
    if field not in _ADDRESSES or not value:
        return value
    if "://" not in value:
        value = f"https://{value}"
    if field == "site":
        value = value.partition("?")[0].partition("#")[0].rstrip("/")
    return value


def _is_good(field: Field, given: Mapping[Field, str]) -> bool:
    value = given[field]
    if len(value) > _LIMITS.get(field, _MAX_ADDRESS) or not value.isprintable():
        return False
    return field not in _ADDRESSES or bool(origin_of(value))


def _description(http: Http, url: str) -> dict[str, Any]:
    """What the LMS says of itself; nothing if it says nothing, for many want a token first."""
    if not origin_of(url):
        return {}
    try:
        answer = http.get(url, headers={"Accept": "application/json"}, max_bytes=_MAX_BYTES)
        body = answer.json() if answer.status == 200 else {}
    except HttpError:
        return {}
    return body if isinstance(body, dict) else {}


def _said(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _MAX_ADDRESS else ""


def _keys(lti: LtiDoor, url: str) -> Problem | None:
    if problem := _uncallable(lti.http, "jwks_url", url):
        return problem
    finding = connection.check_keys(lti, url)
    return None if finding.level == "ok" else Problem("jwks_url", "no_keys", url, finding.detail)


def _page(http: Http, url: str) -> Problem | None:
    if problem := _uncallable(http, "authorization_url", url):
        return problem
    try:
        status = http.get(url).status
    except HttpError as error:
        return Problem("authorization_url", "unreachable", url, str(error))
    if status >= 500:
        return Problem("authorization_url", "unreachable", url, f"HTTP {status}")
    # Without a login there is nothing to show, so that any other status may be right.
    return Problem("authorization_url", "no_page", url, is_note=True) if status == 404 else None


def _token(lti: LtiDoor, client: Client) -> Problem | None:
    if problem := _uncallable(lti.http, "token_url", client.token_url):
        return problem
    finding = connection.check_token(lti, SCOPE, client)
    if finding.code in ("ok", "no_scope"):
        return None
    if finding.code in ("unreachable", "busy"):
        return Problem("token_url", "unreachable", client.token_url, finding.detail)
    if finding.detail.rpartition(" ")[2] in _OAUTH_ERRORS:
        return Problem("token_url", "no_token_yet", client.token_url, finding.detail, is_note=True)
    return Problem("token_url", "no_tokens", client.token_url, finding.detail)


def _uncallable(http: Http, field: Field, url: str) -> Problem | None:
    try:
        http.check(url)
    except AddressRefused as error:
        return Problem(field, "address", url, str(error))
    except HttpError as error:
        return Problem(field, "unreachable", url, str(error))
    return None


def place_of(family: Family, typed: Mapping[Field, str], field: Field) -> Field:
    """The field in which an administrator can put `field` right: itself, or what it follows from."""
    return field if field in family.asks or typed.get(field) else family.basis
