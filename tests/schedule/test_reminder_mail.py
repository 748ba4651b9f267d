"""Sending e-mail: what left, what certainly did not, and what nobody can know."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from factories import make_settings
from hypothesis import given
from hypothesis import strategies as st
from schedule.mail_server import MailServer, certificate

from lti_tool.schedule.mail import Mailer, is_address
from lti_tool.schedule.reminder_rules import Outcome
from lti_tool.settings import Settings

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
SENT = Outcome("sent")


@pytest.fixture
def server() -> Iterator[MailServer]:
    made = MailServer()
    yield made
    made.stop()


def settings_of(server: MailServer, **changes: Any) -> Settings:
    mail = {"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "Coaching <coaching@tool.example>"}
    return make_settings(mail=mail | changes, mail_password=server.password)


def mailer_of(server: MailServer, context: ssl.SSLContext | None = None, **changes: Any) -> Mailer:
    return Mailer(settings_of(server, **changes), lambda: NOW, tls=context)


def test_messages_leave_over_one_line_as_they_were_written(server: MailServer) -> None:
    with mailer_of(server) as mailer:
        for number in range(3):
            text = f".Tá rud éigin ag teacht {number}\n.\n\n.. " + "x" * 2000 + "\n"
            assert mailer.send(f"niamh{number}@school.example", "Coaching: tá rud éigin", text) == SENT
            to, message = server.messages[-1]
            assert to == f"niamh{number}@school.example" == message["To"]
            assert message["Subject"] == "Coaching: tá rud éigin" and message["Auto-Submitted"] == "auto-generated"
            assert message["From"] == "Coaching <coaching@tool.example>" and "@tool.example>" in message["Message-ID"]
            assert message.get_content().replace("\r\n", "\n") == text
    assert server.connections == 1 and len({message["Message-ID"] for _to, message in server.messages}) == 3


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        ("sender", Outcome("later", "sender refused", stops=True), 0),
        ("unknown", Outcome("failed", "refused"), 0),
        ("busy", Outcome("later", "busy"), 0),
        ("spam", Outcome("failed", "refused"), 0),
        ("full", Outcome("later", "busy"), 0),
        ("cut before", Outcome("unknown", "cut off"), 0),
        ("cut after", Outcome("unknown", "cut off"), 1),
    ],
)
def test_what_may_have_left_is_told_apart_from_what_did_not(
    server: MailServer, fault: str, outcome: Outcome, taken: int
) -> None:
    with mailer_of(server) as mailer:
        server.fault = fault
        assert mailer.send("niamh@school.example", "s", "t") == outcome
        assert len(server.messages) == taken
        server.fault = ""
        assert mailer.send("niamh@school.example", "s", "t") == SENT, "the next one leaves again"


def test_a_server_that_is_not_there_is_down_for_all(server: MailServer) -> None:
    server.stop()
    with mailer_of(server) as mailer:
        assert mailer.send("niamh@school.example", "s", "t") == Outcome("later", "unreachable", stops=True)
        assert mailer.problem() == "unreachable"


def test_the_line_is_never_open_where_tls_is_wanted(tmp_path: Path) -> None:
    ours, trusting = certificate(tmp_path)
    server = MailServer(user="coaching", password="canary-secret", tls=ours)
    try:
        changes = {"host": "localhost", "tls": "starttls", "user": "coaching"}
        with mailer_of(server, trusting, **changes) as mailer:
            assert mailer.send("niamh@school.example", "s", "t") == SENT and mailer.problem() == ""
        with mailer_of(server, **changes) as mailer:
            assert mailer.send("niamh@school.example", "s", "t") == Outcome("later", "certificate", stops=True)
        server.tls = None
        with mailer_of(server, trusting, **changes) as mailer:
            assert mailer.problem() == "no tls"
        server.tls, server.password = ours, "another"
        settings = settings_of(server, **changes).model_copy(update={"mail_password": settings_password("canary-x")})
        with Mailer(settings, lambda: NOW, tls=trusting) as mailer:
            assert mailer.problem() == "login"
        assert "canary" not in repr(settings)
    finally:
        server.stop()


def settings_password(text: str) -> Any:
    return make_settings(mail_password=text).mail_password


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("niamh@school.example", True), ("n.i+x@a-b.c.ie", True), ("niamh", False), ("niamh@school", False),
        ("a@b.ie\nBcc: c@d.ie", False), ("a@b.ie,c@d.ie", False), ("<a@b.ie>", False), ("a b@c.ie", False),
        (".a@b.ie", False), ("a@-b.ie", False), ("niamh@scoil.éire", False), ("", False), ("a" * 65 + "@b.ie", False),
        ("a@" + "b" * 63 + "." + "c" * 190 + ".ie", False), ("a@b.ie\0", False), ("a@b.ie ", False),
    ],
)  # fmt: skip
def test_what_counts_as_an_address(text: str, is_one: bool) -> None:
    assert is_address(text) is is_one


@given(st.text(max_size=60))
def test_no_address_holds_anything_that_a_mail_server_could_take_for_more(text: str) -> None:
    if is_address(text):
        assert text.isascii() and text.count("@") == 1 and not set(text) & set(' \r\n\t\0<>,;:"\\()[]')


def test_settings_that_no_server_can_have_are_a_problem_and_no_crash() -> None:
    settings = make_settings(mail={"host": "x" * 70 + ".example", "tls": "none", "from": "coaching@tool.example"})
    with Mailer(settings, lambda: NOW) as mailer:
        assert mailer.send("niamh@school.example", "s", "t").status == "later" and mailer.problem()
