"""What somebody could be reminded of now: read from bookings, cycles, pairs, invitations and proposals as they are.

Every question here is one about many people at once, so that the number of statements does not depend on how many there
are. Nothing of it says what anybody wrote.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles import rules as cycle_rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.rhythm import rules as rhythm_rules
from lti_tool.rounds.models import Proposal, ProposalMember, RoundRun
from lti_tool.schedule.models import Reminder, ReminderChoice
from lti_tool.schedule.reminder_rules import AHEAD, OLD_AFTER, SENT, TURN_AFTER, Item, waits_for

Whose = Callable[[str], ColumnElement[bool]]
"""Kind → condition on Person: whose things of that kind are asked for."""
_WHOM = (Person.id.label("person_id"), Person.school_id)


def chosen(kind: str) -> ColumnElement[bool]:
    """Those who chose to be sent reminders of a kind."""
    return exists().where(
        ReminderChoice.person_id == Person.id, ReminderChoice.kind == kind, ReminderChoice.way.in_(SENT)
    )


def of_person(person_id: str) -> Whose:
    """One person alone, whatever they chose."""
    return lambda _kind: Person.id == person_id


def waiting(
    session: Session, whose: Whose, quiet_months: Collection[int], now: datetime, *, turns_too: bool = True
) -> list[Item]:
    """All that these people could be reminded of, whatever the hour; twelve statements at most, however many they are.

    Nothing of who pauses, has left, or takes part no longer. `turns_too`: with their next steps, seven statements.
    """
    return [
        *meetings(session, whose, now),
        *(turns(session, whose, now) if turns_too else ()),
        *rhythms(session, whose, quiet_months, now),
        *invitations(session, whose, now),
        *proposals(session, whose, now),
    ]


def meetings(session: Session, whose: Whose, now: datetime) -> list[Item]:
    """The bookings that come up, of stages that are not over; two statements."""
    rows = session.execute(
        _of_running_cycles(whose("meeting"))
        .add_columns(Meeting.id, Meeting.kind, Meeting.starts_at, Cycle.stage, Cycle.protocol_version_id)
        .join(Meeting, Meeting.cycle_id == Cycle.id)
        .where(Meeting.starts_at > now, Meeting.starts_at < now + AHEAD + timedelta(days=1))
    ).all()
    protocols = cycles.stored_protocols(session, {row.protocol_version_id for row in rows})

    def is_over(row: Any) -> bool:
        # Held before it was booked for; what comes first in the protocol is first in its stages.
        stages = protocols[row.protocol_version_id].stages
        place = next((number for number, stage in enumerate(stages) if stage.key == row.stage), 0)
        return any(row.kind in stage.meetings[:1] for stage in stages[:place])

    return [
        Item(
            row.person_id, "meeting", row.id, f"{row.starts_at:%Y-%m-%dT%H:%M}", row.course_id, row.school_id,
            row.kind, row.starts_at, row.starts_at - AHEAD,
        )
        for row in rows
        if not is_over(row)
    ]  # fmt: skip


def turns(session: Session, whose: Whose, now: datetime) -> list[Item]:
    """The next steps that have waited for their person, without those they were reminded of; six statements."""
    spoken_of = exists().where(
        Reminder.person_id == Person.id, Reminder.kind == "turn", Reminder.about == Cycle.id,
        Reminder.stamp == Cycle.stage, Reminder.status != "waiting",
    )  # fmt: skip
    still = and_(Cycle.stage_since <= now - TURN_AFTER, ~spoken_of)
    people = session.execute(_of_running_cycles(whose("turn")).add_columns(Cycle.id).where(still)).all()
    there = {(row.id, row.person_id): row for row in people}
    which = Cycle.id.in_(_of_running_cycles(whose("turn")).with_only_columns(Cycle.id).where(still))
    found = []
    for cycle, last in cycles.load_many(session, which) if there else []:
        row = there.get((cycle.id, cycle.viewer_id))
        if row is None or not last <= now - TURN_AFTER or last + TURN_AFTER + OLD_AFTER <= now:
            continue
        step = cycle_rules.next_step(cycle, now)
        stage = cycle.stage(step.stage)
        meeting = cycle.meeting(stage.meetings[0]) if stage is not None and stage.meetings else None
        if waits_for(step.waits, step.code, meeting.ends_at if meeting else None, now):
            found.append(
                Item(
                    row.person_id, "turn", cycle.id, step.stage[:40], row.course_id, row.school_id,
                    "turn", last, last + TURN_AFTER,
                )
            )  # fmt: skip
    return found


def rhythms(session: Session, whose: Whose, quiet_months: Collection[int], now: datetime) -> list[Item]:
    """The pairs for which it would be time, by their own rhythm or their activity's; one statement."""
    rows = session.execute(
        _of_pairs(whose("rhythm"))
        .add_columns(
            Pair.id,
            Cycle.id.label("cycle_id"),
            Cycle.finished_at,
            PairMember.hint_away_at,
            Pair.cadence_weeks,
            Activity.cadence_weeks.label("suggested"),
        )
        .join(Cycle, and_(Cycle.pair_id == Pair.id, Cycle.closed_at.is_(None), Cycle.status == "finished"))
        .where(Activity.status == "open", Activity.kind == "cycle")
    )
    found = []
    for row in rows:
        weeks = rhythm_rules.weeks_of(row.suggested, row.cadence_weeks)
        away = row.hint_away_at.date() if row.hint_away_at else None
        past = rhythm_rules.Past(row.finished_at.date(), away)
        if weeks and rhythm_rules.due(weeks, past, now.date(), quiet_months) is not None:
            due_at = row.finished_at + timedelta(weeks=weeks)
            found.append(
                Item(
                    row.person_id, "rhythm", row.id, row.cycle_id, row.course_id, row.school_id,
                    "rhythm", row.finished_at, due_at,
                )
            )  # fmt: skip
    return found


