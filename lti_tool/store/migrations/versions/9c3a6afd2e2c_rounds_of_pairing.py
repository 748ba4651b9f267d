"""rounds of pairing"""

import sqlalchemy as sa
from alembic import op

revision = "9c3a6afd2e2c"
down_revision = "5c1e5a0b7d42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "line_managers",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("course_id", sa.String(length=16), nullable=False),
        sa.Column("manager_id", sa.String(length=16), nullable=False),
        sa.Column("report_id", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_line_managers_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["memberships.id"], name=op.f("fk_line_managers_manager_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["memberships.id"], name=op.f("fk_line_managers_report_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_managers")),
        sa.UniqueConstraint(
            "course_id", "manager_id", "report_id", name=op.f("uq_line_managers_course_id_manager_id_report_id")
        ),
    )
    with op.batch_alter_table("line_managers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_line_managers_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_line_managers_report_id"), ["report_id"], unique=False)

    op.create_table(
        "pairing_wishes",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_pairing_wishes_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_pairing_wishes_membership_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_pairing_wishes_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairing_wishes")),
        sa.UniqueConstraint("activity_id", "membership_id", name=op.f("uq_pairing_wishes_activity_id_membership_id")),
    )
    with op.batch_alter_table("pairing_wishes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pairing_wishes_membership_id"), ["membership_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pairing_wishes_person_id"), ["person_id"], unique=False)

    op.create_table(
        "round_runs",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("doing", sa.String(length=20), nullable=False),
        sa.Column("stop_asked", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("problem", sa.LargeBinary(), nullable=True),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_round_runs_activity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_runs")),
        sa.UniqueConstraint("activity_id", "number", name=op.f("uq_round_runs_activity_id_number")),
    )
    with op.batch_alter_table("round_runs", schema=None) as batch_op:
        batch_op.create_index(
            "uq_round_runs_current",
            ["activity_id"],
            unique=True,
            sqlite_where=sa.text("status IN ('waiting', 'working', 'review')"),
            postgresql_where=sa.text("status IN ('waiting', 'working', 'review')"),
        )

    op.create_table(
        "round_settings",
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_round_settings_activity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_round_settings")),
    )
    op.create_table(
        "round_left",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("helps", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_round_left_membership_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["round_runs.id"], name=op.f("fk_round_left_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "membership_id", name=op.f("pk_round_left")),
    )
    with op.batch_alter_table("round_left", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_left_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "round_proposals",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("attention", sa.Integer(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.Column("pair_id", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["pairs.id"], name=op.f("fk_round_proposals_pair_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["round_runs.id"], name=op.f("fk_round_proposals_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_proposals")),
    )
    with op.batch_alter_table("round_proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_proposals_pair_id"), ["pair_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_round_proposals_run_id"), ["run_id"], unique=False)

    op.create_table(
        "round_proposal_members",
        sa.Column("proposal_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.String(length=7), nullable=False),
        sa.Column("why", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["memberships.id"],
            name=op.f("fk_round_proposal_members_membership_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["round_proposals.id"],
            name=op.f("fk_round_proposal_members_proposal_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("proposal_id", "membership_id", name=op.f("pk_round_proposal_members")),
    )
    with op.batch_alter_table("round_proposal_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_proposal_members_membership_id"), ["membership_id"], unique=False)
