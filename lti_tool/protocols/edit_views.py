"""Making a protocol of the course's own, changing its draft, and giving versions out: for trainers.

Each form holds a whole part of the draft and says what it was when the page was made. Where another trainer changed
that part meanwhile, nothing is overwritten: the page comes back as it was typed, and can be kept on purpose.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles.conversation_words import kind
from lti_tool.cycles.words import into
from lti_tool.privacy.rules import Action, ProtocolFacts, may
from lti_tool.protocols import bank, editing, files, forms, pages, reader, service, words
from lti_tool.protocols.difference import difference
from lti_tool.protocols.editing import Body, Trouble
from lti_tool.protocols.reader import ProtocolError
from lti_tool.protocols.rules import MAX_NOTE, MAX_OWN, fingerprint
from lti_tool.protocols.service import NoMoreVersions, NothingNew, OwnView, TooMany
from lti_tool.protocols.views import compare_page, find, find_version, is_readable, library_page, message
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("protocol_editing", __name__)
Answer = str | Response | tuple[str, int]


# Making one


@blueprint.post("/protocols/<protocol_key>/own")
def make_own(protocol_key: str) -> Response:
    """Copies a protocol into the course's own."""
    with tool().database.write() as session:
        _require_making()
        number = request.form.get("version", type=int)
        protocol, _own = find(session, protocol_key) if number is None else find_version(session, protocol_key, number)
        try:
            key = service.copy(session, actor().course_id, protocol, tool().clock())
        except TooMany:
            raise _too_many() from None
    return redirect(url_for(".edit", protocol_key=key, told="copied"), 303)


@blueprint.post("/protocols/bring")
def bring() -> Answer:
    """Takes a protocol in from a file, as a draft."""
    _require_making()
    errors = []
    try:
        body = files.from_file(_brought(), _("Your file"))
        if found := editing.check(body):
            errors = [("file", text) for _target, text in forms.listed(found, body, "")]
    except ProtocolError as error:
        errors = [("file", line[:300]) for line in str(error).splitlines()[:_SHOWN]]
    with tool().database.write() as session:
        if not errors:
            try:
                key = service.take_in(session, actor().course_id, body, "", tool().clock())
            except TooMany:
                raise _too_many() from None
            return redirect(url_for(".edit", protocol_key=key, told="brought"), 303)
        own = [each for each in service.own_of(session, actor().course_id) if is_readable(each)]
        return library_page(own, service.followed_by(session, actor().course_id), errors), 400


def _brought() -> bytes:
    brought = request.files.get("file")
    if brought is None:
        return b""
    with brought.stream as content:
        return content.read(files.MAX_FILE + 1)


_SHOWN = 20
"""Problems of a file that are said at once."""


def _require_making() -> None:
    if not may(actor(), Action.EDIT_PROTOCOL, ProtocolFacts(actor().course_id)):
        abort(404)


def _too_many() -> PageError:
    return PageError(
        409,
        _("The course has many protocols by now"),
        _("There can be %(most)s protocols of its own in a course, archived ones among them.", most=MAX_OWN),
        _("Change one that you have."),
        reason="too many protocols",
    )


# The head of a draft


@blueprint.get("/protocols/<protocol_key>/edit")
def edit(protocol_key: str) -> str:
    """The draft: its name, its stages, and the way to give it out."""
    with tool().database.read() as session:
        own = _mine(session, protocol_key)
    return _head_page(own, dict(own.body), told=request.args.get("told", ""))


@blueprint.post("/protocols/<protocol_key>/edit")
def save_head(protocol_key: str) -> Answer:
    """Keeps the head of a draft, and moves or removes a stage if that was asked for."""
    with tool().database.write() as session:
        own = _mine(session, protocol_key, lock=True)
        was = dict(own.body)
        typed = editing.read_head(was, request.form)
        if _is_overtaken(editing.head(was), editing.head(typed)):
            return _head_page(own, typed, overtaken=True), 409
        if found := editing.check(typed):
            return _head_page(own, typed, found), 400
        do = request.form.get("do", "")
        done = editing.move_stage(typed, do)
        if found := editing.check(done):
            return _head_page(own, typed, found), 400
        service.save(session, own, done, tool().clock())
    return redirect(url_for(".edit", protocol_key=own.key, told="saved", _anchor="stages" if do else None), 303)


