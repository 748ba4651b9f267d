"""The trainer's own pages: an activity's settings, who may take part, and the plan of the course."""

from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import forms, service
from lti_tool.activities.forms import draft_of, read_draft, told
from lti_tool.activities.kinds import kind_of
from lti_tool.activities.rules import MAX_TITLE, Draft, check, moved, read_dates
from lti_tool.activities.service import ActivityView, PlannedActivity
from lti_tool.people import roster
from lti_tool.people import service as people
from lti_tool.privacy.rules import Action, CourseFacts, may
from lti_tool.web.context import actor, tool

blueprint = Blueprint("manage", __name__)

_Row = tuple[str, str]


# Settings


@blueprint.get("/activity")
def show() -> str:
    """The settings of the activity, to be changed."""
    with tool().database.read() as session:
        activity = _mine(session)
        return _settings_page(session, activity, message=_message(request.args.get("told", "")))


@blueprint.post("/activity")
def save() -> str | Response | tuple[str, int]:
    """Keeps changed settings; what has begun keeps its protocol (R21)."""
    with tool().database.write() as session:
        activity = _mine(session)
        draft = read_draft(request.form.get("what", ""))
        settings, problems = check(draft, _choices(session, activity).offered, with_title=False)
        if problems:
            return _settings_page(session, activity, draft, [told(each, draft) for each in problems]), 400
        service.change(session, activity, settings)
    return redirect(url_for(".show", told="saved"), 303)


@blueprint.post("/activity/archive")
def archive() -> Response:
    """Closes the activity for new beginnings."""
    with tool().database.write() as session:
        service.archive(session, _mine(session).id)
    return redirect(url_for(".show", told="archived"), 303)


@blueprint.post("/activity/reopen")
def reopen() -> Response:
    """Opens an archived activity again."""
    with tool().database.write() as session:
        service.reopen(session, _mine(session).id)
    return redirect(url_for(".show", told="reopened"), 303)


@blueprint.post("/activity/duplicate")
def duplicate() -> Response:
    """Prepares a second activity with the same settings, to be placed in the course."""
    with tool().database.write() as session:
        activity = _mine(session)
        title = _("%(title)s, copy", title=activity.title)[:MAX_TITLE]
        service.duplicate(session, activity, actor().membership_id, title, tool().clock())
    return redirect(url_for(".plan", told="duplicated"), 303)


@blueprint.post("/activity/roster")
def read_roster() -> Response:
    """Asks for the list of people of the course to be read now."""
    with tool().database.write() as session:
        activity = _mine(session)
        roster.request(session, activity.course_id, tool().clock())
    return redirect(url_for(".show", told="roster"), 303)


def _mine(session: Session) -> ActivityView:
    activity = service.find(session, actor().activity_id or "")
    if activity is None or not may(actor(), Action.MANAGE_ACTIVITY, activity.facts):
        abort(404)
    return activity


def _choices(session: Session, activity: ActivityView) -> forms.Choices:
    """A kind stays: what teachers began would have no place in another."""
    found = forms.choices(session, actor(), activity.course_id, but=activity.id)
    return replace(found, whats=tuple(what for what in found.whats if what.kind == activity.kind))


def _settings_page(
    session: Session,
    activity: ActivityView,
    draft: Draft | None = None,
    errors: list[_Row] | None = None,
    message: str = "",
) -> str:
    if draft is None:
        draft = draft_of(activity, service.schools_of(session, activity.id), activity.pairs_from_id or "")
    return render_template(
        "activities/settings.html",
        activity=activity,
        activity_title=activity.title,
        choices=_choices(session, activity),
        draft=draft,
        errors=errors or [],
        message=message,
        named=service.participants(session, activity.id),
        roster=roster.state_of(session, activity.course_id),
        kind=kind_of(activity.kind),
    )


def _message(code: str) -> str:
    return {
        "saved": _("Saved. What has begun goes on as it was."),
        "archived": _("The activity is archived: nothing new begins in it, and what has begun goes on."),
        "reopened": _("The activity is open again."),
        "duplicated": _("There is a copy now. Select content in your course to place it there."),
        "discarded": _("The activity that was not placed is gone."),
        "placed by now": _("That activity has been placed meanwhile, so it stays."),
        "roster": _("The list of people is being read; look again in a minute."),
    }.get(code, "")


