"""What the pages say on which instruments are built and kept."""

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.cycles import words as cycles
from lti_tool.observation.building import Change
from lti_tool.observation.instrument import KINDS, Instrument, letters
from lti_tool.web.languages import listed

GROUPS = (
    ("taking_part", ("at_task_sweep", "verbal_flow", "participation_spread")),
    ("talk", ("scripting", "selective_verbatim", "question_level", "wait_time")),
    ("room", ("class_traffic", "interval_codes", "tally")),
    ("pupils", ("case_pupils", "anecdotal", "student_voice")),
    ("own", ("checklist",)),
)
"""Keys of the shipped instruments in the groups in which they are offered; a further one comes with the last."""


def group(key: str) -> str:
    """The heading of a group of instruments."""
    return {
        "taking_part": _("Who takes part, and what pupils are doing"),
        "talk": _("What is said and asked"),
        "room": _("What goes on in the room"),
        "pupils": _("Single pupils and moments"),
        "own": _("Your own list"),
    }[key]


def lasting(seconds: int) -> str:
    """A length of time, in whole minutes where it is some."""
    if seconds % 60:
        return ngettext("%(num)s second", "%(num)s seconds", seconds)
    return ngettext("%(num)s minute", "%(num)s minutes", seconds // 60)


def part(key: str) -> str:
    """A part of an instrument, in the middle of a sentence."""
    return {
        "name": _("the name"),
        "codes": _("the codes"),
        "rows": _("the lines"),
        "interval_s": _("the interval"),
        "plan": _("the plan of the room"),
        "options": _("what is agreed"),
    }[key]


def rows(kind: str) -> str:
    """What the rows of a kind of instrument are."""
    if kind == "predicted":
        return _("Pupils, each under an alias")
    return _("Questions") if kind == "voices" else _("Lines")


def option(key: str) -> str:
    """What the two say with an option."""
    return {"agreed": _("The school’s policy allows it, and those who have to have agreed.")}[key]


def layout(key: str) -> str:
    """A way in which seats are put."""
    return {
        "rows": _("Single tables in rows"),
        "pairs": _("Rows in pairs"),
        "groups": _("Groups of four"),
        "horseshoe": _("A horseshoe"),
        "room": _("A room without seats"),
    }[key]


def change(found: Change, *, is_first: bool, is_me: bool) -> str:
    """Who changed what."""
    who = _("You") if is_me else found.name or _("your partner")
    if is_first:
        return _("%(name)s began it", name=who)
    if not found.parts:
        return _("%(name)s saved it", name=who)
    return _("%(name)s changed %(parts)s", name=who, parts=listed([part(each) for each in found.parts]))


def described(made: Instrument) -> list[tuple[str, str, list[str]]]:
    """(Part, heading, lines) of an instrument, to read; without its plan, which is drawn."""
    kind, by = KINDS[made.kind], letters(made.codes)
    found = [("name", _("Name"), [made.name])]
    if made.codes:
        found.append(("codes", _("Codes"), [f"{by[each.key]} {each.text}" for each in made.codes]))
    if made.rows:
        lines = [
            _("%(alias)s. What is expected: %(expected)s", alias=each.text, expected=each.expected or "…")
            if kind.expects
            else each.text
            for each in made.rows
        ]
        found.append(("rows", rows(made.kind), lines))
    if kind.interval_s[1]:
        found.append(("interval_s", _("Interval"), [lasting(made.interval_s)]))
    if kind.options:
        agreed = [option(each) for each in made.options]
        found.append(("options", _("What is agreed"), agreed or [_("Nothing yet.")]))
    return found


def who(names: list[str]) -> str:
    """Who can see the pages on which an instrument is built."""
    if not names:
        return _("Seen by you only.")
    return _("Seen by you and %(name)s only. The trainer sees nothing of it.", name=listed(names))


def heard() -> list[str]:
    """Sentences that could be heard in a lesson, for examples."""
    return [
        _("Why do you think so?"),
        _("I drew it first."),
        _("Both halves are the same."),
        _("Tell the person beside you."),
        _("Could it be done another way?"),
    ]


def stamp(found: Change) -> str:
    """When it was."""
    return cycles.stamp(found.at)
