"""A reflection of one's own, without a partner: a cycle of one person, from the first tap to a further one."""

import html
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import Desk
from factories import MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from sqlalchemy import func, select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import counts
from lti_tool.cycles.models import Cycle, CycleMember, ProtocolVersion
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.reflection import service
from lti_tool.store.database import Database

QUESTIONS = (
    "What did I try, and what happened?",
    "What did I learn for my own teaching?",
    "What helped me, and what got in the way?",
    "What will I keep, and what will I change?",
)


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    """A course whose activity is a reflection."""
    made = make_course(database, teachers=4, now=clock.now)
    return replace(made, activity_id=add_activity(database, made, clock.now, title="End of term", kind="reflection"))


@pytest.fixture
def arrive(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Callable[[str], Browser]:
    return lambda membership: Browser(app, database, clock, membership, course.activity_id)


@pytest.fixture
def niamh(course: MadeCourse, arrive: Callable[[str], Browser]) -> Browser:
    return arrive(course.teachers[0])


def begin(browser: Browser, number: str = "1") -> Desk:
    """Begins the reflection of that number; the person's browser at its addresses."""
    answer = browser.post("/reflections", number=number)
    assert answer.status_code == 303
    found = re.search(r"/cycles/(\w+)/reflect$", answer.location)
    assert found, answer.location
    return Desk(browser.client, browser.at, found.group(1))


def submit(desk: Desk, text: str) -> str:
    desk.get("reflect")
    page = desk.press("reflect/submit", text__own_learning=text)
    assert desk.status == 303, page
    return page


def count(database: Database, model: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_from_the_first_tap_to_a_second_reflection(niamh: Browser) -> None:
    page = html.unescape(niamh.get("/"))
    assert "Write your reflection" in page and "without a partner" in page and "Seen by you only." in page
    desk = begin(niamh)
    page = desk.get("reflect")
    assert all(question in page for question in QUESTIONS)
    assert "Reflection 1" in page and "with" not in re.findall(r'<p class="soft">(.*?)</p>', page)[0]
    assert "my trainer sees that I submitted, not what I wrote" in page
    desk.save_json("tried", "Silence after a question")
    assert "Silence after a question" in desk.get("reflect")
    page = niamh.get("/")
    assert "Go on with your reflection" in page and "Begin reflection" not in page
    submit(desk, "To wait.")
    page = niamh.get("/")
    assert "Your reflection is submitted" in page and "Submitted on" in page
    assert "Begin reflection 2" in page and 'name="number" value="2"' in page
    second = begin(niamh, "2")
    assert second.cycle_id != desk.cycle_id
    page = niamh.get("/")
    assert "Go on with your reflection" in page
    assert f"/cycles/{desk.cycle_id}" in page and "Your reflections" in page and "Reflection 1" in page
    assert "To wait." in desk.get("reflect/versions/1") and "To wait." not in second.get("reflect")
    assert "Reflection 2" in niamh.get("/cycles") and "Reflection 1" in niamh.get("/cycles")


def test_what_is_submitted_can_be_changed_and_submitted_again(niamh: Browser) -> None:
    desk = begin(niamh)
    submit(desk, "First thought")
    assert "Version 2" in submit(desk, "Second thought")
    assert "First thought" in desk.get("reflect/versions/1")
    begin(niamh, "2")
    assert "Version 3" in submit(desk, "Third thought"), "an earlier one stays open to its author"


def test_the_questions_that_must_be_answered_are_said_and_nothing_typed_is_lost(niamh: Browser) -> None:
    desk = begin(niamh)
    desk.get("reflect")
    page = desk.press("reflect/submit", text__tried="Only what I tried")
    assert desk.status == 409
    assert "What did I learn for my own teaching?” is still empty" in page and "Only what I tried" in page


def test_a_double_tap_and_old_pages_begin_nothing_twice(database: Database, niamh: Browser) -> None:
    desk = begin(niamh)
    assert begin(niamh).cycle_id == desk.cycle_id
    assert begin(niamh, "2").cycle_id == desk.cycle_id, "one that is not submitted is gone on with"
    submit(desk, "Done")
    assert begin(niamh).cycle_id == desk.cycle_id, "the page of before the first one still names the first one"
    second = begin(niamh, "2")
    assert begin(niamh, "2").cycle_id == second.cycle_id
    submit(second, "Done too")
    assert begin(niamh, "9" * 40).cycle_id not in (desk.cycle_id, second.cycle_id)
    for odd in ("", "-1", "x", "\0", "1.5"):
        assert niamh.post("/reflections", number=odd).status_code == 303
    assert (count(database, Cycle), count(database, Pair), count(database, PairMember)) == (3, 1, 1)


def test_two_tabs_at_the_same_moment_begin_one(database: Database, course: MadeCourse, clock: Any) -> None:
    for number in (1, 2, 3):
        barrier = threading.Barrier(3)
        found: list[object] = []

        def tap(number: int = number, barrier: threading.Barrier = barrier, found: list[object] = found) -> None:
            barrier.wait()
            try:
                with database.write() as session:
                    found.append(
                        service.begin(
                            session,
                            membership_id=course.teachers[0],
                            activity_id=course.activity_id,
                            number=number,
                            now=clock.now,
                        )
                    )
            except Exception as error:
                found.append(error)

        threads = [threading.Thread(target=tap) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 1 and isinstance(found[0], str), found
        with database.write() as session:
            session.execute(update(Cycle).values(status="finished", finished_at=clock.now))
    assert (count(database, Cycle), count(database, Pair)) == (3, 1)


def test_nothing_of_pairs_is_there(course: MadeCourse, niamh: Browser) -> None:
    desk = begin(niamh)
    for path in ("/partner", f"/partner/{course.teachers[1]}", "/pair"):
        assert niamh.status(path) == 404, path
    for path in (
        f"/partner/{course.teachers[1]}",
        "/pair/pause",
        "/pair/resume",
        "/pair/end",
        "/begin",
        f"/invitations/{desk.cycle_id}/accept",
        f"/invitations/{desk.cycle_id}/decline",
        f"/invitations/{desk.cycle_id}/withdraw",
    ):
        assert niamh.post(path).status_code == 404, path
    submit(desk, "Done")
    for path in ("end", "start", "before", "visit"):
        desk.get(path)
        assert desk.status == 404, path
    for path in ("end", "reflect/done", "visit/done", "before/meetings/before", "agreements/together"):
        desk.post(path, wish="continue")
        assert desk.status == 404, path


def test_its_pages_cost_at_most_twelve_statements(database: Database, course: MadeCourse, niamh: Browser) -> None:
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == course.activity_id).values(reports_completion=True))

    def cost(path: str) -> int:
        niamh.get(path)
        with recorded(database) as statements:
            niamh.get(path)
        return len(statements)

    costs = [cost("/")]
    desk = begin(niamh)
    costs += [cost("/"), cost(f"/cycles/{desk.cycle_id}/reflect"), cost(f"/cycles/{desk.cycle_id}/texts")]
    submit(desk, "Done")
    begin(niamh, "2")
    costs += [cost("/"), cost("/cycles"), cost(f"/cycles/{desk.cycle_id}/reflect/versions/1")]
    assert max(costs) <= 12, costs


def test_the_trainer_sees_who_has_submitted_and_when_and_nobody_sees_more(
    course: MadeCourse, niamh: Browser, arrive: Callable[[str], Browser]
) -> None:
    desk = begin(niamh)
    trainer = arrive(course.trainer)
    assert "Niamh" not in trainer.get("/progress")
    submit(desk, "canary of Niamh")
    page = trainer.get("/progress")
    assert "Niamh" in page and "canary" not in page
    for who in (course.trainer, course.guest, course.leader, course.administrator, course.teachers[1]):
        browser = arrive(who)
        for path in ("", "/reflect", "/reflect/versions/1", "/texts", "/texts/own_learning/history"):
            assert browser.status(f"/cycles/{desk.cycle_id}{path}") == 404, (who, path)
        assert browser.post(f"/cycles/{desk.cycle_id}/texts/tried", text="x").status_code == 404
        assert "canary" not in browser.get("/")


def test_the_trainer_counts_who_writes_and_who_has_submitted(
    database: Database, course: MadeCourse, niamh: Browser, arrive: Callable[[str], Browser]
) -> None:
    submit(begin(niamh), "Done")
    begin(arrive(course.teachers[1]))
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[3]).values(welcomed_at=None))
    page = html.unescape(arrive(course.trainer).get("/progress"))
    rows = dict(re.findall(r"<rect[^>]*/></svg> ([^<]+)</th>\s*<td>(\d+)</td>", page))
    assert rows == {
        "Not opened yet": "1",
        "Not begun": "1",
        "Writing their reflection": "1",
        "Reflection submitted": "1",
    }
    assert "pair" not in re.findall(r'<h2 id="steps-title">(.*?)</h2>', page)[0]
    assert "without a partner" not in page and "Need pairing" not in page


