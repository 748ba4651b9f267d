"""Hints under notes, and rehearsals, in a real browser: by thumb, by keyboard, and without a script."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from cycles.pair_at_work import make_cycle
from factories import make_course
from journeys.live import LiveTool, watch
from journeys.phone import sign_in
from journeys.test_pages import PICTURES, Look
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.observation.rehearsal import lessons

LOOKED_AT = ("verbal_flow", "class_traffic", "at_task_sweep", "scripting")
"""Instruments whose controls are looked at: the others have the same."""
NARROW = {"width": 320, "height": 640}


class School:
    """A course with a cycle in a running tool, and its pages in browsers."""

    def __init__(self, tool: LiveTool, new_context: Callable[..., BrowserContext]) -> None:
        self.tool, self.new_context = tool, new_context
        with tool.database() as database:
            self.made = make_course(database, protocol="collegial", now=datetime.now(UTC))
            self.cycle_id = make_cycle(database, self.made, datetime.now(UTC))
        self.look = Look(tool.url)
        self.errors: list[str] = []

    def page(self, membership: str, path: str, **options: Any) -> Page:
        """A page of somebody of the course, on a phone."""
        language = options.pop("language", "en")
        context = self.new_context(viewport=NARROW, **options)
        at = sign_in(self.tool, context, self.made.activity_id, membership, language)
        page = context.new_page()
        watch(page, self.errors)
        if options.get("java_script_enabled", True):
            page.clock.install()
        page.goto(f"{at}/{path}")
        return page

    def looked_at(self, page: Page, state: str = "") -> None:
        """Looks at a page on which time may stand still; axe waits by the page's clock."""
        page.clock.resume()
        self.look.state = state
        self.look(SimpleNamespace(page=page, user="somebody"))  # type: ignore[arg-type]


@pytest.fixture
def school(live_tool: LiveTool, new_context: Callable[..., BrowserContext]) -> School:
    return School(live_tool, new_context)


def test_hints_and_rehearsals(school: School) -> None:
    """In one walk, since a tool to begin with takes longer than each of them."""
    hints_under_notes(school)
    words_of_the_course(school)
    a_rehearsal_in_real_time(school)
    without_a_script(school)
    assert school.errors == []
    assert not school.look.wrong, "\n".join(school.look.wrong)


def hints_under_notes(school: School) -> None:
    page = school.page(school.made.teachers[1], f"cycles/{school.cycle_id}/visit")
    box = page.locator("#text-notes_seen")
    hint = page.locator("[data-hints]", has=box).locator(".hint-line [role=status]")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url} {request.post_data}"))
    box.press_sequentially("The start was excellent")
    expect(hint).to_be_empty()
    page.clock.fast_forward(1600)
    expect(hint).to_have_text("“excellent”: What did you see or hear that made you write this?")
    # Only the note itself is sent, to be kept.
    assert all("/texts" in each or "words" not in each for each in sent)
    school.looked_at(page, " with a hint")
    page.get_by_role("button", name="Close this hint").click()
    expect(hint).to_be_empty()
    box.press_sequentially(", go hiontach. “Excellent”, and then Zofia answers")
    page.clock.fast_forward(1600)
    expect(hint).to_contain_text("“Zofia”: This may be somebody’s name.")
    box.press_sequentially(" 10:12")
    page.clock.fast_forward(1600)
    expect(hint).to_contain_text("“go hiontach”")
    page.get_by_role("button", name="No hints on this device any more").click()
    box.press_sequentially(" brilliant")
    page.clock.fast_forward(1600)
    expect(hint).to_be_empty()
    expect(box).to_have_value(
        "The start was excellent, go hiontach. “Excellent”, and then Zofia answers 10:12 brilliant"
    )
    page.goto(page.url.partition("/cycles/")[0] + "/words")
    page.get_by_role("button", name="Show them again").click()
    expect(page.get_by_text("You have put these hints away")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('meitheal/hints')") is None


def words_of_the_course(school: School) -> None:
    page = school.page(school.made.trainer, "words")
    page.get_by_label("Words to add").first.fill("chalk and talk")
    page.locator("summary").first.click()
    school.looked_at(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".status-line").first).to_contain_text("Saved.")


