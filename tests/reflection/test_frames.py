"""Frames: other headings for a reflection, chosen by each teacher alone, under which nothing is lost (R14, R47)."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from browsers import recorded
from cycles.pair_at_work import Desk, Room, open_room
from flask import Flask
from ownership.conftest import pass_on_to
from sqlalchemy import select

from lti_tool.cycles.models import Cycle, CycleText
from lti_tool.protocols.reader import ProtocolError, shipped
from lti_tool.reflection import frames
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.store.database import Database

KEYS = ("what", "six", "four", "free")


@pytest.fixture
def room(app: Flask, database: Database, clock: Callable[[], datetime]) -> Room:
    made = open_room(app, database, clock, "light")
    pass_on_to(made, "start", "before", "after", now=clock())
    return made


def choose(desk: Desk, frame: str, **texts: str) -> str:
    desk.get("reflect")
    form = desk.form() | {"frame": frame} | {f"text-{key}": text for key, text in texts.items()}
    return desk.post("reflect/frame", **form)


# What they hold


def test_the_four_frames_each_ask_for_ones_own_learning() -> None:
    assert tuple(frames.frames()) == KEYS
    assert len(frames.frames()["six"].headings) == 6 and len(frames.frames()["four"].headings) == 4
    for frame in frames.frames().values():
        assert frame.source.en and frame.source.ga
        asked = [heading for heading in frame.headings if heading.key == frames.OWN_LEARNING]
        assert len(asked) == 1, "R47"
        for heading in frame.headings:
            assert heading.ask_of("host") != heading.ask_of("coach") or heading.label.en.startswith("3."), heading.key
            for role in ("observer", "keeper", "member", "alone"):
                assert heading.ask_of(role).ga


def test_no_field_of_a_protocol_can_have_the_key_of_a_heading() -> None:
    for protocol in shipped().values():
        every = frames.with_all(protocol, "host")
        keys = [field.key for stage in every.stages for field in stage.fields]
        assert len(keys) == len(set(keys))
    assert all("." in h.key or h.key == "own_learning" for f in frames.frames().values() for h in f.headings)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("frames: [{key: a, title: {en: a, ga: a}}]", "line 1: 'summary' is missing. Add it."),
        ("frames:\n  - key: a\n    headings: []\n", "line 3: one's own learning is in every frame"),
        ("frames:\n  - key: a\n    headings:\n      - {key: own_learning, ask: {guest: {en: a, ga: a}}}", "'guest'"),
        ("nothing: 1", "'frames' is missing"),
        ("- a", "expected lines such as"),
    ],
)
def test_a_broken_file_is_said_with_line_and_remedy(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "frames.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ProtocolError) as caught:
        frames.load(file)
    assert problem in str(caught.value) and "frames.yaml, line" in str(caught.value)


# Choosing and writing


def test_a_frame_is_chosen_by_each_for_themselves_and_asks_by_role(room: Room) -> None:
    host, coach = room.host, room.coach
    assert "So what? What it means to me" not in host.get("reflect")
    page = choose(host, "what")
    assert host.status == 303 and "So what? What it means to me" in page and 'name="text-happened"' not in page
    assert "before your partner asked" in page, "the prompt of a host"
    assert "So what?" not in coach.get("reflect").partition('id="frames"')[0], "it is the host's alone"
    assert "having been with a colleague" in choose(coach, "what"), "the prompt of a coach"
    with room.database.read() as session:
        before = session.scalars(select(Cycle.revision)).one()
    choose(host, "six")
    with room.database.read() as session:
        assert session.scalars(select(Cycle.revision)).one() == before, "the partner's page learns nothing"


def test_nothing_typed_in_another_frame_is_lost(room: Room) -> None:
    host = room.host
    page = choose(host, "six", happened="of the protocol", own_learning="my learning")
    assert 'name="text-six.felt"' in page and "my learning" in page, "own learning comes along"
    assert "of the protocol" in page and "What you wrote under “The questions of this activity”" in page
    page = choose(host, "", **{"six.felt": "of the six"})
    assert 'name="text-happened"' in page and "of the six" in page
    page = choose(host, "six")
    assert 'name="text-six.felt"' in page and host.form()["text-six.felt"] == "of the six"
    # A page of before, still open in another frame, saves what is typed in it, with JavaScript and without.
    host.post("reflect/save", **{"text-happened": "typed late", "base-happened": ""})
    host.save_json("free.page", "typed on the other device")
    page = host.get("reflect")
    assert "typed late" in page and "typed on the other device" in page
    with room.database.read() as session:
        sealed = session.scalars(select(CycleText.sealed)).all()
    assert not any(b"typed" in each for each in sealed)


def test_a_version_keeps_its_frame_and_is_read_with_its_headings(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    host = room.host
    host.get("reflect")
    host.press("reflect/submit", text__own_learning="first", text__happened="in the protocol")
    choose(host, "four", **{"four.meant": "in four"})
    page = host.press("reflect/submit")
    assert "Version 2" in page
    page = choose(host, "free")
    assert "You have changed something" in page, "the same words under other headings are another version"
    monkeypatch.setattr(frames, "frames", lambda: {})
    second = host.get("reflect/versions/2")
    assert "What did I mean to happen?" in second and "in four" in second and "Headings: Four questions" in second
    assert second.index("in four") < second.index("first"), "in the order of the frame"
    first = host.get("reflect/versions/1")
    assert "in the protocol" in first and "in four" not in first and "Headings:" not in first
    assert host.get("reflect") and host.status == 200, "a frame that is no longer there"
    monkeypatch.undo()
    taken = host.client.get(f"{host.at}/mine/mine.json").get_json()["cycles"][0]["your_reflection"]
    assert [each["headings"] for each in taken] == [None, "Four questions"]
    assert taken[1]["texts"][0] == {"label": "What did I mean to happen?", "text": "in four"}
    assert "What did I mean to happen?" in host.get("reflect/versions/2/share/four.meant")


@pytest.mark.parametrize("frame", KEYS)
def test_ones_own_learning_is_required_in_every_frame(room: Room, frame: str) -> None:
    host = room.host
    choose(host, frame)
    page = host.press("reflect/submit")
    assert host.status == 409 and "is still empty" in page
    host.get("reflect")
    assert "Version 1" in host.press("reflect/submit", text__own_learning="Learned")
    with room.database.read() as session:
        kept = session.scalars(select(ReflectionVersion.frame)).one()
    assert kept is not None and kept["key"] == frame


def test_what_is_submitted_is_what_stood_on_the_page(room: Room) -> None:
    host = room.host
    choose(host, "what")
    old = host.form() | {"text-what.next": "typed here"}
    choose(host, "free")
    page = host.post("reflect/submit", **old)
    assert host.status == 409 and "another frame meanwhile" in page and "typed here" in page


def test_odd_choices_change_nothing(room: Room) -> None:
    for odd in ("nonsense", "what\0", "w" * 3000, "what.next"):
        assert room.host.post("reflect/frame", frame=odd) and room.host.status == 400, odd
    assert 'name="text-happened"' in room.host.get("reflect")


def test_drafts_of_every_frame_are_taken_along_and_deleted_with_the_reflection(room: Room) -> None:
    host = room.host
    choose(host, "six", happened="mark-own")
    choose(host, "free", **{"six.felt": "mark-six"})
    taken = host.client.get(f"{host.at}/mine/mine.json").get_data(as_text=True)
    assert "mark-own" in taken and "mark-six" in taken and "2. What I thought and felt" in taken
    path = f"{host.at}/mine/cycles/{host.cycle_id}"
    sent = {"csrf_token": host.token(), "what": "reflection", "sure": "1"}
    assert host.client.post(path, data=sent, headers={"Referer": "http://localhost/"}).status_code == 303
    taken = host.client.get(f"{host.at}/mine/mine.json").get_data(as_text=True)
    assert "mark-own" not in taken and "mark-six" not in taken


def test_nobody_else_reads_or_chooses(room: Room) -> None:
    choose(room.host, "six", own_learning="canary of the host")
    choose(room.host, "what", **{"six.felt": "canary of the host"})
    for path in ("reflect", "texts?revision=0", "texts/six.felt/history", "texts/what.next/history"):
        assert "canary" not in room.coach.get(path), path
    outsider: Any = room.desk_of(room.course.teachers[2])
    for desk in (outsider, room.desk_of(room.course.trainer)):
        desk.post("reflect/frame", frame="free")
        assert desk.status == 404


def test_the_page_stays_within_its_statements(room: Room) -> None:
    choose(room.host, "six", happened="x", own_learning="y")
    room.host.press("reflect/submit")
    with recorded(room.database) as statements:
        room.host.get("reflect")
    assert len(statements) <= 12, len(statements)
