"""What the sandbox refuses, and why: a table for each of its doors."""

from typing import Any

import jwt
import pytest

PLATFORM = "http://127.0.0.1:8088"
TOOL = "http://127.0.0.1:5999"
CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEMBERS = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
ITEMS = "/mod/lti/services.php/2/lineitems?type_id=1"
ITEM = "/mod/lti/services.php/2/lineitems/2/lineitem?type_id=1"
SCORES = "/mod/lti/services.php/2/lineitems/2/lineitem/scores?type_id=1"
RESULTS = "/mod/lti/services.php/2/lineitems/2/lineitem/results?type_id=1"
LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
SCORE = "application/vnd.ims.lis.v1.score+json"


# Registration


def changed(metadata: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """`metadata` with the field at `path` ("tool/domain" is in the tool configuration) replaced, or removed by None."""
    result = {**metadata, CONFIGURATION: dict(metadata[CONFIGURATION])}
    holder, name = (result[CONFIGURATION], path[5:]) if path.startswith("tool/") else (result, path)
    if value is None:
        holder.pop(name)
    else:
        holder[name] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("response_types", None, "missing_response_types"),
        ("response_types", ["code"], "invalid_response_types"),
        ("response_types", "id_token", "invalid_response_types"),
        ("grant_types", ["implicit"], "invalid_grant_types"),
        ("grant_types", None, "missing_grant_types"),
        ("initiate_login_uri", None, "missing_initiate_login_uri"),
        ("initiate_login_uri", "/lti/login", "invalid_initiate_login_uri"),
        ("redirect_uris", None, "missing_redirect_uris"),
        ("redirect_uris", [], "missing_redirect_uris"),
        ("redirect_uris", TOOL + "/lti/launch", "invalid_redirect_uris"),
        ("redirect_uris", ["javascript:alert(1)"], "invalid_redirect_uris"),
        ("redirect_uris", [TOOL + "/lti/launch#here"], "invalid_redirect_uris"),
        ("client_name", None, "missing_client_name"),
        ("client_name", "", "missing_client_name"),
        ("jwks_uri", None, "missing_jwks_uri"),
        ("jwks_uri", "ftp://127.0.0.1/keys", "invalid_jwks_uri"),
        ("token_endpoint_auth_method", None, "missing_token_endpoint_auth_method"),
        ("token_endpoint_auth_method", "client_secret_post", "invalid_token_endpoint_auth_method"),
        ("application_type", "native", "invalid_application_type"),
        (CONFIGURATION, None, "missing_lti-tool-configuration"),
        (CONFIGURATION, [1], "invalid_lti-tool-configuration"),
        ("tool/domain", None, "missing_domain"),
        ("tool/domain", "127.0.0.1", "domain_targetlinkuri_mismatch"),
        ("tool/domain", "example.org", "domain_targetlinkuri_mismatch"),
        ("tool/domain", "//[", "domain_targetlinkuri_mismatch"),
        ("tool/target_link_uri", None, "missing_target_link_uri"),
        ("tool/target_link_uri", "launch", "invalid_target_link_uri"),
        ("tool/messages", {"type": "LtiDeepLinkingRequest"}, "invalid_messages"),
        ("tool/messages", [{"target_link_uri": TOOL}], "invalid_messages"),
        ("tool/messages", [{"type": "LtiDeepLinkingRequest", "target_link_uri": 5}], "invalid_messages"),
        ("tool/custom_parameters", {"depth": 3}, "invalid_custom_parameters"),
        ("tool/claims", "sub", "invalid_claims"),
    ],
)
def test_registrations_refused(stranger: Any, school: Any, path: str, value: Any, error: str) -> None:
    wanted = dict(stranger.metadata)
    if path == CONFIGURATION:
        wanted = {name: part for name, part in wanted.items() if name != CONFIGURATION}
        if value is not None:
            wanted[CONFIGURATION] = value
    else:
        wanted = changed(wanted, path, value)
    answer = stranger.post_registration(registration_token(school), wanted)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert len(answer.get_json()["error_description"]) > 10
    assert school.tools == {}


def registration_token(school: Any, **changes: Any) -> str:
    now = int(school.now())
    claims = {"sub": "client", "scope": "reg", "iat": now, "exp": now + 3600, **changes}
    return str(school.keys.sign(claims))


