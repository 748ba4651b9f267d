"""Pages of a guided conversation: one step at a time, on two devices or on one, and on paper.

A tap comes with all that is on its page, as on the page of a stage: it is saved first.
"""

from flask import Blueprint, abort, jsonify, redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles import conversation as service
from lti_tool.cycles import conversation_rules as talks
from lti_tool.cycles import fields, pages, views, words
from lti_tool.cycles.conversation_pages import protocol_sheet, stage_sheet, talk_page
from lti_tool.cycles.pages import Refusal
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.service import NotPossible, NotYours, ask_advice
from lti_tool.observation.show_pages import MOST_IDS, OF_VISIT, observed
from lti_tool.privacy.keyring import ScopeKeys
from lti_tool.privacy.rules import Action, AdviceFacts, may
from lti_tool.protocols.recipe import GUIDES, Field, Stage
from lti_tool.protocols.views import find
from lti_tool.web.context import actor, tool

blueprint = Blueprint("conversation", __name__)

ADVICE = "advice"
"""The move that asks for a suggestion."""
_MOST_REV = 2**31 - 1


@blueprint.get("/cycles/<cycle_id>/<stage_key>/talk")
def talk(cycle_id: str, stage_key: str) -> str | Response:
    """The step of the conversation that is now."""
    with tool().database.read() as session:
        cycle = views.open_cycle(session, cycle_id)
        found = _stage(cycle, stage_key)
        if cycle.stage(found.key) is None:
            return redirect(words.stage_url(cycle, found), 303)
        return talk_page(session, cycle, found)


@blueprint.post("/cycles/<cycle_id>/<stage_key>/talk")
def move(cycle_id: str, stage_key: str) -> Response | tuple[str, int] | tuple[Response, int]:
    """Moves the conversation for all who hold it, or asks for a suggestion in it.

    `rev`: the state that was on the page. Where somebody was quicker, nothing moves, and the page comes as it is now.
    """
    wanted = request.form.get("move", "")
    seen = request.form.get("rev", -1, type=int)
    with tool().database.write() as session:
        cycle, _keys, refusal = views.receive(session, cycle_id, stage_key)
        found = _stage(cycle, stage_key)
        views.must_run(cycle)
        if wanted not in (*talks.MOVES, ADVICE):
            abort(400)
        # What came along with a tap is saved also where the tap is not possible, so none of this is an error page.
        refusal = refusal or _refused(session, cycle, found, wanted)
        if not refusal:
            try:
                if wanted == ADVICE:
                    ask_advice(session, cycle, found, now=tool().clock())
                elif 0 <= seen <= _MOST_REV:
                    service.move(session, cycle, found, wanted, seen_rev=seen, now=tool().clock())
            except NotYours:
                first = words.names(cycle.with_role(found.first_turn or "host"))
                refusal = Refusal([("", _("%(name)s speaks first, and goes on from here.", name=first))], status=403)
            except NotPossible as error:
                refusal = views.refused(cycle, error)
    if request.accept_mimetypes.best == "application/json":
        if refusal:
            return jsonify(what=" ".join(text for _url, text in refusal.errors)), refusal.status
        return jsonify(moved=True)
    return views.answer(cycle, stage_key, refusal, _back(cycle, found))


@blueprint.post("/cycles/<cycle_id>/<stage_key>/guide")
def guide(cycle_id: str, stage_key: str) -> Response | tuple[str, int]:
    """Says how many prompts one would like to see; for oneself alone (R39)."""
    wanted = request.form.get("guide", "")
    with tool().database.write() as session:
        cycle, _keys, refusal = views.receive(session, cycle_id, stage_key)
        found = views.stage_of(cycle, stage_key)
        if wanted not in GUIDES:
            abort(400)
        service.choose_guide(session, cycle, wanted)
    return views.answer(cycle, stage_key, refusal, _back(cycle, found))


