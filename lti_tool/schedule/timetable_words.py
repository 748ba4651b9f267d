"""The words of a teacher's timetable."""

from itertools import groupby

from flask_babel import gettext as _

from lti_tool.cycles import words
from lti_tool.schedule.ics import Problem
from lti_tool.schedule.school_weeks import Said
from lti_tool.schedule.timetable import Availability, Grid, Slot, Span
from lti_tool.schedule.timetables import GIVES_UP_AFTER, Kept


def told(code: str) -> str:
    """One sentence on what has just happened; empty for a code that is not known."""
    said = {
        "kept": _("It is kept. Times are proposed by it from now on."),
        "round": _("This is what you said for the pairing round. Nothing is kept yet: change it, then keep it."),
        "filled": _("Filled, and not kept yet."),
        "address": _("The calendar is being read. That takes a minute or two; then say here what its entries are."),
        "read": _("The calendar is read. Now say what its entries are."),
        "deleted": _("Your timetable is deleted."),
    }
    return said.get(code, "")


def states() -> list[tuple[str, str, str]]:
    """(State, what is said of a period, what stands in its cell), in the order in which taps lead through them."""
    return [
        ("away", _("not in school"), "·"),
        ("open", _("I teach"), _("teach")),
        ("free", _("I am free"), _("free")),
        ("teach", _("I teach, rather without a visitor"), _("shut")),
    ]


def kinds() -> list[tuple[str, str]]:
    """(Kind, what it means) of the entries of a calendar."""
    return [
        ("open", _("I teach, and can be visited")),
        ("teach", _("I teach, rather without a visitor")),
        ("free", _("I am free then")),
        ("busy", _("something else, no time then")),
    ]


def problem(code: str) -> str:
    """What went wrong with a calendar, and what to do."""
    said = {
        Problem.TOO_LARGE.value: _("It is too large. Export a shorter time, or only the calendar of your lessons."),
        Problem.TOO_MANY.value: _("It has too many entries. Export a shorter time, or only your lessons."),
        Problem.WEB_PAGE.value: _(
            "That is a web page and no calendar. Use the address that your calendar program calls the iCal or ICS "
            "address; one that asks for a password cannot be read."
        ),
        Problem.PACKED.value: _("It is packed. Unpack it first, and choose the file that ends in .ics."),
        Problem.NO_CALENDAR.value: _("That is no calendar. Choose a file that ends in .ics."),
        Problem.EMPTY.value: _("There is nothing in it from today on."),
        "nothing": _("Choose a file, or type the address of a calendar."),
        "bad address": _("Type the address as your calendar program gives it. It begins with https:// or webcal://"),
        "refused": _("The tool may not call this address: it has to begin with https:// and be open to the internet."),
        "unreachable": _("The calendar did not answer, or is too large."),
        "gone": _("The calendar is not open at this address any more. Perhaps it has a new one."),
        "given_up": _(
            "The calendar could not be read for %(days)s days. Its address is forgotten, and what was read last "
            "still counts. Give an address again, or fill the week by thumb.",
            days=GIVES_UP_AFTER.days,
        ),
    }
    return said.get(code, "") or _("The calendar could not be read.")


def state(kept: Kept, said: Said, course_id: str) -> list[str]:
    """Sentences on where a timetable stands; `said`: the bells of the course in which it is looked at."""
    if isinstance(kept.said, Grid) and kept.source == "grid":
        found = [_("Said by thumb, %(when)s.", when=words.day(kept.said_at))]
        if kept.said.course_id not in ("", course_id):
            found.append(
                _(
                    "You said it in another course, and it counts by the bells there. Keep it here, and it counts by "
                    "those that you see."
                )
            )
        elif said.said_at and said.said_at > kept.said_at:
            found.append(_("The bells of your school have changed since: look your week over."))
        return found
    if kept.source == "file":
        return [
            _("From a calendar file of %(when)s. When lessons change, bring it again.", when=words.day(kept.said_at))
        ]
    if kept.problem == "given_up":
        return [problem(kept.problem)]
    found = [_("From the address of your calendar, which is read every day.")]
    if kept.read_at:
        found.append(_("Read last: %(when)s.", when=words.when(kept.read_at)))
    if kept.problem:
        found.append(problem(kept.problem))
        until = max(kept.said_at, kept.read_at or kept.said_at) + GIVES_UP_AFTER
        found.append(_("It is tried again every day until %(day)s.", day=words.day(until)))
    elif not kept.read_at:
        found.append(_("It has not been read yet. That takes a minute or two."))
        if not kept.is_empty:
            found.append(_("Until then, what you said before goes on to count."))
    return found


def comes_to(found: Availability) -> list[tuple[str, str, str]]:
    """(Day, lessons, free) of what a timetable comes to, for its owner; one for each day of school."""
    open_ = [slot for slot in found.lessons if slot.may_visit]
    lessons = {day: list(each) for day, each in groupby(open_, key=lambda slot: words.day(slot.start))}
    free = {day: list(each) for day, each in groupby(found.free, key=lambda span: words.day(span.start))}
    return [
        (day, ", ".join(map(_slot, lessons.get(day, []))), ", ".join(map(_span, free.get(day, []))))
        for day in dict.fromkeys((*lessons, *free))
    ]


def _slot(slot: Slot) -> str:
    return f"{words.clock_time(slot.start)} {slot.title}".strip()


def _span(span: Span) -> str:
    # Word joiners: a span is not broken across two lines.
    return f"{words.clock_time(span.start)}\u2060–\u2060{words.clock_time(span.end)}"
