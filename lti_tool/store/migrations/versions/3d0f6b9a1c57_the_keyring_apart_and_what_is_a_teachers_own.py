"""The keyring apart, and what is a teacher's own"""

import sqlalchemy as sa
from alembic import op

revision = "3d0f6b9a1c57"
down_revision = "86291e89051a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # They are in the keyring now, a database of its own: privacy/keyring_store.py moves them before the revisions run.
    if op.get_bind().execute(sa.text("SELECT count(*) FROM content_keys")).scalar():
        raise RuntimeError("keys of content are still in the data")
    op.drop_table("content_keys")
    with op.batch_alter_table("tool_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("master", sa.String(length=8), nullable=False, server_default=""))

    op.create_table(
        "school_totals",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("platform_id", sa.String(length=16), nullable=False),
        sa.Column("school_id", sa.String(length=16), nullable=True),
        sa.Column("taking_part", sa.Integer(), nullable=False),
        sa.Column("submitted", sa.Integer(), nullable=False),
        sa.Column("finished", sa.Integer(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_school_totals_platform_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_school_totals_school_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_totals")),
        sa.UniqueConstraint("platform_id", "school_id", name=op.f("uq_school_totals_platform_id_school_id")),
    )
    with op.batch_alter_table("school_totals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_school_totals_school_id"), ["school_id"], unique=False)

    op.create_table(
        "shares",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("cycle_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=False),
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_shares_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_shares_cycle_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_shares_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint("person_id", "ticket", name=op.f("uq_shares_person_id_ticket")),
    )
    with op.batch_alter_table("shares", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shares_activity_id"), ["activity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shares_cycle_id"), ["cycle_id"], unique=False)

    op.create_table(
        "deleted_texts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("cycle_id", sa.String(length=16), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("editor", sa.String(length=64), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cycle_id"], ["cycles.id"], name=op.f("fk_deleted_texts_cycle_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_texts")),
    )
    with op.batch_alter_table("deleted_texts", schema=None) as batch_op:
        batch_op.create_index("ix_deleted_texts_cycle_id_field", ["cycle_id", "field"], unique=False)
        batch_op.create_index(batch_op.f("ix_deleted_texts_deleted_at"), ["deleted_at"], unique=False)
    with op.batch_alter_table("cycles", schema=None) as batch_op:
        batch_op.add_column(sa.Column("notes_days", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("notes_due_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("notes_deleted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_cycles_notes_due_at"), ["notes_due_at"], unique=False)

    op.create_table(
        "step_wishes",
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("step", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_step_wishes_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_step_wishes_membership_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("activity_id", "membership_id", name=op.f("pk_step_wishes")),
    )
    with op.batch_alter_table("step_wishes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_wishes_membership_id"), ["membership_id"], unique=False)
    with op.batch_alter_table("cycle_members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("step", sa.String(length=4), nullable=False, server_default="full"))

    op.create_table(
        "look_chains",
        sa.Column("owner_id", sa.String(length=16), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("last_mark", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_look_chains_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_look_chains")),
    )
    op.create_table(
        "looks",
        sa.Column("owner_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("viewer_id", sa.String(length=16), nullable=True),
        sa.Column("viewer_mark", sa.String(length=64), nullable=False),
        sa.Column("cycle_id", sa.String(length=16), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_looks_owner_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["viewer_id"], ["people.id"], name=op.f("fk_looks_viewer_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_looks")),
        sa.UniqueConstraint(
            "owner_id", "viewer_mark", "cycle_id", "hour", name=op.f("uq_looks_owner_id_viewer_mark_cycle_id_hour")
        ),
    )
    with op.batch_alter_table("looks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_looks_viewer_id"), ["viewer_id"], unique=False)
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
