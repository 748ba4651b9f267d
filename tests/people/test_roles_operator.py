"""`meitheal person leader`: what it says, and whom it names."""

from pathlib import Path

import pytest
from factories import make_course, make_settings
from sqlalchemy import select

from lti_tool import cli
from lti_tool.ops import config
from lti_tool.people.models import Membership, Person, Platform
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.store.database import Database


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database of the settings that the command loads."""
    settings = make_settings(database_url=f"sqlite:///{tmp_path}/meitheal.db")
    monkeypatch.setattr(config, "load", lambda _file: settings)
    made = Database(settings.database_url)
    keyring_store.upgrade(made, Keyring.of(settings, made).database)
    return made


def leads(database: Database, membership_id: str) -> bool:
    with database.read() as session:
        return session.scalars(
            select(Person.is_leader)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.id == membership_id)
        ).one()


def test_the_operator_says_who_leads_and_takes_it_back(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_course(database)
    with database.read() as session:
        sub = session.scalars(select(Person.sub).join(Membership).where(Membership.id == made.guest)).one()
        issuer = session.scalars(select(Platform.issuer)).one()
    assert cli.run(["person", "leader", "--platform", made.platform_id, "--user", sub]) == 0
    assert leads(database, made.guest) and not leads(database, made.trainer)
    said = capsys.readouterr()
    assert "no names in any course" in said.out and "Colm" not in said.out + said.err
    assert cli.run(["person", "leader", "--issuer", issuer, "--user", sub, "--withdraw"]) == 0
    assert not leads(database, made.guest)


def test_what_is_wrong_is_one_line(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_course(database)
    for arguments, said in (
        (["--platform", made.platform_id, "--user", "nobody"], "has not named anybody by this user id"),
        (["--platform", "nowhere", "--user", "1"], "There is no platform nowhere"),
        (["--user", "1"], "Name one platform"),
        (["--platform", made.platform_id, "--issuer", "https://x.example", "--user", "1"], "Name one platform"),
        (["--platform", made.platform_id], "--user"),
    ):
        assert cli.run(["person", "leader", *arguments]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    with database.read() as session:
        assert not any(session.scalars(select(Person.is_leader)))
