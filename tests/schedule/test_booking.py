"""Booking the three meetings of a cycle together, and what is refused because somebody is somewhere else."""

import html
import re
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from rounds.proposed import keyring_of
from schedule.test_times import meet, pair_up, person_of
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on, service
from lti_tool.cycles.models import Cycle, Meeting
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership
from lti_tool.schedule import timetables
from lti_tool.schedule.models import ReturnMeeting
from lti_tool.schedule.timetable import Grid
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

MONDAY = date(2026, 11, 30)
PURPOSE = "Who answers first."


class Two:
    """A host and a coach in a collegial cycle, each at their own browser."""

    def __init__(self, app: Flask, database: Database, clock: Any, course: MadeCourse) -> None:
        self.app, self.database, self.clock, self.course = app, database, clock, course
        self.pair, self.cycle = pair_up(database, course, clock, *course.teachers[:2])
        self.host, self.coach = (self.browser(each) for each in course.teachers[:2])
        self.path = f"/cycles/{self.cycle}/meeting-times"

    def browser(self, membership: str) -> Browser:
        return Browser(self.app, self.database, self.clock, membership, self.course.activity_id)

    def say_weeks(self) -> None:
        """The host teaches but the third lesson; the coach is free in the second one and in the third."""
        busy = {f"{day}-{lesson}": "open" for day in range(5) for lesson in range(6)}
        host = busy | {f"{day}-2": "free" for day in range(5)}
        coach = host | {f"{day}-1": "free" for day in range(5)}
        for membership, cells in zip(self.course.teachers[:2], (host, coach), strict=True):
            with self.database.write() as session:
                person = session.scalars(select(Membership.person_id).where(Membership.id == membership)).one()
                timetables.say_grid(session, keyring_of(self.database), person, Grid(cells), self.clock())

    def meetings(self, cycle: str = "") -> dict[str, tuple[datetime, int, int]]:
        """Kind → start, minutes, and how often it was said."""
        with self.database.read() as session:
            rows = session.execute(
                select(Meeting.kind, Meeting.starts_at, Meeting.minutes, Meeting.rev).where(
                    Meeting.cycle_id == (cycle or self.cycle)
                )
            )
            return {row.kind: (row.starts_at, row.minutes, row.rev) for row in rows}

    def back(self) -> dict[str, datetime]:
        with self.database.read() as session:
            rows = session.execute(select(ReturnMeeting.kind, ReturnMeeting.starts_at))
            return {row.kind: row.starts_at for row in rows}


@pytest.fixture
def two(app: Flask, database: Database, clock: Any) -> Two:
    clock.now = datetime(2026, 11, 25, 20, 0, 30, tzinfo=UTC)
    return Two(app, database, clock, make_course(database, teachers=5, protocol="collegial", now=clock.now))


def choices(page: str) -> list[str]:
    return re.findall(r'name="times" value="([^"]+)"', page)


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_choosing_one_books_all_three_for_both(two: Two) -> None:
    two.say_weeks()
    page = two.host.get(two.path)
    offered = choices(page)
    assert len(offered) > 3 and not choices(two.coach.get(two.path)), "the host invites"
    refused = two.host.post(two.path, times=offered[0])
    assert refused.status_code == 409 and "Say first what the visit is for" in refused.get_data(as_text=True)
    assert not two.meetings()
    typed = {"text-visit_purpose": PURPOSE}
    assert two.host.post(two.path, times=offered[0], **typed).location.endswith("told=booked")
    found = two.meetings()
    # The next school day is Thursday: the best is on Friday, with the talk after on the same day.
    assert set(found) == {"before", "visit", "after"}
    before, visit, after = (found[kind] for kind in ("before", "visit", "after"))
    assert before[0] + timedelta(minutes=before[1]) <= visit[0] and visit[1] == 40
    assert visit[0] + timedelta(minutes=40) <= after[0] <= visit[0] + timedelta(hours=48)
    again = two.host.post(two.path, times=offered[0])
    assert again.status_code == 303 and two.meetings() == found, "a double tap"
    assert two.host.post(two.path, times=offered[1]).status_code == 409, "of a page on which it was not booked yet"
    for each in (two.host, two.coach):
        shown = text_of(each.get(two.path))
        assert shown.count("move it") == 3 and "Conversation after" in shown
        assert PURPOSE in each.get(f"/cycles/{two.cycle}/visit")
    newer = choices(two.host.get(two.path))
    assert two.host.post(two.path, times=newer[-1]).status_code == 303
    assert {rev for _start, _minutes, rev in two.meetings().values()} == {2}, "all of them moved"


