"""The week by thumb: which cells it has, what a form says of them, and the buttons that fill many at once. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lti_tool.schedule.week import DAYS, Period, SchoolWeek

STATES = ("away", "open", "free", "teach")
"""timetable.CELLS, in the order in which taps lead through them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One lesson of a day in the school's week."""

    key: str
    """As timetable.Grid has it."""
    day: int
    """0: Monday."""
    period: Period


@dataclass(frozen=True, slots=True)
class Row:
    """The lessons that come at the same place of their days."""

    name: str
    """Of the first of them."""
    time: str
    """When it begins, as H:MM; empty where that is not the same on all days."""
    cells: tuple[Cell | None, ...]
    """One for each of `days_of`; None where the day has ended by then."""


def days_of(week: SchoolWeek) -> list[int]:
    """The days on which there are lessons; 0: Monday."""
    return [day for day in range(DAYS) if week.lessons(day)]


def rows_of(week: SchoolWeek) -> list[Row]:
    """The lessons of a week as the table shows them."""
    days = [_lessons(week, day) for day in days_of(week)]
    found = []
    for place in range(max((len(each) for each in days), default=0)):
        cells = tuple(each[place] if place < len(each) else None for each in days)
        here = [cell.period for cell in cells if cell]
        starts = {period.starts for period in here}
        found.append(Row(here[0].name, clock(starts.pop()) if len(starts) == 1 else "", cells))
    return found


def clock(minutes: int) -> str:
    """Minutes from midnight as H:MM."""
    return f"{minutes // 60}:{minutes % 60:02}"


def cells_of(week: SchoolWeek) -> list[Cell]:
    """All lessons of a week, day by day."""
    return [cell for day in days_of(week) for cell in _lessons(week, day)]


def complete(cells: Mapping[str, str], week: SchoolWeek) -> dict[str, str]:
    """Cell → one of STATES, for all lessons of the week; what is not said, or no lesson any more, is left."""
    return {cell.key: state if (state := cells.get(cell.key, "")) in STATES else "away" for cell in cells_of(week)}


def read(form: Mapping[str, str], week: SchoolWeek) -> dict[str, str]:
    """Cell → one of STATES, as the form says it."""
    return complete({cell.key: form.get(f"at-{cell.key}", "") for cell in cells_of(week)}, week)


def filled(cells: Mapping[str, str], what: str, week: SchoolWeek) -> dict[str, str]:
    """The week after a button: `day N`, `period N` (of the table, from 0) lead all of it on to the next state, or to
    teaching where it is mixed; `all STATE` makes all of the week that; `same` makes all days like the first one."""
    kind, _, which = what.partition(" ")
    rows = rows_of(week)
    if kind == "all" and which in STATES:
        return dict.fromkeys(cells, which)
    if kind == "same":
        copied = dict(cells)
        for row in rows:
            if first := row.cells[0]:
                copied |= {cell.key: cells[first.key] for cell in row.cells if cell}
        return copied
    if kind not in ("day", "period"):
        return dict(cells)
    part = [
        cell.key
        for number, row in enumerate(rows)
        for cell in row.cells
        if cell and which == str(cell.day if kind == "day" else number)
    ]
    states = {cells[key] for key in part}
    state = STATES[(STATES.index(states.pop()) + 1) % len(STATES)] if len(states) == 1 else "open"
    return dict(cells) | dict.fromkeys(part, state)


def of_round(free: Collection[str], teaching: Collection[str], week: SchoolWeek) -> dict[str, str]:
    """The week as somebody said it for a pairing round (timetables.from_round)."""
    return complete(dict.fromkeys(free, "free") | dict.fromkeys(teaching, "open"), week)


def _lessons(week: SchoolWeek, day: int) -> list[Cell]:
    return [Cell(f"{day}-{place}", day, period) for place, period in enumerate(week.lessons(day))]
