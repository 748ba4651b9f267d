"""The teacher sees who looked: what a partner opens is a line in the owner's log, and nobody can change it unseen."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from browsers import recorded
from cycles.pair_at_work import Desk, Room, open_room
from flask import Flask
from privacy import test_sweep as sweep
from sqlalchemy import delete, func, insert, select, update

from lti_tool.people.models import Membership, Person, SignIn
from lti_tool.privacy.keyring import Keyring, ScopeKeys
from lti_tool.privacy.looks import chain, service
from lti_tool.privacy.looks.models import Look, LookChain
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

WHOLE = "This list is whole"
NOT_WHOLE = "This list is not whole"


@pytest.fixture
def room(app: Flask, database: Database, clock: Any) -> Room:
    made = open_room(app, database, clock, "collegial")
    made.host.get("start")
    made.host.press("agreements/together", text__norms="We talk on Fridays.", text__hopes="A quiet eye.")
    return made


def looked(desk: Desk, query: str = "") -> str:
    """The owner's page."""
    return desk._took(desk.client.get(f"{desk.at}/looked{query}"))


def lines(page: str) -> list[str]:
    """What its lines say."""
    return re.findall(r"<li>(.* opened .*)</li>", page)


def keyring_of(app: Flask) -> Keyring:
    found: Keyring = app.extensions["meitheal"].keyring
    return found


def person(room: Room, index: int) -> str:
    with room.database.read() as session:
        found = session.scalars(select(Membership.person_id).where(Membership.id == room.course.teachers[index])).one()
    return str(found)


def test_a_partner_who_opens_is_one_line_in_that_hour(room: Room, clock: Any) -> None:
    assert "Nobody has looked" in looked(room.host)
    clock.now = clock.now.replace(minute=5)
    room.coach.get("start")
    clock.advance(600)
    room.coach.get("start")
    room.coach.get("texts/norms/history")
    room.coach.get("texts?revision=0")
    page = looked(room.host)
    assert lines(page) == [lines(page)[0]]
    assert "Seán Ó Dónaill opened getting started together" in lines(page)[0]
    assert "Coaching cycle 1, cycle 1" in page and WHOLE in page and "Seen by you only." in page
    assert "quiet eye" not in page and "Fridays" not in page


def test_another_hour_is_another_line_and_the_newest_stands_first(room: Room, clock: Any) -> None:
    clock.now = clock.now.replace(minute=5)
    room.coach.get("start")
    clock.advance(3600)
    room.coach.get("texts/norms/history")
    page = looked(room.host)
    assert [("earlier versions" in line, "getting started" in line) for line in lines(page)] == [
        (True, False),
        (False, True),
    ]
    assert WHOLE in page


@pytest.mark.parametrize("path", ["start", "reflect", "texts/norms/history", "texts?revision=0"])
def test_every_way_to_open_is_a_line(room: Room, path: str) -> None:
    if path == "reflect":
        room.host.get("before")
        room.host.press("before/save", text__goal="Pupils ask each other.")
    room.coach.get(path)
    assert room.coach.status == 200
    assert len(lines(looked(room.host))) == 1


def test_the_place_of_a_meeting_is_a_line_too(room: Room, clock: Any) -> None:
    room.coach.get("before")
    assert lines(looked(room.host)) == []
    room.host.get("before")
    starts = clock.now.replace(hour=12).strftime("%Y-%m-%dT%H:%M")
    starts = starts.replace(starts[:4], str(int(starts[:4]) + 1))
    room.host.press("before/meetings/before", before__starts=starts, before__minutes="20", before__place="Room 4")
    assert "Room 4" in room.coach.get("before")
    assert len(lines(looked(room.host))) == 1


def test_what_a_save_answers_with_is_a_line_too(room: Room) -> None:
    room.coach.save_json("norms", "We talk on Mondays.")
    assert room.coach.status == 200
    assert len(lines(looked(room.host))) == 1


def test_a_page_that_shows_nothing_of_the_other_is_none(room: Room) -> None:
    room.coach.get("after")
    room.coach.get("end")
    room.coach.home()
    assert lines(looked(room.host)) == []


def test_ones_own_openings_and_those_of_people_above_are_none(room: Room) -> None:
    for path in ("start", "before", "reflect", "texts/norms/history", "texts?revision=0"):
        room.host.get(path)
    for who in (room.course.trainer, room.course.leader, room.course.administrator, room.course.guest):
        desk = room.desk_of(who)
        desk.home()
        for path in ("start", "texts/norms/history", "texts?revision=0"):
            desk.get(path)
            assert desk.status == 404
        assert "Nobody has looked" in looked(desk)
    assert "Nobody has looked" in looked(room.host)
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Look)) == 0


