"""Rows that tests begin with, made as a launch and a roster would make them."""

import base64
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from flask.testing import FlaskClient

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.people.actor import Actor
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.people.sign_ins import open_sign_in
from lti_tool.settings import Settings, from_values
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

NAMES = (
    ("Niamh", "Ní Bhriain"),
    ("Seán", "Ó Dónaill"),
    ("Gráinne", "Byrne"),
    ("Oisín", "Mac Cárthaigh"),
    ("Aoife", "Walsh"),
    ("Pádraig", "Ó Sé"),
)

A_TEACHER = Actor(
    handle="h",
    person_id="host",
    membership_id="m-host",
    course_id="course",
    course_title="CPC",
    activity_id="activity",
    name="Niamh Ní Bhriain",
    given_name="Niamh",
    lms_role="learner",
    is_administrator=False,
    is_leader=False,
    is_active=True,
    is_trainer=False,
    is_welcomed=True,
    language="",
    locale="en",
    platform_origin="https://lms.example",
    return_url="",
)
"""A teacher in a course, for rules that look at nobody's rows."""


def forget_loggers() -> None:
    """Lets the loggers of the tool begin anew: one that was used before holds on to the settings of that time."""
    for name, module in list(sys.modules.items()):
        if name.startswith("lti_tool.") and hasattr(module, "log"):
            vars(module.log).pop("bind", None)


def make_settings(**changes: object) -> Settings:
    """Settings of a tool at http://localhost:8000 that may talk to platforms on this machine."""
    values: dict[str, object] = {
        "public_url": "http://localhost:8000",
        "secret_key": base64.b64encode(b"s" * 32).decode(),
        "master_key": base64.b64encode(b"m" * 32).decode(),
        "network": {"allow_private": ["127.0.0.0/8", "::1/128"]},
        "limits": {"enabled": False},
        "log": {"level": "error"},
    }
    return from_values(values | changes)


@dataclass(frozen=True)
class MadeCourse:
    """A course with an activity and its people; ids only."""

    platform_id: str
    deployment_id: str
    course_id: str
    activity_id: str
    trainer: str
    """Membership of the Instructor who set the activity up (or would)."""
    guest: str
    """Membership of another Instructor."""
    leader: str
    """Membership of a principal enrolled as Instructor, flagged as leader."""
    administrator: str
    """Membership of the LMS administrator."""
    teachers: tuple[str, ...]
    """Memberships of teachers."""


def make_course(
    database: Database,
    *,
    teachers: int = 3,
    protocol: str = "light",
    status: str = "open",
    now: datetime | None = None,
    issuer: str | None = None,
    welcomed: bool = True,
) -> MadeCourse:
    """A platform, a course, an activity (`open`, or `new` without a trainer), and people in every role."""
    now = now or datetime.now(UTC)
    with database.write() as session:
        platform = Platform(
            name="Scoil Éanna",
            family="moodle",
            issuer=issuer or f"https://lms-{new_id()}.example",
            client_id=new_id(),
            authorization_url="https://lms.example/auth",
            token_url="https://lms.example/token",
            jwks_url="https://lms.example/jwks",
            created_at=now,
        )
        session.add(platform)
        session.flush()
        deployment = Deployment(platform_id=platform.id, deployment_id="1", created_at=now)
        session.add(deployment)
        session.flush()
        course = Course(
            deployment_id=deployment.id, context_key=f"context:{new_id()}", title="CPC 2026/27", created_at=now
        )
        session.add(course)
        session.flush()
        activity = Activity(
            course_id=course.id,
            resource_link_id=new_id(),
            title="Coaching cycle 1",
            status=status,
            protocol=protocol if status == "open" else "",
            created_at=now,
        )
        session.add(activity)

        def join(given: str, family: str, role: str, **flags: bool) -> str:
            person = Person(
                platform_id=platform.id,
                sub=new_id(),
                name=f"{given} {family}",
                given_name=given,
                family_name=family,
                created_at=now,
            )
            session.add(person)
            session.flush()
            membership = Membership(
                course_id=course.id,
                person_id=person.id,
                lms_role=role,
                welcomed_at=now if welcomed else None,
                created_at=now,
                **flags,
            )
            session.add(membership)
            session.flush()
            return membership.id

        trainer = join("Máire", "Trainer", "instructor")
        if status == "open":
            session.add(ActivityTrainer(activity_id=activity.id, membership_id=trainer, created_at=now))
        return MadeCourse(
            platform_id=platform.id,
            deployment_id=deployment.id,
            course_id=course.id,
            activity_id=activity.id,
            trainer=trainer,
            guest=join("Colm", "Guest", "instructor"),
            leader=join("Bríd", "Principal", "instructor", is_leader=True),
            administrator=join("Admin", "Site", "other", is_administrator=True),
            teachers=tuple(
                join(*(NAMES[i] if i < len(NAMES) else (f"Teacher{i}", "Test")), "learner") for i in range(teachers)
            ),
        )


def sign_in(
    database: Database,
    client: FlaskClient,
    membership_id: str,
    activity_id: str | None,
    now: datetime | None = None,
    locale: str = "en",
    selection_id: str | None = None,
) -> str:
    """Signs a membership in, as a launch would; returns the path prefix of their pages: `/at/<handle>`."""
    with database.write() as session:
        handle, secret = open_sign_in(
            session,
            membership_id=membership_id,
            activity_id=activity_id,
            locale=locale,
            platform_origin="https://lms.example",
            return_url="",
            selection_id=selection_id,
            now=now or datetime.now(UTC),
        )
    client.set_cookie(f"__Host-at-{handle}", secret, domain="localhost")
    return f"/at/{handle}"


def csrf_token(client: FlaskClient, prefix: str) -> str:
    """The CSRF token of a sign-in, as its pages carry it."""
    import re

    page = client.get(f"{prefix}/about").get_data(as_text=True)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "no page with a CSRF token"
    return found.group(1)
