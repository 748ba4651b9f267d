"""What a launch checks: one id_token becomes one Launch, or an error that says why not.

LTI Core 1.3 section 5, Security Framework 1.0 section 5.1.3. Nothing here reads a clock, a database or the network:
the keys come from a function, the moment and the login from the caller.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lti_tool.lti import deep_linking
from lti_tool.lti.deep_linking import Selection
from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.platform import KnownPlatform, origin_of

LEEWAY = timedelta(seconds=60)
MAX_AGE = timedelta(hours=1)
MAX_TOKEN = 100_000
"""Characters of an id_token: with every custom parameter of every LMS it is a tenth of this."""

RESOURCE_LINK = "LtiResourceLinkRequest"

_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
_NAMES_ROLES = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
_GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
_MAX_ID = 255
_MAX_URL = 1_000
_MAX_ROLES = 100
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,2}")
_ZONES = available_timezones()
_JWS = jwt.PyJWS(algorithms=["RS256", "ES256"])

FindKey = Callable[[str], tuple[str, RSAPublicKey | EllipticCurvePublicKey]]
"""Key id → (algorithm that this key is for, key); raises DoorError."""


@dataclass(frozen=True, slots=True)
class ExpectedLogin:
    """What the login promised, and the launch must keep."""

    nonce_hash: str
    target_link_uri: str


@dataclass(frozen=True, slots=True)
class Grades:
    """What the launch says of the grade service; URLs are empty where it gives none."""

    scopes: tuple[str, ...] = ()
    line_items_url: str = ""
    line_item_url: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """A proven launch, in the words of the specification. Texts are cut to what the store takes."""

    deployment_id: str
    sub: str
    resource_link_id: str
    """Empty where content is selected."""
    resource_link_title: str = ""
    roles: tuple[str, ...] = ()
    context_id: str = ""
    """Empty where the launch names no context."""
    context_title: str = ""
    context_label: str = ""
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    locale: str = ""
    time_zone: str = ""
    """IANA name from our custom parameter; empty where the platform does not know it."""
    return_url: str = ""
    document_target: str = ""
    memberships_url: str = ""
    grades: Grades = field(default_factory=Grades)
    custom: Mapping[str, str] = field(default_factory=dict)
    """Without the variables that the platform did not expand."""
    selection: Selection | None = None
    """What may be placed, where content is selected (a deep linking request); None for a resource link launch."""


def prove(
    id_token: str,
    *,
    platform: KnownPlatform,
    login: ExpectedLogin,
    find_key: FindKey,
    algorithms: tuple[str, ...],
    now: datetime,
) -> Launch:
    """The launch that `id_token` proves. Raises DoorError with the first thing that is wrong."""
    claims = _signed_claims(id_token, find_key, algorithms)
    _check_token(claims, platform, login, now)
    return _read(claims, login)


def hashed(secret: str) -> str:
    """What is stored instead of a secret of 256 random bits: SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _signed_claims(id_token: str, find_key: FindKey, algorithms: tuple[str, ...]) -> dict[str, Any]:
    if not id_token or len(id_token) > MAX_TOKEN or not id_token.isascii():
        raise DoorError(Reason.BAD_TOKEN, "id_token")
    try:
        # The header alone, for the whole token is decoded once more when its signature is checked.
        header = jwt.get_unverified_header(id_token.partition(".")[0] + "..")
        kid, named = header.get("kid"), header.get("alg")
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise DoorError(Reason.BAD_TOKEN, "header") from error
    # Only these two are read of the header; a key that it brings or points to (jwk, jku, x5c, x5u) is not looked at.
    if not isinstance(kid, str) or not kid or len(kid) > _MAX_ID:
        raise DoorError(Reason.BAD_TOKEN, "kid")
    if named not in algorithms:
        raise DoorError(Reason.BAD_SIGNATURE, "alg")
    algorithm, key = find_key(kid)
    if named != algorithm:
        raise DoorError(Reason.BAD_SIGNATURE, "alg of another key")
    try:
        claims = json.loads(_JWS.decode_complete(id_token, key, algorithms=[algorithm])["payload"])
    except jwt.InvalidSignatureError as error:
        raise DoorError(Reason.BAD_SIGNATURE) from error
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise DoorError(Reason.BAD_TOKEN, "payload") from error
    if not isinstance(claims, dict):
        raise DoorError(Reason.BAD_TOKEN, "payload")
    return claims


