"""Pages of completion: the teacher's own tap, and what the trainer sees of the deliveries."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.activities.service import ActivityView
from lti_tool.completion import service
from lti_tool.completion.service import Standing
from lti_tool.completion.words import advice
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("completion", __name__)


@blueprint.app_template_global("completion_advice")
def _advice(problem: str) -> str:
    return advice(problem)


def card(session: Session, activity: ActivityView) -> Standing | None:
    """What completion/_card.html shows the acting teacher; None where there is nothing to tell (yet).

    Costs no statement where the activity does not report completion.
    """
    if not may(actor(), Action.TELL_GRADEBOOK, activity.facts):
        return None
    found = service.standing(session, actor().membership_id, activity.id)
    return found if found.can_tell or found.status else None


def card_here(session: Session) -> Standing | None:
    """The same for a page that has not read the launched activity; one or two statements."""
    activity = activities.find(session, actor().activity_id or "")
    return card(session, activity) if activity else None


@blueprint.get("/completion")
def show() -> str:
    """What the gradebook can be told, by whom, and what has become of it."""
    with tool().database.read() as session:
        activity = _activity(session, Action.TELL_GRADEBOOK)
        return render_template(
            "completion/show.html", activity_title=activity.title, completion=card(session, activity)
        )


@blueprint.post("/completion/tell")
def tell() -> Response:
    """The teacher's own tap: the gradebook is told."""
    with tool().database.write() as session:
        activity = _activity(session, Action.TELL_GRADEBOOK)
        if not service.standing(session, actor().membership_id, activity.id).can_tell:
            raise PageError(
                409,
                _("There is nothing to tell yet"),
                _("The gradebook can be told when you have submitted the reflection of a cycle."),
                _("Go to your next step. You need not tell the gradebook anything, now or later."),
                reason="not submitted",
            )
        service.tell(session, activity_id=activity.id, membership_id=actor().membership_id, now=tool().clock())
    return redirect(url_for(".show"), 303)


@blueprint.get("/deliveries")
def deliveries() -> str:
    """For the trainer: which teachers told the gradebook, and whether it arrived."""
    with tool().database.read() as session:
        activity = _activity(session, Action.MANAGE_ACTIVITY)
        found = service.list_of(session, activity.id, page=request.args.get("page", 1, type=int))
    return render_template(
        "completion/deliveries.html", activity=activity, activity_title=activity.title, deliveries=found
    )


@blueprint.post("/deliveries/<delivery_id>/again")
def again(delivery_id: str) -> Response:
    """Tries one delivery again, at once."""
    with tool().database.write() as session:
        activity = _activity(session, Action.MANAGE_ACTIVITY)
        if not service.retry(session, activity_id=activity.id, delivery_id=delivery_id, now=tool().clock()):
            abort(404)
    return redirect(url_for(".deliveries", page=request.args.get("page", 1, type=int)), 303)


def _activity(session: Session, action: Action) -> ActivityView:
    activity = activities.find(session, actor().activity_id or "")
    if activity is None or not may(actor(), action, activity.facts):
        abort(404)
    return activity
