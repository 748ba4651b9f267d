"""Selecting content (Deep Linking 2.0), through the served tool: what is checked, what is answered, what it binds."""

import html
import re
from datetime import date
from typing import Any

import jwt
import pytest
from door.fake_platform import (
    ABSENT,
    CLAIM,
    CLIENT_ID,
    ISSUER,
    PUBLIC_URL,
    TARGET,
    Door,
    FakePlatform,
    assert_page,
    is_let_in,
)
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lti_tool.activities import selections
from lti_tool.activities.models import Activity, ActivityTrainer, Selection
from lti_tool.lti import logins
from lti_tool.lti.logins import Onward
from lti_tool.people.models import Course, Deployment, Membership, SignIn
from lti_tool.store.jobs_models import Job

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
ADMINISTRATOR = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"
RETURN = f"{ISSUER}/return?course=2&sesskey=abc"
FIELDS: dict[str, Any] = {
    "want": ["cycle:collegial"],
    "title-cycle-collegial": "Cycle  one",
    "purpose-cycle-collegial": "To look\r\ntogether",
}
OTHER_FIELDS = {
    "title-cycle-light": "Cycle two",
    "title-pairing": "Find each other",
    "title-reflection-reflection": "Back",
}


def asks(settings: Any = None, **changes: Any) -> dict[str, Any]:
    """Claims of a deep linking request, as changes of an ordinary launch."""
    wanted = {
        "accept_types": ["link", "ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe"],
        "accept_multiple": True,
        "deep_link_return_url": RETURN,
    } | (settings or {})
    return {
        CLAIM + "message_type": "LtiDeepLinkingRequest",
        CLAIM + "resource_link": ABSENT,
        CLAIM + "roles": [INSTRUCTOR],
        DL + "deep_linking_settings": {name: value for name, value in wanted.items() if value is not ABSENT},
    } | changes


class Chooser:
    """Somebody whose LMS opened the selection of content."""

    def __init__(self, door: Door, settings: Any = None, **changes: Any) -> None:
        self.door = door
        self.client: FlaskClient = door.browser()
        launched = door.launch(self.client, asks(settings, **changes))
        assert is_let_in(launched), launched.get_data(as_text=True)
        self.home = launched.headers["Location"]
        self.page = self.client.get(self.home, follow_redirects=True)

    def send(self, **fields: Any) -> Any:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(self.home + "about").text)
        assert token
        return self.client.post(self.home + "select", data={"csrf_token": token.group(1)} | fields)

    def answered(self, **fields: Any) -> dict[str, Any]:
        """Claims of the answer that the browser carries to the LMS, verified as the LMS does it."""
        sent = self.send(**(fields or FIELDS))
        assert sent.status_code == 200, sent.text
        return read_answer(self.door, sent)


def read_answer(door: Door, sent: Any, client_id: str = CLIENT_ID) -> dict[str, Any]:
    token = re.search(r'name="JWT" value="([^"]+)"', sent.text)
    assert token
    keys = jwt.PyJWKSet.from_dict(door.app.test_client().get("/lti/jwks.json").get_json())
    key = keys[jwt.get_unverified_header(token.group(1))["kid"]]
    return jwt.decode(token.group(1), key, ["RS256"], audience=ISSUER, issuer=client_id)


def activities(door: Door) -> list[Activity]:
    with door.database.read() as session:
        return list(session.scalars(select(Activity).order_by(Activity.created_at, Activity.title)))


def opened(door: Door, link: str, named: str, **changes: Any) -> str:
    """The page of a first launch of a placed link."""
    client = door.browser()
    claims = {CLAIM + "resource_link": {"id": link, "title": "As in the LMS"}, CLAIM + "custom": {"activity": named}}
    launched = door.launch(client, claims | changes)
    assert is_let_in(launched), launched.text
    return str(client.get(launched.headers["Location"]).text)


# The request


def test_a_recorded_request_of_moodle_leads_to_the_choice(door: Door, recorded: dict[str, Any]) -> None:
    claims = recorded["launch_LtiDeepLinkingRequest_T"]["claims"]
    own = {name: value for name, value in claims.items() if name.startswith("https://")}
    own |= {CLAIM + "target_link_uri": TARGET, CLAIM + "resource_link": ABSENT}
    own[DL + "deep_linking_settings"]["deep_link_return_url"] = RETURN
    client = door.browser()
    launched = door.launch(client, own)
    assert is_let_in(launched)
    page = client.get(launched.headers["Location"], follow_redirects=True)
    assert page.status_code == 200 and 'name="title-cycle-light"' in page.text


