"""What a protocol says of itself, in the language of the page: how it goes, and who sees what."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.cycles.conversation_words import kind, minutes
from lti_tool.cycles.picture import Arc, arcs
from lti_tool.cycles.words import into
from lti_tool.protocols.recipe import FORMS, Field, Gate, Prompt, Protocol, Stage, Step


@dataclass(frozen=True, slots=True)
class Shelf:
    """Protocols of one form, for the library."""

    title: str
    text: str
    books: tuple["Book", ...]


@dataclass(frozen=True, slots=True)
class Book:
    """A protocol in the library."""

    key: str
    title: str
    summary: str
    family: str
    source: str
    meta: str
    """Who with, and how long."""
    chain: str
    """Its stages in a word each."""
    is_draft: bool


@dataclass(frozen=True, slots=True)
class FieldLines:
    """A text of a stage: what it is for and who sees it."""

    label: str
    help: str
    who: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromptLine:
    """A prompt, with what it asks for."""

    kind: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class StepLines:
    """A step of a stage."""

    title: str
    text: str
    meta: str
    prompts: tuple[PromptLine, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageLines:
    """A stage, all that it holds."""

    key: str
    title: str
    meta: str
    purpose: str
    purposes: tuple[tuple[str, str], ...]
    statements: tuple[str, ...]
    prompts: tuple[PromptLine, ...]
    steps: tuple[StepLines, ...]
    fields: tuple[FieldLines, ...]
    shows: tuple[str, ...]
    recalls: tuple[str, ...]
    agreements: tuple[str, ...]
    gates: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The stages as a ring, with what it says to those who don't see it; for cycles/_picture.html."""

    arcs: list[Arc]
    title: str
    middle: str
    text: str


# The library


def shelves(protocols: Sequence[Protocol]) -> list[Shelf]:
    """Protocols by form; those for one teacher alone last. Each form is labelled as what it is (R40)."""
    alone = tuple(book(each) for each in protocols if each.alone)
    found = [
        Shelf(form(key), _ABOUT_FORM[key]() if key in _ABOUT_FORM else "", books)
        for key in FORMS
        if (books := tuple(book(each) for each in protocols if each.form == key and not each.alone))
    ]
    return [*found, Shelf(_("For one teacher alone"), "", alone)] if alone else found


def book(protocol: Protocol) -> Book:
    """A protocol as the library shows it."""
    return Book(
        key=protocol.key,
        title=into(protocol.title),
        summary=into(protocol.summary),
        family=into(protocol.family),
        source=into(protocol.source),
        meta=meta(protocol),
        chain=" → ".join(into(stage.short) for stage in protocol.stages),
        is_draft="ga" in protocol.drafts,
    )


def form(key: str) -> str:
    """What a protocol is (recipe.FORMS), as a heading."""
    return {
        "coaching": _("Coaching cycles"),
        "share_plan": _("Share and plan"),
        "student_work": _("Looking at pupils’ work"),
        "demonstration": _("Demonstration lessons"),
        "problem_solving": _("Thinking a question through together"),
        "lesson_study": _("Lesson study"),
    }[key]


_ABOUT_FORM = {
    "coaching": lambda: _("One goal, a conversation before and after, and each learns for their own teaching."),
    "share_plan": lambda: _("Learning side by side. It is not coaching, and is not called so."),
    "student_work": lambda: _("A group looks at work of pupils, without names of pupils. It is not coaching."),
    "demonstration": lambda: _("Colleagues come to see something taught. It is not coaching."),
    "problem_solving": lambda: _("A group helps one colleague with a question. It is not coaching."),
    "lesson_study": lambda: _("A group plans one lesson, sees it taught, and learns from it together."),
}


def meta(protocol: Protocol) -> str:
    """For how many people, how many stages, and how long."""
    parts = [people(protocol), ngettext("%(num)s stage", "%(num)s stages", len(protocol.stages))]
    if takes := sum(stage.minutes for stage in protocol.stages if stage.kind != "visit"):
        parts.append(_("about %(minutes)s of talk", minutes=minutes(takes)))
    if any(stage.kind == "visit" for stage in protocol.stages):
        parts.append(_("with a visit"))
    return " · ".join(parts)


def people(protocol: Protocol) -> str:
    """How many follow it together."""
    if protocol.alone:
        return _("one teacher")
    if protocol.least == protocol.most:
        return ngettext("%(num)s teacher", "%(num)s teachers", protocol.most)
    return _("%(least)s to %(most)s teachers", least=protocol.least, most=protocol.most)


# One protocol


def picture(protocol: Protocol) -> Picture:
    """The stages of a protocol, with nobody in them (R83)."""
    titles = [into(stage.title) for stage in protocol.stages]
    return Picture(
        arcs([("done", into(stage.short)) for stage in protocol.stages]),
        _("The stages"),
        "",
        _("One after the other: %(stages)s.", stages=", ".join(titles)),
    )


def stages(protocol: Protocol) -> list[StageLines]:
    """Everything in it, stage by stage."""
    return [_stage(protocol, each) for each in protocol.stages]


def _stage(protocol: Protocol, stage: Stage) -> StageLines:
    in_steps = {key for step in stage.steps for key in step.fields}
    return StageLines(
        key=stage.key,
        title=into(stage.title),
        meta=" · ".join(filter(None, [minutes(stage.minutes) if stage.minutes else "", _led(stage), *_when(stage)])),
        purpose=into(stage.purpose),
        purposes=tuple((_goes(step), into(text)) for step, text in stage.purpose_at),
        statements=tuple(into(each) for each in stage.statements),
        prompts=tuple(prompt(each) for each in stage.prompts),
        steps=tuple(_step(stage, each) for each in stage.steps),
        fields=tuple(
            _field(protocol, each) for each in sorted(stage.fields, key=lambda each: each.key not in in_steps)
        ),
        shows=_labels(protocol, stage.shows),
        recalls=_labels(protocol, stage.recalls),
        agreements=tuple(into(each.text) for each in stage.agreements),
        gates=tuple(_gate(protocol, each) for each in stage.gates),
        notes=tuple(_notes(stage)),
    )


