"""The words at which notes are hinted: to be seen by all of a course, changed by its trainer, and taken by hints.js."""

from typing import Any

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.observation import hints, word_lists
from lti_tool.observation.hints import LANGUAGES, MAX_PHRASE, MOST_PHRASES, PLAIN, Lists
from lti_tool.observation.views_base import blueprint
from lti_tool.observation.word_lists import OwnWords
from lti_tool.privacy.rules import Action, CourseFacts, may
from lti_tool.protocols.rules import fingerprint
from lti_tool.web.context import actor, tool

_LONG = 20_000
"""Characters of a box that are read."""


def for_script(lists: Lists) -> dict[str, Any]:
    """What hints.js needs: the lists, and its own words; in the language of the page."""
    return {
        "lists": lists.to_json(_language()),
        "words": {
            "about": _("Only on this page, and only for you: what you type is not sent for this hint, and not kept."),
            "close": _("Close this hint"),
            "never": _("No hints on this device any more"),
        },
    }


@blueprint.get("/words.json")
def words_for_notes() -> Response:
    """The lists of the course, for the script that looks at notes where they are written."""
    _check(Action.PRACTISE)
    with tool().database.read() as session:
        return jsonify(for_script(word_lists.of_course(session, actor().course_id)))


@blueprint.get("/words")
def judging_words() -> str:
    """The words, with what the course changed; the boxes only for its trainer."""
    _check(Action.PRACTISE)
    with tool().database.read() as session:
        return _page(session, message=_("Saved. It counts from now on.") if "saved" in request.args else "")


@blueprint.post("/words")
def save_words() -> str | Response | tuple[str, int]:
    """Keeps what the trainer added and left out."""
    _check(Action.EDIT_WORDS)
    typed = {each: OwnWords(_box(f"added-{each}"), _box(f"left_out-{each}")) for each in LANGUAGES}
    chosen, errors = _read(typed)
    with tool().database.write() as session:
        if errors:
            return _page(session, typed, errors), 400
        if request.form.get("was", "") != _was(word_lists.own(session, actor().course_id)):
            return _page(session, typed, overtaken=True), 409
        word_lists.keep(session, actor().course_id, chosen)
    return redirect(url_for(".judging_words", saved=1), 303)


def _check(action: Action) -> None:
    if not may(actor(), action, CourseFacts(actor().course_id)):
        abort(404)


def _box(name: str) -> str:
    return request.form.get(name, "")[:_LONG].replace("\x00", "")


def _read(typed: dict[str, OwnWords]) -> tuple[dict[str, OwnWords], list[tuple[str, str]]]:
    """What is to be kept, and (box, sentence) of what cannot be."""
    chosen, errors = {}, []
    for language, each in typed.items():
        lists = []
        for name, text in (("added", each.added), ("left_out", each.left_out)):
            found, problems = word_lists.read(text)
            lists.append(found)
            errors += [(f"{name}-{language}", _told(problem, about)) for problem, about in problems]
        chosen[language] = OwnWords(*lists)
    return chosen, errors


def _told(problem: str, about: str) -> str:
    if problem == "long_phrase":
        return str(_("“%(phrase)s” is too long: a line can have %(most)s characters.", phrase=about, most=MAX_PHRASE))
    if problem == "no_phrase":
        return str(_("“%(phrase)s” has no word that could be found. Change or remove the line.", phrase=about))
    return str(_("A list can have %(most)s lines. Remove some of them.", most=MOST_PHRASES))


def _was(said: dict[str, OwnWords]) -> str:
    return fingerprint([[language, each.added, each.left_out] for language, each in said.items()])


def _page(
    session: Session,
    typed: dict[str, OwnWords] | None = None,
    errors: list[tuple[str, str]] | None = None,
    *,
    overtaken: bool = False,
    message: str = "",
) -> str:
    kept = word_lists.own(session, actor().course_id)
    by_box: dict[str, list[str]] = {}
    for box, text in errors or []:
        by_box.setdefault(box, []).append(text)
    lists = hints.shipped()
    return render_template(
        "observation/words.html",
        message=message,
        may_edit=may(actor(), Action.EDIT_WORDS, CourseFacts(actor().course_id)),
        typed=typed or kept,
        kept=kept,
        was=_was(kept),
        errors=errors or [],
        errors_at=by_box,
        overtaken=overtaken,
        shipped={each: _by_question(lists, each) for each in LANGUAGES},
        question=lists.asks[hints.SEEN].into(_language()),
        name_question=lists.asks["name"].into(_language()),
    )


def _by_question(lists: Lists, language: str) -> list[tuple[str, list[str]]]:
    """(what is asked besides, phrases) of a language, in the order of the file; the plain ones last."""
    found: dict[str, list[str]] = {}
    for of, phrase, ask in lists.phrases:
        if of == language:
            found.setdefault(ask, []).append(phrase)
    return [
        (_("Left alone, although such a word is in it") if ask == PLAIN else lists.asks[ask].into(_language()), each)
        for ask, each in found.items()
    ]


def _language() -> str:
    return str(getattr(get_locale(), "language", "en"))
