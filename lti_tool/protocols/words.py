"""What is different between two versions of a protocol, in sentences."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from lti_tool.cycles.conversation_words import kind
from lti_tool.cycles.words import into
from lti_tool.protocols import pages
from lti_tool.protocols.difference import Change
from lti_tool.protocols.recipe import Words


@dataclass(frozen=True, slots=True)
class Sentence:
    """One change as a page says it."""

    where: str
    """Titles of what it stands in, the outermost first; empty for the whole protocol."""
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


def sentences(changes: Iterable[Change]) -> list[Sentence]:
    """One sentence for each change."""
    return [sentence(each) for each in changes]


def sentence(change: Change) -> Sentence:
    """A change, in the language of the page."""
    within = change.within
    if change.verb != "changed":
        return Sentence(_path(within), _WENT[change.part, change.verb](change))
    if change.part in ("stage", "step", "field", "group"):
        # The others are named in the sentence: they have no short title to lead there.
        within = (*within, change.name)
    said = _CHANGED.get((change.part, change.attribute)) or _CHANGED["", change.attribute]
    return Sentence(_path(within), said(change))


def _path(titles: Iterable[Words]) -> str:
    return " › ".join(into(each) for each in titles)


# What came, went and moved


def _name(change: Change) -> str:
    return into(change.name)


def _behind(change: Change) -> str:
    """Where something stands now that moved."""
    if change.attribute == "within":
        return _("It used to stand in “%(old)s”.", old=_path(change.old))
    if change.new is None:
        return _("It comes first now.")
    return _("It comes after “%(other)s” now.", other=into(change.new))


_WENT: dict[tuple[str, str], Callable[[Change], str]] = {
    ("stage", "added"): lambda c: _("The stage “%(name)s” is new.", name=_name(c)),
    ("stage", "removed"): lambda c: _("The stage “%(name)s” was taken out.", name=_name(c)),
    ("stage", "moved"): lambda c: _("The stage “%(name)s” was moved. %(where)s", name=_name(c), where=_behind(c)),
    ("step", "added"): lambda c: _("The step “%(name)s” is new.", name=_name(c)),
    ("step", "removed"): lambda c: _("The step “%(name)s” was taken out.", name=_name(c)),
    ("step", "moved"): lambda c: _("The step “%(name)s” was moved. %(where)s", name=_name(c), where=_behind(c)),
    ("prompt", "added"): lambda c: _("The prompt “%(name)s” is new.", name=_name(c)),
    ("prompt", "removed"): lambda c: _("The prompt “%(name)s” was taken out.", name=_name(c)),
    ("prompt", "moved"): lambda c: _("The prompt “%(name)s” was moved. %(where)s", name=_name(c), where=_behind(c)),
    ("statement", "added"): lambda c: _("All read here now: “%(name)s”", name=_name(c)),
    ("statement", "removed"): lambda c: _("Nobody reads here any more: “%(name)s”", name=_name(c)),
    ("statement", "moved"): lambda c: _(
        "What all read was moved: “%(name)s” %(where)s", name=_name(c), where=_behind(c)
    ),
    ("field", "added"): lambda c: _("The text “%(name)s” is new.", name=_name(c)),
    ("field", "removed"): lambda c: _("The text “%(name)s” was taken out.", name=_name(c)),
    ("field", "moved"): lambda c: _("The text “%(name)s” was moved. %(where)s", name=_name(c), where=_behind(c)),
    ("choice", "added"): lambda c: _("“%(name)s” can be chosen now.", name=_name(c)),
    ("choice", "removed"): lambda c: _("“%(name)s” can no longer be chosen.", name=_name(c)),
    ("choice", "moved"): lambda c: _("The choice “%(name)s” was moved. %(where)s", name=_name(c), where=_behind(c)),
    ("agreement", "added"): lambda c: _("All agree now: “%(name)s”", name=_name(c)),
    ("agreement", "removed"): lambda c: _("Nobody is asked any more to agree: “%(name)s”", name=_name(c)),
    ("agreement", "moved"): lambda c: _(
        "What all agree to was moved: “%(name)s” %(where)s", name=_name(c), where=_behind(c)
    ),
    ("group", "added"): lambda c: _("The heading “%(name)s” is new.", name=_name(c)),
    ("group", "removed"): lambda c: _("The heading “%(name)s” was taken out.", name=_name(c)),
    ("group", "moved"): lambda c: _("The heading “%(name)s” was moved. %(where)s", name=_name(c), where=_behind(c)),
}


# What was changed


def _called(change: Change) -> str:
    if into(change.old) == into(change.new):
        return _other_language()
    return _("It is called “%(new)s” now; before, it was “%(old)s”.", old=into(change.old), new=into(change.new))


def _other_language() -> str:
    return _("Its wording was changed in the other language.")


def _worded(said: Callable[[str, str], str]) -> Callable[[Change], str]:
    """A sentence of `said(old, new)` about a text that may be empty, or changed in the other language only."""

    def of(change: Change) -> str:
        if into(change.old) == into(change.new):
            return _other_language()
        return said(*(_quoted(each) if into(each) else _nothing() for each in (change.old, change.new)))

    return of


def _nothing() -> str:
    return _("nothing")


def _minutes(change: Change) -> str:
    if not change.new:
        return _("It takes as long as it takes now; before, it took %(old)s minutes.", old=change.old)
    if not change.old:
        return _("It takes %(new)s minutes now; before, no time was said.", new=change.new)
    return _("It takes %(new)s minutes now; before, it took %(old)s.", old=change.old, new=change.new)


def _list(these: Iterable[Any], name: Callable[[Any], str]) -> str:
    return ", ".join(name(each) for each in these) or _nothing()


def _quoted(words: Words) -> str:
    return f"“{into(words)}”"


def _role(key: str | None) -> str:
    return pages.role(key) if key else _("nobody")


def _speaks(key: str) -> str:
    return pages.speaks(key)


def _meeting(key: str) -> str:
    return {
        "before": _("the conversation before"),
        "visit": _("the visit"),
        "after": _("the conversation after"),
        "work": _("the work together"),
    }[key]


def _gate(gate: tuple[str, Any]) -> str:
    needs, of = gate
    if needs == "meeting":
        return _("a time for %(meeting)s", meeting=_meeting(of))
    if needs == "first_turn":
        return _("the first turn of %(role)s", role=_role(of))
    text = _quoted(of) if isinstance(of, Words) else str(of)
    return _("the agreement %(text)s", text=text) if needs == "agreement" else _("the text %(text)s", text=text)


def _stage_kind(key: str) -> str:
    return {
        "start": _("getting started together"),
        "conversation": _("a conversation"),
        "visit": _("a visit"),
        "work": _("work together without a visit"),
        "reflection": _("a reflection"),
    }[key]


def _from_step(change: Change) -> str:
    return {
        "look": _("It is there for every pair now."),
        "data": _("It is there now for pairs who note something, and for those who go further."),
        "talk": _("It is there now for pairs who talk about what was noted, and for those who go further."),
        "full": _("It is there now only for pairs who go the whole way."),
    }[change.new]


def _pillar(change: Change) -> str:
    was, now = pages.pillar(change.old), pages.pillar(change.new)
    if not now:
        return _("The prompt “%(name)s” is no longer about %(old)s.", name=_name(change), old=was)
    if not was:
        return _("The prompt “%(name)s” is now about %(new)s.", name=_name(change), new=now)
    return _("The prompt “%(name)s” is now about %(new)s, not %(old)s.", name=_name(change), new=now, old=was)


_CHANGED: dict[tuple[str, str], Callable[[Change], str]] = {
    # Of every part that has it
    ("", "title"): _called,
    ("", "label"): _called,
    ("", "minutes"): _minutes,
    ("", "from_step"): _from_step,
    ("", "first_turn"): lambda c: _(
        "The first turn is that of %(new)s now; before, of %(old)s.", new=_role(c.new), old=_role(c.old)
    ),
    ("", "text"): _worded(
        lambda old, new: _("The explanation is now: %(new)s Before: %(old)s", old=old, new=new),
    ),
    # Of the whole
    ("protocol", "title"): _worded(
        lambda old, new: _("The protocol is called %(new)s now; before, it was %(old)s.", old=old, new=new)
    ),
    ("protocol", "summary"): _worded(
        lambda old, new: _("The summary is now: %(new)s Before: %(old)s", old=old, new=new)
    ),
    ("protocol", "source"): _worded(
        lambda old, new: _("The source note is now: %(new)s Before: %(old)s", old=old, new=new)
    ),
    ("protocol", "family"): _worded(
        lambda old, new: _("The family it follows is now: %(new)s. Before: %(old)s.", old=old, new=new)
    ),
    ("protocol", "drafts"): lambda c: (
        _("The wording in Irish is marked as a draft now.")
        if "ga" in c.new
        else _("The wording in Irish is no longer marked as a draft.")
        if "ga" in c.old
        else _("Which wording is marked as a draft was changed.")
    ),
    ("protocol", "alone"): lambda c: (
        _("One teacher follows it alone now.") if c.new else _("It is no longer for one teacher alone.")
    ),
    ("protocol", "form"): lambda c: _(
        "It belongs to “%(new)s” now; before, to “%(old)s”.", new=pages.form(c.new), old=pages.form(c.old)
    ),
    ("protocol", "least"): lambda c: _("It needs at least %(new)s people now; before, %(old)s.", new=c.new, old=c.old),
    ("protocol", "most"): lambda c: _("It has room for %(new)s people now; before, for %(old)s.", new=c.new, old=c.old),
    ("protocol", "roles"): lambda c: _(
        "The roles are now: %(new)s. Before: %(old)s.", new=_list(c.new, _role), old=_list(c.old, _role)
    ),
    # Of a stage
    ("stage", "kind"): lambda c: _(
        "It is %(new)s now; before, %(old)s.", new=_stage_kind(c.new), old=_stage_kind(c.old)
    ),
    ("stage", "short"): _worded(
        lambda old, new: _("In the picture it is called %(new)s now; before, %(old)s.", old=old, new=new)
    ),
    ("stage", "purpose"): _worded(
        lambda old, new: _("What it is for is now: %(new)s Before: %(old)s", old=old, new=new)
    ),
    ("stage", "purpose_at"): lambda c: _("What it is for is said in other words to pairs who go less far."),
    ("stage", "first_cycle_only"): lambda c: (
        _("It is part of a pair’s first cycle only now.") if c.new else _("It is part of every cycle now.")
    ),
    ("stage", "speaks_first"): lambda c: _(
        "%(new)s speaks first now; before, %(old)s.", new=_role(c.new).capitalize(), old=_role(c.old)
    ),
    ("stage", "leads"): lambda c: _(
        "%(new)s leads now; before, %(old)s.", new=_role(c.new).capitalize(), old=_role(c.old)
    ),
    ("stage", "meetings"): lambda c: _(
        "Times are agreed for: %(new)s. Before: %(old)s.", new=_list(c.new, _meeting), old=_list(c.old, _meeting)
    ),
    ("stage", "shows"): lambda c: _(
        "Shown again to read: %(new)s. Before: %(old)s.", new=_list(c.new, _quoted), old=_list(c.old, _quoted)
    ),
    ("stage", "recalls"): lambda c: _(
        "Shown from the cycle before: %(new)s. Before: %(old)s.", new=_list(c.new, _quoted), old=_list(c.old, _quoted)
    ),
    ("stage", "gates"): lambda c: _(
        "What must be there before it is done: %(new)s. Before: %(old)s.",
        new=_list(c.new, _gate),
        old=_list(c.old, _gate),
    ),
    ("stage", "advice"): lambda c: (
        _("The host can ask for advice in it now.") if c.new else _("There is no advice in it any more.")
    ),
    # Of a step
    ("step", "speaks"): lambda c: _("Now: %(new)s; before: %(old)s.", new=_speaks(c.new), old=_speaks(c.old)),
    ("step", "quiet"): lambda c: _("It is quiet time now.") if c.new else _("It is no longer quiet time."),
    ("step", "fields"): lambda c: _(
        "Written in it: %(new)s. Before: %(old)s.", new=_list(c.new, _quoted), old=_list(c.old, _quoted)
    ),
    ("step", "first_turn"): lambda c: (
        _("The first turn is done when this step is left now.")
        if c.new
        else _("The first turn is no longer done when this step is left.")
    ),
    ("step", "advice"): lambda c: (
        _("It is there only when the host asked for advice now.")
        if c.new
        else _("It is there without being asked for now.")
    ),
    # Of a prompt
    ("prompt", "text"): _worded(lambda old, new: _("A prompt is now: %(new)s Before: %(old)s", old=old, new=new)),
    ("prompt", "kind"): lambda c: _(
        "The prompt “%(name)s” is now of the kind “%(new)s”; before, of “%(old)s”.",
        name=_name(c),
        new=kind(c.new),
        old=kind(c.old),
    ),
    ("prompt", "guide"): lambda c: (
        _("The prompt “%(name)s” is now shown with the full guide only.", name=_name(c))
        if c.new == "full"
        else _("The prompt “%(name)s” is now shown with the light guide too.", name=_name(c))
    ),
    ("prompt", "pillar"): _pillar,
    ("statement", "text"): _worded(lambda old, new: _("All read now: %(new)s Before: %(old)s", old=old, new=new)),
    # Of a text
    ("field", "help"): _worded(
        lambda old, new: _("The line below it is now: %(new)s Before: %(old)s", old=old, new=new)
    ),
    ("field", "by"): lambda c: _("%(new)s Before: %(old)s", new=pages.writes(c.new), old=pages.writes(c.old)),
    ("field", "seen"): lambda c: (
        _("It is seen by all members of the cycle now; before, by nobody but the one who wrote it.")
        if c.new == "pair"
        else _("It is seen by nobody but the one who wrote it now; before, by all members of the cycle.")
    ),
    ("field", "opens"): lambda c: {
        "": _("It is open to all who may see it at once now."),
        "visit_done": _("It opens to the others once the visit is over now."),
        "first_turn_done": _("It opens to the others once the first turn is done now."),
        "advice_asked": _("It opens to the others once the host asked for advice now."),
    }[c.new or ""],
    ("field", "max_length"): lambda c: _(
        "It has room for %(new)s characters now; before, for %(old)s.", new=c.new, old=c.old
    ),
    ("field", "rows"): lambda c: _("Its box shows %(new)s lines now; before, %(old)s.", new=c.new, old=c.old),
    ("field", "group"): lambda c: _("It stands under another heading now."),
    ("field", "raw"): lambda c: (
        _("It is deleted some time after the conversation after now.")
        if c.new
        else _("It is kept as long as the cycle now.")
    ),
    ("field", "several"): lambda c: (
        _("More than one choice can be made now.") if c.new else _("One choice can be made now.")
    ),
    ("field", "starters"): lambda c: (
        _("Small strategies to start from are offered beside it now.")
        if c.new
        else _("No strategies are offered beside it any more.")
    ),
    ("field", "rests_on"): lambda c: (
        _("Each line of it can point at “%(label)s” now.", label=into(c.new))
        if c.new
        else _("Its lines no longer point at “%(label)s”.", label=into(c.old))
    ),
    ("choice", "text"): _worded(lambda old, new: _("A choice is now: %(new)s Before: %(old)s", old=old, new=new)),
    ("agreement", "text"): _worded(lambda old, new: _("All agree now: %(new)s Before: %(old)s", old=old, new=new)),
    ("agreement", "button"): _worded(
        lambda old, new: _("Its button says %(new)s now; before, %(old)s.", old=old, new=new)
    ),
    ("agreement", "fields"): lambda c: _(
        "What all agree on is now: %(new)s. Before: %(old)s.", new=_list(c.new, _quoted), old=_list(c.old, _quoted)
    ),
}
