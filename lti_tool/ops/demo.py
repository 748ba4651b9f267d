"""`meitheal demo`: tool and sandbox side by side on this machine, connected with each other, ready to try.

They live on different sites (localhost and 127.0.0.1), as tool and LMS do in earnest, so that the browser treats the
tool's cookies in the LMS's frame as it would there.
"""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from lti_tool.lti.http import Http
from lti_tool.ops import config, demo_round, demo_visit, serving
from lti_tool.ops.errors import CommandFailed
from lti_tool.people import registry
from lti_tool.people.registry import NewPlatform
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.sealing import Masters
from lti_tool.settings import Settings, load
from lti_tool.store.database import Database
from moodle_sync import sites

COURSE = "CPC26"
_SCHOOL = "Sandbox school"
_ACTIVITIES = (
    ("Collegial peer coaching", "iframe"),
    ("Collegial peer coaching (in a new window)", "window"),
)
_START_S = 60.0
_STOP_S = 15.0
_MARK = "# Written anew by each `meitheal demo`, which empties this folder.\n"
_CONFIG = """\
public_url = "{tool}"
database_url = "sqlite:///{folder}/meitheal.db"
queue_url = "sqlite:///{folder}/queue.db"

[network]
allow_private = ["127.0.0.0/8", "::1/128"]

[log]
level = "warning"
"""


def run(
    folder: Path,
    tool_port: int,
    sandbox_port: int,
    lms: str,
    clock: Callable[[], datetime],
    say: Callable[[str], None],
) -> None:
    """Runs until SIGINT or SIGTERM. `folder` keeps the demonstration's data and is emptied at each start, because the
    sandbox forgets everything too; `lms` is the personality of the sandbox. Raises CommandFailed."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    for port in (tool_port, sandbox_port):
        serving.require_free("127.0.0.1", port)
    tool, sandbox = f"http://localhost:{tool_port}", f"http://127.0.0.1:{sandbox_port}"
    settings = _fresh(folder, tool)
    database = Database(settings.database_url)
    keyring = Keyring.of(settings, database).database
    keyring_store.upgrade(database, keyring)
    keyring.dispose()
    me = [sys.executable, "-m", "lti_tool.cli", "--config", str(folder / "config.toml")]
    children = _Children(folder)
    try:
        children.start("tool", [*me, "serve", "--host", "127.0.0.1", "--port", str(tool_port), "--workers", "1"])
        children.start("worker", [*me, "worker"])
        children.start("sandbox", [sys.executable, "-m", "lti_tool.ops.demo_sandbox", str(sandbox_port), tool, lms])
        for address in (f"http://127.0.0.1:{tool_port}/healthz", f"{sandbox}/who-am-i"):
            children.wait_for(address, stop)
        if not stop.is_set():
            product = connect(sandbox, f"http://127.0.0.1:{tool_port}", settings, database, clock)
            open_web_services(sandbox, settings, database, clock)
            has_examples = place_examples(sandbox, settings, database, clock)
            _explain(tool, sandbox, product, folder, say, has_examples=has_examples)
        while not stop.wait(0.5):
            children.require_alive()
    finally:
        children.stop()
        database.dispose()
    say("Stopped.")


def _fresh(folder: Path, tool: str) -> Settings:
    folder = folder.absolute()
    marker = folder / "config.toml"
    is_ours = marker.exists() and marker.read_text("utf-8", "replace").startswith(_MARK)
    if folder.exists() and any(folder.iterdir()) and not is_ours:
        # It may hold a real installation, or anything else that nobody wants emptied.
        raise CommandFailed(f"{folder} holds something else than an earlier demo. Name an empty one.", is_usage=True)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "log").mkdir(parents=True)
    marker.write_text(_MARK + _CONFIG.format(tool=tool, folder=folder.as_posix()), "utf-8")
    config.write_secrets(folder / "secrets.toml")
    return load(marker)


def connect(sandbox: str, tool: str, settings: Settings, database: Database, clock: Callable[[], datetime]) -> str:
    """Makes tool and sandbox known to each other, as administrators would, and places two activities in its course.

    Where the LMS registers tools by itself it does, else both sides are typed in by hand. `tool` is where the tool
    answers from here. Returns the name of the LMS that the sandbox plays. Raises CommandFailed.
    """
    platform = _ask("GET", f"{sandbox}/sandbox/platform")
    by = _by_invite if platform["registers_tools"] else _by_hand
    client_id = by(sandbox, tool, platform, settings, database, clock())
    for title, target in _ACTIVITIES:
        body = {"course": COURSE, "title": title, "tool": client_id, "target": target}
        _ask("POST", f"{sandbox}/sandbox/activities", body)
    return str(platform["product"])


def open_web_services(sandbox: str, settings: Settings, database: Database, clock: Callable[[], datetime]) -> bool:
    """Connects the LMS's web services and allows all that they can do; False for an LMS that has none."""
    offered = _ask("GET", f"{sandbox}/sandbox/web-services")
    if not offered["token"]:
        return False
    http = Http(settings.network.allow_private)
    try:
        info = sites.ask(http, offered["url"], offered["token"])
    finally:
        http.close()
    with database.write() as session:
        (platform,) = registry.list_platforms(session)
        sites.connect(session, Masters.of(settings), platform.id, offered["url"], offered["token"], info, clock())
        sites.allow(session, platform.id, events=True, messages=True)
    return True


