"""The words of bookings in a calendar program, and of its private address."""

from collections.abc import Iterable

from flask_babel import gettext as _

from lti_tool.schedule.calendars import Booking
from lti_tool.schedule.ics import Event
from lti_tool.web.languages import listed


def told(code: str) -> str:
    """One sentence on what has just happened; empty for a code that is not known."""
    said = {
        "named": _("Your calendar names your colleague from now on."),
        "unnamed": _("Your calendar names nobody from now on."),
        "deleted": _("The address opens nothing any more. Calendar programs empty it when they ask the next time."),
    }
    return said.get(code, "")


def name() -> str:
    """What a calendar is called."""
    return str(_("Coaching"))


def kind(of: str) -> str:
    """What is booked."""
    said = {
        "before": _("Conversation before"),
        "visit": _("Visit"),
        "after": _("Conversation after"),
        "work": _("Work together"),
    }
    return str(said[of])


def event(booking: Booking, *, shows_names: bool) -> Event:
    """A booking as a calendar program shows it: named, or called coaching and no more."""
    title = name()
    if shows_names:
        title = _("Coaching: %(what)s, with %(name)s", what=kind(booking.kind), name=_names(booking.names))
        if not booking.names:
            title = _("Coaching: %(what)s", what=kind(booking.kind))
    return Event(
        f"{booking.id}@meitheal",
        booking.starts_at,
        booking.ends_at,
        title,
        max(0, booking.rev - 1),
        booking.changed_at,
    )


def events(found: Iterable[Booking], *, shows_names: bool) -> list[Event]:
    """All of them, in their order."""
    return [event(each, shows_names=shows_names) for each in found]


def _names(names: tuple[str, ...]) -> str:
    return listed(dict.fromkeys(each or _("a colleague") for each in names))
