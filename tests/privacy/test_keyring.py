"""The keyring: keys apart from the data, made before they are needed, shredded for ever, sealed anew while in use."""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from alembic import command
from conftest import Clock
from factories import make_settings
from flask import Flask
from sqlalchemy import event, func, inspect, select, text

from lti_tool.lti.models import ToolKey
from lti_tool.lti.tool_keys import ToolKeys
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.privacy.models import ContentKey, KeyringBase, ShreddedKey
from lti_tool.privacy.sealing import Masters, SealBroken, new_key, seal
from lti_tool.store import migrate
from lti_tool.store.base import Base
from lti_tool.store.database import Database

NOW = datetime(2026, 11, 22, tzinfo=UTC)
A, B = b"a" * 32, b"b" * 32


@pytest.fixture
def place(database: Database) -> Iterator[Database]:
    """Where the keyring of this database is kept, empty."""
    url = keyring_store.url_of(database.engine.url.render_as_string(hide_password=False))
    made = Database(url)
    keyring_store.create_tables(made)
    with made.write() as session:
        for table in KeyringBase.metadata.tables.values():
            session.execute(table.delete())
    yield made
    made.dispose()


def count(place: Database, table: type[KeyringBase] = ContentKey) -> int:
    with place.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def write(database: Database, keyring: Keyring, author: str = "niamh", scope: str = "cycle") -> bytes:
    with database.write() as session:
        return keyring.opened(session, scope, NOW).seal(author, f"words of {author}", "t/1")


def read(database: Database, keyring: Keyring, sealed: bytes, author: str = "niamh", scope: str = "cycle") -> str:
    with database.read() as session:
        return keyring.opened(session, scope, NOW).open(author, sealed, "t/1")


def test_two_authors_of_a_cycle_have_two_keys(database: Database, place: Database) -> None:
    keyring = Keyring(Masters(A), place)
    mine, yours = write(database, keyring), write(database, keyring, "seán")
    assert read(database, keyring, mine) == "words of niamh"
    assert read(database, keyring, yours, "seán") == "words of seán"
    with pytest.raises(SealBroken):
        read(database, keyring, mine, "seán")
    assert count(place) == 2


def test_another_master_key_opens_nothing(database: Database, place: Database) -> None:
    write(database, Keyring(Masters(A), place))
    with pytest.raises(SealBroken):
        read(database, Keyring(Masters(B), place), b"")


def test_a_key_moved_to_another_cycle_opens_nothing(database: Database, place: Database) -> None:
    keyring = Keyring(Masters(A), place)
    sealed = write(database, keyring)
    with place.write() as session:
        session.query(ContentKey).update({"scope_id": "other"})
    with pytest.raises(SealBroken):
        read(database, keyring, sealed, scope="other")


def test_the_keys_of_a_scope_are_one_statement_and_none_of_the_data(database: Database, place: Database) -> None:
    keyring = Keyring(Masters(A), place)
    for author in ("niamh", "seán", "gráinne"):
        write(database, keyring, author)
    seen: list[str] = []
    for each in (database, place):
        event.listen(each.engine, "before_cursor_execute", lambda *rest: seen.append(rest[2]))
    with database.read() as session:
        keyring.opened(session, "cycle", NOW)
    assert len(seen) == 1 and "content_keys" in seen[0]


def test_the_keys_of_many_scopes_are_one_statement_too(database: Database, place: Database) -> None:
    keyring = Keyring(Masters(A), place)
    sealed = {scope: write(database, keyring, scope=scope) for scope in ("first", "second", "third")}
    seen: list[str] = []
    event.listen(place.engine, "before_cursor_execute", lambda *rest: seen.append(rest[2]))
    with database.read() as session:
        opened = keyring.opened_all(session, ["first", "second", "empty"], NOW)
        assert len(seen) == 1 and opened.keys() == {"first", "second", "empty"}
        assert opened["second"].open("niamh", sealed["second"], "t/1") == "words of niamh"
        with pytest.raises(SealBroken):
            opened["first"].open("niamh", sealed["third"], "t/1")
        with pytest.raises(KeyShredded):
            opened["empty"].open("niamh", sealed["first"], "t/1")
        assert keyring.opened_all(session, [], NOW) == {} and len(seen) == 1


def test_the_data_has_no_table_of_keys_and_the_keyring_no_other_owner(database: Database, place: Database) -> None:
    assert "content_keys" not in Base.metadata.tables
    assert set(inspect(place.engine).get_table_names()) == set(KeyringBase.metadata.tables)
    if file := place.engine.url.database if place.engine.dialect.name == "sqlite" else None:
        assert file != database.engine.url.database
        assert Path(file).stat().st_mode & 0o777 == 0o600


