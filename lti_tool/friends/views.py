"""Pages of critical friends: the two choose and agree, and the third one answers, looks, and leaves."""

import re

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities.service import ActivityView
from lti_tool.cycles import words as cycle_words
from lti_tool.friends import service
from lti_tool.pairing import service as pairing
from lti_tool.pairing import words as pairing_words
from lti_tool.pairing.service import PairView
from lti_tool.pairing.views import must_be_open, pairs_activity, partner_names, teachers_activity
from lti_tool.people import service as people
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool

blueprint = Blueprint("friends", __name__)

_ID = re.compile(r"[0-9a-z]{16}")


@blueprint.get("/pair/friend")
def show() -> str:
    """For the two: who is their critical friend, or the colleagues among whom they can choose."""
    wanted = request.args.get("q", "").replace("\0", "").strip()[:100]
    with tool().database.read() as session:
        activity, pair = _pair(session)
        friend = service.of_pair(session, pair.id)
        colleagues = (
            people.list_colleagues(
                session,
                course_id=actor().course_id,
                activity_id=activity.id,
                me=actor().membership_id,
                wanted=wanted,
                page=request.args.get("page", 1, type=int),
            )
            if friend is None
            else None
        )
    return render_template(
        "friends/show.html",
        activity_title=activity.title,
        message=_told(),
        pair=pair,
        partner=partner_names(pair),
        friend=friend,
        friend_name=(friend.name or pairing_words.somebody()) if friend else "",
        is_mine=friend is not None and friend.proposed_by == actor().membership_id,
        since=cycle_words.day(friend.since) if friend and friend.since else "",
        colleagues=colleagues,
        members=pair.facts.membership_ids,
        wanted=wanted,
        name_of=pairing_words.name_of,
    )


@blueprint.post("/pair/friend")
def propose() -> Response:
    """Proposes a colleague to the partner; nobody else learns of it."""
    friend_id = request.form.get("friend", "").replace("\0", "")
    with tool().database.write() as session:
        activity, pair = _pair(session, request.form.get("pair"))
        must_be_open(activity)
        colleague = people.find_colleague(
            session,
            course_id=actor().course_id,
            activity_id=activity.id,
            membership_id=friend_id,
            me=actor().membership_id,
        )
        if colleague is None or friend_id in pair.facts.membership_ids:
            abort(404)
        service.propose(session, pair.id, actor().membership_id, friend_id, tool().clock())
    return redirect(url_for(".show"), 303)


@blueprint.post("/pair/friend/agree")
def agree() -> Response:
    """Agrees to the colleague whom the partner proposed; now that one is asked."""
    with tool().database.write() as session:
        _activity, pair = _pair(session, request.form.get("pair"))
        service.agree(session, pair.id, actor().membership_id, request.form.get("friend", "").replace("\0", ""))
    return redirect(url_for(".show"), 303)


@blueprint.post("/pair/friend/end")
def end() -> Response:
    """Ends it or takes it back, from wherever it is by now."""
    with tool().database.write() as session:
        _activity, pair = _pair(session, request.form.get("pair"))
        service.end(session, pair.id)
    return redirect(url_for(".show", told="ended"), 303)


@blueprint.get("/accompany")
def accompany() -> str:
    """For the friend: the pairs that ask, and where those are that one accompanies."""
    with tool().database.read() as session:
        activity = teachers_activity(session)
        found = [
            each
            for each in service.accompanied(session, actor().membership_id, activity.id)
            if may(actor(), Action.ANSWER_AS_FRIEND if each.status == "asked" else Action.ACCOMPANY, each.facts)
        ]
    return render_template(
        "friends/accompany.html",
        activity_title=activity.title,
        message=_told(),
        pairs=[(each, _(" and ").join(name or _("a colleague") for name in each.names)) for each in found],
        words=cycle_words,
    )


@blueprint.post("/accompany/<friend_id>/answer")
def answer(friend_id: str) -> Response:
    """Says yes or no to a pair that asks; nobody is told of a no."""
    with tool().database.write() as session:
        _check(session, friend_id, Action.ANSWER_AS_FRIEND)
        service.answer(session, friend_id, yes=request.form.get("answer") == "yes", now=tool().clock())
    return redirect(url_for(".accompany", told="answered"), 303)


@blueprint.post("/accompany/<friend_id>/leave")
def leave(friend_id: str) -> Response:
    """Goes, for oneself."""
    with tool().database.write() as session:
        _check(session, friend_id, Action.ACCOMPANY)
        service.leave(session, friend_id)
    return redirect(url_for(".accompany", told="left"), 303)


def _check(session: Session, friend_id: str, action: Action) -> None:
    teachers_activity(session)
    facts = service.facts(session, friend_id) if _ID.fullmatch(friend_id) else None
    if facts is None or not may(actor(), action, facts):
        abort(404)


def _pair(session: Session, named: str | None = None) -> tuple[ActivityView, PairView]:
    """The current pair of two of the signed-in person, as a form named it; a 404 where there is none, or another."""
    activity = pairs_activity(session)
    found = pairing.current_pair(session, actor().membership_id, activity.id)
    if found is None or len(found.members) != 2 or not may(actor(), Action.OPEN_PAIR, found.facts):
        abort(404)
    if request.method == "POST" and found.id != named:
        # A page that stayed open for longer than its pair.
        abort(404)
    return activity, found


def _told() -> str:
    return {
        "ended": _("It is ended. Nothing of your pair is shown to anybody else."),
        "left": _("You do not accompany them any more."),
        "answered": _("Your answer is kept."),
    }.get(request.args.get("told", ""), "")
