"""Each of the fourteen instruments at 320 px, by thumb and by keyboard, and the picture of what was noted."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from journeys.fake_visit import FakeVisit, serving
from journeys.live import LiveTool, Servers, watch
from journeys.phone import Meter, Visit, begin, phone, send, sign_in, state
from journeys.test_pages import Look
from observation.made import made
from playwright.sync_api import BrowserContext, Locator, Page, expect

from lti_tool.observation.entries import Entry
from lti_tool.observation.examples import MINUTES, example
from lti_tool.observation.instrument import Mark, Plan, Seat
from lti_tool.observation.shipped import shipped

__all__ = ["phone"]
PICTURES = os.environ.get("MEITHEAL_PICTURES", "")
"""A folder: pictures of capture, of the picture and of its table are kept there for each instrument."""
DAILY = ("verbal_flow", "case_pupils")
"""A plan and a list; the others belong to the long runs."""
MOST_KB = 200
FULL = Plan(
    width=10,
    depth=9,
    seats=tuple(Seat(number + 1, (0, 1, 3, 4, 5, 6, 8, 9)[number % 8], 2 + number // 8) for number in range(40)),
    marks=(Mark("board", 4, 0), Mark("door", 9, 0), Mark("window", 0, 8)),
)
"""Forty seats, eight in a row."""
# Eight seats of 44 px are wider than a phone of 320 px: there they are 36 px wide, and 44 from 412 px on.
TARGETS = """() => [...document.querySelectorAll("button, input, textarea, select, summary")]
  .filter((part) => part.checkVisibility())
  .map((part) => [part.getBoundingClientRect(), part])
  .filter(([box, part]) => box.height < 43.5 || (box.width < 43.5 && !part.matches(".place")
    && !(part.matches(".seat") && document.querySelectorAll(".seat").length > 36 && box.width > 35.5)))
  .map(([box, part]) => `${Math.round(box.width)} x ${Math.round(box.height)} ${part.outerHTML.slice(0, 90)}`)"""
SEND = """([url, letter]) => fetch(url, {method: "POST", headers: {"Content-Type": "application/json"},
  body: JSON.stringify(letter)}).then((answer) => answer.status)"""
WAY = """(part) => { const [to, from] = [part, document.activeElement].map((each) => each.getBoundingClientRect());
  return [Math.round(to.x - from.x), Math.round(to.y - from.y)]; }"""
Said = list[dict[str, Any]]


class Thumb:
    """How somebody works with the page of a visit."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, part: Locator) -> None:
        part.tap()

    def write(self, text: str, box: str | Locator = "#box-seen") -> None:
        (self.page.locator(box) if isinstance(box, str) else box).fill(text)

    def tap(self, name: str = "A pupil asks a question", times: int = 1) -> None:
        """A code."""
        for _once in range(times):
            self.press(self.page.locator(".tap", has_text=name))

    def seat(self, number: int) -> None:
        self.press(self.page.get_by_role("button", name=f"Seat {number}, row").first)

    def place(self, name: str, x: float, y: float) -> dict[str, Any]:
        """A spot of a place such as B3, by parts of it; what is noted then."""
        part = self.page.locator(f".place[aria-label^='{name}']")
        box = part.bounding_box()
        assert box
        part.tap(position={"x": x * box["width"], "y": y * box["height"]})
        return {"x": pytest.approx(_column(name) + x, abs=0.11), "y": pytest.approx(int(name[1:]) - 1 + y, abs=0.11)}


class Keys(Thumb):
    """By nothing but the keyboard: Tab to where it is, arrow keys in the plan."""

    def press(self, part: Locator) -> None:
        self._reach(part)
        self.page.keyboard.press("Enter")

    def write(self, text: str, box: str | Locator = "#box-seen") -> None:
        self._reach(self.page.locator(box) if isinstance(box, str) else box)
        self.page.keyboard.type(text)

    def place(self, name: str, x: float, y: float) -> dict[str, Any]:
        self.press(self.page.locator(f".place[aria-label^='{name}']"))
        return {"x": _column(name) + 0.5, "y": int(name[1:]) - 0.5}

    def _reach(self, part: Locator) -> None:
        plan = part.evaluate("part => part.closest('.plan') !== null")
        is_there = "(part) => (part.closest('.plan') ?? part).contains(document.activeElement)"
        for _stop in range(60):
            if part.evaluate(is_there):
                break
            self.page.keyboard.press("Tab")
        while plan and (way := part.evaluate(WAY)) != [0, 0]:
            across, along = way
            self.page.keyboard.press(
                ("ArrowDown" if along > 0 else "ArrowUp") if along else ("ArrowRight" if across > 0 else "ArrowLeft")
            )
            assert part.evaluate(WAY) != way, "an arrow key leads nowhere"
        expect(part).to_be_focused()