def test_only_what_was_proposed_to_oneself_can_be_sent_back(two: Two) -> None:
    two.say_weeks()
    (first, *_rest) = choices(two.host.get(two.path))
    body, _dot, mac = first.rpartition(".")
    later = ".".join(str(int(part) + 300 * (number > 2)) for number, part in enumerate(body.split(".")))
    for times in ("", ".", "x" * 5000, "\0", "é", f"{later}.{mac}", body, f"{first}é", "1.2." + mac):
        answer = two.host.post(two.path, times=times, **{"text-visit_purpose": PURPOSE})
        assert answer.status_code == 409 and "These are the times that do now" in answer.get_data(as_text=True)
    assert two.coach.post(two.path, times=first).status_code == 403
    assert not two.meetings()


def test_who_has_no_timetable_is_said_without_blame_and_times_are_set_by_hand(two: Two) -> None:
    page = text_of(two.host.get(two.path))
    assert "You have not said yet when you teach" in page and "has not said yet when there is time" in page
    assert "Set times by hand" in page and "no lesson, no gap, no title" in page, "before anything is given"
    with two.database.write() as session:
        person = person_of(two.database, two.course.teachers[0])
        timetables.say_grid(session, keyring_of(two.database), person, Grid({"0-0": "open"}), two.clock())
    page = text_of(two.host.get(two.path))
    assert "You have not said" not in page and "has not said yet when there is time" in page
    stage = two.coach.get(f"/cycles/{two.cycle}/visit")
    assert two.path in stage and "cover-slip" not in stage


def test_a_proposal_shows_nothing_of_a_timetable_but_its_times(two: Two) -> None:
    two.say_weeks()
    for each in (two.host, two.coach):
        with recorded(two.database) as statements:
            page = text_of(each.get(two.path))
        assert len(statements) <= 12, [statement for statement, _count in statements]
        assert "The trainer and the school see none of it." in page
    times = set(re.findall(r"at (\d\d:\d\d)", page))
    assert times and "08:50" not in times, "the first lesson, in which both teach"


def test_there_and_back_is_booked_in_the_next_cycle_once_they_swap(two: Two) -> None:
    two.say_weeks()
    # The coach's own lessons: the host is free in the third lesson, where the coach is too, so that nobody visits.
    with two.database.write() as session:
        person = person_of(two.database, two.course.teachers[1])
        cells = {f"{day}-{lesson}": "open" for day in range(5) for lesson in range(6)}
        free = {f"{day}-{lesson}": "free" for day in (0, 1) for lesson in (1, 2)} | {"3-0": "free", "3-3": "free"}
        timetables.say_grid(session, keyring_of(two.database), person, Grid(cells | free), two.clock())
    page = two.host.get(two.path + "?both=1&short=1")
    assert "There: a visit to" in page and "Back: a visit to" in page
    chosen = {"both": "1", "short": "1", "times": choices(page)[0], "text-visit_purpose": PURPOSE}
    for _twice in range(2):
        assert two.host.post(two.path, **chosen).status_code == 303
    back = two.back()
    assert set(back) == {"before", "visit", "after"} and min(back.values()) > two.meetings()["after"][0]
    assert "Agreed for the way back" in two.coach.get(two.path)
    with two.database.write() as session:
        host, coach = two.course.teachers[:2]
        session.execute(update(Cycle).where(Cycle.id == two.cycle).values(status="finished", closed_at=two.clock()))
        next_id = going_on.start(
            session, pair_id=two.pair, activity_id=two.course.activity_id,
            roles={coach: "host", host: "coach"}, now=two.clock(), number=2,
        )  # fmt: skip
    assert {kind: start for kind, (start, _minutes, _rev) in two.meetings(next_id).items()} == back
    assert two.back() == {}
    assert "told" not in two.coach.get(f"/cycles/{next_id}/meeting-times")


