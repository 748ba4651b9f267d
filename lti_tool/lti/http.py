"""Calls to platforms, guarded: an address that somebody else named never reaches our own network.

Each connection resolves the name itself, checks the addresses and connects to exactly the checked one, so a name
server that changes its answer between check and use gains nothing; TLS still verifies the name. There are no redirects,
no proxies or credentials from the environment, no cookies; sizes and times have limits.
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import HTTPError as Urllib3Error

from lti_tool.settings import Networks

CONNECT_TIMEOUT_S = 4.0
READ_TIMEOUT_S = 10.0
TOTAL_TIMEOUT_S = 20.0
MAX_BYTES = 1_000_000
MAX_URL = 2_000
_CHUNK = 16_384
_MAX_POOLS = 200
_USER_AGENT = "Meitheal"
_EMBEDS_IPV4 = IPv6Network("64:ff9b::/96")
"""NAT64: the last 32 bits are the IPv4 address that is really called."""

Address = IPv4Address | IPv6Address

# It writes the path of an address that it tries again, which may be all that keeps the address private.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


class HttpError(Exception):
    """A call did not give a usable answer. The text names no query and no credential."""


class AddressRefused(HttpError):
    """The URL may not be called: its form, its scheme, or where its name leads."""


class CallFailed(HttpError):
    """The other side did not answer in time, answered too much, or something that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the other side answered. Header names are matched in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises CallFailed."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise CallFailed("the answer is not JSON") from error


class Http:
    """Calls out, with one pooled session for each host. Safe between threads; does nothing until called."""

    def __init__(self, allow_private: Networks = ()) -> None:
        self._allowed = allow_private
        self._sessions: dict[str, requests.Session] = {}
        self._lock = threading.Lock()

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int = MAX_BYTES) -> Response:
        """Reads `url`; a lost connection is tried once more. Raises AddressRefused, CallFailed."""
        return self.request("GET", url, headers=headers, max_bytes=max_bytes)

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Response:
        """Posts a form or JSON to `url`, once. Raises AddressRefused, CallFailed."""
        return self.request("POST", url, form=form, json=json, headers=headers, max_bytes=max_bytes)

    def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Response:
        """One call. Any status is an answer, 3xx too: redirects are never followed.

        Raises AddressRefused before anything is sent, CallFailed afterwards.
        """
        origin = checked_origin(url)
        deadline = time.monotonic() + TOTAL_TIMEOUT_S
        try:
            with self._session(origin).request(
                method,
                url,
                data=form,
                json=json,
                headers=dict(headers or {}),
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = _read(response, max_bytes, deadline)
                return Response(response.status_code, response.headers, body)
        except (requests.RequestException, Urllib3Error, OSError, ValueError) as error:
            if refused := _refusal_in(error):
                raise AddressRefused(str(refused)) from None
            raise CallFailed(f"{urlsplit(url).hostname}: {type(error).__name__}") from error

    def check(self, url: str) -> None:
        """Whether `url` could be called now, without calling it. Raises AddressRefused, or CallFailed if its name
        does not resolve."""
        checked_origin(url)
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            checked_addresses(parts.hostname or "", port, self._allowed, parts.scheme == "https")
        except OSError as error:
            raise CallFailed(f"{parts.hostname} has no address") from error

    def close(self) -> None:
        """Closes all pooled connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _session(self, origin: str) -> requests.Session:
        with self._lock:
            session = self._sessions.get(origin)
            if session is None:
                if len(self._sessions) >= _MAX_POOLS:
                    self._sessions.pop(next(iter(self._sessions))).close()
                session = self._sessions[origin] = _new_session(self._allowed)
            return session


def checked_origin(url: str) -> str:
    """Scheme, host and port of a callable URL. Raises AddressRefused: another scheme, no host, credentials in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("not an address") from None
    if len(url) > MAX_URL or any(character <= " " or character == "\x7f" for character in url):
        raise AddressRefused("not an address")
    if parts.scheme not in ("https", "http") or not host or "\\" in parts.netloc:
        raise AddressRefused("not an https address")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("an address with a user name in it")
    if port == 0:
        raise AddressRefused("not an address")
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{host}:{port or default}"


def checked_addresses(host: str, port: int, allowed: Networks, secure: bool) -> list[tuple[int, str]]:
    """(family, address) pairs of `host`, all of which may be called.

    Raises AddressRefused when any address of the name is private and not allowed, or when the call is in clear text
    and leaves the allowed networks; OSError when the name does not resolve.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise AddressRefused("not a host name") from error
    addresses = []
    for family, _kind, _protocol, _name, where in found:
        text = str(where[0])
        if not may_call(ip_address(text.partition("%")[0]), allowed, secure):
            raise AddressRefused(
                f"{host} leads to an address that is not allowed" if secure else f"{host} is not https"
            )
        addresses.append((int(family), text))
    if not addresses:
        raise OSError("no address")
    return addresses


def may_call(address: Address, allowed: Networks, secure: bool) -> bool:
    """Whether an address may be called: public over https, or in an allowed network over http too."""
    inner = _inner(address)
    if any(inner in network for network in allowed if network.version == inner.version):
        return True
    if not secure or not inner.is_global:
        return False
    if inner.is_multicast or inner.is_reserved or inner.is_private or inner.is_link_local or inner.is_unspecified:
        return False
    if isinstance(inner, IPv4Address):
        return True
    # Tunnels name an IPv4 address that a relay would call for us.
    return not inner.is_site_local and inner.sixtofour is None and inner.teredo is None


def _inner(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _EMBEDS_IPV4:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _new_session(allowed: Networks) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies = _NoCookies()
    session.headers["User-Agent"] = _USER_AGENT
    session.headers["Accept-Encoding"] = "gzip, identity"
    adapter = _GuardedAdapter(allowed)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _NoCookies(RequestsCookieJar):
    """Keeps nothing: a platform's session cookie must not tie one school's call to another's."""

    def set_cookie(self, cookie: Any, *args: Any, **kwargs: Any) -> None:
        return None


class _GuardedAdapter(HTTPAdapter):
    """Pools whose connections check the address they connect to."""

    def __init__(self, allowed: Networks) -> None:
        self._allowed = allowed
        # Reads only: a repeated POST could register or report twice. An error of TLS counts as "other", whatever the
        # method was, and may come after the call was carried out.
        retry = Retry(
            total=1,
            connect=1,
            read=1,
            other=0,
            redirect=0,
            status=0,
            allowed_methods={"GET"},
            raise_on_redirect=False,
            respect_retry_after_header=False,
        )
        super().__init__(pool_connections=1, pool_maxsize=8, max_retries=retry)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._allowed)


