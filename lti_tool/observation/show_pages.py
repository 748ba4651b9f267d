"""What pages show of a visit that was captured: its picture, who sees it, and what next steps can point at."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from lti_tool.cycles import rules
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.rules import Cycle
from lti_tool.observation import card, show
from lti_tool.observation.entries import Id
from lti_tool.observation.pictures import draw
from lti_tool.observation.pictures.shapes import Line, Picture, Table
from lti_tool.observation.said import Said
from lti_tool.observation.show import Seen
from lti_tool.observation.words import say
from lti_tool.privacy.looks import views as looks
from lti_tool.privacy.looks.service import CAPTURED, INSTRUMENT
from lti_tool.privacy.rules import Action, may
from lti_tool.protocols.recipe import Stage
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed

OF_VISIT = "visit:"
"""Begins `Rest.data` where a next step rests on entries; the id of their observation follows."""
MOST_IDS = 40
"""Entries of a line that are kept with a next step; they are enough to find the line again."""
_NOT_TO_POINT_AT = ("table_question", "table_mine")
MOST_TO_CHOOSE = 500
"""Rows that a page lets one choose from: more than are noted in an hour."""
_MOST_WORDS, _MOST_WORDS_TO_CHOOSE = 160, 70
"""Characters of a row."""


@dataclass(frozen=True, slots=True)
class PictureBox:
    """A visit that was captured, as one member of the cycle meets it."""

    id: str
    title: str
    when: str
    state: str
    """open (there is a picture to see), captured (it is closed, and not this reader's to see yet), capturing, gone."""
    note: str
    """Who sees it, or what it waits for."""
    picture: Picture | None = None
    """The same for all who see it."""
    own: tuple[Table, ...] = ()
    """What of it only the coach sees."""
    own_note: str = ""
    button: str = ""
    """Of the host, who shows it to all."""
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class Pointable:
    """A row of a table that a next step can rest on."""

    visit_id: str
    table: str
    """Its title in words."""
    words: str
    entries: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """What the visits of a cycle brought, for one of its members."""

    boxes: tuple[PictureBox, ...] = ()
    lines: Mapping[str, Pointable] = field(default_factory=dict)
    """Name → row that can be pointed at: of what all look at."""
    is_offered: bool = False
    """Whether this pair captures anything at all, or could."""

    @property
    def by_table(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """(title, (name, row)) of the rows that can be pointed at, MOST_TO_CHOOSE at most."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name, line in islice(self.lines.items(), MOST_TO_CHOOSE):
            found.setdefault(line.table, []).append((name, shortened(line.words, _MOST_WORDS_TO_CHOOSE)))
        return list(found.items())

    def words_of(self, visit_id: str, entries: Sequence[Id]) -> str:
        """What a next step rests on, in words; of entries that are deleted only that."""
        wanted = set(entries)
        rows = [each for each in self.lines.values() if each.visit_id == visit_id and wanted <= set(each.entries)]
        if rows and wanted:
            return min(rows, key=lambda each: len(each.entries)).words
        return _("something that was captured in the visit; it is deleted by now")


def observed(session: Session, cycle: Cycle, stage: Stage | None = None) -> Observed:
    """What the visits of a cycle brought; that it was opened is told. Two statements at most, none where `stage` is
    one at which nobody looks at it."""
    order = [each.key for each in cycle.stages]
    visits = [each for each in cycle.stages if each.kind == "visit"]
    if not visits or cycle.is_alone or (stage is not None and _is_before(order, stage, visits[0])):
        return Observed()
    found = show.visits_of(session, cycle)
    if not found:
        return Observed(is_offered=rules.noted_visit(cycle.stages) is not None)
    seen, builders, captured_by = show.read(session, tool().keyring, cycle, found, actor(), tool().clock())
    looks.tell(captured_by, cycle.id, CAPTURED)
    looks.tell(builders, cycle.id, INSTRUMENT)
    return Observed(
        tuple(_box(cycle, each) for each in seen),
        {name: line for each in seen for name, line in pointable(each)},
        is_offered=True,
    )


def _is_before(order: Sequence[str], stage: Stage, visit: Stage) -> bool:
    return stage.key not in order or order.index(stage.key) < order.index(visit.key)


def _box(cycle: Cycle, seen: Seen) -> PictureBox:
    visit = seen.visit
    coach = cycle.person(visit.coach_id)
    name = cycle_words.name(coach) if coach else ""
    host = cycle_words.name(cycle.host)
    others = [cycle_words.name(each) for each in cycle.others]
    is_mine = visit.coach_id == cycle.viewer_id
    box = PictureBox(
        id=visit.id,
        title=seen.instrument.name if seen.instrument else _("What was captured in the visit"),
        when=cycle_words.when(visit.created_at),
        state="open",
        note=_("You look at it together since %(when)s.", when=cycle_words.when(visit.shown_at))
        if visit.shown_at and has_talk(cycle)
        else "",
        is_shown=visit.shown_at is not None,
    )
    if seen.is_gone:
        return replace(
            box,
            state="gone",
            note=_("What was captured is deleted: its time was over. There is nothing to see here any more."),
        )
    if visit.closed_at is None:
        note = _("You have not closed this visit yet.") if is_mine else _("%(name)s has not closed it yet.", name=name)
        return replace(box, state="capturing", note=note)
    if not seen.columns or seen.instrument is None:
        may_show = may(actor(), Action.SHOW_OBSERVATION, visit.facts(cycle))
        if not may_show:
            note = _("%(name)s decides when you look at it together.", name=host)
        elif has_talk(cycle):
            note = (
                _("%(name)s sees it already. You speak first, and decide when all of you look at it.", name=name)
                if cycle.is_group
                else _("%(name)s sees it already. You speak first, and decide when both of you look at it.", name=name)
            )
        else:
            note = _("%(name)s hands it over to you. Open it when you like; no talk about it is owed.", name=name)
        button = "" if not may_show else _("Let us look at it together") if has_talk(cycle) else _("Open the picture")
        return replace(box, state="captured", note=note, button=button)
    to_all = ["seen", *(["question"] if cycle.facts_of_visit.first_turn_done else [])]
    shared = [each for each in seen.entries if each.column in to_all]
    rest = [each for each in seen.entries if each.column not in to_all]
    own = tuple(
        each for each in draw(seen.instrument, rest, visit.minutes).tables if each.title.key in _NOT_TO_POINT_AT
    )
    if visit.shown_at is None:
        box = replace(
            box,
            note=_("Seen by you only, until %(name)s says that you look at it together. Then %(names)s see it too.",
                   name=host, names=listed(others))
            if len(others) > 1
            else _("Seen by you only, until %(name)s says that you look at it together.", name=host),
        )  # fmt: skip
    return replace(
        box,
        picture=draw(seen.instrument, shared, visit.minutes),
        own=own if is_mine else (),
        own_note=_own_note(own, host, any(each.first_turn for each in cycle.stages)) if is_mine else "",
    )


def has_talk(cycle: Cycle) -> bool:
    """Whether they talk about the visit afterwards."""
    kinds = [each.kind for each in cycle.stages]
    return "conversation" in kinds[kinds.index("visit") :] if "visit" in kinds else False


def _own_note(own: Iterable[Table], host: str, has_first_turn: bool) -> str:
    if has_first_turn and any(each.title.key == "table_question" for each in own):
        return _(
            "Seen by you only. Your questions open when %(name)s has spoken first; the rest never does. It is deleted "
            "with all that was captured: copy what you want to keep for longer.",
            name=host,
        )
    return _("Seen by you only. It is deleted with all that was captured: copy what you want to keep for longer.")


def kept(cycle: Cycle) -> str:
    """How long what was captured is kept, for all who are in the cycle."""
    if cycle.notes_deleted_at is not None:
        return _("What was captured was deleted %(day)s.", day=cycle_words.day(cycle.notes_deleted_at))
    if cycle.notes_days is None:
        return _("What was captured stays as long as the cycle.")
    if cycle.notes_due_at is not None:
        return _("What was captured is deleted %(day)s, for all of you.", day=cycle_words.day(cycle.notes_due_at))
    if cycle.protocol.debrief is not None and cycle.protocol.debrief.kind == "visit":
        return _("What was captured is deleted %(count)s days after the visit, for all of you.", count=cycle.notes_days)
    return _(
        "What was captured is deleted %(count)s days after the conversation after, for all of you.",
        count=cycle.notes_days,
    )


def way(cycle: Cycle, seen: Observed) -> list[tuple[str, str, str]]:
    """(label, address or empty, note) of what leads through a visit: card, instrument, capture, picture. Where nothing
    is noted it is the card alone."""
    lacking = card.empty_lines(cycle)
    found = [
        (
            _("The card for the visit"),
            url_for("observation.visit_card", cycle_id=cycle.id),
            ngettext("%(num)s line is not settled yet", "%(num)s lines are not settled yet", len(lacking))
            if lacking
            else _("for the phone, or to print"),
        )
    ]
    if not seen.is_offered:
        return found
    found.append((_("What you look with"), url_for("observation.instruments_of_cycle", cycle_id=cycle.id), ""))
    if not any(box.is_shown or box.state == "gone" for box in seen.boxes):
        can = may(actor(), Action.CAPTURE, cycle.facts)
        url = url_for("observation.capture_visit", cycle_id=cycle.id) if can else ""
        note = _("on this device or another one") if can else _("by %(name)s", name=cycle_words.name(cycle.coach))
        found.append((_("Note the visit"), url, note))
    url = url_for("observation.picture", cycle_id=cycle.id) if seen.boxes else ""
    found.append((_("The picture"), url, "" if url else _("when the visit is closed")))
    return found


# What next steps point at


def pointable(seen: Seen) -> list[tuple[str, Pointable]]:
    """(name, row) of what was seen and heard, as all look at it. The name says exactly which entries."""
    if seen.visit.shown_at is None or seen.instrument is None:
        return []
    picture = draw(seen.instrument, [each for each in seen.entries if each.column == "seen"], seen.visit.minutes)
    return [
        (
            _name(seen.visit.id, table.title, line.entries),
            Pointable(seen.visit.id, f"{seen.instrument.name}: {say(table.title)}", row_words(line), line.entries),
        )
        for table in picture.tables
        if table.title.key not in _NOT_TO_POINT_AT
        for line in table.lines
        if line.entries
    ]


def row_words(line: Line) -> str:
    """A row of a table in one line."""
    texts = ["; ".join(cell) if isinstance(cell, tuple) else say(cell) for cell in line.cells]
    return shortened(" · ".join(each for each in texts if each), _MOST_WORDS)


def shortened(text: str, most: int) -> str:
    """A text of so many characters at most."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _name(visit_id: str, title: Said, entries: Iterable[Id]) -> str:
    return hashlib.sha256(repr((visit_id, title.key, sorted(entries))).encode()).hexdigest()[:16]
