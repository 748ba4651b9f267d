"""What people settle about themselves: their language, that they lead the school, and leaving."""

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.people import coaching_roles, role_views, service, sign_ins
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import OFFERED
from lti_tool.web.sign_in import clear_cookie, handles

blueprint = Blueprint("people", __name__)
blueprint.register_blueprint(role_views.blueprint)


@blueprint.get("/you")
def you() -> str:
    """Who is signed in, in which language, and the way out."""
    with tool().database.read() as session:
        said_by = coaching_roles.leader_said_by(session, actor().membership_id) if actor().is_leader else ""
    return render_template("people/you.html", leader_said_by=said_by)


@blueprint.post("/language")
def language() -> AnyResponse:
    """Keeps the chosen language (empty: as the LMS says) and goes back to the page it was chosen on."""
    chosen = request.form.get("language", "")
    if chosen and chosen not in OFFERED:
        abort(400)
    with tool().database.write() as session:
        service.choose_language(session, actor().person_id, chosen)
    return redirect(_back(request.form.get("back", "")), 303)


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
