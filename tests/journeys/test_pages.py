"""Every page a person comes to, looked at as it is reached: no axe violation in light or dark, no sideways scrolling at
320 px, targets large enough for a thumb, and a first load that a slow network can bear."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext, Page

PICTURES = os.environ.get("MEITHEAL_PICTURES", "")
"""A folder: a picture of every page is kept there, in four sizes and shades."""
NARROW, PHONE, DESK = (320, 700), (375, 800), (1200, 900)
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

    def __call__(self, somebody: Somebody) -> None:
        page = somebody.page
        path = re.sub(r"/[0-9a-z]{16}(?=/|$)", "/…", page.url.split("?")[0].removeprefix(self.url))
        name = f"{somebody.user.split('.')[0]} {path} {page.locator('h1').first.inner_text()}"
        if name in self.seen:
            return
        self.seen.add(name)
        size = page.viewport_size
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            result = self.axe.run(page)
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


def test_every_page_is_accessible_and_narrow_enough(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    look = Look(live_tool.url)

    def arrive(user: str) -> Somebody:
        somebody = Somebody(new_context(), sandbox, user)
        somebody.look = look
        somebody.open_alone(activity)
        return somebody

    early = arrive(steps.NIAMH)
    early.visit("about")
    trainer = arrive(steps.TRAINER)
    steps.set_up(trainer, "Collegial coaching")
    sean, niamh = arrive(steps.SEAN), arrive(steps.NIAMH)
    steps.whole_collegial_cycle(trainer, niamh, sean)
    niamh.visit("cycles", "you", "pair", "partner", "about", "leader")
    niamh.home()
    niamh.press("Choose what comes next")
    niamh.press("Swap roles: I am the coach next")
    trainer.visit("you", "nothing-here")
    trainer.page.goto(activity.split("/activity/")[0] + "/add")
    select = trainer.page.get_by_role("link", name="Select content").get_attribute("href")
    selecting = Somebody(new_context(), sandbox, steps.TRAINER)
    selecting.look = look
    selecting.open_alone(f"{sandbox.url}{select}")
    selecting.press("Place it in the course")
    arrive(steps.PRINCIPAL)
    for error in ("/lti/launch", "/lti/login", "/"):
        niamh.page.goto(live_tool.url + error)
        look(niamh)
    assert len(look.seen) >= 35
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
