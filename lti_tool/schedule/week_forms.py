"""The page of a school's week as it is typed: what its boxes are called, and bells and holidays that are pasted. Pure.

What is typed is a mapping of boxes as week.read takes it; week.typed makes one of a week.
"""

import re
from collections.abc import Mapping
from datetime import date

from lti_tool.schedule.week import DAYS, MOST_HOLIDAYS, MOST_PERIODS, NO_SCHOOL, OWN

SPARE = 2
"""Empty rows below those with something in them."""
MAX_PASTED = 20_000
"""Characters that are read of what is pasted."""
_LONG = 100
_NUMBERS = tuple(map(str, range(DAYS)))
_PARTS = ("name", "from", "to", "break")
_HOLIDAY = ("first", "last", "holiday")
_DAY_NAMES = (
    ("monday", "mon", "luan", "luain"),
    ("tuesday", "tues", "tue", "máirt", "mairt"),
    ("wednesday", "wed", "céadaoin", "ceadaoin"),
    ("thursday", "thurs", "thur", "thu", "déardaoin", "deardaoin"),
    ("friday", "fri", "aoine", "haoine"),
    ("saturday", "sat", "satharn", "sathairn"),
    ("sunday", "sun", "domhnach", "domhnaigh"),
)
_DAY_OF = {name: day for day, names in enumerate(_DAY_NAMES) for name in names}
_TIME = re.compile(r"(?<![\d.:/])(\d{1,2})[:.h](\d{2})(?![\d.:/])\s*(am|pm)?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[./](\d{1,2})[./](\d{4})")
_BREAK = re.compile(r"\b(break|lunch|recess|sos|lón)\b", re.IGNORECASE)


def boxes() -> list[str]:
    """The names of all boxes that the page can have."""
    found = ["zone", "talk_before", "talk_after", *(f"same-{day}" for day in range(DAYS))]
    found += [f"{part}-{d}-{p}" for d in range(DAYS) for p in range(MOST_PERIODS) for part in _PARTS]
    return [*found, *(f"{part}-{number}" for number in range(MOST_HOLIDAYS) for part in _HOLIDAY)]


