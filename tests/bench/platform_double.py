"""The platform of a benchmark: signs tokens as an LMS does, and walks a launch over one kept-alive connection."""

import http.client
import json
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://lms.example"
CLIENT_ID = "bench"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"


@dataclass
class Platform:
    """Keys and claims of a made-up LMS."""

    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def stored_keys(self) -> list[dict[str, str]]:
        """The public keys as the tool keeps them once it has read them."""
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return [{name: jwk[name] for name in ("kty", "n", "e")} | {"kid": "bench-key", "alg": "RS256"}]

    def token(self, nonce: str, launch_url: str, person: int = 1) -> str:
        now = int(time.time())
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": CLIENT_ID,
                "sub": str(person),
                "nonce": nonce,
                "iat": now,
                "exp": now + 60,
                "name": f"Niamh Ní Bhriain {person}",
                "given_name": "Niamh",
                "family_name": f"Ní Bhriain {person}",
                CLAIM + "version": "1.3.0",
                CLAIM + "message_type": "LtiResourceLinkRequest",
                CLAIM + "deployment_id": "1",
                CLAIM + "target_link_uri": launch_url,
                CLAIM + "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
                CLAIM + "context": {"id": "2", "label": "CPC26", "title": "CPC 2026/27", "type": ["CourseSection"]},
                CLAIM + "resource_link": {"id": "1", "title": "Coaching cycle 1"},
                CLAIM + "launch_presentation": {"locale": "en", "document_target": "iframe"},
            },
            self.key,
            algorithm="RS256",
            headers={"kid": "bench-key"},
        )


class Browser:
    """Just enough of a browser: cookies, and one connection that stays open."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.address = address
        self.cookies: dict[str, str] = {"__Host-cookies": "1"}
        self._connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=30)

    def launch(self, platform: Platform, person: int = 1) -> bytes:
        """Login, launch, and the page behind it; returns the page. Raises RuntimeError when a step is refused."""
        launch_url = f"{self.address}/lti/launch"
        query = urlencode(
            {
                "iss": ISSUER,
                "client_id": CLIENT_ID,
                "login_hint": str(person),
                "target_link_uri": launch_url,
                "lti_message_hint": "1",
            }
        )
        status, location, body = self._send("GET", f"/lti/login?{query}")
        self._expect(status in (302, 303), "login", status, body)
        asked = parse_qs(urlsplit(location).query)
        form = urlencode(
            {"state": asked["state"][0], "id_token": platform.token(asked["nonce"][0], launch_url, person)}
        )
        status, location, body = self._send("POST", "/lti/launch", form)
        self._expect(status == 303, "launch", status, body)
        status, _, body = self._send("GET", location)
        self._expect(status == 200, "page", status, body)
        return body

    def _send(self, method: str, path: str, form: str | None = None) -> tuple[int, str, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        path = path.removeprefix(self.address)
        self._connection.request(method, path, form, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                for cookie in SimpleCookie(value.replace("; Partitioned", "")).values():
                    if cookie["max-age"] == "0" or not cookie.value:
                        self.cookies.pop(cookie.key, None)
                    else:
                        self.cookies[cookie.key] = cookie.value
        # A real browser does not keep a session per launch for ever; without this the header would grow without end.
        sessions = [name for name in self.cookies if name.startswith("__Host-at-")]
        for name in sessions[:-1]:
            del self.cookies[name]
        return answer.status, answer.getheader("Location") or "", body

    @staticmethod
    def _expect(condition: bool, step: str, status: int, body: bytes) -> None:
        if not condition:
            raise RuntimeError(f"{step} answered {status}: {body[:400]!r}")
