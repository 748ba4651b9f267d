"""The time ledger of a teacher, for themselves: what is over, what they say of it, and a file of it."""

from collections.abc import Mapping, Sequence
from datetime import date

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.views import is_id
from lti_tool.privacy.rules import Action, TimeFacts, may
from lti_tool.schedule import ledger, ledger_rules, ledger_words
from lti_tool.schedule.calendars import Booking
from lti_tool.schedule.ledger import Full
from lti_tool.schedule.ledger_rules import Entry, Line, Problem
from lti_tool.schedule.views_base import blueprint
from lti_tool.web.context import actor, tool

_LONGEST = 1_000
"""Characters of what was typed that a page gives back."""


@blueprint.get("/time")
def time() -> str:
    """The ledger from day to day; `from`, `to`."""
    with tool().database.read() as session:
        _check(session)
        return _page(session)


@blueprint.post("/time")
def add_time() -> Response | tuple[str, int]:
    """Keeps a line of one's own."""
    with tool().database.write() as session:
        _check(session)
        line, wrong = ledger_rules.read(_typed(), _categories(), cycle_words.today())
        if line is None:
            return _page(session, _typed(), wrong), 400
        try:
            ledger.add(session, tool().keyring, actor().person_id, line, tool().clock())
        except Full:
            return _page(session, _typed(), is_full=True), 409
    return redirect(url_for(".time", told="kept"), 303)


@blueprint.get("/time.csv")
def time_file() -> Response:
    """The same as a file for a spreadsheet; `from`, `to`."""
    with tool().database.read() as session:
        _check(session)
        first, last, _is_read = _period()
        found = _entries(session, first, last)
    rows = [ledger_words.row(each, cycle_words.clock_time(each.starts_at) if each.starts_at else "") for each in found]
    answer = Response(ledger_rules.table([ledger_words.head(), *rows]), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="coaching-time-{first}-{last}.csv"'
    return answer


@blueprint.get("/time/bookings/<meeting_id>")
def time_of_booking(meeting_id: str) -> str:
    """What counts of a booking, to change it."""
    with tool().database.read() as session:
        booking, line = _of_meeting(session, meeting_id)
    return _form(_shown(line), line=line, booking=booking)


@blueprint.post("/time/bookings/<meeting_id>")
def say_time_of_booking(meeting_id: str) -> Response | tuple[str, int]:
    """Keeps what counts of a booking; `do` = as booked: as it was booked."""
    keyring, me, now = tool().keyring, actor().person_id, tool().clock()
    with tool().database.write() as session:
        booking, line = _of_meeting(session, meeting_id)
        said = None
        if request.form.get("do") != "as booked":
            said, wrong = ledger_rules.read(_typed(), _categories(line), cycle_words.today(), line)
            if said is None:
                return _form(_typed(), wrong, line=line, booking=booking), 400
        try:
            ledger.say_of_meeting(session, keyring, me, booking, said, now)
        except Full:
            return _form(_typed(), line=line, booking=booking, is_full=True), 409
    return redirect(url_for(".time", told="kept"), 303)


@blueprint.get("/time/lines/<line_id>")
def time_line(line_id: str) -> str:
    """A line of one's own, to change it."""
    with tool().database.read() as session:
        line = _line(session, line_id)
    return _form(_shown(line), line=line)


@blueprint.post("/time/lines/<line_id>")
def say_time_line(line_id: str) -> Response | tuple[str, int]:
    """Keeps a line of one's own as it was changed; `do` = delete: deletes it."""
    keyring, me, now = tool().keyring, actor().person_id, tool().clock()
    is_deleted = request.form.get("do") == "delete"
    with tool().database.write() as session:
        line = _line(session, line_id)
        if is_deleted:
            ledger.remove(session, me, line_id)
        else:
            said, wrong = ledger_rules.read(_typed(), _categories(line), cycle_words.today())
            if said is None:
                return _form(_typed(), wrong, line=line), 400
            ledger.change(session, keyring, me, line_id, said, now)
    if is_deleted:
        tool().database.forget_deleted()
    where = "ownership.mine" if is_deleted and not actor().is_teacher else ".time"
    return redirect(url_for(where, told="deleted" if is_deleted else "kept"), 303)


@blueprint.post("/time/delete")
def delete_time() -> Response:
    """Deletes all that one said in it, with the key."""
    with tool().database.write() as session:
        _check(session)
        ledger.forget(session, tool().keyring, actor().person_id, tool().clock())
    tool().database.forget_deleted()
    return redirect(url_for(".time" if actor().is_teacher else "ownership.mine", told="all deleted"), 303)


def _check(session: Session) -> None:
    """A 404 for who can have no ledger."""
    is_new = not actor().is_teacher and not ledger.has_any(session, actor().person_id)
    if not may(actor(), Action.KEEP_LEDGER, TimeFacts(actor().person_id, is_new=is_new)):
        abort(404)


def _of_meeting(session: Session, meeting_id: str) -> tuple[Booking, Line]:
    _check(session)
    found = (
        ledger.of_meeting(
            session, tool().keyring, actor().person_id, meeting_id, cycle_words.zone(), _categories(), tool().clock()
        )
        if is_id(meeting_id)
        else None
    )
    return found or abort(404)


def _line(session: Session, line_id: str) -> Line:
    _check(session)
    found = ledger.find(session, tool().keyring, actor().person_id, line_id, tool().clock()) if is_id(line_id) else None
    return found or abort(404)


def _categories(line: Line | None = None) -> tuple[str, ...]:
    """Those of the settings, and the one of a line that was said while there were others."""
    offered = tool().settings.time.categories
    return (*offered, line.category) if line and line.category and line.category not in offered else offered


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "")[:_LONGEST] for name in ("day", "minutes", "category", "note")}


