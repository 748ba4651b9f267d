"""The critical friend of a pair, through the door: three who agree, what the third one sees, and who can end it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select, update

from lti_tool.cycles.models import Cycle
from lti_tool.friends.models import CriticalFriend
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership
from lti_tool.store.database import Database

ASKED = "Both have agreed to it."


def bare(page: str) -> str:
    """A page without its tokens, which hold the second in which they were made."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page)


@dataclass
class School:
    """A pair, two colleagues, and everybody's browser."""

    database: Database
    clock: Any
    course: MadeCourse
    pair_id: str
    cycle_id: str
    host: Browser
    coach: Browser
    third: Browser
    fourth: Browser

    def post(self, who: Browser, path: str, friend: Browser | None = None) -> int:
        named = {"friend": (friend or self.third).membership, "pair": self.pair_id}
        return who.post(f"/pair/friend{path}", **named).status_code

    def id(self) -> str:
        with self.database.read() as session:
            return session.scalars(select(CriticalFriend.id)).one_or_none() or ""

    def make_friends(self) -> None:
        assert self.post(self.host, "") == self.post(self.coach, "/agree") == 303
        assert self.third.post(f"/accompany/{self.id()}/answer", answer="yes").status_code == 303


@pytest.fixture
def school(app: Flask, database: Database, clock: Any) -> Iterator[School]:
    course = make_course(database, teachers=4, protocol="collegial", now=clock.now)
    cycle_id = make_cycle(database, course, clock.now)
    with database.read() as session:
        pair_id = session.scalars(select(Cycle.pair_id)).one()
    browsers = [Browser(app, database, clock, each, course.activity_id) for each in course.teachers]
    yield School(database, clock, course, pair_id, cycle_id, *browsers)


def test_nothing_is_visible_before_both_of_the_pair_and_the_friend_agreed(school: School) -> None:
    assert school.post(school.host, "") == 303
    # One alone: only the partner sees it, and the one who proposed cannot agree for them.
    assert school.post(school.host, "/agree") == 303
    assert "Seán sees that here and can agree" in school.host.get("/pair/friend")
    assert "Niamh would like to ask Gráinne Byrne" in school.coach.get("/pair/friend")
    assert ASKED not in school.third.get("/accompany") and "/accompany" not in school.third.get()
    assert school.third.post(f"/accompany/{school.id()}/answer", answer="yes").status_code == 404
    # Both: now the third one is asked, and sees no step yet.
    assert school.post(school.coach, "/agree") == 303
    page = school.third.get("/accompany")
    assert (
        "Niamh and Seán" in page and ASKED in page and "stage-list" not in page and "/accompany" in school.third.get()
    )
    assert "has not answered yet" in school.host.get("/pair/friend")
    assert school.third.post(f"/accompany/{school.id()}/answer", answer="yes").status_code == 303
    page = unescape(school.third.get("/accompany"))
    assert "stage-list" in page and "Cycle 1, begun today" in page and "Getting started together" in page
    for who in (school.host, school.coach):
        assert "Gráinne Byrne accompanies you two since today" in who.get("/pair/friend")


def test_the_friend_sees_where_they_are_and_no_page_of_theirs(school: School) -> None:
    school.make_friends()
    school.host.post(f"/cycles/{school.cycle_id}/texts/norms", text="secret-norms")
    school.host.post(f"/thread/{school.pair_id}", text="secret-message")
    third = school.third
    assert "secret" not in third.get("/accompany")
    for path in (f"/cycles/{school.cycle_id}", f"/cycles/{school.cycle_id}/start", f"/thread/{school.pair_id}"):
        assert third.status(path) == 404
    # A pause is nobody's business but the pair's.
    before = bare(third.get("/accompany"))
    school.host.post("/pair/pause", pair=school.pair_id)
    assert bare(third.get("/accompany")) == before


def test_a_no_looks_as_if_nobody_had_answered(school: School) -> None:
    school.post(school.host, "")
    school.post(school.coach, "/agree")
    before = [bare(who.get("/pair/friend")) for who in (school.host, school.coach)]
    assert school.third.post(f"/accompany/{school.id()}/answer", answer="no").status_code == 303
    assert [bare(who.get("/pair/friend")) for who in (school.host, school.coach)] == before
    taken = school.host.client.get(f"{school.host.at}/mine/mine.json").get_json()["critical_friends"]
    assert [each["status"] for each in taken] == ["asked"]
    assert ASKED not in school.third.get("/accompany")
    assert school.third.post(f"/accompany/{school.id()}/answer", answer="yes").status_code == 404


@pytest.mark.parametrize("who", ["host", "coach", "third"])
def test_each_of_the_three_can_end_it(school: School, who: str) -> None:
    school.make_friends()
    if who == "third":
        assert school.third.post(f"/accompany/{school.id()}/leave").status_code == 303
    else:
        assert school.post(getattr(school, who), "/end") == 303
    assert not school.id()
    assert "stage-list" not in school.third.get("/accompany")
    assert "Whom would you like to ask?" in school.coach.get("/pair/friend")


def test_it_ends_with_the_pair_and_is_not_for_who_left_or_leads(school: School) -> None:
    school.make_friends()
    with school.database.write() as session:
        of_third = update(Membership).where(Membership.id == school.third.membership)
        session.execute(of_third.values(is_leader=True))
    assert school.third.status("/accompany") == 404
    with school.database.write() as session:
        session.execute(of_third.values(is_leader=False))
        pairing.end_pair(session, school.pair_id, school.clock.now)
    assert "stage-list" not in school.third.get("/accompany")
    assert school.third.post(f"/accompany/{school.id()}/leave").status_code == 404


def test_others_change_nothing_and_find_nothing(school: School) -> None:
    school.make_friends()
    friendship = school.id()
    assert school.fourth.status("/pair/friend") == 404
    for path in ("", "/agree", "/end"):
        assert school.post(school.fourth, path) == 404
    for who in (school.fourth, school.host):
        assert who.post(f"/accompany/{friendship}/leave").status_code == 404
        assert "stage-list" not in who.get("/accompany")
    for odd in ("%00", "0" * 16, "x" * 300):
        assert school.third.post(f"/accompany/{odd}/leave").status_code == 404
    assert school.id() == friendship


@pytest.mark.parametrize("friend", ["host", "coach", "trainer", "leader", "nobody"])
def test_only_a_colleague_who_takes_part_can_be_proposed(school: School, friend: str) -> None:
    course = school.course
    ids = {"host": course.teachers[0], "coach": course.teachers[1], "trainer": course.trainer, "leader": course.leader}
    answer = school.host.post("/pair/friend", pair=school.pair_id, friend=ids.get(friend, "\0"))
    assert answer.status_code == 404 and not school.id()
    assert school.host.post("/pair/friend", pair="0" * 16, friend=course.teachers[2]).status_code == 404


def test_agreeing_is_to_exactly_whom_the_page_named(school: School) -> None:
    school.post(school.host, "")
    school.post(school.host, "/end")
    school.post(school.host, "", school.fourth)
    assert school.post(school.coach, "/agree") == 303  # from a page that still named the third one
    assert "Niamh would like to ask Oisín Mac Cárthaigh" in school.coach.get("/pair/friend")


def test_the_pages_take_few_statements(school: School) -> None:
    school.make_friends()
    for who, path in ((school.third, "/accompany"), (school.host, "/pair/friend"), (school.third, "/")):
        who.get(path)
        with recorded(school.database) as statements:
            who.get(path)
        assert len(statements) <= 12, path
