"""A trainer makes a protocol of the course's own, on a phone: every page is looked at on the way."""

from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, expect


def test_a_trainer_makes_a_protocol_of_their_own(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    look = Look(live_tool.url)
    activity = sandbox.add_activity(sandbox.register(live_tool))
    trainer = Somebody(new_context(), sandbox, steps.TRAINER)
    trainer.open_alone(activity)
    steps.set_up(trainer, "Coaching cycle: Light")
    # From here on: what was there before is looked at elsewhere.
    trainer.look = look
    trainer.press("Protocols")
    trainer.press("Light")
    trainer.press("Make our own version")
    trainer.press("Conversation before")
    page = trainer.page
    page.locator("#prompts > details > summary").click()
    page.locator("#text-pnew-en").fill("What would the pupils ask?")
    page.locator("#row-s0 > details > summary").click()
    page.locator("#s0-minutes").fill("a while")
    trainer.follow(page.locator(".actions button", has_text="Save"))
    expect(page.locator("main [role=alert]")).to_contain_text("Step 1: Write the minutes as a whole number")
    expect(page.locator("#row-s0 > details")).to_have_attribute("open", "")
    page.locator("#s0-minutes").fill("5")
    trainer.follow(page.locator("#row-s1 > .edit-moves button", has_text="Earlier"))
    expect(page.locator("#row-s0 summary").first).to_contain_text("What would show it")
    expect(page.locator("#row-p0")).to_contain_text("What would the pupils ask?")
    page.locator("#row-s0 > details > summary").click()
    trainer.follow(page.locator("#row-s0 button", has_text="Choose from the collection"))
    page.locator("main input[type=checkbox]").first.check()
    trainer.press("Take what is ticked")
    trainer.press("Back to all stages")
    trainer.press("See what is different, and give it out")
    expect(page.locator("main")).to_contain_text("“What would the pupils ask?” is new")
    trainer.press("Give it out")
    expect(page.locator("main [role=status]")).to_contain_text("given out")
    trainer.visit("activity")
    page.get_by_label("Coaching cycle: Light (our version)").check()
    trainer.press("Save")
    niamh = Somebody(new_context(), sandbox, steps.NIAMH)
    niamh.open_alone(activity)
    niamh.visit("about")
    niamh.look = look
    niamh.press("Light (our version)")
    expect(niamh.page.locator("main")).to_contain_text("What would the pupils ask?")
    assert len(look.seen) >= 8
    assert not look.wrong, "\n".join(look.wrong)
