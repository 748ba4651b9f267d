"""A copy of the data and a copy of the keyring, taken while the tool runs; never of the master key.

The two are files of their own, for two places: who has both and the master key can read everything, and what was
shredded stays unreadable only while no old copy of the keyring is left.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.engine import URL

from lti_tool.ops.errors import CommandFailed
from lti_tool.privacy import keyring_store
from lti_tool.privacy.models import KeyringBase
from lti_tool.store.database import Database


def write(data: Database, keyring: Database, folder: Path, now: datetime) -> tuple[Path, Path]:
    """Writes both copies into `folder`, readable by their owner only, and returns (data, keyring).

    The keyring comes second: it then has every key that the copied data needs. Raises CommandFailed; no file is left
    half written.
    """
    is_sqlite = data.engine.dialect.name == "sqlite"
    files = (
        folder / f"meitheal-data-{now:%Y%m%d-%H%M%S}.{'db' if is_sqlite else 'dump'}",
        folder / f"meitheal-keyring-{now:%Y%m%d-%H%M%S}.db",
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise CommandFailed(f"{error.filename} cannot be written: {error.strerror}.") from None
    try:
        if is_sqlite:
            _copy_sqlite(Path(data.engine.url.database or ""), files[0])
        else:
            _dump_postgresql(data.engine.url, files[0])
        copy_keyring(keyring, files[1])
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        raise
    return files


def copy_keyring(keyring: Database, file: Path) -> None:
    """Writes all rows of the keyring to an SQLite file, whatever database the keyring is in."""
    copy = Database(f"sqlite:///{file}")
    keyring_store.create_tables(copy)
    with keyring.read() as source, copy.write() as target:
        for table in KeyringBase.metadata.sorted_tables:
            if rows := [dict(row) for row in source.execute(select(table)).mappings()]:
                target.execute(insert(table), rows)
    copy.dispose()
    _into_one_file(file)


def _copy_sqlite(source: Path, file: Path) -> None:
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(file)) as copy:
        opened.backup(copy)
    _into_one_file(file)


def _into_one_file(file: Path) -> None:
    """Without a write-ahead log beside it, so that one file is the whole copy."""
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")


def _dump_postgresql(url: URL, file: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise CommandFailed(
            "There is no pg_dump on this machine. Install PostgreSQL's client programs, of the server's version or a "
            "newer one."
        )
    # The password by the environment: arguments can be read by everybody on the machine.
    plain = url.set(drivername="postgresql", password=None).difference_update_query(["options"])
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(  # noqa: S603 - its own name, and no shell
        [
            program,
            "--format=custom",
            "--no-owner",
            f"--exclude-schema={keyring_store.SCHEMA}",
            f"--file={file}",
            f"--dbname={plain.render_as_string(hide_password=False)}",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise CommandFailed(f"pg_dump failed: {said[-1] if said else done.returncode}")
