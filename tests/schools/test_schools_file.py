"""An operator's file of who works where, and a link to a school's page, by the command."""

from pathlib import Path

import pytest
from browsers import recorded
from commands import Command, command_in
from conftest import Clock
from door.fake_platform import Door, is_let_in
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select, update

from lti_tool.people.models import Membership, Person, School
from lti_tool.schools import service
from lti_tool.schools.files import Listed
from lti_tool.store.database import Database
from lti_tool.web.context import utcnow


@pytest.fixture
def meitheal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in a folder where `init` and `db upgrade` were run."""
    run = command_in(tmp_path, monkeypatch, capsys)
    assert run("init", "--public-url", "https://coaching.example.ie").status == 0
    assert run("db", "upgrade").status == 0
    return run


@pytest.fixture
def installed(meitheal: Command, tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/var/meitheal.db")


@pytest.fixture
def made(installed: Database) -> MadeCourse:
    """Three teachers, whose LMS calls them 1, 2 and 3; the third has said where they work."""
    course = make_course(installed, teachers=3)
    with installed.write() as session:
        for number, membership in enumerate(course.teachers, start=1):
            person = select(Membership.person_id).where(Membership.id == membership).scalar_subquery()
            session.execute(update(Person).where(Person.id == person).values(sub=str(number)))
        said = School(platform_id=course.platform_id, name="Scoil Eile", named_by="person", created_at=utcnow())
        session.add(said)
        session.flush()
        session.execute(update(Person).where(Person.sub == "3").values(school_id=said.id, school_said_by="person"))
    return course


def works_at(database: Database) -> dict[str, tuple[str, str]]:
    """User id → (school, who said so)."""
    with database.read() as session:
        rows = session.execute(
            select(Person.sub, School.name, Person.school_said_by).join(School, School.id == Person.school_id)
        )
        return {row.sub: (row.name, row.school_said_by) for row in rows}


FILE = "user id;school\r\n1;Scoil Éanna\r\n2;Scoil Eoin\r\n3;Scoil Eoin\r\n4;SCOIL EANNA\r\n"


def test_a_file_is_taken_and_taking_it_again_changes_nothing(
    meitheal: Command, installed: Database, made: MadeCourse, tmp_path: Path
) -> None:
    (tmp_path / "schools.csv").write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    ran = meitheal("school", "import", "schools.csv")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        "4 people in 2 schools (2 new); 3 changed, 1 kept what they said themselves, 1 are not known to the tool yet.\n"
    )
    expected = {
        "1": ("Scoil Éanna", "file"),
        "2": ("Scoil Eoin", "file"),
        "3": ("Scoil Eile", "person"),
        "4": ("Scoil Éanna", "file"),
    }
    assert works_at(installed) == expected
    again = meitheal("school", "import", made.platform_id, "schools.csv")
    assert "(0 new); 0 changed, 1 kept" in again.out and "1 are not known" in again.out
    assert works_at(installed) == expected
    (tmp_path / "moved.csv").write_text("user id,school\n1,Scoil Eoin\n", "utf-8")
    assert "1 people in 1 schools (0 new); 1 changed" in meitheal("school", "import", "moved.csv").out
    assert works_at(installed) == expected | {"1": ("Scoil Eoin", "file")}


def test_a_file_with_an_error_changes_nothing_and_all_errors_are_told(
    meitheal: Command, installed: Database, made: MadeCourse, tmp_path: Path
) -> None:
    (tmp_path / "schools.csv").write_text("user id,school\n1,Scoil Éanna\n,x\n2\n", "utf-8")
    ran = meitheal("school", "import", "schools.csv")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "meitheal: Nothing was saved. schools.csv has to be corrected:",
        "meitheal: line 3: the user id is empty",
        "meitheal: line 4: 1 columns, the first line has 2",
    ]
    assert set(works_at(installed)) == {"3"}


WRONG = (
    (("school", "import"), "Say which file"),
    (("school", "import", "a", "b", "c"), "Say which file"),
    (("school", "import", "nowhere.csv"), "nowhere.csv cannot be read: No such file"),
    (("school", "import", "."), ". cannot be read: Is a directory"),
    (("school", "import", "unknown", "good.csv"), "There is no platform unknown"),
    (("school", "import", "--issuer", "https://x.example", "good.csv"), "There is no platform https://x.example"),
    (("platform", "link", "unknown"), "There is no platform unknown"),
    (("platform", "link"), "Name one platform"),
)
"""Arguments, and what they are told."""


def test_what_cannot_be_done_is_one_clear_line(meitheal: Command, made: MadeCourse, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(FILE, "utf-8")
    for arguments, words in WRONG:
        ran = meitheal(*arguments)
        assert (ran.status, ran.out) == (2, "") and words in ran.err, arguments


def test_with_several_platforms_one_is_named(
    meitheal: Command, installed: Database, made: MadeCourse, tmp_path: Path
) -> None:
    other = make_course(installed, issuer="https://other.example")
    (tmp_path / "good.csv").write_text(FILE, "utf-8")
    assert "Name the platform by its id" in meitheal("school", "import", "good.csv").err
    assert meitheal("school", "import", "--issuer", "https://other.example", "good.csv").status == 0
    with installed.read() as session:
        schools = select(School.name).where(School.platform_id == other.platform_id).order_by(School.name)
        assert session.scalars(schools).all() == ["Scoil Eoin", "Scoil Éanna"]
        people = select(Person.school_said_by).where(Person.platform_id == made.platform_id)
        assert "file" not in session.scalars(people).all()


def test_a_link_is_printed_once_and_kept_as_a_hash(meitheal: Command, installed: Database, made: MadeCourse) -> None:
    ran = meitheal("platform", "link", made.platform_id)
    assert ran.status == 0 and "It works once, until " in ran.err
    address, code = ran.out.strip().split("?code=")
    assert address == "https://coaching.example.ie/school/open"
    with installed.read() as session:
        assert service.is_usable(session, code, utcnow())


def test_somebody_of_the_file_who_comes_later_finds_their_school(app: Flask, database: Database, clock: Clock) -> None:
    door = Door(app, database, clock)
    with database.write() as session:
        done = service.import_listed(session, door.platform.id, [Listed("3", "Scoil Eoin")], clock())
    assert (done.changed, done.not_seen_yet) == (1, 1)
    assert is_let_in(door.launch())
    assert works_at(database) == {"3": ("Scoil Eoin", "file")}
    with database.read() as session:
        assert session.scalars(select(Person.given_name)).all() == ["Seán"]


def test_a_large_file_takes_few_statements(database: Database, clock: Clock) -> None:
    course = make_course(database)
    listed = [Listed(str(number), f"Scoil {number % 40}") for number in range(3000)]
    for _ in range(2):
        with recorded(database) as statements, database.write() as session:
            service.import_listed(session, course.platform_id, listed, clock())
        assert len(statements) < 100
    assert len(works_at(database)) == 3000
