"""The guides to registration, and what an administrator types there, against an LMS that a test server plays."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from factories import make_settings
from flask import Flask
from jwt.algorithms import RSAAlgorithm
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from lti_tool.lms.families import GUIDED
from lti_tool.people import by_hand, registry
from lti_tool.people.models import Deployment, Platform
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

TOOL = "http://localhost:8000"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
KEYS = {"keys": [RSAAlgorithm.to_jwk(_KEY, as_dict=True) | {"kid": "k1", "alg": "RS256", "use": "sig"}]}


class Lms:
    """The pages of a Moodle at an address below a site; each answer can be broken."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.origin = server.url_for("").rstrip("/")
        self.site = f"{self.origin}/moodle"
        self.described: Any = {
            "issuer": self.site,
            "authorization_endpoint": f"{self.site}/mod/lti/auth.php",
            "token_endpoint": f"{self.site}/mod/lti/token.php",
            "jwks_uri": f"{self.site}/mod/lti/certs.php",
        }
        self.keys: Any = KEYS
        self.page = Response("No login_hint.", 400)
        self.token = Response('{"access_token": "t", "token_type": "Bearer"}', 200)
        self.asked: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        for name, answer in (
            ("openid-configuration", lambda: _json(self.described)),
            ("certs", lambda: _json(self.keys)),
            ("auth", lambda: self.page),
            ("token", lambda: self.token),
        ):
            server.expect_request(f"/moodle/mod/lti/{name}.php").respond_with_handler(self._noting(name, answer))

    def _noting(self, name: str, answer: Callable[[], Response]) -> Callable[[Request], Response]:
        def handle(_request: Request) -> Response:
            self.asked.append(name)
            if name == "certs":
                self.meanwhile()
            return answer()

        return handle


def _json(body: Any) -> Response:
    return Response(body if isinstance(body, str) else json.dumps(body), mimetype="application/json")


@pytest.fixture
def lms(httpserver: HTTPServer) -> Lms:
    return Lms(httpserver)


@pytest.fixture
def invite(database: Database, clock: Any) -> str:
    with database.write() as session:
        return registry.invite(session, "St. Brigid's", clock()).code


@pytest.fixture
def open_app(database: Database, clock: Any) -> Iterator[Flask]:
    made = create_app(make_settings(registration={"mode": "open"}), database=database, clock=clock)
    made.config["PROPAGATE_EXCEPTIONS"] = False
    yield made


def send(app: Flask, invite: str, lms: str = "moodle", origin: str = TOOL, **typed: str) -> Any:
    return app.test_client().post(
        "/lti/register", data={"invite": invite, "lms": lms} | typed, headers={"Origin": origin} if origin else {}
    )


def send_moodle(app: Flask, invite: str, lms: Lms, **changes: str) -> Any:
    return send(app, invite, **({"site": lms.site, "client_id": "c1", "deployment_id": "1"} | changes))


def platforms(database: Database) -> list[Platform]:
    with database.read() as session:
        found = list(session.scalars(select(Platform)))
        session.expunge_all()
        return found


def is_free(database: Database, code: str, clock: Any) -> bool:
    with database.write() as session:
        reserved = registry.reserve_invite(session, code, clock())
        if reserved:
            registry.release_invite(session, reserved.id)
        return reserved is not None


# The guides.


def test_a_person_chooses_the_lms(app: Flask, database: Database, clock: Any, invite: str) -> None:
    page = app.test_client().get("/lti/register", query_string={"invite": invite})
    assert page.status_code == 200
    for name in ("Moodle", "Canvas", "Blackboard", "Brightspace", "Sakai", "Another LMS"):
        assert name in page.get_data(as_text=True)
    assert is_free(database, invite, clock)


