"""The words of the page of reminders."""

from collections.abc import Iterable, Mapping

from flask_babel import get_locale
from flask_babel import gettext as _

from lti_tool.cycles import words as cycle_words
from lti_tool.schedule import reminder_words
from lti_tool.schedule.reminder_choices import Past
from lti_tool.schedule.reminder_rules import KINDS, Item


def kinds() -> dict[str, tuple[str, str]]:
    """Kind → (what it is called, what it is)."""
    return {
        "meeting": (_("Bookings"), _("A conversation or a visit comes up: the school day before.")),
        "turn": (_("Your next step"), _("It has waited for you for a week, and nobody has done anything since.")),
        "rhythm": (
            _("Your rhythm"),
            _("It would be time for a next cycle, by what you said together, or your trainer suggests."),
        ),
        "pairing": (_("Invitations"), _("A colleague, or a pairing round, waits for your answer.")),
    }


def ways(kind: str, *, email: bool, lms: bool) -> list[tuple[str, str]]:
    """(Value, words) of the ways that somebody can choose for a kind."""
    offered = [("page", _("On the pages only"))]
    if email:
        offered.append(("email", _("By e-mail")))
    if lms:
        offered.append(("lms", _("As a message in the LMS")))
    if kind != "turn":
        # What comes next is what the first page is for.
        offered.append(("off", _("Not at all")))
    return offered


def digests() -> list[tuple[str, str]]:
    """(Value, words) of how often something can be sent."""
    return [
        ("each", _("One message for each")),
        ("daily", _("All together, once a day at most")),
        ("weekly", _("All together, once a week at most")),
    ]


def told(code: str) -> str:
    """One sentence on what has just happened; empty for a code that is not known."""
    said = {
        "kept": _("It is kept."),
        "sent": _("A code is on its way to that address. Type it below."),
        "confirmed": _("Your address is confirmed. Choose now what is to be sent there."),
        "deleted": _("The address is deleted, with its key."),
        "stopped": _("Nothing is sent to you any more."),
    }
    return said.get(code, "")


def problem(code: str) -> str:
    """What is not right, as a sentence."""
    said = {
        "choice": _("Choose one of the ways that are offered."),
        "hours": _("Say hours of which the second is later than the first."),
        "no address": _("For reminders by e-mail, type your address first and confirm it."),
        "bad address": _("Type one e-mail address, such as niamh@school.example."),
        "too soon": _("A code was sent a moment ago. Another one can be sent in a few minutes."),
        "wrong": _("That is not the code that was sent. You can try again."),
        "over": _("This code does not count any more. Have another one sent."),
        "refused": _("The mail server does not take this address. Look at how it is spelled."),
        "later": _("The mail server does not answer at present, so no code was sent. Try again in a few minutes."),
    }
    return said[code]


def coming(items: Iterable[Item], ways: Mapping[str, str]) -> list[str]:
    """What somebody is reminded of on the page, sentence by sentence."""
    code, zone = str(get_locale().language), cycle_words.zone().key
    shown = (item for item in items if ways[item.kind] != "off")
    return [reminder_words.sentence(code, item, zone) for item in sorted(shown, key=lambda each: (each.at, each.key))]


def past(found: Iterable[Past]) -> list[tuple[str, str, str]]:
    """(When, what about, how it went) of what was sent."""
    how = {
        ("email", "sent"): _("sent by e-mail"),
        ("lms", "sent"): _("sent as a message in the LMS"),
    }
    ended = {
        "failed": _("could not be sent"),
        "unknown": _("may have been sent or not; it is not sent again"),
    }
    names = kinds()
    return [
        (
            cycle_words.when(each.sent_at),
            names[each.kind][0] if each.kind in KINDS else "",
            ended.get(each.status) or how.get((each.way, each.status), ""),
        )
        for each in found
    ]
