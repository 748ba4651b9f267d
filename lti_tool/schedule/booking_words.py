"""The words of pages on which the meetings of a cycle are booked together."""

from collections.abc import Collection
from datetime import datetime

from flask_babel import gettext as _

from lti_tool.cycles import words
from lti_tool.cycles.rules import Cycle
from lti_tool.schedule.timetable import Slot, Span


def told(code: str) -> str:
    """One sentence on what has just happened; empty for a code that is not known."""
    said = {
        "booked": _("It is booked for each of you. All of it can still be moved."),
        "dropped": _("The way back is taken out again."),
    }
    return said.get(code, "")


def title(kind: str) -> str:
    """What a meeting is called."""
    said = {
        "before": _("Conversation before"),
        "visit": _("Visit"),
        "after": _("Conversation after"),
    }
    return str(said[kind])


def span(starts_at: datetime, minutes: int) -> str:
    """When it is, and how long."""
    return str(_("%(when)s, %(count)s minutes", when=words.when(starts_at), count=minutes))


def of_span(one: Span | Slot) -> str:
    """The same of what is proposed."""
    return span(one.start, round((one.end - one.start).total_seconds() / 60))


def why(keys: Collection[str]) -> list[str]:
    """Why a proposal stands where it does."""
    said = {
        "after_same_day": _("you talk about it on the same day"),
        "after_next_morning": _("you talk about it the next morning"),
        "after_next_day": _("you talk about it the next school day"),
        "after_later": _("you talk about it within two days"),
        "before_day": _("there is a night between the first talk and the visit"),
        "before_days": _("the first talk is some days before the visit"),
        "before_same_day": _("the first talk is on the day of the visit"),
        "soonest_week": _("it is the soonest week"),
        "breaks_spared": _("no break is needed"),
        "takes_break": _("it takes a part of a break"),
        "outside_bells": _("one talk is before the first bell or after the last one"),
    }
    return [str(said[key]) for key in keys if key in said]


def doubt(code: str) -> str:
    """What does not fit in what is booked: by the order of the three, or by one's own timetable."""
    said = {
        "before_after_visit": _("The conversation before ends when the visit has begun."),
        "before_early": _("The conversation before is long before the visit: more than three school days."),
        "after_before_visit": _("The conversation after begins before the visit is over."),
        "after_late": _(
            "It is more than two days from the visit to the conversation after. Sooner is easier to remember."
        ),
        "visit_host": _("By your timetable, the visit is not in a lesson of yours that can be visited."),
        "visit_coach": _("By your timetable, you are not free for the visit."),
    }
    if code in said:
        return str(said[code])
    if code.startswith("before"):
        return str(_("By your timetable, you are not free for the conversation before."))
    return str(_("By your timetable, you are not free for the conversation after."))


def lacking(cycle: Cycle, person_ids: Collection[str]) -> list[str]:
    """Who has not said a timetable yet, without a word on why."""
    found = []
    if cycle.viewer_id in person_ids:
        found.append(_("You have not said yet when you teach and when you are free."))
    others = [each for each in cycle.others if each.person_id in person_ids]
    if others:
        names = words.names(others)
        found.append(
            _("%(names)s has not said yet when there is time.", names=names)
            if len(others) == 1
            else _("%(names)s have not said yet when there is time.", names=names)
        )
    return found
