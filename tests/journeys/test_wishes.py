"""What a teacher would like of a round, said on a phone in few taps, by the keyboard, and without a script."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update

from lti_tool.activities.models import Activity

NARROW = {"width": 320, "height": 640}


@pytest.fixture
def arrive(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> Callable[..., Somebody]:
    """Opens the page in a browser with these options, as a teacher who has read the welcome."""
    activity = sandbox.add_activity(sandbox.register(live_tool), "Partners 2026/27")

    def open_it(user: str, **options: Any) -> Somebody:
        somebody = Somebody(new_context(viewport=NARROW, **options), sandbox, user)
        somebody.open_alone(activity)
        with live_tool.database() as database, database.write() as session:
            session.execute(update(Activity).values(kind="pairing", status="open"))
        somebody.home()
        somebody.press("I have read this: continue")
        somebody.press("Say what you would like")
        return somebody

    return open_it


def test_it_is_said_by_thumb_by_keyboard_and_without_a_script(
    arrive: Callable[..., Somebody], live_tool: LiveTool
) -> None:
    """In one walk, since a tool to begin with takes longer than each of them."""
    by_keyboard(arrive(steps.SEAN))
    without_a_script(arrive("orla.byrne", java_script_enabled=False, has_touch=True))
    look = Look(live_tool.url)
    by_thumb(arrive(steps.NIAMH, has_touch=True, is_mobile=True), look)
    assert not look.wrong, "\n".join(look.wrong)


def by_thumb(niamh: Somebody, look: Look) -> None:
    page, began, taps = niamh.page, time.monotonic(), 0
    expect(page.get_by_role("button", name="Find me a partner in this round")).to_be_in_viewport()

    def tap(role: Any, *names: str) -> None:
        nonlocal taps
        for name in names:
            page.get_by_role(role, name=name, exact=True).tap()
            taps += 1

    tap("checkbox", "I would like Time to think after a question", "I can offer Pupils working in groups", "Irish")
    tap("button", "I teach all week")
    tap("radiogroup", "Monday, 3", "Tuesday, 5", "Thursday, 3", "Friday, 8")
    tap("button", *["Wednesday: change all of it"] * 2)
    tap("radio", "Full coaching")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    niamh.follow(page.get_by_role("button", name="Keep it, and find me a partner"))
    taps += 1
    print(f"wishes: {taps} taps, {time.monotonic() - began:.1f} s by machine")
    assert taps <= 15
    expect(page.locator("main")).to_contain_text("A partner is looked for on your behalf in this round.")
    page.reload()
    assert state_of(page, "0-2", "0-0", "2-4", "4-7") == ["free", "teach", "", "free"]
    expect(page.get_by_role("checkbox", name="I would like Time to think after a question")).to_be_checked()

    look(niamh)
    niamh.look = look
    niamh.follow(page.get_by_role("button", name="Name somebody"))
    niamh.page.get_by_label("Search by name").fill("dona")
    niamh.follow(page.get_by_role("button", name="Search"))
    niamh.follow(page.get_by_role("button", name=re.compile("Rather not.*Seán")))
    look.state = " with a list"
    look(niamh)
    niamh.follow(page.get_by_role("button", name=re.compile("Take off.*Seán")))
    expect(page.locator("main")).to_contain_text("It is taken off the list.")
    assert not niamh.errors


def by_keyboard(sean: Somebody) -> None:
    """The week; and Enter in a box keeps what is there, and asks for nobody."""
    page = sean.page
    page.get_by_role("button", name="Friday: change all of it").focus()
    # Friday is taught; then the first period is free all week; then Tuesday's first period is not.
    for key in ("Enter", "Tab", "Enter", "Enter", "Tab", "Tab", "ArrowRight"):
        page.keyboard.press(key)
    assert state_of(page, "0-0", "1-0", "4-0", "4-8", "0-8") == ["free", "", "free", "teach", ""]
    page.locator("#subject").fill("Maths")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("It is kept.")
    expect(page.get_by_role("button", name="Find me a partner in this round")).to_be_visible()
    assert state_of(page, "0-0", "1-0", "4-8") == ["free", "", "teach"]


def without_a_script(orla: Somebody) -> None:
    """As many taps as with one."""
    page = orla.page
    page.get_by_role("button", name="I teach all week").tap()
    page.get_by_role("radiogroup", name="Monday, 3").tap()
    assert state_of(page, "0-2", "0-3") == ["free", "teach"]
    page.get_by_role("button", name="Keep it, and find me a partner").tap()
    expect(page.locator("main")).to_contain_text("A partner is looked for on your behalf in this round.")
    assert state_of(page, "0-2", "0-3") == ["free", "teach"]


def state_of(page: Page, *cells: str) -> list[str | None]:
    return [page.locator(f"[name='at-{cell}']:checked").get_attribute("value") for cell in cells]