def _column(name: str) -> int:
    return ord(name[0]) - ord("A")


def scripting(hand: Thumb) -> Said:
    hand.tap("Teacher says")
    expect(hand.page.locator("#box-seen-hint")).to_have_text("Write something first.")
    hand.write("Who can say it another way?")
    hand.tap("Teacher says")
    hand.write("It is the same on both sides.")
    hand.write("7", "#box-seat")
    hand.tap("A pupil says")
    return [
        {"code": "teacher", "text": "Who can say it another way?"},
        {"code": "pupil", "text": "It is the same on both sides.", "seat": 7},
    ]


def selective_verbatim(hand: Thumb) -> Said:
    hand.tap("A question")
    hand.write("You drew it first.")
    hand.tap("Words on what a pupil did")
    return [{"code": "question"}, {"code": "praise", "text": "You drew it first."}]


def question_level(hand: Thumb) -> Said:
    hand.tap("Explain")
    hand.tap("Make something new")
    return [{"code": "understand"}, {"code": "create"}]


def wait_time(hand: Thumb) -> Said:
    hand.tap("A question ends")
    hand.tap("Somebody speaks")
    return [{"code": "question"}, {"code": "speech"}]


def at_task_sweep(hand: Thumb) -> Said:
    expect(hand.page.locator(".next-seat")).to_have_text("Now: seat 1")
    hand.tap("At the task alone", times=2)
    expect(hand.page.locator(".next-seat")).to_have_text("Now: seat 3")
    hand.seat(9)
    hand.tap("Waiting for help")
    expect(hand.page.locator(".next-seat")).to_have_text("Now: seat 10")
    expect(hand.page.get_by_role("button", name="Seat 9, row 2: Waiting for help")).to_have_count(1)
    expect(hand.page.locator(".countdown")).to_contain_text("Round 1: 3 of ")
    return [{"seat": 1, "code": "alone"}, {"seat": 2, "code": "alone"}, {"seat": 9, "code": "waiting"}]


def verbal_flow(hand: Thumb) -> Said:
    hand.tap("Teacher")
    hand.seat(4)
    hand.tap("Answers")
    hand.seat(4)
    expect(hand.page.locator(".next-seat")).to_have_text("seat 4: to whom?")
    hand.seat(11)
    hand.seat(11)
    hand.tap("The class")
    return [
        {"seat": 0, "to_seat": 4, "code": "asks"},
        {"seat": 4, "to_seat": 11, "code": "answers"},
        {"seat": 11, "to_seat": -1, "code": "answers"},
    ]


def class_traffic(hand: Thumb) -> Said:
    return [hand.place("E5", 0.25, 0.75), hand.place("A3", 0.5, 0.5)]


def tally(hand: Thumb) -> Said:
    hand.tap(times=2)
    hand.tap("A pupil gives a reason")
    expect(hand.page.locator(".count")).to_have_text(["2", "1", "0"])
    return [{"code": "asks"}, {"code": "asks"}, {"code": "reasons"}]


def interval_codes(hand: Thumb) -> Said:
    pressed = hand.page.locator(".tap[aria-pressed=true]")
    expect(hand.page.locator(".countdown")).to_contain_text("Stretch 1, ")
    hand.tap("Pupils listen")
    hand.tap("Teacher explains")
    expect(pressed).to_have_text(["Teacher explains", "Pupils listen"])
    hand.tap("Pupils listen")
    expect(pressed).to_have_text(["Teacher explains"])
    return [{"code": "listen"}, {"code": "explains"}, {"undoes": 1}]


