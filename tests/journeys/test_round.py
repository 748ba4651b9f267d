"""A pairing round in real browsers, from what a trainer sets to the first cycle of a pair; each page is looked at."""

import re
from collections.abc import Callable

from journeys import steps
from journeys.live import LiveSandbox, LiveTool, Somebody, arrivals
from journeys.test_pages import Look
from playwright.sync_api import BrowserContext, expect

from lti_tool import worker
from lti_tool.lti.service import LtiDoor
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import from_values
from lti_tool.store import jobs
from lti_tool.web.context import utcnow

SAID = {
    steps.NIAMH: (["questions", "waiting"], ["routines"]),
    steps.SEAN: (["routines"], ["questions", "waiting"]),
    "siobhan.nicgabhann": (["feedback"], ["irish"]),
    "padraig.maccarthaigh": (["irish"], ["feedback"]),
}
"""Teacher → what they want, and offer."""
NAMES = dict(
    zip(SAID, ("Niamh Ní Bhriain", "Seán Ó Dónaill", "Siobhán Nic Gabhann", "Pádraig Mac Cárthaigh"), strict=True)
)


def work(tool: LiveTool) -> None:
    """What a worker does that comes now."""
    settings = from_values(tool.settings)
    with tool.database() as database:
        keyring = Keyring.of(settings, database)
        jobs.run_due(
            database, worker.handlers(database, LtiDoor(settings, database, utcnow), keyring, utcnow), (), utcnow
        )
        keyring.database.dispose()


def test_a_round_from_its_settings_to_the_first_cycle(
    new_context: Callable[..., BrowserContext], live_tool: LiveTool, sandbox: LiveSandbox
) -> None:
    client_id = sandbox.register(live_tool)
    found, coaching = (sandbox.add_activity(client_id, title) for title in ("Partners 2026/27", "Autumn cycle"))
    look = Look(live_tool.url)
    # The teachers' pages are looked at in test_wishes.py; here the trainer's, and those of whoever is asked.
    unseen = arrivals(new_context, sandbox, lambda _: None, found)
    trainer = arrivals(new_context, sandbox, look, found)(steps.TRAINER)
    steps.set_up(trainer, "Pairing round")
    trainer.press("Pairing round")
    trainer.press("Settings of the round")
    trainer.at.get_by_label("Days that teachers have to answer").fill("7")
    trainer.follow(trainer.at.locator(".btn-primary", has_text="Save"))
    teachers = {user: say(unseen(user), *said) for user, said in SAID.items()}

    say_who_reports(trainer)
    trainer.visit("round")
    trainer.press("Calculate the pairs")
    expect(trainer.at.locator("h1")).to_have_text("It is being calculated")
    work(live_tool)
    # The page looks for itself.
    expect(trainer.at.locator("h1")).to_have_text("Ready for your review", timeout=10_000)
    look(trainer)
    for name in ("Niamh Ní Bhriain", "Siobhán Nic Gabhann"):
        expect(trainer.at.locator(".round-names", has_text=name)).to_have_count(1)
    trainer.press("What was proven")
    trainer.press("Check the proof again now")
    expect(trainer.at.locator(".status-line")).to_contain_text("the proof holds")
    trainer.press("Back to the pairs")
    first, second = move_somebody(trainer)
    trainer.press("Ask the teachers")
    trainer.press("Ask them now")

    teachers[first].look = look
    for user in (first, second):
        teachers[user].home()
        teachers[user].press("Look at the proposal")
        teachers[user].follow(teachers[user].at.get_by_role("button", name="Yes, coach with"))
    trainer.visit(trainer.page.url.split("/", 5)[5].partition("?")[0])
    expect(trainer.at.locator("main")).to_contain_text(re.compile("1 of [12] are paired."))

    other = Somebody(new_context(), sandbox, steps.TRAINER)
    other.open_alone(coaching)
    other.at.get_by_label("From “Partners 2026/27”").check()
    steps.set_up(other, "Collegial coaching")
    teacher = arrivals(new_context, sandbox, look, coaching)(first)
    teacher.follow(teacher.at.get_by_role("button", name="Begin with"))
    expect(teacher.at.locator("main")).to_contain_text("Start together")
    assert not look.wrong, "\n".join(look.wrong)


def say(teacher: Somebody, wants: list[str], offers: list[str]) -> Somebody:
    """What a teacher says on a phone, in a few taps."""
    teacher.press("I have read this: continue")
    teacher.press("Say what you would like")
    for name, keys in (("want", wants), ("offer", offers)):
        for key in keys:
            teacher.at.locator(f"[name={name}][value={key}]").check()
    teacher.press("Keep it, and find me a partner")
    return teacher


def say_who_reports(trainer: Somebody) -> None:
    """The trainer says who reports to whom, by names, and by a list of which one line is wrong."""
    trainer.visit("round/managers")
    trainer.press("Add by choosing names")
    trainer.press("Siobhán Nic Gabhann")
    trainer.at.get_by_label("Seán Ó Dónaill").check()
    trainer.press("Those who are ticked report to them")
    trainer.at.get_by_label("Write or paste the list").fill("Siobhán Nic Gabhann; Niamh Ní Bhriain\nNobody; *")
    trainer.press("Read it and show what it says")
    expect(trainer.at.locator(".status-error")).to_contain_text("Line 2: “Nobody” is in this course neither")
    trainer.press("Take the 1 that is understood, and leave the others out")
    expect(trainer.at.locator("main")).to_contain_text("To Siobhán Nic Gabhann reports Niamh Ní Bhriain")


def move_somebody(trainer: Somebody) -> tuple[str, str]:
    """The trainer puts two together who were not, at the cost shown under their line; the users of the two."""
    for user, name in NAMES.items():
        trainer.at.get_by_role("link", name=name).click()
        inline = trainer.at.locator(".round-inline")
        expect(inline).to_contain_text("Not everything that is possible is offered here")
        # By a draw some of the possible partners are never offered.
        if inline.get_by_role("button").count():
            other = inline.locator("li strong").first.inner_text()
            # Else only Niamh's and Seán's line manager is there for the one, and nobody for the other.
            expect(inline.locator("li").first).to_contain_text("2 more are left out.")
            trainer.look(trainer)
            trainer.follow(inline.get_by_role("button").first)
            expect(trainer.at.locator("#pairs li", has_text=name)).to_contain_text("put together by hand")
            return user, next(each for each, theirs in NAMES.items() if theirs == other)
        trainer.at.get_by_role("link", name=name).click()
    return steps.NIAMH, steps.SEAN
