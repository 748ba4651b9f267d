"""Capturing a visit, through the door of the tab: each entry is there exactly once, whatever happens on the way."""

import json
import random
import threading
from typing import Any

import pytest
from observation.observed import ORIGIN, Lesson, Tab
from sqlalchemy import event, func, select, update

from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.observation import capture, keeping, receiving
from lti_tool.observation.entries import Entry
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.models import Observation
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
            broken.setattr(receiving, "instrument_of", dies)
        elif where == "rows":
            broken.setattr(receiving, "has_of", dies)
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


# Once it is over


@pytest.mark.parametrize(
    "how", ["closed", "deleted", "finished", "pair ended", "left the course", "leads", "go less far"]
)
def test_nothing_is_added_once_it_is_over(lesson: Lesson, how: str) -> None:
    tab = lesson.tab()
    tab.send(lesson.entry(1))
    with lesson.room.database.write() as session:
        coach = session.scalars(select(Observation.membership_id).where(Observation.id == lesson.id)).one()
        if how == "deleted":
            keeping.delete_of(session, lesson.keyring, lesson.room.cycle_id, row(lesson).person_id, lesson.clock())
        elif how == "finished":
            session.execute(update(Cycle).values(status="finished"))
        elif how == "pair ended":
            pairing.end_pair(session, session.scalars(select(Cycle.pair_id)).one(), lesson.clock())
        elif how == "left the course":
            session.execute(update(Membership).where(Membership.id == coach).values(is_active=False))
        elif how == "go less far":
            session.execute(update(CycleMember).where(CycleMember.membership_id != coach).values(step="look"))
        elif how == "leads":
            session.execute(update(Membership).where(Membership.id == coach).values(is_leader=True))
    if how == "closed":
        assert tab.close(41) == {"closed": True} and tab.close(7) == {"closed": True}
        assert row(lesson).minutes == 41
    code = {"closed": "closed", "deleted": "deleted", "go less far": "step"}.get(how, "ended")
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


def test_all_devices_go_on_from_one_beginning(lesson: Lesson, clock: Any) -> None:
    tab = lesson.tab()
    assert tab.data()["observation"]["began_ago"] is None
    tab.client.post(f"{tab.at}/entries", json={"device": "d1", "at": 300_000, "entries": []}, headers=ORIGIN)
    clock.advance(1200)
    tablet = lesson.tab("tablet")
    assert tablet.data()["observation"]["began_ago"] == 1_500_000
    tablet.client.post(f"{tab.at}/entries", json={"device": "d2", "at": 0, "entries": []}, headers=ORIGIN)
    assert tablet.data()["observation"]["began_ago"] == 1_500_000, "the first one that says so is believed"
    for odd in (-1, True, "5", 10**12, None):
        answer = tab.client.post(f"{tab.at}/entries", json={"device": "d1", "at": odd, "entries": []}, headers=ORIGIN)
        assert answer.status_code == 200


def test_there_is_a_most_of_entries_and_devices(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    tab = lesson.tab()
    assert tab.send(lesson.entry(receiving.MOST_ENTRIES))["got"] == [receiving.MOST_ENTRIES]
    # A browser that keeps nothing has another name in each window.
    assert receiving.MOST_DEVICES >= 40
    for number in range(2, receiving.MOST_DEVICES + 1):
        tab.send(lesson.entry(1), device=f"d{number}")
        assert tab.status == 200
    assert tab.send(lesson.entry(1), device="one-more")["full"] is True and tab.status == 409
    assert tab.send(lesson.entry(1))["have"] == 1
    monkeypatch.setattr(receiving, "MOST_OF_VISIT", 5)
    assert tab.send(lesson.entry(1))["have"] == 1, "what is there is acknowledged all the same"
    assert tab.send(lesson.entry(2))["full"] is True
    big = tab.client.post(f"{tab.at}/entries", data=b" " * 1_100_000, content_type="application/json", headers=ORIGIN)
    assert big.status_code == 413
