"""What the pages share on which an instrument is built: who may, the page of an instrument, the page of its plan."""

from collections.abc import Iterable
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles.rules import Cycle, noted_visit
from lti_tool.cycles.views import open_cycle
from lti_tool.cycles.words import into, name, stage_url, stamp
from lti_tool.observation import build_words, building, layouts, library, words
from lti_tool.observation import instrument as instruments
from lti_tool.observation.build_forms import Draft, Errors, PlanDraft, code_label, intervals
from lti_tool.observation.building import BuiltInstrument, Changed
from lti_tool.observation.instrument import KINDS, MARKS, MOST_DEEP, MOST_WIDE, Plan, undecided
from lti_tool.observation.pictures import room
from lti_tool.observation.pictures.shapes import Canvas, Picture
from lti_tool.observation.reading import MAX_LABEL, MAX_NAME, MAX_TEXT
from lti_tool.observation.said import Said
from lti_tool.observation.shipped import shipped
from lti_tool.privacy.looks import service as looks
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, CourseFacts, OwnInstrumentFacts, may
from lti_tool.store.base import new_id
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed

Answer = str | Response | tuple[str, int]
_MOST_REVISION = 2**31 - 1


def open_to_build(session: Session, cycle_id: str, *, writes: bool = False) -> tuple[Cycle, bool]:
    """The cycle, locked if `writes`, and whether the pair goes as far as to note something at present."""
    cycle = open_cycle(session, cycle_id, lock=writes)
    action = Action.BUILD_INSTRUMENT if writes else Action.READ_INSTRUMENT
    if not may(actor(), action, cycle.facts) or noted_visit(cycle.all_stages) is None:
        abort(404)
    return cycle, noted_visit(cycle.stages) is not None


def find(session: Session, cycle: Cycle, instrument_id: str) -> BuiltInstrument:
    """The instrument of this id, or a 404."""
    there = next((each for each in built(session, cycle) if each.id == instrument_id), None)
    if there is None:
        abort(404)
    return there


def built(session: Session, cycle: Cycle) -> list[BuiltInstrument]:
    """The instruments of the cycle. That they were opened is told, also where the page then shows nothing of them."""
    found = building.of_cycle(session, tool().keyring, cycle, tool().clock())
    tell({author for each in found for author in each.authors}, cycle.id, looks.INSTRUMENT)
    return found


def released_here(session: Session) -> list[library.Released]:
    """What others released in the course; opening it is noted in their logs."""
    if not may(actor(), Action.USE_RELEASED, CourseFacts(actor().course_id)):
        return []
    me = actor()
    found = library.released(session, tool().keyring, me.course_id, me.person_id, tool().clock())
    tell({each.person_id for each in found}, None, looks.LIBRARY)
    return found


def with_plan(there: BuiltInstrument) -> BuiltInstrument:
    """The same, or a 404 where its kind has no plan."""
    if not KINDS[there.instrument.kind].plan:
        abort(404)
    return there


def shorter() -> Response:
    """Home, which says that they go less far by now."""
    return redirect(url_for("home.show", told="shorter"), 303)


def frame(cycle: Cycle) -> dict[str, Any]:
    """What is the same on each of these pages."""
    visit = noted_visit(cycle.stages)
    return {
        "activity_title": cycle.activity_title,
        "cycle": cycle,
        "who": build_words.who([name(each) for each in cycle.others]),
        "back": stage_url(cycle, visit) if visit else url_for("home.show"),
    }


def title_of(base: str) -> str:
    """Title of the shipped instrument that one began from."""
    found = shipped().get(base)
    return into(found.title) if found else ""


def revision() -> int:
    """Which one was on the page that was sent; 0 for none."""
    found = request.form.get("revision", 0, type=int)
    return found if 0 < found < _MOST_REVISION else 0


def too_many() -> str:
    """Why no other one is begun."""
    return _("There are %(most)s in this cycle already. Remove one that is not approved, or use one of these.",
             most=building.MOST)  # fmt: skip


def instrument_page(
    cycle: Cycle, there: BuiltInstrument, draft: Draft | None = None, *, errors: Errors | None = None,
    theirs: Iterable[tuple[str, list[str]]] = (), too_late: bool = False, revision: int | None = None,
) -> str:  # fmt: skip
    """An instrument, with what was typed (`draft`), or as it is; `theirs`: what somebody else saved meanwhile."""
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
        **frame(cycle),
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


def changed_page(cycle: Cycle, error: Changed) -> str:
    """The page with what was typed beside what somebody else saved meanwhile."""
    there = error.now
    typed = Draft.of(instruments.read(error.merged))
    theirs = [(title, lines) for part, title, lines in build_words.described(there.instrument) if part in error.parts]
    text = _(
        "%(name)s has saved %(parts)s meanwhile. What you typed is still in the boxes: save again to use it instead.",
        name=who_changed(error),
        parts=listed([build_words.part(each) for each in error.parts]),
    )
    return instrument_page(cycle, there, typed, errors=[("", text)], theirs=theirs)


def who_changed(error: Changed) -> str:
    """Who changed the same, not whoever changed something else after that."""
    history = error.now.history
    last = next((each for each in reversed(history) if set(each.parts) & set(error.parts)), history[-1])
    return _("You, on another page,") if last.person_id == actor().person_id else last.name or _("your partner")


def _all_did(cycle: Cycle, there: BuiltInstrument) -> bool:
    """Whether somebody for whom it waited left, so that one more tap freezes it."""
    return {each.membership_id for each in cycle.needed} <= there.approved_by


def _told() -> str:
    return {
        "saved": _("It is saved."),
        "plan": _("The plan is saved."),
        "approved": _("You approve it."),
    }.get(request.args.get("told", ""), "")


def plan_page(
    cycle: Cycle, there: BuiltInstrument, draft: PlanDraft, *, errors: Errors | None = None, too_late: bool = False,
    both: bool = False, laid_out: bool = False,
) -> str:  # fmt: skip
    """The plan of an instrument, with what was typed; `both`: beside what somebody else saved meanwhile."""
    made = there.instrument
    all_errors = [*(errors or []), *draft.errors]
    if too_late:
        late = _("All of you approved it meanwhile, so it stays as it is. What you drew can become a copy.")
        all_errors.insert(0, ("", late))
    return render_template(
        "observation/plan.html",
        **frame(cycle),
        there=there,
        made=made,
        draft=draft,
        needs_seats=KINDS[made.kind].plan == "seats",
        # What was on the page that was sent, unless the other's plan is on this one too.
        revision=there.revision if both or "revision" not in request.form else revision(),
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