def a_rehearsal_in_real_time(school: School) -> None:
    page = school.page(school.made.teachers[0], "rehearsal")
    school.looked_at(page)
    stop_time(page)
    page.get_by_role("link", name=re.compile("Kinds of question.*coat")).click()
    lines = page.locator("[data-lines] li:visible")
    expect(page.locator("[data-clock]")).to_have_text("0:00")
    expect(lines).to_have_count(0)
    page.get_by_role("button", name="Begin").click()
    page.clock.run_for(29_000)
    expect(lines).to_have_count(3)
    page.get_by_role("button", name="Remember").click()
    expect(page.locator("[data-last]")).to_have_text("Noted: Remember")
    page.get_by_role("button", name="Pause").click()
    school.looked_at(page)
    stop_time(page)
    page.clock.run_for(60_000)
    expect(page.locator("[data-clock]")).to_have_text("0:29")
    page.get_by_label("How fast").select_option("4")
    page.get_by_role("button", name="Go on").click()
    page.clock.run_for(4_000)
    expect(page.locator("[data-clock]")).to_have_text("0:45")
    page.get_by_role("button", name="Explain").click()
    page.get_by_role("button", name="Weigh it up").click()
    page.get_by_role("button", name="Take back").click()
    page.clock.run_for(8_000)
    page.get_by_role("button", name="Look at the pictures").click()
    expect(page.locator("h1")).to_have_text("Two who noted one lesson")
    differ = page.locator("section", has=page.get_by_role("heading", name="Where the two differ"))
    expect(differ.locator("tbody tr")).to_have_count(1)
    expect(differ.locator("tbody tr")).to_contain_text("Use it")
    school.looked_at(page)


def test_every_instrument_is_rehearsed(school: School) -> None:
    """With the same controls; those with a plan by the keyboard, in Irish; the whole lesson to its end."""
    page = school.page(school.made.teachers[0], "rehearsal", language="ga")
    stop_time(page)
    links = page.locator(".rehearsal-ways").last.locator("a").evaluate_all("all => all.map(each => each.href)")
    assert len(links) == 10
    for link in links:
        page.goto(link)
        page.locator("[data-play]").click()
        page.clock.run_for(2_000)
        first = page.locator("[data-surface] button:not([aria-pressed])").first
        if page.locator("[data-surface] .plan").count():
            page.locator("[data-surface] .plan button").first.focus()
            for key in ("Enter", "ArrowRight", "Enter"):
                page.keyboard.press(key)
        if page.locator("[data-surface] textarea").count():
            page.locator("[data-surface] textarea").first.fill("Cad é sin?")
        if first.count() and first.is_enabled():
            first.click()
        if not page.locator("[data-undo]").is_enabled():
            page.locator("[data-surface] .taps button").first.click()
        expect(page.locator("[data-undo]")).to_be_enabled()
        kind = link.rpartition("/")[2]
        if kind in LOOKED_AT or PICTURES:
            page.locator("[data-play]").click()
            school.looked_at(page, f" {kind}")
            stop_time(page)
            page.locator("[data-play]").click()
        page.clock.run_for(60_000 * lessons()["tiles"].minutes if link == links[0] else 20_000)
        if link == links[0]:
            expect(page.locator("[data-last]")).to_have_text(
                page.locator("#rehearsal-words").get_attribute("data-over")
            )
        page.locator("#rehearsal-form button").click()
        expect(page.locator(".observation-picture")).to_have_count(2)
        if kind in LOOKED_AT[:2] or PICTURES:
            school.looked_at(page, f" {kind}")
            stop_time(page)
    assert school.errors == []
    assert not school.look.wrong, "\n".join(school.look.wrong)


def stop_time(page: Page) -> None:
    """From now on time goes on in the page only as far as it is told to."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)


def without_a_script(school: School) -> None:
    page = school.page(school.made.teachers[0], "rehearsal/ice/tally", java_script_enabled=False)
    expect(page.locator("[data-lines] li:visible")).to_have_count(len(lessons()["ice"].lines))
    page.get_by_role("button", name="Look at the pictures").click()
    expect(page.locator(".observation-picture")).to_have_count(1)
