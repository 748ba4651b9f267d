"""The membership service: every page or nothing, and nothing taken on trust."""

import json
from typing import Any

import pytest
from roster_platform import RecordedPlatform, recorded
from werkzeug import Request, Response

from lti_tool.lti.access_tokens import ServiceError
from lti_tool.lti.names_roles import SCOPE, Member, read_roster
from lti_tool.lti.roles import lms_role


def read(platform: RecordedPlatform) -> list[Member]:
    return read_roster(platform.tokens(), platform.http(), platform.client(), platform.memberships_url)


def failure(platform: RecordedPlatform) -> ServiceError:
    with pytest.raises(ServiceError) as problem:
        read(platform)
    return problem.value


def body(*members: object) -> dict[str, Any]:
    return {"id": "x", "context": {"id": "2"}, "members": list(members)}


def test_moodle_s_whole_course(platform: RecordedPlatform) -> None:
    platform.serve_roster()
    members = read(platform)
    assert len(members) == 62
    assert members[0] == Member("30", "Gráinne Byrne", "Gráinne", "Byrne", ("Learner",))
    # The second trainer is a non-editing teacher: Instructor at launch, Learner in the roster.
    assert sorted(lms_role(member.roles) for member in members).count("instructor") == 1
    assert platform.token_forms[0]["scope"] == [SCOPE]


def test_moodle_s_pages_are_followed(platform: RecordedPlatform) -> None:
    """The recorded first page names the second by its Link header; the rest is cut from the recorded whole."""
    first = recorded("nrps_limit20")
    link = first["headers"]["Link"].replace("http://127.0.0.1:8088", platform.url)
    everybody = recorded("nrps_all")["body"]["members"]

    def answer(request: Request) -> Response:
        start = int(request.args.get("from", "0"))
        response = Response(json.dumps(body(*everybody[start : start + 20])), 200)
        if start == 0:
            response.headers["Link"] = link
        elif start + 20 < len(everybody):
            response.headers["Link"] = link.replace("from=20", f"from={start + 20}")
        return response

    platform.serve(answer)
    assert first["body"]["members"] == everybody[:20]
    assert {member.user_id for member in read(platform)} == {entry["user_id"] for entry in everybody}


def test_a_roster_for_one_link_is_read_too(platform: RecordedPlatform) -> None:
    platform.serve_roster([recorded("nrps_rlid")["body"]])
    assert len(read(platform)) == 62


def test_typographic_quotes_do_not_cut_the_roster_short(platform: RecordedPlatform) -> None:
    pages = [body({"user_id": "1"}), body({"user_id": "2"}), body({"user_id": "3"})]
    platform.serve_roster(pages, link="<{url}>; rel=\u201cnext\u201d".encode().decode("latin-1"))
    assert [member.user_id for member in read(platform)] == ["1", "2", "3"]


def test_what_may_be_absent_or_odd(platform: RecordedPlatform) -> None:
    platform.serve_roster(
        [
            body(
                {"user_id": "1"},
                {"user_id": "2", "name": None, "roles": None, "email": 5, "status": None},
                {"user_id": 3, "given_name": "Aoife", "family_name": "Walsh", "roles": ["Learner", 7]},
                {"user_id": "4", "status": "Inactive", "roles": ["Learner"]},
                {"user_id": "5", "status": "Deleted"},
                {"user_id": "6", "status": "active", "name": "a\0b\ud800"},
                {"user_id": "7\ud800"},
                {"name": "nobody"},
                {"user_id": ""},
                {"user_id": "x" * 300},
                {"user_id": True},
                {"user_id": "1", "roles": ["Instructor"], "name": "Later"},
            )
        ]
    )
    assert read(platform) == [
        Member("1", "Later", "", "", ("Instructor",)),
        Member("2", "", "", "", ()),
        Member("3", "Aoife Walsh", "Aoife", "Walsh", ("Learner",)),
        Member("6", "ab", "", "", ()),
    ]


@pytest.mark.parametrize(
    "answer",
    [b"<html>", b"[]", b"{}", b'{"members": {}}', b'{"members": ["1"]}', b'{"members": []}', b'{"members": [{}]}'],
)
def test_a_malformed_or_empty_answer_is_never_taken_for_a_roster(platform: RecordedPlatform, answer: bytes) -> None:
    platform.serve(lambda _request: Response(answer, 200))
    assert failure(platform).code == "malformed"


@pytest.mark.parametrize(
    "link",
    [
        "<https://evil.example/memberships>; rel=next",
        "<http://127.0.0.1:1/memberships>; rel=next",
        "<//evil.example/x>; rel=next",
        "<file:///etc/passwd>; rel=next",
        "<http://[oops>; rel=next",
    ],
)
def test_the_next_page_must_be_on_the_same_site(platform: RecordedPlatform, link: str) -> None:
    """Our token goes along with the request: it must never be led elsewhere."""
    platform.serve(lambda _request: Response(json.dumps(body({"user_id": "1"})), 200, headers={"Link": link}))
    assert failure(platform).code == "malformed"


def test_pages_that_go_in_a_circle_end(platform: RecordedPlatform) -> None:
    link = f"<{platform.memberships_url}>; rel=next"
    platform.serve(lambda _request: Response(json.dumps(body({"user_id": "1"})), 200, headers={"Link": link}))
    assert "do not end" in failure(platform).detail


def test_pages_that_never_end_end(platform: RecordedPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lti_tool.lti.names_roles._MAX_PAGES", 5)
    asked: list[int] = []

    def answer(request: Request) -> Response:
        asked.append(int(request.args.get("n", "0")))
        link = f"<{platform.memberships_url}?n={asked[-1] + 1}>; rel=next"
        return Response(json.dumps(body({"user_id": str(asked[-1])})), 200, headers={"Link": link})

    platform.serve(answer)
    assert "do not end" in failure(platform).detail
    assert len(asked) == 5


def test_too_many_people_and_too_large_a_page_are_refused(
    platform: RecordedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.serve_roster()
    monkeypatch.setattr("lti_tool.lti.names_roles._MAX_MEMBERS", 61)
    assert failure(platform).code == "malformed"
    monkeypatch.setattr("lti_tool.lti.names_roles._MAX_PAGE_BYTES", 1000)
    assert failure(platform).code == "unreachable"


def test_a_page_that_fails_late_fails_the_whole_reading(platform: RecordedPlatform) -> None:
    def answer(request: Request) -> Response:
        if "page" in request.args:
            return Response("", 503, headers={"Retry-After": "30"})
        link = f"<{platform.memberships_url}?page=1>; rel=next"
        return Response(json.dumps(body({"user_id": "1"})), 200, headers={"Link": link})

    platform.serve(answer)
    assert failure(platform).code == "busy"
