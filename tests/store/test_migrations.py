"""Revisions lead from nothing to the models, on both databases, and a stopped upgrade changes nothing."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
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


def test_every_revision_has_one_successor() -> None:
    """Two branches that were merged each with a revision would leave the head undecided."""
    assert migrate.head() is not None
