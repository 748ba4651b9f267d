"""Writing a reflection under other headings in a real browser: what is typed is kept, also what was not saved yet."""

from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, arrivals
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, expect


def test_changing_the_headings_loses_nothing_typed(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool), "End of term")
    look = Look(live_tool.url)

    arrive = arrivals(new_context, sandbox, look, activity)
    steps.set_up(arrive(steps.TRAINER), "A reflection of your own")
    niamh = arrive(steps.NIAMH)
    niamh.press("I have read this: continue")
    niamh.press("Begin")
    niamh.at.get_by_label("What did I learn for my own teaching?").fill("To count to five.")
    niamh.at.get_by_text("Write under other headings").click()
    niamh.at.get_by_label("What? So what? Now what?").check()
    look.state = " in a frame"
    # At once, before the page has saved by itself.
    niamh.press("Write under these headings")
    expect(niamh.at.get_by_label("What I learned for my own teaching")).to_have_value("To count to five.")
    niamh.at.get_by_label("What? What happened").fill("The back row went on without me.")
    expect(niamh.at.locator("[data-text-field='what.moment'] [data-save-state]")).to_have_text("Saved")
    niamh.at.get_by_label("An open page").check()
    look.state = " in another"
    niamh.press("Write under these headings")
    niamh.at.get_by_text("What you wrote under “What? So what? Now what?”").click()
    expect(niamh.at.locator("[data-text-shown='what.moment']")).to_contain_text("The back row went on without me.")
    niamh.press("Submit version 1: my trainer sees that I submitted, not what I wrote")
    look.state = ""
    niamh.press("Version 1")
    expect(niamh.at.locator("main")).to_contain_text("Headings: An open page")
    niamh.visit("years", "growth")
    niamh.at.get_by_label("Something I would like to grow in").fill("To wait longer.")
    look.state = " with a line"
    niamh.press("Put it on my list")
    assert not look.wrong, "\n".join(look.wrong)
    assert not niamh.errors
