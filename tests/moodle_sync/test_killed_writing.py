"""`kill -9` of the worker and of Moodle at any moment: groups and entries are there once, and no message twice."""

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
from typing import Any

import pytest
from factories import make_settings
from killed_writer import TELL
from moodle_pairs import Pairs, furnish
from sqlalchemy import select, update

from lti_tool.cycles.models import Meeting
from lti_tool.people.models import Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.sandbox import School, create_app
from lti_tool.store.base import Base, new_id
from lti_tool.store.database import Database
from lti_tool.store.jobs import enqueue
from lti_tool.store.jobs_models import Job
from moodle_sync import writing
from moodle_sync.models import MoodleWrite

PHASES = (
    "before anything left",
    "sent, not carried out by Moodle",
    "carried out, not answered",
    "between answer and mark",
    "after the mark",
)
KINDS = ("visit", "before", "after")


@dataclass
class Kills:
    """What came of killing both sides again and again."""

    counts: Counter[str] = field(default_factory=Counter)
    """What there was to write, and how messages ended."""
    seconds: float = 0.0
    phases: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(who was killed, moment) → how often."""
    moments: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def report(self) -> str:
        table = [f"{self.phases[who, phase]:4}  {who:<6}  {phase}" for who in ("worker", "moodle") for phase in PHASES]
        counts = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
        count = f"{sum(self.phases.values())} kills, {counts}, {self.seconds:.0f} s"
        return "\n".join([*self.moments, "", *table, count, *self.wrong])


class Scene:
    """The database, the two programs, and what they wrote down."""

    def __init__(self, folder: Path, teachers: int, dice: random.Random, *, careless: bool = False) -> None:
        self.folder, self._dice, self._careless, self._teachers = folder, dice, careless, teachers
        self.url, self.queue_url = f"sqlite:///{folder}/meitheal.db", f"sqlite:///{folder}/queue.db"
        self.log, self.state = folder / "log", folder / "state"
        self.log.touch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.database = Database(self.url)
        Base.metadata.create_all(self.database.engine)
        address = f"http://127.0.0.1:{self.port}"
        school: School = create_app(address).extensions["sandbox"]
        self.token = school.web_services.token
        with self.database.write() as session:
            platform = Platform(
                name="Coláiste Abhainn Rua", family="moodle", issuer=address, client_id="meitheal",
                authorization_url=address, token_url=address, jwks_url=address, created_at=self.now(),
            )  # fmt: skip
            session.add(platform)
            session.flush()
            platform_id = platform.id
        masters = Masters.of(make_settings())
        self.pairs: Pairs = furnish(self.database, masters, self.now, school, platform_id, more_teachers=teachers)
        self.together: list[str] = []
        self.told: list[str] = []
        """Keys of messages."""
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.started_at = 0
        """When the worker was started last."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def start(self, who: str) -> None:
        arguments = {
            "worker": ("writer", self.url, self.queue_url, self.log, *["--careless"] * self._careless),
            "moodle": ("moodle", self.port, self.token, self._teachers, self.log, self.state),
        }[who]
        if who == "worker":
            self.started_at = time.monotonic_ns()
        tests = Path(__file__).resolve().parent.parent
        self.programs[who] = subprocess.Popen(
            [sys.executable, str(tests / f"killed_{arguments[0]}.py"), *map(str, arguments[1:])],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])},
            stderr=subprocess.DEVNULL,
        )

    def kill(self, who: str) -> int:
        """When it was killed, in monotonic nanoseconds."""
        moment = time.monotonic_ns()
        self.programs[who].send_signal(signal.SIGKILL)
        self.programs[who].wait()
        return moment

    def do_something(self, what: str = "") -> None:
        """A pair comes together and books, a pair books more or moves a meeting, or somebody is to be told
        something."""
        what = what or self._dice.choice(("pair", "pair", "book", "tell", "tell"))
        if what == "tell":
            sub, key = self._dice.choice(list(self.pairs.people)), new_id()
            self.told.append(key)
            with self.database.write() as session:
                enqueue(session, TELL, key, {"person_id": self.pairs.people[sub], "key": key}, self.now())
            return
        if what == "pair" or not self.together:
            self.together.append(self.pairs.pair())
        pair_id = self.together[-1] if what == "pair" else self._dice.choice(self.together)
        moment = self.now().replace(microsecond=0) + timedelta(minutes=self._dice.randint(2_000, 60_000))
        self.pairs.book(pair_id, self._dice.choice(KINDS), moment)
        self.look()

    def look(self) -> None:
        """What a worker does every five minutes."""
        writing.look_after(self.database, self.now)

    def end_leases(self) -> None:
        """What ten minutes do after a worker was killed."""
        with self.database.write() as session:
            past = self.now() - timedelta(seconds=1)
            session.execute(update(Job).where(Job.lease != "").values(leased_until=past))

    def events(self, after: int = 0) -> list[tuple[str, str, int]]:
        """(what, which call, when) of all that happened after a moment."""
        lines = (line.split() for line in self.log.read_text().splitlines())
        found = [(line[0], line[1], int(line[2])) for line in lines if len(line) == 3]
        return [event for event in found if event[2] > after]

    def is_at_rest(self) -> bool:
        self.look()
        with self.database.read() as session:
            waits = MoodleWrite.status.in_(("waiting", "sending")) & (MoodleWrite.kind != "message")
            jobs = Job.kind.in_((TELL, writing.JOB))
            return session.scalar(select(MoodleWrite.id).where(waits)) is None and (
                session.scalar(select(Job.id).where(jobs)) is None
            )

    def stop(self) -> None:
        for who in self.programs:
            self.kill(who)
        self.database.dispose()


