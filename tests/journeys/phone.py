"""A coach's phone, for the journeys of a visit."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def phone(new_context: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    """Opens a phone; `scripts` run before those of each page."""

    def one(*scripts: str, **options: Any) -> BrowserContext:
        context = new_context(**PHONE, **options)
        for script in scripts:
            context.add_init_script(script)
        return context

    return one


def begin(context: BrowserContext, address: str) -> Page:
    """A new page of a visit, whose lesson begins now if it has not begun."""
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    page.goto(address)
    expect(page.locator("#visit-begin-now:visible, #visit-undo:visible")).to_have_count(1)
    if page.locator("#visit-begin-now").is_visible():
        expect(page.locator("#visit-begin-shell")).to_contain_text("opens again without network")
        page.locator("#visit-begin-now").tap()
    expect(page.locator("#visit-undo")).to_be_visible()
    return page


def tap(page: Page, name: str = "A pupil asks a question", times: int = 1) -> None:
    """Taps the button of a code."""
    for _once in range(times):
        page.locator(".tap", has_text=name).tap()


def send(page: Page) -> None:
    """What the page does a few seconds after an entry, at once."""
    page.evaluate("dispatchEvent(new Event('online'))")


def state(page: Page) -> Any:
    """To expect what the page says of what is kept and sent."""
    return expect(page.locator("#visit-state"))


def mode(page: Page) -> Any:
    """To expect what it says of the network."""
    return expect(page.locator("#visit-mode"))
