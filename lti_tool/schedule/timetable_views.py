"""Pages on which a teacher says when they teach and are free: by thumb, by a calendar file, or by its address."""

from collections.abc import Sequence
from datetime import timedelta

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles import words as cycle_words
from lti_tool.privacy.rules import Action, TimetableFacts, may
from lti_tool.schedule import ics, school_weeks, timetable_forms, timetable_words, timetables, week_words
from lti_tool.schedule.ics import CalendarError, Title
from lti_tool.schedule.school_weeks import Said
from lti_tool.schedule.timetable import KINDS, Calendar, Grid, expand
from lti_tool.schedule.timetables import BadAddress, Kept
from lti_tool.schedule.views_base import blueprint
from lti_tool.web.context import actor, tool

_MOST_TITLES = 80
"""Entries of a calendar that the page asks for; those that come most often."""
_SHOWN = timedelta(days=7)
"""So much of what a calendar comes to is shown."""


@blueprint.get("/timetable")
def timetable() -> str:
    """What one said, to change it."""
    with tool().database.read() as session:
        return _page(session, _mine(session))


@blueprint.post("/timetable")
def say_timetable() -> Response | str:
    """Keeps the week by thumb; or brings it back filled by a button. `do` is the button."""
    do = request.form.get("do", "")
    with tool().database.write() as session:
        kept = _mine(session)
        week = _week(session).week
        cells = timetable_forms.read(request.form, week)
        if do == "round":
            free, teaching = timetables.from_round(session, tool().keyring, actor().membership_id, tool().clock())
            return _page(session, kept, timetable_forms.of_round(free, teaching, week), told="round")
        if do.startswith("fill "):
            return _page(session, kept, timetable_forms.filled(cells, do.removeprefix("fill "), week), told="filled")
        grid = Grid(cells, actor().course_id)
        timetables.say_grid(session, tool().keyring, actor().person_id, grid, tool().clock())
    return redirect(url_for(".timetable", told="kept"), 303)


@blueprint.post("/timetable/calendar")
def say_calendar() -> Response | tuple[str, int]:
    """Takes a calendar: the file that was chosen, else the address that was typed."""
    brought, address = request.files.get("file"), request.form.get("address", "").strip()[: 2 * timetables.MAX_ADDRESS]
    data = brought.stream.read(ics.MAX_BYTES + 1) if brought and brought.filename else None
    stripped, wrong = None, []
    if data is not None:
        with tool().database.read() as session:
            _mine(session)
            zone = _week(session).week.zone
        # Not while the database is held: it may take a second or two.
        try:
            stripped = ics.strip(data, zone=zone, since=timetables.since(tool().clock()))
        except CalendarError as error:
            wrong = [("file", timetable_words.problem(error.problem.value))]
    elif not address:
        wrong = [("file", timetable_words.problem("nothing"))]
    keyring, me, now = tool().keyring, actor().person_id, tool().clock()
    with tool().database.write() as session:
        kept = _mine(session)
        if stripped is not None:
            calendar = timetables.calendar_of(stripped, kept.said if kept else None)
            timetables.say_calendar(session, keyring, me, calendar, now)
            return redirect(url_for(".entries", told="read"), 303)
        if not wrong:
            try:
                timetables.say_address(session, keyring, me, address, now)
                return redirect(url_for(".timetable", told="address"), 303)
            except BadAddress:
                wrong = [("address", timetable_words.problem("bad address"))]
        return _page(session, kept, errors=wrong, address=address), 400


@blueprint.get("/timetable/entries")
def entries() -> str:
    """What the entries of one's calendar are, to be said."""
    with tool().database.read() as session:
        return _entries_page(session, _calendar(session))


@blueprint.post("/timetable/entries")
def say_entries() -> Response | str | tuple[str, int]:
    """Keeps what the entries are, and the days without school; `do`: all KIND makes all that is not said that."""
    do = request.form.get("do", "")
    with tool().database.write() as session:
        kept = _calendar(session)
        said = kept.said
        assert isinstance(said, Calendar)
        titles = _titles(session, said)
        typed = {title.text: request.form.get(f"kind-{n}", "") for n, title in enumerate(titles)}
        # Where another calendar was read meanwhile, what was chosen was of other entries.
        is_same = all(request.form.get(f"title-{n}", "") == title.text for n, title in enumerate(titles))
        kinds = {text: kind for text, kind in typed.items() if kind in KINDS}
        away = [day for day in range(7) if request.form.get(f"away-{day}") == "1"]
        if do.startswith("all ") and do.removeprefix("all ") in KINDS and is_same:
            every = dict.fromkeys((title.text for title in titles if title.is_timed), do.removeprefix("all "))
            return _entries_page(session, kept, every | kinds, away)
        later = {text: kind for text, kind in said.kinds.items() if text not in typed}
        revision = request.form.get("was", "")
        was = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 8 else -1
        if not is_same or not timetables.say_kinds(
            session, tool().keyring, actor().person_id, later | kinds, away, was, tool().clock()
        ):
            return _entries_page(session, kept, dict(said.kinds) | kinds, away, overtaken=True), 409
    return redirect(url_for(".timetable", told="kept"), 303)


