"""`meitheal backup`, `restore`, `keys rotate --master`, `keys reseal`: what they say, and the files that they leave."""

import base64
import stat
import tomllib
from pathlib import Path

import pytest
from factories import make_settings
from ops.test_cli import Command, installed, meitheal

from lti_tool import settings as settings_module
from lti_tool.ops import master_key
from lti_tool.ops.errors import CommandFailed
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import Settings, SettingsError
from lti_tool.store.database import Database
from lti_tool.web.context import utcnow

__all__ = ["installed", "meitheal"]


def read(settings: Settings, sealed: bytes | None = None) -> bytes:
    """Writes and reads a text with these settings, as a process does that started with them."""
    database = Database(settings.database_url)
    keyring = Keyring.of(settings, database)
    with database.write() as session:
        keys = keyring.opened(session, "cycle", utcnow())
        made = sealed or keys.seal("niamh", "words", "t/1")
        assert keys.open("niamh", made, "t/1") == "words"
    keyring.database.dispose()
    database.dispose()
    return made


def now_set() -> Settings:
    return settings_module.load(Path("config.toml"))


def test_the_master_key_changes_step_by_step_while_processes_run(installed: Command) -> None:
    file = Path("secrets.toml")
    file.write_text("# Ours.\n" + file.read_text("utf-8") + '\n[log]\nlevel = "error"\n', "utf-8")
    first = now_set()
    sealed = read(first)
    said = installed("keys", "rotate", "--master")
    assert said.status == 0 and "restart every serve and worker" in said.out
    second = now_set()
    assert second.master_key == first.master_key and second.next_master_key and not second.old_master_keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.read_text("utf-8").count("# Ours.") == 1
    for running in (first, second):
        read(running, sealed)

    said = installed("keys", "rotate", "--master")
    assert said.status == 0 and "meitheal keys reseal" in said.out
    third = now_set()
    assert third.master_key == second.next_master_key and third.next_master_key is None
    assert third.old_master_keys == (first.master_key,) and third.log.level == "error"
    assert third.secret_key == first.secret_key
    for running in (second, third):
        read(running, sealed)
        read(running)

    said = installed("keys", "reseal")
    assert said.status == 0 and "1 keys of content and 0 signing keys" in said.out and "can go" in said.out
    last = third.model_copy(update={"old_master_keys": ()})
    for running in (second, third, last):
        read(running, sealed)
    assert [each.name for each in Path.cwd().glob(".secrets*")] == []
    for value in tomllib.loads(file.read_text("utf-8")).values():
        assert str(value) not in said.out + said.err


def test_a_second_rotation_keeps_the_first_old_key(installed: Command) -> None:
    olds = []
    for _ in range(2):
        olds.append(now_set().master_key)
        assert installed("keys", "rotate", "--master").status == installed("keys", "rotate", "--master").status == 0
    assert now_set().old_master_keys == tuple(olds)


def test_keys_that_nothing_opens_are_not_sealed_anew(installed: Command) -> None:
    read(now_set())
    Path("secrets.toml").unlink()
    Path("secrets.toml").write_text(
        "".join(f'{name} = "{base64.b64encode(b"x" * 32).decode()}"\n' for name in ("secret_key", "master_key")),
        "utf-8",
    )
    said = installed("keys", "reseal")
    assert said.status == 1 and "Put back the one that sealed them" in said.err


def test_a_master_key_of_the_environment_is_not_changed_in_a_file(
    installed: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path("secrets.toml").read_bytes()
    monkeypatch.setenv("MEITHEAL_MASTER_KEY", base64.b64encode(b"e" * 32).decode())
    said = installed("keys", "rotate", "--master")
    assert said.status == 2 and "MEITHEAL_MASTER_KEY comes from the environment" in said.err
    assert Path("secrets.toml").read_bytes() == before


def test_all_keys_can_come_from_the_environment(installed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [base64.b64encode(letter * 32).decode() for letter in (b"a", b"b", b"c", b"d")]
    monkeypatch.setenv("MEITHEAL_MASTER_KEY", keys[0])
    monkeypatch.setenv("MEITHEAL_NEXT_MASTER_KEY", keys[1])
    monkeypatch.setenv("MEITHEAL_OLD_MASTER_KEYS", f"{keys[2]} {keys[3]}")
    found = now_set()
    assert found.next_master_key and found.next_master_key.get_secret_value() == b"b" * 32
    assert [key.get_secret_value() for key in found.old_master_keys] == [b"c" * 32, b"d" * 32]
    monkeypatch.setenv("MEITHEAL_OLD_MASTER_KEYS", "short-secret")
    with pytest.raises(SettingsError, match="a value that is not shown"):
        now_set()


@pytest.mark.parametrize(
    ("text", "said"), [("", "no master_key"), ("not toml", "cannot be read"), ('"master_key" = "x"\n', "unusual way")]
)
def test_secrets_that_cannot_be_changed_stay_as_they_are(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text(text + ("next_master_key = 'y'\n" if "x" in text else ""), "utf-8")
    before = file.read_bytes()
    with pytest.raises(CommandFailed, match=said):
        master_key.rotate(file)
    assert file.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == ["secrets.toml"]


@pytest.mark.parametrize("url", ["sqlite:///var/meitheal.db", "mysql://x"])
def test_a_keyring_belongs_in_another_database(url: str) -> None:
    with pytest.raises(SettingsError, match="keyring_url is"):
        make_settings(database_url="sqlite:///var/meitheal.db", keyring_url=url)
    with pytest.raises(SettingsError, match="another database than database_url"):
        make_settings(database_url="postgresql://a@b/c", keyring_url="postgresql://a@b/c")


def test_a_backup_and_its_way_back(installed: Command) -> None:
    sealed = read(now_set())
    said = installed("backup", "copies")
    assert said.status == 0 and "different places" in said.err
    data, keyring = sorted(Path("copies").iterdir())
    assert str(data) in said.out and str(keyring) in said.out
    assert installed("restore").status == 2
    said = installed("restore", "--data", str(data), "--keyring", str(keyring))
    assert said.status == 0 and "0 keys came back" in said.out and "meitheal.db.before-restore" in said.out
    read(now_set(), sealed)
    said = installed("restore", "--replay")
    assert said.status == 0 and "0 people" in said.out
    assert installed("restore", "--data", "nothing.db").status == 2
    # Into an empty place, as after the loss of a machine: the keyring first.
    for file in Path("var").iterdir():
        file.unlink()
    said = installed("restore", "--data", str(data))
    assert said.status == 1 and "First: meitheal restore --keyring" in said.err
    said = installed("restore", "--keyring", str(keyring), "--data", str(data))
    assert said.status == 0 and "1 keys came back" in said.out
    read(now_set(), sealed)


def test_nothing_serves_without_its_keyring(installed: Command) -> None:
    read(now_set())
    for file in Path("var").glob("meitheal-keyring.db*"):
        file.unlink()
    for arguments in (["serve"], ["worker"], ["backup", "copies"]):
        said = installed(*arguments)
        assert said.status == 1 and "There is no keyring where keyring_url says" in said.err
    assert not list(Path("var").glob("meitheal-keyring.db*"))
