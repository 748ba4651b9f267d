"""Copies of data and keyring, and bringing them back: what was shredded or erased in between stays so."""

import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import POSTGRES, Clock
from cycles.pair_at_work import Room, open_room
from factories import make_settings
from flask import Flask
from sqlalchemy import select

from lti_tool.cycles.models import CycleMember
from lti_tool.ops import backup, restore
from lti_tool.ops.errors import CommandFailed
from lti_tool.ownership import erasure
from lti_tool.people.models import Person
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import Settings
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WORDS = "We talk on Fridays."


class School:
    """An installation at SQLite files of a folder, with a pair at work in it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.settings: Settings = make_settings(database_url=f"sqlite:///{folder}/meitheal.db")
        self.open()
        keyring_store.upgrade(self.database, self.keyring.database)
        self.room: Room = open_room(self.app, self.database, clock, "light")
        self.room.start_together()
        with self.database.read() as session:
            people = session.execute(select(CycleMember.role, CycleMember.person_id))
            self.people = {row.role: row.person_id for row in people}

    def open(self) -> None:
        """Starts it, as `meitheal serve` does."""
        self.database = Database(self.settings.database_url)
        self.app: Flask = create_app(self.settings, database=self.database, clock=self.clock)
        self.keyring: Keyring = self.app.extensions["meitheal"].keyring

    def close(self) -> None:
        """Stops it."""
        self.database.dispose()
        self.keyring.database.dispose()

    def reopen(self) -> None:
        """Starts it again; the browsers stay as they are."""
        self.open()
        for desk in (self.room.host, self.room.coach):
            desk.client.application = self.app

    def back_up(self) -> tuple[Path, Path]:
        return backup.write(self.database, self.keyring.database, self.folder / "copies", NOW)


@pytest.fixture
def school(tmp_path: Path, clock: Clock) -> Iterator[School]:
    made = School(tmp_path / "tool", clock)
    yield made
    made.close()


def test_a_backup_is_two_files_for_their_owner_only(school: School) -> None:
    data, keyring = school.back_up()
    assert [file.name for file in sorted(data.parent.iterdir())] == [
        "meitheal-data-20261122-093000.db",
        "meitheal-keyring-20261122-093000.db",
    ]
    for file, table in ((data, "texts"), (keyring, "content_keys")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        opened = sqlite3.connect(file)
        assert opened.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
        opened.close()
    with pytest.raises(CommandFailed, match="cannot be written"):
        school.back_up()


def test_what_was_shredded_stays_unreadable_in_yesterdays_backup(school: School) -> None:
    data, _keyring = school.back_up()
    assert WORDS in school.room.coach.get("start")
    school.keyring.shred(school.room.cycle_id, school.people["host"], NOW)
    school.close()
    kept = restore.restore_data(school.settings, data, NOW)
    assert kept == school.folder / "meitheal.db.before-restore" and kept.exists()
    school.reopen()
    page = school.room.coach.get("start")
    assert school.room.coach.status == 200 and WORDS not in page


def test_a_restored_copy_that_nothing_was_shredded_of_reads_as_before(school: School) -> None:
    data, _keyring = school.back_up()
    school.room.host.get("before")
    school.room.host.press("before/save", text__goal="Written after the copy")
    school.close()
    restore.restore_data(school.settings, data, NOW)
    school.reopen()
    assert WORDS in school.room.coach.get("start")
    assert "Written after the copy" not in school.room.host.get("before")


def test_who_was_erased_is_erased_again_in_yesterdays_backup(school: School) -> None:
    data, _keyring = school.back_up()
    person_id = school.people["host"]
    with school.database.write() as session:
        erasure.erase(session, school.keyring, person_id, NOW)
    school.close()
    restore.restore_data(school.settings, data, NOW)
    school.reopen()
    with school.database.read() as session:
        assert session.get(Person, person_id) is None
    assert school.room.coach.get("start") and WORDS not in school.room.coach.page
    rest = b"".join(file.read_bytes() for file in school.folder.glob("meitheal.db*") if "before" not in file.name)
    assert person_id.encode() not in rest


def test_a_restored_keyring_brings_back_what_is_missing_and_nothing_that_was_shredded(school: School) -> None:
    _data, copy = school.back_up()
    cycle, host = school.room.cycle_id, school.people["host"]
    school.room.coach.save_json("norms", "By the coach, after the copy")
    school.keyring.shred(cycle, host, NOW)
    assert restore.restore_keyring(school.settings, copy) == 0
    assert WORDS not in school.room.coach.get("start")
    assert "By the coach, after the copy" in school.room.coach.get("start"), "a newer key stays"


def test_a_newer_copy_takes_away_what_an_older_one_brought_back(school: School) -> None:
    _data, older = school.back_up()
    school.keyring.shred(school.room.cycle_id, school.people["host"], NOW)
    _data, newer = backup.write(school.database, school.keyring.database, school.folder / "newer", NOW)
    school.close()
    for file in school.folder.glob("meitheal-keyring.db*"):
        file.unlink()
    assert restore.restore_keyring(school.settings, older) > 0
    school.reopen()
    assert WORDS in school.room.coach.get("start"), "nothing is left that knows of it"
    assert restore.restore_keyring(school.settings, newer) == 0
    assert WORDS not in school.room.coach.get("start")


def test_a_lost_keyring_comes_back_from_its_copy(school: School) -> None:
    data, copy = school.back_up()
    school.close()
    for file in school.folder.glob("meitheal-keyring.db*"):
        file.unlink()
    with pytest.raises(CommandFailed, match="There is no keyring"):
        restore.restore_data(school.settings, data, NOW)
    assert restore.restore_keyring(school.settings, copy) > 0
    school.reopen()
    assert WORDS in school.room.coach.get("start")


def test_a_keyring_that_cannot_be_read_is_not_filled_from_a_copy(school: School) -> None:
    _data, copy = school.back_up()
    school.close()
    present = school.folder / "meitheal-keyring.db"
    present.write_bytes(b"no database at all" * 100)
    with pytest.raises(CommandFailed, match="does not tell what was shredded"):
        restore.restore_keyring(school.settings, copy)
    assert present.read_bytes().startswith(b"no database")


def test_nothing_is_restored_while_the_tool_runs(school: School) -> None:
    data, _keyring = school.back_up()
    before = (school.folder / "meitheal.db").stat().st_ino
    with pytest.raises(CommandFailed, match="Stop serve and worker first"):
        restore.restore_data(school.settings, data, NOW)
    assert (school.folder / "meitheal.db").stat().st_ino == before
    assert not list(school.folder.glob("*before*")) and not list(school.folder.glob("*restoring*"))
    assert WORDS in school.room.coach.get("start")


def test_what_an_earlier_restore_replaced_is_not_overwritten(school: School) -> None:
    data, _keyring = school.back_up()
    school.close()
    restore.restore_data(school.settings, data, NOW)
    with pytest.raises(CommandFailed, match="still there from an earlier restore"):
        restore.restore_data(school.settings, data, NOW)


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_other_files_are_refused(school: School, content: bytes | None) -> None:
    school.close()
    file = school.folder / "other"
    if content is not None:
        file.write_bytes(content)
    for bring_back in (
        lambda: restore.restore_data(school.settings, file, NOW),
        lambda: restore.restore_keyring(school.settings, file),
    ):
        with pytest.raises(CommandFailed, match=r"cannot be read|no copy that"):
            bring_back()
    school.reopen()
    assert WORDS in school.room.coach.get("start")


def test_a_copy_of_a_newer_version_is_refused(school: School) -> None:
    data, _keyring = school.back_up()
    opened = sqlite3.connect(data)
    opened.execute("UPDATE alembic_version SET version_num = 'later'")
    opened.commit()
    opened.close()
    school.close()
    with pytest.raises(CommandFailed, match="another version"):
        restore.restore_data(school.settings, data, NOW)
    assert not list(school.folder.glob("*restoring*"))


def test_a_damaged_database_can_be_replaced(school: School) -> None:
    data, _keyring = school.back_up()
    school.close()
    (school.folder / "meitheal.db").write_bytes(b"damaged" * 1000)
    restore.restore_data(school.settings, data, NOW)
    school.reopen()
    assert WORDS in school.room.coach.get("start")


# PostgreSQL


@pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL here")
def test_a_dump_of_postgresql_holds_no_keys_and_comes_back(
    tmp_path: Path, clock: Clock, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = request.getfixturevalue("_postgres_database")
    database = Database(url)
    Base.metadata.drop_all(database.engine)
    settings = make_settings(database_url=url)
    keyring = Keyring.of(settings, database)
    keyring_store.upgrade(database, keyring.database)
    room = open_room(create_app(settings, database=database, clock=clock), database, clock, "light")
    room.start_together()
    data, keys = backup.write(database, keyring.database, tmp_path / "copies", NOW)
    listed = subprocess.run(["pg_restore", "--list", data], capture_output=True, text=True, check=True).stdout
    assert "texts" in listed and "content_keys" not in listed and "keyring" not in listed
    opened = sqlite3.connect(keys)
    assert opened.execute("SELECT count(*) FROM content_keys WHERE scope_id = ?", (room.cycle_id,)).fetchone() == (1,)
    opened.close()
    with database.read() as session:
        host = session.scalars(select(CycleMember.person_id).where(CycleMember.role == "host")).one()
    with database.write() as session:
        erasure.erase(session, keyring, host, NOW)
    database.dispose()
    with pytest.raises(CommandFailed, match="pg_restore"):
        restore.restore_data(settings, data, NOW)
    place = url.replace("+psycopg", "")
    subprocess.run(
        ["pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", "-d", place, data], check=True
    )
    with database.read() as session:
        assert session.get(Person, host) is not None
    assert restore.replay(settings, database, NOW) == 1
    with database.read() as session:
        assert session.get(Person, host) is None
    assert WORDS not in room.coach.get("start")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(CommandFailed, match="There is no pg_dump"):
        backup.write(database, keyring.database, tmp_path / "none", NOW)
    assert list((tmp_path / "none").iterdir()) == []
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    Base.metadata.drop_all(database.engine)
    Base.metadata.create_all(database.engine)
    database.dispose()
    keyring.database.dispose()
