"""How an activity is going: the page of its trainer and its facilitators, and the friendly words sent from there."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.activities.kinds import kind_of
from lti_tool.activities.service import ActivityView
from lti_tool.privacy.rules import Action, may
from lti_tool.progress import service, words
from lti_tool.progress.rules import NO_PARTNER, NOT_OPENED, PAIRED, SUBMITTED, WAITS, NudgeKind, chosen_wait
from lti_tool.progress.service import Progress
from lti_tool.protocols.recipe import REFLECTION
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
    """How the activity is going, for its trainer and its facilitators."""
    with tool().database.read() as session:
        activity = activities.find(session, actor().activity_id or "")
        if activity is None:
            abort(404)
        return progress_page(session, activity)


def progress_page(session: Session, activity: ActivityView) -> str:
    """The page of the trainer and the facilitators; a 404 for everybody else."""
    if not may(actor(), Action.SEE_HEALTH, activity.facts):
        abort(404)
    is_trainer = may(actor(), Action.SEE_PROGRESS, activity.facts)
    in_pairs = kind_of(activity.kind).protocols != "alone"
    in_groups = kind_of(activity.kind).protocols == "group"
    days = chosen_wait(request.args.get("days", type=int))
    progress = service.read(
        session,
        activity.id,
        activity.course_id,
        viewer=actor().membership_id,
        days=days,
        now=tool().clock(),
        # Teachers are told that their trainer sees that they submitted, and nobody else.
        with_submissions=is_trainer and kind_of(activity.kind).protocols != "none",
        page=request.args.get("page", 1, type=int),
        stalled_page=request.args.get("pairs", 1, type=int),
        unpaired_page=request.args.get("teachers", 1, type=int),
    )
    titles = _titles(progress, in_pairs, in_groups)
    parts = _parts(progress, titles)
    return render_template(
        "progress/show.html",
        activity=activity,
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")),
        progress=progress,
        parts=parts,
        bar_text=", ".join(f"{part.title} {part.count}" for part in parts),
        is_trainer=is_trainer,
        takes_part=may(actor(), Action.TAKE_PART, activity.facts),
        can_take_over=may(actor(), Action.TAKE_OVER_ACTIVITY, activity.facts),
        in_pairs=in_pairs,
        in_groups=in_groups,
        # Where nothing new begins, nobody is asked to begin.
        can_begin=activity.status == "open",
        has_cycles=in_pairs and kind_of(activity.kind).protocols != "none",
        days=days,
        waits=sorted(WAITS),
        step_of={key: titles.get(key, key) for key in {pair.stage for pair in progress.stalled.shown}},
        stalled_words=words.nudge(NudgeKind.STALLED, in_group=in_groups),
        unpaired_words=words.nudge(NudgeKind.NO_PARTNER, in_group=in_groups),
        who=words.who_can_see_health(is_trainer=is_trainer),
    )


@blueprint.post("/nudges/pairs/<pair_id>")
def nudge_pair(pair_id: str) -> Response:
    """Sends a friendly word to the members of a pair that stands still."""
    days = chosen_wait(request.form.get("days", type=int))
    with tool().database.write() as session:
        activity = _own_activity(session)
        sent = service.nudge_pair(
            session,
            activity.id,
            activity.course_id,
            pair_id=pair_id,
            sender=actor().membership_id,
            days=days,
            now=tool().clock(),
        )
    return _back(sent, days)


@blueprint.post("/nudges/pairs")
def nudge_all() -> Response:
    """Sends a friendly word to all who stand still."""
    days = chosen_wait(request.form.get("days", type=int))
    with tool().database.write() as session:
        activity = _own_activity(session)
        sent = service.nudge_all_stalled(
            session, activity.id, activity.course_id, sender=actor().membership_id, days=days, now=tool().clock()
        )
    return _back(sent, days)


@blueprint.post("/nudges/teachers/<membership_id>")
def nudge_teacher(membership_id: str) -> Response:
    """Sends a friendly word to a teacher without a running pair."""
    with tool().database.write() as session:
        activity = _own_activity(session)
        if activity.status != "open":
            abort(404)
        sent = service.nudge_teacher(
            session,
            activity.id,
            activity.course_id,
            membership_id=membership_id,
            sender=actor().membership_id,
            now=tool().clock(),
        )
    return _back(sent, chosen_wait(request.form.get("days", type=int)))


@blueprint.post("/nudges/<nudge_id>/seen")
def seen(nudge_id: str) -> Response:
    """Puts away a friendly word that one was sent."""
    with tool().database.write() as session:
        mine = (actor().membership_id, actor().activity_id or "")
        if not service.put_away(session, nudge_id, *mine, tool().clock()):
            abort(404)
    return redirect(url_for("home.show"), 303)


def _own_activity(session: Session) -> ActivityView:
    """The launched activity, if the actor looks after its pairs; one without pairs has nothing to remind of."""
    activity = activities.find(session, actor().activity_id or "")
    if activity is None or not may(actor(), Action.SEE_HEALTH, activity.facts):
        abort(404)
    if kind_of(activity.kind).protocols == "alone":
        abort(404)
    return activity


def _back(sent: int | None, days: int) -> Response:
    if sent is None:
        abort(404)
    return redirect(url_for(".show", told="sent" if sent else "none", days=None if days == WAITS[0] else days), 303)


def _parts(progress: Progress, titles: Mapping[str, str]) -> list[Part]:
    total = max(1, progress.teachers)
    parts: list[Part] = []
    x = 0.0
    for number, (step, count) in enumerate(progress.steps):
        width = 100 * count / total
        colour = _SUBMITTED_COLOUR if step == SUBMITTED else _COLOURS[number % len(_COLOURS)]
        parts.append(Part(titles.get(step, step), count, round(x, 2), round(width, 2), colour))
        x += width
    return parts


def _titles(progress: Progress, in_pairs: bool, in_groups: bool) -> dict[str, str]:
    language = get_locale().language
    stages = {key: title.into(language) for key, title in progress.titles.items()}
    return stages | {
        REFLECTION: _("Writing their reflection"),
        NOT_OPENED: _("Not opened yet"),
        NO_PARTNER: _("In no group") if in_groups else _("No partner") if in_pairs else _("Not begun"),
        PAIRED: _("In a group, between cycles") if in_groups else _("Has a partner"),
        SUBMITTED: _("Reflection submitted"),
    }
