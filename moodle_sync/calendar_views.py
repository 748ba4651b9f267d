"""Whether a teacher wants their bookings in Moodle's calendar: a part of the page of their calendar."""

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import and_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.privacy.rules import Action, TimeFacts, may
from lti_tool.schedule import lms_calendar
from lti_tool.web.context import actor, tool
from moodle_sync.models import MoodleCourse, MoodleSite

blueprint = Blueprint("moodle_calendar", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody can choose."""

    is_wanted: bool
    is_offered: bool
    """Whether bookings of the course are written, for pairs that want it."""


@blueprint.app_template_global("moodle_calendar")
def _choice_here() -> Choice | None:
    """For whoever is here; None where there is nothing to choose. Two statements at most."""
    with tool().database.read() as session:
        return _choice(session)


@blueprint.post("/moodle/calendar")
def say() -> Response:
    """One wants one's bookings there (`on` is 1), or not any more."""
    on = request.form.get("on") == "1"
    with tool().database.write() as session:
        choice = _choice(session)
        if choice is None or (on and not choice.is_offered):
            abort(404)
        lms_calendar.say(session, actor().person_id, wanted=on)
    return redirect(url_for("schedule.calendar") + "#moodle-calendar", 303)


def _choice(session: Session) -> Choice | None:
    is_wanted = lms_calendar.is_wanted(session, actor().person_id)
    if not may(actor(), Action.KEEP_CALENDAR, TimeFacts(actor().person_id, is_new=not is_wanted)):
        return None
    is_offered = (
        session.scalar(
            select(MoodleCourse.course_id)
            .join(MoodleSite, and_(MoodleSite.platform_id == actor().platform_id, MoodleSite.events))
            .where(MoodleCourse.course_id == actor().course_id, MoodleCourse.writes_groups)
        )
        is not None
    )
    return Choice(is_wanted, is_offered) if is_wanted or is_offered else None
