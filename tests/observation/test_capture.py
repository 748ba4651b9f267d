"""Capturing a visit, through the door of the tab: each entry is there exactly once, whatever happens on the way."""

import json
import random
import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cycles.pair_at_work import Room
from flask import Flask
from observation.observed import ORIGIN, Lesson, Tab, fill_card, observation
from sqlalchemy import event, func, insert, select, update

from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember, StageMark
from lti_tool.observation import capture
from lti_tool.observation.entries import Entry
from lti_tool.observation.models import CycleInstrument, Observation
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership


def kept(lesson: Lesson, *, by: str = "coach") -> list[Entry]:
    """What the coach (or the host) reads of it."""
    with lesson.room.database.read() as session:
        observation = session.get_one(Observation, lesson.id)
        reader = observation.person_id
        if by == "host":
            reader = session.scalars(
                select(CycleMember.person_id).where(
                    CycleMember.cycle_id == observation.cycle_id, CycleMember.role == "host"
                )
            ).one()
        cycle = cycles.load(session, observation.cycle_id, reader)
        assert cycle is not None
        return capture.entries(session, lesson.keyring, observation, cycle, lesson.clock())


def row(lesson: Lesson) -> Observation:
    with lesson.room.database.read() as session:
        return session.get_one(Observation, lesson.id)


# Exactly once


def test_entries_are_kept_once_however_they_come(lesson: Lesson) -> None:
    tab = lesson.tab()
    letters = [[lesson.entry(number) for number in range(first, first + 5)] for first in range(1, 41, 5)]
    order = letters + letters[::2]
    random.Random(7).shuffle(order)
    for letter in order:
        random.Random(len(tab.answers)).shuffle(letter)
        answer = tab.send(*letter)
        assert tab.status == 200 and set(answer["got"]) == {each["number"] for each in letter}
    assert answer["have"] == 40
    assert [each.number for each in kept(lesson)] == list(range(1, 41))
    assert [each.at_ms for each in kept(lesson)] == [1000 * number for number in range(1, 41)]


def test_have_stops_at_the_first_gap(lesson: Lesson) -> None:
    tab = lesson.tab()
    assert tab.send(lesson.entry(2), lesson.entry(3))["have"] == 0
    assert tab.send(lesson.entry(5))["have"] == 0
    assert tab.send(lesson.entry(1))["have"] == 3
    assert tab.data()["observation"]["have"] == {"phone": 3}
    assert tab.send(lesson.entry(4))["have"] == 5
    assert tab.send()["have"] == 5


def test_two_devices_of_one_coach_do_not_mix_up(lesson: Lesson) -> None:
    phone, tablet = lesson.tab("phone"), lesson.tab("tablet")
    for number in (1, 2):
        assert phone.send(lesson.entry(number))["have"] == number
    assert tablet.send(lesson.entry(1, code=lesson.instrument.codes[1].key))["have"] == 1
    # Opening the second one did not end the grant of the first.
    assert phone.send(lesson.entry(3))["have"] == 3
    assert [each.id for each in kept(lesson)] == [("phone", 1), ("phone", 2), ("phone", 3), ("tablet", 1)]


def test_another_entry_under_a_number_that_is_taken_is_said_and_writes_nothing_over(lesson: Lesson) -> None:
    tab = lesson.tab()
    tab.send(lesson.entry(1))
    answer = tab.send(lesson.entry(1, code=lesson.instrument.codes[1].key), lesson.entry(2))
    assert tab.status == 409 and answer["clash"] == [1] and answer["have"] == 2
    assert [each.code for each in kept(lesson)] == [lesson.instrument.codes[0].key] * 2


def test_two_tabs_that_send_at_the_same_moment(lesson: Lesson) -> None:
    tabs = [lesson.tab(), lesson.tab("tablet")]
    tabs.append(Tab(tabs[0].client, lesson.id))
    failures: list[BaseException] = []

    def work(tab: Tab) -> None:
        client = lesson.app.test_client()
        cookie = tab.client.get_cookie(f"__Host-visit-{lesson.id}", domain="localhost")
        assert cookie is not None
        client.set_cookie(cookie.key, cookie.value, domain="localhost")
        mine = Tab(client, lesson.id, tab.device)
        try:
            for first in (1, 4, 7, 10):
                mine.send(*(lesson.entry(number) for number in range(first, first + 3)))
                assert mine.status == 200
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(tab,)) for tab in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [each.id for each in kept(lesson)] == [(device, n) for device in ("phone", "tablet") for n in range(1, 13)]