@pytest.mark.parametrize("key", GUIDED)
def test_each_guide_has_the_values_to_copy_and_a_form(
    app: Flask, database: Database, clock: Any, invite: str, key: str
) -> None:
    answer = app.test_client().get("/lti/register", query_string={"invite": invite, "lms": key})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for value in ("/lti/launch", "/lti/login", "/lti/jwks.json"):
        assert f'value="{TOOL}{value}"' in page
    assert "context_history=$Context.id.history" in page
    assert (f'value="{TOOL}/lti/register?invite={invite}"' in page) == (GUIDED[key].registers_itself or key == "other")
    for field in GUIDED[key].asks + GUIDED[key].may_ask:
        assert page.count(f'name="{field}"') == page.count(f'for="{field}"') == 1
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert is_free(database, invite, clock), "looking does not use it up"


def test_an_lms_that_nobody_knows_is_chosen_from_the_list(app: Flask, invite: str) -> None:
    page = app.test_client().get("/lti/register", query_string={"invite": invite, "lms": "../../etc/passwd"})
    assert page.status_code == 200
    assert "Which LMS" in page.get_data(as_text=True)


@pytest.mark.parametrize("lms_key", ["", "moodle"])
def test_an_invite_that_is_unknown_used_or_old(
    app: Flask, database: Database, clock: Any, invite: str, lms_key: str
) -> None:
    def page(code: str) -> tuple[int, str]:
        answer = app.test_client().get("/lti/register", query_string={"invite": code, "lms": lms_key})
        return answer.status_code, answer.get_data(as_text=True)

    for code in ("", "x", "\0", "é"):
        assert page(code)[0] == 403
        assert "Ask the people who run" in page(code)[1]
    clock.advance(8 * 24 * 3600)
    assert page(invite)[0] == 403
    assert "too old" in page(invite)[1]
    clock.advance(-8 * 24 * 3600)
    assert page(invite)[0] == 200


def test_a_used_invite_says_that_it_did_its_work(app: Flask, lms: Lms, invite: str) -> None:
    assert send_moodle(app, invite, lms).status_code == 200
    page = app.test_client().get("/lti/register", query_string={"invite": invite})
    assert page.status_code == 403
    assert "has done its work" in page.get_data(as_text=True)
    assert send_moodle(app, invite, lms, client_id="c2").status_code == 403


# What is typed.


def test_moodle_by_its_address_client_id_and_deployment_id(
    app: Flask, database: Database, lms: Lms, invite: str
) -> None:
    answer = send_moodle(app, invite, lms)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200, page
    assert "Moodle and this tool know each other now" in page
    assert "still marked as pending" not in page, "one that was configured by hand is active"
    (platform,) = platforms(database)
    assert (platform.name, platform.family, platform.status) == ("St. Brigid's", "moodle", "active")
    assert (platform.issuer, platform.client_id) == (lms.site, "c1")
    assert platform.token_url == f"{lms.site}/mod/lti/token.php"
    assert sorted(lms.asked) == ["auth", "certs", "openid-configuration", "token"]
    with database.read() as session:
        assert session.execute(select(Deployment.deployment_id, Deployment.status)).all() == [("1", "active")]


def test_the_next_page_leads_to_the_page_of_the_school(app: Flask, lms: Lms, invite: str) -> None:
    page = send_moodle(app, invite, lms).get_data(as_text=True)
    way = re.search(r'href="(/school/open\?code=[\w-]{40,})"', page)
    assert way
    assert app.test_client().get(way.group(1)).status_code == 200
    assert app.test_client().get("/school/open?code=other").status_code == 404


