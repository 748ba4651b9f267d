"""Calls of the web services: what is sent, what comes back, which error, and what is tried again."""

import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from live_moodle import RELEASE, Moodle
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lti_tool.lti.http import Http
from moodle_sync import errors
from moodle_sync.client import MAX_BYTES, MAX_VALUES, PAUSES_S, MoodleClient
from moodle_sync.errors import MoodleError

RECORDINGS = Path(__file__).parent.parent / "moodle" / "webservice"
SERVER = "/webservice/rest/server.php"
MAKE = "core_group_create_groups"
GROUP = {"courseid": 2, "name": "Pair 1", "description": "", "idnumber": "meitheal-pair-1"}


def recorded(name: str) -> bytes:
    return (RECORDINGS / f"{name}.json").read_bytes()


@pytest.fixture
def answered(http: Http, httpserver: HTTPServer, pauses: list[float]) -> Any:
    """A client of a server that answers each call with the next of these."""

    def answer(*answers: bytes | Response) -> MoodleClient:
        left = list(answers)

        def reply(_request: Request) -> Response:
            given = left.pop(0)
            return given if isinstance(given, Response) else Response(given, content_type="application/json")

        httpserver.expect_request(SERVER).respond_with_handler(reply)
        return MoodleClient(http, httpserver.url_for("").rstrip("/"), "t0ken", sleep=pauses.append)

    return answer


def test_what_is_sent(answered: Any, httpserver: HTTPServer) -> None:
    """POST only, the token in the body, nested values as PHP reads them; None and empty lists are left out."""
    client = answered(b"null")
    params = {"users": [{"id": 3, "tags": ["é&=", "b"]}, {"id": 4}], "yes": True, "no": False, "gone": None, "of": []}
    assert client.call("core_any_function", params, reads=False) is None
    ((request, _),) = httpserver.log
    assert (request.method, request.url) == ("POST", httpserver.url_for(SERVER))
    assert dict(parse_qsl(request.get_data(as_text=True))) == {
        "users[0][id]": "3",
        "users[0][tags][0]": "é&=",
        "users[0][tags][1]": "b",
        "users[1][id]": "4",
        "yes": "1",
        "no": "0",
        "wstoken": "t0ken",
        "wsfunction": "core_any_function",
        "moodlewsrestformat": "json",
    }


@pytest.mark.parametrize(
    ("answer", "kind", "code", "may_be_done"),
    [
        ("error_invalidtoken", errors.TokenRefused, "invalidtoken", False),
        ("error_accessexception", errors.MissingFunction, "missing_function", False),
        ("error_nofunction", errors.MissingFunction, "missing_function", False),
        ("error_missing_course", errors.NotFound, "invalidrecord", False),
        ("error_invalidparameter", errors.ParameterRefused, "invalidparameter", False),
        ("error_duplicate_group", errors.ParameterRefused, "invalidparameter", False),
        ("core_group_create_groupings", errors.AnswerBroken, "invalidresponse", True),
        ({"errorcode": "idnumbertaken"}, errors.IdNumberTaken, "idnumbertaken", False),
        ({"errorcode": "nopermissions"}, errors.NotAllowed, "nopermissions", False),
        ({"errorcode": "sitemaintenance"}, errors.NotReached, "sitemaintenance", False),
        ({"errorcode": "dmlwriteexception"}, errors.Refused, "dmlwriteexception", False),
        ({}, errors.Refused, "exception", False),
        (Response("<html>", 200), errors.OutcomeUnknown, "not_json", True),
        (Response("", 500), errors.OutcomeUnknown, "server_error", True),
        (Response("", 503), errors.OutcomeUnknown, "server_error", True),
        (Response("", 503, {"Retry-After": "300"}), errors.NotReached, "maintenance", False),
        (Response("", 429), errors.NotReached, "maintenance", False),
        (Response("", 403), errors.AddressWrong, "rest_off", False),
        (Response("", 404), errors.AddressWrong, "no_services", False),
        (Response("", 303, {"Location": "/login"}), errors.AddressWrong, "no_services", False),
        (b" " * (MAX_BYTES + 1), errors.OutcomeUnknown, "no_answer", True),
    ],
)
def test_each_refusal_is_an_error_of_its_kind_and_a_write_is_never_tried_again(
    answered: Any, pauses: list[float], answer: Any, kind: type[MoodleError], code: str, may_be_done: bool
) -> None:
    if isinstance(answer, str):
        answer = recorded(answer)
    elif isinstance(answer, dict):
        answer = json.dumps({"exception": "moodle_exception", "message": "names a person", **answer}).encode()
    with pytest.raises(MoodleError) as caught:
        answered(answer).call(MAKE, {"groups": [GROUP]}, reads=False)
    assert (type(caught.value), caught.value.code, caught.value.may_be_done) == (kind, code, may_be_done)
    assert pauses == []
    assert "t0ken" not in str(caught.value) and "names a person" not in str(caught.value)


