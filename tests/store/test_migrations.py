"""Revisions lead from nothing to the models, on both databases, and a stopped upgrade changes nothing."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from lti_tool.store import migrate
from lti_tool.store.base import Base
from lti_tool.store.database import Database


@pytest.fixture
def empty(database: Database) -> Iterator[Database]:
    """A database of either kind without any table."""
    Base.metadata.drop_all(database.engine)
    yield database


def test_an_empty_database_comes_to_exactly_the_tables_of_the_models(empty: Database) -> None:
    assert migrate.revision_of(empty) is None
    assert not migrate.is_current(empty)
    assert migrate.upgrade(empty) == (None, migrate.head())
    assert migrate.is_current(empty)
    with empty.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == [], 'run: make migration m="why"'


def test_upgrading_again_changes_nothing(empty: Database) -> None:
    migrate.upgrade(empty)
    assert migrate.upgrade(empty) == (migrate.head(), migrate.head())


def test_two_upgrades_at_once_wait_for_each_other(empty: Database) -> None:
    results: list[tuple[str | None, str | None]] = []
    threads = [threading.Thread(target=lambda: results.append(migrate.upgrade(empty))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == sorted(
        [(None, migrate.head()), *[(migrate.head(), migrate.head())] * 2], key=str
    )


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_connection: object) -> None:
        raise migrate.BrokenReferences("cycles")

    monkeypatch.setattr(migrate, "_check_references", fail)
    with pytest.raises(migrate.BrokenReferences):
        migrate.upgrade(empty)
    assert inspect(empty.engine).get_table_names() == []


def test_rows_that_refer_to_nothing_are_found(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/meitheal.db")
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        connection.rollback()
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        connection.execute(
            text(
                "INSERT INTO deployments (id, platform_id, deployment_id, status, created_at)"
                " VALUES ('d', 'gone', '1', 'active', '2026-01-01')"
            )
        )
        connection.commit()
        with pytest.raises(migrate.BrokenReferences, match="deployments"):
            migrate._check_references(connection)
    database.dispose()


def test_what_is_there_outlives_a_revision(empty: Database) -> None:
    """SQLite copies a table to alter it: nothing that hangs from the table may go with the old one."""
    engine = migrate._migrating(empty.engine)
    with migrate._locked(engine) as connection:
        command.upgrade(migrate._config(connection), "bdfd001202f1")
    engine.dispose()
    rows = (
        "platforms (id, name, family, issuer, client_id, authorization_url, token_url, jwks_url, token_audience,"
        " status, created_at) VALUES ('p', '', '', 'i', 'c', '', '', '', '', 'active', '2026-01-01')",
        "deployments (id, platform_id, deployment_id, status, created_at)"
        " VALUES ('d', 'p', '1', 'active', '2026-01-01')",
        "courses (id, deployment_id, context_key, title, label, memberships_url, created_at)"
        " VALUES ('c', 'd', 'context:1', '', '', '', '2026-01-01')",
        "people (id, platform_id, sub, name, given_name, family_name, locale, language, created_at)"
        " VALUES ('x', 'p', '3', '', '', '', '', '', '2026-01-01')",
        "memberships (id, course_id, person_id, lms_role, is_administrator, is_leader, is_active, created_at)"
        " VALUES ('m', 'c', 'x', 'instructor', false, false, true, '2026-01-01')",
        "activities (id, course_id, resource_link_id, title, purpose, status, protocol, created_at)"
        " VALUES ('a', 'c', '1', 'Cycle', '', 'open', 'light', '2026-01-01')",
        "activity_trainers (id, activity_id, membership_id, created_at) VALUES ('t', 'a', 'm', '2026-01-01')",
        "sign_ins (id, secret_hash, membership_id, activity_id, locale, platform_origin, return_url, created_at,"
        " expires_at) VALUES ('s', '', 'm', 'a', '', '', '', '2026-01-01', '2026-01-02')",
    )
    with empty.engine.begin() as connection:
        for row in rows:
            connection.execute(text(f"INSERT INTO {row}"))
    assert migrate.upgrade(empty) == ("bdfd001202f1", migrate.head())
    with empty.engine.connect() as connection:
        for table in (row.split()[0] for row in rows):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 1, table


def test_every_revision_has_one_successor() -> None:
    """Two branches that were merged each with a revision would leave the head undecided."""
    assert migrate.head() is not None
