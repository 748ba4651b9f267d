"""Pages on which a trainer sets how a pairing round is calculated."""

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities.service import ActivityView
from lti_tool.protocols.rules import fingerprint
from lti_tool.rounds import setting, words
from lti_tool.rounds.rules import MAX_PERIODS, MAX_ROUNDS, MAX_TOPICS, TOPICS, Settings, Topic
from lti_tool.rounds.setting_rules import (
    LEAST_DAYS,
    MAX_PERIOD,
    MAX_TOPIC,
    MOST_DAYS,
    Problem,
    Typed,
    arrange,
    check,
    typed_of,
)
from lti_tool.rounds.views_base import blueprint, round_of_trainer
from lti_tool.schools.rules import line
from lti_tool.store.base import new_id
from lti_tool.web.context import tool

_LONG = 300
"""Characters of a box that are read; what is longer is wrong anyway."""


@blueprint.get("/round/settings")
def settings() -> str:
    """How the round is calculated, to be changed."""
    with tool().database.read() as session:
        activity = round_of_trainer(session)
        return _page(session, activity, setting.settings(session, activity.id), told=request.args.get("told", ""))


@blueprint.post("/round/settings")
def save_settings() -> str | Response | tuple[str, int]:
    """Keeps what was changed, and moves or removes a topic if that was asked for."""
    do = request.form.get("do", "")[:_LONG]
    with tool().database.write() as session:
        activity = round_of_trainer(session)
        setting.lock(session, activity.id)
        kept = setting.settings(session, activity.id)
        typed = _read(may_cross=setting.has_several_schools(session, activity.course_id), kept=kept)
        if request.form.get("was", "") not in ("", fingerprint(kept.to_json())):
            return _page(session, activity, kept, typed, overtaken=True), 409
        chosen, wrong = check(typed, words.shipped_topics(), new_id())
        if wrong:
            return _page(
                session, activity, kept, typed, [(box, _told(problem, about)) for box, problem, about in wrong]
            ), 400
        if do:
            moved = arrange(setting.topics(chosen), do)
            chosen, _none = check(typed_of(chosen, _said(moved)), words.shipped_topics(), "")
        setting.keep(session, activity.id, chosen)
        told = "later" if setting.is_under_way(session, activity.id) else "saved"
    at = "topics" if do else None
    return redirect(url_for(".settings", told=told, at=at, _anchor=at), 303)


def _read(*, may_cross: bool, kept: Settings) -> Typed:
    form = request.form
    keys = dict.fromkeys(key for key in form.getlist("topic")[: 2 * MAX_TOPICS] if _is_key(key))
    return Typed(
        topics=tuple(Topic(key, _box(f"topic-{key}")) for key in keys),
        new_topic=_box("new-topic"),
        periods=_box("periods"),
        subjects=_box("subjects"),
        again=_box("again"),
        triads="triads" in form,
        # Where it is not offered it stays as it was.
        between_schools="between_schools" in form if may_cross else kept.between_schools,
        rounds=_box("rounds"),
        days=_box("days"),
    )


def _box(name: str) -> str:
    return line(request.form.get(name, "")[:_LONG])


def _is_key(key: str) -> bool:
    return key in TOPICS or (len(key) == len(new_id()) and key.isascii() and key.isalnum())


def _said(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    return tuple(Topic(each.key, words.topic(each)) for each in topics)


def _page(
    session: Session,
    activity: ActivityView,
    kept: Settings,
    typed: Typed | None = None,
    errors: list[tuple[str, str]] | None = None,
    *,
    overtaken: bool = False,
    told: str = "",
) -> str:
    typed = typed or typed_of(kept, _said(setting.topics(kept)))
    shown = {each.key for each in typed.topics}
    return render_template(
        "rounds/settings.html",
        activity=activity,
        activity_title=activity.title,
        typed=typed,
        errors=errors or [],
        errors_at=_by_box(errors or []),
        was=fingerprint(kept.to_json()),
        overtaken=overtaken,
        is_under_way=setting.is_under_way(session, activity.id),
        several_schools=setting.has_several_schools(session, activity.course_id),
        topics_open=bool(errors) or overtaken or request.args.get("at") == "topics",
        some_removed=any(key not in shown for key in TOPICS),
        most_rounds=MAX_ROUNDS,
        least_days=LEAST_DAYS,
        most_days=MOST_DAYS,
        message=_message(told),
    )


def _by_box(errors: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for box, text in errors:
        found.setdefault(box, []).append(text)
    return found


def _message(code: str) -> str:
    return {
        "saved": _("Saved. It counts from the next calculation on."),
        "later": _("Saved. It counts for the next calculation: what you see now was calculated before."),
    }.get(code, "")


def _told(problem: Problem, about: str) -> str:
    match problem:
        case Problem.LONG_TOPIC:
            return str(_("A topic can have %(most)s characters; this one has %(now)s.", most=MAX_TOPIC, now=about))
        case Problem.SAME_TOPIC:
            return str(_("“%(topic)s” is on the list twice. Change one of them, or empty its box.", topic=about))
        case Problem.MANY_TOPICS:
            return str(_("The list can have %(most)s topics. Remove some of them first.", most=MAX_TOPICS))
        case Problem.NO_TOPIC:
            return str(_("Leave at least one topic, so that teachers have something to choose."))
        case Problem.NO_PERIOD:
            return str(_("Name the periods of a day, with commas between them."))
        case Problem.MANY_PERIODS:
            return str(_("A day can have %(most)s periods; there are %(now)s.", most=MAX_PERIODS, now=about))
        case Problem.LONG_PERIOD:
            return str(
                _(
                    "The name of a period can have %(most)s characters: “%(name)s” is longer.",
                    most=MAX_PERIOD,
                    name=about,
                )
            )
        case Problem.SAME_PERIOD:
            return str(_("Two periods are called “%(name)s”. Give one of them another name.", name=about))
        case Problem.BAD_ROUNDS:
            return str(_("Write how many rounds as a number from 1 to %(most)s.", most=MAX_ROUNDS))
        case Problem.BAD_DAYS:
            return str(_("Write the days as a number from %(least)s to %(most)s.", least=LEAST_DAYS, most=MOST_DAYS))
