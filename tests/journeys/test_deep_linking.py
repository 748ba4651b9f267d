"""A trainer selects content in the LMS and places three activities; teachers open them and find them ready."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext, Locator, TimeoutError, expect

PICTURES = os.environ.get("MEITHEAL_PICTURES", "")
"""A folder: the pictures of docs/trainer.md are made there."""


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_a_trainer_places_three_activities_and_teachers_open_them(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox, scripts: bool
) -> None:
    sandbox.register(live_tool)
    trainer = Somebody(new_context(java_script_enabled=scripts), sandbox, steps.TRAINER)
    page = trainer.context.new_page()
    trainer.page = page
    begun = time.monotonic()
    page.goto(sandbox.url)
    page.locator(".cards a").first.click()
    course = page.url
    page.get_by_role("link", name="Add an activity").click()
    page.get_by_role("link", name="Select content from Meitheal").click()
    place_three(trainer, scripts)
    page.goto(course)
    expect(page.get_by_role("link", name="Cycle before Easter")).to_be_visible()
    expect(page.locator("body")).to_contain_text("To look at our questions.")
    print(f"from the LMS's front page to three placed activities: {time.monotonic() - begun:.1f} s")
    picture(trainer, scripts, "trainer-2-course", 800)

    niamh = Somebody(new_context(), sandbox, steps.NIAMH)
    niamh.open(address_of(trainer, course, "Cycle before Easter"))
    expect(niamh.at.locator("main")).to_contain_text("To look at our questions.")
    niamh.press("I have read this: continue")
    expect(niamh.at.locator("main")).to_contain_text("Pairing round")
    if scripts:
        sean = Somebody(new_context(), sandbox, steps.SEAN)
        pairing = address_of(trainer, course, "Pairing round")
        for teacher in (niamh, sean):
            teacher.open(pairing)
        sean.press("I have read this: continue")
        niamh.press("Find a partner yourself")
        niamh.press("Invite Seán Ó Dónaill")
        niamh.press("Send the invitation")
        sean.home()
        sean.press("Yes, coach together")
        expect(sean.at.locator("main")).to_contain_text("Cycle before Easter")
        niamh.open(address_of(trainer, course, "Cycle before Easter"))
        niamh.press("Begin with Seán")
        expect(niamh.at.locator("main")).to_contain_text("you are the host, and Seán is the coach")
        for title in ("Cycle before Easter", "Pairing round", "Looking back"):
            trainer.open(address_of(trainer, course, title))
            expect(trainer.at.locator("main")).to_contain_text("How it is going")
        arrange(trainer, niamh)
        assert not trainer.errors + sean.errors
    assert not niamh.errors


def arrange(trainer: Somebody, niamh: Somebody) -> None:
    """The trainer gives the plan its days and order, and a teacher follows it."""
    trainer.press("Plan of the course")
    plan = trainer.at.locator("main")
    expect(plan.locator("h2")).to_have_text(["Cycle before Easter", "Looking back", "Pairing round"])
    earlier(plan, "Pairing round")
    expect(plan.locator("h2")).to_have_text(["Cycle before Easter", "Pairing round", "Looking back"])
    earlier(plan, "Pairing round")
    expect(plan.locator("h2")).to_have_text(["Pairing round", "Cycle before Easter", "Looking back"])
    plan.get_by_label("First day").nth(2).fill("2027-05-03")
    # What was typed stands in the box before it is saved, too.
    with trainer.page.expect_response(lambda answer: answer.request.method == "POST"):
        plan.get_by_role("button", name="Save the days").last.click()
    expect(plan.get_by_label("First day").nth(2)).to_have_value("2027-05-03")
    picture(trainer, True, "trainer-3-plan", 1300)
    niamh.home()
    expect(niamh.at.locator("main")).to_contain_text("Starts on 3 May 2027")
    niamh.press("Plan of the course")
    expect(niamh.at.locator("h2")).to_have_text(["Pairing round", "Cycle before Easter", "Looking back"])


def earlier(plan: Locator, title: str) -> None:
    plan.locator("li").filter(has_text=title).locator("[name=move][value^=up]").click()


def picture(somebody: Somebody, scripts: bool, name: str, height: int = 1000) -> None:
    if not PICTURES or not scripts:
        return
    # Chromium paints the frame of another site only where it can be seen, so not for a full page.
    before = somebody.page.viewport_size
    somebody.page.set_viewport_size({"width": 900, "height": height})
    somebody.page.evaluate("scrollTo(0, 0)")
    somebody.page.wait_for_timeout(1000)
    somebody.page.screenshot(path=Path(PICTURES) / f"{name}.png")
    if before:
        somebody.page.set_viewport_size(before)


def place_three(trainer: Somebody, scripts: bool) -> None:
    """Fills the form in the LMS's frame, and ends on the LMS's own page."""
    outer = trainer.page.frame_locator("iframe.tool")
    offer = outer.get_by_label("Pairing round", exact=True)
    while not scripts and not offer.count():
        # Without JavaScript the LMS offers a button for each form that it would send by itself.
        button = outer.get_by_role("button", name="Continue")
        button.or_(offer).first.wait_for()
        if button.count():
            # The button of the page before may still be there for a moment.
            with contextlib.suppress(TimeoutError):
                button.click(timeout=2000)
            trainer.page.wait_for_timeout(300)
    offer.check()
    expect(outer.locator("#title-cycle-light")).to_be_hidden()
    outer.get_by_label("Coaching cycle: Collegial coaching", exact=True).check()
    outer.locator("#title-cycle-collegial").fill("Cycle before Easter")
    outer.locator("#purpose-cycle-collegial").fill("To look at our questions.")
    outer.locator("#pairs-cycle-collegial").get_by_label("From the pairing round that I place now").check()
    outer.locator("summary").locator("visible=true").nth(0).click()
    outer.locator("#starts-cycle-collegial").fill("2027-01-11")
    outer.locator("[name=want][value='reflection:reflection']").check()
    outer.locator("#title-reflection-reflection").fill("Looking back")
    picture(trainer, scripts, "trainer-1-offers", 2100)
    outer.get_by_role("button", name="Place it in the course").click()
    if not scripts:
        outer.get_by_role("button", name="Go on in your course").click()
        outer.get_by_role("button", name="Continue").click()
    expect(outer.get_by_role("heading", name="Added to the course")).to_be_visible()
    expect(outer.locator("li")).to_have_text(["Cycle before Easter", "Pairing round", "Looking back"])


def address_of(trainer: Somebody, course: str, title: str) -> str:
    page = trainer.context.new_page()
    page.goto(course)
    way = page.get_by_role("link", name=title).get_attribute("href")
    assert way is not None
    return "/".join(course.split("/")[:3]) + way
