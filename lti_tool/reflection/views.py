"""Pages of a reflection: writing it, submitting it, reading one's own versions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.completion.views import card_here
from lti_tool.cycles import fields, rules, words
from lti_tool.cycles import service as cycles
from lti_tool.cycles.fields import FieldView
from lti_tool.cycles.pages import page_frame, text_url
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.service import NotPossible
from lti_tool.cycles.views import open_cycle, receive_texts
from lti_tool.observation import show as observed
from lti_tool.pairing.views import must_be_open, teachers_activity
from lti_tool.privacy.looks import views as looks
from lti_tool.privacy.rules import Action, ReflectionFacts, may
from lti_tool.privacy.words import who_can_see_reflection
from lti_tool.protocols.recipe import Stage
from lti_tool.reflection import frames, service
from lti_tool.reflection.rules import has_changed
from lti_tool.reflection.year_views import beside
from lti_tool.reflection.years import PILLARS, PROGRAMME
from lti_tool.sharing.views import passages_of_partner
from lti_tool.web.context import actor, tool

blueprint = Blueprint("reflection", __name__)


@blueprint.post("/reflections")
def begin() -> Response:
    """Begins a reflection without a partner, the first or a further one."""
    with tool().database.write() as session:
        activity = teachers_activity(session, alone=True)
        must_be_open(activity)
        cycle_id = service.begin(
            session,
            membership_id=actor().membership_id,
            activity_id=activity.id,
            number=request.form.get("number", 1, type=int),
            now=tool().clock(),
        )
    return redirect(url_for(".show", cycle_id=cycle_id), 303)


@blueprint.get("/cycles/<cycle_id>/reflect")
def show(cycle_id: str) -> str:
    """One's own reflection: the draft, the button that submits it, the versions submitted before."""
    with tool().database.read() as session:
        return _page(session, open_cycle(session, cycle_id))


@blueprint.post("/cycles/<cycle_id>/reflect/save")
def save(cycle_id: str) -> Response | tuple[str, int]:
    """Saves all that was typed (without JavaScript)."""
    with tool().database.write() as session:
        cycle = _writable(session, cycle_id)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        cycle, unsaved, errors = receive_texts(session, keys, cycle, _every_frame(cycle))
    target = request.form.get("do", "")
    anchor = f"field-{target}" if cycle.protocol.field(target) else None
    return _answer(cycle, unsaved, errors, url_for(".show", cycle_id=cycle_id, _anchor=anchor))


@blueprint.post("/cycles/<cycle_id>/reflect/submit")
def submit(cycle_id: str) -> Response | tuple[str, int]:
    """Freezes what is there as a version, and tells the trainer that it was submitted, never what it says."""
    with tool().database.write() as session:
        cycle = _writable(session, cycle_id)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        cycle, unsaved, errors = receive_texts(session, keys, cycle, _every_frame(cycle))
        if not errors and request.form.get("in", cycle.frame) != cycle.frame:
            # On another page one has chosen another frame since: what would be submitted is not what stands here.
            errors = [("", _("You chose another frame meanwhile. Read what stands here now, then submit."))]
        if not errors:
            try:
                service.submit(session, keys, cycle, now=tool().clock())
            except NotPossible as error:
                errors = [(url, text) for text, url in (words.missing(cycle, lack) for lack in error.missing)]
    return _answer(cycle, unsaved, errors, url_for(".show", cycle_id=cycle_id, _anchor="versions"))


@blueprint.post("/cycles/<cycle_id>/reflect/frame")
def choose_frame(cycle_id: str) -> Response | tuple[str, int]:
    """Goes on under other headings. What was typed under these stays, and is there again on the way back."""
    chosen = request.form.get("frame", "")
    with tool().database.write() as session:
        cycle = _writable(session, cycle_id)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        cycle, unsaved, errors = receive_texts(session, keys, cycle, _every_frame(cycle))
        if not errors:
            try:
                service.choose_frame(session, cycle, chosen)
            except LookupError:
                abort(400)
    return _answer(cycle, unsaved, errors, url_for(".show", cycle_id=cycle_id, _anchor="text"))


