"""What the page of a guided conversation shows, and the sheets for paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.cycles import conversation as service
from lti_tool.cycles import conversation_rules as talks
from lti_tool.cycles import conversation_words as said
from lti_tool.cycles import pages, rules, words
from lti_tool.cycles.conversation_rules import Talk
from lti_tool.cycles.fields import FieldView
from lti_tool.cycles.pages import Content, Refusal
from lti_tool.cycles.rules import Cycle, Missing
from lti_tool.observation.words import say
from lti_tool.privacy.rules import Action, may
from lti_tool.privacy.words import who_can_see_cycle
from lti_tool.protocols.recipe import GUIDES, Field, Prompt, Protocol, Stage, Step
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed


@dataclass(frozen=True, slots=True)
class Timer:
    """How long a step takes, for a page with JavaScript and for one without."""

    minutes: int
    said: str
    """What stands there without JavaScript."""
    now: int
    """The server's moment, in ms: a device's clock may be wrong."""
    ends: int | None
    """In ms; None while nothing counts."""


def talk_page(session: Session, cycle: Cycle, stage: Stage, refusal: Refusal | None = None) -> str:
    """The page of a conversation: the one step that is now; with a `refusal` also what stood in the way."""
    refusal = refusal or Refusal()
    now = tool().clock()
    opened = service.open_talk(session, cycle, stage, now)
    talk, guide = opened.talk, opened.guide
    shown = talks.shown_steps(cycle, stage)
    here = talks.place(talk, shown)
    step = stage.talk[here]
    is_last = here == shown[-1]
    is_open = talks.is_open(cycle, stage)
    written = talks.fields_of(stage, shown, here)
    content = pages.read_content(session, cycle, stage, written, refusal, opened.before_id)
    asks = talks.ends_first_turn(cycle, stage, step)
    others_turn = asks and talk.device == "two" and cycle.me.role != stage.first_turn
    at = rules.stage_now(cycle, cycle.me)
    ahead = [stage.talk[i] for i in shown if i > here]
    return render_template(
        "cycles/talk.html",
        **pages.page_frame(cycle),
        stage=stage,
        stage_title=words.into(stage.title),
        step=step,
        title=words.into(step.title),
        text="" if guide == "blank" else words.into(step.text),
        place=_("%(number)s of %(count)s", number=shown.index(here) + 1, count=len(shown)),
        led_by=said.led_by(cycle, stage, talk),
        turn=said.turn(cycle, step, talk),
        talk=talk,
        marks=",".join(sorted({m.stage for m in cycle.marks if m.stage.split(".")[0] == stage.key})),
        timer=_timer(talk, step, now),
        prompts=[
            (said.kind(each.kind), words.into(each.text))
            for each in talks.prompts_for(_prompts(stage, step), guide)
        ],
        advice=said.advice(cycle, stage, talk),
        content=content,
        is_open=is_open,
        is_first=here == shown[0],
        is_last=is_last,
        next_label=_("I have spoken first") if asks and talk.device == "two"
        else _("%(name)s has spoken first", name=_first_name(cycle, stage)) if asks
        else _("Next: %(step)s", step=words.into(ahead[0].title)) if ahead
        else "",
        next_waits=_("%(name)s speaks first, and goes on from here.", name=_first_name(cycle, stage))
        if others_turn else "",
        agreements=[
            pages.agreement_box(cycle, stage, each, content.views) for each in stage.agreements
        ] if is_last else [],
        missing=[
            _missing(cycle, lack, content) for lack in rules.missing_to_close(cycle, stage, cycle.me, now)
        ] if is_last and is_open else [],
        is_done=rules.is_done(cycle, stage),
        errors=refusal.errors,
        guides=[(each, said.guide(each), each == guide) for each in GUIDES],
        may_share_device=may(actor(), Action.SHARE_DEVICE, cycle.facts),
        host=words.name(cycle.host),
        first_turn_done=rules.first_turn_done(cycle, stage),
        later_url=words.stage_url(cycle, at) if at and at is not stage and not rules.is_done(cycle, stage) else "",
        later_title=words.into(at.title) if at else "",
        move_url=url_for("conversation.move", cycle_id=cycle.id, stage_key=stage.key),
        text_url=pages.text_url,
        who=who_can_see_cycle([words.name(each) for each in cycle.others]),
    )  # fmt: skip


def _missing(cycle: Cycle, lack: Missing, content: Content) -> tuple[str, str]:
    """What is missing, and where it can be mended: on this page, if it is on it."""
    text, url = words.missing(cycle, lack)
    if lack.code in ("text", "versions") and lack.of in {each.key for each in content.written}:
        url = f"#field-{lack.of}"
    elif lack.code in ("my_signature", "partner_signature", "signatures"):
        url = f"#agreement-{lack.of}"
    return text, url


def _prompts(stage: Stage, step: Step) -> Sequence[Prompt]:
    """Of the step; those of the whole stage come first where it has any."""
    return step.prompts if step.key == "talk" and not stage.steps else (*stage.prompts, *step.prompts)


def _first_name(cycle: Cycle, stage: Stage) -> str:
    first = cycle.with_role(stage.first_turn or "host")
    return listed([said.own_name(cycle, each) for each in first])


def _timer(talk: Talk, step: Step, now: datetime) -> Timer:
    ends = talks.ends_at(talk, step)
    text = said.minutes(step.minutes) if step.minutes else ""
    if talk.has_begun and talk.paused_at is not None:
        text = _("Paused")
    elif ends is not None:
        text = _("until %(time)s", time=words.clock_time(ends))
    return Timer(step.minutes, text, _ms(now), None if ends is None else _ms(ends))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


# On paper


@dataclass(frozen=True, slots=True)
class SheetField:
    """A text on a sheet: what is there already, and how many lines to write on."""

    label: str
    help: str
    who: str
    texts: tuple[str, ...]
    choices: tuple[str, ...]
    lines: int


@dataclass(frozen=True, slots=True)
class SheetStep:
    """A step on a sheet."""

    title: str
    turn: str
    minutes: str
    text: str
    prompts: tuple[str, ...]
    fields: tuple[SheetField, ...]


@dataclass(frozen=True, slots=True)
class SheetStage:
    """A stage on a sheet."""

    title: str
    purpose: str
    minutes: str
    led_by: str
    statements: tuple[str, ...]
    shown: tuple[SheetField, ...]
    steps: tuple[SheetStep, ...]
    agreements: tuple[str, ...]


def stage_sheet(session: Session, cycle: Cycle, stage: Stage) -> str:
    """A conversation of these people on paper: what they have written so far, and lines for the rest."""
    opened = service.open_talk(session, cycle, stage, tool().clock())
    content = pages.read_content(session, cycle, stage, stage.fields, Refusal(), opened.before_id)
    one = replace(opened.talk, device="one")
    made = _stage(
        stage,
        talks.shown_steps(cycle, stage),
        opened.guide,
        content.views,
        lambda step: said.turn(cycle, step, one),
        said.led_by(cycle, stage, one),
        {"host": said.own_name(cycle, cycle.host)} | {
            each.role: said.own_name(cycle, each)
            for each in cycle.members
            if each.role != "member" and not each.is_gone
        },
        [*content.recalled, *content.shown],
    )  # fmt: skip
    return render_template(
        "cycles/sheet.html",
        activity_title=cycle.activity_title,
        pictures=[box for box in content.observed.boxes if box.is_shown and box.picture],
        say=say,
        title=words.into(stage.title),
        people=listed([said.own_name(cycle, each) for each in cycle.members if not each.is_gone]),
        source="",
        stages=[made],
        back=words.stage_url(cycle, stage),
        who=who_can_see_cycle([words.name(each) for each in cycle.others]),
    )


def protocol_sheet(protocol: Protocol) -> str:
    """A whole protocol on paper, with nobody's words."""
    roles = {role: words.role(role) for role in protocol.roles}

    def turn(step: Step) -> str:
        if step.quiet or not step.speaks:
            return _("Quiet time")
        if step.speaks == "member":
            return _("the members and the time keeper speak")
        return _("the %(role)s speaks", role=roles[step.speaks]) if step.speaks in roles else _("All of you")

    stages = [
        _stage(
            stage, range(len(stage.talk)), GUIDES[0], {}, turn,
            _("led by the %(role)s", role=roles[stage.leads]) if stage.leads in roles else "", roles, [],
        )
        for stage in protocol.stages
    ]  # fmt: skip
    return render_template(
        "cycles/sheet.html",
        title=words.into(protocol.title),
        people="",
        source=words.into(protocol.source),
        stages=stages,
        back=url_for("protocols.show", protocol_key=protocol.key),
        who=_("This sheet shows a protocol, and nobody’s words."),
    )


