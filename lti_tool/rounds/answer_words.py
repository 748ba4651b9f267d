"""What is said of a proposal and its answers: why these two or three, who learns what, and what would help."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.people.rules import Colleague
from lti_tool.rounds import wish_words
from lti_tool.rounds.changes import WhyNot
from lti_tool.rounds.rules import Why
from lti_tool.web.languages import listed


def given(colleague: Colleague) -> str:
    """What a colleague is called in a sentence."""
    return colleague.given_name or colleague.name or str(_("a colleague"))


def full(colleague: Colleague) -> str:
    """The whole name of a colleague, where it has to be clear who is meant."""
    return colleague.name or given(colleague)


def together(others: Sequence[Colleague]) -> str:
    """All of them in a sentence, by their whole names."""
    return listed([full(each) for each in others])


def at_schools(found: Sequence[tuple[Colleague, str]]) -> str:
    """Who works at which other school, a sentence each."""
    return " ".join(_("%(name)s works at %(school)s.", name=full(each), school=school) for each, school in found)


def why_us(why: Why, others: Sequence[Colleague], me: str, topics: Mapping[str, str]) -> list[str]:
    """Why they could coach each other, a sentence for each reason, the weightiest first; never empty.

    `me`: membership id of the reader; `topics`: key → what it is called.
    """
    names = {each.membership_id: given(each) for each in others}
    said: list[str] = []
    for wants, offers in dict.fromkeys((wants, offers) for wants, offers, _key in why.wanted):
        keys = [key for wanting, offering, key in why.wanted if (wanting, offering) == (wants, offers)]
        about = listed([_topic(key, topics) for key in keys])
        if wants == me and offers in names:
            said.append(
                _("You would like to work on %(topics)s; %(name)s offers that.", topics=about, name=names[offers])
            )
        elif offers == me and wants in names:
            said.append(
                _("%(name)s would like to work on %(topics)s; you offer that.", topics=about, name=names[wants])
            )
        elif wants in names and offers in names:
            said.append(
                _(
                    "%(name)s would like to work on %(topics)s; %(other)s offers that.",
                    topics=about,
                    name=names[wants],
                    other=names[offers],
                )
            )
    if why.focus:
        said.append(_("What matters most to each of you now is the same: %(topic)s.", topic=_topic(why.focus, topics)))
    two = len(others) == 1
    if shared := [key for key in why.both_want if key != why.focus]:
        about = listed([_topic(key, topics) for key in shared])
        said.append(
            _("You would both like to work on %(topics)s.", topics=about)
            if two
            else _("You would all like to work on %(topics)s.", topics=about)
        )
    if why.subject or why.level:
        # As it was typed or chosen; names of subjects are not joined into a sentence that would bend them.
        shared = [wish_words.shown(each) for each in (why.subject, why.level) if each]
        said.append(_("You share: %(what)s.", what=listed(shared)))
    if why.languages:
        said.append(
            _("You would talk in %(languages)s.", languages=listed([_language(each) for each in why.languages]))
        )
    if why.talks:
        said.append(_talks(why.talks, two))
    return said or [
        _("What each of you said so far says little for or against it. Often people find what they share as they talk.")
    ]


def _talks(periods: int, two: bool) -> str:
    if two:
        return ngettext(
            "There is %(num)s period in the week when both of you are free to talk.",
            "There are %(num)s periods in the week when both of you are free to talk.",
            periods,
        )
    return ngettext(
        "There is %(num)s period in the week when all of you are free to talk.",
        "There are %(num)s periods in the week when all of you are free to talk.",
        periods,
    )


def helps(code: str) -> str:
    """The one change that would help somebody without a partner, for a code of rules.HELPS."""
    return {
        "triad": _(
            "It would help if three could go together. The trainer of the round decides that; you can tell "
            "them that you would like it."
        ),
        "other_school": _(
            "It would help if you were willing to work with a colleague of another school. You can say so in what you "
            "would like."
        ),
        "period": _(
            "It would help if you had one more free period in which to visit or to talk. If there is one, add it to "
            "your week."
        ),
        "joins": _("It would help if one more colleague took part. Perhaps you know somebody whom you could ask."),
    }.get(code) or _("No single change would have helped this time. The next calculation may come to another result.")


def why_not(code: WhyNot, name: str) -> str:
    """What it would come to if one were together with a colleague of this name, in words, and nobody else by name."""
    if code == "mine":
        return _("You asked not to be paired with %(name)s. Only you see that, and you can change it.", name=name)
    if code == "instead":
        return _("Then somebody else would be without a partner.")
    if code == "worst":
        return _("Somebody more would be without a partner, or a pair would fit less well than any does now.")
    if code == "total":
        return _("All together would fit less well.")
    return _(
        "It would have been about as good a plan for everybody. A plan can have only one partner for each of you, so "
        "this one was settled by what else mattered, or by lot. If you and %(name)s would like to, invite each other.",
        name=name,
    )


def _topic(key: str, topics: Mapping[str, str]) -> str:
    return f"“{topics.get(key, key)}”"


def _language(code: str) -> str:
    return {"en": _("English"), "ga": _("Irish")}.get(code, code)
