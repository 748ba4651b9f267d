"""A conversation on two phones, one of which loses the network for a while; and how its pages look and count."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from cycles.pair_at_work import make_cycle
from cycles.talk_protocol import follow_it
from factories import make_course, sign_in
from journeys.live import LiveTool
from journeys.test_pages import NARROW, SMALL_TARGETS
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import insert, update

from lti_tool.cycles.models import Cycle, StageMark

IN_STEP_WITHIN = 3.0
"""Seconds; target 11."""


class _Jar:
    """Takes the cookies of a sign-in for a real browser."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def set_cookie(self, name: str, value: str, domain: str | None = None) -> None:
        self.cookies[name] = value


@pytest.fixture
def phones(live_tool: LiveTool, new_context: Callable[..., BrowserContext]) -> tuple[Page, Page]:
    """Host and coach, each with their phone at the conversation after."""
    now = datetime.now(UTC)
    with live_tool.database() as database:
        course = make_course(database, teachers=2, protocol="light", now=now)
        cycle_id = make_cycle(database, course, now)
        follow_it(database, now)
        with database.write() as session:
            session.execute(update(Cycle).values(stage="after"))
            done = [{"cycle_id": cycle_id, "stage": stage, "membership_id": course.teachers[0], "at": now}
                    for stage in ("before", "work")]  # fmt: skip
            session.execute(insert(StageMark), done)
        opened = []
        for membership in course.teachers[:2]:
            jar = _Jar()
            prefix = sign_in(database, jar, membership, course.activity_id, now)
            context = new_context()
            where = {"domain": "localhost", "path": "/", "secure": True}
            context.add_cookies([{"name": name, "value": value, **where} for name, value in jar.cookies.items()])
            page = context.new_page()
            page.goto(f"{live_tool.url}{prefix}/cycles/{cycle_id}/after/talk")
            opened.append(page)
    return opened[0], opened[1]


def tap(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def seconds_until(page: Page, title: str) -> float:
    began = time.monotonic()
    expect(page.locator("h1")).to_have_text(title, timeout=10_000)
    return time.monotonic() - began


def test_two_phones_stay_in_step_also_after_one_was_offline(phones: tuple[Page, Page]) -> None:
    host, coach = phones
    problems: list[str] = []
    for page in phones:
        page.on("pageerror", lambda error: problems.append(str(error)))
    expect(host.locator(".turn")).to_have_text("You speak · Seán listens")
    host.locator("#text-looking_back").press_sequentially("Seat 7 asked", delay=10)
    tap(coach, "Begin")
    expect(coach.locator("[data-time]")).to_have_text(re.compile(r"^[34]:\d\d$"))
    # A word is finished before the page goes on.
    host.locator("#text-looking_back").press_sequentially(" seat 3 a question of her own.", delay=60)
    expect(host.locator("#text-looking_back")).to_have_value("Seat 7 asked seat 3 a question of her own.")
    expect(host.locator("[data-time]")).to_have_text(re.compile(r"^[34]:\d\d$"), timeout=10_000)
    expect(coach.locator("#field-looking_back")).to_contain_text("of her own.", timeout=10_000)
    # The coach's phone loses the network; the coach goes on typing, and the host goes on talking and taps.
    coach.context.set_offline(True)
    tap(host, "I have spoken first")
    expect(host.locator("h1")).to_have_text("Time to think")
    tap(host, "Next: Next steps")
    expect(host.locator("h1")).to_have_text("Next steps")
    host.locator("#text-next_steps").fill("Ask later.")
    expect(host.locator("#field-next_steps [data-save-state]")).to_have_text("Saved")
    coach.context.set_offline(False)
    assert seconds_until(coach, "Next steps") < IN_STEP_WITHIN
    expect(coach.locator("h1")).to_be_focused()
    expect(coach.locator("#text-next_steps")).to_have_value("Ask later.")
    # Now a text and a tap of the coach meet no network: both are kept, and go when it is back.
    coach.context.set_offline(True)
    coach.locator("#text-spoken").fill("Said in the corridor.")
    expect(coach.locator("#field-spoken [data-save-state]")).to_contain_text("Saved on this device")
    tap(coach, "Back")
    expect(coach.locator("[data-move-state]")).to_contain_text("There is no network")
    expect(host.locator("h1")).to_have_text("Next steps")
    coach.context.set_offline(False)
    expect(coach.locator("h1")).to_have_text("Time to think", timeout=10_000)
    assert seconds_until(host, "Time to think") < IN_STEP_WITHIN
    tap(host, "Next: Next steps")
    coach.get_by_label("It was lively").check()
    expect(host.get_by_label("It was lively")).to_be_checked(timeout=10_000)
    for page in phones:
        expect(page.locator("#text-spoken")).to_have_value("Said in the corridor.", timeout=10_000)
    tap(coach, "We have talked")
    expect(host.locator("main")).to_contain_text("This step is done.", timeout=IN_STEP_WITHIN * 1000)
    assert problems == []


def test_the_clock_ends_quietly_and_calmly(phones: tuple[Page, Page]) -> None:
    host, _coach = phones
    host.clock.install()
    tap(host, "Begin")
    expect(host.locator("[data-time]")).to_have_text(re.compile(r"^[34]:\d\d$"))
    host.clock.fast_forward("04:10")
    expect(host.locator("[data-time]")).to_have_text("0:00")
    expect(host.locator("[data-time-over]")).to_contain_text("Go on when you are ready")
    expect(host.locator("h1")).to_have_text("What stands out")
    host.emulate_media(reduced_motion="reduce")
    tap(host, "Pause")
    expect(host.locator("[data-time]")).to_have_text("Paused")
    tap(host, "Begin again") if host.get_by_role("button", name="Begin again").count() else tap(host, "Go on")
    expect(host.locator("[data-time]")).to_have_class(re.compile("in-words"))


def test_its_pages_are_accessible_and_narrow_enough(phones: tuple[Page, Page]) -> None:
    host, _coach = phones
    axe, wrong = Axe(), []
    talk = host.url
    for at, taps in ((talk, ("I have spoken first", "Next: Next steps")), (talk.removesuffix("/talk"), ()),
                     (talk.replace("/talk", "/sheet"), ())):  # fmt: skip
        host.goto(at)
        for name in (*taps, ""):
            host.locator("details").evaluate_all("all => all.forEach((part) => (part.open = true))")
            for scheme in ("light", "dark"):
                host.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                result = axe.run(host)
                if result.violations_count:
                    wrong.append(f"{at} {name} {scheme}: {result.generate_report()}")
            host.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
            assert host.evaluate("document.documentElement.scrollWidth") <= NARROW[0], at
            wrong += [f"{at}: lower than 44 px: {part}" for part in host.evaluate(SMALL_TARGETS)]
            if name:
                title = host.locator("h1").inner_text()
                tap(host, name)
                expect(host.locator("h1")).not_to_have_text(title)
    assert not wrong, "\n".join(wrong)
