"""Every protocol that is shipped, walked from start to end in real browsers by as many people as it needs.

The walk knows no protocol. Everybody does what a person does who reads the pages: home, the next step, write whatever
is asked for there, press what goes on. It stands still, and fails, where nobody finds anything more to do.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Response
from sqlalchemy import select, update

from lti_tool.activities.kinds import KINDS, fits
from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, CycleMember, CycleText, StageMark
from lti_tool.protocols.reader import shipped
from lti_tool.protocols.recipe import Protocol

TEACHERS = (steps.NIAMH, steps.SEAN, "orla.byrne")
EVERY_DAY = ("reflection",)
MOST_ROUNDS = 120
"""In which everybody does what there is to do; more means that people go in circles."""
FINISHED, DONE = "This cycle is finished", "This step is done."
SHARED = (
    "button[name=move][value=advice]",
    "button[name=move][value=begin]",
    "button[name=move][value=next]",
    "#first-turn .btn-primary",
    "#done .btn-primary",
)
"""What one presses for all, in this order. The last one stands out only when nothing is missing."""
OWN = (
    "[id^=agreement-]:not(:has(ul)) .btn-primary",
    "[id^=meeting-] .btn-primary",
    "#submit .btn-primary",
)
"""What everybody presses for themselves."""


class Walker:
    """Somebody who does what the pages ask for."""

    def __init__(self, somebody: Somebody, wrong: list[str]) -> None:
        self.somebody = somebody
        self.wrong = wrong
        """What goes wrong in a page without anybody seeing it."""
        somebody.page.on("console", self._heard)
        somebody.page.on("response", self._answered)
        self.is_fresh = False
        """Whether nothing has happened since this person's page was loaded."""

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.wrong.append(f"{self.somebody.user} at {self.somebody.page.url}: {said.text}")

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400:
            self.wrong.append(f"{self.somebody.user} at {answer.url}: {answer.status}")

    @property
    def main(self) -> Locator:
        return self.somebody.at.locator("main")

    @property
    def talk(self) -> Locator:
        return self.main.locator("[data-talk]")

    def is_at(self, title: str) -> bool:
        return self.main.locator("h1").first.inner_text() == title

    @property
    def has_submitted(self) -> bool:
        """Whether they see a version that they submitted."""
        return self.main.locator("#versions").count() > 0

    def come(self) -> None:
        """To the page of the next step, as it is after all that has happened."""
        if self.is_fresh:
            return
        page = self.somebody.page
        if (working := self.main.locator("[data-texts-url]")).count():
            # What somebody else did comes within seconds; loading the page again is quicker.
            page.goto(page.url.split("#")[0])
        if not working.count() or self.has_submitted or self.main.get_by_text(DONE).count():
            self.somebody.home()
            for way in (".next-step .btn-primary", "a.btn[href$='/talk']"):
                if not self.is_at(FINISHED) and self.main.locator(way).count():
                    self.somebody.follow(self.main.locator(way).first)
        self.is_fresh = True

    def write(self) -> bool:
        """Whatever is asked for and still empty; whether there was anything."""
        asked: list[Locator] = []
        for field in self.main.locator(".field:has([data-text-field])").all():
            if not field.is_visible() or field.locator("textarea").first.input_value().strip():
                continue
            if (choices := field.locator("[data-choice]")).count():
                choices.first.check()
            else:
                field.locator("textarea").fill(f"{field.get_attribute('id')} by {self.somebody.user}")
            asked.append(field)
        if asked:
            # Left, so that the page sends the last one at once.
            asked[-1].locator("textarea").blur()
        for field in asked:
            field.get_by_text("Saved", exact=True).wait_for()
        return bool(asked)

    def book(self) -> bool:
        """A meeting that is needed and has no time yet; a lesson was a moment ago, so that it can have taken place."""
        needed = self.main.locator("[id^=meeting-]:has(.meeting-form):not(:has(details))")
        if not needed.count():
            return False
        kind = str(needed.first.get_attribute("id")).removeprefix("meeting-")
        now = datetime.now(ZoneInfo("Europe/Dublin"))
        steps.book(self.somebody, kind, now + timedelta(minutes=-40 if kind == "visit" else 180), "Room 12")
        return True

    def press(self, ways: Iterable[str]) -> bool:
        """The first of these that stands on the page, if one does."""
        for way in ways:
            if (button := self.main.locator(way).locator("visible=true")).count():
                self.somebody.follow(button.first)
                return True
        return False

    def follow(self, other: "Walker") -> None:
        """Waits until this person's page of a conversation has gone where somebody else went."""
        if self is not other and self.talk.count():
            # As when a phone is taken up again: its page asks at once what is new, and not within seconds.
            self.talk.evaluate("page => document.dispatchEvent(new Event('visibilitychange'))")
            if not other.talk.count():
                self.main.get_by_text(DONE).wait_for()
                return
            rev, marks = (other.talk.get_attribute(name) for name in ("data-rev", "data-marks"))
            self.main.locator(f"[data-talk][data-rev='{rev}'][data-marks='{marks}']").wait_for()
        self.is_fresh = self.talk.count() > 0