def participation_spread(hand: Thumb) -> Said:
    hand.seat(3)
    hand.tap("Teacher, or nobody")
    hand.tap("Was called on")
    hand.seat(20)
    return [{"seat": 3, "code": "hand"}, {"seat": 0}, {"seat": 20, "code": "called"}]


def case_pupils(hand: Thumb) -> Said:
    expect(hand.page.locator(".tap", has_text="Pupil Two")).to_contain_text("Expected: Draws before calculating")
    hand.write("Starts with a table.")
    hand.tap("Pupil Two")
    return [{"row": "second", "text": "Starts with a table."}]


def anecdotal(hand: Thumb) -> Said:
    hand.write("Two compare their drawings.")
    hand.tap("Keep this moment")
    hand.press(hand.page.locator("summary", has_text="My questions"))
    hand.write("What did they see?", "#box-question")
    hand.press(hand.page.locator("#visit-question button"))
    hand.press(hand.page.locator("summary", has_text="For my own class"))
    hand.write("Wait before I name the mistake.", "#box-mine")
    hand.press(hand.page.locator("#visit-mine button"))
    return [
        {"text": "Two compare their drawings."},
        {"text": "What did they see?", "column": "question"},
        {"text": "Wait before I name the mistake.", "column": "mine"},
    ]


def student_voice(hand: Thumb) -> Said:
    hand.write("The drawing.")
    hand.tap("What was hard")
    hand.tap("What did you learn in this lesson?")
    return [{"row": "learned", "code": "hard", "text": "The drawing."}]


def checklist(hand: Thumb) -> Said:
    row = hand.page.get_by_role("group", name="Pupils choose between ways of working.")
    hand.press(row.get_by_role("button", name="Not seen"))
    hand.press(row.locator("summary"))
    hand.write("At 10:12, with paper or blocks.", row.get_by_label("It goes with your next tap"))
    hand.press(row.get_by_role("button", name="Seen", exact=True))
    expect(row.locator("[aria-pressed=true]")).to_have_text(["Seen"])
    return [
        {"row": "choice", "code": "not_seen"},
        {"row": "choice", "code": "seen", "text": "At 10:12, with paper or blocks."},
    ]


TAPPED: dict[str, Callable[[Thumb], Said]] = {
    each.__name__: each
    for each in (
        scripting, selective_verbatim, question_level, wait_time, at_task_sweep, verbal_flow, class_traffic, tally,
        interval_codes, participation_spread, case_pupils, anecdotal, student_voice, checklist,
    )
}  # fmt: skip


def said(entries: list[Entry]) -> Said:
    """What was noted, without where and when."""
    return [
        {key: value for key, value in each.to_json().items() if key not in ("device", "number", "at_ms", "undone")}
        for each in entries
    ]


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Iterator[LiveTool]:
    running = LiveTool(tmp_path_factory.mktemp("tool"), servers)
    running.start()
    yield running
    running.kill()


@pytest.mark.parametrize(
    "base", [each if each in DAILY else pytest.param(each, marks=pytest.mark.soak) for each in TAPPED]
)
def test_an_instrument_from_the_first_tap_to_its_picture(
    phone: Callable[..., BrowserContext], tool: LiveTool, base: str
) -> None:
    visit, look = Visit(tool, base), Look(tool.url)
    look.state = f" {base}"
    context = phone()
    address = visit.open(context)
    first_load_is_small(phone(), context, address, base)
    page = begin(context, address)
    noted = TAPPED[base](Thumb(page))
    state(page).to_contain_text(f"{len(noted)} kept on this phone")
    looked_at(page, look, base)
    send(page)
    state(page).to_contain_text("all sent.")
    assert said(visit.kept()) == noted
    # The same by keyboard, in another visit.
    other, desk = Visit(tool, base), phone()
    there = begin(desk, other.open(desk))
    noted = TAPPED[base](Keys(there))
    send(there)
    state(there).to_have_text(f"{len(noted)} kept on this phone, all sent.")
    assert said(other.kept()) == noted
    assert there.errors == []  # type: ignore[attr-defined]
    a_lesson_on_another_device(page, address, base)
    page.locator("summary", has_text="The lesson is over").tap()
    page.locator("#visit-lasted").fill(str(MINUTES))
    page.locator("#visit-close").tap()
    expect(page.locator("#visit-over")).to_be_visible()
    the_picture(visit, phone(), look, base)
    assert page.errors == []  # type: ignore[attr-defined]
    assert not look.wrong, "\n".join(look.wrong)


