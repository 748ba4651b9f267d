"""Open doors, through the door of the tool: who finds them, what is refused, and closing one at once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from sqlalchemy import func, select, update

from lti_tool.activities.models import Activity
from lti_tool.doors import rules
from lti_tool.doors.models import OpenDoor
from lti_tool.doors.rules import Problem
from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.store.database import Database

TOPIC = "How my class asks <why>"
SUITS = "Tuesdays before the break"


@dataclass
class Hall:
    """A course, and everybody's browser by membership."""

    app: Flask
    database: Database
    clock: Any
    course: MadeCourse
    browsers: dict[tuple[str, str], Browser] = field(default_factory=dict)

    def of(self, membership: str, activity: str = "") -> Browser:
        key = (membership, activity or self.course.activity_id)
        if key not in self.browsers:
            self.browsers[key] = Browser(self.app, self.database, self.clock, *key)
        return self.browsers[key]

    def offer(self, membership: str, topic: str = TOPIC, suits: str = SUITS, **fields: str) -> Any:
        return self.of(membership).post("/doors/offer", **{"text-topic": topic, "text-suits": suits} | fields)

    def ids(self) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(OpenDoor.id).order_by(OpenDoor.opened_at)))

    def change(self, membership: str, **values: Any) -> None:
        with self.database.write() as session:
            session.execute(update(Membership).where(Membership.id == membership).values(**values))


@pytest.fixture
def hall(app: Flask, database: Database, clock: Any) -> Iterator[Hall]:
    yield Hall(app, database, clock, make_course(database, teachers=4, now=clock.now))


def test_a_door_is_found_by_those_who_take_part_and_by_nobody_else(hall: Hall) -> None:
    author, colleague = hall.course.teachers[:2]
    assert hall.offer(author).status_code == 303
    (door,) = hall.ids()
    assert "What Niamh Ní Bhriain offers to show" in hall.of(colleague).get("/doors")
    page = unescape(hall.of(colleague).get(f"/doors/{door}"))
    assert TOPIC in page and SUITS in page and f"/partner/{author}" in page
    assert TOPIC in unescape(hall.of(author).get("/doors"))
    course = hall.course
    elsewhere = make_course(hall.database, teachers=1, now=hall.clock.now)
    nobody = [hall.of(each) for each in (course.trainer, course.guest, course.leader, course.administrator)]
    nobody += [hall.of(elsewhere.teachers[0], elsewhere.activity_id)]
    nobody += [hall.of(colleague, add_activity(hall.database, course, hall.clock.now))]
    for browser in nobody:
        answer = browser.client.get(f"{browser.at}/doors")
        assert "offers to show" not in answer.text and browser.status(f"/doors/{door}") == 404
        assert browser.post(f"/doors/{door}/close").status_code == 404
    assert hall.of(colleague).post(f"/doors/{door}/close").status_code == 404
    assert hall.ids() == [door]


def test_who_closes_it_takes_it_away_at_once_with_its_key(hall: Hall) -> None:
    author, colleague = hall.course.teachers[:2]
    hall.offer(author)
    (door,) = hall.ids()
    hall.of(colleague).get(f"/doors/{door}")
    assert hall.of(author).post(f"/doors/{door}/close").status_code == 303
    assert "Niamh" not in hall.of(colleague).get("/doors").partition("<main")[2]
    assert hall.of(colleague).status(f"/doors/{door}") == 404
    with hall.app.extensions["meitheal"].keyring.database.read() as session:
        assert not session.scalar(select(func.count()).select_from(ContentKey).where(ContentKey.scope_id == door))
    assert hall.of(author).post(f"/doors/{door}/close").status_code == 404


def test_three_at_once_and_what_cannot_be_offered_stays_in_its_boxes(hall: Hall) -> None:
    author = hall.course.teachers[0]
    ticket = re.findall(r'name="ticket" value="(\w+)"', hall.of(author).get("/doors/offer"))[0]
    for _ in range(2):
        assert hall.offer(author, ticket=ticket).status_code == 303
    assert len(hall.ids()) == 1
    for number in range(2):
        assert hall.offer(author, suits="" if number else SUITS).status_code == 303
    answer = hall.offer(author, "a fourth one")
    assert answer.status_code == 409 and ">\na fourth one</textarea>" in answer.text and len(hall.ids()) == 3
    assert "/doors/offer" not in hall.of(author).get("/doors")
    for topic, suits in (("", SUITS), ("\0 ", SUITS), ("x" * (rules.MAX_TOPIC + 1), SUITS), (TOPIC, "y" * 201)):
        answer = hall.offer(hall.course.teachers[1], topic, suits)
        assert answer.status_code == 400
        assert suits in answer.text and (topic in unescape(answer.text) or topic == "\0 ")
    assert len(hall.ids()) == 3


