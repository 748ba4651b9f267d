"""How a tool gets into the LMS: by dynamic registration (LTI Dynamic Registration 1.0), or by hand."""

import secrets
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import jwt
from flask import Flask, Response, jsonify, request

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.errors import OAuthRefusal
from lti_tool.sandbox.school import School
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tools import Tool, domain_of, is_web_address

REGISTRATION_TOKEN_LIFETIME_S = 3600
_PARAMETER = "registration_token"


def add_routes(app: Flask, school: School) -> None:
    paths = school.personality.paths
    app.add_url_rule(paths.jwks, "jwks", show_keys)
    if paths.configuration and paths.registration:
        app.add_url_rule(paths.configuration, "configuration", show_configuration)
        app.add_url_rule(paths.registration, "registration", register, methods=["POST"])


def show_configuration() -> Response:
    school = the_school()
    quirks = school.personality.quirks
    token = request.args.get(_PARAMETER, "")
    if quirks.configuration_needs_token and not token:
        raise OAuthRefusal("invalid_token", "The address lacks the registration_token.", 401)
    configuration = school.personality.configuration(school)
    if not quirks.sends_registration_token:
        configuration["registration_endpoint"] += "?" + urlencode({_PARAMETER: token})
    return jsonify(configuration)


def show_keys() -> Response:
    school = the_school()
    keys = school.keys.jwks()["keys"]
    if not school.personality.quirks.names_key_algorithm:
        keys = [{name: value for name, value in key.items() if name != "alg"} for key in keys]
    return jsonify(keys=keys)


def registration_url(tool_url: str) -> tuple[str, str]:
    """Begin a registration: the tool's address with what the LMS adds to it, and the client_id that it will get.

    The query that `tool_url` may already have is kept. The token inside works once, for an hour. Raises `ValueError`
    where tools are added by hand only.
    """
    school = the_school()
    paths, quirks = school.personality.paths, school.personality.quirks
    if paths.configuration is None or paths.registration is None:
        raise ValueError(f"{school.personality.product} has no dynamic registration. Add the tool by hand.")
    client_id = new_client_id()
    now = int(school.now())
    token = school.keys.sign(
        {
            "sub": client_id,
            "scope": "reg",
            "iss": school.issuer,
            "aud": school.url(paths.registration),
            "iat": now,
            "exp": now + REGISTRATION_TOKEN_LIFETIME_S,
        }
    )
    parts = urlsplit(tool_url)
    configuration = school.url(paths.configuration)
    if quirks.configuration_needs_token:
        configuration += "?" + urlencode({_PARAMETER: token})
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("openid_configuration", configuration)]
    if quirks.sends_registration_token:
        query.append((_PARAMETER, token))
    return urlunsplit(parts._replace(query=urlencode(query))), client_id


def register() -> Response:
    """A tool's registration, with the one-time token of `registration_url` as bearer; the tool then is Pending."""
    client_id = _client_of_token()
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, dict):
        raise OAuthRefusal("invalid_client_metadata", "The body must be a JSON object (application/json).")
    tool = _tool_from(wanted, client_id)
    school = the_school()
    with school.lock:
        if school.tool_by_client(client_id):
            raise OAuthRefusal("token_already_used", "This registration token was used before.", 401)
        if _domain_is_taken(tool.target_link_uri):
            raise OAuthRefusal("invalid_client_metadata", f"There is a tool on the domain {tool.domain} already.")
        tool.deployment_id = school.next_deployment_id()
        school.add_tool(tool)
    return jsonify(school.personality.registration_answer(tool))


def new_client_id() -> str:
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(15))


