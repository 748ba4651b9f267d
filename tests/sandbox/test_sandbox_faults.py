"""Each fault does what its name says, and everything works again after it."""

import time
from typing import Any

import jwt
import pytest

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERS = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"


@pytest.fixture
def switch(app: Any) -> Any:
    def put_in_force(**wanted: Any) -> Any:
        answer = app.test_client().post("/sandbox/faults", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    return put_in_force


def test_down(app: Any, tool: Any, switch: Any) -> None:
    assert switch(down=True)["down"] is True
    client = app.test_client()
    for address in ("/", "/mod/lti/certs.php", "/mod/lti/token.php", "/mod/lti/auth.php", MEMBERS):
        assert client.get(address).status_code == 503
    assert client.get("/faults").status_code == 200
    assert client.delete("/sandbox/faults").get_json()["down"] is False
    assert client.get("/mod/lti/certs.php").status_code == 200


def test_slow(app: Any, switch: Any) -> None:
    switch(slow_s=0.2)
    begin = time.monotonic()
    assert app.test_client().get("/mod/lti/certs.php").status_code == 200
    assert time.monotonic() - begin >= 0.2


def test_some_calls_fail(app: Any, tool: Any, switch: Any) -> None:
    switch(fail_next=2, match="/mod/lti/certs.php")
    switch(fail_next=1, status=429, match="/memberships")
    client = app.test_client()
    token = tool.token()
    statuses = [client.get("/mod/lti/certs.php").status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert [tool.call("GET", MEMBERS, token=token).status_code for _ in range(2)] == [429, 200]


def test_keys_rotate(browser: Any, activity: Any, app: Any, switch: Any) -> None:
    def key_names() -> list[str]:
        return [key["kid"] for key in app.test_client().get("/mod/lti/certs.php").get_json()["keys"]]

    (first,) = key_names()
    switch(rotate_keys=True)
    assert key_names()[0] == first and len(key_names()) == 2
    switch(rotate_keys=True, keep_old=False)
    assert len(key_names()) == 1 and first not in key_names()
    assert browser("niamh.nibhriain").launch(activity)["header"]["kid"] == key_names()[0]


def test_access_tokens_end(tool: Any, switch: Any) -> None:
    token = tool.token()
    switch(token_expired=True)
    assert tool.call("GET", MEMBERS, token=token).status_code == 401
    assert tool.call("GET", MEMBERS).status_code == 200


def test_the_clock_is_wrong(browser: Any, activity: Any, clock: Any, switch: Any) -> None:
    switch(clock_offset_s=300)
    claims = browser("niamh.nibhriain").launch(activity)["claims"]
    assert claims["iat"] == int(clock() + 300)
    switch(clock_offset_s=-300)
    assert browser("niamh.nibhriain").launch(activity)["claims"]["exp"] == int(clock() - 300) + 60


def test_old_id_tokens(browser: Any, activity: Any, clock: Any, switch: Any) -> None:
    switch(id_token_expired=True)
    assert browser("niamh.nibhriain").launch(activity)["claims"]["exp"] < clock() - 3000


def test_anonymous(browser: Any, activity: Any, switch: Any) -> None:
    switch(anonymous=True)
    sent = browser("niamh.nibhriain").launch(activity)["claims"]
    assert not {"sub", "name", "given_name", "family_name", "email"} & set(sent)
    assert "niamh" not in str(sent).lower()
    assert sent[CLAIM + "custom"]["groups"] == ""


def test_no_names_no_email(browser: Any, activity: Any, tool: Any, switch: Any) -> None:
    switch(no_names=True)
    sent = browser("niamh.nibhriain").launch(activity)["claims"]
    assert "name" not in sent and "email" in sent
    member = tool.call("GET", MEMBERS).get_json()["members"][0]
    assert set(member) == {"status", "roles", "user_id", "lis_person_sourcedid", "email"}
    switch(no_names=False, no_email=True)
    sent = browser("niamh.nibhriain").launch(activity)["claims"]
    assert "name" in sent and "email" not in sent
    assert "email" not in tool.call("GET", MEMBERS).get_json()["members"][0]


def test_other_roles_and_claims(browser: Any, activity: Any, switch: Any) -> None:
    teacher = browser("niamh.nibhriain")
    switch(roles=["Learner", "urn:unknown"])
    assert teacher.launch(activity)["claims"][CLAIM + "roles"] == ["Learner", "urn:unknown"]
    switch(roles=[], claims={CLAIM + "context": None, CLAIM + "version": "1.4", "aud": ["a", "b"]})
    claims = jwt.decode(teacher.authenticate(teacher.begin(activity))["id_token"], options={"verify_signature": False})
    assert claims[CLAIM + "roles"] == []
    assert CLAIM + "context" not in claims
    assert (claims[CLAIM + "version"], claims["aud"]) == ("1.4", ["a", "b"])


def test_platform_storage_is_off_until_switched_on(browser: Any, activity: Any, app: Any, switch: Any) -> None:
    teacher = browser("niamh.nibhriain")
    page = f"/course/2/activity/{activity.id}"
    assert "lti_storage_target" not in teacher.begin(activity)
    assert "data-storage-origins" not in teacher.client.get(page).text
    switch(platform_storage=True)
    assert teacher.begin(activity)["lti_storage_target"] == "_parent"
    assert 'data-storage-origins="http://127.0.0.1:5999"' in teacher.client.get(page).text
    app.test_client().delete("/sandbox/faults")
    assert "lti_storage_target" not in teacher.begin(activity)


def test_faults_by_page(browser: Any, school: Any, app: Any) -> None:
    client = app.test_client()
    form = {"no_email": "on", "slow_s": "0", "clock_offset_s": "-20", "fail_next": "3", "match": "/token.php"}
    assert client.post("/faults", data=form).status_code == 302
    in_force = client.get("/sandbox/faults").get_json()
    assert (in_force["no_email"], in_force["clock_offset_s"]) == (True, -20)
    assert in_force["failures"] == [{"fail_next": 3, "status": 500, "match": "/token.php"}]
    assert "Faults are switched on" in client.get("/who-am-i").text
    kid = school.keys.current.kid
    client.post("/faults", data={"action": "rotate_keys"})
    assert school.keys.current.kid != kid
    client.post("/faults", data={"action": "clear"})
    assert client.get("/sandbox/faults").get_json()["failures"] == []
