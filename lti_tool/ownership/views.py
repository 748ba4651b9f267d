"""Pages of what is one's own: what is kept, taking it away, deleting it, and how long notes of a visit live."""

from collections.abc import Sequence

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.cycles import service as cycles
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.rules import NOTES_DAYS, Cycle
from lti_tool.cycles.views import open_cycle
from lti_tool.ownership import erasure, service, words
from lti_tool.ownership.rules import BUILT, CAPTURED, PLACES, REFLECTION
from lti_tool.ownership.service import InCycle
from lti_tool.privacy.looks.service import TAKEN
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, ReflectionFacts, may
from lti_tool.privacy.words import who_can_see_cycle
from lti_tool.web.context import actor, tool

blueprint = Blueprint("ownership", __name__)


@blueprint.get("/mine")
def mine() -> str:
    """What the tool keeps of whoever is signed in, in words and numbers."""
    _may_take()
    with tool().database.read() as session:
        kept = service.count(session, actor().person_id)
        lines = service.cycles_here(session, actor().membership_id, actor().person_id, actor().activity_id or "")
        beside = service.count_beside_cycles(session, actor().person_id, actor().activity_id or "")
    return render_template(
        "ownership/mine.html",
        kept=kept,
        lines=lines,
        beside=beside,
        words=cycle_words,
        is_deleted=request.args.get("deleted") == "1",
    )


@blueprint.get("/mine/mine.html")
def take_html() -> Response:
    """All of it as one page to keep."""
    return _attachment(words.as_html(_taken()), "meitheal.html", "text/html")


@blueprint.get("/mine/mine.json")
def take_json() -> Response:
    """All of it for other programs."""
    return _attachment(words.as_json(_taken()), "meitheal.json", "application/json")


def _taken() -> dict[str, object]:
    _may_take()

    def shown(author_id: str, cycle_id: str) -> None:
        tell([author_id], cycle_id, TAKEN)

    with tool().database.read() as session:
        return service.collect(session, tool().keyring, actor().person_id, cycle_words.into, shown, tool().clock())