def test_of_three_all_have_to_be_free(two: Two) -> None:
    course, database, now = two.course, two.database, two.clock()
    host, keeper, member = course.teachers[2:5]
    with database.write() as session:
        as_group = update(Activity).where(Activity.id == course.activity_id)
        session.execute(as_group.values(kind="group", protocol="demonstration"))
        pair_id = new_id()
        session.add(Pair(id=pair_id, activity_id=course.activity_id, status="active", created_at=now))
        session.flush()
        for each in (host, keeper, member):
            session.add(PairMember(pair_id=pair_id, activity_id=course.activity_id, membership_id=each))
        session.flush()
        roles = {host: "host", keeper: "keeper", member: "member"}
        cycle = going_on.start(session, pair_id=pair_id, activity_id=course.activity_id, roles=roles, now=now)
    path = f"/cycles/{cycle}/meeting-times"
    lessons = {f"{day}-{lesson}": "open" for day in range(5) for lesson in range(6)}

    def say(membership: str, *free: int) -> None:
        cells = lessons | {f"{day}-{lesson}": "free" for day in range(5) for lesson in free}
        with database.write() as session:
            timetables.say_grid(session, keyring_of(database), person_of(database, membership), Grid(cells), now)

    for membership, free in ((host, (2,)), (keeper, (1, 2, 3)), (member, (2, 3))):
        say(membership, *free)
    page = two.browser(host).get(path)
    assert choices(page) and 'id="both"' not in page
    typed = {"text-visit_purpose": PURPOSE, "times": choices(page)[0]}
    assert two.browser(keeper).post(path, **typed).status_code == 403
    assert two.browser(host).post(path, **typed).status_code == 303
    # The lesson before and the one after the free period: only in the latter all of them can come.
    assert two.meetings(cycle)["visit"][0].strftime("%H:%M") == "11:00"
    say(member, 2)
    assert "No time suits all of you" in two.browser(member).get(path)


def test_the_way_back_goes_when_either_takes_it_out_or_the_pair_ends(two: Two) -> None:
    def agree() -> None:
        with two.database.write() as session:
            for hours, kind in enumerate(("before", "visit", "after")):
                at = two.clock() + timedelta(days=9, hours=hours)
                row = {"kind": kind, "starts_at": at, "minutes": 20, "made_at": two.clock()}
                session.add(ReturnMeeting(pair_id=two.pair, host_id=two.course.teachers[1], **row))

    agree()
    assert two.coach.post(two.path + "/back").status_code == 303 and two.back() == {}
    agree()
    with two.database.write() as session:
        pairing.take_out(session, two.pair, two.course.teachers[0], two.clock())
    assert two.back() == {}


def form(kind: str, at: datetime, **more: str) -> dict[str, str]:
    typed = {"starts": at.strftime("%Y-%m-%dT%H:%M"), "minutes": "20", "place": "canary-room", "was": "", "rev": "0"}
    return {f"{kind}-{part}": value for part, value in (typed | more).items()}


def test_a_double_booking_is_refused_and_says_when_and_never_with_whom(two: Two) -> None:
    elsewhere = make_course(two.database, teachers=2, protocol="collegial", now=two.clock())
    with two.database.write() as session:
        person = person_of(two.database, two.course.teachers[1])
        session.execute(update(Membership).where(Membership.id == elsewhere.teachers[0]).values(person_id=person))
    _pair, other = pair_up(two.database, elsewhere, two.clock, elsewhere.teachers[0], elsewhere.teachers[1])
    at = datetime(2026, 12, 1, 10, tzinfo=UTC)
    meet(two.database, other, at)
    where = f"/cycles/{two.cycle}/before/meetings/before"
    for start, fits in ((-20, True), (-19, False), (0, False), (39, False), (40, True)):
        rev = str(two.meetings().get("before", (0, 0, 0))[2])
        answer = two.host.post(where, **form("before", at + timedelta(minutes=start), rev=rev))
        page = text_of(answer.get_data(as_text=True))
        assert (answer.status_code == 303) == fits, (start, page)
        if not fits:
            assert "One of you two has something else booked: Tue 1 Dec at 10:00 to 10:40." in page
            sentence = page.partition("One of you two")[2][:90]
            assert "visit" not in sentence and "Visit" not in sentence
            assert "canary-room" in answer.get_data(as_text=True), "what was typed is still there"
    with two.database.write() as session:
        session.execute(update(Cycle).where(Cycle.id == other).values(status="stopped"))
    assert two.host.post(where, **form("before", at, rev="2")).status_code == 303


