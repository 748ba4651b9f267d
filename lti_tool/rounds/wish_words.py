"""The words of what a teacher says for a round."""

from babel.dates import get_day_names
from flask_babel import force_locale, get_locale  # type: ignore[attr-defined]
from flask_babel import gettext as _

from lti_tool.rounds.rules import DAYS, MAX_CHOSEN, MAX_WORDS
from lti_tool.rounds.wish_forms import Problem
from lti_tool.web.languages import OFFERED


def told(code: str) -> str:
    """One sentence on what has just happened, for the page that comes after; empty for a code that is not known."""
    said = {
        "yes": _("A partner is looked for on your behalf in this round."),
        "no": _("No partner is looked for on your behalf. Nobody is told."),
        "kept": _("It is kept."),
        "removed": _("It is taken off the list."),
    }
    return said.get(code, "")


def problem(found: Problem) -> tuple[str, str]:
    """(Id of the input, sentence) of what is not right."""
    said = {
        Problem.WANTS: _("Choose up to %(most)s topics that you would like to work on.", most=MAX_CHOSEN),
        Problem.OFFERS: _("Choose up to %(most)s topics in which you can be of use.", most=MAX_CHOSEN),
        Problem.SUBJECT: _("Say your subject in up to %(most)s characters.", most=MAX_WORDS),
        Problem.YEAR: _("Say your class or year in up to %(most)s characters.", most=MAX_WORDS),
        Problem.WEEK: _(
            "Mark at least one period in which you teach and one in which you are free, or leave the whole week empty."
        ),
    }
    return found.value, said[found]


def languages() -> list[tuple[str, str]]:
    """Languages in which two can talk: (code, name)."""
    return [("en", _("English")), ("ga", _("Irish"))]


def days() -> list[tuple[str, str]]:
    """(Short name, name) of each day of a school week."""
    short, long = (get_day_names(width, locale=get_locale() or "en") for width in ("abbreviated", "wide"))
    return [(short[day], long[day]) for day in range(DAYS)]


def states() -> list[tuple[str, str, str]]:
    """(State, what is said of a period, what stands in its cell), in the order in which taps lead through them."""
    return [("", _("not in school"), "·"), ("teach", _("I teach"), _("teach")), ("free", _("I am free"), _("free"))]


def subjects() -> list[str]:
    """Suggestions for a subject; anything else can be typed."""
    return [
        _("All subjects of my class"),
        _("Irish"),
        _("English"),
        _("Mathematics"),
        _("Science"),
        _("History"),
        _("Geography"),
        _("Art"),
        _("Music"),
        _("Physical education"),
        _("Languages"),
        _("Business"),
        _("Technology"),
        _("Home economics"),
        _("Religious education"),
        _("SPHE"),
        _("Special education"),
        _("Guidance"),
    ]


def kept(text: str) -> str:
    """What is kept of a subject, class or year: of a suggestion in any language the English one, so that all who
    choose it say the same."""
    for language in OFFERED:
        with force_locale(language):
            found = {each.casefold(): place for place, each in enumerate([*subjects(), *years()])}
        if (place := found.get(text.casefold())) is not None:
            with force_locale("en"):
                return [*subjects(), *years()][place]
    return text


def shown(text: str) -> str:
    """What was kept, in the language of the page."""
    with force_locale("en"):
        english = [*subjects(), *years()]
    return [*subjects(), *years()][english.index(text)] if text in english else text


def years() -> list[str]:
    """Suggestions for a class or year."""
    return [
        _("Infants"),
        _("First and second class"),
        _("Third and fourth class"),
        _("Fifth and sixth class"),
        _("First to third year"),
        _("Transition year"),
        _("Fifth and sixth year"),
        _("Special class"),
        _("Further education"),
    ]
