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
from lti_tool.privacy.rules import Action, may
from lti_tool.rounds import answer_words, answers, setting, wishes, words
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
        if asked is not None:
            why = answers.why(session, tool().keyring, asked, me, now)
            reasons = answer_words.why_us(why, asked.others, me, _topics(session, activity))
    return render_template(
        "rounds/proposal.html",
        activity_title=activity.title,
        closed=closed_sentence(activity),
        partner=partner_names(pair),
        asked=asked,
        others=answer_words.together(asked.others) if asked else "",
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
        helps = answers.mine(session, actor().membership_id, activity.id, tool().clock()).helps
    return render_template(
        "rounds/without.html",
        activity_title=activity.title,
        is_left=helps is not None,
        helps=answer_words.helps(helps or ""),
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