def test_a_registration_token_works_once(stranger: Any, school: Any) -> None:
    token = registration_token(school)
    assert stranger.post_registration(token).status_code == 200
    again = stranger.post_registration(token)
    assert (again.status_code, again.get_json()["error"]) == (401, "token_already_used")


def test_registration_tokens_refused(stranger: Any, school: Any, clock: Any) -> None:
    assert stranger.post_registration(None).get_json()["error"] == "missing_registration_token"
    assert stranger.post_registration("nonsense").status_code == 401
    foreign = stranger.key.sign({"sub": "client", "scope": "reg", "exp": clock() + 60})
    assert stranger.post_registration(foreign).status_code == 401
    assert stranger.post_registration(registration_token(school, scope="other")).status_code == 401
    token = registration_token(school)
    clock.seconds += 3601
    assert "expired" in stranger.post_registration(token).get_json()["error_description"]
    assert school.tools == {}


def test_a_body_that_is_no_object_is_refused(stranger: Any, school: Any) -> None:
    answer = stranger.post_registration(registration_token(school), [1])
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")


def test_a_tool_that_does_not_register_is_reported(stranger: Any, app: Any) -> None:
    stranger.registers = False
    answer = app.test_client().post("/sandbox/tools", json={"url": TOOL + "/lti/register"})
    assert answer.status_code == 502
    assert "this invitation was used before" in answer.get_json()["error"]


# Launch


@pytest.mark.parametrize(
    ("changes", "error", "why"),
    [
        ({"scope": None}, "invalid_request", "scope"),
        ({"scope": "openid email"}, "invalid_scope", "openid"),
        ({"response_type": None}, "invalid_request", "response_type"),
        ({"response_type": "code"}, "unsupported_response_type", "id_token"),
        ({"response_mode": None}, "invalid_request", "form_post"),
        ({"response_mode": "query"}, "invalid_request", "form_post"),
        ({"prompt": None}, "invalid_request", "none"),
        ({"prompt": "login"}, "invalid_request", "none"),
        ({"nonce": None}, "invalid_request", "nonce"),
        ({"login_hint": None}, "invalid_request", "login_hint"),
        ({"login_hint": "4"}, "access_denied", "login_hint"),
        ({"lti_message_hint": None}, "invalid_request", "lti_message_hint"),
        ({"lti_message_hint": "nonsense"}, "invalid_request", "unknown"),
        ({"lti_message_hint": '{"cmid":3,"launchid":"ltilaunch1_1"}'}, "invalid_request", "unknown"),
        ({"lti_message_hint": "[]"}, "invalid_request", "unknown"),
    ],
)
def test_authentications_refused_by_error_post(
    browser: Any, activity: Any, changes: dict[str, str | None], error: str, why: str
) -> None:
    teacher = browser("niamh.nibhriain")
    answer = teacher.authenticate(teacher.begin(activity), **changes)
    assert answer["error"] == error
    assert why in answer["error_description"]
    assert answer["state"] == "state-1"
    assert "id_token" not in answer


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": TOOL + "/lti/launch/"},
        {"redirect_uri": TOOL + "/lti/launch?next=1"},
        {"redirect_uri": "http://evil.example/"},
        {"redirect_uri": None},
    ],
)
def test_nothing_is_posted_to_an_address_that_is_not_registered(
    browser: Any, activity: Any, changes: dict[str, str | None]
) -> None:
    teacher = browser("niamh.nibhriain")
    asked = teacher.authentication(teacher.begin(activity), **changes)
    answer = teacher.client.get("/mod/lti/auth.php", query_string=asked)
    assert answer.status_code == 400
    assert "not" in answer.text
    assert "data-submit-at-once" not in answer.text


def test_a_hint_works_once(browser: Any, activity: Any) -> None:
    teacher = browser("niamh.nibhriain")
    login = teacher.begin(activity)
    assert "id_token" in teacher.authenticate(login)
    reloaded = teacher.authenticate(login)
    assert (reloaded["error"], reloaded["state"]) == ("invalid_request", "state-1")


def test_without_a_login_the_tool_hears_login_required(browser: Any, activity: Any) -> None:
    login = browser("niamh.nibhriain").begin(activity)
    assert browser(None).authenticate(login)["error"] == "login_required"


def test_another_person_at_the_browser_is_refused(browser: Any, activity: Any) -> None:
    login = browser("niamh.nibhriain").begin(activity)
    assert browser("sean.odonaill").authenticate(login)["error"] == "access_denied"


