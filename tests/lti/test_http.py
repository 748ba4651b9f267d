"""Calls out: where they may lead, whatever the name, the address or the answer tries."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lti_tool.lti import http as lti_http
from lti_tool.lti.http import AddressRefused, CallFailed, Http, HttpError, may_call

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:220:1::1", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("172.31.255.255", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("0.1.2.3", False),
        ("192.0.0.1", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("203.0.113.1", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2002:a00:1::1", False),
        ("2001:0:7f00:1::1", False),
        ("2001:db8::1", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
    ],
)
def test_only_public_addresses_are_called_over_https(address: str, public: bool) -> None:
    assert may_call(ip_address(address), (), secure=True) is public
    assert not may_call(ip_address(address), (), secure=False)


@pytest.mark.parametrize("secure", [True, False])
def test_an_allowed_network_is_called_over_http_too(secure: bool) -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert may_call(ip_address("10.1.2.3"), allowed, secure)
    assert may_call(ip_address("::ffff:10.1.2.3"), allowed, secure)
    assert may_call(ip_address("fd00::1"), allowed, secure)
    assert not may_call(ip_address("10.2.0.1"), allowed, secure)
    assert not may_call(ip_address("127.0.0.1"), allowed, secure)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Makes every name resolve to the next of `answers` (the last one stays); returns the names that were asked."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, *_rest: Any, **_options: Any) -> list[Any]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(lti_http.socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::1"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"]],
)
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    resolving(monkeypatch, addresses)
    with pytest.raises(AddressRefused):
        Http().get("https://lms.example/jwks")
    with pytest.raises(AddressRefused):
        Http().check("https://lms.example/jwks")


def test_a_name_server_that_changes_its_answer_gains_nothing(
    monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    """The address that is checked is the one that is connected to: the name is asked once for each connection."""
    httpserver.expect_request("/secret").respond_with_data("inside")
    called: list[Any] = []

    class Watched(socket.socket):
        def connect(self, address: Any) -> None:
            called.append(address)
            raise ConnectionRefusedError

    asked = resolving(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    monkeypatch.setattr(lti_http.socket, "socket", Watched)
    with pytest.raises(HttpError):
        Http().get(f"https://rebind.example:{httpserver.port}/secret")
    # One connection to the checked address; the one retry asks again, and is refused.
    assert called == [("93.184.215.14", httpserver.port)]
    assert asked == ["rebind.example", "rebind.example"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lms.example",
        "//lms.example/x",
        "file:///etc/passwd",
        "ftp://lms.example/",
        "unix:///var/run/docker.sock",
        "https://",
        "https:///x",
        "https://user@lms.example/",
        "https://user:secret@lms.example/",
        "https://lms.example:0/",
        "https://lms.example:x/",
        "https://lms.example:70000/",
        "https://[::1",
        "https://lms.example\\@evil.example/",
        "https://lms.example/\n",
        "https://lms.example/ x",
        "https://" + "x" * 3_000,
        "https://" + "x" * 300 + ".example/",
        "https://..example/",
    ],
)
def test_what_is_no_address(url: str) -> None:
    for act in (Http().get, Http().check):
        with pytest.raises(HttpError):
            act(url)


@pytest.mark.parametrize(
    "url", ["http://93.184.215.14/", "http://2130706433/", "http://0x7f.1/", "https://2130706433/"]
)
def test_clear_text_and_disguised_loopback(url: str) -> None:
    with pytest.raises(HttpError):
        Http().get(url)


def test_loopback_is_called_where_it_is_allowed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/jwks").respond_with_json({"keys": []})
    url = httpserver.url_for("/jwks")
    assert Http(LOOPBACK).get(url).json() == {"keys": []}
    with pytest.raises(AddressRefused):
        Http().get(url)


def test_a_redirect_is_an_answer_and_never_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=302, headers={"Location": httpserver.url_for("/b")})
    httpserver.expect_request("/b").respond_with_data("secret")
    answer = Http(LOOPBACK).get(httpserver.url_for("/a"))
    assert (answer.status, answer.body) == (302, b"")
    assert len(httpserver.log) == 1


def test_too_large_an_answer(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/big").respond_with_data(b"x" * 2_000)
    with pytest.raises(CallFailed, match="larger"):
        Http(LOOPBACK).get(httpserver.url_for("/big"), max_bytes=1_999)
    assert len(Http(LOOPBACK).get(httpserver.url_for("/big"), max_bytes=2_000).body) == 2_000


def test_an_answer_that_unpacks_to_too_much(httpserver: HTTPServer) -> None:
    import gzip

    packed = gzip.compress(b"0" * 5_000_000)
    httpserver.expect_request("/bomb").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(CallFailed, match="larger"):
        Http(LOOPBACK).get(httpserver.url_for("/bomb"))


@pytest.fixture
def drip() -> Iterator[str]:
    """A server that accepts, and then sends a byte now and again without end."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        link, _ = listener.accept()
        with link:
            link.recv(4_096)
            link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    link.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    stop.set()
    thread.join()
    listener.close()


def test_an_answer_that_never_ends(drip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lti_http, "TOTAL_TIMEOUT_S", 0.3)
    begun = time.monotonic()
    with pytest.raises(CallFailed):
        Http(LOOPBACK).get(drip)
    assert time.monotonic() - begun < 5


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lti_http, "READ_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(CallFailed):
        Http(LOOPBACK).post(f"http://127.0.0.1:{listener.getsockname()[1]}/", form={"a": "b"})


def test_nothing_of_the_environment_is_used(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("machine localhost login me password secret\ndefault login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    httpserver.expect_request("/x").respond_with_handler(
        lambda request: Response(request.headers.get("Authorization", "none"))
    )
    assert Http(LOOPBACK).get(httpserver.url_for("/x")).body == b"none"


def test_cookies_are_not_kept_and_the_agent_is_named(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        response = Response(f"{request.headers.get('User-Agent')} {request.headers.get('Cookie')}")
        response.set_cookie("session", "of-another-school")
        return response

    httpserver.expect_request("/x").respond_with_handler(answer)
    http = Http(LOOPBACK)
    for _ in range(2):
        assert http.get(httpserver.url_for("/x")).body == b"Meitheal None"


class _KeepsConnections(BaseHTTPRequestHandler):
    """A server of HTTP/1.1, as pytest's own is not: that one reads the next request away, and is silent for seconds."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[list[object]] = []

    def setup(self) -> None:
        super().setup()
        self.connections.append(self.client_address)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


def test_connections_are_kept_for_the_next_call() -> None:
    _KeepsConnections.connections.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _KeepsConnections) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        http, address = Http(LOOPBACK), f"http://127.0.0.1:{server.server_port}/x"
        for _ in range(2):
            assert http.get(address).body == b"ok"
        assert len(http._sessions) == len(_KeepsConnections.connections) == 1
        http.close()
        assert http._sessions == {}
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000, b"{"])
def test_an_answer_that_is_not_json(body: bytes) -> None:
    with pytest.raises(CallFailed):
        lti_http.Response(200, {}, body).json()


def test_an_error_names_no_query_and_no_token(httpserver: HTTPServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(CallFailed) as caught:
        Http(LOOPBACK).get(f"http://127.0.0.1:{port}/x?token=secret", headers={"Authorization": "Bearer secret"})
    assert "secret" not in str(caught.value)
