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

from lti_tool.cycles import fields, rules, service, words
from lti_tool.cycles.fields import FieldView
from lti_tool.cycles.rules import Cycle
from lti_tool.privacy.looks import views as looks
from lti_tool.privacy.rules import Action, may
from lti_tool.privacy.words import who_can_see_cycle
from lti_tool.protocols.recipe import Agreement, Gate, Stage
from lti_tool.web.context import actor, tool


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

    def __bool__(self) -> bool:
        return bool(self.errors)


def stage_page(session: Session, cycle: Cycle, stage: Stage, refusal: Refusal | None = None) -> str:
    """The page of a stage; with a `refusal` it shows what was typed and what stood in the way."""
    refusal = refusal or Refusal()
    keys = tool().keyring.opened(session, cycle.id, tool().clock())
    shown_again = [field for key in stage.shows if (field := cycle.protocol.field(key))]
    views = fields.read(session, keys, actor(), cycle, [*stage.fields, *shown_again], said="pair")
    places = service.read_places(session, keys, cycle.id) if stage.meetings else {}
    view = service.view(cycle, tool().clock())
    here = next(each for each in view.stages if each.stage is stage)
    again = {field.key for field in shown_again}
    own = [
        replace(each, text=(refusal.texts or {}).get(each.key, each.text)) if each.editable else each
        for each in views.values()
        if each.key not in again
    ]
    looks.tell(keys.opened_authors, cycle.id, stage.key)
    partner = words.name(cycle.partner)
    first = {"host": cycle.host, "coach": cycle.coach}.get(stage.speaks_first or "")
    now = rules.stage_now(cycle, cycle.me)
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
        partner_role=words.role(cycle.partner.role),
        speaks_first="" if first is None else _("You speak first") if first is cycle.me else
        _("%(name)s speaks first", name=words.name(first)),
        statements=[words.into(each) for each in stage.statements],
        prompts=[words.into(each.text) for each in stage.all_prompts],
        shown=[replace(each, editable=False, help="") for key, each in views.items() if key in again],
        closed=_closed(cycle, [*stage.fields, *shown_again], views),
        plain=[each for each in own if not each.group],
        card=[each for each in own if each.group == "card"],
        notes=[each for each in own if each.group == "notes"],
        notes_kept=words.when_notes_go(cycle) if any(field.raw for field in (*stage.fields, *shown_again)) else "",
        may_keep_notes=cycle.notes_deleted_at is None and may(actor(), Action.KEEP_NOTES, cycle.facts),
        meetings=[
            _meeting_box(cycle, stage, kind, places, refusal)
            for kind in stage.meetings
            if here.state != "done" or cycle.meeting(kind)
        ],
        agreements=[_agreement_box(cycle, stage, each, views) for each in stage.agreements],
        first_turn_done=rules.first_turn_done(cycle, stage),
        missing=[
            words.missing(cycle, lack)
            for lack in rules.missing_to_close(cycle, stage, cycle.me, tool().clock())
        ] if here.state != "done" and cycle.is_running else [],
        notices=words.notices(cycle, stage, tool().clock()),
        errors=refusal.errors,
        text_url=text_url,
        trainer_sees=_("The trainer sees that you coach each other, and since when; not which step is done.")
        if cycle.with_left_out.has_ladder
        else _("The trainer sees that this step is done and when, not what you said."),
        who=who_can_see_cycle([partner]),
    )  # fmt: skip


def page_frame(cycle: Cycle) -> dict[str, Any]:
    """What every page with texts needs: the addresses and keys for ui.live_texts, and who can see the page."""
    return {
        "activity_title": cycle.activity_title,
        "cycle": cycle,
        "words": words,
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
        if cycle.me.role == "coach":
            return _("You said that you will be there.")
        return _("%(name)s will be there.", name=words.name(cycle.coach))
    if cycle.me.role == "coach":
        return _("Say whether it suits you.")
    return _("%(name)s has not said yet that this suits.", name=words.name(cycle.coach))


def _agreement_box(cycle: Cycle, stage: Stage, agreement: Agreement, views: Mapping[str, FieldView]) -> AgreementBox:
    mine = rules.signature_state(cycle, agreement, cycle.me)
    theirs = rules.signature_state(cycle, agreement, cycle.partner)
    partner = words.name(cycle.partner)
    lines = []
    if mine == "valid":
        lines.append(_("You have agreed."))
    elif mine == "changed":
        lines.append(_("A text has changed since you agreed, so you are asked again."))
    if theirs == "valid":
        lines.append(_("%(name)s has agreed.", name=partner))
    elif theirs == "changed":
        lines.append(_("A text has changed since %(name)s agreed, so %(name)s is asked again.", name=partner))
    else:
        lines.append(_("%(name)s has not agreed yet.", name=partner))
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
        label, partner = words.into(field.label), words.name(cycle.partner)
        if field.opens == "visit_done":
            found.append(_("“%(label)s” by %(name)s opens when the visit is over.", label=label, name=partner))
        else:
            found.append(_("“%(label)s” by %(name)s opens when the host has spoken first.", label=label, name=partner))
    return found
