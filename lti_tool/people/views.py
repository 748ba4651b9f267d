"""What people settle about themselves: their language, that they lead the school, and leaving."""

from collections.abc import Iterable

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.people import coaching_roles, role_views, service, sign_ins
from lti_tool.people.zones import ZONES, is_zone
from lti_tool.privacy.rules import Action, may
from lti_tool.schools import service as schools
from lti_tool.schools.rules import MAX_SCHOOL, line
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import OFFERED
from lti_tool.web.sign_in import clear_cookie, handles

blueprint = Blueprint("people", __name__)
blueprint.register_blueprint(role_views.blueprint)


@blueprint.get("/you")
def you() -> str:
    """Who is signed in, in which language, where and when they work, and the way out."""
    return _you_page()


def _you_page(*, errors: Iterable[tuple[str, str]] = (), zone: str | None = None, school_name: str = "") -> str:
    """The page; `zone` and `school_name` are what was sent and could not be taken."""
    with tool().database.read() as session:
        said_by = coaching_roles.leader_said_by(session, actor().membership_id) if actor().is_leader else ""
        own_zone, launch_zone = service.zones_of(session, actor().person_id)
        found = schools.choices(session, actor().platform_id)
    return render_template(
        "people/you.html",
        leader_said_by=said_by,
        errors=list(errors),
        zones=ZONES,
        own_zone=own_zone if zone is None else zone,
        launch_zone=launch_zone,
        tool_zone=tool().settings.time_zone,
        schools=found.schools,
        may_type_school=found.may_type,
        school_name=school_name,
    )


@blueprint.post("/language")
def language() -> AnyResponse:
    """Keeps the chosen language (empty: as the LMS says) and goes back to the page it was chosen on."""
    chosen = request.form.get("language", "")
    if chosen and chosen not in OFFERED:
        abort(400)
    with tool().database.write() as session:
        service.choose_language(session, actor().person_id, chosen)
    return redirect(_back(request.form.get("back", "")), 303)


@blueprint.post("/time-zone")
def time_zone() -> AnyResponse | tuple[str, int]:
    """Keeps the chosen time zone; empty: as the LMS says, or else the tool."""
    chosen = request.form.get("time_zone", "")
    if chosen and not is_zone(chosen):
        return _you_page(errors=[("time-zone", _("Choose a time zone from the list."))], zone=""), 400
    with tool().database.write() as session:
        service.choose_time_zone(session, actor().person_id, chosen)
    return redirect(url_for("people.you"), 303)


@blueprint.post("/your-school")
def school() -> AnyResponse | tuple[str, int]:
    """Keeps in which school this person works, by their own word: one of the list, or a name that they typed."""
    typed, chosen = line(request.form.get("school_name", "")), request.form.get("school", "").replace("\0", "")
    error = ""
    with tool().database.write() as session:
        found = schools.choices(session, actor().platform_id)
        if typed and not found.may_type:
            error = _("Choose your school from the list.")
        elif len(typed) > MAX_SCHOOL:
            error = _("The name can have %(most)s characters; it has %(now)s.", most=MAX_SCHOOL, now=len(typed))
        elif typed:
            chosen = schools.add_school(session, actor().platform_id, typed, "person", tool().clock())
        elif chosen and chosen not in {each.id for each in found.schools}:
            error = _("Choose your school from the list.")
        if not error:
            schools.say_school(session, actor().person_id, chosen or None, "person")
    if error:
        box = "school-name" if found.may_type and typed else "school"
        return _you_page(errors=[(box, error)], school_name=typed), 400
    return redirect(url_for("people.you"), 303)


def _back(wanted: str) -> str:
    """The page to return to: one of this person's own pages, never an address from outside."""
    home = url_for("home.show")
    inside = wanted.startswith(home) and "\\" not in wanted and "//" not in wanted and ".." not in wanted
    return wanted if inside and wanted.isprintable() else home


@blueprint.get("/leader")
def leader() -> str:
    """What it means to say "I lead this school", before it is said."""
    _may_declare()
    return render_template("people/leader.html")


@blueprint.post("/leader")
def declare_leader() -> AnyResponse:
    """Keeps that this person leads the school: they see no names with activity from now on."""
    _may_declare()
    with tool().database.write() as session:
        service.declare_leader(session, actor().membership_id)
    return redirect(url_for("home.show"), 303)


def _may_declare() -> None:
    if not may(actor(), Action.DECLARE_LEADER):
        abort(404)


@blueprint.post("/leave")
def leave() -> Response:
    """Ends all that this person opened in this browser, for the next one at it, and says how to come back."""
    person_id, return_url = actor().person_id, actor().return_url
    # A day of launches leaves a sign-in each, and the browser's history leads to all of them.
    held = [handle for handle in handles() if handle.isascii() and handle.isalnum()]
    with tool().database.write() as session:
        closed = sign_ins.close_sign_ins(session, held, person_id)
    g.actor = None
    response = make_response(
        render_template(
            "people/left.html", course_url=return_url if return_url.startswith(("https://", "http://")) else ""
        )
    )
    for handle in closed:
        clear_cookie(response, handle)
    return response
