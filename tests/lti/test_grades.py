"""The grade service's protocol, against what a real Moodle answered and against odder ones."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lti_tool.lti.access_tokens import AccessTokens, Client, ServiceError
from lti_tool.lti.grades import LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE, Gradebook, Result, below
from lti_tool.lti.http import Http
from lti_tool.settings import Settings

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent.parent / "moodle" / "lti" / "ags.json").read_text("utf-8"))
ITEMS = "/mod/lti/services.php/2/lineitems"
ITEM = ITEMS + "/3/lineitem"
AT = datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


class Platform:
    """Answers at Moodle's addresses; keeps what it was asked."""

    def __init__(self, server: HTTPServer, http: Http) -> None:
        self.server = server
        self.requests: list[Request] = []
        self.bodies: list[Any] = []
        self.token_status = 200
        server.expect_request("/token", method="POST").respond_with_handler(self._token)
        tokens = AccessTokens(http, lambda claims: jwt.encode(claims, KEY, "ES256"), lambda: datetime.now(UTC))
        self.gradebook = Gradebook(tokens, http, Client("p", "c", server.url_for("/token")))
        self.item = server.url_for(ITEM) + "?type_id=1"
        self.items = server.url_for(ITEMS) + "?type_id=1"

    def answers(self, path: str, *answers: Response | Callable[[Request], Response]) -> None:
        left = list(answers)

        def answer(request: Request) -> Response:
            self.requests.append(request)
            self.bodies.append(request.get_json(force=True, silent=True))
            found = left.pop(0) if len(left) > 1 else left[0]
            return found if isinstance(found, Response) else found(request)

        self.server.expect_request(path).respond_with_handler(answer)

    def scopes(self) -> list[str]:
        return [str(request.form["scope"]) for request, _ in self.server.log if request.path == "/token"]

    def _token(self, request: Request) -> Response:
        body = {"access_token": f"for {request.form['scope']}", "token_type": "Bearer", "expires_in": 3600}
        return Response(json.dumps(body), self.token_status)


@pytest.fixture
def platform(httpserver: HTTPServer, settings: Settings) -> Platform:
    return Platform(httpserver, Http(settings.network.allow_private))


def recorded(name: str) -> Response:
    answer = RECORDED[name]
    return Response(answer["body"], answer["status"], content_type=answer["headers"]["Content-Type"])


def entries(*bodies: dict[str, Any], link: str = "") -> Response:
    return Response(json.dumps(bodies), 200, headers={"Link": link} if link else {})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://lms.example/lineitems/3/lineitem?type_id=1",
            "https://lms.example/lineitems/3/lineitem/scores?type_id=1",
        ),
        ("https://lms.example/line_items/3", "https://lms.example/line_items/3/scores"),
        ("https://lms.example/line_items/3/", "https://lms.example/line_items/3/scores"),
        ("https://lms.example/i?a=1&b=%2F#x", "https://lms.example/i/scores?a=1&b=%2F"),
    ],
)
def test_scores_goes_on_the_path(url: str, expected: str) -> None:
    assert below(url, "scores") == expected


def test_a_filter_joins_the_query_that_is_there() -> None:
    assert below("https://lms.example/i?type_id=1&x=", "results", user_id="a b&c") == (
        "https://lms.example/i/results?type_id=1&x=&user_id=a+b%26c"
    )