def test_another_tools_launch_is_refused(browser: Any, activity: Any, school: Any, app: Any) -> None:
    by_hand = {
        "name": "Other",
        "login_url": TOOL + "/lti/login",
        "redirect_uris": [TOOL + "/lti/launch"],
        "jwks_url": TOOL + "/lti/jwks",
        "target_link_uri": TOOL + "/lti/launch",
    }
    other = app.test_client().post("/sandbox/tools", json=by_hand).get_json()
    teacher = browser("niamh.nibhriain")
    answer = teacher.authenticate(teacher.begin(activity), client_id=other["client_id"])
    assert answer["error"] == "unauthorized_client"


def test_who_left_between_click_and_launch_is_refused(browser: Any, activity: Any, school: Any) -> None:
    teacher = browser("niamh.nibhriain")
    login = teacher.begin(activity)
    del school.courses["2"].members["3"]
    assert teacher.authenticate(login)["error"] == "access_denied"


def test_a_pending_tool_cannot_be_launched(browser: Any, activity: Any, school: Any) -> None:
    school.tools["1"].is_active = False
    answer = browser("niamh.nibhriain").client.get(f"/mod/lti/launch.php?id={activity.module_id}")
    assert answer.status_code == 403
    assert "pending" in answer.text


def test_launches_are_for_members_and_selections_for_editors(browser: Any, activity: Any) -> None:
    launch = f"/mod/lti/launch.php?id={activity.module_id}"
    select = "/mod/lti/contentitem.php?course=2&id=1"
    assert browser(None).client.get(launch).status_code == 401
    assert browser("blathnaid.deburca").client.get(launch).status_code == 403
    assert browser("maire.niceoin").client.get("/mod/lti/launch.php?id=99").status_code == 404
    assert browser("niamh.nibhriain").client.get(select).status_code == 403
    assert browser("diarmuid.oriordain").client.get(select).status_code == 403
    assert browser("maire.niceoin").client.get(select).status_code == 200


# Deep linking


def deep_linking_answer(tool: Any, **changes: Any) -> dict[str, Any]:
    now = int(tool.clock())
    claims = {
        "iss": tool.client_id,
        "aud": PLATFORM,
        "iat": now,
        "exp": now + 300,
        "nonce": "fresh",
        CLAIM + "deployment_id": "1",
        CLAIM + "message_type": "LtiDeepLinkingResponse",
        CLAIM + "version": "1.3.0",
        DL + "content_items": [{"type": "ltiResourceLink", "title": "Cycle 2"}],
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def return_url(trainer: Any, tool: Any) -> str:
    claims = trainer.decoded(trainer.authenticate(trainer.select(tool)))["claims"]
    return str(claims[DL + "deep_linking_settings"]["deep_link_return_url"]).removeprefix(PLATFORM)


def test_content_becomes_activities(browser: Any, tool: Any, school: Any) -> None:
    trainer = browser("maire.niceoin")
    items = [
        {"type": "ltiResourceLink", "title": "Cycle 2", "custom": {"activity": "two"}, "text": "Second term"},
        {
            "type": "ltiResourceLink",
            "title": "Cycle 3",
            "url": TOOL + "/lti/launch",
            "lineItem": {"scoreMaximum": 1, "resourceId": "cycle-3", "tag": "cycle"},
        },
    ]
    address = return_url(trainer, tool)
    token = tool.key.sign(deep_linking_answer(tool, **{DL + "content_items": items}))
    answer = trainer.client.post(address, data={"JWT": token})
    assert answer.status_code == 200
    assert "Cycle 2" in answer.text and "Cycle 3" in answer.text
    second, third = school.activities_of(school.courses["2"])
    assert (second.custom, second.gradable, second.description) == ({"activity": "two"}, False, "Second term")
    (column,) = school.line_items_of_activity(third)
    assert (column.maximum, column.resource_id, column.tag) == (1, "cycle-3", "cycle")
    assert "was used before" in trainer.client.post(address, data={"JWT": token}).text


def test_an_empty_selection_adds_nothing(browser: Any, tool: Any, school: Any) -> None:
    trainer = browser("maire.niceoin")
    claims = deep_linking_answer(tool, **{DL + "content_items": [], DL + "msg": "Nothing chosen"})
    answer = trainer.client.post(return_url(trainer, tool), data={"JWT": tool.key.sign(claims)})
    assert answer.status_code == 200
    assert "Nothing was added" in answer.text and "Nothing chosen" in answer.text
    assert school.activities == {}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": PLATFORM}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": TOOL}, "aud"),
        ({"aud": None}, "aud"),
        ({"exp": 1795302000}, "expired"),
        ({"exp": None}, "exp and iat"),
        ({"iat": 1795309999, "exp": 1795310099}, "future"),
        ({"nonce": None}, "nonce"),
        ({CLAIM + "deployment_id": "2"}, "deployment_id"),
        ({CLAIM + "deployment_id": None}, "deployment_id"),
        ({CLAIM + "message_type": "LtiDeepLinkingRequest"}, "message_type"),
        ({CLAIM + "version": "1.3"}, "version"),
        ({DL + "data": "mine"}, "data"),
        ({DL + "content_items": {}}, "list"),
        ({DL + "content_items": [{"type": "link", "url": TOOL}]}, "ltiResourceLink"),
        ({DL + "content_items": ["x"]}, "ltiResourceLink"),
        ({DL + "content_items": [{"type": "ltiResourceLink", "url": "http://evil.example/"}]}, "domain"),
        ({DL + "content_items": [{"type": "ltiResourceLink", "custom": {"n": 1}}]}, "custom"),
        ({DL + "content_items": [{"type": "ltiResourceLink", "title": 7}]}, "title"),
        ({DL + "content_items": [{"type": "ltiResourceLink", "lineItem": {}}]}, "scoreMaximum"),
    ],
)
def test_deep_linking_answers_refused(browser: Any, tool: Any, school: Any, changes: dict[str, Any], why: str) -> None:
    trainer = browser("maire.niceoin")
    token = tool.key.sign(deep_linking_answer(tool, **changes))
    answer = trainer.client.post(return_url(trainer, tool), data={"JWT": token})
    assert answer.status_code == 400
    assert why in answer.text
    assert school.activities == {}


