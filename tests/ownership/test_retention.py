"""Raw notes of a visit live as long as the host says, and not longer (R66)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from cycles.pair_at_work import Room, make_cycle
from factories import make_course, make_settings
from ownership.conftest import cycle_row, pass_on_to
from sqlalchemy import event, func, insert, select, update

from lti_tool.cycles import service
from lti_tool.cycles.models import Cycle, CycleText
from lti_tool.ownership import retention
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.keyring import Keyring
from lti_tool.store.database import Database


def talk(room: Room, now: datetime) -> None:
    """The conversation after is held."""
    pass_on_to(room, "before", "visit", "after.first_turn", now=now)
    with room.database.write() as session:
        # The rest of the day's work, by the buttons, is in tests/cycles; here only its end counts.
        cycle = service.load(session, room.cycle_id, _person(session, room), lock=True)
        assert cycle is not None
        stage = cycle.stage("after")
        assert stage is not None
        service.mark(session, cycle, stage.key, [cycle.me.membership_id], now)


def keyring_of(database: Database) -> Keyring:
    return Keyring.of(make_settings(), database)


def _person(session: Any, room: Room) -> str:
    return str(session.scalar(select(Membership.person_id).where(Membership.id == room.course.teachers[0])))


def notes(room: Room) -> int:
    with room.database.read() as session:
        return int(
            session.scalar(select(func.count()).select_from(CycleText).where(CycleText.field.startswith("notes_"))) or 0
        )


def test_notes_live_thirty_days_after_the_conversation_and_are_gone_for_both(room: Room, clock: Any) -> None:
    assert "deleted 30 days after the conversation after" in room.coach.get("visit")
    talk(room, clock())
    assert cycle_row(room).notes_due_at == clock() + timedelta(days=30)
    clock.advance(30 * 86400 - 60)
    retention.delete_due_notes(room.database, keyring_of(room.database), clock)
    assert notes(room) == 2
    clock.advance(120)
    retention.delete_due_notes(room.database, keyring_of(room.database), clock)
    assert notes(room) == 0
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(CycleText).where(CycleText.field == "goal")) == 1
    assert cycle_row(room).notes_deleted_at is not None and cycle_row(room).notes_due_at is None


def test_a_page_that_was_open_cannot_bring_notes_back(room: Room, clock: Any) -> None:
    held = room.coach.save_json("notes_seen", "coach-seen again", editor="tab", seq=1)["base"]
    talk(room, clock() - timedelta(days=31))
    retention.delete_due_notes(room.database, keyring_of(room.database), clock)
    for base in (held, []):
        room.coach.save_json("notes_seen", "coach-seen late", base=base, editor="tab", seq=2)
        assert room.coach.status == 409
    assert notes(room) == 0
    for desk in (room.host, room.coach):
        shown = desk.get("visit")
        assert "coach’s notes were deleted" in shown and "coach-seen" not in shown


def test_the_host_says_how_long_and_both_are_told(room: Room, clock: Any) -> None:
    where = f"{room.host.at}/cycles/{room.cycle_id}/notes-kept"

    def say(**form: str) -> int:
        return room.host.client.post(where, data={"csrf_token": room.host.token(), **form}).status_code

    assert "Say how long" in room.host.get("visit") and "Say how long" not in room.coach.get("visit")
    assert room.coach.client.get(f"{room.coach.at}/cycles/{room.cycle_id}/notes-kept").status_code == 404
    assert room.host.client.get(where).status_code == 200
    for days in ("6", "366", "", "9999999", "ten", "-7", "\0", "٧"):
        assert say(how="days", days=days) == 400, days
    assert say(how="always") == 400
    assert say(how="days", days="90") == 303
    assert "deleted 90 days after" in room.coach.get("visit")
    assert say(how="cycle", days="90") == 303
    assert "as long as the cycle" in room.coach.get("visit")
    talk(room, clock())
    assert cycle_row(room).notes_due_at is None
    assert say(how="days", days="7") == 303
    assert cycle_row(room).notes_due_at == clock() + timedelta(days=7)


def test_a_cycle_that_stops_before_the_talk_counts_from_then(room: Room, clock: Any) -> None:
    with room.database.write() as session:
        pairing.end_pair(session, cycle_row(room).pair_id, clock())
    assert cycle_row(room).notes_due_at == clock() + timedelta(days=30)


def test_a_batch_takes_the_same_statements_for_few_and_for_many(database: Database, clock: Any) -> None:
    course = make_course(database, teachers=24, protocol="collegial", now=clock())
    for index in range(0, 24, 2):
        make_cycle(database, course, clock(), host=index, coach=index + 1)

    with database.read() as session:
        author = session.scalar(select(Person.id).limit(1))

    def statements(number: int) -> int:
        found: list[str] = []
        with database.write() as session:
            ids = list(session.scalars(select(Cycle.id).where(Cycle.notes_deleted_at.is_(None)).limit(number)))
            session.execute(update(Cycle).where(Cycle.id.in_(ids)).values(notes_due_at=clock()))
            session.execute(
                insert(CycleText),
                [
                    {
                        "cycle_id": cycle_id, "field": "notes_seen", "author_id": author, "sealed": b"x",
                        "is_blank": False, "saved_at": clock(),
                    }
                    for cycle_id in ids
                ],
            )  # fmt: skip

        def note(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
            found.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        with database.write() as session:
            assert service.delete_due_notes(session, clock()) == number
        event.remove(database.engine, "before_cursor_execute", note)
        return len(found)

    statements(1)  # the protocol is read once in a process
    assert statements(2) == statements(9) <= 8


@pytest.mark.parametrize("at_once", [1, 5])
def test_all_batches_are_done(database: Database, clock: Any, at_once: int) -> None:
    course = make_course(database, teachers=10, protocol="collegial", now=clock())
    for index in range(0, 10, 2):
        make_cycle(database, course, clock(), host=index, coach=index + 1)
    with database.write() as session:
        session.execute(update(Cycle).values(notes_due_at=clock() - timedelta(days=1)))
    retention.delete_due_notes(database, keyring_of(database), clock, at_once=at_once)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Cycle).where(Cycle.notes_deleted_at.is_(None))) == 0