def tool_by_hand(
    name: str,
    login_url: str,
    redirect_uris: list[str],
    jwks_url: str,
    target_link_uri: str,
    deep_linking_url: str = "",
    custom: Mapping[str, str] | None = None,
) -> Tool:
    """Add a tool from what an administrator typed in: all services granted, active at once.

    Raises `ValueError` that names the first field that is wrong.
    """
    if not name.strip():
        raise ValueError("The name is missing.")
    addresses = {"Login URL": login_url, "Key set URL": jwks_url, "Tool URL": target_link_uri}
    addresses |= {f"Redirection URI {number}": uri for number, uri in enumerate(redirect_uris, 1)}
    if deep_linking_url:
        addresses["Content selection URL"] = deep_linking_url
    for label, address in addresses.items():
        if not is_web_address(address):
            raise ValueError(f"{label} must be a full web address; it is {address!r}.")
    if not redirect_uris:
        raise ValueError("At least one redirection URI is needed.")
    school = the_school()
    with school.lock:
        if _domain_is_taken(target_link_uri):
            raise ValueError(f"There is a tool on the domain {domain_of(target_link_uri)} already.")
        tool = Tool(
            deployment_id=school.next_deployment_id(),
            client_id=new_client_id(),
            name=name.strip(),
            login_url=login_url,
            redirect_uris=tuple(redirect_uris),
            jwks_url=jwks_url,
            target_link_uri=target_link_uri,
            deep_linking_url=deep_linking_url or None,
            custom=dict(custom or {}),
            scopes=school.personality.granted_scopes(v.SCOPES_ALL),
            is_active=True,
        )
        school.add_tool(tool)
    return tool


def _domain_is_taken(target_link_uri: str) -> bool:
    school = the_school()
    domain = domain_of(target_link_uri)
    return school.personality.quirks.one_tool_per_domain and any(one.domain == domain for one in school.tools.values())


def _client_of_token() -> str:
    school = the_school()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not school.personality.quirks.sends_registration_token:
        scheme, token = "bearer", request.args.get(_PARAMETER, "")
    if scheme.lower() != "bearer" or not token:
        raise OAuthRefusal("missing_registration_token", "Send the registration_token as bearer token.", 401)
    try:
        claims = school.keys.verify(token.strip())
    except jwt.PyJWTError as problem:
        raise OAuthRefusal("invalid_token", "This is not a registration token of this LMS.", 401) from problem
    if claims.get("scope") != "reg":
        raise OAuthRefusal("invalid_token", "This token is not for registration.", 401)
    if claims["exp"] < school.now():
        raise OAuthRefusal("invalid_token", "This registration token has expired.", 401)
    client_id = str(claims["sub"])
    if school.tool_by_client(client_id):
        raise OAuthRefusal("token_already_used", "This registration token was used before.", 401)
    return client_id


def _tool_from(wanted: dict[str, Any], client_id: str) -> Tool:
    """Check a registration (Dynamic Registration 1.0, 3.5) and turn it into a tool without a deployment yet."""
    required = {
        "response_types": list,
        "grant_types": list,
        "initiate_login_uri": str,
        "redirect_uris": list,
        "client_name": str,
        "jwks_uri": str,
        "token_endpoint_auth_method": str,
        v.TOOL_CONFIGURATION: dict,
    }
    for field, kind in required.items():
        _require(wanted, field, kind)
    configuration = wanted[v.TOOL_CONFIGURATION]
    _require(configuration, "domain", str)
    _require(configuration, "target_link_uri", str)
    _check_protocol(wanted)
    _check_addresses(wanted, configuration)
    messages = _messages(configuration)
    deep_linking = next((message for message in messages if message["type"] == v.DEEP_LINKING_REQUEST), None)
    claims = configuration.get("claims", [])
    school = the_school()
    return Tool(
        deployment_id="",
        client_id=client_id,
        name=wanted["client_name"],
        login_url=wanted["initiate_login_uri"],
        redirect_uris=tuple(wanted["redirect_uris"]),
        jwks_url=wanted["jwks_uri"],
        target_link_uri=configuration["target_link_uri"],
        description=configuration.get("description", ""),
        logo_uri=wanted.get("logo_uri", ""),
        deep_linking_url=_deep_linking_url(deep_linking, configuration),
        custom=_custom_parameters(configuration),
        scopes=school.personality.granted_scopes(str(wanted.get("scope", "")).split()),
        sends_name=any(name in claims for name in ("name", "given_name", "family_name")),
        sends_email="email" in claims,
    )


