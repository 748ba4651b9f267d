"""The main job in real browsers: a trainer sets an activity up, two teachers take each other through a whole cycle."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from journeys.conftest import ARGUMENTS, CHROMIUM
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext, Playwright, expect

TRAINER, PRINCIPAL = "maire.niceoin", "eithne.nifhlatharta"
NIAMH, SEAN = "niamh.nibhriain", "sean.odonaill"

COOKIES = {
    "allowed": {"profile": {"cookie_controls_mode": 0}},
    "blocked": {"profile": {"cookie_controls_mode": 1}},
    "none in the frame": {},
}
"""Preferences of three browsers; the last one's exception is made for the two addresses of a test."""

OpenBrowser = Callable[[str], BrowserContext]


@pytest.fixture
def open_browser(
    playwright: Playwright, tmp_path: Path, live_tool: LiveTool, sandbox: LiveSandbox
) -> Iterator[OpenBrowser]:
    """A browser of its own for one person, with one of COOKIES."""
    opened: list[BrowserContext] = []

    def open_one(cookies: str) -> BrowserContext:
        preferences: dict[str, Any] = COOKIES[cookies]
        if cookies == "none in the frame":
            pair = f"http://localhost:{live_tool.port},http://127.0.0.1:{sandbox.port}"
            rules = {"cookies": {pair: {"setting": 2}}}
            preferences = {"profile": {"content_settings": {"exceptions": rules}}}
        folder = tmp_path / f"browser-{len(opened)}"
        (folder / "Default").mkdir(parents=True)
        (folder / "Default" / "Preferences").write_text(json.dumps(preferences), "utf-8")
        context = playwright.chromium.launch_persistent_context(
            str(folder), executable_path=CHROMIUM, args=ARGUMENTS, viewport={"width": 900, "height": 900}
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.mark.parametrize(
    ("cookies", "storage"),
    [("allowed", False), ("blocked", False), ("none in the frame", False), ("none in the frame", True)],
    ids=["cookies allowed", "third-party cookies blocked", "no cookies in the frame", "platform storage"],
)
def test_a_full_cycle(
    cookies: str, storage: bool, open_browser: OpenBrowser, live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool, platform_storage=storage))
    in_frame = cookies != "none in the frame"

    def arrive(user: str) -> Somebody:
        somebody = Somebody(open_browser(cookies), sandbox, user)
        somebody.arrive(activity, in_frame=in_frame)
        return somebody

    trainer = arrive(TRAINER)
    # The browser is what this case says: a cookie that is not partitioned is kept, or is not.
    kept = trainer.at.evaluate("document.cookie = 'probe=1; SameSite=None; Secure', document.cookie")
    assert ("probe" in kept) is (cookies != "blocked")
    trainer.at.get_by_label("Collegial coaching").check()
    trainer.press("Open it to the teachers")

    sean = arrive(SEAN)
    sean.press("I have read this: continue")
    niamh = arrive(NIAMH)
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
    assert trainer.errors == niamh.errors == sean.errors == []
    principal = arrive(PRINCIPAL)
    expect(principal.at.locator("main")).not_to_contain_text("Niamh")


def become_partners(host: Somebody, coach: Somebody) -> None:
    host.press("Find a partner")
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
    host.press("Start the conversation")
    coach.press("Start the conversation")
    host.write("goal", "That the quiet ones speak.")
    host.write("criteria", "Five more hands, and I wait longer.")
    coach.write("focus", "Who answers first, and who never does.")
    expect(host.at.locator("#text-focus")).to_have_value("Who answers first, and who never does.", timeout=5000)
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
