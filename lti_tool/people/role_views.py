"""Pages on which a trainer gives coaching roles and takes them, and the way into an activity that has no trainer."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.activities.service import ActivityView
from lti_tool.people import coaching_roles
from lti_tool.people.coaching_roles import MemberView, Refused, UnknownMember
from lti_tool.people.role_rules import Refusal, Role, refuse_grant
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("roles", __name__)


@blueprint.get("/roles")
def show() -> str:
    """Who has which role in this activity, and a search for somebody to give one to."""
    wanted = request.args.get("q", "").strip()[:100]
    with tool().database.read() as session:
        activity = _own_activity(session)
        roles = coaching_roles.read(
            session,
            course_id=activity.course_id,
            activity_id=activity.id,
            wanted=wanted,
            page=request.args.get("page", 1, type=int),
        )
    return render_template(
        "people/roles.html",
        activity=activity,
        activity_title=activity.title,
        message=_told(request.args.get("told", "")),
        roles=roles,
        wanted=wanted,
        name_of=_name_of,
        words_of=_words_of,
        said_by=_said_by,
    )


@blueprint.get("/roles/<membership_id>")
def member(membership_id: str) -> str:
    """One member of the course: what they are here, and what the trainer can make them."""
    with tool().database.read() as session:
        activity = _own_activity(session)
        found = coaching_roles.find(
            session, course_id=activity.course_id, activity_id=activity.id, membership_id=membership_id
        )
    if found is None:
        abort(404)
    holder = found.holder
    has = {Role.TRAINER: holder.trains, Role.FACILITATOR: holder.facilitates, Role.LEADER: bool(holder.leader_said_by)}
    return render_template(
        "people/roles_member.html",
        activity_title=activity.title,
        member=found,
        name=_name_of(found),
        is_me=membership_id == actor().membership_id,
        has=has,
        can_be={role: not has[role] and refuse_grant(role, holder, actor().membership_id) is None for role in Role},
        words=_words_of(found),
        said_by=_said_by(found),
    )


@blueprint.post("/roles/<membership_id>/<role>")
def grant(membership_id: str, role: str) -> Response:
    """Gives a role."""
    wanted = _role(role)
    with tool().database.write() as session:
        activity = _own_activity(session)
        try:
            coaching_roles.grant(
                session,
                wanted,
                course_id=activity.course_id,
                activity_id=activity.id,
                membership_id=membership_id,
                by=actor().membership_id,
                now=tool().clock(),
            )
        except UnknownMember:
            abort(404)
        except Refused as refusal:
            raise _refused(refusal.reason) from refusal
    return redirect(url_for(".show", told=f"{wanted}-given"), 303)


@blueprint.post("/roles/<membership_id>/<role>/withdraw")
def withdraw(membership_id: str, role: str) -> Response:
    """Takes a role back; whoever lays down their own goes home, since this page is not theirs any more."""
    wanted = _role(role)
    with tool().database.write() as session:
        activity = _own_activity(session)
        try:
            coaching_roles.withdraw(
                session,
                wanted,
                course_id=activity.course_id,
                activity_id=activity.id,
                membership_id=membership_id,
                by=actor().membership_id,
            )
        except UnknownMember:
            abort(404)
        except Refused as refusal:
            raise _refused(refusal.reason) from refusal
    if wanted is Role.TRAINER and membership_id == actor().membership_id:
        return redirect(url_for("home.show"), 303)
    return redirect(url_for(".show", told=f"{wanted}-taken"), 303)


@blueprint.post("/take-over")
def take_over() -> Response:
    """An Instructor becomes trainer of an activity that has none left."""
    with tool().database.write() as session:
        activity = activities.find(session, actor().activity_id or "")
        if activity is None:
            abort(404)
        if not coaching_roles.take_over(session, actor(), activity.id, tool().clock()):
            # Told only to those who could have: whoever had this button on their page a moment ago.
            if activity.course_id == actor().course_id and actor().lms_role == "instructor" and not actor().is_above:
                raise _has_trainer()
            abort(404)
    return redirect(url_for("home.show"), 303)


def _own_activity(session: Session) -> ActivityView:
    activity = activities.find(session, actor().activity_id or "")
    if activity is None or not may(actor(), Action.MANAGE_ACTIVITY, activity.facts):
        abort(404)
    return activity


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        abort(404)


def _name_of(member: MemberView) -> str:
    return member.name or str(_("Somebody whose name the LMS does not give"))


def _words_of(member: MemberView) -> str:
    """What a member is here, in a word or two; empty for somebody who just takes part."""
    holder = member.holder
    if holder.leader_said_by:
        return str(_("leads the school"))
    if holder.is_administrator:
        return str(_("administrator"))
    if holder.trains and holder.facilitates:
        return str(_("trainer and facilitator"))
    if holder.trains:
        return str(_("trainer"))
    if holder.facilitates:
        return str(_("facilitator"))
    return str(_("Instructor of the course")) if holder.lms_role == "instructor" else ""


def _said_by(member: MemberView) -> str:
    """Who says that a member leads the school; empty if nobody does."""
    sentences = {
        "person": _("They said so themselves."),
        "trainer": _("A trainer said so."),
        "operator": _("The people who run the tool said so, for all courses. Only they can take it back."),
    }
    return str(sentences.get(member.holder.leader_said_by, ""))


def _told(code: str) -> str:
    if not code:
        return ""
    sentences = {
        "trainer-given": _("They are trainer of this activity now."),
        "trainer-taken": _("They are not trainer of this activity any more."),
        "facilitator-given": _("They are facilitator of this activity now."),
        "facilitator-taken": _("They are not facilitator of this activity any more."),
        "leader-given": _("They see no names in this course from now on."),
        "leader-taken": _("They do not count as leading the school any more in this course."),
    }
    return str(sentences.get(code, ""))


def _refused(reason: Refusal) -> PageError:
    match reason:
        case Refusal.LAST_TRAINER:
            return PageError(
                409,
                _("An activity needs a trainer"),
                _("You are the only trainer of this activity, so you cannot lay the role down yet."),
                _("Make somebody else trainer first. If you lead the school, say so on the page with your name."),
                reason="last trainer",
            )
        case Refusal.OPERATORS_WORD:
            return PageError(
                409,
                _("This is not yours to take back"),
                _("The people who run the tool said that this person leads the school, for all courses."),
                _("If that is a mistake, tell them."),
                reason="operator's word",
            )
        case Refusal.ONESELF:
            return PageError(
                409,
                _("This page is about others"),
                _("Whether you lead the school yourself is said on the page with your name."),
                _("Open it at the top of each page. Only another trainer can take it back."),
                reason="oneself",
            )
        case Refusal.NOT_FOR_THEM:
            return PageError(
                409,
                _("This role is not for them"),
                _(
                    "A trainer is an Instructor of the course, a facilitator an Instructor or a teacher. "
                    "Nobody who leads the school or looks after the LMS is either."
                ),
                _("Choose somebody else, or have their place in the course changed in your LMS."),
                reason="role not for them",
            )


def _has_trainer() -> PageError:
    return PageError(
        409,
        _("This activity has a trainer"),
        _("Somebody took it over before you, or its trainer is back."),
        _("Nothing is left for you to do here. The other Instructors of the course know who it is."),
        reason="has a trainer",
    )
