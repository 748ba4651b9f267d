"""The built wheel serves the tool from an empty environment, with templates, style, translations and revisions."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(600)


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("meitheal-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program folder of an environment with the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    # By the pip that is here, and without compiling what nobody imports: both take longer than all else.
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-compile")
    run(*pip, "--quiet", "--disable-pip-version-check", wheel, cwd=folder)
    return programs


@pytest.fixture(scope="module")
def served(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the tool, installed and served outside of the checkout."""
    folder = tmp_path_factory.mktemp("installation")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://localhost:{port}"
    run(installed / "meitheal", "init", "--public-url", address, cwd=folder, env=env)
    run(installed / "meitheal", "db", "upgrade", cwd=folder, env=env)
    command = [installed / "meitheal", "serve", "--port", str(port), "--workers", "2"]
    with subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not _answers(f"{address}/healthz"):
                assert process.poll() is None, process.stderr and process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.2)
            yield address
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            if process.poll() is None:
                process.kill()


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).text == "ok\n"
    except requests.RequestException:
        return False


def test_the_wheel_carries_everything_that_is_not_python(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder, kinds in (
        ("templates", (".html",)),
        ("lti_tool/web/static", (".css", ".js", ".svg")),
        ("lti_tool/sandbox/templates", (".html",)),
        ("lti_tool/sandbox/static", (".css",)),
        ("lti_tool/store/migrations", (".py", ".mako")),
        ("lti_tool/protocols", (".yaml", ".yml")),
        ("lti_tool/reflection", (".yaml", ".yml")),
        ("moodle_sync", (".py",)),
    ):
        here = [file for file in (ROOT / folder).rglob("*") if file.suffix in kinds]
        assert here, folder
        for file in here:
            name = file.relative_to(ROOT).as_posix()
            assert (f"lti_tool/{name}" if folder == "templates" else name) in inside, name
    for room in ("moodle", "schedule"):
        assert any(name.startswith(f"lti_tool/templates/{room}/") for name in inside), room
    assert "lti_tool/translations/ga/LC_MESSAGES/messages.mo" in inside
    assert not [name for name in inside if name.startswith(("tests/", "var/", "docs/"))]


def test_it_is_alive_and_ready(served: str) -> None:
    assert requests.get(f"{served}/healthz", timeout=10).text == "ok\n"
    assert requests.get(f"{served}/readyz", timeout=10).text == "ready\n"
    assert requests.get(f"{served}/lti/jwks.json", timeout=10).json()["keys"]


def test_a_page_comes_with_its_style(served: str) -> None:
    page = requests.get(served, timeout=10)
    assert page.status_code == 200
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
    assert styles
    for style in styles:
        answer = requests.get(served + style, timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/css")


def test_it_speaks_irish(served: str) -> None:
    english = requests.get(served, timeout=10, headers={"Accept-Language": "en"}).text
    irish = requests.get(served, timeout=10, headers={"Accept-Language": "ga"}).text
    assert '<html lang="ga"' in irish
    title = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
    assert title.findall(english) != title.findall(irish)


def test_metrics_of_several_processes_are_added_up(served: str) -> None:
    assert "meitheal_requests_total" in requests.get(f"{served}/metrics", timeout=10).text


def test_it_works_in_the_background_too(installed: Path, tmp_path: Path) -> None:
    assert "worker" in run(installed / "meitheal", "--help", cwd=tmp_path)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", run(installed / "meitheal", "--version", cwd=tmp_path))
