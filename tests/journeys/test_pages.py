"""Every page a person comes to, looked at as it is reached: no axe violation in light or dark, no sideways scrolling at
320 px, targets large enough for a thumb, and a first load that a slow network can bear."""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody, arrivals
from playwright.sync_api import BrowserContext, Page, expect
from rounds.rounds_school import make_run
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle
from lti_tool.people.models import Membership, Person, Platform
from lti_tool.schools import service as schools
from lti_tool.store.database import Database

PICTURES = os.environ.get("MEITHEAL_PICTURES", "")
"""A folder: a picture of every page is kept there, in four sizes and shades."""
NARROW, PHONE, DESK = (320, 700), (375, 800), (1200, 900)
CONTRAST = "axe.run({runOnly: ['color-contrast', 'link-in-text-block'], resultTypes: ['violations']})"
SMALL_TARGETS = """() => [...document.querySelectorAll("button, .btn, input:not([type=hidden]), select, summary")]
  .filter((part) => part.checkVisibility() && !part.closest(".visually-hidden"))
  .map((part) => [part, (part.matches("[type=radio], [type=checkbox]") ? part.parentElement : part)])
  .filter(([, target]) => target.getBoundingClientRect().height < 43.5)
  .map(([part]) => part.outerHTML.slice(0, 120))"""