@pytest.mark.parametrize(
    ("key", "typed", "expected"),
    [
        (
            "moodle",
            {"site": " moodle.school.ie/m/?x=1 ", "client_id": " c "},
            ("https://moodle.school.ie/m", "https://moodle.school.ie/m/mod/lti/auth.php", "…/m/mod/lti/token.php", ""),
        ),
        (
            "canvas",
            {"client_id": "1"},
            (
                "https://canvas.instructure.com",
                "https://sso.canvaslms.com/api/lti/authorize_redirect",
                "https://sso.canvaslms.com/login/oauth2/token",
                "",
            ),
        ),
        (
            "canvas",
            {"client_id": "1", "site": "https://canvas.school.ie/", "issuer": "https://canvas.school.ie"},
            (
                "https://canvas.school.ie",
                "…/api/lti/authorize_redirect",
                "https://canvas.school.ie/login/oauth2/token",
                "",
            ),
        ),
        (
            "blackboard",
            {"client_id": "a/b"},
            ("https://blackboard.com", "…/gateway/oidcauth", "…/gateway/oauth2/jwttoken", ""),
        ),
        (
            "brightspace",
            {"site": "https://school.brightspace.com", "client_id": "c"},
            (
                "https://school.brightspace.com",
                "https://school.brightspace.com/d2l/lti/authenticate",
                "https://auth.brightspace.com/core/connect/token",
                "https://api.brightspace.com/auth/token",
            ),
        ),
        (
            "sakai",
            {"token_url": "https://sakai.school.ie/imsblis/lti13/token/7", "client_id": "c"},
            ("https://sakai.school.ie", "…/imsoidc/lti13/oidc_auth", "…/imsblis/lti13/token/7", ""),
        ),
    ],
)
def test_what_follows_from_what_is_typed(key: str, typed: dict[Any, str], expected: tuple[str, ...]) -> None:
    new = by_hand.fill_in(GUIDED[key], typed).new
    for found, wanted in zip(
        (new.issuer, new.authorization_url, new.token_url, new.token_audience), expected, strict=True
    ):
        assert found.endswith(wanted.removeprefix("…")) if wanted.startswith("…") else found == wanted
    assert new.client_id == typed["client_id"].strip()
    if key == "blackboard":
        assert new.jwks_url.endswith("/management/applications/a%2Fb/jwks.json")


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"keys": {"keys": []}}, "site", "There are no keys"),
        ({"keys": "<html>"}, "site", "There are no keys"),
        ({"page": Response("", 502)}, "site", "Nothing answers at"),
        ({"token": Response("", 500)}, "site", "Nothing answers at"),
        ({"token": Response("<html>", 404), "described": {}}, "site", "gives no tokens (HTTP 404)"),
        ({"token": Response("<html>", 200), "described": {}}, "site", "gives no tokens"),
        ({"described": {"issuer": "https://www.school.ie"}}, "site", "Platform ID: here stands"),
        ({"described": {"issuer": "https://www.school.ie"}}, "site", "says of itself https://www.school.ie"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_nothing_typed_is_lost(
    app: Flask,
    database: Database,
    clock: Any,
    lms: Lms,
    invite: str,
    change: dict[str, Any],
    field: str,
    said: str,
) -> None:
    for name, value in change.items():
        setattr(lms, name, value)
    answer = send_moodle(app, invite, lms, client_id='c"<1>', deployment_id="d 7")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert said in page
    assert f'<a href="#{field}">' in page
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page)
    for kept in (f'value="{lms.site}"', 'value="c&#34;&lt;1&gt;"', 'value="d 7"'):
        assert kept in page
    assert platforms(database) == []
    assert is_free(database, invite, clock)


def test_an_address_that_was_typed_is_what_is_wrong(app: Flask, lms: Lms, invite: str) -> None:
    page = send_moodle(app, invite, lms, jwks_url=f"{lms.origin}/nothing", token_url=lms.origin).get_data(as_text=True)
    assert '<a href="#jwks_url">' in page
    assert '<a href="#token_url">' in page
    assert f"{lms.site}/mod/lti/certs.php" in page, "what the LMS says of itself"
    assert re.search(r"<details class=\"field\" open>", page), "the fields are in sight"


@pytest.mark.parametrize("body", ['{"error": "invalid_client"}', '{"error": "invalid_request"}'])
def test_an_lms_that_does_not_know_us_yet_is_registered_with_a_note(
    app: Flask, database: Database, lms: Lms, invite: str, body: str
) -> None:
    lms.token, lms.described = Response(body, 400), {}
    answer = send_moodle(app, invite, lms)
    assert answer.status_code == 200
    assert "did not give the tool a token yet (HTTP 400 invalid_" in answer.get_data(as_text=True)
    assert len(platforms(database)) == 1


