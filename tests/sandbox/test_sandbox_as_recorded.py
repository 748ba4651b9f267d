"""What the sandbox sends is compared, field by field, with what a real Moodle sent.

`same_shape` asks for the same keys everywhere and the same kind of value behind each; `differing` names the only places
where a value may differ. What is left must be equal.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

RECORDINGS = Path(__file__).parent.parent / "moodle" / "lti"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
# Headers that the web server adds, not Moodle.
SERVER_HEADERS = {"Server", "Date", "Transfer-Encoding", "Connection", "Content-Length", "Cache-Control"}


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value inside `value` by its path; lists of objects by index, lists of plain values as one leaf."""
    found: dict[str, Any] = {}
    if isinstance(value, dict):
        for key, part in value.items():
            found |= leaves(part, f"{path}/{key}" if path else key)
        return found or {path: {}}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        for index, part in enumerate(value):
            found |= leaves(part, f"{path}[{index}]")
        return found
    return {path: value}


def assert_as_recorded(sent: Any, record: Any, differing: dict[str, str]) -> None:
    """`differing` maps paths to a pattern the sent value must match; the recorded one must match it too."""
    sent_leaves, recorded_leaves = leaves(sent), leaves(record)
    assert sorted(sent_leaves) == sorted(recorded_leaves)
    for path, value in recorded_leaves.items():
        ours = sent_leaves[path]
        assert type(ours) is type(value), path
        if path in differing:
            pattern = re.compile(differing[path], re.DOTALL)
            assert pattern.fullmatch(str(value)), f"{path}: the pattern does not fit the recording"
            assert pattern.fullmatch(str(ours)), f"{path}: {ours!r}"
        else:
            assert ours == value, path
    unknown = set(differing) - set(recorded_leaves)
    assert not unknown, f"nothing is recorded at {unknown}"


def sent_headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in SERVER_HEADERS}


def recorded_headers(record: Any) -> dict[str, str]:
    return {name: value for name, value in record["headers"].items() if name not in SERVER_HEADERS}


def test_openid_configuration(app: Any) -> None:
    sent = app.test_client().get("/mod/lti/openid-configuration.php").get_json()
    assert_as_recorded(sent, recorded("openid_configuration"), {})


def test_registration_response(tool: Any) -> None:
    record = recorded("registration_response")
    assert tool.registration_status == record["status"]
    assert tool.registration_headers["Content-Type"].startswith("application/json")
    assert_as_recorded(tool.registration_answer, record["body"], {"client_id": "[A-Za-z0-9]{15}"})


def test_a_registration_like_the_recorded_one_is_accepted(stranger: Any) -> None:
    body = recorded("registration_response")["body"]
    accepted = {name: value for name, value in body.items() if name != "client_id"}
    stranger.metadata = accepted
    stranger.registers_now()
    assert stranger.registration_status == 200


def test_the_launch_says_which_scopes_hold(stranger: Any, school: Any, browser: Any) -> None:
    members = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
    stranger.metadata = {**stranger.metadata, "scope": members}
    stranger.registers_now()
    assert len(stranger.registration_answer["scope"].split()) == 6
    activity = school.add_activity(school.courses["2"], school.tool_by_client(stranger.client_id), "Cycle 1")
    claims = browser("niamh.nibhriain").launch(activity)["claims"]
    assert "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint" not in claims
    assert "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice" in claims


def test_login_initiation(browser: Any, activity: Any) -> None:
    record = recorded("login_init_POST")
    sent = browser("niamh.nibhriain").begin(activity)
    hint = r'\{"cmid":3,"launchid":"ltilaunch1_\d+"\}'
    assert_as_recorded(
        sent, record["params"], {"client_id": "[A-Za-z0-9]{15}", "lti_message_hint": hint, "login_hint": r"\d+"}
    )


