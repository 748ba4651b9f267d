"""The ladder through the pages: what a pair that goes less far meets, and how it comes to go less far or further."""

from datetime import timedelta

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import Room, make_cycle
from cycles.test_cycle_pages import CARD, cycle_row, local
from flask import Flask
from sqlalchemy import select, update

from lti_tool.cycles.models import CycleMember, StepWish
from lti_tool.pairing import service as pairing
from lti_tool.protocols.recipe import STEPS


@pytest.fixture
def pair(app: Flask, collegial: Room, clock) -> tuple[Browser, Browser]:
    """Host and coach at the pages of pairing."""
    host, coach = (
        Browser(app, collegial.database, clock, teacher, collegial.course.activity_id)
        for teacher in collegial.course.teachers[:2]
    )
    return host, coach


def go(browser: Browser, step: str) -> None:
    """Says in the running cycle how far one goes."""
    assert browser.post("/how-far", step=step, **{"from": "now"}).status_code == 303


def visit(room: Room, clock) -> None:
    """Plans, confirms and closes a visit, with what the page asks for and no more."""
    room.host.get("visit")
    card = {f"text__{key}": "settled" for key in CARD if f'name="text-{key}"' in room.host.page}
    when = local(clock() + timedelta(days=2))
    room.host.press("visit/meetings/visit", text__visit_purpose="Who asks whom", visit__starts=when,
                    visit__minutes="40", visit__place="Room 5", **card)  # fmt: skip
    room.coach.get("visit")
    if 'name="after-starts"' in room.coach.page:
        room.coach.press("visit/meetings/after", after__starts=local(clock() + timedelta(days=3)))
    room.coach.get("visit")
    room.coach.press("visit/confirm")
    room.coach.get("visit")
    if 'name="text-notes_seen"' in room.coach.page:
        room.coach.press("visit/save", text__notes_seen="10:14 seat 7 asks seat 3")


def visited(room: Room, clock) -> None:
    visit(room, clock)
    clock.advance(3 * 86400)
    room.host, room.coach = (room.desk_of(teacher) for teacher in room.course.teachers[:2])
    room.host.get("visit")
    room.host.press("visit/done")
    assert room.host.status == 303


def reflect(room: Room) -> None:
    for desk in (room.host, room.coach):
        desk.get("reflect")
        desk.press("reflect/submit", text__own_learning="Mine")
    assert cycle_row(room).status == "finished"


def test_a_teacher_who_wants_to_be_looked_at_only_meets_no_form_for_notes(
    collegial: Room, clock, pair: tuple[Browser, Browser]
) -> None:
    go(pair[0], "look")
    collegial.start_together()
    home = collegial.host.home()
    assert "Conversation before" not in home and "Conversation after" not in home and "The visit" in home
    for desk in (collegial.host, collegial.coach):
        page = desk.get("visit")
        assert "to look. Nothing is noted" in page and "not which step is done" in page
        assert "notes" not in page.split("<h1")[1].replace("Nothing is noted", "").lower()
        assert "Conversation after" not in page and 'name="after-starts"' not in page
        assert "Your next step" in desk.get("before"), "an old address leads on"
    visited(collegial, clock)
    assert "Write your reflection" in collegial.host.home()
    reflect(collegial)


def test_data_are_handed_over_and_no_talk_is_owed(collegial: Room, clock, pair: tuple[Browser, Browser]) -> None:
    go(pair[1], "data")
    collegial.start_together()
    visit(collegial, clock)
    assert "10:14" not in collegial.host.get("visit"), "they open with the end of the visit"
    clock.advance(3 * 86400)
    collegial.host, collegial.coach = (collegial.desk_of(teacher) for teacher in collegial.course.teachers[:2])
    assert "each of you reflects" in collegial.host.home()
    collegial.host.get("visit")
    collegial.host.press("visit/done")
    assert "10:14 seat 7 asks seat 3" in collegial.host.get("visit")
    assert "10:14 seat 7 asks seat 3" in collegial.host.get("reflect")
    assert "My questions" not in collegial.coach.get("visit")
    assert cycle_row(collegial).notes_due_at == clock() + timedelta(days=30), "raw notes live no longer than others"
    reflect(collegial)


def test_with_a_conversation_and_without_the_coachs_questions(
    collegial: Room, clock, pair: tuple[Browser, Browser]
) -> None:
    go(pair[0], "talk")
    collegial.start_together()
    assert 'name="text-beliefs"' not in collegial.host.get("before")
    collegial.talk_before()
    visited(collegial, clock)
    page = collegial.host.get("after")
    assert "10:14 seat 7 asks seat 3" in page and "My questions" not in page and "coach’s questions" not in page
    assert "I have spoken first" not in page
    collegial.host.press("after/done")
    assert "Write your reflection" in collegial.host.home()
    reflect(collegial)


