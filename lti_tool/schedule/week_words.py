"""The words of the page on which a trainer says the week of a school."""

from collections.abc import Iterable

from babel.dates import get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _

from lti_tool.schedule.week import DAYS, LONGEST_HOLIDAY, MAX_NAME, MOST_TALK, Problem


def days() -> list[tuple[str, str]]:
    """(Short name, name) of each day of the week, Monday first."""
    short, long = (get_day_names(width, locale=get_locale() or "en") for width in ("abbreviated", "wide"))
    return [(short[day], long[day]) for day in range(DAYS)]


def told(code: str) -> str:
    """One sentence on what has just happened; empty for a code that is not known."""
    said = {
        "kept": _("It is kept. Times are proposed by it from now on."),
        "forgotten": _("The week of this school is taken away: the week of the course counts for it again."),
        "started": _("The bells are below, to be changed. Nothing is kept yet."),
        "pasted": _("What could be read is below. Look it over; nothing is kept yet."),
    }
    return said.get(code, "")


def problems(found: Iterable[tuple[str, Problem]]) -> list[tuple[str, str]]:
    """(Id of the box, sentence) of all that is not right."""
    return [(box, _sentence(box, problem)) for box, problem in found]


def _sentence(box: str, problem: Problem) -> str:
    said = {
        Problem.NO_ZONE: _("Choose the time zone of the school."),
        Problem.NO_NAME: _("Give each lesson a name or a number."),
        Problem.LONG_NAME: _("A name can have %(most)s characters.", most=MAX_NAME),
        Problem.NO_TIME: _("Say the time of each bell as 9:05."),
        Problem.EARLY_OR_LATE: _("Bells can ring from 6:00 to 22:00."),
        Problem.BACKWARDS: _("The end comes before the beginning."),
        Problem.OVERLAP: _("It begins before the one above it has ended."),
        Problem.NO_LESSON: _("Say at least one lesson, or that there is no school."),
        Problem.NO_DAY: _("This day is to be like one that has no bells of its own. Choose another one."),
        Problem.NO_DATE: _("Say the day as %(example)s.", example="2026-10-26"),
        Problem.LONG_HOLIDAY: _("Holidays can last %(most)s days.", most=LONGEST_HOLIDAY.days),
        Problem.NO_MINUTES: _("Say the minutes as a number from 0 to %(most)s.", most=MOST_TALK),
        Problem.TOO_MANY: _("There are too many of them."),
    }
    where = _where(box)
    return f"{where}: {said[problem]}" if where else said[problem]


def _where(box: str) -> str:
    part, _dash, rest = box.partition("-")
    numbers = [int(each) for each in rest.split("-") if each.isdigit()]
    if part == "same" and numbers:
        return days()[numbers[0]][1]
    if part in ("name", "from", "to") and len(numbers) == 2:
        return _("%(day)s, line %(number)s", day=days()[numbers[0]][1], number=numbers[1] + 1)
    if part in ("first", "last", "holiday") and numbers:
        return _("Holidays, line %(number)s", number=numbers[0] + 1)
    return {"talk_before": _("Before the first bell"), "talk_after": _("After the last bell")}.get(part, "")
