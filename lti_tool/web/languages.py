"""Which language a page speaks."""

from flask import g, request

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
