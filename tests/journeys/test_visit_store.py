"""What field-data apps got wrong, on a phone in real Chromium: a database that the browser closes, none in a private
window, two visits or two devices that clash, an entry that is announced as lost and is kept, or sent twice."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journeys.conftest import ARGUMENTS, CHROMIUM
from journeys.fake_visit import FakeVisit, serving
from journeys.live import free_port
from journeys.phone import begin, mode, phone, send, state, tap
from observation.made import made
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from lti_tool.observation.shipped import shipped

__all__ = ["phone"]
NO_DATABASE = "Object.defineProperty(window, 'indexedDB', {get: () => undefined})"
REFUSED_DATABASE = """IDBFactory.prototype.open = function () {
  const request = {error: new DOMException('private', 'InvalidStateError')};
  setTimeout(() => request.onerror?.());
  return request;
}"""
KEEP_CONNECTIONS = """window.connections = [];
const open = IDBFactory.prototype.open;
IDBFactory.prototype.open = function (...all) {
  const request = open.apply(this, all);
  request.addEventListener('success', () => connections.push(request.result));
  return request;
}"""


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeVisit]:
    with serving({key: made(key) for key in shipped()} | {"other": made("tally")}) as server:
        yield server


@pytest.fixture(autouse=True)
def empty(fake: FakeVisit) -> None:
    fake.kept.clear()
    fake.closed.clear()
    fake.unreadable.clear()
    fake.full.clear()
    fake.sent, fake.refuse, fake.lose_answers, fake.broken_part = 0, None, False, ""
    fake.began_ago, fake.lasted = None, 0


def wait_for_databases(page: Page, *visits: str) -> None:
    """Waits until the phone has those of these visits, and no other."""
    end, expected = time.monotonic() + 5, sorted(f"meitheal-visit-{each}" for each in visits)
    names = "indexedDB.databases().then((all) => all.map((each) => each.name))"
    while sorted(found := page.evaluate(names)) != expected:
        assert time.monotonic() < end, found
        page.wait_for_timeout(50)


def test_states_are_said_as_they_are(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    context = phone()
    page = begin(context, fake.url("tally"))
    tap(page, times=3)
    state(page).to_have_text("3 kept on this phone, 0 sent.")
    state(page).to_have_text("3 kept on this phone, all sent.")
    context.set_offline(True)
    mode(page).to_have_text("No network: all is kept here.")
    tap(page)
    state(page).to_have_text("4 kept on this phone, 3 sent.")
    expect(page.locator("#visit-said")).to_have_text("Noted: A pupil asks a question")
    # Taken back: a line of its own, and the count of what stands goes down.
    page.locator("#visit-undo").tap()
    expect(page.locator(".count").first).to_have_text("3")
    state(page).to_have_text("5 kept on this phone, 3 sent.")
    context.set_offline(False)
    state(page).to_have_text("5 kept on this phone, all sent.")
    mode(page).to_be_hidden()
    assert [each.undoes for each in fake.wait_for("tally", 5)] == [0, 0, 0, 0, 4]
    assert fake.sent == 5, "each was sent once"
    assert page.errors == []  # type: ignore[attr-defined]


def test_a_lost_answer_sends_again_and_keeps_once(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("tally"))
    fake.lose_answers = True
    tap(page, times=2)
    state(page).to_contain_text("2 kept on this phone")
    send(page)
    fake.wait_for("tally", 2)
    mode(page).to_have_text("No network: all is kept here.")
    state(page).to_have_text("2 kept on this phone, 0 sent.")
    fake.lose_answers = False
    send(page)
    state(page).to_have_text("2 kept on this phone, all sent.")
    assert [each.number for each in fake.entries("tally")] == [1, 2]
    page.reload()
    state(page).to_have_text("2 kept on this phone, all sent.")
    assert fake.sent == 4, "what was sent is not sent again"


@pytest.mark.parametrize(
    "harm",
    [
        "connections.forEach((db) => db.close())",
        "connections.forEach((db) => { db.close(); db.dispatchEvent(new Event('close')) })",
        "connections.forEach((db) => db.dispatchEvent(new Event('versionchange')))",
        """() => { const once = IDBDatabase.prototype.transaction;
             IDBDatabase.prototype.transaction = function () {
               IDBDatabase.prototype.transaction = once;
               throw new DOMException('the connection is closing', 'InvalidStateError');
             } }""",
        # It takes the entry, and then falls silent before it says so: the entry is kept once.
        """() => { const once = IDBDatabase.prototype.transaction;
             IDBDatabase.prototype.transaction = function (...all) {
               const found = once.apply(this, all);
               IDBDatabase.prototype.transaction = once;
               Object.defineProperty(found, 'oncomplete', {set() {}});
               return found;
             } }""",
    ],
    ids=["closed", "closed and told", "another version", "invalid state", "silent"],
)
def test_a_database_that_the_browser_closes_is_opened_again(
    phone: Callable[..., BrowserContext], fake: FakeVisit, harm: str
) -> None:
    page = begin(phone(KEEP_CONNECTIONS), fake.url("tally"))
    tap(page)
    state(page).to_contain_text("1 kept on this phone")
    page.evaluate(harm)
    tap(page, times=2)
    state(page).to_contain_text("3 kept on this phone")
    page.reload()
    state(page).to_contain_text("3 kept on this phone")
    assert [each.number for each in fake.wait_for("tally", 3)] == [1, 2, 3]
    assert page.errors == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("lack", [NO_DATABASE, REFUSED_DATABASE], ids=["none", "refused"])
def test_a_window_that_keeps_nothing_says_so_before_the_lesson(
    phone: Callable[..., BrowserContext], fake: FakeVisit, lack: str
) -> None:
    context = phone(lack)
    page = context.new_page()
    page.goto(fake.url("tally"))
    expect(page.locator("#visit-begin-store")).to_contain_text("This window keeps nothing on the phone")
    page.locator("#visit-begin-now").tap()
    tap(page)
    # At once, for they are nowhere else.
    state(page).to_have_text("1 noted, all sent.", timeout=2000)
    mode(page).to_contain_text("This browser keeps nothing on the phone.")
    context.set_offline(True)
    tap(page, times=2)
    state(page).to_have_text("3 noted, 1 sent. Only in this page: 2.")
    mode(page).to_contain_text("Leave this page open until there is network")
    context.set_offline(False)
    fake.wait_for("tally", 3)
    page.reload()
    expect(page.locator(".count").first).to_have_text("3")
    tap(page)
    assert [each.number for each in fake.wait_for("tally", 4)] == [1, 2, 3, 4]
    assert len({each.device for each in fake.entries("tally")}) == 1


def test_a_database_that_fails_in_the_lesson_loses_nothing(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    page = begin(phone(), fake.url("tally"))
    tap(page)
    state(page).to_contain_text("1 kept on this phone")
    page.evaluate(
        """() => { window.whole = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = () => { throw new DOMException('full', 'QuotaExceededError') } }"""
    )
    page.context.set_offline(True)
    tap(page, times=2)
    state(page).to_have_text("3 noted, 0 sent. Only in this page: 2.")
    # When it works again they move in, and are kept like all others.
    page.evaluate("() => { IDBDatabase.prototype.transaction = window.whole }")
    tap(page)
    state(page).to_have_text("4 kept on this phone, 0 sent.")
    page.close()
    again = begin(page.context, fake.url("tally"))
    state(again).to_have_text("4 kept on this phone, 0 sent.")
    page.context.set_offline(False)
    fake.wait_for("tally", 4)
    assert [each.at_ms for each in fake.entries("tally")]


def test_visits_devices_and_tabs_keep_apart(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    context, tablet = phone(), phone()
    page, other = begin(context, fake.url("tally")), begin(context, fake.url("other"))
    second, elsewhere = begin(context, fake.url("tally")), begin(tablet, fake.url("tally"))
    for each in (page, second, elsewhere, other):
        each.bring_to_front()
        tap(each, times=3)
        state(each).to_contain_text("sent.")
    page.bring_to_front()
    tap(page)
    for each in (page, elsewhere, other):
        state(each).to_contain_text("sent.")
        send(each)
    found = fake.wait_for("tally", 10)
    by_device: dict[str, list[int]] = {}
    for each in found:
        by_device.setdefault(each.device, []).append(each.number)
    assert sorted(by_device.values()) == [[1, 2, 3], [1, 2, 3, 4, 5, 6, 7]], "two tabs of a phone are one device"
    assert [each.number for each in fake.wait_for("other", 3)] == [1, 2, 3]
    assert fake.entries("other")[0].device not in by_device


def test_a_copied_phone_gets_numbers_of_its_own(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("tally"))
    page.context.set_offline(True)
    tap(page, times=2)
    tap(page, "A pupil gives a reason")
    page.locator("#visit-undo").tap()
    state(page).to_contain_text("4 kept on this phone")
    device = page.evaluate(
        """() => new Promise((done) => { const request = indexedDB.open('meitheal-visit-tally');
        request.onsuccess = () => request.result.transaction('meta').objectStore('meta').get('device').onsuccess =
          (event) => done(event.target.result) })"""
    )
    # The other phone, set up from a copy of this one, has sent something else under the same name.
    page.context.request.post(
        fake.url("tally") + "/entries",
        data={"device": device, "entries": [{"number": n, "at_ms": n, "code": "builds"} for n in (1, 2, 3)]},
    )
    page.context.set_offline(False)
    state(page).to_have_text("5 kept on this phone, all sent.")
    mine = {each.number: each for each in fake.wait_for("tally", 8) if each.number > 3}
    assert [(each.code, each.undoes) for _number, each in sorted(mine.items())] == [
        ("", 3), ("asks", 0), ("asks", 0), ("reasons", 0), ("", mine_of(mine, "reasons")),
    ]  # fmt: skip


def mine_of(entries: dict[int, Any], code: str) -> int:
    return next(number for number, each in entries.items() if each.code == code)


def test_a_visit_is_closed_with_all_entries_and_leaves_nothing(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    context = phone()
    page = begin(context, fake.url("tally"))
    context.set_offline(True)
    tap(page, times=2)
    page.locator("summary", has_text="The lesson is over").tap()
    page.locator("#visit-close").tap()
    expect(page.locator("#visit-closing")).to_be_visible()
    state(page).to_have_text("2 kept on this phone, 0 sent.")
    assert fake.closed == {}
    # The tab goes, and comes back with the network: it closes by itself.
    page.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(fake.url("tally"))
    expect(again.locator("#visit-over-text")).to_have_text("Sent: 2. Nothing of them is on this phone any more.")
    assert fake.closed == {"tally": 1}
    assert len(fake.entries("tally")) == 2
    wait_for_databases(again)
    again.reload()
    expect(again.locator("#visit-over-text")).to_contain_text("It is over.")
    wait_for_databases(again)


def test_an_entry_that_is_not_taken_holds_no_other_back(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("tally"))
    fake.unreadable = {2}
    tap(page, times=4)
    state(page).to_contain_text("4 kept on this phone")
    send(page)
    state(page).to_have_text("4 kept on this phone, 3 sent.")
    mode(page).to_contain_text("were not taken there: 1.")
    assert [each.number for each in fake.entries("tally")] == [1, 3, 4]
    # Closing leaves it behind only when that was said.
    page.locator("summary", has_text="The lesson is over").tap()
    page.locator("#visit-close").tap()
    expect(page.locator("#visit-close")).to_be_visible()
    assert fake.closed == {}
    page.locator("#visit-close").tap()
    expect(page.locator("#visit-over")).to_be_visible()
    assert fake.closed == {"tally": 1}


def test_entries_outlive_a_crash_of_the_browser(playwright: Playwright, fake: FakeVisit, tmp_path: Path) -> None:
    """What the page says is kept is on the disk: the browser is killed as a phone does that runs out of memory."""

    def start() -> tuple[subprocess.Popen[bytes], Page]:
        profile, port = tmp_path / "profile", free_port()
        line = [str(CHROMIUM), "--headless=new", f"--remote-debugging-port={port}", f"--user-data-dir={profile}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([*line, *ARGUMENTS, "about:blank"], start_new_session=True, **quiet)  # type: ignore[call-overload]
        end = time.monotonic() + 20
        while True:
            try:
                return process, playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}").contexts[0].new_page()
            except Error:
                assert time.monotonic() < end and process.poll() is None
                time.sleep(0.1)

    process, page = start()
    try:
        page.goto(fake.url("tally"))
        page.locator("#visit-begin-now").click()
        page.context.set_offline(True)
        for _each in range(5):
            page.locator(".tap").first.click()
        state(page).to_have_text("5 kept on this phone, 0 sent.")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process, page = start()
        page.goto(fake.url("tally"))
        state(page).to_have_text("5 kept on this phone, all sent.")
        assert [each.number for each in fake.entries("tally")] == [1, 2, 3, 4, 5]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_an_old_visit_that_is_sent_is_cleared_away(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    context = phone("Date.now = ((now) => () => now() - Number(localStorage.days ?? 0) * 86_400_000)(Date.now)")
    page = begin(context, fake.url("tally"))
    page.evaluate("localStorage.days = 3")
    for visit, is_sent in (("other", True), ("wait_time", False)):
        old = begin(context, fake.url(visit))
        if not is_sent:
            context.set_offline(True)
        old.locator(".tap").first.tap()
        state(old).to_contain_text("1 kept on this phone")
        send(old)
        state(old).to_have_text("1 kept on this phone, all sent." if is_sent else "1 kept on this phone, 0 sent.")
        old.close()
    page.evaluate("localStorage.days = 0")
    page.reload()
    wait_for_databases(page, "tally", "wait_time")
    # And this one, where a code for another visit is typed days later.
    context.set_offline(False)
    tap(page)
    state(page).to_contain_text("1 kept on this phone")
    send(page)
    state(page).to_contain_text("all sent")
    page.evaluate("localStorage.days = -3")
    page.goto(fake.url("").replace("visit/", "code"))
    page.evaluate("import('/static/visit-tidy.js')")
    wait_for_databases(page, "wait_time")


def test_who_may_send_no_more_keeps_what_is_there(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("tally"))
    gone = {"title": "Over", "what": "The tab was open for long enough.", "advice": "Open it again.", "gone": "over"}
    fake.refuse = (410, gone)
    tap(page, times=2)
    send(page)
    mode(page).to_have_text("The tab was open for long enough. Open it again. What was not sent stays on this phone.")
    tap(page)
    state(page).to_have_text("3 kept on this phone, 0 sent.")
    page.reload()
    mode(page).to_contain_text("The tab was open for long enough.")
    state(page).to_have_text("3 kept on this phone, 0 sent.")
    fake.refuse = None
    page.reload()
    state(page).to_have_text("3 kept on this phone, all sent.")
    # And what nobody takes any more can be deleted here.
    fake.refuse = (410, gone | {"gone": "deleted"})
    tap(page)
    send(page)
    mode(page).to_contain_text("The tab was open")
    page.locator("summary", has_text="Delete what is on this phone").tap()
    page.locator("#visit-delete").tap()
    expect(page.locator("#visit-over-text")).to_have_text("Nothing of this visit is on this phone any more.")


def close_visit(page: Page) -> None:
    if not page.locator("#visit-close").is_visible():
        page.locator("summary", has_text="The lesson is over").tap()
    page.locator("#visit-close").tap()


def test_a_visit_that_is_closed_late_is_as_long_as_its_lesson(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    fake.began_ago = 25 * 60_000
    context = phone("Date.now = ((now) => () => now() + Number(localStorage.hours ?? 0) * 3_600_000)(Date.now)")
    page = begin(context, fake.url("tally"))
    tap(page)
    state(page).to_contain_text("1 kept on this phone")
    send(page)
    # A second device goes on from where the first one is.
    assert 25 <= fake.wait_for("tally", 1)[0].at_ms / 60_000 < 26
    page.evaluate("localStorage.hours = 5")
    page.reload()
    expect(page.locator("#visit-time")).to_have_text("325 min")
    page.locator("summary", has_text="The lesson is over").tap()
    expect(page.locator("#visit-lasted")).to_have_value("60")
    page.locator("#visit-lasted").fill("40")
    # What somebody said is not forgotten when the box is folded and opened again.
    for _once in range(2):
        page.locator("summary", has_text="The lesson is over").tap()
    close_visit(page)
    expect(page.locator("#visit-over")).to_be_visible()
    assert fake.closed == {"tally": 40}


def test_a_visit_that_is_opened_again_in_the_evening_goes_on_at_its_end(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    fake.began_ago, fake.lasted = 5 * 3_600_000, 45
    page = begin(phone(), fake.url("tally"))
    tap(page)
    state(page).to_contain_text("1 kept on this phone")
    send(page)
    assert fake.wait_for("tally", 1)[0].at_ms == 45 * 60_000
    page.locator("summary", has_text="The lesson is over").tap()
    expect(page.locator("#visit-lasted")).to_have_value("45")


def test_two_taps_at_once_in_a_stretch_note_it_once(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("interval_codes"))
    page.evaluate("(tap => { tap.click(); tap.click() })(document.querySelector('.tap'))")
    state(page).to_contain_text("1 kept on this phone")
    send(page)
    assert len(fake.wait_for("interval_codes", 1)) == 1


def test_a_page_says_that_it_is_on_its_way_while_the_database_is_silent(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    page = phone("IDBFactory.prototype.open = () => new EventTarget()").new_page()
    page.goto(fake.url("tally"))
    expect(page.locator("#visit-wait-text")).to_have_text("One moment", timeout=2000)


def test_the_page_is_kept_later_where_it_could_not_be_at_once_and_never_by_half(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    fake.broken_part = "meitheal.svg"
    page = phone().new_page()
    page.goto(fake.url("tally"))
    shell = page.locator("#visit-begin-shell")
    expect(shell).to_contain_text("may not open again")
    fake.broken_part = ""
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(shell).to_have_text("This page opens again without network.")
    # A newer state of which a part was kept when the browser was killed: the one before goes on.
    half = "caches.open('meitheal-visit-9999999999999').then((all) => all.put('/static/visit.js', new Response('')))"
    page.evaluate(half)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#visit-begin-now")).to_be_visible()


def test_closing_loses_nothing_that_was_typed(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("scripting"))
    page.locator("#box-seen").fill("Half a line")
    page.locator("summary", has_text="My questions").tap()
    page.locator("#box-question").fill("What comes next?")
    close_visit(page)
    expect(page.locator("#box-seen-hint")).to_contain_text("not kept yet")
    assert fake.closed == {}
    # Deleted elsewhere: what was typed is still there after a reload, and can be copied.
    fake.refuse = (410, {"title": "Over", "what": "It is deleted.", "advice": "", "gone": "deleted"})
    page.wait_for_timeout(600)
    page.reload()
    expect(page.locator("#box-seen")).to_have_value("Half a line")
    page.locator("summary", has_text="What was not sent").tap()
    expect(page.locator("#visit-unsent")).to_have_value("Half a line\nWhat comes next?")
    fake.refuse = None
    page.reload()
    tap(page, "What is done")
    close_visit(page)
    expect(page.locator("#visit-over")).to_be_visible()
    assert [(each.column, each.text) for each in fake.entries("scripting")] == [
        ("seen", "Half a line"), ("question", "What comes next?"),
    ]  # fmt: skip
    assert page.evaluate("document.body.textContent.includes('Half a line')") is False


def test_a_remark_that_was_typed_outlives_a_reload_and_is_not_closed_over(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    page = begin(phone(), fake.url("checklist"))
    remark = page.locator(".check textarea").first
    page.locator(".check summary").first.tap()
    remark.fill("Two ways side by side")
    page.wait_for_timeout(600)
    page.reload()
    expect(remark).to_have_value("Two ways side by side")
    close_visit(page)
    expect(page.locator(".check .hint").first).to_contain_text("not kept yet")
    assert fake.closed == {}


def test_a_visit_that_has_not_begun_stays_when_another_is_opened(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    context = phone()
    page = context.new_page()
    page.goto(fake.url("other"))
    expect(page.locator("#visit-begin-now")).to_be_visible()
    begin(context, fake.url("tally"))
    page.wait_for_timeout(300)
    context.set_offline(True)
    page.reload()
    expect(page.locator("#visit-begin-now")).to_be_visible()


def test_a_full_visit_holds_nothing_else_back_and_is_copied(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    fake.full.add("tally")
    page = begin(phone(), fake.url("tally"))
    tap(page)
    state(page).to_contain_text("1 kept on this phone")
    send(page)
    mode(page).to_contain_text("were not taken there: 1.")
    page.locator("summary", has_text="What was not sent").tap()
    page.locator("summary", has_text="The lesson is over").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    expect(page.locator("#visit-unsent")).to_have_value(re.compile(r"0:0\d A pupil asks a question"))
    fake.full.clear()
    tap(page)
    send(page)
    state(page).to_have_text("2 kept on this phone, 1 sent.")


def test_what_a_server_lost_is_sent_again(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("tally"))
    tap(page, times=3)
    state(page).to_contain_text("3 kept on this phone")
    send(page)
    state(page).to_have_text("3 kept on this phone, all sent.")
    fake.kept["tally"] = dict(sorted(fake.kept["tally"].items())[:1])
    page.reload()
    assert [each.number for each in fake.wait_for("tally", 3)] == [1, 2, 3]


def test_an_entry_that_moved_in_is_taken_back(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    page = begin(phone(), fake.url("tally"))
    page.context.set_offline(True)
    page.evaluate(
        """() => { window.whole = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = () => { throw new DOMException('full', 'QuotaExceededError') } }"""
    )
    tap(page, times=2)
    state(page).to_have_text("2 noted, 0 sent. Only in this page: 2.")
    page.evaluate("() => { IDBDatabase.prototype.transaction = window.whole }")
    page.evaluate("document.getElementById('visit-undo').click(); document.getElementById('visit-undo').click()")
    state(page).to_have_text("4 kept on this phone, 0 sent.")
    expect(page.locator("#visit-last")).to_have_text("Nothing noted yet.")
    page.context.set_offline(False)
    found = fake.wait_for("tally", 4)
    assert [each.undoes for each in found] == [0, 0, 2, 1]
    assert page.errors == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_offline", [True, False])
def test_an_entry_that_a_silent_database_took_counts_once(
    phone: Callable[..., BrowserContext], fake: FakeVisit, is_offline: bool
) -> None:
    context = phone()
    context.clock.install()
    page = begin(context, fake.url("tally"))
    context.set_offline(is_offline)
    page.evaluate(
        """() => { window.whole = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (...all) {
          const found = window.whole.apply(this, all);
          Object.defineProperty(found, 'oncomplete', {set() {}});
          return found;
        } }"""
    )
    tap(page)
    for _second in range(14 if is_offline else 30):
        page.clock.run_for(1000)
        page.wait_for_timeout(20)
    state(page).to_have_text("1 noted, 0 sent. Only in this page: 1." if is_offline else "1 noted, all sent.")
    page.evaluate("() => { IDBDatabase.prototype.transaction = window.whole }")
    tap(page)
    expect(page.locator(".count").first).to_have_text("2")
    context.set_offline(False)
    send(page)
    found = fake.wait_for("tally", 2 if is_offline else 4)
    gone = {(each.device, each.undoes) for each in found if each.undoes}
    assert len([each for each in found if not each.undoes and each.id not in gone]) == 2
    page.reload()
    expect(page.locator(".count").first).to_have_text("2")


def test_a_visit_opened_while_the_database_failed_opens_again(
    phone: Callable[..., BrowserContext], fake: FakeVisit
) -> None:
    context = phone(
        """window.whole = IDBDatabase.prototype.transaction;
        if (!localStorage.works) IDBDatabase.prototype.transaction = () => { throw new DOMException('full') }"""
    )
    page = begin(context, fake.url("tally"))
    page.evaluate("() => { localStorage.works = 1; IDBDatabase.prototype.transaction = window.whole }")
    context.set_offline(True)
    tap(page)
    state(page).to_contain_text("1 kept on this phone")
    page.close()
    again = begin(context, fake.url("tally"))
    state(again).to_contain_text("1 kept on this phone")


def test_a_page_that_waits_opens_by_itself(phone: Callable[..., BrowserContext], fake: FakeVisit) -> None:
    context = phone()
    context.clock.install()
    fake.refuse = (503, {})
    page = context.new_page()
    page.goto(fake.url("tally"))
    expect(page.locator("#visit-wait-text")).to_contain_text("It opens by itself")
    fake.refuse = None
    page.clock.run_for(16_000)
    expect(page.locator("#visit-begin-now")).to_be_visible()
