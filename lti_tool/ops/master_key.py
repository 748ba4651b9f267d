"""Changing the master key while the tool runs: steps in secrets.toml, and sealing anew what the old one sealed."""

import base64
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from lti_tool.ops.errors import CommandFailed

NAMES = ("master_key", "next_master_key", "old_master_keys")


def rotate(secrets_file: Path) -> Literal["written", "promoted"]:
    """Takes the next step in secrets.toml: writes the key that comes or, where there is one, lets it take over.

    The file is replaced in one move, readable by its owner only; what else is in it stays. Raises CommandFailed when
    the master key is not in this file.
    """
    for name in NAMES:
        if os.environ.get(f"MEITHEAL_{name.upper()}"):
            raise CommandFailed(
                f"MEITHEAL_{name.upper()} comes from the environment, which no command can change: take the steps "
                "there, as docs/operator.md says under “Another master key”.",
                is_usage=True,
            )
    try:
        text = secrets_file.read_text("utf-8")
        held = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandFailed(f"{secrets_file} cannot be read: {error}", is_usage=True) from None
    if "master_key" not in held:
        raise CommandFailed(f"There is no master_key in {secrets_file}.", is_usage=True)
    if coming := held.get("next_master_key"):
        old = [*held.get("old_master_keys", []), held["master_key"]]
        _replace(secrets_file, text, {"master_key": coming, "next_master_key": None, "old_master_keys": old})
        return "promoted"
    _replace(secrets_file, text, {"next_master_key": base64.b64encode(secrets.token_bytes(32)).decode()})
    return "written"


def _replace(file: Path, text: str, changes: Mapping[str, Any]) -> None:
    changed = text
    for name, value in changes.items():
        changed = re.sub(rf"(?m)^[ \t]*{name}[ \t]*=[ \t]*(\[[^\]]*\]|.*)\n?", "", changed)
        if value is not None:
            # In front: below the head of a section it would belong to that.
            changed = f"{name} = {_toml(value)}\n{changed}"
    expected = {key: value for key, value in (tomllib.loads(text) | dict(changes)).items() if value is not None}
    try:
        is_right = tomllib.loads(changed) == expected
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise CommandFailed(
            f"{file} is written in an unusual way; nothing was changed. Put each key on a line of its own.",
            is_usage=True,
        )
    # The mode is 600 from the beginning.
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(changed)
            opened.flush()
            os.fsync(opened.fileno())
        owner = file.stat()
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            # Written by root for the account that the service runs as.
            os.chown(name, owner.st_uid, owner.st_gid)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _toml(value: str | list[str]) -> str:
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else f'"{value}"'
