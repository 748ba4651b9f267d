"""What a stage's page shows: the view models of its pieces, and the page put together."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.cycles import conversation, fields, rules, service, words
from lti_tool.cycles import conversation_rules as talks
from lti_tool.cycles import conversation_words as said
from lti_tool.cycles.fields import FieldView
from lti_tool.cycles.rules import Cycle
from lti_tool.observation.show_pages import OF_VISIT, Observed, observed, way
from lti_tool.observation.words import say
from lti_tool.privacy.keyring import ScopeKeys
from lti_tool.privacy.looks import views as looks
from lti_tool.privacy.rules import Action, may
from lti_tool.privacy.words import who_can_see_cycle
from lti_tool.protocols.bank import bank
from lti_tool.protocols.recipe import GUIDES, Agreement, Field, Gate, Stage
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed


@dataclass(frozen=True, slots=True)
class MeetingBox:
    """A meeting as a page shows it: what is booked, and the form to those who may book it."""

    kind: str
    title: str
    summary: str
    """When and where; empty while nothing is booked."""
    editable: bool
    is_optional: bool
    """Whether the stage can be closed without it."""
    label: str
    """Of the button."""
    starts: str
    minutes: str
    place: str
    rev: int
    error: str
    is_confirmed: bool
    note: str

    @property
    def was(self) -> str:
        """What the form shows, so that it can be told whether something was typed into it."""
        return "|".join((self.starts, self.minutes, self.place))


@dataclass(frozen=True, slots=True)
class AgreementBox:
    """Something both agree to, as one of them sees it."""

    key: str
    text: str
    button: str
    mine: str
    """none, valid or changed."""
    lines: tuple[str, ...]
    """Who has agreed."""
    missing: tuple[tuple[str, str], ...]
    """(sentence, address) for what keeps it from being signed."""
    seen: tuple[tuple[str, str], ...]
    """(field, tokens) of the texts it is about, as this page shows them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What could not be done with a sent page, and what had been typed."""

    errors: Sequence[tuple[str, str]] = ()
    """(address or empty, sentence)."""
    texts: Mapping[str, str] | None = None
    """Field → text that was not saved."""
    meetings: Mapping[str, tuple[str, str, str, str]] | None = None
    """Kind → (start, minutes, place as typed, sentence)."""
    status: int = 409
    """Of the answer; 403 where it is for somebody else to do."""

    def __bool__(self) -> bool:
        return bool(self.errors)


@dataclass(frozen=True, slots=True)
class GroupBox:
    """Texts of a stage that stand together under a heading."""

    title: str
    text: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class PointBox:
    """A text whose lines may point at what was seen and heard (R65)."""

    key: str
    steps: tuple[tuple[str, str], ...]
    """(name, line) of the text itself."""
    data: tuple[tuple[str, str], ...]
    """(name, line) of what can be pointed at."""
    seen: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """(title of a table, (name, row)) of what was captured in the visit and can be pointed at."""
    rests: tuple[tuple[str, str, str], ...]
    """(id where it is one's own to take away, line of the text, line that it rests on)."""


@dataclass(frozen=True, slots=True)
class Content:
    """The texts that a page of a stage shows, opened for its reader."""

    keys: ScopeKeys
    views: Mapping[str, FieldView]
    """All of them by key; texts with authors of their own have more than one."""
    written: tuple[FieldView, ...]
    """What the page is for, in order."""
    groups: tuple[GroupBox, ...]
    shown: tuple[FieldView, ...]
    """Of earlier stages, to read."""
    recalled: tuple[FieldView, ...]
    """Of the cycle before, to read (R62)."""
    recalled_rests: tuple[tuple[str, str], ...]
    """(next step, what it rests on) of the cycle before."""
    closed: tuple[str, ...]
    """Sentences on what is there later only."""
    points: Mapping[str, PointBox]
    """By key of the text."""
    unsaved: tuple[tuple[str, str], ...]
    """(label, text) of what was sent and could not be saved, where the page has no box for it (any more)."""
    observed: Observed
    """What was captured in the visit."""
    starters: Mapping[str, Sequence[tuple[str, Sequence[tuple[str, str]]]]]
    """Key of a text → (what they are for, (title, text) of each) of strategies to begin from (R62)."""

    def of(self, group: str) -> tuple[FieldView, ...]:
        """What is written in a group; `""` for what is in none."""
        return tuple(each for each in self.written if each.group == group)


def read_content(
    session: Session, cycle: Cycle, stage: Stage, written: Sequence[Field], refusal: Refusal, before_id: str | None
) -> Content:
    """The texts of a page on which `written` is written, with all that the stage shows beside; that they were opened
    is told. `before_id`: of the cycle before this one."""
    before = conversation.cycle_before(session, cycle, before_id) if stage.recalls else None
    ids = [cycle.id, *([before.id] if before else [])]
    all_keys = tool().keyring.opened_all(session, ids, tool().clock())
    keys = all_keys[cycle.id]
    shown = [field for key in stage.shows if (field := cycle.protocol.field(key))]
    beside = {key for each in stage.agreements for key in each.fields} | {each.rests_on for each in written}
    known = {each.key for each in (*written, *shown)}
    beside_them = [field for key in sorted(beside - known) if (field := cycle.protocol.field(key))]
    views = fields.read(session, keys, actor(), cycle, [*written, *shown, *beside_them], said="pair")
    again = {field.key for field in shown}
    here = {field.key for field in written} - again
    own = tuple(
        replace(each, text=(refusal.texts or {}).get(each.key, each.text)) if each.editable else each
        for each in views.values()
        if each.field in here
    )
    recalled: Mapping[str, FieldView] = {}
    if before is not None:
        wanted = [field for key in stage.recalls if (field := before.protocol.field(key))]
        recalled = fields.read(session, all_keys[before.id], actor(), before, wanted, said="pair")
    points_at = before is not None or any(field.rests_on for field in (*written, *shown))
    rests = conversation.read_rests(session, all_keys) if points_at else []
    for each_id, each_keys in all_keys.items():
        looks.tell(each_keys.opened_authors, each_id, stage.key)
    seen = observed(session, cycle, stage)
    # Who captured a visit leaves the boxes for notes empty: nothing is missing there.
    instead = {each.key for each in cycle.protocol.raw_fields} if seen.boxes else set()
    return Content(
        keys=keys,
        views=views,
        written=own,
        groups=tuple(
            GroupBox(words.into(group.title), words.into(group.text), tuple(f for f in own if f.group == group.key))
            for group in stage.groups
            if any(f.group == group.key for f in own)
        ),
        # What others could have written each for themselves and did not is left out: in a group it would be most of it.
        shown=tuple(
            replace(each, editable=False, help="")
            for each in views.values()
            if each.field in again and (each.heads or (each.key == each.field and each.field not in instead))
        ),
        recalled=tuple(
            replace(each, key=f"before-{each.key}", editable=False, help="") for each in recalled.values() if each.heads
        ),
        recalled_rests=tuple(
            (each.step_line, each.data_line or _("what was captured in the visit"))
            for each in rests
            if before
            and each.cycle_id == before.id
            and each.field in recalled
            and (each.data.startswith(OF_VISIT) or _is_readable(before, each.data))
        ),
        closed=tuple(_closed(cycle, [*written, *shown], views)),
        points={
            field.key: _points(cycle, field, views, rests, seen)
            for field in (*written, *shown)
            if field.rests_on and field.key in views and (field.rests_on in views or seen.boxes)
        },
        unsaved=_unsaved(cycle, refusal, own),
        observed=seen,
        starters={field.key: _starters() for field in written if field.starters},
    )


def _unsaved(cycle: Cycle, refusal: Refusal, own: Sequence[FieldView]) -> tuple[tuple[str, str], ...]:
    boxes = {each.key for each in own if each.editable}
    return tuple(
        (words.into(field.label), words.chosen(field, text))
        for key, text in (refusal.texts or {}).items()
        if key not in boxes and (field := cycle.with_left_out.field(key))
    )


def _starters() -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (words.into(outcome.title), [(words.into(each.title), words.into(each.text)) for each in outcome.ways])
        for outcome in bank().strategies
    ]