def test_two_who_book_the_same_colleague_at_the_same_moment(two: Two) -> None:
    course, database = two.course, two.database
    second = make_course(database, teachers=2, protocol="collegial", now=two.clock())
    with database.write() as session:
        person = person_of(database, course.teachers[1])
        session.execute(update(Membership).where(Membership.id == second.teachers[1]).values(person_id=person))
    _pair, other = pair_up(database, second, two.clock, second.teachers[0], second.teachers[1])
    at, keyring = datetime(2026, 12, 1, 10, tzinfo=UTC), keyring_of(database)
    answers: list[str] = []
    ready = threading.Barrier(2)

    def book(cycle_id: str, membership: str) -> None:
        who = person_of(database, membership)
        ready.wait(10)
        try:
            with database.write() as session:
                cycle = service.load(session, cycle_id, who, lock=True)
                assert cycle
                keys = keyring.opened(session, cycle_id, two.clock())
                service.set_meeting(
                    session, keys, cycle, "before", starts_at=at, minutes=20, place="", seen_rev=0, now=two.clock()
                )
            answers.append("booked")
        except service.DoubleBooked:
            answers.append("refused")

    threads = [
        threading.Thread(target=book, args=each)
        for each in ((two.cycle, course.teachers[0]), (other, second.teachers[0]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == ["booked", "refused"]


def test_moving_one_says_what_no_longer_fits(two: Two) -> None:
    two.say_weeks()
    offered = choices(two.host.get(two.path))
    two.host.post(two.path, times=offered[0], **{"text-visit_purpose": PURPOSE})
    visit = two.meetings()["visit"][0]
    moved = form("visit", visit + timedelta(days=7), rev="1", minutes="40")
    assert two.host.post(f"/cycles/{two.cycle}/visit/meetings/visit", **moved).status_code == 303
    assert "is booked for before the visit is over" in two.coach.get(f"/cycles/{two.cycle}/visit")
    page = text_of(two.coach.get(two.path))
    assert "The conversation after begins before the visit is over." in page
    assert "The conversation before is long before the visit" in page
    moved = form("visit", visit + timedelta(hours=-2), rev="2", minutes="40")
    two.host.post(f"/cycles/{two.cycle}/visit/meetings/visit", **moved)
    # By whose timetable it does not suit is told to them alone.
    assert "you are not free for the visit" in text_of(two.coach.get(two.path))
    assert "not free" not in text_of(two.host.get(two.path))


def test_a_cover_slip_says_when_and_who_and_never_why(two: Two) -> None:
    two.say_weeks()
    two.host.post(two.path, times=choices(two.host.get(two.path))[0], **{"text-visit_purpose": PURPOSE})
    slip = f"/cycles/{two.cycle}/cover-slip"
    assert two.path in two.coach.get(f"/cycles/{two.cycle}/visit") and slip in two.coach.get(
        f"/cycles/{two.cycle}/visit"
    )
    assert "for-visit" in two.coach.get(slip) and "for-visit" not in two.host.get(slip), "the host teaches in it"
    answer = two.coach.post(slip, **{"for-visit": "1", "class": "<2B>", "room": "14\0", "note": "x" * 500})
    page = answer.get_data(as_text=True)
    said = text_of(page.partition("<main")[2].partition("</main>")[0])
    assert answer.status_code == 200 and "<2B>" in said and "27 November 2026" in said
    for word in ("coach", "visit", "peer", "observ", PURPOSE.lower(), "niamh"):
        assert word not in said.lower().replace("seen by you only.", ""), word
    assert "for-visit" in two.coach.post(slip).get_data(as_text=True), "nothing chosen: asked again"
    third = two.browser(two.course.teachers[2])
    assert third.status(slip) == third.status(two.path) == 404