def run(folder: Path, kills: int, seed: int, *, careless: bool = False) -> Kills:
    dice, found, begun = random.Random(seed), Kills(), time.monotonic()
    scene = Scene(folder, teachers=4 * kills, dice=dice, careless=careless)
    try:
        scene.start("moodle")
        scene.start("worker")
        for number in range(kills):
            since = time.monotonic_ns()
            who = dice.choice(("worker", "worker", "moodle"))
            # Some while the job is only beginning, most while a call is on its way.
            what, of = dice.choice(("up", "sending", "sending", "taken", "answered")), ""
            if careless:
                who, what, of = "worker", "answered", ("core_calendar_create", "core_message")[number % 2]
                scene.do_something(("pair", "tell")[number % 2])
            else:
                for _ in range(dice.randint(1, 2)):
                    scene.do_something()
            _wait_for(scene, what, scene.started_at if what == "up" else since, of)
            time.sleep(dice.uniform(0, 0.02))
            moment = scene.kill(who)
            if who == "worker":
                scene.end_leases()
            phase, events = _phase(scene.events(since), moment)
            found.phases[who, phase] += 1
            found.moments.append(f"{number + 1}: {who} killed {phase}; {events}")
            scene.start(who)
        until = time.monotonic() + 120
        while not scene.is_at_rest() and time.monotonic() < until:
            time.sleep(0.1)
        found.wrong = _compare(scene, found.counts)
    finally:
        scene.stop()
    found.seconds = time.monotonic() - begun
    return found


def _wait_for(scene: Scene, what: str, since: int, function: str = "") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if any(event[0] == what and event[1].startswith(function) for event in scene.events(since)):
            return
        time.sleep(0.001)
    raise AssertionError(f"nothing was {what}: {scene.events(since)}")


def _phase(events: list[tuple[str, str, int]], killed_at: int) -> tuple[str, str]:
    """Where the call in hand was when somebody was killed."""
    before = [event for event in events if event[2] <= killed_at]
    last_sent = max((event for event in before if event[0] == "sending"), key=lambda event: event[2], default=None)
    told = ", ".join(f"{what} {which} {(at - killed_at) / 1e6:+.1f} ms" for what, which, at in events[-4:])
    if last_sent is None:
        return PHASES[0], told
    known = {what for what, which, at in before if which == last_sent[1] and at >= last_sent[2]}
    for what, phase in (("marked", 4), ("answered", 3), ("taken", 2)):
        if what in known:
            return PHASES[phase], told
    return PHASES[1], told


def _compare(scene: Scene, counts: Counter[str]) -> list[str]:
    """What is wrong with Moodle in the end, one sentence each."""
    state = json.loads(scene.state.read_text())
    with scene.database.read() as session:
        meetings = {row.id: row for row in session.execute(select(Meeting.id, Meeting.starts_at, Meeting.minutes))}
        ended = {row.key: row.status for row in session.execute(select(MoodleWrite.key, MoodleWrite.status))}
    counts.update(pairs=len(scene.together), bookings=len(meetings), messages=len(scene.told))
    wrong = [f"{what} {name} was made {number} times" for (what, name), number in _made(state).items() if number > 1]
    wrong += _groups_wrong(scene, state)
    there = Counter(each["description"] for each in state["events"])
    for meeting in meetings.values():
        name = f"meitheal-meeting-{meeting.id}"
        if there.pop(name, 0) != 1:
            wrong.append(f"{name} is there {there[name]} times")
        wanted = (int(meeting.starts_at.timestamp()), meeting.minutes * 60)
        if not any(
            (each["start"], each["length"]) == wanted for each in state["events"] if each["description"] == name
        ):
            wrong.append(f"{name} is at another time")
    wrong += [f"{name} is there, and no booking" for name in there]
    sent = Counter(each["text"] for each in state["messages"])
    for key in scene.told:
        status = ended.get(key, "nothing")
        counts[f"messages {status}"] += 1
        if (status, sent[key]) not in (("done", 1), ("sending", 0), ("sending", 1), ("unknown", 0), ("unknown", 1)):
            wrong.append(f"message {key} is {status} and came {sent[key]} times")
    return wrong + [f"{key} is {status}" for key, status in ended.items() if key not in scene.told and status != "done"]


def _made(state: dict[str, Any]) -> Counter[tuple[str, str]]:
    """How often each thing was ever made, one that was deleted again counted, too."""
    return Counter((what, name) for what, name, _ in state["made"])


def _groups_wrong(scene: Scene, state: dict[str, Any]) -> list[str]:
    wrong = []
    groups = {each["id_number"]: each for each in state["groups"] if each["id_number"]}
    (grouping,) = state["groupings"]
    for pair_id in scene.together:
        group = groups.pop(f"meitheal-pair-{pair_id}", {"id": "", "members": []})
        if set(group["members"]) != set(scene.pairs.subs[pair_id]):
            wrong.append(f"the group of {pair_id} has {len(group['members'])} members, not the two")
        if group["id"] not in grouping["groups"]:
            wrong.append(f"the group of {pair_id} is not in the grouping")
    return wrong + [f"{name} is there, and no pair" for name in groups]


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
    assert all(sum(found.phases[who, phase] for who in ("worker", "moodle")) for phase in PHASES[1:4])


@pytest.mark.timeout(120)
def test_the_check_notices_a_worker_that_makes_and_sends_twice(tmp_path: Path) -> None:
    found = run(tmp_path, 2, seed=7, careless=True)
    assert any(sentence.startswith("event") for sentence in found.wrong), found.report()
    assert any("came 2 times" in sentence for sentence in found.wrong), found.report()
