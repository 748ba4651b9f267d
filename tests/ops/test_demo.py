"""`meitheal demo`: two sites on this machine that know each other, again after a restart, and stopped cleanly."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from factories import make_settings
from flask import Flask
from interop.platforms import ALL, NIAMH, TOOL, TRAINER, Lms, Visitor, served
from sqlalchemy import select

from lti_tool import cli
from lti_tool.ops import demo, demo_round, demo_visit
from lti_tool.people.models import Platform
from lti_tool.store.database import Database
from moodle_sync import sites


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, lms: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The demonstration when it says it is ready: the process, and the addresses of tool and sandbox."""
    tool, sandbox = free_port(), free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "lti_tool.cli", "demo", "--port", str(tool), "--sandbox-port", str(sandbox)]
        + ([] if lms == "moodle" else ["--lms", lms]),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            assert f"Open http://127.0.0.1:{sandbox}" in said
            assert f"behaves like {lms.title()}" in said
            yield process, f"http://localhost:{tool}", f"http://127.0.0.1:{sandbox}"
        finally:
            if process.poll() is None:
                process.kill()


def is_open(address: str) -> bool:
    host, port = address.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.mark.parametrize(("how", "lmss"), [(signal.SIGINT, ["moodle"]), (signal.SIGTERM, ["moodle", "canvas"])])
def test_tool_and_sandbox_know_each_other_and_stop_together(
    tmp_path: Path, how: signal.Signals, lmss: list[str]
) -> None:
    for lms in lmss:
        with running(tmp_path, lms) as (process, tool, sandbox):
            assert requests.get(f"{tool}/readyz", timeout=10).text == "ready\n"
            (registered,) = requests.get(f"{sandbox}/sandbox/tools", timeout=10).json()
            assert registered["active"] is True
            with requests.Session() as browser:
                trainer = next(
                    person
                    for person in browser.get(f"{sandbox}/sandbox/people", timeout=10).json()
                    if person["role"] == "editingteacher"
                )
                browser.post(f"{sandbox}/sandbox/login", json={"user": trainer["id"]}, timeout=10)
                course = browser.get(f"{sandbox}/course/2", timeout=10).text
            assert course.count("Collegial peer coaching") >= 2
            assert demo_round.TITLE in course and demo_visit.TITLE in course
            assert f"behaves like {lms.title()}" in course
            process.send_signal(how)
            assert process.wait(30) == 0
            assert not is_open(tool)
            assert not is_open(sandbox)


@pytest.mark.parametrize("name", ALL)
def test_it_connects_with_every_lms_so_that_people_come_in(app: Flask, database: Database, name: str) -> None:
    lms = Lms(name, app)
    try:
        with served("localhost") as tool:
            tool.app = app
            now = datetime.now(UTC)
            settings = make_settings(public_url=TOOL)
            product = demo.connect(lms.address, tool.address, settings, database, lambda: now)
            is_moodle = demo.open_web_services(lms.address, settings, database, lambda: now)
        assert product == lms.school.personality.product
        assert is_moodle is (name == "moodle")
        inside, alone = lms.asked("activities")
        Visitor(app, lms, TRAINER, inside["launch"])
        Visitor(app, lms, NIAMH, alone["launch"])
        Visitor(app, lms, TRAINER, lms.selection)
        # What the tool asks to be told with each launch is asked for where it is typed in by hand, too.
        assert lms.tool.custom == own_description(app)["custom_fields"]
    finally:
        lms.stop()
    with database.read() as session:
        assert session.scalars(select(Platform.status)).all() == ["active"]
        assert [(site.events, site.messages) for site in sites.sites(session)] == [(True, True)] * is_moodle


def own_description(app: Flask) -> dict[str, object]:
    """The tool as it describes itself for those who type it in."""
    said: dict[str, object] = app.test_client().get("/lti/config.json").get_json()
    return said


def test_an_lms_that_it_cannot_play_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["demo", "--lms", "ilias"]) == 2
    said = capsys.readouterr().err
    assert all(f"'{name}'" in said for name in ALL)


def test_a_port_that_is_taken_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.run(["demo", "--port", str(port), "--sandbox-port", str(free_port())]) == 1
    assert capsys.readouterr().err == (
        f"meitheal: Port {port} of 127.0.0.1 is in use by another program. Choose another one.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_in_it_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    (tmp_path / "thesis" / "config.toml").write_text('public_url = "https://coaching.example.ie"')
    arguments = ["demo", "--port", str(free_port()), "--sandbox-port", str(free_port()), "--folder", "thesis"]
    assert cli.run(arguments) == 2
    assert "Name an empty one" in capsys.readouterr().err
    assert (tmp_path / "thesis" / "chapter.txt").exists()
