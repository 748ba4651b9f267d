"""The plan of the room of an instrument: to draw, to lay out, to save."""

from flask import redirect, request, url_for
from flask_babel import gettext as _

from lti_tool.cycles.rules import Cycle
from lti_tool.observation import building, layouts
from lti_tool.observation.build_forms import PlanDraft
from lti_tool.observation.build_pages import (
    Answer,
    find,
    open_to_build,
    plan_page,
    revision,
    shorter,
    who_changed,
    with_plan,
)
from lti_tool.observation.building import BuiltInstrument
from lti_tool.observation.instrument import Mark, Plan
from lti_tool.observation.said import RefusedError
from lti_tool.observation.views_base import blueprint
from lti_tool.privacy.rules import Action, may
from lti_tool.web.context import actor, tool

NEW_PLAN = Plan(8, 8, marks=(Mark("board", 3, 0),))


@blueprint.get("/cycles/<cycle_id>/visit-instrument/<instrument_id>/plan")
def plan(cycle_id: str, instrument_id: str) -> Answer:
    """The plan of the room, to draw."""
    with tool().database.read() as session:
        cycle, is_here = open_to_build(session, cycle_id)
        if not is_here:
            return shorter()
        there = with_plan(find(session, cycle, instrument_id))
        if there.frozen_at or not may(actor(), Action.BUILD_INSTRUMENT, cycle.facts):
            return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=instrument_id), 303)
        return plan_page(cycle, there, PlanDraft.of(there.instrument.plan or NEW_PLAN))


@blueprint.post("/cycles/<cycle_id>/visit-instrument/<instrument_id>/plan")
def save_plan(cycle_id: str, instrument_id: str) -> Answer:
    """Saves the plan, or lays seats out on the page for it."""
    with tool().database.write() as session:
        cycle, is_here = open_to_build(session, cycle_id, writes=True)
        there = with_plan(find(session, cycle, instrument_id))
        typed = PlanDraft.typed(request.form)
        if request.form.get("do") == "lay-out":
            return _lay_out(cycle, there, typed)
        plain = typed.plain()
        if plain is None:
            return plan_page(cycle, there, typed), 400
        try:
            building.save(session, tool().keyring, cycle, there.id, {"plan": plain}, revision(), tool().clock())
        except RefusedError as error:
            return plan_page(cycle, there, typed.refuse(error)), 400
        except building.Frozen:
            return plan_page(cycle, there, typed, too_late=True), 409
        except building.Changed as error:
            text = _(
                "%(name)s has saved another plan meanwhile. Yours is still here: save it again to use it instead.",
                name=who_changed(error),
            )
            return plan_page(cycle, error.now, typed, errors=[("", text)], both=True), 409
        if not is_here:
            return shorter()
    return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=instrument_id, told="plan"), 303)


def _lay_out(cycle: Cycle, there: BuiltInstrument, typed: PlanDraft) -> Answer:
    layout = request.form.get("layout", "")
    numbers = [request.form.get(part, "") for part in ("rows", "across")]
    if layout not in layouts.LAYOUTS or not all(
        each.isascii() and each.isdigit() and len(each) < 3 for each in numbers
    ):
        text = _("Choose how the seats are put, and give two numbers.")
        return plan_page(cycle, there, typed, errors=[("layout", text)]), 400
    found = layouts.laid_out(layout, int(numbers[0]), int(numbers[1]))
    if found is None:
        text = _("These are too many for a plan, which has room for 40 seats. Take fewer, or another way.")
        return plan_page(cycle, there, typed, errors=[("layout", text)]), 400
    return plan_page(cycle, there, PlanDraft.of(found), laid_out=True)
