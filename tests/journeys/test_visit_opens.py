"""From the page of a cycle inside the LMS's frame to the tab of its own that captures, which outlives the sign-in."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from journeys.test_pages import Look, cycle_of
from observation.made import made
from observation.observed import CARD, approved, members
from playwright.sync_api import BrowserContext, Frame, expect
from sqlalchemy import delete

from lti_tool.cycles.models import CycleText
from lti_tool.people.models import SignIn
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import from_values
from lti_tool.store.base import new_id


def ready(live_tool: LiveTool, cycle_id: str) -> None:
    """The two have written the card, and approved an instrument."""
    now = datetime.now(UTC)
    with live_tool.database() as database:
        keyring = Keyring.of(from_values(live_tool.settings), database)
        approved(database, keyring, cycle_id, made("tally"), now)
        host = members(database, cycle_id)["host"][1]
        with database.write() as session:
            keys = keyring.opened(session, cycle_id, now)
            for key in CARD:
                row = new_id()
                sealed = keys.seal(host, "x", f"texts/{row}")
                session.add(
                    CycleText(
                        id=row,
                        cycle_id=cycle_id,
                        field=key,
                        author_id=host,
                        sealed=sealed,
                        is_blank=False,
                        saved_at=now,
                    )
                )


def test_the_tab_opens_from_the_frame_and_on_another_device(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))

    def arrive(user: str) -> Somebody:
        somebody = Somebody(new_context(), sandbox, user)
        somebody.open(activity)
        return somebody

    steps.set_up(arrive(steps.TRAINER), "Collegial coaching")
    sean, niamh = arrive(steps.SEAN), arrive(steps.NIAMH)
    for each in (sean, niamh):
        each.press("I have read this: continue")
    steps.become_partners(niamh, sean)
    cycle_id = cycle_of(live_tool)
    ready(live_tool, cycle_id)
    frame = sean.at
    assert isinstance(frame, Frame)
    frame.goto("/".join(frame.url.split("/")[:5]) + f"/cycles/{cycle_id}/visit-capture")
    sean.press("Note the visit with this")
    code = frame.locator(".visit-code").inner_text()
    with sean.context.expect_page() as opened:
        frame.get_by_role("button", name="Open it in a tab of its own").click()
    tab = opened.value
    expect(tab.locator("#visit-begin-now")).to_be_visible(timeout=15_000)
    # The code is used up now; another one opens it on a second device, by hand.
    phone, look = new_context().new_page(), Look(live_tool.url)
    of_phone = SimpleNamespace(page=phone, user="phone")
    phone.goto(f"{live_tool.url}/visit/{'0' * 16}")
    look(of_phone)  # type: ignore[arg-type]
    phone.goto(f"{live_tool.url}/visit")
    look(of_phone)  # type: ignore[arg-type]
    phone.get_by_label("The code").fill(code)
    phone.get_by_role("button", name="Open").click()
    expect(phone.locator("main")).to_contain_text("This code opens nothing")
    look.state = " again"
    look(of_phone)  # type: ignore[arg-type]
    frame.get_by_role("link", name="Back").click()
    sean.press("Note the visit with this")
    phone.get_by_label("The code").fill(frame.locator(".visit-code").inner_text().upper())
    phone.get_by_role("button", name="Open").click()
    expect(phone.locator("#visit-begin-now")).to_be_visible(timeout=15_000)
    # Both go on when nobody is signed in any more.
    with live_tool.database() as database, database.write() as session:
        session.execute(delete(SignIn))
    for page in (tab, phone):
        page.locator("#visit-begin-now").click()
        page.locator(".tap").first.click()
        expect(page.locator("#visit-state")).to_contain_text("all sent", timeout=15_000)
    assert not sean.errors
    assert len(look.seen) == 3
    assert not look.wrong, "\n".join(look.wrong)
