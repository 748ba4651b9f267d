"""`kill -9` of the worker and of the LMS at any moment: each completion is in the gradebook, once."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from completion.coaching_school import enrol
from completion.sandbox_here import COURSE, open_sandbox
from factories import make_settings
from sqlalchemy import select, update

from lti_tool.completion import service
from lti_tool.completion.models import Delivery
from lti_tool.lti.service import LtiDoor
from lti_tool.sandbox import School
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job

PHASES = (
    "before the score left",
    "sent, not taken by the LMS",
    "taken by the LMS, not answered",
    "between answer and mark",
    "after the mark",
)


@dataclass
class Kills:
    """What came of killing both sides again and again."""

    tapped: int = 0
    seconds: float = 0.0
    phases: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(who was killed, moment) → how often."""
    moments: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def report(self) -> str:
        table = [f"{self.phases[who, phase]:4}  {who:<6}  {phase}" for who in ("worker", "lms") for phase in PHASES]
        count = f"{sum(self.phases.values())} kills, {self.tapped} completions told, {self.seconds:.0f} s"
        return "\n".join([*self.moments, "", *table, count, *self.wrong])


class Scene:
    """The database, the two programs, and what they wrote down."""

    def __init__(self, folder: Path, teachers: int, *, careless: bool = False) -> None:
        self.folder, self._careless = folder, careless
        self.url, self.queue_url = f"sqlite:///{folder}/meitheal.db", f"sqlite:///{folder}/queue.db"
        self.log, self.journal = folder / "log", folder / "journal"
        self.log.touch()
        self.journal.touch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.database = Database(self.url)
        Base.metadata.create_all(self.database.engine)
        settings = make_settings(database_url=self.url)
        jwks = LtiDoor(settings, self.database, lambda: datetime.now(UTC)).keys.jwks()
        (folder / "jwks").write_text(json.dumps(jwks))
        self._teachers = teachers
        sandbox = open_sandbox(f"http://127.0.0.1:{self.port}", "moodle", jwks, time.time, more_teachers=teachers)
        school: School = sandbox.extensions["sandbox"]
        self.activity_id, self.members = enrol(school, self.database, datetime.now(UTC))
        self.waiting = [sub for sub in self.members if school.courses[COURSE].members[sub] == "student"]
        self.tapped: list[str] = []
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.started_at = 0
        """When the worker was started last."""

    def start(self, who: str) -> None:
        arguments = {
            "worker": (self.url, self.queue_url, self.log, *["--careless"] * self._careless),
            "lms": (self.port, self.folder / "jwks", self._teachers, self.log, self.journal),
        }[who]
        if who == "worker":
            self.started_at = time.monotonic_ns()
        here = Path(__file__).resolve().parent
        self.programs[who] = subprocess.Popen(
            [sys.executable, str(here / f"killed_{who}.py"), *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(here.parent), str(here.parent.parent)])},
            stderr=subprocess.DEVNULL,
        )

    def kill(self, who: str) -> int:
        """When it was killed, in monotonic nanoseconds."""
        moment = time.monotonic_ns()
        self.programs[who].send_signal(signal.SIGKILL)
        self.programs[who].wait()
        return moment

    def tap(self) -> None:
        sub = self.waiting.pop()
        self.tapped.append(sub)
        with self.database.write() as session:
            service.tell(session, activity_id=self.activity_id, membership_id=self.members[sub], now=datetime.now(UTC))

    def end_leases(self) -> None:
        """What ten minutes do after a worker was killed."""
        with self.database.write() as session:
            past = datetime.now(UTC) - timedelta(seconds=1)
            session.execute(update(Job).where(Job.lease != "").values(leased_until=past))

    def events(self, after: int = 0) -> list[tuple[str, str, int]]:
        """(what, whom, when) of all that happened after a moment."""
        lines = (line.split() for line in self.log.read_text().splitlines())
        found = [(line[0], line[1], int(line[2])) for line in lines if len(line) == 3]
        return [event for event in found if event[2] > after]

    def unsent(self) -> int:
        with self.database.read() as session:
            return len(session.scalars(select(Delivery.id).where(Delivery.status != "sent")).all())

    def stop(self) -> None:
        for who in self.programs:
            self.kill(who)
        self.database.dispose()


