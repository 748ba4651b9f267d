"""The page that captures a visit: its plan by keyboard, its time, its states, and how it opens without network."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from journeys.fake_visit import FakeVisit, serving
from journeys.phone import begin, mode, phone, send, state, tap
from journeys.test_pages import Look
from observation.made import made
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.observation.shipped import shipped

__all__ = ["phone"]
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
    with serving({key: made(key) for key in shipped()}) as server:
        yield server


def write(page: Page, text: str) -> None:
    page.locator("#box-seen").fill(text)


def test_every_state_of_the_page_is_accessible(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    context, look = phone(), Look(fake.url(""))
    page = context.new_page()

    def looked(now: str) -> None:
        look.state = f" {now}"
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        look(SimpleNamespace(page=page, user="coach"))  # type: ignore[arg-type]

    page.goto(fake.url("student_voice"))
    expect(page.locator("#visit-begin-shell")).to_contain_text("opens again without network")
    looked("before")
    page.close()
    page = begin(context, fake.url("student_voice"))
    write(page, "The drawing.")
    tap(page, "What did you learn")
    context.set_offline(True)
    page.locator("summary", has_text="The lesson is over").tap()
    page.locator("#visit-close").tap()
    expect(page.locator("#visit-closing")).to_be_visible()
    looked("closing")
    context.set_offline(False)
    expect(page.locator("#visit-over")).to_be_visible()
    looked("over")
    page = begin(context, fake.url("case_pupils"))
    fake.refuse = (410, {"title": "Over", "what": "It was open for long enough.", "advice": "", "gone": "over"})
    write(page, "Starts with a table.")
    tap(page, "Pupil Two")
    send(page)
    expect(page.locator("#visit-delete-box")).to_be_visible()
    looked("refused")
    fake.refuse = (503, {})
    page.goto(fake.url("wait_time"))
    expect(page.locator("#visit-wait-text")).to_contain_text("opens by itself")
    looked("waiting")
    fake.refuse = None
    assert len(look.seen) == 5
    assert not look.wrong, "\n".join(look.wrong)


def test_the_plan_by_keyboard_and_as_it_is_read_out(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    """One stop of the tab key, arrow keys from seat to seat across the aisle, Enter twice for an arrow between two."""
    fake.kept.pop("verbal_flow", None)
    page = begin(phone(), fake.url("verbal_flow"))
    plan = page.get_by_role("group", name="Plan of the room", exact=True)
    expect(plan.get_by_role("button")).to_have_count(24)
    expect(plan.locator("button[tabindex='0']")).to_have_count(1)
    plan.get_by_role("button", name="Seat 1, row 1").focus()
    for key, name in (
        ("ArrowRight", "Seat 2, row 1"), ("ArrowRight", "Seat 3, row 1"), ("ArrowDown", "Seat 9, row 2"),
        ("ArrowUp", "Seat 3, row 1"), ("ArrowLeft", "Seat 2, row 1"), ("ArrowUp", "Seat 2, row 1"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(plan.get_by_role("button", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(plan.get_by_role("button", pressed=True)).to_have_accessible_name("Seat 2, row 1")
    # What is said aloud, without the focus going anywhere: both places have to be live regions for that.
    said = page.get_by_role("status")
    expect(said.filter(has_text="seat 2: to whom?")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(said.filter(has_text="Noted: Asks, seat 2 to seat 8")).to_have_count(1)
    expect(plan.get_by_role("button", pressed=True)).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".taps-beside .tap").first).to_be_focused()
    page.keyboard.press("Tab")
    expect(plan.get_by_role("button", name="Seat 8, row 2", exact=True)).to_be_focused()


def test_a_seat_says_what_was_noted_of_it(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    """And the plan says which seat comes next, not by colour alone."""
    fake.kept.pop("at_task_sweep", None)
    page = begin(phone(), fake.url("at_task_sweep"))
    plan = page.get_by_role("group", name="Plan of the room", exact=True)
    page.get_by_role("button", name="At the task alone").press("Enter")
    expect(plan).to_match_aria_snapshot(
        """
        - 'button "Seat 1, row 1: At the task alone"'
        - button "Seat 2, row 1" [pressed]
        - button "Seat 3, row 1"
        """
    )
    expect(plan.locator("[aria-current=true]")).to_have_accessible_name("Seat 2, row 1")


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
      document.documentElement.dataset.asked = ++asked;
      const lock = new EventTarget();
      lock.released = false;
      lock.release = () => { lock.released = true; lock.dispatchEvent(new Event('release')); };
      window.last = lock;
      return lock; }}})"""
    page = begin(phone(SLEEPS, stub), fake.url("tally"))
    asked = page.locator("html")
    expect(asked).to_have_attribute("data-asked", "1")
    page.evaluate("last.release(); look(true)")
    page.evaluate("look(false)")
    expect(asked).to_have_attribute("data-asked", "2")
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


def test_that_there_is_no_network_is_said_without_moving_what_is_tapped(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    page = begin(phone(), fake.url("checklist"))
    taps = page.locator("#visit-surface button")
    before = [each.bounding_box() for each in taps.all()]
    page.context.set_offline(True)
    mode(page).to_have_text("No network: all is kept here.")
    assert before and [each.bounding_box() for each in taps.all()] == before