def test_a_missing_function_names_the_page_where_it_is_added(answered: Any) -> None:
    with pytest.raises(errors.MissingFunction, match=r"core_group_create_groups.*External services > Functions"):
        answered(recorded("error_accessexception")).call(MAKE, {}, reads=False)


def test_a_read_is_tried_again_and_a_refusal_is_not(answered: Any, pauses: list[float]) -> None:
    client = answered(
        Response("", 500), Response("", 503, {"Retry-After": "1"}), recorded("core_group_get_course_groups")
    )
    assert len(client.call("core_group_get_course_groups", {"courseid": 2}, reads=True)) == 3
    assert pauses == list(PAUSES_S)


def test_a_read_that_is_refused_or_fails_each_time(answered: Any, pauses: list[float], httpserver: HTTPServer) -> None:
    with pytest.raises(errors.NotFound):
        answered(recorded("error_missing_course")).call("core_group_get_course_groups", {"courseid": 9}, reads=True)
    assert pauses == []
    httpserver.clear_all_handlers()
    with pytest.raises(errors.OutcomeUnknown):
        answered(*[Response("", 500)] * 3).call("core_group_get_course_groups", {"courseid": 9}, reads=True)
    assert pauses == list(PAUSES_S)


def test_the_site_says_what_it_is_once(answered: Any, httpserver: HTTPServer) -> None:
    client = answered(recorded("core_webservice_get_site_info"))
    assert client.has(MAKE) and not client.has("core_user_delete_users")
    info = client.site_info()
    assert (info.release, info.user_id, info.site_url) == (RELEASE, 2, "http://127.0.0.1:8088")
    assert len(info.functions) == 28 and len(httpserver.log) == 1


@pytest.mark.parametrize(
    "body",
    [
        *(b"[]", b"null", b"3", b'{"release": "4"}', b'{"functions": 3}'),
        *(
            b'{"release": "4", "userid": %s, "functions": [], "siteurl": "x"}' % each
            for each in (b"0", b"1e400", b"1e30")
        ),
        b'{"release": "4", "userid": 2, "functions": [], "siteurl": ""}',
        b'{"release": "4", "userid": 2, "functions": {}, "siteurl": "x"}',
    ],
)
def test_something_else_than_a_moodle(answered: Any, body: bytes) -> None:
    with pytest.raises(errors.AddressWrong) as caught:
        answered(body).site_info()
    assert caught.value.code == "not_moodle"


def test_nobody_there_and_an_address_that_may_not_be_called(http: Http, pauses: list[float]) -> None:
    nobody = MoodleClient(http, "http://127.0.0.1:9", "t", sleep=pauses.append)
    with pytest.raises(errors.NotReached) as caught:
        nobody.call(MAKE, {}, reads=False)
    assert (caught.value.code, caught.value.may_be_done, caught.value.is_passing) == ("unreachable", False, True)
    for address in ("http://10.1.2.3", "ftp://moodle.example"):
        with pytest.raises(errors.AddressWrong):
            MoodleClient(http, address, "t").call(MAKE, {}, reads=False)


