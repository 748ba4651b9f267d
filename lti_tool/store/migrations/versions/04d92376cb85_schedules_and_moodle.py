"""schedules and moodle"""

import sqlalchemy as sa
from alembic import op

revision = "04d92376cb85"
down_revision = "117354a935b9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moodle_sites",
        sa.Column("platform_id", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=False),
        sa.Column("master", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("release", sa.String(length=100), nullable=False),
        sa.Column("functions", sa.JSON(), nullable=False),
        sa.Column("events", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_moodle_sites_platform_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("platform_id", name=op.f("pk_moodle_sites")),
    )
    op.create_table(
        "calendar_addresses",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("shows_names", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_calendar_addresses_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_calendar_addresses")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_addresses_token_hash")),
    )
    op.create_table(
        "lms_groups",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("course_id", sa.String(length=16), nullable=False),
        sa.Column("moodle_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=254), nullable=False),
        sa.Column("stands_for", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_lms_groups_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lms_groups")),
        sa.UniqueConstraint("course_id", "moodle_id", name=op.f("uq_lms_groups_course_id_moodle_id")),
    )
    op.create_table(
        "moodle_courses",
        sa.Column("course_id", sa.String(length=16), nullable=False),
        sa.Column("moodle_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("groups_are", sa.String(length=12), nullable=False),
        sa.Column("writes_groups", sa.Boolean(), nullable=False),
        sa.Column("grouping_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_moodle_courses_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_moodle_courses")),
    )
    op.create_table(
        "moodle_writes",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("platform_id", sa.String(length=16), nullable=False),
        sa.Column("course_id", sa.String(length=16), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("wanted_state", sa.String(length=64), nullable=False),
        sa.Column("there_state", sa.String(length=64), nullable=False),
        sa.Column("moodle_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_moodle_writes_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_moodle_writes_platform_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moodle_writes")),
        sa.UniqueConstraint("platform_id", "kind", "key", name=op.f("uq_moodle_writes_platform_id_kind_key")),
    )
    with op.batch_alter_table("moodle_writes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_moodle_writes_course_id"), ["course_id"], unique=False)
        batch_op.create_index("ix_moodle_writes_status", ["status"], unique=False)

    op.create_table(
        "lms_calendars",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_lms_calendars_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_lms_calendars")),
    )
    op.create_table(
        "reminder_choices",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_reminder_choices_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "kind", name=op.f("pk_reminder_choices")),
    )
    op.create_table(
        "reminder_settings",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=8), nullable=False),
        sa.Column("from_hour", sa.Integer(), nullable=False),
        sa.Column("to_hour", sa.Integer(), nullable=False),
        sa.Column("sealed_email", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_reminder_settings_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_reminder_settings")),
    )
    op.create_table(
        "reminders",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("about", sa.String(length=16), nullable=False),
        sa.Column("stamp", sa.String(length=40), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("batch", sa.String(length=16), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reminders_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        sa.UniqueConstraint(
            "person_id", "kind", "about", "stamp", name=op.f("uq_reminders_person_id_kind_about_stamp")
        ),
    )
    with op.batch_alter_table("reminders", schema=None) as batch_op:
        batch_op.create_index("ix_reminders_status_due_at", ["status", "due_at"], unique=False)

    op.create_table(
        "school_weeks",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("course_id", sa.String(length=16), nullable=False),
        sa.Column("school_id", sa.String(length=16), nullable=True),
        sa.Column("school_key", sa.String(length=16), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_school_weeks_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_school_weeks_school_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_weeks")),
        sa.UniqueConstraint("course_id", "school_key", name=op.f("uq_school_weeks_course_id_school_key")),
    )
    with op.batch_alter_table("school_weeks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_school_weeks_school_id"), ["school_id"], unique=False)

    op.create_table(
        "timetables",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_timetables_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_timetables")),
    )
    with op.batch_alter_table("timetables", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_timetables_read_again_at"), ["read_again_at"], unique=False)

    op.create_table(
        "lms_group_members",
        sa.Column("group_id", sa.String(length=16), nullable=False),
        sa.Column("membership_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["lms_groups.id"], name=op.f("fk_lms_group_members_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_lms_group_members_membership_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "membership_id", name=op.f("pk_lms_group_members")),
    )
    with op.batch_alter_table("lms_group_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lms_group_members_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "return_meetings",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("pair_id", sa.String(length=16), nullable=False),
        sa.Column("host_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id"], ["memberships.id"], name=op.f("fk_return_meetings_host_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name=op.f("fk_return_meetings_pair_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_meetings")),
        sa.UniqueConstraint("pair_id", "kind", name=op.f("uq_return_meetings_pair_id_kind")),
    )
    with op.batch_alter_table("return_meetings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_return_meetings_host_id"), ["host_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_return_meetings_starts_at"), ["starts_at"], unique=False)

    op.create_table(
        "time_lines",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("meeting_id", sa.String(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meetings.id"], name=op.f("fk_time_lines_meeting_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_time_lines_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_lines")),
        sa.UniqueConstraint("person_id", "meeting_id", name=op.f("uq_time_lines_person_id_meeting_id")),
    )
    with op.batch_alter_table("time_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_time_lines_person_id"), ["person_id"], unique=False)
