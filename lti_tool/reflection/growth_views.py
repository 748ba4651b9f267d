"""Pages of what a teacher would like to grow in: their own list, sharing a line of it, and what a partner shares."""

import re

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles.rules import clean
from lti_tool.pairing import service as pairing
from lti_tool.pairing.service import PairView
from lti_tool.privacy.looks import service as looks
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, GrowthFacts, may
from lti_tool.reflection import growth
from lti_tool.reflection.growth import MAX_LENGTH, MOST, Area, TooMany
from lti_tool.store.base import new_id
from lti_tool.web.context import actor, tool

blueprint = Blueprint("growth", __name__)

_ID = re.compile(r"[0-9a-z]{16}")


@blueprint.get("/growth")
def show() -> str:
    """One's own list, and what the partner of this activity shares."""
    with tool().database.read() as session:
        return _page(session)


@blueprint.post("/growth")
def add() -> Response | tuple[str, int]:
    """Adds a line to the list."""
    if not may(actor(), Action.KEEP_GROWTH, GrowthFacts(actor().person_id, is_new=True)):
        abort(404)
    text, error = _typed()
    ticket = request.form.get("ticket", "")
    if not error:
        with tool().database.write() as session:
            try:
                growth.add(
                    session,
                    tool().keyring,
                    actor().person_id,
                    text,
                    ticket if _ID.fullmatch(ticket) else new_id(),
                    tool().clock(),
                )
                return redirect(url_for(".show", told="added"), 303)
            except TooMany:
                error = _("There are %(most)s lines already. Delete one that has had its time.", most=MOST)
    with tool().database.read() as session:
        return _page(session, text, error), 400


@blueprint.get("/growth/<area_id>")
def edit(area_id: str) -> str:
    """A line, to change or delete it."""
    with tool().database.read() as session:
        return _edit_page(_own(session, area_id))


@blueprint.post("/growth/<area_id>")
def change(area_id: str) -> Response | tuple[str, int]:
    """Keeps what a line says now."""
    text, error = _typed()
    with tool().database.write() as session:
        area = _find(session, area_id)
        if area is not None and not error:
            if growth.change(session, tool().keyring, actor().person_id, area.id, text, tool().clock()):
                return redirect(url_for(".show", told="changed"), 303)
            area = None
    if area is not None:
        return _edit_page(area, text, error), 400
    if not may(actor(), Action.KEEP_GROWTH, GrowthFacts(actor().person_id, is_new=True)):
        abort(404)
    with tool().database.read() as session:
        return _page(session, text, _("This line is not there any more. Add it again to keep what you typed.")), 404


@blueprint.post("/growth/<area_id>/delete")
def remove(area_id: str) -> Response:
    """Deletes a line, for everybody."""
    with tool().database.write() as session:
        growth.remove(session, tool().keyring, actor().person_id, _own(session, area_id).id, tool().clock())
    tool().database.forget_deleted()
    return redirect(url_for(".show", told="deleted"), 303)


@blueprint.post("/growth/<area_id>/share")
def share(area_id: str) -> Response:
    """Shows a line to the partner that the page named."""
    with tool().database.write() as session:
        area, pair = _own(session, area_id), _pair(session)
        # A page that stayed open for longer than its pair must not share with the next partner.
        if pair is None or pair.id != request.form.get("pair", ""):
            return redirect(url_for(".show", told="another"), 303)
        if not pair.others(actor().membership_id):
            # Whoever came into the group next would be the first to see it.
            return redirect(url_for(".show", told="alone"), 303)
        if not may(actor(), Action.SHARE_GROWTH, GrowthFacts(actor().person_id, pair.facts)):
            abort(404)
        growth.share(session, area.id, pair.id, tool().clock())
    return redirect(url_for(".show", told="shared"), 303)


@blueprint.post("/growth/<area_id>/take-back")
def take_back(area_id: str) -> Response:
    """Shows a line to a partner no more."""
    pair_id = request.form.get("pair", "")
    with tool().database.write() as session:
        area = _own(session, area_id)
        if _ID.fullmatch(pair_id):
            growth.take_back(session, area.id, pair_id)
    return redirect(url_for(".show", told="taken"), 303)