def run(folder: Path, kills: int, seed: int, *, careless: bool = False) -> Kills:
    dice, found, begun = random.Random(seed), Kills(), time.monotonic()
    scene = Scene(folder, teachers=2 * kills, careless=careless)
    try:
        scene.start("lms")
        scene.start("worker")
        for number in range(kills):
            since = time.monotonic_ns()
            for _ in range(dice.randint(1, 2)):
                scene.tap()
            who = dice.choice(("worker", "worker", "lms"))
            # Some while the job is only beginning, most while a score is on its way.
            what = dice.choice(("up", "sending", "sending", "taken", "answered"))
            if careless:
                who, what = "worker", "answered"
            _wait_for(scene, what, scene.started_at if what == "up" else since)
            time.sleep(dice.uniform(0, 0.02))
            moment = scene.kill(who)
            if who == "worker":
                scene.end_leases()
            phase, events = _phase(scene.events(since), moment)
            found.phases[who, phase] += 1
            found.moments.append(f"{number + 1}: {who} killed {phase}; {events}")
            scene.start(who)
        until = time.monotonic() + 120
        while scene.unsent() and time.monotonic() < until:
            time.sleep(0.1)
        found.tapped = len(scene.tapped)
        found.wrong = _compare(scene)
    finally:
        scene.stop()
    found.seconds = time.monotonic() - begun
    return found


def _wait_for(scene: Scene, what: str, since: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if any(event[0] == what for event in scene.events(since)):
            return
        time.sleep(0.001)
    raise AssertionError(f"nothing was {what}: {scene.events(since)}")


def _phase(events: list[tuple[str, str, int]], killed_at: int) -> tuple[str, str]:
    """Where the delivery in hand was when somebody was killed."""
    before = [event for event in events if event[2] <= killed_at]
    last_sent = max((event for event in before if event[0] == "sending"), key=lambda event: event[2], default=None)
    told = ", ".join(f"{what} {whom} {(at - killed_at) / 1e6:+.1f} ms" for what, whom, at in events[-6:])
    if last_sent is None:
        return PHASES[0], told
    known = {what for what, whom, at in before if whom == last_sent[1] and at >= last_sent[2]}
    for what, phase in (("marked", 4), ("answered", 3), ("taken", 2)):
        if what in known:
            return PHASES[phase], told
    return PHASES[1], told


def _compare(scene: Scene) -> list[str]:
    """What is wrong with the gradebook in the end, one sentence each."""
    wrong = []
    entries = requests.get(f"http://127.0.0.1:{scene.port}/sandbox/grades", timeout=30).json()
    grades = {entry["user"]: (entry["score"], entry["maximum"], entry["feedback"]) for entry in entries}
    if len(entries) != len(grades):
        wrong.append("somebody has two entries")
    for sub in scene.tapped:
        if grades.pop(sub, None) != (100, 100, "Completed"):
            wrong.append(f"{sub} told and is not in the gradebook")
    wrong += [f"{sub} did not tell and is in the gradebook" for sub in grades]
    taken: dict[str, list[int]] = {}
    for line in scene.journal.read_text().splitlines():
        entry = json.loads(line)
        taken.setdefault(entry["user"], []).append(entry["modified"])
    for sub, times in taken.items():
        if times != sorted(set(times)):
            wrong.append(f"{sub}: times went back: {times}")
        if len(times) > 1:
            wrong.append(f"{sub}: the LMS took {len(times)} scores")
    if left := scene.unsent():
        wrong.append(f"{left} deliveries are not marked as sent")
    return wrong


@pytest.mark.timeout(120)
def test_six_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    found = run(tmp_path, 6, seed=2026)
    print(found.report())
    assert not found.wrong, found.report()
    assert sum(found.phases.values()) == 6


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    found = run(tmp_path, 200, seed=int(os.environ.get("MEITHEAL_SEED", "1")))
    print(found.report())
    assert not found.wrong, found.report()
    assert all(sum(found.phases[who, phase] for who in ("worker", "lms")) for phase in PHASES[1:4])


@pytest.mark.timeout(120)
def test_the_check_notices_a_worker_that_sends_twice(tmp_path: Path) -> None:
    found = run(tmp_path, 2, seed=7, careless=True)
    assert any("the LMS took" in sentence for sentence in found.wrong), found.report()
