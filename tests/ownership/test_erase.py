"""Whoever is erased is gone: from every table, from the bytes of every file, and from what partners see."""

import contextlib
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from cycles.pair_at_work import Room
from factories import make_settings, sign_in
from ops.test_export import value_for
from ownership.conftest import COACHES, HOSTS, cycle_row
from ownership.test_mine_pages import page, person_of
from sqlalchemy import Table, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool import cli
from lti_tool.cycles.models import CycleText
from lti_tool.lti.models import Login
from lti_tool.ops import config
from lti_tool.ownership import erasure
from lti_tool.people.models import Membership, Person, SignIn
from lti_tool.privacy.keyring import Keyring
from lti_tool.store import migrate
from lti_tool.store.base import Base, new_id
from lti_tool.store.database import Database

PEOPLE = {"people", "memberships"}


def keyring_of(room: Room) -> Keyring:
    found = room.host.client.application.extensions["meitheal"].keyring
    assert isinstance(found, Keyring)
    return found


def erase(room: Room, index: int, now: Any) -> tuple[str, str]:
    """Erases a teacher; returns the ids that they had."""
    person_id = person_of(room, index)
    with room.database.write() as session:
        erasure.erase(session, keyring_of(room), person_id, now)
    room.database.forget_deleted()
    return person_id, room.course.teachers[index]


def cells(session: Session) -> Any:
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table)).mappings():
            for column, value in row.items():
                yield f"{table.name}.{column}", value


NUMBERS = itertools.count(100)


def refer_to_people() -> list[tuple[Table, str]]:
    """Every column of every table that refers to a person or a membership."""
    return [
        (table, key.parent.name)
        for table in Base.metadata.sorted_tables
        for key in sorted(table.foreign_keys, key=lambda each: each.parent.name)
        if key.column.table.name in PEOPLE
    ]


def fill(session: Session, table: Table, column: str, known: dict[str, Any], made: dict[str, dict[str, Any]]) -> None:
    """One more row in a table, which names the person in `column`; other parents are those that exist, or are made."""

    def parent(of: Any) -> Any:
        target = of.column
        if target.table.name in known:
            return known[target.table.name]
        if target.table.name not in made:
            make(target.table)
        return made[target.table.name][target.name]

    def make(which: Table) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for each in which.columns:
            ways = list(each.foreign_keys)
            if ways and (not each.nullable or (which is table and each.name == column)):
                row[each.name] = parent(ways[0])
            elif each.primary_key or not each.nullable:
                row[each.name] = new_id() if each.primary_key and each.type.python_type is str else value_for(each)
        if "status" in row:
            row["status"] = "ended"
        if "number" in row:
            # Of an activity or a pair only one has each.
            row["number"] = next(NUMBERS)
        if "is_current" in row:
            row["is_current"] = False
        session.execute(which.insert().values(row))
        made[which.name] = row
        return row

    if table.name not in PEOPLE:
        make(table)


def test_no_table_keeps_a_reference_to_somebody_erased(room: Room, clock: Any) -> None:
    """A table that is made later is tried by itself: each column that refers to people gets a row, and all must go."""
    person_id, membership_id = person_of(room, 0), room.course.teachers[0]
    known = {
        "people": person_id, "memberships": membership_id, "activities": room.course.activity_id,
        "courses": room.course.course_id, "platforms": room.course.platform_id,
    }  # fmt: skip
    tried = refer_to_people()
    assert len(tried) > 20
    with room.database.write() as session:
        for table, column in tried:
            with contextlib.suppress(IntegrityError), session.begin_nested():
                # What is one for each person is there already, by an earlier turn.
                fill(session, table, column, known, {})
        shown = {place for place, value in cells(session) if value in (person_id, membership_id)}
        assert {f"{table.name}.{column}" for table, column in tried if table.name not in PEOPLE} <= shown
    erase(room, 0, clock())
    with room.database.read() as session:
        left = [place for place, value in cells(session) if _names(value, person_id, membership_id)]
    assert not left


def _names(value: Any, *ids: str) -> bool:
    return any(each in str(value) for each in ids)


def test_the_partner_keeps_what_is_theirs_and_finds_no_name(room: Room, clock: Any) -> None:
    with room.database.read() as session:
        agreements = "We talk on Fridays."
        texts = session.scalar(select(func.count()).select_from(CycleText))
    assert agreements in page(room.coach, "mine/mine.json") and texts
    erase(room, 0, clock())
    coach = room.coach
    assert "a former colleague" in page(coach, "cycles")
    for path in ("start", "before", "visit", "after", "reflect", "end", "texts/card_seat/history"):
        shown = coach.get(path)
        assert coach.status == 200, path
        assert "Niamh" not in shown and "host-" not in shown, path
    # Their own version of what both wrote stands again.
    assert "coach-seat" in coach.get("visit")
    taken = page(coach, "mine/mine.json")
    assert all(text in taken for text in COACHES.values())
    assert "Niamh" not in taken and not any(text in taken for text in HOSTS.values())
    assert cycle_row(room).status == "stopped"
    # Alone they go on: the reflection can be written, and everything deleted.
    coach.post("texts/own_learning", text="still mine")
    assert coach.status == 303
    assert page(coach, f"mine/cycles/{room.cycle_id}") and page(coach, "")
    for role in (room.course.trainer,):
        trainer = room.desk_of(role)
        assert "Niamh" not in page(trainer, "")


