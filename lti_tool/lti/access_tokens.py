"""Access tokens of a platform's services (Security Framework 1.0, section 4: client_credentials with a signed
assertion).

Tokens are kept in this process, per registration and scope set: two schools under one shared issuer are two
registrations, and never see each other's token.
"""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lti_tool.lti.http import AddressRefused, Http, HttpError, Response

_MARGIN = timedelta(seconds=60)
"""A token this close to its end is not used any more: the request itself takes time, and clocks differ."""
_ASSERTION_LIFETIME = timedelta(minutes=5)
_DEFAULT_LIFETIME = timedelta(hours=1)
_LONGEST_LIFETIME_S = 24 * 3600
_LONGEST_WAIT_S = 3600
_CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Signer = Callable[[dict[str, Any]], str]
"""Signs claims with our active key; the header names the key (`kid`)."""


class ServiceError(Exception):
    """A service of a platform did not do what was asked.

    `code` says what went wrong: unreachable, refused (the platform says no), malformed (its answer makes no sense),
    unauthorized, busy. `retry_after` is how long it asked to wait, or None. `detail` is for the operator's eyes: what
    the platform said about the request, never about people.
    """

    def __init__(self, code: str, *, detail: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to one platform: what a token request needs of a registration."""

    platform_id: str
    client_id: str
    token_url: str
    token_audience: str = ""
    """Audience of the assertion where it is not the token URL (Brightspace); else empty."""


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = ""
    usable_until: datetime | None = None


class AccessTokens:
    """The tokens of one process; safe between threads. Waiters for the same token share one request."""

    def __init__(self, http: Http, sign: Signer, clock: Callable[[], datetime]) -> None:
        self._http = http
        self._sign = sign
        self._clock = clock
        self._slots: dict[tuple[str, str, str, frozenset[str]], _Slot] = {}
        self._slots_lock = threading.Lock()

    def get(self, client: Client, scopes: Iterable[str], *, instead_of: str | None = None) -> str:
        """A bearer token for `scopes`, from memory if one is good for another minute.

        `instead_of`: a token that a service refused; a new one is fetched unless another caller has done so already.
        Raises ServiceError.
        """
        wanted = frozenset(scopes)
        slot = self._slot(client, wanted)
        with slot.lock:
            fresh = slot.usable_until is not None and self._clock() < slot.usable_until
            if not fresh or slot.token == instead_of:
                slot.token, slot.usable_until = self._fetch(client, wanted)
            return slot.token

    def renew(self, client: Client, scopes: Iterable[str]) -> str:
        """A new token, whatever is in memory, to see whether the platform still gives one. Raises ServiceError."""
        wanted = frozenset(scopes)
        slot = self._slot(client, wanted)
        with slot.lock:
            slot.token, slot.usable_until = self._fetch(client, wanted)
            return slot.token

    def _slot(self, client: Client, wanted: frozenset[str]) -> _Slot:
        with self._slots_lock:
            return self._slots.setdefault((client.platform_id, client.client_id, client.token_url, wanted), _Slot())

    def _fetch(self, client: Client, scopes: frozenset[str]) -> tuple[str, datetime]:
        now = self._clock()
        assertion = self._sign(
            {
                "iss": client.client_id,
                "sub": client.client_id,
                "aud": client.token_audience or client.token_url,
                "iat": int(now.timestamp()),
                "exp": int((now + _ASSERTION_LIFETIME).timestamp()),
                "jti": secrets.token_urlsafe(24),
            }
        )
        answer = _answer(
            lambda: self._http.post(
                client.token_url,
                form={
                    "grant_type": "client_credentials",
                    "client_assertion_type": _CLIENT_ASSERTION,
                    "client_assertion": assertion,
                    "scope": " ".join(sorted(scopes)),
                },
                headers={"Accept": "application/json"},
            )
        )
        if answer.status >= 300:
            raise ServiceError("refused", detail=_said(answer))
        body = read_json(answer)
        token = body.get("access_token")
        if not isinstance(token, str) or not token or str(body.get("token_type", "bearer")).lower() != "bearer":
            raise ServiceError("malformed", detail="the token answer holds no bearer token")
        return token, now + _lifetime(body.get("expires_in")) - _MARGIN


def read_service(
    tokens: AccessTokens, http: Http, client: Client, scope: str, url: str, *, accept: str, max_bytes: int
) -> Response:
    """One reading request to a service of the platform; a token that it refuses (401) is replaced once.

    Raises ServiceError for every answer but a success.
    """

    def read(token: str) -> Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": accept}
        return http.get(url, headers=headers, max_bytes=max_bytes)

    answer = ask_service(tokens, client, scope, read)
    if answer.status >= 300:
        raise ServiceError("refused", detail=_said(answer))
    return answer


def ask_service(tokens: AccessTokens, client: Client, scope: str, send: Callable[[str], Response]) -> Response:
    """What a service of the platform answers to `send`, which is given a token for `scope`; a token that it refuses
    (401) is replaced once.

    Raises ServiceError where there is no token, where the second one is refused too (unauthorized), and where the
    platform is down or asks to be left alone. Any other answer is the caller's to judge.
    """
    token = tokens.get(client, [scope])
    answer = _answer(lambda: send(token))
    if answer.status == 401:
        fresh = tokens.get(client, [scope], instead_of=token)
        answer = _answer(lambda: send(fresh))
    if answer.status == 401:
        raise ServiceError("unauthorized", detail=_said(answer))
    return answer


def read_json(answer: Response) -> dict[str, Any]:
    """The JSON object of an answer; raises ServiceError (malformed)."""
    try:
        body = answer.json()
    except HttpError as error:
        raise ServiceError("malformed", detail=str(error)) from error
    if not isinstance(body, dict):
        raise ServiceError("malformed", detail="the answer is not a JSON object")
    return body


def _answer(send: Callable[[], Response]) -> Response:
    """What the platform answered, unless it is down or asks to be left alone for a while."""
    try:
        answer = send()
    except AddressRefused as error:
        raise ServiceError("refused", detail=str(error)) from error
    except HttpError as error:
        raise ServiceError("unreachable", detail=str(error)) from error
    if answer.status in (408, 429) or answer.status >= 500:
        code = "busy" if answer.status in (429, 503) else "unreachable"
        raise ServiceError(code, detail=f"HTTP {answer.status}", retry_after=_retry_after(answer))
    return answer


def _retry_after(answer: Response) -> timedelta | None:
    value = answer.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(value), _LONGEST_WAIT_S)) if value.isascii() and value.isdigit() else None


def _lifetime(expires_in: object) -> timedelta:
    try:
        return timedelta(seconds=min(max(int(str(expires_in)), 0), _LONGEST_LIFETIME_S))
    except ValueError:
        return _DEFAULT_LIFETIME


def _said(answer: Response) -> str:
    """The status and, where the platform gives one, the OAuth error code (RFC 6749, 5.2)."""
    try:
        body = answer.json()
    except HttpError:
        body = None
    code = str(body.get("error", ""))[:60] if isinstance(body, dict) else ""
    return f"HTTP {answer.status} {code}".strip()
