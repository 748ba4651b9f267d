"""A lesson of an hour on a phone, with the real tool: the network goes three times, the tab is killed twice and the
server once, and every entry is there, in order and once."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cycles.pair_at_work import make_cycle
from factories import make_course
from journeys.live import LiveTool
from journeys.phone import begin, mode, phone, state
from observation.made import made
from observation.observed import approved, members, observation
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from lti_tool.cycles import service as cycles
from lti_tool.observation import capture, grants
from lti_tool.observation.entries import Entry
from lti_tool.observation.models import Observation
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import from_values

__all__ = ["phone"]
HOUR = 3600
MOST_KB = 200
CODES = ("Remember", "Explain", "Use it", "Take it apart", "Weigh it up", "Make something new")


class Visit:
    """A visit of a pair that can be captured, in the database of a running tool."""

    def __init__(self, tool: LiveTool) -> None:
        self.tool = tool
        self.instrument = made("question_level")
        now = datetime.now(UTC)
        with tool.database() as database:
            self.keyring = Keyring.of(from_values(tool.settings), database)
            course = make_course(database, protocol="collegial", now=now)
            self.cycle_id = make_cycle(database, course, now)
            self.person = members(database, self.cycle_id)["coach"][1]
            instrument_id = approved(database, self.keyring, self.cycle_id, self.instrument, now)
            self.id = observation(database, self.keyring, self.cycle_id, instrument_id, now)

    def open(self, context: BrowserContext) -> str:
        """Lets a phone in by a code that is typed there; the address of its tab."""
        with self.tool.database() as database, database.write() as session:
            code = grants.new_code(session, self.id, datetime.now(UTC))
        page = context.new_page()
        page.goto(f"{self.tool.url}/visit")
        page.locator("input[name=code]").fill(code)
        page.locator("main button").click()
        page.wait_for_selector("#visit-begin-now")
        address = page.url
        page.close()
        return address

    def kept(self) -> list[Entry]:
        """What the coach reads of it afterwards."""
        with self.tool.database() as database, database.read() as session:
            row = session.scalars(select(Observation).where(Observation.id == self.id)).one()
            cycle = cycles.load(session, self.cycle_id, self.person)
            assert cycle is not None
            return capture.entries(session, self.keyring, row, cycle, datetime.now(UTC))


@pytest.fixture
def visit(live_tool: LiveTool) -> Visit:
    return Visit(live_tool)


def killed(page: Page, address: str) -> Page:
    """The tab goes without a word, and is opened again."""
    context = page.context
    page.close(run_before_unload=False)
    return begin(context, address)


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
        if number == server_dies:
            live_tool.kill()
        if number == server_lives:
            mode(page).to_have_text("No network: all is kept here.")
            live_tool.start()
        page.locator(".tap", has_text=CODES[code]).tap()
        state(page).to_contain_text(f"{number + 1} kept on this phone")
    page.clock.run_for(70_000)
    state(page).to_have_text(f"{count} kept on this phone, all sent.", timeout=15_000)
    found = visit.kept()
    assert [each.number for each in found] == list(range(1, count + 1))
    assert [each.code for each in found] == [visit.instrument.codes[code].key for code in chosen]
    assert len({each.device for each in found}) == 1
    at = [each.at_ms for each in found]
    assert at == sorted(at)
    # What the machine itself took for the taps comes on top of the hour.
    assert HOUR * 1000 - pause <= at[-1] < HOUR * 1000 + 240_000
    page.locator("summary", has_text="The lesson is over").tap()
    page.locator("#visit-close").tap()
    expect(page.locator("#visit-over-text")).to_have_text(f"Sent: {count}. Nothing of them is on this phone any more.")
    assert page.errors == []  # type: ignore[attr-defined]
    with live_tool.database() as database, database.read() as session:
        assert session.get_one(Observation, visit.id).minutes in range(60, 66)


def test_a_first_load_is_small(phone: Callable[..., BrowserContext], visit: Visit) -> None:
    opened, context = phone(), phone()
    address = visit.open(opened)
    context.add_cookies(opened.cookies())  # type: ignore[arg-type]
    weights: list[int] = []
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: weights.append(int(event["encodedDataLength"])))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    kb = sum(weights) / 1000
    print(f"{kb:.0f} kB")
    assert 10 < kb < MOST_KB, kb