# Everything else in a launch message equals the recording.
LAUNCH_DIFFERS = {
    "header/kid": "[0-9a-f]{20}",
    "claims/nonce": r"[\w-]+",
    "claims/iat": r"\d{10}",
    "claims/exp": r"\d{10}",
    "claims/aud": "[A-Za-z0-9]{15}",
    "claims/given_name": r"\w+",
    "claims/family_name": ".+",
    "claims/name": ".+",
    "claims/email": r"[\w.]+@[\w.]+",
    f"claims/{CLAIM}ext/user_username": r"[\w.]+",
    "claims/" + CLAIM + "custom/username": r"[\w.]+",
    f"claims/{CLAIM}tool_platform/guid": "[0-9a-f]{32}",
    f"claims/{CLAIM}tool_platform/name": r"\w+",
    f"claims/{CLAIM}tool_platform/description": ".+",
    "other_form/state": r"[\w-]+",
}
SOURCED_ID = r'\{"data":\{"instanceid":"1","userid":"\d+","typeid":"1","launchid":\d+\},"hash":"[0-9a-f]{64}"\}'
OUTCOME = "claims/https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome/lis_result_sourcedid"
RETURN_URL = r"http://127.0.0.1:8088/mod/lti/return.php\?course=2&launch_container=3&instanceid=1&sesskey=\w{10}"
LINK_LAUNCH_DIFFERS = {
    **LAUNCH_DIFFERS,
    OUTCOME: SOURCED_ID,
    f"claims/{CLAIM}launch_presentation/return_url": RETURN_URL,
}


def test_launch_of_a_teacher(browser: Any, activity: Any, school: Any) -> None:
    school.add_group(school.courses["2"], "Mentors", {"3"})
    sent = browser("niamh.nibhriain").launch(activity)
    differing = {
        **LINK_LAUNCH_DIFFERS,
        f"claims/{CLAIM}lis/person_sourcedid": r"[A-Z]+\d+",
        "claims/" + CLAIM + "custom/groups": r"\d,\d",
    }
    assert_as_recorded(sent, recorded("launch_LtiResourceLinkRequest_L"), differing)
    assert sent["claims"]["sub"] == "3"
    assert sent["claims"]["exp"] - sent["claims"]["iat"] == 60
    assert sent["claims"][CLAIM + "custom"]["groups"] == "2,5"


@pytest.mark.parametrize("trainer", ["maire.niceoin", "diarmuid.oriordain", "eithne.nifhlatharta"])
def test_launch_of_a_trainer(browser: Any, activity: Any, trainer: str) -> None:
    sent = browser(trainer).launch(activity)
    assert_as_recorded(sent, recorded("launch_LtiResourceLinkRequest_T"), {**LINK_LAUNCH_DIFFERS, "claims/sub": r"\d+"})


def test_deep_linking_launch(browser: Any, tool: Any) -> None:
    trainer = browser("maire.niceoin")
    sent = trainer.decoded(trainer.authenticate(trainer.select(tool)))
    return_url = r"http://127.0.0.1:8088/mod/lti/contentitem_return.php\?course=2&id=1&sesskey=\w{10}"
    settings = "claims/https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings/deep_link_return_url"
    assert_as_recorded(
        sent,
        recorded("launch_LtiDeepLinkingRequest_T"),
        {**LAUNCH_DIFFERS, "claims/sub": r"\d+", settings: return_url},
    )


MEMBERS = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"


@pytest.fixture
def sixty_two(school: Any, activity: Any) -> None:
    """A course like the recorded one: 60 teachers, a trainer who edits and one who does not."""
    course = school.courses["2"]
    school.add_people(course, 36, course.members["3"])
    for person in ("admin", "eithne.nifhlatharta"):
        course.members.pop(school.person(person).id)
    assert len(course.members) == 62


def members_by_shape(body: Any) -> tuple[Any, list[Any]]:
    """The body without its members, and the members in an order that does not depend on their names."""
    rest = {name: value for name, value in body.items() if name != "members"}
    return rest, sorted(body["members"], key=lambda member: (member["roles"], bool(member["lis_person_sourcedid"])))


