"""Pages on which a trainer says who reports to whom, one by one or by a list."""

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities.service import ActivityView
from lti_tool.protocols.rules import fingerprint
from lti_tool.rounds import manager_files, managers, setting
from lti_tool.rounds.manager_files import MAX_FILE, MAX_LINES, BadFile, Read, Trouble, Wrong
from lti_tool.rounds.views_base import blueprint, round_of_trainer
from lti_tool.web.context import tool

_SHOWN = 50
"""Lines of a list that are told of at once, of those that are right and of those that are not."""
_AT_ONCE = 200
"""Who are ticked that one form may add: a page shows 30."""
Answer = str | Response | tuple[str, int]


@blueprint.get("/round/managers", endpoint="managers")
def list_managers() -> str:
    """Who reports to whom, and the ways to say so."""
    wanted = _wanted()
    with tool().database.read() as session:
        activity = round_of_trainer(session)
        found = managers.list_of(session, activity.course_id, wanted, request.args.get("page", 1, type=int))
    return _list_page(activity, found, wanted)


@blueprint.get("/round/managers/choose")
def choose_manager() -> str:
    """Finding somebody to whom others report."""
    wanted = _wanted()
    with tool().database.read() as session:
        activity = round_of_trainer(session)
        people = managers.people_of(session, activity.course_id, activity.id)
    return render_template(
        "rounds/managers_choose.html",
        activity=activity,
        activity_title=activity.title,
        manager=None,
        found=managers.search(people, wanted, request.args.get("page", 1, type=int)),
        here=set(),
        wanted=wanted,
        name_of=_name_of,
        message="",
    )


@blueprint.get("/round/managers/<membership_id>")
def choose_reports(membership_id: str) -> str:
    """Saying who reports to somebody: some, or everybody of their school."""
    wanted = _wanted()
    with tool().database.read() as session:
        activity = round_of_trainer(session)
        people = managers.people_of(session, activity.course_id, activity.id)
        manager = next((each for each in people if each.membership_id == membership_id), None)
        if manager is None:
            abort(404)
        here = managers.reports_of(session, activity.course_id, membership_id)
    others = [each for each in people if each is not manager]
    return render_template(
        "rounds/managers_choose.html",
        activity=activity,
        activity_title=activity.title,
        manager=manager,
        found=managers.search(others, wanted, request.args.get("page", 1, type=int)),
        here=here,
        wanted=wanted,
        name_of=_name_of,
        message=_message(request.args.get("told", "")),
    )


@blueprint.post("/round/managers/<membership_id>")
def add_reports(membership_id: str) -> Response:
    """Keeps who was ticked, or that everybody of the school reports to somebody."""
    ticked = request.form.getlist("report")[:_AT_ONCE]
    with tool().database.write() as session:
        activity = round_of_trainer(session)
        ids = {each.membership_id for each in managers.people_of(session, activity.course_id, activity.id)}
        if membership_id not in ids or not ids.issuperset(ticked):
            abort(404)
        pairs: list[tuple[str, str | None]] = [(membership_id, each) for each in ticked if each != membership_id]
        if request.form.get("do") == "school":
            pairs = [(membership_id, None)]
        managers.add(session, activity.course_id, pairs)
    if not pairs:
        page = request.form.get("page", 1, type=int)
        wanted = request.form.get("q", "")[:100] or None
        return redirect(url_for(".choose_reports", membership_id=membership_id, told="none", q=wanted, page=page), 303)
    return redirect(url_for(".managers", told="added"), 303)


@blueprint.post("/round/managers/remove")
def remove_manager() -> Response:
    """Takes one row off the list."""
    with tool().database.write() as session:
        activity = round_of_trainer(session)
        managers.remove(session, activity.course_id, request.form.get("row", "").replace("\0", "")[:32])
    page = request.form.get("page", 1, type=int)
    return redirect(url_for(".managers", q=request.form.get("q", "")[:100] or None, page=page, told="removed"), 303)


@blueprint.post("/round/managers/list")
def read_managers() -> Answer:
    """Reads a list that was brought or typed, and shows what it says; takes it when that was asked for, and only as it
    was shown."""
    do, replace = request.form.get("do", ""), request.form.get("replace") == "yes"
    typed = request.form.get("list", "")
    with tool().database.write() as session:
        activity = round_of_trainer(session)
        try:
            text = _brought() or typed
            read = manager_files.read(text, managers.people_of(session, activity.course_id, activity.id))
        except BadFile as error:
            found = managers.list_of(session, activity.course_id)
            return _list_page(activity, found, "", [("list", _file_told(error.trouble))], typed[:MAX_FILE]), 400
        shown = fingerprint([[row.ids for row in read.rows], len(read.wrong)])
        is_wanted = do == "take right" or (do == "take" and not read.wrong)
        if is_wanted and read.rows and request.form.get("shown") == shown:
            managers.add(session, activity.course_id, (row.ids for row in read.rows), replace=replace)
            return redirect(url_for(".managers", told="taken"), 303)
        return _preview_page(session, activity, text, read, shown, replace=replace, again=is_wanted)


