"""Login: what it needs, and how it is tied to a browser that keeps cookies, some cookies or none."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from door.fake_platform import ABSENT, PUBLIC_URL, TARGET, Asked, Door, FakePlatform, asked, assert_page, is_let_in
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from lti_tool.lti import logins
from lti_tool.lti.models import Continuation, Login
from lti_tool.people.models import Platform, SignIn

OURS = {"Origin": PUBLIC_URL}


def count(door: Door, table: Any) -> int:
    with door.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    assert found, f"no {name} in the page"
    return html.unescape(found.group(1))


# The request


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_login_asks_the_platform_for_a_form_post_without_a_prompt(door: Door, method: str) -> None:
    given = door.login_parameters()
    answer = door.browser().open(
        "/lti/login", method=method, **({"query_string": given} if method == "GET" else {"data": given})
    )
    assert answer.status_code == 303
    begun = asked(answer.headers["Location"])
    assert begun.url.startswith("https://lms.example/auth?fixed=1&")
    assert {key: begun.parameters[key] for key in begun.parameters if key not in ("state", "nonce")} == {
        "fixed": "1",
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": "client-1",
        "redirect_uri": TARGET,
        "login_hint": "3",
        "lti_message_hint": '{"cmid":3,"launchid":"ltilaunch1_1947416983"}',
    }
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-login-"))
    for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/", "Max-Age=600"):
        assert part in cookie.split("; ")
    assert "Domain" not in cookie


def test_state_and_nonce_are_long_and_never_the_same(door: Door) -> None:
    browser = door.browser()
    begun = [door.begin(browser) for _ in range(10)]
    secrets = {each.state for each in begun} | {each.nonce for each in begun}
    assert len(secrets) == 20
    assert all(len(secret) >= 43 for secret in secrets)


def test_a_login_is_one_row(door: Door, statements: list[str]) -> None:
    browser = door.browser()
    door.login(browser)
    assert len(statements) == 2
    assert count(door, Login) == 1


@pytest.mark.parametrize("name", ["iss", "login_hint", "target_link_uri"])
@pytest.mark.parametrize("value", [ABSENT, ""])
def test_what_a_login_must_say(door: Door, name: str, value: object) -> None:
    assert_page(door.login(door.browser(), **{name: value}), 400, name)
    assert count(door, Login) == 0


@pytest.mark.parametrize("name", ["iss", "client_id", "login_hint", "target_link_uri", "lti_message_hint"])
@pytest.mark.parametrize("value", ["x" * 5_000, "a\0b", "a\r\nSet-Cookie: x=1"])
def test_a_login_with_what_is_no_text(door: Door, name: str, value: str) -> None:
    assert_page(door.login(door.browser(), **{name: value}), 400, name)


def test_a_login_parameter_that_comes_twice(door: Door) -> None:
    assert_page(door.login(door.browser(), iss=["https://lms.example", "https://evil.example"]), 400, "iss")


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", "https://lms.example/", "HTTPS://LMS.EXAMPLE", "%", "' OR 1=1"]
)
def test_an_unknown_issuer(door: Door, issuer: str) -> None:
    assert_page(door.login(door.browser(), iss=issuer), 403, "This LMS is not registered here")


def test_an_unknown_client_of_a_known_issuer(door: Door) -> None:
    assert_page(door.login(door.browser(), client_id="other"), 403, "This LMS is not registered here")


def test_one_registration_needs_no_client_id(door: Door) -> None:
    assert door.login(door.browser(), client_id=ABSENT).status_code == 303


def test_several_registrations_of_an_issuer_need_the_client_id(door: Door) -> None:
    door.register(FakePlatform(client_id="client-2"))
    assert_page(door.login(door.browser(), client_id=ABSENT), 400, "Which school is this?")
    assert door.begin(door.browser(), client_id="client-2").parameters["client_id"] == "client-2"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/lti/launch",
        "http://localhost:8001/lti/launch",
        "https://localhost:8000/lti/launch",
        "http://localhost:8000@evil.example/",
        "//localhost:8000/lti/launch",
        "/lti/launch",
        "javascript:alert(1)",
        "http://[::1",
    ],
)
def test_a_target_that_is_not_ours(door: Door, target: str) -> None:
    assert_page(door.login(door.browser(), target_link_uri=target), 400, "The link leads somewhere else")


@pytest.mark.parametrize("target", [TARGET, "http://localhost:8000/", "http://LOCALHOST:8000/lti/launch?activity=7"])
def test_a_target_of_ours_is_kept_exactly(door: Door, target: str) -> None:
    browser = door.browser()
    begun = door.begin(browser, target_link_uri=target)
    claim = "https://purl.imsglobal.org/spec/lti/claim/target_link_uri"
    assert is_let_in(door.post(browser, begun, door.token(begun, {claim: target})))


def test_a_pending_platform_is_told_so_at_login(door: Door) -> None:
    with door.database.write() as session:
        session.execute(update(Platform).values(status="pending"))
    assert_page(door.login(door.browser()), 403, "Not open yet")


# Cookies: found out before the platform's hint is consumed


def first_visit(door: Door, client: FlaskClient, **changes: Any) -> str:
    answer = door.login(client, **changes)
    assert answer.status_code == 303
    assert count(door, Login) == 0
    location = answer.headers["Location"]
    assert location.startswith("/lti/login?")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-cookies=1;"))
    assert "Partitioned" in cookie and "SameSite=None" in cookie
    return location


def test_a_browser_that_keeps_cookies_comes_back_once_and_goes_on(door: Door) -> None:
    client = door.app.test_client()
    answer = client.get(first_visit(door, client))
    begun = asked(answer.headers["Location"])
    assert begun.parameters["lti_message_hint"] == '{"cmid":3,"launchid":"ltilaunch1_1947416983"}'
    assert is_let_in(door.post(client, begun, door.token(begun)))


def test_two_frames_that_load_at_once_both_go_on(door: Door) -> None:
    client = door.app.test_client()
    places = [first_visit(door, door.browser(cookies=False)) for _ in range(2)]
    client.set_cookie("__Host-cookies", "1", domain="localhost")
    begun = [asked(client.get(place).headers["Location"]) for place in places]
    for each in reversed(begun):
        assert is_let_in(door.post(client, each, door.token(each)))


def test_without_cookies_the_same_login_is_offered_in_a_new_tab(door: Door) -> None:
    frame = door.browser(cookies=False)
    page = frame.get(first_visit(door, frame)).get_data(as_text=True)
    assert 'target="_blank"' in page
    assert count(door, Login) == 0
    tab = door.app.test_client()
    href = attribute(page, 'btn-primary" href')
    given = {key: values[0] for key, values in parse_qs(urlsplit(href).query).items()}
    assert given.items() >= {k: v for k, v in door.login_parameters().items() if k != "lti_deployment_id"}.items()
    begun = asked(tab.get(tab.get(href).headers["Location"]).headers["Location"])
    assert is_let_in(door.post(tab, begun, door.token(begun)))


def test_a_new_tab_that_keeps_no_cookies_either_is_told_plainly(door: Door) -> None:
    tab = door.browser(cookies=False)
    back = tab.get("/lti/login", query_string=door.login_parameters(new_tab="1")).headers["Location"]
    assert_page(tab.get(back), 403, "This browser keeps no cookies")


def test_the_page_in_the_frame_may_be_framed_and_runs_no_inline_script(door: Door) -> None:
    frame = door.browser(cookies=False)
    answer = frame.get(first_visit(door, frame, lti_storage_target="_parent"))
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in policy
    assert "script-src 'self'" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.get_data(as_text=True))


# Platform storage


def stored_login(door: Door, frame: FlaskClient) -> tuple[Asked, str]:
    """A login of a frame without cookies: what the platform is asked, and the secret in its storage."""
    page = frame.get(first_visit(door, frame, lti_storage_target="post_message_forwarding")).get_data(as_text=True)
    assert attribute(page, "data-origin") == "https://lms.example"
    assert attribute(page, "data-frame") == "post_message_forwarding"
    assert 'target="_blank"' in page
    return asked(attribute(page, "data-onward")), attribute(page, "data-secret")


def launched_from_storage(door: Door, frame: FlaskClient, changes: dict[str, Any] | None = None, **sent: Any) -> Any:
    begun, secret = stored_login(door, frame)
    token = door.token(begun, changes)
    page = door.post(frame, begun, token).get_data(as_text=True)
    assert attribute(page, "data-key").startswith("meitheal-login-")
    assert secret not in page
    form = {"state": begun.state, "id_token": token, "secret": secret} | sent
    return frame.post("/lti/launch/stored", data=form, headers=OURS)


def test_a_launch_by_platform_storage_goes_on_in_a_new_tab(door: Door) -> None:
    answer = launched_from_storage(door, door.browser(cookies=False))
    assert answer.status_code == 200
    assert "frame-ancestors https://lms.example" in answer.headers["Content-Security-Policy"]
    assert count(door, SignIn) == 0
    code = attribute(answer.get_data(as_text=True), 'name="code" value')
    tab = door.app.test_client()
    answer = tab.post("/lti/continue", data={"code": code}, headers=OURS)
    assert answer.status_code == 303
    answer = tab.get(answer.headers["Location"])
    assert answer.headers["Location"].startswith("/at/")
    assert count(door, SignIn) == 1
    assert_page(tab.post("/lti/continue", data={"code": code}, headers=OURS), 403, "works once")
    assert count(door, SignIn) == 1


def test_a_new_tab_that_lost_the_session_cookie_is_told_plainly(door: Door) -> None:
    page = launched_from_storage(door, door.browser(cookies=False)).get_data(as_text=True)
    tab = door.browser(cookies=False)
    answer = tab.post("/lti/continue", data={"code": attribute(page, 'name="code" value')}, headers=OURS)
    assert_page(tab.get(answer.headers["Location"]), 403, "This browser keeps no cookies")


def test_the_code_is_good_for_minutes(door: Door) -> None:
    page = launched_from_storage(door, door.browser(cookies=False)).get_data(as_text=True)
    door.clock.advance(301)
    answer = door.browser().post("/lti/continue", data={"code": attribute(page, 'name="code" value')}, headers=OURS)
    assert_page(answer, 403, "works once")


@pytest.mark.parametrize("code", ["", "x", "\0", "é", "x" * 10_000])
def test_a_made_up_code(door: Door, code: str) -> None:
    assert_page(door.browser().post("/lti/continue", data={"code": code}, headers=OURS), 403, "works once")


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://localhost:8001", "http://localhost", "https://localhost:8000"],
)
@pytest.mark.parametrize("address", ["/lti/continue", "/lti/launch/stored"])
def test_these_forms_come_from_our_own_pages_only(door: Door, address: str, origin: str | None) -> None:
    """Whoever began a login knows its secrets, so only the page that read them from the browser may send them."""
    begun, secret = stored_login(door, door.browser(cookies=False))
    form = {"state": begun.state, "id_token": door.token(begun), "secret": secret, "code": "x"}
    headers = {} if origin is None else {"Origin": origin}
    assert_page(door.browser().post(address, data=form, headers=headers), 403, "from the page that offered it")
    assert count(door, SignIn) == count(door, Continuation) == 0


@pytest.mark.parametrize("secret", ["", "x", "\ud800".encode("utf-8", "replace").decode(), "0" * 64])
def test_a_secret_that_was_not_stored(door: Door, secret: str) -> None:
    answer = launched_from_storage(door, door.browser(cookies=False), secret=secret)
    assert_page(answer, 403, "began somewhere else")


def test_a_stored_launch_is_used_once(door: Door) -> None:
    frame = door.browser(cookies=False)
    begun, secret = stored_login(door, frame)
    form = {"state": begun.state, "id_token": door.token(begun), "secret": secret}
    assert frame.post("/lti/launch/stored", data=form, headers=OURS).status_code == 200
    assert_page(frame.post("/lti/launch/stored", data=form, headers=OURS), 409, "Please open the activity again")
    assert_page(door.post(frame, begun, door.token(begun)), 409, "Please open the activity again")
    assert count(door, Continuation) == 1


def test_a_login_by_cookie_cannot_be_finished_by_storage(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser, lti_storage_target="_parent")
    secret = next(c.value for c in browser._cookies.values() if c.key.startswith("__Host-login-"))
    form = {"state": begun.state, "id_token": door.token(begun), "secret": secret}
    assert_page(door.browser().post("/lti/launch/stored", data=form, headers=OURS), 403, "began somewhere else")


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"nonce": "other"}, 403), ({"exp": 1}, 403), ({"sub": ABSENT}, 403), ({"iss": "https://evil.example"}, 403)],
)
def test_a_stored_launch_is_checked_like_any_other(door: Door, changes: dict[str, Any], status: int) -> None:
    assert launched_from_storage(door, door.browser(cookies=False), changes).status_code == status
    assert count(door, Continuation) == 0


def test_a_stored_launch_of_a_new_deployment_waits_too(door: Door) -> None:
    claim = "https://purl.imsglobal.org/spec/lti/claim/deployment_id"
    assert_page(launched_from_storage(door, door.browser(cookies=False), {claim: "9"}), 403, "Not open here yet")


@pytest.mark.parametrize("frame_name", ["x" * 200, "a b", '"><script>', "é", ""])
def test_a_storage_frame_that_is_no_name_is_ignored(door: Door, frame_name: str) -> None:
    frame = door.browser(cookies=False)
    page = frame.get(first_visit(door, frame, lti_storage_target=frame_name)).get_data(as_text=True)
    assert "data-door" not in page
    assert 'target="_blank"' in page


# Housekeeping


def test_old_logins_and_codes_are_forgotten(door: Door) -> None:
    launched_from_storage(door, door.browser(cookies=False))
    door.launch()
    logins.forget_old(door.database, door.clock())
    assert (count(door, Login), count(door, Continuation)) == (2, 1)
    logins.forget_old(door.database, door.clock() + timedelta(hours=2))
    assert (count(door, Login), count(door, Continuation)) == (0, 0)
