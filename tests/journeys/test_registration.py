"""From the operator's invite to the first opened activity, as administrator and trainer do it, with nothing but pages.

Third-party cookies are blocked. What they have to press and to type is counted: ten minutes are enough only while that
stays little.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, Frame, FrameLocator, Locator, Page, expect

from lti_tool.lms.families import GUIDED
from lti_tool.people import registry


@pytest.fixture
def canvas(live_tool: LiveTool) -> Iterator[LiveSandbox]:
    made = LiveSandbox(live_tool, "canvas")
    yield made
    made.stop()


class Hand:
    """Presses and types, and counts both."""

    def __init__(self) -> None:
        self.presses = 0
        self.fields = 0

    def press(self, place: Page | Frame | FrameLocator, role: str, name: str) -> None:
        place.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]
        self.presses += 1

    def fill(self, field: Locator, text: str) -> None:
        field.fill(text)
        self.fields += 1


def invited(tool: LiveTool) -> str:
    """What the operator sends."""
    with tool.database() as database, database.write() as session:
        return registry.registration_url(tool.url, registry.invite(session, "Scoil", datetime.now(UTC)).code)


def place_and_open(hand: Hand, somebody: Somebody) -> None:
    """The trainer adds the tool to the course and opens it."""
    page = somebody.page = somebody.context.new_page()
    page.goto(somebody.sandbox.url)
    page.locator(".cards a").first.click()
    hand.presses += 1
    hand.press(page, "link", "Add an activity")
    hand.fill(page.get_by_label("Activity name"), "Coaching")
    hand.press(page, "button", "Save and return to course")
    hand.press(page, "link", "Coaching")
    expect(page.frame_locator("iframe.tool").locator("h1")).to_contain_text("Set up", timeout=15_000)


def test_moodle_registers_itself(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    hand, address = Hand(), invited(live_tool)
    admin = Somebody(new_context(), sandbox, "admin")
    guide, lms = admin.context.new_page(), admin.context.new_page()
    guide.goto(address)
    hand.press(guide, "link", "Moodle")
    pasted = guide.get_by_label("Your registration address; it works once").input_value()
    hand.press(guide, "button", "Copy")
    lms.goto(f"{sandbox.url}/admin/tools")
    hand.fill(lms.get_by_label("Tool’s registration address"), pasted)
    hand.press(lms, "button", "Add LTI Advantage")
    shown = lms.frame_locator("iframe.tool")
    expect(shown.get_by_role("heading", name="Meitheal is registered")).to_be_visible()
    with admin.context.expect_page() as school:
        hand.press(shown, "link", "Open the page of your school")
    hand.press(school.value, "button", "Open the page")
    expect(school.value.locator("main")).to_contain_text("Connection")
    hand.press(shown, "button", "Close this page")
    lms.get_by_role("button", name="Activate Meitheal").click()
    hand.presses += 1
    place_and_open(hand, Somebody(new_context(), sandbox, steps.TRAINER))
    assert (hand.presses, hand.fields) == (11, 2)
    assert not admin.errors


def test_canvas_is_registered_by_hand(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, canvas: LiveSandbox
) -> None:
    hand, address = Hand(), invited(live_tool)
    admin = Somebody(new_context(), canvas, "admin")
    guide, lms = admin.context.new_page(), admin.context.new_page()
    guide.goto(address)
    hand.press(guide, "link", "Canvas")
    # The mini-LMS reads no configuration from an address, so it is the longer way: each value by hand.
    guide.get_by_text("by Manual Entry").click()
    lms.goto(f"{canvas.url}/admin/tools")
    lms.get_by_text("Configure a tool by hand").click()
    hand.presses += 2
    for ours, theirs in (
        ("Title", "Tool name"),
        ("Target Link URI", "Tool URL"),
        ("OpenID Connect Initiation Url", "Initiate login URL"),
        ("Redirect URIs", "Redirection URI(s), one a line"),
        ("Public JWK URL", "Public keyset URL"),
        ("Target Link URI", "Content selection URL (leave empty if none)"),
    ):
        hand.fill(lms.get_by_label(theirs, exact=True), guide.get_by_label(ours, exact=True).input_value())
    hand.press(lms, "button", "Save")
    client_id, deployment_id = lms.locator(".card dd").all_text_contents()[:2]

    hand.fill(guide.get_by_label("Client ID", exact=True), client_id)
    hand.fill(guide.get_by_label("Deployment ID", exact=True), deployment_id)
    guide.get_by_text("If addresses of your LMS differ").click()
    hand.presses += 1
    hand.fill(guide.get_by_label("Address of your Canvas"), f"{canvas.url}/wrong")
    hand.press(guide, "button", "Try it and register")
    expect(guide.get_by_role("alert")).to_contain_text("There are no keys at")
    expect(guide.get_by_label("Client ID", exact=True)).to_have_value(client_id)
    hand.fill(guide.get_by_label("Address of your Canvas"), canvas.url)
    hand.press(guide, "button", "Try it and register")
    expect(guide.get_by_role("heading", name="Meitheal is registered")).to_be_visible()
    expect(guide.locator("main")).not_to_contain_text("did not give the tool a token")
    place_and_open(hand, Somebody(new_context(), canvas, steps.TRAINER))
    assert (hand.presses, hand.fields) == (11, 11), "one mistake and its repair among them"
    assert not admin.errors


def test_the_guides_are_accessible_and_narrow_enough(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    admin = Somebody(new_context(), sandbox, "admin")
    address, look = invited(live_tool), Look(live_tool.url)
    page = admin.page = admin.context.new_page()
    for key in ("", *GUIDED):
        page.goto(f"{address}&lms={key}")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        look(admin)
    page.get_by_label("Issuer (platform ID)").fill("http://10.1.2.3")
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.get_by_role("button", name="Try it and register").click()
    expect(page.get_by_role("alert")).to_contain_text("Client ID is missing.")
    page.evaluate("document.querySelector('h1').textContent = 'With errors'")
    look(admin)
    assert len(look.seen) == len(GUIDED) + 2
    assert not look.wrong, "\n".join(look.wrong)
    assert not admin.errors
