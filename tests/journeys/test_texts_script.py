"""The browser's side of "nothing typed is lost", against a server that speaks the save protocol and nothing else."""

import re
import time
from collections.abc import Callable

from journeys.fake_texts import FakeTexts
from playwright.sync_api import BrowserContext, Page, expect

Contexts = Callable[..., BrowserContext]


def box(page: Page, key: str = "goal"):
    return page.locator(f"#text-{key}")


def state(page: Page, key: str = "goal"):
    return page.locator(f"#field-{key} [data-save-state]")


SUDDEN = """for (const end of ["pagehide", "visibilitychange"]) {
  addEventListener(end, (event) => event.stopImmediatePropagation(), true);
}"""
"""Makes a page end as when the battery dies: it gets no moment to send its last words."""


def open_page(context: BrowserContext, fake: FakeTexts, person: str) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: (_ for _ in ()).throw(AssertionError(str(error))))
    page.goto(fake.url(person))
    page.locator("html.texts-live").wait_for()
    return page


def test_text_is_saved_as_it_is_typed_and_said_so_only_then(new_context: Contexts, fake: FakeTexts) -> None:
    page = open_page(new_context(), fake, "Niamh")
    box(page).press_sequentially("Who answers first", delay=20)
    expect(state(page)).to_have_text("Saved")
    assert fake.texts("goal") == ["Who answers first"]
    assert fake.saves <= 4
    assert page.evaluate("Object.keys(localStorage).length") == 0


def test_the_partner_sees_it_within_three_seconds(new_context: Contexts, fake: FakeTexts) -> None:
    niamh, sean = open_page(new_context(), fake, "Niamh"), open_page(new_context(), fake, "Seán")
    slowest = 0.0
    for words in ("Who answers", "Who answers first", "Who answers first, and who never does"):
        begun = time.monotonic()
        box(niamh).fill(words)
        expect(box(sean)).to_have_value(words, timeout=3000)
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 3
    box(sean).fill("Who answers last")
    expect(box(niamh)).to_have_value("Who answers last", timeout=6000)
    assert fake.texts("goal") == ["Who answers last"]


def test_two_who_write_at_once_keep_both_and_can_join_them(new_context: Contexts, fake: FakeTexts) -> None:
    niamh, sean = open_page(new_context(), fake, "Niamh"), open_page(new_context(), fake, "Seán")
    box(niamh).press_sequentially("hers", delay=5)
    box(sean).press_sequentially("his", delay=5)
    fake.wait_for("goal", "hers", "his")
    expect(niamh.locator(".other-version .words")).to_have_text("his")
    expect(sean.locator(".other-version .words")).to_have_text("hers")
    expect(box(niamh)).to_have_value("hers")
    expect(box(sean)).to_have_value("his")
    sean.reload()
    expect(sean.locator(".other-version .words")).to_have_text("hers")
    niamh.get_by_role("button", name="Keep both").click()
    fake.wait_for("goal", "hers\n\nhis")
    expect(box(sean)).to_have_value("hers\n\nhis")
    expect(sean.locator(".other-version")).to_have_count(0)


def test_use_this_one_takes_the_others_version(new_context: Contexts, fake: FakeTexts) -> None:
    niamh, sean = open_page(new_context(), fake, "Niamh"), open_page(new_context(), fake, "Seán")
    box(niamh).fill("hers")
    box(sean).fill("his")
    niamh.get_by_role("button", name="Use this one").click()
    fake.wait_for("goal", "his")


def test_a_box_that_is_being_typed_in_is_left_alone(new_context: Contexts, fake: FakeTexts) -> None:
    niamh, sean = open_page(new_context(), fake, "Niamh"), open_page(new_context(), fake, "Seán")
    box(niamh).fill("a lesson")
    expect(box(sean)).to_have_value("a lesson")
    box(sean).focus()
    sean.keyboard.press("End")
    for _ in range(8):
        sean.keyboard.type(" on", delay=10)
        fake.save("goal", "Niamh", "a lesson!", [fake.heads("goal")[0].token], "elsewhere", int(time.monotonic() * 100))
        time.sleep(0.4)
    expect(box(sean)).to_have_value("a lesson" + " on" * 8)
    fake.wait_for("goal", "a lesson!", "a lesson" + " on" * 8)


