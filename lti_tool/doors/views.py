"""Pages of open doors: those of colleagues, offering one, closing it."""

import re
from itertools import groupby

from babel.dates import format_date
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities.kinds import kind_of
from lti_tool.activities.service import ActivityView
from lti_tool.cycles import words as cycle_words
from lti_tool.doors import rules, service
from lti_tool.doors.rules import Problem
from lti_tool.doors.service import DoorView
from lti_tool.pairing import service as pairing
from lti_tool.pairing.views import closed_sentence, must_be_open, teachers_activity
from lti_tool.privacy.looks.service import DOOR
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, may
from lti_tool.sharing.rules import by_month
from lti_tool.store.base import new_id
from lti_tool.web.context import actor, tool

blueprint = Blueprint("doors", __name__)

PAGE_SIZE = 30
_ID = re.compile(r"[0-9a-z]{16}")
_ROW = tuple[str, str]


@blueprint.get("/doors")
def index() -> str:
    """The doors of colleagues, by month and name, and one's own with their words."""
    with tool().database.read() as session:
        activity = teachers_activity(session)
        found = by_month(
            (
                door
                for door in service.of_activity(session, activity.id)
                if door.person_id != actor().person_id and may(actor(), Action.READ_DOOR, door.facts)
            ),
            cycle_words.zone(),
        )
        mine = _own(session, activity)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return render_template(
        "doors/index.html",
        activity_title=activity.title,
        message=_told(),
        months=[(month, [(door.id, _author(door)) for door in doors]) for month, doors in groupby(shown, key=_month)],
        page=page,
        pages=pages,
        mine=mine,
        may_offer=not closed_sentence(activity) and len(mine) < rules.MAX_OPEN,
    )


@blueprint.get("/doors/offer")
def form() -> str:
    """The form of an offer; what it says is seen by nobody until it is sent."""
    with tool().database.read() as session:
        activity = teachers_activity(session)
        must_be_open(activity)
        return _form(session, activity)


@blueprint.post("/doors/offer")
def offer() -> Response | tuple[str, int]:
    """Opens a door; what cannot be offered comes back in its boxes."""
    topic, suits = (rules.clean(request.form.get(f"text-{part}", "")) for part in ("topic", "suits"))
    ticket = request.form.get("ticket", "")
    with tool().database.write() as session:
        activity = teachers_activity(session)
        must_be_open(activity)
        if problems := rules.problems_of(topic, suits):
            return _form(session, activity, topic, suits, [_sentence(each, topic, suits) for each in problems]), 400
        if not service.offer(
            session,
            tool().keyring,
            activity_id=activity.id,
            person_id=actor().person_id,
            topic=topic,
            suits=suits,
            ticket=ticket if _ID.fullmatch(ticket) else new_id(),
            now=tool().clock(),
        ):
            error = _("Three doors of yours are open. Close one of them first, on the page before.")
            return _form(session, activity, topic, suits, [("", error)]), 409
    return redirect(url_for(".index", told="opened"), 303)


@blueprint.get("/doors/<door_id>")
def show(door_id: str) -> str:
    """One door, for those who take part here."""
    with tool().database.read() as session:
        activity = teachers_activity(session)
        door = service.find(session, door_id) if _ID.fullmatch(door_id) else None
        if door is None or not may(actor(), Action.READ_DOOR, door.facts):
            abort(404)
        offer = service.read(session, tool().keyring, [door.id], tool().clock()).get(door.id)
        pair = pairing.active_pair(session, actor().membership_id, activity.id)
    if offer is None:
        abort(404)
    is_own = door.person_id == actor().person_id
    tell([door.person_id], None, DOOR)
    return render_template(
        "doors/show.html",
        activity_title=activity.title,
        door=door,
        author=_author(door),
        offer=offer,
        month=_month(door),
        is_own=is_own,
        # Where pairs find each other, and while one looks for somebody.
        may_invite=not is_own
        and pair is None
        and kind_of(activity.kind).key in ("cycle", "pairing")
        and not closed_sentence(activity),
    )


@blueprint.post("/doors/<door_id>/close")
def close(door_id: str) -> Response:
    """Closes one's own door: at once nobody finds it any more. Of another's, and of one that is closed, a 404."""
    with tool().database.write() as session:
        if not _ID.fullmatch(door_id) or not may(
            actor(), Action.CLOSE_DOOR, service.is_own(session, door_id, actor().person_id)
        ):
            abort(404)
        service.close(session, tool().keyring, door_id, tool().clock())
    tool().database.forget_deleted()
    return redirect(url_for(".index", told="closed"), 303)


def _own(session: Session, activity: ActivityView) -> list[tuple[str, service.Offer]]:
    ids = service.own(session, actor().person_id, activity.id)
    return list(service.read(session, tool().keyring, ids, tool().clock()).items()) if ids else []


def _form(
    session: Session, activity: ActivityView, topic: str = "", suits: str = "", errors: list[_ROW] | None = None
) -> str:
    return render_template(
        "doors/offer.html",
        activity_title=activity.title,
        topic=topic,
        suits=suits,
        errors=errors or [],
        most=rules.MAX_TOPIC,
        most_suits=rules.MAX_SUITS,
        ticket=new_id(),
    )


def _sentence(problem: Problem, topic: str, suits: str) -> _ROW:
    match problem:
        case Problem.NO_TOPIC:
            return "topic", _("Say what a colleague can see with you.")
        case Problem.LONG_TOPIC:
            return "topic", _(
                "What can be seen takes %(most)s characters; this has %(now)s.", most=rules.MAX_TOPIC, now=len(topic)
            )
        case Problem.LONG_SUITS:
            return "suits", _(
                "When it suits takes %(most)s characters; this has %(now)s.", most=rules.MAX_SUITS, now=len(suits)
            )


def _author(door: DoorView) -> str:
    return door.author or str(_("A colleague whose name the LMS does not give"))


def _month(door: DoorView) -> str:
    return str(format_date(door.shared_at.astimezone(cycle_words.zone()), "LLLL y", locale=get_locale()))


def _told() -> str:
    return {
        "opened": _("Your door is open. You can close it at any time; then it is gone at once."),
        "closed": _("It is closed. Nobody finds it here any more."),
    }.get(request.args.get("told", ""), "")