def walk(people: list[Walker]) -> None:
    """Until all of them have come to the end. Everybody sees what was written before anybody goes on."""
    for _round in range(MOST_ROUNDS):
        wrote = acted = False
        for each in people:
            each.come()
            if each.write():
                wrote = True
                # Of the writer too: a page waits until its keys are at rest before it goes on with the others.
                for other in people:
                    other.is_fresh = False
        if wrote:
            continue
        if all(each.is_at(FINISHED) or (len(people) == 1 and each.has_submitted) for each in people):
            return
        for each in people:
            each.is_fresh = False
        for each in people:
            if each.press(OWN):
                acted = True
            elif each.book() or each.press(SHARED):
                acted = True
                for other in people:
                    other.follow(each)
                break
        assert acted, f"nobody finds anything to do: {said(people)}"
    raise AssertionError(f"people go in circles: {said(people)}")


def said(people: list[Walker]) -> str:
    """What the pages say to everybody."""
    return "".join(f"\n\n{each.somebody.user} at {each.somebody.page.url}: {each.main.inner_text()}" for each in people)


def meet(people: list[Somebody], protocol: Protocol) -> None:
    """They find each other through the pages, and somebody begins."""
    for each in people:
        each.press("I have read this: continue")
    if protocol.is_for_group:
        people[0].press("Found a group")
        people[0].at.get_by_label("A theme").check()
        people[0].at.get_by_label("Name of the group").fill("Questions that open a lesson")
        people[0].press("Found the group")
        for each in people[1:]:
            each.press("Look at the groups")
            each.press("Join “Questions that open a lesson”")
        people[0].home()
        people[0].press("I bring something")
    elif not protocol.alone:
        steps.become_partners(*people)


@pytest.mark.parametrize(
    "key", [pytest.param(key, marks=() if key in EVERY_DAY else pytest.mark.soak) for key in shipped()]
)
def test_a_protocol_has_no_dead_end(
    key: str, new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    protocol = shipped()[key]
    activity = sandbox.add_activity(sandbox.register(live_tool))
    people = [Somebody(new_context(), sandbox, user) for user in TEACHERS[: protocol.least]]
    people[0].open_alone(activity)
    with live_tool.database() as database, database.write() as session:
        kind = next(kind for kind in KINDS if fits(kind, protocol))
        session.execute(update(Activity).values(kind=kind, protocol=key, status="open"))
    for each in people:
        each.open_alone(activity)
    wrong: list[str] = []
    walkers = [Walker(each, wrong) for each in people]
    meet(people, protocol)
    walk(walkers)
    assert wrong + [error for each in people for error in each.errors] == []
    with live_tool.database() as database, database.read() as session:
        assert session.scalars(select(Cycle.status)).all() == ["finished"]
        assert len(session.scalars(select(CycleMember.membership_id)).all()) == protocol.least
        done = {stage for stage in session.scalars(select(StageMark.stage)) if "." not in stage}
        written = set(session.scalars(select(CycleText.field)))
    assert done == {stage.key for stage in protocol.stages}
    assert written == {field.key for stage in protocol.stages for field in stage.fields}