def test_a_score_as_moodle_took_it(platform: Platform) -> None:
    platform.answers(ITEM + "/scores", recorded("score"))
    platform.gradebook.post_completion(platform.item, "3", AT.astimezone(timezone(timedelta(hours=5))))
    (request,) = platform.requests
    assert request.args.to_dict() == {"type_id": "1"}
    assert request.mimetype == "application/vnd.ims.lis.v1.score+json"
    assert request.headers["User-Agent"] == "Meitheal"
    assert request.headers["Authorization"] == f"Bearer for {SCORE_SCOPE}"
    assert platform.bodies == [
        {
            "userId": "3",
            "timestamp": "2026-11-22T10:00:05.000Z",
            "scoreGiven": 1,
            "scoreMaximum": 1,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "comment": "Completed",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("score_old", "conflict"),
        ("score_unknown_user", "not_gradable"),
        (422, "not_gradable"),
        (403, "forbidden"),
        (404, "gone"),
        (410, "gone"),
        (401, "unauthorized"),
        (302, "refused"),
        (405, "refused"),
        (429, "busy"),
        (500, "unreachable"),
    ],
)
def test_what_goes_wrong_has_a_code(platform: Platform, answer: str | int, code: str) -> None:
    platform.answers(
        ITEM + "/scores",
        recorded(answer) if isinstance(answer, str) else Response("no", answer, headers={"Retry-After": "7"}),
    )
    with pytest.raises(ServiceError) as problem:
        platform.gradebook.post_completion(platform.item, "3", AT)
    assert problem.value.code == code
    if code == "busy":
        assert problem.value.retry_after == timedelta(seconds=7)


def test_a_refused_token_is_replaced_once(platform: Platform) -> None:
    platform.answers(ITEM + "/scores", Response("", 401), Response("", 200))
    platform.gradebook.post_completion(platform.item, "3", AT)
    assert platform.scopes() == [SCORE_SCOPE, SCORE_SCOPE]


def test_no_token_is_not_about_the_person(platform: Platform) -> None:
    platform.token_status = 400
    with pytest.raises(ServiceError) as problem:
        platform.gradebook.post_completion(platform.item, "3", AT)
    assert problem.value.code == "no_token"


def test_an_lms_that_is_down(platform: Platform) -> None:
    platform.gradebook.tokens.get(platform.gradebook.client, [SCORE_SCOPE])
    platform.server.stop()
    with pytest.raises(ServiceError) as problem:
        platform.gradebook.post_completion(platform.item, "3", AT)
    platform.server.start()
    assert problem.value.code == "unreachable"


def test_a_result_as_moodle_gave_it_after_the_grade_was_erased(platform: Platform) -> None:
    platform.answers(ITEM + "/results", recorded("results"))
    assert platform.gradebook.read_result(platform.item, "3") == Result(None, None, None)
    assert platform.gradebook.read_result(platform.item, "4") is None
    assert platform.requests[0].args.to_dict() == {"type_id": "1", "user_id": "3"}
    assert platform.requests[0].headers["Accept"] == "application/vnd.ims.lis.v2.resultcontainer+json"
    assert platform.scopes() == [RESULT_SCOPE]


@pytest.mark.parametrize(
    ("entry", "result"),
    [
        (
            {"resultScore": 100, "resultMaximum": 100.0, "timestamp": "2026-11-22T11:00:05+01:00"},
            Result(100, 100, AT),
        ),
        ({"resultScore": None, "timestamp": None}, Result(None, None, None)),
        ({"resultScore": "1", "resultMaximum": True, "timestamp": 5}, Result(None, None, None)),
        ({"resultScore": 10**400, "resultMaximum": 1, "timestamp": "soon"}, Result(None, 1, None)),
        ({"resultScore": 1, "resultMaximum": 1, "timestamp": "2026-11-22T10:00:05"}, Result(1, 1, None)),
        ({"resultScore": 1, "resultMaximum": 1, "timestamp": "0001-01-01T00:00:00+14:00"}, Result(1, 1, None)),
    ],
)
def test_results_of_every_kind(platform: Platform, entry: dict[str, Any], result: Result) -> None:
    platform.answers(ITEM + "/results", entries({"userId": 3, **entry}))
    assert platform.gradebook.read_result(platform.item, "3") == result


def test_a_result_is_found_on_a_later_page(platform: Platform) -> None:
    """Where the LMS does not know the filter, and with Moodle's typographic quotes."""
    following = f"<{platform.server.url_for(ITEM)}/results?page=1>; rel=“next”".encode().decode("latin-1")
    mine = {"userId": "3", "resultScore": 1, "resultMaximum": 1}
    platform.answers(ITEM + "/results", entries({"userId": "1"}, link=following), entries({"userId": "2"}, mine))
    assert platform.gradebook.read_result(platform.item, "3") == Result(1, 1, None)


