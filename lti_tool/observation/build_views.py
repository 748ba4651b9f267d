"""Pages on which the members of a cycle build what they look with: choose, change, approve; the plan of the room.

Every button of a page sends all of it: what was typed is saved first, whatever the button is for.
"""

from collections.abc import Iterable
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles.rules import Cycle, noted_visit
from lti_tool.cycles.views import is_id, open_cycle
from lti_tool.cycles.words import into, language, name, stage_url, stamp
from lti_tool.observation import build_words, building, layouts, library, words
from lti_tool.observation import instrument as instruments
from lti_tool.observation.build_forms import Draft, Errors, PlanDraft, code_label, intervals
from lti_tool.observation.building import BuiltInstrument
from lti_tool.observation.examples import MINUTES, example
from lti_tool.observation.instrument import KINDS, MARKS, MOST_DEEP, MOST_WIDE, Instrument, Mark, Plan, undecided
from lti_tool.observation.pictures import draw, room
from lti_tool.observation.pictures.shapes import Canvas, Picture
from lti_tool.observation.reading import MAX_LABEL, MAX_NAME, MAX_TEXT
from lti_tool.observation.said import RefusedError, Said
from lti_tool.observation.shipped import Base, shipped
from lti_tool.observation.views_base import blueprint
from lti_tool.privacy.looks import service as looks
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, CourseFacts, OwnInstrumentFacts, may
from lti_tool.store.base import new_id
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed

Answer = str | Response | tuple[str, int]
NEW_PLAN = Plan(8, 8, marks=(Mark("board", 3, 0),))
_MOST_REVISION = 2**31 - 1


# Choosing one


@blueprint.get("/cycles/<cycle_id>/visit-instrument")
def instruments_of_cycle(cycle_id: str) -> Answer:
    """The instruments that there are, and what one can be begun from; `base`: one of these, closer."""
    with tool().database.read() as session:
        cycle, is_here = _open(session, cycle_id)
        if not is_here:
            return _shorter()
        if base := shipped().get(request.args.get("base", "")):
            return _example_page(cycle, base)
        return _choose_page(session, cycle)


@blueprint.post("/cycles/<cycle_id>/visit-instrument")
def begin_instrument(cycle_id: str) -> Answer:
    """Begins one: from one that ships, from one's own library, or from one that was released in the course."""
    with tool().database.write() as session:
        cycle, is_here = _open(session, cycle_id, writes=True)
        if not is_here:
            return _shorter()
        wanted = _source(session, request.form.get("from", ""))
        if wanted is None:
            return _choose_page(session, cycle, _("It is not there any more. Choose another one.")), 409
        try:
            begun = building.begin(session, tool().keyring, cycle, wanted, tool().clock())
        except building.TooMany:
            return _choose_page(session, cycle, _too_many()), 409
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


def released_here(session: Session) -> list[library.Released]:
    """What others released in the course; opening it is noted in their logs."""
    if not may(actor(), Action.USE_RELEASED, CourseFacts(actor().course_id)):
        return []
    me = actor()
    found = library.released(session, tool().keyring, me.course_id, me.person_id, tool().clock())
    tell({each.person_id for each in found}, None, looks.LIBRARY)
    return found


def _choose_page(session: Session, cycle: Cycle, error: str = "") -> str:
    there = _built(session, cycle)
    used = building.in_use(there)
    grouped = [(build_words.group(key), [shipped()[each] for each in keys]) for key, keys in build_words.GROUPS]
    return render_template(
        "observation/choose.html",
        **_frame(cycle),
        errors=[("", error)] if error else [],
        there=[(each, _state(cycle, each), each is used) for each in reversed(there)],
        may_begin=may(actor(), Action.BUILD_INSTRUMENT, cycle.facts) and len(there) < building.MOST,
        too_many=_too_many() if len(there) >= building.MOST else "",
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
        **_frame(cycle),
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
        cycle, is_here = _open(session, cycle_id)
        if not is_here:
            return _shorter()
        return _page(cycle, _find(session, cycle, instrument_id))


@blueprint.post("/cycles/<cycle_id>/visit-instrument/<instrument_id>")
def save_instrument(cycle_id: str, instrument_id: str) -> Answer:
    """Saves what was typed, and then does what the button is for: approve, plan, keep, remove."""
    what = request.form.get("do", "")
    with tool().database.write() as session:
        # What was built stays to be kept, also after the cycle has ended.
        cycle, is_here = _open(session, cycle_id, writes=what != "keep" or "name" in request.form)
        there = _find(session, cycle, instrument_id)
        draft = Draft.typed(request.form)
        if "name" in request.form:
            try:
                saved = _save(session, cycle, there, draft.parts(there.instrument))
            except RefusedError as error:
                return _page(cycle, there, draft.refuse(error), revision=_revision()), 400
            except building.Changed as error:
                return _changed(cycle, error), 409
            except building.Frozen:
                return _page(cycle, there, draft, too_late=True), 409
        else:
            saved = there
        is_new = saved.revision != there.revision
        if not is_here:
            return _shorter()
        if what == "remove":
            return _remove(session, cycle, saved)
        if what == "keep":
            return _keep(session, cycle, saved)
        if what == "approve":
            if _revision() + is_new != saved.revision:
                text = _("It has changed since you opened this page. Read it, and approve it then.")
                return _page(cycle, saved, errors=[("", text)]), 409
            try:
                building.approve(session, tool().keyring, cycle, saved.id, saved.revision, tool().clock())
            except building.Unfinished as error:
                return _page(cycle, saved, errors=[("", words.say(each)) for each in error.said]), 409
    if what == "plan":
        return redirect(url_for(".plan", cycle_id=cycle_id, instrument_id=instrument_id), 303)
    told = "approved" if what == "approve" else "saved"
    return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=instrument_id, told=told), 303)


