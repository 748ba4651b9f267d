"""Fills a database with platforms, courses and people, in bulk."""

from datetime import UTC, datetime

from platform_double import CLIENT_ID, ISSUER, Platform
from sqlalchemy import insert

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.lti.models import PlatformKeySet
from lti_tool.people.models import Course, Deployment, Membership, Person
from lti_tool.people.models import Platform as PlatformRow
from lti_tool.store.base import Base, new_id
from lti_tool.store.database import Database
from lti_tool.store.tables import import_all_models


def fill(url: str, platform: Platform, *, members: int, schools: int = 1, people: int = 0) -> None:
    """A school whose course has `members` teachers, among `schools` schools with `people` people in all."""
    import_all_models()
    database = Database(url)
    Base.metadata.create_all(database.engine)
    _school(database, ISSUER, CLIENT_ID, members, platform.stored_keys())
    others = max(0, schools - 1)
    share = (people - members) // others if others else 0
    for number in range(others):
        _school(database, f"https://lms{number}.example", f"client{number}", share, [])
    database.dispose()


def _school(database: Database, issuer: str, client_id: str, members: int, keys: list[dict[str, str]]) -> None:
    now = datetime.now(UTC)
    platform_id, deployment_id, course_id, activity_id = (new_id() for _ in range(4))
    person_ids = [new_id() for _ in range(members)]
    trainer_id, trainer_membership = new_id(), new_id()
    with database.write() as session:
        session.execute(
            insert(PlatformRow).values(
                id=platform_id,
                name=issuer,
                family="moodle",
                issuer=issuer,
                client_id=client_id,
                authorization_url=f"{issuer}/auth",
                token_url=f"{issuer}/token",
                jwks_url=f"{issuer}/jwks",
                status="active",
                token_audience="",
                created_at=now,
            )
        )
        session.execute(
            insert(PlatformKeySet).values(
                platform_id=platform_id, jwks_url=f"{issuer}/jwks", keys=keys, fetched_at=now, tried_at=now
            )
        )
        session.execute(
            insert(Deployment).values(
                id=deployment_id, platform_id=platform_id, deployment_id="1", status="active", created_at=now
            )
        )
        session.execute(
            insert(Course).values(
                id=course_id,
                deployment_id=deployment_id,
                context_key="context:2",
                title="CPC 2026/27",
                label="CPC26",
                memberships_url="",
                roster_read_at=now,
                created_at=now,
            )
        )
        session.execute(
            insert(Activity).values(
                id=activity_id,
                course_id=course_id,
                resource_link_id="1",
                title="Coaching cycle 1",
                purpose="",
                status="open",
                protocol="collegial",
                created_at=now,
            )
        )
        people = [_person(platform_id, key, number + 1, now) for number, key in enumerate(person_ids)]
        people.append(_person(platform_id, trainer_id, 1_000_000, now))
        session.execute(insert(Person), people)
        session.execute(
            insert(Membership),
            [_membership(new_id(), course_id, key, "learner", now) for key in person_ids]
            + [_membership(trainer_membership, course_id, trainer_id, "instructor", now)],
        )
        session.execute(
            insert(ActivityTrainer).values(
                id=new_id(), activity_id=activity_id, membership_id=trainer_membership, created_at=now
            )
        )


def _person(platform_id: str, key: str, number: int, now: datetime) -> dict[str, object]:
    return {
        "id": key,
        "platform_id": platform_id,
        "sub": str(number),
        "name": f"Niamh Ní Bhriain {number}",
        "given_name": "Niamh",
        "family_name": f"Ní Bhriain {number}",
        "locale": "en",
        "language": "",
        "created_at": now,
    }


def _membership(key: str, course_id: str, person_id: str, role: str, now: datetime) -> dict[str, object]:
    return {
        "id": key,
        "course_id": course_id,
        "person_id": person_id,
        "lms_role": role,
        "is_administrator": False,
        "is_leader": False,
        "is_active": True,
        "launched_at": now,
        "welcomed_at": now,
        "created_at": now,
    }