def test_more_values_than_php_reads_are_never_sent(answered: Any, httpserver: HTTPServer) -> None:
    with pytest.raises(ValueError, match="901"):
        answered().call(MAKE, {"ids": list(range(MAX_VALUES + 1))}, reads=False)
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("fault", "kind", "is_done"),
    [
        ("cut_before", errors.OutcomeUnknown, False),
        ("cut_after", errors.OutcomeUnknown, True),
        ("error_after", errors.OutcomeUnknown, True),
        ("maintenance", errors.NotReached, False),
        ("page", errors.OutcomeUnknown, False),
        ("invalidtoken", errors.TokenRefused, False),
        ("invalidresponse", errors.AnswerBroken, True),
    ],
)
def test_what_was_done_is_never_called_not_done(
    moodle: Moodle, services: MoodleClient, fault: str, kind: type[MoodleError], is_done: bool
) -> None:
    moodle.goes_wrong(fault, MAKE)
    with pytest.raises(kind) as caught:
        services.call(MAKE, {"groups": [GROUP]}, reads=False)
    assert moodle.calls == {MAKE: 1}
    found = services.call("core_group_get_course_groups", {"courseid": 2}, reads=True)
    assert (GROUP["idnumber"] in [each["idnumber"] for each in found]) is is_done
    assert caught.value.may_be_done or not is_done


def test_a_read_survives_two_cut_connections(moodle: Moodle, services: MoodleClient, pauses: list[float]) -> None:
    moodle.goes_wrong("cut_before", count=2)
    assert services.site_info().site_url == moodle.address
    assert len(pauses) == 2


def test_neither_log_nor_text_holds_the_token(
    moodle: Moodle, services: MoodleClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for fault in ("cut_before", "error_after", "invalidtoken"):
        moodle.goes_wrong(fault, MAKE)
        with pytest.raises(MoodleError) as caught:
            services.call(MAKE, {"groups": [GROUP]}, reads=False)
        assert moodle.token not in repr(caught.value) and moodle.token not in repr(services)
    logged = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    assert moodle.token not in "\n".join(logged) and "Pair 1" not in "\n".join(logged)


class TlsServer:
    """Reads requests over TLS, and then ends the connection with `last`, which is not TLS, and without a farewell."""

    def __init__(self, folder: Path, last: bytes = b"") -> None:
        self._last = last
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate, secret = folder / "certificate.pem", folder / "key.pem"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, secret)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"https://localhost:{self._listener.getsockname()[1]}"
        self._listener.settimeout(0.05)
        self.received: list[bytes] = []
        """What came, for each connection."""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._is_over = threading.Event()
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._is_over.is_set():
            try:
                plain, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.received.append(b"")
            plain.settimeout(5)
            try:
                with self._context.wrap_socket(plain, server_side=True) as link:
                    while b"moodlewsrestformat" not in self.received[-1] and (more := link.recv(65536)):
                        self.received[-1] += more
                    with socket.socket(fileno=link.detach()) as bare:
                        bare.sendall(self._last)
            except OSError:
                plain.close()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Callable[[bytes], TlsServer]]:
    servers: list[TlsServer] = []

    def serve(last: bytes = b"") -> TlsServer:
        servers.append(TlsServer(tmp_path, last))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.mark.parametrize("last", [b"", b"\x17\x03\x03\x00\x20" + b"spoiled record of thirty-two byte"])
def test_a_connection_that_ends_without_a_farewell_may_have_done_it_and_is_not_made_again(
    http: Http, tls: Callable[[bytes], TlsServer], last: bytes
) -> None:
    server = tls(last)
    http._session(server.address).verify = str(server.certificate)
    with pytest.raises(errors.OutcomeUnknown):
        MoodleClient(http, server.address, "t").call(MAKE, {"groups": [GROUP]}, reads=False)
    assert [b"core_group_create_groups" in each for each in server.received] == [True]


def test_a_certificate_that_nobody_vouches_for_gets_no_call(http: Http, tls: Callable[[], TlsServer]) -> None:
    server = tls()
    with pytest.raises(errors.NotReached):
        MoodleClient(http, server.address, "t").call(MAKE, {"groups": [GROUP]}, reads=False)
    assert server.received in ([], [b""])


def test_what_a_site_says_of_itself_is_harmless_in_a_terminal(answered: Any) -> None:
    said = {
        "release": "4\x1b[2J\n",
        "userid": 2,
        "functions": [{"name": "a\x00b"}],
        "siteurl": "https://m.example\x07/",
    }
    info = answered(json.dumps(said).encode()).site_info()
    assert (info.release, info.functions, info.site_url) == ("4[2J", {"ab"}, "https://m.example")
