"""Two teachers find times for all three meetings together: on phones of 320 px, one of them without a script."""

from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from journeys.test_pages import Look, cycle_of
from journeys.test_wishes import NARROW
from playwright.sync_api import BrowserContext, expect


def test_times_for_all_three_meetings_are_proposed_and_booked_together(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity, look = sandbox.add_activity(sandbox.register(live_tool)), Look(live_tool.url)

    def arrive(user: str, **options: bool) -> Somebody:
        somebody = Somebody(new_context(viewport=NARROW, **options), sandbox, user)
        somebody.open_alone(activity)
        return somebody

    steps.set_up(arrive(steps.TRAINER), "Collegial coaching")
    sean, niamh = arrive(steps.SEAN, java_script_enabled=False), arrive(steps.NIAMH)
    for each in (sean, niamh):
        each.press("I have read this: continue")
    steps.become_partners(niamh, sean)
    times = f"cycles/{cycle_of(live_tool)}/meeting-times"

    niamh.visit(times)
    look(niamh)
    expect(niamh.page.locator("main")).to_contain_text("no lesson, no gap, no title")
    niamh.press("Say when I teach and am free")
    week(niamh, "Monday, 3", "Monday, 6", "Monday, 8")
    sean.visit("timetable")
    week(sean, "Monday, 2", "Monday, 3", "Monday, 6")

    sean.visit(times)
    expect(sean.page.get_by_role("button", name="Book this")).to_have_count(0)
    expect(sean.page.locator("main")).to_contain_text("Niamh chooses")
    niamh.visit(times)
    look.state = " with proposals"
    look(niamh)
    niamh.page.get_by_label("Short conversations, of ten minutes").check()
    niamh.press("Look again")
    niamh.page.locator("textarea").fill("To see who speaks.")
    niamh.follow(niamh.page.get_by_role("button", name="Book this").first)
    expect(niamh.page.locator("main")).to_contain_text("It is booked for each of you.")
    look.state = " booked"
    look(niamh)
    niamh.page.get_by_text("Choose other times for all of them").click()
    niamh.page.get_by_label("The way back, too").check()
    niamh.press("Look again")
    look.state = " there and back"
    look(niamh)
    for each in (sean, niamh):
        each.visit(times)
        booked = each.page.locator("section", has=each.page.get_by_role("heading", name="Booked")).locator("dt")
        expect(booked).to_have_text(["Conversation before", "Visit", "Conversation after"])
        assert each.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    slip(niamh, look)
    assert not [*niamh.errors, *sean.errors]
    assert not look.wrong, "\n".join(look.wrong)


def week(somebody: Somebody, *free: str) -> None:
    """Teaches all week but in these periods of Monday, and as on Monday on all days."""
    page, has_script = somebody.page, somebody.user == steps.NIAMH

    def fill(name: str) -> None:
        button = page.get_by_role("button", name=name)
        button.click() if has_script else somebody.follow(button)

    fill("I teach all week")
    for name in free:
        page.get_by_role("radiogroup", name=name).click()
    fill("All days as Monday")
    somebody.follow(page.get_by_role("button", name="Keep it"))


def slip(niamh: Somebody, look: Look) -> None:
    niamh.press("A cover slip")
    look(niamh)
    niamh.page.get_by_label("Class", exact=True).fill("2B")
    niamh.press("Make the slip")
    expect(niamh.page.locator("main dl")).to_contain_text("2B")
    expect(niamh.page.locator("main dl")).not_to_contain_text("oach")
    look.state = " made"
    look(niamh)
