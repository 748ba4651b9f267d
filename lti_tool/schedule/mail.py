"""Sending e-mail by SMTP (RFC 5321), each message once at most.

Whatever goes wrong before the message is handed over is known not to have left; from then on, without an answer of the
server, nobody can know, and it is said so.
"""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from types import TracebackType
from typing import Self

from lti_tool.schedule.reminder_rules import Outcome
from lti_tool.settings import Settings

TIMEOUT_S = 15
MAX_ADDRESS = 254
"""RFC 5321 4.5.3.1.3, without the brackets."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


def is_address(text: str) -> bool:
    """Whether this is an e-mail address as people have them: one, of plain letters, in a domain with a dot."""
    return len(text) <= MAX_ADDRESS and text.find("@") <= 64 and _ADDRESS.fullmatch(text) is not None


class Mailer:
    """The way to the mail server of the settings. Connects at first use and keeps the connection until it is left.

    For one thread: `with Mailer(settings, clock) as mailer: mailer.send(…)`.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime], *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings.mail
        self._password = settings.mail_password.get_secret_value()
        self._clock = clock
        self._tls = tls or ssl.create_default_context()
        self._line: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._leave()

    def send(self, address: str, subject: str, text: str) -> Outcome:
        """Sends a text to one address; never raises because of the mail server."""
        message = self._message(address, subject, text)
        try:
            line = self._line or self._connect()
            code, _said = line.mail(parseaddr(self._settings.sender)[1])
            if code != 250:
                line.rset()
                return Outcome("later", "sender refused", stops=True)
            code, _said = line.rcpt(address)
            if code not in (250, 251):
                line.rset()
                return Outcome("failed", "refused") if code >= 500 else Outcome("later", "busy")
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            self._drop()
            return Outcome("later", _problem(error), stops=True)
        try:
            code, _said = line.data(message)
        except smtplib.SMTPDataError as error:
            code = error.smtp_code
        except (OSError, smtplib.SMTPException, UnicodeError):
            self._drop()
            return Outcome("unknown", "cut off")
        if code == 250:
            return Outcome("sent")
        self._drop()
        return Outcome("failed", "refused") if code >= 500 else Outcome("later", "busy")

    def problem(self) -> str:
        """What is wrong with the connection, as a code; empty where a message could be sent. Sends nothing."""
        try:
            code, _said = (self._line or self._connect()).noop()
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            self._drop()
            return _problem(error)
        return "" if code == 250 else "busy"

    def _connect(self) -> smtplib.SMTP:
        host, port = self._settings.host, self._settings.port
        line: smtplib.SMTP
        if self._settings.tls == "tls":
            line = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=self._tls)
        else:
            line = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        try:
            if self._settings.tls == "starttls":
                line.starttls(context=self._tls)
            if self._settings.user:
                line.login(self._settings.user, self._password)
            else:
                line.ehlo_or_helo_if_needed()
        except BaseException:
            line.close()
            raise
        self._line = line
        return line

    def _message(self, address: str, subject: str, text: str) -> bytes:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._settings.sender
        message["To"] = address
        message["Subject"] = subject
        message["Date"] = format_datetime(self._clock())
        message["Message-ID"] = make_msgid(domain=parseaddr(self._settings.sender)[1].partition("@")[2])
        # RFC 3834: so that nobody's “I am away” answers.
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(text, cte="quoted-printable")
        return message.as_bytes()

    def _leave(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._line.quit()
        self._drop()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


def _problem(error: Exception) -> str:
    """A code for what went wrong; what a server says is kept nowhere, for it may name somebody."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "login"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return "no tls"
    return "unreachable" if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException) else "protocol"