def place_examples(sandbox: str, settings: Settings, database: Database, clock: Callable[[], datetime]) -> bool:
    """Places two activities more in which something has happened: a pairing round in which teachers have said what they
    would like (demo_round), and a cycle with a visit that was noted (demo_visit). False where the LMS says who its
    deployment is with its first launch only: then there are none."""
    (tool,) = _ask("GET", f"{sandbox}/sandbox/tools")
    people = _ask("GET", f"{sandbox}/sandbox/people")
    keyring = Keyring.of(settings, database)
    try:
        for example in (demo_round, demo_visit):
            body = {"course": COURSE, "title": example.TITLE, "tool": tool["client_id"]}
            placed = _ask("POST", f"{sandbox}/sandbox/activities", body)
            if not example.fill(placed, people, database, keyring, clock):
                return False
        return True
    finally:
        keyring.database.dispose()


def _by_invite(
    sandbox: str, _tool: str, _platform: dict[str, Any], settings: Settings, database: Database, now: datetime
) -> str:
    with database.write() as session:
        invited = registry.invite(session, _SCHOOL, now)
    url = registry.registration_url(settings.public_url, invited.code)
    return str(_ask("POST", f"{sandbox}/sandbox/tools", {"url": url})["client_id"])


def _by_hand(
    sandbox: str, tool: str, platform: dict[str, Any], _settings: Settings, database: Database, now: datetime
) -> str:
    ours = _ask("GET", f"{tool}/lti/config.json")
    made = _ask(
        "POST",
        f"{sandbox}/sandbox/tools",
        {
            "name": ours["title"],
            "login_url": ours["oidc_initiation_url"],
            "redirect_uris": ours["redirect_uris"],
            "jwks_url": ours["public_jwk_url"],
            "target_link_uri": ours["target_link_uri"],
            "deep_linking_url": ours["target_link_uri"],
            "custom": ours["custom_fields"],
        },
    )
    told = ("family", "issuer", "authorization_url", "token_url", "jwks_url", "token_audience")
    with database.write() as session:
        registry.add(
            session,
            NewPlatform(
                name=_SCHOOL,
                client_id=made["client_id"],
                deployment_id=made["deployment_id"],
                **{name: platform[name] for name in told},
            ),
            now,
        )
    return str(made["client_id"])


def _ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    try:
        answer = requests.request(method, url, json=body, timeout=60)
    except requests.RequestException as error:
        raise CommandFailed(f"{url} does not answer: {type(error).__name__}.") from None
    if answer.status_code not in (200, 201):
        raise CommandFailed(f"{url} refused: {' '.join(answer.text.split())[:500]}")
    return answer.json()


def _explain(
    tool: str, sandbox: str, product: str, folder: Path, say: Callable[[str], None], *, has_examples: bool
) -> None:
    of_examples = (
        f"""“{demo_round.TITLE}” is a pairing round.
{demo_round.WHO_ASK} teachers have said what they would like: have pairs calculated, review them, and ask the teachers.
“{demo_visit.TITLE}” is of Niamh and Seán: be one of them, and find the picture of a visit that Seán noted.
"""
        if has_examples
        else ""
    )
    say(
        f"""
Meitheal runs at {tool} and is registered with the sandbox, a small LMS to try it in.
It behaves like {product}.

  Open {sandbox}

and choose who you are:
  Máire Nic Eoin         trainer: opens the activity first and sets it up
  Niamh Ní Bhriain, …    24 teachers: find a partner and coach each other (use a second browser, or a private window)
  Eithne Ní Fhlatharta   principal, enrolled as Instructor: sees neither names nor content
  Colm Hennessy          administrator of the LMS: sees neither names nor content

The course has the activity twice: within the page, and in a new window.
{of_examples}
Data and logs are in {folder}; each start begins with an empty database, because the sandbox forgets everything too.
Ctrl-C stops both.
"""
    )


class _Children:
    """The processes of the demonstration; what they say goes to files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "log"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        with self._log(name).open("wb") as output:
            # A session of its own: Ctrl-C reaches this process only, which then stops the others in order.
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait_for(self, address: str, stop: threading.Event) -> None:
        deadline = time.monotonic() + _START_S
        while not stop.is_set():
            self.require_alive()
            try:
                if requests.get(address, timeout=5).status_code == 200:
                    return
            except requests.RequestException:
                pass
            if time.monotonic() > deadline:
                raise CommandFailed(f"{address} does not answer. What happened is in {self._folder}.")
            stop.wait(0.1)

    def require_alive(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                said = self._log(name).read_text("utf-8", "replace").strip().splitlines()
                raise CommandFailed(
                    f"The {name} stopped by itself ({process.returncode}): {said[-1] if said else 'it said nothing'} "
                    f"(all of it is in {self._log(name)})"
                )

    def stop(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + _STOP_S
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"