def test_a_replay_leads_its_own_browser_back_and_nobody_else_in(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    token = door.token(begun, asks())
    first = door.post(browser, begun, token)
    assert is_let_in(first)
    again = door.post(browser, begun, token)
    assert again.headers["Location"] == first.headers["Location"] and not again.headers.getlist("Set-Cookie")
    assert_page(door.post(door.browser(), begun, token), 409, "Please open the activity again")
    with door.database.read() as session:
        assert len(session.scalars(select(Selection.id)).all()) == 1


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({CLAIM + "deployment_id": "2"}, 403, "Not open here yet"),
        ({CLAIM + "deployment_id": ABSENT}, 400, "deployment_id"),
        ({CLAIM + "version": "1.1"}, 400, "version"),
        ({CLAIM + "target_link_uri": TARGET + "/else"}, 400, "The link leads somewhere else"),
        ({CLAIM + "context": ABSENT}, 400, "context.id"),
        ({CLAIM + "context": {"id": ""}}, 400, "context.id"),
        ({"sub": ABSENT}, 403, "We would like to know who you are"),
        ({"nonce": "another"}, 403, "This launch is not genuine"),
        ({"aud": "another"}, 403, "This launch is not genuine"),
        ({"exp": 1}, 403, "That took too long"),
        ({DL + "deep_linking_settings": ABSENT}, 400, "deep_linking_settings"),
        ({DL + "deep_linking_settings": []}, 400, "deep_linking_settings"),
        ({DL + "deep_linking_settings": "x"}, 400, "deep_linking_settings"),
    ],
)
def test_each_line_of_the_check_holds(door: Door, changes: dict[str, Any], status: int, words: str) -> None:
    assert_page(door.launch(changes=asks() | changes), status, words)
    with door.database.read() as session:
        assert not session.scalars(select(Selection.id)).all() and not session.scalars(select(SignIn.id)).all()


@pytest.mark.parametrize(
    "address",
    [
        ABSENT,
        None,
        "",
        5,
        "javascript:alert(1)//https://lms.example/",
        "JavaScript:alert(document.domain)",
        "data:text/html,x",
        "//lms.example/return",
        "/return",
        "https://other.example/return",
        "https://lms.example.other.example/return",
        "https://lms.example@other.example/return",
        "https://lms.example:8443/return",
        "http://lms.example/return",
        "https://lms.example/ret urn",
        "https://lms.example/\nreturn",
        "https://lms.example/" + "x" * 4000,
    ],
)
def test_the_answer_goes_to_the_platform_and_nowhere_else(door: Door, address: object) -> None:
    assert_page(door.launch(changes=asks({"deep_link_return_url": address})), 400, "deep_link_return_url")


def test_a_vendor_with_one_issuer_takes_the_answer_at_the_schools_address(door: Door) -> None:
    school = {CLAIM + "launch_presentation": {"return_url": "https://school.example/courses/2"}}
    wanted = {"deep_link_return_url": "https://school.example/deep_linking_response"}
    assert_page(door.launch(changes=asks(wanted, **school)), 400, "deep_link_return_url")
    door.platform = door.register(FakePlatform(client_id="canvas-1"), family="canvas")
    assert is_let_in(door.launch(changes=asks(wanted, **school)))
    wanted = {"deep_link_return_url": "https://other.example/deep_linking_response"}
    assert_page(door.launch(changes=asks(wanted, **school)), 400, "deep_link_return_url")


@pytest.mark.parametrize("types", [["link", "file"], []])
def test_a_platform_that_takes_no_links_is_told_so(door: Door, types: list[str]) -> None:
    assert_page(door.launch(changes=asks({"accept_types": types})), 400, "There is no place for an activity here")


@pytest.mark.parametrize("types", [ABSENT, None, "ltiResourceLink", {"ltiResourceLink": 1}])
def test_accept_types_that_are_no_list(door: Door, types: object) -> None:
    assert_page(door.launch(changes=asks({"accept_types": types})), 400, "accept_types")


