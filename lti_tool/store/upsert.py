"""INSERT … ON CONFLICT, which both databases speak and SQLAlchemy offers per dialect only."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_into(session: Session, table: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """An insert into `table` that offers `on_conflict_do_update` and `on_conflict_do_nothing`.

    Inside the former, `statement.excluded` names the row that could not be inserted.
    """
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
