"""A page in a frame tells the LMS how tall it is, so that nobody scrolls inside a box."""

from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext


def test_the_frame_is_as_tall_as_the_page(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    trainer = Somebody(new_context(), sandbox, steps.TRAINER)
    trainer.arrive(activity, in_frame=True)
    trainer.page.wait_for_function("parseInt(document.querySelector('iframe').style.height) > 0")
    tall = trainer.at.evaluate("Math.ceil(document.body.getBoundingClientRect().height)")
    told = trainer.page.evaluate("parseInt(document.querySelector('iframe').style.height)")
    assert abs(tall - told) < 3