@pytest.mark.parametrize("data", [5, ["x"], {}, "x\0y", "\ud800", "x" * 20_001])
def test_data_that_cannot_go_back_unchanged(door: Door, data: object) -> None:
    assert_page(door.launch(changes=asks({"data": data})), 400, "data")


# Who chooses


@pytest.mark.parametrize("roles", [[LEARNER], [INSTRUCTOR, ADMINISTRATOR], [ADMINISTRATOR], []])
def test_who_is_no_instructor_or_stands_above_is_politely_told(door: Door, roles: list[str]) -> None:
    chooser = Chooser(door, **{CLAIM + "roles": roles})
    assert chooser.page.status_code == 403 and "Activities are placed by trainers" in chooser.page.text
    assert "<textarea" not in chooser.page.text
    assert chooser.send(**FIELDS).status_code == 403
    assert not activities(door)


def test_who_says_to_lead_the_school_places_nothing_any_more(door: Door) -> None:
    chooser = Chooser(door)
    assert chooser.page.status_code == 200
    with door.database.write() as session:
        session.execute(update(Membership).values(is_leader=True))
    assert chooser.send(**FIELDS).status_code == 403
    assert not activities(door)


def test_a_selection_belongs_to_the_one_who_began_it(door: Door) -> None:
    mine, other = Chooser(door), Chooser(door, sub="77")
    with door.database.write() as session:
        ids = session.execute(select(Selection.id, Selection.membership_id)).all()
        of_mine = next(
            row.id
            for row in ids
            if row.membership_id
            == session.scalar(select(SignIn.membership_id).where(SignIn.id == mine.home.split("/")[2]))
        )
        session.execute(update(SignIn).where(SignIn.id == other.home.split("/")[2]).values(selection_id=of_mine))
    assert other.send(**FIELDS).status_code == 403


def test_an_ordinary_launch_has_nothing_to_select(door: Door) -> None:
    client = door.browser()
    home = door.launch(client, {CLAIM + "roles": [INSTRUCTOR]}).headers["Location"]
    assert client.get(home + "select").status_code == 404


# The answer


def test_the_answer_is_signed_and_complete(door: Door) -> None:
    claims = Chooser(door, {"data": 'opaque é " <b>'}).answered()
    activity = activities(door)[0]
    now = int(door.clock().timestamp())
    nonce = claims.pop("nonce")
    assert len(nonce) >= 20
    assert claims == {
        "iss": CLIENT_ID,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 300,
        CLAIM + "message_type": "LtiDeepLinkingResponse",
        CLAIM + "version": "1.3.0",
        CLAIM + "deployment_id": "1",
        DL + "data": 'opaque é " <b>',
        DL + "content_items": [
            {
                "type": "ltiResourceLink",
                "title": "Cycle one",
                "text": "To look\ntogether",
                "url": TARGET,
                "custom": {"activity": activity.id},
            }
        ],
    }
    assert (activity.status, activity.protocol, activity.purpose) == ("open", "collegial", "To look\ntogether")
    assert activity.resource_link_id is None


@pytest.mark.parametrize("data", [ABSENT, ""])
def test_data_goes_back_only_if_it_came(door: Door, data: object) -> None:
    claims = Chooser(door, {"data": data}).answered()
    assert (DL + "data" in claims) is (data == "")


def test_the_page_may_send_its_form_to_the_platform_and_nowhere_else(door: Door) -> None:
    chooser = Chooser(door)
    sent = chooser.send(**FIELDS)
    policy = sent.headers["Content-Security-Policy"]
    assert f"form-action 'self' {ISSUER};" in policy and "script-src 'self';" in policy
    assert f'action="{html.escape(RETURN)}"' in sent.text and "<button" in sent.text
    assert ISSUER not in chooser.page.headers["Content-Security-Policy"].partition("form-action")[2].split(";")[0]


def test_several_at_once_where_the_platform_takes_several(door: Door) -> None:
    several = FIELDS | OTHER_FIELDS | {"want": ["reflection:reflection", "pairing:", "cycle:collegial", "no such"]}
    claims = Chooser(door).answered(**several)
    assert [item["title"] for item in claims[DL + "content_items"]] == ["Cycle one", "Find each other", "Back"]
    assert "text" not in claims[DL + "content_items"][1]
    made = {activity.title: (activity.kind, activity.protocol) for activity in activities(door)}
    assert made == {
        "Cycle one": ("cycle", "collegial"),
        "Find each other": ("pairing", ""),
        "Back": ("reflection", "reflection"),
    }


