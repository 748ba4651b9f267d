"""`meitheal moodle …`, the doctor's line and the master key: what an operator types and reads."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import Command, command_in
from live_moodle import Moodle
from sqlalchemy import select

from lti_tool import cli
from lti_tool.people.models import Platform
from lti_tool.store.base import new_id
from lti_tool.store.database import Database
from moodle_sync import client, sites
from moodle_sync.models import MoodleSite, MoodleWrite
from moodle_sync.sites import NEEDED

NETWORK = '\n[network]\nallow_private = ["127.0.0.0/8", "::1/128"]\n'


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh installation that may call this machine; copying it is quicker than making one each time."""
    folder = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert cli.run(["init"]) == 0
        with (folder / "config.toml").open("a") as opened:
            opened.write(NETWORK)
        assert cli.run(["db", "upgrade"]) == 0
    return folder


@pytest.fixture
def meitheal(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command in an installation of this test's own."""
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    return command_in(tmp_path, monkeypatch, capsys)


@pytest.fixture
def database(meitheal: Command, tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/var/meitheal.db")


@pytest.fixture
def connect(meitheal: Command, moodle: Moodle, platform_id: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(client, "PAUSES_S", (0.0,))

    def typed(token: str = "", *more: str, url: str = "") -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{token or moodle.token}\n"))
        return meitheal("moodle", "connect", platform_id, "--url", url or f"{moodle.address}/", *more)

    return typed


def test_connect_show_allow_and_forget(
    meitheal: Command, database: Database, connect: Any, moodle: Moodle, platform_id: str
) -> None:
    assert "not connected" in meitheal("moodle", "show", platform_id).err
    ran = connect()
    assert (ran.status, ran.err) == (0, "") and f"Connected with {moodle.address}, Moodle 4.4dev" in ran.out
    shown = meitheal("moodle", "show", "--issuer", moodle.address)
    assert shown.status == 0 and f"functions:   {len(moodle.school.web_services.functions)}" in shown.out
    assert moodle.token not in shown.out + shown.err + ran.out + ran.err
    assert meitheal("moodle", "allow", platform_id, "--events").out == "Events: on. Messages: off.\n"
    assert meitheal("moodle", "allow", platform_id).status == 2
    listed = meitheal("moodle", "functions", platform_id)
    assert listed.out.count("there") >= sum(map(len, NEEDED.values())) and "MISSING" not in listed.out
    assert meitheal("moodle", "forget", platform_id, "--yes").status == 0
    with database.read() as session:
        assert session.scalars(select(MoodleSite)).all() == []
        assert session.scalars(select(Platform.id)).one() == platform_id


def test_what_is_missing_is_named_with_the_page_where_it_is_added(
    meitheal: Command, connect: Any, moodle: Moodle, platform_id: str
) -> None:
    for name in (*NEEDED["messages"], "core_group_assign_grouping"):
        moodle.school.web_services.functions.remove(name)
    ran = connect()
    assert ran.status == 0 and "External services > Functions" in ran.err
    assert "Missing, so that reminders become messages: core_message_send_instant_messages" in ran.err
    refused = meitheal("moodle", "allow", platform_id, "--messages")
    assert refused.status == 2 and "core_message_send_instant_messages" in refused.err
    assert "MISSING  core_group_assign_grouping" in meitheal("moodle", "functions", platform_id).out


@pytest.mark.parametrize(
    ("token", "url", "said"),
    [
        ("wrong", "", "Manage tokens"),
        ("not a token", "", "letters and digits"),
        ("", "https://", "https://"),
        ("", "http://127.0.0.1:9", "reached from here"),
        ("", "http://10.0.0.1", "allow_private"),
        ("", "{address}/moodle", "start page"),
    ],
)
def test_what_cannot_be_connected_is_one_line_that_says_what_to_do(
    connect: Any, database: Database, moodle: Moodle, token: str, url: str, said: str
) -> None:
    ran = connect(token, url=url.format(address=moodle.address))
    assert ran.status in (1, 2) and ran.out == ""
    assert said in ran.err and len(ran.err.splitlines()) == 1
    with database.read() as session:
        assert session.scalars(select(MoodleSite)).all() == []


def test_another_moodle_than_the_platforms(connect: Any, database: Database, moodle: Moodle, platform_id: str) -> None:
    with database.write() as session:
        session.scalars(select(Platform)).one().issuer = "https://moodle.example"
    ran = connect()
    assert ran.status == 2 and "https://moodle.example" in ran.err and moodle.address in ran.err


def test_the_doctor_tries_the_web_services(meitheal: Command, connect: Any, moodle: Moodle) -> None:
    connect()
    moodle.school.web_services.functions.remove("core_group_assign_grouping")
    assert "without core_group_assign_grouping" in meitheal("doctor").out
    moodle.school.web_services.token = "another"
    found = meitheal("doctor")
    assert found.status == 1
    assert "FIX   Coláiste Abhainn Rua: Moodle's web services cannot be used. Moodle refused" in found.out


def test_the_token_goes_along_to_the_next_master_key(
    meitheal: Command, database: Database, connect: Any, platform_id: str, tmp_path: Path
) -> None:
    connect()
    for _ in range(2):
        assert meitheal("keys", "rotate", "--master").status == 0
    assert "still sealed by another master key" in meitheal("doctor").out
    assert "So are 1 tokens of Moodle." in meitheal("keys", "reseal").out
    secrets = tmp_path / "secrets.toml"
    kept = [line for line in secrets.read_text().splitlines() if not line.startswith("old_master_keys")]
    secrets.write_text("\n".join(kept) + "\n")
    assert meitheal("moodle", "show", platform_id).status == 0
    assert "Moodle's web services answer" in meitheal("doctor").out


def test_a_token_that_no_master_key_opens_says_so(
    meitheal: Command, database: Database, connect: Any, platform_id: str
) -> None:
    connect()
    with database.write() as session:
        session.scalars(select(MoodleSite)).one().master = "gone"
    shown = meitheal("moodle", "show", platform_id)
    assert shown.status == 1 and "old_master_keys" in shown.err
    assert "sealed by a master key that is not in the settings (gone)" in meitheal("doctor").out


def test_a_copy_of_the_data_brings_the_connection_back(
    meitheal: Command, database: Database, connect: Any, platform_id: str, tmp_path: Path
) -> None:
    connect()
    assert meitheal("backup", str(tmp_path / "copies")).status == 0
    assert meitheal("moodle", "forget", platform_id, "--yes").status == 0
    database.dispose()
    (copy,) = [file for file in (tmp_path / "copies").iterdir() if "keyring" not in file.name]
    restored = meitheal("restore", "--data", str(copy))
    assert restored.status == 0, restored.err
    assert meitheal("moodle", "show", platform_id).status == 0
    with Database(f"sqlite:///{tmp_path}/var/meitheal.db").read() as session:
        assert sites.site_of(session, platform_id) is not None


def test_what_is_not_in_moodle_is_listed_with_advice_and_without_people(
    meitheal: Command, database: Database, connect: Any, platform_id: str, clock: Any
) -> None:
    connect()
    with database.write() as session:
        for kind, status, problem in (
            ("message", "unknown", "no_answer"), ("event", "failed", "nopermissions"), ("group", "waiting", ""),
            ("group", "done", ""),
        ):  # fmt: skip
            session.add(
                MoodleWrite(
                    platform_id=platform_id, kind=kind, key=new_id(), status=status, problem=problem, made_at=clock()
                )
            )
    listed = meitheal("deliveries").out
    assert "Moodle messages: 1 unknown (no_answer)" in listed and "a message is not sent again" in listed
    assert "Moodle events: 1 failed (nopermissions)" in listed and "lacks a capability" in listed
    assert "Moodle groups: 1 waiting (new)" in listed and "if a worker runs" in listed
    assert len(listed.splitlines()) == 3
    said = meitheal("doctor").out
    assert "1 × message may have arrived in Moodle, or not (no_answer)" in said
    assert "1 × event did not get into Moodle (nopermissions)" in said and "× group" not in said
