"""The page on which a trainer says what the groups of a course in Moodle stand for, and whether pairs become some."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.privacy.rules import Action, CourseFacts, may
from lti_tool.web.context import actor, tool
from moodle_sync import about, groups, roster
from moodle_sync.about import About

blueprint = Blueprint("moodle", __name__)
_TOKEN = ("invalidtoken", "invalidtimedtoken", "invalidiptoken", "token_sealed", "servicenotavailable", "other_site")
_NOT_ALLOWED = ("nopermissions", "nopermission", "requireloginerror", "errorcoursecontextnotvalid", "missing_function")


@blueprint.app_template_global("moodle_problem")
def _problem(code: str) -> str:
    """What a trainer can do about an error, or who can; the code is for the administrator."""
    if code in _TOKEN or code.startswith("wsaccess"):
        said = _("The administrator of your Moodle has to renew the way in for this tool.")
    elif code in _NOT_ALLOWED:
        said = _("The administrator of your Moodle has not allowed it, or not in this course.")
    elif code in ("invalidrecord", "invalidrecordunknown", "no_group"):
        said = _("Moodle does not find this course or the group any more.")
    else:
        said = _("Moodle could not be reached, or did not answer as it should. It is tried again by itself.")
    return f"{said} ({code})"


@blueprint.app_template_global("has_moodle")
def _has_moodle() -> bool:
    """Whether there is something on the page of the course in Moodle for whoever is here; one statement at most."""
    if not may(actor(), Action.USE_MOODLE, CourseFacts(actor().course_id)):
        return False
    with tool().database.read() as session:
        return about.is_connected(session, actor().platform_id)


@blueprint.app_template_global("pairs_are_in_moodle")
def _pairs_are_in_moodle() -> bool:
    """Whether a pair of the course has a group in Moodle; one statement."""
    with tool().database.read() as session:
        return about.writes_pairs(session, actor().course_id)


@blueprint.get("/moodle")
def show() -> str:
    """What is known of the course's groups, and what becomes of pairs."""
    _require()
    with tool().database.read() as session:
        found = about.of_course(session, actor().platform_id, actor().course_id)
    return render_template("moodle/show.html", about=found, message=_told(request.args.get("told", "")))


@blueprint.post("/moodle/groups")
def stand_for() -> Response:
    """Groups of the course are schools, departments, or nothing; `are` says which."""
    what = request.form.get("are", "")
    if what not in ("", "school", "department"):
        abort(400)
    with tool().database.write() as session:
        _connected(session)
        try:
            number = roster.stand_for(session, actor().course_id, what, tool().clock())
        except LookupError:
            abort(404)
    told = "departments" if what == "department" and not number else f"groups-{min(number, 9999)}"
    return redirect(url_for(".show", told=told), 303)


@blueprint.post("/moodle/pairs")
def write_pairs() -> Response:
    """Pairs of the course become groups of Moodle (`on` is 1), or do so no more."""
    on = request.form.get("on") == "1"
    with tool().database.write() as session:
        found = _connected(session)
        if on and not found.site.can("groups"):
            return redirect(url_for(".show", told="not-offered"), 303)
        try:
            roster.write_pairs(session, actor().course_id, on=on)
        except LookupError:
            abort(404)
        session.flush()
        groups.say(session, actor().platform_id, actor().course_id, tool().clock())
    return redirect(url_for(".show", told="on" if on else "off"), 303)


def _require() -> None:
    """A 404 for all but the trainers of the course."""
    if not may(actor(), Action.USE_MOODLE, CourseFacts(actor().course_id)):
        abort(404)


def _connected(session: Session) -> About:
    _require()
    found = about.of_course(session, actor().platform_id, actor().course_id)
    if found is None:
        abort(404)
    return found


def _told(code: str) -> str:
    kind, _dash, number = code.partition("-")
    if kind == "groups" and number.isascii() and number.isdigit() and len(number) <= 4:
        if int(number) == 0:
            return _("Kept. Nobody has another school by it.")
        return ngettext(
            "Kept. %(num)s person has another school by it.",
            "Kept. %(num)s people have another school by it.",
            int(number),
        )
    return {
        "departments": _("Kept. Who looks for a partner sees beside each colleague which department they are in."),
        "on": _("Pairs become groups in Moodle now, within some minutes."),
        "off": _("No pair is a group in Moodle any more: those that were made are deleted there within some minutes."),
        "not-offered": _("The administrator of your Moodle has not allowed this tool to make groups."),
    }.get(code, "")
