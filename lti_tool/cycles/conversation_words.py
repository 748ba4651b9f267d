"""What a guided conversation says to the person who holds it, in their language."""

from dataclasses import dataclass

from flask_babel import gettext as _

from lti_tool.cycles import conversation_rules as talks
from lti_tool.cycles import rules, words
from lti_tool.cycles.conversation_rules import Talk
from lti_tool.cycles.rules import Cycle, Member
from lti_tool.privacy.rules import Action, AdviceFacts, may
from lti_tool.protocols.recipe import Stage, Step
from lti_tool.web.context import actor
from lti_tool.web.languages import listed


def own_name(cycle: Cycle, member: Member) -> str:
    """The name of anybody in the cycle, also of who reads it: on a device that is passed on, there is no “you”."""
    if member is cycle.me:
        return member.given_name or _("You")
    return words.name(member)


def turn(cycle: Cycle, step: Step, talk: Talk) -> str:
    """Whose turn it is, by name."""
    speak = talks.speakers(cycle, step)
    if not speak:
        return _("Quiet time")
    others = [each for each in cycle.members if not each.is_gone and each not in speak]
    if not others:
        if talk.device == "one":
            return listed([own_name(cycle, each) for each in speak])
        return _("Both of you") if len(speak) == 2 else _("All of you")
    if talk.device == "two" and cycle.me in speak:
        if len(speak) > 1:
            with_me = listed([words.name(each) for each in speak if each is not cycle.me])
            return _("You speak, and %(names)s", names=with_me)
        listens = words.name(others[0]) if len(others) == 1 else ""
        return _("You speak · %(name)s listens", name=listens) if listens else _("You speak · the others listen")
    names = [own_name(cycle, each) for each in speak]
    if len(names) > 1:
        return _("%(names)s speak", names=listed(names))
    if talk.device == "two":
        return _("%(name)s speaks · you listen", name=names[0])
    if len(others) == 1:
        return _("%(name)s speaks · %(other)s listens", name=names[0], other=own_name(cycle, others[0]))
    return _("%(name)s speaks · the others listen", name=names[0])


def led_by(cycle: Cycle, stage: Stage, talk: Talk | None = None) -> str:
    """Who leads through it: exactly one, said to all (R46)."""
    leader = talks.leader(cycle, stage)
    if leader is cycle.me and (talk is None or talk.device == "two"):
        return _("led by you")
    return _("led by %(name)s", name=own_name(cycle, leader))


def minutes(count: int) -> str:
    """How long something takes."""
    return _("1 minute") if count == 1 else _("%(count)s minutes", count=count)


def kind(of: str) -> str:
    """What a kind of prompt asks for (recipe.PROMPT_KINDS)."""
    said = {
        "belief": _("What you believe"),
        "intention": _("What you intend"),
        "evidence": _("What you see or hear"),
        "cause": _("What brought it about"),
        "new_learning": _("What is new to you"),
        "next_step": _("What comes next"),
        "clarifying": _("To understand"),
        "probing": _("To think further"),
        "paraphrase": _("To say it back"),
        "data": _("What was noted"),
        "prediction": _("What you expect"),
        "transfer": _("Where else it counts"),
        "process": _("How you work together"),
        "acknowledge": _("To take in what was said"),
        "advice": _("A suggestion, if it was asked for"),
    }
    return str(said.get(of, ""))


def guide(of: str) -> str:
    """The three amounts of prompts (R39)."""
    return {"full": _("All prompts"), "light": _("A few prompts"), "blank": _("No prompts")}[of]


@dataclass(frozen=True, slots=True)
class Advice:
    """What a page says about advice, and whether its reader can ask for it."""

    text: str
    may_ask: bool


def advice(cycle: Cycle, stage: Stage, talk: Talk) -> Advice | None:
    """What is said about advice; None where a stage is not about advice at all."""
    if not stage.advice:
        return None
    host = words.name(cycle.host)
    is_host = cycle.me.role == "host"
    if rules.advice_asked(cycle, stage):
        return Advice(
            _("You have asked for a suggestion.") if is_host else _("%(name)s would like a suggestion.", name=host),
            False,
        )
    can = talks.is_open(cycle, stage) and may(
        actor(), Action.ASK_ADVICE, AdviceFacts(cycle.facts, talk.device == "one")
    )
    if is_host:
        return Advice(_("A suggestion comes only if you ask for one."), can)
    return Advice(_("Ask, and give no advice unless %(name)s asks for it.", name=host), can)
