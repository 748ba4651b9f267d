"""The trainer's page."""

from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.service import ActivityView
from lti_tool.cycles.protocols import REFLECTION
from lti_tool.privacy.rules import Action, may
from lti_tool.privacy.words import who_can_see_progress
from lti_tool.progress import service
from lti_tool.progress.rules import NO_PARTNER, NOT_OPENED, SUBMITTED
from lti_tool.progress.service import Progress
from lti_tool.web.context import actor, tool

blueprint = Blueprint("progress", __name__)

_COLOURS = ("#4a5560", "#7a4a8c", "#35748f", "#0b6e63", "#4b7f1f", "#876a00", "#8a3f5c")
"""White figures stand on them: each has a contrast of 4.5:1 or more with white, in both themes."""
_SUBMITTED_COLOUR = "#b45f06"


@dataclass(frozen=True, slots=True)
class Part:
    """One step in the bar and in the table behind it."""

    title: str
    count: int
    x: float
    width: float
    """Both in percent of the bar."""
    colour: str


@blueprint.get("/progress")
def show() -> str:
    """How the activity is going, for its trainer."""
    with tool().database.read() as session:
        activity = activities.find(session, actor().activity_id or "")
        if activity is None:
            abort(404)
        return progress_page(session, activity)


def progress_page(session: Session, activity: ActivityView) -> str:
    """The trainer's page; a 404 for everybody else."""
    if not may(actor(), Action.SEE_PROGRESS, activity.facts):
        abort(404)
    progress = service.read(
        session,
        activity.id,
        activity.course_id,
        page=request.args.get("page", 1, type=int),
    )
    parts = _parts(progress)
    return render_template(
        "progress/show.html",
        activity=activity,
        activity_title=activity.title,
        progress=progress,
        parts=parts,
        bar_text=", ".join(f"{part.title} {part.count}" for part in parts),
        who=who_can_see_progress(),
    )


def _parts(progress: Progress) -> list[Part]:
    titles = _titles(progress)
    total = max(1, progress.teachers)
    parts: list[Part] = []
    x = 0.0
    for number, (step, count) in enumerate(progress.steps):
        width = 100 * count / total
        colour = _SUBMITTED_COLOUR if step == SUBMITTED else _COLOURS[number % len(_COLOURS)]
        parts.append(Part(titles.get(step, step), count, round(x, 2), round(width, 2), colour))
        x += width
    return parts


def _titles(progress: Progress) -> dict[str, str]:
    language = get_locale().language
    stages = {key: title.into(language) for key, title in progress.titles.items()}
    return stages | {
        REFLECTION: _("Writing their reflection"),
        NOT_OPENED: _("Not opened yet"),
        NO_PARTNER: _("No partner"),
        SUBMITTED: _("Reflection submitted"),
    }
