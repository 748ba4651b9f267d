"""A mail server for tests: keeps what it is given, and does what a fault says at the moment that it names."""

import base64
import contextlib
import datetime
import email
import email.policy
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FAULTS = {
    "sender": ("MAIL", b"550 not you"),
    "unknown": ("RCPT", b"550 no such user"),
    "busy": ("RCPT", b"451 later"),
    "spam": (".", b"554 no"),
    "full": (".", b"452 later"),
    "cut before": ("DATA", b""),
    "cut after": (".", b""),
}
"""Name → (the command it is about, the answer; none: the line is cut)."""


@dataclass
class MailServer:
    """Listens at `port` of this machine until it is stopped."""

    fault: str = ""
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    messages: list[tuple[str, EmailMessage]] = field(default_factory=list)
    """(Address, message) of all that was taken, also where the answer was cut off."""
    connections: int = 0

    def __post_init__(self) -> None:
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
                    outer._talk(self, opened)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _talk(self, line: Any, opened: contextlib.ExitStack) -> None:
        self.connections += 1
        to, is_known = "", not self.user
        read, write = line.rfile, line.wfile
        write.write(b"220 here\r\n")
        while command := read.readline():
            verb = command.split()[0].decode().upper() if command.split() else ""
            about, answer = FAULTS.get(self.fault, ("", b""))
            if verb == about:
                if not answer:
                    return
                write.write(answer + b"\r\n")
                continue
            if verb == "EHLO":
                offered = [b"250-here", *([b"250-STARTTLS"] if self.tls and read is line.rfile else [])]
                offered += [b"250-AUTH PLAIN"] if self.user else []
                write.write(b"\r\n".join([*offered, b"250 8BITMIME", b""]))
            elif verb == "STARTTLS" and self.tls:
                write.write(b"220 go on\r\n")
                wrapped = opened.enter_context(self.tls.wrap_socket(line.connection, server_side=True))
                read = opened.enter_context(wrapped.makefile("rb"))
                write = opened.enter_context(wrapped.makefile("wb", buffering=0))
            elif verb == "AUTH":
                wanted = base64.b64encode(f"\0{self.user}\0{self.password}".encode())
                is_known = command.split()[2] == wanted
                write.write(b"235 yes\r\n" if is_known else b"535 no\r\n")
            elif verb == "MAIL" and not is_known:
                write.write(b"530 who are you\r\n")
            elif verb == "RCPT":
                to = command.decode().partition("<")[2].partition(">")[0]
                write.write(b"250 yes\r\n")
            elif verb == "DATA":
                write.write(b"354 go on\r\n")
                lines = []
                while (part := read.readline()) not in (b".\r\n", b""):
                    lines.append(part[1:] if part.startswith(b".") else part)
                parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                if about == "." and answer:
                    write.write(answer + b"\r\n")
                    continue
                self.messages.append((to, parsed))
                if about == ".":
                    return
                write.write(b"250 kept\r\n")
            elif verb == "QUIT":
                write.write(b"221 bye\r\n")
                return
            else:
                write.write(b"250 yes\r\n")


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(Of a server called localhost, of a client that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cafile=str(file))
    return server, client
