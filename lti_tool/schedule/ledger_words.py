"""The words of the time ledger."""

from datetime import date

from babel.dates import format_date
from flask_babel import get_locale
from flask_babel import gettext as _

from lti_tool.schedule.calendar_words import kind as kind_of_booking
from lti_tool.schedule.ledger_rules import BESIDE, MOST_MINUTES, MOST_NOTE, Entry, Problem


def told(code: str) -> str:
    """One sentence on what has just happened; empty for a code that is not known."""
    said = {
        "kept": _("It is kept."),
        "deleted": _("The line is deleted."),
        "all deleted": _("All that you said here is deleted. Bookings that are over still count as they were booked."),
    }
    return said.get(code, "")


def stage(kind: str) -> str:
    """What time went into."""
    return _("Beside what was booked") if kind == BESIDE else kind_of_booking(kind)


def category(name: str) -> str:
    """A category as it is shown: those that ship in the page's language, a school's own as it wrote them."""
    shipped = {
        "professional conversation": _("professional conversation"),
        "observing": _("observing"),
        "planning": _("planning"),
        "Croke Park hours": _("Croke Park hours"),
    }
    return shipped.get(name, name) if name else str(_("no category"))


def problem(code: Problem) -> str:
    """What is wrong with what was typed, and what to do."""
    said = {
        Problem.DAY: _("Choose a day that is not ahead."),
        Problem.MINUTES: _("Type minutes as a number, up to %(most)s.", most=MOST_MINUTES),
        Problem.CATEGORY: _("Choose one of the categories."),
        Problem.NOTE: _("The note takes up to %(most)s characters.", most=MOST_NOTE),
    }
    return str(said[code])


def full() -> str:
    """Where there is no room for one more."""
    return str(_("There are as many lines as can be kept. Delete some that you do not need any more."))


def bad_period() -> str:
    """Where the days asked for are none."""
    return str(_("Choose a first day and a last day that is not before it. Shown is this school year."))


def duration(minutes: int) -> str:
    """Hours and minutes: 1 h 05 min."""
    if minutes < 60:
        return str(_("%(minutes)s min", minutes=minutes))
    return str(_("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=f"{minutes % 60:02}"))


def day(of: date) -> str:
    """A day of the ledger."""
    return str(format_date(of, "EEE d MMM yyyy", locale=get_locale()))


def head() -> list[str]:
    """The first row of the file."""
    return [_("Day"), _("From"), _("Minutes"), _("Went into"), _("Category"), _("Activity"), _("Note")]


def row(entry: Entry, begins: str) -> list[str | int]:
    """One row of the file; `begins`: time of day, empty beside bookings. No colleague is named."""
    return [
        entry.day.isoformat(), begins, entry.minutes, stage(entry.kind),
        category(entry.category) if entry.category else "", entry.activity, entry.note,
    ]  # fmt: skip