def invitations(session: Session, whose: Whose, now: datetime) -> list[Item]:
    """The invitations that somebody can answer; one statement."""
    rows = session.execute(
        select(*_WHOM, Activity.course_id, Invitation.id, Invitation.created_at, Invitation.expires_at)
        .join(Membership, Membership.id == Invitation.coach_id)
        .join(Person, Person.id == Membership.person_id)
        .join(Activity, Activity.id == Invitation.activity_id)
        .where(Invitation.status == "open", Invitation.expires_at > now, whose("pairing"))
        .where(*takes_part(Invitation.activity_id))
    )
    return _to_answer(rows, "invitation")


def proposals(session: Session, whose: Whose, now: datetime) -> list[Item]:
    """The proposals of a round that wait for somebody's answer; one statement."""
    rows = session.execute(
        select(
            *_WHOM,
            Activity.course_id,
            Proposal.id,
            RoundRun.out_at.label("created_at"),
            RoundRun.answer_by.label("expires_at"),
        )
        .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
        .join(RoundRun, RoundRun.id == Proposal.run_id)
        .join(Activity, Activity.id == RoundRun.activity_id)
        .join(Membership, Membership.id == ProposalMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Proposal.status == "open", ProposalMember.answer == "", RoundRun.status == "out")
        .where(RoundRun.answer_by > now, RoundRun.out_at <= now, whose("pairing"))
        .where(*takes_part(RoundRun.activity_id))
    )
    return _to_answer(rows, "proposal")


def _to_answer(rows: Iterable[Any], what: str) -> list[Item]:
    return [
        Item(
            row.person_id, "pairing", row.id, "asked", row.course_id, row.school_id,
            what, row.expires_at, row.created_at,
        )
        for row in rows
    ]  # fmt: skip


def _of_pairs(who: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The members of pairs that coach at present, neither pausing nor gone."""
    return (
        select(*_WHOM, Activity.course_id)
        .select_from(PairMember)
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(Activity, Activity.id == Pair.activity_id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(PairMember.is_current, PairMember.paused_at.is_(None), Pair.status == "active")
        .where(who, *takes_part(Pair.activity_id))
    )


def _of_running_cycles(who: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        _of_pairs(who)
        .join(Cycle, Cycle.pair_id == Pair.id)
        .join(
            CycleMember, and_(CycleMember.cycle_id == Cycle.id, CycleMember.membership_id == PairMember.membership_id)
        )
        .where(Cycle.status == "running", CycleMember.left_at.is_(None))
    )
