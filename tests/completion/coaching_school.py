"""A sandbox LMS with the tool in one of its courses, where teachers have submitted their reflections."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from browsers import Browser
from completion.sandbox_here import CLIENT_ID, COURSE, open_sandbox
from cycles.pair_at_work import make_cycle
from factories import MadeCourse
from flask import Flask
from sqlalchemy import select, update
from werkzeug.serving import make_server

from lti_tool import worker
from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.completion import service
from lti_tool.completion.models import Delivery
from lti_tool.cycles.models import StageMark
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.protocols.recipe import REFLECTION
from lti_tool.sandbox import School
from lti_tool.store import jobs
from lti_tool.store.database import Database


class Lms:
    """A sandbox, served on this machine until it is stopped."""

    def __init__(self, personality: str, jwks: Mapping[str, Any], clock: Callable[[], float], gradable: bool) -> None:
        self._server = make_server("127.0.0.1", 0, lambda environ, start: self.app(environ, start), threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.app = open_sandbox(self.address, personality, jwks, clock, gradable=gradable)
        self.school: School = self.app.extensions["sandbox"]
        self.scripts = self.app.test_client()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.school.http.close()


@dataclass
class CoachingSchool:
    """An activity that reports completion, its people, and the gradebook of the LMS."""

    lms: Lms
    app: Flask
    database: Database
    clock: Any
    activity_id: str = ""
    members: dict[str, str] = field(default_factory=dict)
    """The LMS's user id → membership."""

    @property
    def platform_id(self) -> str:
        with self.database.read() as session:
            return session.scalars(select(Platform.id)).one()

    @property
    def teachers(self) -> list[str]:
        """User ids of those who have submitted a reflection."""
        return [sub for sub in self.members if self.lms.school.courses[COURSE].members.get(sub) == "student"]

    def tap(self, *subs: str) -> None:
        for sub in subs:
            with self.database.write() as session:
                service.tell(session, activity_id=self.activity_id, membership_id=self.members[sub], now=self.clock())

    def work(self) -> int:
        """Lets a worker do all that is due; how many attempts that were."""
        tool = self.app.extensions["meitheal"]
        kinds = worker.handlers(self.database, tool.lti, tool.keyring, self.clock)
        return jobs.run_due(self.database, kinds, (), self.clock)

    def deliver(self) -> None:
        """The job itself; raises what it raises."""
        lti = self.app.extensions["meitheal"].lti
        service.deliver(
            {"activity_id": self.activity_id},
            database=self.database,
            http=lti.http,
            tokens=lti.tokens,
            clock=self.clock,
        )

    def look_after(self) -> None:
        with self.database.write() as session:
            service.look_after_waiting(session, self.clock())

    def delivery(self, sub: str) -> Delivery:
        with self.database.read() as session:
            mine = Delivery.membership_id == self.members[sub]
            return session.scalars(select(Delivery).where(mine, Delivery.activity_id == self.activity_id)).one()

    def state(self, sub: str) -> tuple[str, str]:
        """(status, problem) of a teacher's delivery."""
        found = self.delivery(sub)
        return found.status, found.problem

    def faults(self, **wanted: Any) -> None:
        assert self.lms.scripts.post("/sandbox/faults", json=wanted).status_code == 200

    def heal(self) -> None:
        assert self.lms.scripts.delete("/sandbox/faults").status_code == 200

    def grades(self) -> dict[str, tuple[float | None, float, str | None]]:
        """User id → (score, maximum, feedback), over all columns; a person with two entries is an error."""
        entries = self.lms.scripts.get("/sandbox/grades").get_json()
        found = {entry["user"]: (entry["score"], entry["maximum"], entry["feedback"]) for entry in entries}
        assert len(found) == len(entries)
        return found

    def set_activity(self, **values: Any) -> None:
        with self.database.write() as session:
            session.execute(update(Activity).where(Activity.id == self.activity_id).values(**values))

    def activity(self) -> Activity:
        with self.database.read() as session:
            return session.scalars(select(Activity).where(Activity.id == self.activity_id)).one()

    def browser(self, sub: str) -> Browser:
        return Browser(self.app, self.database, self.clock, self.members[sub], self.activity_id)


def enrol(school: School, database: Database, now: Any) -> tuple[str, dict[str, str]]:
    """The rows that launches and a roster make of the sandbox's course; the activity is open and reports completion.

    Returns its id, and for each person of the course user id → membership.
    """
    paths, tool = school.personality.paths, next(iter(school.tools.values()))
    link = next(iter(school.activities.values()))
    query = school.personality.service_query(tool)

    def service_url(rule: str, item: str = "") -> str:
        path = rule.replace("<course>", COURSE).replace("<tool>", tool.deployment_id).replace("<item>", item)
        return school.url(path) + query

    column = next(iter(school.line_items), None)
    with database.write() as session:
        platform = Platform(
            name="Coláiste Abhainn Rua",
            family=school.personality.product,
            issuer=school.issuer,
            client_id=CLIENT_ID,
            authorization_url=school.url(paths.authorization),
            token_url=school.url(paths.tokens),
            jwks_url=school.url(paths.jwks),
            token_audience=school.personality.quirks.token_audience or "",
            created_at=now,
        )
        session.add(platform)
        session.flush()
        deployment = Deployment(platform_id=platform.id, deployment_id=tool.deployment_id, created_at=now)
        session.add(deployment)
        session.flush()
        course = Course(deployment_id=deployment.id, context_key=f"context:{COURSE}", title="CPC", created_at=now)
        session.add(course)
        session.flush()
        activity = Activity(
            course_id=course.id,
            resource_link_id=link.id,
            title=link.title,
            status="open",
            protocol="light",
            reports_completion=True,
            line_item_url=service_url(paths.line_item, column) if column else "",
            line_items_url=service_url(paths.line_items),
            created_at=now,
        )
        session.add(activity)
        members: dict[str, str] = {}
        for person, role in school.members_of(school.courses[COURSE]):
            known = Person(
                platform_id=platform.id, sub=person.id, name=person.name, given_name=person.given,
                family_name=person.family, created_at=now,
            )  # fmt: skip
            session.add(known)
            session.flush()
            membership = Membership(
                course_id=course.id, person_id=known.id, lms_role="instructor" if role.is_staff else "learner",
                welcomed_at=now, created_at=now,
            )  # fmt: skip
            session.add(membership)
            session.flush()
            members[person.id] = membership.id
        trainer = school.person("maire.niceoin")
        assert trainer
        session.add(ActivityTrainer(activity_id=activity.id, membership_id=members[trainer.id], created_at=now))
        return activity.id, members


def submit(database: Database, activity_id: str, memberships: list[str], now: Any) -> None:
    """Lets teachers, two at a time, come to the end of a cycle."""
    for pair in zip(memberships[::2], memberships[1::2], strict=False):
        course = MadeCourse("", "", "", activity_id, "", "", "", "", pair)
        cycle_id = make_cycle(database, course, now)
        with database.write() as session:
            for membership in pair:
                session.add(StageMark(cycle_id=cycle_id, stage=REFLECTION, membership_id=membership, at=now))


def furnish(lms: Lms, app: Flask, database: Database, clock: Any) -> CoachingSchool:
    """Everything up to the tap: every teacher has submitted a reflection."""
    activity_id, members = enrol(lms.school, database, clock())
    school = CoachingSchool(lms, app, database, clock, activity_id, members)
    submit(database, activity_id, [members[sub] for sub in school.teachers], clock())
    return school
