"""The words of a pair's rhythm: the hint, how often each was host and coach, and whose turn it would be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from lti_tool.activities.service import ActivityView
from lti_tool.cycles import words
from lti_tool.cycles.rules import Cycle
from lti_tool.pairing.service import PairView
from lti_tool.privacy.rules import Action, may
from lti_tool.rhythm import rules, service
from lti_tool.rhythm.rules import Past
from lti_tool.rhythm.service import Roles
from lti_tool.web.context import actor, tool


@dataclass(frozen=True, slots=True)
class Hint:
    """That it would be time for the next cycle."""

    text: str
    cycle_id: str
    """The last one, from which the next one begins."""
    pair_id: str


def hint(pair: PairView, activity: ActivityView, cycle_id: str, finished_at: datetime | None) -> Hint | None:
    """The hint on the page of a current pair, for the one who looks; None where none is due, or nothing new begins.

    `finished_at`: when the last cycle was finished, None while one runs.
    """
    if not may(actor(), Action.BEGIN, activity.facts):
        return None
    me = pair.me(actor().membership_id)
    past = Past(_day(finished_at), _day(me.hint_away_at), pair.status != "active")
    passed = rules.due(
        rules.weeks_of(activity.cadence_weeks, pair.cadence_weeks),
        past,
        words.today(),
        tool().settings.rhythm.quiet_months,
    )
    if passed is None:
        return None
    said = ngettext(
        "It is %(num)s week since your last cycle. When would suit?",
        "It is %(num)s weeks since your last cycle. When would suit?",
        passed,
    )
    return Hint(said, cycle_id, pair.id)


def how_often(weeks: int) -> str:
    """A number of weeks as a rhythm."""
    return ngettext("every week", "every %(num)s weeks", weeks)


def choices(pair: PairView, weeks: int | None) -> list[tuple[str, str, bool]]:
    """(Value, words, whether it is chosen) of what a pair can say about how often; `weeks`: what the activity says."""
    as_activity = (
        _("As the activity says: %(often)s", often=how_often(weeks)) if weeks else _("As the activity says: no hint")
    )
    offered = [("", as_activity), (str(rules.NO_HINT), _("No hint, please"))]
    usual = {*range(1, 9), 10, 12, *([pair.cadence_weeks] if pair.cadence_weeks else [])}
    offered += [(str(each), how_often(each)) for each in sorted(usual)]
    chosen = "" if pair.cadence_weeks is None else str(pair.cadence_weeks)
    return [(value, said, value == chosen) for value, said in offered]


def balance(pair: PairView, roles: Mapping[str, Roles]) -> list[tuple[str, str]]:
    """(Who, how often they were host and coach) for the two of a pair, oneself first; empty before the first cycle."""
    if len(pair.members) != 2 or not roles:
        return []
    me = actor().membership_id
    members = [pair.me(me), *pair.others(me)]
    return [
        (
            _("You") if each.membership_id == me else each.given_name or _("your partner"),
            _("host %(host)s, coach %(coach)s", host=_times(has.host), coach=_times(has.coach)),
        )
        for each in members
        for has in (roles.get(each.membership_id, Roles()),)
    ]


def turn_in(pair: PairView, roles: Mapping[str, Roles]) -> str:
    """Whose turn it would be to host, for one of the two; empty where it is even."""
    turn = rules.turn_to_host({each.membership_id: _of(roles, each.membership_id).host for each in pair.members})
    name = next((each.given_name for each in pair.members if each.membership_id == turn), "")
    return _sentence(turn, name or _("your partner"))


def turn_after(session: Session, cycle: Cycle) -> tuple[str, str]:
    """(Whose turn it would be to host, which way to go on is offered first) at the end of a cycle of two."""
    roles = service.roles(session, cycle.pair_id)
    turn = rules.turn_to_host({each.membership_id: _of(roles, each.membership_id).host for each in cycle.members})
    return _sentence(turn, words.name(cycle.partner)), rules.first_offer(turn, cycle.host.membership_id)


def _of(roles: Mapping[str, Roles], membership_id: str) -> Roles:
    return roles.get(membership_id, Roles())


def _sentence(turn: str | None, partner: str) -> str:
    if turn is None:
        return ""
    if turn == actor().membership_id:
        return _("It would be your turn to host.")
    return _("It would be %(name)s’s turn to host.", name=partner)


def _times(number: int) -> str:
    return {0: _("not yet"), 1: _("once"), 2: _("twice")}.get(number) or _("%(count)s times", count=number)


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(words.zone()).date() if moment else None
