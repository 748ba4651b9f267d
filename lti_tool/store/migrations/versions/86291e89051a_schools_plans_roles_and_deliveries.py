"""Schools, plans, roles and deliveries"""

import sqlalchemy as sa
from alembic import op

revision = "86291e89051a"
down_revision = "67399c60bc93"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "school_links",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("platform_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_school_links_platform_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_links")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_school_links_code_hash")),
    )
    with op.batch_alter_table("school_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_school_links_platform_id"), ["platform_id"], unique=False)

    op.create_table(
        "school_visits",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("platform_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_school_visits_platform_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_visits")),
    )
    with op.batch_alter_table("school_visits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_school_visits_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_school_visits_platform_id"), ["platform_id"], unique=False)

    op.create_table(
        "schools",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("platform_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("named_by", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_schools_platform_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schools")),
        sa.UniqueConstraint("platform_id", "name", name=op.f("uq_schools_platform_id_name")),
    )
    op.create_table(
        "charters",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("school_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signed_by", sa.String(length=200), nullable=False),
        sa.Column("position", sa.String(length=100), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_charters_school_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charters")),
    )
    with op.batch_alter_table("charters", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_charters_school_id"), ["school_id"], unique=False)

    op.create_table(
        "activity_facilitators",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_activity_facilitators_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["memberships.id"],
            name=op.f("fk_activity_facilitators_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_facilitators")),
        sa.UniqueConstraint(
            "activity_id", "membership_id", name=op.f("uq_activity_facilitators_activity_id_membership_id")
        ),
    )
    with op.batch_alter_table("activity_facilitators", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_facilitators_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "activity_participants",
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_activity_participants_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["memberships.id"],
            name=op.f("fk_activity_participants_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "membership_id", name=op.f("pk_activity_participants")),
    )
    with op.batch_alter_table("activity_participants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_participants_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "activity_schools",
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("school_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_activity_schools_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_activity_schools_school_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("activity_id", "school_id", name=op.f("pk_activity_schools")),
    )
    with op.batch_alter_table("activity_schools", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_schools_school_id"), ["school_id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("line_item_url", sa.String(length=1000), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_deliveries_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_deliveries_membership_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("activity_id", "membership_id", name=op.f("uq_deliveries_activity_id_membership_id")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deliveries_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "nudges",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.Column("sender_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_nudges_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_nudges_membership_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["memberships.id"], name=op.f("fk_nudges_sender_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nudges")),
    )
    with op.batch_alter_table("nudges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_nudges_activity_id"), ["activity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_nudges_membership_id"), ["membership_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_nudges_sender_id"), ["sender_id"], unique=False)

    with op.batch_alter_table("activities", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=20), nullable=False, server_default="cycle"))
        batch_op.add_column(sa.Column("starts_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("ends_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("audience", sa.String(length=10), nullable=False, server_default="everyone"))
        batch_op.add_column(sa.Column("reports_completion", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("line_item_url", sa.String(length=1000), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("line_items_url", sa.String(length=1000), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("copied_from", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("pairs_from_id", sa.String(length=16), nullable=True))
        batch_op.create_index(batch_op.f("ix_activities_pairs_from_id"), ["pairs_from_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_activities_pairs_from_id"), "activities", ["pairs_from_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.add_column(sa.Column("leader_said_by", sa.String(length=8), nullable=False, server_default=""))

    # Until now nobody but the person could say so.
    op.execute("UPDATE memberships SET leader_said_by = 'person' WHERE is_leader")

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("launch_zone", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("time_zone", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("is_leader", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("school_id", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("school_said_by", sa.String(length=8), nullable=False, server_default=""))
        batch_op.create_index(batch_op.f("ix_people_school_id"), ["school_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_people_school_id"), "schools", ["school_id"], ["id"], ondelete="SET NULL"
        )
