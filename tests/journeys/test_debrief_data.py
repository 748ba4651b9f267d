"""After a lesson, at two devices: the coach closes, the host says that they look at it, and a next step rests on it."""

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from journeys.test_pages import Look, cycle_of
from observation.made import made, says
from observation.observed import approved, members, observation
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from lti_tool.cycles.revision import bump
from lti_tool.observation.entries import Entry
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.models import Observation
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import from_values

SHOTS = os.environ.get("MEITHEAL_SHOTS", "")
"""A folder, to look at what the two see."""


def test_both_follow_and_a_next_step_points_at_a_row(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    activity = sandbox.add_activity(sandbox.register(live_tool))
    look = Look(live_tool.url)

    def arrive(user: str, width: int) -> Somebody:
        somebody = Somebody(new_context(viewport={"width": width, "height": 720}), sandbox, user)
        somebody.open_alone(activity)
        return somebody

    steps.set_up(arrive(steps.TRAINER, 1000), "Collegial coaching")
    sean, niamh = arrive(steps.SEAN, 1100), arrive(steps.NIAMH, 320)
    for each in (sean, niamh):
        each.press("I have read this: continue")
    steps.become_partners(niamh, sean)
    cycle_id = cycle_of(live_tool)
    for each in (sean, niamh):
        each.look = look
        for page in ("visit-card", "visit", "visit-picture"):
            each.visit(f"cycles/{cycle_id}/{page}")
            shot(each, page)
        expect(each.at.locator("main")).to_contain_text("Nothing has been captured yet")

    close_a_visit(live_tool, cycle_id)
    expect(sean.at.locator("svg.observation-drawing")).to_be_visible(timeout=15_000)
    expect(sean.at.locator("main")).to_contain_text("Seen by you only, until Niamh says")
    button = niamh.at.get_by_role("button", name="Let us look at it together")
    expect(button).to_be_visible(timeout=15_000)
    expect(niamh.at.locator("svg.observation-drawing")).to_have_count(0)
    for each in (sean, niamh):
        each.visit(f"cycles/{cycle_id}/visit-instrument", f"cycles/{cycle_id}/visit-capture", "instruments")
        each.visit(f"cycles/{cycle_id}/visit-picture")
    look.state = " before it is shown"
    for each in (sean, niamh):
        look(each)
        shot(each, "before")

    niamh.follow(button)
    expect(niamh.at.locator("svg.observation-drawing")).to_be_visible()
    expect(sean.at.locator("main")).not_to_contain_text("Seen by you only, until Niamh says", timeout=15_000)
    expect(sean.at.get_by_text("For you alone")).to_be_visible()
    look.state = " shown"
    for each in (sean, niamh):
        look(each)
        shot(each, "shown")
        assert ("To my own class" in each.at.content()) == (each is sean)

    niamh.press("Point at a line of it from a next step")
    niamh.write("next_steps", "I wait for the back row.")
    sean.visit(f"cycles/{cycle_id}/after/talk")
    shot(sean, "talk")
    niamh.at.get_by_text("Point at what was seen and heard").click()
    niamh.at.get_by_role("radio", name="I wait for the back row.").check(timeout=10_000)
    niamh.at.locator("#entry-next_steps").select_option(index=1)
    shot(niamh, "point")
    niamh.press("Keep this")
    expect(niamh.at.locator(".rests").first).to_contain_text("“I wait for the back row.” rests on “")
    look(niamh)
    sean.visit(f"cycles/{cycle_id}/after")
    expect(sean.at.locator(".rests").first).to_contain_text(re.compile("“I wait for the back row.” rests on “.+”"))
    sean.visit(f"cycles/{cycle_id}/visit", f"cycles/{cycle_id}/after/sheet")
    shot(sean, "sheet")
    sean.visit(f"cycles/{cycle_id}/reflect")
    shot(sean, "reflect")
    assert not look.wrong, "\n".join(look.wrong)
    assert not sean.errors and not niamh.errors


def close_a_visit(live_tool: LiveTool, cycle_id: str) -> None:
    """As the coach's tab does it: entries are there, and the visit is closed."""
    found, now = made("verbal_flow"), datetime.now(UTC)
    assert found.plan is not None
    seats = [each.number for each in found.plan.seats]
    entries = [
        Entry("phone", i, i * 30_000, **says(found, seat=seats[i * 7 % len(seats)], to_seat=0)) for i in range(1, 60)
    ]
    entries += [
        Entry("phone", 60, 1_900_000, "mine", text="To my own class: seats in a ring"),
        Entry("phone", 61, 1_910_000, "question", text="What decides whom you ask?"),
    ]
    with live_tool.database() as database:
        keyring = Keyring.of(from_values(live_tool.settings), database)
        observation_id = observation(
            database, keyring, cycle_id, approved(database, keyring, cycle_id, found, now), now
        )
        person = members(database, cycle_id)["coach"][1]
        with database.write() as session:
            keys = keyring.opened(session, observation_id, now)
            for each in entries:
                sealed = keys.seal(person, json.dumps(each.to_json()), f"entries/{observation_id}/phone/{each.number}")
                session.add(
                    EntryRow(
                        observation_id=observation_id, device="phone", number=each.number, sealed=sealed,
                        is_mine=each.column == "mine",
                    )
                )  # fmt: skip
            row = session.scalars(select(Observation).where(Observation.id == observation_id)).one()
            row.closed_at, row.minutes = now, 40
            bump(session, cycle_id)


def shot(somebody: Somebody, name: str) -> None:
    if SHOTS:
        who = "host" if somebody.user == steps.NIAMH else "coach"
        for media in ("screen", "print"):
            somebody.page.emulate_media(media=media)
            somebody.page.screenshot(path=Path(SHOTS) / f"{name}-{who}-{media}.png", full_page=True)
        somebody.page.emulate_media(media="screen")