def first_load_is_small(new: BrowserContext, opened: BrowserContext, address: str, base: str) -> None:
    """All that a browser reads that was never there, and what its service worker keeps on top of it."""
    with Meter(int(address.split("/")[2].split(":")[1])) as meter:
        new.add_cookies(opened.cookies())  # type: ignore[arg-type]
        page = new.new_page()
        page.goto(address.replace(address.split("/")[2], f"localhost:{meter.port}"))
        expect(page.locator("#visit-begin-now")).to_be_visible()
        expect(page.locator("#visit-begin-shell")).to_contain_text("opens again without network")
        page.wait_for_load_state("networkidle")
        page.close()
        kb = meter.count / 1000
    print(f"\n{base}: {kb:.1f} kB")
    assert 10 < kb <= MOST_KB


def a_lesson_on_another_device(page: Page, address: str, base: str) -> None:
    """So much that there is something to see."""
    _used, entries = example(
        shipped()[base].begin("en"), ["Who can say it another way?", "Two compare what they drew."]
    )
    letter = [{key: value for key, value in each.to_json().items() if key != "device"} for each in entries]
    assert page.evaluate(SEND, [f"{address}/entries", {"device": "a-second-device-here", "entries": letter}]) == 200


def the_picture(visit: Visit, context: BrowserContext, look: Look, base: str) -> None:
    """What the coach sees of it: a drawing where there is one, sentences, and all of it as tables."""
    at = sign_in(visit.tool, context, visit.activity_id, visit.coach)
    page = context.new_page()
    errors: list[str] = []
    watch(page, errors)
    page.goto(f"{at}/cycles/{visit.cycle_id}/visit-picture")
    figure = page.locator("figure.observation-picture")
    expect(figure.locator(".observation-words li").first).to_be_visible()
    drawing, tables = figure.get_by_role("img"), figure.get_by_role("table")
    expect(tables.first).to_be_visible()
    for part in (*drawing.all(), *tables.all()):
        expect(part).to_have_accessible_name(re.compile("[A-Z]"))
    for table in tables.all():
        expect(table.get_by_role("columnheader").first).to_be_attached()
        expect(table.get_by_role("rowheader").first).to_be_attached()
    look(SimpleNamespace(page=page, user="coach"))  # type: ignore[arg-type]
    if PICTURES:
        # Of lists there is no drawing; a table of many columns is wider than a phone, and scrolls there.
        for name, parts, width in (("picture", drawing, 320), ("table", tables, 1000)):
            page.set_viewport_size({"width": width, "height": 640})
            if parts.count():
                parts.first.screenshot(path=Path(PICTURES) / f"{base}-{name}.png")
    assert errors == []


def looked_at(page: Page, look: Look, base: str) -> None:
    """As it is while somebody notes, and with everything open that can be opened."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{base}-capture.png")
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    look(SimpleNamespace(page=page, user="coach"))  # type: ignore[arg-type]
    look.wrong += [f"{base}: small: {each}" for each in page.evaluate(TARGETS)]
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = false))")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeVisit]:
    instruments = {key: made(key) for key in shipped()}
    with serving({key: replace(each, plan=FULL) for key, each in instruments.items() if each.plan}) as server:
        yield server


@pytest.mark.soak
def test_forty_seats_are_tapped_at_320_px(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    context = phone()
    wrong: list[str] = []
    for base in fake.instruments:
        page = begin(context, fake.url(base))
        noted = TAPPED[base](Thumb(page))
        state(page).to_contain_text(f"{len(noted)} kept on this phone")
        send(page)
        assert said(fake.wait_for(base, len(noted))) == noted, base
        wrong += [f"{base}: {each}" for each in (*page.errors, *page.evaluate(TARGETS))]  # type: ignore[attr-defined]
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > 320:
            wrong.append(f"{base}: {wide} px wide")
        page.close()
    assert not wrong, "\n".join(wrong)
