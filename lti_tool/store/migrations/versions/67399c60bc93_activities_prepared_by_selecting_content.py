"""Activities prepared by selecting content"""

import sqlalchemy as sa
from alembic import op

revision = "67399c60bc93"
down_revision = "bdfd001202f1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "selections",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("return_url", sa.String(length=4000), nullable=False),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("accept_multiple", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_selections_membership_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selections")),
    )
    with op.batch_alter_table("selections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_selections_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_selections_membership_id"), ["membership_id"], unique=False)

    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.alter_column("resource_link_id", existing_type=sa.VARCHAR(length=255), nullable=True)

    with op.batch_alter_table("continuations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("selection_id", sa.String(length=16), nullable=True))
        batch_op.create_index(batch_op.f("ix_continuations_selection_id"), ["selection_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_continuations_selection_id"), "selections", ["selection_id"], ["id"], ondelete="CASCADE"
        )

    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.add_column(sa.Column("selection_id", sa.String(length=16), nullable=True))
        batch_op.create_index(batch_op.f("ix_sign_ins_selection_id"), ["selection_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_sign_ins_selection_id"), "selections", ["selection_id"], ["id"], ondelete="CASCADE"
        )
