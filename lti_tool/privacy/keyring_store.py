"""Where the keyring is kept, its tables, and the keys that move in from elsewhere."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.types import LargeBinary, String

from lti_tool.privacy.models import ContentKey, KeyringBase, ShreddedKey
from lti_tool.store import migrate
from lti_tool.store.base import UtcDateTime
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into

SCHEMA = "keyring"
"""Of a PostgreSQL database that holds data and keyring, so that a dump of the one can leave out the other."""
_AT_ONCE = 500


class KeysDiffer(Exception):
    """The keyring holds another key for an author and scope than the data that brings one."""


def url_of(database_url: str, keyring_url: str = "") -> str:
    """Address of the keyring: that of the settings, else a file beside SQLite's data, else a schema of PostgreSQL's."""
    if keyring_url:
        return keyring_url
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "")
        return f"sqlite:///{file.with_name(f'{file.stem}-keyring.db')}"
    given = url.query.get("options", "")
    options = f"{given} -csearch_path={SCHEMA}".strip()
    return url.update_query_dict({"options": options}).render_as_string(hide_password=False)


def create_tables(database: Database) -> None:
    """Makes the tables of the keyring that are missing; on SQLite in a file that only its owner can read."""
    url = database.engine.url
    if database.engine.dialect.name == "sqlite":
        assert url.database
        os.close(os.open(url.database, os.O_RDWR | os.O_CREAT, 0o600))
    elif has_tables(database):
        return
    with database.engine.begin() as connection:
        if database.engine.dialect.name == "postgresql":
            # Two processes that begin at the same time wait for each other.
            connection.execute(text("SELECT pg_advisory_xact_lock(1801812338)"))
            if f"search_path={SCHEMA}" in str(url.query.get("options", "")):
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        KeyringBase.metadata.create_all(connection)


def has_tables(database: Database) -> bool:
    """Whether the keyring is there; on SQLite without making a file."""
    url = database.engine.url
    if database.engine.dialect.name == "sqlite" and not Path(url.database or "").exists():
        return False
    return set(KeyringBase.metadata.tables) <= set(inspect(database.engine).get_table_names())


def upgrade(data: Database, keyring: Database) -> tuple[str | None, str | None]:
    """Brings data and keyring to the tables of this version; returns the data's revisions before and after.

    Keys that earlier versions kept in the data move to the keyring first. Raises KeysDiffer and what migrate.upgrade
    raises; then the data is as it was.
    """
    create_tables(keyring)
    return migrate.upgrade(data, move_out=lambda connection: move_in(connection, keyring))


def move_in(data: Connection, keyring: Database) -> int:
    """Moves the keys that earlier versions kept in the data, whose transaction this is; returns how many.

    They are copied and committed in the keyring, compared, and only then deleted from the data: whenever it is
    interrupted, a second call finishes it. A key that was shredded meanwhile stays shredded. Raises KeysDiffer.
    """
    if "content_keys" not in inspect(data).get_table_names():
        return 0
    columns = text("SELECT id, scope_id, author_id, sealed_key, algorithm, created_at FROM content_keys").columns(
        id=String, scope_id=String, author_id=String, sealed_key=LargeBinary, algorithm=String, created_at=UtcDateTime
    )
    rows = [dict(row) | {"master": ""} for row in data.execute(columns).mappings()]
    with keyring.write() as session:
        add_missing(session, rows)
    with keyring.read() as session:
        _require_all(session, rows)
    data.execute(text("DELETE FROM content_keys"))
    return len(rows)


def add_missing(session: Session, rows: Iterable[Mapping[str, Any]]) -> int:
    """Adds the keys, rows of `content_keys`, that the keyring of this session neither has nor ever shredded.

    Returns how many were added.
    """
    shredded = set(session.scalars(select(ShreddedKey.key_id)))
    there = {
        (row.scope_id, row.author_id) for row in session.execute(select(ContentKey.scope_id, ContentKey.author_id))
    }
    added = [
        dict(row) for row in rows if row["id"] not in shredded and (row["scope_id"], row["author_id"]) not in there
    ]
    for start in range(0, len(added), _AT_ONCE):
        session.execute(insert_into(session, ContentKey).values(added[start : start + _AT_ONCE]))
    return len(added)


def _require_all(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    shredded = set(session.scalars(select(ShreddedKey.key_id)))
    there = {row.id: row for row in session.execute(select(ContentKey.id, ContentKey.master, ContentKey.sealed_key))}
    for row in rows:
        kept = there.get(row["id"])
        is_same = kept and (kept.sealed_key == row["sealed_key"] or kept.master)
        if row["id"] not in shredded and not is_same:
            raise KeysDiffer(f"{row['scope_id']}/{row['author_id']}")
