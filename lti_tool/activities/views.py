"""Placing activities, setting one up, the welcome to it, and what it is about."""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import forms, selections, service
from lti_tool.activities.forms import Choices, draft_of, read_draft, told
from lti_tool.activities.kinds import protocols_for
from lti_tool.activities.rules import MAX_TITLE, NEW_ROUND, Draft, check, problems_together
from lti_tool.activities.selections import AlreadyAnswered, SelectionView, Unplaced
from lti_tool.activities.service import ActivityView, AlreadySetUp
from lti_tool.cycles.going_on import protocol_of
from lti_tool.cycles.words import into
from lti_tool.lti import deep_linking
from lti_tool.lti.platform import origin_of
from lti_tool.people import service as people
from lti_tool.privacy.rules import Action, may
from lti_tool.protocols.recipe import Protocol
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("activities", __name__)


def set_up_page(
    session: Session, activity: ActivityView, draft: Draft | None = None, errors: list[tuple[str, str]] | None = None
) -> str:
    """The page on which an Instructor opens a new activity and so becomes its trainer."""
    offered = forms.choices(session, actor(), activity.course_id, but=activity.id)
    if draft is None and activity.copied_from:
        schools = service.schools_of(session, activity.id)
        draft = draft_of(activity, schools, service.round_of_copy(session, activity))
    draft = draft or Draft(offered.whats[0].value)
    return render_template(
        "activities/set_up.html",
        activity=activity,
        activity_title=activity.title,
        choices=offered,
        draft=draft,
        errors=errors or [],
    )


@blueprint.post("/set-up")
def set_up() -> str | Response | tuple[str, int]:
    """Opens the activity; whoever does so is its trainer."""
    with tool().database.write() as session:
        activity = service.find(session, actor().activity_id or "")
        if activity is None:
            abort(404)
        if not may(actor(), Action.SET_UP_ACTIVITY, activity.facts):
            if activity.status != "new" and actor().lms_role == "instructor":
                raise _already_set_up()
            abort(404)
        draft = read_draft(request.form.get("what", ""))
        offered = forms.choices(session, actor(), activity.course_id, but=activity.id).offered
        settings, problems = check(draft, offered, with_title=False)
        if problems:
            return set_up_page(session, activity, draft, [told(each, draft) for each in problems]), 400
        try:
            service.set_up(session, activity, actor().membership_id, settings, tool().clock())
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


@blueprint.get("/select")
def select() -> str:
    """Where a trainer chooses what to place in the course (LTI deep linking)."""
    with tool().database.read() as session:
        selection = _own_selection(session)
        offered = forms.choices(session, actor(), selection.course_id, placing=True)
        return _select_page(selection, offered, selections.unplaced(session, selection), {}, ())


@blueprint.post("/select")
def place() -> str | tuple[str, int]:
    """Prepares what was chosen, and gives the browser our signed answer to carry to the LMS."""
    wanted = request.form.getlist("want")
    with tool().database.write() as session:
        selection = _own_selection(session)
        offered = forms.choices(session, actor(), selection.course_id, placing=True)
        waiting = selections.unplaced(session, selection)
        drafts = {what.value: read_draft(what.value, f"-{what.id}") for what in offered.whats}
        chosen = [value for value in drafts if value in wanted]
        prepared = [each.id for each in waiting if each.id in wanted]
        if errors := _problems(selection, offered, drafts, chosen, prepared):
            return _select_page(selection, offered, waiting, drafts, wanted, errors), 400
        settings = [check(drafts[value], offered.offered)[0] for value in chosen]
        try:
            links = selections.place(session, selection, settings, prepared, tool().clock())
        except AlreadyAnswered as error:
            raise _already_placed() from error
    # After the transaction: signing may read our keys anew, and on SQLite it would wait for itself.
    launch_url = f"{tool().settings.public_url}/lti/launch"
    claims = deep_linking.answer(selection.asker, selection.data, links, launch_url, tool().clock())
    g.form_targets = (origin_of(selection.return_url),)
    return render_template(
        "activities/placed.html",
        titles=[link.title for link in links],
        return_url=selection.return_url,
        token=tool().lti.keys.sign(claims),
    )


def _problems(
    selection: SelectionView, offered: Choices, drafts: dict[str, Draft], chosen: list[str], prepared: list[str]
) -> list[tuple[str, str]]:
    number = len(chosen) + len(prepared)
    if number == 0:
        return [("wanted", _("Tick what shall be in your course."))]
    if number > 1 and not selection.accept_multiple:
        return [("wanted", _("Your LMS takes one activity at a time. Choose one; the others can follow."))]
    found, settings = [], []
    for value in chosen:
        checked, problems = check(drafts[value], offered.offered)
        settings.append(checked)
        found += [(value, problem) for problem in problems]
    found += [(chosen[place], problem) for place, problem in problems_together(settings)]
    of = {what.value: f"-{what.id}" for what in offered.whats}
    return [told(problem, drafts[value], of[value]) for value, problem in found]


def _own_selection(session: Session) -> SelectionView:
    selection = selections.find(session, actor().selection_id or "")
    if selection is None:
        abort(404)
    if not may(actor(), Action.PLACE_ACTIVITIES, selection.facts):
        raise PageError(
            403,
            _("Activities are placed by trainers"),
            _("Your LMS lets you select content here, but only an instructor of the course becomes a trainer."),
            _("If you lead the school or look after the LMS, leave it to somebody else: coaching works without you."),
            reason="may not place",
        )
    if selection.is_answered:
        raise _already_placed()
    return selection


def _already_placed() -> PageError:
    return PageError(
        409,
        _("This is done already"),
        _("What you chose was sent to your LMS. Each selection is sent once, so that nothing is placed twice."),
        _("Look into your course. To place more, select content there again."),
        reason="already placed",
    )


def _select_page(
    selection: SelectionView,
    offered: Choices,
    waiting: list[Unplaced],
    drafts: dict[str, Draft],
    wanted: list[str] | tuple[str, ...],
    errors: list[tuple[str, str]] | None = None,
) -> str:
    has_rounds = len(offered.rounds) > 1
    suggested = {
        what.value: Draft(
            what.value, title=what.name, purpose=what.purpose, pairs_from=offered.rounds[1][0] if has_rounds else ""
        )
        for what in offered.whats
    }
    return render_template(
        "activities/select.html",
        choices=offered,
        drafts=suggested | drafts,
        waiting=waiting,
        wanted=wanted,
        takes_several=selection.accept_multiple,
        new_round=NEW_ROUND,
        max_title=MAX_TITLE,
        errors=errors or [],
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
        into=into,
        follows=_followed(activity) if activity and takes_part else None,
    )


def _followed(activity: ActivityView) -> Protocol | None:
    """What cycles that begin here follow; nothing where there are none."""
    return protocol_of(activity) if protocols_for(activity.kind) else None
