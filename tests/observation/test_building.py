"""Building an instrument together, through the door: who may, what two at once lose, when it is frozen."""

from html import unescape
from typing import Any

import pytest
from browsers import recorded
from cycles.pair_at_work import make_cycle
from factories import make_course
from flask import Flask
from groups.people_of_groups import open_hall
from observation.builders import Pair, fields, pair
from observation.made import made
from sqlalchemy import delete, select, update

from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.observation import building
from lti_tool.observation.entries import read as read_entry
from lti_tool.observation.examples import MINUTES, example
from lti_tool.observation.instrument import KINDS, read
from lti_tool.observation.layouts import LAYOUTS, laid_out
from lti_tool.observation.models import CycleInstrument, InstrumentState
from lti_tool.observation.pictures import draw
from lti_tool.observation.shipped import shipped
from lti_tool.privacy.looks.models import Look
from lti_tool.store.database import Database

__all__ = ["pair"]

ODD = ("", "\0", "x" * 5000, "-1", "1" * 30, "😀", "%s", "../..")


def test_all_that_ship_are_offered_with_what_to_know_and_an_example(pair: Pair) -> None:
    page = unescape(pair.host.get(pair.at))
    for key, base in shipped().items():
        assert f'value="base:{key}"' in page
        assert base.captures.en in page and f"base={key}" in page
        used, entries = example(base.begin("en"), ["Why?", "So.", "Because."])
        assert read(used.to_json()) == used
        assert [read_entry(each.to_json(), used) for each in entries] == entries
        assert draw(used, entries, MINUTES).tables
    # What is for engagement and participation comes first.
    assert page.index('value="base:at_task_sweep"') < page.index('value="base:scripting"')
    shown = unescape(pair.host.get(pair.at + "?base=participation_spread"))
    base = shipped()["participation_spread"]
    assert all(text.en in shown for text in (base.captures, base.picture, base.decide_first, base.limits))
    assert "<svg" in shown and "made-up lesson" in shown
    assert pair.host.status(pair.at + "?base=" + "x" * 2000) == 200


def test_both_change_it_both_approve_it_and_then_it_stays(pair: Pair) -> None:
    at = pair.begin()
    before = revision(pair)
    assert pair.send(pair.coach, at, name=["Who gives reasons"]).status_code == 303
    assert revision(pair) > before, "open pages are told"
    page = unescape(pair.host.get(at))
    assert "Who gives reasons" in page and "Seán changed the name" in page and "You began it" in page
    assert pair.send(pair.host, at, do="approve").status_code == 303
    # A later change asks again.
    codes = ["A pupil asks", "", "A pupil adds", "", "A hand goes up"]
    pair.send(pair.coach, at, code__text=[*codes[:3], codes[4], ""])
    assert "You have not approved it yet." in pair.host.get(at)
    (built,) = pair.built()
    assert [each.text for each in built.instrument.codes] == ["A pupil asks", "A pupil adds", "A hand goes up"]
    assert [each.key for each in built.instrument.codes] == ["asks", "builds", "c1"]
    pair.send(pair.coach, at, do="approve")
    assert not pair.built()[0].frozen_at
    pair.send(pair.host, at, do="approve")
    (built,) = pair.built()
    assert built.frozen_at and built.approved_by == frozenset(pair.course.teachers[:2])
    page = pair.host.get(at)
    assert 'name="code-text"' not in page and "stays as it is" in page
    # What was typed on a page from before is not lost.
    late = pair.send(pair.host, at, fields_page(built.revision), name=["Too late"])
    assert late.status_code == 409 and 'value="Too late"' in late.text and f"{at}/copy" in late.text
    assert pair.built()[0].instrument.name == "Who gives reasons"
    pair.clock.advance(60)
    copied = pair.send(pair.host, at + "/copy", late.text)
    assert copied.status_code == 303
    assert [each.instrument.name for each in pair.built()] == ["Who gives reasons", "Too late"]
    assert building.in_use(pair.built()) == pair.built()[0]


def revision(pair: Pair) -> int:
    with pair.database.read() as session:
        return session.scalars(select(Cycle.revision)).one()


def fields_page(revision: int) -> str:
    """A page with boxes of an instrument with one code."""
    return (
        f'<input name="revision" value="{revision}"><input name="code-key" value="asks">'
        '<input name="code-text" value="One">'
    )


