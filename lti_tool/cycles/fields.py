"""What a page shows of a text: the view model of ui.text_field, and the same as JSON for texts.js."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.cycles import words
from lti_tool.cycles.rules import Cycle, clean
from lti_tool.cycles.texts import OpenedText, Register, read_texts
from lti_tool.people.actor import Actor
from lti_tool.privacy.keyring import ScopeKeys
from lti_tool.privacy.rules import Action, may, readers
from lti_tool.privacy.words import who_can_see_text
from lti_tool.protocols.recipe import Field

THEIRS = "-theirs"
"""Ending of the key under which the partner's own version of a field `by: each` is shown; in a group that of the next
others goes on with a number."""


@dataclass(frozen=True, slots=True)
class HeadView:
    """A current version of a text."""

    token: str
    author: str
    mine: bool
    text: str
    saved_at: str
    said: str
    """The text in words, where it is the key of a choice; else itself."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """A text as one member sees it."""

    key: str
    field: str
    """Key of the field, whoever's text it is."""
    label: str
    help: str
    rows: int
    max_length: int
    editable: bool
    text: str
    base: str
    """Token of the version that `text` is, or empty."""
    heads: tuple[HeadView, ...]
    who: str
    """Who can see it, where that is not what the page says; else empty."""
    was: str
    """Fingerprint of the text as the page got it: whether anything was typed into a box that comes back."""
    group: str = ""
    has_history: bool = False
    choices: tuple[tuple[str, str, bool], ...] = ()
    """(key, words, whether it is chosen) of what there is to choose instead of writing."""
    several: bool = False

    @property
    def tokens(self) -> str:
        """All current versions, with commas between: what somebody who looks at the page has seen."""
        return ",".join(head.token for head in self.heads)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A register that may be shown: the field's, or one author's."""

    key: str
    field: Field
    author_id: str | None


def registers(actor: Actor, cycle: Cycle, fields: Iterable[Field]) -> list[_Shown]:
    """Which registers of these fields the rules of privacy open to `actor` now."""
    found = []
    for field in fields:
        if field.by != "each":
            if may(actor, Action.READ_TEXT, cycle.text_facts(field)):
                found.append(_Shown(field.key, field, None))
            continue
        others = [each for each in cycle.members if each is not cycle.me]
        for number, member in enumerate((cycle.me, *others)):
            if may(actor, Action.READ_TEXT, cycle.text_facts(field, member.person_id)):
                ending = "" if not number else THEIRS if number == 1 else f"{THEIRS}-{number}"
                found.append(_Shown(field.key + ending, field, member.person_id))
    return found


def is_editable(actor: Actor, cycle: Cycle, field: Field) -> bool:
    """Whether `actor` can write in a field now. What both see is settled with the cycle; a reflection never is."""
    if not may(actor, Action.WRITE_TEXT, cycle.text_facts(field, actor.person_id)):
        return False
    if field.raw and cycle.notes_deleted_at is not None:
        # What is written now would be deleted at once.
        return False
    return cycle.is_running or field.seen == "author"


def read(
    session: Session, keys: ScopeKeys, actor: Actor, cycle: Cycle, fields: Sequence[Field], *, said: str = ""
) -> dict[str, FieldView]:
    """The texts of these fields that `actor` may see now, by key, in order; one statement.

    `said`: whom the page itself names as those who can see it (pair or author); a field says it only where it differs.
    """
    shown = registers(actor, cycle, fields)
    opened = read_texts(session, keys, cycle.id, [Register(each.field.key, each.author_id) for each in shown])
    return {each.key: _view(actor, cycle, each, opened, said) for each in shown}


def _view(actor: Actor, cycle: Cycle, shown: _Shown, opened: Sequence[OpenedText], said: str) -> FieldView:
    field = shown.field
    facts = cycle.text_facts(field, shown.author_id)
    audience = "pair" if len(readers(facts)) > 1 else "author"
    is_mine = shown.author_id in (None, actor.person_id)
    heads = tuple(
        HeadView(
            text.token,
            name_of(cycle, text.author_id),
            text.author_id == actor.person_id,
            text.text,
            text.saved_at.isoformat(),
            words.chosen(field, text.text),
        )
        for text in opened
        if text.field == field.key and shown.author_id in (None, text.author_id)
    )
    main = next((head for head in reversed(heads) if head.mine), heads[-1] if heads else None)
    label = words.into(field.label)
    marked = main.text.split(",") if main else ()
    return FieldView(
        key=shown.key,
        field=field.key,
        label=label if is_mine else f"{label} ({name_of(cycle, shown.author_id)})",
        help=words.into(field.help) if is_mine else "",
        rows=field.rows,
        max_length=max(field.max_length, len(main.text) if main else 0),
        editable=is_mine and is_editable(actor, cycle, field),
        text=main.text if main else "",
        base=main.token if main else "",
        heads=heads,
        who=""
        if audience == said
        else who_can_see_text(actor, facts, {member.person_id: words.name(member) for member in cycle.members}),
        was=fingerprint(main.text if main else ""),
        group=field.group,
        has_history=field.seen == "pair" and is_mine and bool(heads),
        choices=tuple((each.key, words.into(each.text), each.key in marked) for each in field.choices),
        several=field.several,
    )


def name_of(cycle: Cycle, person_id: str | None) -> str:
    """The name of somebody who wrote in the cycle, also of one who has left it; empty for nobody."""
    member = cycle.person(person_id or "")
    return words.name(member) if member else ""


def fingerprint(text: str) -> str:
    """A short name of exactly this text; it goes into the page that shows the text, and nowhere else."""
    return hashlib.sha256(clean(text).encode()).hexdigest()[:16]


def as_json(view: FieldView) -> dict[str, Any]:
    """A field as texts.js takes it in."""
    return {
        "base": [view.base] if view.base else [],
        "heads": [
            {
                "token": head.token,
                "author": head.author,
                "mine": head.mine,
                "text": head.text,
                "saved_at": head.saved_at,
                "said": head.said,
            }
            for head in view.heads
        ],
    }
