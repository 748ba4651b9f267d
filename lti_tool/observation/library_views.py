"""The page of a teacher's own instruments, and of those that others of the course released."""

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lti_tool.observation import build_words, library
from lti_tool.observation.build_pages import plan_picture, released_here, title_of
from lti_tool.observation.views_base import blueprint
from lti_tool.observation.words import say
from lti_tool.privacy.rules import Action, OwnInstrumentFacts, may
from lti_tool.web.context import actor, tool


@blueprint.get("/instruments")
def library_page() -> str:
    """One's own library, wherever it was filled, and what others of this course released."""
    return _page()


@blueprint.post("/instruments/<own_id>/release")
def release_instrument(own_id: str) -> Response | tuple[str, int]:
    """Lets the other teachers of this course use it."""
    _mine(Action.RELEASE_INSTRUMENT)
    if request.form.get("no-names") != "1":
        text = _("Say first that nobody can be known from it: no names of pupils, of a school or of a class.")
        return _page((f"no-names-{own_id}", text)), 400
    with tool().database.write() as session:
        if not library.release(session, actor().person_id, own_id, actor().course_id):
            abort(404)
    return redirect(url_for(".library_page", told="released"), 303)


@blueprint.post("/instruments/<own_id>/take-back")
def take_back_instrument(own_id: str) -> Response:
    """Takes it back from everybody."""
    _mine(Action.KEEP_INSTRUMENT)
    with tool().database.write() as session:
        if not library.release(session, actor().person_id, own_id, None):
            abort(404)
    return redirect(url_for(".library_page", told="taken"), 303)


@blueprint.post("/instruments/<own_id>/delete")
def delete_instrument(own_id: str) -> Response:
    """Deletes it, for everybody."""
    _mine(Action.KEEP_INSTRUMENT)
    with tool().database.write() as session:
        mine = library.of_person(session, tool().keyring, actor().person_id, tool().clock())
        if own_id not in {each.id for each in mine}:
            abort(404)
        library.remove(session, tool().keyring, actor().person_id, own_id, tool().clock())
    tool().database.forget_deleted()
    return redirect(url_for(".library_page", told="deleted"), 303)


def _mine(action: Action) -> None:
    if not may(actor(), action, OwnInstrumentFacts(actor().person_id)):
        abort(404)


def _page(error: tuple[str, str] | None = None) -> str:
    facts = OwnInstrumentFacts(actor().person_id)
    with tool().database.read() as session:
        own = (
            library.of_person(session, tool().keyring, actor().person_id, tool().clock())
            if may(actor(), Action.KEEP_INSTRUMENT, facts)
            else []
        )
        released = released_here(session)
    return render_template(
        "observation/library.html",
        own=[
            (
                each,
                title_of(each.instrument.base),
                build_words.described(each.instrument)[1:],
                plan_picture(each.instrument.plan, each.instrument.name) if each.instrument.plan else None,
                library.names_in(each.instrument),
            )
            for each in own
        ],
        released=[
            (each, title_of(each.instrument.base), build_words.described(each.instrument)[1:]) for each in released
        ],
        may_release=may(actor(), Action.RELEASE_INSTRUMENT, facts),
        course_title=actor().course_title,
        say=say,
        errors=[error] if error else [],
        message={
            "kept": _("It is in your library."),
            "released": _("It is released. You can take it back at any time."),
            "taken": _("It is taken back."),
            "deleted": _("It is deleted."),
        }.get(request.args.get("told", ""), ""),
        who=_("Seen by you only, except what you release: the other teachers of that course see it, with your name."),
    )
