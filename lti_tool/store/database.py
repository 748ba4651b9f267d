"""One engine per process, one session per use case.

SQLite runs in WAL mode, so that readers never wait for the one writer. Its write transactions begin IMMEDIATE: a
transaction that reads first and writes later would otherwise fail at once with "database is locked" when another
writer came in between, whatever the busy timeout.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVarTuple, cast, overload

from sqlalchemy import CursorResult, Engine, Executable, Result, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import TypedReturnsRows

BUSY_TIMEOUT_MS = 10_000
_Columns = TypeVarTuple("_Columns")


class Database:
    """The store of one running tool."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.on_work: Callable[[], None] | None = None
        """Called after the commit of a transaction that left work for the worker (store/jobs.py: `enqueue`)."""
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        readers = self.engine.execution_options(meitheal_reads=True)
        if self.engine.dialect.name != "sqlite":
            # SQLite reads from one snapshot by itself.
            readers = readers.execution_options(isolation_level="REPEATABLE READ")
        self._readers = sessionmaker(readers, expire_on_commit=False)

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction that may write: committed at the end, rolled back on any error.

        No HTTP call may happen inside it: on SQLite it holds the only write lock.
        """
        with self._sessions() as session:
            with session.begin():
                yield session
            if self.on_work and session.info.get("work_left"):
                self.on_work()

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads, from one snapshot; whatever it holds at the end is thrown away."""
        with self._readers() as session:
            yield session

    def is_reachable(self) -> bool:
        """Whether a trivial query is answered."""
        try:
            with self.read() as session:
                return bool(session.execute(text("SELECT 1")).scalar() == 1)
        except Exception:
            return False

    def forget_deleted(self) -> None:
        """Leaves no bytes of deleted rows in SQLite's write-ahead log; in the file, secure_delete sees to it.

        After a transaction that deleted what must be gone. A long reader keeps the log a little longer, until the next
        call; nobody waits for it. PostgreSQL looks after its files by itself (VACUUM).
        """
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute("PRAGMA busy_timeout=1000")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    def dispose(self) -> None:
        """Closes all connections, as a process must before it forks or ends."""
        self.engine.dispose()


# In quotes, since SQLAlchemy 2.0 has one type for a whole row.
@overload
def run(
    session: Session, statement: "TypedReturnsRows[*_Columns]", values: Mapping[str, Any]
) -> "CursorResult[*_Columns]": ...
@overload
def run(session: Session, statement: UpdateBase, values: Mapping[str, Any]) -> CursorResult[Any]: ...
def run(session: Session, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Carries out a statement of columns that was built beforehand, with `values` for its bind parameters.

    To build a statement costs more than to carry it out, and so does the ORM's part in `Session.execute`; both are left
    out on the way of a launch.
    """
    session.flush()
    return session.connection().execute(statement, values)


def rows_changed(result: Result[Any]) -> int:
    """How many rows an UPDATE or DELETE touched."""
    return cast("CursorResult[Any]", result).rowcount


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10, hide_parameters=True)
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    # An error that ends up in a log must not carry the names it was about.
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN is switched off; the one below replaces it.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            # A commit that was answered must survive a power cut, not only a killed process: nothing typed is lost.
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reads = connection.get_execution_options().get("meitheal_reads", False)
        # By the driver's own connection: SQLAlchemy's way there costs more than the statement.
        connection.connection.driver_connection.execute("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