def assert_members_as_recorded(answer: Any, record: Any) -> None:
    assert answer.status_code == record["status"]
    assert sent_headers(answer) == recorded_headers(record)
    rest, members = members_by_shape(answer.get_json())
    recorded_rest, recorded_members = members_by_shape(record["body"])
    assert rest == recorded_rest
    assert len(members) == len(recorded_members)
    for sent, expected in zip(members, recorded_members, strict=True):
        assert list(sent) == list(expected)
        differing = {
            "user_id": r"\d+",
            "lis_person_sourcedid": r"([A-Z]+\d+)?",
            "name": ".+",
            "given_name": r"\w+",
            "family_name": ".+",
            "email": r"[\w.]+@[\w.]+",
            "ext_user_username": r"[\w.]+",
        }
        if "message" in expected:
            outcome = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome/lis_result_sourcedid"
            differing[f"message[0]/{outcome}"] = SOURCED_ID
        assert_as_recorded(sent, expected, differing)


@pytest.mark.usefixtures("sixty_two")
def test_all_members(tool: Any) -> None:
    answer = tool.call("GET", MEMBERS, media="application/vnd.ims.lti-nrps.v2.membershipcontainer+json")
    assert_members_as_recorded(answer, recorded("nrps_all"))


@pytest.mark.usefixtures("sixty_two")
def test_the_first_twenty_members(tool: Any, school: Any) -> None:
    # The recorded page begins with the family Byrne and holds no trainer.
    for trainer in ("maire.niceoin", "diarmuid.oriordain"):
        person = school.person(trainer)
        school.people[person.id] = type(person)(**{**vars(person), "family": "Ó Zzz"})
    answer = tool.call("GET", MEMBERS + "?limit=20")
    assert_members_as_recorded(answer, recorded("nrps_limit20"))


@pytest.mark.usefixtures("sixty_two")
def test_members_of_a_resource_link(tool: Any) -> None:
    assert_members_as_recorded(tool.call("GET", MEMBERS + "?rlid=1"), recorded("nrps_rlid"))


def test_token_response(tool: Any) -> None:
    record = recorded("token_response")
    answer = tool.ask_token(tool.key.sign(tool.assertion()), record["body"]["scope"])
    assert answer.status_code == record["status"]
    assert_as_recorded(answer.get_json(), record["body"], {"access_token": "[0-9a-f]{32}"})


def test_line_items_scores_and_results(tool: Any, activity: Any, clock: Any) -> None:
    """The recorded calls one after the other, each answer compared: body, status, content type and headers."""
    record = recorded("ags")
    items = "/mod/lti/services.php/2/lineitems?type_id=1"
    created = {"scoreMaximum": 1, "label": "Coaching cycle 1 (completion)", "tag": "cycle", "resourceId": "cycle-1",
               "resourceLinkId": "1"}  # fmt: skip
    item = "/mod/lti/services.php/2/lineitems/3/lineitem"
    score = {
        "userId": "3",
        "scoreGiven": 1,
        "scoreMaximum": 1,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-11-21T23:03:08+00:00",
    }
    in_progress = {
        "userId": "3",
        "activityProgress": "InProgress",
        "gradingProgress": "Pending",
        "timestamp": "2026-11-21T23:03:09+00:00",
    }
    older = {**score, "timestamp": "2026-11-20T23:03:08+00:00"}
    unknown = {**score, "userId": "99999"}
    media = "application/vnd.ims.lis.v1.score+json"
    calls = {
        "list": ("GET", items, None, None),
        "create": ("POST", items, created, "application/vnd.ims.lis.v2.lineitem+json"),
        "score": ("POST", f"{item}/scores?type_id=1", score, media),
        "score_inprogress": ("POST", f"{item}/scores?type_id=1", in_progress, media),
        "score_old": ("POST", f"{item}/scores?type_id=1", older, media),
        "score_unknown_user": ("POST", f"{item}/scores?type_id=1", unknown, media),
        "results": ("GET", f"{item}/results?type_id=1", None, None),
    }
    assert list(calls) == list(record)
    for name, (method, address, body, media_type) in calls.items():
        answer = tool.call(method, address, body, media=media_type)
        expected = record[name]
        assert answer.status_code == expected["status"], name
        assert sent_headers(answer) == recorded_headers(expected), name
        # To the letter: slashes escaped in lists and not elsewhere, no blanks, the same order.
        assert answer.text == expected["body"], name
