"""Bookings in the calendar of a Moodle: once, for the pair's group, where all of the pair want them."""

from datetime import timedelta
from typing import Any

import pytest
from live_moodle import Moodle
from moodle_pairs import Pairs, events_of, furnish, tomorrow
from sqlalchemy import delete

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Meeting
from lti_tool.lti.http import Http
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.privacy.sealing import Masters
from lti_tool.schedule import lms_calendar
from lti_tool.store.database import Database
from moodle_sync.models import MoodleCourse
from moodle_sync.writing import SETTLES_AFTER

MAKE, READ, DELETE = (f"core_calendar_{what}_calendar_events" for what in ("create", "get", "delete"))


@pytest.fixture
def pairs(database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str) -> Pairs:
    return furnish(database, masters, clock, moodle.school, platform_id)


def settle(clock: Any) -> None:
    clock.advance(SETTLES_AFTER.total_seconds() + 1800)


def test_a_booking_is_one_entry_for_the_pair_that_says_no_more_than_coaching(
    pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    pair_id = pairs.pair()
    starts_at = tomorrow(clock)
    meeting = pairs.book(pair_id, "visit", starts_at)
    pairs.work(http)
    (event,) = moodle.school.events.values()
    assert (event.name, event.description, event.kind) == ("Coaching", f"meitheal-meeting-{meeting}", "group")
    assert (event.start, event.length) == (int(starts_at.timestamp()), 40 * 60)
    assert pairs.state(meeting) == ("done", "")
    for sub in pairs.subs[pair_id]:
        assert moodle.school.events_of(moodle.school.people[sub]) == [event]
    assert not moodle.school.events_of(moodle.school.people[pairs.waiting[0]])
    moodle.school.web_services.calls.clear()
    pairs.work(http)
    assert moodle.calls == {}


def test_it_moves_and_goes_as_the_booking_does(pairs: Pairs, moodle: Moodle, http: Http, clock: Any) -> None:
    pair_id = pairs.pair()
    meeting = pairs.book(pair_id, "before", tomorrow(clock))
    pairs.work(http)
    later = tomorrow(clock, 3)
    pairs.book(pair_id, "before", later)
    pairs.work(http)
    (event,) = events_of(moodle.school, meeting)
    assert event.start == int(later.timestamp())
    with pairs.database.write() as session:
        session.execute(delete(Meeting).where(Meeting.id == meeting))
    pairs.work(http)
    assert not moodle.school.events and pairs.write(meeting).moodle_id is None


@pytest.mark.parametrize("why", ["cycle", "pair", "one", "events", "groups"])
def test_what_is_ahead_goes_when(why: str, pairs: Pairs, moodle: Moodle, http: Http, clock: Any) -> None:
    pair_id = pairs.pair()
    pairs.book(pair_id, "before", clock() + timedelta(minutes=10))
    ahead = pairs.book(pair_id, "visit", tomorrow(clock))
    pairs.work(http)
    assert len(moodle.school.events) == 2
    clock.advance(3600)
    if why == "cycle":
        pairs.stop_cycle(pair_id)
    elif why == "events":
        pairs.switch(events=False)
    elif why == "groups":
        pairs.change(MoodleCourse, MoodleCourse.course_id == pairs.course_id, writes_groups=False)
    else:
        with pairs.database.write() as session:
            if why == "pair":
                pairing.end_pair(session, pair_id, clock())
            else:
                lms_calendar.say(session, pairs.people[pairs.subs[pair_id][1]], wanted=False)
    pairs.work(http)
    assert not events_of(moodle.school, ahead)
    # What is over stays as long as the group does, with which Moodle deletes it.
    assert len(moodle.school.events) == (0 if why in ("pair", "groups") else 1)


def test_nothing_is_written_unless_both_want_it_and_for_what_is_over(
    pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    unasked = pairs.pair(wants=False)
    pairs.book(unasked, "visit", tomorrow(clock))
    with pairs.database.write() as session:
        lms_calendar.say(session, pairs.people[pairs.subs[unasked][0]], wanted=True)
    pairs.book(pairs.pair(), "before", clock() - timedelta(hours=2))
    pairs.work(http)
    assert not moodle.school.events
    with pairs.database.write() as session:
        lms_calendar.say(session, pairs.people[pairs.subs[unasked][1]], wanted=True)
    pairs.work(http)
    assert len(moodle.school.events) == 1


def test_two_who_work_together_twice_have_each_booking_in_the_group_it_belongs_to(
    pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    pair_id = pairs.pair()
    meeting = pairs.book(pair_id, "visit", tomorrow(clock))
    pairs.work(http)
    with pairs.database.write() as session:
        other = Activity(
            course_id=pairs.course_id, resource_link_id="2", title="Reading", status="open", protocol="light",
            created_at=clock(),
        )  # fmt: skip
        session.add(other)
        session.flush()
        session.add(Pair(id="again", activity_id=other.id, status="active", created_at=clock()))
        session.flush()
        for sub in pairs.subs[pair_id]:
            session.add(PairMember(pair_id="again", activity_id=other.id, membership_id=pairs.members[sub]))
    pairs.work(http)
    pairs.work(http)
    (event,) = events_of(moodle.school, meeting)
    assert pairs.state("again") == ("done", "") and event.group == pairs.write(pair_id).moodle_id


@pytest.mark.parametrize("fault", ["cut_after", "cut_before", "invalidresponse"])
@pytest.mark.parametrize("function", [MAKE, DELETE])
def test_an_entry_is_there_once_whatever_was_not_answered(
    fault: str, function: str, pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    pair_id = pairs.pair()
    meeting = pairs.book(pair_id, "visit", tomorrow(clock))
    if function == DELETE:
        pairs.work(http)
        pairs.book(pair_id, "visit", tomorrow(clock, 2))
    moodle.goes_wrong(fault, function, count=1)
    pairs.work(http)
    row = pairs.write(meeting)
    assert row.status == "sending" and row.problem
    # Moodle may still be at it.
    pairs.work(http)
    assert pairs.write(meeting).status == "sending"
    settle(clock)
    pairs.work(http)
    assert pairs.state(meeting) == ("done", "")
    (event,) = moodle.school.events.values()
    assert event.start == int(pairs.write(meeting).body["start"])


def test_a_second_one_is_taken_away(pairs: Pairs, moodle: Moodle, http: Http, clock: Any) -> None:
    pair_id = pairs.pair()
    meeting = pairs.book(pair_id, "visit", tomorrow(clock))
    pairs.work(http)
    (event,) = moodle.school.events.values()
    own = moodle.school.next_event_id()
    moodle.school.events[own] = type(event)(**{**_fields(event), "id": own})
    by_hand = moodle.school.next_event_id()
    moodle.school.events[by_hand] = type(event)(**{**_fields(event), "id": by_hand, "description": "Ours"})
    pairs.book(pair_id, "visit", tomorrow(clock, 1))
    pairs.work(http)
    assert len(events_of(moodle.school, meeting)) == 1 and by_hand in moodle.school.events


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


def test_an_account_without_the_capability_is_told_and_tried_again_after_a_day(
    pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    meeting = pairs.book(pairs.pair(), "visit", tomorrow(clock, 100))
    moodle.goes_wrong("nopermissions", MAKE)
    pairs.work(http)
    assert pairs.state(meeting) == ("failed", "nopermissions")
    moodle.heal()
    pairs.work(http)
    assert not moodle.school.events
    clock.advance(24 * 3600)
    pairs.work(http)
    assert pairs.state(meeting) == ("done", "") and len(moodle.school.events) == 1


def test_nothing_is_made_for_a_group_that_somebody_deleted(
    pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    pair_id = pairs.pair()
    pairs.work(http)
    moodle.school.courses["2"].groups.clear()
    meeting = pairs.book(pair_id, "visit", tomorrow(clock))
    pairs.work(http)
    assert pairs.state(meeting) == ("failed", "no_group") and not moodle.school.events
