"""Process data of an activity's cycles, for its trainer: numbers and dates, and never a table with content."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.kinds import protocols_for
from lti_tool.cycles.going_on import protocol_of
from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.cycles.service import stored_protocol
from lti_tool.people.models import Membership, Person
from lti_tool.protocols.recipe import REFLECTION, Words


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many cycles are at a stage now."""

    key: str
    title: Words
    cycles: int


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Process data of an activity, for its trainer."""

    stages: tuple[StageCount, ...]
    """Of running cycles, in the order of the protocol."""
    finished: int
    stopped: int


@dataclass(frozen=True, slots=True)
class Submission:
    """That somebody submitted a reflection, and when first; never what it says."""

    membership_id: str
    name: str
    given_name: str
    cycle_number: int
    at: datetime


def stage_counts(session: Session, activity_id: str) -> StageCounts:
    """How many cycles are where; two statements, neither of which touches a table with content."""
    running: dict[str, int] = {}
    versions: set[str] = set()
    ended = {"finished": 0, "stopped": 0}
    for status, stage, version_id, number in session.execute(
        select(Cycle.status, Cycle.stage, Cycle.protocol_version_id, func.count())
        .where(Cycle.activity_id == activity_id)
        .group_by(Cycle.status, Cycle.stage, Cycle.protocol_version_id)
    ):
        versions.add(version_id)
        if status == "running":
            running[stage] = running.get(stage, 0) + number
        else:
            ended[status] += number
    if not versions:
        activity = activities.find(session, activity_id)
        known = [protocol_of(activity)] if activity and protocols_for(activity.kind) else []
    else:
        known = [stored_protocol(session, version_id) for version_id in sorted(versions)]
    titles = {key: title for protocol in known for key, title in protocol.places}
    return StageCounts(
        tuple(StageCount(key, title, running.get(key, 0)) for key, title in titles.items()),
        ended["finished"],
        ended["stopped"],
    )


def submissions(session: Session, activity_id: str) -> list[Submission]:
    """Who has submitted a reflection, and when first, by name; read from marks alone, never from reflections."""
    rows = session.execute(
        select(StageMark.membership_id, Person.name, Person.given_name, Cycle.number, StageMark.at)
        .join(Cycle, Cycle.id == StageMark.cycle_id)
        .join(Membership, Membership.id == StageMark.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Cycle.activity_id == activity_id, StageMark.stage == REFLECTION, Person.erased_at.is_(None))
        .order_by(Person.name, Cycle.number)
    )
    return [Submission(*row) for row in rows]
