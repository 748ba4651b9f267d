"""Says in words who can see something, from the same rules that decide it."""

from collections.abc import Mapping

from flask_babel import gettext as _

from lti_tool.people.actor import Actor
from lti_tool.privacy.rules import TextFacts, readers


def who_can_see_text(actor: Actor, text: TextFacts, given_names: Mapping[str, str]) -> str:
    """One or two sentences for the reader of a field.

    `given_names`: person id → given name, for the members of the cycle.
    """
    others = [given_names[member.person_id] for member in readers(text) if member.person_id != actor.person_id]
    if others:
        return _("Seen by you and %(name)s only.", name=_(" and ").join(others))
    waiting = [given_names[member.person_id] for member in text.cycle.members if member.person_id != actor.person_id]
    if text.seen == "pair" and text.opens == "visit_done":
        return _("Seen by you only, until the visit is over. Then %(name)s sees it too.", name=waiting[0])
    if text.seen == "pair" and text.opens == "first_turn_done":
        return _("Seen by you only, until %(name)s has spoken first in the conversation after.", name=waiting[0])
    return _("Seen by you only.")


def who_can_see_cycle(given_names: list[str]) -> str:
    """The sentence of a cycle's pages; `given_names` of the other members."""
    return _(
        "Seen by you and %(name)s only. The trainer and the facilitators see which steps are done and when, "
        "not what you said.",
        name=_(" and ").join(given_names),
    )


def who_can_see_reflection() -> str:
    """The sentence of a reflection's page."""
    return _("Seen by you only. When you submit, the trainer sees that you did and when, not what you wrote.")