def test_only_those_who_take_part_begin_one(
    database: Database, course: MadeCourse, niamh: Browser, arrive: Callable[[str], Browser]
) -> None:
    for who in (course.trainer, course.guest, course.leader, course.administrator):
        assert arrive(who).post("/reflections").status_code == 404
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.teachers[0]).values(welcomed_at=None))
    page = niamh.get("/")
    assert "This is yours alone" in page and "You need no partner" in page
    assert niamh.post("/reflections").location.endswith("/"), "first read what this is (R26)"
    assert count(database, Cycle) == 0


def test_in_other_activities_there_is_no_reflection_of_its_own(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    for kind in ("cycle", "pairing"):
        other = add_activity(database, course, clock.now, kind=kind)
        browser = Browser(app, database, clock, course.teachers[0], other)
        assert browser.post("/reflections").status_code == 404


def test_the_author_is_its_only_member_and_names_are_not_needed(
    database: Database, course: MadeCourse, niamh: Browser
) -> None:
    with database.write() as session:
        session.execute(update(Person).values(name="", given_name=""))
    begin(niamh)
    assert "Reflection 1" in niamh.get("/cycles") and "your partner" not in niamh.get("/cycles")
    with database.read() as session:
        members = session.execute(select(CycleMember.membership_id, CycleMember.role)).all()
    assert [tuple(each) for each in members] == [(course.teachers[0], "host")]


@pytest.mark.parametrize("protocol", ["", "light", "no longer there", "reflection"])
def test_a_protocol_for_two_never_gets_into_a_reflection(
    database: Database, course: MadeCourse, niamh: Browser, protocol: str
) -> None:
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == course.activity_id).values(protocol=protocol))
    begin(niamh)
    with database.read() as session:
        assert session.scalars(select(ProtocolVersion.key)).all() == ["reflection"]
        found = counts.stage_counts(session, course.activity_id)
    assert [(each.key, each.cycles) for each in found.stages] == [("reflect", 1)]


@pytest.mark.parametrize("protocol", ["", "reflection"])
def test_a_protocol_for_one_never_gets_into_a_coaching_cycle(
    app: Flask, database: Database, clock: Any, course: MadeCourse, protocol: str
) -> None:
    activity = add_activity(database, course, clock.now, protocol=protocol)
    with database.read() as session:
        assert counts.stage_counts(session, activity).stages[0].key == "start"