def test_the_log_is_the_owners_alone(room: Room) -> None:
    room.coach.get("start")
    assert lines(looked(room.coach)) == []
    assert len(lines(looked(room.host))) == 1


def test_the_page_is_linked_from_the_page_about_oneself(room: Room) -> None:
    page = room.host.client.get(f"{room.host.at}/you").get_data(as_text=True)
    assert f'href="{room.host.at}/looked"' in page


@pytest.mark.parametrize("query", ["?page=x", "?page=-1", "?page=0", "?page=" + "9" * 40, "?page=%00", "?page=7"])
def test_odd_page_numbers_are_pages(room: Room, query: str) -> None:
    room.coach.get("start")
    looked(room.host, query)
    assert room.host.status == 200


def test_what_the_operator_takes_out_is_a_line_without_a_person(app: Flask, room: Room, clock: Any) -> None:
    for _twice in range(2):
        service._known.clear()
        service.record(
            room.database,
            keyring_of(app),
            viewer=service.OPERATOR,
            owners=[person(room, 0)],
            cycle_id=None,
            what=service.EXPORTED,
            now=clock.now,
        )
    page = looked(room.host)
    assert [line.partition(",")[0] for line in lines(page)] == ["Whoever runs the server opened everything"]
    assert "In no cycle" in page and WHOLE in page


# Nothing is shown that was not recorded