def test_deep_linking_answers_of_the_wrong_session_are_refused(browser: Any, tool: Any, school: Any) -> None:
    address = return_url(browser("maire.niceoin"), tool)
    data = {"JWT": tool.key.sign(deep_linking_answer(tool))}
    assert browser("eithne.nifhlatharta").client.post(address, data=data).status_code == 400
    assert browser("niamh.nibhriain").client.post(address, data=data).status_code == 403
    passing = browser(None)
    form = passing.form(passing.client.post(address, data=data))
    assert passing.client.post(form.action, data=form.fields).status_code == 401
    assert browser("maire.niceoin").client.post("/mod/lti/contentitem_return.php?course=2&id=1").status_code == 400
    assert school.activities == {}


# Access tokens


@pytest.mark.parametrize(
    ("changes", "error", "why"),
    [
        ({"iss": "other"}, "invalid_client", "iss"),
        ({"iss": None}, "invalid_client", "iss"),
        ({"sub": "other"}, "invalid_client", "client_id"),
        ({"sub": None}, "invalid_request", "sub"),
        ({"aud": "http://127.0.0.1:8088/"}, "invalid_client", "aud"),
        ({"aud": None}, "invalid_client", "aud"),
        ({"aud": [{}, 5]}, "invalid_client", "aud"),
        ({"exp": float("nan")}, "invalid_client", "exp and iat"),
        ({"exp": float("inf")}, "invalid_client", "exp and iat"),
        ({"exp": None}, "invalid_client", "exp and iat"),
        ({"iat": None}, "invalid_client", "exp and iat"),
        ({"exp": "soon"}, "invalid_client", "exp and iat"),
        ({"exp": 1795302187 - 61}, "invalid_client", "expired"),
        ({"iat": 1795302187 + 62}, "invalid_client", "future"),
        ({"exp": 1795302187 + 9999}, "invalid_client", "hour"),
        ({"nbf": 1795302187 + 200}, "invalid_client", "nbf"),
        ({"jti": None}, "invalid_client", "jti"),
        ({"jti": 17}, "invalid_client", "jti"),
    ],
)
def test_assertions_refused(tool: Any, changes: dict[str, Any], error: str, why: str) -> None:
    answer = tool.ask_token(tool.key.sign(tool.assertion(**changes)))
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert why in answer.get_json()["error_description"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": None}, "invalid_request"),
        ({"client_assertion_type": "jwt"}, "unsupported_grant_type"),
        ({"client_assertion": "a.b.c"}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
    ],
)
def test_token_requests_refused(tool: Any, changes: dict[str, str | None], error: str) -> None:
    assertion = tool.key.sign(tool.assertion())
    answer = tool.ask_token(assertion, **changes)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_token_scopes(tool: Any) -> None:
    def ask(scope: str) -> Any:
        return tool.ask_token(tool.key.sign(tool.assertion()), scope).get_json()

    assert ask("")["error"] == "invalid_request"
    assert ask("openid nonsense")["error"] == "invalid_scope"
    assert ask(f"nonsense {NRPS}")["scope"] == NRPS


