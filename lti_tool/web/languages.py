"""Which language a page speaks."""

from collections.abc import Iterable

from babel.lists import format_list
from babel.support import NullTranslations
from flask import Flask, g, request
from flask_babel import get_locale, get_translations

OFFERED = {"en": "English", "ga": "Gaeilge"}
"""Language code → its own name, in the order they are offered."""


def locale_of_request() -> str:
    """The person's own choice, else the launch's language, else the browser's, else English."""
    actor = g.get("actor")
    wishes: list[str] = [actor.language, actor.locale] if actor else [g.get("launch_locale", "")]
    for wish in wishes:
        code = wish.replace("_", "-").split("-")[0].lower()
        if code in OFFERED:
            return code
    return str(request.accept_languages.best_match(list(OFFERED), "en"))


def listed(names: Iterable[str]) -> str:
    """Names one after the other, as people say them in the page's language: “A, B and C”."""
    language = str(get_locale().language)
    # English as it is written in Ireland: without a comma before the “and”.
    return format_list(list(names), locale="en_IE" if language == "en" else language)


def zone_of_request() -> str | None:
    """The person's own time zone, else the launch's; None for the tool's."""
    actor = g.get("actor")
    return actor.time_zone or None if actor else None


def register(app: Flask) -> None:
    """Lets the templates of the app look up the catalogue of a request once, where Flask-Babel does at every text."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: _catalogue().ugettext(text),
        ngettext=lambda one, many, number: _catalogue().ungettext(one, many, number),
        newstyle=True,
    )


def _catalogue() -> NullTranslations:
    found: NullTranslations | None = g.get("catalogue")
    if found is None:
        found = g.catalogue = get_translations()
    return found