def _head_page(
    own: OwnView, body: Body, found: list[Trouble] | None = None, *, overtaken: bool = False, told: str = ""
) -> str:
    return render_template(
        "protocols/edit.html",
        own=own,
        body=body,
        was=fingerprint(editing.head(dict(own.body))),
        errors=forms.listed(found or [], body, ""),
        errors_at=forms.placed(found or [], ""),
        overtaken=overtaken,
        mine=_mine_in_words(own, body) if overtaken else [],
        is_fixed=editing.is_fixed,
        say=forms.say,
        same_in_both=editing.same_in_both(body),
        forms_of_learning=forms.forms_of_learning(),
        message=_message(told),
    )


# A stage of a draft


@blueprint.get("/protocols/<protocol_key>/edit/<stage_key>")
def edit_stage(protocol_key: str, stage_key: str) -> str:
    """One stage of the draft."""
    with tool().database.read() as session:
        own = _mine(session, protocol_key)
    if _stage(own.body, stage_key) is None:
        abort(404)
    return _stage_page(own, dict(own.body), stage_key, told=request.args.get("told", ""))


@blueprint.post("/protocols/<protocol_key>/edit/<stage_key>")
def save_stage(protocol_key: str, stage_key: str) -> Answer:
    """Keeps a stage of a draft, and moves or removes a row of it if that was asked for."""
    do = request.form.get("do", "")
    with tool().database.write() as session:
        own = _mine(session, protocol_key, lock=True)
        was = dict(own.body)
        if _stage(was, stage_key) is None:
            raise _stage_gone()
        typed = editing.read_stage(was, stage_key, request.form)
        if _is_overtaken(_stage(was, stage_key), _stage(typed, stage_key)):
            return _stage_page(own, typed, stage_key, overtaken=True), 409
        if found := editing.check(typed):
            return _stage_page(own, typed, stage_key, found), 400
        done = editing.arrange(typed, stage_key, do)
        if found := editing.check(done):
            return _stage_page(own, typed, stage_key, found), 400
        service.save(session, own, done, tool().clock())
    if do == "bank" or do.startswith("bank "):
        to = do.partition(" ")[2][:40] or None
        return redirect(url_for(".choose_prompts", protocol_key=own.key, stage_key=stage_key, to=to), 303)
    anchor = f"row-{editing.row_after(do)}" if do else None
    return redirect(
        url_for(".edit_stage", protocol_key=own.key, stage_key=stage_key, told="saved", _anchor=anchor), 303
    )


def _stage_page(
    own: OwnView,
    body: Body,
    stage_key: str,
    found: list[Trouble] | None = None,
    *,
    overtaken: bool = False,
    told: str = "",
) -> str:
    order = [each["key"] for each in body["stages"]]
    place = order.index(stage_key)
    stage = body["stages"][place]
    return render_template(
        "protocols/stage.html",
        own=own,
        body=body,
        stage=stage,
        form=forms.StageForm(body, stage, forms.placed(found or [], stage_key)),
        was=fingerprint(_stage(own.body, stage_key)),
        errors=forms.listed(found or [], body, stage_key),
        errors_at=forms.placed(found or [], stage_key),
        overtaken=overtaken,
        mine=_mine_in_words(own, body) if overtaken else [],
        before=body["stages"][place - 1] if place else None,
        after=body["stages"][place + 1] if place + 1 < len(order) else None,
        say=forms.say,
        message=_message(told),
    )


@blueprint.get("/protocols/<protocol_key>/edit/<stage_key>/prompts")
def choose_prompts(protocol_key: str, stage_key: str) -> str:
    """Prompts of the bank to choose from, for a stage or for one of its steps (`to`)."""
    with tool().database.read() as session:
        own = _mine(session, protocol_key)
    if _stage(own.body, stage_key) is None:
        abort(404)
    return _prompts_page(own, stage_key, request.args)


@blueprint.post("/protocols/<protocol_key>/edit/<stage_key>/prompts")
def add_prompts(protocol_key: str, stage_key: str) -> Answer:
    """Adds the chosen prompts of the bank at the end; they can be changed there like all others."""
    wanted = set(request.form.getlist("prompt"))
    chosen = [each.prompt for each in bank.bank().prompts if forms.id_of(each) in wanted]
    with tool().database.write() as session:
        own = _mine(session, protocol_key, lock=True)
        if _stage(own.body, stage_key) is None:
            raise _stage_gone()
        rows = [editing.prompt_of(each) for each in chosen]
        done = editing.with_prompts(dict(own.body), stage_key, request.form.get("to", ""), rows)
        if found := editing.check(done):
            return _prompts_page(own, stage_key, request.form, forms.listed(found, done, stage_key)), 400
        if rows:
            service.save(session, own, done, tool().clock())
    return redirect(
        url_for(".edit_stage", protocol_key=own.key, stage_key=stage_key, told="saved", _anchor="prompts"), 303
    )


