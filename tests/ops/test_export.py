"""What `platform remove` writes holds every row that is deleted: proven for all tables that there are."""

import base64
import json
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from factories import make_course
from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table, func, select
from sqlalchemy.orm import Session

from lti_tool.ops import export
from lti_tool.people import registry
from lti_tool.store.base import Base, UtcDateTime, new_id
from lti_tool.store.database import Database

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def cascading(table: Table) -> dict[Column[Any], Column[Any]]:
    return {key.parent: key.column for key in table.foreign_keys if key.ondelete == "CASCADE"}


def closure() -> list[Table]:
    """By a way of its own: all tables from which foreign keys lead to platforms, to whatever depth."""
    names, grown = {"platforms"}, True
    while grown:
        more = {
            table.name
            for table in Base.metadata.tables.values()
            if any(parent.table.name in names for parent in cascading(table).values())
        }
        grown = not more <= names
        names |= more
    return [table for table in Base.metadata.sorted_tables if table.name in names]


def fill(session: Session) -> dict[str, Any]:
    """One row in each of these tables, hanging from one new platform; the keys of the rows by table."""
    rows: dict[str, dict[str, Any]] = {}

    def insert(table: Table) -> dict[str, Any]:
        row = {}
        for column in table.columns:
            ways = [key for key in column.foreign_keys if key.ondelete == "CASCADE" or not column.nullable]
            if ways:
                parent = ways[0].column
                row[column.name] = (rows.get(parent.table.name) or insert(parent.table))[parent.name]
            elif column.primary_key or not column.nullable:
                row[column.name] = value_for(column)
        session.execute(table.insert().values(row))
        rows[table.name] = row
        return row

    for table in closure():
        insert(table)
    return {table.name: key_of(table, rows[table.name]) for table in closure()}


def value_for(column: Column[Any]) -> Any:
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return NOW
    if isinstance(kind, LargeBinary):
        return b"\x00sealed\xff"
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Integer):
        return 1
    if isinstance(kind, Date):
        return date(2026, 9, 1)
    if kind.python_type is dict:
        return {"k": "v"}
    return new_id()[: getattr(kind, "length", None) or 16]


def key_of(table: Table, row: Any) -> list[Any]:
    return [row[column.name] for column in table.primary_key]


def test_every_table_that_hangs_from_a_platform_is_in_it(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        mine, theirs = fill(session), fill(session)
    assert len(mine) > 25
    file = tmp_path / "all.jsonl"
    with database.write() as session:
        count = export.write(session, mine["platforms"][0], file, NOW)
        registry.remove(session, mine["platforms"][0])
    header, *lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert header == {
        "meitheal_export": 1, "platform": mine["platforms"][0], "written_at": "2026-09-01T08:00:00+00:00"
    }  # fmt: skip
    assert count == len(lines) == len(mine)
    written = {line["table"]: key_of(Base.metadata.tables[line["table"]], line["row"]) for line in lines}
    assert written == mine
    with database.read() as session:
        for name in mine:
            table = Base.metadata.tables[name]
            left = [key_of(table, row) for row in session.execute(select(table)).mappings()]
            assert left == [theirs[name]], f"{name}: what was deleted is what was written"


def test_what_was_sealed_stays_sealed(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        mine = fill(session)
        export.write(session, mine["platforms"][0], tmp_path / "all.jsonl", NOW)
    sealed = [
        (name, column.name)
        for name in mine
        for column in Base.metadata.tables[name].columns
        if isinstance(column.type, LargeBinary) and not column.nullable
    ]
    assert sealed
    rows = {
        line["table"]: line["row"] for line in map(json.loads, (tmp_path / "all.jsonl").read_text().splitlines()[1:])
    }
    for name, column in sealed:
        assert base64.b64decode(rows[name][column]) == b"\x00sealed\xff"


def test_a_row_with_two_ways_to_the_platform_is_written_once(database: Database) -> None:
    made = make_course(database)
    with database.read() as session:
        rows = [(name, row["id"]) for name, row in export.rows_of(session, made.platform_id) if "id" in row]
        assert session.scalar(select(func.count()).select_from(Base.metadata.tables["memberships"])) == 7
    assert len(rows) == len(set(rows))
    assert sum(name == "memberships" for name, _id in rows) == 7


def test_a_file_that_cannot_be_written_whole_is_not_left(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_course(database)
    file = tmp_path / "all.jsonl"
    monkeypatch.setattr("os.fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left")))
    with database.write() as session, pytest.raises(OSError, match="No space left"):
        export.write(session, made.platform_id, file, NOW)
    assert not file.exists()


def test_only_its_owner_reads_it_and_nothing_is_overwritten(database: Database, tmp_path: Path) -> None:
    made = make_course(database)
    file = tmp_path / "all.jsonl"
    with database.read() as session:
        export.write(session, made.platform_id, file, NOW)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with pytest.raises(FileExistsError):
            export.write(session, made.platform_id, file, NOW)
    assert file.stat().st_size > 0