def _is_readable(cycle: Cycle, key: str) -> bool:
    field = cycle.protocol.field(key)
    return field is not None and bool(fields.registers(actor(), cycle, [field]))


def _points(
    cycle: Cycle, field: Field, views: Mapping[str, FieldView], rests: Sequence[conversation.Pointed], seen: Observed
) -> PointBox:  # fmt: skip
    may_point = cycle.is_running and any(field.key == each.field and each.editable for each in views.values())
    return PointBox(
        field.key,
        named_lines(views[field.key]) if may_point else (),
        named_lines(views[field.rests_on]) if may_point and field.rests_on in views else (),
        tuple((title, tuple(lines)) for title, lines in seen.by_table) if may_point else (),
        tuple(
            (
                each.id if each.author_id == cycle.viewer_id and cycle.is_running else "",
                each.step_line,
                seen.words_of(each.data.removeprefix(OF_VISIT), each.entries)
                if each.data.startswith(OF_VISIT)
                else each.data_line,
            )
            for each in rests
            if each.cycle_id == cycle.id and each.field == field.key
        ),
    )


def named_lines(view: FieldView) -> tuple[tuple[str, str], ...]:
    """(name, line) of the lines of a text: the name says exactly which, also when the text has changed since."""
    text = "\n".join(head.text for head in view.heads)
    return tuple((fields.fingerprint(line), line) for line in talks.lines(text))


