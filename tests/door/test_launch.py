"""Launches that are valid, however little an LMS says, and what stays of them."""

import json
from typing import Any

import pytest
from door.fake_platform import ABSENT, CLAIM, Door, FakePlatform, asked, is_let_in
from sqlalchemy import func, select

from lti_tool.activities.models import Activity
from lti_tool.people.models import Course, Membership, Person, SignIn

V2 = "http://purl.imsglobal.org/vocab/lis/v2"


def only(door: Door, table: Any) -> Any:
    with door.database.read() as session:
        row = session.execute(select(table)).scalar_one()
        session.expunge(row)
        return row


def test_a_first_launch_makes_course_person_membership_and_activity(door: Door) -> None:
    answer = door.launch()
    assert is_let_in(answer)
    course, person, membership = only(door, Course), only(door, Person), only(door, Membership)
    assert (course.context_key, course.title, course.label) == ("context:2", "CPC 2026/27", "CPC26")
    assert (person.sub, person.name, person.given_name) == ("3", "Seán Ní Dhomhnaill", "Seán")
    assert (membership.lms_role, membership.is_administrator, membership.is_active) == ("learner", False, True)
    assert membership.launched_at == door.clock()
    assert only(door, Activity).title == "Coaching cycle 1"
    opened = only(door, SignIn)
    assert answer.headers["Location"] == f"/at/{opened.id}/"
    assert (opened.platform_origin, opened.return_url) == ("https://lms.example", "https://lms.example/return?course=2")


def test_the_e_mail_address_is_nowhere(door: Door) -> None:
    door.launch()
    with door.database.engine.connect() as connection:
        for table in (Person, Membership, Course, SignIn, Activity):
            for row in connection.execute(select(table.__table__)):
                assert "example.test" not in str(tuple(row))


def test_a_second_launch_makes_nothing_new_and_takes_over_what_changed(door: Door) -> None:
    door.launch()
    door.clock.advance(3_600)
    changes = {
        "name": "Seán Ó Dónaill",
        "family_name": "Ó Dónaill",
        CLAIM + "context": {"id": "2", "title": "CPC 2027/28"},
        CLAIM + "roles": [f"{V2}/membership#Instructor"],
    }
    assert is_let_in(door.launch(changes=changes))
    assert only(door, Person).name == "Seán Ó Dónaill"
    assert (only(door, Course).title, only(door, Course).label) == ("CPC 2027/28", "CPC26")
    assert only(door, Membership).lms_role == "instructor"
    assert only(door, Membership).launched_at == door.clock()
    assert is_let_in(door.launch())
    assert only(door, Membership).lms_role == "learner"


def test_a_launch_that_withholds_the_name_keeps_the_one_known(door: Door) -> None:
    door.launch()
    assert is_let_in(door.launch(changes={"name": ABSENT, "given_name": ABSENT, "family_name": ABSENT}))
    assert only(door, Person).name == "Seán Ní Dhomhnaill"


def test_a_launch_brings_somebody_back_whom_the_roster_had_lost(door: Door) -> None:
    door.launch()
    with door.database.write() as session:
        session.execute(select(Membership)).scalar_one().is_active = False
    door.launch()
    assert only(door, Membership).is_active