@blueprint.post("/cycles/<cycle_id>/visit-instrument/<instrument_id>/copy")
def copy_instrument(cycle_id: str, instrument_id: str) -> Answer:
    """Begins another one from one that is frozen, with what was typed."""
    with tool().database.write() as session:
        cycle, is_here = _open(session, cycle_id, writes=True)
        if not is_here:
            return _shorter()
        there = _find(session, cycle, instrument_id)
        draft, plan = Draft.typed(request.form), PlanDraft.typed(request.form)
        parts = draft.parts(there.instrument) if "name" in request.form else {}
        if "width" in request.form:
            parts = {"plan": plan.plain()}
            if plan.errors:
                return _plan_page(cycle, there, plan, too_late=True), 400
        try:
            wanted = instruments.read(there.instrument.to_json() | parts)
            begun = building.begin(session, tool().keyring, cycle, wanted, tool().clock())
        except RefusedError as error:
            if "width" in request.form:
                return _plan_page(cycle, there, plan.refuse(error), too_late=True), 400
            return _page(cycle, there, draft.refuse(error), too_late=True), 400
        except building.TooMany:
            if "width" in request.form:
                return _plan_page(cycle, there, plan, errors=[("", _too_many())], too_late=True), 409
            typed = draft if parts else None
            return _page(cycle, there, typed, errors=[("", _too_many())], too_late=bool(parts)), 409
    return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=begun), 303)


def _save(session: Session, cycle: Cycle, there: BuiltInstrument, parts: dict[str, Any]) -> BuiltInstrument:
    return building.save(session, tool().keyring, cycle, there.id, parts, _revision(), tool().clock())


def _remove(session: Session, cycle: Cycle, there: BuiltInstrument) -> Answer:
    if there.frozen_at or request.form.get("sure") != "1":
        return _page(cycle, there, errors=[("sure", _("Tick that it is to go, then remove it."))]), 409
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
        return _page(cycle, there, errors=[("", text)]), 409
    return redirect(url_for(".library_page", told="kept"), 303)


def _changed(cycle: Cycle, error: building.Changed) -> str:
    """The page with what was typed beside what somebody else saved meanwhile."""
    there = error.now
    # Who changed the same, not whoever changed something else after that.
    last = next((each for each in reversed(there.history) if set(each.parts) & set(error.parts)), there.history[-1])
    typed = Draft.of(instruments.read(error.merged))
    theirs = [(title, lines) for part, title, lines in build_words.described(there.instrument) if part in error.parts]
    text = _(
        "%(name)s has saved %(parts)s meanwhile. What you typed is still in the boxes: save again to use it instead.",
        name=_("You, on another page,") if last.person_id == actor().person_id else last.name or _("your partner"),
        parts=listed([build_words.part(each) for each in error.parts]),
    )
    return _page(cycle, there, typed, errors=[("", text)], theirs=theirs)


