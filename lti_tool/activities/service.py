"""Finding the activity of a link, and setting it up."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, exists, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.lti.launch import Grades
from lti_tool.people.models import Course, Membership, Person
from lti_tool.privacy.rules import ActivityFacts
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed, run

_OF_LINK = select(Activity.id, Activity.title, Activity.line_item_url, Activity.line_items_url).where(
    Activity.course_id == bindparam("course"), Activity.resource_link_id == bindparam("link")
)
_NAMED = select(Activity.course_id, Activity.purpose, Activity.protocol).where(
    Activity.id == bindparam("activity"),
    # The word of a link counts as far as its deployment reaches: from there nobody learns of another school.
    Activity.course_id.in_(
        select(Course.id).where(
            Course.deployment_id
            == select(Course.deployment_id).where(Course.id == bindparam("course")).scalar_subquery()
        )
    ),
)
NO_GRADES = Grades()
_ID = re.compile(r"[0-9a-z]{16}")
_BY_ID = select(
    Activity.id,
    Activity.course_id,
    Activity.title,
    Activity.purpose,
    Activity.status,
    Activity.protocol,
    Activity.kind,
    Activity.starts_on,
    Activity.ends_on,
    Activity.audience,
    Activity.reports_completion,
    Activity.pairs_from_id,
    exists()
    .where(
        ActivityTrainer.activity_id == Activity.id,
        Membership.id == ActivityTrainer.membership_id,
        Membership.is_active.is_(True),
        Membership.is_leader.is_(False),
        Membership.is_administrator.is_(False),
        Person.id == Membership.person_id,
        Person.is_leader.is_(False),
    )
    .label("has_trainer"),
).where(Activity.id == bindparam("activity"))


@dataclass(frozen=True, slots=True)
class ActivityView:
    """What any member of the course may know of an activity."""

    id: str
    course_id: str
    title: str
    purpose: str
    status: str
    """new, open or archived."""
    protocol: str
    kind: str
    starts_on: date | None
    ends_on: date | None
    audience: str
    reports_completion: bool
    pairs_from_id: str | None
    has_trainer: bool

    @property
    def facts(self) -> ActivityFacts:
        """What the rules need of it."""
        return ActivityFacts(self.course_id, self.status, self.has_trainer, self.reports_completion)


def find_or_create_link(
    session: Session,
    *,
    course_id: str,
    resource_link_id: str,
    title: str,
    now: datetime,
    named: str = "",
    grades: Grades = NO_GRADES,
) -> str:
    """Id of the activity behind a resource link; a link seen for the first time becomes a `new` one.

    `named` is the activity that the link says it was placed for (custom parameter), or empty. If it was prepared in
    this course and has no link yet, it is the one. If it has one, or is another course's, this link is a copy: a `new`
    activity with the same purpose and protocol, without its trainer, people and content. An unknown one is ignored.

    The LMS's title is followed until the trainer has set the activity up, and again whenever it changes there; so are
    the addresses of its grade service.
    """
    row = run(session, _OF_LINK, {"course": course_id, "link": resource_link_id}).one_or_none()
    if row is None:
        original = (
            run(session, _NAMED, {"activity": named, "course": course_id}).one_or_none() if _is_id(named) else None
        )
        if original and original.course_id == course_id and _bind(session, named, resource_link_id, title):
            return named
        activity_id = new_id()
        session.execute(
            insert(Activity).values(
                id=activity_id,
                course_id=course_id,
                resource_link_id=resource_link_id,
                title=title[:300],
                status="new",
                purpose=original.purpose if original else "",
                protocol=original.protocol if original else "",
                line_item_url=grades.line_item_url,
                line_items_url=grades.line_items_url,
                created_at=now,
            )
        )
        return activity_id
    if news := _news_of_link(row, title, grades):
        session.execute(update(Activity).where(Activity.id == row.id).values(news))
    return str(row.id)


def _news_of_link(row: Any, title: str, grades: Grades) -> dict[str, str]:
    news = {"title": title[:300]} if title and row.title != title[:300] else {}
    # A launch without a column says nothing (Moodle names none where a link has two): one that we made stays.
    if grades.line_item_url and row.line_item_url != grades.line_item_url:
        news["line_item_url"] = grades.line_item_url
    if row.line_items_url != grades.line_items_url:
        news["line_items_url"] = grades.line_items_url
    return news


def _is_id(text: str) -> bool:
    return bool(_ID.fullmatch(text))


def _bind(session: Session, activity_id: str, resource_link_id: str, title: str) -> bool:
    """Gives a prepared activity its link; False if it has one. Of two links at the same moment, one gets it."""
    values = {"resource_link_id": resource_link_id} | ({"title": title[:300]} if title else {})
    bound = session.execute(
        update(Activity).where(Activity.id == activity_id, Activity.resource_link_id.is_(None)).values(values)
    )
    return rows_changed(bound) == 1


def find(session: Session, activity_id: str) -> ActivityView | None:
    """The activity, or None."""
    row = run(session, _BY_ID, {"activity": activity_id}).one_or_none()
    values: tuple[Any, ...] = tuple(row) if row else ()
    return ActivityView(*values) if values else None


class AlreadySetUp(Exception):
    """Another Instructor set this activity up first and is its trainer."""


def set_up(
    session: Session, *, activity_id: str, membership_id: str, protocol: str, purpose: str, now: datetime
) -> None:
    """Opens a `new` activity; whoever does so is its trainer from now on. Raises AlreadySetUp, at most one succeeds."""
    opened = session.execute(
        update(Activity)
        .where(Activity.id == activity_id, Activity.status == "new")
        .values(status="open", protocol=protocol, purpose=purpose, opened_at=now)
    )
    if rows_changed(opened) != 1:
        raise AlreadySetUp
    session.add(ActivityTrainer(activity_id=activity_id, membership_id=membership_id, created_at=now))


def trainer_names(session: Session, activity_id: str) -> list[str]:
    """Names of the trainers of an activity, for those who take part in it; empty names are left out."""
    names = session.scalars(
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(ActivityTrainer, ActivityTrainer.membership_id == Membership.id)
        .where(ActivityTrainer.activity_id == activity_id)
        .order_by(Person.name)
    )
    return [name for name in names if name]
