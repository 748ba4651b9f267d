"""Two people at two devices build an instrument, by thumb and by the keyboard; both approve it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cycles.pair_at_work import make_cycle
from factories import make_course
from journeys.live import LiveTool, Somebody
from journeys.phone import PHONE, sign_in
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, Page, expect


def test_an_instrument_is_built_on_two_devices_and_approved_by_both(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool
) -> None:
    with live_tool.database() as database:
        course = make_course(database, protocol="collegial")
        cycle_id = make_cycle(database, course, datetime.now(UTC))
    look = Look(live_tool.url)

    def arrive(user: str, membership: str, **options: Any) -> Somebody:
        context = new_context(**options)
        somebody = Somebody(context, None, user)
        somebody.look = look
        somebody.open_signed_in(
            f"{sign_in(live_tool, context, course.activity_id, membership)}/cycles/{cycle_id}/before"
        )
        return somebody

    niamh = arrive("niamh", course.teachers[0], **PHONE)
    sean = arrive("sean", course.teachers[1], viewport={"width": 1200, "height": 900})
    for each in (sean, niamh):
        each.press("To the instrument")

    niamh.follow(niamh.page.get_by_role("link", name=re.compile("See an example.*Who speaks to whom")))
    niamh.press("Begin with this")
    niamh.press("Draw the plan")
    by_thumb(niamh)

    sean.page.reload()
    look(sean)
    sean.press("Open it")
    expect(sean.page.locator("main")).to_contain_text("A plan with 7 seats.")
    sean.page.get_by_label("Name").fill("Who answers whom")
    sean.press("Change the plan")
    by_keyboard(sean)
    sean.press("I approve it as it is here")
    expect(sean.page.locator("main")).to_contain_text("Niamh has not approved it yet.")

    # Hers is from before his change, so it is shown to her first.
    niamh.press("I approve it as it is here")
    expect(niamh.page.get_by_role("alert")).to_contain_text("It has changed since you opened this page.")
    expect(niamh.page.locator("h1")).to_have_text("Who answers whom")
    niamh.press("I approve it as it is here")
    for each in (niamh, sean):
        each.page.goto(niamh_path(each, niamh))
        look.state = " frozen"
        look(each)
        expect(each.page.locator("main")).to_contain_text("All of you approved it")
        expect(each.page.locator("main")).to_contain_text(
            "You changed the plan of the room" if each is sean else "Seán changed the plan of the room"
        )
        expect(each.page.get_by_label("Name")).to_have_count(0)

    niamh.at.locator("summary", has_text="Keep it in your library").tap()
    niamh.press("Keep it")
    expect(niamh.page.locator("main")).to_contain_text("Who answers whom")
    assert not niamh.errors and not sean.errors
    assert len(look.seen) >= 9
    assert not look.wrong, "\n".join(look.wrong)


def niamh_path(each: Somebody, niamh: Somebody) -> str:
    """The page of the instrument for either of them."""
    return "/".join([*each.page.url.split("/")[:5], *niamh.page.url.split("?")[0].split("/")[5:]])


def place(page: Page, name: str) -> str:
    return f"[data-plan-grid] button[aria-label^='{name},']"


def by_thumb(niamh: Somebody) -> None:
    page = niamh.page
    expect(page.locator("[data-plan-grid]")).to_be_visible()
    page.get_by_label("Rows").fill("2")
    page.get_by_label("Seats in a row").fill("4")
    niamh.follow(page.get_by_role("button", name="Lay them out"))
    expect(page.locator(".plan-seat")).to_have_count(8)
    page.locator(place(page, "A3")).tap()
    expect(page.locator("[data-plan-said]")).to_have_text("A3 is free now.")
    page.get_by_text("Move", exact=True).tap()
    page.locator(place(page, "B3")).tap()
    page.locator(place(page, "C2")).tap()
    expect(page.locator(place(page, "C2"))).to_have_text("2")
    page.get_by_text("Door", exact=True).tap()
    page.locator(place(page, "E1")).tap()
    page.locator(place(page, "C2")).tap()
    expect(page.locator("[data-plan-said]")).to_have_text("Something is there already: seat 2.")
    look_at_the_grid = page.evaluate("document.documentElement.scrollWidth")
    assert look_at_the_grid <= 320
    niamh.look(niamh)
    niamh.press("Save the plan")
    expect(page.locator("main")).to_contain_text("A plan with 7 seats.")


def by_keyboard(sean: Somebody) -> None:
    """Seat 2 goes from C2 to A2, and a new one comes to B2; all that happens is said in words."""
    page, keys = sean.page, sean.page.keyboard
    grid = page.get_by_role("grid", name="The plan, from the front to the back")
    expect(grid).to_have_accessible_description(re.compile("arrow keys.*Enter or Space"))
    assert grid.get_by_role("gridcell").count() == grid.get_by_role("row").count() * int(
        page.get_by_label("Places from left to right").input_value()
    )
    expect(grid.locator("button[tabindex='0']")).to_have_count(1)
    said = page.get_by_role("status")
    page.get_by_role("radio", name="Seat", exact=True).focus()
    keys.press("ArrowRight")
    expect(page.get_by_role("radio", name="Move")).to_be_checked()
    keys.press("Tab")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        keys.press(key)
    expect(grid.get_by_role("button", name="C2, seat 2", exact=True)).to_be_focused()
    keys.press("Enter")
    expect(said.filter(has_text="Now tap where it goes: seat 2.")).to_have_count(1)
    for key in ("Home", "Space"):
        keys.press(key)
    expect(said.filter(has_text="A2: seat 2.")).to_have_count(1)
    expect(grid.get_by_role("button", name="A2, seat 2", exact=True)).to_have_text("2")
    expect(grid.get_by_role("button", name="C2, free", exact=True)).to_have_count(1)
    expect(page.locator(place(page, "A2"))).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("ArrowLeft")
    keys.press("Tab")
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(page.locator(place(page, "B2"))).to_have_text("1")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.locator("[data-plan-said]")).to_have_text("The seats are numbered from the front left.")
    expect(page.locator(place(page, "A2"))).to_have_text("1")
    sean.press("Save the plan")