def _pool_classes(allowed: Networks) -> dict[str, type[HTTPConnectionPool]]:
    class GuardedHTTP(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allowed, secure=False)

    class GuardedHTTPS(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allowed, secure=True)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = GuardedHTTP

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = GuardedHTTPS

    return {"http": PlainPool, "https": TlsPool}


def _connect(connection: HTTPConnection, allowed: Networks, *, secure: bool) -> socket.socket:
    try:
        addresses = checked_addresses(connection.host, connection.port or 0, allowed, secure)
    except OSError as error:
        raise NewConnectionError(connection, "the name does not resolve") from error
    problem: OSError | None = None
    for family, address in addresses:
        link = socket.socket(family, socket.SOCK_STREAM)
        try:
            link.settimeout(CONNECT_TIMEOUT_S)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.connect((address, connection.port or 0))
            return link
        except OSError as error:
            link.close()
            problem = error
    if isinstance(problem, TimeoutError):
        raise ConnectTimeoutError(connection, "the connection timed out") from problem
    raise NewConnectionError(connection, "nobody answers") from problem


def _read(response: requests.Response, max_bytes: int, deadline: float) -> bytes:
    body = bytearray()
    # read1 gives what has come so far: a server that drips bytes is cut off at the deadline, not after a full chunk.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > max_bytes:
            raise CallFailed(f"the answer is larger than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise CallFailed("the answer took too long")
    return bytes(body)


def _refusal_in(error: BaseException | None) -> AddressRefused | None:
    while error is not None:
        if isinstance(error, AddressRefused):
            return error
        error = error.__cause__ or error.__context__
    return None
