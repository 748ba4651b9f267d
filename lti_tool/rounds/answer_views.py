"""Pages on which a teacher answers a proposal, and reads why it is as it is.

What the members of a proposal share is read on one page by all of them, and the page on which it is said names that
before: it is not in the log of who opened what.
"""

from dataclasses import replace

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities.service import ActivityView
from lti_tool.cycles.views import is_id
from lti_tool.pairing import service as pairing
from lti_tool.pairing.views import closed_sentence, must_be_open, partner_names
from lti_tool.pairing.words import name_of
from lti_tool.people import service as people
from lti_tool.privacy.rules import Action, may
from lti_tool.rounds import answer_words, answers, changes, setting, wishes, words
from lti_tool.rounds.views_base import blueprint, round_of_teacher
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError


@blueprint.get("/round/proposal")
def proposal() -> str:
    """The proposal that waits for one's answer, and why it is these people; or that there is none."""
    me, now = actor().membership_id, tool().clock()
    with tool().database.read() as session:
        activity = round_of_teacher(session)
        pair = pairing.active_pair(session, me, activity.id)
        asked = answers.mine(session, me, activity.id, now).asked if pair is None else None
        reasons: list[str] = []
        at_schools = ""
        if asked is not None:
            at_schools = answer_words.at_schools(answers.other_schools(session, asked, me))
            why = answers.why(session, tool().keyring, asked, me, now)
            reasons = answer_words.why_us(why, asked.others, me, _topics(session, activity))
    return render_template(
        "rounds/proposal.html",
        activity_title=activity.title,
        closed=closed_sentence(activity),
        partner=partner_names(pair),
        asked=asked,
        others=answer_words.together(asked.others) if asked else "",
        at_schools=at_schools,
        reasons=reasons,
    )


@blueprint.post("/round/proposal/<proposal_id>")
def answer_proposal(proposal_id: str) -> Response:
    """Says yes, asks for another partner, or pauses; nobody is told before all have said yes."""
    said = request.form.get("answer", "")
    with tool().database.write() as session:
        activity = round_of_teacher(session)
        facts = answers.facts(session, proposal_id) if is_id(proposal_id) else None
        if facts is None or not may(actor(), Action.ANSWER_PROPOSAL, facts):
            abort(404)
        must_be_open(activity)
        if said not in answers.ANSWERS:
            abort(400)
        became = _answer(session, activity, proposal_id, said)
    if became == "over":
        raise PageError(
            409,
            _("This proposal is no longer open"),
            _("Its time is over, so it has lapsed for all of you alike."),
            _("Go back to your next step. You can invite a colleague yourself at any time."),
            reason="proposal lapsed",
        )
    return redirect(url_for("home.show" if became == "paired" else ".proposal"), 303)


@blueprint.get("/round/without")
def without() -> str:
    """Why the last calculation left one without a partner, in general words, and what would help."""
    with tool().database.read() as session:
        activity = round_of_teacher(session)
        mine = answers.mine(session, actor().membership_id, activity.id, tool().clock())
    return render_template(
        "rounds/without.html",
        activity_title=activity.title,
        is_left=mine.helps is not None,
        helps=answer_words.helps(mine.helps or ""),
        can_ask=mine.run_id is not None,
        closed=closed_sentence(activity),
    )


@blueprint.get("/round/why-not")
def why_not_whom() -> str:
    """The colleagues about whom one can ask why the calculation did not put them together with oneself."""
    wanted = request.args.get("q", "").replace("\0", "").strip()[:100]
    with tool().database.read() as session:
        activity = round_of_teacher(session)
        mine = answers.mine(session, actor().membership_id, activity.id, tool().clock())
        colleagues = people.list_colleagues(
            session,
            course_id=actor().course_id,
            activity_id=activity.id,
            me=actor().membership_id,
            wanted=wanted,
            page=request.args.get("page", 1, type=int),
        )
    return render_template(
        "rounds/why_not.html",
        activity_title=activity.title,
        can_ask=mine.run_id is not None,
        proposed=[each.membership_id for each in mine.asked.others] if mine.asked else [],
        colleagues=colleagues,
        wanted=wanted,
        name_of=name_of,
    )


@blueprint.get("/round/why-not/<membership_id>")
def why_not(membership_id: str) -> str | Response:
    """Why one is not together with a colleague: what it would have come to for all, whatever is against it."""
    me, now = actor().membership_id, tool().clock()
    with tool().database.read() as session:
        activity = round_of_teacher(session)
        colleague = (
            people.find_colleague(
                session, course_id=actor().course_id, activity_id=activity.id, membership_id=membership_id, me=me
            )
            if is_id(membership_id)
            else None
        )
        if colleague is None:
            abort(404)
        mine = answers.mine(session, me, activity.id, now)
        if mine.run_id is None:
            return redirect(url_for(".why_not_whom"), 303)
        if mine.asked and membership_id in [each.membership_id for each in mine.asked.others]:
            return redirect(url_for(".proposal"), 303)
        found = changes.why_not(
            session,
            tool().keyring,
            mine.run_id,
            me,
            membership_id,
            secret=tool().settings.secret_key.get_secret_value(),
            now=now,
        )
    name = answer_words.given(colleague)
    return render_template(
        "rounds/why_not_with.html",
        activity_title=activity.title,
        name=name,
        full_name=answer_words.full(colleague),
        colleague=colleague,
        because=answer_words.why_not(found, name),
        is_mine=found == "mine",
        closed=closed_sentence(activity),
    )


def _answer(session: Session, activity: ActivityView, proposal_id: str, said: str) -> str:
    me, now = actor().membership_id, tool().clock()
    asked = answers.mine(session, me, activity.id, now).asked
    became = answers.answer(session, proposal_id, me, said, now)
    if became == "kept":
        if said == "pause":
            wishes.leave_round(session, tool().keyring, me, activity.id, now)
        elif asked is not None and asked.answer == "pause":
            # Who takes the pause back is in the next calculation, as before.
            wish = wishes.mine(session, tool().keyring, me, activity.id, now)
            wishes.say(session, tool().keyring, me, activity.id, replace(wish, is_in=True), now)
    return became


def _topics(session: Session, activity: ActivityView) -> dict[str, str]:
    """Key → what a topic of the round is called."""
    chosen = setting.topics(setting.settings(session, activity.id))
    return words.shipped_topics() | {each.key: words.topic(each) for each in chosen}
