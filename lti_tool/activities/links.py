"""Finding the activity behind a link of a course: one that is known, one that was prepared, or a copy of another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, ActivitySchool
from lti_tool.lti.launch import Grades
from lti_tool.people.models import Course
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed, run

_OF_LINK = select(Activity.id, Activity.title, Activity.line_item_url, Activity.line_items_url).where(
    Activity.course_id == bindparam("course"), Activity.resource_link_id == bindparam("link")
)
_NO_GRADES = Grades()
_ID = re.compile(r"[0-9a-z]{16}")
_MOST_HISTORY = 50
"""Earlier ids of a link or course that are looked at; the latest come first."""
_TAKES_ALONG = ("kind", "purpose", "protocol", "audience", "reports_completion")
"""What a copy has from its original, beside the schools; its days are its own, and people never come along."""


@dataclass(frozen=True, slots=True)
class History:
    """Where a launched link and its course were copied from, as the LMS says it; the latest first."""

    link_ids: tuple[str, ...] = ()
    context_ids: tuple[str, ...] = ()


_NO_HISTORY = History()


def read_history(custom: Mapping[str, str]) -> History:
    """What the custom parameters of a launch say ($ResourceLink.id.history, $Context.id.history): ids with commas
    between, each URL-encoded (LTI Core 1.3, appendix D)."""
    return History(_ids(custom.get("link_history", "")), _ids(custom.get("context_history", "")))


def _ids(text: str) -> tuple[str, ...]:
    found = (unquote(part.strip()) for part in text.split(",")[:_MOST_HISTORY])
    return tuple(each for each in found if each and len(each) <= 255 and each.isprintable())


def find_or_create_link(
    session: Session,
    *,
    course_id: str,
    resource_link_id: str,
    title: str,
    now: datetime,
    named: str = "",
    history: History = _NO_HISTORY,
    grades: Grades = _NO_GRADES,
) -> str:
    """Id of the activity behind a resource link; a link seen for the first time becomes a `new` one.

    `named` is the activity that the link says it was placed for (custom parameter), or empty. If it was prepared in
    this course and has no link yet, it is the one. If it has one, or is another course's, this link is a copy; so it
    is where `history` leads to an activity. A copy is a `new` activity with the settings of its original, without its
    trainer, people and content. An unknown original is ignored.

    The LMS's title is followed until the trainer has set the activity up, and again whenever it changes there; so are
    the addresses of its grade service.
    """
    row = run(session, _OF_LINK, {"course": course_id, "link": resource_link_id}).one_or_none()
    if row is not None:
        if news := _news_of_link(row, title, grades):
            session.execute(update(Activity).where(Activity.id == row.id).values(news))
        return str(row.id)
    original = _original(session, course_id, title, named, history)
    if (
        original
        and original.id == named
        and original.course_id == course_id
        and _bind(session, named, resource_link_id, title, grades)
    ):
        return named
    activity_id = new_id()
    copied = {key: getattr(original, key) for key in _TAKES_ALONG} | {"copied_from": original.id} if original else {}
    session.execute(
        insert(Activity).values(
            id=activity_id,
            course_id=course_id,
            resource_link_id=resource_link_id,
            title=title[:300],
            status="new",
            line_item_url=grades.line_item_url,
            line_items_url=grades.line_items_url,
            created_at=now,
            **copied,
        )
    )
    if original:
        _copy_schools(session, original.id, activity_id)
    return activity_id


def _news_of_link(row: Any, title: str, grades: Grades) -> dict[str, str]:
    news = {"title": title[:300]} if title and row.title != title[:300] else {}
    # A launch without a column says nothing (Moodle names none where a link has two): one that we made stays.
    if grades.line_item_url and row.line_item_url != grades.line_item_url:
        news["line_item_url"] = grades.line_item_url
    if row.line_items_url != grades.line_items_url:
        news["line_items_url"] = grades.line_items_url
    return news


def _original(session: Session, course_id: str, title: str, named: str, history: History) -> Any:
    """The activity that a new link was placed for or copied from: as it says itself, by the ids of its earlier
    copies, or by its name in an earlier course where only that one has it. None if nothing leads to one."""
    # What a launch says counts as far as its deployment reaches: from there nobody learns of another school.
    deployment = select(Course.deployment_id).where(Course.id == course_id).scalar_subquery()
    candidates = (
        select(
            Activity.id,
            Activity.course_id,
            Activity.resource_link_id,
            Course.context_key,
            *(getattr(Activity, key) for key in _TAKES_ALONG),
        )
        .join(Course, Course.id == Activity.course_id)
        .where(Course.deployment_id == deployment)
    )
    if _ID.fullmatch(named) and (found := session.execute(candidates.where(Activity.id == named)).one_or_none()):
        return found
    known = candidates.where(Activity.status != "new")
    if history.link_ids:
        rows = session.execute(known.where(Activity.resource_link_id.in_(history.link_ids))).all()
        if rows:
            return min(rows, key=lambda row: history.link_ids.index(row.resource_link_id))
    if history.context_ids and title:
        keys = [f"context:{each}" for each in history.context_ids]
        rows = session.execute(known.where(Course.context_key.in_(keys), Activity.title == title[:300])).all()
        for key in keys:
            of_course = [row for row in rows if row.context_key == key]
            if of_course:
                return of_course[0] if len(of_course) == 1 else None
    return None


def _bind(session: Session, activity_id: str, resource_link_id: str, title: str, grades: Grades) -> bool:
    """Gives a prepared activity its link; False if it has one. Of two links at the same moment, one gets it."""
    values = {
        "resource_link_id": resource_link_id,
        "line_item_url": grades.line_item_url,
        "line_items_url": grades.line_items_url,
    } | ({"title": title[:300]} if title else {})
    bound = session.execute(
        update(Activity).where(Activity.id == activity_id, Activity.resource_link_id.is_(None)).values(values)
    )
    return rows_changed(bound) == 1


def _copy_schools(session: Session, original_id: str, activity_id: str) -> None:
    session.execute(
        insert(ActivitySchool).from_select(
            ["activity_id", "school_id"],
            select(bindparam("copy", activity_id), ActivitySchool.school_id).where(
                ActivitySchool.activity_id == original_id
            ),
        )
    )