@blueprint.post("/timetable/delete")
def delete_timetable() -> Response:
    """Deletes all that was said, with the address and the key."""
    with tool().database.write() as session:
        _mine(session)
        timetables.forget(session, tool().keyring, actor().person_id, tool().clock())
    tool().database.forget_deleted()
    return redirect(url_for(".timetable" if actor().is_teacher else "ownership.mine", told="deleted"), 303)


def _mine(session: Session) -> Kept | None:
    """The timetable of the signed-in person; a 404 for who can have none."""
    kept = timetables.mine(session, tool().keyring, actor().person_id, tool().clock())
    if not may(actor(), Action.KEEP_TIMETABLE, TimetableFacts(actor().person_id, is_new=kept is None)):
        abort(404)
    return kept


def _calendar(session: Session) -> Kept:
    kept = _mine(session)
    if kept is None or not isinstance(kept.said, Calendar) or kept.is_empty:
        abort(404)
    return kept


def _week(session: Session) -> Said:
    """The week of the school of the signed-in person."""
    said = school_weeks.of_course(session, actor().course_id)
    return school_weeks.of_school(said, actor().school_id, tool().settings.time_zone)


def _titles(session: Session, calendar: Calendar) -> list[Title]:
    now = tool().clock()
    try:
        found = ics.strip(calendar.ics.encode(), zone=_week(session).week.zone, since=timetables.since(now))
    except CalendarError:
        return []
    return list(found.titles[:_MOST_TITLES])


def _page(
    session: Session,
    kept: Kept | None,
    cells: dict[str, str] | None = None,
    *,
    errors: Sequence[tuple[str, str]] = (),
    address: str = "",
    told: str = "",
) -> str:
    """The page; `cells`: of the week as it was filled, else as it is kept."""
    said = _week(session)
    grid = kept.said if kept and isinstance(kept.said, Grid) else None
    rows = timetable_forms.rows_of(said.week)
    days = timetable_forms.days_of(said.week)
    names = week_words.days()
    return render_template(
        "schedule/timetable.html",
        message=timetable_words.told(told or request.args.get("told", "")),
        errors=errors,
        kept=kept,
        is_calendar=kept is not None and grid is None,
        state=timetable_words.state(kept, said, actor().course_id) if kept else [],
        comes_to=_comes_to(kept, said),
        rows=rows,
        days=[(day, *names[day]) for day in days],
        clock=timetable_forms.clock,
        states=timetable_words.states(),
        cells=cells or timetable_forms.complete(grid.cells if grid else {}, said.week),
        is_filled=cells is not None,
        is_week_said=said.revision > 0,
        has_round=timetables.has_round(session, actor().membership_id),
        address=address or (kept.address if kept else ""),
        most_kb=ics.MAX_BYTES // 1000,
        is_teacher=actor().is_teacher,
    )


def _comes_to(kept: Kept | None, said: Said) -> list[tuple[str, str, str]]:
    if kept is None or not isinstance(kept.said, Calendar) or kept.is_empty:
        return []
    first = said.week.day_of(tool().clock())
    try:
        found = expand(kept.said, said.week, first, first + _SHOWN)
    except CalendarError:
        return []
    return timetable_words.comes_to(found)


def _entries_page(
    session: Session,
    kept: Kept,
    kinds: dict[str, str] | None = None,
    away: Sequence[int] | None = None,
    *,
    overtaken: bool = False,
) -> str:
    said = kept.said
    assert isinstance(said, Calendar)
    names = week_words.days()
    return render_template(
        "schedule/calendar_titles.html",
        message=timetable_words.told(request.args.get("told", "")),
        overtaken=overtaken,
        was=kept.revision,
        titles=_titles(session, said),
        kinds=said.kinds if kinds is None else kinds,
        offered=timetable_words.kinds(),
        days=[(day, names[day][1]) for day in timetable_forms.days_of(_week(session).week)],
        away=said.away if away is None else away,
        words=cycle_words,
    )
