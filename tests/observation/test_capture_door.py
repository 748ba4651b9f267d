"""The way into the tab that captures a visit: its code, its grant, and who reads what came by it."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cycles.pair_at_work import Room
from flask import Flask
from observation.observed import ORIGIN, Lesson, Tab, fill_card, observation
from observation.test_capture import kept, row
from sqlalchemy import event, insert, select, update

from lti_tool.cycles.models import Meeting, StageMark
from lti_tool.observation.models import CycleInstrument, Observation
from lti_tool.observation.models import Entry as EntryRow

# The grant


def test_a_code_opens_once_within_ten_minutes_as_it_is_typed(lesson: Lesson, app: Flask, clock: Any) -> None:
    def use(code: str) -> int:
        return app.test_client().post("/visit", data={"code": code}, headers=ORIGIN).status_code

    code = lesson.code()
    assert use(f" {code[:4].upper()} {code[4:]} ") == 303
    assert use(code) == 400
    earlier, later = lesson.code(), lesson.code()
    assert use(earlier) == 400
    clock.advance(601)
    assert use(later) == 400
    for odd in ("", "\0", "x" * 100_000, "é" * 8, "\ud800"[:0]):
        assert use(odd) == 400
    stored = row(lesson)
    assert code not in repr(vars(stored)) and stored.grant_hash


def test_the_cookie_is_for_this_tab_alone(lesson: Lesson, app: Flask) -> None:
    answer = app.test_client().post("/visit", data={"code": lesson.code()}, headers=ORIGIN)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith(f"__Host-visit-{lesson.id}=") and "Partitioned" not in cookie
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={36 * 3600}"):
        assert part in cookie
    assert answer.location == f"/visit/{lesson.id}"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_grant_opens_nothing_else(lesson: Lesson, app: Flask) -> None:
    tab = lesson.tab()
    other = replace(lesson, id=_second(lesson))
    strange = Tab(app.test_client(), lesson.id)
    for foreign in (Tab(tab.client, other.id), strange, Tab(tab.client, "0" * 16), Tab(tab.client, "%00")):
        for ask in (foreign.data, foreign.close, lambda one=foreign: one.send(lesson.entry(1))):
            ask()
            assert foreign.status == 404, foreign.id
    # The secret of one visit under the name of another.
    mine = tab.client.get_cookie(f"__Host-visit-{lesson.id}", domain="localhost")
    assert mine is not None
    tab.client.set_cookie(f"__Host-visit-{other.id}", mine.value, domain="localhost")
    assert Tab(tab.client, other.id).send(lesson.entry(1))["title"] and row(other).closed_at is None
    assert tab.client.get(f"{lesson.room.coach.at}/").status_code == 401
    assert len(kept(other)) == 0


def _second(lesson: Lesson) -> str:
    return observation(lesson.room.database, lesson.keyring, lesson.room.cycle_id, lesson.instrument_id, lesson.clock())


def test_a_grant_without_a_booking_ends_after_36_hours_and_another_code_goes_on(lesson: Lesson, clock: Any) -> None:
    tab = lesson.tab()
    clock.advance(36 * 3600 - 1)
    assert tab.send(lesson.entry(1))["have"] == 1
    clock.advance(1)
    assert tab.send(lesson.entry(2))["gone"] == "over" and tab.status == 410
    assert tab.client.get(tab.at).status_code == 410
    lesson.tab("tablet")
    assert tab.send(lesson.entry(2))["have"] == 2


def test_a_grant_ends_twelve_hours_after_the_booked_visit_and_lasts_36_hours_at_most(
    lesson: Lesson, clock: Any
) -> None:
    lesson.room.host.post("texts/visit_purpose", text="To see who asks.")
    when = (clock.now + timedelta(days=28)).strftime("%Y-%m-%dT10:00")
    lesson.room.host.post(
        "visit/meetings/visit",
        **{"visit-starts": when, "visit-minutes": "40", "visit-place": "", "visit-was": "", "visit-rev": "0"},
    )
    assert lesson.room.host.status == 303
    tab = lesson.tab()
    assert tab.data()["minutes"] == 40
    assert row(lesson).granted_until == clock.now + timedelta(hours=36), "not four weeks"
    with lesson.room.database.read() as session:
        booked = session.scalars(select(Meeting.starts_at).where(Meeting.kind == "visit")).one()
    clock.now = booked
    tab.send(lesson.entry(1))
    assert tab.status == 410
    assert lesson.tab().send(lesson.entry(1))["have"] == 1
    assert row(lesson).granted_until == booked + timedelta(minutes=40, hours=12)
    clock.now = row(lesson).granted_until
    tab.send(lesson.entry(2))
    assert tab.status == 410


def test_all_devices_are_shut_out_when_one_is_lost(lesson: Lesson, room: Room) -> None:
    lost, code = lesson.tab(), lesson.code()
    lost.send(lesson.entry(1))
    before = row(lesson).grant_hash
    for desk, status in ((room.host, 404), (room.coach, 303)):
        assert row(lesson).grant_hash == before
        desk.post("visit-capture", instrument=lesson.instrument_id, do="shut_out")
        assert desk.status == status
    assert "All devices are shut out" in room.coach.get("visit-capture?told=shut_out")
    assert lost.send(lesson.entry(2)) and lost.status == 404
    assert lesson.app.test_client().post("/visit", data={"code": code}, headers=ORIGIN).status_code == 400
    assert lesson.tab("tablet").send(lesson.entry(1))["have"] == 1
    assert lost.send(lesson.entry(2)) and lost.status == 404
    assert len(kept(lesson)) == 2


def test_another_site_changes_nothing(lesson: Lesson) -> None:
    tab, code = lesson.tab(), lesson.code()
    letter = {"device": "phone", "entries": [lesson.entry(1)]}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost.evil"}):
        assert tab.client.post(f"{tab.at}/entries", json=letter, headers=headers).status_code == 403
        assert tab.client.post(f"{tab.at}/close", json={"minutes": 1}, headers=headers).status_code == 403
        assert tab.client.post("/visit", data={"code": code}, headers=headers).status_code == 403
    assert kept(lesson) == [] and row(lesson).closed_at is None


# Who reads it


def test_the_host_never_reads_what_the_coach_takes_along_and_questions_wait_for_their_turn(lesson: Lesson) -> None:
    tab = lesson.tab()
    notes = {"mine": "For my own class.", "question": "What did you expect?"}
    tab.send(
        lesson.entry(1),
        *(
            {"number": n, "at_ms": n, "column": column, "text": text}
            for n, (column, text) in enumerate(notes.items(), 2)
        ),
    )
    assert [each.column for each in kept(lesson)] == ["seen", "mine", "question"]
    assert [each.column for each in kept(lesson, by="host")] == ["seen"]
    with lesson.room.database.write() as session:
        host = lesson.room.course.teachers[0]
        session.execute(
            insert(StageMark).values(
                cycle_id=lesson.room.cycle_id, stage="after.first_turn", membership_id=host, at=lesson.clock()
            )
        )
    assert [each.column for each in kept(lesson, by="host")] == ["seen", "question"]


def test_nothing_of_it_is_in_clear(lesson: Lesson) -> None:
    lesson.tab().send({"number": 1, "at_ms": 1, "column": "question", "text": "canary-question"})
    with lesson.room.database.read() as session:
        (sealed,) = session.scalars(select(EntryRow.sealed))
        assert b"canary" not in sealed


# Its way in


def test_the_coach_opens_it_from_the_cycle_once_the_card_is_filled_in(lesson: Lesson, room: Room) -> None:
    page = room.coach.get("visit-capture")
    assert lesson.instrument.name in page and room.coach.status == 200
    # What is missing is said before anybody taps in vain, with the way there.
    assert "/visit-card" in page
    room.coach.post("visit-capture", instrument=lesson.instrument_id)
    assert room.coach.status == 409
    assert "card" in room.coach.page
    fill_card(room)
    assert "/visit-card" not in room.coach.get("visit-capture")
    room.coach.post("visit-capture", instrument=lesson.instrument_id)
    assert room.coach.status == 200
    (code,) = re.findall(r'name="code" value="([^"]+)"', room.coach.page)
    client = room.coach.client
    answer = client.post("/visit", data={"code": code}, headers=ORIGIN)
    assert answer.status_code == 303 and answer.location == f"/visit/{lesson.id}"
    # Neither another instrument, nor the host, nor anybody else.
    for desk, instrument, status in (
        (room.coach, "0" * 16, 404), (room.coach, "\0", 404), (room.coach, "", 404),
        (room.host, lesson.instrument_id, 404), (room.desk_of(room.course.teachers[2]), lesson.instrument_id, 404),
    ):  # fmt: skip
        desk.post("visit-capture", instrument=instrument)
        assert desk.status == status
    assert room.host.client.get(f"{room.host.cycle}/visit-capture").status_code == 404


def test_its_page_costs_few_statements(lesson: Lesson, room: Room) -> None:
    fill_card(room)
    said: list[str] = []

    def counted(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    room.coach.token()
    room.coach.get("visit-capture")
    event.listen(room.database.engine, "before_cursor_execute", counted)
    room.coach.get("visit-capture")
    page = len(said)
    room.coach.post("visit-capture", instrument=lesson.instrument_id)
    event.remove(room.database.engine, "before_cursor_execute", counted)
    assert room.coach.status == 200 and page <= 12 and len(said) - page <= 12, (page, len(said) - page)


def test_the_tab_speaks_to_pairs_and_groups_alike_and_leaves_nothing_of_others(lesson: Lesson) -> None:
    tab = lesson.tab()
    page = tab.client.get(tab.at).text
    assert "Not in a private window" in page
    assert "partner" not in page and "two of you" not in page
    assert "visit-tidy.js" in tab.client.get("/visit").text


def test_odd_addresses_are_not_there(lesson: Lesson) -> None:
    client = lesson.app.test_client(use_cookies=False)
    for odd in ("%00", "a%00b", "%e9", "%ff%fe", "x" * 3_000, "..", "data", "-1"):
        for path in (odd, f"{odd}/data"):
            answer = client.get(f"/visit/{path}", headers={"Cookie": f"__Host-visit-{odd}=x"})
            assert answer.status_code == 404, path
    assert client.get("/visit").status_code == 200
    with client.get("/visit/sw.js") as worker:
        assert worker.status_code == 200 and worker.mimetype == "text/javascript"


def test_a_closed_visit_is_gone_on_with_until_it_is_shown(lesson: Lesson, room: Room) -> None:
    fill_card(room)
    tab = lesson.tab()
    tab.send(lesson.entry(1))
    tab.close()
    room.coach.post("visit-capture", instrument=lesson.instrument_id)
    assert tab.data()["observation"]["lasted"] == 40, "as was said when it was closed"
    assert tab.send(lesson.entry(2))["have"] == 2
    tab.close()
    with room.database.write() as session:
        session.execute(update(Observation).values(shown_at=lesson.clock()))
    room.coach.post("visit-capture", instrument=lesson.instrument_id)
    assert room.coach.status == 409 and row(lesson).closed_at is not None


def test_what_not_all_approved_captures_nothing(lesson: Lesson, room: Room) -> None:
    fill_card(room)
    with room.database.write() as session:
        session.execute(update(CycleInstrument).values(frozen_at=None))
    assert lesson.instrument.name not in room.coach.get("visit-capture")
    room.coach.post("visit-capture", instrument=lesson.instrument_id)
    assert room.coach.status == 409
