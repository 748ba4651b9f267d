"""Cycles in full"""

import sqlalchemy as sa
from alembic import op

revision = "5c1e5a0b7d42"
down_revision = "3d0f6b9a1c57"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cycle_members", schema=None) as batch_op:
        # How many prompts a member would like to see: full, light or blank.
        batch_op.add_column(sa.Column("guide", sa.String(length=5), nullable=False, server_default="full"))