def read(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed in the boxes of the page."""
    found = {box: " ".join(form.get(box, "").replace("\0", "").split())[:_LONG] for box in boxes()}
    return {box: text for box, text in found.items() if text}


def has_own(typed: Mapping[str, str], day: int) -> bool:
    """Whether a day has bells of its own."""
    return typed.get(f"same-{day}") == OWN


def rows(typed: Mapping[str, str], day: int) -> int:
    """How many rows of a day the page shows."""
    return _shown(typed, [f"{part}-{day}-{{}}" for part in _PARTS[:3]], MOST_PERIODS)


def holiday_rows(typed: Mapping[str, str]) -> int:
    """How many rows of holidays the page shows."""
    return _shown(typed, [f"{part}-{{}}" for part in _HOLIDAY], MOST_HOLIDAYS)


def opened(typed: Mapping[str, str]) -> dict[str, str]:
    """The page once days have been given bells of their own: such a day begins with those of the first day that has
    some."""
    found = dict(typed)
    like = next((day for day in range(DAYS) if has_own(typed, day) and rows(typed, day) > SPARE), None)
    for day in range(DAYS):
        if like is not None and has_own(typed, day) and rows(typed, day) <= SPARE:
            found |= {
                f"{part}-{day}-{p}": typed.get(f"{part}-{like}-{p}", "") for part in _PARTS for p in range(MOST_PERIODS)
            }
    return {box: text for box, text in found.items() if text}


def started(typed: Mapping[str, str], begin: Mapping[str, str]) -> dict[str, str]:
    """The page with the bells of another week, `begin`; zone and holidays that were typed stay, where there are any."""
    has_holidays = holiday_rows(typed) > SPARE
    is_kept = {box: _is_holiday(box) and has_holidays for box in boxes()} | {"zone": bool(typed.get("zone"))}
    return {box: text for box, kept in is_kept.items() if (text := (typed if kept else begin).get(box, ""))}


def pasted(typed: Mapping[str, str], text: str) -> tuple[dict[str, str], list[str]]:
    """The page with what was pasted, and the lines that say nothing that can be read.

    A line with two times is a period, one with a date or two a holiday. Lines with the names of days, alone or with a
    dash between two, say for which the periods below are; else they are for Monday, and all days that are like it. The
    periods of a day that is named, and all holidays, take the place of what was there.
    """
    periods: dict[int, list[tuple[str, str, str, str]]] = {}
    like: dict[int, int] = {}
    holidays: list[tuple[str, str, str]] = []
    unread: list[str] = []
    day = next((each for each in range(DAYS) if has_own(typed, each)), 0)
    for line in filter(None, (" ".join(each.split()) for each in text[:MAX_PASTED].replace("\0", "").splitlines())):
        dates, times = list(_DATE.finditer(line)), list(_TIME.finditer(line))
        if dates:
            found = [_day(match) for match in dates[:2]]
            if None in found or len(dates) > 2:
                unread.append(line)
            else:
                holidays.append((found[0] or "", found[-1] or "", _rest(line, dates)))
        elif len(times) == 2:
            starts, ends = (_time(match) for match in times)
            name = _rest(line, times)
            periods.setdefault(day, []).append((name, starts, ends, "1" if _BREAK.search(name) else ""))
        elif days := _days(line):
            day, *others = days
            like |= dict.fromkeys(others, day)
            periods.setdefault(day, [])
        else:
            unread.append(line)
    return _put(typed, {d: found for d, found in periods.items() if found}, like, holidays), unread


def _put(
    typed: Mapping[str, str],
    periods: Mapping[int, list[tuple[str, str, str, str]]],
    like: Mapping[int, int],
    holidays: list[tuple[str, str, str]],
) -> dict[str, str]:
    found = dict(typed)
    for day, rows_ in periods.items():
        found |= {f"{part}-{day}-{p}": "" for part in _PARTS for p in range(MOST_PERIODS)} | {f"same-{day}": OWN}
        for number, row in enumerate(rows_[:MOST_PERIODS]):
            found |= {f"{part}-{day}-{number}": text[:_LONG] for part, text in zip(_PARTS, row, strict=True)}
    for day, other in like.items():
        if other in periods and day not in periods:
            found[f"same-{day}"] = str(other)
    if holidays:
        found |= {f"{part}-{number}": "" for part in _HOLIDAY for number in range(MOST_HOLIDAYS)}
        for number, holiday in enumerate(holidays[:MOST_HOLIDAYS]):
            found |= {f"{part}-{number}": text[:_LONG] for part, text in zip(_HOLIDAY, holiday, strict=True)}
    # A day that was like one without bells of its own by now has no school, until somebody says otherwise.
    for day in range(DAYS):
        says = found.get(f"same-{day}", "")
        if says in _NUMBERS and not has_own(found, int(says)):
            found[f"same-{day}"] = NO_SCHOOL
    return {box: text for box, text in found.items() if text}


def _shown(typed: Mapping[str, str], names: list[str], most: int) -> int:
    last = max((n for n in range(most) for name in names if typed.get(name.format(n))), default=-1)
    return min(most, last + 1 + SPARE)


def _is_holiday(box: str) -> bool:
    part, _, number = box.partition("-")
    return part in _HOLIDAY and number.isdigit()


def _days(line: str) -> list[int]:
    """The days of the week that a line names, and nothing else than days."""
    words = re.findall(r"[^\W\d_]+|[-–]", line.lower())
    words = [each for each in words if each not in ("and", "agus", "to", "go", "dé", "an") or each == "to"]
    found: list[int] = []
    is_span = False
    for word in words:
        if word in ("-", "–", "to"):
            is_span = True
        elif word in _DAY_OF or word.removesuffix("s") in _DAY_OF:
            day = _DAY_OF.get(word, _DAY_OF.get(word.removesuffix("s"), 0))
            found += range(found[-1] + 1, day + 1) if is_span and found else [day]
            is_span = False
        else:
            return []
    return list(dict.fromkeys(found))


def _day(match: re.Match[str]) -> str | None:
    parts = [int(each) for each in match.groups() if each]
    year, month, day = parts if match.group(1) else reversed(parts)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match.group(1)), match.group(2)
    if (match.group(3) or "").lower() == "pm" and hour < 12:
        hour += 12
    return f"{hour:02}:{minute}"


def _rest(line: str, matches: list[re.Match[str]]) -> str:
    """What a line says beside times or dates."""
    for match in reversed(matches):
        line = line[: match.start()] + " " + line[match.end() :]
    words = [each for each in re.split(r"[\s,;|]+", line) if each.strip("-–:()") and each.lower() not in ("to", "go")]
    return " ".join(words).strip(" -–:.")
