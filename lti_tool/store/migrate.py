"""Brings a database to the tables that this version of the tool expects, and tells whether it has them.

`python -m lti_tool.store.migrate "why"` writes a new revision from the difference between the models and the revisions
there are (`make migration`).
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text

from lti_tool.store.database import Database

_FOLDER = Path(__file__).with_name("migrations")
_LOCK = 0x6D656974


class BrokenReferences(Exception):
    """A revision would leave rows that refer to nothing; it was rolled back. The text names the tables."""


def head() -> str | None:
    """The revision that this version of the tool expects."""
    return ScriptDirectory(str(_FOLDER)).get_current_head()


def revisions() -> frozenset[str]:
    """All revisions that this version knows."""
    return frozenset(script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions())


def revision_of(database: Database) -> str | None:
    """The revision of a database; None while it has no tables."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(database: Database) -> bool:
    """Whether the database has exactly the tables that this version expects."""
    return revision_of(database) == head()


def upgrade(
    database: Database, *, move_out: Callable[[Connection], object] = lambda _connection: None
) -> tuple[str | None, str | None]:
    """Runs the missing revisions in one transaction; returns the revisions before and after.

    `move_out` is called first, in the same transaction: for rows that go to another database before their table goes.
    Two upgrades at the same time wait for each other. Raises BrokenReferences, sqlalchemy.exc.SQLAlchemyError, and
    what `move_out` raises.
    """
    engine = _migrating(database.engine)
    try:
        with _locked(engine) as connection:
            move_out(connection)
            before = MigrationContext.configure(connection).get_current_revision()
            command.upgrade(_config(connection), "head")
            after = MigrationContext.configure(connection).get_current_revision()
            _check_references(connection)
    finally:
        engine.dispose()
    database.forget_deleted()
    return before, after


def write_revision(message: str) -> Path:
    """Writes the revision that leads from the newest one to the present models, and returns its file."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        upgrade(database)
        database.dispose()
        with _locked(_migrating(database.engine)) as connection:
            script = command.revision(_config(connection), message, autogenerate=True)
    assert script is not None
    assert not isinstance(script, list)
    file = Path(script.path)
    lines = file.read_text("utf-8").splitlines()
    # Alembic's marks around what it generated say nothing to a later reader.
    file.write_text("\n".join(line for line in lines if "# ### " not in line) + "\n", "utf-8")
    return file


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _migrating(engine: Engine) -> Engine:
    """An engine of its own: on SQLite, foreign keys are off while tables are copied, or copying one would delete the
    rows that refer to it."""
    made = create_engine(engine.url)
    if made.dialect.name == "sqlite":

        @event.listens_for(made, "connect")
        def configure(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            for pragma in ("journal_mode=WAL", "foreign_keys=OFF", "busy_timeout=60000", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(made, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = sorted({str(row[0]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})
        if broken:
            raise BrokenReferences(", ".join(broken))


if __name__ == "__main__":
    print(write_revision(" ".join(sys.argv[1:]) or "change tables"))
