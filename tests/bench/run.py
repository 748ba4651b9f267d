"""`make bench`: measures the budgets of a launch and of the pages, and fails when one is missed.

Times are CPU times of the server's worker process, as the kernel counts them, and every limit is a ratio of two
measurements taken in turn in this same run, so that a slow or busy machine does not change the outcome.
"""

import base64
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))

from pages import statements_per_page  # noqa: E402
from platform_double import Browser, Platform  # noqa: E402
from population import fill  # noqa: E402
from validation import validation_cpu_ms  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
LAUNCHES = int(os.environ.get("BENCH_LAUNCHES", "100"))
TICK = os.sysconf("SC_CLK_TCK")


class Served:
    """One gunicorn worker of four threads, and the CPU time it has used."""

    def __init__(self, app: str, port: int, environment: dict[str, str]) -> None:
        self.address = f"http://localhost:{port}"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", app, "--chdir", str(HERE)),
                *("--worker-class", "gthread", "--workers", "1", "--threads", "4", "--keep-alive", "60"),
                *("--bind", f"127.0.0.1:{port}", "--log-level", "warning"),
            ],
            env=os.environ | environment,
        )
        self._wait(port)
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._worker = int(children[0])

    def cpu_seconds(self) -> float:
        """User and system time of the worker so far."""
        fields = Path(f"/proc/{self._worker}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    @staticmethod
    def _wait(port: int) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    time.sleep(1)
                    return
            time.sleep(0.1)
        raise RuntimeError("the server did not start")


@contextmanager
def serving(app: str, environment: dict[str, str]) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if "MEITHEAL_CONFIG" in environment:
        _write_settings(Path(environment["MEITHEAL_CONFIG"]), port)
    served = Served(app, port, environment)
    try:
        yield served
    finally:
        served.stop()


def _write_settings(file: Path, port: int) -> None:
    key = base64.b64encode(os.urandom(32)).decode()
    file.write_text(
        f'public_url = "http://localhost:{port}"\n'
        f'secret_key = "{key}"\nmaster_key = "{key}"\n'
        f'database_url = "sqlite:///{file.parent}/meitheal.db"\n'
        f'queue_url = "sqlite:///{file.parent}/queue.db"\n'
        '[log]\nlevel = "warning"\n'
    )


def tool_environment(folder: Path, platform: Platform, **population: int) -> dict[str, str]:
    """A folder with a filled database, and the environment that serves it."""
    folder.mkdir()
    fill(f"sqlite:///{folder}/meitheal.db", platform, **population)
    return {"MEITHEAL_CONFIG": str(folder / "config.toml")}


def compare(platform: Platform, first: Served, second: Served) -> tuple[float, float, float]:
    """CPU milliseconds per launch of both, taken in turn, and the median of the rounds' ratios second / first."""
    browsers = {first: Browser(first.address), second: Browser(second.address)}
    people = itertools.cycle(range(1, 31))
    for served, browser in browsers.items():
        for _ in range(60):
            browser.launch(platform, next(people))
        assert served.cpu_seconds() > 0
    rounds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        cost = []
        for served, browser in browsers.items():
            before = served.cpu_seconds()
            for _ in range(LAUNCHES):
                browser.launch(platform, next(people))
            cost.append((served.cpu_seconds() - before) / LAUNCHES * 1000)
        rounds.append((cost[0], cost[1]))
    return (
        statistics.median(a for a, _ in rounds),
        statistics.median(b for _, b in rounds),
        statistics.median(b / a for a, b in rounds),
    )


def main() -> int:
    """Prints a line per budget; exit status 1 if one is missed."""
    platform = Platform()
    results: list[tuple[str, str, str, bool]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key_file = folder / "key.pem"
        key_file.write_bytes(platform.public_pem())
        bare = {"BENCH_DATABASE": str(folder / "bare.db"), "BENCH_PUBLIC_KEY": str(key_file)}
        small = tool_environment(folder / "small", platform, members=30)
        large = tool_environment(folder / "large", platform, members=30, schools=4000, people=100_000)

        with serving("bare:create_app()", bare) as bare_served, serving("served:create_app()", small) as tool_served:
            bare_ms, tool_ms, ratio = compare(platform, bare_served, tool_served)
        results.append(
            (
                "launches per CPU second, tool / bare endpoint",
                f"{1 / ratio:.2f} (tool {tool_ms:.2f} ms, bare {bare_ms:.2f} ms a launch)",
                ">= 0.8",
                1 / ratio >= 0.8,
            )
        )
        with serving("served:create_app()", small) as one, serving("served:create_app()", large) as many:
            one_ms, many_ms, ratio = compare(platform, one, many)
        results.append(
            (
                "launch with 4,000 schools and 100,000 people / one school",
                f"{ratio:.2f} ({many_ms:.2f} ms, {one_ms:.2f} ms)",
                "<= 1.2",
                ratio <= 1.2,
            )
        )
    validation = validation_cpu_ms(platform)
    results.append(("validation of a token, warm", f"{validation:.3f} ms CPU", "< 0.5 ms", validation < 0.5))
    for members in (30, 3000):
        launch, pages = statements_per_page(platform, members)
        results.append((f"SQL statements of a warm launch, {members} members", str(launch), "<= 6", launch <= 6))
        worst = max(pages.values())
        listed = ", ".join(f"{page} {count}" for page, count in pages.items())
        results.append((f"SQL statements of a page, {members} members", listed, "<= 12", worst <= 12))
    for what, measured, budget, kept in results:
        print(f"{'kept  ' if kept else 'MISSED'}  {what}: {measured}   [{budget}]")
    report = Path("var/bench.json")
    report.parent.mkdir(exist_ok=True)
    report.write_text(
        json.dumps([dict(zip(("what", "measured", "budget", "kept"), row, strict=True)) for row in results])
    )
    return 0 if all(kept for *_, kept in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
