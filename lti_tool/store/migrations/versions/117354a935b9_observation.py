"""observation"""

import sqlalchemy as sa
from alembic import op

revision = "117354a935b9"
down_revision = "9c3a6afd2e2c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_instruments",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("base", sa.String(length=30), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("released_in", sa.String(length=16), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_own_instruments_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["released_in"], ["courses.id"], name=op.f("fk_own_instruments_released_in"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_instruments")),
        sa.UniqueConstraint("person_id", "ticket", name=op.f("uq_own_instruments_person_id_ticket")),
    )
    with op.batch_alter_table("own_instruments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_own_instruments_released_in"), ["released_in"], unique=False)

    op.create_table(
        "word_lists",
        sa.Column("course_id", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("added", sa.String(length=4000), nullable=False),
        sa.Column("left_out", sa.String(length=4000), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_word_lists_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", "language", name=op.f("pk_word_lists")),
    )
    op.create_table(
        "cycle_instruments",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("cycle_id", sa.String(length=16), nullable=False),
        sa.Column("base", sa.String(length=30), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cycle_id"], ["cycles.id"], name=op.f("fk_cycle_instruments_cycle_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle_instruments")),
    )
    with op.batch_alter_table("cycle_instruments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cycle_instruments_cycle_id"), ["cycle_id"], unique=False)

    op.create_table(
        "instrument_approvals",
        sa.Column("instrument_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["cycle_instruments.id"],
            name=op.f("fk_instrument_approvals_instrument_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["memberships.id"],
            name=op.f("fk_instrument_approvals_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("instrument_id", "membership_id", name=op.f("pk_instrument_approvals")),
    )
    with op.batch_alter_table("instrument_approvals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_instrument_approvals_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "instrument_states",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("instrument_id", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["people.id"], name=op.f("fk_instrument_states_author_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["cycle_instruments.id"],
            name=op.f("fk_instrument_states_instrument_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument_states")),
        sa.UniqueConstraint("instrument_id", "revision", name=op.f("uq_instrument_states_instrument_id_revision")),
    )
    with op.batch_alter_table("instrument_states", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_instrument_states_author_id"), ["author_id"], unique=False)

    op.create_table(
        "observations",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("cycle_id", sa.String(length=16), nullable=False),
        sa.Column("instrument_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("grant_hash", sa.String(length=64), nullable=False),
        sa.Column("granted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("code_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_observations_cycle_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["cycle_instruments.id"], name=op.f("fk_observations_instrument_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_observations_membership_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_observations_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observations")),
    )
    with op.batch_alter_table("observations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observations_code_hash"), ["code_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_observations_cycle_id"), ["cycle_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_observations_instrument_id"), ["instrument_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_observations_membership_id"), ["membership_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_observations_person_id"), ["person_id"], unique=False)

    op.create_table(
        "entries",
        sa.Column("observation_id", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=22), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("is_mine", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["observation_id"], ["observations.id"], name=op.f("fk_entries_observation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("observation_id", "device", "number", name=op.f("pk_entries")),
    )