@pytest.mark.parametrize(
    "changes",
    [
        {"email": ABSENT, "name": ABSENT, "given_name": ABSENT, "family_name": ABSENT},
        {CLAIM + "roles": ABSENT},
        {CLAIM + "roles": []},
        {CLAIM + "roles": None},
        {CLAIM + "roles": "Learner"},
        {CLAIM + "roles": ["Learner", 7, None, {}, "x" * 10_000, "\ud800"]},
        {CLAIM + "roles": ["Learner"] * 5_000},
        {CLAIM + "context": ABSENT},
        {CLAIM + "context": None},
        {CLAIM + "context": {}},
        {CLAIM + "context": {"id": ""}},
        {CLAIM + "context": {"id": "5", "title": 7, "label": []}},
        {CLAIM + "context": {"id": "5", "title": "x" * 5_000, "label": "\0\n\ud800"}},
        {CLAIM + "resource_link": {"id": "1"}},
        {CLAIM + "resource_link": {"id": "1", "title": "x" * 5_000}},
        {CLAIM + "launch_presentation": ABSENT},
        {CLAIM + "launch_presentation": "text"},
        {CLAIM + "launch_presentation": {"locale": "../../etc", "return_url": "javascript:alert(1)"}},
        {CLAIM + "launch_presentation": {"locale": 7, "return_url": "https://lms.example/" + "x" * 5_000}},
        {CLAIM + "custom": {"a": 1, "b": None, "c": ["x"]}},
        {CLAIM + "custom": "text"},
        {"name": "\0\ud800\u2028", "given_name": 7, "family_name": "x" * 10_000},
        {"https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": "text"},
        {"https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {"context_memberships_url": "file:///etc"}},
        {"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {"scope": 7, "lineitems": 7}},
        {"unknown": {"deep": [1, 2, {"x": None}]}},
    ],
)
def test_an_lms_that_says_little_or_much_launches_too(door: Door, changes: dict[str, Any]) -> None:
    assert is_let_in(door.launch(changes=changes))


@pytest.mark.parametrize(
    ("roles", "role", "administrator"),
    [
        ([f"{V2}/membership#Learner"], "learner", False),
        (["Learner"], "learner", False),
        (["Instructor"], "instructor", False),
        ([f"{V2}/membership/Instructor#TeachingAssistant"], "instructor", False),
        ([f"{V2}/membership#ContentDeveloper"], "instructor", False),
        ([f"{V2}/membership#Learner", f"{V2}/membership#Instructor"], "instructor", False),
        ([f"{V2}/institution/person#Instructor", f"{V2}/membership#Learner"], "learner", False),
        ([f"{V2}/institution/person#Instructor"], "other", False),
        ([f"{V2}/membership#Mentor"], "other", False),
        ([f"{V2}/system/person#Administrator", f"{V2}/membership#Instructor"], "instructor", True),
        ([f"{V2}/institution/person#Administrator"], "other", True),
        (["learner", "INSTRUCTOR"], "other", False),
        (["https://evil.example/membership#Instructor"], "other", False),
        ([], "other", False),
    ],
)
def test_only_roles_of_the_course_count(door: Door, roles: list[str], role: str, administrator: bool) -> None:
    door.launch(changes={CLAIM + "roles": roles})
    membership = only(door, Membership)
    assert (membership.lms_role, membership.is_administrator) == (role, administrator)


def test_a_launch_without_a_course_stands_for_its_link(door: Door) -> None:
    door.launch(changes={CLAIM + "context": ABSENT})
    assert (only(door, Course).context_key, only(door, Course).title) == ("link:1", "Coaching cycle 1")


def test_ids_are_unique_only_within_their_platform(door: Door) -> None:
    door.launch()
    other = door.register(FakePlatform(issuer="https://other.example", client_id="x"))
    first, door.platform = door.platform, other
    assert is_let_in(door.launch())
    door.platform = first
    with door.database.read() as session:
        assert [session.scalar(select(func.count(table.id))) for table in (Person, Course, Activity)] == [2, 2, 2]


def test_two_people_in_one_browser_each_keep_their_own_page(door: Door) -> None:
    browser = door.browser()
    one = door.launch(browser).headers["Location"]
    other = door.launch(browser, {"sub": "4", "given_name": "Gráinne", "name": "Gráinne Byrne"}).headers["Location"]
    assert one != other
    assert "Seán" in browser.get(one).get_data(as_text=True)
    page = browser.get(other).get_data(as_text=True)
    assert "Gráinne" in page and "Seán" not in page


def test_a_page_of_somebody_elses_handle_asks_to_launch(door: Door) -> None:
    where = door.launch().headers["Location"]
    assert door.browser().get(where).status_code == 401


def test_a_warm_launch_needs_six_statements_and_no_call(door: Door, statements: list[str]) -> None:
    for _ in range(2):
        door.launch()
    door.clock.advance(600)
    browser = door.browser()
    begun = door.begin(browser)
    token = door.token(begun)
    statements.clear()
    door.network.calls.clear()
    assert is_let_in(door.post(browser, begun, token))
    assert len(statements) <= 6, "\n".join(statements)
    assert door.network.calls == []


@pytest.mark.parametrize("name", ["launch_LtiResourceLinkRequest_L", "launch_LtiResourceLinkRequest_T"])
def test_the_launch_of_a_real_moodle(door: Door, recorded: dict[str, Any], name: str) -> None:
    """Claims as Moodle sent them; only addresses of the test are put in, and the moment."""
    told = recorded[name]["claims"]
    began = recorded["login_init_POST"]["params"]
    local = json.loads(json.dumps(told).replace("http://127.0.0.1:5999", "http://localhost:8000"))
    moodle = FakePlatform(issuer=told["iss"], client_id=told["aud"], kid=recorded[name]["header"]["kid"])
    door.platform = door.register(moodle)
    browser = door.browser()
    answer = browser.post("/lti/login", data=began | {"target_link_uri": "http://localhost:8000/lti/launch"})
    begun = asked(answer.headers["Location"])
    now = int(door.clock().timestamp())
    token = moodle.sign(local | {"nonce": begun.nonce, "iat": now, "exp": now + 60})
    assert is_let_in(browser.post("/lti/launch", data={"id_token": token, "state": begun.state}))
    assert (
        only(door, Course).memberships_url
        == told["https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"]["context_memberships_url"]
    )
    assert only(door, Membership).lms_role == ("learner" if name.endswith("_L") else "instructor")
    assert only(door, Person).sub == told["sub"]


def test_a_canvas_page_may_frame_ours_from_the_schools_own_address(door: Door) -> None:
    door.platform = door.register(FakePlatform(issuer="https://canvas.example", client_id="c"), family="canvas")
    door.launch(changes={CLAIM + "launch_presentation": {"return_url": "https://school.canvas.example/back"}})
    assert only(door, SignIn).platform_origin == "https://school.canvas.example"