def test_a_token_refused_where_the_lms_says_that_tokens_are(
    app: Flask, database: Database, lms: Lms, invite: str
) -> None:
    """Moodle answers with a page of its own, and 404, while it cannot read our keys."""
    lms.token = Response("<html>", 404)
    assert "did not give the tool a token yet" in send_moodle(app, invite, lms).get_data(as_text=True)
    assert len(platforms(database)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_id": ""}, "client_id"),
        ({"deployment_id": " "}, "deployment_id"),
        ({"site": ""}, "site"),
        ({"site": "ftp://lms.example"}, "site"),
        ({"site": "https://"}, "site"),
        ({"client_id": "x" * 201}, "client_id"),
        ({"client_id": "a\0b"}, "client_id"),
        ({"jwks_url": "not an address"}, "jwks_url"),
        ({"token_url": "https://x.example/" + "y" * 5_000}, "token_url"),
    ],
)
def test_what_cannot_be_right_is_not_tried(
    app: Flask, database: Database, lms: Lms, invite: str, changes: dict[str, str], field: str
) -> None:
    answer = send_moodle(app, invite, lms, **changes)
    assert answer.status_code == 400
    assert f'<a href="#{field}">' in answer.get_data(as_text=True)
    assert lms.asked == platforms(database) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://10.1.2.3/jwks",
        "http://10.1.2.3/jwks",
        "https://169.254.169.254/latest",
        "https://user:secret@lms.example/",
        "https://[::ffff:192.168.0.1]/",
    ],
)
def test_addresses_of_our_own_network_are_not_called(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str, address: str
) -> None:
    lms.described = {}
    answer = send_moodle(app, invite, lms, jwks_url=address)
    assert answer.status_code == 400
    assert "may not be called" in answer.get_data(as_text=True)
    assert is_free(database, invite, clock)