@pytest.mark.parametrize("multiple", [False, ABSENT, "true", 1])
def test_one_only_where_it_takes_one(door: Door, multiple: object) -> None:
    chooser = Chooser(door, {"accept_multiple": multiple})
    assert 'type="radio" name="want"' in chooser.page.text and 'type="checkbox" name="want"' not in chooser.page.text
    smuggled = chooser.send(**FIELDS | OTHER_FIELDS | {"want": ["cycle:collegial", "cycle:light"]})
    assert smuggled.status_code == 400 and "takes one activity at a time" in smuggled.text
    claims = chooser.answered(**FIELDS, **OTHER_FIELDS)
    assert len(claims[DL + "content_items"]) == 1
    assert len(activities(door)) == 1


def test_all_settings_of_an_activity_are_kept(door: Door) -> None:
    chosen = {"starts-cycle-collegial": "2026-12-01", "ends-cycle-collegial": "2027-01-31"}
    chosen |= {"audience-cycle-collegial": "chosen", "completion-cycle-collegial": "yes"}
    claims = Chooser(door).answered(**FIELDS, **chosen)
    activity = activities(door)[0]
    assert (activity.starts_on, activity.ends_on) == (date(2026, 12, 1), date(2027, 1, 31))
    assert (activity.audience, activity.reports_completion) == ("chosen", True)
    column = claims[DL + "content_items"][0]["lineItem"]
    assert column == {"label": "Cycle one", "scoreMaximum": 1, "resourceId": activity.id, "tag": "completion"}


def test_no_column_of_the_gradebook_unless_it_was_chosen(door: Door) -> None:
    claims = Chooser(door).answered(**OTHER_FIELDS, **FIELDS | {"want": ["pairing:", "cycle:collegial"]})
    assert all("lineItem" not in item for item in claims[DL + "content_items"])
    claims = Chooser(door).answered(want="pairing:", **OTHER_FIELDS, **{"completion-pairing": "yes"})
    assert "lineItem" not in claims[DL + "content_items"][0], "finding a partner is nothing to complete"


def test_a_cycle_takes_its_pairs_from_the_round_that_is_placed_with_it(door: Door) -> None:
    both = FIELDS | OTHER_FIELDS | {"pairs-cycle-collegial": "new"}
    chooser = Chooser(door)
    alone = chooser.send(**both)
    assert alone.status_code == 400 and "Place a pairing round too" in alone.text
    chooser.answered(**both | {"want": ["cycle:collegial", "pairing:"]})
    found = {activity.kind: activity for activity in activities(door)}
    assert found["cycle"].pairs_from_id == found["pairing"].id
    later = Chooser(door)
    assert re.search(rf'value="{found["pairing"].id}" checked', later.page.text), "a round that is there is suggested"
    later.answered(**both | {"pairs-cycle-collegial": found["pairing"].id, "title-cycle-collegial": "Cycle two"})
    assert {activity.pairs_from_id for activity in activities(door) if activity.kind == "cycle"} == {
        found["pairing"].id
    }


def test_the_pairs_of_another_course_are_not_offered(door: Door) -> None:
    Chooser(door).answered(want="pairing:", **OTHER_FIELDS)
    foreign = activities(door)[0].id
    elsewhere = Chooser(door, **{CLAIM + "context": {"id": "77", "title": "Elsewhere"}})
    assert foreign not in elsewhere.page.text
    assert elsewhere.send(**FIELDS, **{"pairs-cycle-collegial": foreign}).status_code == 400
    assert len(activities(door)) == 1


def test_what_was_prepared_before_is_offered_and_placed(door: Door) -> None:
    Chooser(door, sub="50").answered()
    waiting = activities(door)[0]
    assert "waits to be placed" not in Chooser(door, sub="51").page.text, "it is another trainer's"
    again = Chooser(door, sub="50")
    assert "waits to be placed" in again.page.text
    claims = again.answered(want=waiting.id)
    assert claims[DL + "content_items"][0]["custom"] == {"activity": waiting.id}
    assert len(activities(door)) == 1


def test_it_is_answered_once(door: Door) -> None:
    chooser = Chooser(door)
    chooser.answered()
    assert chooser.send(**FIELDS).status_code == 409
    back = chooser.client.get(chooser.home, follow_redirects=True)
    assert back.status_code == 409 and "This is done already" in back.text
    assert len(activities(door)) == 1


