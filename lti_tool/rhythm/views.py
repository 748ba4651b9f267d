"""What a pair says about its rhythm, and putting the hint away."""

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.pairing import service as pairing
from lti_tool.pairing.service import PairView
from lti_tool.pairing.views import teachers_activity
from lti_tool.privacy.rules import Action, may
from lti_tool.rhythm import rules, service
from lti_tool.web.context import actor, tool

blueprint = Blueprint("rhythm", __name__)


@blueprint.post("/pair/rhythm")
def say() -> Response:
    """Keeps how often the pair would like to coach; either of them can say so, and both see it."""
    typed = request.form.get("weeks", "")
    weeks = rules.NO_HINT if typed == str(rules.NO_HINT) else rules.read_weeks(typed)
    if weeks is None and typed:
        abort(400)
    with tool().database.write() as session:
        service.say_weeks(session, _pair(session).id, weeks)
    return redirect(url_for("pairing.pair", told="rhythm"), 303)


@blueprint.post("/pair/rhythm/away")
def put_away() -> Response:
    """Puts the hint away, for oneself, until after the next cycle."""
    with tool().database.write() as session:
        service.put_away(session, _pair(session).id, actor().membership_id, tool().clock())
    return redirect(url_for("home.show"), 303)


def _pair(session: Session) -> PairView:
    """The current pair, as the page named it; a 404 where it is another by now."""
    activity = teachers_activity(session)
    found = pairing.current_pair(session, actor().membership_id, activity.id)
    if found is None or found.id != request.form.get("pair") or not may(actor(), Action.OPEN_PAIR, found.facts):
        abort(404)
    return found