@blueprint.post("/cycles/<cycle_id>/texts/<field_key>/rests")
def rests(cycle_id: str, field_key: str) -> Response | tuple[str, int]:
    """Points with a next step at something that was seen and heard, or takes that back (R65)."""
    with tool().database.write() as session:
        frame = views.open_cycle(session, cycle_id, lock=True)
        field = frame.protocol.field(field_key)
        home = frame.protocol.stage_of_field(field_key)
        if field is None or home is None or not field.rests_on or frame.stage(home.key) is None:
            abort(404)
        cycle, keys, refusal = views.receive(session, cycle_id, home.key)
        views.must_run(cycle)
        if not may(actor(), Action.WRITE_TEXT, cycle.text_facts(field, actor().person_id)):
            abort(403)
        if gone := request.form.get("take-away"):
            if views.is_id(gone):
                service.take_away(session, cycle, gone)
        elif not refusal and (entry := request.form.get(f"entry-{field_key}", "")):
            refusal = _point_at_entries(session, keys, cycle, field, entry)
        elif not refusal:
            pair = pages.pointed_at(session, keys, cycle, field, *(request.form.get(f"{part}-{field_key}", "")
                                                                   for part in ("step", "data")))  # fmt: skip
            if pair is None:
                refusal = Refusal([(f"#rests-{field_key}", _("Choose a next step, and a line that it rests on."))])
            else:
                step_line, data_line = pair
                service.point(
                    session, keys, cycle, field=field.key, data=field.rests_on,
                    step_line=step_line, data_line=data_line, now=tool().clock(),
                )  # fmt: skip
    return views.answer(cycle, home.key, refusal, _back(cycle, home, f"rests-{field_key}"))


def _point_at_entries(session: Session, keys: ScopeKeys, cycle: Cycle, field: Field, name: str) -> Refusal:
    """Keeps that a next step rests on a row of what was captured; why not, if not."""
    views_of = fields.read(session, keys, actor(), cycle, [field])
    lines = dict(pages.named_lines(views_of[field.key])) if field.key in views_of else {}
    step = lines.get(request.form.get(f"step-{field.key}", ""))
    row = observed(session, cycle).lines.get(name)
    if step is None or row is None:
        return Refusal([(f"#rests-{field.key}", _("Choose a next step, and a line that it rests on."))])
    service.point(
        session, keys, cycle, field=field.key, data=OF_VISIT + row.visit_id, step_line=step,
        entries=row.entries[:MOST_IDS], now=tool().clock(),
    )  # fmt: skip
    return Refusal()


# On paper


@blueprint.get("/cycles/<cycle_id>/<stage_key>/sheet")
def sheet(cycle_id: str, stage_key: str) -> str | Response:
    """A conversation of these people to print."""
    with tool().database.read() as session:
        cycle = views.open_cycle(session, cycle_id)
        found = views.stage_of(cycle, stage_key)
        if cycle.stage(found.key) is None:
            return redirect(words.stage_url(cycle, found), 303)
        return stage_sheet(session, cycle, found)


@blueprint.get("/protocols/<protocol_key>/sheet")
def blank_sheet(protocol_key: str) -> str:
    """A whole protocol to print; it holds nobody's words."""
    with tool().database.read() as session:
        found, _own = find(session, protocol_key)
    return protocol_sheet(found)


def _refused(session: Session, cycle: Cycle, stage: Stage, wanted: str) -> Refusal:
    """Why the signed-in person cannot make this move; an empty Refusal where they can."""
    host = words.name(cycle.host)
    if wanted == "one" and not may(actor(), Action.SHARE_DEVICE, cycle.facts):
        return Refusal([("", _("%(name)s says whether you pass one device around.", name=host))])
    if wanted == ADVICE:
        on_one = service.open_talk(session, cycle, stage, tool().clock()).talk.device == "one"
        if not may(actor(), Action.ASK_ADVICE, AdviceFacts(cycle.facts, on_one)):
            return Refusal([("", _("%(name)s says whether they would like a suggestion.", name=host))], status=403)
        if not stage.advice or not talks.is_open(cycle, stage):
            return Refusal([("", _("There is no suggestion to ask for here, or not any more."))])
    return Refusal()


def _stage(cycle: Cycle, key: str) -> Stage:
    found = views.stage_of(cycle, key)
    if found.kind not in talks.TALK_KINDS:
        abort(404)
    return found


def _back(cycle: Cycle, stage: Stage, anchor: str = "") -> str:
    """The page from which a form was sent."""
    if views.is_from_talk(stage):
        return words.talk_url(cycle, stage, anchor)
    return words.stage_url(cycle, stage, anchor)
