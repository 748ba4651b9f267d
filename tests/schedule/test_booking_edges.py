"""Bookings at their edges: agreed anew, of a group that pauses, of a cycle that goes less far or is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from factories import make_course
from rounds.proposed import keyring_of
from schedule.test_booking import PURPOSE, Two, choices
from schedule.test_times import meet, pair_up, person_of
from sqlalchemy import update

from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on, service
from lti_tool.cycles.models import Cycle, Meeting
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership
from lti_tool.schedule import timetables
from lti_tool.schedule.models import ReminderChoice, ReturnMeeting
from lti_tool.schedule.timetable import Grid
from lti_tool.store.base import new_id


@pytest.fixture
def two(app: Any, database: Any, clock: Any) -> Two:
    clock.now = datetime(2026, 11, 25, 20, 0, 30, tzinfo=UTC)
    return Two(app, database, clock, make_course(database, teachers=5, protocol="collegial", now=clock.now))


def agree_back(two: Two, first: datetime) -> None:
    """Three meetings of the way back, an hour apart."""
    with two.database.write() as session:
        for hours, kind in enumerate(("before", "visit", "after")):
            row = {"kind": kind, "starts_at": first + timedelta(hours=hours), "minutes": 20, "made_at": two.clock()}
            session.add(ReturnMeeting(pair_id=two.pair, host_id=two.course.teachers[1], **row))


def say(two: Two, membership: str, free: dict[int, tuple[int, ...]]) -> None:
    """They teach in six lessons of each day, but in those of a day that are free."""
    cells = {f"{day}-{n}": "free" if n in free.get(day, ()) else "open" for day in range(5) for n in range(6)}
    with two.database.write() as session:
        person = person_of(two.database, membership)
        timetables.say_grid(session, keyring_of(two.database), person, Grid(cells), two.clock())


def test_a_way_back_that_is_agreed_anew_makes_room_for_the_way_there(two: Two) -> None:
    say(two, two.course.teachers[0], dict.fromkeys(range(5), (2,)))
    say(two, two.course.teachers[1], {0: (1, 2), 1: (1, 2), 3: (0, 3)})
    path = two.path + "?both=1&short=1"
    first = choices(two.host.get(path))[-1].split(".")
    agree_back(two, datetime.fromtimestamp(int(first[5]), UTC))
    (same,) = [each for each in choices(two.host.get(path)) if each.split(".")[3:9] == first[3:9]]
    chosen = {"both": "1", "short": "1", "text-visit_purpose": PURPOSE, "times": same}
    assert two.host.post(two.path, **chosen).status_code == 303
    assert min(two.back().values()) > two.meetings()["after"][0]


def test_one_way_is_never_booked_over_what_is_agreed_for_the_other(two: Two) -> None:
    two.say_weeks()
    first = choices(two.host.get(two.path))[0]
    agree_back(two, datetime.fromtimestamp(int(first.split(".")[5]), UTC))
    sent = {"times": first, "both": "1", "text-visit_purpose": PURPOSE}
    assert two.host.post(two.path, **sent).status_code == 409 and not two.meetings()


def test_whoever_is_alone_in_a_group_at_present_sees_the_page_without_times(two: Two) -> None:
    course, now = two.course, two.clock()
    members = course.teachers[2:5]
    with two.database.write() as session:
        as_group = update(Activity).where(Activity.id == course.activity_id)
        session.execute(as_group.values(kind="group", protocol="demonstration"))
        pair_id = new_id()
        session.add(Pair(id=pair_id, activity_id=course.activity_id, status="active", created_at=now))
        session.flush()
        for each in members:
            session.add(PairMember(pair_id=pair_id, activity_id=course.activity_id, membership_id=each))
        session.flush()
        roles = dict(zip(members, ("host", "keeper", "member"), strict=True))
        cycle = going_on.start(session, pair_id=pair_id, activity_id=course.activity_id, roles=roles, now=now)
    for number, membership in enumerate(members):
        say(two, membership, dict.fromkeys(range(5), (1, 2) if number else (2,)))
    path = f"/cycles/{cycle}/meeting-times"
    host = two.browser(members[0])
    offered = choices(host.get(path))
    assert offered
    with two.database.write() as session:
        pausing = update(PairMember).where(PairMember.membership_id.in_(members[1:]))
        session.execute(pausing.values(paused_at=now))
    assert not choices(host.get(path))
    assert host.post(path, times=offered[0], **{"text-visit_purpose": PURPOSE}).status_code == 409
    assert two.browser(members[1]).status(path) == 200


def test_a_way_back_can_be_taken_out_once_the_cycle_is_over(two: Two) -> None:
    agree_back(two, two.clock() + timedelta(days=9))
    with two.database.write() as session:
        over = update(Cycle).where(Cycle.id == two.cycle)
        session.execute(over.values(status="finished", finished_at=two.clock()))
    for each in (two.host, two.coach):
        assert two.path in each.get("/calendar")
        page = each.get(two.path)
        assert "Take the way back out" in page and "Look again" not in page and "Book this" not in page
    assert two.host.post(two.path, times="x").status_code == 403
    assert two.coach.post(two.path + "/back").status_code == 303 and two.back() == {}
    assert two.coach.status(two.path) == 404


def test_a_way_back_brings_no_meeting_that_the_next_cycle_has_no_step_for(two: Two) -> None:
    agree_back(two, two.clock() + timedelta(days=9))
    host, coach = two.course.teachers[:2]
    with two.database.write() as session:
        session.execute(update(Activity).where(Activity.id == two.course.activity_id).values(protocol="planning"))
        session.execute(update(Cycle).where(Cycle.id == two.cycle).values(status="finished", closed_at=two.clock()))
        next_id = going_on.start(
            session, pair_id=two.pair, activity_id=two.course.activity_id,
            roles={coach: "host", host: "coach"}, now=two.clock(), number=2,
        )  # fmt: skip
    assert set(two.meetings(next_id)) == {"before"} and two.back() == {}


def test_what_a_pair_leaves_out_by_now_is_booked_no_more(two: Two) -> None:
    meet(two.database, two.cycle, two.clock() - timedelta(days=1), "before")
    for days, kind in enumerate(("visit", "after")):
        meet(two.database, two.cycle, two.clock() + timedelta(days=2 + days), kind)
    assert two.coach.post("/how-far", step="look", **{"from": "now"}).status_code == 303
    assert set(two.meetings()) == {"before", "visit"}, "what has passed stays as it was"


def test_a_visit_that_stays_where_it_was_stays_confirmed(two: Two) -> None:
    two.say_weeks()
    two.host.post(two.path, times=choices(two.host.get(two.path))[0], **{"text-visit_purpose": PURPOSE})
    booked = two.meetings()
    visit = booked["visit"]
    with two.database.write() as session:
        where = update(Meeting).where(Meeting.cycle_id == two.cycle)
        session.execute(where.where(Meeting.kind == "visit").values(confirmed_at=two.clock()))
        earlier = booked["before"][0] - timedelta(hours=1)
        session.execute(where.where(Meeting.kind == "before").values(starts_at=earlier))
    same = [each for each in choices(two.host.get(two.path)) if each.split(".")[5] == str(int(visit[0].timestamp()))]
    assert two.host.post(two.path, times=same[0]).status_code == 303
    assert two.meetings()["visit"] == visit and two.meetings()["before"][2] == 2
    with two.database.read() as session:
        cycle = service.load(session, two.cycle, person_of(two.database, two.course.teachers[0]))
    assert cycle
    there = cycle.meeting("visit")
    assert there and there.confirmed_at


def test_no_page_leads_to_a_booking_that_opens_elsewhere_only(two: Two) -> None:
    elsewhere = make_course(two.database, teachers=2, protocol="collegial", now=two.clock())
    person = person_of(two.database, two.course.teachers[1])
    with two.database.write() as session:
        session.execute(update(Membership).where(Membership.id == elsewhere.teachers[0]).values(person_id=person))
    _pair, other = pair_up(two.database, elsewhere, two.clock, *elsewhere.teachers[:2])
    for cycle in (two.cycle, other):
        meet(two.database, cycle, two.clock() + timedelta(days=2))
    page = two.coach.get("/calendar")
    assert page.count("Visit <span") == 2 and f"/cycles/{two.cycle}/" in page and f"/cycles/{other}/" not in page


def test_who_teaches_no_more_is_not_led_to_a_page_that_went_with_what_was_on_it(two: Two) -> None:
    me = two.course.teachers[0]
    with two.database.write() as session:
        session.add(ReminderChoice(person_id=person_of(two.database, me), kind="meeting", way="email"))
        session.execute(update(Membership).where(Membership.id == me).values(is_leader=True))
    leader = two.browser(me)
    assert leader.status("/reminders") == 200
    answer = leader.post("/reminders/stop")
    assert answer.status_code == 303 and leader.client.get(answer.location).status_code == 200
