"""Where everybody lands: one page per person and moment, with the one next step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.activities.kinds import kind_of
from lti_tool.activities.service import ActivityView, PlannedActivity
from lti_tool.activities.views import set_up_page
from lti_tool.completion.views import card as completion_card
from lti_tool.cycles import going_on
from lti_tool.cycles import rules as cycle_rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.service import CycleView
from lti_tool.groups import words as group_words
from lti_tool.groups.views import turn_names
from lti_tool.pairing import service as pairing
from lti_tool.pairing import words as pairing_words
from lti_tool.pairing.service import PairView
from lti_tool.pairing.views import closed_sentence, partner_names
from lti_tool.people.actor import Actor
from lti_tool.privacy.rules import Action, ActivityFacts, SchoolFacts, may
from lti_tool.privacy.words import who_can_see_cycle, who_can_see_reflection
from lti_tool.progress import service as progress
from lti_tool.progress.views import progress_page
from lti_tool.progress.words import nudge as nudge_words
from lti_tool.rhythm import words as rhythm_words
from lti_tool.rounds import answers
from lti_tool.rounds.answer_words import together
from lti_tool.schedule import booking
from lti_tool.schools.views import charter_notice
from lti_tool.threads.words import sign as wrote_sign
from lti_tool.web.context import actor, tool

blueprint = Blueprint("home", __name__)


class Landing(StrEnum):
    """Which page somebody sees first."""

    LEFT_COURSE = "left course"
    ABOVE = "above"
    NO_ACTIVITY = "no activity"
    SET_UP = "set up"
    NOT_OPEN = "not open"
    PROGRESS = "progress"
    WELCOME = "welcome"
    TEACHER = "teacher"
    NOT_FOR_YOU = "not for you"
    GUEST = "guest"


def landing(actor: Actor, activity: ActivityFacts | None) -> Landing:
    """The page of `actor` for the launched `activity`, by the rules of privacy; whom none of them knows is a guest."""
    if not actor.is_active:
        return Landing.LEFT_COURSE
    if actor.is_above:
        return Landing.ABOVE
    if activity is None:
        return Landing.NO_ACTIVITY
    if may(actor, Action.SET_UP_ACTIVITY, activity):
        return Landing.SET_UP
    if may(actor, Action.SEE_PROGRESS, activity):
        return Landing.PROGRESS
    if may(actor, Action.TAKE_PART, activity):
        return Landing.TEACHER if actor.is_welcomed else Landing.WELCOME
    if may(actor, Action.SEE_HEALTH, activity):
        return Landing.PROGRESS
    if not actor.is_in_audience and may(replace(actor, is_in_audience=True), Action.TAKE_PART, activity):
        return Landing.NOT_FOR_YOU
    return Landing.NOT_OPEN if activity.status == "new" and actor.is_teacher else Landing.GUEST


@blueprint.get("/")
def show() -> str | Response:
    """The page with the next step."""
    if actor().selection_id:
        return redirect(url_for("activities.select"), 303)
    with tool().database.read() as session:
        planned = activities.plan(session, actor().course_id, actor().membership_id)
        activity = next((each for each in planned if each.id == actor().activity_id), None)
        where = landing(actor(), activity.facts if activity else None)
        if activity is not None:
            if where is Landing.SET_UP:
                return set_up_page(session, activity)
            if where is Landing.PROGRESS:
                return progress_page(session, activity)
            if where is Landing.TEACHER:
                return _PAGES[kind_of(activity.kind).key](session, activity, planned)
            if where is Landing.WELCOME:
                return render_template(
                    "home/welcome.html",
                    activity_title=activity.title,
                    purpose=activity.purpose,
                    reports_completion=activity.reports_completion,
                    trainers=activities.trainer_names(session, activity.id),
                    kind=activity.kind,
                    dates=cycle_words.dates(activity.starts_on, activity.ends_on),
                    **charter_notice(session),
                )
        # Somebody who led the school later, or left the course, can still read what is theirs.
        own = cycles.list_of(session, actor().membership_id, activity.id) if activity else []
    return render_template(
        f"home/{where.name.lower()}.html",
        activity_title=activity.title if activity else "",
        activity=activity,
        own_cycles=own,
        sees_school=may(actor(), Action.SEE_SCHOOL, SchoolFacts(actor().platform_id)),
        can_take_over=activity is not None and may(actor(), Action.TAKE_OVER_ACTIVITY, activity.facts),
    )


def _notices(session: Session, activity: ActivityView) -> dict[str, Any]:
    """What other rooms tell a teacher above their next step; the names are those of home/_notices.html."""
    nudges = progress.nudges_for(session, actor().membership_id, activity.id, tool().clock())
    return {
        "completion": completion_card(session, activity),
        "nudges": [(nudge, nudge_words(nudge.kind, in_group=activity.kind == "group")) for nudge in nudges],
        "facilitates": may(actor(), Action.SEE_HEALTH, activity.facts),
        **charter_notice(session),
    }


def _frame(session: Session, activity: ActivityView, planned: list[PlannedActivity]) -> dict[str, Any]:
    """What the page of every kind shows."""
    return _notices(session, activity) | {
        "activity_title": activity.title,
        "accompanies": any(each.accompanies for each in planned if each.id == activity.id),
        "message": pairing_words.told(request.args.get("told", "")),
        "dates": cycle_words.dates(activity.starts_on, activity.ends_on),
        "closed": closed_sentence(activity),
        "coming": [
            (each.title, cycle_words.dates(each.starts_on, each.ends_on))
            for each in activities.coming(planned, activity.id, cycle_words.today())
        ],
    }


def _cycle_page(session: Session, activity: ActivityView, planned: list[PlannedActivity]) -> str:
    me, now = actor().membership_id, tool().clock()
    pair = pairing.current_pair(session, me, activity.id)
    view = cycles.current(session, me, activity.id, now) if pair and pair.status == "active" else None
    if pair is None or view is None:
        return _no_partner_page(session, activity, planned, pair)
    return render_template(
        "home/cycle.html",
        **_frame(session, activity, planned),
        partner=partner_names(pair),
        wrote=wrote_sign(pair),
        hint=rhythm_words.hint(pair, activity, view.id, view.cycle.finished_at),
        view=view,
        step=cycle_words.next_step(view),
        stages=cycle_words.stages(view),
        picture=cycle_words.picture(view),
        my_role=cycle_words.you_are(view.role),
        host=cycle_words.name(view.cycle.host),
        times_url=_times_url(view),
        received=pairing.received_by(session, me, activity.id, now),
        who=who_can_see_cycle([partner_names(pair)]),
    )


def _times_url(view: CycleView) -> str:
    """Where the meetings of a cycle are booked together; empty once they cannot be any more."""
    cycle = view.cycle
    if not may(actor(), Action.SEE_TIMES, cycle.facts) or not booking.open_kinds(cycle):
        return ""
    return url_for("schedule.meeting_times", cycle_id=cycle.id)


def _round_page(session: Session, activity: ActivityView, planned: list[PlannedActivity]) -> str:
    me = actor().membership_id
    pair = pairing.current_pair(session, me, activity.id)
    if pair is None or pair.status != "active":
        return _no_partner_page(session, activity, planned, pair)
    return render_template(
        "home/round.html",
        # Its cycles are named in the next step already.
        **_frame(session, activity, [each for each in planned if each.pairs_from_id != activity.id]),
        partner=partner_names(pair),
        is_of_three=len(pair.members) > 2,
        wrote=wrote_sign(pair),
        cycles=[
            (each.title, cycle_words.dates(each.starts_on, each.ends_on))
            for each in pairing.cycles_of_round(session, activity.id)
        ],
        received=pairing.received_by(session, me, activity.id, tool().clock()),
    )


def _no_partner_page(
    session: Session, activity: ActivityView, planned: list[PlannedActivity], pair: PairView | None
) -> str:
    me = actor().membership_id
    is_round = activity.kind == "pairing"
    frame = _frame(session, activity, planned)
    # A round has no cycles, but may wait for an answer; one statement for either.
    in_round = answers.mine(session, me, activity.id, tool().clock()) if is_round else answers.Mine()
    own_cycles = [] if is_round else cycles.list_of(session, me, activity.id)
    # Where a pairing round gives the pairs: begin with the partner found there, or find one there.
    of_round = next((each for each in planned if each.id == activity.pairs_from_id), None) if pair is None else None
    begins = (
        pairing.pair_of_round(session, me, activity_id=activity.id, round_id=of_round.id)
        if of_round and not frame["closed"]
        else None
    )
    return render_template(
        "home/no_partner.html",
        **frame,
        pair=pair,
        partner=partner_names(pair),
        i_pause=pair is not None and pair.me(me).paused_at is not None,
        is_round=is_round,
        asked=in_round.asked,
        asked_others=together(in_round.asked.others) if in_round.asked else "",
        is_left=in_round.helps is not None,
        has_said=in_round.has_said,
        has_ladder=going_on.has_ladder(activities.with_protocol(session, activity)),
        round_title=of_round.title if of_round and (begins or of_round.status == "open") else "",
        round_pair=begins,
        begins_with=partner_names(begins),
        invitations=pairing.open_for(session, me, activity.id, tool().clock()),
        own_cycles=own_cycles,
        name_of=pairing_words.name_of,
    )


def _group_page(session: Session, activity: ActivityView, planned: list[PlannedActivity]) -> str:
    me, now = actor().membership_id, tool().clock()
    pair = pairing.current_pair(session, me, activity.id)
    frame = _frame(session, activity, planned)
    frame["message"] = frame["message"] or group_words.told(request.args.get("told", ""))
    if pair is None:
        return render_template("home/no_group.html", **frame, own_cycles=cycles.list_of(session, me, activity.id))
    i_pause = pair.me(me).paused_at is not None
    view = None if i_pause else cycles.current(session, me, activity.id, now)
    turn = None if i_pause or view else going_on.whose_turn(session, pair_id=pair.id, activity_id=activity.id)
    shown: dict[str, Any] = {}
    if view is not None:
        shown = {
            "step": cycle_words.next_step(view),
            "stages": cycle_words.stages(view),
            "picture": cycle_words.picture(view),
            "my_role": cycle_words.you_are(view.role),
            "host": cycle_words.name(view.cycle.host),
            "times_url": _times_url(view),
            "stands_still": _stands_still(view, pair, now),
        }
    if turn is not None:
        shown = {"may_bring": me in turn.can_host, "whose": turn_names(pair, turn)}
    return render_template(
        "home/group.html",
        **frame,
        pair=pair,
        wrote=wrote_sign(pair),
        i_pause=i_pause,
        view=view,
        turn=turn,
        **shown,
        who=who_can_see_cycle([partner_names(pair)] if len(pair.members) > 1 else []),
    )


def _stands_still(view: CycleView, pair: PairView, now: datetime) -> bool:
    """Whether a group waits only for who takes part no longer; not where it waits for more members."""
    cycle = view.cycle
    in_cycle = {each.membership_id for each in cycle.members}
    came = [each for each in pair.members if each.membership_id not in in_cycle and each.paused_at is None]
    is_enough = cycle.is_running or cycle.protocol.fits(len(cycle.needed) + len(came))
    return is_enough and cycle_rules.stands_still(cycle, now)


def _reflection_page(session: Session, activity: ActivityView, planned: list[PlannedActivity]) -> str:
    me = actor().membership_id
    view = cycles.current(session, me, activity.id, tool().clock())
    return render_template(
        "home/reflection.html",
        **_frame(session, activity, planned),
        view=view,
        step=cycle_words.next_step(view) if view else None,
        number=view.number + 1 if view else 1,
        own_cycles=[each for each in cycles.list_of(session, me, activity.id) if not view or each.id != view.id],
        who=who_can_see_reflection(),
    )


_PAGES: dict[str, Callable[[Session, ActivityView, list[PlannedActivity]], str]] = {
    "cycle": _cycle_page,
    "pairing": _round_page,
    "group": _group_page,
    "reflection": _reflection_page,
}
"""The page of a teacher, for each of activities.kinds.KINDS."""
