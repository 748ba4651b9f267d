"""A platform's token and membership services, as Moodle answered them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lti_tool.lti.access_tokens import AccessTokens, Client
from lti_tool.lti.http import Http

RECORDED = Path(__file__).parent.parent / "moodle" / "lti"
MEMBERSHIPS = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_KEY = ec.generate_private_key(ec.SECP256R1())


def recorded(name: str) -> dict[str, Any]:
    """One recorded answer: status, headers and body."""
    answer: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    return answer


def sign(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, _KEY, algorithm="ES256", headers={"kid": "k1"})


class RecordedPlatform:
    """Serves on this machine; counts and keeps what it was asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.url = server.url_for("").rstrip("/")
        self.now = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
        self.assertions: list[dict[str, Any]] = []
        self.token_forms: list[dict[str, list[str]]] = []
        self.expires_in: object = 3600
        self.token_answer: Callable[[], Response] | None = None
        self.revoked: set[str] = set()
        self.bearers: list[str] = []
        server.expect_request("/token", method="POST").respond_with_handler(self._token)

    def client(self, platform_id: str = "p1", client_id: str = "c1", audience: str = "") -> Client:
        return Client(platform_id, client_id, f"{self.url}/token", audience)

    def tokens(self) -> AccessTokens:
        return AccessTokens(self.http(), sign, lambda: self.now)

    def http(self) -> Http:
        return Http((ip_network("127.0.0.0/8"), ip_network("::1/128")))

    @property
    def memberships_url(self) -> str:
        return self.url + MEMBERSHIPS

    def serve_roster(self, pages: list[dict[str, Any]] | None = None, link: str = '<{url}>; rel="next"') -> None:
        """Serves `pages` of members; by default Moodle's whole recorded roster in one."""
        pages = pages or [recorded("nrps_all")["body"]]

        def answer(request: Request) -> Response:
            self.bearers.append(request.headers.get("Authorization", ""))
            if self.bearers[-1].removeprefix("Bearer ") in self.revoked:
                return Response('{"error":"invalid_token"}', 401)
            number = int(request.args.get("page", "0"))
            response = Response(json.dumps(pages[number]), 200, content_type=MEDIA_TYPE)
            if number + 1 < len(pages):
                response.headers["Link"] = link.format(url=f"{self.memberships_url}?page={number + 1}")
            return response

        self.server.expect_request(MEMBERSHIPS).respond_with_handler(answer)

    def serve(self, answer: Callable[[Request], Response]) -> None:
        self.server.expect_request(MEMBERSHIPS).respond_with_handler(answer)

    def _token(self, request: Request) -> Response:
        form = parse_qs(request.get_data(as_text=True))
        self.token_forms.append(form)
        self.assertions.append(
            jwt.decode(
                form["client_assertion"][0],
                _KEY.public_key(),
                algorithms=["ES256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )
        )
        if self.token_answer is not None:
            return self.token_answer()
        body = recorded("token_response")["body"] | {
            "access_token": f"token{len(self.token_forms)}",
            "expires_in": self.expires_in,
            "scope": form["scope"][0],
        }
        return Response(json.dumps(body), 200, content_type="application/json")
