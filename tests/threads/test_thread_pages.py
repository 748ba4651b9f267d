"""The thread of a pair, through the door: who reads it and who writes, what is refused, what stays after the pair."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from sqlalchemy import func, select, update

from lti_tool.cycles.models import Cycle
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.looks.models import Look
from lti_tool.privacy.models import ContentKey
from lti_tool.store.database import Database
from lti_tool.threads import rules
from lti_tool.threads.models import ThreadMessage

WORDS = "Could we look at\r\nwho asks <whom>?"


@dataclass
class Pair:
    """Two teachers in a pair, a third one, and the thread of the two."""

    app: Flask
    database: Database
    clock: Any
    course: MadeCourse
    id: str
    host: Browser
    coach: Browser

    def browser(self, membership: str, activity: str | None = None) -> Browser:
        return Browser(self.app, self.database, self.clock, membership, activity or self.course.activity_id)

    def write(self, who: Browser, text: str = WORDS, **fields: str) -> Any:
        return who.post(f"/thread/{self.id}", text=text, **fields)

    def page(self, who: Browser) -> str:
        return unescape(who.get(f"/thread/{self.id}"))

    def ids(self) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(ThreadMessage.id).order_by(ThreadMessage.sent_at)))

    def end(self) -> None:
        with self.database.write() as session:
            pairing.end_pair(session, self.id, self.clock.now)


@pytest.fixture
def pair(app: Flask, database: Database, clock: Any) -> Iterator[Pair]:
    course = make_course(database, teachers=4, now=clock.now)
    cycle_id = make_cycle(database, course, clock.now)
    with database.read() as session:
        pair_id = session.scalars(select(Cycle.pair_id).where(Cycle.id == cycle_id)).one()
    host, coach = (Browser(app, database, clock, each, course.activity_id) for each in course.teachers[:2])
    yield Pair(app, database, clock, course, pair_id, host, coach)


def test_what_one_writes_the_other_reads_with_the_newest_last(pair: Pair) -> None:
    assert pair.write(pair.host).status_code == 303
    pair.clock.advance(60)
    assert pair.write(pair.coach, "Yes, on Tuesday.").status_code == 303
    for browser in (pair.host, pair.coach):
        page = browser.get(f"/thread/{pair.id}")
        assert "who asks &lt;whom&gt;?" in page
        assert page.index("who asks") < page.index("Yes, on Tuesday.")
    assert pair.host.client.get(f"{pair.host.at}/thread").location.endswith(f"/thread/{pair.id}")


def test_nobody_but_the_two_finds_it(pair: Pair) -> None:
    pair.write(pair.host)
    (message,) = pair.ids()
    elsewhere = make_course(pair.database, teachers=1, now=pair.clock.now)
    course = pair.course
    others = [(each, None) for each in (course.teachers[2], course.trainer, course.guest, course.leader)]
    others += [(course.administrator, None), (elsewhere.teachers[0], elsewhere.activity_id)]
    others += [(course.teachers[0], add_activity(pair.database, course, pair.clock.now))]
    for membership, activity in others:
        browser = pair.browser(membership, activity)
        for path in (f"/thread/{pair.id}", f"/thread/{pair.id}/news?known="):
            assert browser.status(path) == 404
        assert pair.write(browser).status_code == 404
        assert browser.post(f"/messages/{message}/delete").status_code == 404
    # Also the other of the two deletes nothing of mine.
    assert pair.coach.post(f"/messages/{message}/delete").status_code == 404
    assert pair.ids() == [message]


def test_a_message_sent_twice_is_one_and_what_is_too_long_stays_in_its_box(pair: Pair) -> None:
    ticket = re.findall(r'name="ticket" value="(\w+)"', pair.page(pair.host))[0]
    for _ in range(2):
        assert pair.write(pair.host, ticket=ticket).status_code == 303
    assert len(pair.ids()) == 1
    long = "x" * (rules.MAX_LENGTH + 7)
    answer = pair.write(pair.host, long)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and f">\n{long}</textarea>" in page and "7 more" in page
    assert pair.write(pair.host, "x" * rules.MAX_LENGTH).status_code == 303


@pytest.mark.parametrize("text", ["", " \r\n ", "\0"])
def test_nothing_is_no_message(pair: Pair, text: str) -> None:
    assert pair.write(pair.host, text).status_code == 400
    assert not pair.ids()


def test_one_s_own_message_can_be_deleted_for_both_with_its_key(pair: Pair) -> None:
    pair.write(pair.host)
    (message,) = pair.ids()
    assert f"/messages/{message}/delete" in pair.page(pair.host)
    assert f"/messages/{message}/delete" not in pair.page(pair.coach)
    assert pair.host.post(f"/messages/{message}/delete").status_code == 303
    assert "who asks" not in pair.page(pair.coach)
    assert pair.host.post(f"/messages/{message}/delete").status_code == 404
    with pair.app.extensions["meitheal"].keyring.database.read() as session:
        assert not session.scalar(select(func.count()).select_from(ContentKey).where(ContentKey.scope_id == pair.id))


def test_an_open_page_gets_what_is_new_and_nothing_when_nothing_is(pair: Pair) -> None:
    known = re.findall(r'data-known="(\w+)"', pair.page(pair.coach))[0]
    news = f"{pair.coach.at}/thread/{pair.id}/news?known="
    assert pair.coach.client.get(news + known).status_code == 204
    pair.write(pair.host)
    answer = pair.coach.client.get(news + known)
    assert answer.status_code == 200 and "who asks" in answer.text and "<form" not in answer.text
    known = re.findall(r'data-known="(\w+)"', answer.text)[0]
    assert pair.coach.client.get(news + known).status_code == 204
    pair.host.post(f"/messages/{pair.ids()[0]}/delete")
    assert pair.coach.client.get(news + known).status_code == 200


def test_a_pause_closes_nothing_and_after_the_end_it_is_there_to_read(pair: Pair) -> None:
    pair.host.post("/pair/pause")
    assert pair.write(pair.host).status_code == 303
    pair.end()
    for browser in (pair.host, pair.coach):
        page = pair.page(browser)
        assert "who asks" in page and "<textarea" not in page and "has ended" in page
        answer = pair.write(browser, "too late, and not lost")
        assert answer.status_code == 409 and "too late, and not lost" in answer.text
    (message,) = pair.ids()
    assert pair.host.post(f"/messages/{message}/delete").status_code == 303


def test_it_goes_on_from_cycle_to_cycle_and_a_new_pair_has_its_own(pair: Pair) -> None:
    pair.write(pair.host)
    pair.end()
    with pair.database.write() as session:
        second = pairing._make_pair(
            session, [pair.course.teachers[0], pair.course.teachers[2]], pair.course.activity_id, pair.clock.now
        )
    assert pair.host.client.get(f"{pair.host.at}/thread").location.endswith(second)
    page = unescape(pair.host.get(f"/thread/{second}"))
    assert "who asks" not in page and f"/thread/{pair.id}" in page and "You and Seán" in page
    third = pair.browser(pair.course.teachers[2])
    assert third.status(f"/thread/{pair.id}") == 404 and third.status(f"/thread/{second}") == 200


def test_who_left_the_course_reads_and_does_not_write(pair: Pair) -> None:
    pair.write(pair.host)
    with pair.database.write() as session:
        session.execute(update(Membership).where(Membership.id == pair.course.teachers[1]).values(is_active=False))
    page = pair.page(pair.coach)
    assert "who asks" in page and "<textarea" not in page
    assert pair.write(pair.coach).status_code == 409


def test_that_somebody_wrote_is_said_quietly_and_reading_is_noted_for_its_author(pair: Pair) -> None:
    assert "wrote," not in pair.coach.get()
    pair.write(pair.host)
    assert "Niamh wrote, today." in pair.coach.get() and "wrote," not in pair.host.get()
    assert "Niamh wrote, today." in pair.coach.get("/pair")
    pair.page(pair.coach)
    pair.page(pair.host)
    assert "Seán Ó Dónaill opened your thread" in unescape(pair.host.get("/looked"))
    with pair.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Look)) == 1
    pair.clock.advance(15 * 24 * 3600)
    again = pair.browser(pair.course.teachers[1])
    assert "wrote," not in again.get()


def test_the_newest_stand_on_the_first_page_and_the_statements_do_not_grow(pair: Pair) -> None:
    if pair.clock.now.minute == 59:
        pair.clock.advance(60)  # who looked is written down once an hour
    pair.write(pair.host, "the very first")
    pair.page(pair.coach)
    with recorded(pair.database) as few:
        pair.page(pair.coach)
    for number in range(41):
        pair.clock.advance(1)
        pair.write(pair.host, f"number-{number};")
    with recorded(pair.database) as many:
        page = pair.page(pair.coach)
    assert len(few) == len(many) <= 12
    assert "number-40;" in page and "number-1;" in page and "number-0;" not in page and "the very first" not in page
    earlier = unescape(pair.coach.get(f"/thread/{pair.id}?earlier=2"))
    assert "the very first" in earlier and "number-0;" in earlier and "number-1;" not in earlier
    for odd in ("x", "-1", "0", "9" * 30, "%00"):
        assert pair.coach.status(f"/thread/{pair.id}?earlier={odd}") == 200


def test_in_a_group_it_is_of_all_who_are_in_it_now(app: Flask, database: Database, clock: Any) -> None:
    course = make_course(database, teachers=4, now=clock.now)
    activity = add_activity(database, course, clock.now, kind="group", protocol="consultancy")
    browsers = [Browser(app, database, clock, each, activity) for each in course.teachers]
    with database.write() as session:
        group = pairing.make_group(session, course.teachers[0], activity, clock.now)
        assert group
        for member in course.teachers[1:3]:
            assert pairing.join_group(session, group, member, activity_id=activity, most=8, now=clock.now)
    for number, browser in enumerate(browsers[:3]):
        assert browser.post(f"/thread/{group}", text=f"from-{number}").status_code == 303
        clock.advance(1)
    page = unescape(browsers[1].get(f"/thread/{group}"))
    assert all(f"from-{number}" in page for number in range(3)) and "only" not in page
    assert "Seen by you and Gráinne and Niamh, and by whoever joins the group later." in page
    assert "Gráinne wrote, today." in browsers[0].get() and browsers[3].status(f"/thread/{group}") == 404
    # Whoever leaves takes their own words along, and reads nothing that the others write from then on.
    with database.write() as session:
        pairing.take_out(session, group, course.teachers[2], clock.now)
    assert browsers[2].status(f"/thread/{group}") == 404
    browsers[0].post(f"/thread/{group}", text="after-they-left")
    taken = browsers[2].client.get(f"{browsers[2].at}/mine/mine.json").get_json()["threads"]
    assert [each["text"] for each in taken] == ["from-2"]
    page = unescape(browsers[1].get(f"/thread/{group}"))
    assert "after-they-left" in page and "from-2" in page and "somebody who left" in page
    with database.read() as session:
        rows = session.execute(select(ThreadMessage.id, Person.given_name).join(Person)).all()
    for message_id, name in rows:
        assert browsers[2].post(f"/messages/{message_id}/delete").status_code == (303 if name == "Gráinne" else 404)
    page = unescape(browsers[1].get(f"/thread/{group}"))
    assert "from-2" not in page and "from-0" in page


@pytest.mark.parametrize("odd", ["%00", "0" * 16, "x" * 300, "a%2fb"])
def test_odd_ids_are_nothing(pair: Pair, odd: str) -> None:
    assert pair.host.status(f"/thread/{odd}") == 404
    assert pair.host.post(f"/messages/{odd}/delete").status_code == 404


def test_it_is_in_what_one_takes_away_and_goes_with_all_that_one_wrote(pair: Pair) -> None:
    pair.write(pair.host)
    pair.clock.advance(1)
    pair.write(pair.coach, "Yes, on Tuesday.")
    for browser in (pair.host, pair.coach):
        taken = browser.client.get(f"{browser.at}/mine/mine.json").get_json()["threads"]
        assert [each["text"] for each in taken] == [WORDS.replace("\r", ""), "Yes, on Tuesday."]
        assert "Yes, on Tuesday." in browser.get("/mine/mine.html")
    assert "1 message in a thread" in pair.host.get("/mine")
    assert pair.host.post("/mine/everything", sure="1").status_code == 303
    assert "who asks" not in pair.page(pair.coach) and "Yes, on Tuesday." in pair.page(pair.coach)


@pytest.mark.parametrize(
    ("mine", "others", "said"),
    [(None, None, False), (1, None, False), (None, 1, True), (2, 1, True), (1, 2, False), (None, 14, False)],
)
def test_the_sign_asks_only_who_wrote(mine: int | None, others: int | None, said: bool, clock: Any) -> None:
    mine_at, others_at = (None if days is None else clock.now - timedelta(days=days) for days in (mine, others))
    assert rules.spoke_last(mine_at, others_at, clock.now) is said