def _shown(line: Line) -> dict[str, str]:
    minutes = str(ledger_rules.counted(line))
    return {"day": line.day.isoformat(), "minutes": minutes, "category": line.category, "note": line.note}


def _period() -> tuple[date, date, bool]:
    return ledger_rules.period(request.args.get("from", ""), request.args.get("to", ""), cycle_words.today())


def _entries(session: Session, first: date, last: date) -> list[Entry]:
    return ledger.entries(
        session, tool().keyring, actor().person_id, first, last, cycle_words.zone(), _categories(), tool().clock()
    )


def _page(
    session: Session, typed: Mapping[str, str] | None = None, wrong: Sequence[Problem] = (), *, is_full: bool = False
) -> str:
    first, last, is_read = _period()
    found = _entries(session, first, last)
    return render_template(
        "schedule/time.html",
        message=ledger_words.told(request.args.get("told", "")),
        bad_period="" if is_read else ledger_words.bad_period(),
        errors=_errors(wrong, is_full),
        wrong=wrong,
        typed=typed or {"day": cycle_words.today().isoformat(), "minutes": "", "category": "", "note": ""},
        first=first,
        last=last,
        entries=found[::-1],
        totals=ledger_rules.totals(found),
        categories=_categories(),
        say=ledger_words,
        words=cycle_words,
        most_note=ledger_rules.MOST_NOTE,
        has_said=any(each.line_id for each in found),
        is_teacher=actor().is_teacher,
    )


def _form(
    typed: Mapping[str, str],
    wrong: Sequence[Problem] = (),
    *,
    line: Line,
    booking: Booking | None = None,
    is_full: bool = False,
) -> str:
    return render_template(
        "schedule/time_line.html",
        errors=_errors(wrong, is_full),
        wrong=wrong,
        typed=typed,
        booking=booking,
        categories=_categories(line),
        say=ledger_words,
        words=cycle_words,
        most_note=ledger_rules.MOST_NOTE,
        today=cycle_words.today().isoformat(),
    )


def _errors(wrong: Sequence[Problem], is_full: bool) -> list[tuple[str, str]]:
    found = [(each.value, ledger_words.problem(each)) for each in wrong]
    return [*found, ("", ledger_words.full())] if is_full else found
