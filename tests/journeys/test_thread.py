"""The thread in two real browsers, an open door, and a critical friend: what each of them sees, as it happens."""

from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, arrivals
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, expect


def test_a_pair_writes_to_each_other_and_opens_its_doors(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    look = Look(live_tool.url)

    arrive = arrivals(new_context, sandbox, look, activity)
    steps.set_up(arrive(steps.TRAINER), "Light")
    niamh, sean, third = (arrive(each) for each in (steps.NIAMH, steps.SEAN, "orla.byrne"))
    for teacher in (niamh, sean, third):
        teacher.press("I have read this: continue")
    steps.become_partners(niamh, sean)

    # What one writes comes to the other's open page by itself, and leaves what they are typing alone.
    niamh.visit("thread")
    sean.visit("thread")
    sean.at.get_by_label("Write to Niamh").fill("I was just about to ask")
    niamh.at.get_by_label("Write to Seán").fill("Could we look at who asks whom?")
    look.state = " written"
    niamh.press("Send")
    said = sean.at.get_by_role("log", name="Messages")
    expect(said).to_contain_text("Could we look at who asks whom?", timeout=10_000)
    expect(sean.at.get_by_label("Write to Niamh")).to_have_value("I was just about to ask")
    # It is kept on the device until it is sent, and then no more.
    sean.page.wait_for_timeout(600)
    sean.page.reload()
    expect(sean.at.get_by_label("Write to Niamh")).to_have_value("I was just about to ask")
    sean.press("Send")
    expect(sean.at.get_by_label("Write to Niamh")).to_have_value("")
    sean.page.reload()
    expect(sean.at.get_by_label("Write to Niamh")).to_have_value("")
    # What is deleted goes from the other's page, too.
    theirs = niamh.at.get_by_role("log", name="Messages")
    expect(theirs).to_contain_text("I was just about to ask", timeout=10_000)
    sean.at.locator("summary").click()
    sean.press("Delete this message")
    expect(theirs).not_to_contain_text("I was just about to ask", timeout=10_000)

    # An open door: a colleague finds it, and then no more.
    niamh.visit("doors")
    niamh.press("Open a door of mine")
    niamh.at.get_by_label("What can a colleague see with you?").fill("How my class asks for reasons")
    look.state = " open"
    niamh.press("Open the door")
    third.visit("doors")
    third.press("What Niamh Ní Bhriain offers to show")
    expect(third.at.locator("main")).to_contain_text("How my class asks for reasons")
    niamh.press("Close this door")
    third.page.reload()
    expect(third.at.locator("main")).not_to_contain_text("How my class")

    # A critical friend: one proposes, the other agrees, the third says yes.
    niamh.visit("pair", "pair/friend")
    niamh.press("Propose Orla Byrne")
    sean.visit("pair/friend")
    look.state = " agreed"
    sean.press("I agree: ask Orla Byrne")
    third.visit("accompany")
    look.state = " accompanied"
    third.press("Yes, gladly")
    expect(third.at.locator("main")).to_contain_text("Cycle 1, begun today")
    assert not look.wrong, "\n".join(look.wrong)
