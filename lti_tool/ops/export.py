"""Every row that hangs from a platform, as a file: what `platform remove` keeps before it deletes.

JSON lines: a header, then one line for each row as {"table": …, "row": {…}}, parents before children. Moments are in
UTC; bytes are in base64, and what teachers wrote stays sealed in them: this installation's keyring and master key open
it, and nothing else does.
"""

import base64
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, MetaData, Table, select
from sqlalchemy.orm import Session

from lti_tool.store.base import Base
from lti_tool.store.tables import import_all_models

FORMAT = 1
_AT_ONCE = 500
"""Parents that one statement names."""


def write(session: Session, platform_id: str, file: Path, now: datetime) -> int:
    """Writes a new file that only its owner can read; returns the number of rows.

    Raises OSError, also if the file exists; then there is no file that was half written.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(_line({"meitheal_export": FORMAT, "platform": platform_id, "written_at": now}))
            count = 0
            for table, row in rows_of(session, platform_id):
                opened.write(_line({"table": table, "row": row}))
                count += 1
            opened.flush()
            os.fsync(opened.fileno())
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return count


def rows_of(session: Session, platform_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(table, row) of the platform and of everything that would be deleted with it, each once."""
    import_all_models()
    referred = _referred_columns(Base.metadata)
    found: dict[Column[Any], set[Any]] = defaultdict(set)
    """By column that others refer to: its values in the rows so far."""
    for table in Base.metadata.sorted_tables:
        seen = set()
        for column, values in _ways(table, found, platform_id):
            ids = sorted(values)
            for start in range(0, len(ids), _AT_ONCE):
                chosen = select(table).where(column.in_(ids[start : start + _AT_ONCE]))
                for row in session.execute(chosen).mappings():
                    key = tuple(row[part] for part in table.primary_key)
                    if key in seen:
                        continue
                    seen.add(key)
                    for target in referred[table]:
                        found[target].add(row[target])
                    yield table.name, dict(row)


def _ways(table: Table, found: dict[Column[Any], set[Any]], platform_id: str) -> Iterator[tuple[Column[Any], set[Any]]]:
    """How rows of a table hang from rows that were found: their column, and the values it may have."""
    if table.name == "platforms":
        yield table.c["id"], {platform_id}
    for column, parent in _cascading(table):
        if values := found.get(parent):
            yield column, values


def _cascading(table: Table) -> Iterator[tuple[Column[Any], Column[Any]]]:
    for key in table.foreign_keys:
        if key.ondelete == "CASCADE":
            yield key.parent, key.column


def _referred_columns(metadata: MetaData) -> dict[Table, set[Column[Any]]]:
    columns: dict[Table, set[Column[Any]]] = defaultdict(set)
    for table in metadata.tables.values():
        for _column, parent in _cascading(table):
            columns[parent.table].add(parent)
    return columns


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an export")