def test_an_assertion_works_once(tool: Any) -> None:
    assertion = tool.key.sign(tool.assertion())
    assert tool.ask_token(assertion).status_code == 200
    assert "jti was used before" in tool.ask_token(assertion).get_json()["error_description"]


def test_an_assertion_may_be_for_the_issuer(tool: Any) -> None:
    assert tool.ask_token(tool.key.sign(tool.assertion(aud=[PLATFORM]))).status_code == 200


def test_wrongly_signed_assertions_are_refused(tool: Any) -> None:
    other = type(tool.key)()

    def why(assertion: str) -> str:
        answer = tool.ask_token(assertion)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client")
        return str(answer.get_json()["error_description"])

    assert "has no key" in why(other.sign(tool.assertion()))
    assert "signature" in why(other.sign(tool.assertion(), kid=tool.key.kid))
    assert "kid" in why(jwt.encode(tool.assertion(), tool.key.private, algorithm="RS256"))
    assert "RS256" in why(tool.key.sign(tool.assertion(), algorithm="RS512"))
    assert "RS256" in why(jwt.encode(tool.assertion(), "a secret of thirty-two characters", algorithm="HS256"))
    assert "RS256" in why(jwt.encode(tool.assertion(), "", algorithm="none"))


def test_a_tool_may_rotate_its_keys(tool: Any) -> None:
    tool.token()
    assert tool.key_requests == 1
    old, tool.key = tool.key, type(tool.key)()
    tool.published = [old, tool.key]
    tool.token()
    tool.token()
    assert tool.key_requests == 2


def test_keys_that_cannot_be_read_are_said(tool: Any) -> None:
    tool.keys_are_down = True
    answer = tool.ask_token(tool.key.sign(tool.assertion()))
    assert "could not be read" in answer.get_json()["error_description"]


def test_token_requests_must_be_posted_forms(tool: Any, app: Any) -> None:
    client = app.test_client()
    assert client.get("/mod/lti/token.php").status_code == 400
    assert client.post("/mod/lti/token.php", json={"grant_type": "client_credentials"}).status_code == 400


# Services


@pytest.mark.parametrize(
    ("method", "address", "media", "scope"),
    [
        ("GET", MEMBERS, None, NRPS),
        ("GET", ITEMS, None, AGS + "lineitem.readonly"),
        ("POST", ITEMS, LINE_ITEM, AGS + "lineitem"),
        ("GET", ITEM, None, AGS + "lineitem"),
        ("PUT", ITEM, LINE_ITEM, AGS + "lineitem"),
        ("DELETE", ITEM, None, AGS + "lineitem"),
        ("POST", SCORES, SCORE, AGS + "score"),
        ("GET", RESULTS, None, AGS + "result.readonly"),
    ],
)
@pytest.mark.usefixtures("activity")
def test_services_need_a_valid_token_with_the_scope(
    tool: Any, app: Any, clock: Any, method: str, address: str, media: str | None, scope: str
) -> None:
    without = app.test_client().open(address, method=method, content_type=media)
    assert without.status_code == 401
    assert without.headers["WWW-Authenticate"].startswith("Bearer")
    assert without.get_json()["reason"]
    assert tool.call(method, address, {}, media=media, token="nonsense").status_code == 401
    other_scope = AGS + "score" if scope != AGS + "score" else NRPS
    lacking = tool.call(method, address, {}, media=media, token=tool.token(other_scope))
    assert lacking.status_code == 401
    assert "lacks the scope" in lacking.get_json()["reason"]
    good = tool.token(scope)
    clock.seconds += 3599
    assert tool.call(method, address, {}, media=media, token=good).status_code != 401
    clock.seconds += 1
    assert tool.call(method, address, {}, media=media, token=good).status_code == 401