def _require(values: Mapping[str, Any], field: str, kind: type) -> None:
    value = values.get(field)
    if value is None or value == "" or value == []:
        raise OAuthRefusal(f"missing_{field.rsplit('/', 1)[-1]}", f"{field} is required.")
    if not isinstance(value, kind):
        what = "a list" if kind is list else "a string" if kind is str else "an object"
        raise OAuthRefusal(f"invalid_{field.rsplit('/', 1)[-1]}", f"{field} must be {what}.")


def _check_protocol(wanted: Mapping[str, Any]) -> None:
    if "id_token" not in wanted["response_types"]:
        raise OAuthRefusal("invalid_response_types", "response_types must hold id_token.")
    for grant in ("implicit", "client_credentials"):
        if grant not in wanted["grant_types"]:
            raise OAuthRefusal("invalid_grant_types", f"grant_types must hold {grant}.")
    proof = wanted["token_endpoint_auth_method"]
    if proof != "private_key_jwt":
        raise OAuthRefusal("invalid_token_endpoint_auth_method", "It must be private_key_jwt.")
    if wanted.get("application_type", "web") != "web":
        raise OAuthRefusal("invalid_application_type", "application_type must be web.")


def _check_addresses(wanted: Mapping[str, Any], configuration: Mapping[str, Any]) -> None:
    for uri in wanted["redirect_uris"]:
        if not is_web_address(uri):
            raise OAuthRefusal("invalid_redirect_uris", f"{uri!r} is not a full web address.")
    for field in ("initiate_login_uri", "jwks_uri"):
        if not is_web_address(wanted[field]):
            raise OAuthRefusal(f"invalid_{field}", f"{field} is not a full web address.")
    target = configuration["target_link_uri"]
    if not is_web_address(target):
        raise OAuthRefusal("invalid_target_link_uri", "target_link_uri is not a full web address.")
    if domain_of(configuration["domain"]) != domain_of(target):
        description = f"domain is {configuration['domain']!r}, but target_link_uri is on {domain_of(target)!r}."
        raise OAuthRefusal("domain_targetlinkuri_mismatch", description)
    if not isinstance(wanted.get("logo_uri", ""), str):
        raise OAuthRefusal("invalid_logo_uri", "logo_uri must be a string.")
    if not isinstance(configuration.get("description", ""), str):
        raise OAuthRefusal("invalid_description", "description must be a string.")
    if not isinstance(configuration.get("claims", []), list):
        raise OAuthRefusal("invalid_claims", "claims must be a list.")


def _messages(configuration: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = configuration.get("messages", [])
    if not isinstance(messages, list):
        raise OAuthRefusal("invalid_messages", "messages must be a list.")
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise OAuthRefusal("invalid_messages", "Each message must be an object with a type.")
        target = message.get("target_link_uri")
        if target is not None and not is_web_address(target):
            raise OAuthRefusal("invalid_messages", f"The target_link_uri of {message['type']} is not a web address.")
    return messages


def _deep_linking_url(message: Mapping[str, Any] | None, configuration: Mapping[str, Any]) -> str | None:
    if message is None:
        return None
    url: str = message.get("target_link_uri") or configuration["target_link_uri"]
    return url


def _custom_parameters(configuration: Mapping[str, Any]) -> dict[str, str]:
    custom = configuration.get("custom_parameters", {})
    if not isinstance(custom, dict) or not all(isinstance(value, str) for value in custom.values()):
        raise OAuthRefusal("invalid_custom_parameters", "custom_parameters must be an object of strings.")
    return custom
