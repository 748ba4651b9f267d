"""A pairing round: partners found once, and the coaching cycles that take their pairs from it."""

import html
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.pairing import service
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.people.models import Membership
from lti_tool.store.database import Database

USUAL = "Invite a colleague of your course to coach with you."
THERE = "Find a partner in “Partners 2026/27” in your course, or invite somebody here."


@dataclass
class School:
    """A course with a round and a coaching activity that takes its pairs from it."""

    database: Database
    course: MadeCourse
    round_id: str
    coaching_id: str
    now: Any
    arrive: Callable[[str, int], Browser]

    def in_round(self, teacher: int) -> Browser:
        return self.arrive(self.round_id, teacher)

    def in_cycle(self, teacher: int) -> Browser:
        return self.arrive(self.coaching_id, teacher)

    def pair_up(self, host: int, coach: int, activity_id: str = "") -> None:
        """One invites and the other says yes, in the round unless said otherwise."""
        activity_id = activity_id or self.round_id
        self.arrive(activity_id, host).post(f"/partner/{self.course.teachers[coach]}")
        with self.database.read() as session:
            invitation = session.scalars(
                select(Invitation.id).where(
                    Invitation.host_id == self.course.teachers[host],
                    Invitation.coach_id == self.course.teachers[coach],
                    Invitation.activity_id == activity_id,
                    Invitation.status == "open",
                )
            ).one()
        assert self.arrive(activity_id, coach).post(f"/invitations/{invitation}/accept").status_code == 303

    def round_pair(self, teacher: int) -> str:
        with self.database.read() as session:
            found = service.current_pair(session, self.course.teachers[teacher], self.round_id)
        return found.id if found else ""

    def begin(self, teacher: int) -> None:
        answer = self.in_cycle(teacher).post("/begin", pair=self.round_pair(teacher))
        assert answer.status_code == 303 and answer.location.endswith("/")

    def pairs(self, activity_id: str) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(Pair.status).where(Pair.activity_id == activity_id)))

    def roles(self) -> list[tuple[int, str, int]]:
        """(number of the teacher, role, number of the cycle) of all cycles."""
        with self.database.read() as session:
            rows = session.execute(
                select(CycleMember.membership_id, CycleMember.role, Cycle.number).join(
                    Cycle, Cycle.id == CycleMember.cycle_id
                )
            ).all()
        return sorted((self.course.teachers.index(member), role, number) for member, role, number in rows)

    def change(self, activity_id: str, **values: Any) -> None:
        with self.database.write() as session:
            session.execute(update(Activity).where(Activity.id == activity_id).values(**values))


@pytest.fixture
def school(app: Flask, database: Database, clock: Any) -> School:
    course = make_course(database, teachers=4, now=clock.now)
    round_id = add_activity(database, course, clock.now, title="Partners 2026/27", kind="pairing")
    coaching_id = add_activity(
        database, course, clock.now, title="Autumn cycle", protocol="light", pairs_from_id=round_id
    )
    browsers: dict[tuple[str, int], Browser] = {}

    def arrive(activity_id: str, teacher: int) -> Browser:
        key = (activity_id, teacher)
        if key not in browsers:
            browsers[key] = Browser(app, database, clock, course.teachers[teacher], activity_id)
        return browsers[key]

    return School(database, course, round_id, coaching_id, clock, arrive)


def read(browser: Browser, path: str = "/") -> str:
    return html.unescape(browser.get(path))


# In the round


def test_partners_find_each_other_once_and_no_cycle_begins(school: School) -> None:
    niamh, sean = school.in_round(0), school.in_round(1)
    assert "You find each other once, for several coaching cycles." in read(niamh)
    confirm = read(niamh, f"/partner/{school.course.teachers[1]}")
    assert "With a yes you are partners, and in your first cycle you are the host." in confirm
    assert "your first cycle begins" not in confirm
    assert "all coaching cycles of this round" in read(niamh, "/partner")
    school.pair_up(0, 1)
    assert school.pairs(school.round_id) == ["active"] and school.roles() == []
    for browser, partner in ((niamh, "Seán"), (sean, "Niamh")):
        page = read(browser)
        assert f"You coach with {partner}" in page
        assert f"Seen by you and {partner} only" in page
        assert page.count("<h1") == 1


