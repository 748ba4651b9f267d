"""Bookings of running cycles as entries of the calendar, for the pair's group in Moodle.

Moodle writes every entry for the account of the token, whatever is asked, so only an entry of a group reaches anybody:
a booking is written where the pair has its group (groups.py) and everybody in the pair wants it there. It is called
coaching and says no more. It is found again by the id of the booking, which is all that its description holds.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, Meeting
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Course, Deployment, Membership, Person
from lti_tool.schedule.models import LmsCalendar
from moodle_sync.errors import AnswerBroken, NotAllowed, NotFound
from moodle_sync.models import MoodleCourse, MoodleSite, MoodleWrite
from moodle_sync.writing import CARRIERS, Result, Visit, Wish, Work

NAME = "Coaching"
_MARK = "meitheal-meeting-"
_READ, _MAKE, _DELETE, _GROUPS = (
    "core_calendar_get_calendar_events",
    "core_calendar_create_calendar_events",
    "core_calendar_delete_calendar_events",
    "core_group_get_course_groups",
)
_PLAIN = 2
"""Moodle's FORMAT_PLAIN."""


class Events:
    """The carrier of bookings; see writing.Carrier."""

    def plan(self, session: Session, platform_id: str, now: datetime) -> Iterable[Wish]:
        """Bookings that are to be in the calendar or moved there, and those to come that are not to be there any more.

        What is over stays in the calendar as it is.
        """
        bookings = _bookings(session, platform_id)
        rows = session.execute(
            select(
                MoodleWrite.key, MoodleWrite.course_id, MoodleWrite.wanted, MoodleWrite.wanted_state, MoodleWrite.body
            ).where(MoodleWrite.platform_id == platform_id, MoodleWrite.kind == "event", MoodleWrite.wanted)
        ).all()  # fmt: skip
        there = {row.key: row for row in rows}
        for wish in bookings:
            row = there.pop(wish.key, None)
            if wish.state != row.wanted_state if row else _ends(wish.body) > now:
                yield wish
        for row in there.values():
            if _ends(row.body) > now:
                yield Wish(row.course_id, row.key, False, "", row.body)

    def carry(self, visit: Visit, work: Work) -> Result:
        """See writing.Carrier. An entry cannot be changed: one that moves is deleted, and made anew."""
        found = _ours(visit, work)
        right = [each for each in found if work.wanted and _is_as_wanted(each, work.body)]
        for event in found:
            if event not in right[:1]:
                _delete(visit, event["id"])
        if right:
            return Result(right[0]["id"])
        return Result(_make(visit, work) if work.wanted else None)


def _bookings(session: Session, platform_id: str) -> list[Wish]:
    """What is to be in the calendar by now, whenever it is or was; three statements."""
    of_site = [MoodleSite.platform_id == platform_id, MoodleSite.events]
    groups = {
        (row.key, frozenset(row.body["members"])): row.moodle_id
        for row in session.execute(
            select(MoodleWrite.key, MoodleWrite.body, MoodleWrite.moodle_id)
            .join(MoodleSite, MoodleSite.platform_id == MoodleWrite.platform_id)
            .where(*of_site, MoodleWrite.kind == "group", MoodleWrite.wanted, MoodleWrite.moodle_id.is_not(None))
        )
    }
    if not groups:
        return []
    pairs = _pairs(session, platform_id)
    rows = session.execute(
        select(
            Meeting.id, Meeting.starts_at, Meeting.minutes, Cycle.pair_id, Activity.course_id, MoodleCourse.moodle_id
        )
        .join(Cycle, Cycle.id == Meeting.cycle_id)
        .join(Activity, Activity.id == Cycle.activity_id)
        .join(MoodleCourse, and_(MoodleCourse.course_id == Activity.course_id, MoodleCourse.writes_groups))
        .join(Course, Course.id == Activity.course_id)
        .join(Deployment, and_(Deployment.id == Course.deployment_id, Deployment.platform_id == platform_id))
        .where(Cycle.status == "running", Cycle.closed_at.is_(None))
        .order_by(Meeting.starts_at, Meeting.id)
    )
    return [
        _wish(meeting_id, course_id, int(starts_at.timestamp()), max(0, minutes) * 60, group_id, moodle_course)
        for meeting_id, starts_at, minutes, pair_id, course_id, moodle_course in rows
        # A group that still has other members than the pair is brought in line first.
        if pair_id in pairs and (group_id := groups.get((pair_id, pairs[pair_id])))
    ]