@blueprint.get("/cycles/<cycle_id>/reflect/versions/<int:number>")
def version(cycle_id: str, number: int) -> str:
    """One of one's own submitted versions, as it was."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
        if not 0 < number < 10_000 or not may(
            actor(), Action.READ_REFLECTION, ReflectionFacts(cycle.facts, actor().person_id)
        ):
            abort(404)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        found = service.read_version(session, keys, cycle.id, actor().person_id, number)
        if found is None:
            abort(404)
    return render_template(
        "reflection/version.html",
        activity_title=cycle.activity_title,
        cycle=cycle,
        version=found,
        when=words.stamp(found.submitted_at),
        frame=words.into(found.frame.title) if found.frame else "",
        texts=[(key, words.into(label), text) for key, label, text in found.answers(cycle.with_left_out)],
        who=who_can_see_reflection(),
    )


def _page(
    session: Session, cycle: Cycle, unsaved: dict[str, str] | None = None, errors: Sequence[tuple[str, str]] = ()
) -> str:
    stage = cycle.reflection
    keys = tool().keyring.opened(session, cycle.id, tool().clock())
    shown_again = [field for key in stage.shows if (field := cycle.protocol.field(key))]
    again = {field.key for field in shown_again}
    for_oneself = {field.key for field in shown_again if field.seen == "author"}
    here = {field.key for field in stage.fields}
    elsewhere = [field for field in _every_frame(cycle).fields if field.key not in here]
    views = fields.read(session, keys, actor(), cycle, [*stage.fields, *elsewhere, *shown_again], said="author")
    looks.tell(keys.opened_authors, cycle.id, stage.key)
    own = {key: views[key] for key in views if key in here}
    submitted, last = service.versions(session, keys, cycle.id, actor().person_id)
    drafts = [(each.key, head.text) for each in own.values() for head in each.heads]
    view = cycles.view(cycle, tool().clock())
    missing = rules.missing_to_close(cycle, stage, cycle.me, tool().clock())
    looks_back = cycle.protocol.key == PROGRAMME
    return render_template(
        "reflection/reflect.html",
        **page_frame(cycle),
        stage=stage,
        view=view,
        title=words.into(stage.title),
        groups=_groups(stage, [replace(each, text=(unsaved or {}).get(key, each.text)) for key, each in own.items()]),
        beside=beside(session, cycle) if looks_back else [],
        is_of_pillars=cycle.protocol.key == PILLARS,
        frames=_frames(cycle, views),
        # A frame that was chosen on another page meanwhile must not swallow what could not be saved.
        unsaved=[
            (views[key].label, text)
            for key, text in (unsaved or {}).items()
            if key in views and not (key in here and views[key].editable)
        ],
        shown=[replace(views[key], editable=False, help="") for key in views if key in again - for_oneself],
        shown_own=[
            replace(views[key], editable=False, help="") for key in views if key in for_oneself and views[key].heads
        ],
        versions=[(each.version, words.stamp(each.submitted_at)) for each in reversed(submitted)],
        next_version=len(submitted) + 1,
        own_column=_own_column(session, cycle),
        shared=passages_of_partner(session, cycle),
        # Beside the years it would be one statement too many; it is on the page of the next step, too.
        completion=card_here(session) if submitted and not looks_back else None,
        is_new=has_changed(drafts, last.texts if last else None, last is not None and last.frame_key != cycle.frame),
        missing=[words.missing(cycle, lack) for lack in missing],
        can_submit=cycle.status != "stopped" or all(lack.code != "earlier_stage" for lack in missing),
        partner=words.partner_name(cycle),
        errors=errors,
        text_url=text_url,
        who=who_can_see_reflection(),
    )


def _own_column(session: Session, cycle: Cycle) -> tuple[str, ...]:
    """What one noted for one's own class in the visit. A host captures nothing, and it goes with the raw notes."""
    if cycle.me is cycle.host or cycle.notes_deleted_at is not None:
        return ()
    return observed.own_column(session, tool().keyring, cycle, tool().clock())


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """A frame as one can choose it, with what one wrote in it before."""

    key: str
    title: str
    summary: str
    source: str
    is_chosen: bool
    written: tuple[FieldView, ...]
    """What stands under those of its headings that are not on the page, to read."""


def _frames(cycle: Cycle, views: Mapping[str, FieldView]) -> list[FrameChoice]:
    """The protocol's own questions, and all frames; none at all where the questions are what it is about."""
    whole = cycle.with_left_out
    if not frames.fits(whole):
        return []
    offered = frames.frames()
    of_frames = {heading.key for frame in offered.values() for heading in frame.headings} - {frames.OWN_LEARNING}
    here = {field.key for field in cycle.reflection.fields}

    def choice(key: str, title: str, summary: str, source: str, fields: Iterable[str]) -> FrameChoice:
        shown = [views[each] for each in fields if each in views and each not in here]
        written = tuple(replace(each, editable=False, help="") for each in shown if any(h.text for h in each.heads))
        return FrameChoice(key, title, summary, source, key == cycle.frame, written)

    own = [field.key for field in whole.stages[-1].fields if field.key not in of_frames]
    return [
        choice("", _("The questions of this activity"), "", words.into(whole.source), own),
        *(
            choice(
                frame.key,
                words.into(frame.title),
                words.into(frame.summary),
                words.into(frame.source),
                [heading.key for heading in frame.headings],
            )
            for frame in offered.values()
        ),
    ]


def _groups(stage: Stage, own: Sequence[FieldView]) -> list[tuple[str, str, list[FieldView]]]:
    """(Heading, what is said below it, fields): first those that stand under no heading."""
    keys = {group.key for group in stage.groups}
    found = [("", "", [each for each in own if each.group not in keys])]
    found += [
        (words.into(group.title), words.into(group.text), [each for each in own if each.group == group.key])
        for group in stage.groups
    ]
    return [each for each in found if each[2]]


def _every_frame(cycle: Cycle) -> Stage:
    """The reflection with the headings of all frames: a page that is open in another one still saves."""
    return cycle.with_left_out.stages[-1]


def _writable(session: Session, cycle_id: str) -> Cycle:
    return open_cycle(session, cycle_id, lock=True)


def _answer(
    cycle: Cycle, unsaved: dict[str, str], errors: Sequence[tuple[str, str]], url: str
) -> Response | tuple[str, int]:
    if not errors:
        return redirect(url, 303)
    with tool().database.read() as session:
        return _page(session, open_cycle(session, cycle.id), unsaved, errors), 409
