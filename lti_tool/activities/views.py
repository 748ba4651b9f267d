"""Setting an activity up, the welcome to it, and what it is about."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lti_tool.activities import service
from lti_tool.activities.rules import MAX_PURPOSE, Problem, problems
from lti_tool.activities.service import ActivityView, AlreadySetUp
from lti_tool.cycles.protocols import shipped
from lti_tool.people import service as people
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("activities", __name__)


def set_up_page(
    activity: ActivityView, *, protocol: str = "", purpose: str = "", found: tuple[Problem, ...] = ()
) -> str:
    """The page on which an Instructor opens a new activity and so becomes its trainer."""
    language = get_locale().language
    texts = {
        Problem.NO_PROTOCOL: ("protocol", _("Choose one of the ways to coach.")),
        Problem.LONG_PURPOSE: (
            "purpose",
            _("The purpose can have %(most)s characters; it has %(now)s.", most=MAX_PURPOSE, now=len(purpose)),
        ),
    }
    return render_template(
        "activities/set_up.html",
        activity=activity,
        activity_title=activity.title,
        protocols=[
            {"key": each.key, "title": each.title.into(language), "summary": each.summary.into(language)}
            for each in shipped().values()
        ],
        protocol=protocol or next(iter(shipped())),
        purpose=purpose,
        max_purpose=MAX_PURPOSE,
        errors=[texts[problem] for problem in found],
    )


@blueprint.post("/set-up")
def set_up() -> str | Response | tuple[str, int]:
    """Opens the activity; whoever does so is its trainer."""
    protocol = request.form.get("protocol", "")
    purpose = request.form.get("purpose", "").replace("\r\n", "\n").replace("\0", "").strip()
    with tool().database.write() as session:
        activity = service.find(session, actor().activity_id or "")
        if activity is None:
            abort(404)
        if not may(actor(), Action.SET_UP_ACTIVITY, activity.facts):
            if activity.status != "new" and actor().lms_role == "instructor":
                raise _already_set_up()
            abort(404)
        if found := problems(protocol, purpose, tuple(shipped())):
            return set_up_page(activity, protocol=protocol, purpose=purpose, found=tuple(found)), 400
        try:
            service.set_up(
                session,
                activity_id=activity.id,
                membership_id=actor().membership_id,
                protocol=protocol,
                purpose=purpose,
                now=tool().clock(),
            )
        except AlreadySetUp as error:
            raise _already_set_up() from error
    return redirect(url_for("home.show"), 303)


def _already_set_up() -> PageError:
    return PageError(
        409,
        _("This activity is set up already"),
        _("Somebody set it up a moment ago and is its trainer."),
        _("Ask the other trainers of the course who it was. Nothing is left for you to do here."),
        reason="already set up",
    )


@blueprint.post("/welcome")
def welcome() -> Response:
    """Keeps that the teacher has read what coaching here is and is not (R26)."""
    with tool().database.write() as session:
        activity = service.find(session, actor().activity_id or "")
        if activity is None or not may(actor(), Action.TAKE_PART, activity.facts):
            abort(404)
        people.acknowledge_welcome(session, actor().membership_id, tool().clock())
    return redirect(url_for("home.show"), 303)


@blueprint.get("/about")
def about() -> str:
    """What coaching here is and is not, and who can see what; for everybody, one tap from every page."""
    with tool().database.read() as session:
        activity = service.find(session, actor().activity_id or "")
        takes_part = activity is not None and (
            may(actor(), Action.TAKE_PART, activity.facts) or may(actor(), Action.SEE_PROGRESS, activity.facts)
        )
        trainers = service.trainer_names(session, activity.id) if activity and takes_part else []
    return render_template(
        "activities/about.html",
        activity=activity,
        activity_title=activity.title if activity else "",
        purpose=activity.purpose if activity and takes_part else "",
        trainers=trainers,
    )