@pytest.mark.parametrize(
    "link", ["<{here}>; rel=next", "<https://elsewhere.example/>; rel=next", "<http://[>; rel=next"]
)
def test_pages_that_lead_nowhere_are_an_error(platform: Platform, link: str) -> None:
    here = below(platform.item, "results", user_id="3")
    platform.answers(ITEM + "/results", entries(link=link.format(here=here)))
    with pytest.raises(ServiceError) as problem:
        platform.gradebook.read_result(platform.item, "3")
    assert problem.value.code == "malformed"


@pytest.mark.parametrize("body", ["<html>", "{}", '"x"'])
def test_an_answer_that_is_no_list_is_an_error(platform: Platform, body: str) -> None:
    platform.answers(ITEMS, Response(body, 200))
    with pytest.raises(ServiceError) as problem:
        platform.gradebook.find_column(platform.items, "1")
    assert problem.value.code == "malformed"


def test_the_column_as_moodle_listed_it(platform: Platform) -> None:
    platform.answers(ITEMS, recorded("list"))
    found = platform.gradebook.find_column(platform.items, "1")
    assert found == "http://127.0.0.1:8088/mod/lti/services.php/2/lineitems/2/lineitem?type_id=1"
    assert platform.requests[0].args.to_dict() == {"type_id": "1", "resource_link_id": "1"}
    assert platform.scopes() == [LINE_ITEM_SCOPE]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ([], None),
        ([("a", "1", "")], "https://lms.example/a"),
        ([("a", "2", "")], None),
        ([("a", "1", ""), ("b", "1", "")], None),
        ([("a", "1", ""), ("b", "1", "completion")], "https://lms.example/b"),
        ([("a", "2", "completion"), ("b", "1", "")], "https://lms.example/b"),
        ([("a", "1", "completion"), ("b", "1", "completion")], "https://lms.example/a"),
    ],
)
def test_which_column_is_taken(platform: Platform, columns: list[tuple[str, str, str]], found: str | None) -> None:
    platform.answers(
        ITEMS,
        entries(
            *({"id": f"https://lms.example/{name}", "resourceLinkId": link, "tag": tag} for name, link, tag in columns)
        ),
    )
    assert platform.gradebook.find_column(platform.items, "1") == found


@pytest.mark.parametrize("address", [None, 5, "", "javascript:x", "https://lms.example/" + "x" * 1000])
def test_a_column_without_a_usable_address_is_none(platform: Platform, address: object) -> None:
    platform.answers(ITEMS, lambda request: _one_or_created(request, {"id": address, "resourceLinkId": "1"}))
    assert platform.gradebook.find_column(platform.items, "1") is None
    with pytest.raises(ServiceError) as problem:
        platform.gradebook.create_column(platform.items, resource_link_id="1", resource_id="a", label="Cycle 1")
    assert problem.value.code == "malformed"


def _one_or_created(request: Request, body: dict[str, Any]) -> Response:
    return entries(body) if request.method == "GET" else Response(json.dumps(body), 201)


def test_a_new_column_as_moodle_made_it(platform: Platform) -> None:
    platform.answers(ITEMS, recorded("create"))
    url = platform.gradebook.create_column(platform.items, resource_link_id="1", resource_id="cycle-1", label="Cycle 1")
    assert url == "http://127.0.0.1:8088/mod/lti/services.php/2/lineitems/3/lineitem?type_id=1"
    assert platform.bodies == [
        {"label": "Cycle 1", "scoreMaximum": 1, "resourceId": "cycle-1", "resourceLinkId": "1", "tag": "completion"}
    ]
    (request,) = platform.requests
    assert request.mimetype == "application/vnd.ims.lis.v2.lineitem+json"
    assert request.args.to_dict() == {"type_id": "1"}


def test_an_address_in_our_own_network_is_never_called(settings: Settings, platform: Platform) -> None:
    guarded = Gradebook(platform.gradebook.tokens, Http(()), platform.gradebook.client)
    with pytest.raises(ServiceError) as problem:
        guarded.post_completion("http://169.254.169.254/latest/lineitem", "3", AT)
    assert problem.value.code == "refused"