def test_the_page_names_the_open_cycles_that_take_their_pairs_from_the_round(school: School, clock: Any) -> None:
    course, now = school.course, clock.now
    day = (now + timedelta(days=30)).date()
    values = {"pairs_from_id": school.round_id}
    add_activity(school.database, course, now, title="Spring cycle", starts_on=day, ends_on=day, position=1, **values)
    add_activity(school.database, course, now, title="Not open yet", status="new", **values)
    add_activity(school.database, course, now, title="Long over", status="archived", **values)
    add_activity(school.database, course, now, title="Pairs of its own")
    school.pair_up(0, 1)
    page = read(school.in_round(0))
    assert page.index("Autumn cycle") < page.index("Spring cycle")
    said = f"{day.day} {day:%B %Y}"
    assert f"Starts on {said} · Until {said}" in page
    for title in ("Not open yet", "Long over"):
        assert title not in page
    named, _, also = page.partition("Also in this course")
    assert "Pairs of its own" not in named and "Pairs of its own" in also
    assert "Autumn cycle" not in also, "said once is enough"
    school.change(school.coaching_id, pairs_from_id=None)
    with school.database.write() as session:
        session.execute(update(Activity).where(Activity.title == "Spring cycle").values(status="archived"))
    assert "There is nothing to do yet." in read(school.in_round(0))


def test_pausing_and_changing_partner_speak_of_the_pair_and_not_of_a_cycle(school: School) -> None:
    school.pair_up(0, 1)
    niamh, sean = school.in_round(0), school.in_round(1)
    page = read(niamh, "/pair")
    assert "in this round. Cycles that you have begun together go on" in page
    assert "and the cycle that is open" not in page
    niamh.post("/pair/pause")
    assert "You have paused with Seán" in read(niamh)
    for path in ("/", "/pair"):
        page = read(sean, path)
        assert "Your pair goes on when Niamh does." in page and "The cycle goes on" not in page
    niamh.post("/pair/resume")
    assert "You coach with Niamh" in read(sean)
    sean.post("/pair/end")
    assert "Find a partner yourself" in read(niamh) and school.pairs(school.round_id) == ["ended"]


def test_somebody_elses_invitation_waits_while_one_has_a_partner(school: School) -> None:
    school.in_round(2).post(f"/partner/{school.course.teachers[1]}")
    school.pair_up(0, 1)
    assert "You can say yes when this pair has ended" in read(school.in_round(1))
    assert "Gráinne Byrne invites you" in read(school.in_round(1), "/partner")


# Beginning in a coaching activity


@pytest.mark.parametrize("taps", [0, 1])
def test_either_begins_and_who_invited_in_the_round_is_the_host(school: School, taps: int) -> None:
    school.pair_up(0, 1)
    for teacher, partner in ((0, "Seán"), (1, "Niamh")):
        page = read(school.in_cycle(teacher))
        assert f"Begin with {partner}" in page and "You found each other in “Partners 2026/27”" in page
        assert page.count("<h1") == 1
    assert THERE in read(school.in_cycle(2))
    school.begin(taps)
    assert school.pairs(school.coaching_id) == ["active"]
    assert school.roles() == [(0, "host", 1), (1, "coach", 1)]
    assert "Get started with Seán" in read(school.in_cycle(0))
    assert "Get started with Niamh" in read(school.in_cycle(1))


