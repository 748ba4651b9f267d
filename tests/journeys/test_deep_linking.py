"""A trainer selects content in the LMS and places two activities; one is opened by a teacher, who finds it ready."""

from collections.abc import Callable

import pytest
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext, expect


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_a_trainer_places_two_activities_and_a_teacher_opens_one(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox, scripts: bool
) -> None:
    sandbox.register(live_tool)
    trainer = Somebody(new_context(java_script_enabled=scripts), sandbox, steps.TRAINER)
    page = trainer.context.new_page()
    trainer.page = page
    page.goto(sandbox.url)
    page.locator(".cards a").first.click()
    course = page.url
    page.get_by_role("link", name="Add an activity").click()
    page.get_by_role("link", name="Select content from Meitheal").click()
    place_two(trainer, scripts)
    page.goto(course)
    expect(page.get_by_role("link", name="Cycle before Easter")).to_be_visible()
    expect(page.locator("body")).to_contain_text("To look at our questions.")

    first = address_of(trainer, course, "Cycle before Easter")
    niamh = Somebody(new_context(), sandbox, steps.NIAMH)
    niamh.open(first)
    expect(niamh.at.locator("main")).to_contain_text("To look at our questions.")
    niamh.press("I have read this: continue")
    niamh.press("Find a partner")
    if scripts:
        trainer.open(first)
        expect(trainer.at.locator("main")).to_contain_text("How it is going")
        trainer.open(address_of(trainer, course, "Cycle after Easter"))
        expect(trainer.at.locator("main")).to_contain_text("How it is going")
        assert not trainer.errors
    assert not niamh.errors


def place_two(trainer: Somebody, scripts: bool) -> None:
    """Fills the form in the LMS's frame, and ends on the LMS's own page."""
    outer = trainer.page.frame_locator("iframe.tool")
    while not scripts and not outer.locator("#title-1").count():
        # Without JavaScript the LMS offers a button for each form that it would send by itself.
        button = outer.get_by_role("button", name="Continue")
        button.or_(outer.locator("#title-1")).first.wait_for()
        if button.count():
            button.click()
            trainer.page.wait_for_timeout(300)
    outer.locator("#title-1").wait_for()
    outer.locator("#title-1").fill("Cycle before Easter")
    outer.locator("#purpose-1").fill("To look at our questions.")
    outer.locator("#protocol-1").get_by_label("Collegial coaching").check()
    outer.locator("#title-2").fill("Cycle after Easter")
    outer.get_by_role("button", name="Place it in the course").click()
    if not scripts:
        outer.get_by_role("button", name="Go on in your course").click()
        outer.get_by_role("button", name="Continue").click()
    expect(outer.get_by_role("heading", name="Added to the course")).to_be_visible()
    expect(outer.locator("li")).to_have_text(["Cycle before Easter", "Cycle after Easter"])


def address_of(trainer: Somebody, course: str, title: str) -> str:
    page = trainer.context.new_page()
    page.goto(course)
    way = page.get_by_role("link", name=title).get_attribute("href")
    assert way is not None
    return "/".join(course.split("/")[:3]) + way