def pointed_at(
    session: Session, keys: ScopeKeys, cycle: Cycle, field: Field, step: str, data: str
) -> tuple[str, str] | None:
    """The lines of a text and of what it rests on that are named so (named_lines); None unless both are there, and
    open to who asks."""
    rests_on = cycle.protocol.field(field.rests_on)
    views = fields.read(session, keys, actor(), cycle, [each for each in (field, rests_on) if each])
    if field.key not in views or field.rests_on not in views:
        return None
    found = (dict(named_lines(views[field.key])).get(step), dict(named_lines(views[field.rests_on])).get(data))
    return (found[0], found[1]) if found[0] and found[1] else None


def stage_page(session: Session, cycle: Cycle, stage: Stage, refusal: Refusal | None = None) -> str:
    """The page of a stage; with a `refusal` it shows what was typed and what stood in the way."""
    refusal = refusal or Refusal()
    opened = conversation.open_talk(session, cycle, stage, tool().clock())
    content = read_content(session, cycle, stage, stage.fields, refusal, opened.before_id)
    places = service.read_places(session, content.keys, cycle.id) if cycle.meetings else {}
    # Where the two meet was opened after the texts: it is told as they are.
    looks.tell(content.keys.opened_authors, cycle.id, stage.key)
    view = service.view(cycle, tool().clock())
    here = next(each for each in view.stages if each.stage is stage)
    partner = listed([words.name(each) for each in cycle.others])
    first = {"host": cycle.host, "coach": cycle.coach}.get(stage.speaks_first or "")
    now = rules.stage_now(cycle, cycle.me)
    read_here = (*stage.fields, *(cycle.protocol.field(key) for key in stage.shows))
    prompts = talks.by_kind(talks.prompts_for(stage.all_prompts, opened.guide))
    is_talk = stage.kind in talks.TALK_KINDS
    return render_template(
        "cycles/stage.html",
        **page_frame(cycle),
        stage=stage,
        view=view,
        state=here.state,
        title=words.into(stage.title),
        now_url=words.stage_url(cycle, now) if now and now is not stage and cycle.is_running else "",
        now_title=words.into(now.title) if now else "",
        my_role=words.role(cycle.me.role),
        partner=partner,
        partner_role="" if len(cycle.others) != 1 else words.role(cycle.others[0].role),
        led_by=said.led_by(cycle, stage) if is_talk else "",
        talk_url=url_for("conversation.talk", cycle_id=cycle.id, stage_key=stage.key) if is_talk else "",
        has_begun=opened.talk.has_begun,
        advice=said.advice(cycle, stage, opened.talk),
        speaks_first="" if first is None else _("You speak first") if first is cycle.me else
        _("%(name)s speaks first", name=words.name(first)),
        statements=[words.into(each) for each in stage.statements],
        prompts=[(said.kind(kind), [words.into(each.text) for each in found]) for kind, found in prompts.items()],
        has_prompts=bool(stage.all_prompts),
        guides=[(each, said.guide(each), each == opened.guide) for each in GUIDES],
        content=content,
        notes_kept=words.when_notes_go(cycle) if any(field.raw for field in read_here if field) else "",
        may_keep_notes=cycle.notes_deleted_at is None and may(actor(), Action.KEEP_NOTES, cycle.facts),
        meetings=[
            _meeting_box(cycle, stage, kind, places, refusal)
            for kind in stage.meetings
            if here.state != "done" or cycle.meeting(kind)
        ],
        times_url=_times_url(cycle, stage),
        cover_url=url_for("schedule.cover_slip", cycle_id=cycle.id)
        if cycle.meetings and may(actor(), Action.BOOK_TALK, cycle.facts) else "",
        agreements=[agreement_box(cycle, stage, each, content.views) for each in stage.agreements],
        first_turn_done=rules.first_turn_done(cycle, stage),
        missing=[
            words.missing(cycle, lack)
            for lack in rules.missing_to_close(cycle, stage, cycle.me, tool().clock())
        ] if here.state != "done" and cycle.is_running else [],
        looks_with=url_for("observation.instruments_of_cycle", cycle_id=cycle.id)
        if _looks_with(cycle, stage) else "",
        way=way(cycle, content.observed) if stage.kind == "visit" and cycle.is_running else [],
        notices=words.notices(cycle, stage, tool().clock()),
        errors=refusal.errors,
        text_url=text_url,
        trainer_sees=_("The trainer sees that you coach each other, and since when; not which step is done.")
        if cycle.with_left_out.has_ladder
        else _("The trainer sees that this step is done and when, not what you said."),
        who=who_can_see_cycle([words.name(each) for each in cycle.others]),
    )  # fmt: skip


