"""The table of protocols names each protocol that is shipped, with the people and the minutes of its file."""

import re
from pathlib import Path

import pytest

from lti_tool.protocols.reader import shipped

TABLE = Path(__file__).resolve().parents[2] / "docs" / "protocols-shipped.md"


def rows() -> dict[str, list[str]]:
    """Key of a protocol → the other cells of its row, the title first."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if row := re.match(r"\| `(\w+)` \*(.+?)\* \|(.*)\|$", line):
            assert row[1] not in found, f"{row[1]} stands there twice"
            found[row[1]] = [row[2], *(cell.strip() for cell in row[3].split("|"))]
    return found


def test_no_protocol_is_missing_and_none_is_there_that_is_not_shipped() -> None:
    assert set(rows()) == set(shipped())


@pytest.mark.parametrize("key", shipped())
def test_a_row_says_what_the_file_says(key: str) -> None:
    protocol = shipped()[key]
    title, family, people, minutes, what_for, when = rows()[key]
    assert title == protocol.title.en
    assert not protocol.family.en or family == protocol.family.en
    assert people == "–".join(dict.fromkeys((str(protocol.least), str(protocol.most))))
    work = sum(stage.minutes for stage in protocol.stages if stage.kind not in ("start", "reflection"))
    assert int(minutes) == work, f"its stages take {work} minutes"
    assert what_for and when
