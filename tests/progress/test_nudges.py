"""Pairs that stand still, teachers without a partner, and the friendly words to both, through the app."""

import re
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from progress.test_progress_pages import move, pair_up
from sqlalchemy import select, update

from lti_tool import worker
from lti_tool.activities.models import Activity, ActivityFacilitator
from lti_tool.cycles.models import Cycle
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership
from lti_tool.privacy.keyring import Keyring
from lti_tool.progress import service
from lti_tool.progress.models import Nudge
from lti_tool.protocols.recipe import REFLECTION, TOGETHER
from lti_tool.settings import Settings
from lti_tool.store.database import Database

DAY = 24 * 3600


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    made = make_course(database, teachers=6, protocol="collegial", now=clock.now)
    with database.write() as session:
        session.add(
            ActivityFacilitator(activity_id=made.activity_id, membership_id=made.teachers[5], created_at=clock.now)
        )
    return made


def signed_in(app: Flask, database: Database, clock: Any, course: MadeCourse, membership: str) -> Browser:
    return Browser(app, database, clock, membership, course.activity_id)


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return signed_in(app, database, clock, course, course.trainer)


@pytest.fixture
def facilitator(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return signed_in(app, database, clock, course, course.teachers[5])


def since(database: Database, pair_id: str, clock: Any, days: int, stage: str = TOGETHER) -> None:
    """Puts a pair's cycle at a stage since so many days ago."""
    with database.write() as session:
        session.execute(
            update(Cycle)
            .where(Cycle.pair_id == pair_id)
            .values(stage=stage, stage_since=clock.now - timedelta(days=days))
        )


def section(page: str, part: str) -> str:
    """The part of the page with the pairs that stand still (`stalled`) or the teachers without one (`unpaired`)."""
    return page.partition(f'id="{part}"')[2].partition("</section>")[0]


def nudged(database: Database) -> list[tuple[str, str]]:
    """(kind, membership) of all nudges that were sent."""
    with database.read() as session:
        return sorted((row.kind, row.membership_id) for row in session.execute(select(Nudge.kind, Nudge.membership_id)))


def test_pairs_that_stand_still_are_named_with_step_and_date(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    late, early = pair_up(database, course, clock, 1, 0), pair_up(database, course, clock, 2, 3)
    since(database, late, clock, 20)
    since(database, early, clock, 10)
    page = trainer.get("/")
    stalled = section(page, "stalled")
    assert "14 days or longer" in stalled
    assert "Niamh Ní Bhriain and Seán Ó Dónaill" in stalled and "Gráinne" not in stalled
    day = clock.now - timedelta(days=20)
    assert f"Coaching each other, since {day.day} {day:%B %Y}" in stalled
    both = section(trainer.get("/progress?days=7"), "stalled")
    assert both.index("Gráinne") < both.index("Niamh"), "by name, not by how long"
    assert "None at present" in section(trainer.get("/progress?days=28"), "stalled")


@pytest.mark.parametrize("status", ["finished", "running"])
def test_a_pair_whose_cycle_is_finished_waits_for_nothing(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser, status: str
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 30, REFLECTION)
    with database.write() as session:
        session.execute(update(Cycle).values(status=status))
    assert ("Niamh" in section(trainer.get("/"), "stalled")) == (status == "running")


def test_paused_and_ended_pairs_look_like_teachers_who_never_had_a_partner(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser, facilitator: Browser
) -> None:
    paused, ended = pair_up(database, course, clock, 0, 1), pair_up(database, course, clock, 2, 3)
    for pair in (paused, ended):
        since(database, pair, clock, 30)
    trainer.post(f"/nudges/pairs/{paused}")
    with database.write() as session:
        pairing.pause_pair(session, paused, course.teachers[0], clock.now)
        pairing.end_pair(session, ended, clock.now)
    for browser in (trainer, facilitator):
        page = browser.get("/progress")
        assert "None at present" in section(page, "stalled")
        lines = re.findall(r"<li>.*?</li>", section(page, "unpaired"), re.S)
        names = [re.search("<strong>(.*?)</strong>", line) for line in lines]
        assert [name and name[1] for name in names] == [
            "Aoife Walsh", "Gráinne Byrne", "Niamh Ní Bhriain", "Oisín Mac Cárthaigh", "Pádraig Ó Sé", "Seán Ó Dónaill",
        ]  # fmt: skip
        looks = {
            re.sub(r"/[0-9a-z]{16}", "", line.replace(name[1] if name else "", ""))
            for line, name in zip(lines, names, strict=True)
            if name and not (browser is facilitator and name[1] == "Pádraig Ó Sé")
        }
        assert len(looks) == 1, "one line is like the other, also of those who were nudged while they were a pair"
    # A page that is older than the pause sends nothing, and says the same as for a pair that moved on.
    for pair in (paused, ended):
        assert trainer.post(f"/nudges/pairs/{pair}").location.endswith("told=none")


def test_no_date_tells_that_a_pair_had_paused(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 30)
    with database.write() as session:
        pairing.pause_pair(session, pair, course.teachers[0], clock.now)
        pairing.resume_pair(session, pair, course.teachers[0], clock.now)
    assert "None at present" in section(trainer.get("/"), "stalled"), "its step counts from now"


def test_a_friendly_word_reaches_both_and_is_put_away(
    app: Flask, database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 20)
    assert f"/nudges/pairs/{pair}" in trainer.get("/")
    assert trainer.post(f"/nudges/pairs/{pair}").location.endswith("/progress?told=sent")
    assert "It is sent" in trainer.get("/progress?told=sent")
    host, coach, other = (signed_in(app, database, clock, course, each) for each in course.teachers[:3])
    page = host.get("/")
    assert "A friendly word from Máire" in page and "There is no date to keep" in page
    assert "Only the trainer and the facilitators of this activity know" in page
    assert page.index("A friendly word from") < page.index("Your next step</p>")
    assert "A friendly word" in coach.get("/") and "A friendly word" not in other.get("/")
    found = re.search(r"/nudges/\w+/seen", page)
    assert found
    assert other.post(found[0]).status_code == coach.post(found[0]).status_code == 404
    before = trainer.get("/progress")
    for _twice in range(2):
        assert host.post(found[0]).status_code == 303
    assert "A friendly word" not in host.get("/") and "A friendly word" in coach.get("/")
    assert re.sub(r"csrf_token.*?>", "", trainer.get("/progress")) == re.sub(r"csrf_token.*?>", "", before), (
        "nobody is told who has seen it"
    )


def test_once_in_seven_days_whoever_sends_it(
    app: Flask, database: Database, clock: Any, course: MadeCourse, trainer: Browser, facilitator: Browser
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 20)
    trainer.post(f"/nudges/pairs/{pair}")
    for browser in (trainer, facilitator):
        stalled = section(browser.get("/progress"), "stalled")
        assert f"nudged on {clock.now.day} {clock.now:%B %Y}" in stalled and "<button" not in stalled
        assert browser.post(f"/nudges/pairs/{pair}").location.endswith("told=none")
        assert browser.post("/nudges/pairs").location.endswith("told=none")
    assert len(nudged(database)) == 2
    clock.advance(7 * DAY)
    again = signed_in(app, database, clock, course, course.teachers[5])
    assert again.post(f"/nudges/pairs/{pair}").location.endswith("told=sent")
    assert len(nudged(database)) == 4


def test_it_goes_away_by_itself_when_the_pair_goes_on(
    app: Flask, database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 20)
    trainer.post(f"/nudges/pairs/{pair}")
    clock.advance(60)
    host = signed_in(app, database, clock, course, course.teachers[0])
    assert "A friendly word" in host.get("/")
    since(database, pair, clock, 0, "after")
    assert "A friendly word" not in host.get("/")
    since(database, pair, clock, 20)
    host.post("/pair/pause")
    assert "A friendly word" not in host.get("/"), "who pauses is not pushed"


def test_a_word_to_those_without_a_partner_is_the_same_to_all(
    app: Flask, database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    paused = pair_up(database, course, clock, 0, 1)
    with database.write() as session:
        pairing.pause_pair(session, paused, course.teachers[0], clock.now)
    words = set()
    for teacher in (*course.teachers[:3], course.teachers[5]):
        assert trainer.post(f"/nudges/teachers/{teacher}").location.endswith("told=sent")
        page = signed_in(app, database, clock, course, teacher).get("/")
        words.update(re.findall(r"A friendly word from Máire</h2>\s*<p>(.*?)</p>", page))
    assert len(words) == 1 and "nothing to explain" in words.pop()
    assert {kind for kind, _ in nudged(database)} == {"no_partner"}
    assert "nudged on" in section(trainer.get("/progress"), "unpaired")
    assert trainer.post(f"/nudges/teachers/{course.teachers[0]}").location.endswith("told=none")


def test_all_who_stand_still_get_one_and_nobody_else(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    first, second = pair_up(database, course, clock, 0, 1), pair_up(database, course, clock, 2, 3)
    since(database, first, clock, 20)
    since(database, second, clock, 20, REFLECTION)
    move(database, second, REFLECTION, clock, (course.teachers[2],))
    assert "Send it to all who stand still" in trainer.get("/")
    assert trainer.post("/nudges/pairs").location.endswith("told=sent")
    expected = {("stalled", course.teachers[each]) for each in (0, 1, 3)}
    assert set(nudged(database)) == expected, "whoever has submitted already waits, too"


def test_days_are_kept_from_page_to_nudge(database: Database, clock: Any, course: MadeCourse, trainer: Browser) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 10)
    assert trainer.post(f"/nudges/pairs/{pair}").location.endswith("told=none")
    answer = trainer.post(f"/nudges/pairs/{pair}", days="7")
    assert answer.location.endswith("told=sent&days=7")
    for odd in ("0", "-1", "9" * 400, "x", "\0", "1e3", ""):
        assert trainer.post(f"/nudges/pairs/{pair}", days=odd).status_code == 303
        assert trainer.status(f"/progress?days={odd}") == 200


def test_a_facilitator_sees_who_stands_still_and_not_who_submitted(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser, facilitator: Browser
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    move(database, pair, REFLECTION, clock, course.teachers[:1])
    since(database, pair, clock, 20, REFLECTION)
    assert "Reflections submitted" in trainer.get("/progress")
    with recorded(database) as statements:
        page = facilitator.get("/progress")
    assert "Niamh" in section(page, "stalled") and "Reflections submitted" not in page and "/roles" not in page
    assert not [sql for sql, _ in statements if "people.given_name, cycles.number" in sql], "it is not even read"
    assert "and not who submitted" in page
    assert facilitator.post(f"/nudges/pairs/{pair}").location.endswith("told=sent")
    assert nudged(database) == [("stalled", course.teachers[1])]


def test_a_facilitator_nudges_neither_themselves_nor_their_own_partner(
    database: Database, clock: Any, course: MadeCourse, facilitator: Browser
) -> None:
    assert facilitator.post(f"/nudges/teachers/{course.teachers[5]}").location.endswith("told=none")
    assert "Pádraig" in section(facilitator.get("/progress"), "unpaired")
    pair = pair_up(database, course, clock, 4, 5)
    since(database, pair, clock, 20)
    stalled = section(facilitator.get("/progress"), "stalled")
    assert "Aoife" in stalled and "<button" not in stalled
    assert facilitator.post(f"/nudges/pairs/{pair}").location.endswith("told=none")
    assert facilitator.post("/nudges/pairs").location.endswith("told=none")
    assert not nudged(database)


def test_whoever_takes_part_no_more_is_not_named(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 20)
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[1]).values(is_active=False))
    stalled = section(trainer.get("/"), "stalled")
    assert "Niamh" in stalled and "Seán" not in stalled and "The partner takes part no more" in stalled
    trainer.post(f"/nudges/pairs/{pair}")
    assert nudged(database) == [("stalled", course.teachers[0])]
    assert trainer.post(f"/nudges/teachers/{course.teachers[1]}").status_code == 404


@pytest.mark.parametrize("who", ["guest", "leader", "administrator", "teacher", "elsewhere"])
def test_only_trainer_and_facilitators_nudge(
    app: Flask, database: Database, clock: Any, course: MadeCourse, who: str
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 20)
    if who == "elsewhere":
        other = make_course(database, now=clock.now)
        browser = signed_in(app, database, clock, other, other.trainer)
    else:
        member = course.teachers[2] if who == "teacher" else getattr(course, who)
        browser = signed_in(app, database, clock, course, member)
    for path in (f"/nudges/pairs/{pair}", "/nudges/pairs", f"/nudges/teachers/{course.teachers[3]}"):
        expected = 303 if (who, path) == ("elsewhere", "/nudges/pairs") else 404
        assert browser.post(path).status_code == expected
    assert not nudged(database)


def test_where_nothing_new_begins_nobody_is_asked_to(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    with database.write() as session:
        session.execute(update(Activity).values(status="archived"))
    assert "Need pairing" not in trainer.get("/progress")
    assert trainer.post(f"/nudges/teachers/{course.teachers[3]}").status_code == 404


@pytest.mark.parametrize(
    ("kind", "shown", "not_shown"),
    [
        ("pairing", ("Need pairing", "Has a partner"), ("Pairs that stand still", "Reflections submitted</h2>")),
        ("reflection", ("Not begun", "Reflections submitted</h2>"), ("Need pairing", "Pairs that stand still")),
    ],
)
def test_other_kinds_of_activities_show_what_there_is(
    app: Flask, database: Database, clock: Any, kind: str, shown: tuple[str, ...], not_shown: tuple[str, ...]
) -> None:
    made = make_course(database, teachers=4, now=clock.now)
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == made.activity_id).values(kind=kind, protocol=""))
    if kind == "pairing":
        pair_up(database, made, clock, 0, 1)
    page = signed_in(app, database, clock, made, made.trainer).get("/")
    for words in shown:
        assert words in page
    for words in not_shown:
        assert words not in page


def test_old_nudges_are_forgotten(
    settings: Settings, database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    trainer.post(f"/nudges/teachers/{course.teachers[0]}")
    tasks = worker.periodic(settings, database, Keyring.of(settings, database), clock)
    forget = next(task for task in tasks if task.name == "forget_old_nudges")
    clock.advance(27 * DAY)
    forget.run()
    assert len(nudged(database)) == 1
    clock.advance(DAY)
    forget.run()
    assert not nudged(database)


def test_two_who_nudge_at_once_send_one_word(database: Database, clock: Any, course: MadeCourse) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 20)
    sent = []
    for sender in (course.trainer, course.teachers[5]):
        with database.write() as session:
            sent.append(
                service.nudge_pair(
                    session,
                    course.activity_id,
                    course.course_id,
                    pair_id=pair,
                    sender=sender,
                    days=14,
                    now=clock.now,
                )
            )
    assert sent == [2, 0]


@pytest.mark.parametrize("way", ["nudges/pairs", "nudges/pairs/{pair}", "nudges/teachers/{teacher}"])
def test_where_there_are_no_pairs_nobody_is_reminded_of_one(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser, way: str
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    since(database, pair, clock, 20)
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == course.activity_id).values(kind="reflection"))
    path = way.format(pair=pair, teacher=course.teachers[2])
    assert trainer.post(f"/{path}").status_code == 404
    assert not nudged(database)