@pytest.mark.usefixtures("activity")
def test_reading_scopes_do_not_write(tool: Any) -> None:
    token = tool.token(AGS + "lineitem.readonly")
    body = {"label": "More", "scoreMaximum": 1}
    assert tool.call("POST", ITEMS, body, media=LINE_ITEM, token=token).status_code == 401
    assert tool.call("DELETE", ITEM, token=token).status_code == 401
    assert tool.call("GET", ITEM, token=token).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "media", "status"),
    [
        ("GET", MEMBERS, "application/json", 400),
        ("GET", MEMBERS, "text/html, */*", 200),
        ("POST", ITEMS, "application/json", 400),
        ("POST", SCORES, "application/json", 400),
        ("GET", RESULTS, LINE_ITEM, 400),
        ("PUT", ITEMS, LINE_ITEM, 405),
        ("DELETE", SCORES, None, 405),
        ("DELETE", MEMBERS, None, 405),
        ("GET", "/mod/lti/services.php/9/lineitems?type_id=1", None, 404),
        ("GET", "/mod/lti/services.php/2/lineitems?type_id=7", None, 401),
        ("GET", "/mod/lti/services.php/2/lineitems/77/lineitem?type_id=1", None, 404),
        ("GET", "/mod/lti/services.php/3/lineitems/2/lineitem?type_id=1", None, 404),
        ("GET", "/mod/lti/services.php/nothing/here", None, 400),
        ("GET", MEMBERS.replace("/2/", "/9/"), None, 404),
        ("GET", MEMBERS.replace("bindings/1", "bindings/7"), None, 403),
        ("GET", MEMBERS + "?rlid=77", None, 404),
    ],
)
@pytest.mark.usefixtures("activity")
def test_wrong_calls_of_services(tool: Any, method: str, address: str, media: str | None, status: int) -> None:
    answer = tool.call(method, address, {"a": 1} if method in ("POST", "PUT") else None, media=media)
    assert answer.status_code == status
    if status >= 400:
        assert answer.get_json()["status"] == status
        assert answer.get_json()["reason"]


@pytest.mark.usefixtures("activity")
def test_another_tools_line_items_and_links_are_closed(tool: Any, school: Any, app: Any) -> None:
    by_hand = {
        "name": "Other",
        "login_url": "http://other.example/login",
        "redirect_uris": ["http://other.example/launch"],
        "jwks_url": "http://other.example/jwks",
        "target_link_uri": "http://other.example/launch",
    }
    app.test_client().post("/sandbox/tools", json=by_hand)
    link = school.add_activity(school.courses["2"], school.tools["2"], "Not yours", gradable=True)
    (item,) = school.line_items_of_activity(link)
    address = f"/mod/lti/services.php/2/lineitems/{item.id}/lineitem"
    assert tool.call("GET", address).status_code == 403
    assert tool.call("POST", address + "/scores", {}, media=SCORE).status_code == 403
    assert tool.call("GET", f"{MEMBERS}?rlid={link.id}").status_code == 403
    body = {"label": "Mine", "scoreMaximum": 1, "resourceLinkId": link.id}
    assert tool.call("POST", ITEMS, body, media=LINE_ITEM).status_code == 403
    assert "Not yours" not in tool.call("GET", ITEMS).text


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        [],
        {},
        {"label": "x"},
        {"scoreMaximum": 1},
        {"label": "", "scoreMaximum": 1},
        {"label": "x", "scoreMaximum": "1"},
        {"label": "x", "scoreMaximum": 0},
        {"label": "x", "scoreMaximum": True},
        '{"label": "x", "scoreMaximum": 1e999}',
        {"label": "x", "scoreMaximum": 1, "tag": 3},
        {"label": ["x"], "scoreMaximum": 1},
    ],
)
@pytest.mark.usefixtures("activity")
def test_line_items_refused(tool: Any, school: Any, body: Any) -> None:
    assert tool.call("POST", ITEMS, body, media=LINE_ITEM).status_code == 400
    assert tool.call("PUT", ITEM, body, media=LINE_ITEM).status_code == 400
    assert len(school.line_items) == 1


