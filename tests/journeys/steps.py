"""The steps of a cycle as people do them, for the journeys to share."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from journeys.live import Somebody
from playwright.sync_api import expect

TRAINER, PRINCIPAL = "maire.niceoin", "eithne.nifhlatharta"
NIAMH, SEAN = "niamh.nibhriain", "sean.odonaill"


def set_up(trainer: Somebody, protocol: str) -> None:
    trainer.at.get_by_label(protocol).check()
    trainer.press("Open it to the teachers")


def whole_collegial_cycle(trainer: Somebody, niamh: Somebody, sean: Somebody) -> None:
    """From the welcome page to two submitted reflections; the trainer sees that, and no more."""
    sean.press("I have read this: continue")
    niamh.press("I have read this: continue")
    become_partners(niamh, sean)
    start_together(niamh, sean)
    talk_before(niamh, sean)
    visit(niamh, sean)
    talk_after(niamh, sean)
    reflect(niamh, "I ask, and answer myself.")
    trainer.home()
    expect(trainer.at.locator("main")).to_contain_text("Niamh Ní Bhriain")
    expect(trainer.at.locator("main")).not_to_contain_text("Seán Ó Dónaill")
    reflect(sean, "To wait with my own idea.")
    trainer.home()
    expect(trainer.at.locator("main")).to_contain_text("Seán Ó Dónaill")
    assert "answer myself" not in trainer.at.content()
    niamh.home()
    expect(niamh.at.locator("h1")).to_have_text("This cycle is finished")


def become_partners(host: Somebody, coach: Somebody, way: str = "Find a partner") -> None:
    host.press(way)
    host.press("Invite Seán Ó Dónaill")
    host.press("Send the invitation")
    coach.home()
    coach.press("Yes, coach together")
    host.home()


def start_together(host: Somebody, coach: Somebody) -> None:
    host.press("Start together")
    coach.press("Start together")
    host.write("hopes", "Somebody who looks with me.")
    host.write("norms", "We talk on Tuesdays. We say when something does not suit.")
    expect(coach.at.locator("#text-norms")).to_have_value(
        "We talk on Tuesdays. We say when something does not suit.", timeout=5000
    )
    host.press("Sign")
    coach.press("Sign")
    host.home()
    coach.home()


def talk_before(host: Somebody, coach: Somebody) -> None:
    # On one page; step by step it is in test_conversation.py.
    host.open_stage("Conversation before")
    coach.open_stage("Conversation before")
    host.write("goal", "That the quiet ones speak.")
    host.write("criteria", "Five more hands, and I wait longer.")
    coach.write("focus", "Who answers first, and who never does.")
    expect(host.at.locator("#text-focus")).to_have_value("Who answers first, and who never does.", timeout=5000)
    expect(coach.at.locator("main")).to_contain_text("Five more hands, and I wait longer.")
    coach.press("Confirm the goal")
    host.press("Confirm the goal")
    host.press("We have talked")
    coach.home()


def visit(host: Somebody, coach: Somebody) -> None:
    # The lesson was a moment ago, so that it can be said to have taken place.
    now = datetime.now(ZoneInfo("Europe/Dublin"))
    host.press("Plan the visit")
    host.write("visit_purpose", "To see who speaks.")
    book(host, "visit", now - timedelta(minutes=40), "Room 12")
    book(host, "after", now + timedelta(hours=3), "Staff room")
    for key in ("seat", "part", "pupils", "in_out", "time", "not_recorded"):
        host.write(f"card_{key}", f"Settled: {key}.")
    coach.home()
    coach.open_stage("The visit")
    coach.press("I will be there")
    coach.write("notes_seen", "Seat 4 answered at 10:12.")
    coach.write("notes_questions", "What did you wait for?")
    host.open_stage("The visit")
    expect(host.at.locator("main")).not_to_contain_text("Seat 4 answered")
    host.press("The visit has taken place")
    coach.home()


def book(somebody: Somebody, kind: str, when: datetime, place: str) -> None:
    card = somebody.at.locator(f"#meeting-{kind}")
    card.locator("[type=datetime-local]").fill(when.strftime("%Y-%m-%dT%H:%M"))
    card.get_by_label("Place").fill(place)
    somebody.follow(card.get_by_role("button"))


def talk_after(host: Somebody, coach: Somebody) -> None:
    host.open_stage("Conversation after")
    expect(host.at.locator("main")).to_contain_text("Seat 4 answered")
    expect(host.at.locator("main")).not_to_contain_text("What did you wait for?")
    host.press("I have spoken first")
    expect(host.at.locator("main")).to_contain_text("What did you wait for?")
    host.write("next_steps", "Count to five before the next name.")
    coach.open_stage("Conversation after")
    coach.press("We have talked")
    host.home()


def reflect(somebody: Somebody, learned: str) -> None:
    somebody.home()
    somebody.press("Write")
    somebody.write("own_learning", learned)
    somebody.press("Submit version 1: my trainer sees that I submitted, not what I wrote")
