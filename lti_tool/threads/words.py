"""The words of a thread: who is in it, what stands in the way, and the quiet sign that somebody wrote."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.cycles import words
from lti_tool.pairing.service import PairPerson, PairView
from lti_tool.threads.rules import MAX_LENGTH, Problem, spoke_last
from lti_tool.web.context import actor, tool


def name_of(member: PairPerson) -> str:
    """A member's given name, or what stands for it."""
    return member.given_name or (_("a former colleague") if member.is_former else _("your partner"))


def names_of(members: Sequence[PairPerson]) -> str:
    """Several names in a sentence."""
    names = [name_of(member) for member in members]
    return _(" and ").join([", ".join(names[:-1]), names[-1]] if len(names) > 2 else names)


def title_of(pair: PairView) -> str:
    """What a thread is called by the one who looks."""
    return _("You and %(name)s", name=names_of(pair.others(actor().membership_id)))


def told(problem: Problem, text: str) -> str:
    """What is wrong with a message."""
    if problem is Problem.EMPTY:
        return _("There is nothing in the box yet.")
    over = len(text) - MAX_LENGTH
    return ngettext(
        "A message takes %(most)s characters, and this has %(num)s more. Nothing is sent yet: shorten it.",
        "A message takes %(most)s characters, and this has %(num)s more. Nothing is sent yet: shorten it.",
        over,
        most=MAX_LENGTH,
    )


def sign(pair: PairView | None) -> str:
    """One quiet sentence where somebody else wrote last in the thread of a current pair; else empty."""
    if pair is None:
        return ""
    others = [(each.wrote_at, name_of(each)) for each in pair.others(actor().membership_id) if each.wrote_at]
    latest, name = max(others, default=(None, ""))
    if latest is None or not spoke_last(pair.me(actor().membership_id).wrote_at, latest, tool().clock()):
        return ""
    return _("%(name)s wrote, %(day)s.", name=name, day=words.day(latest))