def test_another_lms_needs_all_addresses_and_no_deployment(
    app: Flask, database: Database, lms: Lms, invite: str
) -> None:
    answer = send(
        app,
        invite,
        "other",
        issuer=lms.origin,
        client_id="c1",
        authorization_url=f"{lms.site}/mod/lti/auth.php",
        token_url=f"{lms.site}/mod/lti/token.php",
        jwks_url=f"{lms.site}/mod/lti/certs.php",
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert "approve it" in answer.get_data(as_text=True), "the first place waits for the operator"
    assert [platform.family for platform in platforms(database)] == [""]


def test_a_client_that_is_known_already(app: Flask, database: Database, clock: Any, lms: Lms, invite: str) -> None:
    send_moodle(app, invite, lms)
    with database.write() as session:
        second = registry.invite(session, "Scoil Eile", clock()).code
    answer = send_moodle(app, second, lms)
    assert answer.status_code == 400
    assert "is registered here already" in answer.get_data(as_text=True)
    assert len(platforms(database)) == 1
    assert is_free(database, second, clock)


def test_the_invite_is_held_while_the_lms_is_asked_and_no_transaction_is_open(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str
) -> None:
    seen: list[Any] = []

    def meanwhile() -> None:
        lms.meanwhile = lambda: None
        # A transaction of the first request would let nobody write.
        with database.write() as session:
            registry.invite(session, "Scoil Eile", clock())
        seen.append(send_moodle(app, invite, lms, client_id="c2"))

    lms.meanwhile = meanwhile
    assert send_moodle(app, invite, lms).status_code == 200
    (second,) = seen
    assert second.status_code == 400
    assert "in use at this moment" in second.get_data(as_text=True)
    assert 'value="c2"' in second.get_data(as_text=True)
    assert [platform.client_id for platform in platforms(database)] == ["c1"]


def test_one_invite_sent_twice_at_the_same_moment_serves_once(
    app: Flask, database: Database, lms: Lms, invite: str
) -> None:
    barrier = threading.Barrier(2)
    statuses: list[int] = []

    def run(client_id: str) -> None:
        barrier.wait()
        statuses.append(send_moodle(app, invite, lms, client_id=client_id).status_code)

    threads = [threading.Thread(target=run, args=(client_id,)) for client_id in ("c1", "c2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) in ([200, 400], [200, 403])
    assert len(platforms(database)) == 1


@pytest.mark.parametrize("origin", ["", "https://evil.example", "null", "http://localhost:8001"])
def test_a_form_of_another_site_is_refused(app: Flask, database: Database, lms: Lms, invite: str, origin: str) -> None:
    answer = send(app, invite, origin=origin, site=lms.site, client_id="c1", deployment_id="1")
    assert answer.status_code == 403
    assert "came from somewhere else" in answer.get_data(as_text=True)
    assert lms.asked == platforms(database) == []


def test_without_an_invite_or_an_lms_nothing_is_tried(app: Flask, lms: Lms, invite: str) -> None:
    assert send_moodle(app, "", lms).status_code == 403
    assert send_moodle(app, "made up", lms).status_code == 403
    assert send(app, invite, "none", site=lms.site).status_code == 400
    twice = app.test_client().post(
        f"/lti/register?site={lms.site}",
        data={"invite": invite, "lms": "moodle", "site": lms.site},
        headers={"Origin": TOOL},
    )
    assert twice.status_code == 400
    assert lms.asked == []


def test_in_mode_open_it_waits_for_the_operator(open_app: Flask, database: Database, lms: Lms) -> None:
    assert f'value="{TOOL}/lti/register"' in open_app.test_client().get("/lti/register?lms=moodle").get_data(
        as_text=True
    )
    page = send_moodle(open_app, "", lms).get_data(as_text=True)
    assert "have to approve your LMS" in page
    assert "/school/open" not in page
    assert [platform.status for platform in platforms(database)] == ["pending"]


def test_statements(app: Flask, lms: Lms, invite: str, statements: list[str]) -> None:
    app.test_client().get("/lti/jwks.json")
    statements.clear()
    app.test_client().get("/lti/register", query_string={"invite": invite, "lms": "moodle"})
    assert len(statements) == 1
    statements.clear()
    assert send_moodle(app, invite, lms).status_code == 200
    assert len(statements) <= 12, "\n".join(statements)


def test_addresses_are_not_tried_as_fast_as_one_likes(database: Database, clock: Any, lms: Lms, invite: str) -> None:
    made = create_app(make_settings(limits={"enabled": True}), database=database, clock=clock)
    lms.keys = {"keys": []}
    statuses = [send_moodle(made, invite, lms).status_code for _ in range(12)]
    assert statuses == [400] * 10 + [429] * 2
    assert lms.asked.count("certs") == 10
    clock.advance(61)
    assert send_moodle(made, invite, lms).status_code == 400


# What Canvas reads.


def test_the_configuration_is_what_canvas_asks_for(app: Flask) -> None:
    """By Canvas's documentation of the JSON of a developer key: what is required, and allowed values."""
    told = app.test_client().get("/lti/config.json").get_json()
    for required in ("title", "description", "oidc_initiation_url", "target_link_uri", "public_jwk_url"):
        assert isinstance(told[required], str)
        assert told[required]
    assert set(told["scopes"]) <= {
        "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
        "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly",
        "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly",
        "https://purl.imsglobal.org/spec/lti-ags/scope/score",
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
        "https://canvas.instructure.com/lti/public_jwk/scope/update",
    }
    assert all(isinstance(value, str) for value in told["custom_fields"].values())
    (extension,) = told["extensions"]
    assert extension["platform"] == "canvas.instructure.com"
    assert extension["privacy_level"] == "name_only", "the name, and no e-mail address"
    assert extension["domain"] == "localhost:8000"
    placements = {each["placement"]: each for each in extension["settings"]["placements"]}
    assert set(placements) == {"link_selection", "assignment_selection"}
    for placement in placements.values():
        assert placement["message_type"] == "LtiDeepLinkingRequest"
        assert placement["target_link_uri"] in told["redirect_uris"]
        assert placement["enabled"] is True
