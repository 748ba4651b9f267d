"""Known weaknesses of what the tool needs at run time, as part of `make check`: asks pip-audit, and PyPI's advisories.

An advisory is a failure that names the package. That the advisories could not be asked is a loud warning and no
failure, also on a checking machine: a check speaks about the code, and an outage elsewhere must not hold back the very
change that mends a weakness. What was not looked at is named: pip-audit passes over what its source does not know.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("postgres", "redis")
"""What an installation may choose beside the tool itself."""
_ASK_S = 10
_ALL_S = 120


@dataclass(frozen=True)
class Findings:
    """What the advisories say."""

    weak: list[str] = field(default_factory=list)
    """One line for each advisory: the package, the advisory, and the versions that mend it."""
    unasked: list[str] = field(default_factory=list)
    """Packages of which nothing could be learned."""


def needed(name: str, extras: Iterable[str] = ()) -> dict[str, str]:
    """What an installed package needs at run time, with all that those need: name → installed version."""
    found: dict[str, str] = {}
    waiting = [(canonicalize_name(name), tuple(extras))]
    seen = set(waiting)
    while waiting:
        package, wanted = waiting.pop()
        for line in distribution(package).requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                continue
            next_one = (canonicalize_name(requirement.name), tuple(sorted(requirement.extras)))
            if next_one not in seen:
                seen.add(next_one)
                waiting.append(next_one)
                found[next_one[0]] = distribution(next_one[0]).version
    found.pop(canonicalize_name(name), None)
    return dict(sorted(found.items()))


def ask(packages: dict[str, str]) -> str:
    """pip-audit's answer as JSON; empty if it could not ask."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "pinned.txt"
        pinned.write_text("".join(f"{name}=={version}\n" for name, version in packages.items()), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(pinned), "--no-deps", "--disable-pip"]
        options = ["--format", "json", "--progress-spinner", "off", "--timeout", str(_ASK_S)]
        try:
            done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=_ALL_S, check=False)
        except subprocess.TimeoutExpired:
            return ""
    return done.stdout


def read(answer: str, packages: dict[str, str]) -> Findings:
    """What an answer of pip-audit (`--format json`) says of these packages; one that cannot be read says nothing."""
    try:
        rows: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Findings(unasked=list(packages))
    asked = {canonicalize_name(row["name"]) for row in rows if "vulns" in row}
    weak = [
        f"{row['name']} {row['version']}: {advisory['id']}, "
        + (f"mended in {', '.join(advisory['fix_versions'])}" if advisory["fix_versions"] else "not mended yet")
        for row in rows
        for advisory in row.get("vulns", ())
    ]
    return Findings(weak, [name for name in packages if name not in asked])


def main() -> int:
    """Status 1 if an advisory is known."""
    packages = needed("meitheal", EXTRAS)
    findings = read(ask(packages), packages)
    for line in findings.weak:
        print(f"advisory: {line}", file=sys.stderr)
    if findings.unasked:
        which = "any package" if len(findings.unasked) == len(packages) else ", ".join(findings.unasked)
        print(
            f"WARNING: the advisories of {which} could not be asked; nothing is known of {len(findings.unasked)} of "
            f"{len(packages)} packages. Run `make check` again where https://pypi.org/pypi/<name>/<version>/json can "
            "be reached.",
            file=sys.stderr,
        )
    print(f"{len(packages) - len(findings.unasked)} packages looked up, {len(findings.weak)} advisories")
    return 1 if findings.weak else 0


if __name__ == "__main__":
    sys.exit(main())