@pytest.mark.parametrize("where", ["keys", "rows", "answer"])
def test_killed_between_all_of_a_letter_is_there_or_nothing(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    tab = lesson.tab()

    def dies(*_arguments: Any, **_rest: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        if where == "keys":
            broken.setattr(capture, "instrument_of", dies)
        elif where == "rows":
            broken.setattr(capture, "has_of", dies)
        else:
            broken.setattr("lti_tool.observation.visit_views.jsonify", dies)
        with pytest.raises(KeyboardInterrupt):
            tab.send(lesson.entry(1), lesson.entry(2))
    assert len(kept(lesson)) == (2 if where == "answer" else 0)
    assert tab.send(lesson.entry(1), lesson.entry(2))["have"] == 2
    assert len(kept(lesson)) == 2


def test_the_number_of_statements_does_not_grow(lesson: Lesson) -> None:
    tab, said = lesson.tab(), []

    def counted(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    tool = lesson.app.extensions["meitheal"]
    engines = {tool.database.engine, tool.keyring.database.engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", counted)
    numbers = []
    for first, count in ((1, 1), (2, 1), (3, 150), (3, 150)):
        said.clear()
        tab.send(*(lesson.entry(number) for number in range(first, first + count)))
        assert tab.status == 200
        numbers.append(len(said))
    # That the coach opened what the host wrote is kept at the first time.
    tab.data()
    said.clear()
    tab.data()
    numbers.append(len(said))
    for engine in engines:
        event.remove(engine, "before_cursor_execute", counted)
    assert max(numbers) <= 9, numbers
    assert numbers[0] == numbers[2], numbers


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


def test_a_grant_ends_twelve_hours_after_the_booked_visit(lesson: Lesson, clock: Any) -> None:
    lesson.room.host.post("texts/visit_purpose", text="To see who asks.")
    when = (clock.now + timedelta(days=3)).strftime("%Y-%m-%dT10:00")
    lesson.room.host.post(
        "visit/meetings/visit",
        **{"visit-starts": when, "visit-minutes": "40", "visit-place": "", "visit-was": "", "visit-rev": "0"},
    )
    assert lesson.room.host.status == 303
    tab = lesson.tab()
    assert tab.data()["minutes"] == 40
    until = row(lesson).granted_until
    assert until is not None and timedelta(days=2) < until - clock.now < timedelta(days=4)
    clock.now = until
    tab.send(lesson.entry(1))
    assert tab.status == 410


@pytest.mark.parametrize("how", ["closed", "deleted", "finished", "pair ended", "left the course", "leads"])
def test_nothing_is_added_once_it_is_over(lesson: Lesson, how: str) -> None:
    tab = lesson.tab()
    tab.send(lesson.entry(1))
    with lesson.room.database.write() as session:
        coach = session.scalars(select(Observation.membership_id).where(Observation.id == lesson.id)).one()
        if how == "deleted":
            capture.delete_of(session, lesson.keyring, lesson.room.cycle_id, row(lesson).person_id, lesson.clock())
        elif how == "finished":
            session.execute(update(Cycle).values(status="finished"))
        elif how == "pair ended":
            pairing.end_pair(session, session.scalars(select(Cycle.pair_id)).one(), lesson.clock())
        elif how == "left the course":
            session.execute(update(Membership).where(Membership.id == coach).values(is_active=False))
        elif how == "leads":
            session.execute(update(Membership).where(Membership.id == coach).values(is_leader=True))
    if how == "closed":
        assert tab.close(41) == {"closed": True} and tab.close(7) == {"closed": True}
        assert row(lesson).minutes == 41
    code = {"closed": "closed", "deleted": "closed"}.get(how, "ended")
    for ask in (lambda: tab.send(lesson.entry(2)), lambda: tab.send(lesson.entry(1)), tab.data):
        answer = ask()
        assert tab.status == 410 and answer["gone"] == code and answer["what"], how
    assert tab.client.get(tab.at).status_code == 410
    with lesson.room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(EntryRow)) == (0 if how == "deleted" else 1)


# What comes in


ODD: tuple[Any, ...] = (
    None, [], "x", 7, {}, {"device": "phone"}, {"entries": []}, {"device": "", "entries": []},
    {"device": "x" * 23, "entries": []}, {"device": "a/b", "entries": []}, {"device": "é", "entries": []},
    {"device": ["phone"], "entries": []}, {"device": "phone", "entries": {}}, {"device": "phone", "entries": [None]},
    {"device": "phone", "entries": [[]]}, {"device": "phone", "entries": [{}]},
    {"device": "phone", "entries": [{"number": 1}] * 201},
)  # fmt: skip
ENTRIES: tuple[dict[str, Any], ...] = (
    {"number": 0}, {"number": -1}, {"number": 2_001}, {"number": 10**30}, {"number": "1"}, {"number": 1.0},
    {"number": True}, {"number": None}, {"at_ms": -1}, {"at_ms": 10**12}, {"at_ms": 1e999}, {"at_ms": "now"},
    {"code": "nothing"}, {"code": None}, {"code": {"a": 1}}, {"code": "\0"}, {"column": "theirs"}, {"column": []},
    {"seat": 10**40}, {"text": "x"}, {"name": "Aoife"}, {"undone": 1}, {"undoes": "1"},
)  # fmt: skip
BODIES = (
    b"", b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b'{"device":"phone","entries":' + b"9" * 5_000,
    b'{"device":"phone","entries":[{"number":' + b"9" * 5_000 + b"}]}",
    b'{"device":"phone","entries":[{"number":NaN,"at_ms":Infinity}]}',
)  # fmt: skip


def test_odd_letters_are_refused_in_words(lesson: Lesson) -> None:
    tab = lesson.tab()
    for body in BODIES:
        for path in ("entries", "close"):
            answer = tab.client.post(f"{tab.at}/{path}", data=body, content_type="application/json", headers=ORIGIN)
            assert answer.status_code == 400 and answer.get_json()["what"], body[:40]
    for letter in ODD:
        answer = tab.client.post(
            f"{tab.at}/entries", data=json.dumps(letter), content_type="application/json", headers=ORIGIN
        )
        assert answer.status_code == 400 and answer.get_json()["what"], letter
    for entry in ENTRIES:
        tab.send(lesson.entry(1) | entry)
        assert tab.status == 400 and tab.answers[-1].get_json()["refused"], entry
    for minutes in (-1, 361, "40", None, 1.5, True, 10**20):
        tab.close(minutes)  # type: ignore[arg-type]
        assert tab.status == 400
    form = tab.client.post(f"{tab.at}/entries", data={"device": "phone"}, headers=ORIGIN)
    assert form.status_code == 400
    assert kept(lesson) == [] and row(lesson).closed_at is None


def test_what_cannot_be_read_keeps_nothing_else_from_being_kept(lesson: Lesson) -> None:
    tab = lesson.tab()
    answer = tab.send(lesson.entry(1), lesson.entry(2, code="nothing"), lesson.entry(3))
    assert tab.status == 400 and answer["refused"] == [{"index": 1, "number": 2}]
    assert (answer["have"], answer["got"]) == (1, [1, 3])


def test_half_a_sign_at_the_end_of_a_note_is_left_out(lesson: Lesson) -> None:
    tab = lesson.tab()
    note = {"number": 1, "at_ms": 5, "column": "question"}
    assert tab.send(note | {"text": "Why \ud83d\x07\nso?\u0000"})["have"] == 1
    assert tab.send(note | {"text": "Why \ud83d\x07\nso?\u0000"})["have"] == 1
    assert [each.text for each in kept(lesson)] == ["Why so?"]


def test_there_is_a_most_of_entries_and_devices(lesson: Lesson) -> None:
    tab = lesson.tab()
    assert tab.send(lesson.entry(capture.MOST_ENTRIES))["got"] == [capture.MOST_ENTRIES]
    for number in range(2, capture.MOST_DEVICES + 1):
        tab.send(lesson.entry(1), device=f"d{number}")
        assert tab.status == 200
    assert tab.send(lesson.entry(1), device="one-more")["full"] is True and tab.status == 409
    assert tab.send(lesson.entry(1))["have"] == 1
    big = tab.client.post(f"{tab.at}/entries", data=b" " * 1_100_000, content_type="application/json", headers=ORIGIN)
    assert big.status_code == 413


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
    page = room.coach.get("capture")
    assert lesson.instrument.name in page and room.coach.status == 200
    room.coach.post("capture", instrument=lesson.instrument_id)
    assert room.coach.status == 409
    assert "card" in room.coach.page
    fill_card(room)
    room.coach.post("capture", instrument=lesson.instrument_id)
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
        desk.post("capture", instrument=instrument)
        assert desk.status == status
    assert room.host.client.get(f"{room.host.cycle}/capture").status_code == 404


def test_a_closed_visit_is_gone_on_with_until_it_is_shown(lesson: Lesson, room: Room) -> None:
    fill_card(room)
    tab = lesson.tab()
    tab.send(lesson.entry(1))
    tab.close()
    room.coach.post("capture", instrument=lesson.instrument_id)
    assert tab.send(lesson.entry(2))["have"] == 2
    tab.close()
    with room.database.write() as session:
        session.execute(update(Observation).values(shown_at=lesson.clock()))
    room.coach.post("capture", instrument=lesson.instrument_id)
    assert room.coach.status == 409 and row(lesson).closed_at is not None


def test_what_not_all_approved_captures_nothing(lesson: Lesson, room: Room) -> None:
    fill_card(room)
    with room.database.write() as session:
        session.execute(update(CycleInstrument).values(frozen_at=None))
    assert lesson.instrument.name not in room.coach.get("capture")
    room.coach.post("capture", instrument=lesson.instrument_id)
    assert room.coach.status == 409
