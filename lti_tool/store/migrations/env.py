"""Run by Alembic for each command of store/migrate.py, which hands over the connection."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from lti_tool.store.base import Base, UtcDateTime
from lti_tool.store.tables import import_all_models


def _render(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Revisions name plain types only, so that they still run when the code has moved on."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


import_all_models()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter most of a table: it is copied to a new one.
    render_as_batch=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
