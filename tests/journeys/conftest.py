"""Real Chromium for the tests of this folder, and a tiny server that speaks the save protocol and nothing else."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from interop.platforms import CHROMIUM_ARGUMENTS
from journeys.fake_texts import FakeTexts, serve
from journeys.live import LiveSandbox, LiveTool, Servers
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

ARGUMENTS = CHROMIUM_ARGUMENTS
CHROMIUM = os.environ.get("MEITHEAL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(
        reason="browser journeys need Chromium: `apt-get install chromium`, or set MEITHEAL_CHROMIUM to its path"
    )
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(missing)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ended with its module: a process can have one at a time, and other folders' tests have theirs."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium as it comes: third-party cookies are blocked, partitioned ones are kept."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def new_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens browser contexts (one for each person) that are closed after the test."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        options.setdefault("viewport", {"width": 375, "height": 800})
        context = chromium.new_context(**options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def fake() -> Iterator[FakeTexts]:
    """A server that holds one cycle's texts and can be stopped, started again, slowed down and made to refuse."""
    server = serve()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Where the processes come from that serve tools."""
    made = Servers()
    yield made
    made.stop()


@pytest.fixture
def live_tool(tmp_path: Path, servers: Servers) -> Iterator[LiveTool]:
    """The real tool, served by a process of its own."""
    tool = LiveTool(tmp_path, servers)
    tool.start()
    yield tool
    tool.kill()


@pytest.fixture
def sandbox(live_tool: LiveTool) -> Iterator[LiveSandbox]:
    """The mini-LMS, on another site than the tool."""
    made = LiveSandbox(live_tool)
    yield made
    made.stop()