def _looks_with(cycle: Cycle, stage: Stage) -> bool:
    """Whether the page of a stage leads to the instrument of the visit: its own page, and that of the stage before."""
    visit = rules.noted_visit(cycle.stages)
    if visit is None or not may(actor(), Action.READ_INSTRUMENT, cycle.facts):
        return False
    at = cycle.stages.index(visit)
    return stage in cycle.stages[max(at - 1, 0) : at + 1]


def _times_url(cycle: Cycle, stage: Stage) -> str:
    """Where the meetings of a cycle are booked together, from the page of a stage in which one of them is."""
    arranged = {kind for each in cycle.stages for kind in each.meetings}
    is_here = bool(stage.meetings) and not rules.is_done(cycle, stage) and may(actor(), Action.SEE_TIMES, cycle.facts)
    if not is_here or not {"before", "visit", "after"} <= arranged:
        return ""
    return url_for("schedule.meeting_times", cycle_id=cycle.id)


def page_frame(cycle: Cycle) -> dict[str, Any]:
    """What every page with texts needs: the addresses and keys for ui.live_texts, and who can see the page."""
    return {
        "activity_title": cycle.activity_title,
        "cycle": cycle,
        "words": words,
        "say": say,
        "texts_url": url_for("cycles.poll", cycle_id=cycle.id),
        "person_id": actor().person_id,
        "device_key": device_key(),
    }


def device_key() -> str:
    """32 bytes in base64 that encrypt what this person's browser keeps; the next person at the computer has others."""
    key = tool().settings.secret_key.get_secret_value()
    return base64.b64encode(hmac.digest(key, b"device/" + actor().person_id.encode(), hashlib.sha256)).decode()


def text_url(cycle: Cycle, key: str) -> str:
    """Where a field is saved."""
    return url_for("cycles.save_text", cycle_id=cycle.id, field_key=key)


def booking(kind: str) -> Action:
    """What is asked of the rules of privacy before a meeting of this kind is booked or moved."""
    return Action.BOOK_VISIT if kind == "visit" else Action.BOOK_TALK