def test_without_the_server_it_is_kept_on_the_device_and_sent_later(new_context: Contexts, fake: FakeTexts) -> None:
    page = open_page(new_context(), fake, "Niamh")
    fake.stop()
    box(page).fill("typed while the server was dead")
    expect(state(page)).to_contain_text("Saved on this device")
    kept = page.evaluate("JSON.stringify(Object.entries(localStorage))")
    assert "typed" not in kept
    fake.start()
    fake.wait_for("goal", "typed while the server was dead", within=15)
    expect(state(page)).to_have_text("Saved")
    assert page.evaluate("Object.keys(localStorage).length") == 0


def test_offline_then_online_sends_at_once(new_context: Contexts, fake: FakeTexts) -> None:
    context = new_context()
    page = open_page(context, fake, "Niamh")
    context.set_offline(True)
    box(page).fill("no network in room 12")
    expect(state(page)).to_contain_text("Saved on this device")
    context.set_offline(False)
    expect(state(page)).to_have_text("Saved")
    fake.wait_for("goal", "no network in room 12")


def test_a_closed_tab_gives_the_text_back(new_context: Contexts, fake: FakeTexts) -> None:
    context = new_context()
    context.add_init_script(SUDDEN)
    page = open_page(context, fake, "Niamh")
    fake.refuse = 503
    box(page).fill("then the battery died")
    expect(state(page)).to_contain_text("Saved on this device")
    page.close(run_before_unload=False)
    # The tab may live on for a moment, and send what it has once more: that must be refused too.
    time.sleep(1.5)
    fake.refuse = 0
    page = open_page(context, fake, "Niamh")
    expect(box(page)).to_have_value("then the battery died")
    expect(state(page)).to_contain_text("Saved · This is what you had typed on this device.")
    fake.wait_for("goal", "then the battery died")
    assert page.evaluate("Object.keys(localStorage).length") == 0


def test_a_page_without_the_box_sends_what_was_kept_for_it(new_context: Contexts, fake: FakeTexts) -> None:
    """A conversation goes on to a step with other boxes; a reflection, to other headings."""
    context = new_context()
    context.add_init_script(SUDDEN)
    page = open_page(context, fake, "Niamh")
    fake.refuse = 503
    box(page).fill("typed at the step before")
    expect(state(page)).to_contain_text("Saved on this device")
    page.close(run_before_unload=False)
    time.sleep(1.5)
    fake.refuse, fake.hidden = 0, "goal"
    page = open_page(context, fake, "Niamh")
    expect(box(page)).to_have_count(0)
    fake.wait_for("goal", "typed at the step before")
    page.wait_for_function("Object.keys(localStorage).length === 0")


def test_the_next_person_at_the_same_computer_gets_nothing(new_context: Contexts, fake: FakeTexts) -> None:
    context = new_context()
    context.add_init_script(SUDDEN)
    page = open_page(context, fake, "Niamh")
    fake.refuse = 503
    box(page).fill("only mine")
    expect(state(page)).to_contain_text("Saved on this device")
    page.close()
    page = open_page(context, fake, "Seán")
    time.sleep(1)
    expect(box(page)).to_have_value("")
    assert fake.texts("goal") == []
    fake.refuse = 0
    page = open_page(context, fake, "Niamh")
    expect(box(page)).to_have_value("only mine")


