"""The time ledger of a teacher: what they gave to coaching, in minutes. Values in, values out."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum

BEFORE, VISIT, AFTER, WORK, BESIDE = "before", "visit", "after", "work", ""
STAGES = (BEFORE, VISIT, AFTER, WORK, BESIDE)
"""Kinds of bookings, in their order; and what was beside them."""
CONVERSATION, OBSERVING = "professional conversation", "observing"
MOST_MINUTES = 24 * 60
MOST_NOTE = 200
EARLIEST = date(2000, 1, 1)
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""Signs with which a cell begins that a spreadsheet takes for a formula, or that hide such a sign."""


class Problem(StrEnum):
    """What is wrong with a line that somebody typed."""

    DAY = "day"
    MINUTES = "minutes"
    CATEGORY = "category"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """What a teacher says of a booking, or of time that they gave beside the bookings."""

    day: date
    """Where it speaks of a booking: the day of it, for when the booking is gone."""
    minutes: int | None
    """None: as booked. 0: it did not take place."""
    category: str
    """Its name; empty for none."""
    note: str = ""
    kind: str = BESIDE
    """One of STAGES."""
    booked: int = 0
    """Minutes of the booking, for when it is gone."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger as it is shown: of a booking that is over, or one that was typed."""

    day: date
    minutes: int
    """What counts."""
    kind: str
    category: str
    note: str = ""
    starts_at: datetime | None = None
    """Of a booking, in UTC."""
    booked: int | None = None
    """Minutes of the booking; None beside bookings."""
    activity: str = ""
    """Title of the activity of a booking."""
    meeting_id: str = ""
    line_id: str = ""
    """Empty for a booking of which nothing was said."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Minutes of entries: `stages` and `categories` each come to `all`."""

    all: int
    stages: tuple[tuple[str, int], ...]
    """(Kind, minutes), in the order of STAGES; none of 0."""
    categories: tuple[tuple[str, int], ...]
    """(Name, minutes), by name, what has none last; none of 0."""


def totals(entries: Iterable[Entry]) -> Totals:
    """What entries come to."""
    entries = list(entries)
    stages = {kind: sum(each.minutes for each in entries if each.kind == kind) for kind in STAGES}
    names = sorted({each.category for each in entries}, key=lambda name: (not name, name.casefold(), name))
    categories = {name: sum(each.minutes for each in entries if each.category == name) for name in names}
    return Totals(
        sum(each.minutes for each in entries),
        tuple((kind, minutes) for kind, minutes in stages.items() if minutes),
        tuple((name, minutes) for name, minutes in categories.items() if minutes),
    )


def usual(kind: str, categories: Sequence[str]) -> str:
    """The category of a booking while nobody says another; empty where the school has other categories."""
    name = {BEFORE: CONVERSATION, AFTER: CONVERSATION, VISIT: OBSERVING}.get(kind, "")
    return name if name in categories else ""


def of_booking(said: Line | None, *, day: date, minutes: int, kind: str, categories: Sequence[str]) -> Line:
    """What counts of a booking: as it was booked, or as its owner says."""
    if said is None:
        return Line(day, None, usual(kind, categories), "", kind, minutes)
    return Line(day, said.minutes, said.category, said.note, kind, minutes)


def counted(line: Line) -> int:
    """The minutes that count of a line."""
    return line.booked if line.minutes is None else line.minutes


def read(
    typed: Mapping[str, str], categories: Sequence[str], today: date, booking: Line | None = None
) -> tuple[Line | None, list[Problem]]:
    """A line as it was typed (`day`, `minutes`, `category`, `note`), or all that is wrong with it.

    `booking`: where it speaks of one; then there is no day to type, and no minutes means as booked.
    """
    wrong = []
    day = booking.day if booking else _day(typed.get("day", ""))
    if day is None or not (booking or EARLIEST <= day <= today):
        wrong.append(Problem.DAY)
    said = typed.get("minutes", "").strip()
    minutes = int(said) if said.isascii() and said.isdigit() and len(said) <= 4 else None
    if said or not booking:
        least = 0 if booking else 1
        if minutes is None or not least <= minutes <= MOST_MINUTES:
            wrong.append(Problem.MINUTES)
    category = typed.get("category", "")
    if category and category not in categories:
        wrong.append(Problem.CATEGORY)
    note = plain(typed.get("note", ""))
    if len(note) > MOST_NOTE:
        wrong.append(Problem.NOTE)
    if wrong or day is None:
        return None, wrong
    if booking is None:
        return Line(day, minutes, category, note), []
    # To say what is booked already is to say nothing.
    changed = None if minutes == booking.booked else minutes
    return Line(day, changed, category, note, booking.kind, booking.booked), []


def plain(text: str) -> str:
    """One line without signs that cannot be shown."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed.strip()) if len(typed.strip()) == 10 else None
    except ValueError:
        return None


def period(first: str, last: str, today: date) -> tuple[date, date, bool]:
    """(First day, last day, whether what was typed could be used); else the school year of today, from September."""
    begins = date(today.year - (today.month < 9), 9, 1)
    if not first and not last:
        return begins, today, True
    said = _day(first) or (None if first else begins), _day(last) or (None if last else today)
    if said[0] is None or said[1] is None or not EARLIEST <= said[0] <= said[1] or said[1].year > today.year + 1:
        return begins, today, False
    return said[0], said[1], True


def to_json(line: Line) -> str:
    """As it is sealed."""
    return json.dumps(asdict(line) | {"day": line.day.isoformat()})


def of(text: str) -> Line:
    """What to_json gave."""
    said = json.loads(text)
    return Line(**(said | {"day": date.fromisoformat(said["day"])}))


def table(rows: Iterable[Sequence[str | int]]) -> bytes:
    """Rows as a CSV file (RFC 4180, UTF-8 with a mark that spreadsheets know it by), in which nothing is a formula."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([cell(each) for each in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def cell(value: str | int) -> str | int:
    """A cell that a spreadsheet takes for text, where it is one."""
    if isinstance(value, int):
        return value
    return "'" + value if value.lstrip(" \u00a0").startswith(_FORMULA) else value
