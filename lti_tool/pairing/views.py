"""Pages on which teachers find a partner, answer each other, and pause or change."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.activities.kinds import kind_of
from lti_tool.activities.service import ActivityView
from lti_tool.cycles import going_on
from lti_tool.cycles import service as cycles
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.rules import Cycle
from lti_tool.pairing import service, words
from lti_tool.pairing.rules import OPEN_FOR
from lti_tool.pairing.service import PairView, Refused
from lti_tool.people import service as people
from lti_tool.privacy.rules import Action, may
from lti_tool.protocols.recipe import FULL, STEPS
from lti_tool.reflection.growth_views import shared_by_others
from lti_tool.rhythm import service as rhythm
from lti_tool.rhythm import words as rhythm_words
from lti_tool.threads.words import sign as wrote_sign
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed

blueprint = Blueprint("pairing", __name__)


@blueprint.get("/partner")
def find() -> str:
    """Invitations received and sent, and the colleagues who can be invited."""
    wanted = request.args.get("q", "").strip()[:100]
    with tool().database.read() as session:
        activity = pairs_activity(session)
        pair = service.current_pair(session, actor().membership_id, activity.id)
        invitations = service.open_for(session, actor().membership_id, activity.id, tool().clock())
        colleagues = people.list_colleagues(
            session,
            course_id=actor().course_id,
            activity_id=activity.id,
            me=actor().membership_id,
            wanted=wanted,
            page=request.args.get("page", 1, type=int),
        )
        departments = people.departments(session, [each.membership_id for each in colleagues.colleagues])
    return render_template(
        "pairing/find.html",
        departments=departments,
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")),
        invitations=invitations,
        colleagues=colleagues,
        asked={invitation.colleague.membership_id for invitation in invitations.waiting},
        pair=pair,
        partner=partner_names(pair),
        is_round=activity.kind == "pairing",
        has_ladder=going_on.has_ladder(activity),
        closed=closed_sentence(activity),
        wanted=wanted,
        name_of=words.name_of,
    )


@blueprint.get("/partner/<membership_id>")
def confirm(membership_id: str) -> str:
    """What the colleague will see, before it is sent."""
    with tool().database.read() as session:
        activity = pairs_activity(session)
        must_be_open(activity)
        colleague = people.find_colleague(
            session,
            course_id=actor().course_id,
            activity_id=activity.id,
            membership_id=membership_id,
            me=actor().membership_id,
        )
        if colleague is None:
            abort(404)
        invitations = service.open_for(session, actor().membership_id, activity.id, tool().clock())
    return render_template(
        "pairing/confirm.html",
        activity_title=activity.title,
        colleague=colleague,
        name=words.name_of(colleague),
        until=tool().clock() + OPEN_FOR,
        is_round=activity.kind == "pairing",
        has_asked_me=any(invitation.colleague.membership_id == membership_id for invitation in invitations.received),
        is_asked=any(invitation.colleague.membership_id == membership_id for invitation in invitations.waiting),
    )


@blueprint.post("/partner/<membership_id>")
def invite(membership_id: str) -> Response:
    """Sends the invitation."""
    with tool().database.write() as session:
        activity = pairs_activity(session)
        must_be_open(activity)
        try:
            service.invite(
                session,
                host_id=actor().membership_id,
                coach_id=membership_id,
                course_id=actor().course_id,
                activity_id=activity.id,
                now=tool().clock(),
            )
        except Refused as refusal:
            raise words.refused(refusal.reason) from refusal
    return redirect(url_for(".find", told="invited"), 303)


@blueprint.post("/invitations/<invitation_id>/withdraw")
def withdraw(invitation_id: str) -> Response:
    """Takes an invitation back; where that is too late, on to what has become of it."""
    with tool().database.write() as session:
        _check(session, invitation_id, Action.WITHDRAW_INVITATION)
        withdrawn = service.withdraw(session, invitation_id, tool().clock())
    return redirect(url_for(".find", told="withdrawn") if withdrawn else url_for("home.show"), 303)


@blueprint.post("/invitations/<invitation_id>/decline")
def decline(invitation_id: str) -> Response:
    """Says no; nobody is told."""
    with tool().database.write() as session:
        _check(session, invitation_id, Action.ANSWER_INVITATION)
        service.decline(session, invitation_id, tool().clock())
    return redirect(url_for(".find", told="declined"), 303)


@blueprint.post("/invitations/<invitation_id>/accept")
def accept(invitation_id: str) -> Response:
    """Says yes; the first cycle begins, unless this is a pairing round."""
    with tool().database.write() as session:
        must_be_open(_check(session, invitation_id, Action.ANSWER_INVITATION))
        try:
            service.accept(session, invitation_id, tool().clock())
        except Refused as refusal:
            raise words.refused(refusal.reason) from refusal
    return redirect(url_for("home.show"), 303)


@blueprint.post("/begin")
def begin() -> Response:
    """Begins with the partner found in the pairing round; where that is no longer possible, on to what is."""
    with tool().database.write() as session:
        activity = pairs_activity(session)
        must_be_open(activity)
        if activity.kind != "cycle" or activity.pairs_from_id is None:
            abort(404)
        service.begin_from_round(
            session,
            actor().membership_id,
            activity_id=activity.id,
            round_id=activity.pairs_from_id,
            round_pair_id=request.form.get("pair", ""),
            now=tool().clock(),
        )
    return redirect(url_for("home.show"), 303)


@blueprint.get("/pair")
def pair() -> str | Response:
    """The pair: who, and the ways to pause or to change partner."""
    with tool().database.read() as session:
        activity = pairs_activity(session)
        found = service.current_pair(session, actor().membership_id, activity.id)
        if found is None:
            return redirect(url_for(".find"), 303)
        own = cycles.list_of(session, actor().membership_id, activity.id)
        growth_of_others = shared_by_others(session, found)
        roles = rhythm.roles(session, found.id) if activity.kind == "cycle" else {}
    last = own[0] if own and activity.kind == "cycle" else None
    return render_template(
        "pairing/pair.html",
        growth_of_others=growth_of_others,
        activity_title=activity.title,
        pair=found,
        partner=partner_names(found),
        wrote=wrote_sign(found),
        i_pause=found.me(actor().membership_id).paused_at is not None,
        is_round=activity.kind == "pairing",
        has_ladder=going_on.has_ladder(activity),
        closed=closed_sentence(activity),
        own_cycles=own,
        message=words.told(request.args.get("told", "")),
        balance=rhythm_words.balance(found, roles),
        turn=rhythm_words.turn_in(found, roles),
        hint=rhythm_words.hint(found, activity, last.id, last.finished_at) if last else None,
        rhythm=rhythm_words.choices(found, activity.cadence_weeks) if activity.kind == "cycle" else [],
    )


@blueprint.post("/pair/pause")
def pause() -> Response:
    """Pauses the pair."""
    with tool().database.write() as session:
        if found := _my_pair(session):
            service.pause_pair(session, found.id, actor().membership_id, tool().clock())
    return redirect(url_for("home.show", told="paused" if found else None), 303)


@blueprint.post("/pair/resume")
def resume() -> Response:
    """Goes on after a pause."""
    with tool().database.write() as session:
        if found := _my_pair(session):
            service.resume_pair(session, found.id, actor().membership_id, tool().clock())
    return redirect(url_for("home.show", told="resumed" if found else None), 303)


@blueprint.post("/pair/end")
def end() -> Response:
    """Ends the pair, to look for another partner."""
    with tool().database.write() as session:
        if found := _my_pair(session):
            service.end_pair(session, found.id, tool().clock())
    return redirect(url_for(".find", told="ended") if found else url_for("home.show"), 303)


@blueprint.get("/how-far")
def how_far() -> str:
    """How far this teacher would like to go at present (R23), and how far the pair goes in its cycle."""
    with tool().database.read() as session:
        return _how_far_page(session, teachers_activity(session))


@blueprint.post("/how-far")
def say_how_far() -> Response | tuple[str, int]:
    """Keeps how far one would like to go from the next cycle on, or in this one too; nobody is told."""
    with tool().database.write() as session:
        activity = teachers_activity(session)
        running = _with_ladder(session, activity)
        step = request.form.get("step")
        if step is None or step not in ("", *STEPS):
            return _how_far_page(session, activity, error=_("Choose one of these.")), 400
        going_on.say_step(session, actor().membership_id, activity.id, step)
        if running and request.form.get("from") == "now":
            cycle = cycles.load_frame(session, running.id, actor().person_id, lock=True)
            if cycle is not None and may(actor(), Action.BOOK_TALK, cycle.facts):
                going_on.go_as_far_as(session, cycle, step or FULL, now=tool().clock())
    return redirect(url_for(".how_far", told="how_far"), 303)


def _how_far_page(session: Session, activity: ActivityView, error: str = "") -> str:
    running = _with_ladder(session, activity)
    return render_template(
        "pairing/how_far.html",
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")),
        errors=[("#step-none", error)] if error else [],
        steps=words.steps(),
        mine=going_on.step_wish(session, actor().membership_id, activity.id),
        partner=cycle_words.partner_name(running) if running else "",
        together=words.step_title(running.step) if running else "",
    )


def _with_ladder(session: Session, activity: ActivityView) -> Cycle | None:
    """The running cycle, if one can go less far in it; a 404 where neither it nor those to come can."""
    view = cycles.current(session, actor().membership_id, activity.id, tool().clock())
    running = view.cycle if view and view.cycle.is_running and view.cycle.with_left_out.has_ladder else None
    if running is None and not going_on.has_ladder(activity):
        abort(404)
    return running


def pairs_activity(session: Session) -> ActivityView:
    """As teachers_activity, where teachers find each other two by two; a 404 where they form groups."""
    activity = teachers_activity(session)
    if kind_of(activity.kind).protocols == "group":
        abort(404)
    return activity


def teachers_activity(session: Session, *, alone: bool = False) -> ActivityView:
    """The activity in which the signed-in person takes part; a 404 for everybody else.

    `alone`: whether it is one where each teacher writes for themselves; to others, nothing of pairs is there.
    Whoever has not yet read what coaching here is and is not is sent there first (R26).
    """
    activity = activities.find(session, actor().activity_id or "")
    if activity is None or not may(actor(), Action.TAKE_PART, activity.facts):
        abort(404)
    if (kind_of(activity.kind).protocols == "alone") != alone:
        abort(404)
    if not actor().is_welcomed:
        abort(redirect(url_for("home.show"), 303))
    return activity


def must_be_open(activity: ActivityView) -> None:
    """Raises the page that says so where nothing new begins any more."""
    if not may(actor(), Action.BEGIN, activity.facts):
        raise words.closed()


def closed_sentence(activity: ActivityView) -> str:
    """What is said where nothing new begins any more; else empty."""
    return "" if may(actor(), Action.BEGIN, activity.facts) else words.closed_sentence()


def partner_names(pair: PairView | None) -> str:
    """The given names of the other members, for a sentence."""
    others = pair.others(actor().membership_id) if pair else ()
    if len(others) > 1:
        return listed([member.given_name or _("a colleague") for member in others])
    return "".join(member.given_name or _("your partner") for member in others)


def _check(session: Session, invitation_id: str, action: Action) -> ActivityView:
    activity = pairs_activity(session)
    facts = service.facts(session, invitation_id)
    if facts is None or not may(actor(), action, facts):
        abort(404)
    return activity


def _my_pair(session: Session) -> PairView | None:
    """The pair to change, which the page named; None where the other has ended it, and there is nothing left to do."""
    activity = pairs_activity(session)
    found = service.current_pair(session, actor().membership_id, activity.id)
    if found is not None and request.form.get("pair", found.id) != found.id:
        # A page that stayed open for longer than its pair must not end the next one.
        return None
    if found is not None and not may(actor(), Action.OPEN_PAIR, found.facts):
        abort(404)
    return found