def _led(stage: Stage) -> str:
    return _("led by %(role)s", role=role(stage.leads)) if stage.leads and stage.kind != "visit" else ""


def _when(stage: Stage) -> list[str]:
    return [_("first cycle only")] if stage.first_cycle_only else []


def _goes(step: str) -> str:
    return {
        "look": _("for pairs where one visits and nothing is noted"),
        "data": _("from the step where something is noted"),
        "talk": _("from the step where the pair also talks about it"),
        "full": _("for pairs who go the whole way"),
    }.get(step, "")


def _notes(stage: Stage) -> list[str]:
    found = []
    if stage.from_step != "look":
        found.append(_("There %(when)s.", when=_goes(stage.from_step)))
    if stage.first_turn:
        found.append(_("What opens later opens when %(role)s has had the first turn.", role=role(stage.first_turn)))
    if stage.advice:
        found.append(_("There is advice only when the host asks for it."))
    if stage.kind == "reflection":
        found.append(_("Each submits their reflection when they are ready; submitting again makes a new version."))
    return found


def _step(stage: Stage, step: Step) -> StepLines:
    said = [minutes(step.minutes) if step.minutes else "", speaks(step.speaks)]
    if step.first_turn:
        said.append(_("the first turn"))
    if step.advice:
        said.append(_("only when the host asks"))
    if step.from_step != "look":
        said.append(_goes(step.from_step))
    labels = {each.key: into(each.label) for each in stage.fields}
    return StepLines(
        title=into(step.title),
        text=into(step.text),
        meta=" · ".join(filter(None, said)),
        prompts=tuple(prompt(each) for each in step.prompts),
        fields=tuple(labels[key] for key in step.fields if key in labels),
    )


def speaks(who: str) -> str:
    """Who speaks in a step: a role, all, or nobody."""
    if not who:
        return _("quiet time")
    if who == "member":
        return _("the members and the time keeper speak")
    return _("everybody speaks") if who == "all" else _("%(role)s speaks", role=role(who))


def prompt(each: Prompt) -> PromptLine:
    """A prompt as a list shows it."""
    notes = [
        _("with the full guide only") if each.guide == "full" else "",
        pillar(each.pillar) if each.pillar else "",
    ]
    return PromptLine(kind(each.kind), into(each.text), " · ".join(filter(None, notes)))


def pillar(key: str) -> str:
    """What a prompt is about (recipe.PILLARS)."""
    return {
        "communication": _("communication"),
        "design": _("learning design"),
        "technology": _("technology"),
    }.get(key, "")


def _field(protocol: Protocol, field: Field) -> FieldLines:
    return FieldLines(
        into(field.label),
        into(field.help),
        who(protocol, field),
        tuple(into(each.text) for each in field.choices),
    )


def who(protocol: Protocol, field: Field) -> str:
    """Who writes a text, and who sees it from when on."""
    said = [writes(field.by), audience(field.opens or "pair" if field.seen == "pair" else "author", field.by)]
    if protocol.alone:
        said = [_("Seen by nobody but the one who wrote it.")]
    if field.raw:
        said.append(_("It is deleted some time after the conversation after."))
    if field.from_step != "look":
        said.append(_("There %(when)s.", when=_goes(field.from_step)))
    return " ".join(said)


def writes(by: str) -> str:
    """Who writes a text."""
    if by == "both":
        return _("One text that all write together.")
    if by == "each":
        return _("Each writes their own.")
    return _("Written by %(role)s.", role=role(by))


def audience(key: str, by: str) -> str:
    """Who sees a text: `author`, `pair`, or one of recipe.OPENINGS."""
    return {
        "author": _("Seen by nobody but the one who wrote it."),
        "pair": _("Seen by all members of the cycle."),
        "visit_done": _("Seen by the one who wrote it; by all members once the visit is over."),
        "first_turn_done": _("Seen by the one who wrote it; by all members once the first turn is done."),
        "advice_asked": _("Seen by the one who wrote it; by all members once the host asked for advice."),
    }[key]


def role(key: str) -> str:
    """A role of a cycle, in a sentence."""
    return {
        "host": _("the host"),
        "coach": _("the coach"),
        "observer": _("the observer"),
        "keeper": _("the time keeper"),
        "member": _("a member"),
    }.get(key, key)


def _labels(protocol: Protocol, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(into(found.label) for key in keys if (found := protocol.field(key)))


def _gate(protocol: Protocol, gate: Gate) -> str:
    if gate.needs == "text":
        found = protocol.field(gate.of)
        return _("“%(label)s” is filled in", label=into(found.label) if found else gate.of)
    if gate.needs == "agreement":
        agreed = protocol.agreement(gate.of)
        return _("all have agreed: “%(text)s”", text=into(agreed.text) if agreed else gate.of)
    if gate.needs == "first_turn":
        return _("%(role)s has had the first turn", role=role(gate.of))
    return {
        "before": _("the conversation before has a time"),
        "visit": _("the visit has a time"),
        "after": _("the conversation after has a time"),
        "work": _("the work together has a time"),
    }.get(gate.of, "")
