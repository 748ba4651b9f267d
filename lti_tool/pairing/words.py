"""The words of pairing: what a code of the rules means to the person who reads it."""

from flask_babel import gettext as _

from lti_tool.pairing.rules import Refusal
from lti_tool.people.rules import Colleague
from lti_tool.protocols.recipe import STEPS
from lti_tool.web.errors import PageError


def name_of(colleague: Colleague) -> str:
    """A colleague's name, or what stands for it where the LMS withholds names."""
    return colleague.name or somebody()


def somebody() -> str:
    """What stands for a name that the LMS withholds."""
    return str(_("A colleague whose name the LMS does not give"))


def refused(reason: Refusal) -> PageError:
    """The page that says why something about a pair cannot be done now, and what can."""
    if reason is Refusal.TOO_MANY:
        return PageError(
            409,
            _("Three invitations are waiting"),
            _("You can have three invitations open at once, so that nobody waits for an answer without need."),
            _("Wait for an answer, or take one of them back, and then invite again."),
            reason="too many invitations",
        )
    if reason is Refusal.IN_PAIR:
        return PageError(
            409,
            _("You have a partner now"),
            _("A teacher coaches with one partner at a time in an activity."),
            _("You can say yes when your present pair has ended, or when you have paused it."),
            reason="in a pair",
        )
    if reason is Refusal.NOT_A_COLLEAGUE:
        return PageError(
            404,
            _("There is nothing here"),
            _("The page does not exist, or it is not yours to see."),
            _("Go back and choose a colleague from the list."),
            reason="not a colleague",
        )
    return PageError(
        409,
        _("This invitation is no longer open"),
        _("It was taken back, or its two weeks are over."),
        _("You can invite a colleague yourself."),
        reason="invitation not open",
    )


def closed(sentence: str = "") -> PageError:
    """The page that says that nothing new begins in an activity any more; `sentence`: why, if for another reason."""
    return PageError(
        409,
        sentence or closed_sentence(),
        _("What runs here goes on: you can finish it, and read what is yours."),
        _("Go back to your next step. If something new should begin, ask the trainer of the activity."),
        reason="closed for new beginnings",
    )


def closed_sentence() -> str:
    """What the pages of an archived activity say."""
    return str(_("This activity is closed for new beginnings."))


def steps() -> list[tuple[str, str, str]]:
    """How far a pair can go: (step, what it is called, what it means), the least first."""
    said = {
        "look": (
            _("Look only"),
            _("One visits the other's lesson. Nothing is noted, and no talk about it is owed."),
        ),
        "data": (
            _("Data only"),
            _("The coach notes what the host asked for and hands it over. No talk about it is owed."),
        ),
        "talk": (
            _("Data and conversation"),
            _("You also talk before and after the lesson. The coach asks no questions of their own."),
        ),
        "full": (
            _("Full coaching"),
            _("All of it: the coach's own questions, and next steps that you choose together."),
        ),
    }
    return [(step, *said[step]) for step in STEPS]


def step_title(step: str) -> str:
    """What a step is called."""
    return next(title for key, title, _text in steps() if key == step)


def told(code: str) -> str:
    """One sentence on what has just happened, for a code that a page was sent on with; empty for any other."""
    if not code:  # what a page mostly comes without
        return ""
    sentences = {
        "invited": _("Your invitation is sent. Your colleague sees it when they open this activity."),
        "withdrawn": _("Your invitation is taken back."),
        "declined": _("The invitation is gone from your page. Nobody is told."),
        "paused": _("Your pair is paused. The trainer sees only that you have no running pair now, and never why."),
        "resumed": _("You go on together."),
        "how_far": _("Kept. Nobody is told."),
        "rhythm": _("Kept. Both of you see it, and nobody else."),
        "shorter": _("In this cycle you two go less far than the page that you had open. What you typed is kept."),
        "ended": _("Your pair has ended. Nobody is told why. What you wrote stays yours."),
    }
    return str(sentences.get(code, ""))
