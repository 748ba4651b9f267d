"""A trainer's list of who reports to whom: text in, rows and what is wrong out. Pure.

Each line has a manager and somebody who reports to them, with a tab, a semicolon or a comma between them, as schools'
programs and spreadsheets write them. People are named by their full name or by the user id of the LMS; no other way is
known here. `*` in the second place stands for everybody of the manager's school.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lti_tool.people.rules import fold

MAX_FILE = 200_000
"""Bytes: some 4,000 lines of two names."""
MAX_LINES = 5_000
EVERYBODY = "*"
_HEADS = {
    *("manager", "manager name", "line manager", "managers", "name", "leader", "reports to", "supervisor", "head"),
    *("report", "reports", "direct report", "teacher", "member", "staff", "staff member", "employee", "colleague"),
    *("user id", "id", "bainisteoir", "bainisteoir line", "muinteoir", "ball foirne", "ainm"),
}
"""What the first line calls its columns, if it names them."""
_MARKS = "\t;,"
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´", "'"))


class Trouble(StrEnum):
    """What is wrong with a file, or with a line of it."""

    TOO_LARGE = "too large"
    NOT_TEXT = "not text"
    WORKBOOK = "workbook"
    MANY_LINES = "many lines"
    EMPTY = "empty"
    COLUMNS = "columns"
    OTHER_MARK = "other mark"
    NO_MANAGER = "no manager"
    EMAIL = "e-mail"
    UNKNOWN = "unknown"
    SEVERAL = "several"
    ONESELF = "oneself"
    STAR = "star"


class BadFile(Exception):
    """A file that cannot be read at all; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Known:
    """A member of the course, as they may be named."""

    membership_id: str
    name: str
    given_name: str
    family_name: str
    user_id: str
    school: str = ""
    """Name of their school; empty where it is not known."""
    is_teacher: bool = True
    """Whether they could take part in a round; of all others, as leaders, it is known without a list."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line that is right."""

    manager: Known
    report: Known | None
    """None: everybody of the manager's school."""

    @property
    def ids(self) -> tuple[str, str | None]:
        """(membership id of the manager, of the report)."""
        return self.manager.membership_id, self.report.membership_id if self.report else None


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that is not."""

    line: int
    """Its number, from 1."""
    trouble: Trouble
    value: str = ""
    """What stands there, in short; with OTHER_MARK what stands between the cells of the other lines."""
    count: int = 0
    """How many columns, or how many people of that name."""


@dataclass(frozen=True, slots=True)
class Read:
    """A list as it was read."""

    rows: tuple[Row, ...]
    """Each once, in the order of the lines."""
    wrong: tuple[Wrong, ...]


def text_of(content: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 with a mark, else UTF-8, else as older spreadsheets of Windows write it.

    Raises BadFile.
    """
    if len(content) > MAX_FILE:
        raise BadFile(Trouble.TOO_LARGE)
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise BadFile(Trouble.WORKBOOK)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise BadFile(Trouble.NOT_TEXT)
    return text


def read(text: str, people: Iterable[Known]) -> Read:
    """Who reports to whom by a list, and what is wrong with its lines. Raises BadFile."""
    if len(text.encode(errors="replace")) > MAX_FILE:
        raise BadFile(Trouble.TOO_LARGE)
    if "\0" in text:
        raise BadFile(Trouble.NOT_TEXT)
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    if len(lines) > MAX_LINES:
        raise BadFile(Trouble.MANY_LINES)
    find = _Finder(people)
    rows: dict[tuple[str, str | None], Row] = {}
    wrong: list[Wrong] = []
    mark, cells_of = _cells(lines)
    has_mark = any(len(cells) == 2 for _number, cells in cells_of)
    for number, cells in cells_of:
        found = _row(number, cells, find)
        if len(cells) == 1 and has_mark and any(len(_split(cells[0], other)) == 2 for other in _MARKS):
            found = Wrong(number, Trouble.OTHER_MARK, mark)
        if isinstance(found, Wrong):
            wrong.append(found)
        else:
            rows.setdefault(found.ids, found)
    if not rows and not wrong:
        raise BadFile(Trouble.EMPTY)
    return Read(tuple(rows.values()), tuple(wrong))


def _cells(lines: list[str]) -> tuple[str, list[tuple[int, list[str]]]]:
    """(What stands between cells, (number, cells) of each line that is not empty and names no columns); empty cells at
    the end of a line are left out."""
    told = re.fullmatch(r'"?sep=(.)"?', lines[0].strip(), re.IGNORECASE)
    first = 1 if told else 0
    body = lines[first:]
    # The one with which most lines have two cells, else the one that is there most often.
    mark = told[1] if told else max(_MARKS, key=lambda each: (_twos(body, each), "".join(body).count(each)))
    split = [_split(line, mark) for line in body]
    found = [(number, cells) for number, cells in enumerate(split, start=1 + first) if cells]
    if found and len(found[0][1]) == 2 and all(_plain(cell) in _HEADS for cell in found[0][1]):
        del found[0]
    return mark, found


def _twos(lines: list[str], mark: str) -> int:
    return sum(len(_split(line, mark)) == 2 for line in lines)


def _split(line: str, mark: str) -> list[str]:
    # Line by line, so that a quotation mark that is never closed spoils its own line alone.
    try:
        cells = [" ".join(cell.split()) for cell in next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])]
    except csv.Error:
        cells = [line]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _row(number: int, cells: list[str], find: "_Finder") -> Row | Wrong:
    if len(cells) != 2:
        return Wrong(number, Trouble.COLUMNS, count=len(cells))
    if not cells[0]:
        return Wrong(number, Trouble.NO_MANAGER)
    if cells[0] == EVERYBODY:
        return Wrong(number, Trouble.STAR)
    manager = find(number, cells[0])
    if isinstance(manager, Wrong):
        return manager
    if cells[1] == EVERYBODY:
        return Row(manager, None)
    report = find(number, cells[1])
    if isinstance(report, Wrong):
        return report
    return Wrong(number, Trouble.ONESELF, manager.name) if report == manager else Row(manager, report)


class _Finder:
    """Looks people up by what stands in a cell."""

    def __init__(self, people: Iterable[Known]) -> None:
        self.by_id: dict[str, Known] = {}
        self.by_name: dict[str, dict[str, Known]] = {}
        for each in people:
            self.by_id[each.user_id] = each
            for name in (
                each.name,
                f"{each.given_name} {each.family_name}",
                f"{each.family_name} {each.given_name}",
                f"{each.family_name}, {each.given_name}",
            ):
                if plain := _plain(name).strip(", "):
                    self.by_name.setdefault(plain, {})[each.membership_id] = each

    def __call__(self, number: int, cell: str) -> Known | Wrong:
        if found := self.by_id.get(cell):
            return found
        named = self.by_name.get(_plain(cell), {})
        if len(named) == 1:
            return next(iter(named.values()))
        if named:
            return Wrong(number, Trouble.SEVERAL, _short(cell), len(named))
        return Wrong(number, Trouble.EMAIL if re.search(r"\S@\S", cell) else Trouble.UNKNOWN, _short(cell))


def _plain(text: str) -> str:
    return " ".join(fold(text.translate(_APOSTROPHES)).split())


def _short(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
