"""Pages of groups: finding and founding one, one's own, and what comes after one of its cycles."""

from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.activities.kinds import kind_of
from lti_tool.activities.service import ActivityView
from lti_tool.cycles import going_on
from lti_tool.cycles import rules as cycle_rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.service import NotPossible
from lti_tool.cycles.views import is_id, open_cycle, why_no_next
from lti_tool.groups import rules, service, words
from lti_tool.groups.rules import About, Problem
from lti_tool.groups.service import GroupLine
from lti_tool.pairing import service as pairing
from lti_tool.pairing.service import PairView
from lti_tool.pairing.views import closed_sentence, must_be_open, teachers_activity
from lti_tool.pairing.words import closed
from lti_tool.privacy.looks.service import GROUP
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, may
from lti_tool.privacy.words import who_can_see_cycle
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError
from lti_tool.web.languages import listed

blueprint = Blueprint("groups", __name__)

PAGE_SIZE = 20


# Finding one


@blueprint.get("/groups")
def index() -> str:
    """The groups of the activity, what each is about and who is in it."""
    with tool().database.read() as session:
        activity = groups_activity(session)
        lines = service.of_activity(session, activity.id)
        pages = max(1, -(-len(lines) // PAGE_SIZE))
        page = min(max(1, request.args.get("page", 1, type=int)), pages)
        shown = lines[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        about = _read(session, shown)
    me = actor().membership_id
    mine = next((line for line in lines if line.has(me)), None)
    most = service.room_of(activity)
    return render_template(
        "groups/index.html",
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")),
        groups=[
            (line, about.get(line.id), words.members(line, me), rules.has_room(len(line.members), most))
            for line in shown
        ],
        mine=mine,
        most=most,
        words=words,
        page=page,
        pages=pages,
        closed=closed_sentence(activity),
    )


@blueprint.get("/groups/new")
def form() -> str:
    """The form of a new group; what it says is seen by nobody until it is sent."""
    with tool().database.read() as session:
        activity = groups_activity(session)
        must_be_open(activity)
    return _form(activity, About("", ""), [], is_new=True)


@blueprint.post("/groups/new")
def found() -> Response | tuple[str, int]:
    """Founds a group; what it cannot be comes back in its boxes. Whoever is in a group already is led to it."""
    said = _said()
    with tool().database.write() as session:
        activity = groups_activity(session)
        must_be_open(activity)
        if problems := rules.problems_of(said):
            return _form(activity, said, problems, is_new=True), 400
        made = service.found(
            session,
            tool().keyring,
            activity_id=activity.id,
            membership_id=actor().membership_id,
            person_id=actor().person_id,
            said=said,
            now=tool().clock(),
        )
    return redirect(url_for("home.show", told="founded" if made else None), 303)


@blueprint.post("/groups/<group_id>/join")
def join(group_id: str) -> Response:
    """Joins a group while there is room."""
    with tool().database.write() as session:
        activity = groups_activity(session)
        must_be_open(activity)
        line = service.find(session, group_id) if is_id(group_id) else None
        if line is None or line.id not in {each.id for each in service.of_activity(session, activity.id)}:
            abort(404)
        is_in = service.join(session, group_id, actor().membership_id, activity, tool().clock())
    return redirect(url_for("home.show", told="joined") if is_in else url_for(".index", told="full"), 303)


# One's own


@blueprint.get("/group")
def show() -> str | Response:
    """One's own group: what it is about, who is in it, whose turn it is, and the ways to pause or leave."""
    with tool().database.read() as session:
        activity = groups_activity(session)
        pair = pairing.current_pair(session, actor().membership_id, activity.id)
        line = service.find(session, pair.id) if pair else None
        if pair is None or line is None:
            return redirect(url_for(".index"), 303)
        about = _read(session, [line])
        turn = going_on.whose_turn(session, pair_id=pair.id, activity_id=activity.id)
        own = cycles.list_of(session, actor().membership_id, activity.id)
    me = actor().membership_id
    return render_template(
        "groups/show.html",
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")),
        pair=pair,
        line=line,
        said=about.get(line.id),
        words=words,
        members=[(_name(each.name), each.membership_id == me) for each in pair.members],
        i_pause=pair.me(me).paused_at is not None,
        turn=turn,
        may_bring=me in turn.can_host and turn.is_enough and not turn.runs,
        whose=turn_names(pair, turn),
        closed=closed_sentence(activity),
        own_cycles=own,
    )


@blueprint.get("/group/about")
def about_form() -> str:
    """The form with which a member says what the group is about."""
    with tool().database.read() as session:
        activity = groups_activity(session)
        pair = _my_group(session)
        line = service.find(session, pair.id) if pair else None
        if line is None:
            abort(404)
        said = _read(session, [line]).get(line.id) or About(line.kind, "")
    return _form(activity, said, [], is_new=False, line=line)


@blueprint.post("/group/about")
def say() -> Response | tuple[str, int]:
    """Keeps what the group is about."""
    said = _said()
    with tool().database.write() as session:
        activity = groups_activity(session)
        pair = _my_group(session)
        line = service.find(session, pair.id) if pair else None
        if line is None:
            abort(404)
        seen = request.form.get("scope", "")
        if problems := rules.problems_of(said):
            return _form(activity, said, problems, is_new=False, line=replace(line, scope=seen)), 400
        is_kept = service.say(session, tool().keyring, line.id, actor().person_id, said, seen=seen, now=tool().clock())
        if not is_kept:
            there = service.find(session, line.id)
            assert there is not None
            now_said = _read(session, [there]).get(line.id)
            return _form(activity, said, [], is_new=False, line=there, now_said=now_said), 409
    return redirect(url_for(".show", told="about"), 303)


@blueprint.post("/group/bring")
def bring() -> Response:
    """“I bring something”: the next cycle begins, with this member as host."""
    with tool().database.write() as session:
        activity = groups_activity(session)
        must_be_open(activity)
        pair = _my_group(session)
        begun = pair and pairing.bring(session, pair.id, actor().membership_id, tool().clock())
    return redirect(url_for("home.show", told=None if begun else "turn"), 303)


@blueprint.post("/group/go-on")
def go_on() -> Response:
    """Goes on where the group waits only for who takes part no longer."""
    with tool().database.write() as session:
        if pair := _my_group(session):
            pairing.settle_group(session, pair.id, tool().clock())
    return redirect(url_for("home.show"), 303)


@blueprint.post("/group/pause")
def pause() -> Response:
    """Pauses for oneself; the group goes on."""
    with tool().database.write() as session:
        if pair := _my_group(session):
            pairing.pause_pair(session, pair.id, actor().membership_id, tool().clock())
    return redirect(url_for("home.show", told="group_paused" if pair else None), 303)


@blueprint.post("/group/resume")
def resume() -> Response:
    """Is there again."""
    with tool().database.write() as session:
        if pair := _my_group(session):
            pairing.resume_pair(session, pair.id, actor().membership_id, tool().clock())
    return redirect(url_for("home.show", told="group_resumed" if pair else None), 303)


@blueprint.post("/group/leave")
def leave() -> Response:
    """Leaves the group, for whatever reason: none is asked."""
    with tool().database.write() as session:
        if pair := _my_group(session):
            pairing.take_out(session, pair.id, actor().membership_id, tool().clock())
            service.delete_ended(session, tool().keyring, pair.id, tool().clock())
    return redirect(url_for(".index", told="left") if pair else url_for("home.show"), 303)


# After a cycle


@blueprint.get("/cycles/<cycle_id>/next")
def end(cycle_id: str) -> str:
    """What comes after a cycle of a group, or instead of it (R7)."""
    with tool().database.read() as session:
        cycle = _of_group(open_cycle(session, cycle_id))
        why_not = why_no_next(session, cycle)
        turn = going_on.whose_turn(session, pair_id=cycle.pair_id, activity_id=cycle.activity_id)
        pair = pairing.current_pair(session, actor().membership_id, cycle.activity_id)
        activity = activities.find(session, cycle.activity_id)
    is_mine = pair is not None and pair.id == cycle.pair_id
    step = cycle_rules.next_step(cycle, tool().clock())
    return render_template(
        "groups/end.html",
        activity_title=cycle.activity_title,
        cycle=cycle,
        closed=why_not,
        is_mine=is_mine,
        # Three of a pairing round have such cycles, too.
        is_group_activity=activity is not None and kind_of(activity.kind).protocols == "group",
        role_then=cycle_words.you_were(cycle.me.role),
        waiting=cycle_words.names(cycle_rules.awaited(cycle, step)),
        may_bring=actor().membership_id in turn.can_host,
        whose=turn_names(pair, turn) if pair and is_mine else "",
        who=who_can_see_cycle([cycle_words.name(each) for each in cycle.others]),
    )


@blueprint.post("/cycles/<cycle_id>/next")
def wish(cycle_id: str) -> Response:
    """Says that one would like to go on; the next cycle begins when all would."""
    with tool().database.write() as session:
        cycle = _of_group(open_cycle(session, cycle_id, lock=True))
        wanted = request.form.get("wish", "")
        if wanted not in cycle_rules.WISHES_OF_GROUP:
            abort(400)
        if why_not := why_no_next(session, cycle):
            raise closed(why_not)
        pair = pairing.current_pair(session, actor().membership_id, cycle.activity_id)
        if pair is None or pair.id != cycle.pair_id:
            abort(404)
        try:
            going_on.wish(session, cycle, wanted, now=tool().clock())
        except NotPossible as error:
            raise PageError(
                409,
                _("This cycle is not finished"),
                _("The next one can begin when all of you have submitted your reflections."),
                _("Go back to your next step."),
                reason="cycle not finished",
            ) from error
    return redirect(url_for("home.show"), 303)


# What these pages share, also with the page of the next step


def groups_activity(session: Session) -> ActivityView:
    """The activity with groups in which the signed-in person takes part; a 404 for everybody else."""
    activity = teachers_activity(session)
    if kind_of(activity.kind).protocols != "group" or not may(actor(), Action.SEE_GROUPS, activity.facts):
        abort(404)
    return activity


def turn_names(pair: PairView, turn: going_on.Turn) -> str:
    """Who could bring something next, by name; without the reader."""
    return listed(
        [
            _name(each.given_name)
            for each in pair.members
            if each.membership_id in turn.can_host and each.membership_id != actor().membership_id
        ]
    )


def _name(name: str) -> str:
    return name or str(_("a colleague"))


def _my_group(session: Session) -> PairView | None:
    """The group to change, which the page named; None where one is not in it any more."""
    activity = groups_activity(session)
    pair = pairing.current_pair(session, actor().membership_id, activity.id)
    if pair is not None and request.form.get("group", pair.id) != pair.id:
        # A page that stayed open for longer than its reader was in the group must not change the next one.
        return None
    if pair is not None and not may(actor(), Action.OPEN_PAIR, pair.facts):
        abort(404)
    return pair


def _of_group(cycle: Cycle) -> Cycle:
    if not cycle.is_group:
        abort(404)
    return cycle


def _read(session: Session, lines: list[GroupLine]) -> dict[str, About]:
    """Group id → what it is about; that it was read is told to whoever wrote it."""
    about = service.read(session, tool().keyring, lines, tool().clock())
    tell([line.author_id for line in lines if line.author_id and line.id in about], None, GROUP)
    return about


def _said() -> About:
    return rules.read(*(request.form.get(name, "") for name in ("kind", "title", "about")))


def _form(
    activity: ActivityView,
    said: About,
    problems: list[Problem],
    *,
    is_new: bool,
    line: GroupLine | None = None,
    now_said: About | None = None,
) -> str:
    """The form with what was typed; `line`: the group as it stood on the page, `now_said`: what another said since."""
    return render_template(
        "groups/form.html",
        activity_title=activity.title,
        said=said,
        errors=[words.problem(each, said) for each in problems],
        kinds=words.kinds(),
        is_new=is_new,
        scope=line.scope if line else "",
        now_said=now_said,
        words=words,
        max_title=rules.MAX_TITLE,
        max_about=rules.MAX_ABOUT,
    )