def _page(
    cycle: Cycle, there: BuiltInstrument, draft: Draft | None = None, *, errors: Errors | None = None,
    theirs: Iterable[tuple[str, list[str]]] = (), too_late: bool = False, revision: int | None = None,
) -> str:  # fmt: skip
    made, me = there.instrument, cycle.me.membership_id
    kind = KINDS[made.kind]
    is_open = may(actor(), Action.BUILD_INSTRUMENT, cycle.facts) and not there.frozen_at
    draft = (draft or Draft.of(made)).with_blanks(made)
    all_errors = [*(errors or []), *draft.errors]
    if too_late:
        late = _("All of you approved it meanwhile, so it stays as it is. What you typed can become a copy.")
        all_errors.insert(0, ("", late))
    return render_template(
        "observation/instrument.html",
        **_frame(cycle),
        there=there,
        made=made,
        kind=kind,
        base=shipped().get(there.base),
        into=into,
        say=words.say,
        has_form=is_open or too_late,
        too_late=too_late,
        revision=there.revision if revision is None else revision,
        draft=draft,
        codes=[
            (key, text, code_label(made, i, key), key in kind.always)
            for i, (key, text) in enumerate(draft.codes)
            if not kind.keeps_words
        ],
        rows_title=build_words.rows(made.kind),
        intervals=intervals(made, draft.interval_s),
        options=[(each, build_words.option(each), each in draft.options) for each in kind.options],
        limits={"name": MAX_NAME, "code": MAX_LABEL, "text": MAX_TEXT},
        described=build_words.described(made),
        picture=plan_picture(made.plan, made.name) if made.plan else None,
        theirs=list(theirs),
        errors=all_errors,
        lacking=[words.say(each) for each in undecided(made)],
        approvals=[
            (name(each), each.membership_id in there.approved_by, each.membership_id == me) for each in cycle.needed
        ],
        may_approve=is_open and (me not in there.approved_by or _all_did(cycle, there)),
        has_approved=me in there.approved_by,
        may_keep=may(actor(), Action.KEEP_INSTRUMENT, OwnInstrumentFacts(actor().person_id, is_new=True)),
        may_copy=may(actor(), Action.BUILD_INSTRUMENT, cycle.facts) and there.frozen_at is not None,
        named=library.names_in(made),
        ticket=new_id(),
        frozen=stamp(there.frozen_at) if there.frozen_at else "",
        history=[
            (build_words.change(each, is_first=not i and there.revision == len(there.history),
                                is_me=each.person_id == actor().person_id), build_words.stamp(each))
            for i, each in enumerate(there.history)
        ][::-1],
        message=_told(),
    )  # fmt: skip


# The plan of the room


@blueprint.get("/cycles/<cycle_id>/visit-instrument/<instrument_id>/plan")
def plan(cycle_id: str, instrument_id: str) -> Answer:
    """The plan of the room, to draw."""
    with tool().database.read() as session:
        cycle, is_here = _open(session, cycle_id)
        if not is_here:
            return _shorter()
        there = _with_plan(_find(session, cycle, instrument_id))
        if there.frozen_at or not may(actor(), Action.BUILD_INSTRUMENT, cycle.facts):
            return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=instrument_id), 303)
        return _plan_page(cycle, there, PlanDraft.of(there.instrument.plan or NEW_PLAN))


@blueprint.post("/cycles/<cycle_id>/visit-instrument/<instrument_id>/plan")
def save_plan(cycle_id: str, instrument_id: str) -> Answer:
    """Saves the plan, or lays seats out on the page for it."""
    with tool().database.write() as session:
        cycle, is_here = _open(session, cycle_id, writes=True)
        there = _with_plan(_find(session, cycle, instrument_id))
        typed = PlanDraft.typed(request.form)
        if request.form.get("do") == "lay-out":
            return _lay_out(cycle, there, typed)
        plain = typed.plain()
        if plain is None:
            return _plan_page(cycle, there, typed), 400
        try:
            _save(session, cycle, there, {"plan": plain})
        except RefusedError as error:
            return _plan_page(cycle, there, typed.refuse(error)), 400
        except building.Frozen:
            return _plan_page(cycle, there, typed, too_late=True), 409
        except building.Changed as error:
            last = error.now.history[-1]
            who = _("You, on another page,") if last.person_id == actor().person_id else last.name
            text = _(
                "%(name)s has saved another plan meanwhile. Yours is still here: save it again to use it instead.",
                name=who or _("your partner"),
            )
            return _plan_page(cycle, error.now, typed, errors=[("", text)], both=True), 409
        if not is_here:
            return _shorter()
    return redirect(url_for(".instrument", cycle_id=cycle_id, instrument_id=instrument_id, told="plan"), 303)


def _lay_out(cycle: Cycle, there: BuiltInstrument, typed: PlanDraft) -> Answer:
    layout = request.form.get("layout", "")
    numbers = [request.form.get(part, "") for part in ("rows", "across")]
    if layout not in layouts.LAYOUTS or not all(
        each.isascii() and each.isdigit() and len(each) < 3 for each in numbers
    ):
        text = _("Choose how the seats are put, and give two numbers.")
        return _plan_page(cycle, there, typed, errors=[("layout", text)]), 400
    found = layouts.laid_out(layout, int(numbers[0]), int(numbers[1]))
    if found is None:
        text = _("These are too many for a plan, which has room for 40 seats. Take fewer, or another way.")
        return _plan_page(cycle, there, typed, errors=[("layout", text)]), 400
    return _plan_page(cycle, there, PlanDraft.of(found), laid_out=True)


