"""The audit of dependencies names what is weak, and says loudly what it could not ask."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("meitheal_audit", Path(__file__).with_name("audit.py"))
assert _spec and _spec.loader
audit: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)

WEAK = {
    "name": "jinja2", "version": "3.1.4",
    "vulns": [{"id": "PYSEC-2024-1", "fix_versions": ["3.1.5"], "aliases": ["CVE-2024-56201"], "description": "…"}],
}  # fmt: skip
UNMENDED = {"name": "huey", "version": "2.5.0", "vulns": [{"id": "PYSEC-9", "fix_versions": [], "aliases": []}]}
WELL = {"name": "flask", "version": "3.1.3", "vulns": []}
PASSED_OVER = {"name": "redis", "skip_reason": "Dependency not found on PyPI and could not be audited: redis (5.0)"}
PACKAGES = {"flask": "3.1.3", "huey": "2.5.0", "jinja2": "3.1.4", "redis": "5.0"}


def answer(*rows: dict[str, Any]) -> str:
    """An answer in the form that pip-audit 2.10 gives."""
    return json.dumps({"dependencies": rows, "fixes": []})


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        (answer(WELL, WEAK, UNMENDED, PASSED_OVER), 1, ["jinja2 3.1.4: PYSEC-2024-1, mended in 3.1.5"]),
        (answer(WELL, WEAK, UNMENDED, PASSED_OVER), 1, ["huey 2.5.0: PYSEC-9, not mended", "WARNING", "of redis"]),
        # What pip-audit prints, with exit status 0, where its source of advisories knows nothing.
        (answer(PASSED_OVER), 0, ["WARNING", "any package", "4 of 4"]),
        ("", 0, ["WARNING", "4 of 4"]),
        ("<html>down</html>", 0, ["WARNING", "4 of 4"]),
        ("[]", 0, ["WARNING", "4 of 4"]),
    ],
)
@pytest.mark.parametrize("checking_machine", [False, True])
def test_an_advisory_fails_and_silence_warns(
    said: str, status: int, told: list[str], checking_machine: bool,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if checking_machine:
        monkeypatch.setenv("MEITHEAL_REQUIRE_ALL", "1")
    monkeypatch.setattr(audit, "needed", lambda *_: PACKAGES)
    monkeypatch.setattr(audit, "ask", lambda _: said)
    assert audit.main() == status
    errors = capsys.readouterr().err
    assert all(part in errors for part in told), errors


def test_all_well_is_said_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "needed", lambda *_: {"flask": "3.1.3"})
    monkeypatch.setattr(audit, "ask", lambda _: answer(WELL))
    assert audit.main() == 0
    assert capsys.readouterr() == ("1 packages looked up, 0 advisories\n", "")


def test_what_is_needed_at_run_time_is_all_of_it_and_no_more() -> None:
    found = audit.needed("meitheal", audit.EXTRAS)
    # Named by us, needed by those, and chosen by an installation.
    assert {"flask", "jinja2", "cffi", "psycopg", "psycopg-binary", "redis"} <= found.keys()
    assert not {"pytest", "ruff", "pip-audit", "meitheal"} & found.keys()