def test_what_cannot_be_recorded_is_not_shown(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise OSError("no room on the disk")

    monkeypatch.setattr(service, "note", fail)
    page = room.coach.get("start")
    assert room.coach.status == 500 and "Fridays" not in page


def test_everything_that_is_opened_for_another_is_recorded(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over all routes: whatever a request opens of somebody else is in that person's log after it."""
    opened: set[tuple[str, str]] = set()
    plain_open = ScopeKeys.open

    def note_open(keys: ScopeKeys, author_id: str, sealed: bytes, place: str) -> str:
        text = plain_open(keys, author_id, sealed, place)
        if text.strip():
            opened.add((keys._scope_id, author_id))
        return text

    world = sweep.build(database, clock.now, late=True, quick=True)
    monkeypatch.setattr(ScopeKeys, "open", note_open)
    openings = 0
    for role in ("host", "coach", "asker", "trainer"):
        browser, prefix = world.doors[role]
        with database.read() as session:
            viewer = session.scalars(
                select(Membership.person_id).join(SignIn).where(SignIn.id == prefix.removeprefix("/at/"))
            ).one()
        for rule in sweep.routes(world, "GET"):
            for path in sweep.paths(world, rule, world.cycle_id):
                with database.write() as session:
                    session.execute(delete(Look))
                service._known.clear()
                opened.clear()
                browser.get(f"{prefix}/{path}")
                others = {author for _scope, author in opened} - {viewer}
                with database.read() as session:
                    told = set(session.scalars(select(Look.owner_id).where(Look.viewer_id == viewer)))
                assert told == others, f"{role}: GET {path}"
                openings += len(others)
    assert openings


# Tampering

TAMPERED: dict[str, Callable[[Any], Any]] = {
    "a line taken out": lambda mine: delete(Look).where(mine, Look.number == 2),
    "the end cut off": lambda mine: delete(Look).where(mine, Look.number == 3),
    "another kind of page": lambda mine: update(Look).where(mine, Look.number == 2).values(what="visit"),
    "another viewer": lambda mine: (
        update(Look)
        .where(mine, Look.number == 2)
        .values(viewer_id=select(Person.id).where(Person.id != Look.viewer_id).limit(1).scalar_subquery())
    ),
    "a mark made up": lambda mine: update(Look).where(mine, Look.number == 3).values(mark="0" * 64),
    "the head made up": lambda mine: update(LookChain).values(length=2),
    "the head taken out": lambda mine: delete(LookChain),
    "all lines taken out": lambda mine: delete(Look).where(mine),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_said_and_stays_said(app: Flask, room: Room, clock: Any, what: str) -> None:
    for _hour in range(3):
        room.coach.get("start")
        clock.advance(3600)
    assert WHOLE in looked(room.host)
    with room.database.write() as session:
        session.execute(TAMPERED[what](Look.owner_id == person(room, 0)))
    assert NOT_WHOLE in looked(room.host), what
    # Neither does what is recorded later heal it, nor is it kept from being recorded.
    room.coach.get("start")
    page = looked(room.host)
    assert NOT_WHOLE in page and lines(page), what


def test_a_list_that_vanished_with_its_head_is_missed(room: Room) -> None:
    room.coach.get("start")
    with room.database.write() as session:
        session.execute(delete(Look))
        session.execute(delete(LookChain))
    assert NOT_WHOLE in looked(room.host)


def test_a_shredded_key_cannot_vouch_for_what_is_there(app: Flask, room: Room, clock: Any) -> None:
    room.coach.get("start")
    keyring_of(app).shred_author(person(room, 0), clock.now)
    assert NOT_WHOLE in looked(room.host)


# Erasing


def test_after_erasing_the_viewer_the_line_stays_without_a_name(room: Room) -> None:
    room.coach.get("start")
    with room.database.write() as session:
        service.forget_viewer(session, person(room, 1))
    page = looked(room.host)
    assert "Somebody whose name was erased opened" in lines(page)[0]
    assert "Seán" not in page and WHOLE in page
    with room.database.write() as session:
        session.execute(delete(Person).where(Person.id == person(room, 1)))
    assert WHOLE in looked(room.host)


def test_an_owner_who_is_erased_leaves_nothing(room: Room) -> None:
    room.coach.get("start")
    with room.database.write() as session:
        service.delete_owner(session, person(room, 0))
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Look)) == 0
        assert session.scalar(select(func.count()).select_from(LookChain)) == 0


# Cost


def test_what_is_recorded_already_costs_no_statement(room: Room) -> None:
    paths = ("start", "reflect", "texts/norms/history", "texts?revision=0")
    room.coach.get("start")
    for path in paths:
        with recorded(room.database) as statements:
            room.coach.get(path)
        assert not [statement for statement, _count in statements if "look" in statement], path


def test_the_first_opening_stays_within_the_budget_of_a_page(room: Room, clock: Any) -> None:
    room.host.get("before")
    room.host.press("before/save", text__goal="Pupils ask each other.")
    # The page that costs most without it is that of the reflection.
    for path in ("start", "before", "reflect", "texts?revision=0", "texts/norms/history"):
        with recorded(room.database) as statements:
            room.coach.get(path)
        assert "INTO looks" in str(statements) and len(statements) <= 12, (path, statements)
        clock.advance(3600)


def test_thousands_of_lines_are_read_in_pages_within_the_budget(app: Flask, room: Room, clock: Any) -> None:
    owner, viewer = person(room, 0), person(room, 1)
    with room.database.write() as session:
        keys = keyring_of(app).opened(session, owner, clock.now)
        keys.ensure(owner)
        key = keys.derive(owner, service._PURPOSE)
        mark, rows = chain.START, []
        for number in range(1, 3001):
            clock.advance(3600)
            scope = new_id() if number % 10 == 0 else room.cycle_id
            line = chain.Line(number, chain.viewer_mark(key, viewer), scope, "start", chain.hour_of(clock.now))
            mark = chain.line_mark(key, mark, line)
            rows.append(
                {
                    "owner_id": owner,
                    "number": number,
                    "viewer_id": viewer,
                    "viewer_mark": line.viewer_mark,
                    "cycle_id": scope,
                    "what": "start",
                    "hour": line.hour,
                    "mark": mark,
                }
            )
        session.execute(insert(Look), rows)
        head = chain.new_head(key, 3000, mark)
        session.add(LookChain(owner_id=owner, length=head.length, last_mark=head.last_mark, seal=head.seal))
    clock.advance(-3600 * 3000)
    with recorded(room.database) as statements:
        page = looked(room.host)
    assert len(statements) <= 12, statements
    assert len(lines(page)) == 50 and WHOLE in page and "?page=2" in page
    assert "?page=59" in looked(room.host, "?page=60") and len(lines(looked(room.host, "?page=60"))) == 50


# At the same moment


def test_openings_at_the_same_moment_make_one_whole_chain(app: Flask, room: Room, clock: Any) -> None:
    owner = person(room, 0)
    viewers = [person(room, index) for index in (1, 2, 3)]
    gate, wrong = threading.Barrier(6), []

    def look(viewer: str) -> None:
        gate.wait()
        try:
            with room.database.write() as session:
                service.note(
                    session,
                    keyring_of(app),
                    viewer=viewer,
                    owners=[owner, viewer],
                    cycle_id=room.cycle_id,
                    what="before",
                    now=clock.now,
                )
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=look, args=(viewer,)) for viewer in viewers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    page = looked(room.host)
    assert len(lines(page)) == 3 and WHOLE in page


def test_no_words_are_in_the_tables(room: Room) -> None:
    room.coach.get("start")
    with room.database.read() as session:
        found = repr(session.execute(select(*Look.__table__.columns)).all())
    assert "Fridays" not in found and "Seán" not in found and "start" in found