def _stage(
    stage: Stage,
    shown: Sequence[int],
    guide: str,
    views: Mapping[str, FieldView],
    turn: Any,
    led_by: str,
    names: Mapping[str, str],
    to_read: Sequence[FieldView],
) -> SheetStage:
    is_talk = stage.kind in talks.TALK_KINDS
    return SheetStage(
        title=words.into(stage.title),
        purpose=words.into(stage.purpose),
        minutes=said.minutes(stage.minutes) if stage.minutes else "",
        led_by=led_by if is_talk else "",
        statements=tuple(words.into(each) for each in stage.statements),
        shown=tuple(_read(each) for each in to_read if each.heads),
        steps=tuple(
            SheetStep(
                title=words.into(step.title) if stage.steps else "",
                turn=turn(step) if is_talk else "",
                minutes=said.minutes(step.minutes) if step.minutes and stage.steps else "",
                text=words.into(step.text) if stage.steps and guide != "blank" else "",
                prompts=tuple(words.into(each.text) for each in talks.prompts_for(_prompts(stage, step), guide)),
                fields=tuple(
                    _to_write(field, views.get(field.key), names) for field in talks.fields_of(stage, shown, i)
                ),
            )
            for i, step in enumerate(stage.talk)
            if i in shown
        ),
        agreements=tuple(words.into(each.text) for each in stage.agreements),
    )


def _read(view: FieldView) -> SheetField:
    return SheetField(view.label, "", "", tuple(head.said for head in view.heads if head.said.strip()), (), 0)


def _to_write(field: Field, view: FieldView | None, names: Mapping[str, str]) -> SheetField:
    texts = tuple(head.said for head in view.heads if head.said.strip()) if view else ()
    return SheetField(
        label=words.into(field.label),
        help=words.into(field.help),
        who=names.get(field.by, _("each of you") if field.by == "each" else ""),
        texts=texts,
        choices=tuple(words.into(each.text) for each in field.choices),
        lines=0 if texts or field.choices else max(2, field.rows),
    )
