"""Each personality as a correct tool meets it: a launch, deep linking, the roster, a score; and its quirks."""

import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from forms import Form
from requests.adapters import BaseAdapter

from lti_tool.sandbox import School, create_app
from lti_tool.sandbox.people import CourseRole

LMS = "http://127.0.0.1:8088"
TOOL = "http://127.0.0.1:5999"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
LTI_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/"
ROSTER = NRPS + "scope/contextmembership.readonly"
SCOPES = [AGS + "scope/" + name for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")] + [ROSTER]
CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
NAMES = ("canvas", "blackboard", "brightspace", "sakai")
DYNAMIC = ("canvas", "brightspace", "sakai")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class CorrectTool(BaseAdapter):
    """A tool that follows the specifications, and the addresses and audience that it was told."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.app = create_app(LMS, personality=name)
        self.school: School = self.app.extensions["sandbox"]
        self.school.http.mount(TOOL, self)
        self.lms = self.app.test_client()
        self.asked: dict[str, str] = {}
        self.configuration: dict[str, Any] = {}
        self.registered: dict[str, Any] = {}

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        body = self.jwks() if address.path == "/jwks" else self.register(dict(parse_qsl(address.query)))
        answer = requests.Response()
        answer.status_code = 200
        answer.request = request
        answer._content = json.dumps(body).encode()
        return answer

    def close(self) -> None:
        pass

    def jwks(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "k", "alg": "RS256", "use": "sig"}]}

    def register(self, asked: dict[str, str]) -> dict[str, Any]:
        self.asked = asked
        self.configuration = self.lms.get(asked["openid_configuration"].removeprefix(LMS)).get_json()
        token = asked.get("registration_token")
        answer = self.lms.post(
            self.configuration["registration_endpoint"].removeprefix(LMS),
            json=self.metadata(),
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        assert answer.status_code == 200, answer.text
        self.registered = answer.get_json()
        return {}

    def metadata(self) -> dict[str, Any]:
        return {
            "application_type": "web",
            "response_types": ["id_token"],
            "grant_types": ["client_credentials", "implicit"],
            "initiate_login_uri": TOOL + "/login",
            "redirect_uris": [TOOL + "/launch"],
            "client_name": "Correct",
            "jwks_uri": TOOL + "/jwks",
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": " ".join(SCOPES),
            CONFIGURATION: {
                "domain": "127.0.0.1:5999",
                "target_link_uri": TOOL + "/launch",
                "custom_parameters": {"context": "$Context.id.history", "link": "$ResourceLink.id.history"},
                "claims": ["iss", "sub", "name", "given_name", "family_name", "email"],
                "messages": [{"type": "LtiDeepLinkingRequest", "target_link_uri": TOOL + "/launch"}],
            },
        }

    def by_hand(self, name: str = "Correct") -> Any:
        body = {
            "name": name,
            "login_url": TOOL + "/login",
            "redirect_uris": [TOOL + "/launch"],
            "jwks_url": TOOL + "/jwks",
            "target_link_uri": TOOL + "/launch",
            "deep_linking_url": TOOL + "/launch",
        }
        return self.lms.post("/sandbox/tools", json=body)

    def dynamically(self) -> Any:
        return self.lms.post("/sandbox/tools", json={"url": TOOL + "/register"})

    def added(self) -> "CorrectTool":
        """The tool, registered in the way that the LMS has for it."""
        has_registration = self.school.personality.paths.registration is not None
        answer = self.dynamically() if has_registration else self.by_hand()
        assert answer.status_code == 201, answer.text
        return self

    @property
    def client_id(self) -> str:
        return next(iter(self.school.tools.values())).client_id

    @property
    def deployment_id(self) -> str:
        return next(iter(self.school.tools.values())).deployment_id

    def activity(self, **more: Any) -> Any:
        tool = next(iter(self.school.tools.values()))
        return self.school.add_activity(self.school.courses["2"], tool, "Cycle 1", **more)

    def log_in(self, user: str) -> None:
        assert self.lms.post("/sandbox/login", json={"user": user}).status_code == 200

    def begin(self, address: str) -> Form:
        answer = self.lms.get(address)
        assert answer.status_code == 200, answer.text
        return Form(answer.text)

    def launch(self, address: str) -> dict[str, Any]:
        """The claims that come of a click on `address`, proven by the published keys."""
        login = self.begin(address).fields
        asked = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": login["client_id"],
            "redirect_uri": TOOL + "/launch",
            "login_hint": login["login_hint"],
            "lti_message_hint": login["lti_message_hint"],
            "state": "s",
            "nonce": "n",
        }
        page = self.lms.get(self.school.personality.paths.authorization, query_string=asked)
        token = Form(page.text).fields["id_token"]
        kid = jwt.get_unverified_header(token)["kid"]
        keys = self.lms.get(self.school.personality.paths.jwks).get_json()["keys"]
        key = jwt.PyJWK(next(one for one in keys if one["kid"] == kid), algorithm="RS256")
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=self.client_id)
        return claims

    def launch_link(self, user: str, **more: Any) -> dict[str, Any]:
        self.log_in(user)
        return self.launch(f"{self.school.personality.paths.launch}?id={self.activity(**more).module_id}")

    def select(self) -> dict[str, Any]:
        self.log_in("maire.niceoin")
        return self.launch(f"{self.school.personality.paths.deep_linking}?course=2&id={self.deployment_id}")

    def sign(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        return jwt.encode({"iat": now, "exp": now + 300, **claims}, KEY, algorithm="RS256", headers={"kid": "k"})

    def answer_selection(self, request: dict[str, Any], *items: dict[str, Any], **changes: Any) -> Any:
        settings = request[DL + "deep_linking_settings"]
        claims = {
            "iss": self.client_id,
            "aud": request["iss"],
            "nonce": secrets.token_hex(8),
            LTI + "message_type": "LtiDeepLinkingResponse",
            LTI + "version": "1.3.0",
            LTI + "deployment_id": request[LTI + "deployment_id"],
            DL + "content_items": [{"type": "ltiResourceLink", **item} for item in items],
        }
        if "data" in settings:
            claims[DL + "data"] = settings["data"]
        address = settings["deep_link_return_url"].removeprefix(LMS)
        return self.lms.post(address, data={"JWT": self.sign({**claims, **changes})})

    @property
    def audience(self) -> str:
        return self.school.personality.quirks.token_audience or LMS + self.school.personality.paths.tokens

    def ask_token(self, audience: str, **headers: str) -> Any:
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": audience, "jti": secrets.token_hex(8)}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.sign(claims),
            "scope": " ".join(SCOPES),
        }
        return self.lms.post(self.school.personality.paths.tokens, data=form, headers=headers)

    def call(self, method: str, address: str, body: Any = None, media: str = "", **headers: str) -> Any:
        token = self.ask_token(self.audience).get_json()["access_token"]
        return self.lms.open(
            address.removeprefix(LMS),
            method=method,
            data=None if body is None else json.dumps(body),
            content_type=media or None,
            headers={"Authorization": f"Bearer {token}", **headers},
        )

    def roster(self, address: str) -> list[list[dict[str, Any]]]:
        """The members, page by page."""
        pages = []
        next_address: str | None = address
        while next_address:
            answer = self.call("GET", next_address)
            assert answer.status_code == 200, answer.text
            pages.append(answer.get_json()["members"])
            link = requests.utils.parse_header_links(answer.headers.get("Link", ""))
            next_address = next((one["url"] for one in link if one.get("rel") == "next"), None)
        return pages

    def score(self, line_item: str, person: str, timestamp: str = "2026-11-21T10:00:00+00:00", **more: Any) -> Any:
        body = {
            "userId": person,
            "scoreGiven": 1,
            "scoreMaximum": 1,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "timestamp": timestamp,
            **more,
        }
        return self.call("POST", line_item + "/scores", body, "application/vnd.ims.lis.v1.score+json")


@pytest.fixture(params=NAMES)
def tool(request: pytest.FixtureRequest) -> CorrectTool:
    return CorrectTool(request.param).added()


def test_an_unknown_personality_is_refused() -> None:
    with pytest.raises(KeyError):
        create_app(LMS, personality="ilias")


def test_a_launch_states_issuer_product_person_and_services(tool: CorrectTool) -> None:
    claims = tool.launch_link("niamh.nibhriain", gradable=True)
    assert claims["iss"] == tool.school.issuer
    assert (claims["sub"], claims["name"]) == ("3", "Niamh Ní Bhriain")
    assert LTI_ROLE + "Learner" in claims[LTI + "roles"]
    codes = {"Canvas": "canvas", "Blackboard": "BlackboardLearn", "Brightspace": "desire2learn", "Sakai": "sakai"}
    assert claims[LTI + "tool_platform"]["product_family_code"] == codes[tool.school.personality.product]
    assert claims[LTI + "context"]["type"] == ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"]
    addresses = (
        claims[NRPS + "claim/namesroleservice"]["context_memberships_url"],
        claims[AGS + "claim/endpoint"]["lineitems"],
        claims[AGS + "claim/endpoint"]["lineitem"],
        claims[LTI + "launch_presentation"]["return_url"],
    )
    assert all(address.startswith(LMS + "/") for address in addresses)


def test_selected_content_becomes_an_activity(tool: CorrectTool) -> None:
    request = tool.select()
    item = {"title": "Cycle 2", "url": TOOL + "/launch", "lineItem": {"scoreMaximum": 1}}
    answer = tool.answer_selection(request, item)
    assert answer.status_code == 200, answer.text
    (added,) = tool.school.activities.values()
    assert (added.title, added.gradable) == ("Cycle 2", True)
    claims = tool.launch(f"{tool.school.personality.paths.launch}?id={added.module_id}")
    assert claims[LTI + "resource_link"]["title"] == "Cycle 2"


def test_selected_content_gets_its_column_and_its_dates(tool: CorrectTool) -> None:
    window = {"startDateTime": "2026-09-01T00:00:00+01:00", "endDateTime": "2026-12-18T23:59:59Z"}
    column = {"scoreMaximum": 1, "resourceId": "r-1", "tag": "completion"}
    item = {
        "title": "Cycle 2",
        "lineItem": column,
        "available": window,
        "submission": {"endDateTime": "2026-12-01T00:00Z"},
    }
    assert tool.answer_selection(tool.select(), item).status_code == 200
    (activity,) = tool.lms.get("/sandbox/activities").get_json()
    assert activity["available"] == {"start": window["startDateTime"], "end": window["endDateTime"]}
    assert activity["submission"] == {"start": "", "end": "2026-12-01T00:00Z"}
    (made,) = tool.lms.get("/sandbox/columns").get_json()
    assert made == {
        "line_item": made["line_item"],
        "label": "Cycle 2",
        "maximum": 1,
        "activity": activity["id"],
        "resource_id": "r-1",
        "tag": "completion",
    }
    assert "until 2026-12-18" in tool.lms.get("/course/2").text
    assert "Cycle 2" in tool.lms.get("/course/2/grades").text


@pytest.mark.parametrize(
    "window",
    [
        "2026-09-01",
        {"startDateTime": 7},
        {"startDateTime": "tomorrow"},
        {"endDateTime": "2026-09-01T00:00:00"},
        {"startDateTime": "2026-09-02T00:00:00Z", "endDateTime": "2026-09-01T00:00:00Z"},
    ],
)
def test_dates_that_are_none_are_refused(window: Any) -> None:
    tool = CorrectTool("sakai").added()
    assert tool.answer_selection(tool.select(), {"title": "Cycle 2", "available": window}).status_code == 400
    assert tool.school.activities == {}


def test_several_activities_at_once_only_where_the_request_allows_it(tool: CorrectTool) -> None:
    request = tool.select()
    takes_several = request[DL + "deep_linking_settings"]["accept_multiple"]
    assert takes_several is (tool.school.personality.product != "Canvas")
    answer = tool.answer_selection(request, {"title": "Cycle 2"}, {"title": "Cycle 3"})
    assert answer.status_code == (200 if takes_several else 400)
    assert len(tool.school.activities) == (2 if takes_several else 0)


def test_the_answer_to_a_selection_names_the_issuer(tool: CorrectTool) -> None:
    request = tool.select()
    for audience in (request["iss"] + "/", "https://elsewhere.example"):
        assert tool.answer_selection(request, {"title": "Cycle 2"}, aud=audience).status_code == 400
    assert not tool.school.activities


def test_the_whole_roster(tool: CorrectTool) -> None:
    course = tool.school.courses["2"]
    tool.school.add_people(course, 420, CourseRole.STUDENT)
    claims = tool.launch_link("maire.niceoin")
    pages = tool.roster(claims[NRPS + "claim/namesroleservice"]["context_memberships_url"])
    everybody = [member for page in pages for member in page]
    assert {member["user_id"] for member in everybody} == set(course.members)
    longest = tool.school.personality.quirks.members_on_a_page
    assert len(pages) == (-(-len(everybody) // longest) if longest else 1)
    roles = next(member["roles"] for member in everybody if member["user_id"] == "3")
    assert roles[0] == LTI_ROLE + "Learner"


def test_a_tool_may_ask_for_shorter_pages(tool: CorrectTool) -> None:
    claims = tool.launch_link("maire.niceoin")
    pages = tool.roster(claims[NRPS + "claim/namesroleservice"]["context_memberships_url"] + "?limit=10")
    assert [len(page) for page in pages] == [10, 10, 8]


def test_a_score_reaches_the_gradebook(tool: CorrectTool) -> None:
    line_item = tool.launch_link("niamh.nibhriain", gradable=True)[AGS + "claim/endpoint"]["lineitem"]
    answer = tool.score(line_item, "3", comment="Done")
    assert answer.status_code == 200, answer.text
    (result,) = tool.call("GET", line_item + "/results").get_json()
    assert (result["userId"], result["resultScore"], result["comment"]) == ("3", 100, "Done")
    assert result["scoreOf"] == line_item


def test_line_items_are_listed_made_and_deleted(tool: CorrectTool) -> None:
    endpoint = tool.launch_link("niamh.nibhriain", gradable=True)[AGS + "claim/endpoint"]
    media = "application/vnd.ims.lis.v2.lineitem+json"
    made = tool.call("POST", endpoint["lineitems"], {"label": "Second", "scoreMaximum": 1}, media)
    assert made.status_code == 201
    listed = tool.call("GET", endpoint["lineitems"]).get_json()
    assert [one["id"] for one in listed] == [endpoint["lineitem"], made.get_json()["id"]]
    first = tool.call("GET", endpoint["lineitems"] + "?limit=1")
    assert requests.utils.parse_header_links(first.headers["Link"])[0]["rel"] == "next"
    assert tool.call("DELETE", made.get_json()["id"]).status_code == 204


@pytest.mark.parametrize("name", DYNAMIC)
def test_dynamic_registration(name: str) -> None:
    tool = CorrectTool(name).added()
    assert tool.registered["client_id"] == tool.client_id
    assert tool.configuration["issuer"] == tool.school.issuer
    family = {"canvas": "canvas", "brightspace": "desire2learn", "sakai": "sakailms.org"}[name]
    assert tool.configuration[PLATFORM]["product_family_code"] == family
    assert ("registration_token" in tool.asked) is (name != "brightspace")
    assert ("deployment_id" in tool.registered[CONFIGURATION]) is (name != "canvas")
    # Without the token in its address the configuration is not shown.
    assert tool.lms.get(str(tool.school.personality.paths.configuration)).status_code == 401


@pytest.mark.parametrize("name", DYNAMIC)
def test_a_registration_token_works_once(name: str) -> None:
    tool = CorrectTool(name).added()
    endpoint = tool.configuration["registration_endpoint"].removeprefix(LMS)
    headers = {"Authorization": f"Bearer {tool.asked.get('registration_token', '')}"}
    assert tool.lms.post(endpoint, json=tool.metadata(), headers=headers).status_code == 401
    assert tool.lms.post(endpoint.partition("?")[0], json=tool.metadata()).status_code == 401
    assert len(tool.school.tools) == 1


def test_blackboard_takes_tools_by_hand_only() -> None:
    tool = CorrectTool("blackboard")
    assert "by hand" in tool.dynamically().get_json()["error"]
    tool.log_in("admin")
    assert "Add LTI Advantage" not in tool.lms.get("/admin/tools").text
    page = tool.lms.post("/admin/tools/register", data={"url": TOOL + "/register"})
    assert page.status_code == 400 and "has no dynamic registration" in page.text
    assert tool.by_hand().status_code == 201


def test_blackboard_takes_one_tool_for_a_domain() -> None:
    tool = CorrectTool("blackboard").added()
    again = tool.by_hand("Second")
    assert again.status_code == 400 and "on the domain" in again.get_json()["error"]
    other = CorrectTool("sakai").added()
    assert other.by_hand("Second").status_code == 201


def test_blackboard_wants_its_data_back() -> None:
    tool = CorrectTool("blackboard").added()
    request = tool.select()
    assert tool.answer_selection(request, {}, **{DL + "data": "other"}).status_code == 400
    assert tool.answer_selection(request, {}).status_code == 200


@pytest.mark.parametrize(("name", "method"), [("blackboard", "get"), ("canvas", "post"), ("sakai", "post")])
def test_how_the_browser_is_sent_to_the_login(name: str, method: str) -> None:
    tool = CorrectTool(name).added()
    tool.log_in("niamh.nibhriain")
    form = tool.begin(f"{tool.school.personality.paths.launch}?id={tool.activity().module_id}")
    assert (form.method, form.action) == (method, TOOL + "/login")
    assert form.fields["iss"] == tool.school.issuer


@pytest.mark.parametrize(
    ("name", "issuer"),
    [
        ("canvas", "https://canvas.instructure.com"),
        ("blackboard", "https://blackboard.com"),
        ("brightspace", LMS),
        ("sakai", LMS),
    ],
)
def test_the_issuer(name: str, issuer: str) -> None:
    tool = CorrectTool(name).added()
    assert tool.launch_link("niamh.nibhriain")["iss"] == issuer
    tool.log_in("admin")
    assert f"<dd>{issuer}</dd>" in tool.lms.get("/admin/tools").text


@pytest.mark.parametrize(
    ("name", "target"),
    [("canvas", "post_message_forwarding"), ("blackboard", None), ("brightspace", None), ("sakai", "_parent")],
)
def test_platform_storage(name: str, target: str | None) -> None:
    tool = CorrectTool(name).added()
    tool.log_in("niamh.nibhriain")
    activity = tool.activity()
    fields = tool.begin(f"{tool.school.personality.paths.launch}?id={activity.module_id}").fields
    assert fields.get("lti_storage_target") == target
    page = tool.lms.get(f"/course/2/activity/{activity.id}").text
    assert ('name="post_message_forwarding"' in page) is (name == "canvas")
    if name == "canvas":
        frame = tool.lms.get("/storage").text
        assert f'data-storage-origins="{TOOL}"' in frame and "frames.js" in frame


def test_the_audience_of_a_token_request(tool: CorrectTool) -> None:
    assert tool.ask_token(tool.audience).status_code == 200
    assert tool.ask_token(tool.audience + "/").status_code == 400
    if tool.audience == "https://api.brightspace.com/auth/token":
        assert tool.ask_token(LMS + tool.school.personality.paths.tokens).status_code == 400
        assert tool.configuration["authorization_server"] == tool.audience


def test_canvas_refuses_the_authorization_server_of_its_own_configuration() -> None:
    tool = CorrectTool("canvas").added()
    assert tool.configuration["authorization_server"] == "127.0.0.1:8088"
    assert tool.ask_token(tool.configuration["authorization_server"]).status_code == 400


def test_canvas_wants_a_user_agent() -> None:
    tool = CorrectTool("canvas").added()
    members = tool.launch_link("maire.niceoin")[NRPS + "claim/namesroleservice"]["context_memberships_url"]
    assert tool.ask_token(tool.audience, **{"User-Agent": ""}).status_code == 403
    assert tool.call("GET", members, **{"User-Agent": ""}).status_code == 403
    assert tool.call("GET", members).status_code == 200


def test_canvas_takes_one_score_at_a_time_and_tells_the_result() -> None:
    tool = CorrectTool("canvas").added()
    line_item = tool.launch_link("niamh.nibhriain", gradable=True)[AGS + "claim/endpoint"]["lineitem"]
    media = "application/vnd.ims.lis.v1.score+json"
    assert tool.call("POST", line_item + "/scores", [{}, {}], media).status_code == 400
    assert tool.score(line_item, "3").get_json()["resultUrl"] == line_item + "/results/3"


@pytest.mark.parametrize(("name", "same", "older", "nobody"), [("canvas", 200, 400, 422), ("sakai", 409, 409, 400)])
def test_scores_that_come_late(name: str, same: int, older: int, nobody: int) -> None:
    tool = CorrectTool(name).added()
    line_item = tool.launch_link("niamh.nibhriain", gradable=True)[AGS + "claim/endpoint"]["lineitem"]
    assert tool.score(line_item, "3").status_code == 200
    assert tool.score(line_item, "3").status_code == same
    assert tool.score(line_item, "3", "2026-11-20T10:00:00+00:00").status_code == older
    assert tool.score(line_item, "99999").status_code == nobody


def test_canvas_states_more_roles() -> None:
    tool = CorrectTool("canvas").added()
    roles = tool.launch_link("diarmuid.oriordain")[LTI + "roles"]
    assert "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant" in roles
    assert "http://purl.imsglobal.org/vocab/lis/v2/system/person#User" in roles


@pytest.mark.parametrize("name", NAMES)
def test_whether_keys_name_their_algorithm_and_how_they_change(name: str) -> None:
    tool = CorrectTool(name).added()
    before = tool.lms.get(tool.school.personality.paths.jwks).get_json()["keys"]
    assert [("alg" in key) for key in before] == [name != "brightspace"]
    tool.lms.post("/sandbox/faults", json={"rotate_keys": True, "keep_old": False})
    after = tool.lms.get(tool.school.personality.paths.jwks).get_json()["keys"]
    assert {key["kid"] for key in before}.isdisjoint(key["kid"] for key in after)
    assert tool.launch_link("niamh.nibhriain")["sub"] == "3"


def test_brightspace_signs_with_another_key_every_hour() -> None:
    now = [1_795_302_187.0]
    app = create_app(LMS, personality="brightspace", clock=lambda: now[0])
    keys = app.extensions["sandbox"].keys
    published = app.extensions["sandbox"].personality.paths.jwks

    def seen() -> list[str]:
        return [key["kid"] for key in app.test_client().get(published).get_json()["keys"]]

    first = keys.current.kid
    now[0] += 3599
    assert seen() == [first]
    now[0] += 1
    second = keys.current.kid
    # What was signed a moment ago can still be checked.
    assert second != first and seen() == [first, second]
    now[0] += 3600
    assert seen() == [second, keys.current.kid]


@pytest.mark.parametrize(("name", "status"), [("brightspace", 400), ("canvas", 200)])
def test_a_query_in_the_url_of_content(name: str, status: int) -> None:
    tool = CorrectTool(name).added()
    request = tool.select()
    assert tool.answer_selection(request, {"url": TOOL + "/launch?activity=1"}).status_code == status


@pytest.mark.parametrize(
    ("name", "context", "link"),
    [
        ("canvas", "", "$ResourceLink.id.history"),
        ("brightspace", "$Context.id.history", "$ResourceLink.id.history"),
        ("sakai", "", ""),
    ],
)
def test_variables_an_lms_does_not_know_stay_as_they_are(name: str, context: str, link: str) -> None:
    custom = CorrectTool(name).added().launch_link("niamh.nibhriain")[LTI + "custom"]
    assert custom == {"context": context, "link": link}


def test_custom_parameters_typed_in_by_hand() -> None:
    tool = CorrectTool("blackboard")
    tool.log_in("admin")
    typed = {
        "name": "Correct",
        "target_link_uri": TOOL + "/launch",
        "login_url": TOOL + "/login",
        "redirect_uris": TOOL + "/launch",
        "jwks_url": TOOL + "/jwks",
        "custom": "context=$Context.id.history\n\n who = $User.username",
    }
    refused = tool.lms.post("/admin/tools/by-hand", data=typed | {"custom": "no equals sign"})
    assert refused.status_code == 400 and "name=value" in refused.text
    assert tool.lms.post("/admin/tools/by-hand", data=typed).status_code == 302
    custom = tool.launch_link("niamh.nibhriain")[LTI + "custom"]
    assert custom == {"context": "", "who": "niamh.nibhriain"}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_tool_has_to_know_and_what_people_read(name: str) -> None:
    tool = CorrectTool(name)
    known = tool.lms.get("/sandbox/platform").get_json()
    assert known["issuer"] == tool.school.issuer and known["token_audience"] in ("", tool.audience)
    assert known["registers_tools"] is (name in ("brightspace", "sakai"))
    for key in ("authorization_url", "token_url", "jwks_url"):
        assert known[key].startswith(LMS + "/")
    assert tool.lms.get(known["jwks_url"].removeprefix(LMS)).status_code == 200
    assert f"behaves like {known['product']}" in tool.lms.get("/who-am-i").text


def test_a_token_of_another_tool_opens_nothing() -> None:
    tool = CorrectTool("brightspace").added()
    endpoint = tool.launch_link("niamh.nibhriain", gradable=True)[AGS + "claim/endpoint"]
    assert tool.call("GET", endpoint["lineitems"].replace("/deployment/1/", "/deployment/2/")).status_code == 403


def test_a_missing_scope_is_forbidden() -> None:
    tool = CorrectTool("canvas").added()
    members = tool.launch_link("maire.niceoin")[NRPS + "claim/namesroleservice"]["context_memberships_url"]
    registered = next(iter(tool.school.tools.values()))
    registered.scopes = tuple(scope for scope in registered.scopes if scope != ROSTER)
    assert tool.call("GET", members).status_code == 403
