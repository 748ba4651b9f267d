"""Cycles in full"""

import sqlalchemy as sa
from alembic import op

revision = "5c1e5a0b7d42"
down_revision = "3d0f6b9a1c57"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cycles", schema=None) as batch_op:
        # Whether the members of a group get started together again, because somebody of them has not before.
        batch_op.add_column(sa.Column("starts_anew", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("cycle_members", schema=None) as batch_op:
        # How many prompts a member would like to see: full, light or blank.
        batch_op.add_column(sa.Column("guide", sa.String(length=5), nullable=False, server_default="full"))
        # In which frame a member writes their reflection; empty: in the protocol's own fields.
        batch_op.add_column(sa.Column("frame", sa.String(length=20), nullable=False, server_default=""))
        # When a member left their group, if that was while the cycle ran.
        batch_op.add_column(sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("reflection_versions", schema=None) as batch_op:
        # The headings of the frame a version was written in, as they were; none for the protocol's own.
        batch_op.add_column(sa.Column("frame", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "growth_areas",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_growth_areas_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_areas")),
        sa.UniqueConstraint("person_id", "ticket", name=op.f("uq_growth_areas_person_id_ticket")),
    )
    op.create_table(
        "growth_shares",
        sa.Column("area_id", sa.String(length=16), nullable=False),
        sa.Column("pair_id", sa.String(length=16), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["growth_areas.id"], name=op.f("fk_growth_shares_area_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name=op.f("fk_growth_shares_pair_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("area_id", "pair_id", name=op.f("pk_growth_shares")),
    )
    with op.batch_alter_table("growth_shares", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_growth_shares_pair_id"), ["pair_id"], unique=False)
    op.create_table(
        "groups",
        sa.Column("pair_id", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("author_id", sa.String(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name=op.f("fk_groups_author_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name=op.f("fk_groups_pair_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", name=op.f("pk_groups")),
    )
    with op.batch_alter_table("groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_groups_author_id"), ["author_id"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("cycle_id", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("step_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device", sa.String(length=3), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cycle_id"], ["cycles.id"], name=op.f("fk_conversations_cycle_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cycle_id", "stage", name=op.f("pk_conversations")),
    )
    op.create_table(
        "rests",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("cycle_id", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.String(length=16), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("data", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name=op.f("fk_rests_author_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_rests_cycle_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rests")),
    )
    with op.batch_alter_table("rests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rests_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rests_cycle_id"), ["cycle_id"], unique=False)
    op.create_table(
        "own_protocols",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("course_id", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_own_protocols_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_protocols")),
        sa.UniqueConstraint("key", name=op.f("uq_own_protocols_key")),
    )
    with op.batch_alter_table("own_protocols", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_own_protocols_course_id"), ["course_id"], unique=False)
    with op.batch_alter_table("protocol_versions", schema=None) as batch_op:
        # What a trainer said about a version of a protocol of the course's own.
        batch_op.add_column(sa.Column("note", sa.String(length=500), nullable=False, server_default=""))
    op.create_table(
        "thread_messages",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("pair_id", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["people.id"], name=op.f("fk_thread_messages_author_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name=op.f("fk_thread_messages_pair_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_messages")),
        sa.UniqueConstraint("author_id", "ticket", name=op.f("uq_thread_messages_author_id_ticket")),
    )
    with op.batch_alter_table("thread_messages", schema=None) as batch_op:
        batch_op.create_index("ix_thread_messages_pair_id_sent_at", ["pair_id", "sent_at"], unique=False)
    op.create_table(
        "open_doors",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("activity_id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=16), nullable=False),
        sa.Column("topic", sa.LargeBinary(), nullable=False),
        sa.Column("suits", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("fk_open_doors_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_open_doors_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_doors")),
        sa.UniqueConstraint("person_id", "ticket", name=op.f("uq_open_doors_person_id_ticket")),
    )
    with op.batch_alter_table("open_doors", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_open_doors_activity_id"), ["activity_id"], unique=False)
    with op.batch_alter_table("activities", schema=None) as batch_op:
        # How often pairs coach, as the trainer suggests it.
        batch_op.add_column(sa.Column("cadence_weeks", sa.Integer(), nullable=True))
    with op.batch_alter_table("pairs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cadence_weeks", sa.Integer(), nullable=True))
    with op.batch_alter_table("pair_members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hint_away_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "critical_friends",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("pair_id", sa.String(length=16), nullable=False),
        sa.Column("friend_id", sa.String(length=16), nullable=False),
        sa.Column("proposed_by", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["friend_id"], ["memberships.id"], name=op.f("fk_critical_friends_friend_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["pairs.id"], name=op.f("fk_critical_friends_pair_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["memberships.id"], name=op.f("fk_critical_friends_proposed_by"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_critical_friends")),
        sa.UniqueConstraint("pair_id", name=op.f("uq_critical_friends_pair_id")),
    )
    with op.batch_alter_table("critical_friends", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_critical_friends_friend_id"), ["friend_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_critical_friends_proposed_by"), ["proposed_by"], unique=False)
