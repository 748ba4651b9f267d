"""Use cases of telling the gradebook: the teacher's tap, the job that delivers it, and what became of it.

The job is one for each activity, not for each teacher: scores leave one after the other (Canvas wants it so), one
worker looks for the column or makes it, and an LMS that is away is asked once, not once for every teacher.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.completion import rules
from lti_tool.completion.models import Delivery
from lti_tool.completion.rules import Code
from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.lti.access_tokens import AccessTokens, Client, ServiceError
from lti_tool.lti.grades import Gradebook, GradesError, Result
from lti_tool.lti.http import Http
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.people.rules import fold
from lti_tool.protocols.recipe import REFLECTION
from lti_tool.store.base import new_id
from lti_tool.store.database import Database, rows_changed
from lti_tool.store.jobs import JobFailed, enqueue, enqueue_unless_waiting
from lti_tool.store.upsert import insert_into

JOB = "completion"
PAGE_SIZE = 100
_RUN = timedelta(minutes=4)
"""A run asks for another one after this long, so that it ends well before its lease (store/jobs.py) does."""
_LOOKED_AGAIN_AFTER = timedelta(minutes=15)
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one teacher stands with the gradebook of one activity."""

    can_tell: bool
    status: str
    """waiting, sent, stopped; empty before the teacher has told."""
    problem: str
    """Code of the last failure, or empty."""
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One teacher's delivery, for the trainer."""

    id: str
    name: str
    status: str
    problem: str
    completed_at: datetime
    tried_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """One page of the deliveries of an activity, by name: their order says nothing about anybody."""

    lines: tuple[DeliveryLine, ...]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Unsent:
    """Deliveries of one activity that have not arrived for one reason, for the operator; no person."""

    platform: str
    course: str
    activity: str
    status: str
    problem: str
    number: int
    since: datetime
    """When the first of these teachers told."""


def standing(session: Session, membership_id: str, activity_id: str) -> Standing:
    """Where a teacher stands; one statement."""
    submitted = exists().where(
        StageMark.cycle_id == Cycle.id,
        Cycle.activity_id == Activity.id,
        StageMark.membership_id == membership_id,
        StageMark.stage == REFLECTION,
    )
    row = session.execute(
        select(
            Activity.reports_completion,
            submitted.label("has_submitted"),
            Delivery.status,
            Delivery.problem,
            Delivery.sent_at,
        )
        .outerjoin(Delivery, (Delivery.activity_id == Activity.id) & (Delivery.membership_id == membership_id))
        .where(Activity.id == activity_id)
    ).one()
    return Standing(
        rules.can_tell(reports_completion=row.reports_completion, has_submitted=row.has_submitted),
        row.status or "",
        row.problem or "",
        row.sent_at,
    )


def tell(session: Session, *, activity_id: str, membership_id: str, now: datetime) -> None:
    """The teacher's tap: the completion is delivered, once. Who may is asked before.

    A second tap changes nothing; after a stop it is a new attempt.
    """
    statement = insert_into(session, Delivery).values(
        id=new_id(), activity_id=activity_id, membership_id=membership_id, status="waiting", completed_at=now,
        line_item_url="", attempts=0, problem="",
    )  # fmt: skip
    begun = session.execute(
        statement.on_conflict_do_update(
            index_elements=["activity_id", "membership_id"],
            set_={"status": "waiting", "attempts": 0, "problem": ""},
            where=Delivery.status == "stopped",
        ).returning(Delivery.id)
    ).first()
    if begun is not None:
        _ask(session, activity_id, now)


def retry(session: Session, *, activity_id: str, delivery_id: str, now: datetime) -> bool:
    """The trainer's "try again": what waits or stopped is tried now. False if this activity has no such delivery."""
    known = (Delivery.id == delivery_id) & (Delivery.activity_id == activity_id)
    if session.scalar(select(Delivery.id).where(known)) is None:
        return False
    taken_up = update(Delivery).where(known, Delivery.status != "sent").values(status="waiting", attempts=0, problem="")
    if rows_changed(session.execute(taken_up)):
        _ask(session, activity_id, now)
    return True


