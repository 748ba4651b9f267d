"""What the web server itself writes, which holds no address of a calendar either."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SERVER = """
import sys
from lti_tool.ops.serving import serve

def app(environ, start_response):
    if environ["PATH_INFO"].endswith("broken.ics"):
        raise ValueError("down")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

serve(lambda: app, "127.0.0.1", int(sys.argv[1]), log_level="debug")
"""


def test_the_server_writes_no_address_of_a_request(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("wb") as stream:
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=stream, stderr=stream)
    try:
        assert b"ok" in _ask(port, "GET /calendar/canary.ics HTTP/1.1")
        assert b" 500 " in _ask(port, "GET /calendar/canary-broken.ics HTTP/1.1")
        assert b" 400 " in _ask(port, "GET /calendar/canary.ics x HTTP/1.1")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
    said = log.read_text()
    assert "Error handling request" in said and "Invalid request" in said and "ValueError" in said
    assert "canary" not in said and "ip=127" not in said


def _ask(port: int, line: str) -> bytes:
    """The answer to a request that begins with this line; waits until somebody listens."""
    until = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as to:
                to.sendall(f"{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                return b"".join(iter(lambda: to.recv(4096), b""))
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
