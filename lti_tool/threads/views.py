"""Pages of the thread: reading it, writing, what is new for an open page, deleting one's own message."""

import re
from itertools import groupby

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.pages import device_key
from lti_tool.pairing import service as pairing
from lti_tool.pairing.service import PairView
from lti_tool.privacy.looks.service import THREAD
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, may
from lti_tool.store.base import new_id
from lti_tool.threads import rules, service, words
from lti_tool.threads.service import Page
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("threads", __name__)

_ID = re.compile(r"[0-9a-z]{16}")
_MOST_PAGES = 100_000


@blueprint.get("/thread")
def index() -> Response:
    """The thread of one's pair here; of the last one, where none is current."""
    with tool().database.read() as session:
        found = _mine(session)
    if not found:
        return redirect(url_for("home.show"), 303)
    newest = next((pair for pair in found if pair.status != "ended"), found[0])
    return redirect(url_for(".show", pair_id=newest.id), 303)


@blueprint.get("/thread/<pair_id>")
def show(pair_id: str) -> str:
    """A thread; `earlier`: number of the page, from 1 with the newest messages."""
    number = min(max(request.args.get("earlier", 1, type=int), 1), _MOST_PAGES)
    with tool().database.read() as session:
        return _thread_page(session, pair_id, number)


@blueprint.get("/thread/<pair_id>/news")
def news(pair_id: str) -> str | Response:
    """The messages for an open page, if there are others than it has; else 204. `known`: which it has."""
    with tool().database.read() as session:
        pair = _pair(session, pair_id)
        if service.known(session, pair.id) == request.args.get("known", ""):
            return Response(status=204)
        page = service.read(session, tool().keyring, pair.id, 1, tool().clock())
    tell(page.authors, None, THREAD)
    return render_template("threads/_messages.html", **_messages(pair, page))


@blueprint.post("/thread/<pair_id>")
def send(pair_id: str) -> Response | tuple[str, int]:
    """Writes a message; what cannot be sent comes back in its box."""
    text = rules.clean(request.form.get("text", ""))
    ticket = request.form.get("ticket", "")
    with tool().database.write() as session:
        pair = _pair(session, pair_id)
        if not may(actor(), Action.WRITE_THREAD, pair.facts):
            raise _closed()
        if problem := rules.problem_of(text):
            typed = request.form.get("text", "")
            return _thread_page(session, pair.id, 1, typed, words.told(problem, text)), 400
        sent = service.send(
            session,
            tool().keyring,
            pair.id,
            actor().person_id,
            text,
            ticket if _ID.fullmatch(ticket) else new_id(),
            tool().clock(),
        )
        if not sent:
            raise _closed()
    return redirect(url_for(".show", pair_id=pair.id, sent=1, _anchor="write"), 303)


@blueprint.post("/messages/<message_id>/delete")
def delete(message_id: str) -> Response:
    """Deletes one's own message, for everybody; nobody is told, and nothing stands in its place."""
    with tool().database.write() as session:
        found = service.find(session, message_id) if _ID.fullmatch(message_id) else None
        if found is None or not may(actor(), Action.DELETE_MESSAGE, found[1]):
            abort(404)
        reads = any(each.id == found[0] and may(actor(), Action.READ_THREAD, each.facts) for each in _mine(session))
        service.remove(session, tool().keyring, message_id, tool().clock())
    tool().database.forget_deleted()
    if not reads:
        return redirect(url_for("ownership.mine", deleted="1"), 303)
    return redirect(url_for(".show", pair_id=found[0], _anchor="write"), 303)


def _mine(session: Session) -> list[PairView]:
    """All pairs and groups of the signed-in person in this activity that are more than themselves."""
    found = pairing.pairs_of(session, actor().membership_id, actor().activity_id or "")
    return [pair for pair in found if len(pair.members) > 1]


def _pair(session: Session, pair_id: str) -> PairView:
    pair = next((each for each in _mine(session) if each.id == pair_id), None)
    if pair is None or not may(actor(), Action.READ_THREAD, pair.facts):
        abort(404)
    return pair


def _thread_page(session: Session, pair_id: str, number: int, typed: str = "", error: str = "") -> str:
    pair = _pair(session, pair_id)
    activity = activities.find(session, pair.activity_id)
    page = service.read(session, tool().keyring, pair.id, number, tool().clock())
    tell(page.authors, None, THREAD)
    others = [each for each in _mine(session) if each.id != pair.id]
    return render_template(
        "threads/show.html",
        activity_title=activity.title if activity else "",
        **_messages(pair, page),
        title=words.title_of(pair),
        names=words.names_of(pair.others(actor().membership_id)),
        may_write=may(actor(), Action.WRITE_THREAD, pair.facts),
        has_ended=pair.status == "ended",
        is_group=activity is not None and activity.kind == "group",
        is_of_three=len(pair.members) > 2,
        others=[(each.id, words.title_of(each)) for each in others],
        typed=typed,
        errors=[("text", error)] if error else [],
        most=rules.MAX_LENGTH,
        ticket=new_id(),
        person_id=actor().person_id,
        device_key=device_key(),
    )


def _messages(pair: PairView, page: Page) -> dict[str, object]:
    """What threads/_messages.html shows: the messages by day."""
    names = {member.person_id: words.name_of(member) for member in pair.members}
    lines = [
        (
            each,
            each.author_id == actor().person_id,
            # Who left a group keeps their words in it.
            names.get(each.author_id) or _("somebody who left"),
            cycle_words.clock_time(each.sent_at),
        )
        for each in page.messages
    ]
    by_day = groupby(lines, key=lambda line: cycle_words.day(line[0].sent_at))
    return {"pair": pair, "page": page, "days": [(day, list(found)) for day, found in by_day]}


def _closed() -> PageError:
    return PageError(
        409,
        _("This thread is closed for writing"),
        _("Your pair has ended, or you do not take part here any more. What was written stays readable to you."),
        _("Copy what you typed if you would like to keep it."),
        reason="thread closed",
    )
