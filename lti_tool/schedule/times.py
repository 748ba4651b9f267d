"""When people can meet, for those who propose times and book them; nobody's page shows it as it is."""

import contextlib
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.keyring import Keyring
from lti_tool.schedule import school_weeks, timetables
from lti_tool.schedule.ics import CalendarError
from lti_tool.schedule.models import ReturnMeeting
from lti_tool.schedule.timetable import Availability, Span, expand

_LONGEST = timedelta(days=1)
"""No meeting lasts longer."""
_FARTHEST = timedelta(hours=14)
"""A day begins somewhere on earth so much earlier, and ends somewhere so much later, than in UTC."""


def of(
    session: Session,
    keyring: Keyring,
    person_ids: Collection[str],
    course_id: str,
    first: date,
    last: date,
    now: datetime,
    *,
    zone: str = school_weeks.ZONE,
) -> dict[str, Availability]:
    """Person id → when they teach and are free, for those of whom there is a timetable that can be read.

    `first`, `last`: days of their schools' zones, both included; `zone`: of who has no school week.
    Four statements, one of them to the keyring.
    """
    said = timetables.of_people(session, keyring, person_ids, now)
    weeks = school_weeks.of_course(session, course_id)
    rows = session.execute(select(Person.id, Person.school_id).where(Person.id.in_(said)))
    schools = {row.id: row.school_id for row in rows}
    found = {}
    for person_id, each in said.items():
        week = school_weeks.of_school(weeks, schools.get(person_id), zone).week
        # A calendar that nobody can read any more is as none.
        with contextlib.suppress(CalendarError):
            found[person_id] = expand(each, week, first, last)
    return found


def taken(
    session: Session, person_ids: Collection[str], first: date, last: date, *, but_cycle: str = "", but_pair: str = ""
) -> dict[str, list[Span]]:
    """Person id → their bookings between two days, both included, in whatever course; each sorted, in UTC.

    All meetings of running cycles and those agreed for the way back; without those of the cycle `but_cycle` and, of
    the pair `but_pair`, without the way back. Two statements.
    """
    begins = datetime.combine(first, time(), UTC) - _FARTHEST
    ends = datetime.combine(last + timedelta(days=1), time(), UTC) + _FARTHEST
    meetings = session.execute(
        select(CycleMember.person_id, Meeting.starts_at, Meeting.minutes)
        .join(Cycle, Cycle.id == CycleMember.cycle_id)
        .join(Meeting, Meeting.cycle_id == Cycle.id)
        .where(CycleMember.person_id.in_(person_ids), CycleMember.left_at.is_(None), Cycle.status == "running")
        .where(Cycle.id != but_cycle, Meeting.starts_at > begins - _LONGEST, Meeting.starts_at < ends)
    )
    returns = session.execute(
        select(Membership.person_id, ReturnMeeting.starts_at, ReturnMeeting.minutes)
        .join(PairMember, PairMember.membership_id == Membership.id)
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(ReturnMeeting, ReturnMeeting.pair_id == Pair.id)
        .where(Membership.person_id.in_(person_ids), PairMember.is_current, Pair.status != "ended")
        .where(Pair.id != but_pair, ReturnMeeting.starts_at > begins - _LONGEST, ReturnMeeting.starts_at < ends)
    )
    found: dict[str, list[Span]] = defaultdict(list)
    for person_id, starts_at, minutes in (*meetings, *returns):
        span = Span(starts_at, starts_at + timedelta(minutes=minutes))
        if span.end > begins:
            found[person_id].append(span)
    return {person_id: sorted(spans, key=lambda span: (span.start, span.end)) for person_id, spans in found.items()}
