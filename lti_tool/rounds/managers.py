"""Use cases of who reports to whom in a course: listed, added by hand or from a list, removed, and shown to whom it is
about. The two are never paired (R49); nothing else rests on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.people.models import Course, Membership, Person, School
from lti_tool.people.rules import fold
from lti_tool.people.service import could_take_part
from lti_tool.rounds import setting
from lti_tool.rounds.manager_files import Known
from lti_tool.rounds.models import LineManager
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed
from lti_tool.store.upsert import insert_into

_AT_ONCE = 500
"""Rows of one statement: SQLite takes 32,766 parameters, older ones 999."""
Item = TypeVar("Item")
_manager, _report = aliased(Membership), aliased(Membership)
_managing, _reporting = aliased(Person), aliased(Person)


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody reports to somebody, as the page shows it."""

    id: str
    manager_id: str
    manager: str
    """Name as the LMS gave it; may be empty."""
    report: str | None
    """None: everybody of the manager's school."""
    school: str
    """Of the manager; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Item]):
    """Part of a list."""

    shown: tuple[Item, ...]
    total: int
    """How many match in all."""
    page: int
    pages: int


def people_of(session: Session, course_id: str, activity_id: str) -> list[Known]:
    """All who are in a course now, by name; one statement. `activity_id`: of the round.

    Also those who are never in a round, as leaders and trainers: a school's list names them, and does no harm.
    """
    rows = session.execute(
        select(
            Membership.id,
            Person.name,
            Person.given_name,
            Person.family_name,
            Person.sub,
            School.name.label("school"),
            and_(*could_take_part(activity_id)).label("is_teacher"),
        )
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(School, School.id == Person.school_id)
        .where(Membership.course_id == course_id, Membership.is_active.is_(True), Person.erased_at.is_(None))
    )
    found = [Known(*row[:5], row.school or "", bool(row.is_teacher)) for row in rows]
    return sorted(found, key=lambda each: (fold(each.name), each.membership_id))


def search(people: Iterable[Known], wanted: str, page: int, size: int = 30) -> ListPage[Known]:
    """A part of the teachers whose name holds every word of `wanted`, in the order in which they come."""
    return _part([each for each in people if each.is_teacher and _holds(wanted, each.name)], page, size)


def list_of(session: Session, course_id: str, wanted: str = "", page: int = 1, size: int = 30) -> ListPage[Listed]:
    """A part of the list of a course: those in which a name of either holds every word of `wanted`; one statement.

    Names are compared here, as everywhere: databases differ in what "á" is.
    """
    rows = session.execute(
        select(
            LineManager.id,
            LineManager.manager_id,
            _managing.name.label("manager"),
            LineManager.report_id,
            _reporting.name.label("report"),
            School.name.label("school"),
        )
        .join(_manager, _manager.id == LineManager.manager_id)
        .join(_managing, _managing.id == _manager.person_id)
        .outerjoin(_report, _report.id == LineManager.report_id)
        .outerjoin(_reporting, _reporting.id == _report.person_id)
        .outerjoin(School, School.id == _managing.school_id)
        .where(LineManager.course_id == course_id)
    )
    found = [
        Listed(row.id, row.manager_id, row.manager, row.report if row.report_id else None, row.school or "")
        for row in rows
    ]
    found = [each for each in found if _holds(wanted, f"{each.manager} {each.report or ''}")]
    found.sort(key=lambda each: (fold(each.manager), each.manager_id, fold(each.report or ""), each.id))
    return _part(found, page, size)


def reports_of(session: Session, course_id: str, manager_id: str) -> set[str | None]:
    """Membership ids of who reports to a manager; None among them: everybody of their school."""
    rows = select(LineManager.report_id).where(LineManager.course_id == course_id, LineManager.manager_id == manager_id)
    return set(session.scalars(rows))


def add(session: Session, course_id: str, pairs: Iterable[tuple[str, str | None]], *, replace: bool = False) -> int:
    """Adds (manager, report) to the list of a course, and says how many are new. `replace`: all others go.

    Who may, and that all of them are members of the course, is asked before.
    """
    # One list at a time: the database cannot see that two rows without a report are the same.
    session.execute(select(Course.id).where(Course.id == course_id).with_for_update(key_share=True)).all()
    wanted = dict.fromkeys(pairs)
    here = set(setting.managers(session, course_id))
    if replace and here - wanted.keys():
        session.execute(delete(LineManager).where(LineManager.course_id == course_id))
        before, here = here, set()
    else:
        before = here
    new = [pair for pair in wanted if pair not in here]
    for start in range(0, len(new), _AT_ONCE):
        session.execute(
            insert_into(session, LineManager)
            .values(
                [
                    {"id": new_id(), "course_id": course_id, "manager_id": manager_id, "report_id": report_id}
                    for manager_id, report_id in new[start : start + _AT_ONCE]
                ]
            )
            .on_conflict_do_nothing(index_elements=["course_id", "manager_id", "report_id"])
        )
    return len(wanted.keys() - before)


def remove(session: Session, course_id: str, row_id: str) -> bool:
    """Takes one row off the list of a course; False if it is not there (any more)."""
    gone = session.execute(delete(LineManager).where(LineManager.id == row_id, LineManager.course_id == course_id))
    return rows_changed(gone) == 1


def of_person(session: Session, person_id: str) -> list[dict[str, Any]]:
    """The rows in which a person is named, in all their courses, for them to take along; one statement."""
    rows = session.execute(
        select(
            Course.title.label("course"),
            _managing.name.label("manager"),
            LineManager.report_id,
            _reporting.name.label("report"),
        )
        .join(Course, Course.id == LineManager.course_id)
        .join(_manager, _manager.id == LineManager.manager_id)
        .join(_managing, _managing.id == _manager.person_id)
        .outerjoin(_report, _report.id == LineManager.report_id)
        .outerjoin(_reporting, _reporting.id == _report.person_id)
        .where(or_(_manager.person_id == person_id, _report.person_id == person_id))
        .order_by(Course.title, _managing.name, _reporting.name)
    )
    return [
        {
            "course": row.course,
            "manager": row.manager,
            "who_reports_to_them": row.report if row.report_id else "everybody of the manager's school",
        }
        for row in rows
    ]


def _holds(wanted: str, name: str) -> bool:
    plain = fold(name)
    return all(word in plain for word in fold(wanted).split())


def _part(found: list[Item], page: int, size: int) -> ListPage[Item]:
    pages = max(1, -(-len(found) // size))
    page = min(max(1, page), pages)
    return ListPage(tuple(found[(page - 1) * size : page * size]), len(found), page, pages)
