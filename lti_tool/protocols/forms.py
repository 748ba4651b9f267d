"""The forms in which a trainer changes a protocol: what they offer, and what is wrong with what came back, in words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from lti_tool.cycles.conversation_words import kind
from lti_tool.cycles.words import language
from lti_tool.protocols import editing, pages
from lti_tool.protocols.bank import BankPrompt
from lti_tool.protocols.editing import NEW, Body, Problem, Trouble
from lti_tool.protocols.recipe import FORMS, PILLARS, PROMPT_KINDS
from lti_tool.protocols.rules import fingerprint

Options = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StageForm:
    """A stage as its form shows it: values as they are kept, or as they were typed."""

    body: Body
    """Of the whole protocol."""
    stage: Body
    errors: Mapping[str, list[str]]
    """Box → what is wrong there."""

    @property
    def kinds(self) -> Options:
        """Of a prompt."""
        return [(key, kind(key)) for key in PROMPT_KINDS]

    @property
    def guides(self) -> Options:
        """Who is shown a prompt."""
        return [("light", _("with the full and the light guide")), ("full", _("with the full guide only"))]

    @property
    def pillars(self) -> Options:
        """What a prompt is about."""
        return [("", _("nothing in particular")), *((key, pages.pillar(key)) for key in PILLARS)]

    @property
    def speakers(self) -> Options:
        """Who speaks in a step."""
        return [(key, pages.speaks(key)) for key in (*editing.roles_of(self.body), "all", "")]

    @property
    def writers(self) -> Options:
        """Who can write in a new field."""
        return [(key, pages.writes(key)) for key in editing.writers_of(self.body, self.stage)]

    @property
    def has_steps(self) -> bool:
        """Whether it can be led through step by step."""
        return editing.may_have_steps(self.stage)

    @property
    def minutes_of_steps(self) -> int:
        """What its steps take together; 0 while one of them says no number."""
        found = [step.get("minutes", 0) for step in self.stage.get("steps") or []]
        return sum(found) if all(isinstance(each, int) for each in found) else 0

    def audiences(self, field: Body) -> Options:
        """Who can see a field; one where there is nothing to choose."""
        keys = editing.audiences_of(self.body, self.stage, field)
        return [(key, pages.audience(key, field["by"])) for key in keys]

    def audience(self, field: Body) -> str:
        """Who sees a field now."""
        return editing.audience_of(field)

    def may_go(self, field: Body) -> bool:
        """Whether a field can be removed."""
        return not editing.is_signed(self.stage, field["key"])

    def writes(self, field: Body) -> str:
        """Who writes a field."""
        return pages.writes(field["by"])

    def is_wrong(self, box: str) -> bool:
        """Whether something is to be corrected in a row: in its own boxes, or in those of a row within it."""
        return any(each == box or each.startswith((f"{box}-", f"{box}p", f"{box}c")) for each in self.errors)


def id_of(each: BankPrompt) -> str:
    """What a prompt of the bank is called in a form."""
    return fingerprint(each.prompt.text.en)


def bank_choices() -> list[tuple[str, str, Options]]:
    """(tag, label, options) by which prompts of the bank can be found; an empty value is no condition."""
    everywhere = [("", _("any"))]
    return [
        (
            "place",
            _("Where it helps"),
            [
                *everywhere,
                ("start", _("Getting started")),
                ("before", _("Conversation before")),
                ("visit", _("Visit")),
                ("after", _("Conversation after")),
                ("reflect", _("Reflection")),
            ],
        ),
        ("kind", _("What it asks for"), [*everywhere, *((key, kind(key)) for key in PROMPT_KINDS)]),
        ("pillar", _("About"), [*everywhere, *((key, pages.pillar(key)) for key in PILLARS)]),
        ("guide", _("Shown"), [*everywhere, ("light", _("with every guide")), ("full", _("with the full guide only"))]),
    ]


def forms_of_learning() -> Options:
    """What a protocol can be labelled as (R40)."""
    return [(key, pages.form(key)) for key in FORMS]


def say(words: Any) -> str:
    """A text of a draft in the language of the page."""
    return str((words or {}).get("ga" if language() == "ga" else "en") or "")


def placed(found: Iterable[Trouble], stage: str) -> dict[str, list[str]]:
    """Box → sentences, of what is wrong in one stage, or in the head."""
    by_box: dict[str, list[str]] = {}
    for each in found:
        if each.stage == stage and each.box:
            by_box.setdefault(each.box, []).append(told(each))
    return by_box


def listed(found: Iterable[Trouble], body: Body, stage: str) -> list[tuple[str, str]]:
    """(id of the box or empty, sentence) of all that is wrong, for the summary above the form of a stage."""
    titles = {each["key"]: say(each["title"]) for each in body["stages"]}
    return [
        (
            target(each.box),
            _("%(box)s: %(problem)s", box=name, problem=told(each)) if (name := named(each.box)) else told(each),
        )
        if each.stage == stage
        else ("", _("In “%(stage)s”: %(problem)s", stage=titles[each.stage], problem=told(each)))
        if each.stage
        else ("", told(each))
        for each in found
    ]


def named(box: str) -> str:
    """What a box is called, for those who read the summary; empty for the whole."""
    asked = _PLACE.fullmatch(box)
    if not asked:
        return {
            "title": _("Name"),
            "summary": _("Summary"),
            "source": _("Where it comes from"),
            "short": _("In one word, for the picture"),
            "minutes": _("Minutes"),
        }.get(box, _("What it is for") if box == "purpose" or box.startswith("at-") else "")
    rows = [
        (_row(letter), _("new") if number == NEW else str(int(number) + 1))
        for letter, number in zip(asked.groups()[::2], asked.groups()[1::2], strict=True)
        if letter
    ]
    return ", ".join(f"{name} {number}" for name, number in rows)


_PLACE = re.compile(r"([spfag])([0-9]+|new)(?:([pc])([0-9]+|new))?(?:-.+)?")


def _row(letter: str) -> str:
    return {
        "s": _("Step"),
        "p": _("Question"),
        "f": _("Text"),
        "c": _("Answer"),
        "a": _("What all say yes to"),
        "g": _("Heading"),
    }[letter]


def target(box: str) -> str:
    """Id of the first input that a problem is about."""
    if not box or box.endswith("minutes"):
        return box
    row, _sep, part = box.partition("-")
    if not part:
        part = {"s": "title-", "f": "label-", "a": "text-", "g": "title-"}.get(row.rstrip("0123456789new")[-1:], "")
        part = "" if row in ("title", "short", "purpose", "summary", "source") or "c" in row else part
        return f"text-{row}-{part}en"
    return f"text-{box}-en"


def told(trouble: Trouble) -> str:
    """One thing to correct, in a sentence."""
    of = trouble.of
    match trouble.problem:
        case Problem.EMPTY:
            return _("Write a text here, in one language at least.")
        case Problem.LONG:
            most, _sep, now = of.partition(" ")
            return _("This text can have %(most)s characters; it has %(now)s.", most=most, now=now)
        case Problem.NO_NUMBER:
            return _("Write the minutes as a whole number from 0 to %(most)s.", most=of)
        case Problem.STEPS_LONGER:
            takes, _sep, has = of.partition(" ")
            return _(
                "The steps take %(takes)s minutes, and the stage has %(has)s. Give it more, or shorten a step.",
                takes=takes,
                has=has,
            )
        case Problem.NO_BELIEF:
            return _(
                "A conversation asks about beliefs at least once. Keep such a question, or add one: “%(kind)s”.",
                kind=kind("belief"),
            )
        case Problem.TOO_MANY:
            return _("There can be %(most)s at most. Remove some.", most=of)
        case Problem.CHOICES:
            return _("There are from 2 to %(most)s answers to choose from.", most=of)
        case Problem.TOO_LARGE:
            return _("The protocol has grown too large to be read. Remove or shorten something.")
        case Problem.SHOWN_BEFORE:
            stage, label, written = of.split("\n")
            return _(
                "“%(stage)s” rests on “%(label)s”, which is written in “%(written)s”: that one comes first.",
                stage=stage,
                label=label,
                written=written,
            )
        case Problem.NEEDED:
            return _("The reflection stays at the end, and what holds between people at the beginning.")
        case Problem.NEVER_OPENS:
            return _("This text would open at a moment that never comes. Let its author alone see it, or remove it.")
        case Problem.ONLY_ADVICE:
            return _("Keep a step that comes before anybody asks for advice.")
        case Problem.LADDER:
            return _(
                "Some stages are there only for pairs who go further. Between the first and the last of these there "
                "has to be a stage for all pairs."
            )
        case Problem.EMPTY_END:
            return _("Keep a text to write in.")
        case Problem.UNSIGNED:
            return _("Getting started ends when all have signed. Keep the text that they sign.")
        case Problem.OTHER:
            return of
