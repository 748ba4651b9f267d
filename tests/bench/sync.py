"""`make bench-sync`: calls and seconds to read all courses of a Moodle: first, again with nothing changed, and with one
group changed.

The sandbox is a process of its own and waits before each answer; groups stand for schools. COURSES, PEOPLE, DELAY_MS
and DATABASE (the address of an empty one; a new SQLite file otherwise) in the environment change what is measured. It
fails when an unchanged course costs more than one call.
"""

import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from factories import make_settings
from live_moodle import Moodle
from sqlalchemy import insert

from lti_tool.activities.models import Activity
from lti_tool.lti.http import Http
from lti_tool.ops import sync as syncing
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.sandbox.people import CourseRole
from lti_tool.store.base import Base, new_id
from lti_tool.store.database import Database
from moodle_sync import sites
from moodle_sync.client import SiteInfo
from moodle_sync.models import MoodleCourse
from moodle_sync.sync import Outcome

COURSES, PEOPLE = int(os.environ.get("COURSES", "50")), int(os.environ.get("PEOPLE", "200"))
DELAY_MS = float(os.environ.get("DELAY_MS", "50"))
GROUPS = 5
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
Roster = dict[str, list[str]]
"""Course -> user ids of the people in it."""


def main() -> int:
    here, there = multiprocessing.Pipe()
    sandbox = multiprocessing.get_context("fork").Process(target=serve, args=(there,), daemon=True)
    sandbox.start()
    address, token, functions, rosters = here.recv()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(os.environ.get("DATABASE") or f"sqlite:///{folder}/bench.db")
        Base.metadata.create_all(database.engine)
        masters = Masters.of(make_settings())
        fill(database, masters, address, token, functions, rosters)
        print(
            f"{COURSES} courses of {PEOPLE} teachers, {DELAY_MS:g} ms for each answer, {database.engine.dialect.name}"
        )
        calls = [run(name, database, masters, here) for name in ("first", "nothing changed")]
        here.send("change")
        here.recv()
        calls.append(run("one group changed", database, masters, here))
        database.dispose()
    here.send("stop")
    sandbox.join()
    if calls != [2 * COURSES, COURSES, COURSES + 1]:
        print("An unchanged course has to cost one call, any other one two.")
        return 1
    return 0


def serve(there: Connection) -> None:
    """The Moodle; answers `calls` with how many there were since, `change` by renaming a group, until `stop`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moodle = Moodle()
    school, rosters = moodle.school, {}
    for number in range(COURSES):
        course = school.add_course(f"B{number}", f"Course {number}", "")
        people = school.add_people(course, PEOPLE, CourseRole.STUDENT)
        for group in range(GROUPS):
            school.add_group(course, f"School {number}-{group}", (each.id for each in people[group::GROUPS]))
        rosters[course.id] = [each.id for each in people]
    school.faults.slow_s = DELAY_MS / 1000
    there.send((moodle.address, moodle.token, list(school.web_services.functions), rosters))
    while (asked := there.recv()) != "stop":
        if asked == "change":
            school.courses[next(iter(rosters))].groups[0].name = "Another name"
        there.send(school.web_services.calls.total())
        school.web_services.calls.clear()
    moodle.stop()


def fill(database: Database, masters: Masters, address: str, token: str, functions: list[str], rosters: Roster) -> None:
    """The rows that launches and rosters make, and a connected Moodle."""
    with database.write() as session:
        platform = Platform(
            name="Bench", family="moodle", issuer=address, client_id="c", authorization_url=address, token_url=address,
            jwks_url=address, created_at=NOW,
        )  # fmt: skip
        session.add(platform)
        session.flush()
        deployment = Deployment(platform_id=platform.id, deployment_id="1", created_at=NOW)
        session.add(deployment)
        session.flush()
        info = SiteInfo("4.4", 2, frozenset(functions), address)
        sites.connect(session, masters, platform.id, address, token, info, NOW)
        for moodle_id, subs in rosters.items():
            course = Course(deployment_id=deployment.id, context_key=f"context:{moodle_id}", created_at=NOW)
            session.add(course)
            session.flush()
            session.add(Activity(course_id=course.id, resource_link_id="1", status="open", created_at=NOW))
            session.add(MoodleCourse(course_id=course.id, moodle_id=int(moodle_id), groups_are="school"))
            ids = {sub: new_id() for sub in subs}
            new = [{"id": ids[sub], "platform_id": platform.id, "sub": sub, "created_at": NOW} for sub in subs]
            session.execute(insert(Person), new)
            members = [
                {
                    "id": new_id(),
                    "course_id": course.id,
                    "person_id": ids[sub],
                    "lms_role": "learner",
                    "created_at": NOW,
                }
                for sub in subs
            ]
            session.execute(insert(Membership), members)


def run(name: str, database: Database, masters: Masters, sandbox: Connection) -> int:
    """One `meitheal sync` of all courses; prints what it took, and returns the number of calls."""
    http = Http(make_settings().network.allow_private)
    wall, cpu = time.perf_counter(), time.process_time()
    (found,) = syncing.read_moodles(database, masters, http, lambda: NOW, _silently)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    http.close()
    sandbox.send("calls")
    calls: int = sandbox.recv()
    changed = found.changed
    print(
        f"{name:<18} {calls:>4} calls {wall:6.2f} s ({cpu:.2f} s CPU), {found.unchanged} as they were, "
        f"{changed.groups} groups, {changed.members} members, {changed.schools} schools of people changed"
    )
    assert not found.problems, found.problems
    return calls


def _silently(outcomes: Iterator[Outcome], _number: int, _platform: str) -> Iterator[Outcome]:
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
