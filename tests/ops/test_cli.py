"""The command: what it prints, its exit status, and never a traceback."""

import json
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import Command, command_in
from cryptography.hazmat.primitives.asymmetric import rsa
from factories import make_course
from jwt.algorithms import RSAAlgorithm
from pytest_httpserver import HTTPServer
from sqlalchemy import select, update

from lti_tool import cli
from lti_tool.people import registry
from lti_tool.people.models import Deployment, Platform
from lti_tool.store import migrate
from lti_tool.store.database import Database

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
KEYS = {"keys": [RSAAlgorithm.to_jwk(_KEY, as_dict=True) | {"kid": "k1", "alg": "RS256", "use": "sig"}]}


@pytest.fixture
def meitheal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in an empty folder."""
    return command_in(tmp_path, monkeypatch, capsys)


@pytest.fixture
def installed(meitheal: Command) -> Command:
    """The same, where `init` and `db upgrade` were run."""
    assert meitheal("init").status == 0
    assert meitheal("db", "upgrade").status == 0
    return meitheal


@pytest.fixture
def database(installed: Command, tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/var/meitheal.db")


def test_init_writes_settings_and_secret_keys_and_never_overwrites(meitheal: Command, tmp_path: Path) -> None:
    ran = meitheal("init", "--public-url", "https://coaching.example.ie/")
    assert ran.status == 0
    assert 'public_url = "https://coaching.example.ie"' in (tmp_path / "config.toml").read_text()
    secrets = tmp_path / "secrets.toml"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    before = secrets.read_bytes()
    again = meitheal("init")
    assert (again.status, again.out) == (2, "")
    assert "config.toml exists already" in again.err
    (tmp_path / "config.toml").unlink()
    assert "secrets.toml exists already" in meitheal("init").err
    assert secrets.read_bytes() == before
    assert not (tmp_path / "config.toml").exists()


def test_init_refuses_an_address_that_cannot_work(meitheal: Command, tmp_path: Path) -> None:
    ran = meitheal("init", "--public-url", "http://coaching.example.ie")
    assert ran.status == 2
    assert "public_url" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_two_installations_have_different_keys(meitheal: Command, tmp_path: Path) -> None:
    meitheal("--config", str(tmp_path / "a" / "config.toml"), "init")
    meitheal("--config", str(tmp_path / "b" / "config.toml"), "init")
    found = [re.findall(r'"([^"]+)"', (tmp_path / name / "secrets.toml").read_text()) for name in "ab"]
    assert len({key for keys in found for key in keys}) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command"),
        (["bogus"], "No such command 'bogus'"),
        (["platform"], "Missing command"),
        (["serve", "--port", "x"], "'x' is not a valid integer"),
        (["serve", "--port", "70000"], "70000 is not in the range"),
        (["serve", "--workers", "0"], "0 is not in the range"),
        (["--config", "nowhere.toml", "doctor"], "There is no nowhere.toml"),
        (["platform", "invite"], "Missing argument 'NAME'"),
        (["platform", "show"], "Name one platform"),
        (["platform", "show", "x", "--issuer", "y"], "Name one platform"),
        (["demo", "--port", "8000", "--sandbox-port", "8000"], "a port each"),
    ],
)
def test_bad_input_is_one_line_and_status_2(meitheal: Command, arguments: list[str], said: str) -> None:
    ran = meitheal(*arguments)
    assert ran.status == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert ran.out == ""


def test_a_wrong_setting_is_one_line_that_names_it(meitheal: Command, tmp_path: Path) -> None:
    meitheal("init")
    config = tmp_path / "config.toml"
    config.write_text(config.read_text() + '\n[log]\nlevel = "loud"\n')
    ran = meitheal("platform", "list")
    assert ran.status == 2
    assert ran.err.startswith("meitheal: log.level is 'loud'. Allowed:")


def test_without_settings_the_keys_are_asked_for(meitheal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = meitheal("db", "upgrade")
    assert ran.status == 2
    assert "secret_key is missing" in ran.err
    from lti_tool.ops.config import fresh_keys

    for name, value in fresh_keys().items():
        monkeypatch.setenv(f"MEITHEAL_{name.upper()}", value)
    assert meitheal("db", "upgrade").status == 0
    assert Path("var/meitheal.db").exists()


def test_the_environment_names_the_settings_and_the_option_wins(
    meitheal: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meitheal("--config", "one/config.toml", "init")
    monkeypatch.setenv("MEITHEAL_CONFIG", str(tmp_path / "one" / "config.toml"))
    assert meitheal("db", "upgrade").status == 0
    assert "no/config.toml" in meitheal("--config", "no/config.toml", "db", "upgrade").err


@pytest.mark.parametrize(
    "arguments", [["serve"], ["worker"], ["platform", "list"], ["platform", "invite", "x"], ["keys", "rotate"]]
)
def test_nothing_runs_on_a_database_without_the_right_tables(meitheal: Command, arguments: list[str]) -> None:
    meitheal("init")
    ran = meitheal(*arguments)
    assert ran.status == 1
    assert ran.err == "meitheal: The database does not have the tables of this version. Run: meitheal db upgrade\n"


def test_a_database_that_is_down_is_one_line(meitheal: Command, tmp_path: Path) -> None:
    meitheal("init")
    config = tmp_path / "config.toml"
    config.write_text(
        config.read_text().replace("sqlite:///var/meitheal.db", "postgresql://nobody:geheim@127.0.0.1:1/none")
    )
    ran = meitheal("db", "upgrade")
    assert ran.status == 1
    assert "The database cannot be used" in ran.err
    assert "geheim" not in ran.err
    assert len(ran.err.splitlines()) == 1


def test_upgrade_says_what_it_did(meitheal: Command) -> None:
    meitheal("init")
    assert meitheal("db", "upgrade").out == f"The database went from revision none to {migrate.head()}.\n"
    assert meitheal("db", "upgrade").out == f"The database is up to date (revision {migrate.head()}).\n"


def test_an_invite_is_one_address_on_standard_output(installed: Command, database: Database) -> None:
    ran = installed("platform", "invite", "Scoil Éanna")
    assert re.fullmatch(r"http://localhost:8000/lti/register\?invite=[\w-]{40,}\n", ran.out)
    assert "works once" in ran.err
    assert ran.out.strip().rpartition("=")[2] not in (database.engine.url.database or "")
    assert installed("platform", "invite", "  ").status == 2


def test_platforms_are_listed_shown_suspended_approved_and_removed(installed: Command, database: Database) -> None:
    assert installed("platform", "list").out == ""
    made = make_course(database, issuer="https://lms.example")
    listed = installed("platform", "list").out
    assert made.platform_id in listed
    assert "https://lms.example" in listed
    shown = installed("platform", "show", made.platform_id).out
    assert "Scoil Éanna" in shown
    assert "Byrne" not in shown, "counts, no people"
    assert installed("platform", "show", "--issuer", "https://lms.example").out == shown

    def status() -> str:
        with database.read() as session:
            return session.scalars(select(Platform.status)).one()

    assert installed("platform", "suspend", made.platform_id).status == 0
    assert status() == "suspended"
    assert installed("platform", "approve", "--issuer", "https://lms.example").status == 0
    assert status() == "active"
    assert installed("platform", "approve", made.platform_id, "--deployment", "7").status == 0
    with database.read() as session:
        assert set(session.scalars(select(Deployment.deployment_id))) == {"1", "7"}


def test_a_platform_is_removed_only_by_its_name(
    installed: Command, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_course(database)
    wrong = installed("platform", "remove", made.platform_id, "--yes-remove", "Scoil Eile")
    assert wrong.status == 2
    assert "Nothing was deleted" in wrong.err
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text: "no")
    assert installed("platform", "remove", made.platform_id).status == 2
    with database.read() as session:
        assert len(registry.list_platforms(session)) == 1
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text: "Scoil Éanna")
    assert installed("platform", "remove", made.platform_id).status == 0
    with database.read() as session:
        assert registry.list_platforms(session) == []


def test_what_is_removed_is_written_to_a_file_first(installed: Command, database: Database, tmp_path: Path) -> None:
    made = make_course(database)
    kept = make_course(database)
    with database.write() as session:
        session.execute(update(Platform).where(Platform.id == kept.platform_id).values(name="Scoil Eile"))
    ran = installed("platform", "remove", made.platform_id, "--yes-remove", "Scoil Éanna", "--export", "all.jsonl")
    assert ran.status == 0
    assert "rows are in all.jsonl" in ran.out
    file = tmp_path / "all.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0]["platform"] == made.platform_id
    assert sum(line.get("table") == "people" for line in lines) == 7
    assert kept.platform_id not in file.read_text()
    ran = installed("platform", "remove", kept.platform_id, "--yes-remove", "Scoil Eile")
    assert re.search(rf"rows are in meitheal-{kept.platform_id}-\d{{8}}-\d{{6}}\.jsonl", ran.out)


@pytest.mark.parametrize("export", ["nowhere/all.jsonl", "config.toml"])
def test_without_its_file_nothing_is_removed(installed: Command, database: Database, export: str) -> None:
    made = make_course(database)
    before = Path("config.toml").read_text()
    ran = installed("platform", "remove", made.platform_id, "--yes-remove", "Scoil Éanna", "--export", export)
    assert ran.status == 1
    assert "Nothing was deleted" in ran.err
    assert Path("config.toml").read_text() == before
    with database.read() as session:
        assert len(registry.list_platforms(session)) == 1


def test_a_platform_is_added_by_hand_after_it_was_tried(
    installed: Command, database: Database, httpserver: HTTPServer
) -> None:
    config = Path("config.toml")
    config.write_text(config.read_text() + '\n[network]\nallow_private = ["127.0.0.0/8", "::1/128"]\n')
    site = httpserver.url_for("").rstrip("/")
    named = ("platform", "add", "--name", "Scoil", "--family", "moodle", "--site", site)
    missing = installed(*named)
    assert missing.status == 2
    assert missing.err == "meitheal: --client-id is missing.\nmeitheal: --deployment is missing.\n"
    named += ("--client-id", "c1", "--deployment", "1")
    nothing_there = installed(*named)
    assert nothing_there.status == 2
    assert f"--jwks-url: there are no keys at {site}/mod/lti/certs.php" in nothing_there.err
    assert installed("platform", "list").out == ""

    httpserver.expect_request("/mod/lti/certs.php").respond_with_json(KEYS)
    httpserver.expect_request("/mod/lti/auth.php").respond_with_data("", 400)
    httpserver.expect_request("/mod/lti/token.php").respond_with_json({"error": "invalid_client"}, 400)
    added = installed(*named)
    assert (added.status, added.err.count("gives no token yet")) == (0, 1)
    assert "Scoil" in installed("platform", "list").out
    again = installed(*named)
    assert (again.status, "registered already" in again.err) == (2, True)


def test_a_platform_may_be_added_without_trying_it(installed: Command) -> None:
    addresses = ("--authorization-url", "lms.example/a", "--token-url", "lms.example/t", "--jwks-url", "lms.example/j")
    ran = installed(
        "platform",
        "add",
        "--name",
        "X",
        "--issuer",
        "https://lms.example",
        "--client-id",
        "c",
        *addresses,
        "--unchecked",
    )
    assert ran.status == 0
    assert "Nothing was tried" in ran.err
    shown = installed("platform", "show", "--issuer", "https://lms.example").out
    assert "https://lms.example/j" in shown
    assert installed("platform", "add", "--name", "X", "--site", "x", "--unchecked").status == 2


def test_platforms_that_are_not_there_or_ambiguous(installed: Command, database: Database) -> None:
    for _ in range(2):
        make_course(database, issuer="https://canvas.instructure.com")
    missing = installed("platform", "show", "nobody")
    assert (missing.status, missing.err) == (2, "meitheal: There is no platform nobody. See: meitheal platform list\n")
    both = installed("platform", "suspend", "--issuer", "https://canvas.instructure.com")
    assert both.status == 2
    assert "--client-id" in both.err


def test_keys_are_rotated_with_overlap(installed: Command) -> None:
    first = installed("keys", "rotate")
    assert "signs from" in first.out
    second = installed("keys", "rotate")
    assert "stays published" in second.out


def test_what_nobody_foresaw_is_one_line_too(meitheal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_arguments: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("lti_tool.ops.config.load", explode)
    ran = meitheal("platform", "list")
    assert (ran.status, ran.err) == (1, "meitheal: Unexpected: ZeroDivisionError: oh\n")


def test_moments_are_shown_in_utc() -> None:
    assert cli._moment(datetime(2026, 9, 1, 8, 5, tzinfo=UTC)) == "2026-09-01 08:05 UTC"
