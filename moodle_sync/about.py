"""What a trainer sees of their course in Moodle, and what teachers are told of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.people.models import LmsGroup, LmsGroupMember, Membership
from moodle_sync.models import MoodleCourse, MoodleSite, MoodleWrite
from moodle_sync.sites import Site, site_of


@dataclass(frozen=True, slots=True)
class About:
    """A course of a connected Moodle."""

    site: Site
    read_at: datetime | None
    problem: str
    """Code of why the course, or the site, could not be read at the last attempt; empty where it could."""
    groups: tuple[tuple[str, int], ...]
    """Name, and how many people of it are known here."""
    in_several: int
    """People who are in more than one of these groups."""
    groups_are: str
    writes_pairs: bool
    there: int
    """Groups of pairs that are in Moodle as they should be."""
    waiting: int
    """Those still to be made, changed or deleted."""
    failed: tuple[tuple[str, int], ...]
    """Code, and how many could not be."""


def of_course(session: Session, platform_id: str, course_id: str) -> About | None:
    """What is known of a course; None where no Moodle is connected. Five statements at most."""
    site = site_of(session, platform_id)
    if site is None:
        return None
    row = session.execute(
        select(MoodleCourse.read_at, MoodleCourse.problem, MoodleCourse.groups_are, MoodleCourse.writes_groups).where(
            MoodleCourse.course_id == course_id
        )
    ).one_or_none()
    groups = session.execute(
        select(LmsGroup.name, func.count(Membership.id))
        .outerjoin(LmsGroupMember, LmsGroupMember.group_id == LmsGroup.id)
        .outerjoin(Membership, (Membership.id == LmsGroupMember.membership_id) & Membership.is_active)
        .where(LmsGroup.course_id == course_id)
        .group_by(LmsGroup.id, LmsGroup.name)
        .order_by(LmsGroup.name, LmsGroup.id)
    )
    several = (
        select(LmsGroupMember.membership_id)
        .join(LmsGroup, LmsGroup.id == LmsGroupMember.group_id)
        .join(Membership, (Membership.id == LmsGroupMember.membership_id) & Membership.is_active)
        .where(LmsGroup.course_id == course_id)
        .group_by(LmsGroupMember.membership_id)
        .having(func.count() > 1)
        .subquery()
    )
    in_several = session.scalar(select(func.count()).select_from(several)) or 0
    writes = session.execute(
        select(MoodleWrite.status, MoodleWrite.wanted, MoodleWrite.problem, func.count())
        .where(MoodleWrite.course_id == course_id, MoodleWrite.kind == "group")
        .group_by(MoodleWrite.status, MoodleWrite.wanted, MoodleWrite.problem)
    ).all()
    failed: dict[str, int] = {}
    for status, _wanted, problem, number in writes:
        if status in ("failed", "unknown"):
            failed[problem] = failed.get(problem, 0) + number
    return About(
        site=site,
        read_at=row.read_at if row else None,
        problem=site.problem or (row.problem if row else ""),
        groups=tuple((name, number) for name, number in groups),
        in_several=in_several,
        groups_are=row.groups_are if row else "",
        writes_pairs=bool(row and row.writes_groups),
        there=sum(number for status, is_wanted, _problem, number in writes if status == "done" and is_wanted),
        waiting=sum(number for status, _wanted, _problem, number in writes if status in ("waiting", "sending")),
        failed=tuple(sorted(failed.items())),
    )


def is_connected(session: Session, platform_id: str) -> bool:
    """Whether the web services of a platform are open to the tool; one statement."""
    return bool(session.scalar(select(exists().where(MoodleSite.platform_id == platform_id))))


def writes_pairs(session: Session, course_id: str) -> bool:
    """Whether pairs of a course become groups of its Moodle, or some still are; one statement."""
    become = exists().where(MoodleCourse.course_id == course_id, MoodleCourse.writes_groups)
    are = exists().where(
        MoodleWrite.course_id == course_id, MoodleWrite.kind == "group", MoodleWrite.moodle_id.is_not(None)
    )
    return bool(session.scalar(select(or_(become, are))))
