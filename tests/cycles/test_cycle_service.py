"""Use cases on the real databases, also two at the same moment."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest
from cycles.pair_at_work import Room
from sqlalchemy import func, select, text, update

from lti_tool.activities import service as activities
from lti_tool.cycles import counts, going_on, service, texts
from lti_tool.cycles.models import Cycle, CycleMember, CycleText, ProtocolVersion
from lti_tool.cycles.revision import revision
from lti_tool.privacy.keyring import Keyring
from lti_tool.protocols import reader
from lti_tool.reflection.models import ReflectionVersion


def keyring(room: Room) -> Keyring:
    found: Keyring = room.host.client.application.extensions["meitheal"].keyring
    return found


def people(room: Room) -> tuple[str, str]:
    with room.database.read() as session:
        rows = session.execute(
            select(CycleMember.role, CycleMember.person_id).where(CycleMember.cycle_id == room.cycle_id)
        )
        found = {row.role: row.person_id for row in rows}
    return found["host"], found["coach"]


def save(room: Room, person_id: str, words: str, now: datetime, **options: object) -> None:
    with room.database.write() as session:
        cycle = service.load_frame(session, room.cycle_id, person_id, lock=True)
        assert cycle is not None
        field = cycle.protocol.field("norms")
        assert field is not None
        keys = keyring(room).opened(session, cycle.id, now)
        texts.save_text(session, keys, cycle, field, text=words, base=[], now=now, **options)


def at_once(*actions: Callable[[], None]) -> None:
    """Does all of it at the same moment; an error in any is raised."""
    gate, errors = threading.Barrier(len(actions)), []

    def go(action: Callable[[], None]) -> None:
        gate.wait()
        try:
            action()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=go, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_two_who_save_at_once_keep_both_texts(light: Room, clock) -> None:
    host, coach = people(light)
    for number in range(1, 6):
        at_once(
            partial(save, light, host, f"host {number}", clock(), editor="h", seq=number),
            partial(save, light, coach, f"coach {number}", clock(), editor="c", seq=number),
        )
    with light.database.read() as session:
        heads = texts.read_texts(
            session, keyring(light).opened(session, light.cycle_id, clock()), light.cycle_id, [texts.Register("norms")]
        )
        assert {head.text for head in heads} == {"host 5", "coach 5"}
        assert revision(session, light.cycle_id, host) == 11, "every change counted, none twice"


def test_a_retry_of_the_same_save_from_many_connections_is_one_save(light: Room, clock) -> None:
    host, _ = people(light)
    at_once(*[lambda: save(light, host, "once", clock(), editor="h", seq=1)] * 4)
    with light.database.read() as session:
        assert session.scalar(select(func.count()).select_from(CycleText)) == 1


def test_both_who_ask_for_the_next_cycle_at_once_get_one(light: Room, clock) -> None:
    with light.database.write() as session:
        session.execute(text("UPDATE cycles SET status = 'finished'"))

    def wish(person_id: str) -> None:
        with light.database.write() as session:
            cycle = service.load(session, light.cycle_id, person_id, lock=True)
            assert cycle is not None
            going_on.wish(session, cycle, "swap", now=clock())

    host, coach = people(light)
    at_once(lambda: wish(host), lambda: wish(coach))
    with light.database.read() as session:
        assert session.scalars(select(Cycle.number).order_by(Cycle.number)).all() == [1, 2]
        second = service.current(session, light.course.teachers[0], light.course.activity_id, clock())
    assert second is not None and second.role == "coach"


def test_nothing_of_what_is_written_stands_in_the_database_in_clear(light: Room, clock) -> None:
    canary = "kingfisher-canary"
    light.host.save_json("norms", canary)
    light.host.get("after")
    light.host.press("after/meetings/after", after__starts="2027-01-12T10:00", after__place=canary)
    with light.database.read() as session:
        for table in ("texts", "meetings", "agreements", "cycles", "stage_marks"):
            assert canary not in repr(session.execute(text(f"SELECT * FROM {table}")).all()), table


def test_what_a_process_keeps_of_protocols_does_not_grow(light: Room, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_KEPT", 3)
    body = dict(reader.shipped()["light"].body)
    with light.database.write() as session:
        rows = [ProtocolVersion(key="light", version=n, body=body, created_at=clock()) for n in range(50, 57)]
        session.add_all(rows)
        session.flush()
        for row in rows:
            assert service.stored_protocol(session, row.id).key == "light"
            assert len(service._parsed) <= 3
        assert len(service.stored_protocols(session, {row.id for row in rows})) == 7, "all that was asked for"


def test_an_activity_without_the_protocol_that_it_has_is_named(light: Room) -> None:
    with light.database.read() as session:
        activity = activities.find(session, light.course.activity_id)
    assert activity is not None and going_on.protocol_of(activity).key == "light"
    with pytest.raises(LookupError, match=activity.id):
        going_on.protocol_of(replace(activity, own_version=3))


def test_a_running_cycle_keeps_the_protocol_it_began_with(light: Room, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    body = dict(reader.shipped()["light"].body)
    changed = reader.parse(body | {"version": 99, "title": {"en": "Lighter", "ga": "Níos éadroime"}})
    monkeypatch.setattr(reader, "shipped", lambda: {"light": changed})
    host, _ = people(light)
    with light.database.write() as session:
        again = service.load(session, light.cycle_id, host)
        assert again is not None and again.protocol.title.en == "Light"
        second = going_on.start(
            session, pair_id=again.pair_id, activity_id=light.course.activity_id, number=2, now=clock(),
            roles={light.course.teachers[0]: "host", light.course.teachers[1]: "coach"},
        )  # fmt: skip
        newer = service.load(session, second, host)
        assert newer is not None and newer.protocol.title.en == "Lighter"
        assert session.scalars(select(ProtocolVersion.version).order_by(ProtocolVersion.version)).all() == [2, 99]


def test_a_shredded_key_hides_the_text_and_breaks_nothing(light: Room, clock) -> None:
    light.start_together()
    assert [keyring(light).shred(light.cycle_id, each, clock()) for each in people(light)] == [1, 0]
    assert "We talk on Fridays." not in light.coach.get("start")
    assert light.coach.status == 200
    light.coach.press("start/save", text__norms="Anew")
    assert light.coach.status == 303


def test_submissions_name_who_and_when_and_versions_stay_unread(light: Room, clock) -> None:
    light.start_together()
    light.talk_before()
    light.host.get("after")
    light.host.press("after/done", text__next_steps="Next")
    light.host.get("reflect")
    light.host.press("reflect/submit", text__own_learning="Learned")
    with light.database.read() as session:
        found = counts.submissions(session, light.course.activity_id)
        assert [(each.given_name, each.cycle_number, each.at) for each in found] == [("Niamh", 1, clock())]
        assert session.scalar(select(func.count()).select_from(ReflectionVersion)) == 1
        mine = service.list_of(session, light.course.teachers[0], light.course.activity_id)
    assert [(each.number, each.role, each.partner_name, each.submitted_at) for each in mine] == [
        (1, "host", "Seán", clock())
    ]


def test_a_pair_that_ends_while_its_next_cycle_begins_leaves_no_cycle_running(
    light: Room, clock: Callable[[], datetime]
) -> None:
    host, coach = people(light)
    with light.database.write() as session:
        pair_id = session.scalars(select(Cycle.pair_id)).one()
        session.execute(update(Cycle).values(status="finished", finished_at=clock()))
        session.execute(update(CycleMember).where(CycleMember.person_id == host).values(wish="swap"))

    def end() -> None:
        with light.database.write() as session:
            going_on.stop(session, pair_id=pair_id, now=clock())

    ending = threading.Thread(target=end)
    with light.database.write() as session:
        cycle = service.load(session, light.cycle_id, coach, lock=True)
        assert cycle is not None
        assert going_on.wish(session, cycle, "swap", now=clock())
        ending.start()
        ending.join(0.5)
    ending.join()
    with light.database.read() as session:
        cycles = session.execute(select(Cycle.status, Cycle.closed_at).order_by(Cycle.number)).all()
    assert [status for status, _closed in cycles] == ["finished", "stopped"]
    assert all(closed for _status, closed in cycles)
