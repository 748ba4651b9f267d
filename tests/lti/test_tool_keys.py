"""Our own keys: sealed at rest, in memory as objects, rotated with overlap."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from jwt import PyJWK
from sqlalchemy import select

from lti_tool.lti.models import ToolKey
from lti_tool.lti.tool_keys import OVERLAP, PUBLISH_AHEAD, KeyMoments, ToolKeys, signing_key, state_of
from lti_tool.privacy.sealing import Masters, SealBroken
from lti_tool.store.database import Database

MASTERS = Masters(b"m" * 32)
T = datetime(2026, 9, 1, tzinfo=UTC)
H = timedelta(hours=1)


@pytest.fixture
def keys(database: Database, clock: Any) -> ToolKeys:
    return ToolKeys(database, MASTERS, clock)


def rotate(keys: ToolKeys, database: Database, clock: Any) -> Any:
    with database.write() as session:
        return keys.rotate(session, clock())


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


@pytest.mark.parametrize(
    ("signs_from", "published_until", "state"),
    [
        (T + H, None, "next"),
        (T, None, "active"),
        (T - 100 * H, None, "active"),
        (T - 100 * H, T + OVERLAP + H, "active"),
        (T - 100 * H, T + OVERLAP, "retiring"),
        (T - 100 * H, T + H, "retiring"),
        (T - 100 * H, T, "retired"),
        (T + H, T - H, "retired"),
    ],
)
def test_a_state_follows_from_the_moments(signs_from: datetime, published_until: datetime | None, state: str) -> None:
    assert state_of(KeyMoments("k", signs_from, published_until), T) == state


def test_at_every_moment_of_many_rotations_one_key_signs_and_is_published(
    keys: ToolKeys, database: Database, clock: Any
) -> None:
    keys.sign({})
    for hours in (0.5, 0.2, 30, 1, 80):
        rotate(keys, database, clock)
        end = clock.now + timedelta(hours=hours)
        while clock.now < end:
            assert kid_of(keys.sign({"a": 1})) in {key["kid"] for key in keys.jwks()["keys"]}
            clock.advance(15 * 60)


def test_the_first_key_is_made_at_first_use_and_signs_at_once(keys: ToolKeys, database: Database) -> None:
    token = keys.sign({"iss": "client-1"})
    (published,) = keys.jwks()["keys"]
    assert published["kid"] == kid_of(token)
    assert jwt.decode(token, PyJWK(published), algorithms=["RS256"]) == {"iss": "client-1"}


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after(
    keys: ToolKeys, database: Database, clock: Any
) -> None:
    old = kid_of(keys.sign({}))
    rotated = rotate(keys, database, clock)
    assert rotated.replaced == (old,)
    assert {key["kid"] for key in keys.jwks()["keys"]} == {old, rotated.new}
    assert kid_of(keys.sign({})) == old
    clock.advance(PUBLISH_AHEAD.total_seconds())
    assert kid_of(keys.sign({})) == rotated.new
    assert {key["kid"] for key in keys.jwks()["keys"]} == {old, rotated.new}
    clock.advance(OVERLAP.total_seconds())
    assert {key["kid"] for key in keys.jwks()["keys"]} == {rotated.new}
    rotate(keys, database, clock)
    with database.read() as session:
        gone = session.get_one(ToolKey, old)
        assert gone.sealed_private is None


def test_another_process_notices_within_a_minute(keys: ToolKeys, database: Database, clock: Any) -> None:
    other = ToolKeys(database, MASTERS, clock)
    assert kid_of(other.sign({})) == kid_of(keys.sign({}))
    new = rotate(keys, database, clock).new
    clock.advance(60)
    assert new in {key["kid"] for key in other.jwks()["keys"]}


def test_the_private_key_is_sealed_by_the_master_key_and_bound_to_its_row(
    keys: ToolKeys, database: Database, clock: Any
) -> None:
    keys.sign({})
    with database.read() as session:
        row = session.scalars(select(ToolKey)).one()
        stored = row.sealed_private
    assert stored is not None
    assert b"PRIVATE" not in stored and stored[:1] != b"0"
    with pytest.raises(SealBroken):
        ToolKeys(database, Masters(b"x" * 32), clock).sign({})
    with database.write() as session:
        other = keys._add(session, clock(), clock())
        session.get_one(ToolKey, other).sealed_private = stored
    with pytest.raises(SealBroken):
        ToolKeys(database, MASTERS, clock).sign({})


def test_a_parsed_key_stays_in_memory(keys: ToolKeys, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.sign({})
    monkeypatch.setattr(keys, "_opened", lambda *_: pytest.fail("parsed again"))
    clock.advance(61)
    keys.sign({})


def test_no_key_no_signature() -> None:
    assert signing_key([], T) is None
    assert signing_key([KeyMoments("k", T + H, None)], T) is None


def test_building_does_no_io() -> None:
    ToolKeys(None, MASTERS, lambda: T)  # type: ignore[arg-type]
