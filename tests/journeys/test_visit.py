"""A lesson of an hour on a phone, with the real tool: the network goes three times, the tab is killed twice and the
server once, and every entry is there, in order and once."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from journeys.live import LiveTool
from journeys.phone import Visit, begin, mode, phone, send, state
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.observation.models import Observation

__all__ = ["phone"]
HOUR = 3600
CODES = ("Remember", "Explain", "Use it", "Take it apart", "Weigh it up", "Make something new")


@pytest.fixture
def visit(live_tool: LiveTool) -> Visit:
    return Visit(live_tool)


def killed(page: Page, address: str) -> Page:
    """The tab goes without a word, and is opened again."""
    context = page.context
    page.close(run_before_unload=False)
    return begin(context, address)


def all_arrive(page: Page) -> None:
    """The clock that is driven ends letters on their way, as a slow network does: asks until all have arrived."""
    for _half_second in range(60):
        send(page)
        if "all sent" in page.locator("#visit-state").inner_text():
            break
        page.wait_for_timeout(500)
    mode(page).to_be_hidden()


@pytest.mark.parametrize("count", [40, pytest.param(400, marks=pytest.mark.soak)])
def test_an_hour_in_a_classroom(
    phone: Callable[..., BrowserContext], live_tool: LiveTool, visit: Visit, count: int
) -> None:
    context = phone()
    address = visit.open(context)
    # Five minutes early, so that the tool's own clock is never behind the phone's.
    started = datetime.now(UTC) - timedelta(minutes=65)
    context.clock.install(time=started)
    page = begin(context, address)
    pause = 1000 * HOUR // count
    cut, back = {count // 8, count // 2, count * 6 // 8}, {count * 2 // 8, count * 5 // 8, count * 7 // 8}
    kill = {count * 3 // 16, count * 9 // 16}  # both without network
    server_dies, server_lives = count * 5 // 16, count * 7 // 16
    chosen = secrets.SystemRandom().choices(range(6), k=count)
    for number, code in enumerate(chosen):
        page.clock.run_for(pause)
        if number in cut:
            context.set_offline(True)
        if number in kill:
            page = killed(page, address)
            state(page).to_contain_text(f"{number} kept on this phone")
        if number in back:
            mode(page).to_have_text("No network: all is kept here.")
            context.set_offline(False)
            all_arrive(page)
        if number == server_dies:
            live_tool.kill()
        if number == server_lives:
            mode(page).to_have_text("No network: all is kept here.")
            live_tool.start()
            all_arrive(page)
        page.locator(".tap", has_text=CODES[code]).tap()
        state(page).to_contain_text(f"{number + 1} kept on this phone")
    all_arrive(page)
    state(page).to_have_text(f"{count} kept on this phone, all sent.")
    found = visit.kept()
    assert [each.number for each in found] == list(range(1, count + 1))
    assert [each.code for each in found] == [visit.instrument.codes[code].key for code in chosen]
    assert len({each.device for each in found}) == 1
    at = [each.at_ms for each in found]
    assert at == sorted(at)
    print(f"\n{count} entries noted, {len(found)} kept, {len({each.id for each in found})} different")
    # What the machine itself took for the taps comes on top of the hour.
    assert HOUR * 1000 - pause <= at[-1] < HOUR * 1000 + 240_000
    page.locator("summary", has_text="The lesson is over").tap()
    page.locator("#visit-close").tap()
    expect(page.locator("#visit-over-text")).to_have_text(f"Sent: {count}. Nothing of them is on this phone any more.")
    assert page.errors == []  # type: ignore[attr-defined]
    with live_tool.database() as database, database.read() as session:
        assert session.get_one(Observation, visit.id).minutes in range(60, 66)