def _plan_page(
    cycle: Cycle, there: BuiltInstrument, draft: PlanDraft, *, errors: Errors | None = None, too_late: bool = False,
    both: bool = False, laid_out: bool = False,
) -> str:  # fmt: skip
    made = there.instrument
    all_errors = [*(errors or []), *draft.errors]
    if too_late:
        late = _("All of you approved it meanwhile, so it stays as it is. What you drew can become a copy.")
        all_errors.insert(0, ("", late))
    return render_template(
        "observation/plan.html",
        **_frame(cycle),
        there=there,
        made=made,
        draft=draft,
        needs_seats=KINDS[made.kind].plan == "seats",
        # What was on the page that was sent, unless the other's plan is on this one too.
        revision=there.revision if both or "revision" not in request.form else _revision(),
        too_late=too_late,
        laid_out=laid_out,
        theirs=plan_picture(made.plan, made.name) if both and made.plan else None,
        say=words.say,
        errors=all_errors,
        layouts=[(each, build_words.layout(each)) for each in layouts.LAYOUTS],
        layout=request.form.get("layout", "pairs" if KINDS[made.kind].plan == "seats" else "room"),
        rows=request.form.get("rows", "4"),
        across=request.form.get("across", "6"),
        marks=[(each, words.SENTENCES[each]({})) for each in MARKS],
        most=(MOST_WIDE, MOST_DEEP),
    )


def plan_picture(plan: Plan, title: str) -> Picture:
    """A plan alone, drawn; and each seat in a table."""
    canvas = Canvas()
    where = room.place(canvas, plan, named=True)
    room.floor(canvas, where)
    room.tables(canvas, where)
    shown = Said("seats_of_plan", {"count": len(plan.seats)})
    return Picture(title, (shown,), tuple(canvas.shapes), canvas.y)


# What these pages share


def title_of(base: str) -> str:
    """Title of the shipped instrument that one began from."""
    found = shipped().get(base)
    return into(found.title) if found else ""


def _open(session: Session, cycle_id: str, *, writes: bool = False) -> tuple[Cycle, bool]:
    """The cycle, locked if `writes`, and whether the pair goes as far as to note something at present."""
    cycle = open_cycle(session, cycle_id, lock=writes)
    action = Action.BUILD_INSTRUMENT if writes else Action.READ_INSTRUMENT
    if not may(actor(), action, cycle.facts) or noted_visit(cycle.all_stages) is None:
        abort(404)
    return cycle, noted_visit(cycle.stages) is not None


def _find(session: Session, cycle: Cycle, instrument_id: str) -> BuiltInstrument:
    there = next((each for each in _built(session, cycle) if each.id == instrument_id), None)
    if there is None:
        abort(404)
    return there


def _built(session: Session, cycle: Cycle) -> list[BuiltInstrument]:
    """The instruments of the cycle. That they were opened is told, also where the page then shows nothing of them."""
    found = building.of_cycle(session, tool().keyring, cycle, tool().clock())
    tell({author for each in found for author in each.authors}, cycle.id, looks.INSTRUMENT)
    return found


def _with_plan(there: BuiltInstrument) -> BuiltInstrument:
    if not KINDS[there.instrument.kind].plan:
        abort(404)
    return there


def _shorter() -> Response:
    return redirect(url_for("home.show", told="shorter"), 303)


def _frame(cycle: Cycle) -> dict[str, Any]:
    visit = noted_visit(cycle.stages)
    return {
        "activity_title": cycle.activity_title,
        "cycle": cycle,
        "who": build_words.who([name(each) for each in cycle.others]),
        "back": stage_url(cycle, visit) if visit else url_for("home.show"),
    }


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


def _all_did(cycle: Cycle, there: BuiltInstrument) -> bool:
    """Whether somebody for whom it waited left, so that one more tap freezes it."""
    return {each.membership_id for each in cycle.needed} <= there.approved_by


def _revision() -> int:
    found = request.form.get("revision", 0, type=int)
    return found if 0 < found < _MOST_REVISION else 0


def _too_many() -> str:
    return _("There are %(most)s in this cycle already. Remove one that is not approved, or use one of these.",
             most=building.MOST)  # fmt: skip


def _told() -> str:
    return {
        "saved": _("It is saved."),
        "plan": _("The plan is saved."),
        "approved": _("You approve it."),
    }.get(request.args.get("told", ""), "")
