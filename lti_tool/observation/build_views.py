"""Pages on which the members of a cycle build what they look with: choose, change, approve.

Every button of a page sends all of it: what was typed is saved first, whatever the button is for.
"""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.views import is_id
from lti_tool.cycles.words import into, language, name
from lti_tool.observation import build_words, building, library, words
from lti_tool.observation import instrument as instruments
from lti_tool.observation.build_forms import Draft, PlanDraft
from lti_tool.observation.build_pages import (
    Answer,
    built,
    changed_page,
    find,
    frame,
    instrument_page,
    open_to_build,
    plan_page,
    released_here,
    revision,
    shorter,
    title_of,
    too_many,
)
from lti_tool.observation.building import BuiltInstrument
from lti_tool.observation.examples import MINUTES, example
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.pictures import draw
from lti_tool.observation.said import RefusedError
from lti_tool.observation.shipped import Base, shipped
from lti_tool.observation.views_base import blueprint
from lti_tool.privacy.rules import Action, OwnInstrumentFacts, may
from lti_tool.store.base import new_id
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed

# Choosing one


@blueprint.get("/cycles/<cycle_id>/visit-instrument")
def instruments_of_cycle(cycle_id: str) -> Answer:
    """The instruments that there are, and what one can be begun from; `base`: one of these, closer."""
    with tool().database.read() as session:
        cycle, is_here = open_to_build(session, cycle_id)
        if not is_here:
            return shorter()
        if base := shipped().get(request.args.get("base", "")):
            return _example_page(cycle, base)
        return _choose_page(session, cycle)


@blueprint.post("/cycles/<cycle_id>/visit-instrument")
def begin_instrument(cycle_id: str) -> Answer:
    """Begins one: from one that ships, from one's own library, or from one that was released in the course."""
    with tool().database.write() as session:
        cycle, is_here = open_to_build(session, cycle_id, writes=True)
        if not is_here:
            return shorter()
        wanted = _source(session, request.form.get("from", ""))
        if wanted is None:
            return _choose_page(session, cycle, _("It is not there any more. Choose another one.")), 409
        try:
            begun = building.begin(session, tool().keyring, cycle, wanted, tool().clock())
        except building.TooMany:
            return _choose_page(session, cycle, too_many()), 409
    return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=begun), 303)


def _source(session: Session, wanted: str) -> Instrument | None:
    how, _colon, key = wanted.partition(":")
    if how == "base" and key in shipped():
        return shipped()[key].begin(language())
    if how == "own":
        own = library.of_person(session, tool().keyring, actor().person_id, tool().clock())
        return next((each.instrument for each in own if each.id == key), None)
    if how == "released":
        return next((each.instrument for each in released_here(session) if each.id == key), None)
    return None


def _choose_page(session: Session, cycle: Cycle, error: str = "") -> str:
    there = built(session, cycle)
    used = building.in_use(there)
    grouped = [(build_words.group(key), [shipped()[each] for each in keys]) for key, keys in build_words.GROUPS]
    return render_template(
        "observation/choose.html",
        **frame(cycle),
        errors=[("", error)] if error else [],
        there=[(each, _state(cycle, each), each is used) for each in reversed(there)],
        may_begin=may(actor(), Action.BUILD_INSTRUMENT, cycle.facts) and len(there) < building.MOST,
        too_many=too_many() if len(there) >= building.MOST else "",
        groups=grouped,
        into=into,
        own=library.of_person(session, tool().keyring, actor().person_id, tool().clock()),
        released=released_here(session),
        title_of=title_of,
    )


def _example_page(cycle: Cycle, base: Base) -> str:
    used, entries = example(base.begin(language()), build_words.heard())
    return render_template(
        "observation/example.html",
        **frame(cycle),
        base=base,
        into=into,
        say=words.say,
        picture=draw(used, entries, MINUTES),
        may_begin=may(actor(), Action.BUILD_INSTRUMENT, cycle.facts),
    )


# Changing and approving it


@blueprint.get("/cycles/<cycle_id>/visit-instrument/<instrument_id>")
def instrument(cycle_id: str, instrument_id: str) -> Answer:
    """One instrument: to change while it is not frozen, and to read."""
    with tool().database.read() as session:
        cycle, is_here = open_to_build(session, cycle_id)
        if not is_here:
            return shorter()
        return instrument_page(cycle, find(session, cycle, instrument_id))


