"""Pages on which a teacher says what they would like of a pairing round. Nobody else ever reads it here."""

from dataclasses import replace

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities.service import ActivityView
from lti_tool.cycles import going_on
from lti_tool.cycles.views import is_id
from lti_tool.pairing import service as pairing
from lti_tool.pairing import words as pairing_words
from lti_tool.pairing.views import closed_sentence, must_be_open, partner_names
from lti_tool.people import service as people
from lti_tool.protocols.recipe import STEPS
from lti_tool.rounds import answers, setting, wish_forms, wish_words, wishes
from lti_tool.rounds import words as round_words
from lti_tool.rounds.rules import MAX_CHOSEN, MAX_NOT_WITH, MAX_WORDS, Wish
from lti_tool.rounds.views_base import blueprint, round_of_teacher
from lti_tool.rounds.wish_forms import Problem
from lti_tool.web.context import actor, tool

_PAGE_SIZE = 60


@blueprint.get("/round/wishes")
def wishes_form() -> str:
    """What one said for this round, to change it."""
    with tool().database.read() as session:
        activity = round_of_teacher(session)
        return _page(session, activity, _mine(session, activity))


@blueprint.post("/round/wishes")
def say_wishes() -> Response | str | tuple[str, int]:
    """Keeps what the form says; `do` is the button. Whether somebody would like a partner is kept in any case."""
    do, form = request.form.get("do", ""), request.form
    with tool().database.write() as session:
        activity = round_of_teacher(session)
        if do != "no":
            must_be_open(activity)
        chosen = setting.settings(session, activity.id)
        said = _mine(session, activity)
        if do in ("yes", "no") or do.startswith("remove "):
            left = tuple(each for each in said.not_with if do != f"remove {each}")
            said = replace(said, not_with=left, is_in={"yes": True, "no": False}.get(do, said.is_in))
            _say(session, activity, said)
        step = None
        # Without it, a single button of another page was tapped.
        if form.get("whole") == "1":
            said = wish_forms.read(form, said, chosen, {topic.key for topic in setting.topics(chosen)})
            said = replace(said, subject=wish_words.kept(said.subject), level=wish_words.kept(said.level))
            step = form.get("step") if form.get("step", "?") in ("", *STEPS) else None
            if do.startswith("fill "):
                said = wish_forms.filled(said, do.removeprefix("fill "), len(chosen.periods))
                return _page(session, activity, said, step=step)
            if problems := wish_forms.problems_of(said):
                return _page(session, activity, said, problems, step=step), 400
            _say(session, activity, said)
        if step is not None:
            going_on.say_step(session, actor().membership_id, activity.id, step)
    if do == "not_with":
        return redirect(url_for(".not_with"), 303)
    told = do if do in ("yes", "no") else "removed" if do.startswith("remove ") else "kept"
    return redirect(url_for(".wishes_form", told=told, _anchor="not-with" if told == "removed" else None), 303)


@blueprint.get("/round/wishes/not-with")
def not_with() -> str:
    """The colleagues of the activity, to choose with whom one would rather not be paired."""
    with tool().database.read() as session:
        return _not_with_page(session, round_of_teacher(session))


@blueprint.post("/round/wishes/not-with")
def choose_not_with() -> Response | str | tuple[str, int]:
    """Puts a colleague on the list or takes them off; or searches: a name that is typed here stands in no address."""
    with tool().database.write() as session:
        activity = round_of_teacher(session)
        wanted, gone = request.form.get("add", ""), request.form.get("remove", "")
        if not wanted and not gone:
            return _not_with_page(session, activity)
        said = _mine(session, activity)
        if wanted and not _is_colleague(session, activity, wanted):
            abort(404)
        kept = tuple(each for each in (*said.not_with, *filter(None, [wanted])) if each != gone)
        if len(set(kept)) > MAX_NOT_WITH:
            # Of an old page: this one says that the list is full.
            return _not_with_page(session, activity), 409
        _say(session, activity, replace(said, not_with=kept))
    if gone:
        return redirect(url_for(".not_with", told="removed"), 303)
    return redirect(url_for(".wishes_form", told="kept", _anchor="not-with"), 303)


def _is_colleague(session: Session, activity: ActivityView, membership_id: str) -> bool:
    me, course_id = actor().membership_id, actor().course_id
    where = {"course_id": course_id, "activity_id": activity.id, "membership_id": membership_id, "me": me}
    return is_id(membership_id) and people.find_colleague(session, **where) is not None


def _mine(session: Session, activity: ActivityView) -> Wish:
    return wishes.mine(session, tool().keyring, actor().membership_id, activity.id, tool().clock())


def _say(session: Session, activity: ActivityView, wish: Wish) -> None:
    wishes.say(session, tool().keyring, actor().membership_id, activity.id, wish, tool().clock())


def _page(
    session: Session,
    activity: ActivityView,
    said: Wish,
    problems: list[Problem] | None = None,
    *,
    step: str | None = None,
) -> str:
    """The form; `step`: how far they would go as it was typed, else as it is kept."""
    chosen = setting.settings(session, activity.id)
    me = actor().membership_id
    pair = pairing.active_pair(session, me, activity.id)
    if step is None:
        step = going_on.step_wish(session, actor().membership_id, activity.id)
    return render_template(
        "rounds/wishes.html",
        activity_title=activity.title,
        message=wish_words.told(request.args.get("told", "")),
        closed=closed_sentence(activity),
        partner=partner_names(pair),
        asked=None if pair else answers.mine(session, me, activity.id, tool().clock()).asked,
        errors=[wish_words.problem(each) for each in problems or []],
        said=said,
        topics=[(topic.key, round_words.topic(topic)) for topic in setting.topics(chosen)],
        languages=wish_words.languages(),
        subjects=wish_words.subjects(),
        subject=wish_words.shown(said.subject),
        year=wish_words.shown(said.level),
        years=wish_words.years(),
        days=wish_words.days(),
        periods=chosen.periods,
        states=wish_words.states(),
        week=wish_forms.week_of(said, len(chosen.periods)),
        steps=pairing_words.steps(),
        step=step,
        between_schools=chosen.between_schools,
        not_with=_named(session, said),
        most=MAX_CHOSEN,
        most_not_with=MAX_NOT_WITH,
        max_words=MAX_WORDS,
    )


def _not_with_page(session: Session, activity: ActivityView) -> str:
    said = _mine(session, activity)
    wanted = request.form.get("q", "").strip()[:100]
    return render_template(
        "rounds/not_with.html",
        activity_title=activity.title,
        message=wish_words.told(request.args.get("told", "")),
        wanted=wanted,
        chosen=_named(session, said),
        colleagues=people.list_colleagues(
            session,
            course_id=actor().course_id,
            activity_id=activity.id,
            me=actor().membership_id,
            wanted=wanted,
            page=request.form.get("page", 1, type=int),
            size=_PAGE_SIZE,
        ),
        most=MAX_NOT_WITH,
        name_of=pairing_words.name_of,
    )


def _named(session: Session, said: Wish) -> list[tuple[str, str]]:
    found = wishes.names(session, said.not_with)
    return [(membership_id, name or pairing_words.somebody()) for membership_id, name in found]
