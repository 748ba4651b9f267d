"""What was captured lives as long as the host set, is its coach's to take and to delete, and then goes with its key."""

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from cycles.pair_at_work import Room
from observation.made import made
from observation.observed import Lesson, approved, members
from observation.test_capture import kept
from sqlalchemy import func, select, text, update

from lti_tool.cycles.models import Cycle
from lti_tool.observation import capture, grants, keeping, receiving
from lti_tool.observation.entries import Entry
from lti_tool.observation.models import CycleInstrument, InstrumentApproval, InstrumentState, Observation
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.ownership import erasure, retention
from lti_tool.privacy.models import ContentKey, ShreddedKey
from lti_tool.store.database import Database

NOTES = {"seen": "", "question": "canary-question", "mine": "canary-mine"}


@pytest.fixture
def noted(lesson: Lesson) -> Lesson:
    """A lesson in which an entry was tapped, a question noted, and something for the coach's own class."""
    tab = lesson.tab()
    notes = [{"number": n, "at_ms": n, "column": c, "text": t} for n, (c, t) in enumerate(NOTES.items(), 1) if t]
    assert tab.send(lesson.entry(1), *notes)["have"] == 3
    return lesson


def keys(lesson: Lesson) -> int:
    with lesson.keyring.database.read() as session:
        return int(session.scalar(select(func.count()).where(ContentKey.scope_id == lesson.id)) or 0)


def rows(lesson: Lesson) -> int:
    with lesson.room.database.read() as session:
        return int(session.scalar(select(func.count()).select_from(EntryRow)) or 0)


def run(lesson: Lesson) -> None:
    retention.delete_due_notes(lesson.room.database, lesson.keyring, lesson.clock)


def test_raw_entries_live_as_long_as_the_host_set_and_are_shredded_then(noted: Lesson, clock: Any) -> None:
    tab = noted.tab()
    with noted.room.database.write() as session:
        session.execute(update(Cycle).values(notes_due_at=clock() + timedelta(days=7)))
    run(noted)
    assert (rows(noted), keys(noted)) == (3, 1)
    with noted.room.database.read() as session:
        copy = session.scalars(select(EntryRow.sealed)).all()
    clock.advance(7 * 86400)
    again = noted.tab("tablet")
    run(noted)
    assert (rows(noted), keys(noted)) == (0, 0) and copy
    with noted.keyring.database.read() as session:
        assert session.scalars(select(ShreddedKey.scope_id)).all() == [noted.id]
    for each in (tab, again):
        assert each.send(noted.entry(4))["gone"] == "deleted" and each.status == 410
        assert each.data()["gone"] == "deleted"
    assert keys(noted) == 0 and kept(noted) == []
    desk = noted.room.desk_of(members(noted.room.database, noted.room.cycle_id)["coach"][0])
    desk.post("visit-capture", instrument=noted.instrument_id)
    assert desk.status == 409
    # A second time there is nothing to do.
    run(noted)


def test_an_entry_that_comes_with_the_deletion_makes_no_key_again(noted: Lesson) -> None:
    """The letter was let in before, and waits for the lock while the deletion goes on."""
    with noted.room.database.read() as session:
        secret = session.scalars(select(Observation.person_id)).one()
        granted = grants._granted(session, grants._row(session, noted.id), noted.clock())
    with noted.room.database.write() as session:
        keeping.delete_of(session, noted.keyring, noted.room.cycle_id, secret, noted.clock())
    with noted.room.database.write() as session, pytest.raises(grants.Gone):
        receiving.receive(session, noted.keyring, granted, "phone", [noted.entry(9)], noted.clock())
    assert (rows(noted), keys(noted)) == (0, 0)