def test_a_transaction_that_is_rolled_back_leaves_at_most_a_key_that_nothing_uses(
    database: Database, place: Database
) -> None:
    keyring = Keyring(Masters(A), place)
    with pytest.raises(RuntimeError), database.write() as session:
        keyring.opened(session, "cycle", NOW).seal("niamh", "words", "t/1")
        assert count(place) == 1, "committed before the row that needs it"
        raise RuntimeError
    assert read(database, keyring, write(database, keyring)) == "words of niamh"
    assert count(place) == 1


def test_two_requests_that_need_the_first_key_get_the_same(database: Database, place: Database) -> None:
    sealed: list[bytes] = []
    with database.read() as session:
        # Both looked before any key was there.
        first, second = (Keyring(Masters(A), place).opened(session, "cycle", NOW) for _ in range(2))
    threads = [
        threading.Thread(target=lambda k=k: sealed.append(k.seal("niamh", "words", "t/1"))) for k in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [read(database, Keyring(Masters(A), place), each) for each in sealed] == ["words", "words"]


def test_a_shredded_key_shreds_what_it_sealed_and_is_kept_in_mind(database: Database, place: Database) -> None:
    keyring = Keyring(Masters(A), place)
    mine, yours = write(database, keyring), write(database, keyring, "seán")
    assert keyring.shred("cycle", "niamh", NOW) == 1
    assert keyring.shred("cycle", "niamh", NOW) == 0
    with pytest.raises(KeyShredded):
        read(database, keyring, mine)
    assert read(database, keyring, yours, "seán") == "words of seán"
    with place.read() as session:
        kept = session.execute(select(*ShreddedKey.__table__.columns)).one()
    assert (kept.scope_id, kept.author_id, kept.shredded_at) == ("cycle", "niamh", NOW)
    again = write(database, keyring)
    assert read(database, keyring, again) == "words of niamh"
    with pytest.raises(SealBroken):
        read(database, keyring, mine)


def test_all_keys_of_an_author_go_at_once(database: Database, place: Database) -> None:
    keyring = Keyring(Masters(A), place)
    sealed = {scope: write(database, keyring, scope=scope) for scope in ("one", "two")}
    kept = write(database, keyring, "seán", "one")
    assert keyring.shred_author("niamh", NOW) == 2
    for scope, each in sealed.items():
        with pytest.raises(KeyShredded):
            read(database, keyring, each, scope=scope)
    assert read(database, keyring, kept, "seán", "one") == "words of seán"


def test_who_was_erased_is_kept_in_mind(place: Database) -> None:
    keyring = Keyring(Masters(A), place)
    keyring.record_erased("p1", NOW)
    keyring.record_erased("p1", NOW)
    assert keyring.erased() == {"p1"}


@pytest.mark.parametrize("shredded", [False, True])
def test_a_shredded_key_leaves_no_bytes_in_file_or_log(tmp_path: Path, shredded: bool) -> None:
    database = Database(f"sqlite:///{tmp_path}/data.db")
    place = Database(f"sqlite:///{tmp_path}/keys.db")
    keyring = Keyring(Masters(A), place)
    with place.read():
        pass
    write(database, keyring)
    with place.read() as session:
        sealed_key = session.scalars(select(ContentKey.sealed_key)).one()
    if shredded:
        keyring.shred("cycle", "niamh", NOW)
    found = [file.name for file in tmp_path.glob("keys.db*") if sealed_key in file.read_bytes()]
    assert bool(found) is not shredded, found
    database.dispose()
    place.dispose()


def test_deleted_rows_of_the_data_leave_no_bytes_in_file_or_log(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/data.db")
    with database.write() as session:
        session.execute(text("CREATE TABLE words (said TEXT)"))
        session.execute(text("INSERT INTO words VALUES ('kingfisher-canary')"))

    def holders() -> list[str]:
        return [file.name for file in tmp_path.iterdir() if b"kingfisher-canary" in file.read_bytes()]

    assert holders()
    with database.write() as session:
        session.execute(text("DELETE FROM words"))
    assert holders(), "the log has it still, or this test shows nothing"
    database.forget_deleted()
    assert holders() == []
    database.dispose()


# Another master key


def test_processes_with_old_and_new_settings_read_and_write_at_the_same_time(
    database: Database, place: Database, clock: Clock
) -> None:
    """Every step of a rotation, with one process on the settings before it and one on those after it."""
    steps = [Masters(A), Masters(A, [B]), Masters(B, [A]), Masters(B)]
    sealed: dict[tuple[str, str], bytes] = {}
    ToolKeys(database, steps[0], clock).sign({})
    for number, (before, after) in enumerate(pairwise(steps)):
        processes = [Keyring(masters, place) for masters in (before, after)]
        signers = [ToolKeys(database, masters, clock) for masters in (before, after)]
        for position, writer in enumerate(processes):
            scope = f"{number}{position}"
            sealed[scope, "niamh"] = write(database, writer, scope=scope)
        for reader, signer in zip(processes, signers, strict=True):
            for (scope, author), each in sealed.items():
                assert read(database, reader, each, author, scope) == f"words of {author}"
            assert signer.sign({})
        if number == 1:
            # Every process has the settings of this step now; what the first key sealed is sealed by the second.
            assert processes[1].masters_in_use() > {steps[2].name}
            assert sum(processes[1].reseal()) == 3
            with database.write() as session:
                assert signers[1].reseal(session) == 1
            assert processes[1].masters_in_use() == {steps[2].name}
            with database.read() as session:
                assert signers[1].masters_in_use(session) == {steps[2].name}
    for (scope, author), each in sealed.items():
        assert read(database, Keyring(Masters(B), place), each, author, scope) == f"words of {author}"
        with pytest.raises(SealBroken):
            read(database, Keyring(Masters(A), place), each, author, scope)
    assert ToolKeys(database, Masters(B), clock).sign({})


def test_resealing_goes_in_batches_and_ends_where_a_master_key_is_missing(
    database: Database, place: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lti_tool.privacy.keyring._RESEALED_AT_ONCE", 2)
    for number in range(5):
        write(database, Keyring(Masters(A), place), scope=str(number))
    with pytest.raises(SealBroken):
        list(Keyring(Masters(B), place).reseal())
    assert list(Keyring(Masters(B, [A]), place).reseal()) == [2, 2, 1]
    assert list(Keyring(Masters(B, [A]), place).reseal()) == []


def test_a_reseal_brings_no_shredded_key_back(database: Database, place: Database) -> None:
    keyring = Keyring(Masters(B, [A]), place)
    sealed = write(database, Keyring(Masters(A), place))
    keyring.shred("cycle", "niamh", NOW)
    assert sum(keyring.reseal()) == 0
    with pytest.raises(KeyShredded):
        read(database, keyring, sealed)


# Keys that earlier versions kept in the data


@pytest.fixture
def released(database: Database) -> Database:
    """A database of the first release."""
    Base.metadata.drop_all(database.engine)
    engine = migrate._migrating(database.engine)
    with migrate._locked(engine) as connection:
        command.upgrade(migrate._config(connection), "bdfd001202f1")
    engine.dispose()
    return database


def fill_as_released(database: Database) -> dict[tuple[str, str], bytes]:
    """Content as the first release sealed it: (scope, author) → what opens to `words of …`."""
    sealed = {}
    with database.write() as session:
        for number in range(5):
            scope, author, key = f"cycle{number}", f"author{number % 2}", new_key()
            session.execute(
                text(
                    "INSERT INTO content_keys (id, scope_id, author_id, sealed_key, algorithm, created_at)"
                    " VALUES (:id, :scope, :author, :key, 'AES-256-GCM', :now)"
                ),
                {
                    "id": f"key{number}",
                    "scope": scope,
                    "author": author,
                    "key": seal(A, key, f"content_keys/{scope}/{author}".encode()),
                    "now": "2026-09-01 08:00:00.000000",
                },
            )
            sealed[scope, author] = seal(key, f"words of {author}".encode(), b"t/1")
    return sealed


def assert_moved(database: Database, place: Database, sealed: dict[tuple[str, str], bytes]) -> None:
    assert migrate.is_current(database)
    assert "content_keys" not in inspect(database.engine).get_table_names()
    for (scope, author), each in sealed.items():
        assert read(database, Keyring(Masters(A), place), each, author, scope) == f"words of {author}"
    with place.read() as session:
        assert session.scalars(select(ContentKey.created_at).distinct()).all() == [datetime(2026, 9, 1, 8, tzinfo=UTC)]


def test_an_upgrade_moves_the_keys_into_the_keyring(released: Database, place: Database) -> None:
    sealed = fill_as_released(released)
    assert keyring_store.upgrade(released, place) == ("bdfd001202f1", migrate.head())
    assert_moved(released, place, sealed)
    assert keyring_store.upgrade(released, place) == (migrate.head(), migrate.head())
    assert_moved(released, place, sealed)
    assert sum(Keyring(Masters(B, [A]), place).reseal()) == 5, "they get the name of a master key"


def test_an_upgrade_that_ends_between_the_two_databases_loses_nothing(
    released: Database, place: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = fill_as_released(released)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(migrate.command, "upgrade", die)
        with pytest.raises(KeyboardInterrupt):
            keyring_store.upgrade(released, place)
    assert count(place) == 5
    with released.read() as session:
        assert session.scalar(text("SELECT count(*) FROM content_keys")) == 5
    keyring_store.upgrade(released, place)
    assert_moved(released, place, sealed)


def test_no_key_is_dropped_that_is_not_in_the_keyring(
    released: Database, place: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_as_released(released)
    with pytest.raises(RuntimeError, match="still in the data"):
        migrate.upgrade(released)
    with monkeypatch.context() as patched:
        patched.setattr(keyring_store, "add_missing", lambda *_: 0)
        with pytest.raises(keyring_store.KeysDiffer):
            keyring_store.upgrade(released, place)
    assert migrate.revision_of(released) == "bdfd001202f1"
    with released.read() as session:
        assert session.scalar(text("SELECT count(*) FROM content_keys")) == 5


def test_a_key_that_was_shredded_meanwhile_does_not_move_in_again(released: Database, place: Database) -> None:
    sealed = fill_as_released(released)
    with place.write() as session:
        session.add(ShreddedKey(key_id="key0", scope_id="cycle0", author_id="author0", shredded_at=NOW))
    keyring_store.upgrade(released, place)
    assert count(place) == 4
    with pytest.raises(KeyShredded):
        read(released, Keyring(Masters(A), place), sealed["cycle0", "author0"], "author0", "cycle0")


def test_the_upgraded_file_holds_no_bytes_of_the_keys(tmp_path: Path) -> None:
    database, place = Database(f"sqlite:///{tmp_path}/data.db"), Database(f"sqlite:///{tmp_path}/keys.db")
    engine = migrate._migrating(database.engine)
    with migrate._locked(engine) as connection:
        command.upgrade(migrate._config(connection), "bdfd001202f1")
    engine.dispose()
    fill_as_released(database)
    with database.read() as session:
        keys = session.scalars(text("SELECT sealed_key FROM content_keys")).all()
    keyring_store.upgrade(database, place)
    held = b"".join(file.read_bytes() for file in tmp_path.glob("data.db*"))
    assert [key for key in keys if key in held] == []
    database.dispose()
    place.dispose()


# Where it is


@pytest.mark.parametrize(
    ("data", "given", "expected"),
    [
        ("sqlite:///var/meitheal.db", "", "sqlite:///var/meitheal-keyring.db"),
        ("sqlite:////srv/school.sqlite", "", "sqlite:////srv/school-keyring.db"),
        ("sqlite:///var/meitheal.db", "sqlite:////keys/k.db", "sqlite:////keys/k.db"),
        (
            "postgresql+psycopg://me:pass@db/meitheal",
            "",
            "postgresql+psycopg://me:pass@db/meitheal?options=-csearch_path%3Dkeyring",
        ),
    ],
)
def test_where_the_keyring_is(data: str, given: str, expected: str) -> None:
    assert keyring_store.url_of(data, given) == expected


def test_the_app_keeps_its_keyring_beside_the_given_database(app: Flask, database: Database) -> None:
    keyring = app.extensions["meitheal"].keyring
    assert keyring.database.engine.url.render_as_string(hide_password=False) == keyring_store.url_of(
        database.engine.url.render_as_string(hide_password=False)
    )


def test_the_settings_may_name_another_place(database: Database, tmp_path: Path) -> None:
    settings = make_settings(keyring_url=f"sqlite:///{tmp_path}/elsewhere/keys.db")
    keyring = Keyring.of(settings, database)
    write(database, keyring)
    with sqlite3.connect(tmp_path / "elsewhere" / "keys.db") as opened:
        assert opened.execute("SELECT count(*) FROM content_keys").fetchone() == (1,)
    opened.close()
    keyring.database.dispose()


def test_a_tool_key_keeps_the_name_of_its_master_key(database: Database, clock: Clock) -> None:
    ToolKeys(database, Masters(A), clock).sign({})
    with database.read() as session:
        assert session.scalars(select(ToolKey.master)).all() == [Masters(A).name]