def _meeting_box(cycle: Cycle, stage: Stage, kind: str, places: Mapping[str, str], refusal: Refusal) -> MeetingBox:
    meeting = cycle.meeting(kind)
    titles = {
        "visit": _("The visit"),
        "after": _("Conversation after: when and where"),
        "before": _("Conversation before: when and where"),
        "work": _("Working together: when and where"),
    }
    place = places.get(kind, "")
    summary = ""
    starts, minutes = "", str(stage.minutes or 30)
    if meeting:
        summary = _("%(when)s, %(count)s minutes", when=words.when(meeting.starts_at), count=meeting.minutes)
        summary = f"{summary}, {place}" if place else summary
        starts = meeting.starts_at.astimezone(words.zone()).strftime("%Y-%m-%dT%H:%M")
        minutes = str(meeting.minutes)
    elif kind == "after" and stage.kind == "visit":
        minutes = str(next((each.minutes for each in cycle.stages if each.key == "after"), 30))
    box = MeetingBox(
        kind=kind,
        title=titles[kind],
        summary=summary,
        editable=may(actor(), booking(kind), cycle.facts) and not rules.is_done(cycle, stage),
        is_optional=Gate("meeting", kind) not in stage.gates,
        label=_("Move it") if meeting else _("Book it"),
        starts=starts,
        minutes=minutes,
        place=place,
        rev=meeting.rev if meeting else 0,
        error="",
        is_confirmed=bool(meeting and meeting.confirmed_at),
        note=_meeting_note(cycle, kind),
    )
    if typed := (refusal.meetings or {}).get(kind):
        return replace(box, starts=typed[0], minutes=typed[1], place=typed[2], error=typed[3])
    return box


def _meeting_note(cycle: Cycle, kind: str) -> str:
    meeting = cycle.meeting(kind)
    if kind != "visit":
        return "" if meeting else _("Not booked yet.")
    if meeting is None:
        if cycle.me.role == "host":
            return _("You invite: %(name)s can come once you have said when.", name=words.name(cycle.coach))
        return _("%(name)s invites you, and says when.", name=words.name(cycle.host))
    if meeting.confirmed_at:
        if cycle.me is cycle.coach:
            return _("You said that you will be there.")
        return _("%(name)s will be there.", name=words.name(cycle.coach))
    if cycle.me is cycle.coach:
        return _("Say whether it suits you.")
    return _("%(name)s has not said yet that this suits.", name=words.name(cycle.coach))


def agreement_box(cycle: Cycle, stage: Stage, agreement: Agreement, views: Mapping[str, FieldView]) -> AgreementBox:
    """An agreement, as the reader of the page sees it."""
    mine = rules.signature_state(cycle, agreement, cycle.me)
    lines = []
    if mine == "valid":
        lines.append(_("You have agreed."))
    elif mine == "changed":
        lines.append(_("A text has changed since you agreed, so you are asked again."))
    for each in cycle.others:
        theirs, name = rules.signature_state(cycle, agreement, each), words.name(each)
        if theirs == "valid":
            lines.append(_("%(name)s has agreed.", name=name))
        elif theirs == "changed":
            lines.append(_("A text has changed since %(name)s agreed, so %(name)s is asked again.", name=name))
        else:
            lines.append(_("%(name)s has not agreed yet.", name=name))
    return AgreementBox(
        agreement.key,
        words.into(agreement.text),
        words.into(agreement.button),
        mine,
        tuple(lines),
        tuple(words.missing(cycle, lack) for lack in rules.missing_to_sign(cycle, agreement, stage, cycle.me)),
        tuple((key, views[key].tokens) for key in agreement.fields if key in views),
    )


def _closed(cycle: Cycle, every: Sequence[Any], views: Mapping[str, FieldView]) -> list[str]:
    """Sentences on what is there later only."""
    found = []
    for field in every:
        if field.key in views or field.opens is None:
            continue
        label = words.into(field.label)
        name = listed([words.name(each) for each in cycle.with_role(field.by) or cycle.others])
        if field.opens == "visit_done":
            found.append(_("“%(label)s” by %(name)s opens when the visit is over.", label=label, name=name))
        elif field.opens == "advice_asked":
            found.append(_("“%(label)s” by %(name)s opens when the host asks for advice.", label=label, name=name))
        else:
            found.append(_("“%(label)s” by %(name)s opens when the host has spoken first.", label=label, name=name))
    return found
