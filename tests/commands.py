"""The `meitheal` command, as tests run it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lti_tool import cli


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Ran]


def command_in(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs commands in `folder`, without the settings of whoever runs the tests."""
    monkeypatch.chdir(folder)
    for name in ("MEITHEAL_CONFIG", "MEITHEAL_SECRET_KEY", "MEITHEAL_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Ran:
        status = cli.run(list(arguments))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ran(status, said.out, said.err)

    return run