def _brought() -> str:
    brought = request.files.get("file")
    if brought is None or not brought.filename:
        return ""
    with brought.stream as content:
        return manager_files.text_of(content.read(MAX_FILE + 1)) or " "


def _list_page(
    activity: ActivityView,
    found: managers.ListPage[managers.Listed],
    wanted: str,
    errors: list[tuple[str, str]] | None = None,
    typed: str = "",
) -> str:
    return render_template(
        "rounds/managers.html",
        activity=activity,
        activity_title=activity.title,
        found=found,
        wanted=wanted,
        errors=errors or [],
        typed=typed,
        most_lines=MAX_LINES,
        most_kb=MAX_FILE // 1000,
        named=_named,
        everybody_of=_everybody_of,
        message=_message(request.args.get("told", "")),
    )


def _preview_page(
    session: Session, activity: ActivityView, text: str, read: Read, shown: str, *, replace: bool, again: bool
) -> Answer:
    here = set(setting.managers(session, activity.course_id))
    page = render_template(
        "rounds/managers_read.html",
        activity=activity,
        activity_title=activity.title,
        text=text,
        shown=shown,
        replace=replace,
        again=again,
        rows=read.rows[:_SHOWN],
        right=len(read.rows),
        new=sum(row.ids not in here for row in read.rows),
        rows_here=len(here),
        wrong=[_line_told(each) for each in read.wrong[:_SHOWN]],
        wrong_in_all=len(read.wrong),
        name_of=_name_of,
        everybody_of=_everybody_of,
        message="",
    )
    return (page, 400) if read.wrong else page


def _wanted() -> str:
    return request.args.get("q", "").replace("\0", "").strip()[:100]


def _name_of(member: manager_files.Known) -> str:
    return _named(member.name)


def _named(name: str) -> str:
    return name or str(_("Somebody whose name the LMS does not give"))


def _everybody_of(school: str) -> str:
    """Who is meant by all of a school, be its name known or not."""
    return str(_("everybody of %(school)s", school=school) if school else _("everybody of the course"))


def _message(code: str) -> str:
    return {
        "added": _("Kept. They are not proposed to each other."),
        "removed": _("Taken off the list."),
        "taken": _("The list is taken. They are not proposed to each other."),
        "none": _("Nobody was ticked, so nothing has changed."),
    }.get(code, "")


def _file_told(trouble: Trouble) -> str:
    match trouble:
        case Trouble.TOO_LARGE:
            return str(_("The list is larger than %(most)s kB. Bring it in parts.", most=MAX_FILE // 1000))
        case Trouble.MANY_LINES:
            return str(_("The list has more than %(most)s lines. Bring it in parts.", most=MAX_LINES))
        case Trouble.WORKBOOK:
            return str(
                _("This is a workbook of a spreadsheet program. Open it there and save it as CSV, then bring that.")
            )
        case Trouble.NOT_TEXT:
            return str(_("This is no text. Save the list as CSV or as plain text, then bring that."))
        case _empty:
            return str(_("There is nobody in the list. Write a line for each, or choose a file."))


def _line_told(wrong: Wrong) -> str:
    sentences = {
        Trouble.COLUMNS: ngettext(
            "It has %(num)s column. Write the manager and who reports to them, with a semicolon between.",
            "It has %(num)s columns. Write the manager and who reports to them, with a semicolon between.",
            wrong.count,
        ),
        Trouble.OTHER_MARK: {
            ",": _("Put a comma between the two, as in your other lines."),
            "\t": _("Put a tab between the two, as in your other lines."),
        }.get(wrong.value, _("Put a semicolon between the two, as in your other lines.")),
        Trouble.NO_MANAGER: _("The manager is missing. Write them first."),
        Trouble.EMAIL: _(
            "“%(value)s” is an e-mail address, and none are kept here. Write the full name, or the user id of your "
            "LMS.",
            value=wrong.value,
        ),
        Trouble.UNKNOWN: _(
            "“%(value)s” is in this course neither by name nor by user id. Write the name as it is in your LMS, or "
            "take the line out.",
            value=wrong.value,
        ),
        Trouble.SEVERAL: _(
            "%(count)s people of this course are called “%(value)s”. Write the user id of your LMS instead.",
            count=wrong.count,
            value=wrong.value,
        ),
        Trouble.ONESELF: _("“%(value)s” is both. Nobody reports to themselves.", value=wrong.value),
        Trouble.STAR: _("A star can stand only in the second place, for everybody of the manager's school."),
    }
    return str(_("Line %(number)s: %(what)s", number=wrong.line, what=sentences.get(wrong.trouble, "")))
