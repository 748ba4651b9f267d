"""The words of groups: what a code of the rules means to the person who reads it."""

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.groups.rules import KINDS, MAX_ABOUT, MAX_TITLE, About, Problem
from lti_tool.groups.service import GroupLine
from lti_tool.web.languages import listed


def kinds() -> list[tuple[str, str]]:
    """What brings teachers together: (key, words)."""
    said = {"theme": _("A theme"), "book": _("Something to read"), "subject": _("A subject or a class level")}
    return [(key, said[key]) for key in KINDS]


def kind(key: str) -> str:
    """What a kind of group is called."""
    return dict(kinds()).get(key, "")


def title(said: About | None) -> str:
    """The title of a group, or what stands for it where its author took it back for good."""
    return said.title if said else str(_("A group without a name"))


def problem(found: Problem, said: About) -> tuple[str, str]:
    """(id of the box, sentence) on what is wrong."""
    match found:
        case Problem.NO_KIND:
            return "kind-theme", _("Say what brings the group together.")
        case Problem.NO_TITLE:
            return "title", _("Give the group a name.")
        case Problem.LONG_TITLE:
            now = len(said.title)
            return "title", _("The name can have %(most)s characters; it has %(now)s.", most=MAX_TITLE, now=now)
        case Problem.LONG_ABOUT:
            now = len(said.about)
            return "about", _("The sentence can have %(most)s characters; it has %(now)s.", most=MAX_ABOUT, now=now)


def members(line: GroupLine, me: str) -> str:
    """Who is in a group, by name; the reader last."""
    named = [name for member, name in line.members if name and member != me]
    unnamed = sum(1 for member, name in line.members if not name and member != me)
    if unnamed:
        named.append(ngettext("one more colleague", "%(num)s more colleagues", unnamed))
    return listed([*named, _("you")] if line.has(me) else named)


def told(code: str) -> str:
    """One sentence on what has just happened, for a code that a page was sent on with; empty for any other."""
    if not code:
        return ""
    sentences = {
        "founded": _("Your group is there. Colleagues find it in the list of groups, and can join."),
        "joined": _("You are in the group."),
        "full": _("There is no room in this group any more, or you are in another one."),
        "left": _("You have left the group. Nobody is told why. What you wrote stays yours."),
        "about": _("Kept."),
        "turn": _("It could not begin just now: look who is there, and whose turn it is."),
        "group_paused": _("You pause. The group goes on without you until you are back; nobody is asked why."),
        "group_resumed": _("You are back. The next cycle counts on you."),
    }
    return str(sentences.get(code, ""))
