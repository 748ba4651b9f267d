"""Access tokens: asked for as the specification says, kept apart, shared by waiters, replaced when refused."""

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from roster_platform import RecordedPlatform
from werkzeug import Response

from lti_tool.lti.access_tokens import ServiceError
from lti_tool.lti.names_roles import SCOPE, read_roster

GRADES = "https://purl.imsglobal.org/spec/lti-ags/scope/score"


def test_the_request_is_a_signed_assertion_with_a_fresh_id(platform: RecordedPlatform) -> None:
    tokens = platform.tokens()
    tokens.get(platform.client(), [SCOPE])
    tokens.get(platform.client(), [GRADES, SCOPE])
    first, second = platform.assertions
    assert first["iss"] == first["sub"] == "c1"
    assert first["aud"] == f"{platform.url}/token"
    assert first["iat"] == int(platform.now.timestamp())
    assert first["exp"] - first["iat"] <= 300
    assert first["jti"] != second["jti"]
    form = platform.token_forms[1]
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert form["scope"] == [f"{GRADES} {SCOPE}"]


def test_the_audience_is_a_setting_of_the_registration(platform: RecordedPlatform) -> None:
    platform.tokens().get(platform.client(audience="https://api.brightspace.com/auth/token"), [SCOPE])
    assert platform.assertions[0]["aud"] == "https://api.brightspace.com/auth/token"


def test_a_token_is_kept_until_a_minute_before_its_end(platform: RecordedPlatform) -> None:
    tokens = platform.tokens()
    assert tokens.get(platform.client(), [SCOPE]) == "token1"
    platform.now += timedelta(seconds=3539)
    assert tokens.get(platform.client(), [SCOPE]) == "token1"
    platform.now += timedelta(seconds=1)
    assert tokens.get(platform.client(), [SCOPE]) == "token2"


@pytest.mark.parametrize(("expires_in", "kept"), [(None, True), ("3600", True), (30, False), (0, False), (-5, False)])
def test_odd_lifetimes(platform: RecordedPlatform, expires_in: object, kept: bool) -> None:
    platform.expires_in = expires_in
    tokens = platform.tokens()
    first = tokens.get(platform.client(), [SCOPE])
    assert (tokens.get(platform.client(), [SCOPE]) == first) is kept


def test_registrations_and_scope_sets_never_share_a_token(platform: RecordedPlatform) -> None:
    """Two schools under one shared issuer and token address are two registrations."""
    tokens = platform.tokens()
    clients = [platform.client("p1", "school-a"), platform.client("p2", "school-b")]
    got = {tokens.get(client, scopes) for client in clients for scopes in ([SCOPE], [GRADES], [GRADES, SCOPE])}
    assert len(got) == 6
    assert tokens.get(clients[0], [SCOPE, GRADES]) == tokens.get(clients[0], [GRADES, SCOPE])
    assert len(platform.token_forms) == 6


def test_many_waiters_share_one_request(platform: RecordedPlatform) -> None:
    def slowly() -> Response:
        time.sleep(0.2)
        return Response('{"access_token": "shared", "token_type": "Bearer", "expires_in": 3600}', 200)

    platform.token_answer = slowly
    tokens = platform.tokens()
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(tokens.get(platform.client(), [SCOPE]))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["shared"] * 12
    assert len(platform.token_forms) == 1


def test_a_refused_token_is_replaced_once(platform: RecordedPlatform) -> None:
    platform.serve_roster()
    platform.revoked.add("token1")
    tokens = platform.tokens()
    assert len(read_roster(tokens, platform.http(), platform.client(), platform.memberships_url)) == 62
    assert platform.bearers == ["Bearer token1", "Bearer token2"]
    platform.revoked.update({"token2", "token3"})
    with pytest.raises(ServiceError) as refused:
        read_roster(tokens, platform.http(), platform.client(), platform.memberships_url)
    assert refused.value.code == "unauthorized"
    assert len(platform.token_forms) == 3


def test_two_callers_with_the_same_refused_token_fetch_one_new(platform: RecordedPlatform) -> None:
    tokens = platform.tokens()
    old = tokens.get(platform.client(), [SCOPE])
    new = tokens.get(platform.client(), [SCOPE], instead_of=old)
    assert new != old
    assert tokens.get(platform.client(), [SCOPE], instead_of=old) == new
    assert len(platform.token_forms) == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Response('{"error": "invalid_client"}', 400), "refused"),
        (Response("no", 403), "refused"),
        (Response("", 302, headers={"Location": "https://elsewhere.example"}), "refused"),
        (Response("oops", 500), "unreachable"),
        (Response("", 429, headers={"Retry-After": "120"}), "busy"),
        (Response("<html>", 200), "malformed"),
        (Response("[]", 200), "malformed"),
        (Response("{}", 200), "malformed"),
        (Response('{"access_token": 7}', 200), "malformed"),
        (Response('{"access_token": "t", "token_type": "mac"}', 200), "malformed"),
    ],
)
def test_what_goes_wrong_has_a_code(platform: RecordedPlatform, answer: Response, code: str) -> None:
    platform.token_answer = lambda: answer
    with pytest.raises(ServiceError) as problem:
        platform.tokens().get(platform.client(), [SCOPE])
    assert problem.value.code == code
    if code == "busy":
        assert problem.value.retry_after == timedelta(seconds=120)
    if answer.status_code == 400:
        assert problem.value.detail == "HTTP 400 invalid_client"


def test_a_platform_that_is_down_is_unreachable(platform: RecordedPlatform) -> None:
    platform.server.stop()
    with pytest.raises(ServiceError) as problem:
        platform.tokens().get(platform.client(), [SCOPE])
    assert problem.value.code == "unreachable"
    platform.server.start()


def test_the_recorded_answer_of_moodle_is_read(platform: RecordedPlatform) -> None:
    from roster_platform import recorded

    body: dict[str, Any] = recorded("token_response")["body"]
    platform.token_answer = lambda: Response(json.dumps(body), 200)
    assert platform.tokens().get(platform.client(), [SCOPE]) == body["access_token"]