def test_a_lost_answer_makes_no_second_version(new_context: Contexts, fake: FakeTexts) -> None:
    context = new_context()
    page = open_page(context, fake, "Niamh")
    fake.lose_answers = True
    box(page).fill("once")
    fake.wait_for("goal", "once")
    expect(state(page)).to_contain_text("Saved on this device")
    box(page).fill("once and for all")
    page.close()
    fake.lose_answers = False
    page = open_page(context, fake, "Niamh")
    expect(box(page)).to_have_value("once and for all")
    fake.wait_for("goal", "once and for all")
    assert len(fake.rows["goal"]) == 1
    expect(page.locator(".other-version")).to_have_count(0)


def test_when_the_sign_in_is_over_it_says_what_to_do_and_keeps_the_text(new_context: Contexts, fake: FakeTexts) -> None:
    context = new_context()
    page = open_page(context, fake, "Niamh")
    fake.refuse = 401
    box(page).fill("after twelve hours")
    expect(state(page)).to_contain_text("Saved on this device. Your session is over. Open the activity again")
    fake.refuse = 0
    again = open_page(context, fake, "Niamh")
    expect(box(again)).to_have_value("after twelve hours")
    fake.wait_for("goal", "after twelve hours")


def test_not_saved_is_said_where_neither_takes_it(new_context: Contexts, fake: FakeTexts) -> None:
    context = new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    )
    page = open_page(context, fake, "Niamh")
    box(page).fill("a first word")
    expect(state(page)).to_have_text("Saved")
    fake.stop()
    box(page).press_sequentially(" and more")
    expect(state(page)).to_contain_text("Not saved.")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]


def test_nothing_is_asked_when_all_is_kept(new_context: Contexts, fake: FakeTexts) -> None:
    page = open_page(new_context(), fake, "Niamh")
    fake.stop()
    box(page).press_sequentially("kept here")
    expect(state(page)).to_contain_text("Saved on this device")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.close(run_before_unload=True)
    assert asked == []


def test_too_long_is_said_and_nothing_is_cut(new_context: Contexts, fake: FakeTexts) -> None:
    page = open_page(new_context(), fake, "Niamh")
    box(page).fill("x" * 205)
    expect(state(page)).to_contain_text("Too long by 5 characters")
    expect(state(page)).to_contain_text("Saved on this device")
    box(page).fill("x" * 200)
    expect(state(page)).to_have_text("Saved")


def test_two_tabs_of_one_person_do_not_fight(new_context: Contexts, fake: FakeTexts) -> None:
    context = new_context()
    one, two = open_page(context, fake, "Niamh"), open_page(context, fake, "Niamh")
    box(one).fill("in the first tab")
    one.evaluate("document.activeElement.blur()")
    expect(box(two)).to_have_value("in the first tab")
    box(two).press_sequentially(" and the second")
    fake.wait_for("goal", "in the first tab and the second")
    assert len(fake.heads("goal")) == 1
    expect(box(one)).to_have_value("in the first tab and the second")
    # An open tab's unsent text is not taken over, but it is when that tab is gone.
    context.set_offline(True)
    box(one).fill("offline in one")
    expect(state(one)).to_contain_text("Saved on this device")
    context.set_offline(False)
    fake.wait_for("goal", "offline in one", within=10)


def test_a_form_of_the_page_waits_for_the_text(new_context: Contexts, fake: FakeTexts) -> None:
    page = open_page(new_context(), fake, "Niamh")
    box(page).press_sequentially("quick")
    page.get_by_role("button", name="Done").click()
    page.wait_for_url(re.compile("/done"))
    assert fake.done == ["quick"]


def test_agreements_appear_without_a_reload(new_context: Contexts, fake: FakeTexts) -> None:
    page = open_page(new_context(), fake, "Niamh")
    with fake.lock:
        fake.agreed.append("Seán")
        fake.revision += 1
    expect(page.locator("[data-live=goal]")).to_contain_text("Seán")


def test_without_javascript_there_is_a_button(new_context: Contexts, fake: FakeTexts) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(fake.url("Niamh"))
    expect(page.locator("#field-goal").get_by_role("button", name="Save")).to_be_visible()
