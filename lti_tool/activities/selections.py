"""Selecting content: a trainer prepares activities before their links exist, and the LMS is told of them.

open (the launch) → answered (the trainer chose; once). What was prepared is an `open` activity without a link; the
first launch of its link binds the two, see `links.find_or_create_link`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service
from lti_tool.activities.models import Activity, ActivityTrainer, Selection
from lti_tool.activities.rules import NEW_ROUND, Settings
from lti_tool.lti import deep_linking
from lti_tool.lti.deep_linking import Asker, Link
from lti_tool.people.models import Course, Deployment, Membership, Platform
from lti_tool.people.sign_ins import LIFETIME
from lti_tool.privacy.rules import SelectionFacts
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed

CUSTOM_NAME = "activity"
"""Custom parameter of a placed link; its value is the id of the activity that was prepared."""
_REMEMBERED = LIFETIME + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SelectionView:
    """A selection, as it was asked for."""

    id: str
    membership_id: str
    course_id: str
    return_url: str
    data: str | None
    accept_multiple: bool
    is_answered: bool
    asker: Asker

    @property
    def facts(self) -> SelectionFacts:
        """What the rules need of it."""
        return SelectionFacts(self.membership_id)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An activity that was prepared and has no link yet."""

    id: str
    title: str
    purpose: str
    reports_completion: bool


class AlreadyAnswered(Exception):
    """The LMS has been told already what this selection came to."""


def open_selection(session: Session, membership_id: str, asked: deep_linking.Selection, now: datetime) -> str:
    """Keeps what a proven launch asks for; its id."""
    selection_id = new_id()
    session.execute(
        insert(Selection).values(
            id=selection_id,
            membership_id=membership_id,
            return_url=asked.return_url,
            data=asked.data,
            accept_multiple=asked.accept_multiple,
            created_at=now,
        )
    )
    return selection_id


def find(session: Session, selection_id: str) -> SelectionView | None:
    """The selection, with the platform that asked; or None."""
    row = session.execute(
        select(
            Selection.id,
            Selection.membership_id,
            Membership.course_id,
            Selection.return_url,
            Selection.data,
            Selection.accept_multiple,
            Selection.answered_at,
            Platform.issuer,
            Platform.client_id,
            Deployment.deployment_id,
        )
        .join(Membership, Membership.id == Selection.membership_id)
        .join(Course, Course.id == Membership.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(Selection.id == selection_id)
    ).one_or_none()
    if row is None:
        return None
    return SelectionView(
        id=row.id,
        membership_id=row.membership_id,
        course_id=row.course_id,
        return_url=row.return_url,
        data=row.data,
        accept_multiple=row.accept_multiple,
        is_answered=row.answered_at is not None,
        asker=Asker(row.issuer, row.client_id, row.deployment_id),
    )


def unplaced(session: Session, selection: SelectionView) -> list[Unplaced]:
    """The activities that the member who selects prepared and that wait to be placed, by title."""
    return [
        Unplaced(*row)
        for row in session.execute(
            select(Activity.id, Activity.title, Activity.purpose, Activity.reports_completion)
            .join(ActivityTrainer, ActivityTrainer.activity_id == Activity.id)
            .where(
                ActivityTrainer.membership_id == selection.membership_id,
                Activity.resource_link_id.is_(None),
                Activity.status == "open",
            )
            .order_by(Activity.title, Activity.id)
        )
    ]


def place(
    session: Session, selection: SelectionView, chosen: Sequence[Settings], prepared: Sequence[str], now: datetime
) -> list[Link]:
    """Prepares the chosen activities, with the member who selects as their trainer; the links to be placed for them
    and for those of `prepared` (ids) that wait.

    Raises AlreadyAnswered: of two at the same moment, one prepares.
    """
    answered = session.execute(
        update(Selection).where(Selection.id == selection.id, Selection.answered_at.is_(None)).values(answered_at=now)
    )
    if rows_changed(answered) != 1:
        raise AlreadyAnswered
    made: dict[int, str] = {}
    new_round = ""
    # Rounds first, for the others may take their pairs from one.
    for number in sorted(range(len(chosen)), key=lambda number: chosen[number].kind != "pairing"):
        settings = chosen[number]
        if settings.pairs_from == NEW_ROUND:
            settings = replace(settings, pairs_from=new_round)
        made[number] = service.prepare(session, selection.course_id, selection.membership_id, settings, now)
        if settings.kind == "pairing" and not new_round:
            new_round = made[number]
    new = [
        Unplaced(made[number], each.title, each.purpose, each.reports_completion) for number, each in enumerate(chosen)
    ]
    waiting = [each for each in unplaced(session, selection) if each.id in prepared]
    return [_link(each) for each in (*new, *waiting)]


def _link(placed: Unplaced) -> Link:
    column = placed.id if placed.reports_completion else ""
    return Link(placed.title, placed.purpose, {CUSTOM_NAME: placed.id}, column)


def forget_old(session: Session, now: datetime) -> int:
    """Deletes the selections whose sign-in is over; returns how many. What they prepared stays."""
    return rows_changed(session.execute(delete(Selection).where(Selection.created_at < now - _REMEMBERED)))