def test_two_who_change_the_same_see_both_and_what_is_different_comes_together(pair: Pair) -> None:
    at = pair.begin()
    hosts, coachs = pair.host.get(at), pair.coach.get(at)
    pair.send(pair.host, at, hosts, name=["The host’s"])
    merged = pair.send(pair.coach, at, coachs, code__text=["One", "Two"], code__key=["asks", "reasons"])
    assert merged.status_code == 303
    (built,) = pair.built()
    assert (built.instrument.name, [each.text for each in built.instrument.codes]) == ("The host’s", ["One", "Two"])
    answer = pair.send(pair.coach, at, coachs, name=["The coach’s"])
    page = unescape(answer.text)
    assert answer.status_code == 409 and 'value="The coach’s"' in page and "<li>The host’s</li>" in page
    assert "Niamh has saved" in page, "not the coach, who saved something else after that"
    assert 'value="Two"' in page, "what nobody typed now is as it is"
    assert pair.built()[0].instrument.name == "The host’s"
    assert pair.send(pair.coach, at, answer.text).status_code == 303
    assert pair.built()[0].instrument.name == "The coach’s"
    # To approve what one has not seen is not possible.
    answer = pair.send(pair.host, at, hosts, do="approve", name=["The host’s"])
    assert answer.status_code == 409 and not pair.built()[0].approved_by


def test_what_is_undecided_is_said_and_nothing_typed_is_lost(pair: Pair) -> None:
    at = pair.begin("base:at_task_sweep")
    page = pair.host.get(at)
    assert "Draw the seating plan" in page
    answer = pair.send(pair.host, at, do="approve", name=["Round the tables"])
    assert answer.status_code == 409 and "Draw the seating plan" in answer.text
    assert pair.built()[0].instrument.name == "Round the tables"
    answer = pair.send(pair.host, at, name=["Again"], code__text=["A pupil writes", "2"], code__key=["alone", "x"])
    assert answer.status_code == 400 and 'value="A pupil writes"' in answer.text and 'href="#code-1"' in answer.text
    assert pair.send(pair.host, at, do="plan", name=["Once more"]).location.endswith("/plan")
    assert pair.built()[0].instrument.name == "Once more"


def test_the_plan_is_laid_out_and_changed_by_numbers(pair: Pair) -> None:
    at = pair.begin("base:verbal_flow") + "/plan"
    page = pair.host.get(at)
    answer = pair.send(pair.host, at, page, do="lay-out", layout=["pairs"], rows=["4"], across=["6"])
    assert answer.status_code == 200 and pair.built()[0].instrument.plan is None
    assert pair.send(pair.host, at, answer.text).status_code == 303
    plan = pair.built()[0].instrument.plan
    assert plan and (len(plan.seats), plan.width, plan.depth) == (24, 8, 6)
    sent = fields(pair.coach.get(at))
    sent["seat-x"][0], sent["seat-y"][0] = "3", "6"
    answer = pair.send(pair.coach, at, **{"seat__x": sent["seat-x"], "seat__y": sent["seat-y"]})
    assert answer.status_code == 303
    plan = pair.built()[0].instrument.plan
    assert plan and (plan.seats[0].x, plan.seats[0].y) == (2, 5)
    stale = pair.send(pair.host, at, page, seat__x=["9"], seat__y=["1"], seat__number=["1"])
    assert stale.status_code == 400 and 'href="#seat-1"' in stale.text
    nowhere = pair.send(pair.host, at, mark__what=["door"], mark__x=[""], mark__y=[""])
    assert nowhere.status_code == 400 and 'href="#mark-0"' in nowhere.text
    pair.send(pair.host, at.removesuffix("/plan"), name=["Later"])
    stale = pair.send(pair.host, at, page, seat__x=["5"], seat__y=["5"], seat__number=["1"])
    assert stale.status_code == 409 and "Seán has saved another plan" in stale.text
    assert "<svg" in stale.text and 'value="5"' in stale.text
    assert pair.send(pair.host, at, do="lay-out", rows=["9"], across=["9"]).status_code == 400
    two = pair.send(pair.host, at, seat__x=["2", "2"], seat__y=["2", "2"], seat__number=["1", "2"])
    assert two.status_code == 400 and 'href="#seat-2"' in two.text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_fit_or_are_none(layout: str) -> None:
    for rows in range(1, 18):
        for across in range(1, 15):
            if plan := laid_out(layout, rows, across):
                whole = made("class_traffic", plan=plan)
                assert read(whole.to_json()) == whole
                expected = {"room": 0, "horseshoe": across + 2 * rows}.get(layout, rows * across)
                assert [each.number for each in plan.seats] == list(range(1, expected + 1))
    assert laid_out(layout, 4, 6)