def test_of_somebody_who_left_or_leads_the_school_there_is_no_door(hall: Hall) -> None:
    for number, change in enumerate(({"is_active": False}, {"is_leader": True})):
        author = hall.course.teachers[number]
        hall.offer(author)
        door = hall.ids()[-1]
        hall.change(author, **change)
        assert hall.of(hall.course.teachers[3]).status(f"/doors/{door}") == 404
        assert "offers to show" not in hall.of(hall.course.teachers[3]).get("/doors")
        assert hall.of(author).post(f"/doors/{door}/close").status_code == 303


def test_nothing_new_opens_in_an_archived_activity_and_what_is_open_can_be_read(hall: Hall) -> None:
    author, colleague = hall.course.teachers[:2]
    hall.offer(author)
    with hall.database.write() as session:
        session.execute(update(Activity).values(status="archived"))
    assert hall.offer(author).status_code == 409
    page = hall.of(colleague).get(f"/doors/{hall.ids()[0]}")
    assert SUITS in page and "/partner/" not in page
    assert "/doors/offer" not in hall.of(colleague).get("/doors")


def test_who_has_a_partner_is_not_offered_to_invite(hall: Hall) -> None:
    hall.offer(hall.course.teachers[3])
    make_cycle(hall.database, hall.course, hall.clock.now)
    page = hall.of(hall.course.teachers[0]).get(f"/doors/{hall.ids()[0]}")
    assert SUITS in page and "/partner/" not in page


def test_the_author_can_see_who_read_it(hall: Hall) -> None:
    author, colleague = hall.course.teachers[:2]
    hall.offer(author)
    hall.of(colleague).get("/doors")
    hall.of(author).get(f"/doors/{hall.ids()[0]}")
    assert "Nobody has looked" in hall.of(author).get("/looked")
    hall.of(colleague).get(f"/doors/{hall.ids()[0]}")
    assert "Seán Ó Dónaill opened what you offer to show" in unescape(hall.of(author).get("/looked"))


def test_the_list_goes_by_month_and_name_and_its_statements_do_not_grow(hall: Hall) -> None:
    reader = hall.of(hall.course.teachers[3])
    hall.offer(hall.course.teachers[1])
    with recorded(hall.database) as few:
        reader.get("/doors")
    hall.offer(hall.course.teachers[2])
    hall.offer(hall.course.teachers[0])
    with recorded(hall.database) as many:
        page = unescape(reader.get("/doors"))
    assert len(few) == len(many) <= 12
    order = [page.index(each) for each in ("Gráinne", "Niamh", "Seán")]
    assert order == sorted(order)
    for odd in ("x", "-1", "9" * 40, "%00"):
        assert reader.status(f"/doors?page={odd}") == 200


def test_it_is_in_what_one_takes_away_and_goes_with_all_that_one_wrote(hall: Hall) -> None:
    author = hall.of(hall.course.teachers[0])
    hall.offer(hall.course.teachers[0])
    taken = author.client.get(f"{author.at}/mine/mine.json").get_json()["open_doors"]
    assert [(each["what_can_be_seen"], each["when_it_suits"]) for each in taken] == [(TOPIC, SUITS)]
    assert "1 open door" in author.get("/mine")
    assert author.post("/mine/everything", sure="1").status_code == 303
    assert not hall.ids()


@pytest.mark.parametrize("odd", ["%00", "0" * 16, "x" * 300, "a%2fb"])
def test_odd_ids_are_nothing(hall: Hall, odd: str) -> None:
    browser = hall.of(hall.course.teachers[0])
    assert browser.status(f"/doors/{odd}") == 404 and browser.post(f"/doors/{odd}/close").status_code == 404


def test_the_way_there_is_on_the_pages_of_the_next_step_and_of_the_end(hall: Hall) -> None:
    cycle_id = make_cycle(hall.database, hall.course, hall.clock.now)
    assert "/doors" in hall.of(hall.course.teachers[0]).get()
    assert "/doors" in hall.of(hall.course.teachers[3]).get()
    assert "/doors/offer" in hall.of(hall.course.teachers[0]).get(f"/cycles/{cycle_id}/end")


@pytest.mark.parametrize(
    ("topic", "suits", "problems"),
    [
        ("x", "", []),
        ("", "", [Problem.NO_TOPIC]),
        ("x" * 300, "y" * 200, []),
        ("x" * 301, "y" * 201, [Problem.LONG_TOPIC, Problem.LONG_SUITS]),
    ],
)
def test_what_is_wrong_with_an_offer(topic: str, suits: str, problems: list[Problem]) -> None:
    assert rules.problems_of(topic, suits) == problems
