"""Access tokens: given for a tool's signed assertion, asked for by every service (Security Framework 1.0, 4)."""

import secrets

import jwt
from flask import Flask, Response, jsonify, request

from lti_tool.sandbox.errors import OAuthRefusal, ServiceRefusal
from lti_tool.sandbox.school import ACCESS_TOKEN_LIFETIME_S, AccessToken, School
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tool_keys import BadToken, verify
from lti_tool.sandbox.tools import Tool
from lti_tool.sandbox.vocabulary import CLIENT_ASSERTION


def add_routes(app: Flask, school: School) -> None:
    app.add_url_rule(school.personality.paths.tokens, "token", give_token, methods=["GET", "POST"])


def give_token() -> Response:
    """Trade a client assertion for an access token. Refusals are `OAuthRefusal`s that say what is wrong."""
    if not _names_its_agent():
        raise OAuthRefusal("invalid_request", "The request has no User-Agent.", 403)
    if request.method != "POST" or request.mimetype != "application/x-www-form-urlencoded":
        raise OAuthRefusal("invalid_request", "POST a form (application/x-www-form-urlencoded).")
    form = request.form
    for name in ("grant_type", "client_assertion_type", "client_assertion", "scope"):
        if not form.get(name):
            raise OAuthRefusal("invalid_request", f"The parameter {name} is missing.")
    if form["grant_type"] != "client_credentials":
        raise OAuthRefusal("unsupported_grant_type", "grant_type must be client_credentials.")
    if form["client_assertion_type"] != CLIENT_ASSERTION:
        raise OAuthRefusal("unsupported_grant_type", f"client_assertion_type must be {CLIENT_ASSERTION}.")
    tool = _proven_tool(form["client_assertion"])
    wanted = form["scope"].split()
    granted = tuple(scope for scope in wanted if scope in tool.scopes)
    if not granted:
        raise OAuthRefusal("invalid_scope", f"This tool is granted {' '.join(tool.scopes) or 'no scope'}.")
    school = the_school()
    token = secrets.token_hex(16)
    with school.lock:
        expires = school.now() + ACCESS_TOKEN_LIFETIME_S
        school.access_tokens[token] = AccessToken(tool.deployment_id, granted, expires)
    answer = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_LIFETIME_S,
        "scope": " ".join(granted),
    }
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def require_token(*scopes: str) -> Tool:
    """The tool that calls, by its bearer token.

    Raises `ServiceRefusal`: 401 for a missing, unknown or expired token, and also for one without any of `scopes`,
    where some LMSs answer 403; 403 for a call without User-Agent where the LMS wants one.
    """
    if not _names_its_agent():
        raise ServiceRefusal(403, "The request has no User-Agent")
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise ServiceRefusal(401, "The request carries no bearer token")
    school = the_school()
    with school.lock:
        token = school.access_tokens.get(value.strip())
        tool = school.tools.get(token.deployment_id) if token else None
    if token is None or tool is None:
        raise ServiceRefusal(401, "The access token is unknown or no longer valid")
    if token.expires <= school.now():
        raise ServiceRefusal(401, "The access token has expired")
    if not any(scope in token.scopes for scope in scopes):
        raise ServiceRefusal(school.personality.missing_scope_status, f"The access token lacks the scope {scopes[0]}")
    return tool


def _names_its_agent() -> bool:
    return bool(request.headers.get("User-Agent")) or not the_school().personality.quirks.needs_user_agent


def _proven_tool(assertion: str) -> Tool:
    school = the_school()
    tool = school.tool_by_client(_claimed_client(assertion))
    if tool is None:
        raise OAuthRefusal("invalid_client", "No tool with the client_id in sub is registered here.")
    quirks = school.personality.quirks
    here = {quirks.token_audience or school.url(school.personality.paths.tokens)}
    if quirks.takes_issuer_as_audience:
        here.add(school.issuer)
    try:
        claims = verify(school, tool, assertion, audiences=here, once="jti")
    except BadToken as problem:
        raise OAuthRefusal("invalid_client", f"The client assertion was refused: {problem}.") from problem
    if claims.get("sub") != tool.client_id:
        raise OAuthRefusal("invalid_client", "The client assertion was refused: sub must be the client_id.")
    return tool


def _claimed_client(assertion: str) -> str:
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError as problem:
        raise OAuthRefusal("invalid_request", "client_assertion is not a JWT.") from problem
    client = claims.get("sub")
    if not isinstance(client, str) or not client:
        raise OAuthRefusal("invalid_request", "The client assertion has no sub.")
    return client
