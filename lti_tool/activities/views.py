"""Placing activities, setting one up, the welcome to it, and what it is about."""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import selections, service
from lti_tool.activities.rules import (
    MAX_PURPOSE,
    MAX_TITLE,
    MOST_AT_ONCE,
    Choice,
    Problem,
    problems,
    problems_of_choices,
)
from lti_tool.activities.selections import AlreadyAnswered, SelectionView
from lti_tool.activities.service import ActivityView, AlreadySetUp
from lti_tool.cycles.protocols import shipped
from lti_tool.lti import deep_linking
from lti_tool.lti.platform import origin_of
from lti_tool.people import service as people
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("activities", __name__)


def set_up_page(
    activity: ActivityView, *, protocol: str = "", purpose: str = "", found: tuple[Problem, ...] = ()
) -> str:
    """The page on which an Instructor opens a new activity and so becomes its trainer."""
    return render_template(
        "activities/set_up.html",
        activity=activity,
        activity_title=activity.title,
        protocols=_protocols(),
        is_copy=bool(activity.protocol),
        protocol=protocol or next(iter(shipped())),
        purpose=purpose,
        max_purpose=MAX_PURPOSE,
        errors=[_told(problem, Choice(activity.title, purpose, protocol)) for problem in found],
    )


@blueprint.post("/set-up")
def set_up() -> str | Response | tuple[str, int]:
    """Opens the activity; whoever does so is its trainer."""
    protocol = request.form.get("protocol", "")
    purpose = _lines(request.form.get("purpose", ""))
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


@blueprint.get("/select")
def select() -> str:
    """Where a trainer chooses what to place in the course (LTI deep linking)."""
    with tool().database.read() as session:
        selection = _own_selection(session)
    return _select_page(selection, [])


@blueprint.post("/select")
def place() -> str | tuple[str, int]:
    """Prepares what was chosen, and gives the browser our signed answer to carry to the LMS."""
    with tool().database.write() as session:
        selection = _own_selection(session)
        choices = [_choice(number) for number in range(1, _rows(selection) + 1)]
        if found := problems_of_choices(choices, tuple(shipped())):
            return _select_page(selection, choices, found), 400
        try:
            links = selections.prepare(
                session, selection, [choice for choice in choices if not choice.is_empty], tool().clock()
            )
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


def _rows(selection: SelectionView) -> int:
    return MOST_AT_ONCE if selection.accept_multiple else 1


def _choice(number: int) -> Choice:
    form = request.form
    return Choice(
        title=" ".join(form.get(f"title-{number}", "").replace("\0", "").split()),
        purpose=_lines(form.get(f"purpose-{number}", "")),
        protocol=form.get(f"protocol-{number}", ""),
    )


def _select_page(
    selection: SelectionView, choices: list[Choice], found: list[tuple[int, Problem]] | None = None
) -> str:
    first = next(iter(shipped()))
    known = choices or [Choice("", "", first)] * _rows(selection)
    return render_template(
        "activities/select.html",
        choices=known,
        first_protocol=first,
        protocols=_protocols(),
        max_title=MAX_TITLE,
        errors=[_told(problem, known[number], f"-{number + 1}") for number, problem in found or []],
    )


def _protocols() -> list[dict[str, str]]:
    language = get_locale().language
    return [
        {"key": each.key, "title": each.title.into(language), "summary": each.summary.into(language)}
        for each in shipped().values()
    ]


def _told(problem: Problem, choice: Choice, of: str = "") -> tuple[str, str]:
    """(id of the box, sentence); `of` is what its id ends with."""
    match problem:
        case Problem.NO_PROTOCOL:
            return f"protocol{of}", _("Choose one of the ways to coach.")
        case Problem.LONG_PURPOSE:
            now = len(choice.purpose)
            text = _("The purpose can have %(most)s characters; it has %(now)s.", most=MAX_PURPOSE, now=now)
            return f"purpose{of}", text
        case Problem.NO_TITLE:
            return f"title{of}", _("Give the activity a name.")
        case Problem.LONG_TITLE:
            now = len(choice.title)
            return f"title{of}", _("The name can have %(most)s characters; it has %(now)s.", most=MAX_TITLE, now=now)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "").strip()


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