# Who may take part


@blueprint.get("/activity/people")
def participants() -> str:
    """Naming the teachers for whom the activity is meant."""
    wanted = request.args.get("q", "").replace("\0", "")[:200]
    with tool().database.read() as session:
        activity = _mine(session)
        found = people.list_candidates(
            session, activity.course_id, activity.id, wanted, request.args.get("page", 1, type=int)
        )
    return render_template(
        "activities/people.html", activity=activity, activity_title=activity.title, found=found, wanted=wanted
    )


@blueprint.post("/activity/people")
def name_participant() -> Response:
    """Names a teacher, or takes the name back."""
    membership_id = request.form.get("person", "").replace("\0", "")
    with tool().database.write() as session:
        activity = _mine(session)
        if not people.is_candidate(session, activity.course_id, activity.id, membership_id):
            abort(404)
        if request.form.get("do") == "take back":
            service.unname_participant(session, activity.id, membership_id)
        else:
            service.name_participant(session, activity.id, membership_id)
    page = request.form.get("page", 1, type=int)
    return redirect(url_for(".participants", q=request.form.get("q", "")[:200] or None, page=page), 303)


# The plan of the course


@blueprint.get("/plan")
def plan() -> str:
    """The activities of the course with days and purposes (R30): for the trainer to arrange, for teachers to follow."""
    with tool().database.read() as session:
        if not may(actor(), Action.SEE_PLAN, CourseFacts(actor().course_id)):
            abort(404)
        return _plan_page(session, {}, [], _message(request.args.get("told", "")))


@blueprint.post("/plan")
def arrange() -> str | Response | tuple[str, int]:
    """Keeps the days that were typed, and moves an activity up or down if that was asked for."""
    with tool().database.write() as session:
        _require_arranging()
        planned = _plan(session)
        typed = {
            each.id: (request.form.get(f"starts-{each.id}", "")[:20], request.form.get(f"ends-{each.id}", "")[:20])
            for each in planned
            if may(actor(), Action.SET_DAYS, each.in_plan) and f"starts-{each.id}" in request.form
        }
        read = {each: read_dates(*days) for each, days in typed.items()}
        errors = [
            told(problem, Draft(""), f"-{each}")
            for each, (_first, _last, problems) in read.items()
            for problem in problems
        ]
        if errors:
            return _plan_page(session, typed, errors), 400
        service.set_days(session, {each: (first, last) for each, (first, last, _problems) in read.items()})
        way, _sep, moving = request.form.get("move", "").partition(" ")
        order = [each.id for each in planned]
        if way in ("up", "down") and moving in order:
            service.arrange(session, moved(order, moving, -1 if way == "up" else 1))
    return redirect(url_for(".plan", _anchor=f"activity-{moving}" if moving else None), 303)


@blueprint.post("/plan/discard")
def discard() -> Response:
    """Deletes an activity of one's own that was prepared and never placed."""
    with tool().database.write() as session:
        _require_arranging()
        wanted = request.form.get("activity", "")
        planned = _plan(session)
        found = next((each for each in planned if each.id == wanted), None)
        if found is None or not may(actor(), Action.SET_DAYS, found.in_plan):
            abort(404)
        gone = service.discard(session, found.id)
    return redirect(url_for(".plan", told="discarded" if gone else "placed by now"), 303)


def _require_arranging() -> None:
    if not may(actor(), Action.ARRANGE_PLAN, CourseFacts(actor().course_id)):
        abort(404)


def _plan(session: Session) -> list[PlannedActivity]:
    found = service.plan(session, actor().course_id, actor().membership_id)
    return [each for each in found if each.status != "new"]


def _plan_page(session: Session, typed: dict[str, tuple[str, str]], errors: list[_Row], message: str = "") -> str:
    arranges = may(actor(), Action.ARRANGE_PLAN, CourseFacts(actor().course_id))
    planned = _plan(session)
    if not arranges:
        planned = [each for each in planned if each.status == "open" and each.is_placed]
    names = {what.kind: what.name for what in forms.whats()}
    return render_template(
        "activities/plan.html",
        planned=planned,
        arranges=arranges,
        typed=typed,
        errors=errors,
        message=message,
        kind_names=names,
    )
