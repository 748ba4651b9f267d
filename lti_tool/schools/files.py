"""An operator's file of who works in which school: text in, rows or a list of errors out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from lti_tool.schools.rules import MAX_SCHOOL, MAX_USER_ID, name_key

_USER_ID = ("user id", "user_id", "userid")
_SCHOOL = "school"


@dataclass(frozen=True, slots=True)
class Listed:
    """One person of a file."""

    user_id: str
    """As the LMS names the person in a launch (`sub`)."""
    school: str


class BadFile(Exception):
    """Everything that is wrong with a file, one line each, with its line number where it has one."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


def read_schools(content: bytes) -> list[Listed]:
    """The people of a CSV file with the columns `user id` and `school`, in UTF-8, with comma or semicolon.

    Raises BadFile, with all errors at once.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadFile([f"line {line}: this is not UTF-8. Save the file as CSV UTF-8."]) from None
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = _rows(text, delimiter)
    try:
        header_line, header = next(rows, (1, []))
        columns = _columns(header)
        if columns is None:
            raise BadFile([f"line {header_line}: the first line must name the columns: user id{delimiter}school"])
        return _people(rows, columns, len(header))
    except csv.Error as error:
        raise BadFile([f"this is no CSV file: {error}"]) from None


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(number of its first line, cells) of each row that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    for row in reader:
        cells = [" ".join(cell.split()) for cell in row]
        if any(cells):
            yield begins, cells
        begins = reader.line_num + 1


def _columns(header: list[str]) -> tuple[int, int] | None:
    names = [name.casefold() for name in header]
    user = [number for number, name in enumerate(names) if name in _USER_ID]
    school = [number for number, name in enumerate(names) if name == _SCHOOL]
    return (user[0], school[0]) if len(user) == len(school) == 1 else None


def _people(rows: Iterator[tuple[int, list[str]]], columns: tuple[int, int], width: int) -> list[Listed]:
    found: dict[str, tuple[int, Listed]] = {}
    errors = []
    for number, cells in rows:
        if len(cells) != width:
            errors.append(f"line {number}: {len(cells)} columns, the first line has {width}")
            continue
        user_id, school = cells[columns[0]], cells[columns[1]]
        wrong = _wrong("user id", user_id, MAX_USER_ID) or _wrong("school", school, MAX_SCHOOL)
        if wrong:
            errors.append(f"line {number}: {wrong}")
            continue
        before = found.setdefault(user_id, (number, Listed(user_id, school)))
        if name_key(before[1].school) != name_key(school):
            errors.append(f"line {number}: user id {user_id} has another school in line {before[0]}")
    if not found and not errors:
        errors.append("there is nobody in the file")
    if errors:
        raise BadFile(errors)
    return [each for _, each in found.values()]


def _wrong(column: str, value: str, limit: int) -> str:
    if not value:
        return f"the {column} is empty"
    if len(value) > limit:
        return f"the {column} is longer than {limit} characters"
    if not value.isprintable():
        return f"the {column} has characters that cannot be shown"
    return ""
