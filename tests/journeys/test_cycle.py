"""The main job in real browsers: a trainer sets an activity up, two teachers take each other through a whole cycle."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journeys import steps
from journeys.conftest import ARGUMENTS, CHROMIUM
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext, Playwright

COOKIES = {
    "allowed": {"profile": {"cookie_controls_mode": 0}},
    "blocked": {"profile": {"cookie_controls_mode": 1}},
    "none in the frame": {},
}
"""Preferences of three browsers; the last one's exception is made for the two addresses of a test."""

OpenBrowser = Callable[[str], BrowserContext]


@pytest.fixture
def open_browser(
    playwright: Playwright, tmp_path: Path, live_tool: LiveTool, sandbox: LiveSandbox
) -> Iterator[OpenBrowser]:
    """A browser of its own for one person, with one of COOKIES."""
    opened: list[BrowserContext] = []

    def open_one(cookies: str) -> BrowserContext:
        preferences: dict[str, Any] = COOKIES[cookies]
        if cookies == "none in the frame":
            pair = f"http://localhost:{live_tool.port},http://127.0.0.1:{sandbox.port}"
            rules = {"cookies": {pair: {"setting": 2}}}
            preferences = {"profile": {"content_settings": {"exceptions": rules}}}
        folder = tmp_path / f"browser-{len(opened)}"
        (folder / "Default").mkdir(parents=True)
        (folder / "Default" / "Preferences").write_text(json.dumps(preferences), "utf-8")
        context = playwright.chromium.launch_persistent_context(
            str(folder), executable_path=CHROMIUM, args=ARGUMENTS, viewport={"width": 900, "height": 900}
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("cookies", "storage"),
    [("blocked", False), ("allowed", False), ("none in the frame", False), ("none in the frame", True)],
    ids=["third-party cookies blocked", "cookies allowed", "no cookies in the frame", "platform storage"],
)
def test_a_full_cycle(
    cookies: str, storage: bool, open_browser: OpenBrowser, live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    trainer, sean, niamh = _arrived(cookies, storage, open_browser, live_tool, sandbox)
    steps.whole_collegial_cycle(trainer, niamh, sean)
    assert trainer.errors == niamh.errors == sean.errors == []


@pytest.mark.parametrize(
    ("cookies", "storage"),
    [
        ("blocked", False),
        ("allowed", False),
        ("none in the frame", False),
        # Day by day tests/interop/test_frames_in_browser.py launches by way of it.
        pytest.param("none in the frame", True, marks=pytest.mark.soak),
    ],
    ids=["third-party cookies blocked", "cookies allowed", "no cookies in the frame", "platform storage"],
)
def test_two_find_each_other(
    cookies: str, storage: bool, open_browser: OpenBrowser, live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    """Once they have, one browser is as any other: day by day test_pages.py walks the cycle that follows."""
    trainer, sean, niamh = _arrived(cookies, storage, open_browser, live_tool, sandbox)
    for teacher in (sean, niamh):
        teacher.press("I have read this: continue")
    steps.become_partners(niamh, sean)
    assert trainer.errors == niamh.errors == sean.errors == []


def _arrived(
    cookies: str, storage: bool, open_browser: OpenBrowser, live_tool: LiveTool, sandbox: LiveSandbox
) -> tuple[Somebody, Somebody, Somebody]:
    """The trainer, who has set up the activity, and two teachers."""
    activity = sandbox.add_activity(sandbox.register(live_tool, platform_storage=storage))
    in_frame = cookies != "none in the frame"

    def arrive(user: str) -> Somebody:
        somebody = Somebody(open_browser(cookies), sandbox, user)
        somebody.arrive(activity, in_frame=in_frame)
        return somebody

    trainer = arrive(steps.TRAINER)
    # The browser is what this case says: a cookie that is not partitioned is kept, or is not.
    kept = trainer.at.evaluate("document.cookie = 'probe=1; SameSite=None; Secure', document.cookie")
    assert ("probe" in kept) is (cookies != "blocked")
    steps.set_up(trainer, "Collegial coaching")
    return trainer, arrive(steps.SEAN), arrive(steps.NIAMH)
