"""Where the settings come from, and writing the first ones."""

import base64
import os
import secrets
from pathlib import Path

from lti_tool import settings as settings_module
from lti_tool.ops.errors import CommandFailed
from lti_tool.settings import Settings, SettingsError

_EXAMPLE = """\
# Settings of Meitheal. All keys, with their explanation, are in config.example.toml of the source,
# and in docs/operator.md. The two keys that protect content live in secrets.toml beside this file.

# The address at which browsers and the LMS reach the tool: https, no path.
public_url = "{public_url}"

# PostgreSQL for more than one machine: postgresql://user:password@host/name
database_url = "{database_url}"

# Redis for workers on more than one machine: redis://host:6379/0
queue_url = "{queue_url}"
"""
_SECRETS = """\
# Keep this file secret, and keep a copy in a safe place apart from the database's copies.
# Without master_key nobody can ever read again what teachers wrote.
secret_key = "{secret_key}"
master_key = "{master_key}"
"""


def load(given: Path | None) -> Settings:
    """Settings from `--config`, else MEITHEAL_CONFIG, else ./config.toml, else the defaults with a database under var/.

    Raises CommandFailed with one line per wrong key.
    """
    named = _named(given)
    try:
        if named is not None or Path("config.toml").exists():
            return settings_module.load(named or Path("config.toml"))
        return settings_module.from_values(
            {"public_url": "http://localhost:8000"} | settings_module.keys_from_environment()
        )
    except SettingsError as error:
        raise CommandFailed(str(error), is_usage=True) from None


def secrets_file(given: Path | None) -> Path:
    """Where load() looks for the keys, whether the file exists or not."""
    return (_named(given) or Path("config.toml")).with_name("secrets.toml")


def _named(given: Path | None) -> Path | None:
    return given or (Path(value) if (value := os.environ.get("MEITHEAL_CONFIG")) else None)


def write_first(config_file: Path, public_url: str) -> tuple[Path, Path]:
    """Writes config.toml and, readable by its owner only, secrets.toml with fresh keys; returns both files.

    Raises CommandFailed if one of them exists: a lost master key makes content unreadable for ever.
    """
    for_keys = config_file.with_name("secrets.toml")
    for file in (config_file, for_keys):
        if file.exists():
            raise CommandFailed(f"{file} exists already and is left as it is.", is_usage=True)
    values = {
        "public_url": public_url,
        "database_url": "sqlite:///var/meitheal.db",
        "queue_url": "sqlite:///var/queue.db",
    }
    try:
        checked = settings_module.from_values(values | fresh_keys())
    except SettingsError as error:
        raise CommandFailed(str(error), is_usage=True) from None
    try:
        config_file.parent.mkdir(parents=True, exist_ok=True)
        write_secrets(for_keys)
        config_file.write_text(_EXAMPLE.format(**values | {"public_url": checked.public_url}), "utf-8")
    except OSError as error:
        raise CommandFailed(f"{error.filename} cannot be written: {error.strerror}.") from None
    return config_file, for_keys


def write_secrets(file: Path) -> None:
    """Writes fresh keys; the file is never readable by others, not even for a moment."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(_SECRETS.format(**fresh_keys()))


def fresh_keys() -> dict[str, str]:
    """New random keys, 32 bytes each, in base64."""
    return {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("secret_key", "master_key")}
