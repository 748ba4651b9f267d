"""Tables of people and of where they come from.

A platform's ids (deployment, context, user) are short strings that are unique only within it, so every row hangs from
the platform that it came with.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lti_tool.store.base import Base, Id, Moment, Ref


class Platform(Base):
    """One registration of the tool with an LMS: an issuer may have several, told apart by client id."""

    __tablename__ = "platforms"
    __table_args__ = (UniqueConstraint("issuer", "client_id"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200))
    family: Mapped[str] = mapped_column(String(40), default="")
    """Product family code of the LMS: moodle, canvas, BlackboardLearn, desire2learn, sakai; empty if it said none."""
    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(200))
    authorization_url: Mapped[str] = mapped_column(String(1000))
    token_url: Mapped[str] = mapped_column(String(1000))
    jwks_url: Mapped[str] = mapped_column(String(1000))
    token_audience: Mapped[str] = mapped_column(String(1000), default="")
    """Audience of our client assertions where it is not the token URL (Brightspace); else empty."""
    status: Mapped[str] = mapped_column(String(12), default="active")
    """pending (waits for the operator) → active ⇄ suspended (launches stop, data stays)."""
    created_at: Mapped[Moment]

    deployments: Mapped[list["Deployment"]] = relationship(back_populates="platform", cascade="all, delete-orphan")


class Deployment(Base):
    """One placement of the tool within a platform (a site, an account, a school)."""

    __tablename__ = "deployments"
    __table_args__ = (UniqueConstraint("platform_id", "deployment_id"),)

    id: Mapped[Id]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))
    deployment_id: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(12), default="active")
    """pending: seen in a launch of a known client and waits for the operator; active."""
    created_at: Mapped[Moment]

    platform: Mapped[Platform] = relationship(back_populates="deployments")


class Course(Base):
    """An LTI context; for a launch without one, the single link that was launched."""

    __tablename__ = "courses"
    __table_args__ = (UniqueConstraint("deployment_id", "context_key"),)

    id: Mapped[Id]
    deployment_id: Mapped[Ref] = mapped_column(ForeignKey("deployments.id", ondelete="CASCADE"))
    context_key: Mapped[str] = mapped_column(String(300))
    """`context:<id of the LTI context>`, or `link:<resource link id>` where the launch named no context."""
    title: Mapped[str] = mapped_column(String(300), default="")
    label: Mapped[str] = mapped_column(String(100), default="")
    memberships_url: Mapped[str] = mapped_column(String(1000), default="")
    """Names and Role Provisioning Service of this context; empty where the platform does not offer it."""
    roster_read_at: Mapped[datetime | None]
    """End of the last complete reading of the roster."""
    created_at: Mapped[Moment]


class School(Base):
    """Where people work. A platform of one school has one; that of an Education Centre has many."""

    __tablename__ = "schools"
    __table_args__ = (UniqueConstraint("platform_id", "name"),)

    id: Mapped[Id]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    named_by: Mapped[str] = mapped_column(String(8), default="file")
    """Where the name comes from: file (the operator's), group (of the LMS), charter (named like its platform), or
    person, who typed it: such a one is nobody's school but theirs who chose it."""
    created_at: Mapped[Moment]


class Person(Base):
    """Somebody who launched, or whom a roster named. Known by the platform's user id, never by e-mail."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("platform_id", "sub"),)

    id: Mapped[Id]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))
    sub: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(200), default="")
    given_name: Mapped[str] = mapped_column(String(100), default="")
    family_name: Mapped[str] = mapped_column(String(100), default="")
    locale: Mapped[str] = mapped_column(String(20), default="")
    """Language of the last launch."""
    language: Mapped[str] = mapped_column(String(5), default="")
    """The person's own choice (en, ga), which wins over the launch; empty until chosen."""
    launch_zone: Mapped[str] = mapped_column(String(64), default="")
    """Time zone that the last launch named, by its IANA name; empty if it named none."""
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    """The person's own choice, which wins over the launch; empty until chosen."""
    is_leader: Mapped[bool] = mapped_column(default=False)
    """School leader by the operator's word, in all courses: sees no names with activity."""
    school_id: Mapped[Ref | None] = mapped_column(ForeignKey("schools.id", ondelete="SET NULL"), index=True)
    erased_at: Mapped[datetime | None]
    """Set where this is nobody any more: it stands, without a name, for somebody who was erased, so that what their
    partners wrote keeps its place."""
    school_said_by: Mapped[str] = mapped_column(String(8), default="")
    """Who said so: person, file or group; the person's own word is replaced by none of the others."""
    created_at: Mapped[Moment]


class Membership(Base):
    """A person in a course, as the LMS last said, and what the tool itself knows of them there."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("course_id", "person_id"),)

    id: Mapped[Id]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    person_id: Mapped[Ref] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    lms_role: Mapped[str] = mapped_column(String(12))
    """What the LMS's context roles come to: instructor, learner, or other. Raised by a launch, never lowered by a
    roster alone: Moodle's roster calls a non-editing teacher a Learner."""
    is_administrator: Mapped[bool] = mapped_column(default=False)
    """Administrator of the LMS or of the institution: sees no names with activity."""
    is_leader: Mapped[bool] = mapped_column(default=False)
    """School leader, by the person's own word or a trainer's: sees no names with activity."""
    leader_said_by: Mapped[str] = mapped_column(String(8), default="")
    """person or trainer; empty where is_leader is false."""
    is_active: Mapped[bool] = mapped_column(default=True)
    """False once a complete roster no longer names the person."""
    launched_at: Mapped[datetime | None]
    """Last launch; none for somebody known from the roster only."""
    welcomed_at: Mapped[datetime | None]
    """When the person acknowledged what coaching here is and is not."""
    created_at: Mapped[Moment]


class LmsGroup(Base):
    """A group of the LMS, made by somebody else than the tool."""

    __tablename__ = "lms_groups"
    __table_args__ = (UniqueConstraint("course_id", "moodle_id"),)

    id: Mapped[Id]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    moodle_id: Mapped[int] = mapped_column(BigInteger)
    """Its id in the LMS."""
    name: Mapped[str] = mapped_column(String(254))
    stands_for: Mapped[str] = mapped_column(String(12), default="")
    """What the trainer says that groups of this course are: school, department; empty: nothing."""


class LmsGroupMember(Base):
    """Who is in a group of the LMS."""

    __tablename__ = "lms_group_members"

    group_id: Mapped[Ref] = mapped_column(ForeignKey("lms_groups.id", ondelete="CASCADE"), primary_key=True)
    membership_id: Mapped[Ref] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class SignIn(Base):
    """One launch's session. Its id is the handle in the path, which is no secret; the cookie of that handle holds the
    secret, kept here only as a hash. So two people, or two courses, live side by side in one browser."""

    __tablename__ = "sign_ins"

    id: Mapped[Id]
    secret_hash: Mapped[str] = mapped_column(String(64))
    membership_id: Mapped[Ref] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"), index=True)
    activity_id: Mapped[Ref | None] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), index=True)
    selection_id: Mapped[Ref | None] = mapped_column(ForeignKey("selections.id", ondelete="CASCADE"), index=True)
    """The selection of content that this launch began; none for the launch of an activity."""
    locale: Mapped[str] = mapped_column(String(20), default="")
    platform_origin: Mapped[str] = mapped_column(String(300))
    """Origin that may embed the pages of this sign-in."""
    return_url: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
