"""What two teachers type, with the real tool in the LMS's frame: seen by the partner, kept when both type at once, when
the server is killed, the network or the tab goes, and when the session is over."""

import time
from collections.abc import Callable

import pytest
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext, Locator, expect


@pytest.fixture
def pair(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> tuple[str, Somebody, Somebody]:
    """Address of the activity, and host and coach, both on the page on which they get started together."""
    activity = sandbox.add_activity(sandbox.register(live_tool))
    trainer, niamh, sean = (Somebody(new_context(), sandbox, user) for user in (steps.TRAINER, steps.NIAMH, steps.SEAN))
    trainer.open(activity)
    steps.set_up(trainer, "Light")
    for teacher in (sean, niamh):
        teacher.open(activity)
        teacher.press("I have read this: continue")
    steps.become_partners(niamh, sean)
    niamh.press("Start together")
    sean.press("Start together")
    return activity, niamh, sean


def norms(somebody: Somebody) -> Locator:
    return somebody.at.locator("#text-norms")


def state(somebody: Somebody) -> Locator:
    return somebody.at.locator("#field-norms [data-save-state]")


def come_back(somebody: Somebody, activity: str) -> None:
    """From the course once more, to the same page."""
    somebody.open(activity)
    somebody.open_stage("Getting started together")


def test_what_both_type_is_shared_and_kept(pair: tuple[str, Somebody, Somebody], live_tool: LiveTool) -> None:
    activity, niamh, sean = pair

    # The partner sees it within three seconds.
    for words in ("We talk", "We talk on Tuesdays", "We talk on Tuesdays, in the staff room"):
        begun = time.monotonic()
        norms(niamh).fill(words)
        expect(norms(sean)).to_have_value(words, timeout=3000)
        assert time.monotonic() - begun < 3

    # Both at once: both versions are kept, and shown to both.
    niamh.at.locator("body").click(position={"x": 5, "y": 5})
    norms(niamh).press_sequentially(" at noon", delay=2)
    norms(sean).press_sequentially(" after school", delay=2)
    expect(niamh.at.locator(".other-version .words")).to_contain_text("after school")
    expect(sean.at.locator(".other-version .words")).to_contain_text("at noon")
    sean.follow(sean.at.locator(".page-name"))
    sean.open_stage("Getting started together")
    expect(sean.at.locator(".other-version .words")).to_contain_text("at noon")
    niamh.at.get_by_role("button", name="Keep both").click()
    expect(sean.at.locator(".other-version")).to_have_count(0, timeout=8000)
    expect(norms(sean)).to_have_value(norms(niamh).input_value())

    # The server dies in the middle of a sentence.
    live_tool.kill()
    norms(niamh).fill("typed while the server was dead")
    expect(state(niamh)).to_contain_text("Saved on this device")
    live_tool.start()
    expect(state(niamh)).to_have_text("Saved", timeout=30_000)
    expect(norms(sean)).to_have_value("typed while the server was dead", timeout=15_000)

    # No network in room 12, and then the tab is closed.
    niamh.context.set_offline(True)
    norms(niamh).fill("typed in room 12")
    expect(state(niamh)).to_contain_text("Saved on this device")
    niamh.page.close(run_before_unload=False)
    niamh.context.set_offline(False)
    come_back(niamh, activity)
    expect(norms(niamh)).to_have_value("typed in room 12")
    expect(state(niamh)).to_contain_text("Saved")
    expect(norms(sean)).to_have_value("typed in room 12", timeout=15_000)

    # The session is over; the page says what to do, and a new launch has the text.
    live_tool.end_all_sign_ins()
    norms(niamh).fill("typed after twelve hours")
    expect(state(niamh)).to_contain_text("Saved on this device. Your session is over.")
    come_back(niamh, activity)
    expect(norms(niamh)).to_have_value("typed after twelve hours")
    expect(state(niamh)).to_contain_text("Saved")
    come_back(sean, activity)
    expect(norms(sean)).to_have_value("typed after twelve hours")
    assert niamh.errors == sean.errors == []


def test_a_light_cycle_without_javascript(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    trainer = Somebody(new_context(), sandbox, steps.TRAINER)
    trainer.open(activity)
    steps.set_up(trainer, "Light")
    niamh, sean = (
        Somebody(new_context(java_script_enabled=False), sandbox, user) for user in (steps.NIAMH, steps.SEAN)
    )
    for teacher in (sean, niamh):
        teacher.open_alone(activity)
        teacher.press("I have read this: continue")
    steps.become_partners(niamh, sean)
    sean.press("Start together")
    niamh.press("Start together")
    type_in(niamh, norms="We talk on Tuesdays.", hopes="To think aloud.")
    niamh.press("Sign")
    # Sean's page is older than what Niamh wrote; his tap must not bring the empty box back.
    type_in(sean, hopes="To listen well.")
    sean.press("Sign")
    expect(sean.at.locator("main")).to_contain_text("A text has changed since you opened this page")
    expect(sean.at.locator("#text-hopes")).to_have_value("To listen well.")
    sean.press("Sign")
    niamh.open_stage("Conversation before")
    type_in(niamh, goal="That the quiet ones speak.", criteria="Five more hands.")
    niamh.press("Confirm the goal")
    sean.open_stage("Conversation before")
    sean.press("Confirm the goal")
    sean.press("We have talked")
    niamh.open_stage("Conversation after")
    type_in(niamh, looking_back="They waited too.", next_steps="Count to five.")
    niamh.press("We have talked")
    for teacher in (niamh, sean):
        teacher.open_stage("Your reflection")
        type_in(teacher, own_learning="To wait.")
        teacher.press("Submit version 1: my trainer sees that I submitted, not what I wrote")
    niamh.home()
    expect(niamh.at.locator("h1")).to_have_text("This cycle is finished")


def type_in(somebody: Somebody, **texts: str) -> None:
    for key, text in texts.items():
        somebody.at.locator(f"#text-{key}").fill(text)


def test_a_refused_form_without_javascript_gives_back_what_was_typed(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    trainer = Somebody(new_context(java_script_enabled=False), sandbox, steps.TRAINER)
    trainer.open_alone(activity)
    trainer.at.get_by_label("What is it for?").fill("Noticing together how our classes think.")
    live_tool.end_all_sign_ins()
    trainer.press("Open it to the teachers")
    expect(trainer.at.locator("h1")).to_have_text("Please open the activity again")
    expect(trainer.at.locator("textarea").last).to_have_value("Noticing together how our classes think.")


def test_the_main_steps_by_keyboard_alone(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    trainer, niamh, sean = (Somebody(new_context(), sandbox, user) for user in (steps.TRAINER, steps.NIAMH, steps.SEAN))
    trainer.open_alone(activity)
    trainer.page.keyboard.press("Tab")
    expect(trainer.page.locator(".skip-link")).to_be_in_viewport()
    trainer.page.keyboard.press("Enter")
    by_keyboard(trainer, "Coaching cycle: Light", key="Space")
    by_keyboard(trainer, "Open it to the teachers")
    for teacher in (sean, niamh):
        teacher.open_alone(activity)
        by_keyboard(teacher, "I have read this: continue")
    for name in ("Find a partner", "Invite Seán Ó Dónaill", "Send the invitation"):
        by_keyboard(niamh, name)
    sean.page.reload()
    by_keyboard(sean, "Yes, coach together")
    niamh.page.goto(niamh.page.url.rsplit("/", 1)[0] + "/")
    by_keyboard(niamh, "Start together")
    by_keyboard(niamh, "How we would like to work", key="")
    niamh.page.keyboard.type("We talk on Tuesdays.")
    expect(state(niamh)).to_have_text("Saved")
    by_keyboard(niamh, "Sign")
    expect(niamh.at.locator("main")).to_contain_text("You have agreed.")


def by_keyboard(somebody: Somebody, name: str, key: str = "Enter") -> None:
    """Goes on by Tab to what is called `name`, and presses the key there; the ring of focus must show."""
    page = somebody.page
    for _ in range(60):
        page.keyboard.press("Tab")
        # The words that a screen reader says for what has the focus: its label, or its own.
        words = page.evaluate(
            "() => { const at = document.activeElement; return at.labels?.[0]?.textContent ?? at.textContent }"
        )
        if " ".join(words.split()) == name:
            break
    else:
        raise AssertionError(f"{name} is not reached by Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    if key == "Enter":
        page.locator("html").evaluate("page => page.setAttribute('data-left', '')")
        page.keyboard.press(key)
        page.wait_for_selector("html:not([data-left]) main#content h1")
    elif key:
        page.keyboard.press(key)