def score(**changes: Any) -> dict[str, Any]:
    whole = {
        "userId": "3",
        "scoreGiven": 1,
        "scoreMaximum": 1,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-11-21T23:03:08.120+00:00",
        "comment": "Both reflections are in.",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"userId": None}, "userId"),
        ({"userId": 3}, "userId"),
        ({"userId": "99999"}, "not gradable"),
        ({"userId": "26"}, None),
        ({"userId": "27"}, "not gradable"),
        ({"userId": "29"}, "not gradable"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": "yesterday"}, "ISO 8601"),
        ({"timestamp": "2026-11-21T23:03:08"}, "time zone"),
        ({"activityProgress": None}, "activityProgress"),
        ({"activityProgress": "Done"}, "activityProgress"),
        ({"gradingProgress": None}, "gradingProgress"),
        ({"gradingProgress": "Full"}, "gradingProgress"),
        ({"scoreGiven": "1"}, "scoreGiven"),
        ({"scoreGiven": -1}, "scoreGiven"),
        ({"scoreMaximum": None}, "scoreMaximum"),
        ({"scoreMaximum": 0}, "scoreMaximum"),
        ({"comment": 5}, "comment"),
    ],
)
@pytest.mark.usefixtures("activity")
def test_scores_refused(tool: Any, school: Any, changes: dict[str, Any], why: str | None) -> None:
    answer = tool.call("POST", SCORES, score(**changes), media=SCORE)
    if why is None:
        assert answer.status_code == 200
        return
    assert answer.status_code == 400
    assert answer.status.startswith("400 Incorrect score received")
    assert why in answer.status
    assert school.grades == {}


def grade_of(school: Any, person: str = "3") -> Any:
    return school.grades.get(("2", person))


@pytest.mark.usefixtures("activity")
def test_a_score_must_be_newer_by_the_second(tool: Any) -> None:
    def send(timestamp: str) -> int:
        return int(tool.call("POST", SCORES, score(timestamp=timestamp), media=SCORE).status_code)

    assert send("2026-11-21T23:03:08.120Z") == 200
    assert send("2026-11-21T23:03:08.990Z") == 409
    assert send("2026-11-21T23:03:07Z") == 409
    # The same second, said in another time zone.
    assert send("2026-11-22T00:03:08+01:00") == 409
    assert send("2026-11-21T23:03:09Z") == 200


@pytest.mark.usefixtures("activity")
def test_a_score_is_in_the_scale_of_its_line_item(tool: Any, school: Any) -> None:
    tool.call("POST", SCORES, score(scoreGiven=0.5), media=SCORE)
    assert grade_of(school).score == 50
    result = tool.call("GET", RESULTS).get_json()
    assert result[0]["resultScore"] == 50
    assert result[0]["resultMaximum"] == 100
    assert result[0]["comment"] == "Both reflections are in."
    assert result[0]["scoreOf"] == PLATFORM + ITEM
    tool.call("PUT", ITEM, {"label": "Coaching", "scoreMaximum": 10}, media=LINE_ITEM)
    assert grade_of(school).score == 5


@pytest.mark.usefixtures("activity")
def test_a_step_back_clears_the_grade_and_a_silent_score_the_feedback(tool: Any, school: Any, clock: Any) -> None:
    tool.call("POST", SCORES, score(), media=SCORE)
    assert (grade_of(school).score, grade_of(school).feedback) == (100, "Both reflections are in.")
    tool.call("POST", SCORES, score(timestamp="2026-11-21T23:03:09Z", comment=None), media=SCORE)
    assert (grade_of(school).score, grade_of(school).feedback) == (100, None)
    back = score(timestamp="2026-11-21T23:03:10Z", gradingProgress="Pending", activityProgress="InProgress")
    assert tool.call("POST", SCORES, back, media=SCORE).status_code == 200
    assert grade_of(school).score is None


@pytest.mark.usefixtures("activity")
def test_only_declared_line_items_can_be_deleted(tool: Any, school: Any) -> None:
    assert tool.call("DELETE", ITEM).status_code == 403
    made = tool.call("POST", ITEMS, {"label": "More", "scoreMaximum": 1}, media=LINE_ITEM).get_json()
    assert tool.call("DELETE", made["id"]).status_code == 204
    assert tool.call("GET", made["id"]).status_code == 404


