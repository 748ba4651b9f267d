"""What the operator does with platforms."""

from typing import Any

import pytest
from factories import make_course
from sqlalchemy import func, select

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import ProtocolVersion
from lti_tool.people import registry
from lti_tool.people.models import Membership, Platform
from lti_tool.people.registry import NewPlatform, Problem, RegistryError
from lti_tool.protocols.models import OwnProtocol
from lti_tool.protocols.reader import shipped
from lti_tool.store.database import Database

NEW = NewPlatform(
    name="School",
    issuer="https://lms.example",
    client_id="c1",
    authorization_url="https://lms.example/auth",
    token_url="https://lms.example/token",
    jwks_url="https://lms.example/jwks",
    deployment_id="1",
)


def changed(**changes: str) -> NewPlatform:
    return NewPlatform(**{name: getattr(NEW, name) for name in NEW.__slots__} | changes)


def problem(database: Database, act: Any) -> Problem:
    with pytest.raises(RegistryError) as caught, database.write() as session:
        act(session)
    return caught.value.problem


def test_a_platform_is_added_listed_and_shown(database: Database, clock: Any) -> None:
    with database.write() as session:
        line = registry.add(session, NEW, clock())
    with database.read() as session:
        assert registry.list_platforms(session) == [line]
        details = registry.show(session, line.id)
    assert (details.status, details.people, details.last_launch_at) == ("active", 0, None)
    assert [(d.deployment_id, d.status, d.courses) for d in details.deployments] == [("1", "active", 0)]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"issuer": ""},
        {"client_id": "x" * 300},
        {"client_id": "a\nb"},
        {"authorization_url": "javascript:alert(1)"},
        {"token_url": ""},
        {"jwks_url": "file:///etc/passwd"},
        {"deployment_id": "x" * 300},
    ],
)
def test_a_platform_that_makes_no_sense(database: Database, clock: Any, changes: dict[str, str]) -> None:
    act = lambda session: registry.add(session, changed(**changes), clock())  # noqa: E731
    assert problem(database, act) is Problem.BAD_VALUE


def test_the_same_registration_is_not_added_twice(database: Database, clock: Any) -> None:
    with database.write() as session:
        registry.add(session, NEW, clock())
    assert problem(database, lambda session: registry.add(session, NEW, clock())) is Problem.EXISTS


def test_a_platform_is_named_by_id_or_by_issuer_and_client(database: Database, clock: Any) -> None:
    with database.write() as session:
        one = registry.add(session, NEW, clock()).id
        assert registry.find(session, issuer=NEW.issuer) == one
        other = registry.add(session, changed(client_id="c2"), clock()).id
        assert registry.find(session, issuer=NEW.issuer, client_id="c2") == other
        assert registry.find(session, platform_id=one) == one
    assert problem(database, lambda s: registry.find(s, issuer=NEW.issuer)) is Problem.AMBIGUOUS
    assert problem(database, lambda s: registry.find(s, issuer="https://x.example")) is Problem.NOT_FOUND
    assert problem(database, lambda s: registry.find(s, platform_id="x")) is Problem.NOT_FOUND


def test_approve_suspend_and_approve_again(database: Database, clock: Any) -> None:
    with database.write() as session:
        platform_id = registry.add(session, NEW, clock()).id
        registry.suspend(session, platform_id)
        assert registry.show(session, platform_id).status == "suspended"
        registry.approve(session, platform_id, clock())
        registry.approve(session, platform_id, clock(), deployment_id="announced")
        details = registry.show(session, platform_id)
    assert details.status == "active"
    assert {d.deployment_id for d in details.deployments if d.status == "active"} == {"1", "announced"}


@pytest.mark.parametrize("act", ["show", "suspend", "remove"])
def test_an_unknown_platform(database: Database, act: str) -> None:
    assert problem(database, lambda session: getattr(registry, act)(session, "x")) is Problem.NOT_FOUND


def test_removing_a_platform_takes_its_people_along(database: Database) -> None:
    made = make_course(database)
    with database.write() as session:
        registry.remove(session, made.platform_id)
    with database.read() as session:
        assert session.scalar(select(func.count(Membership.id))) == 0
        assert session.scalar(select(func.count(Platform.id))) == 0


def test_what_was_given_out_of_its_protocols_goes_too_unless_somebody_follows_it(
    database: Database, clock: Any
) -> None:
    made, other = make_course(database), make_course(database)
    with database.write() as session:
        here, there = (
            session.scalars(select(Activity).where(Activity.id == each.activity_id)).one() for each in (made, other)
        )
        body = dict(shipped()["light"].body)
        for key, course in (("own_aaaaaaaa", here), ("own_bbbbbbbb", here), ("own_cccccccc", there)):
            session.add(
                OwnProtocol(course_id=course.course_id, key=key, body=body, created_at=clock(), changed_at=clock())
            )
            session.add(ProtocolVersion(key=key, version=1, body=body, created_at=clock()))
        session.add(ProtocolVersion(key="light", version=1, body=body, created_at=clock()))
        here.protocol, there.protocol = "own_aaaaaaaa", "own_bbbbbbbb"
    with database.write() as session:
        registry.remove(session, made.platform_id)
    with database.read() as session:
        left = session.scalars(select(ProtocolVersion.key).order_by(ProtocolVersion.key)).all()
    assert left == ["light", "own_bbbbbbbb", "own_cccccccc"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 300])
def test_an_invite_needs_a_name(database: Database, clock: Any, name: str) -> None:
    assert problem(database, lambda session: registry.invite(session, name, clock())) is Problem.BAD_VALUE


def test_invites_are_long_and_different(database: Database, clock: Any) -> None:
    with database.write() as session:
        codes = {registry.invite(session, "School", clock()).code for _ in range(5)}
    assert len(codes) == 5 and all(len(code) >= 43 for code in codes)
    assert registry.registration_url("https://x.example", "abc") == "https://x.example/lti/register?invite=abc"


def test_looking_at_an_invite_tells_what_it_is_good_for_and_changes_nothing(database: Database, clock: Any) -> None:
    with database.write() as session:
        code = registry.invite(session, "Scoil", clock()).code
    with database.read() as session:
        assert registry.look_at_invite(session, code, clock()) == "open"
        assert registry.look_at_invite(session, "other", clock()) == "unusable"
        assert registry.look_at_invite(session, code, clock() + registry.INVITE_LIFETIME) == "unusable"
    with database.write() as session:
        reserved = registry.reserve_invite(session, code, clock())
        assert registry.look_at_invite(session, code, clock()) == "open", "held, and free again if it comes to nothing"
        kept = registry.keep(session, NEW, reserved=reserved, now=clock())
        assert (kept.status, registry.look_at_invite(session, code, clock())) == ("active", "used")
        assert registry.look_at_invite(session, code, clock() + registry.INVITE_LIFETIME) == "used"


def test_without_an_invite_a_platform_waits(database: Database, clock: Any) -> None:
    with database.write() as session:
        assert registry.keep(session, NEW, reserved=None, now=clock()).status == "pending"
