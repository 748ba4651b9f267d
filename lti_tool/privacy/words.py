"""Says in words who can see something, from the same rules that decide it."""

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.people.actor import Actor
from lti_tool.privacy.rules import TextFacts, readers
from lti_tool.web.languages import listed


def who_can_see_text(actor: Actor, text: TextFacts, given_names: Mapping[str, str]) -> str:
    """One or two sentences for the reader of a field.

    `given_names`: person id → given name, for the members of the cycle.
    """
    others = [given_names[member.person_id] for member in readers(text) if member.person_id != actor.person_id]
    if others:
        return _("Seen by you and %(name)s only.", name=listed(others))
    waiting = [
        given_names[member.person_id]
        for member in text.cycle.members
        if member.person_id != actor.person_id and not member.is_gone
    ]
    if text.seen == "pair" and text.opens == "visit_done":
        if len(waiting) > 1:
            return _("Seen by you only, until the visit is over. Then %(names)s see it too.", names=listed(waiting))
        return _("Seen by you only, until the visit is over. Then %(name)s sees it too.", name=listed(waiting))
    if text.seen == "pair" and text.opens == "first_turn_done":
        if len(waiting) > 1:
            return _("Seen by you only, until the host has spoken first. Then %(names)s see it too.",
                     names=listed(waiting))  # fmt: skip
        return _("Seen by you only, until %(name)s has spoken first in the conversation after.", name=listed(waiting))
    return _("Seen by you only.")


def who_can_see_cycle(given_names: list[str]) -> str:
    """The sentence of a cycle's pages; `given_names` of the other members."""
    if not given_names:
        return _("Seen by you only.")
    return _(
        "Seen by you and %(name)s only. The trainer and the facilitators see roughly where you are and since "
        "when, not what you said.",
        name=listed(given_names),
    )


def who_can_see_reflection() -> str:
    """The sentence of a reflection's page."""
    return _(
        "Seen by you only. Others read nothing of it but a passage that you share yourself. "
        "When you submit, the trainer sees that you did and when, not what you wrote."
    )


def who_would_read(audience: str, *, partner: str, teachers: int, trainers: tuple[str, ...]) -> str:
    """Who reads a passage as soon as it is shared with `audience` (see rules.PassageFacts).

    `partner`: name of the other member of the cycle. `teachers`: how many others take part. `trainers`: their names.
    """
    if audience == "partner":
        return _("%(name)s, and nobody else.", name=partner)
    if audience == "cohort":
        return ngettext(
            "All teachers who take part here: %(num)s colleague at present, and whoever joins later.",
            "All teachers who take part here: %(num)s colleagues at present, and whoever joins later.",
            teachers,
        )
    if audience == "trainer":
        return _(
            "The trainers of this activity: %(names)s, and whoever becomes its trainer later.",
            names=", ".join(trainers) or _("nobody at present"),
        )
    return _("Nobody. It is kept for you, in a collection of your own.")


def who_can_see_own_passage(audience: str) -> str:
    """The sentence of a passage for the one who shared it."""
    if audience == "partner":
        return _("Seen by you and whoever is with you in that cycle, with your name.")
    if audience == "cohort":
        return _("Seen by you and all teachers who take part in that activity, with your name.")
    if audience == "trainer":
        return _("Seen by you and the trainers of that activity, with your name.")
    return _("Seen by you only.")


def who_can_see_shared_passage(audience: str, author: str) -> str:
    """The sentence of a passage for those with whom `author` shared it."""
    if audience == "partner":
        return _("Seen by you and %(name)s only. %(name)s can take it back at any time.", name=author)
    if audience == "cohort":
        return _(
            "%(name)s shared it with all teachers who take part here, and with nobody else. "
            "%(name)s can take it back at any time.",
            name=author,
        )
    return _(
        "%(name)s shared it with the trainers of this activity, and with nobody else. "
        "%(name)s can take it back at any time.",
        name=author,
    )