def test_nobody_else_opens_changes_or_approves_it(pair: Pair) -> None:
    at = pair.begin("base:class_traffic")
    elsewhere = make_course(pair.database, teachers=1, now=pair.clock.now)
    course = pair.course
    others = [(each, None) for each in (course.teachers[2], course.trainer, course.guest, course.leader)]
    others += [(course.administrator, None), (elsewhere.teachers[0], elsewhere.activity_id)]
    for membership, activity in others:
        browser = pair.browser(membership, activity)
        assert [browser.status(path) for path in (pair.at, at, at + "/plan")] == [404] * 3
        for path in (pair.at, at, at + "/plan", at + "/copy"):
            assert browser.post(path, name="x", do="approve", **{"from": "base:tally"}).status_code == 404
    assert len(pair.built()) == 1
    other = pair.at + "/" + "0" * 16
    assert [pair.host.status(path) for path in (other, other + "/plan")] == [404, 404]
    # A kind without a plan has no page for one.
    assert pair.host.status(pair.begin("base:anecdotal") + "/plan") == 404


def test_it_goes_with_the_protocol_and_with_how_far_the_pair_goes(pair: Pair) -> None:
    at = pair.begin()
    page = pair.host.get(f"/cycles/{pair.cycle_id}/visit")
    assert pair.at in page and pair.at in pair.host.get(f"/cycles/{pair.cycle_id}/before")
    assert pair.at not in pair.host.get(f"/cycles/{pair.cycle_id}/after")
    typed = pair.coach.get(at)
    with pair.database.write() as session:
        session.execute(update(CycleMember).where(CycleMember.role == "coach").values(step="look"))
    for path in (pair.at, at):
        assert pair.host.client.get(pair.host.at + path).location.endswith("told=shorter")
    assert pair.at not in pair.host.get(f"/cycles/{pair.cycle_id}/visit")
    # A page that was open when they came to go less far still saves.
    pair.send(pair.coach, at, typed, name=["Typed before"])
    assert pair.built()[0].instrument.name == "Typed before"
    light = make_course(pair.database, teachers=2, protocol="light", now=pair.clock.now)
    cycle = make_cycle(pair.database, light, pair.clock.now)
    assert pair.browser(light.teachers[0], light.activity_id).status(f"/cycles/{cycle}/visit-instrument") == 404


def test_what_is_tapped_in_a_list_of_ones_own_stays_as_it_is(pair: Pair) -> None:
    at = pair.begin("base:" + next(key for key, base in shipped().items() if base.kind == "checklist"))
    codes = pair.built()[0].instrument.codes
    assert 'name="code-text"' not in pair.host.get(at) and "data-hints" in pair.host.get(at)
    levels = {"code__key": [each.key for each in codes], "code__text": ["Excellent", "Good", "Poor"]}
    assert pair.send(pair.host, at, name=["Another name"], **levels).status_code == 303
    assert pair.built()[0].instrument.codes == codes and pair.built()[0].instrument.name == "Another name"


def test_three_at_most_two_taps_are_one_and_one_can_be_removed(pair: Pair) -> None:
    first = pair.begin()
    assert pair.begin() == first
    pair.begin("base:anecdotal"), pair.begin("base:checklist")
    assert pair.host.post(pair.at, **{"from": "base:wait_time"}).status_code == 409
    for source in ("", "base:", "base:x", "own:x", "released:" + "0" * 16, "\0", "x" * 3000):
        assert pair.host.post(pair.at, **{"from": source}).status_code == 409
    assert pair.send(pair.coach, first, do="remove").status_code == 409
    assert pair.send(pair.coach, first, do="remove", sure="1").status_code == 303
    assert len(pair.built()) == 2 and pair.host.status(first) == 404


def test_odd_input_is_never_an_error_of_ours(pair: Pair) -> None:
    at = pair.begin("base:case_pupils")
    plan = pair.begin("base:at_task_sweep")
    for path, keys in (
        (at, ("name", "row-key", "row-text", "row-expected", "revision", "do")),
        (plan, ("code-key", "code-text", "interval", "option")),
        (
            plan + "/plan",
            ("width", "depth", "seat-number", "seat-x", "seat-y", "mark-what", "mark-x", "layout", "rows"),
        ),
    ):
        page = pair.host.get(path)
        for number, key in enumerate(keys):
            odd = [ODD[(number + i) % len(ODD)] for i in range(3)]
            for do in ("save", "lay-out"):
                assert pair.send(pair.host, path, page, **{"do": do, key: odd}).status_code < 500, (key, odd)