def _prompts_page(
    own: OwnView, stage_key: str, asked: Mapping[str, str], errors: list[tuple[str, str]] | None = None
) -> str:
    protocol = service.draft(own)
    stage = protocol.stage(stage_key)
    assert stage is not None
    tags = {tag: asked.get(tag, "") for tag in ("kind", "pillar", "guide")}
    place = asked.get("place", bank.place_of(protocol, stage))
    there = {prompt.text for each in protocol.stages for prompt in each.all_prompts}
    offered = [each for each in bank.chosen(bank.bank().prompts, stage=place, **tags) if each.prompt.text not in there]
    return render_template(
        "protocols/prompts.html",
        own=own,
        title=into(protocol.title),
        stage=stage,
        stage_title=into(stage.title),
        to=asked.get("to", ""),
        steps=[(each.key, into(each.title)) for each in stage.steps],
        place=place,
        tags=tags,
        choices=forms.bank_choices(),
        groups=[
            (kind(key), [(forms.id_of(each), pages.prompt(each.prompt)) for each in found])
            for key, found in bank.by_kind(offered).items()
        ],
        errors=[("", text) for _target, text in errors or []],
    )


def _stage(body: Mapping[str, Any], key: str) -> Body | None:
    return next((each for each in body["stages"] if each["key"] == key), None)


def _is_overtaken(now: object, typed: object) -> bool:
    """Whether the part of a draft that a form is about was changed since its page was made, and not to the same."""
    return request.form.get("was", "") != fingerprint(now) and now != typed


def _mine_in_words(own: OwnView, typed: Body) -> list[words.Sentence]:
    """What would be different if what was typed took the place of the draft; nothing where it cannot be kept."""
    if editing.check(typed):
        return []
    return words.sentences(difference(service.draft(own), reader.parse(typed)))


def _stage_gone() -> PageError:
    return PageError(
        409,
        _("This stage is not there any more"),
        _("Another trainer removed it while you had it open."),
        _("Go back to the protocol. What you had typed is below, for you to copy."),
        reason="stage gone",
    )


# Giving out


@blueprint.post("/protocols/<protocol_key>/publish")
def publish(protocol_key: str) -> Answer:
    """Gives the draft out as the next version."""
    note = editing.clean(request.form.get("text-note", ""))[:MAX_NOTE]
    with tool().database.write() as session:
        own = _mine(session, protocol_key, lock=True)
        if request.form.get("was", "") != fingerprint(own.body) and own.is_changed:
            return compare_page(session, own.key, "", "draft", note=note, overtaken=True), 409
        try:
            service.publish(session, own, note, tool().clock())
        except NothingNew:
            return redirect(url_for("protocols.show", protocol_key=own.key, told="same"), 303)
        except NoMoreVersions:
            abort(409)
    return redirect(url_for("protocols.show", protocol_key=own.key, told="published"), 303)


@blueprint.post("/protocols/<protocol_key>/archive")
def archive(protocol_key: str) -> Response:
    """Offers a protocol no more; nothing that has it loses it."""
    with tool().database.write() as session:
        own = _mine(session, protocol_key)
        service.archive(session, own, tool().clock())
    return redirect(url_for("protocols.show", protocol_key=own.key, told="archived"), 303)


@blueprint.post("/protocols/<protocol_key>/reopen")
def reopen(protocol_key: str) -> Response:
    """Offers an archived protocol again."""
    with tool().database.write() as session:
        own = _mine(session, protocol_key)
        service.reopen(session, own)
    return redirect(url_for("protocols.show", protocol_key=own.key, told="reopened"), 303)


def _mine(session: Session, key: str, *, lock: bool = False) -> OwnView:
    own = service.find_own(session, key, actor().course_id, lock=lock)
    if own is None or not may(actor(), Action.EDIT_PROTOCOL, own.facts):
        abort(404)
    return own


def _message(code: str) -> str:
    return {
        "saved": _("Saved in the draft. Cycles go on as they are until you give it out."),
        "copied": _("This is your own copy, as a draft. Nobody follows it until you give it out."),
        "brought": _("The protocol is here as a draft. Nobody follows it until you give it out."),
    }.get(code, "") or message(code)
