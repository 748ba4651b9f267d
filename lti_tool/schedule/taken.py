"""What is booked: meetings of running cycles, in whatever course, and those agreed for the way back.

Apart from times.py, so that cycles, which timetables do not concern, can ask whether a time is taken.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.schedule.models import ReturnMeeting
from lti_tool.schedule.timetable import Span, merged

_LONGEST = timedelta(days=1)
"""No meeting lasts longer."""
_FARTHEST = timedelta(hours=14)
"""A day begins somewhere on earth so much earlier, and ends somewhere so much later, than in UTC."""


def taken(
    session: Session, person_ids: Collection[str], first: date, last: date, *, but_cycle: str = "", but_pair: str = ""
) -> dict[str, list[Span]]:
    """Person id → their bookings between two days, both included, in whatever course; each sorted, in UTC.

    All meetings of running cycles and those agreed for the way back; without those of the cycle `but_cycle` and, of
    the pair `but_pair`, without the way back. Two statements.
    """
    begins = datetime.combine(first, time(), UTC) - _FARTHEST
    ends = datetime.combine(last + timedelta(days=1), time(), UTC) + _FARTHEST
    # First, so that a way back that becomes meetings meanwhile is in one of the two, or in both.
    returns = session.execute(
        select(Membership.person_id, ReturnMeeting.starts_at, ReturnMeeting.minutes)
        .join(PairMember, PairMember.membership_id == Membership.id)
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(ReturnMeeting, ReturnMeeting.pair_id == Pair.id)
        .where(Membership.person_id.in_(person_ids), PairMember.is_current, Pair.status != "ended")
        .where(Pair.id != but_pair, ReturnMeeting.starts_at > begins - _LONGEST, ReturnMeeting.starts_at < ends)
    ).all()
    meetings = session.execute(
        select(CycleMember.person_id, Meeting.starts_at, Meeting.minutes)
        .join(Cycle, Cycle.id == CycleMember.cycle_id)
        .join(Meeting, Meeting.cycle_id == Cycle.id)
        .where(CycleMember.person_id.in_(person_ids), CycleMember.left_at.is_(None), Cycle.status == "running")
        .where(Cycle.id != but_cycle, Meeting.starts_at > begins - _LONGEST, Meeting.starts_at < ends)
    )
    found: dict[str, list[Span]] = defaultdict(list)
    for person_id, starts_at, minutes in (*meetings, *returns):
        span = Span(starts_at, starts_at + timedelta(minutes=minutes))
        if span.end > begins:
            found[person_id].append(span)
    return {person_id: sorted(spans, key=lambda span: (span.start, span.end)) for person_id, spans in found.items()}


def lock(session: Session, person_ids: Collection[str]) -> None:
    """Nobody else books for these people until the transaction ends; in order, so that two never wait for each other.

    Whoever holds a cycle takes it first.
    """
    session.execute(
        select(Person.id).where(Person.id.in_(person_ids)).order_by(Person.id).with_for_update(key_share=True)
    ).all()


def clashes(
    session: Session, person_ids: Collection[str], starts_at: datetime, minutes: int, *, but_cycle: str
) -> list[Span]:
    """What else these people have booked at that time, without saying whose or what it is: spans that touch are one.

    The people are locked (lock()). Two statements.
    """
    ends_at = starts_at + timedelta(minutes=minutes)
    found = taken(session, person_ids, starts_at.date(), ends_at.date(), but_cycle=but_cycle)
    every = merged(span for spans in found.values() for span in spans)
    return [span for span in every if span.start < ends_at and span.end > starts_at]
