"""Sessions of the database."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from lti_tool.lti.models import Invite
from lti_tool.store.database import Database


def add(database: Database, code: str, now: datetime) -> None:
    with database.write() as session:
        session.add(Invite(code_hash=code, name="Scoil", created_at=now, expires_at=now))


def test_a_reading_session_sees_one_moment(database: Database, clock: Any) -> None:
    with database.read() as session:
        before = session.scalar(select(func.count()).select_from(Invite))
        add(database, "a", clock.now)
        assert session.scalar(select(func.count()).select_from(Invite)) == before == 0
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Invite)) == 1


def test_an_error_of_the_database_does_not_name_values(database: Database, clock: Any) -> None:
    add(database, "a-secret", clock.now)
    with pytest.raises(DBAPIError) as error:
        add(database, "a-secret", clock.now)
    assert "Scoil" not in str(error.value)