def shared_by_others(session: Session, pair: PairView | None) -> list[tuple[str, list[str]]]:
    """(Name, lines) of what the others of a pair share with it; the page that shows it is noted in their logs."""
    facts = pair.facts if pair else None
    if pair is None or not may(actor(), Action.READ_GROWTH, GrowthFacts("", facts)):
        return []
    found = growth.of_others(session, tool().keyring, pair.id, actor().person_id, tool().clock())
    tell({each.author_id for each in found}, None, looks.GROWTH)
    lines: dict[str, tuple[str, list[str]]] = {}
    for each in found:
        lines.setdefault(each.author_id, (each.author or _("your partner"), []))[1].append(each.text)
    return list(lines.values())


def _page(session: Session, typed: str = "", error: str = "") -> str:
    pair = _pair(session)
    others = pair.others(actor().membership_id) if pair else ()
    names = _names(tuple(member.given_name for member in others))
    return render_template(
        "reflection/growth.html",
        areas=[
            (
                area,
                [(each.pair_id, each.activity_title, _names(each.names)) for each in area.shared_with],
                bool(others) and pair is not None and pair.id not in {each.pair_id for each in area.shared_with},
            )
            for area in growth.read(session, tool().keyring, actor().person_id, tool().clock())
        ],
        pair=pair,
        partner=names,
        growth_of_others=shared_by_others(session, pair),
        can_add=may(actor(), Action.KEEP_GROWTH, GrowthFacts(actor().person_id, is_new=True)),
        ticket=new_id(),
        typed=typed,
        max_length=MAX_LENGTH,
        errors=[("text", error)] if error else [],
        message=_told(),
        who=_("Seen by you only, except the lines that you share; those are seen by the partner who is named there."),
    )


def _edit_page(area: Area, typed: str | None = None, error: str = "") -> str:
    return render_template(
        "reflection/growth_edit.html",
        area=area,
        shared=[(each.activity_title, _names(each.names)) for each in area.shared_with],
        typed=area.text if typed is None else typed,
        max_length=MAX_LENGTH,
        errors=[("text", error)] if error else [],
        who=_("Seen by you only.")
        if not area.shared_with
        else _("Seen by you and by %(name)s.", name=", ".join(_names(each.names) for each in area.shared_with)),
    )


def _typed() -> tuple[str, str]:
    """What was typed, and what is wrong with it."""
    text = clean(request.form.get("text", "")).strip()
    if not text:
        return text, _("Write something first.")
    if len(text) > MAX_LENGTH:
        most, now = MAX_LENGTH, len(text)
        return text, _("A line takes %(most)s characters, and this has %(now)s. Shorten it.", most=most, now=now)
    return text, ""


def _own(session: Session, area_id: str) -> Area:
    area = _find(session, area_id)
    if area is None:
        abort(404)
    return area


def _find(session: Session, area_id: str) -> Area | None:
    if not may(actor(), Action.KEEP_GROWTH, GrowthFacts(actor().person_id)) or not _ID.fullmatch(area_id):
        return None
    return growth.find(session, tool().keyring, actor().person_id, area_id, tool().clock())


def _pair(session: Session) -> PairView | None:
    """The pair of the activity that was launched, while the signed-in person is in it."""
    pair = pairing.current_pair(session, actor().membership_id, actor().activity_id or "")
    return pair if pair is not None and may(actor(), Action.OPEN_PAIR, pair.facts) else None


def _names(given: tuple[str, ...]) -> str:
    return ", ".join(name or _("your partner") for name in given)


def _told() -> str:
    return {
        "added": _("It is on your list."),
        "changed": _("It is changed."),
        "deleted": _("It is deleted."),
        "shared": _("It is shared. You can take it back at any time."),
        "taken": _("It is taken back."),
        "alone": _("Nobody else is in your group by now, so nothing was shared."),
        "another": _("Your partner is another one by now, so nothing was shared."),
    }.get(request.args.get("told", ""), "")
