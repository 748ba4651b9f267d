"""The papers for schools stay true: what they name is there, times are the program's, and no table is left out."""

import ast
import importlib
import re
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from lti_tool.cycles.models import Cycle
from lti_tool.privacy.models import KeyringBase
from lti_tool.protocols.reader import shipped
from lti_tool.store.base import Base
from lti_tool.store.tables import import_all_models

ROOT = Path(__file__).resolve().parents[2]
PAPERS = sorted((ROOT / "docs" / "privacy").glob("*.md"))
UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


@cache
def names_in(file: Path) -> set[str]:
    """Functions and constants of a Python file, those of classes as `Class.name`."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        members = [(f"{node.name}.", each) for each in node.body] if isinstance(node, ast.ClassDef) else []
        for prefix, each in [("", node), *members]:
            if isinstance(each, ast.FunctionDef):
                found.add(prefix + each.name)
            elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                found.add(prefix + each.target.id)
            elif isinstance(each, ast.Assign):
                found |= {prefix + target.id for target in each.targets if isinstance(target, ast.Name)}
    return found


def test_there_are_all_papers() -> None:
    wanted = {"README", "accessibility", "dpia", "record-of-processing", "retention", "threat-model"}
    assert wanted <= {paper.stem for paper in PAPERS}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.stem)
def test_every_test_and_file_that_a_paper_names_is_there(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    missing = []
    for path, name in re.findall(r"`((?:tests|lti_tool|docs)/[\w./-]+)(?:::([\w.]+))?`", text):
        file = ROOT / path
        if not file.is_file() or (name and name not in names_in(file)):
            missing.append(f"{path}::{name}")
    for link, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        target = (paper.parent / link).resolve() if link else paper
        if not target.is_file():
            missing.append(link)
        elif heading and heading not in headings(target):
            missing.append(f"{link}#{heading}")
    assert not missing, "\n".join(missing)


def headings(file: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in found}


def test_a_claim_about_who_cannot_see_names_a_test() -> None:
    rows = [
        line for line in (ROOT / "docs/privacy/threat-model.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| **")
    ]  # fmt: skip
    assert len(rows) > 15
    assert not [row for row in rows if "`tests/" not in row and "`lti_tool/" not in row]


def test_the_times_are_those_of_the_program() -> None:
    text = (ROOT / "docs/privacy/retention.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]+\| (\d+) (\w+)[^|]*\| `lti_tool/([\w/]+)\.py::([\w.]+)` \|", text, re.M)
    assert len(rows) >= 8
    for number, unit, module, name in rows:
        if name == "Cycle.notes_days":
            assert unit == "days" and Cycle.__table__.columns["notes_days"].default.arg == int(number)
            continue
        kept = getattr(importlib.import_module("lti_tool." + module.replace("/", ".")), name)
        assert kept == int(number) * UNITS[unit], f"{name} is {kept}, not {number} {unit}"


def test_every_table_is_in_the_record() -> None:
    import_all_models()
    text = (ROOT / "docs/privacy/record-of-processing.md").read_text(encoding="utf-8")
    known = {*Base.metadata.tables, *KeyringBase.metadata.tables}
    named = {name for line in text.splitlines() if line.startswith("|") for name in re.findall(r"`(\w+)`", line)}
    assert named == known


def test_the_limit_of_confidence_is_quoted_as_teachers_read_it() -> None:
    quoted = re.sub(r"\n> ?", " ", (ROOT / "docs/privacy/README.md").read_text(encoding="utf-8"))
    for key in ("light", "collegial"):
        (limit,) = [said.en for said in shipped()[key].stages_of(1)[0].statements if "mandated" in said.en]
        assert limit in quoted
