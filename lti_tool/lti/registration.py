"""Dynamic Registration 1.0: what we read of a platform, what we tell it, and what it answers.

Also the same facts as a document, for an LMS whose administrator types them in by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lti_tool.lti import deep_linking
from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.grades import SCOPES as GRADE_SCOPES
from lti_tool.lti.http import AddressRefused, Http, HttpError
from lti_tool.lti.launch import RESOURCE_LINK
from lti_tool.lti.names_roles import SCOPE as ROSTER_SCOPE
from lti_tool.lti.platform import origin_of, same_origin

TITLE = "Meitheal"
DESCRIPTION = "Collegial peer coaching: teachers visit, talk and reflect with each other."
_PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_MAX_BYTES = 200_000
_CLAIMS = ("iss", "sub", "name", "given_name", "family_name")
"""What we ask to be told. No e-mail: people are known by the platform's user id."""
_CUSTOM = {
    "context_history": "$Context.id.history",
    "link_history": "$ResourceLink.id.history",
    "time_zone": "$Person.address.timezone",
}
"""Lets a copied course be recognised as a copy, and times be shown as the person reads them."""
_SCOPES = (ROSTER_SCOPE, *GRADE_SCOPES)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What we keep of a platform's own description."""

    issuer: str
    authorization_url: str
    token_url: str
    jwks_url: str
    registration_url: str
    scopes: tuple[str, ...]
    family: str
    """Product family code, or empty."""
    messages: tuple[str, ...]
    """Types of messages that it sends."""
    token_audience: str = ""
    """Audience of a token request where it is not the token URL (`authorization_server`), or empty."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The platform's answer to our registration."""

    configuration: Configuration
    client_id: str
    deployment_id: str
    """Empty where the platform names none yet."""


def register(http: Http, configuration_url: str, token: str, public_url: str) -> Registered:
    """Reads the platform's description and registers the tool there: two calls, never inside a transaction.

    `token` may be empty. Raises DoorError: REGISTRATION_ADDRESS, _MISMATCH, _UNREACHABLE, _REFUSED.
    """
    configuration = _read_configuration(http, configuration_url)
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = http.post(
            configuration.registration_url,
            json=tool_registration(public_url, configuration.scopes, configuration.messages),
            headers=headers,
            max_bytes=_MAX_BYTES,
        )
        body = answer.json() if answer.status in (200, 201) else None
    except HttpError as error:
        raise _door_error(error) from error
    # Moodle answers 200 where the specification says 201.
    if not isinstance(body, dict):
        raise DoorError(Reason.REGISTRATION_REFUSED, f"status {answer.status}")
    client_id = _short(body.get("client_id"), 200)
    if not client_id:
        raise DoorError(Reason.REGISTRATION_REFUSED, "client_id")
    tool = body.get(_TOOL)
    deployment = tool.get("deployment_id") if isinstance(tool, dict) else None
    return Registered(configuration, client_id, _short(deployment, 255))