def retry_all(session: Session, platform_id: str, now: datetime) -> int:
    """Everything of a platform that has not arrived is tried now (`meitheal sync`); how many deliveries that is."""
    of_platform = (
        select(Activity.id)
        .join(Course, Course.id == Activity.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(Deployment.platform_id == platform_id, Activity.reports_completion)
    )
    unsent = Delivery.activity_id.in_(of_platform) & (Delivery.status != "sent")
    activity_ids = session.scalars(select(Delivery.activity_id).where(unsent).distinct()).all()
    taken_up = session.execute(update(Delivery).where(unsent).values(status="waiting", attempts=0, problem=""))
    for activity_id in activity_ids:
        _ask(session, activity_id, now)
    return rows_changed(taken_up)


def look_after_waiting(session: Session, now: datetime) -> None:
    """Again and again: no delivery waits without a job, however long its LMS was away, and those that stopped for want
    of a column go on when a launch has named one."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.status == "stopped",
            Delivery.problem == Code.NO_COLUMN,
            Delivery.activity_id.in_(select(Activity.id).where(Activity.line_item_url != "")),
        )
        .values(status="waiting", attempts=0)
    )
    waiting = (
        select(Delivery.activity_id)
        .join(Activity, Activity.id == Delivery.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(Delivery.status == "waiting", *_ACTIVE)
        .distinct()
    )
    for activity_id in session.scalars(waiting).all():
        enqueue_unless_waiting(
            session, JOB, activity_id, {"activity_id": activity_id}, now, after_giving_up=_LOOKED_AGAIN_AFTER
        )


def deliver(payload: Mapping[str, Any], *, database: Database, http: Http, tokens: AccessTokens, clock: Clock) -> None:
    """The job: sends what waits of the activity `payload["activity_id"]`, one after the other. Raises JobFailed.

    Bears being killed at any moment and being run twice: the time of a score is kept before the score is sent, and
    where one may have arrived already, the gradebook is asked first. While a platform is suspended its deliveries wait.
    """
    activity_id = str(payload["activity_id"])
    begun, left = clock(), ""
    with database.read() as session:
        waiting = _waiting(session, activity_id)
    for delivery_id in waiting:
        if clock() - begun > _RUN:
            with database.write() as session:
                _ask(session, activity_id, clock())
            return
        with database.read() as session:
            order = _order(session, delivery_id)
        if order is None:
            continue
        try:
            _send(order, database, Gradebook(tokens, http, order.client), clock)
        except ServiceError as error:
            code = Code(error.code)
            with database.write() as session:
                still_waits = _note_failure(session, order, code, clock())
            if rules.ends_the_run(code):
                raise JobFailed(f"completion_{code}", retry_after=error.retry_after) from error
            if rules.concerns_all(code):
                return
            left = code if still_waits else left
    if left:
        raise JobFailed(f"completion_{left}")


def list_of(session: Session, activity_id: str, *, page: int = 1) -> Deliveries:
    """The deliveries of an activity, for its trainer; one statement."""
    rows = session.execute(
        select(
            Delivery.id,
            Person.name,
            Delivery.status,
            Delivery.problem,
            Delivery.completed_at,
            Delivery.tried_at,
            Delivery.sent_at,
        )
        .join(Membership, Membership.id == Delivery.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Delivery.activity_id == activity_id)
    ).all()
    lines = sorted((DeliveryLine(*row) for row in rows), key=lambda line: (fold(line.name), line.id))
    pages = max(1, -(-len(lines) // PAGE_SIZE))
    page = min(max(1, page), pages)
    return Deliveries(tuple(lines[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]), page, pages)


def unsent(session: Session) -> list[Unsent]:
    """What has not arrived yet, for the operator: numbers for each activity and reason."""
    rows = session.execute(
        select(
            Platform.name,
            Course.title,
            Activity.title,
            Delivery.status,
            Delivery.problem,
            func.count(),
            func.min(Delivery.completed_at),
        )
        .join(Activity, Activity.id == Delivery.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(Delivery.status != "sent")
        .group_by(Platform.id, Platform.name, Course.id, Course.title, Activity.id, Activity.title)
        .group_by(Delivery.status, Delivery.problem)
        .order_by(Platform.name, Course.title, Activity.title, Delivery.status, Delivery.problem)
    )
    return [Unsent(*row) for row in rows]


_ACTIVE = (Platform.status == "active", Deployment.status == "active")


@dataclass(frozen=True, slots=True)
class _Order:
    """One delivery, and all that is needed to carry it out."""

    id: str
    activity_id: str
    reports_completion: bool
    resource_link_id: str
    title: str
    line_item_url: str
    line_items_url: str
    user_id: str
    attempts: int
    client: Client


class _InOtherHands(Exception):
    """Another worker has this delivery in hand, or has sent it."""


def _ask(session: Session, activity_id: str, now: datetime) -> None:
    enqueue(session, JOB, activity_id, {"activity_id": activity_id}, now)


def _waiting(session: Session, activity_id: str) -> Sequence[str]:
    """Ids of what waits; what was tried longest ago first, so that one that fails never stands before the others."""
    return session.scalars(
        select(Delivery.id)
        .where(Delivery.activity_id == activity_id, Delivery.status == "waiting")
        .order_by(Delivery.tried_at.is_not(None), Delivery.tried_at, Delivery.completed_at, Delivery.id)
    ).all()


def _order(session: Session, delivery_id: str) -> _Order | None:
    row = session.execute(
        select(
            Delivery.id, Delivery.activity_id, Activity.reports_completion, Activity.resource_link_id, Activity.title,
            Activity.line_item_url, Activity.line_items_url, Person.sub, Delivery.attempts,
            Platform.id.label("platform_id"), Platform.client_id, Platform.token_url, Platform.token_audience,
        )
        .join(Activity, Activity.id == Delivery.activity_id)
        .join(Membership, Membership.id == Delivery.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .join(Platform, Platform.id == Person.platform_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(Delivery.id == delivery_id, Delivery.status == "waiting", *_ACTIVE)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    return _Order(
        id=row[0],
        activity_id=row.activity_id,
        reports_completion=row.reports_completion,
        resource_link_id=row.resource_link_id or "",
        title=row.title,
        line_item_url=row.line_item_url,
        line_items_url=row.line_items_url,
        user_id=row.sub,
        attempts=row.attempts,
        client=Client(row.platform_id, row.client_id, row.token_url, row.token_audience),
    )


def _send(order: _Order, database: Database, gradebook: Gradebook, clock: Clock) -> None:
    """Brings one completion into the gradebook. Raises ServiceError; it is marked as sent otherwise."""
    if not order.reports_completion:
        raise GradesError(Code.SWITCHED_OFF)
    column = order.line_item_url or _find_column(order, database, gradebook)
    try:
        try:
            _score(order, column, database, gradebook, clock)
        except GradesError as error:
            if error.code != Code.GONE:
                raise
            # The column was deleted or made anew in the LMS; the next launch names it too.
            _score(order, _find_column(order, database, gradebook, gone=column), database, gradebook, clock)
    except _InOtherHands:
        return
    with database.write() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.id == order.id, Delivery.status == "waiting")
            .values(status="sent", problem="", sent_at=clock(), tried_at=clock(), attempts=order.attempts + 1)
        )


def _score(order: _Order, column: str, database: Database, gradebook: Gradebook, clock: Clock) -> None:
    """Returns when the column holds the completion; a score that came too late is sent again with a later time."""
    with database.read() as session:
        claimed_at = session.scalar(select(Delivery.claimed_at).where(Delivery.id == order.id))
    if claimed_at is not None and _is_told(_read(gradebook, column, order.user_id)):
        return
    seen_at = None
    for round_ in range(1, rules.MOST_ROUNDS + 1):
        at = rules.next_timestamp(clock(), claimed_at, seen_at)
        _claim(database, order.id, claimed_at, at, column)
        claimed_at = at
        try:
            gradebook.post_completion(column, order.user_id, at)
            return
        except GradesError as error:
            code = Code(error.code)
            if code not in (Code.CONFLICT, Code.NOT_GRADABLE):
                raise
            found = _read(gradebook, column, order.user_id)
            if _is_told(found):
                return
            if not rules.may_be_overtaken(code, found.score if found else None) or round_ == rules.MOST_ROUNDS:
                raise
            seen_at = found.at if found else None


def _claim(database: Database, delivery_id: str, before: datetime | None, at: datetime, column: str) -> None:
    """Keeps the time of a score before it is sent: after a worker was killed nobody goes back behind it."""
    with database.write() as session:
        same = Delivery.claimed_at.is_(None) if before is None else Delivery.claimed_at == before
        claimed = session.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id, Delivery.status == "waiting", same)
            .values(claimed_at=at, line_item_url=column)
        )
        if not rows_changed(claimed):
            raise _InOtherHands


def _is_told(result: Result | None) -> bool:
    return result is not None and rules.is_told(result.score, result.maximum)


def _read(gradebook: Gradebook, column: str, user_id: str) -> Result | None:
    try:
        return gradebook.read_result(column, user_id)
    except ServiceError as error:
        if error.code in (Code.UNREACHABLE, Code.BUSY):
            raise
        # An LMS that lets us send and not read: then the score goes out again, a second later, and says the same.
        return None


def _find_column(order: _Order, database: Database, gradebook: Gradebook, *, gone: str = "") -> str:
    """Finds the column of the link, or makes one, and keeps it. `gone`: the address that is there no more."""
    if gone:
        _keep_column(database, order.activity_id, gone, "")
    url = None
    if order.line_items_url and order.resource_link_id:
        try:
            url = gradebook.find_column(order.line_items_url, order.resource_link_id)
            if url is None:
                url = gradebook.create_column(
                    order.line_items_url,
                    resource_link_id=order.resource_link_id,
                    resource_id=order.activity_id,
                    label=order.title or order.resource_link_id,
                )
        except ServiceError as error:
            # Without a token for this there is no column; one for scores may well be given.
            if rules.ends_the_run(Code(error.code)) and error.code != Code.NO_TOKEN:
                raise
    if url is None or url == gone:
        raise GradesError(Code.NO_COLUMN)
    _keep_column(database, order.activity_id, "", url)
    return url


def _keep_column(database: Database, activity_id: str, before: str, url: str) -> None:
    unchanged = (Activity.id == activity_id) & (Activity.line_item_url == before)
    with database.write() as session:
        session.execute(update(Activity).where(unchanged).values(line_item_url=url))


def _note_failure(session: Session, order: _Order, code: Code, now: datetime) -> bool:
    """Writes down how an attempt ended; returns whether the delivery still waits."""
    stops = rules.stops(code, order.attempts + 1)
    which = Delivery.activity_id == order.activity_id if rules.concerns_all(code) else Delivery.id == order.id
    session.execute(
        update(Delivery)
        .where(which, Delivery.status == "waiting")
        .values(status="stopped" if stops else "waiting", problem=code, tried_at=now, attempts=Delivery.attempts + 1)
    )
    return not stops
