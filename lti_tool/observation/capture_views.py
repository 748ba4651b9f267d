"""The page of a cycle from which the tab that captures a visit is opened."""

from collections.abc import Sequence

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.service import NotPossible
from lti_tool.cycles.views import is_id, open_cycle
from lti_tool.observation import building, capture, card, grants
from lti_tool.observation.views_base import blueprint
from lti_tool.privacy.looks import views as looks
from lti_tool.privacy.looks.service import INSTRUMENT
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool

_Errors = Sequence[tuple[str, str]]


@blueprint.get("/cycles/<cycle_id>/visit-capture")
def capture_visit(cycle_id: str) -> str:
    """What a visit can be captured with, and what to know before."""
    with tool().database.read() as session:
        return _page(session, _cycle(session, cycle_id))


@blueprint.post("/cycles/<cycle_id>/visit-capture")
def open_capture(cycle_id: str) -> str | Response | tuple[str, int]:
    """Makes a code, for a button that opens the tab and to be typed on another device; or shuts out all devices."""
    instrument_id, errors, code = request.form.get("instrument", ""), [], ""
    with tool().database.write() as session:
        cycle = _cycle(session, cycle_id, lock=True)
        if not is_id(instrument_id):
            abort(404)
        if is_shut := request.form.get("do") == "shut_out":
            grants.shut_out(session, cycle)
        try:
            if not is_shut:
                found = capture.prepare(session, tool().keyring, cycle, instrument_id, tool().clock())
                code = grants.new_code(session, found.id, tool().clock())
        except LookupError:
            abort(404)
        except capture.NotReady as error:
            errors = [("instrument", _not_ready(error.code))]
        except NotPossible as error:
            errors = [(url, text) for text, url in (cycle_words.missing(cycle, lack) for lack in error.missing)]
    if is_shut:
        return redirect(url_for(".capture_visit", cycle_id=cycle_id, told="shut_out"), 303)
    if errors:
        with tool().database.read() as session:
            return _page(session, _cycle(session, cycle_id), errors), 409
    return render_template(
        "observation/capture_code.html",
        activity_title=cycle.activity_title,
        code=f"{code[:4]} {code[4:]}",
        typed_at=tool().settings.public_url.rstrip("/") + url_for("visit.enter_code"),
        back=url_for(".capture_visit", cycle_id=cycle.id),
        who=_who(cycle),
    )


def _cycle(session: Session, cycle_id: str, *, lock: bool = False) -> Cycle:
    cycle = open_cycle(session, cycle_id, lock=lock)
    if not may(actor(), Action.CAPTURE, cycle.facts):
        abort(404)
    return cycle


def _page(session: Session, cycle: Cycle, errors: _Errors = ()) -> str:
    found = building.in_use(building.of_cycle(session, tool().keyring, cycle, tool().clock()))
    if found:
        looks.tell(found.authors, cycle.id, INSTRUMENT)
    code = capture.not_ready(cycle) or ("" if found else "instrument")
    visit = card.visit_of(cycle)
    return render_template(
        "observation/capture_visit.html",
        activity_title=cycle.activity_title,
        cycle=cycle,
        errors=errors,
        is_shut=request.args.get("told") == "shut_out",
        not_ready=_not_ready(code) if code else "",
        wants_instrument=code == "instrument",
        found=found,
        lacking=bool(not code and capture.card_lacks(cycle)),
        back=cycle_words.stage_url(cycle, visit) if visit else url_for("cycles.show", cycle_id=cycle.id),
        who=_who(cycle),
    )


def _who(cycle: Cycle) -> str:
    return _(
        "What you note is seen by you only, until %(name)s says that you look at it together. What you note for your "
        "own class stays yours alone.",
        name=cycle_words.name(cycle.host),
    )


def _not_ready(code: str) -> str:
    if code == "step":
        return _("You said that nothing is noted in this visit, so there is nothing to capture with.")
    if code == "deleted":
        return _("The notes of this visit are deleted: their time was over.")
    if code == "shown":
        return _("You look at the picture of this visit together already, so nothing more is added to it.")
    return _("First all of you approve what you look with. Then the visit can be noted with it.")