def test_a_visit_closed_while_its_notes_are_deleted_at_the_same_moment_waits(
    noted: Lesson, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes holds nothing yet that the deletion, which has the cycle, goes on to."""
    tab, deletes = noted.tab(), keeping.delete_notes
    closing = threading.Thread(target=tab.close)
    with noted.room.database.write() as session:
        session.execute(update(Cycle).values(notes_due_at=clock()))

    def meanwhile(*arguments: Any) -> int:
        closing.start()
        wait_until_somebody_waits(noted.room.database)
        return deletes(*arguments)

    monkeypatch.setattr(keeping, "delete_notes", meanwhile)
    run(noted)
    closing.join()
    assert (rows(noted), keys(noted)) == (0, 0)
    assert tab.status == 410 and tab.answers[-1].get_json()["gone"] == "deleted"


def wait_until_somebody_waits(database: Database) -> None:
    """Until a transaction waits for the lock of another one; SQLite lets only one write, and nobody can be seen."""
    here = "datname = current_database() AND wait_event_type = 'Lock'"
    waiting = text(f"SELECT count(*) FROM pg_stat_activity WHERE {here}")
    end = time.monotonic() + 5
    while database.engine.dialect.name == "postgresql" and time.monotonic() < end:
        with database.engine.connect() as connection:
            if connection.scalar(waiting):
                return


# What is one's own


def taken(room: Room, desk: Any, kind: str = "json") -> str:
    answer = desk.client.get(f"{desk.at}/mine/mine.{kind}")
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_the_coach_takes_all_of_it_and_the_host_what_is_shown(noted: Lesson, clock: Any) -> None:
    room = noted.room
    assert "3 entries that you captured" in room.coach.client.get(f"{room.coach.at}/mine").text
    for kind in ("json", "html"):
        mine, theirs = taken(room, room.coach, kind), taken(room, room.host, kind)
        assert "canary-question" in mine and "canary-mine" in mine and noted.instrument.codes[0].text in mine
        assert "canary" not in theirs
    assert json.loads(taken(room, room.host))["cycles"][0]["visits"] == []
    with room.database.write() as session:
        session.execute(update(Observation).values(closed_at=clock(), shown_at=clock()))
    clock.advance(3600)
    (visit,) = json.loads(taken(room, room.host))["cycles"][0]["visits"]
    assert [each["column"] for each in visit["entries"]] == ["seen"] and visit["by"] == "Seán"
    assert "canary" not in taken(room, room.host, "html")
    assert "to take it away" in room.coach.client.get(f"{room.coach.at}/looked").text


def test_what_is_taken_away_of_pupils_voices_has_no_times() -> None:
    entry = Entry("phone", 1, 61_000, text="I like to work with others.")
    assert "at" not in keeping._plain(entry, made("student_voice"))
    assert keeping._plain(entry, made("scripting"))["at"] == "1:01"


def test_the_coach_deletes_it_and_with_it_its_key(noted: Lesson) -> None:
    room, where = noted.room, f"mine/cycles/{noted.room.cycle_id}"
    assert "3 entries" in room.coach.client.get(f"{room.coach.at}/{where}").text
    assert "captured in the visit" not in room.host.client.get(f"{room.host.at}/{where}").text
    for desk, status, left in ((room.host, 400, 3), (room.coach, 303, 0)):
        form = {"csrf_token": desk.token(), "what": ["captured"], "sure": "1"}
        assert desk.client.post(f"{desk.at}/{where}", data=form).status_code == status
        assert rows(noted) == left
    assert keys(noted) == 0
    assert "captured in the visit" not in room.coach.client.get(f"{room.coach.at}/{where}").text


def test_an_instrument_goes_with_its_author_only_while_it_is_theirs_alone(noted: Lesson, clock: Any) -> None:
    room, where = noted.room, f"mine/cycles/{noted.room.cycle_id}"
    draft = approved(room.database, noted.keyring, room.cycle_id, noted.instrument, clock(), frozen=False)
    joint = approved(room.database, noted.keyring, room.cycle_id, noted.instrument, clock(), frozen=False)
    with room.database.write() as session:
        coach = members(room.database, room.cycle_id)["coach"][0]
        session.add(InstrumentApproval(instrument_id=joint, membership_id=coach, revision=1))
    form = {"csrf_token": room.host.token(), "what": ["built"], "sure": "1"}
    assert room.host.client.post(f"{room.host.at}/{where}", data=form).status_code == 303
    with room.database.read() as session:
        left = set(session.scalars(select(CycleInstrument.id)))
    assert left == {noted.instrument_id, joint} and draft not in left
    # The key of the cycle stays, though nothing else of the host is in it: what was captured can still be read.
    assert noted.tab().send(noted.entry(4))["have"] == 4


def test_when_the_coach_is_erased_nothing_that_they_captured_is_left(noted: Lesson, clock: Any) -> None:
    room = noted.room
    tab, person = noted.tab(), members(room.database, room.cycle_id)["coach"][1]
    with room.database.write() as session:
        erasure.erase(session, noted.keyring, person, clock())
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Observation)) == 0
    assert (rows(noted), keys(noted)) == (0, 0)
    tab.send(noted.entry(4))
    assert tab.status == 404


def test_when_the_host_is_erased_the_coach_keeps_what_both_approved(noted: Lesson, clock: Any) -> None:
    room = noted.room
    people = members(room.database, room.cycle_id)
    with room.database.write() as session:
        session.add(InstrumentApproval(instrument_id=noted.instrument_id, membership_id=people["coach"][0], revision=1))
    with room.database.write() as session:
        erasure.erase(session, noted.keyring, people["host"][1], clock())
    with room.database.read() as session:
        assert session.scalars(select(InstrumentState.author_id)).all() == [people["coach"][1]]
        keys_of_cycle = noted.keyring.opened(session, room.cycle_id, clock())
        assert capture.instrument_of(session, keys_of_cycle, noted.instrument_id) == noted.instrument
    assert len(kept(noted)) == 3