def test_it_is_sealed_read_by_few_statements_and_noted_for_who_wrote(pair: Pair) -> None:
    at = pair.begin("base:at_task_sweep")
    for number in range(4):
        pair.send(pair.host, at, name=[f"canary-instrument-{number}"])
    with pair.database.read() as session:
        assert "canary" not in repr(session.execute(select(*InstrumentState.__table__.columns)).all())
    pair.coach.get(at)
    with pair.database.read() as session:
        assert "instrument" in session.scalars(select(Look.what)).all()
    for path in (pair.at, at, at + "/plan", pair.at + "?base=tally", f"/cycles/{pair.cycle_id}/visit"):
        with recorded(pair.database) as statements:
            pair.coach.get(path)
        assert len(statements) <= 12, (path, len(statements))


def test_a_cycle_that_ended_is_there_to_read(pair: Pair) -> None:
    at = pair.begin()
    typed = pair.host.get(at)
    with pair.database.write() as session:
        session.execute(update(Cycle).values(status="stopped"))
    page = pair.host.get(at)
    assert 'name="code-text"' not in page and "Counters" in page
    for path in (pair.at, at, at + "/copy"):
        assert pair.send(pair.host, path, typed, name=["x"]).status_code == 404
    assert pair.send(pair.host, at, page, do="keep").location.endswith("told=kept")


def test_every_kind_can_be_finished_on_its_pages(pair: Pair) -> None:
    for key, base in shipped().items():
        with pair.database.write() as session:
            session.execute(delete(CycleInstrument))
        at = pair.begin(f"base:{key}")
        kind = KINDS[base.kind]
        if kind.plan:
            page = pair.host.get(at + "/plan")
            layout = "rows" if kind.plan == "seats" else "room"
            laid = pair.send(pair.host, at + "/plan", page, do="lay-out", layout=[layout]).text
            assert pair.send(pair.host, at + "/plan", laid).status_code == 303
        typed: dict[str, Any] = {"option": list(kind.options)}
        if kind.expects:
            typed["row-expected"] = ["Draws first"] * 3
        for who in (pair.host, pair.coach):
            answer = pair.send(who, at, do="approve", **(typed if who is pair.host else {}))
            assert answer.status_code == 303, (key, unescape(answer.text)[:3000])
        assert pair.built()[0].frozen_at, key


def test_what_an_erased_member_wrote_last_goes_and_the_rest_can_be_approved(pair: Pair) -> None:
    at = pair.begin()
    pair.send(pair.coach, at, name=["canary-coach"])
    with pair.database.read() as session:
        author = session.scalars(select(InstrumentState.author_id).where(InstrumentState.revision == 2)).one()
    pair.app.extensions["meitheal"].keyring.shred(pair.cycle_id, author, pair.clock.now)
    assert "canary" not in pair.host.get(at)
    for who in (pair.host, pair.coach):
        assert pair.send(who, at, do="approve").status_code == 303
    (built,) = pair.built()
    assert built.frozen_at and built.instrument.name == "Counters"


def test_all_of_a_group_who_are_there_approve_and_who_left_reads_no_more(
    app: Flask, database: Database, clock: Any
) -> None:
    hall = open_hall(app, database, clock, protocol="lesson_study")
    hall.form_group(0, 1, 2, 3)
    cycle_id = hall.begin(0)
    first, second, third, fourth = hall.people[:4]
    at = f"cycles/{cycle_id}/visit-instrument"
    first.send(at, **{"from": "base:anecdotal"})
    with database.read() as session:
        at += "/" + session.scalars(select(CycleInstrument.id)).one()
    fourth.send("group/pause")
    for person in (first, second):
        person.send(at, revision="1", do="approve")
    assert "has not approved it yet" in first.go(at) and "stays as it is" not in first.go(at)
    third.send("group/leave")
    third.go(at)
    assert third.status == 404
    # Nobody waits for who left or pauses: one more tap freezes it.
    first.send(at, revision="1", do="approve")
    assert "stays as it is" in second.go(at)