class Look:
    """Looks at each page once for each heading it comes with, and keeps what is wrong."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.axe = Axe()
        self.wrong: list[str] = []
        self.seen: set[str] = set()
        self.state = ""
        """What has changed, where pages come again with the same heading."""

    def __call__(self, somebody: Somebody) -> None:
        page = somebody.page
        path = re.sub(r"/[0-9a-z]{16}(?=/|$)", "/…", page.url.split("?")[0].removeprefix(self.url))
        name = f"{somebody.user.split('.')[0]} {path} {page.locator('h1').first.inner_text()}{self.state}"
        if name in self.seen:
            return
        self.seen.add(name)
        size = page.viewport_size
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            # In the dark only colours are others; axe is there from the first time.
            result = self.axe.run(page) if scheme == "light" else AxeResults(page.evaluate(CONTRAST))
            if result.violations_count:
                self.wrong.append(f"{name} ({scheme}): {result.generate_report()}")
            for width, height in (PHONE, DESK) if PICTURES else ():
                page.set_viewport_size({"width": width, "height": height})
                file = f"{len(self.seen):02d}-{re.sub(r'[^A-Za-z]+', '-', name)[:60]}-{width}-{scheme}.png"
                page.screenshot(path=Path(PICTURES) / file, full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > NARROW[0]:
            self.wrong.append(f"{name}: {wide} px wide at 320 px")
        self.wrong += [f"{name}: lower than 44 px: {part}" for part in page.evaluate(SMALL_TARGETS)]
        if size is not None:
            page.set_viewport_size(size)


def cycle_of(tool: LiveTool) -> str:
    """Id of the first cycle there is."""
    with tool.database() as database, database.read() as session:
        return session.scalars(select(Cycle.id).order_by(Cycle.number)).first() or ""


def test_every_page_is_accessible_and_narrow_enough(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    look = Look(live_tool.url)

    arrive = arrivals(new_context, sandbox, look, activity)
    early = arrive(steps.NIAMH)
    early.visit("about")
    trainer = arrive(steps.TRAINER)
    steps.set_up(trainer, "Collegial coaching")
    sean, niamh = arrive(steps.SEAN), arrive(steps.NIAMH)
    steps.whole_collegial_cycle(trainer, niamh, sean)
    niamh.visit("cycles", "you", "pair", "partner", "about", "leader", "years", "growth")
    niamh.visit("how-far", "looked", "mine", "mine/everything", "calendar", "time")
    niamh.visit("thread", "doors", "doors/offer", "pair/friend", "accompany", "protocols", "protocols/light")
    cycle = cycle_of(live_tool)
    niamh.visit(f"mine/cycles/{cycle}", f"cycles/{cycle}/notes-kept")
    niamh.home()
    niamh.press("Choose what comes next")
    niamh.press("Swap roles: I am the coach next")
    trainer.visit("activity/people", "plan", "activity")
    trainer.at.get_by_label("Teachers may tell it").check()
    trainer.press("Save")
    niamh.visit("plan", "completion")
    niamh.press("Tell the gradebook that I have completed this")
    trainer.visit("deliveries")
    trainer.visit("you", "nothing-here")
    trainer.page.goto(activity.split("/activity/")[0] + "/add")
    select = trainer.page.get_by_role("link", name="Select content").get_attribute("href")
    selecting = Somebody(new_context(), sandbox, steps.TRAINER)
    selecting.look = look
    selecting.open_alone(f"{sandbox.url}{select}")
    selecting.press("Place it in the course")
    expect(arrive(steps.PRINCIPAL).at.locator("main")).not_to_contain_text("Niamh")
    for error in ("/lti/launch", "/lti/login", "/"):
        niamh.page.goto(live_tool.url + error)
        look(niamh)
    assert len(look.seen) >= 35
    assert not look.wrong, "\n".join(look.wrong)


def memberships(database: Database, *given: str) -> list[str]:
    """Of the teachers with these given names."""
    with database.read() as session:
        rows = session.execute(select(Person.given_name, Membership.id).join(Person, Person.id == Membership.person_id))
        found = {row.given_name: row.id for row in rows}
    return [found[name] for name in given]


def test_the_pages_of_other_kinds_of_activities_are_too(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    client_id = sandbox.register(live_tool)
    look = Look(live_tool.url)
    alone, found, coaching = (
        sandbox.add_activity(client_id, title) for title in ("End of term", "Partners 2026/27", "Autumn cycle")
    )

    def arrive(user: str, activity: str) -> Somebody:
        return arrivals(new_context, sandbox, look, activity)(user)

    def change(title: str, **values: Any) -> None:
        with live_tool.database() as database, database.write() as session:
            session.execute(update(Activity).where(Activity.title == title).values(**values))

    for address in (alone, found, coaching):
        arrive(steps.NIAMH, address)
    with live_tool.database() as database, database.read() as session:
        round_id = session.scalars(select(Activity.id).where(Activity.title == "Partners 2026/27")).one()
    ahead = datetime.now(UTC).date() + timedelta(days=20)
    change("End of term", kind="reflection", status="open", starts_on=ahead, ends_on=ahead)
    change("Partners 2026/27", kind="pairing", status="open", ends_on=ahead)
    change("Autumn cycle", protocol="light", status="open", starts_on=ahead, ends_on=ahead, pairs_from_id=round_id)

    niamh = arrive(steps.NIAMH, alone)
    niamh.press("I have read this: continue")
    niamh.visit("about")
    niamh.home()
    niamh.press("Begin")
    niamh.write("own_learning", "To wait longer than I like.")
    niamh.home()
    niamh.press("Go on writing")
    niamh.press("Submit version 1: my trainer sees that I submitted, not what I wrote")
    niamh.home()
    niamh.visit("cycles")
    niamh.home()
    niamh.press("Begin reflection 2")
    niamh.home()

    niamh, sean = arrive(steps.NIAMH, found), arrive(steps.SEAN, found)
    sean.press("I have read this: continue")
    niamh.visit("round/wishes", "round/wishes/not-with")
    niamh.home()
    with live_tool.database() as database:
        both = memberships(database, "Niamh", "Seán")
        made = datetime.now(UTC)
        make_run(database, round_id, made, left=[(both[0], "period")], status="out")
        niamh.home()
        niamh.visit("round/without", "round/why-not", f"round/why-not/{both[1]}")
        make_run(database, round_id, made, [both], status="out", number=2)
    niamh.home()
    for answer in ("Ask for another", "Pause for now", "Yes, coach with Seán Ó Dónaill"):
        niamh.visit("round/proposal")
        niamh.press(answer)
    niamh.home()
    steps.become_partners(niamh, sean, "Find a partner yourself")
    niamh.visit("pair", "partner")
    niamh, sean = arrive(steps.NIAMH, coaching), arrive(steps.SEAN, coaching)
    niamh.press("Begin with Seán")
    sean.home()
    niamh.visit("pair")
    niamh.press("End this pair")
    change("Partners 2026/27", status="archived")
    change("Autumn cycle", pairs_from_id=None)
    niamh.home()
    for status in ("open", "archived"):
        change("Autumn cycle", status=status)
        niamh.home()
    niamh.visit("partner")
    change("End of term", status="archived")
    arrive(steps.NIAMH, alone)
    arrive(steps.SEAN, alone)
    change("Autumn cycle", audience="chosen")
    niamh.home()
    assert len(look.seen) >= 20
    assert not look.wrong, "\n".join(look.wrong)


def test_the_pages_of_roles_and_of_pairs_that_stand_still_are_too(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    look = Look(live_tool.url)

    arrive = arrivals(new_context, sandbox, look, activity)
    trainer = arrive(steps.TRAINER)
    steps.set_up(trainer, "Collegial coaching")
    sean, niamh = arrive(steps.SEAN), arrive(steps.NIAMH)
    sean.press("I have read this: continue")
    niamh.press("I have read this: continue")
    trainer.visit("progress", "roles?q=nobody", "roles")
    trainer.press("Seán Ó Dónaill")
    trainer.press("Make Seán Ó Dónaill facilitator")
    trainer.press("Máire Nic Eoin")
    sean.home()
    sean.press("Pairs that stand still")
    sean.follow(sean.at.get_by_role("button", name=re.compile("Send a friendly word ?: Niamh")))
    sean.visit("you")
    niamh.home()
    niamh.press("Seen")
    steps.become_partners(niamh, sean)
    with live_tool.database() as database, database.write() as session:
        session.execute(update(Cycle).values(stage_since=datetime.now(UTC) - timedelta(days=20)))
    trainer.home()
    trainer.follow(trainer.at.get_by_role("button", name=re.compile("Send a friendly word ?: Niamh")))
    niamh.home()
    expect(niamh.at.locator("main")).to_contain_text("A friendly word from Máire")
    trainer.visit("leader")
    trainer.press("Yes, I lead this school")
    trainer.visit("you")
    arrive(steps.PRINCIPAL).press("Take it over as trainer")
    assert len(look.seen) >= 20
    assert not look.wrong, "\n".join(look.wrong)


def test_the_pages_of_a_school_are_too(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    look = Look(live_tool.url)

    arrive = arrivals(new_context, sandbox, look, activity)
    steps.set_up(arrive(steps.TRAINER), "Collegial coaching")
    niamh, administrator = arrive(steps.NIAMH), arrive("admin")
    niamh.press("I have read this: continue")
    niamh.visit("charter", "you")
    administrator.press("The page of your school")
    administrator.press("Test the connection now")
    administrator.press("Back to the page of your school")
    with live_tool.database() as database, database.write() as session:
        platform_id = session.scalars(select(Platform.id)).one()
        code = schools.open_link(session, platform_id, datetime.now(UTC))
    visitor = Somebody(new_context(), sandbox, "admin")
    visitor.user, visitor.look = "visitor", look
    visitor.page = visitor.view = visitor.context.new_page()
    visitor.page.goto(schools.link_url(live_tool.url, code))
    look(visitor)
    visitor.press("Open the page")
    visitor.press("Read and sign the charter")
    visitor.page.get_by_label("Your name").fill("Bríd Ní Cheallaigh")
    look.state = " incomplete"
    visitor.press("Sign the charter")
    expect(visitor.page.get_by_label("Your name")).to_have_value("Bríd Ní Cheallaigh")
    visitor.page.get_by_label("Your position").fill("Principal")
    visitor.page.get_by_label("Minutes").fill("120")
    visitor.page.get_by_label("We do not observe").check()
    visitor.page.get_by_label("We give every teacher").check()
    look.state = " signed"
    visitor.press("Sign the charter")
    visitor.press("Take the charter back")
    visitor.press("No, leave it signed")
    visitor.press("Back to the page of your school")
    niamh.home()
    expect(niamh.at.locator("main")).to_contain_text("Bríd Ní Cheallaigh, Principal")
    niamh.visit("charter")
    with live_tool.database() as database, database.write() as session:
        for name in ("Scoil Eoin", "Coláiste Bríde", "Gaelscoil na Cathrach Móire agus na Sráideanna Beaga"):
            schools.add_school(session, platform_id, name, "file", datetime.now(UTC))
    look.state = " many"
    niamh.visit("charter", "you")
    visitor.page.reload()
    look(visitor)
    visitor.press("Show its charter")
    visitor.press("Back to the page of your school")
    visitor.press("Leave")
    visitor.page.go_back()
    expect(visitor.page.locator("h1")).to_have_text("This visit is over")
    look(visitor)
    assert len(look.seen) >= 20
    assert not look.wrong, "\n".join(look.wrong)


def test_a_first_load_is_small(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    teacher = Somebody(new_context(), sandbox, steps.NIAMH)
    page = teacher.open_alone(activity)
    assert first_load_kb(teacher.context, page.url) <= 200


def first_load_kb(context: BrowserContext, address: str) -> float:
    """What the browser reads over the network for a page that it has never seen, in kB of 1,000 bytes."""
    page: Page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.clearBrowserCache")
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    print(f"first load: {sum(sizes) / 1000:.1f} kB in {len(sizes)} requests")
    return sum(sizes) / 1000