@pytest.mark.usefixtures("activity")
def test_line_items_are_filtered_and_paged_with_typographic_quotes(tool: Any, browser: Any, activity: Any) -> None:
    for number in range(4):
        body = {"label": f"Part {number}", "scoreMaximum": 1, "tag": "part", "resourceId": f"p{number}"}
        tool.call("POST", ITEMS, body, media=LINE_ITEM)
    tool.call("POST", ITEMS, {"label": "Of link 1", "scoreMaximum": 1, "resourceLinkId": "1"}, media=LINE_ITEM)

    def labels(query: str) -> list[str]:
        return [item["label"] for item in tool.call("GET", ITEMS + query).get_json()]

    assert len(labels("")) == 6
    assert labels("&tag=part&resource_id=p2") == ["Part 2"]
    assert labels("&resource_link_id=1") == ["Coaching cycle 1", "Of link 1"]
    second = tool.call("GET", ITEMS + "&limit=2&from=2")
    links = second.headers["Link"].encode("latin-1").decode()
    assert f"<{PLATFORM}{ITEMS}&limit=2&from=4>; rel=“next”" in links
    assert "rel=“prev”" in links
    last = tool.call("GET", ITEMS + "&limit=2&from=4").headers["Link"].encode("latin-1").decode()
    assert "next" not in last
    # Two columns of one link: which is "the" one, a launch no longer says.
    endpoint = browser("niamh.nibhriain").launch(activity)["claims"][
        "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
    ]
    assert "lineitem" not in endpoint and "lineitems" in endpoint


@pytest.mark.usefixtures("activity")
def test_members_by_role_and_page(tool: Any, school: Any) -> None:
    def read(query: str) -> tuple[list[str], str | None]:
        answer = tool.call("GET", MEMBERS + query)
        return [member["name"] for member in answer.get_json()["members"]], answer.headers.get("Link")

    assert len(read("")[0]) == 28
    assert read("?role=Instructor")[0] == ["Colm Hennessy", "Máire Nic Eoin", "Eithne Ní Fhlatharta"]
    full = "http%3A%2F%2Fpurl.imsglobal.org%2Fvocab%2Flis%2Fv2%2Fmembership%23Learner"
    learners, _ = read("?role=" + full)
    assert len(learners) == 25 and "Diarmuid Ó Ríordáin" in learners
    page, link = read("?role=Learner&limit=10")
    assert len(page) == 10
    assert link == f'<{PLATFORM}{MEMBERS}?limit=10&from=10>; rel="next"'
    assert read("?limit=10&from=20")[1] is None
    assert len(read("?limit=no")[0]) == 28
    assert "&rlid=1>" in str(read("?limit=5&rlid=1")[1])
    admin = next(m for m in tool.call("GET", MEMBERS).get_json()["members"] if m["name"] == "Colm Hennessy")
    assert admin["roles"] == ["Instructor", "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator"]


def test_the_scripting_interface_says_what_is_wrong(app: Any, tool: Any) -> None:
    client = app.test_client()
    wrong = [
        ("/sandbox/tools", {"url": "lti/register"}, 400),
        ("/sandbox/tools", {"name": "x"}, 400),
        ("/sandbox/activities", {"course": "CPC26", "tool": tool.client_id}, 400),
        ("/sandbox/activities", {"course": "none", "tool": tool.client_id, "title": "x"}, 404),
        ("/sandbox/activities", {"course": "CPC26", "tool": "none", "title": "x"}, 404),
        ("/sandbox/activities", {"course": "CPC26", "tool": tool.client_id, "title": "x", "target": "moon"}, 400),
        ("/sandbox/people", {"count": "many"}, 400),
        ("/sandbox/people", {"count": 1, "role": "wizard"}, 400),
        ("/sandbox/enrolments", {"user": "nobody"}, 404),
        ("/sandbox/login", {"user": "nobody"}, 404),
        ("/sandbox/faults", {"gravity": True}, 400),
        ("/sandbox/faults", {"slow_s": -1}, 400),
        ("/sandbox/faults", {"down": "yes"}, 400),
        ("/sandbox/faults", {"fail_next": 1, "status": 200}, 400),
    ]
    for address, body, status in wrong:
        answer = client.post(address, json=body)
        assert (address, body, answer.status_code) == (address, body, status)
        assert answer.get_json()["error"]
    assert client.post("/sandbox/login", data={"user": "admin"}).status_code == 400
