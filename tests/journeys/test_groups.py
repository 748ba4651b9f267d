"""A group of three in three real browsers, from founding it to the conversation; each page is looked at on the way."""

from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, arrivals
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, expect


def test_three_form_a_group_and_get_started(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    look = Look(live_tool.url)

    arrive = arrivals(new_context, sandbox, look, activity)
    steps.set_up(arrive(steps.TRAINER), "Thinking a dilemma through together")
    niamh, sean, orla = (arrive(each) for each in (steps.NIAMH, steps.SEAN, "orla.byrne"))
    for teacher in (niamh, sean, orla):
        teacher.press("I have read this: continue")
    niamh.press("Found a group")
    niamh.press("Found the group")
    expect(niamh.at.locator("main")).to_contain_text("Give the group a name.")
    niamh.at.get_by_label("A theme").check()
    niamh.at.get_by_label("Name of the group").fill("Questions that open a lesson")
    niamh.press("Found the group")
    for teacher in (sean, orla):
        teacher.press("Look at the groups")
        teacher.press("Join “Questions that open a lesson”")
    look.state = " of three"
    orla.press("I bring something")
    niamh.home()
    niamh.press("Start together")
    niamh.write("norms", "What is said here stays here.")
    niamh.press("Sign")
    niamh.home()
    expect(niamh.at.locator("main")).to_contain_text("1 of 3 have signed.")
    for teacher in (sean, orla):
        teacher.home()
        teacher.press("Read and sign")
        teacher.press("Sign")
    orla.home()
    expect(orla.at.locator("main")).to_contain_text("You are the host.")
    orla.visit("group", "groups", "group/about")
    assert not look.wrong, "\n".join(look.wrong)