def _attachment(body: str, name: str, kind: str) -> Response:
    # The name says nothing of whose it is: it stands in lists of downloads that others may see.
    return Response(
        body,
        content_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _may_take() -> None:
    if not may(actor(), Action.TAKE_MINE, actor().person_id):
        abort(404)


# Deleting


@blueprint.get("/mine/cycles/<cycle_id>")
def in_cycle(cycle_id: str) -> str:
    """What one wrote in a cycle, and what of it can be deleted."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
        here = service.in_cycle(session, cycle)
    return _cycle_page(cycle, here)


@blueprint.post("/mine/cycles/<cycle_id>")
def delete_in_cycle(cycle_id: str) -> AnyResponse | str | tuple[str, int]:
    """Deletes what was ticked: asked first, done when it is sent again with `sure`."""
    wanted = request.form.getlist("what")
    with tool().database.write() as session:
        cycle = open_cycle(session, cycle_id, lock=True)
        here = service.in_cycle(session, cycle)
        offered = dict(_offered(cycle, here))
        chosen = [key for key in offered if key in wanted]
        if not chosen:
            return _cycle_page(cycle, here, [("what", _("Tick what you would like to delete."))]), 400
        if request.form.get("sure") != "1":
            return _cycle_page(cycle, here, chosen=[(key, offered[key]) for key in chosen])
        _delete(session, cycle, chosen)
    tool().database.forget_deleted()
    return redirect(url_for(".mine", deleted="1"), 303)


@blueprint.get("/mine/everything")
def everything() -> str:
    """What deleting all of one's words in this activity means."""
    _may_take()
    with tool().database.read() as session:
        lines = service.cycles_here(session, actor().membership_id, actor().person_id, actor().activity_id or "")
        beside = service.count_beside_cycles(session, actor().person_id, actor().activity_id or "")
    return render_template("ownership/everything.html", lines=lines, beside=beside, words=cycle_words)


@blueprint.post("/mine/everything")
def delete_everything() -> AnyResponse:
    """Deletes all of one's words in this activity that are not written together; each cycle by itself."""
    _may_take()
    if request.form.get("sure") != "1":
        return redirect(url_for(".everything"), 303)
    with tool().database.read() as session:
        listed = cycles.list_of(session, actor().membership_id, actor().activity_id or "")
    for each in listed:
        with tool().database.write() as session:
            cycle = open_cycle(session, each.id, lock=True)
            _delete(session, cycle, [key for key, _label in _offered(cycle, service.in_cycle(session, cycle))])
    with tool().database.write() as session:
        erasure.delete_beside_cycles(
            session, tool().keyring, actor().person_id, actor().activity_id or "", tool().clock()
        )
    tool().database.forget_deleted()
    return redirect(url_for(".mine", deleted="1"), 303)


def _offered(cycle: Cycle, here: InCycle) -> list[tuple[str, str]]:
    """(Key, what it is) of all that the rules let the signed-in person delete in a cycle."""
    found = [
        (part.field.key, cycle_words.into(part.field.label))
        for part in here.parts
        if may(actor(), Action.DELETE_WORDS, part.facts)
    ]
    if here.has_reflection and may(actor(), Action.READ_REFLECTION, ReflectionFacts(cycle.facts, actor().person_id)):
        found.append(
            (
                REFLECTION,
                ngettext(
                    "Your reflection: the draft, the %(num)d version that you submitted, and what you share of it",
                    "Your reflection: the draft, the %(num)d versions that you submitted, and what you share of it",
                    here.versions,
                ),
            )
        )
    if here.captured:
        found.append(
            (
                CAPTURED,
                ngettext(
                    "What you captured in the visit: %(num)d entry",
                    "What you captured in the visit: %(num)d entries",
                    here.captured,
                ),
            )
        )
    if here.built:
        found.append((BUILT, _("What you began to build to look with, which nobody else wrote in or approved")))
    if here.places:
        found.append((PLACES, _("The places of meetings that you typed")))
    return found


def _delete(session: Session, cycle: Cycle, chosen: Sequence[str]) -> None:
    others = [key for key in chosen if key in (REFLECTION, PLACES, CAPTURED, BUILT)]
    fields = [key for key in chosen if key not in others]
    erasure.delete_words(session, tool().keyring, cycle, fields, others, now=tool().clock())


def _cycle_page(
    cycle: Cycle,
    here: InCycle,
    errors: Sequence[tuple[str, str]] = (),
    chosen: Sequence[tuple[str, str]] = (),
) -> str:
    name = cycle_words.partner_name(cycle)
    return render_template(
        "ownership/sure.html" if chosen else "ownership/cycle.html",
        activity_title=cycle.activity_title,
        cycle=cycle,
        partner=name,
        errors=errors,
        chosen=chosen,
        offered=_offered(cycle, here),
        together=[cycle_words.into(part.field.label) for part in here.parts if part.facts.is_together],
        read_by_partner={part.field.key for part in here.parts if part.partner_reads},
        happens=words.what_happens(cycle, name, here),
    )


# How long notes of a visit live


@blueprint.get("/cycles/<cycle_id>/notes-kept")
def notes_kept(cycle_id: str) -> str:
    """How long the coach's notes live, for the host to say."""
    with tool().database.read() as session:
        return _notes_page(_cycle_with_notes(open_cycle(session, cycle_id)))


@blueprint.post("/cycles/<cycle_id>/notes-kept")
def keep_notes(cycle_id: str) -> AnyResponse | tuple[str, int]:
    """Keeps how long: so many days after the conversation after, or as long as the cycle."""
    typed, choice = request.form.get("days", "").strip(), request.form.get("how", "")
    with tool().database.write() as session:
        cycle = _cycle_with_notes(open_cycle(session, cycle_id, lock=True))
        if choice not in ("days", "cycle"):
            abort(400)
        days = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 3 else 0
        if choice == "days" and days not in NOTES_DAYS:
            return _notes_page(cycle, typed, [("days", _("Give a number of days from 7 to 365."))]), 400
        cycles.keep_notes(session, cycle, days if choice == "days" else None)
    return redirect(url_for("cycles.stage", cycle_id=cycle.id, stage_key=_stage_with_notes(cycle)), 303)


def _cycle_with_notes(cycle: Cycle) -> Cycle:
    if not cycle.protocol.raw_fields or not may(actor(), Action.KEEP_NOTES, cycle.facts):
        abort(404)
    return cycle


def _stage_with_notes(cycle: Cycle) -> str:
    return next(stage.key for stage in cycle.stages if any(field.raw for field in stage.fields))


def _notes_page(cycle: Cycle, typed: str | None = None, errors: Sequence[tuple[str, str]] = ()) -> str:
    return render_template(
        "ownership/notes.html",
        activity_title=cycle.activity_title,
        cycle=cycle,
        partner=cycle_words.partner_name(cycle),
        when=cycle_words.when_notes_go(cycle),
        days=typed if typed is not None else str(cycle.notes_days or 30),
        is_days=typed is not None or cycle.notes_days is not None,
        errors=errors,
        back=url_for("cycles.stage", cycle_id=cycle.id, stage_key=_stage_with_notes(cycle)),
        who=who_can_see_cycle([cycle_words.name(each) for each in cycle.others]),
    )