def test_when_both_are_erased_nothing_of_the_pair_is_left(room: Room, clock: Any) -> None:
    erase(room, 0, clock())
    erase(room, 1, clock())
    with room.database.read() as session:
        for name in ("cycles", "pairs", "cycle_members", "texts", "stage_marks", "agreements", "meetings"):
            table = Base.metadata.tables[name]
            assert session.scalar(select(func.count()).select_from(table)) == 0, name
        assert session.scalar(select(func.count()).select_from(Person).where(Person.erased_at.is_not(None))) == 0


def test_sign_ins_end_and_a_later_launch_makes_somebody_new(room: Room, clock: Any) -> None:
    with room.database.write() as session:
        sub = session.scalar(select(Person.sub).where(Person.id == person_of(room, 0)))
        handle = session.scalars(select(SignIn.id).where(SignIn.membership_id == room.course.teachers[0])).first()
        session.add(
            Login(
                state_hash="s", nonce_hash="n", browser_hash="b", platform_id=room.course.platform_id,
                target_link_uri="x", created_at=clock(), expires_at=clock(), sign_in_id=handle,
            )
        )  # fmt: skip
    erase(room, 0, clock())
    assert room.host.client.get(f"{room.host.at}/").status_code == 401
    with room.database.write() as session:
        assert session.scalar(select(func.count()).select_from(Login)) == 0
        new = Person(platform_id=room.course.platform_id, sub=sub, name="Niamh", created_at=clock())
        session.add(new)
        session.flush()
        member = Membership(course_id=room.course.course_id, person_id=new.id, lms_role="learner", created_at=clock())
        session.add(member)
        session.flush()
        again = member.id
    client = room.host.client
    prefix = sign_in(room.database, client, again, room.course.activity_id, clock())
    taken = client.get(f"{prefix}/mine/mine.json").get_json()
    assert taken["cycles"] == taken["pairs"] == taken["invitations"] == []


def test_no_bytes_are_left_in_any_file(room: Room, clock: Any, database_kind: str, tmp_path: Path) -> None:
    if database_kind != "sqlite":
        return  # PostgreSQL keeps dead rows until VACUUM, as docs/operator.md says
    person_id = person_of(room, 0)
    with room.database.read() as session:
        about = select(Person.sub, Person.name, Person.family_name).where(Person.id == person_id)
        person = session.execute(about).one()
        sealed = list(session.scalars(select(CycleText.sealed).where(CycleText.author_id == person_id)))
    wanted = [*(part.encode() for part in person), room.course.teachers[0].encode(), *sealed]
    data = [file for file in tmp_path.rglob("*") if file.is_file()]
    there = b"".join(file.read_bytes() for file in data)
    assert all(each in there for each in wanted), "otherwise this test could not fail"
    erase(room, 0, clock())
    left = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert not [each for each in wanted if each in left]


# The operator's commands


@pytest.fixture
def at_command(room: Room, monkeypatch: pytest.MonkeyPatch, database_url: str) -> list[str]:
    """The settings that the commands load, and the options that name the host."""
    settings = make_settings(database_url=database_url)
    monkeypatch.setattr(config, "load", lambda _file: settings)
    monkeypatch.setattr(migrate, "is_current", lambda _database: True)
    with room.database.read() as session:
        sub = session.scalar(select(Person.sub).where(Person.id == person_of(room, 0)))
    assert sub
    return ["--platform", room.course.platform_id, "--user", sub]


def test_the_operator_writes_it_down_and_the_person_sees_that(
    room: Room, at_command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    folder = tmp_path / "request"
    monkeypatch.setattr("click.confirm", lambda *_arguments, **_options: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cli.run(["person", "export", *at_command, "--to", str(folder)]) == 1
    assert "sealed, and this opens it" in capsys.readouterr().err and not folder.exists()
    assert "Whoever runs the server" not in page(room.host, "looked")
    assert cli.run(["person", "export", *at_command, "--to", str(folder), "--yes-open-content"]) == 0
    said = capsys.readouterr()
    assert "Niamh" not in said.out + said.err
    body = (folder / "meitheal.json").read_text("utf-8")
    assert all(text in body for text in HOSTS.values()) and not any(text in body for text in COACHES.values())
    assert all(text in (folder / "meitheal.html").read_text("utf-8") for text in HOSTS.values())
    assert (folder / "meitheal.json").stat().st_mode & 0o077 == 0
    assert "Whoever runs the server" in page(room.host, "looked")
    assert "Whoever runs the server" in page(room.coach, "looked"), "their words came along"
    assert cli.run(["person", "export", *at_command, "--to", str(folder), "--yes-open-content"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_operator_erases_by_name(room: Room, at_command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["person", "erase", *at_command, "--yes", "Seán Ó Dónaill"]) == 2
    assert "Nobody was deleted" in capsys.readouterr().err
    assert "host-goal" in page(room.host, "mine/mine.json")
    assert cli.run(["person", "erase", *at_command, "--yes", "Niamh Ní Bhriain"]) == 0
    assert "Deleted, with the keys" in capsys.readouterr().out
    assert room.host.client.get(f"{room.host.at}/mine").status_code == 401
    assert cli.run(["person", "erase", *at_command, "--yes", "Niamh Ní Bhriain"]) == 2
    assert re.search("named nobody by this user id", capsys.readouterr().err)


def test_erasing_twice_is_erasing_once(room: Room, database: Database, clock: Any) -> None:
    person_id, _membership = erase(room, 0, clock())
    with database.write() as session:
        erasure.erase(session, keyring_of(room), person_id, clock())
    assert person_id in keyring_of(room).erased()
