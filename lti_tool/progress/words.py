"""The words of nudges, and of what has become of one."""

from flask_babel import gettext as _

from lti_tool.progress.rules import NudgeKind


def nudge(kind: NudgeKind, *, in_group: bool = False) -> str:
    """What a nudge says: the same to everybody who is sent one, and never a date or a reason.

    `in_group`: in an activity where teachers form groups.
    """
    if in_group and kind is NudgeKind.STALLED:
        return str(
            _(
                "The cycle of your group has been at the same step for a while. There is no date to keep. Go on when "
                "it suits you all; you can also pause or leave, without giving a reason."
            )
        )
    if in_group:
        return str(
            _(
                "If you would like to think about teaching with colleagues here, this page shows the groups there are. "
                "There is no date to keep, and nothing to explain if you would rather not."
            )
        )
    if kind is NudgeKind.STALLED:
        return str(
            _(
                "Your cycle has been at the same step for a while. There is no date to keep. Go on when it suits you "
                "both; you can also pause or change partner, without giving a reason."
            )
        )
    return str(
        _(
            "If you would like to coach with a colleague here, this page shows how it begins. There is no date to "
            "keep, and nothing to explain if you would rather not."
        )
    )


def told(code: str) -> str:
    """One sentence on what has just happened, for a code that the page was sent on with; empty for any other."""
    if not code:
        return ""
    sentences = {
        "sent": _("It is sent. They read it when they next open this activity."),
        "none": _("Nothing was sent: they had one in the last seven days, or things have moved on meanwhile."),
    }
    return str(sentences.get(code, ""))


def who_can_see_health(*, is_trainer: bool) -> str:
    """The sentence of the page on how an activity is going."""
    if is_trainer:
        return str(
            _(
                "You see steps and dates, and no words but passages that teachers share with the trainers. Goals, "
                "notes and reflections are sealed for their owners. "
                "Facilitators see this page without who submitted. School leaders see none of it."
            )
        )
    return str(
        _(
            "Seen by the trainer and the facilitators of this activity. You see steps and dates, never words, and not "
            "who submitted. School leaders see none of it."
        )
    )