def test_one_alone_goes_less_far_and_further_only_both(collegial: Room, pair: tuple[Browser, Browser]) -> None:
    host, coach = pair
    assert "<strong>Full coaching</strong>" in host.get("/how-far").partition("go as far as")[2][:60]

    def together() -> str:
        pages = [each.get("/how-far").partition("The two of you go as far as:")[2][:60] for each in pair]
        assert pages[0] == pages[1]
        return pages[0]

    go(coach, "look")
    assert "Look only" in together()
    before = cycle_row(collegial).revision
    for step in (*STEPS[1:], "", "look"):
        go(host, step)
        assert "Look only" in together()
        assert cycle_row(collegial).revision == before, "the other's pages notice nothing"
    go(host, "talk")
    go(coach, "full")
    assert "Data and conversation" in together() and cycle_row(collegial).revision > before
    go(host, "")
    assert "Full coaching" in together()


def test_a_wish_is_for_the_cycles_that_begin_and_a_cycle_keeps_its_step(
    app: Flask, collegial: Room, clock, pair: tuple[Browser, Browser]
) -> None:
    host, coach = pair
    assert coach.post("/how-far", step="data", **{"from": "next"}).status_code == 303
    assert "Full coaching" in host.get("/how-far").partition("as far as:")[2][:60]
    with collegial.database.write() as session:
        pairing.end_pair(session, cycle_row(collegial).pair_id, clock())
    make_cycle(collegial.database, collegial.course, clock())
    for browser in pair:
        assert "Data only" in browser.get("/how-far").partition("as far as:")[2][:60]
    assert coach.post("/how-far", step="", **{"from": "next"}).status_code == 303
    with collegial.database.read() as session:
        assert session.scalars(select(StepWish.step)).all() == [], "nothing is kept of what was said before"
    assert "Data only" in host.get("/how-far").partition("as far as:")[2][:60]


def test_what_is_typed_on_a_page_that_falls_away_is_kept(collegial: Room, pair: tuple[Browser, Browser]) -> None:
    collegial.start_together()
    collegial.host.get("before")
    collegial.coach.get("before")
    go(pair[1], "look")
    collegial.host.press("before/meetings/before", text__goal="They ask each other", before__starts="2030-01-01T10:00")
    assert collegial.host.status == 303 and "What you typed is kept" in collegial.host.page
    assert collegial.coach.save_json("focus", "Who asks whom")["revision"]
    for path in ("agreements/goal", "before/done", "before/save"):
        collegial.host.post(path, text__criteria=path)
        assert collegial.host.status == 303, path
    assert collegial.host.post("visit/first-turn") and collegial.host.status == 404
    assert "They ask each other" not in collegial.coach.home()
    go(pair[1], "full")
    page = collegial.coach.get("before")
    assert "They ask each other" in page and "Who asks whom" in page


def test_the_conversation_after_can_be_left_out_late(collegial: Room, clock, pair: tuple[Browser, Browser]) -> None:
    collegial.start_together()
    collegial.talk_before()
    visited(collegial, clock)
    collegial.host.get("after")
    late = [Browser(each.client.application, collegial.database, clock, each.membership, collegial.course.activity_id)
            for each in pair]  # fmt: skip
    go(late[0], "data")
    collegial.host.post("after/first-turn", text__looking_back="What stands out")
    assert collegial.host.status == 303
    assert "Write your reflection" in collegial.host.home()
    assert "10:14 seat 7 asks seat 3" in collegial.host.get("visit"), "what was handed over stays"
    assert cycle_row(collegial).notes_due_at is not None
    go(late[0], "full")
    assert "What stands out" in collegial.host.get("after")
    assert cycle_row(collegial).stage == "reflect", "a trainer sees nobody come back"


def test_bad_answers_and_places_without_a_ladder(
    app: Flask, light: Room, collegial: Room, clock, pair: tuple[Browser, Browser]
) -> None:
    for fields in ({}, {"step": "far"}, {"step": "look\0"}, {"step": "x" * 9999, "from": "now"}):
        assert pair[0].post("/how-far", **fields).status_code == 400
    in_light = Browser(app, light.database, clock, light.course.teachers[0], light.course.activity_id)
    assert in_light.status("/how-far") == 404 and in_light.post("/how-far", step="look").status_code == 404
    course = collegial.course
    for who in (course.trainer, course.guest, course.leader, course.administrator):
        other = Browser(app, collegial.database, clock, who, course.activity_id)
        assert other.status("/how-far") == 404 and other.post("/how-far", step="look").status_code == 404
    with collegial.database.write() as session:
        assert session.scalars(select(CycleMember.step)).all() == ["full"] * 4
        session.execute(update(CycleMember).values(step="look"))
    with recorded(collegial.database) as statements:
        pair[0].get("/how-far")
    assert len(statements) <= 12
