"""An earlier copy takes the place of the data, and what was shredded or erased since then stays so."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import delete, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from lti_tool.ops.errors import CommandFailed
from lti_tool.ownership import erasure
from lti_tool.people.models import Person
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.models import ContentKey, ErasedPerson, ShreddedKey
from lti_tool.settings import Settings
from lti_tool.store import migrate
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into

BEFORE = ".before-restore"
_BESIDE = ("-wal", "-shm", "-journal")


def restore_data(settings: Settings, file: Path, now: datetime) -> Path | None:
    """Puts a copy of the data, as `meitheal backup` wrote it, in the place of the present data; SQLite only.

    The copy is upgraded, and whoever was erased since is deleted from it, before it takes the place. Returns where the
    replaced file is now, None if there was none. Raises CommandFailed; then the present data is as it was.
    """
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        raise CommandFailed(
            "PostgreSQL restores its own dumps. Stop serve and worker, and run first: pg_restore --clean --if-exists "
            f"--single-transaction --no-owner --dbname=… {file}; then: meitheal restore --replay",
            is_usage=True,
        )
    assert url.database
    _require_table(file, "alembic_version")
    present = Path(url.database)
    kept = present.with_name(present.name + BEFORE)
    if kept.exists():
        raise CommandFailed(f"{kept} is still there from an earlier restore. Delete it, or move it away.")
    coming = present.with_name(f"{present.name}.restoring")
    try:
        present.parent.mkdir(parents=True, exist_ok=True)
        _require_alone(present)
        _remove(coming)
        with (
            file.open("rb") as source,
            os.fdopen(os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to,
        ):
            shutil.copyfileobj(source, to)
        copy = Database(f"sqlite:///{coming}")
        try:
            replay(settings, copy, now)
        finally:
            copy.dispose()
        _require_alone(coming)
        _require_alone(present)
        replaced = present.exists()
        if replaced:
            for ending in ("", *_BESIDE):
                # A log of the replaced file must never be taken for one of the new file.
                with suppress(FileNotFoundError):
                    present.with_name(present.name + ending).replace(kept.with_name(kept.name + ending))
        coming.replace(present)
    except OSError as error:
        raise CommandFailed(f"Nothing was restored: {error.filename}: {error.strerror}.") from None
    finally:
        _remove(coming)
    return kept if replaced else None


def replay(settings: Settings, data: Database, now: datetime) -> int:
    """Upgrades data that was restored, and deletes whoever was erased since it was copied; returns how many people.

    Content whose key was shredded needs nothing: its key is not in the keyring any more. Raises CommandFailed.
    """
    revision = migrate.revision_of(data)
    if revision not in (None, *migrate.revisions()):
        raise CommandFailed(f"The copy is of another version (revision {revision}). Install the version that wrote it.")
    place = Database(settings.database_url)
    keyring = Keyring.of(settings, place)
    try:
        if not keyring_store.has_tables(keyring.database) and not _holds_keys(data):
            raise CommandFailed(
                "There is no keyring, so nothing of what people wrote could be read. First: meitheal restore --keyring "
                "FILE. If there is none and never will be: meitheal db upgrade makes an empty one."
            )
        keyring_store.upgrade(data, keyring.database)
        with data.write() as session:
            again = list(session.scalars(select(Person.id).where(Person.id.in_(keyring.erased()))))
            for person_id in again:
                erasure.erase(session, keyring, person_id, now)
        data.forget_deleted()
        return len(again)
    finally:
        keyring.database.dispose()
        place.dispose()


def restore_keyring(settings: Settings, file: Path) -> int:
    """Brings back the keys of a copy that the present keyring lacks, and none that was shredded; returns how many.

    What the copy knows to be shredded or erased is known from then on, too. Raises CommandFailed, also when the present
    keyring cannot be read: then nobody knows what was shredded.
    """
    _require_table(file, "shredded_keys")
    # Opening an SQLite file may write to it; the copy stays as it is.
    folder = tempfile.TemporaryDirectory(prefix="meitheal-")
    copy = Database(f"sqlite:///{shutil.copy(file, folder.name)}")
    place = Database(settings.database_url)
    keyring = Keyring.of(settings, place).database
    try:
        keyring_store.create_tables(keyring)
        with copy.read() as source, keyring.write() as session:
            for table in (ShreddedKey, ErasedPerson):
                for row in source.execute(select(*table.__table__.columns)).mappings():
                    session.execute(insert_into(session, table).values(**row).on_conflict_do_nothing())
            # Also keys that an older copy brought back.
            session.execute(delete(ContentKey).where(ContentKey.id.in_(select(ShreddedKey.key_id))))
            added = keyring_store.add_missing(
                session, [dict(row) for row in source.execute(select(*ContentKey.__table__.columns)).mappings()]
            )
        keyring.forget_deleted()
        return added
    except DatabaseError as error:
        raise CommandFailed(
            f"Nothing was restored: {error.orig}. A keyring that cannot be read does not tell what was shredded; move "
            "it away only if you accept that all of the copy can be read again."
        ) from None
    finally:
        for database in (copy, place, keyring):
            database.dispose()
        folder.cleanup()


def _holds_keys(data: Database) -> bool:
    return "content_keys" in inspect(data.engine).get_table_names()


def _require_table(file: Path, table: str) -> None:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as opened:
            found = opened.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
            sound = opened.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    except sqlite3.Error as error:
        raise CommandFailed(f"{file} cannot be read: {error}.", is_usage=True) from None
    if not found or not sound:
        raise CommandFailed(f"{file} is no copy that `meitheal backup` wrote, or it is damaged.", is_usage=True)


def _require_alone(file: Path) -> None:
    """Brings the write-ahead log into the file; raises CommandFailed while another process has it open."""
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file, timeout=1)) as opened:
            opened.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise CommandFailed(f"Stop serve and worker first: {file} is in use ({error}).") from None
    except sqlite3.DatabaseError:
        # Damaged beyond opening: it is moved aside as it is.
        return


def _remove(file: Path) -> None:
    for ending in ("", *_BESIDE):
        file.with_name(file.name + ending).unlink(missing_ok=True)
