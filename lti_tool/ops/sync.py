"""`meitheal sync`: what would happen by itself in time is asked for now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from lti_tool.completion import service as completion
from lti_tool.people import registry, roster
from lti_tool.people.models import Course, Deployment
from lti_tool.store.database import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for at one platform; a worker does it."""

    platform: str
    rosters: int
    completions: int


def ask(database: Database, now: datetime) -> Iterator[Asked]:
    """Asks for a fresh roster of every course of each active platform, and for every completion that its gradebooks do
    not have yet, stopped ones too. One transaction for each platform."""
    with database.read() as session:
        platforms = [line for line in registry.list_platforms(session) if line.status == "active"]
    for line in platforms:
        with database.write() as session:
            courses = session.scalars(
                select(Course.id)
                .join(Deployment, Deployment.id == Course.deployment_id)
                .where(Deployment.platform_id == line.id, Deployment.status == "active", Course.memberships_url != "")
            ).all()
            for course_id in courses:
                roster.request(session, course_id, now)
            completions = completion.retry_all(session, line.id, now)
        yield Asked(line.name, len(courses), completions)