def tool_registration(
    public_url: str, offered_scopes: tuple[str, ...], offered_messages: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Our client registration (Dynamic Registration 1.0, section 3.6): asks for no scope that is not used.

    Selecting content is asked for where the platform offers it, among the activities of a course.
    """
    link = {"type": RESOURCE_LINK, "target_link_uri": f"{public_url}/lti/launch", "label": TITLE}
    select = link | {"type": deep_linking.REQUEST, "placements": ["ContentArea"]}
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{public_url}/lti/login",
        "redirect_uris": [f"{public_url}/lti/launch"],
        "client_name": TITLE,
        "jwks_uri": f"{public_url}/lti/jwks.json",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scope for scope in _SCOPES if scope in offered_scopes),
        _TOOL: {
            # With its port: Moodle compares it with the target's.
            "domain": urlsplit(public_url).netloc,
            "description": DESCRIPTION,
            "target_link_uri": f"{public_url}/lti/launch",
            "custom_parameters": _CUSTOM,
            "claims": list(_CLAIMS),
            "messages": [link, select] if deep_linking.REQUEST in offered_messages else [link],
        },
    }


def manual_configuration(public_url: str) -> dict[str, Any]:
    """The tool for an LMS where it is registered by hand: as Canvas reads it, and for people to copy.

    Placements are those from which a trainer adds an activity to a course: a module (`link_selection`) and an
    assignment. Canvas sends a name at `name_only` and no e-mail address.
    """
    launch, domain = f"{public_url}/lti/launch", urlsplit(public_url).netloc
    placements = [
        {
            "placement": placement,
            "message_type": deep_linking.REQUEST,
            "target_link_uri": launch,
            "text": TITLE,
            "enabled": True,
            "selection_width": 800,
            "selection_height": 800,
        }
        for placement in ("link_selection", "assignment_selection")
    ]
    return {
        "title": TITLE,
        "description": DESCRIPTION,
        "oidc_initiation_url": f"{public_url}/lti/login",
        "target_link_uri": launch,
        "redirect_uris": [launch],
        "public_jwk_url": f"{public_url}/lti/jwks.json",
        "domain": domain,
        "scopes": list(_SCOPES),
        "claims": list(_CLAIMS),
        "custom_fields": _CUSTOM,
        "extensions": [
            {
                "platform": "canvas.instructure.com",
                "domain": domain,
                "tool_id": "meitheal",
                "privacy_level": "name_only",
                "settings": {"text": TITLE, "placements": placements},
            }
        ],
    }


def _read_configuration(http: Http, url: str) -> Configuration:
    try:
        answer = http.get(url, headers={"Accept": "application/json"}, max_bytes=_MAX_BYTES)
        body = answer.json()
    except HttpError as error:
        raise _door_error(error) from error
    if answer.status != 200 or not isinstance(body, dict):
        raise DoorError(Reason.REGISTRATION_UNREACHABLE, f"configuration, status {answer.status}")
    return _configuration(http, body, url)


def _configuration(http: Http, body: Mapping[str, Any], url: str) -> Configuration:
    issuer = _short(body.get("issuer"), 500)
    # Whoever can serve a file anywhere must not be able to register as somebody else's LMS (section 3.4).
    if not same_origin(issuer, url):
        raise DoorError(Reason.REGISTRATION_MISMATCH, "issuer")
    addresses = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"):
        addresses[name] = _short(body.get(name), 1_000)
        if not addresses[name]:
            raise DoorError(Reason.REGISTRATION_UNREACHABLE, name)
        try:
            http.check(addresses[name])
        except HttpError as error:
            raise _door_error(error) from error
    about = body.get(_PLATFORM)
    scopes = body.get("scopes_supported")
    return Configuration(
        issuer=issuer,
        authorization_url=addresses["authorization_endpoint"],
        token_url=addresses["token_endpoint"],
        jwks_url=addresses["jwks_uri"],
        registration_url=addresses["registration_endpoint"],
        scopes=tuple(scope for scope in scopes if isinstance(scope, str)) if isinstance(scopes, list) else (),
        token_audience=_token_audience(body),
        family=_short(about.get("product_family_code"), 40) if isinstance(about, dict) else "",
        messages=_message_types(about.get("messages_supported")) if isinstance(about, dict) else (),
    )


def _token_audience(body: Mapping[str, Any]) -> str:
    """What `authorization_server` names (section 3.4), if it is an address: Canvas writes a bare host there, which it
    refuses itself as an audience."""
    named = _short(body.get("authorization_server"), 1_000)
    return named if origin_of(named) else ""


def _message_types(messages: object) -> tuple[str, ...]:
    if not isinstance(messages, list):
        return ()
    return tuple(_short(message.get("type"), 100) for message in messages if isinstance(message, dict))


def _short(value: object, limit: int) -> str:
    """A text that is plain, on one line and not longer than `limit`; else empty."""
    return value if isinstance(value, str) and len(value) <= limit and value.isprintable() else ""


def _door_error(error: HttpError) -> DoorError:
    refused = isinstance(error, AddressRefused)
    return DoorError(Reason.REGISTRATION_ADDRESS if refused else Reason.REGISTRATION_UNREACHABLE, str(error))