@blueprint.post("/cycles/<cycle_id>/visit-instrument/<instrument_id>")
def save_instrument(cycle_id: str, instrument_id: str) -> Answer:
    """Saves what was typed, and then does what the button is for: approve, plan, keep, remove."""
    what = request.form.get("do", "")
    with tool().database.write() as session:
        # What was built stays to be kept, also after the cycle has ended.
        cycle, is_here = open_to_build(session, cycle_id, writes=what != "keep" or "name" in request.form)
        there = find(session, cycle, instrument_id)
        draft = Draft.typed(request.form)
        if "name" in request.form:
            try:
                saved = _save(session, cycle, there, draft.parts(there.instrument))
            except RefusedError as error:
                return instrument_page(cycle, there, draft.refuse(error), revision=revision()), 400
            except building.Changed as error:
                return changed_page(cycle, error), 409
            except building.Frozen:
                return instrument_page(cycle, there, draft, too_late=True), 409
        else:
            saved = there
        is_new = saved.revision != there.revision
        if not is_here:
            return shorter()
        if what == "remove":
            return _remove(session, cycle, saved)
        if what == "keep":
            return _keep(session, cycle, saved)
        if what == "approve":
            if revision() + is_new != saved.revision:
                text = _("It has changed since you opened this page. Read it, and approve it then.")
                return instrument_page(cycle, saved, errors=[("", text)]), 409
            try:
                building.approve(session, tool().keyring, cycle, saved.id, saved.revision, tool().clock())
            except building.Unfinished as error:
                return instrument_page(cycle, saved, errors=[("", words.say(each)) for each in error.said]), 409
    if what == "plan":
        return redirect(url_for(".plan", cycle_id=cycle_id, instrument_id=instrument_id), 303)
    told = "approved" if what == "approve" else "saved"
    return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=instrument_id, told=told), 303)


@blueprint.post("/cycles/<cycle_id>/visit-instrument/<instrument_id>/copy")
def copy_instrument(cycle_id: str, instrument_id: str) -> Answer:
    """Begins another one from one that is frozen, with what was typed."""
    with tool().database.write() as session:
        cycle, is_here = open_to_build(session, cycle_id, writes=True)
        if not is_here:
            return shorter()
        there = find(session, cycle, instrument_id)
        draft, plan = Draft.typed(request.form), PlanDraft.typed(request.form)
        parts = draft.parts(there.instrument) if "name" in request.form else {}
        if "width" in request.form:
            parts = {"plan": plan.plain()}
            if plan.errors:
                return plan_page(cycle, there, plan, too_late=True), 400
        try:
            wanted = instruments.read(there.instrument.to_json() | parts)
            begun = building.begin(session, tool().keyring, cycle, wanted, tool().clock())
        except RefusedError as error:
            if "width" in request.form:
                return plan_page(cycle, there, plan.refuse(error), too_late=True), 400
            return instrument_page(cycle, there, draft.refuse(error), too_late=True), 400
        except building.TooMany:
            if "width" in request.form:
                return plan_page(cycle, there, plan, errors=[("", too_many())], too_late=True), 409
            typed = draft if parts else None
            return instrument_page(cycle, there, typed, errors=[("", too_many())], too_late=bool(parts)), 409
    return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=begun), 303)


def _save(session: Session, cycle: Cycle, there: BuiltInstrument, parts: dict[str, Any]) -> BuiltInstrument:
    return building.save(session, tool().keyring, cycle, there.id, parts, revision(), tool().clock())


def _remove(session: Session, cycle: Cycle, there: BuiltInstrument) -> Answer:
    if there.frozen_at or request.form.get("sure") != "1":
        return instrument_page(cycle, there, errors=[("sure", _("Tick that it is to go, then remove it."))]), 409
    building.remove(session, cycle, there.id)
    return redirect(url_for(".instruments_of_cycle", cycle_id=cycle.id), 303)


def _keep(session: Session, cycle: Cycle, there: BuiltInstrument) -> Answer:
    if not may(actor(), Action.KEEP_INSTRUMENT, OwnInstrumentFacts(actor().person_id, is_new=True)):
        abort(404)
    ticket = request.form.get("ticket", "")
    try:
        library.keep(
            session, tool().keyring, actor().person_id, there.instrument,
            ticket if is_id(ticket) and len(ticket) == 16 else new_id(), tool().clock(),
            with_plan=request.form.get("with-plan") == "1",
        )  # fmt: skip
    except library.TooMany:
        text = _("There are %(most)s in your library already. Take one out first.", most=library.MOST)
        return instrument_page(cycle, there, errors=[("", text)]), 409
    return redirect(url_for(".library_page", told="kept"), 303)


def _state(cycle: Cycle, there: BuiltInstrument) -> str:
    if there.frozen_at:
        return _("Approved by all of you.")
    if there.approved_by:
        names = [name(each) for each in cycle.needed if each.membership_id in there.approved_by]
        me = cycle.me.membership_id in there.approved_by
        return (
            _("You approve it; the others have not said yet.") if me else _("Approved by %(name)s.", name=listed(names))
        )
    return _("Not approved yet.")