def test_both_tap_at_the_same_moment(school: School, clock: Any) -> None:
    school.pair_up(1, 0)
    barrier = threading.Barrier(2)
    errors: list[Exception] = []

    def tap(member: str, pair: str) -> None:
        barrier.wait()
        try:
            with school.database.write() as session:
                service.begin_from_round(
                    session,
                    member,
                    activity_id=school.coaching_id,
                    round_id=school.round_id,
                    round_pair_id=pair,
                    now=clock.now,
                )
        except Exception as error:
            errors.append(error)

    pair = school.round_pair(0)
    threads = [threading.Thread(target=tap, args=(member, pair)) for member in school.course.teachers[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert school.pairs(school.coaching_id) == ["active"]
    assert school.roles() == [(0, "coach", 1), (1, "host", 1)]


def test_a_double_tap_begins_once(school: School) -> None:
    school.pair_up(0, 1)
    for _ in range(2):
        school.begin(0)
        school.begin(1)
    assert len(school.roles()) == 2


def test_without_an_invitation_in_the_round_who_begins_is_the_host(school: School) -> None:
    school.pair_up(0, 1)
    with school.database.write() as session:
        session.execute(update(Invitation).values(status="lapsed"))
    school.begin(1)
    assert school.roles() == [(0, "coach", 1), (1, "host", 1)]


def test_several_activities_take_the_same_pair(school: School, clock: Any) -> None:
    spring = add_activity(
        school.database, school.course, clock.now, protocol="light", title="Spring", pairs_from_id=school.round_id
    )
    school.pair_up(0, 1)
    school.begin(0)
    assert "Begin with Seán" in read(school.arrive(spring, 0))
    school.arrive(spring, 0).post("/begin", pair=school.round_pair(0))
    assert school.pairs(school.coaching_id) == school.pairs(spring) == ["active"]


def test_changing_partner_here_leaves_the_round_as_it_is_and_the_other_way_round(school: School) -> None:
    school.pair_up(0, 1)
    school.begin(0)
    school.in_round(0).post("/pair/end")
    assert school.pairs(school.coaching_id) == ["active"]
    assert "Get started with Seán" in read(school.in_cycle(0))
    school.in_cycle(0).post("/pair/end")
    assert THERE in read(school.in_cycle(0))
    school.pair_up(0, 1)
    school.begin(1)
    school.in_cycle(1).post("/pair/end")
    assert school.pairs(school.round_id).count("active") == 1
    assert "Begin with Niamh" in read(school.in_cycle(1)), "they are still partners in the round"


def _pause(school: School) -> None:
    school.in_round(1).post("/pair/pause")


def _end(school: School) -> None:
    school.in_round(1).post("/pair/end")


def _found_another_here(school: School) -> None:
    school.pair_up(1, 2, school.coaching_id)


def _has_paused_here(school: School) -> None:
    school.pair_up(1, 2, school.coaching_id)
    school.in_cycle(1).post("/pair/pause")


def _left(school: School) -> None:
    with school.database.write() as session:
        session.execute(update(Membership).where(Membership.id == school.course.teachers[1]).values(is_active=False))


def _leads(school: School) -> None:
    with school.database.write() as session:
        session.execute(update(Membership).where(Membership.id == school.course.teachers[1]).values(is_leader=True))


@pytest.mark.parametrize("why", [_pause, _end, _found_another_here, _has_paused_here, _left, _leads])
def test_what_keeps_a_pair_from_beginning_is_not_told(school: School, why: Callable[[School], None]) -> None:
    # Gráinne never had a partner: Niamh's page is the same, but for the names in it.
    school.pair_up(0, 1)
    pair = school.round_pair(0)
    stale = school.in_cycle(0)
    assert "Begin with Seán" in read(stale)
    why(school)
    before = len(school.roles())

    def plain(browser: Browser) -> str:
        page = re.sub(r'value="[^"]*"|at/\w+', "", read(browser))
        return page.replace("Niamh", "…").replace("Oisín", "…")

    assert plain(school.in_cycle(0)) == plain(school.in_cycle(3))
    assert THERE in read(stale) and "Seán" not in read(stale)
    assert stale.post("/begin", pair=pair).status_code == 303
    assert len(school.roles()) == before


def test_the_partner_has_to_take_part_here_too(school: School) -> None:
    from lti_tool.activities.models import ActivityParticipant

    school.pair_up(0, 1)
    school.change(school.coaching_id, audience="chosen")
    with school.database.write() as session:
        session.add(ActivityParticipant(activity_id=school.coaching_id, membership_id=school.course.teachers[0]))
    page = read(school.in_cycle(0))
    assert THERE in page and "Seán" not in page
    school.begin(0)
    assert school.roles() == []
    assert school.in_cycle(1).post("/begin", pair=school.round_pair(1)).status_code == 404


def test_an_old_page_does_not_begin_with_somebody_new(school: School) -> None:
    school.pair_up(0, 1)
    old = school.round_pair(0)
    school.in_round(0).post("/pair/end")
    school.pair_up(0, 2)
    for pair in (old, "", "\0", "x" * 500):
        assert school.in_cycle(0).post("/begin", pair=pair).status_code == 303
    assert school.roles() == []


def test_invitations_of_the_two_are_taken_back_when_they_begin(school: School) -> None:
    school.pair_up(0, 1)
    school.in_cycle(0).post(f"/partner/{school.course.teachers[2]}")
    assert "Niamh" in read(school.in_cycle(2))
    assert "Begin with Seán" in read(school.in_cycle(0)), "an own invitation does not hide the partner of the round"
    school.begin(0)
    assert "Niamh" not in read(school.in_cycle(2))


def test_an_invitation_received_here_stands_below_the_partner_of_the_round(school: School) -> None:
    school.pair_up(0, 1)
    school.in_cycle(2).post(f"/partner/{school.course.teachers[0]}")
    page = read(school.in_cycle(0))
    assert page.index("Begin with Seán") < page.index("Gráinne Byrne invites you")


def test_begin_is_only_there_where_pairs_come_from_a_round(school: School) -> None:
    school.pair_up(0, 1)
    pair = school.round_pair(0)
    assert school.in_round(0).post("/begin", pair=pair).status_code == 404
    school.change(school.coaching_id, pairs_from_id=None)
    assert school.in_cycle(0).post("/begin", pair=pair).status_code == 404
    assert USUAL in read(school.in_cycle(0))


def test_a_round_that_is_closed_sends_nobody_there_and_its_pairs_still_begin(school: School) -> None:
    school.pair_up(0, 1)
    school.change(school.round_id, status="archived")
    assert USUAL in read(school.in_cycle(2)) and THERE not in read(school.in_cycle(2))
    assert "You coach with Seán" in read(school.in_round(0))
    school.begin(0)
    assert len(school.roles()) == 2


def test_whoever_is_outside_the_round_sees_nobody_of_it(school: School, app: Flask, clock: Any) -> None:
    school.pair_up(0, 1)
    for member in (school.course.guest, school.course.leader, school.course.administrator, school.course.teachers[2]):
        for activity in (school.round_id, school.coaching_id):
            page = Browser(app, school.database, clock, member, activity).get("/")
            assert "Niamh" not in page and "Seán" not in page


def test_the_pages_cost_at_most_twelve_statements(school: School) -> None:
    def cost(browser: Browser, path: str = "/") -> int:
        browser.get(path)
        with recorded(school.database) as statements:
            browser.get(path)
        return len(statements)

    # With all that other rooms say above the next step.
    school.change(school.round_id, reports_completion=True)
    school.change(school.coaching_id, reports_completion=True)
    costs = [cost(school.in_round(0)), cost(school.in_cycle(0))]
    school.pair_up(0, 1)
    costs += [cost(school.in_round(0)), cost(school.in_round(0), "/pair"), cost(school.in_round(0), "/partner")]
    costs += [cost(school.in_cycle(0)), cost(school.in_cycle(2))]
    school.begin(0)
    costs += [cost(school.in_cycle(0))]
    assert max(costs) <= 12, costs


def test_a_pair_member_row_of_a_round_is_one_for_each(school: School) -> None:
    school.pair_up(0, 1)
    with school.database.read() as session:
        rows = session.scalars(select(PairMember.activity_id)).all()
    assert rows == [school.round_id] * 2
