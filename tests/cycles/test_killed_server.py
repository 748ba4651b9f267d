"""`kill -9` at any moment: what the server said is saved, is there when it is back."""

import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cycles.pair_at_work import make_cycle
from factories import make_course

from lti_tool.people.sign_ins import open_sign_in
from lti_tool.store.base import Base
from lti_tool.store.database import Database

FIELDS = ("norms", "hopes", "goal", "criteria", "own_learning")
PHASES = ("before the first byte", "between first byte and commit", "between commit and answer", "after the answer")


@dataclass
class Writer:
    """Somebody who types without pause, and remembers what the server said is saved."""

    port: int
    at: str
    cycle_id: str
    cookie: str
    csrf: str = ""
    number: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Field → number of the last save that was answered with 200."""
    sent_at: int = 0
    """Monotonic nanoseconds."""
    answered_at: int = 0

    def save(self) -> None:
        """Saves the next text; raises OSError or HTTPException when the server is killed meanwhile."""
        self.number += 1
        key = FIELDS[self.number % len(FIELDS)]
        editor = f"page{FIELDS.index(key)}"
        body = json.dumps({"text": f"save {self.number}", "base": [], "editor": editor, "seq": self.number})
        self.answered_at = 0
        self.sent_at = time.monotonic_ns()
        status, _ = self._ask(
            "POST",
            f"{self.at}/cycles/{self.cycle_id}/texts/{key}",
            body,
            {"Content-Type": "application/json", "X-CSRFToken": self.csrf, "X-Save-Number": str(self.number)},
        )
        self.answered_at = time.monotonic_ns()
        assert status == 200
        self.acknowledged[key] = self.number

    def lost(self) -> list[str]:
        """Fields whose current text is older than what the server said is saved."""
        status, answer = self._ask("GET", f"{self.at}/cycles/{self.cycle_id}/texts?revision=0", "", {})
        assert status == 200
        texts = json.loads(answer)["texts"]
        found = {
            key: max((int(head["text"].removeprefix("save ")) for head in texts[key]["heads"]), default=0)
            for key in FIELDS
        }
        return [key for key, number in self.acknowledged.items() if found[key] < number]

    def wait_until_served(self) -> None:
        """Returns when the server answers; takes the CSRF token from a page."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                _, page = self._ask("GET", f"{self.at}/cycles/{self.cycle_id}/start", "", {})
                if found := re.search(r'name="csrf_token" value="([^"]+)"', page):
                    self.csrf = found.group(1)
                    return
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    def _ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=15)
        try:
            connection.request(method, path, body or None, {"Cookie": self.cookie, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@dataclass
class Kills:
    """What came of killing the server again and again."""

    lost: list[str] = field(default_factory=list)
    phases: Counter[str] = field(default_factory=Counter)
    moments: list[str] = field(default_factory=list)

    def report(self) -> str:
        """The moments, and how many of each kind."""
        return "\n".join(
            [*self.moments, "", *(f"{self.phases[phase]:4}  {phase}  {'#' * self.phases[phase]}" for phase in PHASES)]
        )


def run(tmp_path: Path, kills: int, seed: int, *, answer_first: bool = False, only_after_answer: bool = False) -> Kills:
    """Kills the server `kills` times, at moments spread over the life of a save, and looks each time what is left."""
    dice = random.Random(seed)
    found = Kills()
    url, log = f"sqlite:///{tmp_path / 'meitheal.db'}", tmp_path / "moments"
    writer = _writer(url)
    with _servers(url, writer.port, log, answer_first) as serve:
        group = serve()
        try:
            writer.wait_until_served()
            for _ in range(kills):
                for _ in range(dice.randint(5, 15)):
                    writer.save()
                _kill_during_a_save(writer, group, log, dice, only_after_answer)
                _wait_until_gone(group)
                _note(found, writer, log)
                group = serve()
                writer.wait_until_served()
                if lost := writer.lost():
                    found.lost.append(f"save {writer.number}: {', '.join(lost)}")
                    writer.acknowledged.clear()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
    return found


def _writer(url: str) -> Writer:
    database = Database(url)
    Base.metadata.create_all(database.engine)
    now = datetime.now(UTC)
    course = make_course(database, teachers=2, now=now)
    cycle_id = make_cycle(database, course, now)
    with database.write() as session:
        handle, secret = open_sign_in(
            session, membership_id=course.teachers[0], activity_id=course.activity_id, locale="en",
            platform_origin="https://lms.example", return_url="", now=now,
        )  # fmt: skip
    database.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Writer(port, f"/at/{handle}", cycle_id, f"__Host-at-{handle}={secret}")


@contextlib.contextmanager
def _servers(url: str, port: int, log: Path, answer_first: bool) -> Iterator[Callable[[], int]]:
    """What starts a server, and gives the id of its group of processes."""
    here = Path(__file__).resolve().parent
    command = [sys.executable, str(here / "killed_server.py"), url, str(port), str(log)]
    with subprocess.Popen(
        command + ["--answer-first"] * answer_first,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(here.parent), str(here.parent.parent)])},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip

        def serve() -> int:
            assert process.stdin and process.stdout
            print(file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield serve


def _wait_until_gone(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.killpg(group, 0)
            time.sleep(0.002)


def _kill_during_a_save(writer: Writer, group: int, log: Path, dice: random.Random, only_after_answer: bool) -> None:
    if only_after_answer:
        writer.save()
        _kill(group, log, writer.number)
        return
    number = writer.number + 1
    wait = dice.uniform(0, 0.9) * _usual(log)

    def kill_within() -> None:
        # The killer looks for the first byte in the server's own log, and strikes between there and the commit,
        # sometimes a little later.
        until = time.monotonic() + 15
        while time.monotonic() < until and ("begin", number) not in _moments(log, tail=400):
            time.sleep(0.0002)
        time.sleep(wait)
        _kill(group, log, number)

    killer = threading.Thread(target=kill_within)
    killer.start()
    with contextlib.suppress(OSError, http.client.HTTPException):
        writer.save()
    killer.join()


def _moments(log: Path, *, tail: int = 0) -> dict[tuple[str, int], int]:
    """What happened to which save, and when; `tail`: from the last bytes of the log only."""
    with log.open("rb") as lines:
        if tail:
            lines.seek(max(0, log.stat().st_size - tail))
            if lines.tell():
                lines.readline()
        found = (line.split() for line in lines.read().decode().splitlines())
        return {(line[0], int(line[1])): int(line[2]) for line in found if len(line) == 3}


def _usual(log: Path) -> float:
    """Seconds from first byte to commit, as the server's last saves took."""
    moments = _moments(log, tail=4000)
    took = [
        at - moments["begin", n] for (what, n), at in moments.items() if what == "commit" and ("begin", n) in moments
    ]
    return sorted(took)[len(took) // 2] / 1e9


def _kill(group: int, log: Path, number: int) -> None:
    moment = time.monotonic_ns()
    os.killpg(group, signal.SIGKILL)
    with log.open("a") as lines:
        lines.write(f"kill {number} {moment}\n")


def _note(found: Kills, writer: Writer, log: Path) -> None:
    seen = {what: at for (what, number), at in _moments(log).items() if number == writer.number}
    if writer.answered_at and writer.answered_at < seen["kill"]:
        phase = PHASES[3]
    elif "commit" in seen:
        phase = PHASES[2]
    else:
        phase = PHASES[1] if "begin" in seen else PHASES[0]
    found.phases[phase] += 1
    killed_at = seen.pop("kill")
    since = {"sent": writer.sent_at, **seen, **({"answered": writer.answered_at} if writer.answered_at else {})}
    found.moments.append(
        f"save {writer.number}: killed {phase}; "
        + ", ".join(f"{what} {(at - killed_at) / 1e6:+.1f} ms" for what, at in since.items())
    )


@pytest.mark.timeout(600)
def test_five_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    found = run(tmp_path, 5, seed=2026)
    print(found.report())
    assert not found.lost, found.report()
    assert sum(found.phases.values()) == 5
    assert found.phases[PHASES[1]] > 0, "no kill fell between first byte and commit"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    found = run(tmp_path, 200, seed=int(os.environ.get("MEITHEAL_SEED", "1")))
    print(found.report())
    assert not found.lost, found.report()
    assert found.phases[PHASES[1]] > 0, "no kill fell between first byte and commit"


@pytest.mark.timeout(600)
def test_the_check_notices_an_answer_that_is_sent_before_the_commit(tmp_path: Path) -> None:
    found = run(tmp_path, 2, seed=7, answer_first=True, only_after_answer=True)
    assert found.lost, found.report()
