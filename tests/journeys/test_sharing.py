"""Sharing a passage in a real browser: what its author does, and what a colleague and the trainer then find."""

import re
from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, arrivals
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, expect


def test_a_passage_is_shared_read_and_taken_back(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool), "End of term")
    look = Look(live_tool.url)

    arrive = arrivals(new_context, sandbox, look, activity)
    trainer = arrive(steps.TRAINER)
    steps.set_up(trainer, "A reflection of your own")
    trainer.visit("shared")
    niamh, sean = arrive(steps.NIAMH), arrive(steps.SEAN)
    for teacher in (niamh, sean):
        teacher.press("I have read this: continue")
    sean.press("Shared by colleagues")
    niamh.visit("shared/mine")
    niamh.home()
    niamh.press("Begin")
    niamh.write("own_learning", "I ask, and answer myself.\n\nNext time I count to five before I say anything at all.")
    niamh.press("Submit version 1: my trainer sees that I submitted, not what I wrote")
    look.state = " submitted"
    niamh.press("Version 1")
    niamh.follow(niamh.at.get_by_role("link", name=re.compile("Share a passage ?: What did I learn")))
    niamh.at.get_by_label("What did I learn for my own teaching?").fill("Somebody else's words.")
    look.state = " refused"
    niamh.press("Share this passage")
    expect(niamh.at.get_by_role("alert").get_by_role("link")).to_have_count(2)
    passage = "Next time I count to five before I say anything at all."
    box = niamh.at.get_by_label("What did I learn for my own teaching?")
    expect(box).to_have_value("Somebody else's words.")
    box.fill(passage)
    niamh.at.get_by_label("With all teachers who take part").check()
    look.state = " shared"
    niamh.press("Share this passage")
    expect(niamh.at.locator("main")).to_contain_text(passage)
    sean.home()
    sean.press("Shared by colleagues")
    sean.follow(sean.at.get_by_role("link", name="Niamh"))
    expect(sean.at.locator("main")).to_contain_text(passage)
    expect(sean.at.locator("main")).not_to_contain_text("answer myself")
    trainer.visit("shared")
    expect(trainer.at.locator("main")).to_contain_text("Nothing here yet")
    look.state = " taken back"
    niamh.press("Take back")
    sean.page.reload()
    expect(sean.at.locator("h1")).not_to_contain_text("Niamh")
    assert not look.wrong, "\n".join(look.wrong)
    assert not niamh.errors + sean.errors + trainer.errors