def test_what_was_typed_comes_back_with_what_is_wrong(door: Door) -> None:
    chooser = Chooser(door)
    typed = {"want": ["cycle:light", "cycle:collegial"], "title-cycle-light": "", "purpose-cycle-light": "<i>why</i>"}
    typed |= {"title-cycle-collegial": "x" * 251, "starts-cycle-light": "soon", "audience-cycle-light": "nobody"}
    wrong = chooser.send(**typed)
    assert wrong.status_code == 400
    assert "&lt;i&gt;why&lt;/i&gt;" in wrong.text and "Give the activity a name" in wrong.text
    assert "Write the first day like" in wrong.text and 'value="soon"' in wrong.text and "251" in wrong.text
    assert "Say who may take part" in wrong.text and "want-cycle-collegial" in wrong.text
    assert len(re.findall(r'name="want"[^>]* checked', wrong.text)) == 2
    nothing = chooser.send(want="")
    assert nothing.status_code == 400 and "Tick what shall be in your course" in nothing.text
    assert not activities(door)
    assert chooser.send(**FIELDS).status_code == 200, "nothing was used up"


def test_the_roster_of_the_course_stays_known(door: Door) -> None:
    """Moodle names the roster's address at a launch, and not where content is selected."""
    address = f"{ISSUER}/members"
    services = {"https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {"context_memberships_url": address}}
    door.launch(changes=services)
    with door.database.write() as session:
        jobs = len(session.scalars(select(Job.id)).all())
    Chooser(door)
    with door.database.read() as session:
        assert session.scalars(select(Course.memberships_url)).all() == [address]
        assert len(session.scalars(select(Job.id)).all()) == jobs


def test_it_goes_on_in_a_new_tab(door: Door) -> None:
    Chooser(door)
    with door.database.write() as session:
        selection = session.scalars(select(Selection)).one()
        kept = Onward(selection.membership_id, None, "en", ISSUER, "", selection.id)
        code = logins.keep_onward(session, kept, door.clock())
    tab = door.browser()
    answer = tab.post("/lti/continue", data={"code": code}, headers={"Origin": PUBLIC_URL}, follow_redirects=True)
    assert answer.status_code == 200 and 'name="title-cycle-light"' in answer.text


def test_old_selections_are_forgotten_and_what_they_prepared_stays(door: Door) -> None:
    Chooser(door).answered()
    for seconds, gone in ((12 * 3600, 0), (2 * 3600, 1)):
        door.clock.advance(seconds)
        with door.database.write() as session:
            assert selections.forget_old(session, door.clock()) == gone
    assert len(activities(door)) == 1


# The placed link


def prepared(door: Door) -> str:
    claims = Chooser(door, sub="50").answered()
    return str(claims[DL + "content_items"][0]["custom"]["activity"])


def test_the_first_launch_of_the_link_finds_what_was_prepared(door: Door) -> None:
    named = prepared(door)
    page = opened(door, "link-1", named, sub="4")
    assert "To look\ntogether" in page and "not opened this yet" not in page, "a teacher comes first: it is open"
    found = activities(door)
    assert [(each.id, each.resource_link_id, each.title) for each in found] == [(named, "link-1", "As in the LMS")]
    page = opened(door, "link-1", named, sub="50", **{CLAIM + "roles": [INSTRUCTOR]})
    assert "How it is going" in page, "who placed it is its trainer"
    page = opened(door, "link-1", named, sub="51", **{CLAIM + "roles": [INSTRUCTOR]})
    assert "not the trainer of this activity" in page
    assert len(activities(door)) == 1


@pytest.mark.parametrize("course", ["2", "3"], ids=["another link of the course", "a copied course"])
def test_a_copy_has_the_settings_and_neither_trainer_nor_people(door: Door, course: str) -> None:
    named = prepared(door)
    opened(door, "link-1", named, sub="4")
    there = {CLAIM + "context": {"id": course, "title": "Next year"}}
    assert "not opened this yet" in opened(door, "link-9", named, sub="5", **there)
    page = opened(door, "link-9", named, sub="60", **there, **{CLAIM + "roles": [INSTRUCTOR]})
    assert "This link is a copy" in page and "To look\ntogether" in page
    assert re.search(r'value="cycle:collegial"[^>]* checked', page)
    copy = next(each for each in activities(door) if each.id != named)
    assert (copy.status, copy.protocol, copy.purpose) == ("new", "collegial", "To look\ntogether")
    with door.database.read() as session:
        assert session.scalars(select(ActivityTrainer.activity_id)).all() == [named]


def test_a_course_copied_before_the_first_launch_takes_nothing_away(door: Door) -> None:
    named = prepared(door)
    opened(door, "link-9", named, sub="5", **{CLAIM + "context": {"id": "3"}})
    opened(door, "link-1", named, sub="4")
    with door.database.read() as session:
        assert session.scalar(select(Activity.resource_link_id).where(Activity.id == named)) == "link-1"
        assert session.scalar(select(Activity.status).where(Activity.resource_link_id == "link-9")) == "new"


@pytest.mark.parametrize(
    "named", ["", "0" * 16, "0" * 17, "x", "\0" * 16, "é" * 16, "' OR 1=1 --'''''", "$Activity.id"]
)
def test_an_unknown_name_is_ignored(door: Door, named: str) -> None:
    prepared(door)
    assert "not opened this yet" in opened(door, "link-1", named)
    plain = next(each for each in activities(door) if each.resource_link_id == "link-1")
    assert (plain.status, plain.protocol, plain.purpose) == ("new", "", "")


def test_the_name_of_another_schools_activity_is_ignored(door: Door) -> None:
    named = prepared(door)
    door.platform = door.register(FakePlatform(issuer="https://other.example", client_id="client-2"))
    page = opened(door, "link-1", named, sub="60", **{CLAIM + "roles": [INSTRUCTOR]})
    assert "To look" not in page and "This link is a copy" not in page
    with door.database.read() as session:
        assert session.scalar(select(Activity.resource_link_id).where(Activity.id == named)) is None


def test_the_name_of_another_deployments_activity_is_ignored(door: Door) -> None:
    named = prepared(door)
    with door.database.write() as session:
        session.add(
            Deployment(platform_id=door.platform.id, deployment_id="2", status="active", created_at=door.clock())
        )
    page = opened(door, "link-1", named, sub="60", **{CLAIM + "roles": [INSTRUCTOR], CLAIM + "deployment_id": "2"})
    assert "To look" not in page and "This link is a copy" not in page


LINK_HISTORY, COURSE_HISTORY = "link_history", "context_history"
NEXT_YEAR = {CLAIM + "context": {"id": "next", "title": "Next year"}}


def first_opened(door: Door, title: str = "As in the LMS", **custom: str) -> str:
    """The page that the trainer of next year's course gets at a link that says only where it was copied from."""
    client = door.browser()
    claims = {CLAIM + "resource_link": {"id": "link-9", "title": title}, CLAIM + "custom": custom}
    launched = door.launch(client, claims | NEXT_YEAR | {CLAIM + "roles": [INSTRUCTOR], "sub": "60"})
    assert is_let_in(launched), launched.text
    return str(client.get(launched.headers["Location"]).text)


@pytest.mark.parametrize(
    "custom",
    [
        {LINK_HISTORY: "link-1"},
        {LINK_HISTORY: "link-5,link-1"},
        {LINK_HISTORY: "link-1", COURSE_HISTORY: "2"},
        {COURSE_HISTORY: "2"},
        {COURSE_HISTORY: " 1 , 2"},
        {LINK_HISTORY: "unknown", COURSE_HISTORY: "2"},
    ],
)
def test_a_copied_course_is_recognised_by_what_the_lms_says_of_its_history(door: Door, custom: dict[str, str]) -> None:
    opened(door, "link-1", prepared(door), sub="4")
    page = first_opened(door, **custom)
    assert "This link is a copy" in page and "To look\ntogether" in page
    original, copy = activities(door)
    assert (copy.status, copy.copied_from, copy.protocol) == ("new", original.id, "collegial")
    with door.database.read() as session:
        assert len(session.scalars(select(ActivityTrainer.activity_id)).all()) == 1


@pytest.mark.parametrize(
    ("title", "custom"),
    [
        ("As in the LMS", {}),
        ("Renamed since", {COURSE_HISTORY: "2"}),
        ("As in the LMS", {COURSE_HISTORY: "3,4"}),
        ("As in the LMS", {LINK_HISTORY: "link", COURSE_HISTORY: "$Context.id.history"}),
        ("As in the LMS", {LINK_HISTORY: "$ResourceLink.id.history"}),
        ("As in the LMS", {LINK_HISTORY: "," * 5000, COURSE_HISTORY: "\x01,%00," + "x" * 400}),
    ],
)
def test_no_history_leads_nowhere(door: Door, title: str, custom: dict[str, str]) -> None:
    opened(door, "link-1", prepared(door), sub="4")
    assert "This link is a copy" not in first_opened(door, title, **custom)
    assert {activity.copied_from for activity in activities(door)} == {None}


def test_a_name_that_two_have_leads_to_neither(door: Door) -> None:
    for link in ("link-1", "link-2"):
        opened(door, link, prepared(door), sub="4")
    assert "This link is a copy" not in first_opened(door, **{COURSE_HISTORY: "2"})


def test_the_latest_copy_is_followed(door: Door) -> None:
    opened(door, "link-1", prepared(door), sub="4")
    changed = FIELDS | {"purpose-cycle-collegial": "As of this year"}
    later = Chooser(door, sub="50").answered(**changed)
    opened(door, "link-2", str(later[DL + "content_items"][0]["custom"]["activity"]), sub="4")
    assert "As of this year" in first_opened(door, **{LINK_HISTORY: "link-2,link-1"})


def test_the_history_of_another_schools_course_leads_nowhere(door: Door) -> None:
    opened(door, "link-1", prepared(door), sub="4")
    door.platform = door.register(FakePlatform(issuer="https://other.example", client_id="client-2"))
    assert "This link is a copy" not in first_opened(door, **{LINK_HISTORY: "link-1", COURSE_HISTORY: "2"})


def test_copied_cycles_take_their_pairs_from_the_copied_round(door: Door) -> None:
    both = FIELDS | OTHER_FIELDS | {"pairs-cycle-collegial": "new", "want": ["cycle:collegial", "pairing:"]}
    items = Chooser(door, sub="50").answered(**both)[DL + "content_items"]
    cycle, pairing = (str(item["custom"]["activity"]) for item in items)
    opened(door, "link-1", cycle, sub="4")
    opened(door, "link-2", pairing, sub="4")
    opened(door, "link-8", pairing, sub="60", **NEXT_YEAR, **{CLAIM + "roles": [INSTRUCTOR]})
    page = opened(door, "link-9", cycle, sub="60", **NEXT_YEAR, **{CLAIM + "roles": [INSTRUCTOR]})
    with door.database.read() as session:
        copy = session.scalars(select(Activity).where(Activity.resource_link_id == "link-8")).one()
        assert copy.status == "new", "a round that nobody has opened yet cannot be chosen"
    assert f'value="{copy.id}"' not in page
    with door.database.write() as session:
        session.execute(update(Activity).where(Activity.id == copy.id).values(status="open"))
    page = opened(door, "link-9", cycle, sub="60", **NEXT_YEAR, **{CLAIM + "roles": [INSTRUCTOR]})
    assert re.search(rf'value="{copy.id}" checked', page)


def test_the_addresses_of_the_gradebook_are_kept(door: Door) -> None:
    endpoint = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
    columns, column = f"{ISSUER}/columns?type=1", f"{ISSUER}/columns/5/lineitem?type=1"
    named = prepared(door)
    opened(door, "link-1", named, **{endpoint: {"scope": [], "lineitems": columns, "lineitem": column}})
    assert [(each.line_items_url, each.line_item_url) for each in activities(door)] == [(columns, column)]
    opened(door, "link-1", named, **{endpoint: {"scope": [], "lineitems": columns + "2"}})
    assert [(each.line_items_url, each.line_item_url) for each in activities(door)] == [(columns + "2", column)]
    opened(door, "link-1", named)
    assert activities(door)[0].line_items_url == "", "the LMS offers it no more"


def test_a_warm_launch_of_a_placed_link_costs_no_more(door: Door, statements: list[str]) -> None:
    named = prepared(door)
    claims = {CLAIM + "resource_link": {"id": "link-1"}, CLAIM + "custom": {"activity": named}}
    client = door.browser()
    door.launch(client, claims)
    begun = door.begin(client)
    token = door.token(begun, claims)
    statements.clear()
    assert is_let_in(door.post(client, begun, token))
    assert len(statements) <= 6, "\n".join(statements)
