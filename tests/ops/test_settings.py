"""Settings: every key explained, every wrong one named with its value and what is allowed."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from lti_tool import settings
from lti_tool.ops.config import fresh_keys
from lti_tool.settings import Settings, SettingsError

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def keys_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= keys_of(field.annotation, f"{prefix}{name}.")
        else:
            found.add(prefix + (field.alias or name))
    return found


def keys_in(values: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in values.items():
        found |= keys_in(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return found


def good(**changes: object) -> dict[str, object]:
    return {"public_url": "https://coaching.example.ie"} | fresh_keys() | changes


def test_the_example_explains_every_key_and_no_other() -> None:
    text = EXAMPLE.read_text("utf-8")
    in_example = keys_in(tomllib.loads(re.sub(r"(?m)^#(?=\w+_(?:keys?|password) = )", "", text)))
    assert in_example == keys_of(Settings)


def test_the_example_loads_and_shows_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEITHEAL_SECRET_KEY", "MEITHEAL_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config.toml"
    config.write_text(EXAMPLE.read_text("utf-8"), "utf-8")
    keys = fresh_keys()
    (tmp_path / "secrets.toml").write_text("\n".join(f'{name} = "{value}"' for name, value in keys.items()), "utf-8")
    assert settings.load(config) == settings.from_values({"public_url": "https://coaching.example.ie"} | keys)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"public_url": "coaching.example.ie"}, ["public_url", "'coaching.example.ie'", "https://"]),
        ({"public_url": "http://coaching.example.ie"}, ["public_url", "https address"]),
        ({"public_url": "https://example.ie/tool"}, ["public_url", "no path"]),
        ({"publik_url": "x"}, ["publik_url is not a setting", "public_url"]),
        ({"database_url": "mysql://x"}, ["database_url", "'mysql://x'", "sqlite:///", "postgresql://"]),
        ({"queue_url": "amqp://x"}, ["queue_url", "'amqp://x'", "redis://"]),
        ({"time_zone": "Europe/Nowhere"}, ["time_zone", "'Europe/Nowhere'"]),
        ({"registration": {"mode": "closed"}}, ["registration.mode", "'closed'", "'invite' or 'open'"]),
        ({"registration": {"modus": "open"}}, ["registration.modus is not a setting", "mode"]),
        ({"network": {"allow_private": ["localhost"]}}, ["network.allow_private.0", "'localhost'", "10.0.0.0/8"]),
        ({"network": {"trusted_proxies": "127.0.0.1"}}, ["network.trusted_proxies", "'127.0.0.1'"]),
        ({"limits": {"enabled": "sometimes"}}, ["limits.enabled", "'sometimes'"]),
        ({"lti": {"algorithms": ["none"]}}, ["lti.algorithms.0", "'none'", "'RS256' or 'ES256'"]),
        ({"log": {"level": "loud"}}, ["log.level", "'loud'", "'debug'"]),
        ({"log": 7}, ["log", "7"]),
    ],
)
def test_a_wrong_key_is_named_with_its_value_and_what_is_allowed(changes: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(SettingsError) as wrong:
        settings.from_values(good(**changes))
    assert all(part in str(wrong.value) for part in said), str(wrong.value)
    assert len(str(wrong.value).splitlines()) == 1


@pytest.mark.parametrize("key", ["secret_key", "master_key"])
@pytest.mark.parametrize("value", ["", "short", "YWJj", "not base64 at all!", "ä"])
def test_a_wrong_key_of_the_two_is_never_shown(key: str, value: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        settings.from_values(good(**{key: value}))
    assert key in str(wrong.value)
    assert "32 random bytes" in str(wrong.value)
    assert not value or f"'{value}'" not in str(wrong.value)


def test_several_wrong_keys_make_several_lines() -> None:
    with pytest.raises(SettingsError) as wrong:
        settings.from_values(good(public_url="x", queue_url="y"))
    assert [line.split()[0] for line in str(wrong.value).splitlines()] == ["public_url", "queue_url"]


def test_missing_keys_say_where_they_belong() -> None:
    with pytest.raises(SettingsError) as wrong:
        settings.from_values({"public_url": "https://coaching.example.ie"})
    assert "secret_key is missing (in secrets.toml or MEITHEAL_SECRET_KEY)" in str(wrong.value)
    assert "MEITHEAL_MASTER_KEY" in str(wrong.value)


def test_the_environment_wins_for_the_two_keys_and_counts_for_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('public_url = "https://a.example"\n', "utf-8")
    in_file, outside = fresh_keys(), fresh_keys()
    (tmp_path / "secrets.toml").write_text("\n".join(f'{name} = "{value}"' for name, value in in_file.items()), "utf-8")
    monkeypatch.setenv("MEITHEAL_MASTER_KEY", outside["master_key"])
    monkeypatch.setenv("MEITHEAL_PUBLIC_URL", "https://b.example")
    loaded = settings.load(config)
    expected = settings.from_values(
        {"public_url": "https://a.example", "secret_key": in_file["secret_key"], "master_key": outside["master_key"]}
    )
    assert loaded == expected


@pytest.mark.parametrize(("content", "said"), [(b"public_url = ", "not valid TOML"), (b"\xff\xfe", "cannot be read")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    config = tmp_path / "config.toml"
    config.write_bytes(content)
    with pytest.raises(SettingsError, match=said) as wrong:
        settings.load(config)
    assert str(config) in str(wrong.value)
