"""The page that captures a visit, for each kind of instrument, as a thumb and as a keyboard use it, at 320 px."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from journeys.fake_visit import FakeVisit, serving
from journeys.phone import begin, mode, phone, send, state, tap
from observation.made import made
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.observation.instrument import Mark, Plan, Seat
from lti_tool.observation.shipped import shipped

__all__ = ["phone"]
PICTURES = os.environ.get("MEITHEAL_PICTURES", "")
"""A folder: a picture of capture is kept there for each kind."""
FULL = Plan(
    width=10,
    depth=9,
    seats=tuple(Seat(number + 1, (0, 1, 3, 4, 5, 6, 8, 9)[number % 8], 2 + number // 8) for number in range(40)),
    marks=(Mark("board", 4, 0), Mark("door", 9, 0), Mark("window", 0, 8)),
)
"""Forty seats, eight in a row."""
CONTRAST = "axe.run({runOnly: ['color-contrast'], resultTypes: ['violations']})"
# Eight seats of 44 px are wider than a phone of 320 px: there they are 36 px wide, and 44 from 412 px on.
TARGETS = """() => [...document.querySelectorAll("button, input, textarea, select, summary")]
  .filter((part) => part.checkVisibility())
  .map((part) => [part.getBoundingClientRect(), part])
  .filter(([box, part]) => box.height < 43.5 || (box.width < 43.5 && !part.matches(".place")
    && !(part.matches(".seat") && document.querySelectorAll(".seat").length > 36 && box.width > 35.5)))
  .map(([box, part]) => `${Math.round(box.width)} x ${Math.round(box.height)} ${part.outerHTML.slice(0, 90)}`)"""
SLEEPS = """(() => {
  const [date, steady] = [Date.now.bind(Date), performance.now.bind(performance)];
  window.clocks = {date: Number(sessionStorage.shift ?? 0), steady: 0};
  Date.now = () => date() + clocks.date;
  performance.now = () => steady() + clocks.steady;
  let hidden = false;
  Object.defineProperty(document, 'hidden', {get: () => hidden});
  window.look = (away) => { hidden = away; document.dispatchEvent(new Event('visibilitychange')); };
})()"""


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeVisit]:
    instruments = {key: made(key) for key in shipped()}
    full = {f"full_{key}": replace(each, plan=FULL) for key, each in instruments.items() if each.plan}
    with serving(instruments | full) as server:
        yield server


def seat(page: Page, number: int) -> None:
    page.get_by_role("button", name=f"Seat {number}, row").first.tap()


def write(page: Page, text: str, box: str = "#box-seen") -> None:
    page.locator(box).fill(text)


def scripting(page: Page) -> list[dict[str, Any]]:
    tap(page, "Teacher says")
    expect(page.locator("#box-seen-hint")).to_have_text("Write something first.")
    write(page, "Who can say it another way?")
    tap(page, "Teacher says")
    write(page, "It is the same on both sides.")
    page.locator("#box-seat").fill("7")
    tap(page, "A pupil says")
    return [
        {"code": "teacher", "text": "Who can say it another way?"},
        {"code": "pupil", "text": "It is the same on both sides.", "seat": 7},
    ]


def selective_verbatim(page: Page) -> list[dict[str, Any]]:
    tap(page, "A question")
    write(page, "You drew it first.")
    tap(page, "Words on what a pupil did")
    return [{"code": "question"}, {"code": "praise", "text": "You drew it first."}]


def question_level(page: Page) -> list[dict[str, Any]]:
    tap(page, "Explain")
    tap(page, "Make something new")
    return [{"code": "understand"}, {"code": "create"}]


def wait_time(page: Page) -> list[dict[str, Any]]:
    tap(page, "A question ends")
    tap(page, "Somebody speaks")
    return [{"code": "question"}, {"code": "speech"}]


def at_task_sweep(page: Page) -> list[dict[str, Any]]:
    expect(page.locator(".next-seat")).to_have_text("Now: seat 1")
    tap(page, "At the task alone", times=2)
    expect(page.locator(".next-seat")).to_have_text("Now: seat 3")
    seat(page, 9)
    tap(page, "Waiting for help")
    expect(page.locator(".next-seat")).to_have_text("Now: seat 10")
    expect(page.get_by_role("button", name="Seat 9, row 2: Waiting for help")).to_have_count(1)
    expect(page.locator(".countdown")).to_contain_text("Round 1: 3 of ")
    return [{"seat": 1, "code": "alone"}, {"seat": 2, "code": "alone"}, {"seat": 9, "code": "waiting"}]


def verbal_flow(page: Page) -> list[dict[str, Any]]:
    tap(page, "Teacher")
    seat(page, 4)
    tap(page, "Answers")
    seat(page, 4)
    expect(page.locator(".next-seat")).to_have_text("seat 4: to whom?")
    seat(page, 11)
    seat(page, 11)
    tap(page, "The class")
    return [
        {"seat": 0, "to_seat": 4, "code": "asks"},
        {"seat": 4, "to_seat": 11, "code": "answers"},
        {"seat": 11, "to_seat": -1, "code": "answers"},
    ]


def class_traffic(page: Page) -> list[dict[str, Any]]:
    box = page.locator(".place[aria-label^='E5']").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    page.get_by_role("button", name="A3, seat 1", exact=True).press("Enter")
    return [{"x": pytest.approx(4.25, abs=0.11), "y": pytest.approx(4.75, abs=0.11)}, {"x": 0.5, "y": 2.5}]


def tally(page: Page) -> list[dict[str, Any]]:
    tap(page, times=2)
    tap(page, "A pupil gives a reason")
    expect(page.locator(".count")).to_have_text(["2", "1", "0"])
    return [{"code": "asks"}, {"code": "asks"}, {"code": "reasons"}]


def interval_codes(page: Page) -> list[dict[str, Any]]:
    expect(page.locator(".countdown")).to_contain_text("Stretch 1, ")
    tap(page, "Pupils listen")
    tap(page, "Teacher explains")
    expect(page.locator(".tap[aria-pressed=true]")).to_have_text(["Teacher explains", "Pupils listen"])
    tap(page, "Pupils listen")
    expect(page.locator(".tap[aria-pressed=true]")).to_have_text(["Teacher explains"])
    return [{"code": "listen"}, {"code": "explains"}, {"undoes": 1}]


def participation_spread(page: Page) -> list[dict[str, Any]]:
    seat(page, 3)
    tap(page, "Teacher, or nobody")
    tap(page, "Was called on")
    seat(page, 20)
    return [{"seat": 3, "code": "hand"}, {"seat": 0}, {"seat": 20, "code": "called"}]


def case_pupils(page: Page) -> list[dict[str, Any]]:
    expect(page.locator(".tap", has_text="Pupil Two")).to_contain_text("Expected: Draws before calculating")
    write(page, "Starts with a table.")
    tap(page, "Pupil Two")
    return [{"row": "second", "text": "Starts with a table."}]


def anecdotal(page: Page) -> list[dict[str, Any]]:
    write(page, "Two compare their drawings.")
    tap(page, "Keep this moment")
    page.locator("summary", has_text="My questions").tap()
    write(page, "What did they see?", "#box-question")
    page.locator("#visit-question button").tap()
    page.locator("summary", has_text="For my own class").tap()
    write(page, "Wait before I name the mistake.", "#box-mine")
    page.locator("#visit-mine button").tap()
    return [
        {"text": "Two compare their drawings."},
        {"text": "What did they see?", "column": "question"},
        {"text": "Wait before I name the mistake.", "column": "mine"},
    ]


def student_voice(page: Page) -> list[dict[str, Any]]:
    write(page, "The drawing.")
    tap(page, "What was hard")
    tap(page, "What did you learn in this lesson?")
    return [{"row": "learned", "code": "hard", "text": "The drawing."}]


def checklist(page: Page) -> list[dict[str, Any]]:
    row = page.get_by_role("group", name="Pupils choose between ways of working.")
    row.get_by_role("button", name="Not seen").tap()
    row.locator("summary").tap()
    row.get_by_label("It goes with your next tap").fill("At 10:12, with paper or blocks.")
    row.get_by_role("button", name="Seen", exact=True).tap()
    expect(row.locator("[aria-pressed=true]")).to_have_text(["Seen"])
    return [
        {"row": "choice", "code": "not_seen"},
        {"row": "choice", "code": "seen", "text": "At 10:12, with paper or blocks."},
    ]


TAPPED: dict[str, Callable[[Page], list[dict[str, Any]]]] = {
    each.__name__: each
    for each in (
        scripting, selective_verbatim, question_level, wait_time, at_task_sweep, verbal_flow, class_traffic, tally,
        interval_codes, participation_spread, case_pupils, anecdotal, student_voice, checklist,
    )
}  # fmt: skip


@pytest.mark.parametrize("room", ["", pytest.param("full_", marks=pytest.mark.soak)], ids=["24 seats", "40 seats"])
def test_every_kind_is_tapped_at_320_px(phone: Callable[..., BrowserContext], fake: FakeVisit, room: str) -> None:
    """What was tapped arrives as the instrument asks for it, which the server reads strictly."""
    context, axe = phone(), Axe()
    wrong: list[str] = []
    assert TAPPED.keys() == shipped().keys()
    for key in TAPPED:
        visit = room + key
        if visit not in fake.instruments:
            continue
        page = begin(context, fake.url(visit))
        expected = TAPPED[key](page)
        state(page).to_contain_text(f"{len(expected)} kept on this phone")
        send(page)
        found = [each.to_json() for each in fake.wait_for(visit, len(expected))]
        assert [{name: each[name] for name in each if name not in ("device", "number", "at_ms")} for each in found] == (
            expected
        ), visit
        wrong += [f"{visit}: {each}" for each in page.errors]  # type: ignore[attr-defined]
        wrong += [f"{visit}: small: {each}" for each in page.evaluate(TARGETS)]
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > 320:
            wrong.append(f"{visit}: {wide} px wide")
        if visit == key:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                # In the dark only colours are others.
                result = axe.run(page) if scheme == "light" else AxeResults(page.evaluate(CONTRAST))
                if result.violations_count:
                    wrong.append(f"{visit} ({scheme}): {result.generate_report()}")
        if PICTURES:
            page.emulate_media(color_scheme="light")
            page.screenshot(path=Path(PICTURES) / f"capture-{visit}.png")
        page.close()
    assert not wrong, "\n".join(wrong)


def test_the_plan_by_keyboard(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    """One stop of the tab key, arrow keys from seat to seat across the aisle, Enter twice for an arrow between two."""
    fake.kept.pop("verbal_flow", None)
    page = begin(phone(), fake.url("verbal_flow"))
    plan = page.get_by_role("group", name="Plan of the room")
    expect(plan.locator("button[tabindex='0']")).to_have_count(1)
    plan.get_by_role("button", name="Seat 1, row 1").focus()
    for key, name in (
        ("ArrowRight", "Seat 2, row 1"), ("ArrowRight", "Seat 3, row 1"), ("ArrowDown", "Seat 9, row 2"),
        ("ArrowUp", "Seat 3, row 1"), ("ArrowLeft", "Seat 2, row 1"), ("ArrowUp", "Seat 2, row 1"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(plan.get_by_role("button", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(plan.get_by_role("button", name="Seat 2, row 1", exact=True)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator("#visit-said")).to_have_text("Noted: Asks, seat 2 to seat 8")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".taps-beside .tap").first).to_be_focused()
    page.keyboard.press("Tab")
    expect(plan.get_by_role("button", name="Seat 8, row 2", exact=True)).to_be_focused()


def test_time_is_steady(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    """Through a clock that somebody sets, a phone that sleeps, and a reload."""
    fake.kept.pop("tally", None)
    page = begin(phone(SLEEPS), fake.url("tally"))
    hour, wait = 3_600_000, 600_000
    tap(page)
    for change in (
        f"clocks.date += {hour}",  # somebody sets the clock: nothing
        f"clocks.date -= {2 * hour}",  # and back
        f"look(true); clocks.date += {wait}; look(false)",  # ten minutes asleep
        f"look(true); clocks.steady += {wait}; clocks.date += {wait}; look(false)",  # ten in which only nobody looked
        f"look(true); clocks.date -= {hour}; look(false)",  # set back while nobody looked
    ):
        page.evaluate(change)
        tap(page)
    state(page).to_contain_text("6 kept on this phone")
    page.evaluate("look(true); sessionStorage.shift = clocks.date + 120_000")
    page.reload()
    tap(page)
    state(page).to_contain_text("7 kept on this phone")
    send(page)
    at = [each.at_ms for each in fake.wait_for("tally", 7)]
    assert [round(each / 60_000) for each in at] == [0, 0, 0, 10, 20, 20, 22]
    assert at == sorted(at)


def test_a_draft_outlives_the_tab_and_keeps_its_time(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    fake.kept.pop("scripting", None)
    page = begin(phone(SLEEPS), fake.url("scripting"))
    page.locator("#box-seen").press_sequentially("Half a line")
    page.evaluate("clocks.steady += 60_000; clocks.date += 60_000; look(true)")
    page.wait_for_timeout(100)
    page.close()
    again = begin(page.context, fake.url("scripting"))
    expect(again.locator("#box-seen")).to_have_value("Half a line")
    tap(again, "What is done")
    state(again).to_contain_text("1 kept on this phone")
    send(again)
    assert fake.wait_for("scripting", 1)[0].at_ms < 30_000


def test_the_screen_is_kept_awake_and_asked_again(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    stub = """window.asked = 0; Object.defineProperty(navigator, 'wakeLock', {value: {request: async () => {
      asked++;
      const lock = new EventTarget();
      lock.released = false;
      lock.release = () => { lock.released = true; lock.dispatchEvent(new Event('release')); };
      window.last = lock;
      return lock; }}})"""
    page = begin(phone(SLEEPS, stub), fake.url("tally"))
    page.wait_for_function("asked === 1")
    page.evaluate("last.release(); look(true)")
    page.evaluate("look(false)")
    page.wait_for_function("asked === 2")
    page.evaluate("look(false)")
    assert page.evaluate("asked") == 2


def test_names_and_judging_words_are_asked_about_and_never_held_back(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    page = begin(phone(), fake.url("anecdotal"))
    hint = page.locator("#box-seen-hint")
    for text, said in (
        ("Then Siobhán waits", "Siobhán"),
        ("It was Ó Dónaill who asked", "Ó Dónaill"),
        ("An excellent answer", "excellent"),
        ("Bhí sé go hiontach", "hiontach"),
    ):
        write(page, text)
        expect(hint).to_contain_text(said)
    write(page, "Seat 4 draws a table")
    expect(hint).to_be_empty()
    write(page, "Then Siobhán waits")
    expect(hint).to_contain_text("Siobhán")
    tap(page, "Keep this moment")
    expect(page.locator("#visit-last")).to_contain_text("Then Siobhán waits")


def test_the_page_opens_without_network_and_updates_whole(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    context = phone()
    page = begin(context, fake.url("question_level"))
    body = page.locator("body")

    def reload(expected: str) -> None:
        page.reload()
        expect(page.locator("#visit-undo")).to_be_visible()
        expect(body).to_have_attribute("data-state", expected)

    context.set_offline(True)
    reload("1")
    # A visit that was not on this phone before says so, and opens when there is network.
    other = context.new_page()
    other.goto(fake.url("wait_time").replace("wait_time", "wait_time2"))
    expect(other.locator("#visit-wait-text")).to_contain_text("not opened on this phone before")
    other.close()
    context.set_offline(False)
    fake.state = "2"
    reload("2")
    # An update of which one part cannot be had is no update: page and scripts are of one state.
    fake.state, fake.broken_part = "3", "visit-kinds.js"
    reload("2")
    fake.broken_part = ""
    # A network that hangs is not waited for.
    fake.waits.clear()
    reload("2")
    fake.waits.set()
    reload("3")
    kept = page.evaluate(
        """caches.keys().then((names) => names.length === 1 && caches.open(names[0])).then((all) => all.keys())
        .then((all) => all.map((each) => each.url))"""
    )
    assert {each.split("/")[3] for each in kept} == {"visit", "static"}
    assert [each for each in kept if "/visit/" in each] == [fake.url("shell")], "no content"


def test_without_javascript_there_is_a_sheet_of_paper(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = phone(java_script_enabled=False).new_page()
    page.goto(fake.url("tally"))
    expect(page.get_by_role("heading", name="This page needs JavaScript")).to_be_visible()
    assert page.locator(".sheet tbody tr").count() == 18


def test_no_network_is_said_as_that(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("checklist"))
    page.context.set_offline(True)
    mode(page).to_have_text("No network: all is kept here.")
