"""Pages of a visit that was captured: its picture, on the devices of all who are in the cycle, and the roles card."""

from collections.abc import Sequence

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles import fields, service, words
from lti_tool.cycles.pages import page_frame
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.views import open_cycle
from lti_tool.observation import card, show, show_pages
from lti_tool.observation.views_base import blueprint
from lti_tool.privacy.looks import views as looks
from lti_tool.privacy.rules import Action, may
from lti_tool.privacy.words import who_can_see_cycle
from lti_tool.protocols.recipe import Stage
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed


@blueprint.get("/cycles/<cycle_id>/visit-picture")
def picture(cycle_id: str) -> str:
    """What was captured in the visits of a cycle, as far as it is this reader's to see."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
        stage = _visit(cycle)
        seen = show_pages.observed(session, cycle)
        head = _head(session, cycle, stage) if any(box.state == "open" for box in seen.boxes) else []
    if not seen.boxes and not seen.is_offered:
        abort(404)
    rests = next((each for each in cycle.stages if any(one.rests_on for one in each.fields)), None)
    names = [words.name(each) for each in cycle.others]
    return render_template(
        "observation/show.html",
        **page_frame(cycle),
        partner=listed(names),
        seen=seen,
        head=head,
        head_who=who_can_see_cycle(names),
        kept=show_pages.kept(cycle),
        may_keep=cycle.notes_deleted_at is None and may(actor(), Action.KEEP_NOTES, cycle.facts),
        rests_url=words.stage_url(cycle, rests) if rests and cycle.is_running else "",
        back=words.stage_url(cycle, stage),
        who=_who(cycle, seen.boxes, names),
    )


def _who(cycle: Cycle, boxes: Sequence[show_pages.PictureBox], names: list[str]) -> str:
    """Who can see what was captured, at present."""
    if all(box.is_shown or box.state == "gone" for box in boxes):
        return who_can_see_cycle(names)
    if len(boxes) > 1:
        return _("Each picture says who can see it now.")
    host, coach = words.name(cycle.host), words.name(cycle.coach)
    if boxes[0].state == "open":
        return boxes[0].note
    if cycle.me is cycle.coach:
        return _("Seen by you only, until %(name)s says that you look at it together.", name=host)
    if cycle.me is not cycle.host:
        return _("Seen by %(name)s only, until %(host)s says that you look at it together.", name=coach, host=host)
    if show_pages.has_talk(cycle):
        return _("Seen by %(name)s only, until you say that you look at it together.", name=coach)
    return _("Seen by %(name)s only, until you open it.", name=coach)


@blueprint.post("/cycles/<cycle_id>/visit-picture")
def show_picture(cycle_id: str) -> Response:
    """The host says that all of them look at what was captured."""
    with tool().database.write() as session:
        cycle = open_cycle(session, cycle_id, lock=True)
        wanted = request.form.get("visit", "")
        visit = next((each for each in show.visits_of(session, cycle) if each.id == wanted), None)
        if visit is None:
            abort(404)
        if not may(actor(), Action.SHOW_OBSERVATION, visit.facts(cycle)):
            abort(403)
        show.show(session, cycle, visit, now=tool().clock())
    return redirect(url_for("observation.picture", cycle_id=cycle_id), 303)


@blueprint.get("/cycles/<cycle_id>/visit-card")
def visit_card(cycle_id: str) -> str:
    """What is settled for the visit, large and plain (R60)."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
        stage = _visit(cycle)
        asked = card.lines(stage)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        views = fields.read(session, keys, actor(), cycle, asked).values()
        places = service.read_places(session, keys, cycle.id) if cycle.meetings else {}
    looks.tell(keys.opened_authors, cycle.id, stage.key)
    meeting = cycle.meeting("visit")
    return render_template(
        "observation/card.html",
        activity_title=cycle.activity_title,
        when=words.when(meeting.starts_at) if meeting else "",
        place=places.get("visit", ""),
        lines=[(view.label, _said(view)) for view in views],
        is_empty=bool(card.empty_lines(cycle)) and not cycle.me.is_gone,
        back=words.stage_url(cycle, stage),
        who=who_can_see_cycle([words.name(each) for each in cycle.others]),
    )


def _head(session: Session, cycle: Cycle, stage: Stage) -> list[tuple[str, list[str]]]:
    """(Label, texts) of what stands above all that was noted: what they looked for, where the visitor sat, what was not
    recorded, and when it was; without what nobody wrote. One statement, and one of the keyring."""
    of_cycle = {each.key: each for one in cycle.stages for each in one.fields}
    asked = [of_cycle[key] for key in stage.shows if key in of_cycle]
    asked += [each for each in card.lines(stage) if each.key in card.ABOVE_NOTES]
    keys = tool().keyring.opened(session, cycle.id, tool().clock())
    found = [(view.label, _said(view)) for view in fields.read(session, keys, actor(), cycle, asked).values()]
    looks.tell(keys.opened_authors, cycle.id, stage.key)
    meeting = cycle.meeting("visit")
    when = [(_("When the visit was booked for"), [words.when(meeting.starts_at)])] if meeting else []
    return [(label, texts) for label, texts in (*found, *when) if texts]


def _said(view: fields.FieldView) -> list[str]:
    return [head.said for head in view.heads if head.said.strip()]


def _visit(cycle: Cycle) -> Stage:
    stage = card.visit_of(cycle)
    if stage is None:
        abort(404)
    return stage
