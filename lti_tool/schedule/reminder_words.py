"""What is written in reminders, in their reader's language: no name of anybody, and nothing of what anybody wrote.

A worker sends them, where no page is: so the catalogue of a language is opened here, and not by Flask.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.support import NullTranslations, Translations

from lti_tool.schedule.reminder_rules import Item

_CATALOGUES = Path(__file__).resolve().parents[1] / "translations"


def language(*wishes: str) -> str:
    """The first of these (codes such as ga or en-IE) that there is a catalogue of, else English."""
    for wish in wishes:
        code = wish.replace("_", "-").split("-")[0].lower()
        if code == "en" or (code.isalpha() and (_CATALOGUES / code).is_dir()):
            return code
    return "en"


def subject(code: str) -> str:
    """Of every reminder, in a language: it tells nothing to who looks over a shoulder."""
    _ = _catalogue(code).gettext
    return _("Coaching: something is coming up")


def text(code: str, items: Iterable[Item], zone: str, lms: str) -> str:
    """A reminder of these things, in a language; `lms`: address of the LMS, where coaching is opened."""
    _ = _catalogue(code).gettext
    lines = [f"- {sentence(code, item, zone)}" for item in sorted(items, key=lambda each: (each.at, each.key))]
    return "\n".join(
        [
            _("In your coaching:"),
            "",
            *lines,
            "",
            _("To see more, open the coaching activity in your course: %(address)s") % {"address": lms},
            "",
            _(
                "You get this because you asked for it. To end it, open the coaching activity, tap your name in the "
                "corner, then “Reminders”, then “Send me nothing any more”."
            ),
            "",
        ]
    )


def sentence(code: str, item: Item, zone: str) -> str:
    """One thing to be reminded of, in a language, with times as the clock shows them in a zone."""
    _ = _catalogue(code).gettext
    said = {
        "before": _("The conversation before the visit: %(when)s"),
        "visit": _("The visit: %(when)s"),
        "after": _("The conversation after the visit: %(when)s"),
        "work": _("The work together: %(when)s"),
        "turn": _("Your next step has been waiting since %(day)s."),
        "rhythm": _("Your last cycle ended on %(day)s: it would be time for the next one."),
        "invitation": _("An invitation to coach together waits for your answer until %(day)s."),
        "proposal": _("A proposal for a partner waits for your answer until %(day)s."),
    }
    return said[item.what] % {"day": _day(code, item.at, zone), "when": _when(code, item.at, zone)}


def code_subject(code: str) -> str:
    """Of the message by which an address is confirmed."""
    _ = _catalogue(code).gettext
    return _("Coaching: a code to confirm your address")


def code_text(code: str, number: str, minutes: int) -> str:
    """The message by which an address is confirmed; `number`: what is to be typed."""
    _ = _catalogue(code).gettext
    return "\n".join(
        [
            _("Your code: %(number)s") % {"number": number},
            "",
            _("Type it on the page “Reminders” of your coaching activity within %(minutes)s minutes.")
            % {"minutes": minutes},
            _("If you did not ask for it, somebody mistyped their address: there is nothing to do."),
            "",
        ]
    )


def _when(code: str, moment: datetime, zone: str) -> str:
    return f"{_day(code, moment, zone)}, {moment.astimezone(ZoneInfo(zone)):%H:%M}"


def _day(code: str, moment: datetime, zone: str) -> str:
    return str(format_date(moment.astimezone(ZoneInfo(zone)).date(), "EEEE d MMMM", locale=code))


@cache
def _catalogue(code: str) -> NullTranslations:
    return NullTranslations() if code == "en" else Translations.load(_CATALOGUES, [code])
