"""The library of protocols: what teachers read there, and how a protocol goes from course to course as a file."""

from io import BytesIO
from typing import Any

import pytest
from browsers import Browser
from factories import make_course
from flask import Flask
from markupsafe import escape
from protocols.test_editor import change, copy_of, give_out
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import ProtocolVersion
from lti_tool.protocols.models import OwnProtocol
from lti_tool.protocols.reader import shipped
from lti_tool.store.database import Database


@pytest.fixture
def here(app: Flask, database: Database, clock: Any) -> tuple[Browser, Browser]:
    """A trainer, and a teacher of the same activity."""
    made = make_course(database, teachers=2, now=clock.now, protocol="collegial")
    people = (made.trainer, made.teachers[0])
    trainer, teacher = (Browser(app, database, clock, who, made.activity_id) for who in people)
    return trainer, teacher


@pytest.fixture
def elsewhere(app: Flask, database: Database, clock: Any) -> Browser:
    """A trainer in a course on another platform."""
    made = make_course(database, teachers=1, now=clock.now)
    return Browser(app, database, clock, made.trainer, made.activity_id)


def bring(who: Browser, content: bytes) -> Any:
    # A file goes with a form of its own kind.
    data: Any = {"csrf_token": who.token, "file": (BytesIO(content), "../../<b>odd</b>.exe")}
    return who.client.post(f"{who.at}/protocols/bring", data=data)


def taken(who: Browser, path: str) -> bytes:
    answer = who.client.get(who.at + path)
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    return bytes(answer.data)


def test_every_protocol_is_there_and_says_who_sees_what(here: tuple[Browser, Browser]) -> None:
    _trainer, teacher = here
    library = teacher.get("/protocols")
    for key, protocol in shipped().items():
        assert f"/protocols/{key}" in library and str(escape(protocol.title.en)) in library
        page = teacher.get(f"/protocols/{key}")
        for stage in protocol.stages:
            for text in (stage.title, stage.purpose, *(each.text for each in stage.all_prompts)):
                assert str(escape(text.en)) in page, (key, stage.key)
            assert page.count('class="field-seen"') >= len(stage.fields)
        assert str(escape(protocol.source.en)) in page
    assert "Followed in: Coaching cycle 1" in library
    assert "make our own" not in library.lower() and "Bring a protocol" not in library
    page = teacher.get("/protocols/collegial")
    assert "by all members once the first turn is done" in page and "Deleted" not in page
    assert "/protocols/collegial" in teacher.get("/about")
    for path in ("/protocols/nonsense", "/protocols/own_00000000", "/protocols/light/versions/99999999999"):
        assert teacher.status(path) == 404
    assert teacher.status("/protocols/light/compare?old=nonsense&new=%00") == 404


def test_out_as_a_file_and_in_elsewhere_and_out_again_byte_by_byte(
    here: tuple[Browser, Browser], elsewhere: Browser, database: Database
) -> None:
    trainer, _teacher = here
    key = copy_of(trainer, "collegial")
    change(
        trainer, f"/protocols/{key}/edit", **{"text-summary-en": "Ours: # “it's” {so}", "text-summary-ga": "Ár gceann"}
    )
    assert give_out(trainer, key).status_code == 303
    change(trainer, f"/protocols/{key}/edit/before", minutes="50")
    assert give_out(trainer, key).status_code == 303
    for number in (1, 2):
        file = taken(trainer, f"/protocols/{key}/file?version={number}")
        with database.read() as session:
            rows = session.execute(select(OwnProtocol.id, OwnProtocol.course_id, OwnProtocol.key)).all()
        assert not any(each.encode() in file for row in rows for each in row), "nothing in it names a course"
        there = bring(elsewhere, file)
        assert there.status_code == 303
        brought = there.location.rsplit("/", 2)[-2]
        assert taken(elsewhere, f"/protocols/{brought}/file") == file, "the draft"
        assert give_out(elsewhere, brought).status_code == 303
        assert taken(elsewhere, f"/protocols/{brought}/file") == file, "the version"
        assert f"version {number}" in elsewhere.get(f"/protocols/{brought}")
    with database.read() as session:
        assert len(session.scalars(select(ProtocolVersion.id)).all()) == 4


def test_what_is_no_protocol_is_refused_by_line_and_nothing_is_kept(
    here: tuple[Browser, Browser], database: Database
) -> None:
    trainer, _teacher = here
    good = taken(trainer, "/protocols/light/file")
    for content, said in (
        (b"", "expected lines"),
        (b"\xff\xfe", "UTF-8"),
        (b"a: &x 1\nb: *x\n", "line 2"),
        (good.replace(b"by: host", b"by: principal", 1), "is not allowed"),
        (good.replace(b"en: Light", b"en: " + b"x" * 200, 1), "can have 120 characters"),
        (b"x" * 300_000, "Shorten it"),
        (good.replace(b"version: 2", b"version: 0x" + b"f" * 5_000, 1), "is not a whole number"),
        (good.replace(b"key: own", b'key: "\\UFFFFFFFF"', 1), "no text"),
        (good.replace(b"key: before", b"key: next", 1), "an address of its own"),
        (good.replace(b"gates:", b"gates:\n  - meeting: visit", 1), "is arranged in this stage"),
    ):
        answer = bring(trainer, content)
        assert answer.status_code == 400 and said in answer.text, content[:40]
        assert "odd.exe" not in answer.text
    assert trainer.post("/protocols/bring").status_code == 400
    assert trainer.post("/protocols/bring", file="a text").status_code == 400
    with database.read() as session:
        assert session.scalars(select(OwnProtocol.id)).all() == []


def test_an_activity_that_came_from_another_course_brings_its_protocol_along(
    here: tuple[Browser, Browser], elsewhere: Browser, database: Database
) -> None:
    trainer, _teacher = here
    key = copy_of(trainer, "light")
    give_out(trainer, key)
    assert elsewhere.status(f"/protocols/{key}") == 404
    assert elsewhere.post("/activity", what=f"cycle:{key}").status_code == 400, "no key of another course can be chosen"
    with database.write() as session:
        (mine,) = session.scalars(select(Activity.id).where(Activity.protocol == "light"))
        session.execute(update(Activity).where(Activity.id == mine).values(protocol=key))
    assert "Light (our version)" in elsewhere.get(f"/protocols/{key}")
    assert elsewhere.status(f"/protocols/{key}/edit") == 404
    assert "belongs to another course" in elsewhere.get("/activity")
    assert trainer.post("/activity", what=f"cycle:{key}", audience="everyone").status_code == 303
    assert "Light (our version)" in trainer.get("/activity") and "another course" not in trainer.get("/activity")
    assert elsewhere.post("/activity", what=f"cycle:{key}", audience="everyone").status_code == 303
    assert copy_of(elsewhere, key) != key


def test_what_was_brought_is_given_out_with_nothing_to_compare_it_with(here: tuple[Browser, Browser]) -> None:
    trainer, _teacher = here
    brought = bring(trainer, taken(trainer, "/protocols/light/file")).location.rsplit("/", 2)[-2]
    page = trainer.get(f"/protocols/{brought}/compare")
    assert "The two say the same" not in page and "nothing yet to compare it with" in page
    assert f'/protocols/{brought}">' in page and "Give it out" in page


def test_a_sheet_leads_back_to_its_protocol(here: tuple[Browser, Browser]) -> None:
    assert '/protocols/light">' in here[0].get("/protocols/light/sheet")
