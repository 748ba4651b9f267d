"""The picture after a visit: who sees what of it and when, next steps that rest on it, and the card of the visit."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from browsers import recorded
from cycles.pair_at_work import Desk, open_room
from flask import Flask
from observation.made import says
from observation.observed import Lesson, fill_card, lesson
from sqlalchemy import select, update

from lti_tool.cycles.models import Cycle, CycleMember, Rest, StageMark
from lti_tool.observation.entries import Entry
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.models import Observation
from lti_tool.ownership.retention import delete_due_notes
from lti_tool.store.database import Database

SEEN, ASKED, MINE = "Who can say why?", "What did you wait for?", "Wait longer myself"


@pytest.fixture
def visit(app: Flask, database: Database, clock: Callable[[], datetime]) -> Lesson:
    """A closed visit of a pair, with lines of all three columns."""
    room = open_room(app, database, clock, "collegial")
    found = lesson(room, app, clock, "scripting")
    keep(found, [{"text": SEEN}, {"text": "Seat 4: because it floats"}], question=ASKED, mine=MINE)
    return found


def keep(found: Lesson, lines: list[dict[str, Any]], **notes: str) -> None:
    """Entries of one phone, and the visit closed."""
    entries = [Entry("phone", i, 60_000 * i, **says(found.instrument, **each)) for i, each in enumerate(lines, 1)]
    for column, text in notes.items():
        entries.append(Entry("phone", len(entries) + 1, 300_000, column, text=text))
    with found.room.database.write() as session:
        row = session.scalars(select(Observation).where(Observation.id == found.id)).one()
        keys = found.keyring.opened(session, found.id, found.clock())
        for each in entries:
            sealed = keys.seal(row.person_id, json.dumps(each.to_json()), f"entries/{found.id}/phone/{each.number}")
            session.add(
                EntryRow(
                    observation_id=found.id, device="phone", number=each.number, sealed=sealed,
                    is_mine=each.column == "mine",
                )
            )  # fmt: skip
        row.closed_at, row.minutes = found.clock(), 40


def has(desk: Desk, path: str = "visit-picture") -> set[str]:
    """Which of the three lines a page shows."""
    page = desk.get(path)
    assert desk.status == 200, desk.status
    return {each for each in (SEEN, ASKED, MINE) if each in page}


def show(found: Lesson) -> None:
    found.room.host.post("visit-picture", visit=found.id)
    assert found.room.host.status == 303


def test_the_coach_sees_it_first_then_the_host_decides_and_the_rest_waits_or_never_comes(visit: Lesson) -> None:
    host, coach = visit.room.host, visit.room.coach
    assert has(coach) == {SEEN, ASKED, MINE} and "copy what you want to keep for longer" in coach.page
    assert has(host) == has(host, "visit") == has(host, "after") == has(host, "after/talk") == set()
    assert "Let us look at it together" in host.page or "Let us look at it together" in host.get("visit-picture")
    coach.post("visit-picture", visit=visit.id)
    assert coach.status == 403
    assert has(host) == set()
    before = revision(visit)
    show(visit)
    assert revision(visit) == before + 1, "open pages are told"
    show(visit)
    assert revision(visit) == before + 1
    assert has(host) == {SEEN}
    with visit.room.database.write() as session:
        session.add(mark_first_turn(visit))
    assert has(host) == {SEEN, ASKED}
    assert ASKED in has(host, "after"), "where they talk about it"
    assert 'data-text-shown="notes_' not in host.page, "no notes that stay empty beside it"
    assert has(coach) == {SEEN, ASKED, MINE}
    for path in ("after", "after/talk", "visit", "after/sheet"):
        assert MINE not in host.get(path)
    stranger = visit.room.desk_of(visit.room.course.teachers[2])
    for path in ("visit-picture", "visit-card"):
        stranger.get(path)
        assert stranger.status == 404
    stranger.post("visit-picture", visit=visit.id)
    assert stranger.status == 404


def test_above_the_picture_stands_what_they_looked_for(visit: Lesson) -> None:
    host, coach = visit.room.host, visit.room.coach
    fill_card(visit.room)
    host.post("texts/focus", text="Who gives reasons when I wait?")
    page = coach.get("visit-picture")
    above = page[: page.index(SEEN)]
    for text in ("Who gives reasons when I wait?", "What card_seat says.", "What card_not_recorded says."):
        assert text in above
    assert "What card_time says." not in page and "Criteria" not in above, "what nobody wrote is left out"
    # Before there is a picture to see, there is nothing above it.
    assert "Who gives reasons" not in host.get("visit-picture")


def test_where_they_only_look_by_now_nothing_of_it_is_there(visit: Lesson) -> None:
    room, coach = visit.room, visit.room.coach
    with room.database.write() as session:
        session.execute(update(CycleMember).where(CycleMember.role == "host").values(step="look"))
    assert "Open the picture" not in room.host.get("visit")
    for desk in (room.host, coach):
        desk.get("visit-picture")
        assert desk.status == 404
    room.host.post("visit-picture", visit=visit.id)
    assert room.host.status == 404
    with room.database.write() as session:
        session.execute(update(CycleMember).values(step="full"))
    assert has(coach) == {SEEN, ASKED, MINE}, "nothing is lost"


def revision(found: Lesson) -> int:
    with found.room.database.read() as session:
        return session.scalars(select(Cycle.revision)).one()


def mark_first_turn(found: Lesson) -> Any:
    return StageMark(
        cycle_id=found.room.cycle_id, stage="after.first_turn", membership_id=found.room.course.teachers[0],
        at=found.clock(),
    )  # fmt: skip


def test_a_next_step_rests_on_a_row_of_the_picture_and_keeps_no_copy_of_it(visit: Lesson, keyring_gone: Any) -> None:
    host, coach = visit.room.host, visit.room.coach
    host.get("after")
    host.press("after/save", text__next_steps="Wait longer.")
    assert "of the picture" not in coach.get("after"), "not while only the coach sees it"
    show(visit)
    host.get("after")
    name = re.search(r'<option value="([^"]+)">[^<]*Who can say why', host.page)
    step = re.search(r'name="step-next_steps" id="[^"]*" value="([^"]+)"', host.page)
    assert name and step
    host.post("texts/next_steps/rests", step__next_steps=step.group(1), entry__next_steps="0" * 16)
    assert host.status == 409
    for _twice in range(2):
        host.post("texts/next_steps/rests", step__next_steps=step.group(1), entry__next_steps=name.group(1))
        assert host.status == 303
    for desk in (host, coach):
        page = desk.get("after")
        assert re.search(r"“Wait longer.” rests on “[^”]*Who can say why", page)
        assert page.count("rests on “") == 1
    with visit.room.database.read() as session:
        rest = session.scalars(select(Rest)).one()
        assert rest.data == f"visit:{visit.id}"
        opened = visit.keyring.opened(session, visit.room.cycle_id, visit.clock()).open(
            rest.author_id, rest.sealed, f"rests/{rest.id}"
        )
        assert SEEN not in opened
    keyring_gone()
    page = host.get("after")
    assert "it is deleted by now" in page and SEEN not in page
    page = host.get("visit-picture")
    assert "There is nothing to see here any more" in page and has(host) == has(coach) == set()


@pytest.fixture
def keyring_gone(visit: Lesson) -> Callable[[], None]:
    """Ends the time of the raw notes."""

    def end() -> None:
        with visit.room.database.write() as session:
            session.execute(update(Cycle).values(notes_due_at=visit.clock()))
        delete_due_notes(visit.room.database, visit.keyring, visit.clock)

    return end


def test_the_card_is_plain_and_says_what_is_not_settled(app: Flask, database: Database, clock: Any) -> None:
    room = open_room(app, database, clock, "collegial")
    assert room.coach.get("visit-card").count("Not settled yet") == 6
    assert "6 lines are not settled yet" in room.coach.get("visit")
    fill_card(room)
    page = room.coach.get("visit-card")
    assert page.count("Not settled yet") == 0 and page.count('<dd class="words">What card_') == 6
    assert "while a line of this card is empty" not in page
    assert "Seen by you and" in page
    stranger = room.desk_of(room.course.trainer)
    stranger.get("visit-card")
    assert stranger.status == 404


@pytest.mark.parametrize(("step", "offers", "button"), [("look", False, ""), ("data", True, "Open the picture")])
def test_the_first_steps_of_the_ladder(
    app: Flask, database: Database, clock: Any, step: str, offers: bool, button: str
) -> None:
    room = open_room(app, database, clock, "collegial")
    with database.write() as session:
        session.execute(update(CycleMember).values(step=step))
    for desk in (room.host, room.coach):
        page = desk.get("visit")
        assert "The card for the visit" in page
        assert ("What you look with" in page) == ("The picture" in page) == offers
        assert ("What I take to my own class" in page) == (offers and desk is room.coach)
    if offers:
        found = lesson(room, app, clock, "scripting")
        keep(found, [{"text": SEEN}], mine=MINE)
        assert button in room.host.get("visit-picture") and "no talk about it is owed" in room.host.page
        show(found)
        assert has(room.host) == {SEEN}
    else:
        room.host.get("visit-picture")
        assert room.host.status == 404


def test_what_the_coach_takes_along_is_theirs_alone_and_comes_back_beside_their_reflection(visit: Lesson) -> None:
    host, coach = visit.room.host, visit.room.coach
    coach.get("visit")
    assert coach.save_json("own_class", "Count to five") and coach.status == 200
    host.save_json("own_class", "no")
    assert host.status == 404
    assert "Count to five" in coach.get("reflect") and MINE in coach.page
    assert "Count to five" in coach.get("visit")
    show(visit)
    for path in ("visit", "after", "after/talk", "after/sheet", "reflect", "visit-picture", "texts?revision=-1"):
        page = host.get(path)
        assert host.status == 200 and "Count to five" not in page and MINE not in page, path


def test_openings_are_told_to_the_coach_alone(visit: Lesson) -> None:
    host, coach = visit.room.host, visit.room.coach
    has(coach), has(host)
    looked = "what you noted live in a visit"
    assert looked not in coach.client.get(f"{coach.at}/looked").get_data(as_text=True)
    show(visit)
    has(host)
    assert looked in coach.client.get(f"{coach.at}/looked").get_data(as_text=True)


def test_no_page_needs_more_than_twelve_statements_however_much_was_captured(visit: Lesson) -> None:
    host, coach = visit.room.host, visit.room.coach
    show(visit)
    with visit.room.database.write() as session:
        session.add(mark_first_turn(visit))
    for desk in (host, coach):
        for path in ("visit-picture", "visit-card", "visit", "after", "after/talk", "after/sheet", "reflect"):
            desk.get(path)
            with recorded(visit.room.database) as statements:
                desk.get(path)
            assert desk.status == 200
            assert len(statements) <= 12, (path, len(statements), [each for each, _count in statements])


def test_what_the_tab_sent_is_there_as_soon_as_it_is_closed(app: Flask, database: Database, clock: Any) -> None:
    room = open_room(app, database, clock, "collegial")
    found = lesson(room, app, clock, "scripting")
    tab = found.tab()
    mine = {"number": 2, "at_ms": 9_000, "column": "mine", "text": MINE}
    slip = mine | {"number": 3, "text": "A slip"}
    assert tab.send(found.entry(1, text=SEEN), mine, slip, {"number": 4, "at_ms": 9_500, "undoes": 3})["have"] == 4
    assert "You have not closed this visit yet." in room.coach.get("visit-picture") and not has(room.coach)
    room.host.post("visit-picture", visit=found.id)
    assert room.host.status == 403
    before = revision(found)
    tab.close(40)
    assert tab.status == 200 and revision(found) > before, "open pages follow"
    assert has(room.coach) == {SEEN, MINE} and has(room.host) == set()
    show(found)
    assert has(room.host) == {SEEN}
    assert MINE in room.coach.get("reflect") and "A slip" not in room.coach.page + room.coach.get("visit-picture")