def _pairs(session: Session, platform_id: str) -> dict[str, frozenset[int]]:
    """The pairs of a platform of which everybody wants it, with the user ids that Moodle knows them by."""
    members: dict[str, list[tuple[str, bool]]] = {}
    for pair_id, sub, is_wanted in session.execute(
        select(PairMember.pair_id, Person.sub, LmsCalendar.person_id.is_not(None))
        .join(Pair, and_(Pair.id == PairMember.pair_id, Pair.status != "ended"))
        .join(Membership, and_(Membership.id == PairMember.membership_id, Membership.is_active))
        .join(Person, and_(Person.id == Membership.person_id, Person.erased_at.is_(None)))
        .outerjoin(LmsCalendar, LmsCalendar.person_id == Person.id)
        .where(Person.platform_id == platform_id, PairMember.is_current)
    ):
        members.setdefault(pair_id, []).append((sub, is_wanted))
    return {
        pair_id: frozenset(int(sub) for sub, _ in each)
        for pair_id, each in members.items()
        if all(is_wanted and sub.isascii() and sub.isdigit() for sub, is_wanted in each)
    }


def _wish(meeting_id: str, course_id: str | None, start: int, length: int, group_id: int, moodle_course: int) -> Wish:
    body = {"start": start, "length": length, "group": group_id, "course": moodle_course}
    return Wish(course_id, meeting_id, True, f"{start}/{length}/{group_id}", body)


def _ends(body: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(body["start"], UTC) + timedelta(seconds=body["length"])


def _is_as_wanted(event: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    wanted = (body["start"], body["length"], body["group"])
    return (event.get("timestart"), event.get("timeduration"), event.get("groupid")) == wanted


def _ours(visit: Visit, work: Work) -> list[dict[str, Any]]:
    """The entries of a booking, oldest first: those of its group, and the one that it was made as."""
    said = visit.client.call(
        _READ,
        {
            "events": {"groupids": [work.body["group"]], "eventids": [work.moodle_id] if work.moodle_id else []},
            "options": {"userevents": False, "siteevents": False, "ignorehidden": False},
        },
        reads=True,
    )
    _require_allowed(said, _READ)
    found = [each for each in said["events"] if isinstance(each, dict) and isinstance(each.get("id"), int)]
    return sorted(
        (each for each in found if _MARK + work.key in str(each.get("description", ""))), key=lambda each: each["id"]
    )


def _make(visit: Visit, work: Work) -> int:
    if work.body["group"] not in _groups(visit, work.body["course"]):
        # Moodle takes an entry for a group that is not there, and nobody ever sees it.
        raise NotFound("no_group", "The group of the pair is not in the course any more.", _MAKE)
    said = visit.client.call(
        _MAKE,
        {
            "events": [
                {
                    "name": NAME,
                    "description": _MARK + work.key,
                    "format": _PLAIN,
                    "courseid": work.body["course"],
                    "groupid": work.body["group"],
                    "eventtype": "group",
                    "timestart": work.body["start"],
                    "timeduration": work.body["length"],
                }
            ]
        },
        reads=False,
    )
    _require_allowed(said, _MAKE)
    made = said["events"][0].get("id") if said["events"] and isinstance(said["events"][0], dict) else None
    if not isinstance(made, int):
        raise AnswerBroken("invalidresponse", f"{_MAKE} does not say what it made.", _MAKE)
    return made


def _delete(visit: Visit, event_id: int) -> None:
    try:
        visit.client.call(_DELETE, {"events": [{"eventid": event_id, "repeat": False}]}, reads=False)
    except NotFound:
        # Somebody was there before us.
        return


def _groups(visit: Visit, course: int) -> set[int]:
    """Ids of the groups that a course of Moodle has."""
    key = ("ids of groups", course)
    if key not in visit.seen:
        said = visit.client.call(_GROUPS, {"courseid": course}, reads=True)
        if not isinstance(said, list):
            raise AnswerBroken("invalidresponse", f"{_GROUPS} does not list groups.", _GROUPS)
        visit.seen[key] = {each.get("id") for each in said if isinstance(each, dict)}
    known: set[int] = visit.seen[key]
    return known


def _require_allowed(said: Any, function: str) -> None:
    """An account that lacks the capability is answered with a success without entries, and a warning."""
    if not isinstance(said, dict) or not isinstance(said.get("events"), list):
        raise AnswerBroken("invalidresponse", f"{function} does not list entries.", function)
    if said.get("warnings"):
        raise NotAllowed("nopermissions", f"Moodle refused {function} (nopermissions).", function)


CARRIERS["event"] = Events()