def _check_token(claims: dict[str, Any], platform: KnownPlatform, login: ExpectedLogin, now: datetime) -> None:
    if claims.get("iss") != platform.issuer:
        raise DoorError(Reason.WRONG_ISSUER)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if platform.client_id not in audiences:
        raise DoorError(Reason.WRONG_AUDIENCE, "aud")
    # OpenID Connect Core 3.1.3.7, 4 and 5: several audiences need azp, and azp is always us.
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != platform.client_id:
        raise DoorError(Reason.WRONG_AUDIENCE, "azp")

    moment, leeway = now.timestamp(), LEEWAY.total_seconds()
    if _number(claims, "exp") <= moment - leeway:
        raise DoorError(Reason.TOKEN_EXPIRED)
    issued = _number(claims, "iat")
    if issued > moment + leeway or ("nbf" in claims and _number(claims, "nbf") > moment + leeway):
        raise DoorError(Reason.CLOCKS_DIFFER)
    if issued < moment - leeway - MAX_AGE.total_seconds():
        raise DoorError(Reason.TOKEN_TOO_OLD)

    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(hashed(nonce), login.nonce_hash):
        raise DoorError(Reason.WRONG_NONCE)


def _read(claims: dict[str, Any], login: ExpectedLogin) -> Launch:
    if claims.get(_CLAIM + "version") != "1.3.0":
        raise DoorError(Reason.BAD_CLAIM, "version")
    message = claims.get(_CLAIM + "message_type")
    if message not in (RESOURCE_LINK, deep_linking.REQUEST):
        raise DoorError(Reason.UNKNOWN_MESSAGE)
    deployment_id = _identifier(claims.get(_CLAIM + "deployment_id"), "deployment_id")
    if claims.get(_CLAIM + "target_link_uri") != login.target_link_uri:
        raise DoorError(Reason.WRONG_TARGET, "target_link_uri")
    selection = deep_linking.read_selection(claims) if message == deep_linking.REQUEST else None
    link = {} if selection else _object(claims, _CLAIM + "resource_link")
    link_id = "" if selection else _identifier(link.get("id"), "resource_link.id")
    if claims.get("sub") in (None, ""):
        raise DoorError(Reason.ANONYMOUS)
    sub = _identifier(claims["sub"], "sub")

    context = _object(claims, _CLAIM + "context")
    if selection and not context.get("id"):
        # What is placed belongs to a course, and without a link this is the only word on which one.
        raise DoorError(Reason.BAD_CLAIM, "context.id")
    presentation = _object(claims, _CLAIM + "launch_presentation")
    grades = _object(claims, _GRADES)
    custom = _custom(_object(claims, _CLAIM + "custom"))
    return Launch(
        deployment_id=deployment_id,
        sub=sub,
        resource_link_id=link_id,
        resource_link_title=_text(link.get("title"), 300),
        roles=_texts(claims.get(_CLAIM + "roles")),
        context_id=_identifier(context["id"], "context.id") if context.get("id") not in (None, "") else "",
        context_title=_text(context.get("title"), 300),
        context_label=_text(context.get("label"), 100),
        name=_text(claims.get("name"), 200),
        given_name=_text(claims.get("given_name"), 100),
        family_name=_text(claims.get("family_name"), 100),
        locale=_locale(presentation.get("locale")) or _locale(claims.get("locale")),
        time_zone=_zone(custom.get("time_zone", "")),
        return_url=_url(presentation.get("return_url")),
        document_target=_text(presentation.get("document_target"), 20),
        memberships_url=_url(_object(claims, _NAMES_ROLES).get("context_memberships_url")),
        grades=Grades(_texts(grades.get("scope")), _url(grades.get("lineitems")), _url(grades.get("lineitem"))),
        custom=custom,
        selection=selection,
    )


def _number(claims: dict[str, Any], name: str) -> float:
    """A NumericDate claim in seconds. Required, finite; a Boolean or a text is none."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DoorError(Reason.BAD_CLAIM, name)
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise DoorError(Reason.BAD_CLAIM, name)
    return seconds


def _identifier(value: object, name: str) -> str:
    """An id as the platform wrote it: never trimmed or cut, since two ids must not become one."""
    if not isinstance(value, str) or not value or len(value) > _MAX_ID or _UNPRINTABLE.search(value):
        raise DoorError(Reason.BAD_CLAIM, name)
    return value


def _text(value: object, limit: int) -> str:
    """A text for people, on one line, cut to `limit` characters; empty for anything that is no text."""
    if not isinstance(value, str):
        return ""
    return " ".join(_UNPRINTABLE.sub(" ", value[: 4 * limit]).split())[:limit].strip()


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return ()
    return tuple(text for item in value[:_MAX_ROLES] if (text := _text(item, _MAX_ID)))


def _url(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_URL or _UNPRINTABLE.search(value) or " " in value:
        return ""
    return value if origin_of(value) else ""


def _locale(value: object) -> str:
    return value if isinstance(value, str) and _LOCALE.fullmatch(value) else ""


def _zone(name: str) -> str:
    return name if name in _ZONES else ""


def _custom(values: dict[str, Any]) -> dict[str, str]:
    """Custom parameters that carry something: `$ResourceLink.id.history` unexpanded is the same as nothing."""
    return {
        key: value
        for key, value in values.items()
        if isinstance(value, str) and value and not re.match(r"\$[A-Z][A-Za-z]*\.", value)
    }


def _object(claims: dict[str, Any], name: str) -> dict[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}
