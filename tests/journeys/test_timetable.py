"""Bells that a trainer says, and a timetable by thumb on a phone, by the keyboard and without a script."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from journeys.test_pages import Look
from journeys.test_wishes import NARROW, state_of
from playwright.sync_api import BrowserContext, expect
from schedule.written import ics_of


def test_bells_and_a_timetable_are_said_on_a_phone(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity, look = sandbox.add_activity(sandbox.register(live_tool)), Look(live_tool.url)

    def arrive(user: str, **options: bool) -> Somebody:
        somebody = Somebody(new_context(viewport=NARROW, **options), sandbox, user)
        somebody.open_alone(activity)
        return somebody

    trainer = arrive(steps.TRAINER)
    steps.set_up(trainer, "Collegial coaching")
    bells(trainer, look)
    for user, way in ((steps.NIAMH, by_thumb), (steps.SEAN, by_keyboard), ("orla.byrne", without_a_script)):
        phone = {"has_touch": True, "is_mobile": True} if way is by_thumb else {}
        somebody = arrive(user, **phone, java_script_enabled=way is not without_a_script)
        somebody.press("I have read this: continue")
        somebody.visit("timetable")
        way(somebody)
        if way is by_thumb:
            look(somebody)
        if way is by_keyboard:
            calendar(somebody, look)
            reminders(somebody, look)
        assert not somebody.errors
    assert not look.wrong, "\n".join(look.wrong)


def reminders(sean: Somebody, look: Look) -> None:
    """By the keyboard: nothing is lost by a mail server that is down."""
    page = sean.page
    sean.visit("reminders")
    look(sean)
    page.get_by_label("Bookings").select_option("Not at all")
    sean.follow(page.get_by_role("button", name="Keep it"))
    expect(page.get_by_label("Bookings")).to_have_value("off")
    page.get_by_role("textbox", name="Address").fill("sean@school.example")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("The mail server does not answer at present")
    expect(page.locator("main")).to_contain_text("sean@school.example is not confirmed")
    look.state = " with an address"
    look(sean)
    look.state = ""
    sean.follow(page.get_by_role("button", name="Delete the address"))
    expect(page.locator("main")).not_to_contain_text("sean@school.example")


def bells(trainer: Somebody, look: Look) -> None:
    page = trainer.page
    trainer.visit("school-week")
    trainer.press("The same with a short Wednesday and Friday")
    page.get_by_label("Monday, 1: From").fill("8.45")
    page.get_by_label("Holidays, line 1: From").fill("2026-10-26")
    page.get_by_text("Paste it from a list").click()
    look(trainer)
    page.get_by_label("Monday, 1: To").fill("8.40")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Monday, line 1: The end comes before the beginning.")
    look.state = " with an error"
    look(trainer)
    page.get_by_label("Monday, 1: To").fill("9.30")
    trainer.follow(page.get_by_role("button", name="Keep it"))
    expect(page.get_by_label("Monday, 1: From")).to_have_value("08:45")
    look.state = ""


def by_thumb(niamh: Somebody) -> None:
    """33 lessons of 40 minutes, as a whole post is."""
    page, began, taps = niamh.page, time.monotonic(), 0

    def tap(role: str, *names: str) -> None:
        nonlocal taps
        for name in names:
            page.get_by_role(role, name=name).tap()  # type: ignore[arg-type]
            taps += 1

    tap("button", "I teach all week")
    tap("radiogroup", "Monday, 3", "Tuesday, 5", "Tuesday, 7", "Thursday, 3", *["Thursday, 9"] * 2, *["Friday, 6"] * 3)
    assert state_of(page, "0-2", "0-0", "3-8", "4-5") == ["free", "open", "teach", "away"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    tap("button", "Keep it")
    print(f"timetable: {taps} taps, {time.monotonic() - began:.1f} s by machine")
    assert taps <= 15
    expect(page.locator("main")).to_contain_text("Times are proposed by it from now on.")
    assert state_of(page, "0-2", "0-0", "3-8", "4-5") == ["free", "open", "teach", "away"]


def by_keyboard(sean: Somebody) -> None:
    page = sean.page
    page.get_by_role("button", name="Monday: change all of it").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radiogroup", name="Monday, 2").get_by_role("radio", name="I teach", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="All days as Monday").press("Enter")
    assert state_of(page, "0-0", "0-1", "2-1", "4-5") == ["open", "free", "free", "open"]
    page.get_by_role("button", name="Period 2: change all of it").press("Enter")
    assert state_of(page, "0-1", "4-1", "4-2") == ["teach", "teach", "open"]
    sean.follow(page.get_by_role("button", name="Keep it"))
    assert state_of(page, "0-0", "0-1") == ["open", "teach"]


def calendar(sean: Somebody, look: Look) -> None:
    page = sean.page
    page.get_by_text("From a calendar instead").click()
    written = ics_of(datetime.now(UTC), "2B Maths", "Yard")
    page.set_input_files("#file", {"name": "lessons.ics", "mimeType": "text/calendar", "buffer": written})
    sean.follow(page.get_by_role("button", name="Read it"))
    look(sean)
    page.get_by_label("2B Maths").select_option("open")
    sean.follow(page.get_by_role("button", name="Keep it"))
    expect(page.locator("main")).to_contain_text("2B Maths")
    page.get_by_text("From another calendar").click()
    look.state = " from a calendar"
    look(sean)
    look.state = ""


def without_a_script(orla: Somebody) -> None:
    page = orla.page
    orla.press("I teach all week")
    page.get_by_role("radiogroup", name="Monday, 3").click()
    orla.press("All days as Monday")
    assert state_of(page, "0-2", "2-2", "4-3") == ["free", "free", "open"]
    orla.follow(page.get_by_role("button", name="Keep it"))
    assert state_of(page, "0-2", "2-2", "4-3") == ["free", "free", "open"]
